"""Cards that are shown together and answered with one gesture.

Rules: only cards that wait, that policy puts into one kind of batch, that go to one place, and that whoever looks may
answer are shown together, never more than policy says; what was shown is in the log before anybody can answer it. An
answer in a batch counts only where the log proves that this batch was shown to who answers (or before everybody), holds
exactly this proposal under exactly this decision, and is no longer than policy allows now. Everything else that an
answer has to satisfy it has to satisfy by itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from twokey.core.batches import FEWEST, Batch, BatchItem
from twokey.core.errors import BadInput, CheckFailed, NotFound, Refused
from twokey.core.events import BatchShown, CardShown
from twokey.core.lifecycle import State
from twokey.core.ports import Directory
from twokey.core.values import MOST_TOGETHER, Channel, Principal, Statement, Together
from twokey.store import proposals
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import barred, counting_groups
from twokey.tools.ledger import Ledger

NOT_SHOWN: Final = "batch_not_shown"
NOT_ALLOWED: Final = "batch_not_allowed"
LOOKED_AT: Final = 1000
"""How many waiting proposals are looked at for batches."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A batch that was put before somebody, as the log has it."""

    batch: Batch
    digest: str
    entry: str
    """The log's entry that says so; empty where it was not shown yet."""


class Batches:
    """Puts batches together, and tells whether an answer was given in one."""

    def __init__(self, ledger: Ledger, directory: Directory, *, workspace: str) -> None:
        self._ledger = ledger
        self._directory = directory
        self._workspace = workspace

    def offered(
        self, viewer: str | None, among: Sequence[ProposalRecord] | None = None
    ) -> list[tuple[ProposalRecord, ...]]:
        """Give the batches that somebody can be shown now, oldest proposals first; with no viewer, for a whole place.

        Each is as long as policy allows; a single proposal that is left over is in none. ``among`` are proposals that
        the caller has read already, newest first; without them all that wait are looked at.
        """
        waiting = self._waiting() if among is None else among
        may = [record for record in reversed(waiting) if _together(record) and self._bar(record, viewer) is None]
        found: list[tuple[ProposalRecord, ...]] = []
        for _, alike in groupby(sorted(may, key=_alike), key=_alike):
            records = tuple(alike)
            most = _most(records)
            parts = (records[at : at + most] for at in range(0, len(records), most))
            found += [part for part in parts if len(part) >= FEWEST]
        return found

    def _waiting(self) -> list[ProposalRecord]:
        with self._ledger.look() as connection:
            return proposals.list_proposals(connection, states=(State.AWAITING_APPROVAL,), limit=LOOKED_AT)

    def show(self, records: Sequence[ProposalRecord], *, viewer: str | None, channel: Channel) -> Shown:
        """Put a batch together and record that it is shown; see ``compose`` and ``record``."""
        return self.record(self.compose(records, viewer=viewer), channel=channel)

    def compose(self, records: Sequence[ProposalRecord], *, viewer: str | None) -> Batch:
        """Put a batch together.

        Raises:
            BadInput: too few are named, or one twice.
            Refused: they cannot be answered together by who looks; ``code`` says why.

        """
        _distinct(records)
        kinds = {_alike(record) for record in records}
        if len(kinds) != 1 or not all(_together(record) for record in records):
            raise _refused("policy does not put them into one batch", "mixed_batch")
        if len(records) > _most(records):
            raise _refused(f"policy lets {_most(records)} be answered together at most", "batch_too_long")
        for record in records:
            bar = self._bar(record, viewer)
            if bar is not None:
                raise _refused(f"{record.id} is not theirs to answer", bar)
        return Batch(
            workspace=self._workspace,
            kind=_kind(records[0]),
            viewer=viewer,
            items=tuple(_item(record) for record in records),
        )

    def record(self, batch: Batch, *, channel: Channel) -> Shown:
        """Record that a batch is shown, whole, with each of its cards; only then it can be answered."""
        digest = batch.digest()
        event = BatchShown(proposal=batch.items[0].proposal, digest=digest, batch=batch, channel=channel)
        entries = self._ledger.record(event, *_cards(batch, channel))
        return Shown(batch, digest, entries[0])

    def find(self, digest: str, among: Iterable[str]) -> Shown:
        """Give a batch that was shown, by its digest and the ids of the proposals that it is said to hold.

        Raises:
            BadInput: that digest was never shown, or the list that was shown is another one.

        """
        wanted = tuple(among)
        for proposal in wanted:
            shown = self._shown_under(proposal, digest)
            if shown is not None:
                if {item.proposal for item in shown.batch.items} != set(wanted):
                    break
                return shown
        raise BadInput(
            "No batch with this digest and exactly these proposals was shown.",
            next="Look again with `twokey approvals batch`, and answer what it shows.",
            code=NOT_SHOWN,
        )

    def fault(self, statement: Statement, record: ProposalRecord, entry: str | None) -> str | None:
        """Tell what is wrong with an answer that says it was given in a batch; none where it was.

        ``entry`` says where in the log to look, and is no authority. Saying no needs no leave of policy.
        """
        batch = self._proven(entry, statement)
        if batch is None:
            return NOT_SHOWN
        item = batch.item(record.id)
        if item is None or (item.digest, item.decision) != (statement.proposal_digest, statement.decision_digest):
            return NOT_SHOWN
        allowed = _together(record)
        if statement.action == "approve" and not (
            allowed is not None and allowed.kind == batch.kind and len(batch.items) <= allowed.most
        ):
            return NOT_ALLOWED
        return None

    def _proven(self, entry: str | None, statement: Statement) -> Batch | None:
        """Give the batch that an answer names, where the log proves that it was shown to who answers."""
        if entry is None:
            return None
        try:
            event = self._ledger.proven(entry).event
        except (CheckFailed, NotFound):
            return None
        if not isinstance(event, BatchShown) or event.batch.digest() != statement.batch:
            return None
        theirs = event.batch.viewer in {None, statement.principal} and event.batch.workspace == statement.workspace
        return event.batch if theirs else None

    def _shown_under(self, proposal: str, digest: str) -> Shown | None:
        for recorded in reversed(self._ledger.log.find(proposal, "batch.shown")):
            event = recorded.entry.event
            if isinstance(event, BatchShown) and event.digest == digest == event.batch.digest():
                return Shown(event.batch, digest, recorded.entry.id)
        return None

    def _bar(self, record: ProposalRecord, viewer: str | None) -> str | None:
        """Tell why somebody may not answer a card; none where they may, and where nobody in particular looks."""
        needed = record.decision.approvals
        if record.state is not State.AWAITING_APPROVAL or needed is None:
            return f"is_{record.state.value}"
        if viewer is None:
            return None
        if barred(record.proposal, needed, viewer):
            return "own_proposal"
        principal = self._directory.principal(viewer) or Principal(name=viewer)
        return None if counting_groups(needed, principal) else "not_an_approver"


