"""A workshop for the catalog agent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import build
from support.catalog_workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path, sqlite_url: str, clock: Any, ids: Any) -> Iterator[Workshop]:
    """The whole bench on SQLite, with a repository to document and warehouses to read."""
    bench = build(tmp_path / "bench", sqlite_url, clock, ids)
    yield Workshop(bench, tmp_path)
    bench.engine.dispose()
