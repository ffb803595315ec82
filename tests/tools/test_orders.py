"""Orders count for what they say, from whom they come, and once; what does not count is refused and recorded."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from support.bench import Bench
from support.notes import MakeBench, approved_note, effects, notes_policy, proposed_note, target

from twokey.core.errors import BadInput, NotFound, Refused
from twokey.core.events import FreezeChanged, GlassBroken, GlassReviewed, OrderRejected
from twokey.core.lifecycle import State
from twokey.core.values import Call, Decision, GivenOrder, Principal
from twokey.policies import decision as decisions
from twokey.store import tables
from twokey.store.glass import GlassRecord
from twokey.store.proposals import ProposalRecord

MINUTE_US = 60_000_000


def refused(bench: Bench, call: Callable[[], object]) -> str:
    """Give the code of an order that does not count, after checking that the log holds it."""
    before = len(bench.log.entries(kind="order.rejected"))
    with pytest.raises(Refused) as caught:
        call()
    (*_, last) = bench.log.entries(kind="order.rejected")
    assert isinstance(last.entry.event, OrderRejected)
    assert last.entry.event.code == caught.value.code
    assert len(bench.log.entries(kind="order.rejected")) == before + 1
    return caught.value.code


def freeze(bench: Bench, given: GivenOrder) -> object:
    return bench.gate.orders.freeze(given, channel="cli", reason="")


def urgent(bench: Bench, **changes: Any) -> ProposalRecord:
    """A note of ana's that two people have to approve."""
    bench.policy.policy = notes_policy(quorum=2)
    return proposed_note(bench, **changes)


def glass_order(bench: Bench, record: ProposalRecord, name: str = "rita", minutes: int = 60) -> GivenOrder:
    until = bench.clock.now_us() + minutes * MINUTE_US
    return bench.order(name, "break_glass", subject=record.id, until_us=until)


def broken(bench: Bench, record: ProposalRecord, given: GivenOrder | None = None, **words: str) -> GlassRecord:
    said = {"ticket": "INC-1", "reason": "Nothing works."} | words
    return bench.gate.orders.break_glass(given or glass_order(bench, record), record, channel="cli", **said)


def reviewed(bench: Bench, glass: str, name: str = "sam", words: str = "It was right.") -> GlassRecord:
    given = bench.order(name, "review_break_glass", subject=glass)
    return bench.gate.orders.review(given, channel="cli", words=words)


# -- the kill switch --------------------------------------------------------------------------------------------------


def test_anybody_stops_and_owners_alone_let_go(make_notes: MakeBench):
    bench = make_notes()
    assert bench.turn(on=True, name="ana").principal == "ana"
    assert refused(bench, lambda: bench.turn(on=False, name="ana")) == "not_an_owner"
    assert bench.gate.stopped() == "frozen"
    assert bench.turn(on=False, name="rita").principal == "rita"
    assert bench.gate.stopped() is None
    turns = [item.entry.event for item in bench.log.entries(kind="freeze.changed")]
    assert [turn.on for turn in turns if isinstance(turn, FreezeChanged)] == [True, False]


def test_turning_it_where_it_is_changes_nothing(make_notes_once: MakeBench):
    bench = make_notes_once()
    untouched = bench.gate.freeze()
    assert bench.turn(on=False) == untouched
    first = bench.turn(on=True)
    assert bench.turn(on=True, name="ana") == first
    assert len(bench.log.entries(kind="freeze.changed")) == 1


def forged(bench: Bench) -> GivenOrder:
    return bench.keys["rita"].order(bench.order("sam", "freeze_off").statement)


def elsewhere(bench: Bench) -> GivenOrder:
    return bench.order("sam", "freeze_off", workspace="w-zzzzzzzzzzzz")


def nobody(bench: Bench) -> GivenOrder:
    return bench.keys["sam"].order(bench.order("sam", "freeze_off").statement.model_copy(update={"principal": "zoe"}))


def asserted(bench: Bench) -> GivenOrder:
    return GivenOrder(statement=bench.order("sam", "freeze_off").statement, auth="asserted")


def kept(bench: Bench) -> GivenOrder:
    return bench.order("sam", "freeze_off", at_us=bench.clock.now_us() - 16 * MINUTE_US)


def from_the_future(bench: Bench) -> GivenOrder:
    return bench.order("sam", "freeze_off", at_us=bench.clock.now_us() + 2 * MINUTE_US)


def for_something_else(bench: Bench) -> GivenOrder:
    return bench.order("sam", "review_break_glass", subject="g-000000000001")


