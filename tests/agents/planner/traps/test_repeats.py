"""LangGraph's traps around doing things twice: races, replays, retries, caches, and code that runs again.

Each trap closes on the naive agent first, so that the test beside it means something.
"""

import threading
from collections.abc import Callable

import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.types import Command, RetryPolicy, interrupt
from support.bench import Bench
from support.naive import Hooks, Naive, Notebook, thread, turn
from support.notes import approved_note, effects, notes, target
from support.ride import Ride

from twokey.agents.planner.graph import build as build_graph
from twokey.core.lifecycle import State
from twokey.tools.steps import Result

PATIENCE_S = 120


# -- 2: two workers resume one thread ------------------------------------------------------------------------------


def test_02_naive_two_workers_that_resume_one_thread_write_twice(notebook: Notebook):
    at: Hooks = {}
    with notebook.saver() as saver:
        (waiting,) = turn(notebook.graph(saver), {"action": "pay"}).interrupts
    barrier = threading.Barrier(2)
    at["gate"] = at["write"] = lambda: barrier.wait(PATIENCE_S)

    def resume() -> None:
        with notebook.saver() as saver:
            turn(notebook.graph(saver, at=at), Command(resume={waiting.id: True}))

    workers = [threading.Thread(target=resume) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_S)
    assert notebook.lines() == ["pay", "pay"]


def test_02_twokey_of_two_workers_one_writes(bench: Bench, at: dict[str, Callable[[], None]]):
    record = approved_note(bench, "trace_note")
    writing, go_on = threading.Event(), threading.Event()
    results: list[Result] = []

    def hold() -> None:
        writing.set()
        assert go_on.wait(PATIENCE_S)

    at["before"] = hold
    worker = threading.Thread(target=lambda: results.append(bench.gate.execute(record.id)))
    worker.start()
    assert writing.wait(PATIENCE_S)
    second = bench.gate.execute(record.id)
    go_on.set()
    worker.join(PATIENCE_S)
    assert (second.state, second.code) == (State.EXECUTING, "another_executor")
    assert [result.state for result in results] == [State.DONE]
    assert effects(target(bench)) == 1


# -- 4: replaying from an old checkpoint ---------------------------------------------------------------------------


def test_04_naive_a_replay_repeats_the_write(notebook: Notebook):
    with notebook.saver() as saver:
        graph = notebook.graph(saver)
        turn(graph, {"action": "pay"})
        turn(graph, Command(resume=True))
        (before,) = [found for found in graph.get_state_history(thread()) if found.next == ("write",)]
        turn(graph, None, before.config)
    assert notebook.lines() == ["pay", "pay"]


def test_04_twokey_a_replay_from_any_checkpoint_repeats_nothing(ride: Ride):
    ride.drive()
    ride.answer()
    ride.write()
    assert ride.drive() == ()
    branches, done = ride.bench.branches(), ride.proposal()
    with ride.kept.sealed() as saver:
        history = [found.config for found in saver.list(ride.config)]
    assert len(history) == 8
    for config in history:
        assert ride.invoke(None, config).interrupts == ()
    assert ride.proposal() == done
    assert ride.bench.branches() == branches
    assert [ride.kinds().count(kind) for kind in ("answer.given", "write.intended", "write.ended")] == [1, 1, 1]


# -- 8: a cached node ----------------------------------------------------------------------------------------------


def test_08_naive_a_cached_gate_reuses_the_answer_of_another_thread(notebook: Notebook):
    with notebook.saver() as saver:
        graph = notebook.graph(saver, cache=InMemoryCache())
        turn(graph, {"action": "pay"}, thread("one"))
        turn(graph, Command(resume=True), thread("one"))
        assert turn(graph, {"action": "pay"}, thread("two")).interrupts == ()
    assert notebook.lines() == ["pay", "pay"]


def test_08_twokey_the_same_request_is_asked_about_again(make_ride: Callable[[], Ride]):
    first, second = make_ride(), make_ride()
    first.drive()
    first.answer()
    first.write()
    assert first.drive() == ()
    assert len(second.drive()) == 1
    assert second.proposal().state is State.AWAITING_APPROVAL
    assert second.bench.gate.execute(second.proposal().id).state is State.AWAITING_APPROVAL
    with second.kept.sealed() as saver:
        graph = build_graph(saver)
    assert graph.cache is None
    assert not any(node.cache_policy for node in graph.nodes.values())


# -- 9: retries ----------------------------------------------------------------------------------------------------


def test_09_naive_a_retry_repeats_the_write(notebook: Notebook):
    def lose_the_answer() -> None:
        raise ConnectionError("the answer was lost")

    retry = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
    with notebook.saver() as saver:
        graph = notebook.graph(saver, at={"written": lose_the_answer}, retry=retry)
        turn(graph, {"action": "pay"})
        with pytest.raises(ConnectionError):
            turn(graph, Command(resume=True))
    assert notebook.lines() == ["pay", "pay", "pay"]


def test_09_twokey_a_write_whose_answer_is_lost_is_looked_up_and_not_repeated(
    ride: Ride, bench: Bench, at: dict[str, Callable[[], None]]
):
    def lose_the_answer() -> None:
        raise ConnectionError("the answer was lost")

    at["after"] = lose_the_answer
    record = approved_note(bench, "trace_note")
    first = bench.gate.execute(record.id)
    assert bench.gate.execute(record.id).state is first.state
    assert first.state in {State.DONE, State.UNKNOWN}, "it is known, or a person is asked"
    assert effects(target(bench)) == 1
    assert bench.kinds(record.id).count("write.intended") == 1
    with ride.kept.sealed() as saver:
        graph = build_graph(saver)
    assert not any(node.retry_policy for node in graph.nodes.values())
    assert not graph.retry_policy


# -- 10: code before the question runs again -----------------------------------------------------------------------


def test_10_naive_what_stands_before_the_question_is_done_again(notebook: Notebook):
    def post_and_ask(state: Naive) -> Naive:
        notebook.add("please look")
        return {"approval": bool(interrupt({"action": state.get("action")}))}

    with notebook.saver() as saver:
        graph = notebook.graph(saver, gate=post_and_ask)
        turn(graph, {"action": "pay"})
        turn(graph, Command(resume=True))
    assert notebook.lines() == ["please look", "please look", "pay"]


def test_10_twokey_a_run_that_is_nudged_proposes_and_asks_once(ride: Ride):
    ride.drive()
    before, entries = ride.proposal(), ride.kinds()
    for _ in range(3):
        assert len(ride.drive()) == 1
    assert ride.proposal() == before
    assert ride.kinds() == entries, "nothing was read, proposed or asked again"


def test_notes_are_read_as_somebody_finds_them(bench: Bench):
    """The control of the controls: an approved note is written, so an empty folder above means that none was."""
    record = approved_note(bench)
    assert bench.gate.execute(record.id).state is State.DONE
    assert notes(target(bench)) == ["Good morning."]
