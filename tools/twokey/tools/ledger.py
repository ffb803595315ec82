"""The one place where a state change and its log entries share a transaction.

Rules: no state changes without an entry, no entry without its state; ``change`` returns only when a signed checkpoint
covers what was recorded; where the log or the database cannot take it, ``LogUnavailable`` is raised and nothing
further may happen.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from twokey.audit.entry import Entry
from twokey.audit.log import Log
from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import LogUnavailable
from twokey.core.events import Event
from twokey.core.ports import Ids
from twokey.core.values import Checkpoint
from twokey.store import evidence
from twokey.store.database import READ_ONLY

COVER_TIMEOUT_S: Final = 30.0
PAGE: Final = 500


class Unit:
    """One open transaction: rows through ``connection``, entries through ``record``."""

    def __init__(self, connection: Connection, log: Log, ids: Ids) -> None:
        self.connection = connection
        self._log = log
        self._ids = ids
        self.entries: list[str] = []

    def record(self, event: Event) -> str:
        """Append one event; gives the entry's id. It counts once the transaction has committed."""
        (entry,) = self._log.append(self.connection, event)
        self.entries.append(entry)
        return entry

    def commit_to(self, value: Json) -> str:
        """Give a salted commitment to ``value`` for the log, and keep what opens it in the store."""
        salt = self._ids.salt()
        commitment = canonical.commitment(salt, value)
        evidence.add_opening(self.connection, commitment=commitment, salt=salt, value=value)
        return commitment


class Ledger:
    """State and log of one workspace."""

    def __init__(self, engine: Engine, log: Log, ids: Ids) -> None:
        self.engine = engine
        self.log = log
        self._ids = ids

    @contextmanager
    def change(self) -> Generator[Unit]:
        """Open a transaction; on a clean exit commit it and wait for the checkpoint that covers its entries.

        Raises:
            LogUnavailable: the database or the log did not take it. What the caller meant to do next must not happen.

        """
        try:
            with self.engine.begin() as connection:
                unit = Unit(connection, self.log, self._ids)
                yield unit
                checkpoint = self.log.settle(connection) if unit.entries else None
        except DBAPIError as error:
            raise LogUnavailable(
                "The workspace's database did not take a change, so nothing was done.",
                next="Check the free space, the permissions and the database server, then try again.",
            ) from error
        if checkpoint is not None:
            self.log.confirm(checkpoint)
        elif unit.entries:
            self.log.wait_covered(unit.entries, COVER_TIMEOUT_S)

    @contextmanager
    def look(self) -> Generator[Connection]:
        """Open a transaction for reading only."""
        try:
            with self.engine.connect().execution_options(**{READ_ONLY: True}) as connection:
                yield connection
        except DBAPIError as error:
            raise LogUnavailable(
                "The workspace's database cannot be read.",
                next="Check the database server and the permissions of its file, then try again.",
            ) from error

    def record(self, *events: Event) -> Sequence[str]:
        """Append events that change no row (port ``Recorder``)."""
        with self.change() as unit:
            for event in events:
                unit.record(event)
        return tuple(unit.entries)

    def history(self, subject: str, kind: str) -> Generator[Event]:
        """Give the events of one kind about one subject, oldest first: rows of the index, no authority."""
        after = -1
        while page := self.log.entries(subject, kind=kind, after=after, limit=PAGE):
            for recorded in page:
                yield recorded.entry.event
            after = page[-1].seq

    def proven(self, entry: str) -> Entry:
        """Read an entry that is included under a verified checkpoint; raises ``CheckFailed`` or ``NotFound``."""
        return self.log.proven(entry)

    def checkpoint(self) -> Checkpoint | None:
        """Give the latest signed tree head."""
        return self.log.latest()
