"""What declared types mean and what is written as data_type."""

import pytest
from support.warehouse_facts import column, integers, profile

from twokey.agents.catalog import types
from twokey.agents.catalog.facts import Family


@pytest.mark.parametrize(
    ("declared", "family"),
    [
        ("INTEGER", "integer"),
        ("bigint unsigned", "integer"),
        ("int8", "integer"),
        ("interval", "other"),
        ("tinyint(1)", "boolean"),
        ("NUMBER(10)", "integer"),
        ("NUMBER(10,2)", "decimal"),
        ("numeric(10, 2)", "decimal"),
        ("double precision", "decimal"),
        ("character varying(40)", "text"),
        ("NVARCHAR(160)", "text"),
        ("timestamp with time zone", "timestamp"),
        ("DATETIME", "timestamp"),
        ("date", "date"),
        ("time without time zone", "time"),
        ("uuid", "uuid"),
        ("jsonb", "json"),
        ("STRUCT(a INTEGER)", "json"),
        ("bytea", "binary"),
        ("", "other"),
        ("geometry", "other"),
    ],
)
def test_families_of_declared_types(declared: str, family: Family):
    assert types.family(declared) == family


def test_dates_that_are_kept_in_text_count_as_dates():
    kept = column("paid_on", "TEXT", profile(patterns={"date": 195}))
    assert types.meaning(kept) == "date"
    assert types.data_type(kept) == "TEXT"


def test_the_spelling_of_the_warehouse_is_kept():
    assert types.data_type(column("a", "numeric(10,  2)")) == "numeric(10, 2)"


@pytest.mark.parametrize("declared", ["x" * 300, "text\x00", "{{ env_var('A') }}", "int; drop table a"])
def test_a_type_that_is_no_type_is_not_written(declared: str):
    assert types.data_type(column("a", declared)) is None


def test_without_a_declared_type_the_values_decide_or_nobody():
    assert types.data_type(column("a", "", integers())) == "INTEGER"
    assert types.data_type(column("a", "", integers(200, integers=150, decimals=50))) == "REAL"
    assert types.data_type(column("a", "", profile())) == "TEXT"
    assert types.data_type(column("a", "", profile(texts=100, integers=100))) is None
    assert types.data_type(column("a", "", None)) is None
    assert types.seen(profile(texts=0, booleans=200)) == "boolean"
