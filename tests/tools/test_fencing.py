"""Fencing: who lost a run changes nothing for it, however late it wakes up."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bench import Bench, CountingIds, FixedClock, build

from twokey.core.errors import LeaseLost
from twokey.core.events import StepStarted
from twokey.store import runs
from twokey.tools.fencing import FencedLedger

ME, OTHER = "x-000000000001", "x-000000000002"


@pytest.fixture
def bench(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = build(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def run(bench: Bench) -> str:
    """A run that this process drives."""
    run = bench.desk().run
    take(bench, run, ME)
    return run


def take(bench: Bench, run: str, holder: str) -> None:
    now = bench.clock.now_us()
    with bench.ledger.change() as unit:
        assert runs.take_run(unit.connection, run, holder=holder, now=now, until=now + 10)


def note(ledger: FencedLedger, run: str) -> None:
    with ledger.change() as unit:
        runs.put_document(unit.connection, run=run, name="note", body="x", now=1)
        unit.record(StepStarted(run=run, step=1, agent="catalog"))


def test_who_drives_a_run_changes_it_even_after_its_lease_has_run_out(bench: Bench, run: str):
    fenced = FencedLedger(bench.ledger, run=run, holder=ME)
    bench.clock.advance(60)
    note(fenced, run)
    assert bench.kinds(run)[-1] == "step.started"


def test_who_was_taken_over_changes_and_records_nothing(bench: Bench, run: str):
    fenced = FencedLedger(bench.ledger, run=run, holder=ME)
    bench.clock.advance(60)
    take(bench, run, OTHER)
    before = bench.kinds(run)
    with pytest.raises(LeaseLost) as caught:
        note(fenced, run)
    assert run in caught.value.message
    assert bench.kinds(run) == before
    with bench.ledger.look() as connection:
        assert not runs.has_document(connection, run=run, name="note")


def test_a_cancelled_run_is_changed_no_more(bench: Bench, run: str):
    with bench.ledger.change() as unit:
        runs.move_run(unit.connection, run, before=runs.GOING_ON, after="cancelled", now=1)
    with pytest.raises(LeaseLost):
        note(FencedLedger(bench.ledger, run=run, holder=ME), run)


def test_nobody_takes_a_run_over_in_the_middle_of_a_change(bench: Bench, run: str):
    fenced = FencedLedger(bench.ledger, run=run, holder=ME)
    bench.clock.advance(60)
    order: list[str] = []

    def take_over() -> None:
        take(bench, run, OTHER)
        order.append("taken over")

    thread = threading.Thread(target=take_over)
    with fenced.change() as unit:
        thread.start()
        thread.join(0.3)  # it queues behind this transaction
        runs.put_document(unit.connection, run=run, name="note", body="x", now=1)
        order.append("changed")
    thread.join(60)
    assert order == ["changed", "taken over"]


def test_who_was_taken_over_records_nothing_even_without_a_change(bench: Bench, run: str):
    fenced = FencedLedger(bench.ledger, run=run, holder=ME)
    assert len(fenced.record(StepStarted(run=run, step=1, agent="catalog"))) == 1
    bench.clock.advance(60)
    take(bench, run, OTHER)
    before = bench.kinds(run)
    with pytest.raises(LeaseLost):
        fenced.record(StepStarted(run=run, step=2, agent="catalog"))
    assert bench.kinds(run) == before
