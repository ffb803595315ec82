"""A workbench on SQLite, and a model endpoint on this machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import Bench, build
from support.model_endpoint import Endpoint, serve


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: Any, ids: Any) -> Iterator[Bench]:
    """Everything, composed."""
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A model endpoint; this process reaches it without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as made:
        yield made
        assert made.faults == []
