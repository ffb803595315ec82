"""Cells that other cells speak against: dependencies, sources that disagree, spilled values, dates, numbers, repeats."""

import random
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from support.inspected_rows import NOW_US, codes, grid, problems, rows_of

from twokey.tools.read.warehouse.inspection import times

PLACES = [("Arda", "AA"), ("Benn", "BB"), ("Coll", "AA"), ("Dorn", "CC"), ("Emsk", "BB"), ("Fell", "DD")]


def places(rows: int = 180) -> dict[str, list[Any]]:
    chosen = [PLACES[number % 6] for number in range(rows)]
    return {"town": [town for town, _ in chosen], "land": [land for _, land in chosen]}


def test_a_cell_that_contradicts_the_others_of_its_group() -> None:
    table = places()
    table["land"][7] = "DD"
    (problem,) = problems(table)
    assert (problem.code, problem.columns, problem.by, rows_of(problem)) == ("dependency", (1,), (0,), [7])


def test_an_exception_that_repeats_is_one() -> None:
    table = places()
    for row in range(0, 60, 6):
        table["land"][row] = "ZZ"
    assert codes(table) == []


def test_a_column_that_is_told_by_chance_is_not_told() -> None:
    table = {"a": [str(number % 6) for number in range(180)], "b": [str(number * 7919 % 13) for number in range(180)]}
    assert codes(table) == []
    assert codes(places(30)) == []


def test_a_thing_of_the_same_name_is_another_thing() -> None:
    """Two towns of one name: everything that the name tells differs, so nothing of it is wrong."""
    table = places()
    table["code"] = [f"{ord(town[0])}00" for town in table["town"]]
    table["river"] = [town[::-1] for town in table["town"]]
    for column, value in (("land", "BB"), ("code", "900"), ("river", "Ild")):
        table[column][6] = value
    told = [problem for problem in problems(table) if 6 in rows_of(problem) and problem.by == (0,)]
    assert told == []


def test_exceptions_that_follow_a_third_column_are_none() -> None:
    table = places(240)
    table["year"] = ["2024"] * 222 + ["2025"] * 18
    table["land"] = [f"{land}-{year}" for land, year in zip(table["land"], table["year"], strict=True)]
    assert codes(table) == []


def test_of_two_cells_that_contradict_each_other_the_worse_column_is_blamed() -> None:
    table = {
        "sensor": [f"s{number % 20:02}" for number in range(400)],
        "place": [f"p{number % 20:02}x" for number in range(400)],
    }
    for row in (3, 50, 120, 333):
        table["place"][row] = table["place"][row + 1]
    table["model"] = [f"m{number % 20 % 7}" for number in range(400)]
    assert {problem.columns for problem in problems(table)} == {(1,)}


def test_two_columns_together_tell_a_third() -> None:
    """A fee that follows from land and tariff, and from neither of them alone."""
    chance = random.Random(5)  # noqa: S311 - a test that repeats itself, no secret
    rows = [(chance.randrange(8), chance.randrange(3)) for _ in range(900)]
    table = {
        "land": [f"L{land}" for land, _ in rows],
        "tariff": [f"t{tariff}" for _, tariff in rows],
        "fee": [str(10 + land * 3 % 7 + 20 * tariff) for land, tariff in rows],
    }
    assert codes(table) == []
    table["fee"][11], table["fee"][500] = table["fee"][500] + "1", "7"
    (problem,) = problems(table)
    assert (problem.code, problem.columns, set(problem.by)) == ("dependency", (2,), {0, 1})
    assert rows_of(problem) == [11, 500]
    assert rows_of(problems({**table, "land": [None, *table["land"][1:]]})[0]) == [11, 500]


def test_a_blank_where_the_others_of_its_group_agree() -> None:
    table = places()
    table["land"][7] = table["land"][100] = None
    (problem,) = problems(table)
    assert (problem.code, problem.detail, problem.columns) == ("dependency", "missing", (1,))
    assert rows_of(problem) == [7, 100]


