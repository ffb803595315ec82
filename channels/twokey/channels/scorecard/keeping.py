"""Keeps scorecards for a moment, for pages that many people open.

Rules: the figures of a quarter are taken at most once a minute, and say as of when they are; a few quarters are kept.
"""

import threading
from typing import Final

from twokey.channels.scorecard.taking import take
from twokey.channels.scorecard.values import Quarter, Scorecard
from twokey.channels.workspace import Workspace
from twokey.core.ports import Clock

KEPT_US: Final = 60_000_000
KEPT: Final = 16
"""Quarters whose figures are kept."""


class Scores:
    """Takes scorecards, each at most once a minute."""

    def __init__(self, workspace: Workspace, clock: Clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Quarter, Scorecard] = {}

    def of(self, text: str) -> Scorecard:
        """Give the scorecard of a quarter, by default of the one that goes on; raises ``BadInput``."""
        now = self._clock.now_us()
        quarter = Quarter.parse(text) if text else Quarter.at(now)
        with self._lock:
            held = self._kept.get(quarter)
            if held is None or not held.as_of_us <= now < held.as_of_us + KEPT_US:
                held = take(
                    self._workspace.ledger,
                    self._workspace.config.scorecard,
                    self._workspace.folder,
                    self._clock,
                    quarter,
                )
                self._kept.pop(quarter, None)
                self._kept[quarter] = held
                while len(self._kept) > KEPT:
                    del self._kept[next(iter(self._kept))]
            return held