def of_the_same_moment(bench: Bench) -> GivenOrder:
    return bench.order("sam", "freeze_off")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (forged, "not_authenticated"),
        (elsewhere, "not_authenticated"),
        (nobody, "not_authenticated"),
        (asserted, "not_authenticated"),
        (kept, "stale_order"),
        (from_the_future, "stale_order"),
        (for_something_else, "other_order"),
        (of_the_same_moment, "stale_order"),
    ],
)
def test_an_order_that_does_not_count_lets_nothing_go_on(
    make_notes_once: MakeBench, order: Callable[[Bench], GivenOrder], code: str
):
    bench = make_notes_once()
    record = approved_note(bench)
    bench.turn(on=True)
    assert refused(bench, lambda: freeze(bench, order(bench))) == code
    assert bench.gate.execute(record.id).code == "frozen"
    assert effects(target(bench)) == 0


@pytest.mark.parametrize("row", ["whole", "removed", "set back"])
def test_an_order_that_was_taken_from_the_log_lets_nothing_go_on(make_notes: MakeBench, row: str):
    bench = make_notes()
    record = approved_note(bench)
    bench.turn(on=True)
    bench.turn(on=False)
    bench.turn(on=True)
    off = bench.log.entries(kind="freeze.changed")[1].entry.event
    assert isinstance(off, FreezeChanged)
    with bench.engine.begin() as connection:
        if row == "removed":
            connection.execute(delete(tables.switches))
        elif row == "set back":
            connection.execute(update(tables.switches).values(changed_us=0))
    assert refused(bench, lambda: freeze(bench, off.order)) == "stale_order"
    assert bench.gate.execute(record.id).state is State.APPROVED
    assert bench.gate.stopped() is not None


def test_an_order_to_stop_that_was_taken_from_the_log_stops_nobody_again(make_notes_once: MakeBench):
    bench = make_notes_once()
    bench.turn(on=True)
    bench.turn(on=False)
    on = bench.log.entries(kind="freeze.changed")[0].entry.event
    assert isinstance(on, FreezeChanged)
    assert refused(bench, lambda: freeze(bench, on.order)) == "stale_order"
    assert bench.gate.stopped() is None


def test_a_person_whose_clock_is_behind_can_still_stop(make_notes_once: MakeBench):
    bench = make_notes_once()
    bench.turn(on=True)
    bench.turn(on=False)
    bench.turn(on=True, at_us=bench.clock.now_us() - 30_000_000)
    assert bench.gate.stopped() == "frozen"


# -- emergencies ------------------------------------------------------------------------------------------------------


def test_an_emergency_is_in_the_log_without_the_words(make_notes: MakeBench):
    bench = make_notes()
    record = urgent(bench)
    made = broken(bench, record)
    (entry,) = bench.log.entries(record.id, kind="break_glass.opened")
    event = entry.entry.event
    assert isinstance(event, GlassBroken)
    assert (event.id, event.digest, event.until_us) == (made.id, record.digest, made.until_us)
    assert "INC-1" not in event.model_dump_json()
    assert bench.gate.orders.emergencies() == [made]
    assert bench.gate.orders.used(made) is False
    card = bench.gate.find(record.id)
    assert card.decision.approvals is not None
    assert [quorum.n for quorum in card.decision.approvals.all_of] == [1]
    assert card.decision_digest != record.decision_digest


@pytest.mark.parametrize(
    ("words", "minutes", "code"),
    [
        ({"ticket": " "}, 60, "no_ticket"),
        ({"ticket": "x" * 201}, 60, "no_ticket"),
        ({"reason": ""}, 60, "no_ticket"),
        ({}, 61, "too_long"),
        ({}, 0, "too_long"),
    ],
)
def test_an_emergency_has_a_ticket_a_reason_and_an_end(
    make_notes_once: MakeBench, words: dict[str, str], minutes: int, code: str
):
    bench = make_notes_once()
    record = urgent(bench)
    with pytest.raises(BadInput) as caught:
        broken(bench, record, glass_order(bench, record, minutes=minutes), **words)
    assert caught.value.code == code
    endless = bench.order("rita", "break_glass", subject=record.id)
    with pytest.raises(BadInput):
        broken(bench, record, endless)
    assert bench.gate.orders.emergencies() == []