def test_a_column_that_is_often_blank_may_be() -> None:
    table = places()
    table["land"] = [land if row % 5 else None for row, land in enumerate(table["land"])]
    assert codes(table) == []


# --- sources -------------------------------------------------------------------------------------------------------


def reported(rows: int = 8) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {"site": [], "trip": [], "start": [], "gate": []}
    for trip in range(30):
        for site in range(rows):
            table["site"].append(f"site{site}")
            table["trip"].append(f"T{trip}")
            table["start"].append(f"{trip % 12 + 1}:{trip:02}")
            table["gate"].append(f"G{trip * 7 % 31}")
    return table


def test_sources_that_disagree() -> None:
    table = reported()
    for row in range(0, 240, 3):
        table["start"][row] = f"{row % 11 + 1}:{row % 50:02}"
    table["gate"][5] = None
    found = {problem.columns: problem for problem in problems(table)}
    assert found[2,].code == "disagreement"
    assert set(rows_of(found[2,])) <= set(range(0, 240, 3))
    assert len(found[2,].cells) >= 70
    assert rows_of(found[3,]) == [5]


def test_without_a_plurality_nothing_is_said() -> None:
    table = reported()
    table["start"] = [f"{row % 12 + 1}:{row % 60:02}" for row in range(240)]
    table["gate"] = [f"G{row * 7 % 100}" for row in range(240)]
    assert codes(table) == []


def test_a_row_that_was_filed_under_another_thing() -> None:
    """Everything that it says is said of another trip: the trip is wrong, and what is said of it is right."""
    table = reported()
    table["end"] = [f"{(int(trip[1:]) + 3) % 12 + 1}:{int(trip[1:]):02}" for trip in table["trip"]]
    table["trip"][9], table["site"][9] = "T20", "site8"
    (problem,) = problems(table)
    assert (problem.code, problem.columns, rows_of(problem)) == ("disagreement", (1,), [9])


def test_rules_hold_once_what_was_misplaced_is_left_aside() -> None:
    """Three in a hundred cells of every column hold a value of elsewhere: each is found in its own column."""
    chance = random.Random(9)  # noqa: S311 - a test that repeats itself, no secret
    table: dict[str, list[Any]] = {
        name: [f"{name}{row % 25}" for row in range(900)] for name in ("unit", "site", "post")
    }
    wrong = {name: chance.sample(range(900), 27) for name in table}
    for name, rows in wrong.items():
        for row in rows:
            table[name][row] = f"{name}{(row + chance.randrange(1, 25)) % 25}"
    found = {(row, column) for problem in problems(table) for row, column in problem.cells}
    right = {(row, column) for column, name in enumerate(table) for row in wrong[name]}
    assert len(found & right) >= 0.9 * len(right)
    assert len(found - right) <= 0.1 * len(right)


# --- spilled values ------------------------------------------------------------------------------------------------


def test_a_value_that_ran_into_its_neighbour() -> None:
    table = places()
    for row in (4, 40, 99):
        table["town"][row] += " " + table["land"][row]
        table["land"][row] = None
    (problem,) = problems(table)
    assert (problem.code, rows_of(problem), len(problem.cells)) == ("spilled_value", [4, 40, 99], 6)


def test_an_ending_that_is_usual_is_no_spilled_value() -> None:
    table = places()
    table["town"] = [f"{town} {land}" for town, land in zip(table["town"], table["land"], strict=True)]
    for row in (4, 40, 99):
        table["land"][row] = None
    assert "spilled_value" not in codes(table)


# --- numbers -------------------------------------------------------------------------------------------------------


def spread(rows: int = 200, digits: int = 1) -> list[str]:
    return [f"{20 + number * 37 % 101 / 10:.{digits}f}" for number in range(rows)]


