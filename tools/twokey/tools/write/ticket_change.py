"""What a change of a ticket consists of, worked out and told before anybody is asked.

Rules:
- names of labels and people are compared without regard to case, as GitHub does;
- what was reviewed is the ticket without what the change touches (``seen``): so a change that was cut off half-way
  still finds the ticket that was reviewed, and any other difference is noticed;
- a comment is shown to the last character. What it does besides saying something is told from the text itself
  (``acting_text``), and so is that it stands on a ticket that reads like a report of a weakness (``weakness_words``);
- a name that is put on and mixes alphabets in one word, or hides something, so that it looks like another name, is told
  as disguised;
- text of a ticket is outside text: it appears in a preview as one short line of visible characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from twokey.core import canonical
from twokey.core.values import Value
from twokey.tools.plain_text import check_line, check_text, is_shown
from twokey.tools.tickets import MarkerText, Ticket, TicketState
from twokey.tools.write import acting_text, weakness_words

MAX_TITLE: Final = 120
WEAKNESS: Final = "security_report"
"""Label of a change of a ticket that may report a weakness."""
WEAKNESS_FOUND: Final = "ticket_security"
"""Kind of the finding that says so of a ticket."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(check_line)]
Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,98}$")]
"""How somebody is called where tickets are kept."""
Comment = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(check_text)]
ClosedAs = Literal["", "completed", "not_planned"]

_LATIN_END: Final = 0x24F
_LATIN: Final = re.compile(r"[A-Za-z]")
_OTHER: Final = re.compile(rf"[^\x00-{chr(_LATIN_END)}]")
_SECURITY: Final = re.compile(r"\b(?:security|vulnerability)\b", re.IGNORECASE)
_READ: Final = 20_000
"""Characters of a ticket that are searched for signs of a report of a weakness."""


class Names(Value):
    """Names that are put on and taken off."""

    add: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
    remove: Annotated[tuple[Label, ...], Field(max_length=20)] = ()


class People(Value):
    """People who are assigned and taken off."""

    add: Annotated[tuple[Account, ...], Field(max_length=10)] = ()
    remove: Annotated[tuple[Account, ...], Field(max_length=10)] = ()


