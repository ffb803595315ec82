"""Answers that come from elsewhere: they count as far as policy admits them, while the link is in force."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CountingIds, FixedClock
from sqlalchemy import delete, select
from support.bench import WORKSPACE, Bench
from support.notes import BlindNotes, effects, notes_bench, notes_policy, proposed_note, target

from twokey.core.errors import CheckFailed, EnvironmentFault, Refused
from twokey.core.events import AnswerGiven, ClickRejected
from twokey.core.lifecycle import State
from twokey.core.values import Answer, GivenOrder, Order
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import Authority

SAM, OTHER, HUB = "slack:T01/U0SAM", "slack:T01/U0KIM", "github:583231"


@pytest.fixture
def notes(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = notes_bench(tmp_path, sqlite_url, clock, ids)
    made.policy.policy = notes_policy(proofs=("key", "slack"))
    link(made)
    yield made
    made.engine.dispose()


def link(bench: Bench, external: str = SAM, name: str = "sam") -> None:
    bench.gate.links.ask(external, name, "slack")
    bench.gate.links.confirm(bench.order(name, "link", external=external), channel="cli")
    bench.clock.advance(1)


def unlink(bench: Bench, external: str = SAM, name: str = "sam") -> None:
    bench.clock.advance(1)
    bench.gate.links.remove(bench.order(name, "unlink", external=external), channel="cli")


def said(bench: Bench, record: ProposalRecord, name: str = "sam", external: str = SAM, **changes: Any) -> Answer:
    """An answer as the channel gives it that authenticated ``external``."""
    statement = bench.answer(record, name, **changes).statement
    return Answer.model_validate({"statement": statement, "auth": external.partition(":")[0], "external": external})


def fail() -> None:
    raise EnvironmentFault("The folder is gone.", next="Bring it back.")


def indexed(bench: Bench, record: ProposalRecord, entry: str) -> None:
    """Put a row there that says that sam approved in ``entry``, as whoever can write to the database may."""
    with bench.engine.begin() as connection:
        connection.execute(
            tables.approvals.insert().values(
                proposal=record.id,
                proposal_digest=record.digest,
                decision_digest=record.decision_digest,
                principal="sam",
                action="approve",
                entry=entry,
                at_us=bench.clock.now_us(),
            )
        )


def refused(bench: Bench, record: ProposalRecord, answer: Answer, code: str) -> None:
    with pytest.raises(Refused) as caught:
        bench.gate.answer(answer, channel="slack")
    assert caught.value.code == code
    last = [item.entry.event for item in bench.log.entries(record.id, kind="click.rejected")][-1]
    assert isinstance(last, ClickRejected)
    assert (last.code, last.auth, last.channel) == (code, answer.auth, "slack")
    assert bench.gate.execute(record.id).state is State.AWAITING_APPROVAL
    assert effects(target(bench)) == 0


def test_a_linked_identity_approves_what_policy_admits_it_for(notes: Bench):
    record = proposed_note(notes)
    assert record.decision.approvals is not None
    assert record.decision.approvals.auth == ("key", "slack")
    result = notes.gate.answer(said(notes, record), channel="slack")
    assert result.state is State.APPROVED
    assert notes.gate.execute(record.id).state is State.DONE
    assert effects(target(notes)) == 1
    (event,) = [item.entry.event for item in notes.log.entries(record.id, kind="answer.given")]
    assert isinstance(event, AnswerGiven)
    assert (event.answer.auth, event.answer.external) == ("slack", SAM)


def test_without_a_link_or_by_another_identity_nothing_counts(notes: Bench):
    record = proposed_note(notes)
    refused(notes, record, said(notes, record, external=OTHER), "not_authenticated")
    refused(notes, record, said(notes, record, "kim"), "not_authenticated")
    link(notes, OTHER, "ana")
    refused(notes, record, said(notes, record, external=OTHER), "not_authenticated")
    refused(notes, record, said(notes, record, "ana", OTHER), "own_proposal")
    refused(notes, record, said(notes, record, workspace="w-zzzzzzzzzzzz"), "not_authenticated")


def test_an_answer_from_before_the_link_is_not_theirs_by_it(notes: Bench):
    record = proposed_note(notes)
    early = said(notes, record)
    unlink(notes)
    notes.clock.advance(1)
    link(notes)
    refused(notes, record, early, "not_authenticated")


def test_a_link_that_ends_between_click_and_write_takes_its_approvals_along(notes: Bench):
    record = proposed_note(notes)
    assert notes.gate.answer(said(notes, record), channel="slack").state is State.APPROVED
    unlink(notes)
    result = notes.gate.execute(record.id)
    assert (result.state, result.code) == (State.AWAITING_APPROVAL, "quorum_lost")
    notes.clock.advance(1)
    link(notes)
    assert notes.gate.execute(record.id).state is State.AWAITING_APPROVAL, "nor does a new link bring them back"
    assert effects(target(notes)) == 0


def test_a_row_of_a_link_that_was_edited_voids_what_it_approved(notes: Bench):
    record = proposed_note(notes)
    assert notes.gate.answer(said(notes, record), channel="slack").state is State.APPROVED
    with notes.engine.begin() as connection:
        connection.execute(delete(tables.links))
    assert notes.gate.execute(record.id).code == "quorum_lost"
    assert effects(target(notes)) == 0


def test_what_a_link_approved_that_has_ended_is_approved_anew_with_a_key(notes: Bench):
    record = proposed_note(notes)
    assert notes.gate.answer(said(notes, record), channel="slack").state is State.APPROVED
    unlink(notes)
    assert notes.gate.execute(record.id).code == "quorum_lost"
    assert notes.gate.answer(notes.answer(record), channel="cli").state is State.APPROVED
    assert notes.gate.execute(record.id).state is State.DONE
    assert len(notes.log.entries(record.id, kind="answer.given")) == 2, "the log keeps both"
    (kept,) = notes.gate.approvals(record)
    assert kept.principal == "sam"
    assert effects(target(notes)) == 1


def test_an_approval_that_counts_is_not_given_twice(notes: Bench):
    notes.policy.policy = notes_policy(quorum=2, proofs=("key", "slack"))
    record = proposed_note(notes)
    assert notes.gate.answer(said(notes, record), channel="slack").state is State.AWAITING_APPROVAL
    with pytest.raises(Refused) as caught:
        notes.gate.answer(notes.answer(record), channel="cli")
    assert caught.value.code == "answered_before"


@pytest.mark.parametrize("entry", ["l-000000000000", "of another"])
def test_a_row_that_the_log_does_not_prove_to_be_theirs_gives_way_to_nothing(notes: Bench, entry: str):
    record = proposed_note(notes)
    unlink(notes)
    if entry != "l-000000000000":
        (entry,) = notes.ledger.record(
            AnswerGiven(answer=said(notes, record, "kim"), groups=("platform-owners",), channel="slack")
        )
    indexed(notes, record, entry)
    with pytest.raises(Refused) as caught:
        notes.gate.answer(notes.answer(record), channel="cli")
    assert caught.value.code == "answered_before"
    assert effects(target(notes)) == 0


def test_an_approval_that_is_proven_only_by_now_and_counts_gives_way_to_nothing(notes: Bench):
    """It was not proven yet when the answers were counted, and is when this one is to take its place."""
    notes.policy.policy = notes_policy(quorum=2, proofs=("key", "slack"))
    record = proposed_note(notes)
    given: list[str] = []

    class Late:
        """A log that proves an entry the second time only (port of the ledger)."""

        def __getattr__(self, name: str) -> Any:
            return getattr(notes.ledger, name)

        def proven(self, entry: str) -> Any:
            given.append(entry)
            if len(given) == 1:
                raise CheckFailed("It is not covered yet.", next="Wait.")
            return notes.ledger.proven(entry)

    assert notes.gate.answer(said(notes, record), channel="slack").state is State.AWAITING_APPROVAL
    with pytest.raises(Refused) as caught:
        notes.sibling(ledger=Late()).answer(notes.answer(record), channel="cli")
    assert caught.value.code == "answered_before"
    assert given[0] == given[1]
    (kept,) = notes.gate.approvals(record)
    assert kept.principal == "sam"


def test_saying_how_a_write_ended_takes_no_approval_away(
    tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds
):
    """Sam approved through a link that has ended since, and says with a key what became of the write."""
    bench = notes_bench(tmp_path, sqlite_url, clock, ids, [BlindNotes({"before": fail})])
    bench.policy.policy = notes_policy(proofs=("key", "slack"))
    link(bench)
    record = proposed_note(bench, "blind_note")
    assert bench.gate.answer(said(bench, record), channel="slack").state is State.APPROVED
    assert bench.gate.execute(record.id).state is State.UNKNOWN
    unlink(bench)
    looked = bench.answer(record, "sam", "confirm_not_written", reason_commitment="ab" * 32)
    assert bench.gate.answer(looked, channel="cli", reason="I have looked.").state is State.FAILED
    with bench.engine.connect() as connection:
        rows = connection.execute(select(tables.approvals.c.action)).scalars().all()
    assert sorted(rows) == ["approve", "confirm_not_written"]
    bench.engine.dispose()


def test_where_policy_asks_for_keys_no_other_proof_approves(notes: Bench):
    notes.policy.policy = notes_policy()
    record = proposed_note(notes)
    refused(notes, record, said(notes, record), "key_needed")
    assert notes.gate.answer(notes.answer(record), channel="cli").state is State.APPROVED


def test_where_policy_asks_for_keys_from_now_on_what_slack_approved_is_void(notes: Bench):
    record = proposed_note(notes)
    assert notes.gate.answer(said(notes, record), channel="slack").state is State.APPROVED
    notes.policy.policy = notes_policy()
    result = notes.gate.execute(record.id)
    assert (result.state, result.code) == (State.AWAITING_APPROVAL, "changed_decision")


def test_an_approval_by_a_proof_that_the_decision_does_not_admit_is_not_counted(notes: Bench):
    """Even where it is in the log: nothing but the decision says which proofs count."""
    record = proposed_note(notes)
    link(notes, HUB)
    refused(notes, record, said(notes, record, external=HUB), "key_needed")
    given = AnswerGiven(answer=said(notes, record, external=HUB), groups=("platform-owners",), channel="github")
    (entry,) = notes.ledger.record(given)
    indexed(notes, record, entry)
    assert notes.gate.approvals(record) == []


def test_saying_no_needs_no_key(notes: Bench):
    record = proposed_note(notes)
    link(notes, HUB)
    answer = said(notes, record, external=HUB, action="refuse")
    answer = answer.model_copy(update={"statement": answer.statement.model_copy(update={"action": "refuse"})})
    assert notes.gate.answer(answer, channel="github").state is State.REFUSED


def test_of_the_orders_only_the_one_that_stops_everything_comes_from_elsewhere(notes: Bench):
    def given(order: str) -> GivenOrder:
        fields = {"workspace": WORKSPACE, "order": order, "principal": "sam", "at_us": notes.clock.now_us()}
        return GivenOrder(statement=Order.model_validate(fields), auth="slack", external=SAM)

    notes.gate.orders.freeze(given("freeze_on"), channel="slack", reason="")
    assert notes.gate.stopped() == "frozen"
    notes.clock.advance(1)
    with pytest.raises(Refused) as caught:
        notes.gate.orders.freeze(given("freeze_off"), channel="slack", reason="")
    assert caught.value.code == "not_authenticated"
    assert notes.gate.stopped() == "frozen"


def test_without_a_book_of_links_nothing_from_elsewhere_counts(notes: Bench):
    authority = Authority(notes.ledger, notes.people, notes.rules)
    sam = notes.people.people["sam"]
    assert not authority.authentic(said(notes, proposed_note(notes)), sam)