def test_a_number_far_from_all_others() -> None:
    (problem,) = problems({"level": [*spread(), "9731.4"]})
    assert (problem.code, rows_of(problem)) == ("outlier", [200])


def test_numbers_of_another_scale_are_a_unit() -> None:
    (problem,) = problems({"level": [*spread(400), "22100", "25200", "24000"]})
    assert (problem.code, problem.detail) == ("unit_mismatch", "scale")
    assert [item.factor for item in problem.conversions] == ["0.001"]


def test_a_long_tail_has_no_outliers() -> None:
    assert codes({"pay": [f"{1.05**number:.2f}" for number in range(300)]}) == []
    assert codes({"pay": [*["0"] * 200, *[f"{1.05**number:.2f}" for number in range(200)]]}) == []
    assert codes({"row_id": [*map(str, range(200)), "999999999"]}, typed=["row_id"]) == []
    assert codes({"grade": [*["1", "2", "3"] * 80, "90000"]}) == []


def test_a_placeholder_repeats_beyond_everything() -> None:
    (problem,) = problems({"level": [*spread(), *["-999"] * 4]})
    assert (problem.code, rows_of(problem)) == ("placeholder", [200, 201, 202, 203])
    assert codes({"level": [*spread(), *["-1"] * 30]}, typed=["level"]) == ["placeholder"]
    assert "placeholder" not in codes({"level": [*map(str, range(-20, 180)), "-9", "-9", "-9"]})
    assert "placeholder" not in codes({"level": [*["1"] * 60, *["999"] * 5]})


@pytest.mark.parametrize(
    ("name", "value"), [("share_pct", "120"), ("lat", "97.5"), ("age", "-3"), ("monthOfYear", "13"), ("weight", "-2.5")]
)
def test_a_number_outside_what_its_name_allows(name: str, value: str) -> None:
    (problem,) = problems({name: [*[str(number % 11 + 1) for number in range(100)], value]})
    assert (problem.code, rows_of(problem)) == ("impossible_range", [100])


def test_a_name_that_lies_is_not_believed() -> None:
    assert "impossible_range" not in codes({"share_pct": [str(number * 3) for number in range(100)]})


# --- dates ---------------------------------------------------------------------------------------------------------


def days(rows: int = 120, year: int = 2025) -> list[Any]:
    return [f"{year}-{number % 12 + 1:02}-{number % 28 + 1:02}" for number in range(rows)]


@pytest.mark.parametrize("day", ["2025-02-30", "2025-13-01", "0025-02-03", "2999-01-01", "1900-01-01"])
def test_a_day_that_cannot_be(day: str) -> None:
    (problem,) = problems({"born": [*days(), day]})
    assert (problem.code, rows_of(problem)) == ("impossible_dates", [120])


def test_days_with_slashes_are_read_in_the_order_that_fits() -> None:
    first = [f"{number % 28 + 1}/{number % 12 + 1}/2025" for number in range(120)]
    second = [f"{number % 12 + 1}/{number % 28 + 1}/2025" for number in range(120)]
    assert codes({"born": first}) == codes({"born": second}) == []
    (problem,) = problems({"born": [*first, "31/4/2025"]})
    assert problem.code == "impossible_dates"


def test_the_order_of_two_dates() -> None:
    start, end = days(), days(year=2026)
    end[5] = "2024-01-01"
    (problem,) = problems({"start": start, "end": end})
    assert (problem.code, problem.columns, rows_of(problem)) == ("wrong_order", (0, 1), [5])
    start, end = days(year=2026), days()
    end[7] = "2027-01-01"
    (problem,) = problems({"end": start, "start": end})
    assert (problem.code, rows_of(problem)) == ("wrong_order", [7])


def test_dates_are_dates_only_where_nearly_all_are() -> None:
    assert codes({"born": [*days(), *["1-2-3"] * 40]}) == []
    assert "impossible_dates" not in codes({"born": ["2025-02-30"] * 60})


