"""Budgets are taken in the transaction that uses them, so that a race has one winner; what ends by itself is waited for."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine
from support.bench import Bench, policy_data
from support.notes import MakeBench, note_draft, notes_desk, proposed_note

from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Call, Decision
from twokey.policies import bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.facts import ROOT, complete
from twokey.policies.guard import Guard
from twokey.store import database
from twokey.tools import budgets, waivers
from twokey.tools.gate import Gate
from twokey.tools.ledger import Ledger
from twokey.tools.steps import Steps
from twokey.tools.waivers import Waivers

HOUR_S = 3600
ONE_PROPOSAL = {"budgets": [{"over": "hour", "measure": "proposals", "most": 1}]}
ONE_WRITE = {"budgets": [{"over": "hour", "measure": "writes", "most": 1}]}


class Govern(Protocol):
    """Lets the real bundle decide with other data, until the test ends; gives the data."""

    def __call__(self, bench: Bench, **changes: Any) -> dict[str, Any]: ...


@pytest.fixture
def govern() -> Iterator[Govern]:
    engines: list[Embedded] = []

    def decide_with(bench: Bench, **changes: Any) -> dict[str, Any]:
        tools = bench.registry.all()
        data = policy_data(tools)[ROOT]
        data["may_name"]["write"]["tickets"] = data["groups"]
        data["contracts"] = {
            tool.name: {"kinds": ["tickets"], "places": ["folder", "name"], "content": ["text"]} for tool in tools
        }
        document = complete({ROOT: {**data, **changes}})
        engines.append(Embedded(bundle.load().with_data(document), deadline_s=10.0))
        bench.policy.policy = Guard(engines[-1])
        return document

    yield decide_with
    for engine in engines:
        engine.close()


class Slow:
    """A policy that answers only once everybody has asked."""

    def __init__(self, bench: Bench, parties: int) -> None:
        self._policy = bench.policy.policy
        self._barrier = threading.Barrier(parties)
        self.asked = 0

    def decide(self, call: Call) -> Decision:
        decision = self._policy.decide(call)
        self.asked += 1
        if self.asked <= self._barrier.parties:
            self._barrier.wait(timeout=60)
        return decision


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run jobs in threads of their own; gives what they gave."""
    found: list[Any] = []

    def keep(job: Callable[[], Any]) -> None:
        found.append(job())

    threads = [threading.Thread(target=keep, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(found) == len(jobs)
    return found


def test_of_two_proposals_at_the_same_moment_one_passes_a_limit_of_one(make_notes: MakeBench, govern: Govern):
    """Both are decided before either is stored; whoever comes second is decided again."""
    bench = make_notes()
    govern(bench, **ONE_PROPOSAL)
    desks = [notes_desk(bench), notes_desk(bench)]
    drafts = [note_draft(desk) for desk in desks]
    bench.policy.policy = Slow(bench, 2)
    found = together(
        *(
            lambda desk=desk, draft=draft: desk.propose(draft, agent="catalog", step=2)
            for desk, draft in zip(desks, drafts, strict=True)
        )
    )
    assert sorted((record.state.value, record.code) for record in found) == [
        ("awaiting_approval", "needs_approval"),
        ("denied", "budget_used"),
    ]


def test_the_budget_of_an_hour_comes_back(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    govern(bench, **ONE_PROPOSAL)
    assert proposed_note(bench).state is State.AWAITING_APPROVAL
    assert proposed_note(bench).code == "budget_used"
    bench.clock.advance(HOUR_S + 1)
    assert proposed_note(bench).state is State.AWAITING_APPROVAL


def test_what_was_denied_takes_nothing(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    govern(bench, **ONE_PROPOSAL)
    assert proposed_note(bench, name="brief").code == "place_untrusted"
    assert proposed_note(bench).state is State.AWAITING_APPROVAL


def test_later_proposals_do_not_take_the_place_of_one_that_waits(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    govern(bench, **ONE_PROPOSAL)
    first = proposed_note(bench)
    bench.clock.advance(HOUR_S + 1)
    proposed_note(bench)
    assert bench.gate.answer(bench.answer(first), channel="cli").state is State.APPROVED
    assert bench.gate.execute(first.id).state is State.DONE


def approved(bench: Bench, name: str) -> str:
    record = proposed_note(bench, name=name)
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED
    return record.id


def test_of_two_writes_at_the_same_moment_one_passes_a_limit_of_one(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    govern(bench, **ONE_WRITE)
    one, two = approved(bench, "one"), approved(bench, "two")
    bench.policy.policy = Slow(bench, 2)
    gates: list[Gate] = []
    engines: list[Engine] = []
    for _ in range(2):
        engine = database.open_engine(bench.engine.url.render_as_string(hide_password=False))
        engines.append(engine)
        gates.append(bench.sibling(ledger=Ledger(engine, bench.log, bench.ids)))
    found = together(lambda: gates[0].execute(one), lambda: gates[1].execute(two))
    assert sorted((result.state.value, result.code) for result in found) == [
        ("approved", "budget_used"),
        ("done", "written"),
    ]
    for engine in engines:
        engine.dispose()
    (late,) = (result.id for result in found if result.state is State.APPROVED)
    assert bench.gate.execute(late).code == "budget_used"
    bench.clock.advance(HOUR_S + 1)
    assert bench.gate.execute(late).state is State.DONE


class Restless:
    """A policy during which somebody always takes something."""

    def __init__(self, bench: Bench, take: Callable[[], None]) -> None:
        self._policy = bench.policy.policy
        self._take = take

    def decide(self, call: Call) -> Decision:
        self._take()
        return self._policy.decide(call)


def test_where_others_are_always_faster_nothing_is_stored(make_notes_once: MakeBench):
    bench = make_notes_once()
    desk = notes_desk(bench)
    draft, id_ = note_draft(desk), approved(bench, "one")

    def take() -> None:
        with bench.ledger.change() as unit:
            budgets.spend(unit.connection, run=desk.run, requester="ana", cost=1, now=bench.clock.now_us())

    bench.policy.policy = Restless(bench, take)
    with pytest.raises(Refused) as caught:
        desk.propose(draft, agent="catalog", step=2)
    assert caught.value.code == "busy"
    assert desk.proposals() == []
    with pytest.raises(Refused) as caught:
        bench.gate.execute(id_)
    assert caught.value.code == "busy"
    assert bench.gate.find(id_).state is State.APPROVED


def test_what_models_cost_stops_reading_and_proposing(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    govern(bench, budgets=[{"over": "run", "measure": "cost", "most": 1000}])
    desk = notes_desk(bench)
    draft = note_draft(desk)
    for cost in (0, 999):
        desk.model_called(step=1, tier="small", code="ok", tokens=(1, 1), prompt="x", answer="y", cost=cost)
    assert note_draft(desk).tool == "write_note"
    desk.model_called(step=1, tier="small", code="ok", tokens=(1, 1), prompt="x", answer="y", cost=1)
    with pytest.raises(Refused) as caught:
        note_draft(desk)
    assert caught.value.code == "cost_used"
    assert desk.propose(draft, agent="catalog", step=2).code == "cost_used"
    assert note_draft(notes_desk(bench)).tool == "write_note"


# -- what ends by itself ------------------------------------------------------------------------------------------


def freezes(bench: Bench) -> list[dict[str, Any]]:
    """One freeze, that began yesterday and ends tomorrow."""
    now = dt.datetime.fromtimestamp(bench.clock.now_us() // 1_000_000, dt.UTC)
    days = [(now + dt.timedelta(days=number)).strftime("%Y-%m-%dT%H:%M") for number in (-1, 1)]
    return [{"name": "frost", "from": days[0], "until": days[1], "zone": "UTC"}]


def test_a_change_freeze_denies_what_is_new_and_only_holds_what_is_there(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    govern(bench)
    waiting, ready = proposed_note(bench), approved(bench, "ready")
    govern(bench, freezes=freezes(bench))
    assert (proposed_note(bench, name="new").state, proposed_note(bench, name="new").code) == (
        State.DENIED,
        "change_freeze",
    )
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(waiting), channel="cli")
    assert caught.value.code == "change_freeze"
    assert "freeze is over" in caught.value.next
    assert bench.gate.find(waiting.id).state is State.AWAITING_APPROVAL
    assert (bench.gate.execute(ready).state, bench.gate.execute(ready).code) == (State.APPROVED, "change_freeze")
    assert bench.gate.answer(bench.answer(waiting, action="refuse"), channel="cli").state is State.REFUSED
    govern(bench)
    assert bench.gate.execute(ready).state is State.DONE


def test_a_deny_that_has_another_reason_too_is_final(make_notes_once: MakeBench, govern: Govern):
    bench = make_notes_once()
    govern(bench)
    waiting = proposed_note(bench)
    govern(bench, freezes=freezes(bench), limits={"files": 0, "lines": 0})
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(waiting), channel="cli")
    assert bench.gate.find(waiting.id).state is State.DENIED


def test_an_exception_shows_on_the_card_it_touches(make_notes: MakeBench, govern: Govern):
    bench = make_notes()
    draft = {"name": "large", "rule": "R10", "scope": {"kind": "tickets"}, "until": "2100-01-01T00:00", "zone": "UTC"}
    exception = waivers.sign(bench.keys["sam"], bench.rules.workspace, {**draft, "why": "We move."})
    document = govern(bench, limits={"files": 0, "lines": 0}, exceptions=[exception])
    held = Waivers(document, bench.people, bench.rules.workspace)
    assert proposed_note(bench).code == "too_large"
    bench.office.proposer.circumstances = type(bench.office.proposer.circumstances)(bench.ledger, bench.clock, held)
    record = proposed_note(bench)
    assert record.state is State.AWAITING_APPROVAL
    assert record.decision.warnings == ("exception",)
    assert {reason.rule for reason in record.decision.reasons} == {"R15", "R26"}
    steps = Steps(
        ledger=bench.ledger,
        policy=bench.policy,
        registry=bench.registry,
        directory=bench.people,
        clock=bench.clock,
        book=bench.book,
        waivers=held,
    )
    gate = Gate(steps, ids=bench.ids, rules=bench.rules, waivers=held)
    assert gate.answer(bench.answer(record), channel="cli").state is State.APPROVED
    bench.people.people["sam"] = bench.people.people["sam"].model_copy(update={"groups": ()})
    assert gate.execute(record.id).state is State.DENIED
    (ignored,) = held.ignored(bench.clock.now_us())
    assert ignored.why == "its signer is not in the group that owns the rule"
