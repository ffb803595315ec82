"""Rows of proposals, answers and started writes: an index that decides nothing and is never believed."""

import hashlib
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import IntegrityError
from support import store_values as made

from twokey.core import canonical
from twokey.core.errors import CheckFailed, NotFound
from twokey.core.lifecycle import State
from twokey.core.values import ID_ALPHABET
from twokey.store import glass, proposals, runs, tables
from twokey.store.glass import GlassRecord
from twokey.store.proposals import AlreadyThere, ApprovalRecord, ExecutionRecord, ProposalRecord

OTHER_RUN = "r-000000000002"
UNKNOWN = "p-zzzzzzzzzzzz"


def add(
    connection: Connection,
    identifier: str,
    *,
    run: str = made.RUN,
    state: State = State.AWAITING_APPROVAL,
    created_us: int = 5,
) -> None:
    """One more proposal, as ``made.proposal`` but for its id and run."""
    proposals.add_proposal(
        connection,
        made.proposal(id=identifier, run=run),
        made.decision(),
        state=state,
        expires_us=99,
        code="needs_approval",
        now=created_us,
    )


def get(connection: Connection) -> ProposalRecord:
    return proposals.get_proposal(connection, made.PROPOSAL)


def test_a_proposal_comes_back_as_it_was_stored(connection: Connection):
    expected = ProposalRecord(
        id=made.PROPOSAL,
        run=made.RUN,
        digest=made.proposal().digest(),
        state=State.AWAITING_APPROVAL,
        proposal=made.proposal(),
        decision=made.decision(),
        decision_digest=made.decision().digest(),
        expires_us=99,
        code="needs_approval",
        result=None,
        created_us=5,
        updated_us=5,
    )
    assert get(connection) == expected
    assert proposals.get_proposal(connection, made.PROPOSAL, lock=True) == expected
    assert proposals.list_proposals(connection) == [expected]


def test_an_unknown_proposal_is_not_found(connection: Connection):
    for lock in (False, True):
        with pytest.raises(NotFound, match="There is no such proposal here"):
            proposals.get_proposal(connection, UNKNOWN, lock=lock)


def test_proposals_are_listed_newest_first(connection: Connection):
    runs.add_run(connection, run=OTHER_RUN, request=made.request(), auth="key", places=[], now=1)
    add(connection, "p-000000000002", created_us=7)
    add(connection, "p-000000000003", created_us=7, state=State.DENIED)
    add(connection, "p-000000000004", created_us=6, run=OTHER_RUN)

    def listed(**arguments: Any) -> list[str]:
        return [record.id[-1] for record in proposals.list_proposals(connection, **arguments)]

    assert listed() == ["3", "2", "4", "1"]
    assert listed(limit=2) == ["3", "2"]
    assert listed(limit=3, oldest_first=True) == ["1", "4", "2"]
    assert listed(run=made.RUN) == ["3", "2", "1"]
    assert listed(states=[State.AWAITING_APPROVAL], run=made.RUN) == ["2", "1"]
    assert listed(states=[State.DENIED, State.DONE]) == ["3"]
    assert listed(run="r-000000000009") == []


def test_a_second_proposal_of_the_same_id_is_refused(connection: Connection):
    with pytest.raises(IntegrityError):
        add(connection, made.PROPOSAL)


# -- tampering ------------------------------------------------------------------------------------------------------


def encoded(**changes: Any) -> bytes:
    return canonical.encode(made.proposal(**changes).canonical())


def loose(**changes: Any) -> bytes:
    """The body as JSON with some fields replaced, whether they fit or not."""
    body = made.proposal().canonical()
    assert isinstance(body, dict)
    return canonical.encode({**body, **changes})


