"""A write whose executor died, stopped or was too slow: at most one effect, and nothing said that is not known."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text, update
from support import note_process
from support.bench import Bench
from support.command import warm
from support.notes import (
    BlindNotes,
    HalvedNotes,
    KeyedNotes,
    MakeBench,
    NoteWriter,
    TracedNotes,
    approved_note,
    effects,
    notes,
    notes_policy,
    proposed_note,
    target,
)
from support.warm import Started

from twokey.core.errors import NotFound, Refused
from twokey.core.events import WriteEnded
from twokey.core.lifecycle import State
from twokey.core.values import Call, Decision, Principal
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import Rules
from twokey.tools.gate import WRITE_LEASE_S, Gate
from twokey.tools.registry import Registry
from twokey.tools.steps import Steps

KINDS: dict[str, type[NoteWriter]] = {"keyed": KeyedNotes, "reconcilable": TracedNotes, "neither": BlindNotes}


class Died(BaseException):
    """Ends an executor where it stands, as the end of its process does: nothing of Twokey catches it."""


def die() -> None:
    raise Died


def interrupted(bench: Bench, at: dict[str, Callable[[], None]], step: str, tool: str) -> ProposalRecord:
    """A note whose executor died at ``step``; the next one is not hurt."""
    record = approved_note(bench, tool)
    at[step] = die
    with pytest.raises(Died):
        bench.gate.execute(record.id)
    at.clear()
    found = bench.gate.find(record.id)
    assert found.state is State.EXECUTING
    return found


def receipts(bench: Bench, record: ProposalRecord) -> list[tuple[str, str]]:
    events = [item.entry.event for item in bench.log.entries(record.id, kind="write.ended")]
    return [(event.outcome, event.code) for event in events if isinstance(event, WriteEnded)]


def lease_over(bench: Bench) -> None:
    bench.clock.advance(WRITE_LEASE_S + 1)


def test_what_was_cut_off_half_way_is_completed(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([HalvedNotes(at)])
    record = interrupted(bench, at, "between", "write_note")
    lease_over(bench)
    assert bench.gate.recover(record.id).state is State.DONE
    assert effects(target(bench)) == 1
    assert receipts(bench, record) == [("written", "written")]


# -- what a takeover does -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["execute", "recover"])
def test_nobody_takes_over_while_the_lease_runs(make_notes: MakeBench, call: str):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    result = getattr(bench.gate, call)(record.id)
    assert (result.state, result.code) == (State.EXECUTING, "another_executor")
    assert effects(target(bench)) == 0


@pytest.mark.parametrize(
    ("kind", "step", "state", "code", "count"),
    [
        ("keyed", "before", State.DONE, "written", 1),
        ("keyed", "after", State.DONE, "written", 1),
        ("reconcilable", "before", State.UNKNOWN, "written_not_found", 0),
        ("reconcilable", "after", State.DONE, "written", 1),
        ("neither", "before", State.UNKNOWN, "written_not_found", 0),
        ("neither", "after", State.UNKNOWN, "written_not_found", 1),
    ],
)
def test_a_takeover_looks_first_and_applies_again_only_what_is_keyed(
    make_notes: MakeBench, kind: str, step: str, state: State, code: str, count: int
):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KINDS[kind](at)])
    record = interrupted(bench, at, step, KINDS[kind].name)
    lease_over(bench)
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (state, code)
    assert effects(target(bench)) == count
    assert bench.kinds(record.id).count("write.intended") == 1
    assert len(receipts(bench, record)) == 1
    again = bench.gate.recover(record.id)
    assert (again.state, effects(target(bench))) == (state, count)


def test_something_else_in_the_place_of_the_write_is_left_alone(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    (target(bench) / "hello.other").write_text("Not yours.")
    lease_over(bench)
    assert bench.gate.recover(record.id).code == "target_differs"
    assert notes(target(bench)) == ["Not yours."]


def test_a_takeover_never_says_that_nothing_was_written(make_notes_once: MakeBench):
    """The first executor may only have been slow, and write after all."""

    def refuse() -> None:
        raise Refused("No.", next="No.", code="name_taken")

    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    at["before"] = refuse
    lease_over(bench)
    result = bench.gate.recover(record.id)
    assert (result.state, result.code) == (State.UNKNOWN, "name_taken")


def test_a_takeover_that_cannot_look_is_unknown(make_notes_once: MakeBench):
    def fail() -> None:
        raise ValueError

    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    at["look"] = fail
    lease_over(bench)
    assert bench.gate.recover(record.id).code == "cannot_reconcile"
    assert effects(target(bench)) == 0


def test_a_second_takeover_follows_one_that_died(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    at["after"] = die
    with pytest.raises(Died):
        bench.gate.recover(record.id)
    at.clear()
    assert bench.gate.recover(record.id).code == "another_executor"
    lease_over(bench)
    assert bench.gate.recover(record.id).state is State.DONE
    assert effects(target(bench)) == 1


def test_the_lease_is_longer_than_the_tools_own_timeout(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}

    class Slow(KeyedNotes):
        limits = KeyedNotes.limits.__class__(timeout_s=3600)

    bench = make_notes_once([Slow(at)])
    record = interrupted(bench, at, "before", "write_note")
    bench.clock.advance(3600)
    assert bench.gate.recover(record.id).code == "another_executor"
    bench.clock.advance(61)
    assert bench.gate.recover(record.id).state is State.DONE


@pytest.mark.parametrize("state", [State.AWAITING_APPROVAL, State.APPROVED, State.DONE])
def test_there_is_nothing_to_recover_where_nothing_is_under_way(make_notes_once: MakeBench, state: State):
    bench = make_notes_once()
    record = proposed_note(bench) if state is State.AWAITING_APPROVAL else approved_note(bench)
    if state is State.DONE:
        bench.gate.execute(record.id)
    count = effects(target(bench))
    assert bench.gate.recover(record.id).state is state
    assert effects(target(bench)) == count


# -- what must still hold before it applies again -----------------------------------------------------------------


def expire(bench: Bench) -> None:
    bench.clock.advance(24 * 3600)


def leave_group(bench: Bench) -> None:
    bench.people.people["sam"] = Principal(name="sam", groups=(), key=bench.keys["sam"].public)


def leave(bench: Bench) -> None:
    del bench.people.people["ana"]


def change_policy(bench: Bench) -> None:
    bench.policy.policy = notes_policy(expires_s=86399)


def move_target(bench: Bench) -> None:
    (target(bench) / "EDITION").write_text("2")


def drop_evidence(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(text("DELETE FROM evidence"))


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        (expire, "expired"),
        (leave_group, "quorum_lost"),
        (leave, "requester_unknown"),
        (change_policy, "changed_decision"),
        (move_target, "changed_rendering"),
        (drop_evidence, "changed_evidence"),
    ],
)
def test_what_would_stop_a_write_stops_a_second_try(
    make_notes_once: MakeBench, meanwhile: Callable[[Bench], None], code: str
):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    meanwhile(bench)
    result = bench.gate.recover(record.id)
    assert (result.state, result.code) == (State.UNKNOWN, code)
    assert effects(target(bench)) == 0


@pytest.mark.parametrize(
    "meanwhile", [expire, leave_group, leave, change_policy, move_target, drop_evidence], ids=lambda item: item.__name__
)
def test_what_was_written_is_found_whatever_has_changed(make_notes_once: MakeBench, meanwhile: Callable[[Bench], None]):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "after", "write_note")
    lease_over(bench)
    meanwhile(bench)
    assert bench.gate.recover(record.id).state is State.DONE


def with_tools(bench: Bench, *tools: NoteWriter) -> Gate:
    """The same gate in a process with other tools."""
    steps = Steps(
        ledger=bench.ledger,
        policy=bench.policy,
        registry=Registry(tools),
        directory=bench.people,
        clock=bench.clock,
        book=bench.book,
    )
    return Gate(steps, ids=bench.ids, rules=bench.rules)


class Newer(KeyedNotes):
    version = "2"


def test_another_version_of_the_tool_finishes_nothing(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    assert with_tools(bench, Newer()).recover(record.id).code == "changed_tool"
    assert effects(target(bench)) == 0


def test_another_version_of_the_tool_writes_nothing_that_the_first_rendered(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    result = with_tools(bench, Newer()).execute(record.id)
    assert (result.state, result.code) == (State.SUPERSEDED, "changed_tool")
    assert effects(target(bench)) == 0


def test_a_process_without_the_tool_leaves_the_write_to_others(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    with pytest.raises(NotFound):
        with_tools(bench).recover(record.id)
    assert bench.gate.recover(record.id).state is State.DONE


# -- rows are no authority ----------------------------------------------------------------------------------------


def test_a_started_write_without_its_row_is_unknown(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    with bench.engine.begin() as connection:
        connection.execute(text("DELETE FROM executions"))
    result = bench.gate.recover(record.id)
    assert (result.state, result.code) == (State.UNKNOWN, "execution_lost")
    assert effects(target(bench)) == 0


def forge(connection: Connection, record: ProposalRecord, intent: str) -> None:
    row = {"proposal": record.id, "executor": "x-zzzzzzzzzzzz", "intent": intent, "lease_until_us": 1, "started_us": 0}
    connection.execute(insert(tables.executions).values(**row))
    mine = tables.proposals.c.id == record.id
    connection.execute(update(tables.proposals).where(mine).values(state="executing"))


@pytest.mark.parametrize("approve", [False, True])
def test_a_started_write_that_was_forged_is_unknown_and_applies_nothing(make_notes: MakeBench, approve: bool):
    bench = make_notes()
    record = approved_note(bench) if approve else proposed_note(bench)
    with bench.engine.begin() as connection:
        forge(connection, record, "l-zzzzzzzzzzzz")
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.UNKNOWN, "intent_not_proven")
    assert effects(target(bench)) == 0


def test_the_intent_of_another_write_is_no_intent(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    first = interrupted(bench, at, "before", "write_note")
    (intent,) = bench.log.entries(first.id, kind="write.intended")
    second = proposed_note(bench, name="other")
    with bench.engine.begin() as connection:
        forge(connection, second, intent.entry.id)
    assert bench.gate.execute(second.id).code == "intent_not_proven"
    assert effects(target(bench)) == 0


def test_a_finished_write_set_back_to_executing_is_not_done_again(make_notes: MakeBench):
    """Somebody undid the write on purpose; whoever edits the row does not get it back."""
    bench = make_notes()
    record = approved_note(bench)
    bench.gate.execute(record.id)
    for path in target(bench).glob("hello.*"):
        path.unlink()
    with bench.engine.begin() as connection:
        connection.execute(update(tables.executions).values(lease_until_us=1))
        connection.execute(update(tables.proposals).values(state="executing"))
    with pytest.raises(Refused) as caught:
        bench.gate.execute(record.id)
    assert caught.value.code == "used_before"
    assert notes(target(bench)) == []


def test_a_lease_that_was_cut_short_by_hand_leads_to_one_effect(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    others: list[State] = []

    def meanwhile() -> None:
        at.clear()
        with bench.engine.begin() as connection:
            connection.execute(update(tables.executions).values(lease_until_us=1))
        others.append(bench.gate.recover(record.id).state)

    record = approved_note(bench)
    at["before"] = meanwhile
    assert bench.gate.execute(record.id).state is State.DONE
    assert others == [State.DONE]
    assert len(notes(target(bench))) == 1
    assert receipts(bench, record) == [("written", "written"), ("written", "written")]


# -- somebody else at the same moment -----------------------------------------------------------------------------


def test_two_that_recover_at_once_are_one(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    barrier = threading.Barrier(4)
    results: list[tuple[str, str]] = []

    def run() -> None:
        barrier.wait()
        result = bench.gate.recover(record.id)
        results.append((result.state.value, result.code))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ("done", "written") in results
    assert set(results) <= {("done", "written"), ("executing", "another_executor"), ("done", "another_executor")}
    assert effects(target(bench)) == 1
    assert len(receipts(bench, record)) == 1


class Hooked:
    """Ids of a bench that let something happen as the next ``x-`` or ``l-`` is drawn (port ``Ids``)."""

    def __init__(self, bench: Bench, prefix: str, meanwhile: Callable[[], Any]) -> None:
        self._ids, self._prefix, self._meanwhile = bench.ids, prefix, meanwhile

    def new(self, prefix: str) -> str:
        if prefix == self._prefix:
            self._prefix = ""
            self._meanwhile()
        return self._ids.new(prefix)

    def salt(self) -> str:
        return self._ids.salt()


def gate_of(bench: Bench, ids: Hooked) -> Gate:
    steps = Steps(
        ledger=bench.ledger,
        policy=bench.policy,
        registry=bench.registry,
        directory=bench.people,
        clock=bench.clock,
        book=bench.book,
    )
    return Gate(steps, ids=ids, rules=Rules(workspace=bench.rules.workspace, demo=False))


def test_whoever_takes_over_second_sees_that_it_is_done(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    late = gate_of(bench, Hooked(bench, "x", lambda: bench.gate.recover(record.id)))
    assert late.recover(record.id).code == "another_executor"
    assert (bench.gate.find(record.id).state, effects(target(bench))) == (State.DONE, 1)


def test_a_kill_switch_that_is_turned_while_a_takeover_checks_again_is_minded(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    real = bench.policy.policy

    class Meanwhile:
        def decide(self, call: Call) -> Decision:
            bench.policy.policy = real
            bench.turn(on=True)
            return real.decide(call)

    bench.policy.policy = Meanwhile()
    assert bench.gate.recover(record.id).state is State.EXECUTING
    assert effects(target(bench)) == 0
    bench.turn(on=False)
    lease_over(bench)
    assert bench.gate.recover(record.id).state is State.DONE
    assert effects(target(bench)) == 1


def test_whoever_takes_over_second_sees_that_it_is_taken(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)

    def take() -> None:
        at["before"] = die
        with pytest.raises(Died):
            bench.gate.recover(record.id)
        at.clear()

    assert gate_of(bench, Hooked(bench, "x", take)).recover(record.id).code == "another_executor"
    assert effects(target(bench)) == 0


def test_two_that_find_no_row_leave_one_receipt(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = interrupted(bench, at, "before", "write_note")
    lease_over(bench)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.executions).values(intent="l-zzzzzzzzzzzz"))
    late = gate_of(bench, Hooked(bench, "x", lambda: bench.gate.recover(record.id)))
    assert late.recover(record.id).state is State.UNKNOWN
    assert receipts(bench, record) == [("unknown", "intent_not_proven")]


def test_a_withdrawal_at_the_last_moment_is_in_time(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)

    def withdraw() -> None:
        bench.gate.answer(bench.answer(record, "ana", "withdraw"), channel="cli")

    result = gate_of(bench, Hooked(bench, "x", withdraw)).execute(record.id)
    assert (result.state, result.code) == (State.WITHDRAWN, "another_executor")
    assert effects(target(bench)) == 0


def test_whoever_finds_the_write_begun_by_somebody_else_does_not_begin_it(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    real = bench.policy.policy

    class Meanwhile:
        def decide(self, call: Call) -> Decision:
            bench.policy.policy = real
            bench.gate.execute(record.id)
            return real.decide(call)

    bench.policy.policy = Meanwhile()
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.DONE, "another_executor")
    assert effects(target(bench)) == 1


def test_an_executor_whose_intent_took_longer_than_its_lease_does_not_write(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)

    def stall(connection: Connection) -> None:
        if connection.execute(select(tables.executions)).first():
            bench.clock.advance(WRITE_LEASE_S + 1)

    event.listen(bench.engine, "commit", stall)
    result = bench.gate.execute(record.id)
    event.remove(bench.engine, "commit", stall)
    assert (result.state, result.code) == (State.EXECUTING, "another_executor")
    assert effects(target(bench)) == 0
    lease_over(bench)
    assert bench.gate.execute(record.id).state is State.DONE
    assert effects(target(bench)) == 1


# -- processes that are killed or held ----------------------------------------------------------------------------


def start(bench: Bench, record: ProposalRecord, *fault: str) -> Started:
    """Execute in another process, at the bench's time; ``fault`` is a step of the tool and a signal."""
    url = bench.engine.url.render_as_string(hide_password=False)
    arguments = (bench.repository.parent, url, record.id, bench.clock.now_us(), *fault)
    return warm().start(Path(note_process.__file__), *arguments)


