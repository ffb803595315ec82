"""The way of one change through the gate, and what stops it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text, update
from support.bench import Bench, git, policy

from twokey.core import canonical
from twokey.core.errors import CheckFailed, LogUnavailable, NotFound, Refused
from twokey.core.events import ClickRejected, PolicyDecided, WriteEnded, WriteIntended
from twokey.core.lifecycle import State
from twokey.core.values import Answer, Call, Decision, Principal
from twokey.store import proposals, tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.gate import Gate
from twokey.tools.sight import Seen, Sight

HOUR = 3600


def approved(bench: Bench) -> ProposalRecord:
    record = bench.propose()
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED
    return bench.gate.find(record.id)


def refusals(bench: Bench, record: ProposalRecord) -> list[str]:
    events = [item.entry.event for item in bench.log.entries(record.id)]
    return [event.code for event in events if isinstance(event, ClickRejected)]


def refused(bench: Bench, record: ProposalRecord, answer: Answer) -> str:
    """Give the code of a refusal, after checking that the log holds it and nothing was written."""
    with pytest.raises(Refused) as caught:
        bench.gate.answer(answer, channel="cli")
    assert refusals(bench, record)[-1] == caught.value.code
    assert bench.branches() == []
    return caught.value.code


def test_a_change_travels_the_whole_way(bench: Bench):
    record = bench.propose()
    assert record.state is State.AWAITING_APPROVAL
    assert bench.branches() == []
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED
    assert bench.branches() == []
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.DONE, "written")
    (branch,) = bench.branches()
    assert git(bench.repository, "show", f"{branch}:models/a.yml") == "version: 2\n"
    assert git(bench.repository, "status", "--porcelain") == ""
    assert bench.kinds(record.id) == [
        "proposal.moved",  # proposed
        "policy.decided",
        "proposal.moved",  # awaiting approval
        "policy.decided",  # at the click
        "answer.given",
        "proposal.moved",  # approved
        "policy.decided",  # at the execution
        "write.intended",
        "proposal.moved",  # executing
        "write.ended",
        "proposal.moved",  # done
    ]


def test_the_intent_names_the_approvals_it_uses_up_and_the_receipt_follows_it(bench: Bench):
    record = approved(bench)
    bench.gate.execute(record.id)
    events = [item.entry for item in bench.log.entries(record.id)]
    (given_,) = [entry for entry in events if entry.kind == "answer.given"]
    (intent,) = [entry.event for entry in events if isinstance(entry.event, WriteIntended)]
    (receipt,) = [entry.event for entry in events if isinstance(entry.event, WriteEnded)]
    assert intent.answers == (given_.id,)
    assert receipt.outcome == "written"
    assert receipt.executor == intent.executor


def test_executing_twice_writes_once(bench: Bench):
    record = approved(bench)
    assert bench.gate.execute(record.id).state is State.DONE
    head = git(bench.repository, "rev-parse", bench.branches()[0])
    assert bench.gate.execute(record.id).state is State.DONE
    assert git(bench.repository, "rev-parse", bench.branches()[0]) == head
    assert bench.kinds(record.id).count("write.intended") == 1


def test_nothing_runs_without_an_approval(bench: Bench):
    record = bench.propose()
    assert bench.gate.execute(record.id).state is State.AWAITING_APPROVAL
    assert bench.branches() == []


def test_nobody_approves_their_own_proposal(bench: Bench):
    record = bench.propose()
    assert refused(bench, record, bench.answer(record, "ana")) == "own_proposal"


def test_the_requester_does_not_count_even_as_a_member_of_the_owning_group(bench: Bench):
    record = bench.propose()
    key = bench.keys["ana"].public
    bench.people.people["ana"] = Principal(name="ana", groups=("analysts", "platform-owners"), key=key)
    assert refused(bench, record, bench.answer(record, "ana")) == "own_proposal"


def test_an_outsider_cannot_approve(bench: Bench):
    record = bench.propose()
    assert refused(bench, record, bench.answer(record, "rita")) == "not_an_approver"


def test_a_person_who_left_the_group_cannot_approve(bench: Bench):
    record = bench.propose()
    answer = bench.answer(record)
    bench.people.people["sam"] = Principal(name="sam", groups=("analysts",), key=bench.keys["sam"].public)
    assert refused(bench, record, answer) == "not_an_approver"


def test_an_approval_cannot_be_used_twice(bench: Bench):
    record = bench.propose()
    answer = bench.answer(record)
    bench.gate.answer(answer, channel="cli")
    assert refused(bench, record, answer) == "already_answered"


def test_an_approval_after_the_expiry_does_not_count(bench: Bench):
    record = bench.propose()
    bench.clock.advance(24 * HOUR + 1)
    assert refused(bench, record, bench.answer(record)) == "expired"
    assert bench.gate.find(record.id).state is State.EXPIRED


def test_an_approved_proposal_expires_before_it_is_executed(bench: Bench):
    record = approved(bench)
    bench.clock.advance(24 * HOUR + 1)
    assert bench.gate.execute(record.id).state is State.EXPIRED
    assert bench.branches() == []


def test_an_expiry_edited_in_the_database_moves_nothing(bench: Bench):
    record = bench.propose()
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(expires_us=canonical.MAX_INTEGER))
    bench.clock.advance(24 * HOUR + 1)
    assert refused(bench, record, bench.answer(record)) == "expired"


def test_due_proposals_are_expired_by_whoever_looks(bench: Bench):
    record = bench.propose()
    bench.gate.expire_due()
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    bench.clock.advance(24 * HOUR + 1)
    bench.gate.expire_due()
    assert bench.gate.find(record.id).state is State.EXPIRED


def test_a_proposal_is_looked_at_as_it_stands_whatever_its_row_says_of_its_expiry(bench: Bench):
    record = bench.propose()
    assert bench.gate.current(record.id) == record
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(expires_us=1))
    bench.gate.expire_due()
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(expires_us=canonical.MAX_INTEGER))
    bench.clock.advance(24 * HOUR + 1)
    bench.gate.expire_due()
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    assert bench.gate.current(record.id).state is State.EXPIRED
    assert bench.gate.current(record.id).state is State.EXPIRED


def test_an_answer_kept_for_later_does_not_count(bench: Bench):
    record = bench.propose()
    answer = bench.answer(record)
    bench.clock.advance(HOUR)
    assert refused(bench, record, answer) == "stale_answer"


def test_an_answer_from_the_future_does_not_count(bench: Bench):
    record = bench.propose()
    answer = bench.answer(record, at_us=bench.clock.now_us() + 120_000_000)
    assert refused(bench, record, answer) == "stale_answer"


def test_an_answer_to_an_unknown_proposal_is_refused_and_recorded(bench: Bench):
    record = bench.propose()
    answer = bench.answer(record, proposal="p-zzzzzzzzzzzz")
    with pytest.raises(NotFound):
        bench.gate.answer(answer, channel="cli")
    rejected = [item.entry.event for item in bench.log.entries("-")]
    assert [event.code for event in rejected if isinstance(event, ClickRejected)] == ["unknown_proposal"]


def test_an_answer_for_another_proposal_does_not_count(bench: Bench):
    record = bench.propose()
    assert refused(bench, record, bench.answer(record, proposal_digest="0" * 64)) == "changed_proposal"


def test_an_answer_for_another_decision_does_not_count(bench: Bench):
    record = bench.propose()
    assert refused(bench, record, bench.answer(record, decision_digest="0" * 64)) == "changed_decision"


def test_an_answer_for_another_workspace_does_not_count(bench: Bench):
    record = bench.propose()
    assert refused(bench, record, bench.answer(record, workspace="w-zzzzzzzzzzzz")) == "not_authenticated"


def test_a_signature_of_somebody_else_does_not_count(bench: Bench):
    record = bench.propose()
    statement = bench.answer(record).statement
    assert refused(bench, record, bench.keys["rita"].sign(statement)) == "not_authenticated"


def test_a_signature_moved_to_another_proposal_does_not_count(bench: Bench):
    first, second = bench.propose(), bench.propose(name="models/b.yml")
    signed = bench.answer(first)
    forged = signed.model_copy(
        update={
            "statement": signed.statement.model_copy(update={"proposal": second.id, "proposal_digest": second.digest})
        }
    )
    assert refused(bench, second, forged) == "not_authenticated"


def test_an_asserted_identity_does_not_count_outside_a_demo(bench: Bench):
    record = bench.propose()
    asserted = Answer(statement=bench.answer(record).statement, auth="asserted")
    assert refused(bench, record, asserted) == "not_authenticated"


def test_a_person_unknown_to_the_directory_does_not_count(bench: Bench):
    record = bench.propose()
    answer = bench.answer(record)
    del bench.people.people["sam"]
    assert refused(bench, record, answer) == "not_authenticated"


def test_a_refusal_ends_it(bench: Bench):
    record = bench.propose()
    result = bench.gate.answer(bench.answer(record, action="refuse"), channel="cli", reason="not now")
    assert (result.state, result.code) == (State.REFUSED, "refused_by_person")
    assert refused(bench, record, bench.answer(record, "kim")) == "is_refused"


def test_only_the_requester_withdraws_and_an_approved_proposal_can_still_be_withdrawn(bench: Bench):
    record = approved(bench)
    assert refused(bench, record, bench.answer(record, "kim", "withdraw")) == "not_requester"
    result = bench.gate.answer(bench.answer(record, "ana", "withdraw"), channel="cli")
    assert result.state is State.WITHDRAWN
    assert bench.gate.execute(record.id).state is State.WITHDRAWN
    assert bench.branches() == []


def test_a_moved_target_supersedes_at_the_click(bench: Bench):
    record = bench.propose()
    git(bench.repository, "-c", "user.name=O", "-c", "user.email=o@example.com", "commit", "--allow-empty", "-qm", "x")
    assert refused(bench, record, bench.answer(record)) == "stale_target"
    assert bench.gate.find(record.id).state is State.SUPERSEDED


def test_a_moved_target_supersedes_at_the_execution(bench: Bench):
    record = approved(bench)
    git(bench.repository, "-c", "user.name=O", "-c", "user.email=o@example.com", "commit", "--allow-empty", "-qm", "x")
    assert bench.gate.execute(record.id).state is State.SUPERSEDED
    assert bench.branches() == []


# -- policy changes in between ------------------------------------------------------------------------------------


def stricter() -> tuple[tuple[str, Any], ...]:
    risks = {name: {"quorum": 2, "expires_s": 86400} for name in ("normal", "elevated", "high")}
    return (("risks", _Hashable(risks)),)


def closed() -> tuple[tuple[str, Any], ...]:
    return (("limits", _Hashable({"files": 0, "lines": 0})),)


class _Hashable(dict[str, Any]):
    """A dict that a cache takes as a key; equal content is equal."""

    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - a cache key for one test run
        return hash(canonical.encode(self))


def test_an_unrelated_policy_change_voids_nothing(bench: Bench):
    record = approved(bench)
    bench.policy.policy = policy((("limits", _Hashable({"files": 150, "lines": 9000})),))
    assert bench.gate.execute(record.id).state is State.DONE


def test_a_policy_change_that_alters_the_decision_goes_back_to_waiting(bench: Bench):
    record = approved(bench)
    bench.policy.policy = policy(stricter())
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.AWAITING_APPROVAL, "changed_decision")
    assert bench.branches() == []
    now = bench.gate.find(record.id)
    assert now.decision_digest != record.decision_digest
    assert refused(bench, record, bench.answer(record)) == "changed_decision"
    first = bench.gate.answer(bench.answer(now), channel="cli")
    assert (first.state, first.code) == (State.AWAITING_APPROVAL, "needs_more_approvals")
    assert refused(bench, now, bench.answer(now)) == "answered_before"
    assert bench.gate.answer(bench.answer(now, "kim"), channel="cli").state is State.APPROVED
    assert bench.gate.execute(record.id).state is State.DONE


def test_a_policy_that_denies_now_denies(bench: Bench):
    record = approved(bench)
    bench.policy.policy = policy(closed())
    assert bench.gate.execute(record.id).state is State.DENIED
    assert bench.branches() == []


def test_a_policy_change_between_card_and_click_puts_a_new_card_there(bench: Bench):
    record = bench.propose()
    bench.policy.policy = policy(stricter())
    assert refused(bench, record, bench.answer(record)) == "changed_decision"
    now = bench.gate.find(record.id)
    assert now.state is State.AWAITING_APPROVAL
    assert now.decision_digest != record.decision_digest


def test_a_policy_that_denies_at_the_click_denies(bench: Bench):
    record = bench.propose()
    bench.policy.policy = policy(closed())
    assert refused(bench, record, bench.answer(record)) == "policy_denied"
    assert bench.gate.find(record.id).state is State.DENIED


def test_a_denied_proposal_is_stored_and_waits_for_nobody(bench: Bench):
    bench.policy.policy = policy(closed())
    record = bench.propose()
    assert record.state is State.DENIED
    assert refused(bench, record, bench.answer(record)) == "is_denied"


def test_membership_lost_between_approval_and_execution_goes_back_to_waiting(bench: Bench):
    record = approved(bench)
    bench.people.people["sam"] = Principal(name="sam", groups=("analysts",), key=bench.keys["sam"].public)
    assert (bench.gate.execute(record.id).state, bench.branches()) == (State.AWAITING_APPROVAL, [])


def test_a_key_replaced_between_approval_and_execution_voids_the_approval(bench: Bench):
    record = approved(bench)
    bench.people.people["sam"] = Principal(name="sam", groups=("platform-owners",), key=bench.keys["kim"].public)
    assert (bench.gate.execute(record.id).state, bench.branches()) == (State.AWAITING_APPROVAL, [])


# -- rows are no authority ----------------------------------------------------------------------------------------


def test_a_state_set_by_hand_writes_nothing(bench: Bench):
    record = bench.propose()
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state="approved"))
    unproven(bench, record.id)


def unproven(bench: Bench, proposal: str) -> None:
    """The log is asked first: the attempt is recorded, nothing is written, and the row is not made true."""
    before = kinds(bench, proposal).count("policy.decided")
    with pytest.raises(Refused) as caught:
        bench.gate.execute(proposal)
    assert caught.value.code == "state_not_proven"
    assert kinds(bench, proposal).count("policy.decided") == before + 1
    assert bench.branches() == []


def kinds(bench: Bench, proposal: str) -> list[str]:
    return [item.entry.kind for item in bench.log.entries(proposal)]


def test_an_approval_row_inserted_by_hand_writes_nothing(bench: Bench):
    record = bench.propose()
    with bench.engine.begin() as connection:
        connection.execute(
            insert(tables.approvals).values(
                proposal=record.id,
                proposal_digest=record.digest,
                decision_digest=record.decision_digest,
                principal="sam",
                action="approve",
                entry="l-zzzzzzzzzzzz",
                at_us=bench.clock.now_us(),
            )
        )
        connection.execute(update(tables.proposals).values(state="approved"))
    unproven(bench, record.id)
    assert bench.gate.approvals(bench.gate.find(record.id)) == []


def test_a_real_approval_copied_to_another_proposal_writes_nothing(bench: Bench):
    first = approved(bench)
    second = bench.propose(name="models/b.yml")
    with bench.ledger.look() as connection:
        (row,) = proposals.list_approvals(connection, first.id)
    with bench.engine.begin() as connection:
        connection.execute(
            update(tables.approvals).values(
                proposal=second.id, proposal_digest=second.digest, decision_digest=second.decision_digest
            )
        )
        connection.execute(update(tables.proposals).where(tables.proposals.c.id == second.id).values(state="approved"))
    assert row.proposal == first.id
    unproven(bench, second.id)


def test_a_refusal_turned_into_an_approval_by_hand_writes_nothing(bench: Bench):
    record = bench.propose()
    bench.gate.answer(bench.answer(record, action="refuse"), channel="cli")
    with bench.engine.begin() as connection:
        connection.execute(update(tables.approvals).values(action="approve"))
        connection.execute(update(tables.proposals).values(state="approved"))
    unproven(bench, record.id)


def test_an_answer_row_that_points_at_another_kind_of_entry_writes_nothing(bench: Bench):
    record = approved(bench)
    moved = next(item.entry for item in bench.log.entries(record.id) if item.entry.kind == "proposal.moved")
    with bench.engine.begin() as connection:
        connection.execute(update(tables.approvals).values(entry=moved.id))
    assert bench.gate.execute(record.id).state is State.AWAITING_APPROVAL


def test_a_done_proposal_set_back_by_hand_is_not_written_again(bench: Bench):
    record = approved(bench)
    bench.gate.execute(record.id)
    branch = bench.branches()[0]
    git(bench.repository, "update-ref", "-d", f"refs/heads/{branch}")
    with bench.engine.begin() as connection:
        connection.execute(text("DELETE FROM executions"))
        connection.execute(update(tables.proposals).values(state="approved"))
    with pytest.raises(Refused) as caught:
        bench.gate.execute(record.id)
    assert caught.value.code == "used_before"
    assert bench.branches() == []


FIELDS = ("preview", "why", "nonce", "tool_version", "labels", "rollback", "args", "evidence", "target", "content")


def changed(body: Any, field: str, position: int) -> Any:
    """Give ``body`` with one character of one field changed, at a place that ``position`` chooses."""
    texts: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in items:
            if isinstance(value, str) and value:
                texts.append((node, key))
            collect(value)

    holder = {field: body[field]}
    collect(holder)
    if not texts:
        body[field] = [*body[field], "x"] if isinstance(body[field], list) else "x"
        return body
    node, key = texts[position % len(texts)]
    old = node[key]
    at = position % len(old)
    node[key] = old[:at] + ("b" if old[at] != "b" else "c") + old[at + 1 :]
    body[field] = holder[field]
    return body


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(FIELDS), position=st.integers(0, 10_000), fix_digest=st.booleans())
def test_one_changed_byte_is_another_proposal(bench: Bench, field: str, position: int, fix_digest: bool):
    """Whatever byte is edited in the database after the approval: nothing is written."""
    record = approved(bench)
    before = bench.branches()
    body = changed(canonical.decode(canonical.encode(record.proposal.canonical())), field, position)
    values: dict[str, Any] = {"body": canonical.encode(body)}
    if fix_digest:
        values["digest"] = canonical.digest(body)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).where(tables.proposals.c.id == record.id).values(**values))
        if fix_digest:
            mine = tables.approvals.c.proposal == record.id
            connection.execute(update(tables.approvals).where(mine).values(proposal_digest=canonical.digest(body)))
    try:
        state = bench.gate.execute(record.id).state
    except (CheckFailed, ValueError):
        state = None
    assert state is not State.DONE
    assert bench.branches() == before
    with bench.engine.begin() as connection:
        connection.execute(
            update(tables.proposals).where(tables.proposals.c.id == record.id).values(state="superseded")
        )


def test_evidence_changed_after_the_approval_supersedes(bench: Bench):
    record = approved(bench)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.evidence).values(content=b'{"files":[]}'))
    assert (bench.gate.execute(record.id).code, bench.branches()) == ("changed_evidence", [])


def test_evidence_removed_after_the_approval_supersedes(bench: Bench):
    record = approved(bench)
    with bench.engine.begin() as connection:
        connection.execute(text("DELETE FROM evidence"))
    assert (bench.gate.execute(record.id).code, bench.branches()) == ("changed_evidence", [])


# -- faults -------------------------------------------------------------------------------------------------------


class Broken:
    """A policy whose engine is gone (port ``Policy``): what the guard gives then."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def decide(self, call: Call) -> Decision:
        del call
        return self.decision


