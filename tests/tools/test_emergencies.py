"""An emergency asks fewer people for exactly one proposal, and only while it lasts and the log bears it out."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, update
from support.bench import Bench
from support.notes import KeyedNotes, MakeBench, effects, notes_policy, proposed_note, target

from twokey.core.errors import Refused
from twokey.core.events import GlassUsed
from twokey.core.lifecycle import State
from twokey.core.values import Principal
from twokey.store import tables
from twokey.store.glass import GlassRecord
from twokey.store.proposals import ProposalRecord
from twokey.tools.gate import WRITE_LEASE_S

MINUTE_US = 60_000_000


class Died(BaseException):
    """Ends an executor where it stands."""


def urgent(bench: Bench, **changes: Any) -> ProposalRecord:
    """A note of ana's that two people have to approve."""
    bench.policy.policy = notes_policy(quorum=2)
    return proposed_note(bench, **changes)


def broken(bench: Bench, record: ProposalRecord, minutes: int = 60) -> GlassRecord:
    until = bench.clock.now_us() + minutes * MINUTE_US
    given = bench.order("rita", "break_glass", subject=record.id, until_us=until)
    return bench.gate.orders.break_glass(given, record, channel="cli", ticket="INC-1", reason="Nothing works.")


def approve(bench: Bench, record: ProposalRecord, name: str = "sam") -> tuple[State, str]:
    result = bench.gate.answer(bench.answer(bench.gate.find(record.id), name), channel="cli")
    return result.state, result.code


def used(bench: Bench, record: ProposalRecord) -> list[str]:
    events = [item.entry.event for item in bench.log.entries(record.id, kind="break_glass.used")]
    return [event.id for event in events if isinstance(event, GlassUsed)]


def asked(bench: Bench, record: ProposalRecord) -> int:
    needed = bench.gate.find(record.id).decision.approvals
    assert needed is not None
    return needed.all_of[0].n


def test_one_person_is_enough_in_an_emergency_and_the_log_says_so(make_notes: MakeBench):
    bench = make_notes()
    record, other = urgent(bench), urgent(bench, name="other")
    assert asked(bench, record) == 2
    made = broken(bench, record)
    assert (asked(bench, record), asked(bench, other)) == (1, 2)
    held = bench.gate.emergency(record)
    assert held is not None
    assert (held.id, held.opened_by, bench.gate.emergency(other)) == (made.id, "rita", None)
    assert bench.gate.find(record.id).decision.obligations == ("review_break_glass",)
    assert approve(bench, other) == (State.AWAITING_APPROVAL, "needs_more_approvals")
    assert approve(bench, record) == (State.APPROVED, "quorum_met")
    assert used(bench, record) == []
    assert bench.gate.execute(record.id).state is State.DONE
    assert used(bench, record) == [made.id]
    kinds = bench.kinds(record.id)
    assert kinds.index("break_glass.used") < kinds.index("write.intended")
    assert bench.gate.orders.used(made)
    assert bench.gate.execute(other.id).state is State.AWAITING_APPROVAL
    assert (used(bench, other), effects(target(bench))) == ([], 1)


