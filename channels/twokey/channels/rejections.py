"""Requests that no channel could authenticate, or that strangers made: counted, and written to the log in bundles.

Rules: a flood cannot fill the log: of one channel and code there is at most one entry a minute, which says how many
there were since the one before; the first is written at once; a code is one of Twokey's own words, never the sender's.
"""

import logging
import threading
from typing import Final

from twokey.core.errors import LogUnavailable
from twokey.core.events import ChannelRejected
from twokey.core.ports import Clock, Recorder
from twokey.core.values import Channel

MINUTE_US: Final = 60_000_000

_logger: Final = logging.getLogger("twokey.rejections")


class Rejections:
    """Counts the rejected requests of one process."""

    def __init__(self, *, workspace: str, recorder: Recorder, clock: Clock) -> None:
        self._workspace = workspace
        self._recorder = recorder
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[tuple[Channel, str], int] = {}
        self._written_us: dict[tuple[Channel, str], int] = {}

    def count(self, channel: Channel, code: str) -> None:
        """Count one request that was refused, and write what is due."""
        with self._lock:
            self._pending[channel, code] = self._pending.get((channel, code), 0) + 1
        self.flush()

    def flush(self, *, everything: bool = False) -> None:
        """Write what has waited for a minute, or everything there is. Where the log does not take it, it waits on."""
        now = self._clock.now_us()
        with self._lock:
            due = {
                key: number
                for key, number in self._pending.items()
                if everything or now - self._written_us.get(key, -MINUTE_US) >= MINUTE_US
            }
            for key in due:
                del self._pending[key]
                self._written_us[key] = now
        for (channel, code), number in due.items():
            try:
                self._recorder.record(
                    ChannelRejected(workspace=self._workspace, channel=channel, code=code, count=number)
                )
            except LogUnavailable as error:
                _logger.warning("%d rejected requests (%s) are not in the log yet: %s", number, code, error.message)
                with self._lock:
                    self._pending[channel, code] = self._pending.get((channel, code), 0) + number
