"""The twelve controls: what makes one hold, and what a profile demands."""

import re

import pytest

from twokey.policies.controls import CONTROLS, Allowed, Attack, Evidence, Gap, broken, demanded, judge, unmet

CONTROL = CONTROLS[0]
STOPPED = Attack("replays", 3, 0, 3)
WENT = Allowed("an ordinary write", 1, 1)


def test_there_are_twelve_in_order_each_with_a_code_of_its_own():
    assert [control.number for control in CONTROLS] == list(range(1, 13))
    assert len({control.code for control in CONTROLS}) == len(CONTROLS)
    assert all(re.fullmatch(r"[a-z][a-z_]+", control.code) for control in CONTROLS)


def test_a_control_holds_where_every_attack_was_stopped_and_recorded_and_the_rest_went_through():
    found = judge(CONTROL, [WENT, STOPPED, Attack("late", 1, 0)])
    assert (found.state, found.next) == ("holds", "")
    assert found.evidence == (
        "an ordinary write: 1 of 1, as it should be",
        "replays: 3 tried, 0 got through, 3 refusals recorded",
        "late: 1 tried, 0 got through",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        Attack("one got through", 3, 1, next="Do this."),
        Attack("nothing was tried", 0, 0, next="Do this."),
        Attack("a refusal left no record", 3, 0, 2, next="Do this."),
        Allowed("what is allowed was stopped, too", 1, 0, next="Do this."),
        Allowed("nothing that is allowed was tried", 0, 0, next="Do this."),
    ],
    ids=lambda item: str(item.what),
)
def test_one_wrong_piece_of_evidence_fails_the_control(wrong: Evidence):
    found = judge(CONTROL, [WENT, STOPPED, wrong, Gap("a rule", "Add it.")])
    assert (found.state, found.next) == ("fails", "Do this.")
    assert "as it should be" not in found.evidence[2]


def test_a_failure_without_a_hint_says_where_to_look():
    assert "twokey controls" in judge(CONTROL, [Attack("x", 1, 1)]).next


def test_a_rule_that_is_not_there_is_missing_and_said_how_to_add():
    found = judge(CONTROL, [WENT, STOPPED, Gap("a rule about cost", "Add it."), Gap("another", "Add that.")])
    assert (found.state, found.next) == ("missing", "Add it.")
    assert found.evidence[2] == "missing: a rule about cost"


@pytest.mark.parametrize("evidence", [[], [WENT]], ids=["nothing", "nothing was attacked"])
def test_without_an_attack_nothing_is_shown(evidence: list[Evidence]):
    assert judge(CONTROL, evidence).state == "fails"


def test_a_probe_that_cannot_be_carried_out_has_failed():
    found = broken(CONTROL, "policy_engine")
    assert found.state == "fails"
    assert found.evidence == ("the probe could not be carried out: policy_engine",)


def test_a_verdict_as_json():
    assert judge(CONTROL, [STOPPED]).as_json() == {
        "number": 1,
        "code": "default_deny",
        "title": "Fail-closed default deny",
        "pilot": True,
        "state": "holds",
        "evidence": ["replays: 3 tried, 0 got through, 3 refusals recorded"],
        "next": "",
    }


def test_a_laptop_demands_nothing_a_pilot_three_and_production_all():
    assert demanded("laptop") == ()
    assert [control.number for control in demanded("pilot")] == [1, 2, 3]
    assert demanded("production") == CONTROLS


def test_what_was_not_looked_at_does_not_hold():
    assert unmet("production", ()) == CONTROLS
    assert unmet("laptop", ()) == ()
    assert [control.number for control in unmet("pilot", ["pinned_tools", "taint"])] == [1, 3]
    assert unmet("production", [control.code for control in CONTROLS]) == ()
