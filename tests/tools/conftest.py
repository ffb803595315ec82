"""The workbench, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from support.bench import Bench, CountingIds, FixedClock, build
from support.notes import MakeBench, notes_bench

from twokey.tools.registry import AnyTool


@pytest.fixture
def bench(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    """Everything, composed, on both databases."""
    made = build(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def make_bench_once(
    tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds
) -> Iterator[Callable[[], Bench]]:
    """Makes the workbench on SQLite alone, for what does not depend on the database."""
    made: list[Bench] = []

    def make() -> Bench:
        made.append(build(tmp_path, sqlite_url, clock, ids))
        return made[-1]

    yield make
    for bench in made:
        bench.engine.dispose()


def _maker(folder: Path, url: str, clock: FixedClock, ids: CountingIds) -> Iterator[MakeBench]:
    made: list[Bench] = []

    def make(tools: Iterable[AnyTool] = ()) -> Bench:
        made.append(notes_bench(folder, url, clock, ids, tools))
        return made[-1]

    yield make
    for bench in made:
        bench.engine.dispose()


@pytest.fixture
def make_notes(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[MakeBench]:
    """Makes a workbench with the tools of ``support.notes``, some of them given, on both databases."""
    yield from _maker(tmp_path, database_url, clock, ids)


@pytest.fixture
def make_notes_once(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[MakeBench]:
    """The same on SQLite alone, for what does not depend on the database."""
    yield from _maker(tmp_path, sqlite_url, clock, ids)
