"""The document model: blocks of spans, where every span says whose words it holds.

Rules: there are four kinds of spans. ``Words`` are ours and stand in the source code; ``Name`` is one token of a narrow
alphabet (ids, digests, codes, names of people); ``Link`` leads to an address of ours; ``Foreign`` is everything else.
What could be ours and is not provably so is ``Foreign``. Titles and labels hold no foreign text at all. A span never
holds a line break; ``Passage`` is the one block with lines from outside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, LiteralString, TypeAlias, cast

Style: TypeAlias = Literal["plain", "strong", "code"]

_OURS: Final = re.compile(r"([A-Za-z0-9 ,.;:!?'\"()+%/=·…→-]|@ )*")
_COMMAND: Final = re.compile(r"[A-Za-z0-9 ,.;:!?'\"()+%/=<>|\[\]_-]*")
_NAME: Final = re.compile(r"[A-Za-z0-9_./:+-]{1,120}")
_ADDRESS: Final = re.compile(
    r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
    r"|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
)
LONGEST_ADDRESS: Final = 2000


@dataclass(frozen=True, slots=True)
class Words:
    """Our own words. Style ``code`` is for commands that a person can type.

    Raises:
        ValueError: a character that could be markup, a mention or a reference somewhere.

    """

    text: LiteralString
    style: Style = "plain"

    def __post_init__(self) -> None:
        if not (_COMMAND if self.style == "code" else _OURS).fullmatch(self.text) or "://" in self.text:
            raise ValueError("our words hold letters, digits and plain punctuation")


@dataclass(frozen=True, slots=True)
class Name:
    """One token: an id, a digest, a code, a version, a moment, the name of a principal.

    Raises:
        ValueError: it is more than a token.

    """

    text: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.text) or "//" in self.text:
            raise ValueError("a name is one token of letters, digits and _./:+-")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page of ours or of the forge; the text is ours.

    Raises:
        ValueError: the address is not plain https (or http on this machine).

    """

    text: Words
    address: str

    def __post_init__(self) -> None:
        if len(self.address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(self.address):
            raise ValueError("a link leads to a plain https address")


@dataclass(frozen=True, slots=True)
class Foreign:
    """One line of text from outside, of which at most ``limit`` characters are shown."""

    text: str
    limit: int = 200


Span: TypeAlias = Words | Name | Link | Foreign
Own: TypeAlias = Words | Name
Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part."""

    words: Words


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line that stands for itself."""

    line: Line


@dataclass(frozen=True, slots=True)
class Field:
    """A label and what belongs under it."""

    label: LiteralString
    lines: tuple[Line, ...]
    alarm: bool = False
    """A person must not miss it."""
    spare: bool = False
    """May be cut first where room is scarce."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines from outside under a label of ours; a diff, or prose.

    ``hidden`` lines are not in ``text``; ``where`` says where they can be seen.
    """

    label: LiteralString
    text: str
    kind: Literal["prose", "diff"] = "prose"
    hidden: int = 0
    where: Line = ()
    spare: bool = True


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Small print."""

    line: Line


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is asked once more before a button acts: title, sentences, the two answers."""

    title: Words
    lines: tuple[tuple[Own, ...], ...]
    yes: Words
    no: Words


@dataclass(frozen=True, slots=True)
class Button:
    """Something a person can press. ``value`` is opaque: it names, and never decides, what the press is about."""

    action: LiteralString
    words: Words
    value: str
    tone: Literal["plain", "primary", "danger"] = "plain"
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """Buttons side by side."""

    name: str
    """Unique in the document."""
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A question that is answered in the person's own words."""

    name: LiteralString
    label: Words
    hint: Words | None = None
    longest: int = 1000
    """Characters, at most 3,000."""
    required: bool = False


Block: TypeAlias = Heading | Paragraph | Field | Passage | Items | Context | Actions | Input


@dataclass(frozen=True, slots=True)
class Document:
    """What one message, page, dialog or screen says. ``lead`` is its first line and, with the title, its summary."""

    title: Words
    blocks: tuple[Block, ...]
    subject: Name | None = None
    """What it is about: the id of a proposal or run."""
    lead: Line = ()


def line(*parts: LiteralString | Span) -> Line:
    """Put spans beside each other; plain strings are our words."""
    return tuple(Words(part) if isinstance(part, str) else part for part in parts)


def strong(text: LiteralString) -> Words:
    """Our words, with weight."""
    return Words(text, "strong")


def command(*parts: LiteralString | Name) -> Words:
    """Give a command that a person can type."""
    return Words(cast("LiteralString", "".join(part if isinstance(part, str) else part.text for part in parts)), "code")


def number(value: int) -> Words:
    """A number, with thousands separated."""
    return Words(cast("LiteralString", f"{value:,}"))


def counted(value: int, one: LiteralString, many: LiteralString) -> Words:
    """``1 file``, ``2 files``."""
    return Words(cast("LiteralString", f"{value:,} {one if value == 1 else many}"))


def named(text: str, limit: int = 200) -> Name | Foreign:
    """Give what is a name in the workspace; where it is more than one token, it is text like any other."""
    try:
        return Name(text)
    except ValueError:
        return Foreign(text, limit)


def listed(parts: Sequence[Span], between: LiteralString = ", ") -> Line:
    """Give spans with our words between them."""
    found: list[Span] = []
    for part in parts:
        found += [Words(between), part] if found else [part]
    return tuple(found)