def test_who_may_not_break_glass_does_not(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    assert refused(bench, lambda: broken(bench, record, glass_order(bench, record, "ana"))) == "not_an_owner"
    key = bench.keys["ana"].public
    bench.people.people["ana"] = Principal(name="ana", groups=("analysts", "risk-owners"), key=key)
    assert refused(bench, lambda: broken(bench, record, glass_order(bench, record, "ana"))) == "own_proposal"
    off = bench.order("rita", "freeze_off")
    assert refused(bench, lambda: broken(bench, record, off)) == "other_order"
    assert bench.gate.orders.emergencies() == []


def test_an_order_for_one_proposal_is_none_for_another_and_counts_once(make_notes_once: MakeBench):
    bench = make_notes_once()
    record, other = urgent(bench), urgent(bench, name="other")
    given = glass_order(bench, record)
    assert refused(bench, lambda: broken(bench, other, given)) == "stale_order"
    broken(bench, record, given)
    assert refused(bench, lambda: broken(bench, record, given)) == "stale_order"
    assert len(bench.gate.orders.emergencies()) == 1


def test_there_is_no_emergency_for_what_is_over_or_decided(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    assert refused(bench, lambda: broken(bench, record)) == "is_approved"
    bench.gate.execute(record.id)
    assert refused(bench, lambda: broken(bench, bench.gate.find(record.id))) == "is_done"


class Silent:
    """A policy whose engine gives no answer."""

    def __init__(self, like: Decision) -> None:
        self.like = like

    def decide(self, call: Call) -> Decision:
        del call
        answer = decisions.fault("The policy engine gave no answer.")
        return self.like.model_copy(
            update={"effect": "deny", "approvals": None, "reasons": answer.reasons, "obligations": ()}
        )


def test_an_emergency_that_policy_does_not_answer_to_changes_no_card(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    bench.policy.policy = Silent(record.decision)
    broken(bench, record)
    assert bench.gate.find(record.id).decision_digest == record.decision_digest
    assert bench.kinds(record.id)[-1] == "policy.decided"


# -- reviews ----------------------------------------------------------------------------------------------------------


def reviews(bench: Bench, record: ProposalRecord) -> list[str]:
    found = [item.entry.event for item in bench.log.entries(record.id, kind="break_glass.reviewed")]
    return [event.order.statement.principal for event in found if isinstance(event, GlassReviewed)]


def test_somebody_else_reviews_an_emergency_once(make_notes: MakeBench):
    bench = make_notes()
    record = urgent(bench)
    made = broken(bench, record)
    done = reviewed(bench, made.id)
    assert (done.reviewed_by, done.review) == ("sam", "It was right.")
    assert refused(bench, lambda: reviewed(bench, made.id, "kim")) == "reviewed"
    assert reviews(bench, record) == ["sam"]
    assert bench.gate.orders.find_glass(made.id) == done


def test_who_may_not_review_does_not(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = urgent(bench)
    made = broken(bench, record)
    assert refused(bench, lambda: reviewed(bench, made.id, "rita")) == "own_emergency"
    assert refused(bench, lambda: reviewed(bench, made.id, "ana")) == "not_an_owner"
    key = bench.keys["ana"].public
    bench.people.people["ana"] = Principal(name="ana", groups=("risk-owners",), key=key)
    assert refused(bench, lambda: reviewed(bench, made.id, "ana")) == "own_emergency"
    other = bench.order("sam", "freeze_off")
    assert refused(bench, lambda: bench.gate.orders.review(other, channel="cli", words="x")) == "other_order"
    with pytest.raises(BadInput, match="says what was found"):
        reviewed(bench, made.id, words=" ")
    with pytest.raises(NotFound):
        reviewed(bench, "g-zzzzzzzzzzzz")
    unnamed = bench.order("sam", "review_break_glass")
    with pytest.raises(NotFound):
        bench.gate.orders.review(unnamed, channel="cli", words="x")
    assert reviews(bench, record) == []


@pytest.mark.parametrize(
    ("forgery", "name", "code"),
    [
        ({"principal": "kim"}, "rita", "own_emergency"),
        ({"entry": "l-zzzzzzzzzzzz"}, "sam", "glass_not_proven"),
        ({"id": "g-zzzzzzzzzzzz"}, "sam", "glass_not_proven"),
    ],
)
def test_an_edited_row_lets_nobody_review_their_own(
    make_notes_once: MakeBench, forgery: dict[str, str], name: str, code: str
):
    bench = make_notes_once()
    record = urgent(bench)
    made = broken(bench, record)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.broken_glass).values(**forgery))
    assert refused(bench, lambda: reviewed(bench, forgery.get("id", made.id), name)) == code
    assert reviews(bench, record) == []
