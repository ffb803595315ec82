"""Checks that a table is worth: with a reason why they hold tomorrow, and none where there is no such reason."""

from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot
from support.warehouse_facts import column, few, integers, profile, refers, table, warehouse

from twokey.agents.catalog import worth
from twokey.agents.catalog.facts import Column, Table
from twokey.agents.catalog.understanding import Understanding, understand
from twokey.agents.catalog.worth import Check
from twokey.tools.read.warehouse import Arrivals, Inspected, Measured, Order, Problem, TableName, UnitConversion


def understood(*tables: Table, **measured: Any) -> Understanding:
    known = warehouse(*tables)
    found = Inspected(table=TableName(name=tables[0].name), measured=Measured(**measured))
    made = understand(known, [each.key for each in tables], {})
    return replace(made, inspections={tables[0].key: found})


def checks(owner: Table, **measured: Any) -> dict[tuple[str | None, str], Check]:
    found = worth.checks(understood(owner, **measured), owner)
    return {(check.column, check.kind): check for check in found}


def of(*columns: Column, **measured: Any) -> dict[tuple[str | None, str], Check]:
    return checks(table("orders", *columns), **measured)


def dates(rows: int = 300, **changes: Any) -> Any:
    return profile(rows, patterns={"date": rows}, distinct=90, lowest="2026-01-01", highest="2026-03-31", **changes)


def amounts(rows: int = 300, low: str = "1", high: str = "900", **changes: Any) -> Any:
    return integers(rows, unique=False, distinct=90, lowest=low, highest=high, **changes)


# -- never missing --------------------------------------------------------------------------------------------------


def test_what_says_when_something_happened_is_never_missing():
    found = of(column("created_at", "TIMESTAMP", dates()))
    assert found["created_at", "never_null"].claim == snapshot(
        "orders.created_at is never missing: it says when something happened, and none of 300 rows lacks it."
    )


def test_a_reference_is_never_missing():
    parent = table("customers", column("customer_id", "INTEGER", integers()), key=("customer_id",))
    child = table(
        "orders",
        column("order_id", "INTEGER", integers()),
        column("customer_id", "INTEGER", amounts()),
        key=("order_id",),
        foreign_keys=(refers("customer_id", "customers", "customer_id"),),
    )
    found = {check.column: check for check in worth.checks(understood(child, parent), child)}
    assert found["customer_id"].claim == snapshot(
        "orders.customer_id is never missing: each row belongs to one of customers, and none of 300 rows lacks it."
    )


def test_what_is_counted_is_nought_and_not_missing():
    found = of(column("logins", "INTEGER", amounts()), column("upload_bytes", "INTEGER", amounts()))
    assert {name for name, kind in found if kind == "never_null"} == {"logins", "upload_bytes"}
    declared = of(column("logins", "INTEGER", amounts(), nullable=False))
    assert "the table declares it" in declared["logins", "never_null"].claim


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ended_on", dates()),
        ("paid_at", dates()),
        ("created_at", dates(nulls=1)),
        ("created_at", dates(rows=60)),
        ("created_at", dates(complete=False)),
        ("created_at", dates(blanks=1)),
        ("notes", profile()),
        ("amount", amounts()),
        ("factor", amounts()),
    ],
)
def test_that_nothing_is_missing_so_far_is_no_reason(name: str, shown: Any):
    declared = "INTEGER" if shown.integers else "TEXT"
    assert not {kind for _, kind in of(column(name, declared, shown))} & {"never_null"}


def test_a_list_of_values_is_filled_where_all_of_it_is_right():
    assert ("status", "never_null") in of(column("status", profile=few("open", "paid", "void")))
    slips = few("open", "paid", rows=400, frequent=(("open", 250), ("paid", 147), ("openn", 3)), distinct=3)
    assert ("status", "never_null") not in of(column("status", profile=slips))


# -- unique, ranges, units ------------------------------------------------------------------------------------------


def test_a_second_key_is_unique():
    owner = table(
        "orders",
        column("order_id", "INTEGER", integers()),
        column("order_number", "TEXT", profile(unique=True)),
        column("slug", "TEXT", profile(unique=True)),
        column("title", "TEXT", profile(unique=True)),
        key=("order_id",),
        unique_sets=(("slug",),),
    )
    found = checks(owner)
    unique = {name for name, kind in found if kind == "unique_values"}
    assert "slug" in unique
    assert not unique & {"order_id", "title"}
    assert "declared" in found["slug", "unique_values"].claim