def test_an_engine_fault_at_the_execution_is_recorded_and_takes_nothing_from_the_proposal(bench: Bench):
    record = approved(bench)
    fault = record.decision.model_copy(
        update={
            "effect": "deny",
            "approvals": None,
            "reasons": (record.decision.reasons[0].model_copy(update={"code": "engine_fault"}),),
        }
    )
    whole, bench.policy.policy = bench.policy.policy, Broken(fault)
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.APPROVED, "engine_fault")
    assert bench.branches() == []
    decided = [item.entry.event for item in bench.log.entries(record.id, kind="policy.decided")][-1]
    assert isinstance(decided, PolicyDecided)
    assert decided.reasons == ("engine_fault",)
    bench.policy.policy = whole
    assert bench.gate.execute(record.id).state is State.DONE


def test_an_engine_fault_at_the_click_is_recorded_and_the_card_still_waits(bench: Bench):
    record = bench.propose()
    fault = record.decision.model_copy(
        update={
            "effect": "deny",
            "approvals": None,
            "reasons": (record.decision.reasons[0].model_copy(update={"code": "engine_fault"}),),
        }
    )
    whole, bench.policy.policy = bench.policy.policy, Broken(fault)
    assert refused(bench, record, bench.answer(record)) == "engine_fault"
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    bench.policy.policy = whole
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED


