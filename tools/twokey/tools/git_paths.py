"""Which paths a change may name, and how a path is shown.

Rules, for every checkout on every common file system and not only this one:

- relative, normalised (NFC), ``/`` between names, no ``.``/``..``/empty names, no backslash, no control, format,
  separator, private or unassigned character, no blank but the space, no name that Windows cuts or reserves;
- nothing that is, or on HFS+ or NTFS becomes, ``.git`` or ``.gitmodules``;
- bounded: 400 characters, 200 bytes a name, 32 names.

A shown path is quoted as git quotes it (C style, bytes above 127 in octal), so it cannot disguise itself.
"""

import re
import unicodedata
from typing import Final

from dulwich.index import validate_path_element_default, validate_path_element_hfs, validate_path_element_ntfs

MAX_PATH: Final = 400
MAX_NAME_BYTES: Final = 200
MAX_DEPTH: Final = 32

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_IGNORABLE: Final = frozenset({"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"})
_WINDOWS_RESERVED: Final = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\.|$)", re.IGNORECASE
)
_SHORT_GIT: Final = re.compile(r"(git|gitmod|gi[0-9a-f]{4})~[0-9]+", re.IGNORECASE)
_ESCAPES: Final = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def fault(path: str) -> str | None:
    """Say why ``path`` may not be named by a change, or ``None`` where it may. The reason never repeats the path."""
    if not path or len(path) > MAX_PATH:
        return f"a path has 1 to {MAX_PATH} characters"
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return "a path is relative to the top of the repository"
    if "\\" in path:
        return "a path is written with `/`, never with a backslash"
    if any(char != " " and (unicodedata.category(char) in _UNSEEN or char in _IGNORABLE) for char in path):
        return "a path holds a control or invisible character"
    if unicodedata.normalize("NFC", path) != path:
        return "a path is not in Unicode normal form C"
    names = path.split("/")
    if len(names) > MAX_DEPTH:
        return f"a path goes deeper than {MAX_DEPTH} folders"
    return next((reason for reason in map(_fault_of_name, names) if reason), None)


def _fault_of_name(name: str) -> str | None:
    if name in {"", ".", ".."}:
        return "a path is normalised: no `.`, `..`, doubled or closing `/`"
    raw = name.encode()
    if len(raw) > MAX_NAME_BYTES:
        return f"a name in a path has at most {MAX_NAME_BYTES} bytes"
    if not _is_harmless_to_git(name, raw):
        return "a path leads into git's own files"
    if name != name.strip() or name.endswith(".") or _WINDOWS_RESERVED.match(name) or set(name) & set('<>:"|?*'):
        return "a name in a path does not exist on every file system"
    return None


def _is_harmless_to_git(name: str, raw: bytes) -> bool:
    if not all(
        check(raw) for check in (validate_path_element_default, validate_path_element_hfs, validate_path_element_ntfs)
    ):
        return False
    folded = unicodedata.normalize("NFKC", name).casefold().rstrip(". ")
    return folded not in {".git", ".gitmodules"} and not _SHORT_GIT.fullmatch(folded)


def same_on_a_case_blind_disk(name: bytes) -> str:
    """Give the form under which names collide on file systems that ignore case or normalise Unicode."""
    text = name.decode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def quoted(path: bytes, prefix: str = "") -> str:
    """Give ``prefix`` and ``path`` as git shows them (``core.quotePath``): in quotes and escaped where need be."""
    shown = "".join(_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in path)
    return f"{prefix}{shown}" if shown.encode() == path else f'"{prefix}{shown}"'
