"""What tells who may read rows: many in one statement, and none that was changed."""

from typing import Any

import pytest
from sqlalchemy import Connection, update
from support import store_values as made

from twokey.core.errors import CheckFailed, NotFound
from twokey.core.lifecycle import State
from twokey.core.values import Finding
from twokey.store import listing, proposals, readable, runs, tables

OTHER, THIRD = "r-000000000002", "r-000000000003"


def add(connection: Connection, name: str, now: int = 7, **changes: Any) -> None:
    proposal = made.proposal(id=name, nonce=name[2:].rjust(32, "0"), **changes)
    proposals.add_proposal(
        connection, proposal, made.decision(), state=State.AWAITING_APPROVAL, expires_us=99, code="x", now=now
    )


@pytest.fixture
def several(connection: Connection) -> Connection:
    """Three runs: one with a plain proposal beside a labelled one, one with a labelled one alone, one with none."""
    for run, requester in ((OTHER, "ben"), (THIRD, "ben")):
        request = made.request(requester=requester)
        runs.add_run(connection, run=run, request=request, auth="key", places=[made.PLACE], now=3)
    add(connection, "p-000000000002", labels=("security_report",), contributors=("ana", "kim"))
    finding = Finding(id="f-1", subject="OPS-1", kind="ticket_security", claim="It may.", evidence=(), confidence=50)
    add(connection, "p-000000000003", run=OTHER, labels=("security_report",), findings=(finding,), now=8)
    return connection


def test_facts_are_those_of_the_bodies(several: Connection):
    found = readable.proposal_facts(several, ["p-000000000002", "p-000000000003", "p-zzzzzzzzzzzz"])
    assert sorted(found) == ["p-000000000002", "p-000000000003"]
    second, third = found["p-000000000002"], found["p-000000000003"]
    assert (second.people, second.labels) == ({"ana", "kim"}, {"security_report"})
    needed = made.decision().approvals
    assert needed is not None
    assert second.asked == {quorum.group for quorum in needed.all_of}
    assert (third.subjects, third.kinds, third.run, third.resource) == (
        {"OPS-1"},
        {"ticket_security"},
        OTHER,
        made.PLACE,
    )
    assert [facts.id for facts in readable.facts_of_runs(several, [made.RUN, OTHER])] == [
        "p-000000000003",
        "p-000000000002",
        made.PROPOSAL,
    ]


def test_the_database_tells_who_says_a_code(several: Connection):
    wanted = [made.PROPOSAL, "p-000000000002", "p-zzzzzzzzzzzz"]
    said = readable.saying(several, wanted, {"security_report", "other"})
    assert said == {made.PROPOSAL: False, "p-000000000002": True}
    assert readable.saying(several, wanted, set()) == {made.PROPOSAL: False, "p-000000000002": False}
    assert readable.all_saying(several, [made.RUN, OTHER, THIRD], {"security_report"}) == {OTHER}
    assert readable.all_saying(several, [made.RUN, OTHER, THIRD], {"security"}) == set(), "a whole code, no part of one"


def test_nothing_is_asked_about_nothing(connection: Connection):
    assert readable.proposal_facts(connection, []) == {}
    assert readable.facts_of_runs(connection, []) == []
    assert readable.saying(connection, [], {"x"}) == {}
    assert readable.all_saying(connection, [], {"x"}) == set()
    assert readable.all_saying(connection, [made.RUN], set()) == set()
    assert readable.runs_of(connection, []) == {}
    assert runs.documents_of(connection, [], name="plan") == {}


def test_runs_and_their_documents_are_read_together(several: Connection):
    runs.put_document(several, run=OTHER, name="plan", body={"steps": []}, now=1)
    runs.put_document(several, run=OTHER, name="plan-b", body={}, now=1)
    found = readable.runs_of(several, [made.RUN, OTHER, "r-zzzzzzzzzzzz"])
    assert {name: run.requester for name, run in found.items()} == {made.RUN: "ana", OTHER: "ben"}
    assert runs.documents_of(several, [made.RUN, OTHER], name="plan") == {OTHER: {"steps": []}}


@pytest.mark.parametrize(
    "change", ["body = x'7b7d'", "digest = 'x'", "decision = x'5b5d'", "body = '{}'", "decision = 'x'"]
)
def test_a_row_that_was_changed_counts_for_nothing(sqlite_connection: Connection, change: str):
    sqlite_connection.exec_driver_sql(f"UPDATE proposals SET {change}")
    with pytest.raises(CheckFailed):
        readable.proposal_facts(sqlite_connection, [made.PROPOSAL])


def test_the_body_of_another_proposal_counts_for_nothing(connection: Connection):
    other = made.proposal(id="p-000000000009")
    body = proposals.canonical.encode(other.canonical())
    connection.execute(update(tables.proposals).values(body=body, digest=other.digest()))
    with pytest.raises(CheckFailed):
        readable.proposal_facts(connection, [made.PROPOSAL])


def test_a_proposal_that_policy_denied_asks_nobody(connection: Connection):
    denied = made.decision().model_copy(update={"approvals": None, "effect": "deny"})
    proposals.add_proposal(
        connection,
        made.proposal(id="p-000000000004", nonce="4" * 32),
        denied,
        state=State.DENIED,
        expires_us=9,
        code="x",
        now=1,
    )
    assert readable.proposal_facts(connection, ["p-000000000004"])["p-000000000004"].asked == frozenset()


def test_lists_of_one_requester_hold_nothing_of_others(several: Connection):
    assert [line.id for line in listing.proposal_lines(several, requester="ben")] == ["p-000000000003"]
    awaiting = (State.AWAITING_APPROVAL,)
    assert [line.run for line in listing.proposal_lines(several, requester="ana", states=awaiting)] == [made.RUN] * 2
    assert [run.id for run in listing.run_page(several, requester="ben")] == [THIRD, OTHER]
    assert [each.id for each in proposals.list_proposals(several, requester="ben")] == ["p-000000000003"]
    first = proposals.list_proposals(several, limit=1)[0]
    rest = proposals.list_proposals(several, behind=(first.created_us, first.id))
    assert [first.id, *(each.id for each in rest)] == ["p-000000000003", "p-000000000002", made.PROPOSAL]


def test_the_beginning_of_an_id_is_one_among_those_that_count(several: Connection):
    with pytest.raises(NotFound, match="More than one"):
        proposals.resolve_proposal(several, "0000")
    assert proposals.resolve_proposal(several, "0000", lambda found: found[-1:]) == "p-000000000003"
    with pytest.raises(NotFound, match="no such proposal"):
        proposals.resolve_proposal(several, "0000", lambda _: ())
    with pytest.raises(NotFound, match="More than one"):
        proposals.resolve_proposal(several, "0000", lambda found: found)