def test_an_allow_for_a_write_is_not_enough(bench: Bench):
    record = approved(bench)
    bench.policy.policy = Broken(record.decision.model_copy(update={"effect": "allow", "approvals": None}))
    assert bench.gate.execute(record.id).state is State.DENIED


def test_a_log_that_cannot_be_written_stops_the_write(bench: Bench):
    record = approved(bench)
    with bench.engine.begin() as connection:
        connection.execute(text("ALTER TABLE log_pending RENAME TO elsewhere"))
    with pytest.raises(LogUnavailable):
        bench.gate.execute(record.id)
    with bench.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO log_pending"))
    assert bench.branches() == []
    assert bench.gate.find(record.id).state is State.APPROVED


def test_two_executions_at_once_write_once(bench: Bench):
    record = approved(bench)
    barrier = threading.Barrier(4)
    results: list[str] = []

    def run() -> None:
        barrier.wait()
        results.append(bench.gate.execute(record.id).state.value)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "done" in results
    assert set(results) <= {"done", "executing"}
    assert bench.kinds(record.id).count("write.intended") == 1
    assert len(bench.branches()) == 1


def test_two_approvers_at_once_reach_a_quorum_of_two_once(bench: Bench):
    bench.policy.policy = policy(stricter())
    record = bench.propose()
    barrier = threading.Barrier(2)
    results: list[str] = []

    def run(name: str) -> None:
        barrier.wait()
        results.append(bench.gate.answer(bench.answer(record, name), channel="cli").code)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("sam", "kim")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "quorum_met" in results
    assert bench.gate.find(record.id).state is State.APPROVED


