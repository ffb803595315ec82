"""The shadow looks and decides nothing, whatever it is: permissive, hanging, crashing, broken, or gone."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from support.bench import Bench, CountingIds, FixedClock, build, policy_data

from twokey.channels.replaying import Engine
from twokey.channels.shadowing import Shadow
from twokey.core.errors import EngineFault
from twokey.core.events import PolicyShadowBegun, PolicyShadowed
from twokey.core.lifecycle import State
from twokey.policies import bundle as bundles
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.engines.embedded import Embedded
from twokey.store import tables
from twokey.tools.registry import installed

ALLOW_ALL = """package twokey

decision := {
	"effect": "require_approval",
	"approvals": {"all_of": [{"group": "analysts", "n": 1}], "exclude": ["ana"], "distinct": true, "expires_s": 9, "max_uses": 1},
	"reasons": [{"code": "anything_goes", "message": "Anything goes.", "rule": "R99"}],
	"obligations": [],
	"warnings": [],
} if input.effect == "write"

decision := {
	"effect": "allow",
	"approvals": null,
	"reasons": [{"code": "anything_goes", "message": "Anything goes.", "rule": "R99"}],
	"obligations": [],
	"warnings": [],
} if input.effect == "read"
"""
HANG = """package twokey

numbers := [n | some a in input.many; some b in input.many; n := a + b]

decision := count([x | some a in object.keys(data.twokey_data); some b in object.keys(data.twokey_data); some c in object.keys(data.twokey_data); some d in object.keys(data.twokey_data); some e in object.keys(data.twokey_data); some f in object.keys(data.twokey_data); x := [a, b, c, d, e, f]]) if input.run
"""
UNDEFINED = "package twokey\n\nother := 1\n"


def module(rego: str) -> Bundle:
    own = bundles.load()
    return Bundle((("twokey/decision.rego", rego),), own.data, BundleRevisions("c" * 64, own.revisions.data))


def same() -> Bundle:
    return bundles.load().with_data(policy_data(installed({}).all()))


class Yard:
    """A workbench, and shadows over it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.made: list[Shadow] = []

    def shadow(self, held: Bundle | None = None, load: Callable[[], tuple[Bundle, Engine]] | None = None) -> Shadow:
        def usual() -> tuple[Bundle, Engine]:
            assert held is not None
            return held, Embedded(held, deadline_s=0.1, stall_s=20.0)

        shadow = Shadow(self.bench.rules.workspace, self.bench.ledger, load or usual)
        self.made.append(shadow)
        return shadow

    def whole_job(self) -> str:
        """Propose, approve and write; gives the proposal."""
        record = self.bench.propose()
        self.bench.clock.advance(1)
        self.bench.gate.answer(self.bench.answer(record), channel="cli")
        self.bench.gate.execute(record.id)
        assert self.bench.gate.find(record.id).state is State.DONE
        return record.id

    def seen(self) -> list[PolicyShadowed]:
        events = [item.entry.event for item in self.bench.log.entries(kind="policy.shadowed")]
        return [event for event in events if isinstance(event, PolicyShadowed)]

    def begun(self) -> int:
        return sum(
            isinstance(item.entry.event, PolicyShadowBegun)
            for item in self.bench.log.entries(kind="policy.shadow_begun")
        )


@pytest.fixture
def yard(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Yard]:
    made = Yard(build(tmp_path, database_url, clock, ids))
    yield made
    for shadow in made.made:
        shadow.close()
    made.bench.engine.dispose()


def test_the_same_bundle_agrees_with_every_decision_once(yard: Yard):
    shadow = yard.shadow(same())
    shadow.begin()
    proposal = yard.whole_job()
    assert yard.seen() == [], "nothing of it happens while decisions are taken"
    shadow.catch_up(60)
    shadow.catch_up(60)
    assert [(event.agrees, event.decision) for event in yard.seen()] == [
        (True, "allow"),
        (True, "require_approval"),
        (True, "require_approval"),
        (True, "require_approval"),
    ]
    decided = [item.entry.id for item in yard.bench.log.entries(kind="policy.decided")]
    assert [event.entry for event in yard.seen()] == decided
    assert [item.entry.event for item in yard.bench.log.entries(proposal, kind="policy.shadowed")] == yard.seen()[1:]
    assert yard.bench.log.verify().ok


