"""``twokey eval yaml``: what it counts, that its judge can find fault, and what the editor does to files of every kind."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from support.command import Command
from support.effort import seconds
from support.property_files import property_files, wild_files

from twokey.agents.catalog import evaluate_yaml
from twokey.agents.catalog.evaluate_yaml import on_folder
from twokey.agents.catalog.lines import lines_of
from twokey.agents.catalog.yaml_score import Wish, score
from twokey.core.errors import BadInput

FILES = Path(__file__).parent / "property_files"
UNREADABLE = {"mixed/two_documents.yml"}


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return on_folder(FILES)


def test_every_file_comes_back_and_is_edited_and_nothing_else_changes(result: dict[str, Any]):
    assert result["files"] >= 60
    assert result["noop_identical"] == result["files"]
    assert (result["noise"], result["changes"]) == ([], [])
    assert (result["noise_lines"], result["semantic_changes"]) == (0, 0)
    assert result["files_edited"] == result["files"] - result["files_without_nodes"] - len(UNREADABLE)
    assert result["edits"] > 400


def test_few_edits_are_refused_and_each_has_a_reason(result: dict[str, Any]):
    assert result["refused"] == len(result["refusals"])
    assert result["refused_share"] <= 0.08
    assert all(each["code"] and each["reason"].endswith(".") for each in result["refusals"])
    assert set(result["reasons"]) == {
        "ambiguous",
        "complex_key",
        "several_documents",
        "shared_anchor",
        "duplicate_key",
    }
    assert {each["file"] for each in result["refusals"] if not each["place"]} == UNREADABLE


def faults(schema: Any, text: bytes) -> Counter[tuple[str, str]]:
    """What the schema finds wrong with a file, each with its place."""
    content = json.loads(json.dumps(yaml.load(text, Loader=yaml.CSafeLoader), default=str))  # as dbt does
    found = jsonschema.Draft7Validator(schema).iter_errors(content or {})
    return Counter((error.json_path, str(error.validator)) for error in found)


def test_edits_bring_no_new_fault_of_the_schema(data: Path):
    schema = json.loads((data / "schemas" / "dbt_yml_files-latest.json").read_text())
    checked = 0
    for path in sorted(FILES.rglob("*.y*ml")):
        before = path.read_bytes()
        if path.relative_to(FILES).as_posix() in UNREADABLE:
            continue
        after = evaluate_yaml.edited(before)
        assert faults(schema, after.text) - faults(schema, before) == Counter(), path.name
        checked += bool(after.applied)
    assert checked > 60


def test_the_command_says_it_in_one_object(tmp_path: Path):
    (tmp_path / "a.yml").write_text("models:\n  - name: a\n    columns:\n      - name: b\n")
    (tmp_path / "b.yaml").write_text("models: [\n")
    (tmp_path / "c.txt").write_text("models: [\n")
    (tmp_path / "link.yml").symlink_to(tmp_path / "a.yml")
    twokey = Command(home=tmp_path / "home", folder=tmp_path)
    done = twokey("eval", "yaml", str(tmp_path), "--json")
    assert done.code == 0
    assert done.json["files"] == done.json["noop_identical"] == 2
    assert (done.json["edits"], done.json["refused"], done.json["reasons"]) == (3, 1, {"not_yaml": 1})
    assert done.json["files_per_s"] > 0
    assert "b.yaml" in done.err


def test_a_folder_without_files_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput, match=r"no \.yml"):
        on_folder(tmp_path)
    with pytest.raises(BadInput, match="no such folder"):
        on_folder(tmp_path / "none")


# --- the judge ------------------------------------------------------------------------------------------------------

BEFORE = """\
models:
  # keep
  - name: a  # first
    columns:
      - name: x
        description: old  # why
        tests: [unique]  # key
      - {name: y}

      - name: z
        description: >-
          long
          text
"""
PLACE = ("models", 0, "columns")
DONE = [
    Wish((*PLACE, 0), ("description",), "new"),
    Wish((*PLACE, 0), ("data_tests", "tests"), items=("not_null",)),
    Wish((*PLACE, 1), ("description",), "flow"),
    Wish((*PLACE, 2), ("description",), "short"),
    Wish(("models", 0), ("columns",), items=({"name": "n"},)),
]
AFTER = """\
models:
  # keep
  - name: a  # first
    columns:
      - name: x
        description: new  # why
        tests: [unique, not_null]  # key
      - {name: y, description: flow}

      - name: z
        description: short

      - name: n
