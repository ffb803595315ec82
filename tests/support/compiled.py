"""Statements that are compiled once in a process, and not again for the database of each test.

Rules: what is compiled depends on the statement, the kind of database and the versions of driver and server; databases
that agree in these share it. SQLAlchemy keeps it for each engine alone, and every test has an engine of its own.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event

MOST = 4_000
"""After so many of a kind, all are forgotten."""


class Compiled(dict[Any, Any]):
    """What SQLAlchemy compiled, by its own key without the engine's dialect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(key[1:], value)


def share_compiled() -> None:
    """Have all engines of this process share what they compile."""
    kept: dict[object, Compiled] = {}

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        dialect = connection.dialect
        kind = (dialect.name, dialect.driver, dialect.server_version_info)
        connection.execution_options(compiled_cache=kept.setdefault(kind, Compiled()))
