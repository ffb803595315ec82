"""The store's tables, on SQLite and on PostgreSQL, and one of each value that they keep."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine
from support import store_values as made

from twokey.core.lifecycle import State
from twokey.store import database, migrate, proposals, runs


def _migrated(url: str) -> Iterator[Engine]:
    opened = database.open_engine(url)
    migrate.migrate(opened)
    yield opened
    opened.dispose()


def _filled(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as opened:
        runs.add_run(opened, run=made.RUN, request=made.request(), auth="key", places=[made.PLACE], now=1)
        proposals.add_proposal(
            opened,
            made.proposal(),
            made.decision(),
            state=State.AWAITING_APPROVAL,
            expires_us=99,
            code="needs_approval",
            now=5,
        )
        yield opened
        opened.rollback()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated store."""
    yield from _migrated(database_url)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """An open transaction on a store that holds one run and one proposal."""
    yield from _filled(engine)


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """A migrated store on SQLite."""
    yield from _migrated(sqlite_url)


@pytest.fixture
def sqlite_connection(sqlite_engine: Engine) -> Iterator[Connection]:
    """The same on SQLite, which stores what PostgreSQL would refuse."""
    yield from _filled(sqlite_engine)
