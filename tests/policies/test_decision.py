"""What counts as a decision: each deviation from a good answer is refused."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from twokey.core.values import BreakGlass, Call
from twokey.policies.decision import REVIEW, Answer, MalformedDecision, decision, fault, parse

NONE: frozenset[str] = frozenset()
REASON = {"code": "write_needs_people", "message": "A write needs people.", "rule": "R15"}
NEEDS = {
    "effect": "require_approval",
    "approvals": {
        "all_of": [{"group": "platform-owners", "n": 1}],
        "exclude": ["ana", "ben"],
        "distinct": True,
        "expires_s": 3600,
        "max_uses": 1,
        "binds": ["proposal_digest", "decision_digest"],
        "auth": ["key", "slack"],
    },
    "reasons": [REASON],
    "obligations": [],
    "warnings": ["unlisted_label"],
}
ALLOW = {"effect": "allow", "approvals": None, "reasons": [REASON], "obligations": [], "warnings": []}
DENY = {**ALLOW, "effect": "deny"}


def _with(answer: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(answer)
    node: Any = changed
    *parents, last = path.split(".")
    for part in parents:
        node = node[int(part)] if part.isdigit() else node[part]
    if value is ...:
        del node[last]
    else:
        node[int(last) if last.isdigit() else last] = value
    return changed


def test_good_answers_are_taken_as_they_are(read: Callable[..., Call], write: Callable[..., Call]) -> None:
    both = write(contributors=["ben"])
    assert parse(NEEDS, both, obligations=NONE).canonical() == NEEDS
    assert parse(ALLOW, read(), obligations=NONE).canonical() == ALLOW
    assert parse(DENY, read(), obligations=NONE).canonical() == DENY
    assert parse(DENY, both, obligations=NONE).canonical() == DENY


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("effect", "permit"),
        ("effect", ...),
        ("approvals", ...),
        ("reasons", ...),
        ("warnings", ...),
        ("obligations", ...),
        ("extra", 1),
        ("reasons", []),
        ("reasons", "R15"),
        ("reasons", [REASON, REASON]),
        ("reasons", [{**REASON, "rule": "R00"}]),
        ("reasons", [{**REASON, "code": "engine_fault"}]),
        ("reasons.0.code", "Write <b>"),
        ("reasons.0.message", "x" * 301),
        ("reasons.0.message", None),
        ("reasons.0.rule", "r15"),
        ("reasons.0.extra", 1),
        ("obligations", ["wipe_the_disk"]),
        ("obligations", None),
        ("warnings", ["a", "a"]),
        ("warnings", ["A"]),
        ("warnings", [f"w{number}" for number in range(101)]),
        ("approvals.all_of", []),
        ("approvals.all_of", {}),
        ("approvals.all_of.0.n", 0),
        ("approvals.all_of.0.n", "1"),
        ("approvals.all_of.0.n", 1.0),
        ("approvals.all_of.0.n", True),
        ("approvals.all_of.0.n", math.nan),
        ("approvals.all_of.0.group", "Owners"),
        ("approvals.all_of", [{"group": "a", "n": 1}, {"group": "a", "n": 2}]),
        ("approvals.exclude", ["ana"]),
        ("approvals.exclude", ["ben"]),
        ("approvals.exclude", []),
        ("approvals.exclude", ["ana", "ben", "ana"]),
        ("approvals.exclude", ...),
        ("approvals.distinct", False),
        ("approvals.distinct", 1),
        ("approvals.expires_s", 0),
        ("approvals.expires_s", 10**9),
        ("approvals.expires_s", ...),
        ("approvals.max_uses", 2),
        ("approvals.max_uses", ...),
        ("approvals.binds", ...),
        ("approvals.binds", []),
        ("approvals.binds", ["proposal_digest"]),
        ("approvals.binds", ["decision_digest", "proposal_digest"]),
        ("approvals.binds", ["proposal_digest", "decision_digest", "proposal_digest"]),
        ("approvals.extra", 1),
        ("approvals", None),
    ],
)
def test_a_deviation_is_no_decision(write: Callable[..., Call], path: str, value: object) -> None:
    with pytest.raises(MalformedDecision):
        parse(_with(NEEDS, path, value), write(contributors=["ben"]), obligations=NONE)


@pytest.mark.parametrize("raw", [None, [], "deny", 1, True, {}, {"\u00e9": 1}, {"effect": "\ud800"}, {1: 2}])
def test_another_thing_is_no_decision(read: Callable[..., Call], raw: object) -> None:
    with pytest.raises(MalformedDecision):
        parse(raw, read(), obligations=NONE)


def test_no_answer_allows_a_write(write: Callable[..., Call]) -> None:
    for answer in (ALLOW, {**NEEDS, "effect": "allow"}, {**NEEDS, "approvals": None}):
        with pytest.raises(MalformedDecision):
            parse(answer, write(contributors=["ben"]), obligations=NONE)


def test_an_answer_of_a_bundle_that_knows_no_proofs_admits_keys_alone(write: Callable[..., Call]) -> None:
    silent = _with(NEEDS, "approvals.auth", ...)
    needed = parse(silent, write(contributors=["ben"]), obligations=NONE).approvals
    assert needed is not None
    assert needed.auth == ("key",)


def test_an_answer_may_say_in_which_batch_a_card_is_answered(write: Callable[..., Call]) -> None:
    call, batch = write(contributors=["ben"]), {"kind": "sorts_tickets", "most": 12}
    said = _with(NEEDS, "approvals.batch", batch)
    assert parse(said, call, obligations=NONE).canonical() == said
    for wrong in (
        None,
        {},
        batch | {"most": 1},
        batch | {"most": 51},
        batch | {"most": "12"},
        batch | {"x": 1},
        [batch],
    ):
        with pytest.raises(MalformedDecision):
            parse(_with(NEEDS, "approvals.batch", wrong), call, obligations=NONE)


@pytest.mark.parametrize("auth", [["slack"], [], ["key", "key"], ["key", "asserted"], ["key", "system"], "key", None])
def test_proofs_are_keys_and_each_other_kind_once(write: Callable[..., Call], auth: object) -> None:
    with pytest.raises(MalformedDecision):
        parse(_with(NEEDS, "approvals.auth", auth), write(contributors=["ben"]), obligations=NONE)


def test_a_read_asks_nobody(read: Callable[..., Call]) -> None:
    for answer in (NEEDS, {**ALLOW, "approvals": NEEDS["approvals"]}, {**NEEDS, "approvals": None}):
        with pytest.raises(MalformedDecision):
            parse(answer, read(), obligations=NONE)


def test_a_deny_carries_no_approvals(write: Callable[..., Call]) -> None:
    with pytest.raises(MalformedDecision):
        parse({**NEEDS, "effect": "deny"}, write(contributors=["ben"]), obligations=NONE)


def test_the_review_of_an_emergency_that_nobody_declared_is_no_answer(write: Callable[..., Call]) -> None:
    answer, call = {**NEEDS, "obligations": [REVIEW]}, write(contributors=["ben"])
    with pytest.raises(MalformedDecision, match="nobody declared"):
        parse(answer, call, obligations=frozenset({REVIEW}))
    emergency = BreakGlass(id="g-000000000001", opened_by="rita", until_us=1)
    declared = call.model_copy(update={"break_glass": emergency})
    assert parse(answer, declared, obligations=frozenset({REVIEW})).obligations == (REVIEW,)


def test_an_obligation_counts_where_the_gate_can_carry_it_out(write: Callable[..., Call]) -> None:
    answer = {**NEEDS, "obligations": ["notify_owner"]}
    taken = parse(answer, write(contributors=["ben"]), obligations=frozenset({"notify_owner"}))
    assert taken.obligations == ("notify_owner",)
    with pytest.raises(MalformedDecision):
        parse({**NEEDS, "obligations": ["notify_owner"] * 2}, write(), obligations=frozenset({"notify_owner"}))


def test_the_refusal_shows_nothing_of_the_answer(read: Callable[..., Call]) -> None:
    with pytest.raises(MalformedDecision) as refusal:
        parse({**ALLOW, "effect": "secret-value"}, read(), obligations=NONE)
    assert "secret-value" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_decision_carries_what_took_it() -> None:
    answer = fault("No answer.")
    assert isinstance(answer, Answer)
    taken = decision(answer, engine="opa 1.20.2", policy="aa" * 32, data="bb" * 32, input_digest="cc" * 32)
    assert taken.canonical() == {
        "effect": "deny",
        "approvals": None,
        "reasons": [{"code": "engine_fault", "message": "No answer.", "rule": "R00"}],
        "obligations": [],
        "warnings": [],
        "policy_revision": "aa" * 32,
        "data_revision": "bb" * 32,
        "engine": "opa 1.20.2",
        "input_digest": "cc" * 32,
    }
