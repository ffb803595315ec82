"""Data contracts: read, edited like property files, and changed only by what is known."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from support.catalog_workshop import Workshop, files_of
from support.warehouse_facts import column, few, table, warehouse

from twokey.agents.catalog import changes, contracts, dbt_reading, house, properties
from twokey.agents.catalog.checking import compare
from twokey.agents.catalog.contract_edits import AddCheck, AddProperty, Classify, ContractEdit, Describe, SetType
from twokey.agents.catalog.contracts import ContractObject, ContractProperty, edit, read
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.findings import Citations, collect
from twokey.agents.catalog.understanding import understand
from twokey.agents.catalog.written import Change
from twokey.agents.catalog.yaml_score import Wish, score
from twokey.agents.catalog.yaml_tree import parse

CONTRACT = """\
# what the shop promises
kind: DataContract
apiVersion: v3.1.0
id: shop-orders
version: 1.0.0
status: active

servers:
  - server: production
    type: postgres
    host: db.example
    port: 5432
    database: shop
    schema: main

schema:
  - name: Orders
    physicalName: orders
    # one row an order
    properties:
      - name: Key
        physicalName: id
        logicalType: integer
        tags: [ 'key' ]   # keep
      - name: status
        description: ""
        quality:
          - metric: nullValues
            mustBe: 0
      - name: note
        classification: restricted

slaProperties:
  - property: latency
    value: 4
    unit: d
"""


@pytest.fixture(scope="module")
def schema(data: Path) -> Any:
    return json.loads((data / "schemas" / "odcs-json-schema-v3.1.0.json").read_text())


def faults(schema: Any, text: bytes) -> Counter[tuple[str, str]]:
    content = json.loads(json.dumps(yaml.load(text, Loader=yaml.CSafeLoader), default=str))
    found = jsonschema.Draft201909Validator(schema).iter_errors(content)
    return Counter((error.json_path, str(error.validator)) for error in found)


def done(text: str, *edits: ContractEdit) -> str:
    edited = edit(text.encode(), edits)
    assert [(refusal.code, refusal.reason) for refusal in edited.refused] == []
    assert edited.applied == edits
    assert edit(edited.text, [each for each in edits if not isinstance(each, AddProperty)]).applied == ()
    return edited.text.decode()


def refused(text: str, one: ContractEdit) -> str:
    edited = edit(text.encode(), [one])
    assert edited.text == text.encode()
    (refusal,) = edited.refused
    return refusal.code


def test_a_contract_says_what_it_describes():
    (found,) = read(CONTRACT.encode())
    assert found == ContractObject(
        name="Orders",
        physical_name="orders",
        properties=(
            ContractProperty("Key", physical_name="id", tags=("key",)),
            ContractProperty("status", metrics=("nullValues",)),
            ContractProperty("note", classification="restricted"),
        ),
        schemas=("main",),
    )
    assert found.is_called("ORDERS", "main")
    assert found.is_called("orders", None)
    assert not found.is_called("orders", "other")
    assert not found.is_called("Orders_2", "main")
    placed = replace(found, physical_name="db.sales.orders")
    assert placed.is_called("orders", "sales")
    assert not placed.is_called("orders", "main")
    assert found.columns()["id"] == found.columns()["key"] == (found.properties[0],)
    assert read(b"models: []\n") == read(b"") == read(b"kind: DataContract\nschema: [3, {a: b}]\n") == ()


def test_an_edit_reads_as_a_person_would_have_written_it():
    after = done(
        CONTRACT,
        Describe("Orders", None, "Orders: one a row."),
        Describe("Orders", "Key", "Identifies the order."),
        SetType("Orders", "Key", "INTEGER"),
        Classify("Orders", "Key", "internal"),
        AddCheck("Orders", "Key", "nullValues"),
        AddCheck("Orders", "Key", "duplicateValues"),
        Describe("Orders", "status", "Where the order is."),
        AddCheck("Orders", "status", "invalidValues", ("open", "paid"), warn=True),
        AddProperty("Orders", "town", "TEXT", "Where it goes.", "internal"),
    )
    assert (
        after[after.index("schema:\n") : after.index("slaProperties")]
        == """\
