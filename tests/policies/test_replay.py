"""Comparing a past decision with what a bundle answers today."""

from collections.abc import Callable
from typing import Any

import pytest

from twokey.core import canonical
from twokey.core.errors import EngineFault
from twokey.core.values import Call
from twokey.policies import decision
from twokey.policies.engines.embedded import Embedded
from twokey.policies.input import build
from twokey.policies.replay import Tally, call_of, judge

Make = Callable[..., Call]


def reason(rule: str = "R15", code: str = "write_needs_people") -> dict[str, str]:
    return {"code": code, "message": "Because.", "rule": rule}


def answer(effect: str = "require_approval", **changes: Any) -> dict[str, Any]:
    needed = {
        "all_of": [{"group": "platform-owners", "n": 1}],
        "exclude": ["ana"],
        "distinct": True,
        "expires_s": 60,
        "max_uses": 1,
        "binds": ["proposal_digest", "decision_digest"],
    }
    given = needed if effect == "require_approval" else None
    fields = {"effect": effect, "approvals": given, "reasons": [reason()], "obligations": [], "warnings": []}
    return fields | changes


def needs(**changes: Any) -> dict[str, Any]:
    return answer()["approvals"] | changes


def kind(write: Make, before: dict[str, Any], after: object) -> str:
    return judge(canonical.encode(before), after, build(write()).text).kind


def test_the_same_bytes_are_the_same(write: Make):
    outcome = judge(canonical.encode(answer()), answer(), build(write()).text)
    assert (outcome.kind, outcome.changed, outcome.transition) == ("same", False, "require_approval")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (answer("deny"), answer(), "looser"),
        (answer(), answer("deny"), "stricter"),
        (answer(), answer(approvals=needs(expires_s=61)), "approvals"),
        (answer(), answer(approvals=needs(all_of=[{"group": "risk-owners", "n": 2}])), "approvals"),
        (answer(), answer(reasons=[reason("R18", "raised_quorum")]), "reasons"),
        (answer(), answer(warnings=["unlisted_label"]), "reasons"),
        (answer(), answer(reasons=[reason() | {"message": "In other words."}]), "reasons"),
    ],
)
def test_a_change_has_a_name(write: Make, before: dict[str, Any], after: dict[str, Any], expected: str):
    assert kind(write, before, after) == expected


@pytest.mark.parametrize(
    "raw",
    [
        None,
        EngineFault("It hung.", next="Wait."),
        {"effect": "allow"},
        answer("allow"),
        answer(approvals=needs(exclude=[])),
        answer(obligations=["dance"]),
        answer(extra=1.5),
    ],
    ids=["undefined", "fault", "no decision", "a write allowed", "self-approval", "unknown obligation", "a float"],
)
def test_what_is_no_decision_is_a_fault_and_denies(write: Make, raw: object):
    outcome = judge(canonical.encode(answer()), raw, build(write()).text)
    assert (outcome.kind, outcome.transition) == ("fault", "require_approval -> deny")
    assert outcome.rules() == ([("R00", "engine_fault")], [("R15", "write_needs_people")])


def test_a_decision_that_no_engine_gave_is_not_compared(write: Make):
    before = decision.fault("The policy engine gave no answer.").canonical()
    outcome = judge(canonical.encode(before), answer(), build(write()).text)
    assert (outcome.kind, outcome.changed) == ("was_fault", False)


def test_a_document_without_a_call_denies():
    assert judge(canonical.encode(answer()), answer("deny", reasons=[reason()]), b'{"type":"x"}').kind == "fault"


def test_the_document_gives_the_call_back(read: Make, write: Make):
    for call in (read(), write()):
        assert call_of(build(call).text) == call


def test_the_real_engine_gives_the_same_bytes_again(embedded: Embedded, read: Make, write: Make):
    for call in (read(), write(), write(rollback=False)):
        document = build(call).text
        first = canonical.encode(embedded.evaluate(document))  # pyright: ignore[reportArgumentType] - plain JSON
        (again,) = embedded.evaluate_many([document])
        assert judge(first, again, document).kind == "same"


def test_a_tally_counts_and_names_the_first(write: Make):
    tally, document = Tally(), build(write()).text
    same = judge(canonical.encode(answer()), answer(), document)
    denied = judge(canonical.encode(answer()), answer("deny", reasons=[reason("R10", "too_large")]), document)
    fault = judge(canonical.encode(decision.fault("None.").canonical()), answer(), document)
    tally.count("l-1", same, same_policy=True)
    tally.count("l-2", denied, same_policy=True)
    tally.count("l-3", denied, same_policy=False)
    tally.count("l-4", denied, same_policy=True)
    tally.count("l-5", fault, same_policy=True)
    assert tally.mismatches == 2
    tally.count_unkept()
    tally.count_altered("l-7")
    tally.count_altered("l-8")
    found = tally.as_json()
    assert {name: found[name] for name in ("decisions", "again", "not_kept", "altered", "changed")} == {
        "decisions": 8,
        "again": 5,
        "not_kept": 1,
        "altered": 2,
        "changed": 3,
    }
    assert (found["unchanged_policy"], found["mismatches"], found["first_mismatch"]) == (3, 2, "l-2")
    assert found["first_altered"] == "l-7"
    assert found["transitions"] == {"require_approval -> deny": 3}
    assert found["rules"] == [
        {"rule": "R10", "code": "too_large", "gained": 3, "lost": 0},
        {"rule": "R15", "code": "write_needs_people", "gained": 0, "lost": 3},
    ]
    assert not tally.ok
    assert Tally().ok
