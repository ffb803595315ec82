"""LangGraph's traps around answers: what an approval is for, who gave it, and whether it is missed.

Each trap closes on the naive agent first, so that the test beside it means something.
"""

from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from support.bench import Bench, FixedClock
from support.naive import Naive, Notebook, thread, turn
from support.notes import approved_note, note_draft, notes, notes_desk, notes_policy, proposed_note, target
from support.ride import Ride

from twokey.agents.planner.graph import build as build_graph
from twokey.core.errors import CheckFailed, Refused
from twokey.core.lifecycle import State

YES: Any = Command(resume=True)


# -- 1: a bare resume approves whatever waits now -----------------------------------------------------------------


def test_01_naive_a_bare_resume_approves_a_changed_action(notebook: Notebook):
    with notebook.saver() as saver:
        graph = notebook.graph(saver)
        (shown,) = turn(graph, {"action": "pay 10"}).interrupts
        assert shown.value == {"action": "pay 10"}
        turn(graph, {"action": "pay 10000"})
        turn(graph, YES)
    assert notebook.lines() == ["pay 10000"]


def test_01_twokey_an_answer_is_for_the_bytes_that_were_shown(ride: Ride, bench: Bench):
    ride.drive()
    assert len(ride.invoke(YES).interrupts) == 1
    assert ride.proposal().state is State.AWAITING_APPROVAL
    shown, changed = proposed_note(bench, text="Pay 10."), proposed_note(bench, text="Pay 10000.")
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(shown, proposal=changed.id), channel="cli")
    assert bench.gate.find(changed.id).state is State.AWAITING_APPROVAL
    assert bench.gate.execute(changed.id).state is State.AWAITING_APPROVAL
    assert notes(target(bench)) == []


# -- 3: an approval forged by updating the state -------------------------------------------------------------------


def test_03_naive_an_updated_state_forges_an_approval(notebook: Notebook):
    with notebook.saver() as saver:
        graph = notebook.graph(saver)
        turn(graph, {"action": "drop"})
        graph.update_state(thread(), {"approval": True}, as_node="gate")
        turn(graph, None)
    assert notebook.lines() == ["drop"], "and nobody was asked"


def test_03_twokey_an_updated_state_approves_nothing(ride: Ride):
    ride.drive()
    for node in ("wait", "propose"):
        with ride.kept.sealed() as saver:
            build_graph(saver).update_state(ride.config, {"proposals": []}, as_node=node)
        ride.drive()
        assert ride.proposal().state is State.AWAITING_APPROVAL
    assert ride.bench.gate.execute(ride.proposal().id).state is State.AWAITING_APPROVAL
    assert ride.bench.branches() == []
    with ride.kept.raw() as saver:  # the same by somebody who has the database and not the key
        build_graph(saver).update_state(ride.config, {"proposals": []}, as_node="wait")
    with pytest.raises(CheckFailed) as caught:
        ride.drive()
    assert caught.value.code == "checkpoint_tampered"


# -- 5: an approval that stays in the state ------------------------------------------------------------------------


def test_05_naive_an_approval_left_in_the_state_authorises_the_next_action(notebook: Notebook):
    def ask_once(state: Naive) -> Naive:
        return {} if state.get("approval") else {"approval": bool(interrupt({"action": state.get("action")}))}

    with notebook.saver() as saver:
        graph = notebook.graph(saver, gate=ask_once)
        turn(graph, {"action": "read"})
        turn(graph, YES)
        assert turn(graph, {"action": "drop"}).interrupts == ()
    assert notebook.lines() == ["read", "drop"]


def test_05_twokey_an_approval_is_used_up_by_its_write(bench: Bench):
    desk = notes_desk(bench)
    first = desk.propose(note_draft(desk), agent="catalog", step=2)
    bench.gate.answer(bench.answer(first), channel="cli")
    assert bench.gate.execute(first.id).state is State.DONE
    second = desk.propose(note_draft(desk, name="other", text="Drop it."), agent="catalog", step=3)
    assert second.state is State.AWAITING_APPROVAL
    assert bench.gate.execute(second.id).state is State.AWAITING_APPROVAL
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(first, proposal=second.id), channel="cli")
    assert notes(target(bench)) == ["Good morning."]


