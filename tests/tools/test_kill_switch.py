"""The kill switch: on, nothing is approved and no write begins, in any process; nothing but a proven order lets go."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, text, update
from support import writing_process
from support.bench import WORKSPACE, Bench
from support.command import warm
from support.effort import seconds
from support.notes import (
    KeyedNotes,
    MakeBench,
    approved_note,
    effects,
    note_draft,
    notes_desk,
    proposed_note,
    read_rules,
    target,
)

from twokey.audit import storage
from twokey.audit.log import Log
from twokey.core.errors import LogUnavailable, Refused
from twokey.core.events import ClickRejected, WriteEnded
from twokey.core.lifecycle import State
from twokey.core.values import Resource
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Places
from twokey.tools.gate import WRITE_LEASE_S
from twokey.tools.ledger import Ledger
from twokey.tools.places import PlaceBook


class Died(BaseException):
    """Ends an executor where it stands."""


def edit(bench: Bench, **values: Any) -> None:
    """Change the row of the switch by hand."""
    with bench.engine.begin() as connection:
        connection.execute(update(tables.switches).values(**values))


def remove(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(delete(tables.switches))


def row(bench: Bench) -> dict[str, Any]:
    with bench.engine.connect() as connection:
        return dict(connection.execute(tables.switches.select()).mappings().one())


def refused(bench: Bench, record: ProposalRecord, name: str = "sam") -> str:
    """Give the code with which an approval is refused and recorded."""
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(record, name), channel="cli")
    events = [item.entry.event for item in bench.log.entries(record.id, kind="click.rejected")]
    assert isinstance(events[-1], ClickRejected)
    assert events[-1].code == caught.value.code
    return caught.value.code


def nothing_begins(bench: Bench, record: ProposalRecord, code: str) -> None:
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.APPROVED, code)
    assert effects(target(bench)) == 0
    assert "write.intended" not in bench.kinds(record.id)


# -- what it stops, and what not --------------------------------------------------------------------------------------


def test_while_it_is_on_nothing_is_approved_and_the_refusal_is_recorded(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    assert bench.gate.stopped() is None
    turned = bench.turn(on=True)
    assert (turned.is_on, turned.principal, bench.gate.stopped(), bench.gate.freeze()) == (
        True,
        "sam",
        "frozen",
        turned,
    )
    assert refused(bench, record) == "frozen"
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    bench.turn(on=False)
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED


def test_an_approved_write_waits_and_goes_on_afterwards_without_anybody_being_asked_again(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    bench.turn(on=True)
    nothing_begins(bench, record, "frozen")
    bench.turn(on=False)
    assert bench.gate.execute(record.id).state is State.DONE
    assert bench.kinds(record.id).count("answer.given") == 1
    assert effects(target(bench)) == 1


def test_reading_proposing_refusing_and_withdrawing_go_on(make_notes_once: MakeBench):
    bench = make_notes_once()
    approved = approved_note(bench, name="first")
    bench.turn(on=True)
    desk = notes_desk(bench)
    assert read_rules(desk).result.text == "Be brief."
    record = desk.propose(note_draft(desk), agent="catalog", step=2)
    assert record.state is State.AWAITING_APPROVAL
    assert bench.gate.answer(bench.answer(record, action="refuse"), channel="cli").state is State.REFUSED
    withdrawn = bench.gate.answer(bench.answer(approved, "ana", "withdraw"), channel="cli")
    assert withdrawn.state is State.WITHDRAWN


class Book(PlaceBook):
    """Places of a workspace, where something happens as they are asked for the ``nth`` time."""

    def __init__(self, nth: int, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._left, self._meanwhile = nth, meanwhile

    def places(self, resources: Iterable[Resource]) -> Places:
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
        return super().places(resources)


def test_a_write_that_has_begun_and_whose_tool_was_not_called_is_not_called(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    gate = bench.sibling(book=Book(2, lambda: bench.turn(on=True)))  # first to render again, then after the intent
    result = gate.execute(record.id)
    assert (result.state, result.code) == (State.FAILED, "frozen")
    assert bench.kinds(record.id).count("write.intended") == 1
    (receipt,) = bench.gate.receipts(record)
    assert (receipt.outcome, receipt.code) == ("not_written", "frozen")
    assert effects(target(bench)) == 0
    bench.turn(on=False)
    assert bench.gate.execute(record.id).state is State.FAILED
    assert effects(target(bench)) == 0


def after_the_switch_was_read(bench: Bench, meanwhile: Callable[[], object]) -> None:
    """Let something happen, once, just after somebody has found the switch off."""
    seen: list[str] = []

    def execute(_: object, __: object, statement: str, parameters: object, *more: object) -> None:
        del more
        if "FROM switches" in statement and "freeze.changed" in str(parameters):
            seen.append("")

    def checkin(*_: object) -> None:
        if len(seen) == 1:
            seen.append("")
            meanwhile()

    event.listen(bench.engine, "before_cursor_execute", execute)
    event.listen(bench.engine, "checkin", checkin)


class Hooked:
    """Ids of a bench that let something happen as a writer is named: everything was checked then (port ``Ids``)."""

    def __init__(self, bench: Bench, meanwhile: Callable[[], object]) -> None:
        self._ids, self._meanwhile = bench.ids, meanwhile

    def new(self, prefix: str) -> str:
        if prefix == "x":
            self._meanwhile()
        return self._ids.new(prefix)

    def salt(self) -> str:
        return self._ids.salt()


@pytest.mark.parametrize("late", [False, True])
def test_a_turn_while_a_write_is_being_prepared_stops_it(make_notes: MakeBench, late: bool):
    bench = make_notes()
    record = approved_note(bench)
    if late:
        result = bench.sibling(ids=Hooked(bench, lambda: bench.turn(on=True))).execute(record.id)
    else:
        result = bench.sibling(book=Book(1, lambda: bench.turn(on=True))).execute(record.id)
    assert (result.state, result.code) == (State.APPROVED, "frozen")
    nothing_begins(bench, record, "frozen")


@pytest.mark.parametrize("late", [False, True])
def test_a_turn_while_an_approval_is_being_checked_refuses_it(make_notes: MakeBench, late: bool):
    bench = make_notes()
    record = proposed_note(bench)
    given = bench.answer(record)
    gate = bench.gate
    if late:
        after_the_switch_was_read(bench, lambda: bench.turn(on=True))
    else:
        gate = bench.sibling(book=Book(1, lambda: bench.turn(on=True)))
    with pytest.raises(Refused) as caught:
        gate.answer(given, channel="cli")
    assert caught.value.code == "frozen"
    assert "answer.given" not in bench.kinds(record.id)


def test_finishing_what_somebody_else_began_waits_too(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = approved_note(bench)

    def die() -> None:
        raise Died

    at["before"] = die
    with pytest.raises(Died):
        bench.gate.execute(record.id)
    at.clear()
    bench.turn(on=True)
    bench.clock.advance(WRITE_LEASE_S + 1)
    result = bench.gate.recover(record.id)
    assert (result.state, result.code) == (State.EXECUTING, "waits_to_be_tried_again")
    assert effects(target(bench)) == 0
    bench.turn(on=False)
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.recover(record.id).state is State.DONE
    assert (effects(target(bench)), bench.kinds(record.id).count("write.intended")) == (1, 1)


def test_what_was_written_is_found_even_while_it_is_on(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = approved_note(bench)

    def die() -> None:
        raise Died

    at["after"] = die
    with pytest.raises(Died):
        bench.gate.execute(record.id)
    at.clear()
    bench.turn(on=True)
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.recover(record.id).state is State.DONE


# -- several at once --------------------------------------------------------------------------------------------------


def test_a_turn_in_the_middle_of_an_intent_waits_for_it_and_nothing_begins_after_it(make_notes: MakeBench):
    bench = make_notes()
    record, later = approved_note(bench, name="first"), approved_note(bench, name="later")
    returned, threads = threading.Event(), list[threading.Thread]()
    overtaken: list[bool] = []

    def turn() -> None:
        bench.turn(on=True)
        returned.set()

    def freeze(connection: Connection) -> None:
        if not threads and connection.execute(text("SELECT 1 FROM executions")).first():
            threads.append(threading.Thread(target=turn))
            threads[0].start()
            overtaken.append(returned.wait(0.3))

    event.listen(bench.engine, "commit", freeze)
    try:
        result = bench.gate.execute(record.id)
    finally:
        event.remove(bench.engine, "commit", freeze)
    threads[0].join()
    assert overtaken == [False]
    seen = {item.entry.kind: item.seq for item in bench.log.entries()}
    assert seen["write.intended"] < seen["freeze.changed"]
    assert (result.state, effects(target(bench))) in {(State.DONE, 1), (State.FAILED, 0)}
    assert bench.gate.execute(later.id).code == "frozen"
    assert bench.kinds(later.id).count("write.intended") == 0


def test_another_process_stops_within_a_second_of_its_work(make_notes: MakeBench):
    """However far it got meanwhile, it begins nothing after the switch was turned: by the log, not by a clock."""
    bench = make_notes()
    waiting = [approved_note(bench, name="a" * (number + 1)).id for number in range(12)]
    url, folder = bench.engine.url.render_as_string(hide_password=False), bench.repository.parent
    process = warm().start(Path(writing_process.__file__), folder, url, bench.clock.now_us(), *waiting)
    given = bench.order("sam", "freeze_on")
    first = process.stdout.readline()
    bench.gate.orders.freeze(given, channel="cli", reason="")
    process.stdin.write("go on\n")
    rest = process.finish()
    said = [line.split() for line in (first + rest).splitlines()]
    assert process.returncode == 0
    assert said[0][1] == "written"
    assert said[-1][1] == "frozen"
    assert int(said[-1][2]) - int(said[-2][2]) < seconds(1) * 1e9
    turns = bench.log.entries(kind="freeze.changed")
    intents = bench.log.entries(kind="write.intended")
    assert all(intent.seq < turns[0].seq for intent in intents)
    ended = [item.entry.event for item in bench.log.entries(kind="write.ended")]
    written = [item for item in ended if isinstance(item, WriteEnded) and item.outcome == "written"]
    assert effects(target(bench)) == len(written) < len(waiting)


# -- rows are no authority --------------------------------------------------------------------------------------------


def without_triggers(engine: Engine) -> Connection:
    """What only the owner of the database can do: a connection that may change history."""
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        for table in storage.TABLES.tables:
            connection.execute(text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
    else:
        triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for trigger in triggers:
            connection.execute(text(f'DROP TRIGGER "{trigger}"'))
    return connection


def set_off(bench: Bench) -> None:
    edit(bench, is_on=False)


def set_back(bench: Bench) -> None:
    edit(bench, is_on=False, entry=None, principal=None, reason="", changed_us=0)


def other_entry(bench: Bench) -> None:
    edit(bench, is_on=False, entry="l-zzzzzzzzzzzz")


def other_kind(bench: Bench) -> None:
    edit(bench, is_on=False, entry=bench.log.entries(kind="answer.given")[-1].entry.id)


def old_turn(bench: Bench) -> None:
    first, second, _ = bench.log.entries(kind="freeze.changed")
    assert first.seq < second.seq
    edit(bench, is_on=False, entry=second.entry.id)


def damaged(bench: Bench) -> None:
    edit(bench, is_on=False, entry="l-1")


@pytest.mark.parametrize("attack", [set_off, set_back, remove, other_entry, other_kind, old_turn, damaged])
def test_an_edited_row_starts_nothing(make_notes: MakeBench, attack: Callable[[Bench], None]):
    bench = make_notes()
    record, waits = approved_note(bench, name="first"), proposed_note(bench)
    bench.turn(on=True)
    bench.turn(on=False)
    bench.turn(on=True)
    attack(bench)
    assert bench.gate.stopped() == "freeze_not_proven"
    nothing_begins(bench, record, "freeze_not_proven")
    assert refused(bench, waits) == "freeze_not_proven"
    bench.turn(on=False, name="rita")
    assert bench.gate.execute(record.id).state is State.DONE


def test_a_row_that_says_on_stops_whatever_the_log_says(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    edit(bench, is_on=True)
    nothing_begins(bench, record, "frozen")


def test_a_freeze_that_was_only_in_the_row_is_put_into_the_log_by_who_turns_it(make_notes_once: MakeBench):
    """Else whoever forged the row could take it back after a person was told that writes are stopped."""
    bench = make_notes_once()
    record = approved_note(bench)
    edit(bench, is_on=True)
    bench.turn(on=True)
    assert len(bench.log.entries(kind="freeze.changed")) == 1
    set_back(bench)
    nothing_begins(bench, record, "freeze_not_proven")


def test_a_freeze_whose_entry_was_hidden_is_seen_by_what_was_proposed_before_it(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record, begun = approved_note(bench), approved_note(bench, name="begun")

    def die() -> None:
        raise Died

    at["before"] = die
    with pytest.raises(Died):
        bench.gate.execute(begun.id)
    at.clear()
    bench.turn(on=True)
    with without_triggers(bench.engine) as connection:
        connection.execute(text("UPDATE log_entries SET subject = '-' WHERE kind = 'freeze.changed'"))
        connection.commit()
    set_back(bench)
    assert bench.gate.stopped() is None
    nothing_begins(bench, record, "freeze_not_proven")
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.recover(begun.id).code == "waits_to_be_tried_again"
    assert effects(target(bench)) == 0


def test_a_turn_that_no_checkpoint_covers_yet_lets_nothing_go_on(make_notes: MakeBench):
    """Whoever turned it has no key to sign with, and was killed while it waited for who has."""
    bench = make_notes()
    record = approved_note(bench)
    bench.turn(on=True)
    key = bench.log_key.writer("gate")
    log = Log(bench.engine, workspace=WORKSPACE, clock=bench.clock, ids=bench.ids, key=key)
    other = bench.sibling(ledger=Ledger(bench.engine, log, bench.ids, cover_timeout_s=0.05))
    bench.clock.advance(1)
    with pytest.raises(LogUnavailable):
        other.orders.freeze(bench.order("sam", "freeze_off"), channel="cli", reason="")
    assert row(bench)["is_on"] is False
    nothing_begins(bench, record, "freeze_not_proven")
    bench.ledger.catch_up()
    assert bench.gate.execute(record.id).state is State.DONE


def test_an_entry_that_was_put_into_the_index_by_hand_lets_nothing_go_on(make_notes: MakeBench):
    """An old order and its entry, repeated under a new name behind the last checkpoint."""
    bench = make_notes()
    record = approved_note(bench)
    bench.turn(on=True)
    bench.turn(on=False)
    bench.turn(on=True)
    with without_triggers(bench.engine) as connection:
        table = storage.ENTRIES
        rows = connection.execute(table.select().order_by(table.c.seq)).mappings().all()
        old = next(row for row in rows if row["id"] == bench.log.entries(kind="freeze.changed")[1].entry.id)
        body = old["body"].replace(old["id"].encode(), b"l-zzzzzzzzzzzz")
        forged = dict(old) | {"seq": rows[-1]["seq"] + 1, "id": "l-zzzzzzzzzzzz", "body": body}
        connection.execute(table.insert().values(**forged))
        connection.commit()
    edit(bench, is_on=False, entry="l-zzzzzzzzzzzz")
    assert bench.gate.stopped() == "freeze_not_proven"
    assert bench.gate.execute(record.id).code == "freeze_not_proven"
    assert effects(target(bench)) == 0


def test_a_switch_whose_row_is_gone_when_a_write_begins_stops_it(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    result = bench.sibling(ids=Hooked(bench, lambda: remove(bench))).execute(record.id)
    assert (result.state, result.code) == (State.APPROVED, "freeze_not_proven")
    with bench.engine.begin() as connection:
        connection.execute(insert(tables.switches).values(name="freeze", is_on=False, reason="", changed_us=0))
    assert bench.gate.execute(record.id).state is State.DONE
