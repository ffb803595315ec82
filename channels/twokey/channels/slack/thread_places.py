"""Where a thread of Slack is, as a place of telemetry.

Rules: its name says everything there is to know of it, and opens nothing by itself; it is read only where the settings
list its channel.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twokey.channels.connected import THREADS
from twokey.core.errors import BadInput, Refused

_STAMP: Final = r"[0-9]{1,12}\.[0-9]{1,9}"
_PLACE: Final = re.compile(rf"{THREADS}(T[A-Z0-9]{{1,20}})/([CG][A-Z0-9]{{1,20}})/({_STAMP})/({_STAMP})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread: its workspace, its channel, the message that it begins with, and until when it is told."""

    team: str
    channel: str
    ts: str
    until: str
    """Slack's time of the request: what is written later is not read."""

    @classmethod
    def parse(cls, place: str) -> "Thread":
        """Read a place; raises ``BadInput`` where it is none of a thread."""
        found = _PLACE.fullmatch(place)
        if found is None:
            raise BadInput(
                "That is no thread of Slack.",
                next="Use the shortcut in the menu of one of its messages.",
                code="no_thread",
            )
        return cls(found[1], found[2], found[3], found[4])

    @property
    def place(self) -> str:
        """What the place of it is called."""
        return f"{THREADS}{self.team}/{self.channel}/{self.ts}/{self.until}"

    @property
    def incident(self) -> str:
        """What the incident is called that it tells of."""
        return f"thread-{self.channel}-{self.ts}"

    def demand(self, channels: Sequence[str]) -> None:
        """Refuse where the settings do not list its channel."""
        if self.channel not in channels:
            raise Refused(
                "Threads of this channel are not read: the settings do not list it.",
                next="An owner lists its id in slack.thread_channels, once those who write there know of it.",
                code="thread_not_allowed",
            )
