"""A SQLite file in WAL mode, although others write it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from twokey.core.journal_mode import AGAIN_S, write_ahead


def test_a_new_file_is_waited_for_while_another_process_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SQLite fails at once here, whatever its patience: the mode of a file is nothing it queues for."""
    with (
        closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as other,
        closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as own,
    ):
        own.execute("PRAGMA busy_timeout=30000")
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE t (a)")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(own, -1)
        pauses = list[float]()

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            other.execute("COMMIT")

        monkeypatch.setattr(time, "sleep", pause)
        write_ahead(own, 30)
        assert pauses == [AGAIN_S]
        assert own.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_cannot_be_used_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def waits(_seconds: float) -> None:
        pytest.fail("it waits for what does not come")

    with closing(sqlite3.connect(tmp_path / "new.db")) as other:
        other.execute("CREATE TABLE t (a)")
    monkeypatch.setattr(time, "sleep", waits)
    with (
        closing(sqlite3.connect(f"file:{tmp_path}/new.db?mode=ro", uri=True)) as own,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        write_ahead(own, 30)
