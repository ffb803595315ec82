"""Puts a SQLite file into WAL mode; whoever opens a file of the workspace does it this way."""

import sqlite3
import time
from typing import Final

AGAIN_S: Final = 0.01
"""How long what SQLite does not queue for waits before it is tried again, in seconds."""


def write_ahead(connection: sqlite3.Connection, wait_s: float) -> None:
    """Put a SQLite file into WAL mode, where others may be about to do the same.

    SQLite does not queue for this one: beside another process that writes a new file it fails at once. ``wait_s`` is
    for how long it is tried again, in seconds.

    Raises:
        sqlite3.OperationalError: the file cannot be used, or is held for longer.

    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(AGAIN_S)