def test_only_what_came_after_it_began_is_looked_at_and_a_new_bundle_begins_anew(yard: Yard):
    yard.whole_job()
    yard.bench.clock.advance(1)
    shadow = yard.shadow(same())
    shadow.begin()
    shadow.begin()
    shadow.catch_up(60)
    assert (yard.seen(), yard.begun()) == ([], 1)
    yard.bench.propose()
    other = yard.shadow(module(ALLOW_ALL))
    yard.bench.clock.advance(1)
    other.begin()
    assert yard.begun() == 2


def test_a_shadow_that_lets_everything_through_lets_nothing_through(yard: Yard):
    shadow = yard.shadow(module(ALLOW_ALL))
    shadow.begin()
    record = yard.bench.propose()
    shadow.catch_up(60)
    assert [event.agrees for event in yard.seen()] == [True, False] or [event.agrees for event in yard.seen()] == [
        False,
        False,
    ]
    now = yard.bench.gate.find(record.id)
    assert (now.state, now.decision) == (State.AWAITING_APPROVAL, record.decision)
    assert yard.bench.branches() == []
    result = yard.bench.gate.execute(record.id)
    assert result.state is State.AWAITING_APPROVAL


def test_a_shadow_that_hangs_is_logged_as_a_deny_and_left_for_the_next_time(yard: Yard):
    shadow = yard.shadow(module(HANG))
    shadow.begin()
    yard.whole_job()
    started = time.monotonic()
    shadow.catch_up(60)
    assert time.monotonic() - started < 60
    assert [(event.decision, event.reasons) for event in yard.seen()] == [("deny", ("engine_fault",))] * 3
    shadow.catch_up(60)
    assert len(yard.seen()) == 4


def test_without_time_nothing_is_begun(yard: Yard):
    shadow = yard.shadow(same())
    shadow.begin()
    yard.bench.propose()
    shadow.catch_up(0)
    assert yard.seen() == []


def test_what_gives_no_decision_is_a_deny(yard: Yard):
    shadow = yard.shadow(module(UNDEFINED))
    shadow.begin()
    yard.bench.propose()
    shadow.catch_up(60)
    assert {event.decision for event in yard.seen()} == {"deny"}


def broken() -> tuple[Bundle, Engine]:
    raise EngineFault("It is not there.", next="Look.")


class Crashing:
    """An engine that fails in a way that nobody foresaw."""

    def evaluate_many(self, documents: list[bytes], /) -> list[object]:
        raise MemoryError(len(documents))

    def revisions(self) -> BundleRevisions:
        return same().revisions

    def close(self) -> None:
        pass


@pytest.mark.parametrize("load", [broken, lambda: (same(), Crashing())], ids=["no bundle", "a crash"])
def test_whatever_goes_wrong_ends_there(yard: Yard, load: Callable[[], Any], caplog: pytest.LogCaptureFixture):
    shadow = yard.shadow(load=load)
    with caplog.at_level(logging.WARNING):
        shadow.begin()
        yard.whole_job()
        shadow.catch_up(60)
    assert yard.seen() == []
    assert "could not look" in caplog.text


def test_two_processes_look_at_each_decision_once(yard: Yard):
    first, second = yard.shadow(same()), yard.shadow(same())
    first.begin()
    second.begin()
    yard.whole_job()
    first.catch_up(60)
    second.catch_up(60)
    assert len(yard.seen()) == 4


def test_what_was_removed_is_passed_over(yard: Yard):
    shadow = yard.shadow(same())
    shadow.begin()
    yard.bench.propose()
    with yard.bench.engine.begin() as connection:
        connection.execute(tables.decisions.update().values(answer=b"{}"))
    shadow.catch_up(60)
    assert yard.seen() == []
    with yard.bench.engine.begin() as connection:
        connection.execute(delete(tables.decisions))
    shadow.catch_up(60)
    assert yard.seen() == []