def test_a_table_that_is_loaded_no_more() -> None:
    old = [f"2025-{number % 6 + 1:02}-{number % 28 + 1:02} 10:00:00" for number in range(120)]
    (problem,) = problems({"updated_at": old})
    assert (problem.code, problem.claims, problem.newest) == ("stale", False, date(2025, 6, 28))
    fresh = [f"2026-01-{number % 28 + 1:02}" for number in range(120)]
    assert codes({"updated_at": fresh}) == []
    assert codes({"created_at": old, "shipped_at": fresh}) == ["stale"]
    assert codes({"birthday": old}) == []


def test_the_clock_is_the_callers() -> None:
    old = grid({"updated_at": [f"2026-01-{number % 28 + 1:02}" for number in range(120)]})
    assert list(times.find(old, NOW_US)) == []
    assert [problem.code for problem in times.find(old, NOW_US + 90 * 86_400_000_000)] == ["stale"]


DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        ({"updated_at": [f"2026-01-{number % 28 + 1:02}" for number in range(120)]}, "2026-02-28"),
        ({"created_at": [f"2026-02-{number % 28 + 1:02}" for number in range(120)]}, "2026-02-02"),
        ({"born": [*days(), "2029-03-04"]}, "2027-03-03"),
        ({"due": [f"2026-03-{number % 28 + 1:02}" for number in range(120)]}, "2026-03-27"),
        ({"born": days()}, None),
        ({"updated_at": [f"{year:04}-01-01" for year in (1, 2, 3, 4, *range(5, 2026, 404))] * 3}, None),
    ],
)
def test_what_is_found_holds_until_the_day_that_is_told(columns: dict[str, list[str]], first: str | None) -> None:
    """On each day before it the same is found; after it something else may be."""
    table = grid(columns)
    until = times.until(table, NOW_US)
    assert until == (None if first is None else date.fromisoformat(first))
    days_left = 1_500 if until is None else (until - date(2026, 2, 1)).days
    now = list(times.find(table, NOW_US))
    assert all(list(times.find(table, NOW_US + day * DAY_US)) == now for day in range(days_left))


def test_what_changes_with_the_day_changes_when_that_was_told() -> None:
    table = grid(
        {
            "updated_at": [f"2026-01-{number % 28 + 1:02}" for number in range(120)],
            "born": [*days()[1:], "2029-03-04"],
        }
    )
    now, seen = NOW_US, [set(times.find(table, NOW_US))]
    while (until := times.until(table, now)) is not None:
        now = int(datetime(until.year, until.month, until.day, tzinfo=UTC).timestamp()) * 1_000_000
        seen.append(set(times.find(table, now)))
    grown, reached = [{problem.code for problem in now ^ before} for before, now in pairwise(seen)]
    assert (grown, reached) == ({"stale"}, {"impossible_dates", "wrong_order"})


# --- repeats -------------------------------------------------------------------------------------------------------


def test_rows_that_say_the_same() -> None:
    table: dict[str, list[Any]] = {
        "id": [str(number) for number in range(104)],
        "a": [f"a{number}" for number in range(104)],
        "b": [f"b{number * 7 % 50}" for number in range(104)],
        "c": [f"c{number * 3 % 40}" for number in range(104)],
        "d": [f"d{number % 9}" for number in range(104)],
    }
    for name in "abcd":
        table[name][100:] = table[name][:4]
    (problem,) = problems(table)
    assert (problem.code, problem.rows, problem.claims, problem.confidence) == ("duplicate_rows", 4, False, 75)
    del table["id"]
    assert [(each.code, each.confidence) for each in problems(table)] == [("duplicate_rows", 95)]


def test_rows_of_a_few_columns_may_repeat() -> None:
    assert codes({"a": ["x", "y"] * 50, "b": ["1", "2"] * 50}) == []
    assert codes({name: ["x", "y", "z", "x"] * 25 for name in "abcde"}) == []
