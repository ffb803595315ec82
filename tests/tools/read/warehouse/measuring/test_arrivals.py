"""When rows arrive: gaps in days or hours, told of columns that say so."""

from datetime import UTC, datetime, timedelta

import pytest
from support.inspected_rows import NOW_US, grid
from support.measured_rows import measures

from twokey.tools.read.warehouse import Arrivals
from twokey.tools.read.warehouse.measuring.table import late_from, measured

NOW = datetime.fromtimestamp(NOW_US / 1_000_000, tz=UTC)


def days(*ago: int, each: int = 3) -> list[str]:
    return [(NOW - timedelta(days=day)).date().isoformat() for day in sorted(ago, reverse=True) for _ in range(each)]


def test_daily_rows_have_gaps_of_a_day():
    (found,) = measures({"loaded_on": days(*range(1, 31))}).arrivals
    assert found == Arrivals(
        column="loaded_on",
        unit="day",
        times=30,
        gap_middle=1,
        gap_long=1,
        gap_longest=1,
        age=1,
        warn_after=3,
        error_after=4,
    )


def test_weekends_make_the_gaps_longer_and_what_is_late_later():
    workdays = [day for day in range(1, 60) if (NOW - timedelta(days=day)).weekday() < 5]
    (found,) = measures({"created_at": days(*workdays)}).arrivals
    assert (found.gap_middle, found.gap_long, found.gap_longest) == (1, 3, 3)
    assert found.warn_after > 3


def test_hours_are_told_apart_where_rows_arrive_all_day():
    moments = [(NOW - timedelta(hours=2 * n)).strftime("%Y-%m-%d %H:%M:%S") for n in range(1, 60)]
    (found,) = measures({"received_at": moments}).arrivals
    assert (found.unit, found.gap_longest, found.age) == ("hour", 2, 2)
    nightly = [f"{day} 02:15:00" for day in days(*range(1, 40), each=1)]
    (found,) = measures({"received_at": nightly}).arrivals
    assert found.unit == "day"


def test_what_was_recorded_comes_before_what_happened():
    both = {"issued_on": days(*range(1, 31)), "loaded_on": days(*range(1, 31))}
    assert [found.column for found in measures(both).arrivals] == ["loaded_on", "issued_on"]
    once = {"issued_and_loaded_on": days(*range(1, 31))}
    assert len(measures(once).arrivals) == 1


@pytest.mark.parametrize("name", ["birth_date", "due_on", "valid_until", "joined_created"])
def test_other_dates_are_no_arrivals(name: str):
    assert measures({name: days(*range(1, 31))}).arrivals == ()


def test_days_ahead_did_not_arrive_and_few_days_have_no_rhythm():
    assert measures({"event_date": days(*range(-20, 20))}).arrivals == ()
    assert measures({"event_date": days(*range(1, 15))}).arrivals == ()


def test_the_first_rows_of_a_table_say_nothing_of_its_newest():
    rows = grid({"loaded_on": days(*range(1, 31))})
    assert measured(rows, NOW_US, "spread").arrivals
    assert measured(rows, NOW_US, "first").arrivals == ()


def test_what_is_on_time_today_is_late_from_a_day_on():
    today = NOW.date()
    daily = measures({"loaded_on": days(*range(1, 31))})
    assert late_from(daily, today) == today + timedelta(days=3)
    moments = [(NOW - timedelta(hours=2 * n)).strftime("%Y-%m-%d %H:%M:%S") for n in range(1, 60)]
    assert late_from(measures({"received_at": moments}), today) == today + timedelta(days=1)
    assert late_from(measures({"loaded_on": days(*range(100, 131))}), today) is None
    assert late_from(measures({"amount": list(range(50))}), today) is None
