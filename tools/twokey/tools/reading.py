"""What one person may read of a workspace, at one moment: the rules of the policy's data over rows of the store.

Rules:
- what may not be read is answered like what is not there, and left out of every list;
- a run is read by whom the rules admit to it, and by whoever asked for, had a part in or is asked to answer something
  that it proposed; it is private where all that it proposed is, or where it is about something private;
- of a run with some private parts the rest is read, and these parts are left out (``twokey.tools.withholding``);
- evidence is read with its run, or with a proposal that cites it by whoever is a party to that;
- an entry of the log about something that may not be read stays in its place and is told without its words;
- a list looks at a bounded number of rows beyond those that it shows, and the place where it goes on is that of a row
  that it shows, so that nothing is learned of those between.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from twokey.core.events import BatchShown, Event
from twokey.core.values import ID_ALPHABET, Principal, Resource
from twokey.policies.reading import ReadingRules, Thing
from twokey.store import proposals, readable, runs
from twokey.store.listing import Position, ProposalLine
from twokey.store.proposals import ProposalRecord
from twokey.store.readable import ProposalFacts
from twokey.store.runs import RunRecord
from twokey.tools.ledger import Ledger
from twokey.tools.write.ticket_change import WEAKNESS_FOUND

LOOKS: Final = 8
"""How many times a list looks on for rows that may be read, each time at as many as it shows."""
_PROPOSAL: Final = re.compile(rf"p-[{ID_ALPHABET}]{{12}}")
OF_EVERYBODY: Final = frozenset(
    {"workspace.created", "freeze.changed", "controls.probed", "policy.enforced", "policy.shadow_begun"}
)
"""Entries about the workspace as a whole, which even who reads only their own may read."""
_Row = TypeVar("_Row")


class Reader:
    """One principal, as the directory has them now, under the rules that hold now."""

    def __init__(self, ledger: Ledger, rules: ReadingRules, principal: Principal) -> None:
        self.ledger = ledger
        self.principal = principal
        self.rules = rules
        self.reads_everything: Final = rules.reads_everything(principal)
        self.only: Final = None if principal.groups else principal.name
        """The only person whose requests can be read, where that is the case: who is in no group reads their own."""
        self._opens_all: Final = rules.opens_all(principal)
        self._codes: Final = frozenset({*rules.private_labels, WEAKNESS_FOUND})

    def is_as(self, other: "Reader") -> bool:
        """Tell whether another one may read the same."""
        return self.rules is other.rules and self.principal == other.principal

    @property
    def reads_figures(self) -> bool:
        """Whether figures over the whole workspace may be read, which name nothing."""
        return self.only is None

    # -- proposals --------------------------------------------------------------------------------------------

    def reads(self, record: ProposalRecord) -> bool:
        """Tell whether a proposal may be read."""
        return self.rules.reads(self.principal, thing_of_record(record))

    def is_party(self, record: ProposalRecord) -> bool:
        """Tell whether a proposal is one's own, or asks for an answer of one's group."""
        return self.reads_everything or self.rules.is_party(self.principal, thing_of_record(record))

    def find(self, text: str) -> ProposalRecord:
        """Read a proposal by id or by a beginning of it; raises ``NotFound`` where there is none that may be read."""
        with self.ledger.look() as connection:
            record = proposals.get_proposal(connection, self.resolve(connection, text))
        if not self.reads(record):
            raise proposals.unknown_proposal()
        return record

    def resolve(self, connection: Connection, text: str) -> str:
        """Give the whole id for a beginning of one, among proposals that may be read; raises ``NotFound``."""
        return proposals.resolve_proposal(connection, text, lambda found: self.among(connection, found))

    def among(self, connection: Connection, wanted: Sequence[str]) -> Collection[str]:
        """Give those of these proposals, by their whole ids, that are there and may be read."""
        there: set[str] = set()
        doubtful = wanted
        if self._opens_all:  # then the database can tell which of them need no look at all
            said = readable.saying(connection, wanted, self._codes)
            there = {name for name, says in said.items() if not says}
            doubtful = [name for name, says in said.items() if says]
        facts = readable.proposal_facts(connection, doubtful)
        return there | {name for name, each in facts.items() if self._reads(each)}

    def lines(self, connection: Connection, found: Sequence[ProposalLine]) -> list[ProposalLine]:
        """Give those lines of a list of proposals that may be read."""
        if self.reads_everything:
            return list(found)
        mine = self.among(connection, [line.id for line in found if line.requester != self.principal.name])
        return [line for line in found if line.requester == self.principal.name or line.id in mine]

    def _reads(self, facts: ProposalFacts) -> bool:
        return self.rules.reads(self.principal, thing_of(facts))

    # -- runs -------------------------------------------------------------------------------------------------

    def run(self, run: str) -> RunRecord:
        """Read a run; raises ``NotFound`` where there is none that may be read."""
        with self.ledger.look() as connection:
            record = runs.get_run(connection, run)
            if not self.reads_runs(connection, [record]):
                raise runs.unknown_run()
        return record

    def reads_run(self, connection: Connection, run: str) -> bool:
        """Tell whether there is such a run and it may be read."""
        return run in self.reads_runs(connection, list(readable.runs_of(connection, [run]).values()))

    def reads_runs(self, connection: Connection, found: Sequence[RunRecord]) -> set[str]:
        """Give the ids of those runs that may be read."""
        if self.reads_everything:
            return {run.id for run in found}
        mine = {run.id for run in found if run.requester == self.principal.name}
        others = [run for run in found if run.id not in mine]
        named = [run.id for run in others]
        private = readable.all_saying(connection, named, self._codes)
        private |= self._about_private(connection, others)
        plans = self._plans(connection, others)
        for run in others:
            thing = Thing(
                people=frozenset({run.requester}),
                agents=_agents(plans.get(run.id)),
                resources=_touched(run, plans.get(run.id)),
                marked=run.id in private,
            )
            if self.rules.reads(self.principal, thing):
                mine.add(run.id)
        left = [name for name in named if name not in mine] if self.only is None else []
        made = readable.facts_of_runs(connection, left)
        return mine | {facts.run for facts in made if self.rules.is_party(self.principal, thing_of(facts))}

    def _about_private(self, connection: Connection, found: Sequence[RunRecord]) -> set[str]:
        """Give the runs whose request names a private proposal."""
        named = {run.id: str(run.request.args.get("proposal")) for run in found if "proposal" in run.request.args}
        wanted = sorted({name for name in named.values() if _PROPOSAL.fullmatch(name)})
        private = {
            name
            for name, facts in readable.proposal_facts(connection, wanted).items()
            if self.rules.is_private(thing_of(facts))
        }
        return {run for run, name in named.items() if name in private}

    def _plans(self, connection: Connection, found: Sequence[RunRecord]) -> Mapping[str, Any]:
        """Give the plans of runs, where anything hangs on what they touch."""
        if not self.rules.looks_at_plans:
            return {}
        return runs.documents_of(connection, [run.id for run in found], name="plan")

    # -- lists ------------------------------------------------------------------------------------------------

    def page(
        self,
        fetch: Callable[[Position | None], Sequence[_Row]],
        position: Callable[[_Row], Position],
        readable_of: Callable[[Sequence[_Row]], Sequence[_Row]],
        *,
        behind: Position | None = None,
        limit: int,
    ) -> list[_Row]:
        """Give a page of a list: so many rows that may be read, if there are so many within a bounded look.

        ``fetch`` gives the ``limit`` rows behind a position, ``readable_of`` those of them that may be read.
        """
        shown: list[_Row] = []
        for _ in range(LOOKS):
            found = fetch(behind)
            shown += readable_of(found)
            if len(found) < limit or len(shown) >= limit:
                break
            behind = position(found[-1])
        return shown[:limit]

    # -- the log ----------------------------------------------------------------------------------------------

    def reads_events(self, events: Sequence[Event]) -> list[bool]:
        """Tell of each event whether what it is about may be read."""
        if self.reads_everything:
            return [True] * len(events)
        about = [_about(event) for event in events]
        seen = self.reads_named({name for names in about for name in names})
        return [
            names <= seen if names else self._reads_other(event) for event, names in zip(events, about, strict=True)
        ]

    def reads_named(self, wanted: Collection[str]) -> set[str]:
        """Give those of some runs and proposals, by their ids, that are there and may be read."""
        if self.reads_everything:
            return set(wanted)
        with self.ledger.look() as connection:
            made = self.among(connection, sorted(name for name in wanted if name.startswith("p-")))
            asked = readable.runs_of(connection, sorted(name for name in wanted if name.startswith("r-")))
            return {*made, *self.reads_runs(connection, list(asked.values()))}

    def _reads_other(self, event: Event) -> bool:
        """Tell whether an event that is about no run and no proposal may be read."""
        if self.only is None or event.kind in OF_EVERYBODY:
            return True
        return getattr(event, "principal", None) == self.only


def thing_of_record(record: ProposalRecord) -> Thing:
    """Give what the rules look at of a proposal."""
    needed, said = record.decision.approvals, record.proposal
    return Thing(
        people=frozenset({said.requester, *said.contributors}),
        asked=frozenset() if needed is None else frozenset(quorum.group for quorum in needed.all_of),
        agents=frozenset({said.agent}),
        tools=frozenset({said.tool}),
        labels=frozenset(said.labels),
        resources=(said.resource,),
        marked=any(finding.kind == WEAKNESS_FOUND for finding in said.findings),
    )


def thing_of(facts: ProposalFacts) -> Thing:
    """Give the same of a row in a list."""
    return Thing(
        people=facts.people,
        asked=facts.asked,
        agents=frozenset({facts.agent}),
        tools=frozenset({facts.tool}),
        labels=facts.labels,
        resources=(facts.resource,),
        marked=WEAKNESS_FOUND in facts.kinds,
    )


def _about(event: Event) -> frozenset[str]:
    """Give the proposals that an event is about; where there is none, its run."""
    if isinstance(event, BatchShown):
        return frozenset(item.proposal for item in event.batch.items)
    statement = getattr(getattr(event, "answer", None), "statement", event)
    named = getattr(statement, "proposal", None) or getattr(event, "run", None)
    return frozenset({named} if isinstance(named, str) else ())


def _agents(plan: Any) -> frozenset[str]:
    return frozenset(str(step["agent"]) for step in plan["steps"]) if plan else frozenset()


def _touched(run: RunRecord, plan: Any) -> tuple[Resource, ...]:
    """Give the places that a run's request or plan names; all that it was granted, where neither names one."""
    named = set(texts_in([run.request.args if run.request.intent != "ask" else {}, plan]))
    touched = tuple(place for place in run.places if place.id in named)
    return touched or run.places


def texts_in(value: Any) -> Iterable[str]:
    """Give every text in a value, not the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from texts_in(each)
