"""Batches of cards: what is shown together is what is answered, card by card, and nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest
from support.bench import Bench
from support.notes import MakeBench, effects, notes_policy, proposed_note, target

from twokey.core.errors import BadInput, Refused
from twokey.core.events import BatchShown, ClickRejected
from twokey.core.lifecycle import State
from twokey.core.values import Principal
from twokey.store.proposals import ProposalRecord
from twokey.tools.batches import Shown

NAMES = ("one", "two", "three", "four")


def waiting(make: MakeBench, count: int = 3, together: int = 3) -> tuple[Bench, list[ProposalRecord]]:
    """Notes that ana asks for, under a policy that lets some of them be answered together."""
    bench = make()
    bench.policy.policy = notes_policy(together=together)
    return bench, [proposed_note(bench, name=name) for name in NAMES[:count]]


def show(bench: Bench, records: Sequence[ProposalRecord], viewer: str | None = "sam") -> Shown:
    return bench.gate.batches.show(records, viewer=viewer, channel="cli")


def approve(bench: Bench, record: ProposalRecord, shown: Shown, name: str = "sam", **changes: Any) -> State:
    fields: dict[str, Any] = {"batch": shown.digest} | changes
    answer = bench.answer(record, name, **fields)
    return bench.gate.answer(answer, channel="cli", shown=shown.entry).state


def refused(bench: Bench, record: ProposalRecord, shown: Shown, name: str = "sam", **changes: Any) -> str:
    """The code with which an answer is refused, which the log has, too."""
    with pytest.raises(Refused) as caught:
        approve(bench, record, shown, name, **changes)
    rejected = list(bench.ledger.history(record.id, "click.rejected"))
    assert isinstance(rejected[-1], ClickRejected)
    assert rejected[-1].code == caught.value.code
    return caught.value.code


def test_each_of_a_batch_is_approved_by_itself_and_written(make_notes: MakeBench):
    bench, records = waiting(make_notes)
    (offered,) = bench.gate.batches.offered("sam")
    assert [record.id for record in offered] == [record.id for record in records]
    shown = show(bench, offered)
    event = bench.ledger.proven(shown.entry).event
    assert isinstance(event, BatchShown)
    assert [(item.proposal, item.digest, item.decision) for item in event.batch.items] == [
        (record.id, record.digest, record.decision_digest) for record in records
    ]
    assert all(len(list(bench.ledger.history(record.id, "card.shown"))) == 1 for record in records)
    for record in records:
        assert approve(bench, record, shown) is State.APPROVED
        assert bench.gate.execute(record.id).state is State.DONE
    assert effects(target(bench)) == 3
    assert refused(bench, records[0], shown) == "is_done"


def test_a_proposal_that_was_not_in_the_list_is_not_approved_with_it(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown = show(bench, records[:2])
    assert refused(bench, records[2], shown) == "batch_not_shown"
    assert bench.gate.find(records[2].id).state is State.AWAITING_APPROVAL


def test_a_batch_that_nobody_was_shown_counts_for_nothing(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown, other = show(bench, records[:2]), show(bench, records[1:])
    assert refused(bench, records[1], Shown(shown.batch, "0" * 64, shown.entry)) == "batch_not_shown"
    assert refused(bench, records[1], Shown(shown.batch, shown.digest, other.entry)) == "batch_not_shown"
    assert refused(bench, records[1], Shown(shown.batch, shown.digest, "l-zzzzzzzzzzzz")) == "batch_not_shown"
    moved = next(iter(bench.log.find(records[1].id, "proposal.moved"))).entry.id
    assert refused(bench, records[1], Shown(shown.batch, shown.digest, moved)) == "batch_not_shown"
    answer = bench.answer(records[1], batch=shown.digest)
    with pytest.raises(Refused, match="batch that counts"):
        bench.gate.answer(answer, channel="cli")
    assert approve(bench, records[1], shown) is State.APPROVED


def test_what_somebody_else_was_shown_is_not_answered(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown = show(bench, records, "kim")
    assert refused(bench, records[0], shown) == "batch_not_shown"
    before_everybody = show(bench, records, None)
    assert approve(bench, records[0], before_everybody) is State.APPROVED


def test_the_signature_covers_the_batch(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown, other = show(bench, records), show(bench, records[:2])
    signed = bench.answer(records[0], batch=shown.digest)
    swapped = signed.model_copy(update={"statement": signed.statement.model_copy(update={"batch": other.digest})})
    with pytest.raises(Refused) as caught:
        bench.gate.answer(swapped, channel="cli", shown=other.entry)
    assert caught.value.code == "not_authenticated"
    alone = signed.model_copy(update={"statement": signed.statement.model_copy(update={"batch": None})})
    with pytest.raises(Refused) as caught:
        bench.gate.answer(alone, channel="cli")
    assert caught.value.code == "not_authenticated"


def test_one_that_changed_since_is_left_out_and_the_others_are_written(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown = show(bench, records)
    forged = records[0].digest
    assert refused(bench, records[1], shown, proposal_digest=forged) == "changed_proposal"
    bench.gate.answer(bench.answer(records[2], "kim", "refuse"), channel="cli")
    assert refused(bench, records[2], shown) == "is_refused"
    assert [approve(bench, record, shown) for record in records[:2]] == [State.APPROVED, State.APPROVED]


def test_a_list_that_is_longer_than_policy_says_by_now_is_not_answered(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown = show(bench, records)
    bench.policy.policy = notes_policy(together=2)
    assert refused(bench, records[0], shown) == "changed_decision"
    now = bench.gate.find(records[0].id).decision_digest
    assert refused(bench, records[0], shown, decision_digest=now) == "batch_not_shown"
    bench.policy.policy = notes_policy()
    assert refused(bench, records[1], shown) == "changed_decision"


def test_policy_says_how_many_are_answered_together(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once, 4, 3)
    (offered,) = bench.gate.batches.offered("sam")
    assert len(offered) == 3
    with pytest.raises(Refused) as caught:
        show(bench, records)
    assert caught.value.code == "batch_too_long"


def test_an_entry_that_holds_more_than_policy_allows_is_no_leave(make_notes_once: MakeBench):
    """Whoever writes into the log a batch that was too long, or of another kind, gets nothing approved by it."""
    bench, records = waiting(make_notes_once, 4, 3)
    sound = show(bench, records[:3]).batch
    items = tuple(
        sound.items[0].model_copy(
            update={"proposal": record.id, "digest": record.digest, "decision": record.decision_digest}
        )
        for record in records
    )
    for changes in ({"items": items}, {"kind": "others"}):
        forged = sound.model_copy(update=changes)
        digest = forged.digest()
        event = BatchShown(proposal=records[0].id, digest=digest, batch=forged, channel="cli")
        (entry,) = bench.ledger.record(event)
        assert refused(bench, records[0], Shown(forged, digest, entry)) == "batch_not_allowed"
        answer = bench.answer(records[3 if "items" in changes else 2], "sam", "refuse", batch=digest)
        assert bench.gate.answer(answer, channel="cli", shown=entry).state is State.REFUSED  # saying no always works


def test_nobody_answers_their_own_inside_a_batch(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    bench.people.people["ana"] = Principal(name="ana", groups=("platform-owners",), key=bench.keys["ana"].public)
    assert bench.gate.batches.offered("ana") == []
    with pytest.raises(Refused) as caught:
        show(bench, records, "ana")
    assert caught.value.code == "own_proposal"
    assert refused(bench, records[0], show(bench, records, None), "ana") == "own_proposal"


def test_who_is_not_asked_is_offered_nothing(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    assert bench.gate.batches.offered("rita") == []
    assert bench.gate.batches.offered("nobody") == []
    with pytest.raises(Refused) as caught:
        show(bench, records, "rita")
    assert caught.value.code == "not_an_approver"
    assert refused(bench, records[0], show(bench, records, None), "rita") == "not_an_approver"


def test_what_differs_in_kind_tool_or_place_is_not_put_together(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once, 2)
    other = proposed_note(bench, "trace_note", name="other")
    for mixed in ([records[0], other], [other, proposed_note(bench, "trace_note", name="another")]):
        with pytest.raises(Refused) as caught:
            show(bench, mixed)
        assert caught.value.code == "mixed_batch"
    assert [len(part) for part in bench.gate.batches.offered("sam")] == [2]


def test_what_is_over_is_not_shown(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    bench.gate.answer(bench.answer(records[0], "kim", "refuse"), channel="cli")
    with pytest.raises(Refused) as caught:
        show(bench, [bench.gate.find(record.id) for record in records])
    assert caught.value.code == "is_refused"
    assert [len(part) for part in bench.gate.batches.offered("sam")] == [2]
    bench.gate.answer(bench.answer(records[1], "kim", "refuse"), channel="cli")
    assert bench.gate.batches.offered("sam") == []


@pytest.mark.parametrize("picked", [(), (0,), (0, 0), (0, 1, 0)])
def test_a_batch_holds_at_least_two_different_cards(make_notes_once: MakeBench, picked: tuple[int, ...]):
    bench, records = waiting(make_notes_once)
    with pytest.raises(BadInput) as caught:
        show(bench, [records[at] for at in picked])
    assert caught.value.code == "no_batch"


def test_a_batch_is_found_by_its_digest_and_exactly_its_list(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    ids = [record.id for record in records]
    shown = show(bench, records)
    show(bench, records[:2])
    assert bench.gate.batches.find(shown.digest, reversed(ids)) == shown
    for digest, among in (
        (shown.digest, ids[:2]),
        (shown.digest, [*ids, "p-zzzzzzzzzzzz"]),
        (shown.digest, [ids[0], ids[1], "p-zzzzzzzzzzzz"]),
        ("0" * 64, ids),
        (shown.digest, []),
    ):
        with pytest.raises(BadInput) as caught:
            bench.gate.batches.find(digest, among)
        assert caught.value.code == "batch_not_shown"


def test_a_swapped_row_of_the_index_makes_no_batch(make_notes_once: MakeBench):
    bench, records = waiting(make_notes_once)
    shown, other = show(bench, records[:2]), show(bench, [records[0], records[2]])
    hint = Shown(shown.batch, shown.digest, other.entry)
    assert refused(bench, records[0], hint) == "batch_not_shown"
    assert approve(bench, records[0], shown) is State.APPROVED