@pytest.mark.parametrize(
    ("name", "low", "high", "bounds"),
    [
        ("churn_score", "0.01", "0.99", (0, 1)),
        ("probability", "0", "1", (0, 1)),
        ("churn_score", "0", "7.5", None),
        ("logins", "0", "30", (0, None)),
        ("duration_ms", "0.5", "90", (0, None)),
        ("count_change", "0", "30", None),
        ("logins", "-1", "30", None),
        ("amount_cents", "1", "30", None),
        ("temperature_celsius", "1", "30", None),
        ("level", "1", "30", None),
        ("logins", "?", "30", None),
    ],
)
def test_a_range_is_told_by_what_a_name_means(name: str, low: str, high: str, bounds: Any):
    shown = profile(300, texts=0, decimals=300, distinct=200, lowest=low, highest=high)
    owner = table("orders", column(name, "REAL", shown))
    (about,) = understood(owner).of(owner)
    assert worth.bounds_of(about) == bounds
    assert ((name, "range") in checks(owner)) == (bounds is not None)


def test_few_rows_and_withheld_numbers_have_no_range():
    small = profile(60, texts=0, decimals=60, distinct=50, lowest="0", highest="9")
    hidden = profile(300, texts=0, decimals=300, distinct=200)
    sampled = profile(300, texts=0, decimals=300, distinct=200, lowest="0", highest="9", complete=False)
    for shown in (small, hidden, sampled):
        assert ("logins", "range") not in of(column("logins", "REAL", shown))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("upload_bytes", "byte"),
        ("upload_mb_30d", "megabyte"),
        ("weight_kg", "kilogram"),
        ("amount_cents", "cent"),
        ("price_usd", "USD"),
        ("temp_celsius", "degree_Celsius"),
        ("about_us", None),
        ("seats", None),
        ("paid_days", None),
        ("days_or_hours", None),
    ],
)
def test_a_unit_is_told_by_the_name_of_numbers(name: str, unit: str | None):
    owner = table("orders", column(name, "REAL", amounts()))
    (about,) = understood(owner).of(owner)
    assert worth.unit_of(about, None) == unit


def test_texts_have_the_unit_that_all_of_them_carry():
    owner = table("orders", column("weight", "TEXT", profile()))
    (about,) = understood(owner).of(owner)

    def inspected(detail: str, given: str, wanted: str) -> Inspected:
        conversion = UnitConversion(given=given, wanted=wanted, factor="1", cells=9)
        problem = Problem(
            code="unit_mismatch", columns=("weight",), cells=9, confidence=90, detail=detail, conversions=(conversion,)
        )
        return Inspected(table=TableName(name="orders"), problems=(problem,))

    assert worth.unit_of(about, inspected("spellings", "gram", "gram")) == "gram"
    assert worth.unit_of(about, inspected("units", "gram", "kilogram")) is None
    assert worth.unit_of(about, inspected("spellings", "gram", "kilogram")) is None
    made = replace(understood(owner), inspections={"orders": inspected("spellings", "gram", "gram")})
    (check,) = [each for each in worth.checks(made, owner) if each.kind == "unit"]
    assert check.cells
    assert check.claim == snapshot("The unit of orders.weight is gram: all values carry it.")


def test_every_unit_is_one_that_pint_or_iso_4217_knows():
    import pint

    registry = pint.UnitRegistry()
    for unit in worth.UNIT_NAMES.values():
        assert unit in {"USD", "EUR", "GBP", "cent", "percent"} or registry.parse_units(unit)


# -- dates ----------------------------------------------------------------------------------------------------------

ARRIVALS = Arrivals(
    column="loaded_at",
    unit="day",
    times=90,
    gap_middle=1,
    gap_long=1,
    gap_longest=2,
    age=1,
    warn_after=4,
    error_after=7,
)
LOADED = column("loaded_at", "TIMESTAMP", dates())


def test_an_order_of_dates():
    order = Order(column="started_on", later="ended_on", rows=233)
    found = of(column("started_on", "DATE", dates()), column("ended_on", "DATE", dates()), orders=(order,))
    assert found["started_on", "date_order"].claim == snapshot(
        "orders.started_on is never later than ended_on: so it is in all 233 rows that hold both."
    )
    assert not of(column("a"), orders=(Order(column="*" * 9, later="ended_on", rows=233),))


def test_freshness_where_rows_arrive_regularly():
    assert of(LOADED, arrivals=(ARRIVALS,))[None, "freshness"].claim == snapshot(
        "Rows of orders arrive regularly by orders.loaded_at: of the gaps between 90 days with rows the longest is 2 days. It is late after 4 days without a row, and something is wrong after 7 days."
    )


@pytest.mark.parametrize(
    "changes", [{"age": 5}, {"gap_longest": 9, "warn_after": 15}, {"column": "gone"}], ids=lambda each: next(iter(each))
)
def test_no_freshness_where_it_would_fail_today_or_rows_come_as_they_please(changes: dict[str, Any]):
    assert (None, "freshness") not in of(LOADED, arrivals=(ARRIVALS.model_copy(update=changes),))


def test_no_freshness_by_a_text():
    assert (None, "freshness") not in of(column("loaded_at", "TEXT", dates()), arrivals=(ARRIVALS,))
