"""Keeps what Twokey wrote about runs on GitHub up to date.

Rules: it only says which messages have to show what has changed since their words were rendered, which is from when the
postbox has them (a run that changes while a comment is on its way is not in it); it asks nobody outside, and costs one
query where nothing has changed.
"""

from typing import Final

from sqlalchemy import func, select

from twokey.channels.postbox import Postbox
from twokey.store import tables
from twokey.tools.ledger import Ledger

PREFIX: Final = "progress:"
AT_ONCE: Final = 50
"""Messages that are taken up in one go."""
_M: Final = tables.messages.c
_R: Final = tables.runs.c


class Refresher:
    """Looks for runs that have moved on since GitHub was told."""

    def __init__(self, ledger: Ledger, postbox: Postbox) -> None:
        self._ledger = ledger
        self._postbox = postbox

    def look(self) -> None:
        """Want every message anew whose run has changed since it was posted."""
        query = (
            select(_M.purpose)
            .join(tables.runs, _R.id == func.substr(_M.purpose, len(PREFIX) + 1))
            .where(
                _M.channel == "github",
                _M.state == "posted",
                _M.purpose.startswith(PREFIX, autoescape=True),
                _R.updated_us >= _M.updated_us,
            )
            .limit(AT_ONCE)
        )
        with self._ledger.look() as connection:
            moved = list(connection.execute(query).scalars())
        wanted: list[str] = []
        if moved:
            with self._ledger.change() as unit:
                for purpose in moved:
                    wanted += self._postbox.refresh(unit, purpose)
        self._postbox.send(*wanted)
