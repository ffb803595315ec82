"""What runs say of themselves while this process drives them, for whoever watches here.

Rules: it is kept in memory, the latest line of each run, and of so many runs; it shows and decides nothing, and is no
record: what happened is in the log, step by step, whichever process drives the run.
"""

import threading
from typing import Final

from twokey.agents.state import Progress

RUNS: Final = 200


class Board:
    """The latest line of each run that is driven here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, Progress] = {}

    def tell(self, run: str, progress: Progress) -> None:
        """Put a line in the place of the one before; the runs that were silent longest make room."""
        with self._lock:
            self._lines.pop(run, None)
            self._lines[run] = progress
            while len(self._lines) > RUNS:
                del self._lines[next(iter(self._lines))]

    def latest(self, run: str) -> Progress | None:
        """Give the latest line of a run; none where it is not driven here."""
        with self._lock:
            return self._lines.get(run)

    def wipe(self, run: str) -> None:
        """Take the line of a run away: it is not driven here any more."""
        with self._lock:
            self._lines.pop(run, None)
