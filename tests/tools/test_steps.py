"""Steps of a proposal that somebody else has moved meanwhile, and answers that come at the same moment."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select, update
from support import uncounted
from support.bench import Bench
from support.notes import KeyedNotes, MakeBench, approved_note, notes_policy, proposed_note

from twokey.core.errors import NotFound, Refused
from twokey.core.events import ClickRejected
from twokey.core.lifecycle import IllegalTransition, State
from twokey.core.values import Answer, ApprovalsNeeded, Call, Decision, GroupQuorum, Identity
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.steps import Moved, Steps


def steps_of(bench: Bench) -> Steps:
    return Steps(
        ledger=bench.ledger,
        policy=bench.policy,
        registry=bench.registry,
        directory=bench.people,
        clock=bench.clock,
        book=bench.book,
    )


def withdraw(bench: Bench, record: ProposalRecord) -> None:
    bench.gate.answer(bench.answer(record, "ana", "withdraw"), channel="cli")


def test_a_move_that_comes_second_gives_what_the_first_made_of_it(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    withdraw(bench, record)
    kinds = bench.kinds(record.id)
    result = steps_of(bench).move(record, State.EXPIRED, "expired")
    assert (result.state, result.code) == (State.WITHDRAWN, "withdrawn_by_requester")
    assert bench.kinds(record.id) == kinds


def test_a_transition_from_a_state_that_is_over_leaves_nothing(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    withdraw(bench, record)
    kinds = bench.kinds(record.id)

    def late() -> None:
        with bench.ledger.change() as unit:
            steps_of(bench).transition(unit, record, State.APPROVED, "quorum_met")

    with pytest.raises(Moved):
        late()
    assert (bench.gate.find(record.id).state, bench.kinds(record.id)) == (State.WITHDRAWN, kinds)


def test_a_step_that_the_lifecycle_does_not_have_is_refused(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = proposed_note(bench)
    with pytest.raises(IllegalTransition):
        steps_of(bench).move(record, State.DONE, "written")
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL


def test_an_answer_to_what_is_withdrawn_while_it_is_checked_does_not_count(make_notes: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes([KeyedNotes(at)])
    record = proposed_note(bench)

    def meanwhile() -> None:
        at.clear()
        withdraw(bench, record)

    at["render"] = meanwhile
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(record), channel="cli")
    assert caught.value.code == "is_withdrawn"
    rejected = [item.entry.event for item in bench.log.entries(record.id, kind="click.rejected")]
    assert [said.code for said in rejected if isinstance(said, ClickRejected)] == ["is_withdrawn"]
    assert bench.gate.find(record.id).state is State.WITHDRAWN


def test_an_answer_names_the_whole_proposal(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = proposed_note(bench)
    with pytest.raises(NotFound):
        bench.gate.answer(bench.answer(record, proposal=record.id[:-1]), channel="cli")
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL


def test_an_answer_to_what_is_not_here_is_recorded_without_what_was_named(make_notes: MakeBench):
    bench = make_notes()
    sam = Identity(principal=bench.people.people["sam"], auth="key", channel="cli")
    bench.gate.rejected(sam, "approve", "unknown_proposal")
    (item,) = bench.log.entries("-")
    assert item.entry.event == ClickRejected(
        action="approve", principal="sam", auth="key", channel="cli", proposal=None, code="unknown_proposal"
    )


class Two:
    """A policy that asks two people (port ``Policy``)."""

    def decide(self, call: Call) -> Decision:
        decision = notes_policy().decide(call)
        if decision.approvals is None:
            return decision
        both = ApprovalsNeeded(all_of=(GroupQuorum(group="platform-owners", n=2),), exclude=decision.approvals.exclude)
        return decision.model_copy(update={"approvals": both})


@pytest.mark.parametrize("second", ["approve", "refuse"])
def test_whoever_counts_again_sees_the_answer_that_came_in_between(make_notes: MakeBench, second: str):
    """Kim answers after Sam's answer is stored and before Sam's call has counted again."""
    bench = make_notes()
    bench.policy.policy = Two()
    record = proposed_note(bench)
    kims: Answer = bench.answer(record, "kim", "approve" if second == "approve" else "refuse")
    results: list[str] = []

    def meanwhile(_connection: Any, _record: Any, _proxy: Any) -> None:
        """Before the first look after Sam's answer was stored."""
        if results:
            return
        results.append("looking")
        with bench.engine.connect() as connection:
            stored = connection.execute(select(tables.approvals)).first()
        results.clear()
        if stored is not None:
            results.append("kim answers")
            results.append(bench.gate.answer(kims, channel="cli").state.value)

    event.listen(bench.engine, "checkout", meanwhile)
    result = bench.gate.answer(bench.answer(record), channel="cli")
    event.remove(bench.engine, "checkout", meanwhile)
    expected = State.APPROVED if second == "approve" else State.REFUSED
    assert results == ["kim answers", expected.value]
    assert bench.gate.find(record.id).state is expected
    if second == "approve":
        assert result.state is State.APPROVED
        assert bench.gate.execute(record.id).state is State.DONE


