"""A twin of GitHub for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from twins.github.fixtures import Stand, stand


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Stand]:
    """A running twin with one small repository."""
    with stand(tmp_path) as there:
        yield there