def refused(connection: Connection, code: str = "proposal_tampered") -> None:
    for read in (
        lambda: get(connection),
        lambda: proposals.get_proposal(connection, made.PROPOSAL, lock=True),
        lambda: proposals.list_proposals(connection),
    ):
        with pytest.raises(CheckFailed) as caught:
            read()
        assert caught.value.code == code
        assert "audit verify" in caught.value.next


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(encoded(why="Because."), id="another proposal"),
        pytest.param(encoded(id="p-000000000002"), id="another id"),
        pytest.param(encoded(run=OTHER_RUN), id="another run"),
        pytest.param(loose(step="2"), id="a string that reads as the same number"),
        pytest.param(loose(step=True), id="a boolean that reads as a number"),
        pytest.param(loose(step=-1), id="out of range"),
        pytest.param(loose(more=1), id="an unknown field"),
        pytest.param(loose(type="twokey/proposal/v2"), id="another version"),
        pytest.param(encoded() + b"\n", id="a blank at the end"),
        pytest.param(encoded().replace("é".encode(), b"\\u00e9"), id="the same in other bytes"),
        pytest.param(encoded().replace(b'"step":2', b'"step":2,"step":2'), id="a key twice"),
        pytest.param(encoded().replace(b'"step":2', b'"step":2.0'), id="a float"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="an empty map"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff\x00", id="no text"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
@pytest.mark.parametrize("fix_digest", [False, True])
def test_another_body_is_refused(connection: Connection, body: bytes, fix_digest: bool):
    values: dict[str, Any] = {"body": body}
    if fix_digest:
        values["digest"] = hashlib.sha256(body).hexdigest()
    connection.execute(update(tables.proposals).values(**values))
    if fix_digest and body == encoded(why="Because."):
        # A whole other proposal, digest and all: the row agrees with itself, and no approval is for it.
        assert get(connection).digest != made.proposal().digest()
        return
    refused(connection)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(encoded()) - 1), byte=st.integers(0, 255))
def test_no_byte_of_the_body_can_be_changed(sqlite_connection: Connection, place: int, byte: int):
    body = bytearray(encoded())
    before, body[place] = body[place], byte
    sqlite_connection.execute(update(tables.proposals).values(body=bytes(body)))
    if byte == before:
        assert get(sqlite_connection).proposal == made.proposal()
    else:
        refused(sqlite_connection)


@pytest.mark.parametrize(
    "values",
    [
        {"digest": "0" * 64},
        {"digest": made.proposal().digest().upper()},
        {"state": "blessed"},
        {"state": "APPROVED"},
        {"expires_us": -1},
        {"expires_us": 2**53},
        {"created_us": -1},
        {"updated_us": -1},
        {"result": b"no JSON"},
        {"result": b"{ }"},
    ],
    ids=str,
)
def test_another_column_is_refused(connection: Connection, values: dict[str, Any]):
    connection.execute(update(tables.proposals).values(**values))
    refused(connection)


@pytest.mark.parametrize(
    "values",
    [
        {"decision_digest": "0" * 64},
        {"decision": canonical.encode(made.decision(warnings=("odd",)).canonical())},
        {"decision": canonical.encode(made.decision(approvals=None).canonical())},
        {"decision": canonical.encode(made.decision(effect="deny").canonical())},
        {"decision": b"{}"},
        {"decision": b""},
        {"decision": b"\xff"},
    ],
    ids=lambda values: f"{values}"[:60],
)
def test_another_decision_is_refused(connection: Connection, values: dict[str, Any]):
    connection.execute(update(tables.proposals).values(**values))
    refused(connection, "decision_tampered")


def test_a_row_cannot_be_moved_to_another_run(connection: Connection):
    runs.add_run(connection, run=OTHER_RUN, request=made.request(), auth="key", places=[], now=1)
    connection.execute(update(tables.proposals).values(run=OTHER_RUN))
    refused(connection)


def test_one_row_cannot_stand_in_for_another(connection: Connection):
    add(connection, "p-000000000002")
    second = tables.proposals.c.id == "p-000000000002"
    row = connection.execute(select(tables.proposals).where(second)).one()
    connection.execute(update(tables.proposals).where(second).values(digest="0" * 64))
    connection.execute(
        update(tables.proposals)
        .where(tables.proposals.c.id == made.PROPOSAL)
        .values(body=row.body, digest=row.digest, decision=row.decision, decision_digest=row.decision_digest)
    )
    with pytest.raises(CheckFailed) as caught:
        get(connection)
    assert caught.value.code == "proposal_tampered"


@pytest.mark.parametrize("column", ["body", "decision", "result", "expires_us", "created_us", "updated_us", "state"])
@pytest.mark.parametrize("wrong", ["'text'", "4611686018427387904", "2.5", "X'00'"])
def test_a_column_of_another_type_is_refused(sqlite_connection: Connection, column: str, wrong: str):
    sqlite_connection.execute(text(f"UPDATE proposals SET {column} = {wrong}"))
    refused(sqlite_connection, "decision_tampered" if column == "decision" else "proposal_tampered")


def test_the_message_shows_nothing_of_the_row(connection: Connection):
    connection.execute(update(tables.proposals).values(body=b'{"s3cret":1}'))
    with pytest.raises(CheckFailed) as caught:
        get(connection)
    assert "s3cret" not in f"{caught.value.as_json()}"


