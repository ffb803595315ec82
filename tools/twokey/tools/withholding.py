"""Parts of a run that not everybody who reads the run may read: what it found and read about a private ticket.

Rules:
- a ticket is private where the run found that it may report a weakness, where a private proposal is about it, or where
  it reads like such a report;
- who may read private things reads all of it, and so does who asked for the run; who may read a proposal reads what it
  is about;
- what is left out leaves no trace: no gap, no count; evidence of which nothing is left is not there.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection

from twokey.core.canonical import Json
from twokey.core.values import Evidence, Finding, Report
from twokey.policies.reading import Thing
from twokey.store import evidence, readable, runs
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools.reading import Reader, texts_in, thing_of
from twokey.tools.write.ticket_change import WEAKNESS_FOUND, called, reads_like_a_weakness

TICKETS_TOOL: Final = "search_tickets"
SUMMARY: Final = "Tickets of the tracker."
"""What is said of evidence of which not all may be read."""


@dataclass(frozen=True, slots=True)
class _Ticket:
    key: str
    title: str
    body: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of a run one person may not read; ``subjects`` and ``kept`` are tickets as findings call them."""

    nothing: bool
    """Whether all of it may be read."""
    subjects: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()

    def findings(self, found: Iterable[Finding]) -> list[Finding]:
        """Give those findings that may be read."""
        return [each for each in found if each.subject not in self.subjects and self.words(each.claim)]

    def words(self, text: str) -> str:
        """Give a sentence; nothing where it names what may not be read."""
        return "" if any(_names(subject).search(text) for subject in self.subjects) else text

    def hides(self, ticket: Mapping[str, Any]) -> bool:
        """Tell whether a ticket, as evidence has it, may not be read."""
        if self.nothing:
            return False
        seen = _Ticket(
            key=str(ticket.get("key", "")),
            title=str(ticket.get("title", "")),
            body="\n".join(texts_in(ticket)),
            labels=tuple(str(label) for label in ticket.get("labels", ())),
        )
        name = called(seen)[:400]
        return name in self.subjects or (name not in self.kept and reads_like_a_weakness(seen))

    def without(self, content: Json) -> Json:
        """Give what of the content of evidence may be read; ``None`` where nothing is left."""
        return content if self.nothing else cast("Json", _pruned(content, self))


def _names(subject: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)#?{re.escape(subject.removeprefix('#'))}(?!\w)", re.IGNORECASE)


def _reads_private(reader: Reader, requester: str) -> bool:
    return reader.rules.reads(reader.principal, Thing(people=frozenset({requester}), marked=True))


def described(reader: Reader, requester: str, found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Give what stands beside evidence without its content; how many tickets it holds may not be for everybody."""
    if _reads_private(reader, requester):
        return tuple(found)
    return tuple(_uncounted(each) if each.tool == TICKETS_TOOL else each for each in found)


def _uncounted(value: Evidence) -> Evidence:
    return value.model_copy(update={"summary": SUMMARY})


def withheld(reader: Reader, connection: Connection, run: RunRecord) -> Withheld:
    """Give what of a run ``reader`` may not read."""
    if _reads_private(reader, run.requester):
        return Withheld(nothing=True)
    private = {
        finding.subject
        for body in runs.list_documents(connection, run=run.id, prefix="report-")
        for finding in Report.model_validate(body).findings
        if finding.kind == WEAKNESS_FOUND
    }
    kept: set[str] = set()
    for facts in readable.facts_of_runs(connection, [run.id]):
        thing = thing_of(facts)
        if reader.rules.is_private(thing):
            private |= facts.subjects
            if reader.rules.reads(reader.principal, thing):
                kept |= facts.subjects
    return Withheld(nothing=False, subjects=frozenset(private - kept), kept=frozenset(kept))


def read_evidence(
    reader: Reader, connection: Connection, wanted: str, cited_by: ProposalRecord | None = None
) -> tuple[Evidence, Json]:
    """Read a piece of evidence, as far as ``reader`` may; ``cited_by`` is a proposal that they may read.

    Raises:
        NotFound: there is none, or nothing of it may be read.
        CheckFailed: the row is not as it was stored.

    """
    value, content = evidence.get_evidence(connection, wanted)
    if reader.reads_everything:
        return value, content
    party = cited_by is not None and reader.is_party(cited_by)
    if not party and not reader.reads_run(connection, value.run):
        raise evidence.unknown_evidence()
    if value.tool != TICKETS_TOOL:
        return value, content
    left = withheld(reader, connection, runs.get_run(connection, value.run)).without(content)
    if left is None:
        raise evidence.unknown_evidence()
    return (value if left == content else _uncounted(value)), left


def _pruned(value: Any, left_out: Withheld) -> Any:
    """Give a value without tickets that may not be read; ``None`` where it is one, or holds one that is no list's."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if "key" in fields and ("title" in fields or "candidates" in fields) and _hidden(fields, left_out):
            return None
        made = {name: _pruned(each, left_out) for name, each in fields.items()}
        return None if any(made[name] is None and fields[name] is not None for name in made) else made
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        return [made for each in items if (made := _pruned(each, left_out)) is not None or each is None]
    return value


def _hidden(fields: Mapping[str, Any], left_out: Withheld) -> bool:
    """Tell whether something about one ticket may not be read; what repeats it is looked at by itself."""
    return left_out.hides({name: each for name, each in fields.items() if name != "candidates"})