def test_the_card_that_was_shown_is_recorded(bench: Bench):
    record = bench.propose()
    bench.gate.shown(record, channel="cli", viewer="sam")
    assert bench.kinds(record.id)[-1] == "card.shown"


def test_a_step_that_runs_again_makes_no_second_proposal(bench: Bench):
    desk = bench.desk()
    draft = bench.draft(desk)
    first = desk.propose(draft, agent="catalog", step=2)
    assert desk.propose(draft, agent="catalog", step=2).id == first.id
    assert [record.id for record in desk.proposals()] == [first.id]


def test_a_proposal_of_somebody_who_left_is_not_made(bench: Bench):
    desk = bench.desk()
    draft = bench.draft(desk)
    del bench.people.people["ana"]
    with pytest.raises(Refused) as caught:
        desk.propose(draft, agent="catalog", step=2)
    assert caught.value.code == "requester_unknown"


def test_evidence_of_another_run_cannot_be_cited(bench: Bench):
    other, desk = bench.desk(), bench.desk()
    draft = bench.draft(other)
    with pytest.raises(Refused) as caught:
        desk.propose(draft, agent="catalog", step=2)
    assert caught.value.code == "foreign_evidence"


class LateGate(Gate):
    """Looks, and then somebody else is faster."""

    def __init__(self, bench: Bench, meanwhile: Callable[[], object]) -> None:
        super().__init__(bench.steps, ids=bench.ids, rules=bench.rules)
        self._sight = Late(self._sight, meanwhile)


class Late(Sight):
    def __init__(self, sound: Sight, meanwhile: Callable[[], object]) -> None:
        self._sound = sound
        self._meanwhile = meanwhile

    def of(self, proposal: str, *, evidence: bool = False) -> Seen:
        seen = self._sound.of(proposal, evidence=evidence)
        self._meanwhile()
        return seen


def test_who_looked_before_another_executor_was_done_writes_nothing(bench: Bench):
    record = approved(bench)
    late = LateGate(bench, lambda: bench.gate.execute(record.id))
    result = late.execute(record.id)
    assert (result.state, result.code) == (State.DONE, "another_executor")
    assert kinds(bench, record.id).count("write.intended") == 1
