"""What a change breaks, adds or promotes is told from the files and never from anybody's word."""

import pytest
from dulwich.objects import Blob

from twokey.tools.write.change_labels import labels
from twokey.tools.write.git_tree import Changed

DBT = """\
sources:
  - name: raw
    tables:
      - name: people
        columns: [{name: id, data_type: integer}]
models:
  - name: orders
    config: {contract: {enforced: true}}
    columns:
      - name: id
        data_type: integer
      - name: note
"""
ODCS = """\
kind: DataContract
schema:
  - name: orders
    properties:
      - name: id
        logicalType: integer
      - name: note
        logicalType: string
"""
RUN = "name: churn\nversion: 3\nrun_id: ab12\ncurrent_stage: Staging\n"
SERVING = '{"model_uri": "models:/churn/3", "traffic": 10, "replicas": 2}'
KINDS = {"breaks_contract", "adds_source", "promotes_model"}


def change(path: str, before: str | None, after: str | None) -> Changed:
    texts = [None if text is None else text.encode() for text in (before, after)]
    ids = [None if text is None else Blob.from_string(text).id.decode() for text in texts]
    return Changed(path, texts[0], ids[0], texts[1], ids[1])


def told(before: str | None, after: str | None, path: str = "models/schema.yml") -> set[str]:
    return set(labels([change(path, before, after)])) & KINDS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      - name: note\n", ""),
        ("- name: note", "- name: remark"),
        ("  - name: orders\n", "  - name: purchases\n"),
        ("        data_type: integer\n", "        data_type: text\n"),
        ("        data_type: integer\n", ""),
        ("enforced: true", "enforced: false"),
        ("{contract: {enforced: true}}", "{}"),
        ("- name: people", "- name: persons"),
        ("columns: [{name: id, data_type: integer}]", "columns: []"),
    ],
)
def test_what_others_rely_on_is_seen_to_break(old: str, new: str):
    after = DBT.replace(old, new, 1)
    assert after != DBT
    assert "breaks_contract" in told(DBT, after)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      - name: note\n", "      - name: note\n        description: Free text.\n        data_type: text\n"),
        ("      - name: note\n", "      - name: note\n      - name: more\n"),
        ("data_type: integer", "data_type: INTEGER"),
        ("  - name: orders\n", "  - name: orders\n    description: x\n"),
        ("models:\n", "models:\n  - name: new\n    columns: [{name: a}]\n"),
        ("enforced: true", 'enforced: "true"'),
    ],
)
def test_adding_and_describing_breaks_nothing(old: str, new: str):
    after = DBT.replace(old, new, 1)
    assert after != DBT
    assert told(DBT, after) == set()


def test_a_contract_is_held_to_its_properties():
    assert told(ODCS, ODCS.replace("logicalType: integer", "logicalType: string")) == {"breaks_contract"}
    assert told(ODCS, ODCS.replace("      - name: note\n        logicalType: string\n", "")) == {"breaks_contract"}
    assert told(ODCS, ODCS + "      - name: more\n        logicalType: string\n") == set()


def test_a_file_that_goes_breaks_what_it_declared_wherever_else_that_stands():
    assert told(DBT, None) == {"breaks_contract"}
    moved = [change("models/schema.yml", DBT, None), change("attic/old.yml", None, DBT)]
    assert set(labels(moved)) & KINDS == {"breaks_contract", "adds_source"}


def test_a_new_source_or_table_of_one_is_a_new_source():
    assert told(None, DBT) == {"adds_source"}
    assert told(DBT, DBT.replace("      - name: people\n", "      - name: pets\n      - name: people\n")) == {
        "adds_source"
    }


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        (RUN, RUN.replace("Staging", "Production"), "mlruns/models/churn/version-3/meta.yaml"),
        (None, RUN, "mlruns/models/churn/version-3/meta.yaml"),
        (SERVING, SERVING.replace("churn/3", "churn/4"), "deploy/churn.json"),
        (SERVING, SERVING.replace('"traffic": 10', '"traffic": 100'), "deploy/churn.json"),
        ("serving:\n  model_version: 3\n", "serving:\n  model_version: 4\n", "deploy/churn.yml"),
    ],
)
def test_another_version_that_is_served_is_a_promotion(before: str | None, after: str, path: str):
    assert told(before, after, path) == {"promotes_model"}