def ended(process: Started) -> tuple[int | None, str]:
    output = process.finish()
    return process.returncode, output.strip()


@pytest.mark.parametrize(
    ("kind", "step", "said", "count"),
    [
        ("keyed", "before", "done written", 1),
        ("keyed", "after", "done written", 1),
        ("reconcilable", "before", "unknown written_not_found", 0),
        ("reconcilable", "after", "done written", 1),
    ],
)
def test_a_killed_process_is_followed_by_another_and_the_effect_is_there_once_at_most(
    make_notes: MakeBench, kind: str, step: str, said: str, count: int
):
    bench = make_notes()
    record = approved_note(bench, KINDS[kind].name)
    assert ended(start(bench, record, step, "SIGKILL")) == (-signal.SIGKILL, "")
    assert effects(target(bench)) == (1 if step == "after" else 0)
    assert bench.gate.execute(record.id).code == "another_executor"
    lease_over(bench)
    assert ended(start(bench, record)) == (0, said)
    assert effects(target(bench)) == count
    assert bench.kinds(record.id).count("write.intended") == 1
    assert bench.log.verify().ok


@pytest.mark.parametrize(
    ("kind", "state", "seen"),
    [
        ("keyed", State.DONE, [("written", "written"), ("written", "written")]),
        ("reconcilable", State.UNKNOWN, [("unknown", "written_not_found"), ("written", "written")]),
    ],
)
def test_an_executor_that_was_only_held_adds_no_second_effect_and_leaves_its_receipt(
    make_notes: MakeBench, kind: str, state: State, seen: list[tuple[str, str]]
):
    bench = make_notes()
    record = approved_note(bench, KINDS[kind].name)
    process = start(bench, record, "before", "SIGSTOP")
    process.wait_stopped()
    lease_over(bench)
    assert bench.gate.recover(record.id).state is state
    process.send_signal(signal.SIGCONT)
    code, said = ended(process)
    assert (code, said.split()[0]) == (0, state.value)
    assert len(notes(target(bench))) == 1
    assert notes(target(bench))[0].count("Good morning.") == 1
    assert receipts(bench, record) == seen
    assert bench.gate.find(record.id).state is state
