"""Keeps a process that lost a run from acting for it.

Rules: every change that is made for a run commits only while its driver holds the lease on it: the lease is looked at
in the same transaction, and nobody takes it away before that commits. Whoever lost it gets ``LeaseLost`` and changes
nothing, however late it wakes up.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from twokey.core.errors import LeaseLost
from twokey.core.events import Event
from twokey.store import runs
from twokey.tools.ledger import Ledger, Unit


class FencedLedger(Ledger):
    """A ledger for one run and one holder of its lease."""

    def __init__(self, ledger: Ledger, *, run: str, holder: str) -> None:
        super().__init__(
            ledger.engine, ledger.log, ledger.ids, cover_timeout_s=ledger.cover_timeout_s, turns=ledger.turns
        )
        self._run = run
        self._holder = holder

    @contextmanager
    def change(self) -> Generator[Unit]:
        """Open a transaction that commits only while the lease is held; see ``Ledger.change``.

        Raises:
            LeaseLost: another process drives the run, or it was ended.
            LogUnavailable: the database or the log did not take it.

        """
        with super().change() as unit:
            if not runs.still_drives(unit.connection, self._run, holder=self._holder):
                raise lease_lost(self._run)
            yield unit

    def record(self, *events: Event) -> Sequence[str]:
        """Append events that change no row, while the lease is held: by itself, and never taken along by others."""
        with self.change() as unit:
            for event in events:
                unit.record(event)
        return tuple(unit.entries)


def lease_lost(run: str) -> LeaseLost:
    """Say that somebody else drives a run, or that it was ended."""
    return LeaseLost(
        f"Run {run} is no longer driven by this process: another one took it over, or it was cancelled.",
        next="Nothing was lost. Look at it with `twokey runs show`.",
    )
