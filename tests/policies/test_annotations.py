"""Reasons on cards, annotations in the Rego, and the page about rules say the same."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import twokey.policies
from twokey.policies import annotations, bundle
from twokey.policies.annotations import BadAnnotation, page, rules
from twokey.policies.facts import WAIVABLE

FOLDER = Path(str(twokey.policies.__file__)).parent / "bundle"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "policy-rules.md"
RULE = """\
# METADATA
# title: Too late
# description: >-
#   It is
#   too late.
# custom:
#   rule: R90
#   code: late
deny contains {
	"code": "late",
	"message": "It is late.",
	"rule": "R90",
} if {
	input.late
}
"""


def test_the_page_about_rules_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(rules(bundle.load().modules)), (
        "run: python -m twokey.policies.annotations > docs/policy-rules.md"
    )


@pytest.mark.opa
def test_opa_reads_the_same_annotations(opa: Path) -> None:
    done = subprocess.run(
        [opa, "inspect", "--annotations", "--format", "json", FOLDER], capture_output=True, check=True, timeout=600
    )
    notes: list[dict[str, Any]] = [entry["annotations"] for entry in json.loads(done.stdout)["annotations"]]
    theirs = {
        (note["custom"]["rule"], note["custom"]["code"], note["title"], " ".join(note["description"].split()))
        for note in notes
        if "rule" in note.get("custom", {})
    }
    ours = {(rule.rule, rule.code, rule.title, rule.description) for rule in rules(bundle.load().modules)}
    assert ours == theirs
    assert len(ours) == 30


def test_rules_that_can_be_lifted_deny() -> None:
    effects = {rule.rule: rule.effect for rule in rules(bundle.load().modules)}
    assert {effects[rule] for rule in WAIVABLE} == {"deny"}


def test_a_rule_is_read_whole() -> None:
    (rule,) = rules([("a.rego", f"package twokey\n\n{RULE}")])
    assert rule.model_dump() == {
        "rule": "R90",
        "code": "late",
        "effect": "deny",
        "title": "Too late",
        "description": "It is too late.",
        "message": "It is late.",
    }
    assert "| R90 | `late` | denied | **Too late.** It is too late. | It is late. |\n" in page([rule])


def test_an_annotation_that_gives_no_reason_is_passed_over() -> None:
    note = "# METADATA\n# title: A note\n# custom: words\nx := 1\n"
    assert rules([("a.rego", note)]) == rules([("a.rego", note.replace("custom: words", "custom: {code: x}"))]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rule: R90", "rule: R91"),
        ("code: late", "code: early"),
        ("#   code: late\n", ""),
        ('"rule": "R90"', '"rule": "R91"'),
        ("deny contains", "obligations contains"),
        ("title: Too late", "title: ''"),
        ("title: Too late", "title: [x]"),
        ("title: Too late", "title: 'Too late"),
        (
            "# title: Too late\n# description: >-\n#   It is\n#   too late.\n# custom:\n#   rule: R90\n#   code: late",
            "# - x",
        ),
        ("# title: Too late", "# - x\n#"),
        ('"code": "late",\n', ""),
        ("R90", "90"),
    ],
)
def test_an_annotation_that_says_something_else_is_refused(old: str, new: str) -> None:
    assert old in RULE
    with pytest.raises(BadAnnotation, match=r"Annotation 1 of the module a\.rego"):
        rules([("a.rego", RULE.replace(old, new))])


def test_an_annotation_without_a_rule_under_it_is_refused() -> None:
    with pytest.raises(BadAnnotation):
        rules([("a.rego", RULE[: RULE.index("deny contains")])])


def test_one_number_is_one_rule() -> None:
    with pytest.raises(BadAnnotation, match="one number"):
        rules([("a.rego", RULE), ("b.rego", RULE)])


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    annotations.main([])
    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        annotations.main([str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_it_is_a_program_of_its_own() -> None:
    command = [sys.executable, "-m", "twokey.policies.annotations"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=600)
    assert done.stdout.decode() == PAGE.read_text(encoding="utf-8")
