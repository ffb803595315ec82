"""Where checkpoints lie: a SQLite file or a PostgreSQL database, opened with the library's saver behind the seal."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokey.agents.planner.checkpoints import SealedSaver, serializer

_COUNT: Final = "SELECT count(*) FROM checkpoints WHERE thread_id = "


@dataclass(frozen=True, slots=True)
class States:
    """The checkpoints of all runs of a workspace."""

    saver: SealedSaver
    count: Callable[[str], int]
    """Counts the checkpoints of a run, whether they bear their seal or not."""

    def forget(self, run: str) -> None:
        """Remove all that is kept of a run."""
        self.saver.delete_thread(run)


@contextmanager
def sqlite_states(path: Path, key: bytes, *, busy_s: float) -> Generator[States]:
    """Open the file at ``path``; ``busy_s`` is how long a writer queues for it, in seconds."""
    from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415 - only one of the two savers is needed

    with closing(sqlite3.connect(path, check_same_thread=False, timeout=busy_s)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        saver = SqliteSaver(connection, serde=serializer())
        saver.setup()

        def count(run: str) -> int:
            return int(connection.execute(f"{_COUNT} ?", (run,)).fetchone()[0])

        yield States(SealedSaver(saver, key), count)


@contextmanager
def postgresql_states(address: str, key: bytes) -> Generator[States]:
    """Open the database at ``address``, a URL as the driver takes it."""
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - comes with the extra for PostgreSQL
    from psycopg import Connection  # noqa: PLC0415 - as above
    from psycopg.rows import DictRow, dict_row  # noqa: PLC0415 - as above

    with Connection[DictRow].connect(address, autocommit=True, prepare_threshold=0, row_factory=dict_row) as connection:
        saver = PostgresSaver(connection, serde=serializer())
        saver.setup()

        def count(run: str) -> int:
            row = connection.execute(f"{_COUNT} %s", (run,)).fetchone()
            return 0 if row is None else int(row["count"])

        yield States(SealedSaver(saver, key), count)
