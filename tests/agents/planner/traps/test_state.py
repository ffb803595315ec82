"""LangGraph's traps around stored state: what comes back, and what a crash or a stranger leaves there.

Each trap closes on the naive agent first, so that the test beside it means something.
"""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypedDict

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from support.bench import Bench
from support.checkpoints import KEY
from support.naive import Dying, Killed, Naive, Notebook, thread, turn
from support.notes import proposed_note
from support.ride import Ride

from twokey.agents.models.none import NoModels
from twokey.agents.planner.checkpoints import SealedSaver, serializer
from twokey.agents.planner.graph import build as build_graph
from twokey.agents.planner.runner import Runner, Saver
from twokey.core import canonical
from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import State
from twokey.tools.desk import Desk


@contextmanager
def dying(path: Path, left: int) -> Generator[Dying]:
    """A saver whose process dies when it is to store one more checkpoint than ``left``."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = Dying(connection, serde=serializer())
        saver.left = left
        yield saver


# -- 6: a crash between a step's writes and the checkpoint ---------------------------------------------------------


class Chain(TypedDict, total=False):
    """How far it came."""

    done: int


def test_06_naive_a_crash_leaves_an_unfinished_run_that_says_it_has_nothing_to_do(notebook: Notebook):
    def gather(state: Chain) -> Chain:
        return {"done": state.get("done", 0) + 1}

    def report(state: Chain) -> Chain:
        notebook.add("reported")
        return {"done": state.get("done", 0) + 1}

    chain: StateGraph[Chain, None, Chain, Chain] = StateGraph(Chain)
    chain.add_node("gather", gather)
    chain.add_node("report", report)
    chain.add_edge(START, "gather")
    chain.add_edge("gather", "report")
    with dying(notebook.database, left=2) as saver, pytest.raises(Killed):
        chain.compile(checkpointer=saver).invoke({"done": 0}, thread(), durability="sync")
    with notebook.saver() as saver:
        graph = chain.compile(checkpointer=saver)
        assert graph.get_state(thread()).next == (), "so whoever believes it leaves the run as it is"
        assert notebook.lines() == []
        graph.invoke(None, thread(), durability="sync")
    assert notebook.lines() == ["reported"]


def test_06_twokey_a_run_goes_on_after_a_crash_before_any_checkpoint(make_ride: Callable[[], Ride]):
    for left in range(7):
        ride = make_ride()

        @contextmanager
        def savers(ride: Ride = ride, left: int = left) -> Generator[Saver]:
            with dying(Path(ride.kept.place), left) as saver:
                yield SealedSaver(saver, KEY)

        def desk(_run: str, _holder: str, mine: Desk = ride.desk) -> Desk:
            return mine

        with pytest.raises(Killed):
            Runner(savers, desk, NoModels()).drive(ride.desk.run, lambda _: None)
        with ride.kept.sealed() as saver:
            left_over = build_graph(saver).get_state(ride.config)
        assert left_over.next or left_over.created_at is None, "no step is half recorded"
        assert len(ride.drive()) == 1
        assert ride.proposal().state is State.AWAITING_APPROVAL


# -- 12: tuples come back as lists ---------------------------------------------------------------------------------


def test_12_naive_a_tuple_comes_back_as_a_list(notebook: Notebook):
    def compare(state: Naive) -> Naive:
        return {"approval": interrupt({"action": state.get("action")}) == state.get("action")}

    action = ("pay", "10")
    with notebook.saver() as saver:
        graph = notebook.graph(saver, gate=compare)
        turn(graph, {"action": action})
        turn(graph, Command(resume=action))
        assert graph.get_state(thread()).values["action"] == ["pay", "10"]
    assert notebook.lines() == [], "exactly what was shown was approved, and it is taken for something else"


def test_12_twokey_a_digest_does_not_depend_on_how_a_value_was_stored(ride: Ride, bench: Bench):
    assert canonical.digest({"paths": ("a", "b")}) == canonical.digest({"paths": ["a", "b"]})
    proposed = proposed_note(bench)
    assert bench.gate.find(proposed.id).proposal.digest() == proposed.digest
    ride.drive()
    with ride.kept.sealed() as saver:
        found = saver.get_tuple(ride.config)
    assert found is not None
    values: dict[str, Any] = found.checkpoint["channel_values"]
    assert values == canonical.decode(canonical.encode(values))
    assert ride.proposal().proposal.digest() == ride.proposal().digest


# -- 13: a row that names code -------------------------------------------------------------------------------------


def naming_code(folder: Path) -> bytes:
    """A value that, brought to life, makes a folder."""
    return ormsgpack.packb(ormsgpack.Ext(1, ormsgpack.packb(("os", "mkdir", (str(folder),)))))


def test_13_naive_a_tampered_row_runs_code(notebook: Notebook, tmp_path: Path):
    with notebook.saver(JsonPlusSerializer(allowed_msgpack_modules=True)) as saver:
        turn(notebook.graph(saver), {"action": "pay"})
        saver.conn.execute("UPDATE writes SET value = ?", (naming_code(tmp_path / "owned"),))
        saver.conn.commit()
        notebook.graph(saver).get_state(thread())
    assert (tmp_path / "owned").is_dir()


def test_13_twokey_a_tampered_row_is_refused_and_runs_nothing(ride: Ride, tmp_path: Path):
    ride.drive()
    code = naming_code(tmp_path / "owned")
    ((kept,),) = ride.kept.run("SELECT value FROM writes")
    ride.kept.run("UPDATE writes SET value = ?, type = 'msgpack'", code)
    with pytest.raises(CheckFailed) as caught:
        ride.drive()
    assert caught.value.code == "checkpoint_tampered"
    ride.kept.run("UPDATE writes SET value = ?, type = 'bytes'", kept)
    assert len(ride.drive()) == 1
    ride.kept.run("UPDATE checkpoints SET checkpoint = ?", code)
    with pytest.raises(CheckFailed) as caught:
        ride.drive()
    assert caught.value.code == "checkpoint_tampered"
    assert not (tmp_path / "owned").exists()