# -- the beginning of an id -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["p-000000000001", "000000000001", "p-00000000000", "p-0000", "0000"])
def test_an_unambiguous_beginning_finds_the_proposal(connection: Connection, wanted: str):
    assert proposals.resolve_proposal(connection, wanted) == made.PROPOSAL


def test_a_beginning_of_several_is_ambiguous_and_a_whole_id_never(connection: Connection):
    add(connection, "p-000000000002")
    for wanted in ("p-0000", "00000000000"):
        with pytest.raises(NotFound, match="More than one proposal begins like that") as caught:
            proposals.resolve_proposal(connection, wanted)
        assert caught.value.code == "ambiguous"
    assert proposals.resolve_proposal(connection, "p-000000000002") == "p-000000000002"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "p-",
        "p-000",
        "000",
        "p-0001",
        "p-0000000000011",
        "p-p-0000",
        "r-000000000001",
        # What means something to LIKE, to SQL, or to a terminal.
        "p-0000%",
        "p-____",
        "%%%%",
        "____",
        "p-0000\\",
        "p-0000/",
        "p-0000*",
        "p-0000' OR 'a' = 'a",
        "p-0000\0",
        "p-0000\n",
        "p-0000\x1b[31m",
        # What Python calls letters and digits.
        "p-\uff10\uff10\uff10\uff10",
        "p-\u0660\u0660\u0660\u0660",
        "p-\ud800000",
        "p-ABCD",
        "P-0000",
        "p-oooo",
        "0" * 100_000,
    ],
    ids=lambda wanted: ascii(wanted)[:40],
)
def test_anything_else_finds_nothing(connection: Connection, wanted: str):
    with pytest.raises(NotFound, match="There is no such proposal here") as caught:
        proposals.resolve_proposal(connection, wanted)
    assert caught.value.code == "not_found"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.text(max_size=16) | st.text("p-01%_", max_size=16))
def test_a_proposal_is_found_by_its_beginning_only(sqlite_connection: Connection, wanted: str):
    begins = made.PROPOSAL.removeprefix("p-").startswith(wanted.removeprefix("p-"))
    if begins and len(wanted.removeprefix("p-")) >= 4:
        assert proposals.resolve_proposal(sqlite_connection, wanted) == made.PROPOSAL
    else:
        with pytest.raises(NotFound):
            proposals.resolve_proposal(sqlite_connection, wanted)


def test_case_counts_in_both_databases(connection: Connection):
    """SQLite's LIKE folds the case of letters and PostgreSQL's does not."""
    add(connection, "p-abcdefghjkmn")
    assert set("abcdefghjkmn") < set(ID_ALPHABET)
    assert proposals.resolve_proposal(connection, "abcd") == "p-abcdefghjkmn"
    with pytest.raises(NotFound):
        proposals.resolve_proposal(connection, "Abcd")


# -- moves ----------------------------------------------------------------------------------------------------------


def test_a_proposal_moves_only_from_the_state_that_was_seen(connection: Connection):
    def move(before: State, after: State, **more: Any) -> bool:
        return proposals.move_proposal(
            connection, made.PROPOSAL, before=before, after=after, code="moved", now=6, **more
        )

    old = get(connection)
    assert not move(State.APPROVED, State.EXECUTING)
    assert get(connection) == old
    assert move(State.AWAITING_APPROVAL, State.APPROVED)
    assert not move(State.AWAITING_APPROVAL, State.APPROVED)
    assert get(connection) == replace(old, state=State.APPROVED, code="moved", updated_us=6)
    assert not proposals.move_proposal(
        connection, UNKNOWN, before=State.APPROVED, after=State.EXECUTING, code="moved", now=6
    )


def test_a_move_may_bring_a_decision_an_expiry_and_a_result(connection: Connection):
    new = made.decision(warnings=("odd",))
    assert proposals.move_proposal(
        connection,
        made.PROPOSAL,
        before=State.AWAITING_APPROVAL,
        after=State.AWAITING_APPROVAL,
        code="changed_decision",
        now=6,
        decision=new,
        expires_us=200,
        result={"url": "é"},
    )
    record = get(connection)
    assert (record.decision, record.decision_digest) == (new, new.digest())
    assert (record.expires_us, record.result, record.digest) == (200, {"url": "é"}, made.proposal().digest())


def test_those_that_are_due_come_longest_over_first_and_no_others(connection: Connection):
    for number, (state, expires) in enumerate(
        [
            (State.AWAITING_APPROVAL, 50),
            (State.APPROVED, 40),
            (State.AWAITING_APPROVAL, 60),
            (State.DONE, 10),
            (State.UNKNOWN, 10),
        ]
    ):
        add(connection, f"p-00000000010{number}", state=state)
        changed = tables.proposals.update().where(tables.proposals.c.id == f"p-00000000010{number}")
        connection.execute(changed.values(expires_us=expires))
    due = [record.id for record in proposals.due_proposals(connection, now=60, limit=9)]
    assert due == ["p-000000000101", "p-000000000100"]
    assert [record.id for record in proposals.due_proposals(connection, now=61, limit=1)] == due[:1]


