"""What one gets by following the tutorials: a LangGraph agent that asks before it writes, with the approval in its state.

Kept as a positive control: every trap that Twokey is held against must really close on this one.
"""

from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect
from typing import Any, Final, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.cache.base import BaseCache
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import CachePolicy, RetryPolicy, interrupt

Hooks = dict[str, Callable[[], object]]
"""What happens when the graph comes to a node, by the node's name."""


class Naive(TypedDict, total=False):
    """What the agent means to do, and whether somebody agreed."""

    action: Any
    approval: bool


Gate = Callable[[Naive], Naive]
Compiled = CompiledStateGraph[Naive, None, Naive, Naive]


def ask(state: Naive) -> Naive:
    """Ask, and put the answer into the state."""
    return {"approval": bool(interrupt({"action": state.get("action")}))}


class Notebook:
    """A file that the agent writes lines into, and the database of its checkpoints."""

    def __init__(self, folder: Path) -> None:
        self.path: Final = folder / "notebook"
        self.database: Final = folder / "naive.db"

    def add(self, line: object) -> None:
        with self.path.open("a") as file:
            file.write(f"{line}\n")

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    @contextmanager
    def saver(self, serde: Any = None) -> Generator[SqliteSaver]:
        with closing(connect(self.database, check_same_thread=False)) as connection:
            yield SqliteSaver(connection, serde=serde)

    def graph(
        self,
        saver: BaseCheckpointSaver[str],
        *,
        gate: Gate = ask,
        at: Hooks | None = None,
        cache: BaseCache[Any] | None = None,
        retry: RetryPolicy | None = None,
    ) -> Compiled:
        """The agent: a gate that asks, and a node that writes what was approved."""
        hooks: Hooks = {} if at is None else at

        def gated(state: Naive) -> Naive:
            hooks.get("gate", lambda: None)()
            return gate(state)

        def write(state: Naive) -> Naive:
            hooks.get("write", lambda: None)()
            if state.get("approval"):
                self.add(state.get("action"))
            hooks.get("written", lambda: None)()
            return {}

        graph: StateGraph[Naive, None, Naive, Naive] = StateGraph(Naive)
        graph.add_node("gate", gated, cache_policy=CachePolicy() if cache else None)
        graph.add_node("write", write, retry_policy=retry)
        graph.add_edge(START, "gate")
        graph.add_edge("gate", "write")
        return graph.compile(checkpointer=saver, cache=cache)


def thread(name: str = "one") -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


def turn(graph: Compiled, value: Any, config: RunnableConfig | None = None) -> Any:
    """Let the agent go on with ``value``."""
    return graph.invoke(value, config or thread(), durability="sync", version="v2")


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


class Dying(SqliteSaver):
    """A saver whose process dies when it is to store one more checkpoint than ``left``."""

    left: int = 0

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().put(config, checkpoint, metadata, new_versions)
