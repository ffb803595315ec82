"""The store's tables, on SQLite and on PostgreSQL, and one of each value that they keep."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from support import store_values as made

from twokey.core.lifecycle import State
from twokey.store import database, migrate, proposals, runs
from twokey.store.sealing import KeyFile, Sealer, add_key

WORKSPACE = "w-000000000000"


def _migrated(url: str, sealer: Sealer | None = None) -> Iterator[Engine]:
    opened = database.open_engine(url, sealer)
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
    """A migrated store of the test's own."""
    yield from _migrated(database_url)


# What a test does in one transaction is rolled back, so that these tests share a store and leave it as they found it.


@pytest.fixture(scope="session")
def _shared_sqlite(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Iterator[Engine]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    path = tmp_path_factory.mktemp("shared") / "store.db"
    shutil.copyfile(_sqlite_template, path)
    yield from _migrated(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def _shared_postgresql(shared_postgresql_url: str) -> Iterator[Engine]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    yield from _migrated(shared_postgresql_url)


@pytest.fixture(scope="session")
def _shared_sealed(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Iterator[Engine]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    folder = tmp_path_factory.mktemp("sealed")
    shutil.copyfile(_sqlite_template, folder / "store.db")
    add_key(folder / "store.key", WORKSPACE)
    yield from _migrated(
        f"sqlite:///{folder / 'store.db'}", Sealer(KeyFile(folder / "store.key", WORKSPACE), seals=True)
    )


@pytest.fixture(params=["sqlite", "sealed", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """An open transaction on a store that holds one run and one proposal: on SQLite, there sealed, on PostgreSQL."""
    yield from _filled(request.getfixturevalue(f"_shared_{request.param}"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def plain_connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """The same where nothing is sealed, for tests that look at what lies in a column."""
    yield from _filled(request.getfixturevalue(f"_shared_{request.param}"))


@pytest.fixture
def sqlite_connection(_shared_sqlite: Engine) -> Iterator[Connection]:
    """The same on SQLite, which stores what PostgreSQL would refuse; a test may switch the tables' rules off."""
    for opened in _filled(_shared_sqlite):
        yield opened
        opened.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")  # it outlives a rollback
