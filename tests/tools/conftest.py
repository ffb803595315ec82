"""The workbench, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from support.bench import Bench, build


@pytest.fixture
def bench(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    """Everything, composed, on both databases."""
    made = build(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()
