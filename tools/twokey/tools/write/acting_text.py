"""What a text does where it is shown, besides saying something: told from its characters before anybody is asked.

Rules: the places that show a text (GitHub, GitLab, chat, a console) differ, and what acts in any of them counts: a name
behind an ``@`` is called, also within what looks like code; an address is one with or without a scheme, in letters of
any alphabet, and written so that an editor takes the backslash off; a line that begins with ``/word`` orders a bot to
do something; what cannot be seen is told, whatever it is called in Unicode. A mark too many asks for one word to be
written differently; a mark too few sends what nobody approved.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_PLAIN: Final = re.compile(r"(?!.*www\.)[A-Za-z0-9 _.,;'%+\u201c-]*", re.IGNORECASE)
"""What none of the signs below can be in."""
_WORD: Final = re.compile(r"\w+")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
"""A backslash that Markdown takes away (CommonMark 0.31, 2.4)."""
_MENTION: Final = re.compile(r"(?<![A-Za-z0-9])@[^\W_]")
"""As GitHub looks for them in what Markdown made: anything but an ASCII letter or digit may stand before one."""
_SCHEME: Final = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://|www\.|\]\(|\]:|mailto:"
    r"|\b(?:javascript|vbscript|tel|sms):(?=\S)|\bdata:[\w.+-]{0,60}[/;,]",
    re.IGNORECASE,
)
_HOST: Final = re.compile(
    r"(?<![\w./@-])(?:(?:[^\W_](?:[\w-]{0,62})?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{1,58})(?::\d{1,5})?"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?|\[[0-9a-f:.]{2,45}\](?::\d{1,5})?|localhost(?::\d{1,5})?)/",
    re.IGNORECASE,
)
"""A host with a path after it, as people type an address; some places make a link of it."""
_RELATIVE: Final = re.compile(r"(?:^|[\s(\[\"'<=])//[\w-]+\.[\w.-]+")
"""An address that leaves the scheme to whoever shows it."""
_ELSEWHERE: Final = re.compile(r"(?<![\w/.-])[\w-][\w.-]{0,38}/[\w.-]{1,100}(?:#\d|@[0-9a-f]{7,40}\b)")
"""A ticket or a commit of another repository: it gets a note there."""
_MARKUP: Final = re.compile(r"<[A-Za-z/!?]|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ORDER: Final = re.compile(r"^[ \t]{0,8}/[a-z][a-z_-]{1,40}(?![\w/.-])", re.MULTILINE | re.IGNORECASE)
_DOTS: Final = str.maketrans({"\u3002": ".", "\uff61": ".", "\u2024": "."})
"""What browsers read as the dot of a host name (UTS 46), and a leader that looks like it."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs without a shape of their own (Default_Ignorable_Code_Point, and the empty Braille cell)."""
_SELECTORS: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Variation selectors: they choose a shape for what stands before them, and a row of them can carry anything."""
_SHOWN_BY: Final = frozenset({0xFE0E, 0xFE0F})
"""Those that choose between text and picture."""


def deeds(text: str) -> Iterator[str]:
    """Give the codes of what a text does, each once."""
    if _PLAIN.fullmatch(text):
        return  # names and numbers, of which there are many
    read = _as_shown(text)
    if _MENTION.search(read):
        yield "mentions_people"
    if any(found.search(read) for found in (_SCHEME, _HOST, _RELATIVE, _ELSEWHERE)):
        yield "links_elsewhere"
    if _MARKUP.search(text) or _MARKUP.search(read):
        yield "holds_markup"
    if _ORDER.search(read):
        yield "commands_bots"
    if hides(text):
        yield "hides_characters"


def acts_quoted(text: str) -> bool:
    """Tell whether a text does something where it stands behind a quotation mark."""
    return any(deeds(f"“{text}"))


def disarmed(text: str) -> str:
    """Give a text that is to be quoted: as it is where nothing of it acts there, else its words alone."""
    return " ".join(_WORD.findall(text)) if acts_quoted(text) else text


def hides(text: str) -> bool:
    """Tell whether a text holds something that a reader cannot see. Tabs and line feeds can be seen."""
    found = {char for char in set(text) if _hidden(char, "")}
    if not found or any(ord(char) not in _SHOWN_BY for char in found):
        return bool(found)
    return any(char in found and _hidden(char, text[at - 1] if at else "") for at, char in enumerate(text))


def _hidden(char: str, before: str) -> bool:
    if char in "\t\n":
        return False
    point = ord(char)
    if any(first <= point <= last for first, last in _SELECTORS):
        return point not in _SHOWN_BY or not _is_a_picture(before)
    return unicodedata.category(char) in _UNSEEN or char in _BLANK


def _is_a_picture(char: str) -> bool:
    """Tell whether what stands before a selector can be shown as a picture: a symbol, or the base of a keycap."""
    return bool(char) and (unicodedata.category(char) in {"So", "Sm", "Po"} or char in "#*0123456789")


def _as_shown(text: str) -> str:
    """Give a text as a place that shows it reads it: forms made one, backslashes taken off, hidden characters gone."""
    plain = unicodedata.normalize("NFKC", text).translate(_DOTS)
    if not plain.isascii():
        plain = "".join(char for at, char in enumerate(plain) if not _hidden(char, plain[at - 1] if at else ""))
    return _ESCAPED.sub(r"\1", plain)
