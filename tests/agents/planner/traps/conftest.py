"""The naive agent, and Twokey's own path: the planner on a small shop, and the gate on small notes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.bench import Bench, CountingIds, FixedClock, build
from support.naive import Notebook
from support.notes import KeyedNotes, TracedNotes, notes_bench
from support.ride import Ride, document_shop, shop

At = dict[str, Callable[[], None]]


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path)


@pytest.fixture
def make_ride(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Callable[[], Ride]]:
    """Makes runs that are to document the same shop."""
    bench = build(tmp_path, sqlite_url, clock, ids)
    warehouse = shop(tmp_path / "shop.db")

    def make() -> Ride:
        return Ride(bench, warehouse, document_shop(bench, warehouse))

    yield make
    bench.engine.dispose()


@pytest.fixture
def ride(make_ride: Callable[[], Ride]) -> Ride:
    return make_ride()


@pytest.fixture
def at() -> At:
    """What happens when a tool comes to a step."""
    return {}


@pytest.fixture
def bench(tmp_path: Path, clock: FixedClock, ids: CountingIds, at: At) -> Iterator[Bench]:
    """A workbench of its own, whose tools write notes."""
    folder = tmp_path / "desk"
    folder.mkdir()
    made = notes_bench(folder, f"sqlite:///{folder / 'store.db'}", clock, ids, [KeyedNotes(at), TracedNotes(at)])
    yield made
    made.engine.dispose()