def _together(record: ProposalRecord) -> Together | None:
    needed = record.decision.approvals
    return None if needed is None else needed.batch


def _kind(record: ProposalRecord) -> str:
    allowed = _together(record)
    return allowed.kind if allowed else ""


def _most(records: Iterable[ProposalRecord]) -> int:
    """Give how many may be together where each of them says how many: the least of that."""
    return min((allowed.most for record in records if (allowed := _together(record))), default=MOST_TOGETHER)


def _alike(record: ProposalRecord) -> tuple[str, str, str, str]:
    """Give what cards have in common that are answered together: the kind of batch, the tool, and the place."""
    resource = record.proposal.resource
    return (_kind(record), record.proposal.tool, resource.kind, resource.id)


def _item(record: ProposalRecord) -> BatchItem:
    return BatchItem(proposal=record.id, digest=record.digest, decision=record.decision_digest)


def _cards(batch: Batch, channel: Channel) -> Iterator[CardShown]:
    for item in batch.items:
        yield CardShown(
            proposal=item.proposal,
            digest=item.digest,
            decision_digest=item.decision,
            channel=channel,
            viewer=batch.viewer,
        )


def _distinct(records: Sequence[ProposalRecord]) -> None:
    if len(records) < FEWEST or len({record.id for record in records}) != len(records):
        raise BadInput(
            "A batch holds at least two different proposals.",
            next="See which there are with `twokey approvals batch`.",
            code="no_batch",
        )


def _refused(why: str, code: str) -> Refused:
    return Refused(
        f"These cannot be answered together: {why}.",
        next="See what can with `twokey approvals batch`; answer the others one by one.",
        code=code,
    )