schema:
  - name: Orders
    physicalName: orders
    description: "Orders: one a row."
    # one row an order
    properties:
      - name: Key
        physicalName: id
        logicalType: integer
        physicalType: INTEGER
        description: Identifies the order.
        tags: [ 'key' ]   # keep
        classification: internal
        quality:
          - metric: nullValues
            mustBe: 0
          - metric: duplicateValues
            mustBe: 0
      - name: status
        description: Where the order is.
        quality:
          - metric: nullValues
            mustBe: 0
          - metric: invalidValues
            arguments:
              validValues: [open, paid]
            mustBe: 0
            severity: warning
      - name: note
        classification: restricted
      - name: town
        physicalType: TEXT
        description: Where it goes.
        classification: internal

"""
    )
    assert after[: CONTRACT.index("schema:")] == CONTRACT[: CONTRACT.index("schema:")]


def test_a_check_that_is_there_is_not_added_again():
    assert edit(CONTRACT.encode(), [AddCheck("Orders", "status", "nullValues")]).unchanged
    old = CONTRACT.replace("metric: nullValues", "rule: nullValues")
    assert edit(old.encode(), [AddCheck("Orders", "status", "nullValues")]).unchanged


@pytest.mark.parametrize(
    ("text", "one", "code"),
    [
        (CONTRACT, Describe("Nothing", None, "x"), "not_found"),
        (CONTRACT, Describe("Orders", "nothing", "x"), "not_found"),
        (CONTRACT, Classify("Orders", "note", "public"), "exists"),
        (CONTRACT, Describe("Orders", None, " "), "empty"),
        (CONTRACT, Classify("Orders", "Key", "{{ x }}"), "jinja"),
        (CONTRACT, AddCheck("Orders", "Key", "invalidValues"), "test_form"),
        (CONTRACT, AddCheck("Orders", "Key", "invalidValues", ("{% x %}",)), "jinja"),
        (CONTRACT, AddProperty("Orders", "status"), "exists"),
        (CONTRACT, AddProperty("Orders", "STATUS"), "other_case"),
        (CONTRACT.replace("v3.1.0", "v2.2.2"), Describe("Orders", None, "x"), "not_a_contract"),
        ("models: []\n", Describe("Orders", None, "x"), "not_a_contract"),
        ("- 1\n", Describe("Orders", None, "x"), "not_properties"),
        (CONTRACT.replace("- name: note", "- name: status"), Describe("Orders", "status", "x"), "ambiguous"),
        (
            "kind: DataContract\napiVersion: v3.0.0\nschema: [{name: a, properties: x}]",
            AddProperty("a", "b"),
            "unexpected_shape",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_without_a_trace(text: str, one: ContractEdit, code: str):
    assert refused(text, one) == code


def test_templating_of_outside_text_is_broken():
    assert "{{" not in done(CONTRACT, Describe("Orders", None, "Hello {{ env_var('X') }}"))


# --- the standard's own examples ------------------------------------------------------------------------------------


def asked(data: bytes) -> list[tuple[ContractEdit, Wish]]:
    """Everything that the examples can be asked, each with what it should lead to."""
    found: list[tuple[ContractEdit, Wish]] = []
    content = yaml.load(data, Loader=yaml.CSafeLoader)
    for number, entry in enumerate(content.get("schema") or []):
        path = ("schema", number)
        if not entry.get("description"):
            found.append(
                (Describe(entry["name"], None, "A table: told."), Wish(path, ("description",), "A table: told."))
            )
        for at, each in enumerate(entry.get("properties") or []):
            inner = (*path, "properties", at)
            name = each["name"]
            text = "Told anew: it's one."
            found.append((Describe(entry["name"], name, text, replace=True), Wish(inner, ("description",), text)))
            if "classification" not in each:
                found.append((Classify(entry["name"], name, "internal"), Wish(inner, ("classification",), "internal")))
            if "physicalType" not in each:
                found.append((SetType(entry["name"], name, "TEXT"), Wish(inner, ("physicalType",), "TEXT")))
        item = {"name": "added", "physicalType": "TEXT"}
        found.append((AddProperty(entry["name"], "added", "TEXT"), Wish(path, ("properties",), items=(item,))))
    return found


def test_the_examples_of_the_standard_take_the_edits_and_nothing_else(data: Path, schema: Any):
    edits = files = 0
    for path in sorted((data / "odcs_examples").rglob("*.yaml")):
        before = path.read_bytes()
        assert properties.rewritten(parse(before)) == before
        wishes = asked(before)
        edited = edit(before, [each for each, _ in wishes])
        assert edited.refused == (), path.name
        found = score(before.decode(), edited.text.decode(), [wish for _, wish in wishes])
        assert (found.noise, found.differences) == ((), ()), path.name
        checked = edit(
            edited.text,
            [AddCheck(each.table, "added", "nullValues") for each, _ in wishes if isinstance(each, AddProperty)],
        )
        assert checked.refused == ()
        assert faults(schema, checked.text) - faults(schema, before) == Counter(), path.name
        edits += len(edited.applied)
        files += 1
    assert files == 18
    assert edits > 100


def test_a_changed_contract_is_valid(schema: Any):
    after = done(
        CONTRACT,
        AddCheck("Orders", "Key", "duplicateValues"),
        AddCheck("Orders", "status", "invalidValues", ("open", 3), warn=True),
        AddProperty("Orders", "town", "TEXT", "Where it goes.", "internal"),
    )
    assert faults(schema, after.encode()) == faults(schema, CONTRACT.encode()) == Counter()


# --- what is proposed -----------------------------------------------------------------------------------------------

ORDERS = table(
    "orders",
    column("id", "INTEGER"),
    column("status", "TEXT", few("open", "paid")),
    column("note", "TEXT"),
    column("email", "TEXT"),
    key=("id",),
)


def change(*tables: Table, **files: str) -> Change:
    contents = {f"{name.replace('__', '/')}.yaml": text.encode() for name, text in files.items()}
    found = understand(warehouse(*tables), [each.key for each in tables], {})
    claims = collect(found, Citations("e-000000000001", {}, {}, {}))
    repository = dbt_reading.read_repository(contents)
    return changes.work_out(
        found, claims, repository, house.habits(repository, contents), contents, source="shop", default_schema="main"
    )


def test_a_contract_alone_takes_what_is_known_and_no_dbt_file_is_made():
    made = change(ORDERS, contracts__orders=CONTRACT)
    (path,) = made.files
    assert path == "contracts/orders.yaml"
    (entry,) = yaml.safe_load(made.files[path])["schema"]
    columns = {each["name"]: each for each in entry["properties"]}
    assert list(columns) == ["Key", "status", "note", "email"]
    assert columns["email"]["classification"] == "restricted"
    assert columns["note"]["classification"] == "restricted"
    assert columns["Key"]["quality"] == [
        {"metric": "nullValues", "mustBe": 0},
        {"metric": "duplicateValues", "mustBe": 0},
    ]
    assert {finding.kind for finding in made.used} >= {"sensitivity", "primary_key"}
    assert made.documented == ("orders",)
    again = change(ORDERS, contracts__orders=made.files[path])
    assert again.files == {}


def test_two_contracts_of_one_table_are_left_to_a_person():
    made = change(ORDERS, a=CONTRACT, b=CONTRACT)
    assert not made.files or list(made.files) == ["models/shop/_shop__sources.yml"]
    assert ("orders", "More than one data contract describes it.") in made.left


def test_one_entry_that_two_tables_answer_to_is_left_to_a_person():
    text = CONTRACT.replace("    schema: main\n", "")
    one, two = (replace(ORDERS, key=f"{schema}.orders", schema=schema) for schema in ("a", "b"))
    made = change(one, two, a=text)
    assert [key for key, reason in made.left if "contract" in reason] == ["a.orders", "b.orders"]
    assert "a.yaml" not in made.files


def test_a_contract_that_cannot_be_read_or_edited_changes_nothing():
    made = change(ORDERS, a=CONTRACT + "bad: [")
    assert "a.yaml" not in made.files
    assert made.problems[0].startswith("a.yaml: the contract was left out. The YAML does not parse")
    assert "a.yaml" not in change(ORDERS, a=CONTRACT.replace("v3.1.0", "v2.2.2")).files


def test_in_a_dbt_project_both_are_told():
    contents = {"dbt_project.yml": b"name: shop\n", "contracts/a.yaml": CONTRACT.encode()}
    found = understand(warehouse(ORDERS), ["orders"], {})
    claims = collect(found, Citations("e-000000000001", {}, {}, {}))
    repository = dbt_reading.read_repository(contents)
    made = changes.work_out(
        found, claims, repository, house.habits(repository, contents), contents, source="shop", default_schema="main"
    )
    assert sorted(made.files) == ["contracts/a.yaml", "models/staging/shop/_shop__sources.yml"]


def test_a_proposal_for_a_contract_passes_the_reviewer(workshop: Workshop):
    warehouse = workshop.database(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, note TEXT, email TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO orders "
        "SELECT i, iif(i % 2, 'open', 'paid'), 'x' || i, 'p' || i || '@example.org' FROM n",
    )
    workshop.commit(contracts__orders_DOT_yaml=CONTRACT)
    job = workshop.job(warehouse)
    job.scan()
    body = job.propose()
    assert body is not None
    text = files_of(body)["contracts/orders.yaml"]
    assert "classification: restricted" in text[text.index("- name: email") :]
    assert "validValues: [open, paid]" in text
    assert job.review(body).problems == ()
    for old, new in (
        ("host: db.example", "host: evil.example"),
        ("value: 4", "value: 400"),
        ("tags: [ 'key' ]", "tags: [ 'key', 'public' ]"),
        ("      - name: note\n", "      - name: invented\n      - name: note\n"),
        ("classification: restricted\n\nsla", "classification: public\n\nsla"),
        ("validValues: [open, paid]", "validValues: [open, paid, gone]"),
        ("metric: duplicateValues", "metric: invalidValues"),
        ("mustBe: 0", "mustBe: 1"),
        ("classification: restricted", "classification: public"),
        ("kind: DataContract", "kind: Other"),
    ):
        assert old in text
        (file,) = [each for each in body["args"]["files"] if each["path"].endswith("orders.yaml")]
        file["content"] = text.replace(old, new, 1)
        assert job.review(body).problems, new
    assert "email" in contracts.read(text.encode())[0].columns()


# --- what is checked ------------------------------------------------------------------------------------------------


def test_a_contract_is_checked_like_a_property_file():
    marked = CONTRACT.replace(
        "      - name: note\n",
        "      - name: mail\n        physicalName: email\n        classification: restricted\n      - name: note\n",
    )
    files = {"contracts/a.yaml": marked.encode()}
    found = understand(warehouse(ORDERS), ["orders"], {})
    done = compare(found, dbt_reading.read_repository(files), files)
    assert (done.problems, done.notes) == ((), ())
    broken = CONTRACT.replace("- name: status", "- name: gone").replace("logicalType: integer", "physicalType: text")
    files = {"contracts/a.yaml": broken.encode()}
    done = compare(found, dbt_reading.read_repository(files), files)
    assert [(item.path, item.line, item.code) for item in done.problems] == [
        ("contracts/a.yaml", 17, "untagged_pii"),
        ("contracts/a.yaml", 21, "type_changed"),
        ("contracts/a.yaml", 25, "column_removed"),
    ]
    files["c.yaml"] = b"kind: DataContract\nx: ["
    (note,) = compare(found, dbt_reading.read_repository(files), files).notes
    assert (note.path, note.code) == ("c.yaml", "unreadable_file")
    files["c.yaml"] = b""
    files["b.yaml"] = broken.encode()
    (note,) = compare(found, dbt_reading.read_repository(files), files).notes
    assert (note.code, note.message) == ("not_mapped", "orders: More than one data contract describes it.")
