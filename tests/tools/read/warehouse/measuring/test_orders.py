"""Dates that are never later than others of their row."""

import pytest
from support.measured_rows import measures

from twokey.tools.read.warehouse import Order


def rows(count: int, later: int = 5) -> dict[str, list[str | None]]:
    first: list[str | None] = [f"2026-01-{1 + n % 20:02}" for n in range(count)]
    second: list[str | None] = [f"2026-01-{1 + n % 20 + later:02}" for n in range(count)]
    return {"started_on": first, "ended_on": second}


def test_an_order_that_all_rows_keep():
    assert measures(rows(150)).orders == (Order(column="started_on", later="ended_on", rows=150),)


def test_one_row_that_says_otherwise_and_one_day_that_is_none_end_it():
    broken = rows(150)
    broken["ended_on"][7] = "2025-12-31"
    assert measures(broken).orders == ()
    odd = rows(150)
    odd["ended_on"][7] = "2026-02-30"
    assert measures(odd).orders == ()


def test_missing_dates_are_passed_over():
    holed = rows(150)
    holed["ended_on"][:20] = [None] * 20
    (found,) = measures(holed).orders
    assert found.rows == 130


@pytest.mark.parametrize("names", [("seen_on", "noted_on"), ("ended_on", "closed_on"), ("started_on", "noted_on")])
def test_names_that_say_nothing_make_no_rule(names: tuple[str, str]):
    first, second = rows(150).values()
    assert measures({names[0]: first, names[1]: second}).orders == ()


def test_few_rows_make_no_rule():
    assert measures(rows(60)).orders == ()
