"""Sweeps over the points of a run, on both databases."""

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from support.crash.forks import Forks, forks
from support.crash.stage import fast_folder
from support.crash.sweep import Contender, Sweep, prepared

MakeSweep = Callable[[Contender], AbstractContextManager[Sweep]]


@pytest.fixture(scope="session")
def forking() -> Iterator[Forks]:
    with forks() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def sweep(request: pytest.FixtureRequest, forking: Forks) -> Iterator[MakeSweep]:
    """Makes sweeps of contenders, once on SQLite and once on PostgreSQL."""
    server = str(request.getfixturevalue("_postgresql_server")) if request.param == "postgresql" else ""
    yield from _sweeps(forking, server)


@pytest.fixture
def sweep_once(forking: Forks) -> Iterator[MakeSweep]:
    """The same on SQLite alone, for what does not depend on the database."""
    yield from _sweeps(forking, "")


def _sweeps(forking: Forks, server: str) -> Iterator[MakeSweep]:
    with tempfile.TemporaryDirectory(prefix="twokey-crash-", dir=fast_folder()) as name:

        @contextmanager
        def make(contender: Contender) -> Generator[Sweep]:
            with prepared(forking, Path(name), server, contender) as made:
                yield made

        yield make