_Listed = TypeVar("_Listed", Names, People)
NO_NAMES: Final = Names()
NOBODY: Final = People()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one ticket. ``comment`` is all that it will say; ``strike`` names a comment of ours to strike."""

    labels: Names = NO_NAMES
    people: People = NOBODY
    state: TicketState | None = None
    reason: ClosedAs = ""
    comment: str = ""
    strike: MarkerText | None = None


def folded(names: Iterable[str]) -> set[str]:
    """Give names as they are compared."""
    return {name.casefold() for name in names}


def clashes(names: Names | People) -> bool:
    """Tell whether a name occurs twice, or is put on and taken off at once."""
    every = (*names.add, *names.remove)
    return len(folded(every)) < len(every)


def back(names: _Listed, now: Iterable[str]) -> _Listed:
    """Give what takes a change of names back where ``now`` stand there: what others changed meanwhile stays."""
    there = folded(now)
    add = tuple(name for name in names.remove if name.casefold() not in there)
    return type(names)(add=add, remove=tuple(name for name in names.add if name.casefold() in there))


def state_back(wanted: TicketState | None, now: TicketState) -> TicketState | None:
    """Give the state that takes a move to ``wanted`` back; None where the ticket is not there, or was not moved."""
    return None if wanted != now else "open" if now == "closed" else "closed"


class Glance(Protocol):
    """A ticket, or what was kept of one; ``text_digest`` is that of its whole text (``text_digest``)."""

    @property
    def number(self) -> int: ...
    @property
    def text_digest(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def assignees(self) -> tuple[str, ...]: ...
    @property
    def state(self) -> TicketState: ...


class Keyed(Protocol):
    """Something that people call by a key."""

    @property
    def key(self) -> str: ...


class Worded(Protocol):
    """A ticket's words and labels."""

    @property
    def title(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


def seen(ticket: Glance, change: Change) -> str:
    """Give the digest of what is reviewed of a ticket: all of it that ``change`` does not touch."""
    return canonical.digest(
        {
            "type": "twokey/ticket/v1",
            "number": ticket.number,
            "text": ticket.text_digest,
            "labels": sorted(folded(_kept(ticket.labels, change.labels))),
            "assignees": sorted(folded(_kept(ticket.assignees, change.people))),
            "state": "" if change.state else ticket.state,
        }
    )


def _kept(now: Sequence[str], names: Names | People) -> list[str]:
    touched = folded((*names.add, *names.remove))
    return [name for name in now if name.casefold() not in touched]


def done(ticket: Ticket, change: Change) -> list[bool]:
    """Tell of each part of a change but its comment whether the ticket has it already."""
    parts: list[bool] = []
    for now, names in ((ticket.labels, change.labels), (ticket.assignees, change.people)):
        there = folded(now)
        parts += [name.casefold() in there for name in names.add]
        parts += [name.casefold() not in there for name in names.remove]
    if change.state is not None:
        parts.append(ticket.state == change.state)
    return parts


def called(ticket: Keyed) -> str:
    """Give a ticket's key as people write it."""
    return f"#{ticket.key}" if ticket.key.isdecimal() else one_line(ticket.key, 60)


def one_line(text: str, most: int = MAX_TITLE) -> str:
    """Give outside text as one line of visible characters, cut where it is long."""
    visible = "".join(char if is_shown(char) and unicodedata.category(char) != "Cf" else " " for char in text[:4000])
    line = " ".join(visible.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def composed(comment: str, checklist: Sequence[str], duplicate: Keyed | None) -> str:
    """Give all that a comment will say."""
    parts = [comment.strip("\n")] if comment.strip() else []
    if checklist:
        parts.append("\n".join(f"- [ ] {item}" for item in checklist))
    if duplicate is not None:
        parts.append(f"Duplicate of {called(duplicate)}")
    return "\n\n".join(parts)


def reads_like_a_weakness(ticket: Worded) -> bool:
    """Tell whether a ticket reads like a report of a weakness, or is labelled as one: a second look beside triage's."""
    text = f"{ticket.title}\n{ticket.body[:_READ]}"
    return weakness_words.found(text) or any(_SECURITY.search(label) for label in ticket.labels)


def is_disguised(name: str) -> bool:
    """Tell whether a word of a name mixes Latin letters with letters that only look like them, or hides something.

    Letters of the Latin alphabets of Europe, with or without marks, are no disguise; those of phonetic and full-width
    writing are, and so are letters of another alphabet in the middle of a Latin word.
    """
    return (
        acting_text.hides(name)
        or any(_LATIN.search(word) and _OTHER.search(word) for word in re.findall(r"[^\W\d_]+", _bare(name)))
        or any(
            char.isalpha() and ord(char) > _LATIN_END and unicodedata.normalize("NFKC", char).isascii() for char in name
        )
    )


def _bare(name: str) -> str:
    """Give a name without the marks on its letters."""
    return "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))


def kinds(ticket: Worded, change: Change, *, duplicate: bool) -> tuple[str, ...]:
    """Give the sorted codes of what a change does, from the change and the ticket themselves."""
    return tuple(sorted({*_deeds(change, duplicate=duplicate), *_dangers(ticket, change)}))


def _deeds(change: Change, *, duplicate: bool) -> Iterator[str]:
    if change.labels.add or change.labels.remove:
        yield "labels_ticket"
    if change.people.add or change.people.remove:
        yield "assigns_ticket"
    if change.state is not None:
        yield "closes_ticket" if change.state == "closed" else "reopens_ticket"
    if duplicate:
        yield "marks_duplicate"
    if change.strike is not None:
        yield "strikes_comment"
    if change.comment:
        yield "comments_ticket"


def _dangers(ticket: Worded, change: Change) -> Iterator[str]:
    weakness = (
        reads_like_a_weakness(ticket)
        or any(_SECURITY.search(name) for name in change.labels.add)
        or weakness_words.found(change.comment)  # told on an innocent ticket, it is told all the same
    )
    if weakness:
        yield WEAKNESS
    if any(is_disguised(name) for name in (*change.labels.add, *change.people.add)):
        yield "disguises_name"
    if not change.comment:
        return
    if weakness:
        yield "comments_security_report"
    yield from acting_text.deeds(change.comment)


def preview(tracker: str, ticket: Ticket, change: Change, duplicate: Ticket | None, struck: str = "") -> str:
    """Give what a person reads. Lines of a comment are marked, so that none can pass for anything else."""
    lines = [f"ticket     {called(ticket)} in {tracker}: {one_line(ticket.title)}"]
    for word, now, names in (("labels", ticket.labels, change.labels), ("assignees", ticket.assignees, change.people)):
        if names.add or names.remove:
            kept = sorted(one_line(name, 60) for name in _kept(now, names))
            parts = [*(f"+ {name}" for name in names.add), *(f"- {name}" for name in names.remove)]
            lines.append(f"{word:<10} {', '.join(parts)}" + (f"   (stays: {', '.join(kept)})" if kept else ""))
    if change.state is not None:
        reason = f", {change.reason}" if change.reason and change.state == "closed" else ""
        lines.append(f"state      {change.state}{reason}")
    if duplicate is not None:
        lines.append(f"duplicate  of {called(duplicate)}: {one_line(duplicate.title)}")
    if change.comment:
        lines += ["comment", *(f"| {line}".rstrip() for line in change.comment.split("\n"))]
    if change.strike is not None:
        lines += ["strike", *(f"| {line}".rstrip() for line in struck.split("\n"))]
    return "".join(f"{line}\n" for line in lines)
