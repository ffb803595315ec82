"""The positive control: graphs as LangGraph's own pages show them, with an interrupt before a write.

Rules: nothing is left out that those pages recommend (a durable saver, ``durability="sync"``, recovery by the state
that the saver shows); nothing is added that they do not name. The write appends a line to a file, as posting a comment
does: the target takes no key.
"""

import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt

from support.crash.forks import Tell
from support.crash.gated import watched
from support.crash.looks import Verdict
from support.crash.stage import Stage, read_stage

JOBS = "support.crash.naive:"
CONFIG: RunnableConfig = {"configurable": {"thread_id": "1"}}
APPROVE = "approve"


class Naive(TypedDict, total=False):
    """The state of a naive graph."""

    line: str
    answer: str
    written: bool


Graph = CompiledStateGraph[Naive, None, Naive, Naive]


def graph(stage: Stage, nodes: int, saver: BaseCheckpointSaver[Any]) -> Graph:
    """Interrupt and write in one node, or in two."""

    def write(state: Naive) -> Naive:
        if state.get("answer") == APPROVE:
            descriptor = os.open(stage.target, os.O_WRONLY | os.O_CREAT)
            try:
                os.pwrite(descriptor, f"{state.get('line', '')}\n".encode(), os.fstat(descriptor).st_size)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return {"written": True}

    def gate(state: Naive) -> Naive:
        return {"answer": str(interrupt({"line": state.get("line", "")}))}

    def gated_write(state: Naive) -> Naive:
        return write({**state, **gate(state)})

    builder: StateGraph[Naive, None, Naive, Naive] = StateGraph(Naive)
    if nodes == 1:
        builder.add_node("write", gated_write)
        builder.add_edge(START, "write")
    else:
        builder.add_node("gate", gate)
        builder.add_node("write", write)
        builder.add_edge(START, "gate")
        builder.add_edge("gate", "write")
    builder.add_edge("write", END)
    return builder.compile(checkpointer=saver)


@contextmanager
def saver(stage: Stage) -> Generator[BaseCheckpointSaver[Any]]:
    """A durable saver, opened as its pages say."""
    if stage.url:
        with PostgresSaver.from_conn_string(stage.url.replace("+psycopg", "", 1)) as held:
            yield held
    else:
        connection = sqlite3.connect(stage.checkpoints, check_same_thread=False)
        try:
            yield SqliteSaver(connection)
        finally:
            connection.close()


def build(tell: Tell, args: Any) -> None:
    """Set the saver's tables up."""
    del tell
    stage = read_stage(args["stage"])
    stage.target.touch()
    with saver(stage) as held:
        if isinstance(held, SqliteSaver | PostgresSaver):
            held.setup()


def warm(args: Any) -> None:
    """Nothing is worked out once."""


def whole_run(tell: Tell, args: Any) -> None:
    """Ask, approve, write: one whole run of a naive graph."""
    stage = read_stage(args["stage"])
    points = watched(stage, args, tell)
    with saver(stage) as held:
        compiled = graph(stage, args["nodes"], held)
        compiled.invoke({"line": "hello"}, CONFIG, durability="sync")
        tell("asked")
        compiled.invoke(Command(resume=APPROVE), CONFIG, durability="sync")
        tell("approved")
    tell("points", points=[point.as_json() for point in points.seen], modules=sorted(sys.modules))


def finish(tell: Tell, args: Any) -> None:
    """Take a run up in the usual way: ask again where it waits, else let it go on from where it stands.

    Who is ``believing`` takes a run for finished where the saver names no node that is next, as its pages do. That is
    wrong after some crashes; letting every run go on that does not wait is the careful way.
    """
    stage = read_stage(args["stage"])
    with saver(stage) as held:
        compiled = graph(stage, args["nodes"], held)
        snapshot = compiled.get_state(CONFIG)
        if snapshot.created_at is None:
            compiled.invoke({"line": "hello"}, CONFIG, durability="sync")
        elif not snapshot.interrupts and (snapshot.next or not args["believing"]):
            compiled.invoke(None, CONFIG, durability="sync")
        if compiled.get_state(CONFIG).interrupts:
            tell("approved again")
            compiled.invoke(Command(resume=APPROVE), CONFIG, durability="sync")
        tell("state", next=list(compiled.get_state(CONFIG).next))


def approvals(stage: Stage) -> list[str]:
    """The approvals that the saver has committed."""
    table, url = ("checkpoint_writes", stage.url) if stage.url else ("writes", f"sqlite:///{stage.checkpoints}")
    return [str(row[0]) for row in stage.rows(f"SELECT task_id FROM {table} WHERE channel = '__resume__'", url)]


def judge(stage: Stage, acknowledged: list[str], told: list[dict[str, Any]]) -> Verdict:
    """Judge a trial of a naive graph."""
    lines = len(stage.target.read_text(encoding="utf-8").splitlines())
    unfinished = any(message["next"] for message in told if message["kind"] == "state")
    return Verdict(
        duplicates=max(0, lines - 1),
        lost=int(bool(acknowledged) and not lines),
        stuck=int(unfinished or not lines),
        asked_again=int(bool(acknowledged) and any(message["kind"] == "approved again" for message in told)),
    )