"""


def test_the_judge_finds_nothing_where_only_the_edits_were_made():
    assert score(BEFORE, AFTER, DONE) == score(BEFORE, BEFORE, [])
    assert score(BEFORE, AFTER, DONE).noise == score(BEFORE, AFTER, DONE).differences == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # keep\n", ""),
        ("  # keep\n", "  # kept\n"),
        ("a  # first", "a # first"),
        ("new  # why", "new"),
        ("description: new", "description:  new"),
        ("not_null]  # key", "not_null]"),
        ("- {name: y, description: flow}", "- name: y\n        description: flow"),
        ("flow}\n\n", "flow}\n"),
        ("flow}\n\n", "flow}\n\n\n"),
        ("models:\n", "models:\r\n"),
        ("      - name: n\n", "      - name: n\n\n\n\n"),
        ("models:\n", "---\nmodels:\n"),
    ],
)
def test_the_judge_sees_every_line_that_changed_besides(old: str, new: str):
    assert old in AFTER
    assert score(BEFORE, AFTER.replace(old, new, 1), DONE).noise


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: a", "name: b"),
        ("description: new", "description: newer"),
        ("description: new", "description: 12"),
        (", not_null", ""),
        ("not_null", "unique"),
        ("[unique, not_null]", "[not_null, unique]"),
        ("short\n", "short\n        tests: [unique]\n"),
        ("      - name: n\n", ""),
        ("      - name: n\n", "      - name: n\n      - name: m\n"),
        ("models:", "seeds:"),
    ],
)
def test_the_judge_sees_every_value_that_is_not_what_was_asked(old: str, new: str):
    assert old in AFTER
    assert score(BEFORE, AFTER.replace(old, new, 1), DONE).differences


def test_the_judge_sees_a_lost_document_and_a_changed_alias():
    assert score("a: 1\n---\nb: 2\n", "a: 1\n", []).differences
    assert score("a: &x {k: 1}\nb: *x\n", "a: &x {k: 1}\nb: {k: 2}\n", []).differences
    assert score("a: &x {k: 1}\nb: {<<: *x}\n", "a: &x {k: 2}\nb: {<<: *x}\n", []).differences


# --- files made to cost time ----------------------------------------------------------------------------------------

HOSTILE = {
    "many keys above many columns": "".join(f"k{n}: 1\n" for n in range(8_000))
    + "models:\n  - name: m\n    columns:\n"
    + "".join(f"      - name: c{n}\n" for n in range(1_000)),
    "one line": '{"models": [{"name": "m", "columns": ['
    + ", ".join(f'{{"name": "c{n}", "x": "{"y" * 900}"}}' for n in range(1_000))
    + "]}]}",
    "many aliases": "a:\n"
    + "".join(f"  - &a{n}\n    name: c{n}\n" for n in range(1_000))
    + "models:\n  - name: m\n    columns:\n"
    + "".join(f"      - *a{n}\n" for n in range(1_000)),
    "many comments": "models:\n  - name: m\n    columns:\n"
    + "".join("      # c\n" * 20 + f"      - name: c{n}\n" for n in range(1_000)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_file_that_is_made_to_cost_time_costs_little(text: str):
    began = time.process_time()
    made = evaluate_yaml.edited(text.encode())
    assert time.process_time() - began < seconds(8)
    assert len(made.applied) == 2_001
    assert len(lines_of(made.text)) == 1_002


# --- generated files ------------------------------------------------------------------------------------------------

CHECKS = (HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large)
SAMPLE = settings(max_examples=30, deadline=None, suppress_health_check=CHECKS)
SWEEP = settings(max_examples=20_000, deadline=None, suppress_health_check=CHECKS)


def check(folder: Path, data: bytes) -> dict[str, Any]:
    (folder / "a.yml").write_bytes(data)
    result = on_folder(folder)
    assert result["noop_identical"] == 1
    assert (result["noise"], result["changes"]) == ([], [])
    assert not [each for each in result["refusals"] if each["code"] == "not_proven"] or not data.endswith(b"\n")
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@SAMPLE
@given(data=property_files())
def test_generated_files_take_the_edits_and_nothing_else(folder: Path, data: bytes):
    check(folder, data)


@SAMPLE
@given(data=wild_files())
def test_whatever_yaml_allows_takes_the_edits_or_a_reason(folder: Path, data: bytes):
    check(folder, data)


@pytest.mark.soak
@SWEEP
@given(data=wild_files())
def test_many_more_files_of_whatever_yaml_allows(folder: Path, data: bytes):
    check(folder, data)
