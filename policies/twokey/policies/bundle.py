"""Loads the policy bundle: Rego modules and one data document, as bytes that are read once and never again.

Rules:
- a bundle folder holds ``.manifest`` (roots ``twokey`` and ``twokey_data``), ``data.json`` and ``*.rego`` files in
  folders, perhaps ``.signatures.json``, and nothing else; ``*_test.rego`` is left out; a symbolic link or a special
  file anywhere is refused;
- sizes are bounded; modules are vetted (``twokey.policies.vetting``), data is checked (``twokey.policies.facts``);
- engines get these bytes and not the folder, so the digests recorded with a decision are of what took it.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Final

from twokey.core import canonical
from twokey.core.errors import BadInput
from twokey.policies import facts, strict_json, vetting

ROOTS: Final = ["twokey", facts.ROOT]
MAX_FILES: Final = 200
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 8
SIGNATURES: Final = ".signatures.json"
_PLAIN: Final = frozenset({".manifest", "data.json", SIGNATURES})
ENTRY_POINT: Final = "data.twokey.decision"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}(\.rego)?")


class InvalidBundle(BadInput):
    """The folder is no policy bundle that Twokey uses."""

    default_code = "policy_bundle"


@dataclass(frozen=True, slots=True)
class BundleRevisions:
    """SHA-256 digests, 64 hexadecimal digits each."""

    policy: str
    """Over the canonical JSON of the sorted list of [name, SHA-256 of the bytes] of each module that is no test."""
    data: str
    """Over the canonical JSON of the data document."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The rules and the data. ``modules`` are pairs of a name such as ``twokey/decision.rego`` and its text."""

    modules: tuple[tuple[str, str], ...]
    data: bytes
    """Canonical JSON."""
    revisions: BundleRevisions

    @property
    def revision(self) -> str:
        """What an OPA server reports as the revision of this bundle (``revision`` in ``.manifest``)."""
        return f"twokey-{self.revisions.policy}-{self.revisions.data}"

    def document(self) -> dict[str, Any]:
        """Give a fresh copy of the data document."""
        value: dict[str, Any] = json.loads(self.data)
        return value

    def with_data(self, document: Mapping[str, Any]) -> "Bundle":
        """Give the same rules over another data document.

        Raises:
            InvalidPolicyData: the document cannot be used.

        """
        data = canonical.encode(facts.complete(document))
        return replace(self, data=data, revisions=replace(self.revisions, data=hashlib.sha256(data).hexdigest()))

    def write(self, folder: Path) -> None:
        """Write the bundle, in the form OPA loads and ``opa build`` packs, into the empty or new ``folder``."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = {"revision": self.revision, "roots": ROOTS, "rego_version": 1}
        files = [(".manifest", canonical.encode(manifest)), ("data.json", self.data)]
        files += [(name, text.encode()) for name, text in self.modules]
        for name, content in files:
            (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(folder / name, "xb", opener=_private) as file:
                file.write(content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def load(folder: Path | None = None) -> Bundle:
    """Load a bundle folder, or the one that comes with Twokey.

    Raises:
        InvalidBundle: the folder is missing, too large or holds something that is no part of a bundle.
        UnsafeRego: a module uses more of Rego than a decision may.
        InvalidPolicyData: the data cannot be used.

    """
    if folder is None:
        with resources.as_file(resources.files("twokey.policies") / "bundle") as packaged:
            return _load(packaged)
    return _load(folder)


def _load(folder: Path) -> Bundle:
    found = {name: content for name, content in files_of(folder).items() if not name.endswith("_test.rego")}
    found.pop(SIGNATURES, None)
    _check_manifest(found.pop(".manifest", b""))
    data = found.pop("data.json", b"")
    modules = tuple(sorted((name, _text(name, content)) for name, content in found.items()))
    if not modules:
        raise InvalidBundle("The policy bundle holds no Rego module.", next="Check which folder the settings name.")
    vetting.vet(modules)
    listing = [[name, hashlib.sha256(text.encode()).hexdigest()] for name, text in modules]
    policy = canonical.digest({"type": "twokey/policy/v1", "modules": listing})
    bare = Bundle(modules=modules, data=b"{}", revisions=BundleRevisions(policy=policy, data="0" * 64))
    return bare.with_data(_parse("data.json", data))


def _check_manifest(text: bytes) -> None:
    manifest = _parse(".manifest", text)
    if manifest.get("roots") not in (ROOTS, ROOTS[::-1]) or manifest.get("rego_version") != 1:
        raise InvalidBundle(
            "The manifest of the policy bundle has to say rego_version 1 and the roots twokey and twokey_data.",
            next="Compare it with the bundle that comes with Twokey.",
        )


def _parse(name: str, text: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(text)
    except ValueError as error:
        raise InvalidBundle(
            f"{name} of the policy bundle is missing or cannot be read: {error}.", next=f"Correct {name}."
        ) from error
    if not isinstance(value, dict):
        raise InvalidBundle(f"{name} of the policy bundle holds no JSON object.", next=f"Correct {name}.")
    return value


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidBundle(f"The policy module {name} is not UTF-8.", next="Save it as UTF-8.") from error


def files_of(folder: Path) -> dict[str, bytes]:
    """Read every file of a bundle folder, tests and signatures included; raises ``InvalidBundle``."""
    return dict(_files(folder))


Stamp = tuple[tuple[str, int, int, int, int], ...]
"""Of each file in the order of their paths: path, inode, size, and when content and inode were last changed (ns)."""


def stamp(folder: Path) -> Stamp:
    """Give what tells, without reading its files, that a bundle folder is another one than before.

    Empty where it holds what has no place in a bundle, or cannot be read: ``load`` says what is wrong.
    """
    try:
        walked = zip(_walk(folder, 0), range(MAX_FILES + 1), strict=False)
        return tuple(_stamped(entry.path, partial(entry.stat, follow_symlinks=False)) for entry, _ in walked)
    except InvalidBundle:
        return ()


def stamp_of(path: Path) -> tuple[str, int, int, int, int]:
    """Give the stamp of one file; zeros where there is none."""
    return _stamped(str(path), path.lstat)


def _stamped(path: str, look: Callable[[], os.stat_result]) -> tuple[str, int, int, int, int]:
    try:
        found = look()
    except OSError:
        return path, 0, 0, 0, 0
    return path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_part(name: str) -> bool:
    """Tell whether a file of that name, relative to the folder, is part of a bundle."""
    return name in _PLAIN or name.endswith(".rego")


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for count, entry in enumerate(_walk(folder, 0)):
        if count >= MAX_FILES:
            raise InvalidBundle(f"The policy bundle holds more than {MAX_FILES} files.", next="Name another folder.")
        path = Path(entry.path)
        name = path.relative_to(folder).as_posix()
        if not is_part(name):
            raise _refused(path, "has no place in a policy bundle")
        yield name, _read(path)


def _walk(folder: str | Path, depth: int) -> Iterator[os.DirEntry[str]]:
    """Every file, in the order of the paths. Nothing is followed that is a link."""
    # No path is made of an entry here: each decision looks at all files, and making paths costs more than looking.
    if depth > MAX_DEPTH:
        raise _refused(Path(folder), "lies too deep")
    try:
        with os.scandir(str(folder)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidBundle(
            "The folder of the policy bundle cannot be read.", next="Check which folder the settings name."
        ) from error
    for entry in entries:
        if entry.name not in _PLAIN and not _NAME.fullmatch(entry.name):
            raise _refused(Path(entry.path), "has no place in a policy bundle")
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, depth + 1)
        else:
            yield entry


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, "is a link or cannot be read") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _refused(path, "is no regular file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise _refused(path, f"is larger than {MAX_FILE_BYTES} bytes")
    return content


def _refused(path: Path, why: str) -> InvalidBundle:
    shown = re.sub(r"[^A-Za-z0-9._-]", "?", path.name)[:60]
    return InvalidBundle(f"{shown} {why}.", next="Remove it from the bundle folder, or name another folder.")
