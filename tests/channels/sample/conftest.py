import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from twokey.channels.sample import Sample, build


def is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d" if len(text) <= 10 else "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - only its form
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The default sample, read by many tests and changed by none."""
    return build(tmp_path_factory.mktemp("sample") / "workspace")


@pytest.fixture
def warehouse(sample: Sample) -> Iterator[sqlite3.Connection]:
    """The warehouse, read only, with ``is_date``: does the calendar have it? (For SQLite 30 February is a date.)"""
    with closing(sqlite3.connect(f"file:{sample.warehouse}?mode=ro", uri=True)) as database:
        database.create_function("is_date", 1, is_date, deterministic=True)
        yield database


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home
