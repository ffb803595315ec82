"""Keeps what Twokey wrote about runs on GitHub up to date.

Rules: it only says which messages have to show what has changed since their words were rendered (a run that changes
while a comment is on its way is not in it), whatever the clocks of those say who drive and who post; it asks nobody
outside, and costs one query where nothing has changed.
"""

from typing import Final

from twokey.channels.postbox import Postbox
from twokey.store import messages
from twokey.tools.ledger import Ledger

AT_ONCE: Final = 50
"""Messages that are taken up in one go."""


class Refresher:
    """Looks for runs that have moved on since GitHub was told."""

    def __init__(self, ledger: Ledger, postbox: Postbox) -> None:
        self._ledger = ledger
        self._postbox = postbox

    def look(self) -> None:
        """Want every message anew whose run has changed since it was posted."""
        with self._ledger.look() as connection:
            moved = messages.outdated_messages(connection, channel="github", limit=AT_ONCE)
        wanted: list[str] = []
        if moved:
            with self._ledger.change() as unit:
                for purpose in moved:
                    wanted += self._postbox.refresh(unit, purpose)
        self._postbox.send(*wanted)
