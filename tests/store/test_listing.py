"""Lists: newest first, a page at a time, and nothing shown twice or left out between two pages."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, update
from support import store_values as made

from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import State
from twokey.core.values import Target
from twokey.store import listing, proposals, runs, tables
from twokey.store.listing import Position, ProposalLine
from twokey.store.runs import RunRecord

DONE, AWAITING, REFUSED = State.DONE, State.AWAITING_APPROVAL, State.REFUSED


@pytest.fixture
def many(connection: Connection) -> Connection:
    """A store with 13 more proposals, several made in the same microsecond, of three agents and on three targets."""
    for number in range(2, 15):
        proposal = made.proposal(
            id=f"p-{number:012d}",
            agent=("catalog", "triage", "incident")[number % 3],
            target=Target(kind="repository", id=f"dbt\0{number % 3}", version="1"),
        )
        state = (DONE, AWAITING, REFUSED)[number % 3 if number < 9 else number % 2]
        proposals.add_proposal(
            connection, proposal, made.decision(), state=state, expires_us=99, code="x", now=10 + number // 4
        )
    return connection


def walked(page: Callable[..., list[Any]], **wanted: Any) -> list[str]:
    """Walk all pages, each of two rows."""
    found: list[str] = []
    behind: Position | None = None
    while rows := page(behind=behind, limit=2, **wanted):
        found += [row.id for row in rows]
        behind = Position(rows[-1].created_us, rows[-1].id)
        assert len(found) <= 100
    return found


def expected(connection: Connection, keep: Callable[[proposals.ProposalRecord], bool]) -> list[str]:
    return [record.id for record in proposals.list_proposals(connection, limit=100) if keep(record)]


def test_pages_together_are_the_whole_list(many: Connection):
    def page(**wanted: Any) -> list[ProposalLine]:
        return listing.proposal_lines(many, **wanted)

    key = proposals.target_key("repository", "dbt\x001")
    assert walked(page) == expected(many, lambda _: True)
    assert len(walked(page)) == 14
    assert walked(page, states=(DONE,)) == expected(many, lambda it: it.state is DONE)
    assert walked(page, states=(DONE, REFUSED)) == expected(many, lambda it: it.state in {DONE, REFUSED})
    assert walked(page, agent="triage") == expected(many, lambda it: it.proposal.agent == "triage")
    assert walked(page, agent="triage", states=(AWAITING,)) == expected(
        many, lambda it: it.proposal.agent == "triage" and it.state is AWAITING
    )
    assert walked(page, target=key) == expected(many, lambda it: it.proposal.target.id.endswith("1"))
    assert walked(page, target=key, states=(REFUSED, DONE)) == expected(
        many, lambda it: it.proposal.target.id.endswith("1") and it.state in {REFUSED, DONE}
    )
    assert walked(page, agent="nobody") == []


def test_a_line_says_what_the_proposal_says(many: Connection):
    record = proposals.get_proposal(many, "p-000000000007")
    line = next(line for line in listing.proposal_lines(many) if line.id == record.id)
    assert line == ProposalLine(
        id=record.id,
        run=record.run,
        digest=record.digest,
        state=record.state,
        agent=record.proposal.agent,
        tool=record.proposal.tool,
        code=record.code,
        requester="ana",
        channel="cli",
        intent="catalog_propose",
        expires_us=99,
        created_us=record.created_us,
        updated_us=record.updated_us,
    )
    assert line.position == Position(record.created_us, record.id)


@pytest.mark.parametrize("values", [{"state": "blessed"}, {"agent": "<b>"}, {"tool": ""}, {"created_us": -1}], ids=str)
def test_a_line_that_was_tampered_with_is_reported(connection: Connection, values: dict[str, Any]):
    connection.execute(update(tables.proposals).values(**values))
    with pytest.raises(CheckFailed) as caught:
        listing.proposal_lines(connection)
    assert caught.value.code == "proposal_tampered"


@pytest.mark.parametrize("values", [{"agent": "triage"}, {"tool": "update_ticket"}, {"target": "0" * 64}], ids=str)
def test_what_stands_beside_a_body_is_held_against_it(connection: Connection, values: dict[str, Any]):
    connection.execute(update(tables.proposals).values(**values))
    with pytest.raises(CheckFailed) as caught:
        proposals.get_proposal(connection, made.PROPOSAL)
    assert caught.value.code == "proposal_tampered"


def test_pages_of_runs_together_are_the_whole_list(connection: Connection):
    for number in range(2, 9):
        runs.add_run(
            connection, run=f"r-{number:012d}", request=made.request(), auth="key", places=[], now=1 + number // 3
        )
    for number, state in ((3, "done"), (4, "failed"), (6, "done")):
        runs.move_run(connection, f"r-{number:012d}", before=["running"], after=state, now=9)  # pyright: ignore[reportArgumentType]

    def page(**wanted: Any) -> list[RunRecord]:
        return listing.run_page(connection, **wanted)

    whole = [run.id for run in runs.list_runs(connection)]
    assert walked(page) == whole
    assert len(whole) == 8
    assert walked(page, states=("done", "failed")) == ["r-000000000006", "r-000000000004", "r-000000000003"]


def test_a_run_that_was_tampered_with_is_reported(connection: Connection):
    connection.execute(update(tables.runs).values(requester="sam"))
    with pytest.raises(CheckFailed) as caught:
        listing.run_page(connection)
    assert caught.value.code == "run_tampered"
