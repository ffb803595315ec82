"""What is written into a repository, and where."""

from dataclasses import replace

import pytest
from support.warehouse_facts import column, few, table, warehouse

from twokey.agents.catalog import changes, dbt_reading, house
from twokey.agents.catalog.changes import key_test
from twokey.agents.catalog.facts import Key, Table
from twokey.agents.catalog.findings import Citations, collect
from twokey.agents.catalog.understanding import understand
from twokey.agents.catalog.written import Change

CITED = Citations("e-000000000001", {}, {}, {})
ORDERS = table("orders", column("id", "INTEGER"), column("status", "TEXT", few("open", "paid")), key=("id",))


def change(*tables: Table, schema: str | None = "main", source: str = "shop", **files: bytes) -> Change:
    """Work a change out; ``__`` in the name of a file is a slash, and every file is YAML unless it says ``_sql``."""
    contents = {
        (name.removesuffix("_sql") + ".sql" if name.endswith("_sql") else name + ".yml").replace("__", "/"): text
        for name, text in files.items()
    }
    found = understand(warehouse(*tables), [each.key for each in tables], {})
    read = dbt_reading.read_repository(contents)
    return changes.work_out(
        found, collect(found, CITED), read, house.habits(read, contents), contents, source=source, default_schema=schema
    )


def test_a_model_without_properties_gets_them_beside_it():
    made = change(ORDERS, dbt_project=b"name: shop\n", models__mart__orders_sql=b"select 1")
    assert list(made.files) == ["models/mart/_mart__models.yml"]
    assert "  - name: orders" in made.files["models/mart/_mart__models.yml"]


def test_a_table_that_two_places_may_mean_is_left_alone():
    twice = b"sources:\n  - name: %s\n    schema: main\n    tables: [{name: orders}]\n"
    made = change(ORDERS, dbt_project=b"name: shop\n", models__a=twice % b"a", models__b=twice % b"b")
    assert made.files == {}
    assert [key for key, _ in made.left] == ["orders"]


def test_a_node_that_two_tables_answer_to_is_documented_for_neither():
    said = b"models:\n  - name: orders\n    columns:\n      - name: id\n"
    dev, prod = (replace(ORDERS, key=f"{schema}.orders", schema=schema) for schema in ("dev", "prod"))
    made = change(dev, prod, schema=None, dbt_project=b"name: shop\n", models__a=said)
    assert made.files == {}
    assert [key for key, _ in made.left] == ["dev.orders", "prod.orders"]


def test_of_the_versions_of_a_model_the_latest_describes_it():
    said = b"models:\n  - name: orders\n    columns:\n      - name: id\n    versions: [{v: 1}, {v: 2}]\n"
    old, new = (replace(ORDERS, key=name, name=name) for name in ("orders_v1", "orders_v2"))
    made = change(
        old,
        new,
        dbt_project=b"name: shop\n",
        models__a=said,
        models__orders_v1_sql=b"select 1",
        models__orders_v2_sql=b"select 1",
    )
    assert made.documented == ("orders_v2",)
    assert made.left == (("orders_v1", "It is another version of a model that is documented once."),)
    assert made.files["models/a.yml"].count("- name: orders") == 1


def test_a_new_source_does_not_take_a_name_that_is_taken():
    other = b"sources:\n  - name: shop\n    schema: elsewhere\n    tables: [{name: x}]\n"
    made = change(ORDERS, dbt_project=b"name: shop\n", models__a=other)
    (text,) = made.files.values()
    assert "- name: shop_tables\n    schema: main" in text


def test_a_source_of_the_same_schema_is_extended():
    known = b"sources:\n  - name: app\n    schema: main\n    tables:\n      - name: customers\n"
    made = change(ORDERS, dbt_project=b"name: shop\n", models__a=known)
    assert made.files["models/a.yml"].startswith(known.decode())
    assert made.new == ("orders",)


def test_without_schemas_the_source_is_called_like_the_folder():
    made = change(ORDERS, schema=None)
    (text,) = made.files.values()
    assert "schema:" not in text


def test_somebodys_judgement_stays():
    said = (
        b"models:\n  - name: orders\n    columns:\n      - name: status\n        tags: [pii]\n"
        b"      - name: ID\n        meta: {classification: c1}\n        data_type: BIGINT\n"
    )
    made = change(ORDERS, dbt_project=b"name: shop\n", models__orders_sql=b"select 1", models__a=said)
    text = made.files["models/a.yml"]
    assert "sensitivity" not in text
    assert "INTEGER" not in text
    assert "tags: [pii]" in text
    assert "name: id" not in text


def test_a_file_that_cannot_be_edited_is_named_and_left():
    merged = b"x: &x\n  columns: []\nmodels:\n  - name: orders\n    <<: *x\n"
    made = change(ORDERS, dbt_project=b"name: shop\n", models__orders_sql=b"select 1", models__a=merged)
    assert {key for key, _ in made.refused} <= {"orders"}
    assert made.refused


@pytest.mark.parametrize(
    ("columns", "dialect", "shown"),
    [
        (("a", "b"), "sqlite", "    a,\n    b,"),
        (("CustomerId", "b"), "postgresql", "    {{ adapter.quote('CustomerId') }},\n    b,"),
        (("customer_id", "b"), "snowflake", "{{ adapter.quote('customer_id') }}"),
        (("order", "b"), "sqlite", "{{ adapter.quote('order') }}"),
    ],
)
def test_a_key_of_several_columns_is_tested_in_sql(columns: tuple[str, ...], dialect: str, shown: str):
    text = key_test(("shop", "lines"), Key(columns, declared=True, confidence=99), dialect)
    assert text is not None
    assert shown in text
    assert "from {{ source('shop', 'lines') }}" in text


@pytest.mark.parametrize(
    ("node", "columns"), [(("shop", "x'y"), ("a", "b")), ("m", ("a", "b; drop table x")), ("m", ("a", "{{ x }}"))]
)
def test_no_name_gets_into_sql_that_is_not_one(node: str | tuple[str, str], columns: tuple[str, ...]):
    assert key_test(node, Key(columns, declared=True, confidence=99), "sqlite") is None


def test_a_large_warehouse_is_done_in_parts():
    tables = [table(f"t{n}", *(column(f"c_{m}", "INTEGER") for m in range(60)), key=("c_0",)) for n in range(20)]
    made = change(*tables)
    assert len(made.documented) + len(made.later) == 20
    assert made.later
    assert sum(text.count("\n") for text in made.files.values()) < 10_000
