"""Runs: to their pause and on, after a crash, and against whoever would steer them."""

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from conftest import CountingIds, FixedClock
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from support.bench import Bench, build
from support.git_repo import make_commit

from twokey.agents.models.none import NoModels
from twokey.agents.planner.graph import build as build_graph
from twokey.agents.planner.graph import read_draft
from twokey.agents.planner.runner import Runner, Saver, serializer
from twokey.agents.state import Progress, Surroundings
from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Request, Resource
from twokey.store import runs
from twokey.tools.contract import Place
from twokey.tools.desk import Desk


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, email TEXT NOT NULL);
            CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total_cents INTEGER);
            """
        )
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?)", [(number, f"p{number}@example.com") for number in range(1, 41)]
        )
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", [(number, number % 40 + 1, number * 10) for number in range(1, 201)]
        )
        connection.commit()
    return path


class Ride:
    """One run with its desk and its saver."""

    def __init__(self, bench: Bench, warehouse: Path, request: Request) -> None:
        place = Place(Resource(kind="warehouse", id=str(warehouse), granted_by="request"), f"sqlite:///{warehouse}")
        bench.book.remember(place.resource.id, place.location)
        self.bench = bench
        self.desk = bench.desk(places=[place])
        self.path = warehouse.with_name("checkpoints.db")
        with bench.ledger.change() as unit:
            runs.put_document(
                unit.connection, run=self.desk.run, name="request", body=request.canonical(), now=bench.clock.now_us()
            )

    @contextmanager
    def saver(self) -> Generator[Saver]:
        with closing(sqlite3.connect(self.path, check_same_thread=False)) as connection:
            yield SqliteSaver(connection, serde=serializer())

    def drive(self, tell: Callable[[Progress], None] = lambda _: None) -> tuple[str, ...]:
        def desk(_run: str) -> Desk:
            return self.desk

        return Runner(self.saver, desk, NoModels()).drive(self.desk.run, tell)


@pytest.fixture
def ride(bench: Bench, warehouse: Path) -> Ride:
    args = {"warehouse": str(warehouse), "repository": str(bench.repository), "tables": []}
    return Ride(bench, warehouse, Request(text="", intent="catalog_propose", args=args, channel="cli", requester="ana"))


def test_a_run_pauses_at_its_proposal_and_ends_after_the_answer(ride: Ride):
    (pause,) = ride.drive()
    (record,) = ride.desk.proposals()
    assert record.state is State.AWAITING_APPROVAL
    assert ride.drive() == (pause,) or len(ride.drive()) == 1
    ride.bench.gate.answer(ride.bench.answer(record), channel="cli")
    assert len(ride.drive()) == 1  # approved is not the end
    ride.bench.gate.execute(record.id)
    assert ride.drive() == ()
    assert [item.state for item in ride.desk.proposals()] == [State.DONE]


def test_a_refused_proposal_ends_the_run(ride: Ride):
    ride.drive()
    (record,) = ride.desk.proposals()
    ride.bench.gate.answer(ride.bench.answer(record, action="refuse"), channel="cli")
    assert ride.drive() == ()
    assert ride.bench.branches() == []


def test_a_run_goes_on_waiting_for_what_takes_the_place_of_its_proposal(ride: Ride):
    ride.drive()
    (record,) = ride.desk.proposals()
    make_commit(ride.bench.repository, {"other.md": b"Something else.\n"})
    with pytest.raises(Refused):
        ride.bench.gate.answer(ride.bench.answer(record), channel="cli")
    old, new = ride.desk.proposals()
    assert (old.state, new.state, new.proposal.supersedes) == (State.SUPERSEDED, State.AWAITING_APPROVAL, old.id)
    assert len(ride.drive()) == 1
    ride.bench.gate.answer(ride.bench.answer(new), channel="cli")
    ride.bench.gate.execute(new.id)
    assert ride.drive() == ()
    assert [item.state for item in ride.desk.proposals()] == [State.SUPERSEDED, State.DONE]


def test_a_resume_value_is_no_answer(ride: Ride):
    (pause,) = ride.drive()
    (record,) = ride.desk.proposals()
    with ride.saver() as saver:
        graph = build_graph(saver)
        surroundings = Surroundings(desk=ride.desk, models=NoModels(), tell=lambda _: None)
        forged: Any = {pause: {"approved": True, "proposal": record.id, "by": "sam"}}
        output = graph.invoke(
            Command(resume=forged),
            {"configurable": {"thread_id": ride.desk.run}},
            context=surroundings,
            durability="sync",
            version="v2",
        )
    assert len(output.interrupts) == 1
    assert ride.bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    assert ride.bench.branches() == []


def test_a_forged_state_is_no_answer(ride: Ride):
    ride.drive()
    (record,) = ride.desk.proposals()
    with ride.saver() as saver:
        graph = build_graph(saver)
        graph.update_state({"configurable": {"thread_id": ride.desk.run}}, {"proposals": []}, as_node="wait")
    ride.drive()
    assert ride.bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    assert ride.bench.branches() == []


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


def stops() -> list[int]:
    return list(range(1, 12))


@pytest.mark.parametrize("at", stops())
def test_a_run_that_was_cut_off_goes_on_and_proposes_once(ride: Ride, at: int):
    count = 0

    def tell(_progress: Progress) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise Killed

    with pytest.raises(Killed):
        ride.drive(tell)
    assert len(ride.drive()) == 1
    assert len(ride.desk.proposals()) == 1
    kinds = ride.bench.kinds(ride.desk.run)
    assert kinds.count("run.planned") <= 2
    assert ride.desk.proposals()[0].state is State.AWAITING_APPROVAL


def test_an_unclear_request_leaves_a_question_and_no_proposal(bench: Bench, warehouse: Path):
    ride = Ride(bench, warehouse, Request(text="make it nice", intent="ask", channel="cli", requester="ana"))
    assert ride.drive() == ()
    assert ride.desk.has("question")
    assert ride.desk.proposals() == []


def test_every_step_is_in_the_log(ride: Ride):
    ride.drive()
    kinds = ride.bench.kinds(ride.desk.run)
    for kind in ("run.planned", "step.started", "policy.decided", "tool.called", "tool.returned", "step.ended"):
        assert kind in kinds
    assert kinds.count("tool.called") == kinds.count("tool.returned")
    assert "review.ended" in kinds


def test_a_checkpoint_that_names_code_does_not_run_it(tmp_path: Path):
    marker = tmp_path / "ran"
    call = ormsgpack.packb(("os", "system", f"touch {marker}"))
    for code in range(8):
        row = ormsgpack.packb(ormsgpack.Ext(code, call))
        with suppress(Exception):  # whatever it says, it must not run
            serializer().loads_typed(("msgpack", row))
    assert not marker.exists()


@pytest.mark.parametrize("body", [None, {}, {"tool": "x"}, {"tool": "x", "args": [], "provenance": 1}, []])
def test_a_draft_that_cannot_be_read_is_refused(body: Any):
    with pytest.raises(Refused) as caught:
        read_draft(body)
    assert caught.value.code == "draft_unreadable"
