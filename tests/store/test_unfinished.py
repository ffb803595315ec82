"""What is unfinished: everything that nobody works on, and nothing else."""

import pytest
from sqlalchemy import Connection, insert, select, update
from support import store_values as made

from twokey.core.lifecycle import OPEN, State
from twokey.store import runs, tables, unfinished
from twokey.store.unfinished import Driven

OTHER = "r-000000000002"


def move(connection: Connection, state: State, at: int) -> None:
    connection.execute(update(tables.proposals).values(state=state.value, updated_us=at))


def test_a_run_without_a_driver_is_found_once_it_has_waited(connection: Connection):
    assert unfinished.undriven(connection, before=0, limit=9) == []
    assert unfinished.undriven(connection, before=1, limit=9) == [made.RUN]
    runs.take_run(connection, made.RUN, holder="x-1", now=2, until=7)
    assert unfinished.undriven(connection, before=1, limit=9) == []
    assert unfinished.driven(connection, limit=9) == [Driven(made.RUN, "x-1", 7)]


def test_of_driven_runs_those_come_first_whose_lease_ends_first(connection: Connection):
    for number, until in ((2, 30), (3, 20)):
        run = f"r-00000000000{number}"
        runs.add_run(connection, run=run, request=made.request(), auth="key", places=[], now=1)
        runs.take_run(connection, run, holder="x-1", now=2, until=until)
    assert [item.until_us for item in unfinished.driven(connection, limit=9)] == [20, 30]
    assert len(unfinished.driven(connection, limit=1)) == 1


@pytest.mark.parametrize("state", ["waiting", "done", "failed", "cancelled"])
def test_a_run_that_is_not_running_is_nobodys_to_drive(connection: Connection, state: runs.RunState):
    runs.move_run(connection, made.RUN, before=["running"], after=state, now=2)
    assert unfinished.undriven(connection, before=9, limit=9) == []
    assert unfinished.driven(connection, limit=9) == []


@pytest.mark.parametrize("state", State)
def test_a_waiting_run_is_found_when_all_its_proposals_are_over(connection: Connection, state: State):
    runs.move_run(connection, made.RUN, before=["running"], after="waiting", now=2)
    move(connection, state, at=5)
    found = [] if state in OPEN else [made.RUN]
    assert unfinished.answered(connection, now=9, before=5, limit=9) == found
    assert unfinished.answered(connection, now=9, before=4, limit=9) == [], "who answered may be at it"
    runs.take_run(connection, made.RUN, holder="x-1", now=9, until=20)
    assert unfinished.answered(connection, now=19, before=5, limit=9) == [], "somebody drives it"
    assert unfinished.answered(connection, now=20, before=5, limit=9) == found


@pytest.mark.parametrize("state", State)
def test_what_was_approved_is_found_after_a_while(connection: Connection, state: State):
    move(connection, state, at=5)
    assert unfinished.approved(connection, before=4, limit=9) == []
    assert unfinished.approved(connection, before=5, limit=9) == ([made.PROPOSAL] if state is State.APPROVED else [])


@pytest.mark.parametrize("state", State)
def test_a_started_write_is_found_when_its_lease_ran_out_or_is_not_there(connection: Connection, state: State):
    move(connection, state, at=5)
    found = [made.PROPOSAL] if state is State.EXECUTING else []
    assert unfinished.abandoned(connection, now=9, limit=9) == found
    connection.execute(
        insert(tables.executions).values(
            proposal=made.PROPOSAL, executor="x-1", intent="l-1", lease_until_us=9, started_us=5
        )
    )
    assert unfinished.abandoned(connection, now=8, limit=9) == []
    assert unfinished.abandoned(connection, now=9, limit=9) == found


@pytest.mark.parametrize("state", State)
def test_answers_of_several_people_to_what_waits_may_not_be_counted_yet(connection: Connection, state: State):
    def given(name: str, action: str = "approve", **changes: str) -> None:
        row = {
            "proposal": made.PROPOSAL,
            "proposal_digest": shown["digest"],
            "decision_digest": shown["decision_digest"],
            "principal": name,
            "action": action,
            "entry": f"l-{name}",
            "at_us": 1,
        }
        connection.execute(insert(tables.approvals).values(**{**row, **changes}))

    shown = connection.execute(select(tables.proposals)).mappings().one()
    move(connection, state, at=5)
    given("sam")
    given("kim", decision_digest="0" * 64)
    given("rita", "refuse")
    assert unfinished.uncounted(connection, limit=9) == [], "one of this decision is counted as it is stored"
    given("eve")
    found = [made.PROPOSAL] if state is State.AWAITING_APPROVAL else []
    assert unfinished.uncounted(connection, limit=9) == found
    assert unfinished.uncounted(connection, after=made.PROPOSAL, limit=9) == []
