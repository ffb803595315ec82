"""What is counted against the budgets: by whom, in which window, and as of when."""

from typing import Any

import pytest
from sqlalchemy import Connection, delete, update
from support import store_values as made

from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import State
from twokey.core.values import Counters, Usage
from twokey.store import proposals, runs, tables, usage
from twokey.store.usage import DAY_US, HOUR_US

NOW = 10 * DAY_US
OTHER_RUN = "r-000000000002"
SECOND = "p-000000000002"


def counted(connection: Connection, **changes: Any) -> Counters:
    fields: dict[str, Any] = {"run": made.RUN, "requester": "ana", "now": NOW}
    return usage.count(connection, **(fields | changes)).counters


def reserved(connection: Connection, stage: Any = "proposal", **changes: Any) -> None:
    fields: dict[str, Any] = {"run": made.RUN, "requester": "ana", "now": NOW}
    usage.add(connection, usage.hold(connection), stage, **(fields | changes))


@pytest.fixture
def two(connection: Connection) -> Connection:
    """A store with two runs of one proposal each."""
    runs.add_run(connection, run=OTHER_RUN, request=made.request(), auth="key", places=[made.PLACE], now=1)
    second = made.proposal(id=SECOND, run=OTHER_RUN)
    proposals.add_proposal(
        connection, second, made.decision(), state=State.AWAITING_APPROVAL, expires_us=9, code="x", now=5
    )
    return connection


def test_nothing_was_used_at_first(connection: Connection):
    assert counted(connection) == Counters()


def test_numbers_follow_one_another(connection: Connection):
    assert [usage.hold(connection) for _ in range(3)] == [1, 2, 3]


def test_a_proposal_counts_with_its_files_and_lines_in_every_window(connection: Connection):
    reserved(connection, proposal=made.PROPOSAL, files=2, lines=7)
    used = Usage(proposals=1, files=2, lines=7)
    assert counted(connection) == Counters(run=used, requester_hour=used, hour=used, day=used)


def test_a_write_and_what_a_model_cost_count_for_themselves(connection: Connection):
    reserved(connection, "write", proposal=made.PROPOSAL)
    reserved(connection, "model", cost=5)
    used = Usage(writes=1, cost=5)
    assert counted(connection) == Counters(run=used, requester_hour=used, hour=used, day=used)


@pytest.mark.parametrize(
    ("age", "hour", "day"), [(HOUR_US - 1, 1, 1), (HOUR_US, 0, 1), (DAY_US - 1, 0, 1), (DAY_US, 0, 0)]
)
def test_windows_slide_and_a_run_has_none(connection: Connection, age: int, hour: int, day: int):
    reserved(connection, now=NOW - age)
    found = counted(connection)
    sums = (found.run.proposals, found.requester_hour.proposals, found.hour.proposals, found.day.proposals)
    assert sums == (1, hour, hour, day)


def test_others_count_only_where_everybody_does(two: Connection):
    reserved(two, run=OTHER_RUN, requester="eve", proposal=SECOND)
    found = counted(two)
    assert (found.run.proposals, found.requester_hour.proposals, found.hour.proposals) == (0, 0, 1)


def test_what_came_later_takes_nothing_from_a_proposal_that_was_made(two: Connection):
    reserved(two, proposal=made.PROPOSAL, now=NOW - 2 * HOUR_US)
    reserved(two, proposal=SECOND, now=NOW - HOUR_US - 1)
    assert counted(two, proposal=made.PROPOSAL).day.proposals == 0
    assert counted(two, proposal=SECOND).day.proposals == 1
    assert counted(two, proposal=SECOND).hour.proposals == 1
    assert counted(two).day.proposals == 2


def test_ones_own_write_is_not_in_its_own_way(two: Connection):
    reserved(two, "write", proposal=made.PROPOSAL)
    assert counted(two, proposal=made.PROPOSAL).hour.writes == 0
    assert counted(two, proposal=SECOND).hour.writes == 1


def test_a_counter_that_is_gone_is_no_zero(connection: Connection):
    connection.execute(delete(tables.counters))
    with pytest.raises(CheckFailed) as caught:
        usage.hold(connection)
    assert caught.value.code == "usage_tampered"


@pytest.mark.parametrize("values", [{"files": -5}, {"cost": -1, "stage": "model"}])
def test_rows_that_do_not_fit_are_reported(connection: Connection, values: dict[str, Any]):
    reserved(connection)
    connection.execute(update(tables.reservations).values(**values))
    with pytest.raises(CheckFailed):
        counted(connection)