def test_what_enough_people_approve_without_an_emergency_uses_none(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    approve(bench, record)
    assert approve(bench, record, "kim") == (State.APPROVED, "quorum_met")
    assert bench.gate.execute(record.id).state is State.DONE
    assert used(bench, record) == []


def end(bench: Bench) -> None:
    bench.clock.advance(10 * 60)


def leave(bench: Bench) -> None:
    bench.people.people["rita"] = Principal(name="rita", groups=("analysts",), key=bench.keys["rita"].public)


def go(bench: Bench) -> None:
    del bench.people.people["rita"]


def change_key(bench: Bench) -> None:
    bench.people.people["rita"] = Principal(name="rita", groups=("risk-owners",), key=bench.keys["kim"].public)


def lose_the_entry(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(update(tables.broken_glass).values(entry="l-zzzzzzzzzzzz"))


def take_another_entry(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        entry = bench.log.entries(kind="policy.decided")[-1].entry.id
        connection.execute(update(tables.broken_glass).values(entry=entry))


@pytest.mark.parametrize("over", [end, leave, go, change_key, lose_the_entry, take_another_entry])
def test_an_emergency_that_does_not_hold_any_more_leaves_the_old_card(
    make_notes_once: MakeBench, over: Callable[[Bench], None]
):
    bench = make_notes_once()
    record = urgent(bench)
    broken(bench, record, minutes=10)
    short = bench.gate.find(record.id)
    over(bench)
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(short), channel="cli")
    assert caught.value.code == "changed_decision"
    now = bench.gate.find(record.id)
    assert (now.state, now.decision_digest) == (State.AWAITING_APPROVAL, record.decision_digest)
    assert approve(bench, record) == (State.AWAITING_APPROVAL, "needs_more_approvals")


@pytest.mark.parametrize("over", [end, leave, lose_the_entry])
def test_an_emergency_that_ends_between_the_click_and_the_write_stops_it(
    make_notes: MakeBench, over: Callable[[Bench], None]
):
    bench = make_notes()
    record = urgent(bench)
    broken(bench, record, minutes=10)
    assert approve(bench, record) == (State.APPROVED, "quorum_met")
    over(bench)
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (State.AWAITING_APPROVAL, "changed_decision")
    assert bench.gate.find(record.id).decision_digest == record.decision_digest
    assert (used(bench, record), effects(target(bench))) == ([], 0)
    approve(bench, record)
    assert approve(bench, record, "kim") == (State.APPROVED, "quorum_met")
    assert bench.gate.execute(record.id).state is State.DONE


def test_the_approval_of_the_old_card_is_none_of_the_short_one(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    assert approve(bench, record) == (State.AWAITING_APPROVAL, "needs_more_approvals")
    broken(bench, record)
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    assert approve(bench, record) == (State.APPROVED, "quorum_met")


def test_an_emergency_of_another_proposal_is_none_of_this_one(make_notes: MakeBench):
    bench = make_notes()
    record, other = urgent(bench), urgent(bench, name="other")
    broken(bench, other)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.broken_glass).values(proposal=record.id))
    assert approve(bench, record) == (State.AWAITING_APPROVAL, "needs_more_approvals")


def test_a_row_without_an_entry_is_no_emergency(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    forged = {
        "id": "g-zzzzzzzzzzzz",
        "proposal": record.id,
        "principal": "rita",
        "ticket": "INC-1",
        "reason": "Nothing works.",
        "entry": "l-zzzzzzzzzzzz",
        "opened_us": bench.clock.now_us(),
        "until_us": bench.clock.now_us() + MINUTE_US,
        "review": "",
    }
    with bench.engine.begin() as connection:
        connection.execute(insert(tables.broken_glass).values(**forged))
    assert approve(bench, record) == (State.AWAITING_APPROVAL, "needs_more_approvals")


def test_a_longer_time_in_the_row_is_not_believed(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    broken(bench, record, minutes=10)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.broken_glass).values(until_us=bench.clock.now_us() + 600 * MINUTE_US))
    bench.clock.advance(10 * 60)
    with pytest.raises(Refused):
        approve(bench, record)
    assert asked(bench, record) == 2


def test_a_write_that_was_begun_in_an_emergency_is_not_tried_again_after_it(make_notes_once: MakeBench):
    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(at)])
    record = urgent(bench)
    broken(bench, record, minutes=10)
    approve(bench, record)

    def die() -> None:
        raise Died

    at["before"] = die
    with pytest.raises(Died):
        bench.gate.execute(record.id)
    at.clear()
    bench.clock.advance(max(WRITE_LEASE_S, 10 * 60) + 1)
    result = bench.gate.recover(record.id)
    assert (result.state, result.code) == (State.UNKNOWN, "changed_decision")
    assert effects(target(bench)) == 0
