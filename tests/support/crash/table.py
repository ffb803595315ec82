"""What came of many trials, as a table beside each other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from support.crash.sweep import COUNTS, Trial

HEADS = ("duplicate writes", "lost approvals", "stuck", "asked again", "other faults")


@dataclass
class Tally:
    """What came of the trials of one contender on one database. Each count is of trials."""

    contender: str
    database: str
    points: int
    trials: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*COUNTS, "faults"), 0))
    bad: list[Trial] = field(default_factory=list[Trial])

    def add(self, trial: Trial) -> None:
        """Count one trial."""
        self.trials += 1
        for name in self.counts:
            self.counts[name] += bool(getattr(trial.verdict, name))
        if not trial.verdict.clean:
            self.bad.append(trial)

    def as_json(self) -> dict[str, Any]:
        return {
            "contender": self.contender,
            "database": self.database,
            "points": self.points,
            "trials": self.trials,
            **self.counts,
            "bad": [trial.as_json() for trial in self.bad],
        }


def table(tallies: Iterable[Tally]) -> str:
    """The tallies as a Markdown table."""
    lines = [f"| what | database | points | trials | {' | '.join(HEADS)} |", f"|---|---|{'---:|' * (2 + len(HEADS))}"]
    for tally in tallies:
        counts = " | ".join(str(count) for count in tally.counts.values())
        lines.append(f"| {tally.contender} | {tally.database} | {tally.points} | {tally.trials} | {counts} |")
    return "\n".join(lines)
