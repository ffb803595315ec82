"""Answers that settle an unknown outcome, and saying no while an engine is silent."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update
from support.bench import Bench
from support.notes import BlindNotes, MakeBench, approved_note, effects, proposed_note, target

from twokey.core import canonical
from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Action, ApprovalsNeeded, Call, Decision, GroupQuorum, Principal
from twokey.policies import decision as decisions
from twokey.store import proposals, tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.gate import WRITE_LEASE_S

WORDS = canonical.commitment("0" * 32, "I have looked.")


class Died(BaseException):
    """Ends an executor where it stands."""


def unknown(make: MakeBench) -> tuple[Bench, ProposalRecord]:
    """A note of which nobody knows whether it was written."""
    at: dict[str, Callable[[], None]] = {}
    bench = make([BlindNotes(at)])
    record = approved_note(bench, "blind_note")

    def die() -> None:
        raise Died

    at["before"] = die
    with pytest.raises(Died):
        bench.gate.execute(record.id)
    at.clear()
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.recover(record.id).state is State.UNKNOWN
    return bench, bench.gate.find(record.id)


def settle(
    bench: Bench,
    record: ProposalRecord,
    name: str = "kim",
    action: Action = "confirm_written",
    reason: str = "I have looked.",
    **changes: Any,
) -> State:
    fields = {"reason_commitment": WORDS} | changes
    return bench.gate.answer(bench.answer(record, name, action, **fields), channel="cli", reason=reason).state


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize(("action", "state"), [("confirm_written", State.DONE), ("confirm_not_written", State.FAILED)])
def test_one_person_who_is_asked_says_how_it_ended(make_notes: MakeBench, action: Action, state: State):
    bench, record = unknown(make_notes)
    assert settle(bench, record, action=action) is state
    found = bench.gate.find(record.id)
    assert (found.state, found.code) == (state, action)
    assert bench.kinds(record.id)[-2:] == ["answer.given", "proposal.moved"]
    assert [(item.principal, item.action) for item in bench.gate.approvals(found)] == [
        ("sam", "approve"),
        ("kim", action),
    ]
    assert refused(lambda: settle(bench, record, "sam")) == f"is_{state.value}"
    assert bench.gate.execute(record.id).state is state
    assert effects(target(bench)) == 0


def test_who_approved_it_may_say_how_it_ended(make_notes: MakeBench):
    bench, record = unknown(make_notes)
    assert settle(bench, record, "sam") is State.DONE


def test_long_after_the_card_has_expired_it_can_still_be_said(make_notes_once: MakeBench):
    bench, record = unknown(make_notes_once)
    bench.clock.advance(7 * 86400)
    assert settle(bench, record) is State.DONE


def test_who_may_not_say_how_it_ended_does_not(make_notes_once: MakeBench):
    bench, record = unknown(make_notes_once)
    assert refused(lambda: settle(bench, record, "ana")) == "own_proposal"
    assert refused(lambda: settle(bench, record, "rita")) == "not_an_approver"
    key = bench.keys["ana"].public
    bench.people.people["ana"] = Principal(name="ana", groups=("platform-owners",), key=key)
    assert refused(lambda: settle(bench, record, "ana")) == "own_proposal"
    assert refused(lambda: settle(bench, record, reason=" ")) == "no_reason"
    assert refused(lambda: settle(bench, record, reason_commitment=None)) == "no_reason"
    assert refused(lambda: settle(bench, record, proposal_digest="0" * 64)) == "changed_proposal"
    assert bench.gate.find(record.id).state is State.UNKNOWN


@pytest.mark.parametrize("done", [False, True])
def test_there_is_nothing_to_settle_where_the_outcome_is_known(make_notes_once: MakeBench, done: bool):
    bench = make_notes_once()
    record = approved_note(bench)
    if done:
        bench.gate.execute(record.id)
    expected = f"is_{'done' if done else 'approved'}"
    assert refused(lambda: settle(bench, bench.gate.find(record.id))) in {expected, "already_answered"}


def test_a_row_that_says_unknown_settles_nothing(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state="unknown"))
    assert refused(lambda: settle(bench, bench.gate.find(record.id))) == "state_not_proven"
    bench.gate.expire_due()
    assert "answer.given" not in bench.kinds(record.id)[-1:]


def test_a_life_that_does_not_hang_together_settles_nothing(make_notes_once: MakeBench):
    bench, record = unknown(make_notes_once)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state="executing"))
        connection.execute(update(tables.executions).values(intent="l-zzzzzzzzzzzz", lease_until_us=1))
    with pytest.raises(Refused) as caught:
        bench.gate.recover(record.id)
    assert caught.value.code == "used_before"
    with bench.ledger.change() as unit:
        # a step that the log's last one does not lead to
        bench.steps.transition(unit, bench.gate.find(record.id), State.UNKNOWN, "forged")
    assert refused(lambda: settle(bench, record)) == "state_not_proven"
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state="executing"))
    assert bench.gate.recover(record.id).code == "intent_not_proven"


def test_a_row_that_asks_other_people_lets_them_say_nothing(make_notes_once: MakeBench):
    bench, record = unknown(make_notes_once)
    needed = ApprovalsNeeded(all_of=(GroupQuorum(group="risk-owners", n=1),), exclude=("ana",))
    forged = record.decision.model_copy(update={"approvals": needed})
    with bench.engine.begin() as connection:
        connection.execute(
            update(tables.proposals).values(
                decision=canonical.encode(forged.canonical()), decision_digest=forged.digest()
            )
        )
    assert refused(lambda: settle(bench, bench.gate.find(record.id), "rita")) == "state_not_proven"


def test_two_that_settle_at_once_are_one(make_notes: MakeBench):
    bench, record = unknown(make_notes)
    first = bench.answer(record, "kim", "confirm_written", reason_commitment=WORDS)
    second = bench.answer(record, "sam", "confirm_not_written", reason_commitment=WORDS)
    bench.gate.answer(first, channel="cli", reason="I have looked.")
    with pytest.raises(Refused):
        bench.gate.answer(second, channel="cli", reason="I have looked.")
    with bench.ledger.look() as connection:
        rows = proposals.list_approvals(connection, record.id)
    assert [row.action for row in rows] == ["approve", "confirm_written"]


class Silent:
    """A policy whose engine gives no answer."""

    def __init__(self, like: Decision) -> None:
        self.like = like

    def decide(self, call: Call) -> Decision:
        del call
        reasons = decisions.fault("The policy engine gave no answer.").reasons
        return self.like.model_copy(update={"effect": "deny", "approvals": None, "reasons": reasons})


def test_saying_no_works_while_the_engine_is_silent(make_notes_once: MakeBench):
    bench = make_notes_once()
    record, other = proposed_note(bench), proposed_note(bench, name="other")
    bench.policy.policy = Silent(record.decision)
    assert refused(lambda: bench.gate.answer(bench.answer(record), channel="cli")) == "engine_fault"
    stale = bench.answer(other, action="refuse", decision_digest="0" * 64)
    assert refused(lambda: bench.gate.answer(stale, channel="cli")) == "changed_decision"
    assert bench.gate.answer(bench.answer(record, action="refuse"), channel="cli").state is State.REFUSED
    assert bench.kinds(record.id)[-3:] == ["policy.decided", "answer.given", "proposal.moved"]


# -- rows are no authority ------------------------------------------------------------------------------------------------


def edit_answers(bench: Bench, **values: Any) -> None:
    """Edit the rows of answers behind the log's back."""
    with bench.engine.begin() as connection:
        connection.execute(update(tables.approvals).values(**values))


def test_answers_on_the_card_are_those_that_the_log_bears_out(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    bench.gate.answer(bench.answer(record, "kim", "refuse"), channel="cli", reason="not now")
    now = bench.gate.find(record.id)
    assert [(row.principal, row.action) for row in bench.gate.approvals(now)] == [("kim", "refuse")]
    for forged in ({"principal": "sam"}, {"action": "withdraw", "principal": "kim"}, {"entry": "l-zzzzzzzzzzzz"}):
        edit_answers(bench, **forged)
        assert bench.gate.approvals(now) == []
    moved = next(item.entry for item in bench.log.entries(record.id) if item.entry.kind == "proposal.moved")
    edit_answers(bench, entry=moved.id)
    assert bench.gate.approvals(now) == []


def test_an_approval_passed_off_as_a_refusal_is_not_shown_as_one(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    edit_answers(bench, action="refuse")
    assert bench.gate.approvals(record) == []
