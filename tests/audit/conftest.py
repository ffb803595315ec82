"""Fresh logs for the tests of the audit log."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.log_world import WORKSPACE, World

from twokey.audit import storage
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.core.ports import Clock, Ids
from twokey.store.database import open_engine


def _world(url: str, folder: Path, clock: Clock, ids: Ids) -> Iterator[World]:
    engine = open_engine(url)
    storage.migrate(engine)
    keys = folder / "keys"
    keys.mkdir()
    yield World(engine, LogKey.create(keys / "log.key", WORKSPACE), clock, ids, keys)
    engine.dispose()


@pytest.fixture
def world(database_url: str, tmp_path: Path, clock: Clock, ids: Ids) -> Iterator[World]:
    """A fresh log, once on SQLite and once on PostgreSQL."""
    yield from _world(database_url, tmp_path, clock, ids)


@pytest.fixture
def sqlite_world(sqlite_url: str, tmp_path: Path, clock: Clock, ids: Ids) -> Iterator[World]:
    """A fresh log in a SQLite file."""
    yield from _world(sqlite_url, tmp_path, clock, ids)


@pytest.fixture
def postgresql_world(postgresql_url: str, tmp_path: Path, clock: Clock, ids: Ids) -> Iterator[World]:
    """A fresh log in a PostgreSQL database."""
    yield from _world(postgresql_url, tmp_path, clock, ids)


@pytest.fixture
def log(world: World) -> Log:
    return world.open()
