"""Runs: to their pause and on, after a crash, and against whoever would steer them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from conftest import CountingIds, FixedClock
from langgraph.types import Command
from support.bench import Bench, build
from support.git_repo import make_commit
from support.ride import Ride, document_shop, shop

from twokey.agents.planner.checkpoints import MAX_BYTES, serializer
from twokey.agents.planner.graph import build as build_graph
from twokey.agents.planner.graph import read_draft
from twokey.agents.state import Progress
from twokey.core.errors import CheckFailed, Halted, LeaseLost, Refused
from twokey.core.lifecycle import State
from twokey.core.values import Request


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return shop(tmp_path / "shop.db")


@pytest.fixture
def ride(bench: Bench, warehouse: Path) -> Ride:
    return Ride(bench, warehouse, document_shop(bench, warehouse))


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
    forged: Any = {pause: {"approved": True, "proposal": ride.proposal().id, "by": "sam"}}
    assert len(ride.invoke(Command(resume=forged)).interrupts) == 1
    assert ride.proposal().state is State.AWAITING_APPROVAL
    assert ride.bench.branches() == []


def test_a_forged_state_is_no_answer(ride: Ride):
    ride.drive()
    with ride.kept.sealed() as saver:
        build_graph(saver).update_state(ride.config, {"proposals": []}, as_node="wait")
    ride.drive()
    assert ride.proposal().state is State.AWAITING_APPROVAL
    assert ride.bench.branches() == []


def test_a_run_whose_state_was_edited_is_not_taken_up(ride: Ride):
    ride.drive()
    ride.kept.run("UPDATE checkpoints SET parent_checkpoint_id = checkpoint_id")
    with pytest.raises(CheckFailed) as caught:
        ride.drive()
    assert caught.value.code == "checkpoint_tampered"
    assert ride.proposal().state is State.AWAITING_APPROVAL
    ride.answer()
    ride.write()
    assert ride.proposal().state is State.DONE


def removed(ride: Ride, number: int) -> None:
    """Remove the newest checkpoints of a run with their writes: what is left is genuine."""
    rows = ride.kept.run("SELECT checkpoint_id FROM checkpoints ORDER BY checkpoint_id DESC")
    for (identifier,) in rows[:number]:
        for table in ("checkpoints", ride.kept.writes):
            ride.kept.run(f"DELETE FROM {table} WHERE checkpoint_id = ?", identifier)


@pytest.mark.parametrize("number", range(1, 8))
def test_a_run_that_was_set_back_while_it_waits_proposes_nothing_twice(ride: Ride, number: int):
    ride.drive()
    before = ride.proposal()
    removed(ride, number)
    assert len(ride.drive()) == 1
    assert ride.proposal() == before
    ride.answer()
    ride.write()
    assert ride.drive() == ()
    assert ride.kinds().count("write.intended") == 1


@pytest.mark.parametrize("number", range(1, 9))
def test_a_run_that_was_set_back_after_its_write_writes_nothing_and_asks_nobody_again(ride: Ride, number: int):
    ride.drive()
    ride.answer()
    ride.write()
    assert ride.drive() == ()
    done, branches = ride.proposal(), ride.bench.branches()
    removed(ride, number)
    assert ride.drive() == ()
    assert ride.proposal() == done
    assert ride.bench.branches() == branches
    assert [ride.kinds().count(kind) for kind in ("answer.given", "write.intended", "write.ended")] == [1, 1, 1]


def test_the_planner_commits_once_per_step(ride: Ride):
    """Two for the start, one for each of plan, scan, propose, review and proposing, one for the pause."""
    ride.drive()
    assert ride.kept.run("SELECT count(*) FROM checkpoints") == [(7,)]
    assert ride.kept.run(f"SELECT count(*) FROM {ride.kept.writes}") == [(1,)]
    ((largest,),) = ride.kept.run("SELECT max(length(checkpoint)) FROM checkpoints")
    assert largest < MAX_BYTES / 10


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


def test_strict_reading_and_no_tracing_hold_from_the_first_import(tmp_path: Path):
    """LangGraph looks at these variables while it is imported, so they are set before it is."""
    program = f"""
import twokey.agents.planner.runner, ormsgpack, os
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
code = ormsgpack.packb(ormsgpack.Ext(1, ormsgpack.packb(("os", "mkdir", ({str(tmp_path / "owned")!r},)))))
JsonPlusSerializer().loads_typed(("msgpack", code))
print(os.environ["LANGSMITH_TRACING"])
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LANG", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"LANGSMITH_TRACING": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "false\n"
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("body", [None, {}, {"tool": "x"}, {"tool": "x", "args": [], "provenance": 1}, []])
def test_a_draft_that_cannot_be_read_is_refused(body: Any):
    with pytest.raises(Refused) as caught:
        read_draft(body)
    assert caught.value.code == "draft_unreadable"


class Pulled:
    """Reins that halt a run, or tell it that it was lost, after a number of looks at them."""

    holder = ""

    def __init__(self, *, halt_at: int = 10_000, lost_at: int = 10_000) -> None:
        self.looks, self.checks = 0, 0
        self.halt_at, self.lost_at = halt_at, lost_at

    @property
    def halted(self) -> bool:
        self.looks += 1
        return self.looks > self.halt_at

    def check(self) -> None:
        self.checks += 1
        if self.checks > self.lost_at:
            raise LeaseLost("Somebody else drives it.", next="Nothing.")


def test_a_run_can_be_halted_at_every_boundary_and_goes_on_from_there(ride: Ride):
    halts = 0
    while True:
        try:
            assert len(ride.drive(reins=Pulled(halt_at=halts))) == 1
        except Halted:
            halts += 1
            assert halts < 60
            continue
        break
    assert halts >= 4
    assert len(ride.desk.proposals()) == 1
    assert ride.kinds().count("run.planned") == 1, "what was done before it was halted is not done again"


def test_a_driver_that_lost_its_run_writes_no_checkpoint_at_any_point(ride: Ride):
    losses = 0
    while True:
        try:
            assert len(ride.drive(reins=Pulled(lost_at=losses))) == 1
        except LeaseLost:
            losses += 1
            assert losses < 100
            continue
        break
    assert losses >= 4
    assert len(ride.desk.proposals()) == 1


def test_a_run_that_is_halted_because_it_was_lost_says_so(ride: Ride):
    class Taken(Pulled):
        @property
        def halted(self) -> bool:
            self.lost_at = 0  # somebody takes the run over just now
            return True

    with pytest.raises(LeaseLost):
        ride.drive(reins=Taken())
