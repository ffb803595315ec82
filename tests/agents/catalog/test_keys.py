"""What identifies a row."""

import pytest
from support.warehouse_facts import column, integers, profile, table

from twokey.agents.catalog import keys
from twokey.agents.catalog.facts import Column, Key, Profile

UNIQUE = integers()
TEXTS = profile(unique=True)


def test_a_declared_key_is_the_key():
    found = keys.primary_key(table("orders", "a", "b", key=("a", "b")))
    assert found == Key(("a", "b"), declared=True, confidence=99)


@pytest.mark.parametrize("name", ["id", "order_id", "OrderID", "order_no", "OrderKey", "order_uuid"])
def test_a_unique_column_that_is_named_like_the_key_is_the_key(name: str):
    found = keys.primary_key(table("orders", column(name, "INTEGER", UNIQUE), column("n", "INTEGER", UNIQUE)))
    assert found is not None
    assert found.columns == (name,)
    assert not found.declared


@pytest.mark.parametrize(
    "found",
    [
        column("email", "TEXT", TEXTS),
        column("created_at", "TIMESTAMP", TEXTS),
        column("amount_no", "REAL", integers(200, integers=0, decimals=200)),
        column("order_id", "INTEGER", integers(nulls=1)),
        column("order_id", "INTEGER", integers(unique=False, distinct=199)),
        column("order_id", "INTEGER", integers(complete=False)),
        column("order_id", "TEXT", profile(unique=True, longest=400)),
        column("order_id", "INTEGER"),
    ],
    ids=lambda found: f"{found.name}-{found.declared_type}",
)
def test_no_key_is_called_where_name_or_values_do_not_say_so(found: Column):
    assert keys.primary_key(table("orders", found)) is None


def test_the_own_name_beats_the_name_of_a_neighbour():
    customers = table("customers", column("customer_id", "INTEGER", UNIQUE))
    both = table("orders", column("customer_id", "INTEGER", UNIQUE), column("order_id", "INTEGER", UNIQUE))
    assert keys.primary_key(both, [customers, both]) == Key(("order_id",), declared=False, confidence=87)
    only = table("scores", column("customer_id", "INTEGER", UNIQUE))
    found = keys.primary_key(only, [customers, only])
    assert found is not None
    assert found.confidence < 70


def test_few_rows_make_a_key_less_sure():
    few = keys.primary_key(table("orders", column("id", "INTEGER", integers(4))))
    many = keys.primary_key(table("orders", column("id", "INTEGER", integers(400))))
    assert few is not None
    assert many is not None
    assert few.confidence < many.confidence


def test_what_others_may_refer_to():
    found = table(
        "countries",
        column("id", "INTEGER", UNIQUE),
        column("code", "TEXT", TEXTS),
        column("country", "TEXT", TEXTS),
        column("motto", "TEXT", TEXTS),
        unique_sets=(("iso_no",),),
    )
    assert keys.referable(found, keys.primary_key(found)) == ("id", "code", "country")


def test_combinations_are_tried_where_something_refers():
    filled = Profile(rows=200, distinct=20, texts=200)
    found = table(
        "events",
        column("day", "DATE", filled),
        column("customer_id", "INTEGER", filled),
        column("note", "TEXT", filled),
        column("gap_id", "INTEGER", Profile(rows=200, nulls=1, distinct=9)),
    )
    assert keys.combinations_to_try(found, ["customer_id"]) == (("day", "customer_id"),)
    assert keys.combinations_to_try(found, []) == ()
    many = table("wide", *(column(f"a{n}_id", "INTEGER", filled) for n in range(9)))
    assert keys.combinations_to_try(many, ["a1_id"]) == ()


def test_what_only_a_sample_shows_is_counted_before_it_is_called_the_key():
    sampled = table("orders", column("order_id", "INTEGER", integers(complete=False)), "note")
    assert keys.primary_key(sampled) is None
    assert keys.likely_key(sampled) == Key(("order_id",), declared=False, confidence=95)
    twice = integers(complete=False, unique=False)
    assert keys.likely_key(table("orders", column("order_id", "INTEGER", twice))) is None
    assert keys.likely_key(table("orders", column("order_id", "INTEGER", UNIQUE))) is None
    assert keys.likely_key(table("orders", column("order_id", "INTEGER"), key=("order_id",))) is None


def test_a_table_without_rows_has_the_key_its_names_speak_for():
    empty = integers(0, unique=False, lowest=None, highest=None)
    found = keys.likely_key(table("orders", column("id", "INTEGER", empty), column("customer_id", "INTEGER", empty)))
    assert found is not None
    assert found.columns == ("id",)
    assert keys.primary_key(table("orders", column("id", "INTEGER", empty))) is None
    assert keys.likely_key(table("orders", column("id", "INTEGER"))) is None  # nobody looked
