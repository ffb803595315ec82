"""What differs between two bundles, in words."""

import dataclasses
from typing import Any

from inline_snapshot import snapshot

from twokey.policies import bundle as bundles
from twokey.policies.bundle import Bundle
from twokey.policies.diff import diff, rules

OWN = bundles.load()


def with_module(name: str, text: str) -> Bundle:
    return dataclasses.replace(OWN, modules=tuple(sorted({**dict(OWN.modules), name: text}.items())))


def with_data(**changes: Any) -> Bundle:
    document = OWN.document()
    document["twokey_data"] |= changes
    return OWN.with_data(document)


def sentences(old: Bundle, new: Bundle) -> list[str]:
    return [item.sentence() for item in diff(old, new)]


def test_the_same_bundle_has_no_differences():
    assert diff(OWN, OWN) == []


def test_every_rule_of_the_bundle_is_known_by_its_id():
    known = {key.split(" ")[0] for key in rules(OWN)}
    assert {f"R{number:02}" for number in range(1, 20)} <= known


def test_a_rule_that_came_went_or_changed_is_named():
    name, text = next((name, text) for name, text in OWN.modules if "too_large" in text)
    start = next(block for block in text.split("# METADATA\n") if "code: too_large" in block)
    without = with_module(name, text.replace("# METADATA\n" + start, ""))
    assert sentences(OWN, without) == [
        "rule R10 too_large was removed: Too large"
    ] or "R10 too_large was removed" in str(sentences(OWN, without))
    assert any(item.startswith("rule R10 too_large was added") for item in sentences(without, OWN))
    changed = with_module(name, text.replace(start, start.replace('"rule": "R10"', '"rule": "R10" ')))
    assert [(item.what, item.change, item.name) for item in diff(OWN, changed)] == [
        ("rule", "changed", "R10 too_large")
    ]


def test_modules_and_what_stands_outside_of_rules_are_named():
    name = OWN.modules[0][0]
    text = dict(OWN.modules)[name]
    assert sentences(OWN, with_module("twokey/more.rego", "package twokey\n")) == ["module twokey/more.rego was added"]
    assert sentences(with_module("twokey/more.rego", "package twokey\n"), OWN) == [
        "module twokey/more.rego was removed"
    ]
    changed = with_module(name, "# a remark\n" + text)
    assert sentences(OWN, changed) == [f"module {name} was changed: outside of its annotated rules"]


def test_data_is_compared_key_by_key():
    new = with_data(
        limits={"files": 1, "lines": 10000},
        groups=[
            "platform-owners",
            "model-owners",
            "risk-owners",
            "data-owners",
            "ml-owners",
            "members",
            "on-call",
        ],
        owners=[{"kind": "repository", "under": "", "group": "ml-owners"}],
        risk_of_environment={"staging": "high"},
    )
    assert sentences(OWN, new) == snapshot(
        [
            "data twokey_data.groups was changed: in another order",
            "data twokey_data.limits.files was changed: 200 -> 1",
            'data twokey_data.owners was changed: + {"group": "ml-owners", "kind": "repository", "under": ""}',
            'data twokey_data.risk_of_environment.production was removed: "high"',
            'data twokey_data.risk_of_environment.staging was added: "high"',
        ]
    )


def test_an_annotation_that_cannot_be_read_still_has_a_name():
    odd = with_module(
        "twokey/odd.rego", "package twokey\n\n# METADATA\n# title: [\nx := 1\n\n# METADATA\n# - a\ny := 1\n"
    )
    names = [item.name for item in diff(OWN, odd)]
    assert names == [
        "twokey/odd.rego",
        "twokey/odd.rego without a title",
        "twokey/odd.rego without a title (twokey/odd.rego)",
    ]


def test_what_is_shown_is_one_short_line():
    long = with_data(owners=[{"kind": "repository", "id": "x\n" * 150, "group": "ml-owners"}])
    (item,) = diff(OWN, long)
    assert "\n" not in item.sentence()
    assert len(item.sentence()) < 220
    assert item.as_json()["what"] == "data"
