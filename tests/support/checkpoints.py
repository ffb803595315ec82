"""Where runs' states lie, opened as the wiring does, and as somebody would who has the database and not the key."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from twokey.agents.planner.checkpoints import SealedSaver, serializer

KEY = bytes(range(32))


@dataclass(frozen=True)
class Kept:
    """One database of checkpoints: the path of a SQLite file, or the URL of a PostgreSQL database."""

    place: str

    @property
    def sqlite(self) -> bool:
        return "://" not in self.place

    @property
    def writes(self) -> str:
        """The name of the table of pending writes."""
        return "writes" if self.sqlite else "checkpoint_writes"

    @property
    def value(self) -> str:
        """The name of the column with a pending write's value."""
        return "value" if self.sqlite else "blob"

    @contextmanager
    def raw(self) -> Generator[BaseCheckpointSaver[str]]:
        """The library's own saver."""
        if self.sqlite:
            with closing(sqlite3.connect(self.place, check_same_thread=False)) as connection:
                saver = SqliteSaver(connection, serde=serializer())
                saver.setup()
                yield saver
            return
        with self._connection() as connection:
            other = PostgresSaver(connection, serde=serializer())
            other.setup()
            yield other

    @contextmanager
    def sealed(self, key: bytes = KEY) -> Generator[SealedSaver]:
        with self.raw() as saver:
            yield SealedSaver(saver, key)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement, written with ``?``, past every saver; gives its rows."""
        if self.sqlite:
            with closing(sqlite3.connect(self.place)) as connection, connection:
                return connection.execute(statement, values).fetchall()
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement.replace("?", "%s").encode(), values or None)
            return [tuple(row.values()) for row in cursor.fetchall()] if cursor.description else []

    def _connection(self) -> Connection[DictRow]:
        plain = self.place.replace("postgresql+psycopg://", "postgresql://", 1)
        return Connection[DictRow].connect(plain, autocommit=True, prepare_threshold=0, row_factory=dict_row)


def kept_at(url: str) -> Kept:
    """Give the database of checkpoints at a store's URL; on SQLite a file beside the store."""
    return Kept(str(Path(url.removeprefix("sqlite:///")).with_name("checkpoints.db")) if "sqlite" in url else url)


class Small(TypedDict, total=False):
    """A state with what savers treat in different ways: a number, a text, a list, a table."""

    count: int
    word: str
    items: list[str]
    table: dict[str, Any]


def first(state: Small) -> Small:
    return {"count": state.get("count", 0) + 1, "items": ["a", "b"], "table": {"b": [1, None], "a": True}}


def ask(state: Small) -> Small:
    del state
    return {"word": str(interrupt({"question": "Which word?"}))}


def small_graph(saver: BaseCheckpointSaver[str]) -> CompiledStateGraph[Small, None, Small, Small]:
    """Two steps, the second of which pauses."""
    graph: StateGraph[Small, None, Small, Small] = StateGraph(Small)
    graph.add_node("first", first)
    graph.add_node("ask", ask)
    graph.add_edge(START, "first")
    graph.add_edge("first", "ask")
    return graph.compile(checkpointer=saver)