def test_what_only_looks_like_a_promotion_is_none():
    assert told(SERVING, SERVING.replace('"replicas": 2', '"replicas": 3'), "deploy/churn.json") == set()
    assert told("traffic: 10\n", "traffic: 20\n") == set()
    assert (
        told("models:\n  - name: a\n    config: {alias: b}\n", "models:\n  - name: a\n    config: {alias: c}\n")
        == set()
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "deployments: [{name: churn, model_version: 3}, {name: fraud, model_version: 1}]\n",
            "deployments: [{name: churn, model_version: 4}, {name: fraud, model_version: 1}]\n",
        ),
        ("model_version: 3\n---\nmodel_version: 1\n", "model_version: 4\n---\nmodel_version: 1\n"),
        ("model_version: [3]\n", "model_version: [4]\n"),
        ("predictor: {model: {storageUri: a}}\n", "predictor: {model: {storageUri: b}}\n"),
        ("predictor: {canaryTrafficPercent: 10}\n", "predictor: {canaryTrafficPercent: 100}\n"),
        ("base: &b {model_version: 3}\nx:\n  <<: *b\n", "base: &b {model_version: 4}\nx:\n  <<: *b\n"),
    ],
)
def test_a_promotion_is_seen_wherever_it_stands(before: str, after: str):
    assert told(before, after, "deploy/serving.yml") == {"promotes_model"}


def test_a_promotion_is_seen_beside_another_file_that_says_the_same():
    found = labels(
        [
            change("mlruns/a/meta.yaml", RUN, RUN.replace("Staging", "Production")),
            change(
                "mlruns/b/meta.yaml", RUN.replace("Staging", "Production"), RUN.replace("Staging", "Production") + "\n"
            ),
        ]
    )
    assert "promotes_model" in found


@pytest.mark.parametrize(
    ("old", "new", "label"),
    [
        ("        data_type: integer\n", "        data_type: integer\n        data_type: text\n", "breaks_contract"),
        ("{contract: {enforced: true}}", "{contract: {enforced: true, enforced: false}}", "breaks_contract"),
        ("      - name: note\n", "      - name: note\n        name: other\n", "breaks_contract"),
        ("models:\n", "models: []\nmodels:\n", "breaks_contract"),
        ("      - name: note\n", "      - name: note\n      - {name: id, data_type: text}\n", "breaks_contract"),
        ("    tables:\n", "    schema: elsewhere\n    tables:\n", "adds_source"),
        ("- name: people\n", "- name: people\n        identifier: others\n", "adds_source"),
        ("sources:\n", "x: &x {name: more}\nsources:\n  - <<: *x\n", "adds_source"),
    ],
)
def test_what_is_said_twice_or_elsewhere_hides_nothing(old: str, new: str, label: str):
    after = DBT.replace(old, new, 1)
    assert after != DBT
    assert label in told(DBT, after)


DEEP = "[" * 120 + "]" * 120


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "\tx",
        "[" * 200,
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8)),
        "a: &a [*a]\n",
        "a: &a {<<: *a}\n",
        f"notes: {DEEP}\n",
        "x: 1\nx: 2\n",
    ],
    ids=["cut", "tab", "deep list", "aliases", "circle", "merged circle", "deep", "twice"],
)
def test_a_file_that_cannot_be_read_counts_as_changed_and_costs_no_process(text: str):
    assert told(DBT, text) == {"breaks_contract"}
    assert told(RUN, text) == told(text, RUN) == {"breaks_contract", "promotes_model"}
    assert "unreadable_yaml" in labels([change("models/a.yml", DBT, text)])


@pytest.mark.parametrize(
    "text",
    ["{", f'{{"notes": {DEEP[:40]}{DEEP[-40:]}}}', '{"a": 1, "a": 2}', "[" * 100_000],
    ids=["cut", "deep", "twice", "very deep"],
)
def test_json_is_read_as_json(text: str):
    emoji = '{"model_version": 1, "note": "\\ud83d\\ude00"}'
    assert told(emoji, emoji.replace("1", "2"), "deploy/a.json") == {"promotes_model"}
    found = labels([change("deploy/a.json", '{"model_version": 1}', text)])
    assert "promotes_model" in found


def test_odd_shapes_are_passed_over():
    odd = "models: [5, {name: [x]}, {columns: 7}]\n? [a]\n: b\nsources: {name: x}\n5: x\nz: {<<: 5, y: 1}\n"
    assert told(odd, odd.replace("7", "8")) == set()
    assert told("", "", "a.json") == told(None, "null", "a.json") == set()