def test_of_many_who_move_a_proposal_one_does(engine: Engine):
    with engine.begin() as connection:
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
        add(connection, made.PROPOSAL)
    start, moved = threading.Barrier(4), list[State]()

    def move(after: State) -> None:
        start.wait(60)
        with engine.begin() as connection:
            before = State.AWAITING_APPROVAL
            if proposals.move_proposal(connection, made.PROPOSAL, before=before, after=after, code="x", now=6):
                moved.append(after)

    ends = (State.APPROVED, State.REFUSED, State.EXPIRED, State.WITHDRAWN)
    threads = [threading.Thread(target=move, args=(after,)) for after in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert moved == [get(connection).state]


def test_what_is_not_there_cannot_be_locked(connection: Connection):
    assert proposals.lock_proposal(connection, made.PROPOSAL) == (State.AWAITING_APPROVAL, made.decision().digest())
    with pytest.raises(NotFound):
        proposals.lock_proposal(connection, UNKNOWN)


def test_a_locked_proposal_waits_for_who_holds_it(engine: Engine):
    """What is read with the lock is still so when the transaction writes."""
    with engine.begin() as connection:
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
        add(connection, made.PROPOSAL)
    seen: list[State] = []

    def second() -> None:
        with engine.begin() as connection:
            seen.append(proposals.get_proposal(connection, made.PROPOSAL, lock=True).state)

    thread = threading.Thread(target=second)
    with engine.begin() as connection:
        proposals.get_proposal(connection, made.PROPOSAL, lock=True)
        thread.start()
        thread.join(0.2)
        assert seen == []
        proposals.move_proposal(
            connection,
            made.PROPOSAL,
            before=State.AWAITING_APPROVAL,
            after=State.REFUSED,
            code="refused",
            now=6,
        )
    thread.join()
    assert seen == [State.REFUSED]


# -- answers --------------------------------------------------------------------------------------------------------


def approval(number: int = 1, **changes: Any) -> ApprovalRecord:
    fields: dict[str, Any] = {
        "proposal": made.PROPOSAL,
        "proposal_digest": made.proposal().digest(),
        "decision_digest": made.decision().digest(),
        "principal": "sam",
        "action": "approve",
        "entry": f"l-{number:012d}",
        "reason": "",
        "at_us": 7,
    }
    return ApprovalRecord(**(fields | changes))


def test_answers_are_listed_oldest_first(connection: Connection):
    records = [
        approval(3, principal="sam", at_us=9),
        approval(2, principal="kim", action="refuse", reason="Not \x1b[31m today; é"),
        approval(1, principal="ana", action="withdraw"),
    ]
    for record in records:
        proposals.add_approval(connection, record)
    assert proposals.list_approvals(connection, made.PROPOSAL) == records
    assert proposals.list_approvals(connection, UNKNOWN) == []


def test_a_proposal_tells_whether_it_has_answers_and_emergencies(connection: Connection):
    record = proposals.get_proposal(connection, made.PROPOSAL)
    assert proposals.see_proposal(connection, made.PROPOSAL) == (record, False, False)
    proposals.add_approval(connection, approval(1))
    assert proposals.see_proposal(connection, made.PROPOSAL) == (record, True, False)
    broken = GlassRecord(
        id="g-000000000001",
        proposal=made.PROPOSAL,
        principal="rita",
        ticket="INC-1",
        reason="Nothing works.",
        entry="l-000000000009",
        opened_us=1,
        until_us=9,
    )
    glass.add_glass(connection, broken)
    assert proposals.see_proposal(connection, made.PROPOSAL) == (record, True, True)
    with pytest.raises(NotFound):
        proposals.see_proposal(connection, UNKNOWN)


def test_a_person_answers_a_card_once(connection: Connection):
    proposals.add_approval(connection, approval(1))
    for second in (approval(2), approval(2, action="refuse"), approval(2, at_us=8)):
        with pytest.raises(AlreadyThere):
            proposals.add_approval(connection, second)
    # The transaction goes on, and what was there is there.
    assert proposals.list_approvals(connection, made.PROPOSAL) == [approval(1)]
    # Another decision makes another card.
    proposals.add_approval(connection, approval(2, decision_digest="0" * 64))


def test_one_answer_is_taken_out_for_another_and_no_other_one(connection: Connection):
    others = [approval(2, principal="kim"), approval(3, decision_digest="0" * 64)]
    for record in (approval(1), *others):
        proposals.add_approval(connection, record)
    proposals.drop_approval(connection, replace(approval(1), proposal=UNKNOWN))
    assert len(proposals.list_approvals(connection, made.PROPOSAL)) == 3
    proposals.drop_approval(connection, approval(1))
    assert proposals.list_approvals(connection, made.PROPOSAL) == others
    proposals.add_approval(connection, approval(4))


def test_a_log_entry_is_one_answer(connection: Connection):
    proposals.add_approval(connection, approval(1))
    with pytest.raises(AlreadyThere):
        proposals.add_approval(connection, approval(1, principal="kim"))


@pytest.mark.parametrize(
    "changes",
    [{"proposal": UNKNOWN}, {"action": "bless"}, {"principal": None}],
    ids=str,
)
def test_a_row_that_another_rule_refuses_is_not_taken_for_an_earlier_answer(
    connection: Connection, changes: dict[str, Any]
):
    with pytest.raises(IntegrityError), connection.begin_nested():
        proposals.add_approval(connection, approval(1, **changes))
    assert proposals.list_approvals(connection, made.PROPOSAL) == []


@pytest.mark.parametrize(
    "values",
    [
        {"principal": "Sam the Owner"},
        {"principal": ""},
        {"entry": "l-1"},
        {"entry": "p-000000000001"},
        {"proposal_digest": "x"},
        {"decision_digest": ""},
        {"at_us": -1},
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_is_refused(connection: Connection, values: dict[str, Any]):
    proposals.add_approval(connection, approval(1))
    connection.execute(update(tables.approvals).values(**values))
    with pytest.raises(CheckFailed) as caught:
        proposals.list_approvals(connection, made.PROPOSAL)
    assert caught.value.code == "approval_tampered"


def test_of_many_answers_of_one_person_one_counts(engine: Engine):
    with engine.begin() as connection:
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
        add(connection, made.PROPOSAL)
    start, outcomes = threading.Barrier(4), list[str]()

    def answer(number: int) -> None:
        start.wait(60)
        try:
            with engine.begin() as connection:
                proposals.add_approval(connection, approval(number))
            outcomes.append("stored")
        except AlreadyThere:
            outcomes.append("already there")

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["already there", "already there", "already there", "stored"]


# -- started writes -------------------------------------------------------------------------------------------------

EXECUTION = ExecutionRecord(
    proposal=made.PROPOSAL, executor="x-000000000001", intent="l-000000000001", lease_until_us=20, started_us=10
)


def test_a_write_is_started_once(connection: Connection):
    assert proposals.get_execution(connection, made.PROPOSAL) is None
    proposals.add_execution(connection, EXECUTION)
    with pytest.raises(AlreadyThere):
        proposals.add_execution(connection, replace(EXECUTION, executor="x-000000000002"))
    assert proposals.get_execution(connection, made.PROPOSAL) == EXECUTION


def test_a_write_of_an_unknown_proposal_cannot_start(connection: Connection):
    with pytest.raises(IntegrityError):
        proposals.add_execution(connection, replace(EXECUTION, proposal=UNKNOWN))


def test_a_write_is_taken_over_by_who_saw_its_lease(connection: Connection):
    proposals.add_execution(connection, EXECUTION)

    def renew(seen: int, executor: str, until: int) -> bool:
        return proposals.renew_execution(
            connection, made.PROPOSAL, seen_until_us=seen, executor=executor, until_us=until
        )

    assert not renew(19, "x-000000000002", 40)
    assert renew(20, "x-000000000002", 40)
    assert not renew(20, "x-000000000003", 50)
    taken = replace(EXECUTION, executor="x-000000000002", lease_until_us=40)
    assert proposals.get_execution(connection, made.PROPOSAL) == taken
    assert not proposals.renew_execution(connection, UNKNOWN, seen_until_us=40, executor="x-1", until_us=50)


@pytest.mark.parametrize(
    "values", [{"executor": "somebody"}, {"intent": "x"}, {"lease_until_us": -1}, {"started_us": 2**53}], ids=str
)
def test_a_started_write_that_does_not_fit_is_refused(connection: Connection, values: dict[str, Any]):
    proposals.add_execution(connection, EXECUTION)
    connection.execute(update(tables.executions).values(**values))
    with pytest.raises(CheckFailed) as caught:
        proposals.get_execution(connection, made.PROPOSAL)
    assert caught.value.code == "execution_tampered"
