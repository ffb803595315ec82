"""One replay of the log's decisions on a bundle, with its tally and its report.

Rules: nothing here changes what a workspace holds; a report exists only of a replay that came to its end and that the
log bears out; one that was interrupted goes on where it stopped (``twokey.channels.replay_saving``).
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field

from twokey.channels.replay_report import Change, Report, change_of
from twokey.channels.replay_saving import Nothing, Saved
from twokey.channels.replaying import Engine, replay
from twokey.core.errors import CheckFailed
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.replay import Tally
from twokey.tools import history
from twokey.tools.ledger import Ledger


@dataclass(slots=True)
class Replaying:
    """One replay under way."""

    ledger: Ledger
    bundle: Bundle
    engine: Callable[[], Engine]
    """Makes one engine that decides on the bundle."""
    since_us: int
    engines: int
    report: Report | None
    saved: Saved | Nothing = field(default_factory=Nothing)
    """What an interrupted replay on the same bundle had found."""
    tally: Tally = field(default_factory=Tally)

    @property
    def revisions(self) -> BundleRevisions:
        """What the decisions are taken on."""
        return self.bundle.revisions

    def changes(self) -> Generator[tuple[int, Change | None]]:
        """Take each decision again; gives how many it were so far, and what changed in each.

        Raises:
            CheckFailed: at the end, where the log does not bear out what was read.

        """
        pasts = history.past(self.ledger, since_us=self.since_us)
        taken = replay(pasts, self.engine, engines=self.engines, tally=self.tally, known=self.saved.outcome)
        try:
            with closing(pasts), closing(taken):
                for again in taken:
                    self.saved.add(again)
                    change = None
                    if again.outcome is not None and again.outcome.changed:
                        change = change_of(again, again.outcome)
                        if self.report is not None:
                            self.report.add(change)
                    yield self.tally.decisions, change
        except CheckFailed:
            self.saved.done()
            raise
        if self.report is not None:
            self.report.finish(self.tally, self.revisions)
        self.saved.done()
