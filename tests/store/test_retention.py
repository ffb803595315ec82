"""What may be removed of a run, and what of it goes and stays. On SQLite and on PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from support import store_values as made

from twokey.core import canonical
from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import OPEN, State
from twokey.core.values import EvidenceRef
from twokey.store import evidence, proposals, retention, runs, tables

LATER = 100
OTHER = "r-000000000002"


@pytest.fixture
def ended(connection: Connection) -> Connection:
    """A run that ended at 10 with a document, and with its proposal refused."""
    runs.put_document(connection, run=made.RUN, name="request", body={}, now=1)
    proposals.move_proposal(
        connection, made.PROPOSAL, before=State.AWAITING_APPROVAL, after=State.REFUSED, code="refused", now=9
    )
    assert runs.move_run(connection, made.RUN, before=("running",), after="done", now=10)
    return connection


def removable(connection: Connection, *, before: int = LATER, now: int = LATER, **more: Any) -> list[str]:
    found = retention.removable_runs(connection, before=before, now=now, **more)
    assert retention.still_removable(connection, [made.RUN, OTHER], before=before, now=now) == found
    return found


def test_a_run_that_ended_before_may_be_pruned(ended: Connection):
    assert removable(ended, before=11) == [made.RUN]
    assert removable(ended, before=10) == []
    assert retention.removable_runs(ended, before=11, now=LATER, after=made.RUN) == []


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_a_run_that_goes_on_may_not(ended: Connection, state: str):
    ended.execute(update(tables.runs).values(state=state))
    assert removable(ended) == []


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_any_end_is_an_end(ended: Connection, state: str):
    ended.execute(update(tables.runs).values(state=state))
    assert removable(ended) == [made.RUN]


@pytest.mark.parametrize("state", sorted(State))
def test_an_open_proposal_keeps_all_of_its_run(ended: Connection, state: State):
    ended.execute(update(tables.proposals).values(state=state.value))
    assert removable(ended) == ([] if state in OPEN else [made.RUN])


def test_a_run_that_somebody_drives_may_not(ended: Connection):
    assert runs.take_run(ended, made.RUN, holder="x-000000000001", now=20, until=50)
    assert removable(ended, now=49) == []
    assert removable(ended, now=50) == [made.RUN]


def test_runs_come_in_order_and_in_pages(ended: Connection):
    runs.add_run(ended, run=OTHER, request=made.request(), auth="key", places=[made.PLACE], now=1)
    runs.put_document(ended, run=OTHER, name="request", body={}, now=1)
    assert runs.move_run(ended, OTHER, before=("running",), after="failed", now=10)
    assert removable(ended) == [made.RUN, OTHER]
    assert retention.removable_runs(ended, before=LATER, now=LATER, limit=1) == [made.RUN]
    assert retention.removable_runs(ended, before=LATER, now=LATER, limit=1, after=made.RUN) == [OTHER]


def test_documents_and_uncited_evidence_go_and_the_rest_stays(ended: Connection):
    values = [made.evidence([number], id=f"e-00000000000{number}") for number in (1, 2, 3)]
    for number, value in enumerate(values, 1):
        evidence.add_evidence(ended, value, canonical.encode([number]))
    cited = EvidenceRef(id=values[1].id, sha256=values[1].sha256)
    proposals.add_proposal(
        ended,
        made.proposal(id="p-000000000002", nonce="1" * 32, evidence=(cited,)),
        made.decision(),
        state=State.DENIED,
        expires_us=99,
        code="denied",
        now=6,
    )
    runs.put_document(ended, run=made.RUN, name="plan", body={}, now=1)
    assert retention.count_removable(ended, made.RUN) == (2, 2)
    assert retention.remove(ended, made.RUN) == (2, 2)
    assert retention.remove(ended, made.RUN) == (0, 0)
    assert ended.execute(select(tables.evidence.c.id)).scalars().all() == [values[1].id]
    assert removable(ended) == [], "it has been pruned"
    assert runs.get_run(ended, made.RUN).state == "done"
    assert len(proposals.list_proposals(ended, run=made.RUN)) == 2


def test_a_proposal_that_was_edited_keeps_the_evidence(ended: Connection):
    evidence.add_evidence(ended, made.evidence([1]), canonical.encode([1]))
    ended.execute(update(tables.proposals).values(body=b"{}"))
    with pytest.raises(CheckFailed) as caught:
        retention.remove(ended, made.RUN)
    assert caught.value.code == "proposal_tampered"
    assert len(evidence.list_evidence(ended, made.RUN)) == 1
