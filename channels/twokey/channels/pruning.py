"""Removes what ended runs leave behind: their checkpoints, their documents, and evidence that nothing cites.

Rules
- Nothing that the log needs is touched: entries, openings, runs, proposals, answers and executions stay, with all
  evidence that a proposal cites. So the log verifies as before, and an old card can still be shown.
- A run that has not ended, that somebody drives, or that has an open proposal loses nothing.
- It works in batches, each one transaction with its entry in the log. Cut off at any point it leaves no run half
  pruned but for its checkpoints, which an ended run never needs again; it may be repeated, and run beside anything.
- Inputs of decisions stay, too, unless they are asked to go: without them a policy cannot be tried on the past.
- Whoever does it is named in the log.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from twokey.core.events import RunsPruned
from twokey.core.ports import Clock
from twokey.core.values import Identity
from twokey.store import decisions as kept_decisions
from twokey.store import retention
from twokey.tools.ledger import Ledger

BATCH: Final = 50
"""Runs per transaction, so that others get their turn."""

DECISIONS_BATCH: Final = 500
"""Decisions per transaction."""

DAY_US: Final = 24 * 60 * 60 * 1_000_000


class States(Protocol):
    """Where the checkpoints of runs lie."""

    def count(self, run: str, /) -> int:
        """Count the checkpoints of a run, whether they can be read or not."""
        ...

    def forget(self, run: str, /) -> None:
        """Remove the checkpoints of a run with all that belongs to them."""
        ...


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much was removed, or would be."""

    runs: int = 0
    checkpoints: int = 0
    documents: int = 0
    evidence: int = 0
    decisions: int = 0

    def and_(self, other: "Pruned") -> "Pruned":
        """Add two of them up."""
        return Pruned(
            self.runs + other.runs,
            self.checkpoints + other.checkpoints,
            self.documents + other.documents,
            self.evidence + other.evidence,
            self.decisions + other.decisions,
        )


class Pruner:
    """Prunes one workspace."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        states: Callable[[], AbstractContextManager[States]],
        clock: Clock,
        batch: int = BATCH,
    ) -> None:
        self._ledger = ledger
        self._states = states
        self._clock = clock
        self._batch = batch

    def prune(self, identity: Identity, *, days: int, dry_run: bool = False, decisions: bool = False) -> Pruned:
        """Remove what runs that ended more than ``days`` days ago left behind; with ``dry_run`` only count it.

        With ``decisions`` also what decisions were taken on that long ago.

        Raises:
            CheckFailed: a row is not as it was stored. Batches before it are done, the one with it is not.
            LogUnavailable: the database or the log did not take it.

        """
        before = max(self._clock.now_us() - days * DAY_US, 0)
        done, after = Pruned(), ""
        while batch := self._removable(before, after):
            with self._states() as states:
                done = done.and_(
                    self._counted(batch, states) if dry_run else self._removed(identity, batch, states, before)
                )
            after = batch[-1]
        return done.and_(self._decisions(identity, before, dry_run=dry_run)) if decisions else done

    def _decisions(self, identity: Identity, before: int, *, dry_run: bool) -> Pruned:
        if dry_run:
            with self._ledger.look() as connection:
                return Pruned(decisions=kept_decisions.count_before(connection, before))
        gone, last = 0, -1
        while last:
            with self._ledger.change() as unit:
                last = kept_decisions.forget_before(unit.connection, before, limit=DECISIONS_BATCH)
                if last:
                    name = identity.principal.name
                    unit.record(RunsPruned(principal=name, runs=0, ended_before_us=before, decisions=last))
            gone += last
        return Pruned(decisions=gone)

    def _removable(self, before: int, after: str) -> list[str]:
        with self._ledger.look() as connection:
            return retention.removable_runs(
                connection, before=before, now=self._clock.now_us(), after=after, limit=self._batch
            )

    def _counted(self, batch: list[str], states: States) -> Pruned:
        found = Pruned()
        with self._ledger.look() as connection:
            for run in batch:
                documents, evidence = retention.count_removable(connection, run)
                found = found.and_(Pruned(1, states.count(run), documents, evidence))
        return found

    def _removed(self, identity: Identity, batch: list[str], states: States, before: int) -> Pruned:
        # Checkpoints lie in a database of their own. They go first: a run whose documents are gone counts as pruned.
        checkpoints = 0
        for run in batch:
            checkpoints += states.count(run)
            states.forget(run)
        removed = Pruned(checkpoints=checkpoints)
        with self._ledger.change() as unit:
            # Read again under the lock of this transaction: somebody else may be pruning, too.
            now = self._clock.now_us()
            for run in retention.still_removable(unit.connection, batch, before=before, now=now):
                documents, evidence = retention.remove(unit.connection, run)
                removed = removed.and_(Pruned(int(documents > 0), 0, documents, evidence))
            if removed.runs:
                unit.record(RunsPruned(principal=identity.principal.name, runs=removed.runs, ended_before_us=before))
        return removed
