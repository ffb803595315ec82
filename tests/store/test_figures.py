"""Sums over a stretch of time: what lies in it counts, and nothing at its end or beyond."""

from typing import Any

import pytest
from sqlalchemy import Connection, update
from support import store_values as made

from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import State
from twokey.store import figures, proposals, runs, tables, usage
from twokey.store.figures import Given, Made, Ran
from twokey.store.proposals import ApprovalRecord

STRETCH = {"since": 100, "until": 200}


def propose(connection: Connection, number: int, at: int, state: State = State.DONE, **changes: Any) -> str:
    proposal = made.proposal(id=f"p-{number:012d}", **changes)
    proposals.add_proposal(connection, proposal, made.decision(), state=state, expires_us=9, code="x", now=at)
    usage.add(
        connection, usage.hold(connection), "proposal", run=made.RUN, requester="ana", proposal=proposal.id, now=at
    )
    return proposal.id


def answer(connection: Connection, proposal: str, number: int, at: int, action: Any = "approve") -> None:
    record = ApprovalRecord(proposal, "a" * 64, "b" * 64, f"sam{number}", action, f"l-{number:012d}", "", at)
    proposals.add_approval(connection, record)


def test_proposals_count_where_they_were_made(connection: Connection):
    for number, at in enumerate((99, 100, 150, 199, 200), 2):
        propose(connection, number, at)
    propose(connection, 9, 120, State.REFUSED, tool="update_ticket")
    assert figures.proposals_made(connection, **STRETCH) == [
        Made("open_pull_request", State.DONE, 3),
        Made("update_ticket", State.REFUSED, 1),
    ]


def test_runs_count_that_proposed_nothing(connection: Connection):
    for number, at in enumerate((99, 100, 150, 200), 2):
        request = made.request(intent="catalog_scan")
        runs.add_run(connection, run=f"r-{number:012d}", request=request, auth="key", places=[], now=at)
    runs.move_run(connection, "r-000000000003", before=["running"], after="done", now=9)
    propose(connection, 2, 150)
    assert figures.runs_without_proposals(connection, **STRETCH) == [
        Ran("catalog_scan", "done", 1),
        Ran("catalog_scan", "running", 1),
    ]
    connection.execute(update(tables.runs).where(tables.runs.c.id == made.RUN).values(created_us=150))
    assert len(figures.runs_without_proposals(connection, **STRETCH)) == 2


def test_answers_count_where_they_were_given_and_a_wait_lasts_until_the_last_approval(connection: Connection):
    first, second = propose(connection, 2, 90), propose(connection, 3, 110)
    answer(connection, first, 1, 99)
    answer(connection, first, 2, 100)
    answer(connection, first, 3, 140)
    answer(connection, second, 4, 199)
    answer(connection, second, 5, 150, "refuse")
    answer(connection, second, 6, 200)
    assert figures.answers_given(connection, **STRETCH) == [Given("approve", 3), Given("refuse", 1)]
    assert sorted(figures.approval_waits(connection, **STRETCH)) == [50, 89]


def test_what_models_cost_is_added_up(connection: Connection):
    assert figures.spent(connection, **STRETCH) == 0
    for at, cost in ((99, 1), (100, 20), (199, 300), (200, 4000)):
        usage.add(connection, usage.hold(connection), "model", run=made.RUN, requester="ana", cost=cost, now=at)
    usage.add(connection, usage.hold(connection), "write", run=made.RUN, requester="ana", now=150)
    assert figures.spent(connection, **STRETCH) == 320


def test_documents_of_the_latest_runs_come_first(connection: Connection):
    for number, at in enumerate((99, 100, 150, 200), 2):
        run = f"r-{number:012d}"
        runs.add_run(connection, run=run, request=made.request(), auth="key", places=[], now=at)
        for name in ("report-1", "report-2", "plan"):
            runs.put_document(connection, run=run, name=name, body=[name], now=at)
    assert list(figures.latest_documents(connection, "report-", **STRETCH)) == [
        ("r-000000000004", ["report-2"]),
        ("r-000000000004", ["report-1"]),
        ("r-000000000003", ["report-2"]),
        ("r-000000000003", ["report-1"]),
    ]
    connection.execute(update(tables.documents).values(body=b"{ }"))
    with pytest.raises(CheckFailed) as caught:
        list(figures.latest_documents(connection, "report-", **STRETCH))
    assert caught.value.code == "document_tampered"


@pytest.mark.parametrize(
    ("look", "table", "values"),
    [
        (figures.proposals_made, tables.proposals, {"state": "blessed", "created_us": 150}),
        (figures.runs_without_proposals, tables.runs, {"intent": "No Intent", "created_us": 150}),
    ],
)
def test_a_row_that_does_not_fit_is_reported(connection: Connection, look: Any, table: Any, values: dict[str, Any]):
    propose(connection, 2, 150)
    runs.add_run(connection, run="r-000000000009", request=made.request(), auth="key", places=[], now=150)
    connection.execute(update(table).values(**values))
    with pytest.raises(CheckFailed):
        look(connection, **STRETCH)