def waiting_for_two(bench: Bench, *names: str) -> ProposalRecord:
    bench.policy.policy = Two()
    record = proposed_note(bench)
    uncounted.store(bench.ledger, record, [bench.answer(record, name) for name in names])
    return record


def test_answers_that_suffice_are_counted_by_whoever_looks_next(make_notes: MakeBench):
    bench = make_notes()
    record = waiting_for_two(bench, "sam", "kim")
    assert bench.gate.execute(record.id).state is State.AWAITING_APPROVAL
    before, other = bench.kinds(record.id), bench.sibling()
    for _ in range(2):
        assert (other.recount(record.id).state, other.recount(record.id).code) == (State.APPROVED, "quorum_met")
    assert bench.kinds(record.id) == [*before, "proposal.moved"]
    assert bench.gate.execute(record.id).state is State.DONE


def test_one_answer_of_two_is_looked_at_without_reading_the_log(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = waiting_for_two(bench, "sam")
    kinds = bench.kinds(record.id)
    assert bench.gate.recount(record.id).state is State.AWAITING_APPROVAL
    assert bench.kinds(record.id) == kinds


def test_rows_that_the_log_does_not_prove_are_counted_for_nothing(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = waiting_for_two(bench, "sam", "kim")
    with bench.engine.begin() as connection:
        forged = update(tables.approvals).where(tables.approvals.c.principal == "kim")
        connection.execute(forged.values(entry="l-0000000000zz"))
    result = bench.gate.recount(record.id)
    assert (result.state, result.code) == (State.AWAITING_APPROVAL, "needs_more_approvals")


def test_a_row_that_was_set_back_is_not_counted_again(make_notes_once: MakeBench):
    """It was withdrawn, and whoever owns the database has it wait again."""
    bench = make_notes_once()
    record = waiting_for_two(bench, "sam", "kim")
    withdraw(bench, record)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state=State.AWAITING_APPROVAL.value))
    kinds = bench.kinds(record.id)
    assert bench.gate.recount(record.id).code == "state_not_proven"
    assert bench.kinds(record.id) == kinds


def test_nothing_is_counted_behind_the_kill_switch_or_after_its_time(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = waiting_for_two(bench, "sam", "kim")
    bench.gate.orders.freeze(bench.order("sam", "freeze_on"), channel="cli", reason="")
    result = bench.gate.recount(record.id)
    assert (result.state, result.code) == (State.AWAITING_APPROVAL, "frozen")
    bench.clock.advance(1)
    bench.gate.orders.freeze(bench.order("sam", "freeze_off"), channel="cli", reason="over")
    bench.clock.advance(8 * 24 * 3600)
    assert bench.gate.recount(record.id).state is State.AWAITING_APPROVAL
    assert bench.gate.execute(record.id).state is not State.APPROVED


def test_a_shorter_card_is_made_only_while_the_proposal_waits(make_notes_once: MakeBench):
    """A new decision on a proposal that moved on meanwhile changes nothing."""
    bench = make_notes_once()
    record = approved_note(bench)
    steps = steps_of(bench)
    asked = steps.ask(record, "click")
    other = asked.decision.model_copy(update={"warnings": ("late",)})
    steps.renew(record, dataclasses.replace(asked, decision=other))
    assert bench.gate.find(record.id).decision_digest == record.decision_digest
