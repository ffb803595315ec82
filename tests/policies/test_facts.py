from typing import Any

import pytest

from twokey.policies.bundle import Bundle
from twokey.policies.facts import ROOT, InvalidPolicyData, check, with_tools

DIGEST = "ab" * 32
BATCH: dict[str, Any] = {
    "kind": "sorts",
    "tool": "update_ticket",
    "labels": ["labels_ticket"],
    "risks": ["normal"],
    "most": 9,
}
FREEZE = {"name": "frost", "from": "2026-01-01T00:00", "until": "2026-01-02T00:00", "zone": "UTC"}


def _changed(bundle: Bundle, key: str, value: object) -> dict[str, Any]:
    document = bundle.document()
    document[ROOT][key] = value
    return document


def test_our_own_data_is_sound(bundle: Bundle) -> None:
    check(bundle.document())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("groups", [], "groups"),
        ("groups", ["Owners\n"], "groups.0"),
        ("default_owner", "nobody", "the group nobody is named and not defined"),
        ("owners", [{"kind": "tickets", "id": "x", "group": "nobody"}], "the group nobody"),
        ("owners", [{"kind": "tickets", "group": "on-call"}], "either `id` or `under`"),
        ("owners", [{"kind": "tickets", "group": "on-call", "id": "a", "under": "a/"}], "either `id` or `under`"),
        ("owners", [{"kind": "repository", "group": "on-call", "under": "churn"}], "ends in a slash"),
        ("owners", [{"kind": "mainframe", "group": "on-call", "id": "a"}], "owners.0.kind"),
        ("may_name", {"read": {"warehouse": ["strangers"]}, "write": {}}, "the group strangers"),
        ("tools", [{"name": "a", "version": "1", "effect": "read", "schema": "short"}], "tools.0.schema"),
        ("tools", [{"name": "a", "version": "1", "effect": "execute", "schema": DIGEST}], "tools.0.effect"),
        ("limits", {"files": -1, "lines": 1}, "limits.files"),
        ("risks", {"normal": {"quorum": 0, "expires_s": 60}}, "risks.normal.quorum"),
        ("risks", {"normal": {"quorum": 1, "expires_s": 10**9}}, "risks.normal.expires_s"),
        ("risks", {"normal": {"quorum": 1, "expires_s": 60, "auth": ["slack"]}}, "risks.normal"),
        ("risks", {"normal": {"quorum": 1, "expires_s": 60, "auth": ["key", "key"]}}, "risks.normal"),
        ("risks", {"normal": {"quorum": 1, "expires_s": 60, "auth": ["key", "asserted"]}}, "risks.normal.auth.1"),
        ("default_risk", "hihg", "the risk hihg is named and not defined"),
        ("risk_of_label", {"changes_ci": "hihg"}, "the risk hihg"),
        ("risk_of_environment", {"production": "hihg"}, "the risk hihg"),
        ("contracts", {"a": {"kinds": ["tickets"], "places": ["Up/../x"], "content": []}}, "contracts.a.places.0"),
        ("contracts", {"a": {"kinds": [], "places": [], "content": [], "quotes": ["x"]}}, "`quotes` names something"),
        ("classes", [{"kind": "tickets", "class": "internal"}], "either `id` or `under`"),
        ("classes", [{"kind": "tickets", "class": "intrenal", "under": ""}], "the class intrenal"),
        ("classes", [{"kind": "tickets", "class": "internal", "under": "a"}], "ends in a slash"),
        ("field_limits", [{"kind": "personal", "classes": ["intrenal"], "most": 1}], "the class intrenal"),
        ("budgets", [{"over": "week", "measure": "files", "most": 1}], "budgets.0.over"),
        ("escalation", [{"on": "label", "is": "x", "group": "nobody"}], "the group nobody"),
        ("batches", [BATCH | {"risks": ["hihg"]}], "the risk hihg"),
        ("batches", [BATCH | {"most": 1}], "batches.0.most"),
        ("batches", [BATCH | {"most": 51}], "batches.0.most"),
        ("batches", [BATCH | {"labels": []}], "batches.0.labels"),
        ("batches", [BATCH | {"risks": []}], "batches.0.risks"),
        ("rule_owners", {"R10": "nobody"}, "the group nobody"),
        ("waivable", ["R11"], "the waivable rule R11"),
        ("risk_of_class", {"internal": "hihg"}, "the risk hihg"),
        ("freezes", [FREEZE, FREEZE], "one name"),
        ("freeze", True, "freeze"),
    ],
)
def test_data_that_contradicts_itself_is_refused(bundle: Bundle, key: str, value: object, said: str) -> None:
    with pytest.raises(InvalidPolicyData) as refusal:
        check(_changed(bundle, key, value))
    assert said in refusal.value.message
    assert refusal.value.exit_code == 2


def test_a_missing_part_is_refused(bundle: Bundle) -> None:
    document = bundle.document()
    del document[ROOT]["limits"]
    with pytest.raises(InvalidPolicyData, match="limits"):
        check(document)


@pytest.mark.parametrize("document", [{}, {"other": 1}, {ROOT: {}, "other": 1}])
def test_there_is_one_root(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicyData, match=f"exactly one key, {ROOT}"):
        check(document)


def test_a_hostile_key_is_not_shown_raw(bundle: Bundle) -> None:
    with pytest.raises(InvalidPolicyData) as refusal:
        check(_changed(bundle, "\u001b[2J<b>", 1))
    assert refusal.value.message.isascii()
    assert "\u001b" not in refusal.value.message


def test_the_allow_list_is_replaced_sorted_and_the_rest_kept(bundle: Bundle) -> None:
    before = bundle.document()
    after = with_tools(before, [("b", "2", "write", DIGEST), ("a", "1", "read", DIGEST)])
    assert [tool["name"] for tool in after[ROOT]["tools"]] == ["a", "b"]
    assert after[ROOT]["tools"][1] == {"name": "b", "version": "2", "effect": "write", "schema": DIGEST}
    assert before == bundle.document()
    assert {**after[ROOT], "tools": 0} == {**before[ROOT], "tools": 0}


def test_one_version_has_one_schema(bundle: Bundle) -> None:
    with pytest.raises(InvalidPolicyData, match="listed twice"):
        with_tools(bundle.document(), [("a", "1", "read", DIGEST), ("a", "1", "read", "cd" * 32)])


def test_tools_need_data_to_go_into() -> None:
    with pytest.raises(InvalidPolicyData, match=f"no {ROOT}"):
        with_tools({}, [])
