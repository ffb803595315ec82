"""What ``twokey policy`` does with a workspace and its bundles.

Rules: nothing here changes a workspace; a report exists only of a replay that came to its end and that the log bears
out; times are UTC.
"""

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from twokey.channels import wiring
from twokey.channels.replay_report import Change, Report, change_of
from twokey.channels.replaying import replay
from twokey.core.errors import BadInput
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.replay import Tally
from twokey.tools import history
from twokey.tools.ledger import Ledger


def instant(text: str) -> int:
    """Read a day or a time (ISO 8601; UTC where no zone is given) as microseconds.

    Raises:
        BadInput: it is neither.

    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no time.", next="Write 2026-11-29 or 2026-11-29T10:00Z.") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * 1_000_000


@dataclass(slots=True)
class Replaying:
    """One replay under way."""

    ledger: Ledger
    bundle: Bundle
    since_us: int
    engines: int
    report: Report | None
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
        taken = replay(pasts, lambda: wiring.batch_engine(self.bundle), engines=self.engines, tally=self.tally)
        with closing(pasts), closing(taken):
            for again in taken:
                change = None
                if again.outcome is not None and again.outcome.changed:
                    change = change_of(again, again.outcome)
                    if self.report is not None:
                        self.report.add(change)
                yield self.tally.decisions, change
        if self.report is not None:
            self.report.finish(self.tally, self.revisions)


@contextmanager
def replaying(
    workspace: Path, folder: Path | None, *, since_us: int, report: Path | None, engines: int
) -> Generator[Replaying]:
    """Open what a replay of ``workspace`` on the bundle in ``folder`` needs (by default on its own)."""
    held = wiring.bundle_of(workspace, folder)
    made = Report(report) if report is not None else None
    try:
        with wiring.opened_ledger(workspace) as ledger:
            yield Replaying(ledger, held, since_us, engines, made)
    finally:
        if made is not None:
            made.close()