# -- 7: an exception handler that swallows the pause ---------------------------------------------------------------


def test_07_naive_a_handler_around_the_question_swallows_it(notebook: Notebook):
    def ask_carefully(state: Naive) -> Naive:
        try:
            if not interrupt({"action": state.get("action")}):
                return {"approval": False}
        except Exception:  # noqa: BLE001 - the trap itself: the pause is an exception
            notebook.add("something went wrong, going on")
        return {"approval": True}

    with notebook.saver() as saver:
        assert turn(notebook.graph(saver, gate=ask_carefully), {"action": "drop"}).interrupts == ()
    assert notebook.lines() == ["something went wrong, going on", "drop"]


def test_07_twokey_whoever_swallows_the_pause_has_no_approval(bench: Bench):
    """An agent that runs on past its pause finds nothing on its desk that writes, and the gate has no answer."""
    desk = notes_desk(bench)
    swallowed: list[str] = []

    def run_on(state: Naive) -> Naive:
        record = desk.propose(note_draft(desk), agent="catalog", step=2)
        try:
            interrupt({"proposals": [record.id]})
        except Exception:  # noqa: BLE001 - the trap itself
            swallowed.append(bench.gate.execute(record.id).state.value)
        return state

    graph: StateGraph[Naive, None, Naive, Naive] = StateGraph(Naive)
    graph.add_node("run_on", run_on)
    graph.add_edge(START, "run_on")
    assert not any(hasattr(desk, name) for name in ("approve", "answer", "execute", "write", "apply"))
    with Notebook(target(bench).parent).saver() as saver:
        assert turn(graph.compile(checkpointer=saver), {"action": "drop"}).interrupts == ()
    assert swallowed == ["awaiting_approval"]
    assert notes(target(bench)) == []


# -- 11: new input drops what waits --------------------------------------------------------------------------------


def test_11_naive_new_input_drops_the_pending_approval(notebook: Notebook):
    with notebook.saver() as saver:
        graph = notebook.graph(saver)
        (waiting,) = turn(graph, {"action": "fix the outage"}).interrupts
        (other,) = turn(graph, {"action": "tidy up"}).interrupts
        assert other.id != waiting.id
        assert [pause.id for pause in graph.get_state(thread()).interrupts] == [other.id]
        turn(graph, Command(resume={other.id: False}))
        assert graph.get_state(thread()).next == ()
    assert notebook.lines() == [], "the fix is forgotten, and nobody refused it"


def test_11_twokey_new_input_drops_nothing_that_waits(ride: Ride):
    ride.drive()
    before = ride.proposal()
    ride.invoke({"run": ride.desk.run, "position": 0, "proposals": []})
    assert ride.proposal() == before, "it waits as it did, and there is one"
    ride.answer()
    ride.write()
    assert ride.drive() == ()
    assert ride.proposal().state is State.DONE


# -- 14: a question that is asked under a condition ----------------------------------------------------------------


def test_14_naive_a_rejected_action_runs_when_the_condition_flips(notebook: Notebook):
    """What HumanInTheLoopMiddleware does with ``when``: it is looked at again when the node runs again."""
    office_hours = [False]

    def ask_at_night(state: Naive) -> Naive:
        if office_hours[0]:
            return {"approval": True}
        return {"approval": bool(interrupt({"action": state.get("action")}))}

    with notebook.saver() as saver:
        graph = notebook.graph(saver, gate=ask_at_night)
        (waiting,) = turn(graph, {"action": "drop"}).interrupts
        office_hours[0] = True
        turn(graph, Command(resume={waiting.id: False}))
    assert notebook.lines() == ["drop"], "a person said no"


def test_14_twokey_a_refusal_stands_whatever_the_policy_says_later(bench: Bench, clock: FixedClock):
    record = proposed_note(bench)
    bench.gate.answer(bench.answer(record, action="refuse"), channel="cli")
    bench.policy.policy = notes_policy(expires_s=7200)  # another policy, another decision
    clock.advance(1)
    assert bench.gate.execute(record.id).state is State.REFUSED
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(record, "kim"), channel="cli")
    other = approved_note(bench, name="other")
    bench.policy.policy = notes_policy()
    assert bench.gate.execute(other.id).state is not State.DONE, "nor does an approval outlive its decision"
    assert notes(target(bench)) == []
