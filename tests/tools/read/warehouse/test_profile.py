"""What a profile of a column may show."""

import math
from decimal import Decimal

import pytest

from twokey.tools.read.warehouse.profile import Key, column_profile, facts_of, number_text
from twokey.tools.read.warehouse.values import ColumnProfile


def profiled(values: list[Key | None], name: str = "c", *, whole: bool = True) -> ColumnProfile:
    return column_profile(facts_of(name, "TEXT", values, whole=whole, nulls_total=None))


def test_every_value_is_counted_once() -> None:
    found = profiled([1, 1, 2.5, "x", "", "  ", b"ab", True, None, math.nan, math.nan, Decimal("NaN"), math.inf])
    assert (found.values, found.nulls, found.texts, found.empty) == (12, 1, 3, 2)
    # True equals 1 for Python, as it does for SQLite
    assert (found.integers, found.numbers, found.binaries, found.not_finite) == (3, 5, 1, 4)
    assert (found.minimum, found.maximum) == ("1", "2.5")
    assert (found.length_min, found.length_max, found.length_avg) == (0, 2, 1)


def test_nothing_but_nulls_is_no_unique_column() -> None:
    found = profiled([None, None])
    assert (found.values, found.unique, found.distinct, found.length_avg) == (0, False, 0, None)


def test_texts_that_are_numbers_or_dates_have_a_range() -> None:
    assert profiled(["10", " 9 ", "-1.5"]).minimum == "-1.5"
    assert profiled(["10", "9", "11", *["n/a"]]).maximum is None
    assert profiled(["2026-01-02", "2026-01-01T10:00"]).minimum == "2026-01-01T10:00"
    assert profiled(["1" * 100, "1", "2"]).maximum == "2"
    assert profiled([3, 4, 5, "x"]).maximum == "5"
    assert profiled([3, "x", "y"]).maximum is None
    assert profiled(["1" * 100]).maximum is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        (10**100, "1e100"),
        (-(10**100), "-1e100"),
        (Decimal("1" * 90 + ".5"), "1.11111111111111111111e+89"),
    ],
)
def test_numbers_become_short_text(value: float | Decimal, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    "name", ["email", "CustomerEmail", "first_name", "HomeAddress", "api_token", "SSN", "dob", "phone2"]
)
def test_a_personal_name_withholds_values(name: str) -> None:
    found = profiled(["x", "y"] * 10, name)
    assert (found.personal, found.top, found.minimum) == (True, (), None)


@pytest.mark.parametrize("name", ["email_verified", "phone_type", "address_id", "status", "country", "amount"])
def test_a_name_that_only_describes_shows_values(name: str) -> None:
    assert [tally.text for tally in profiled(["x", "y"] * 10, name).top] == ["x", "y"]


@pytest.mark.parametrize(
    "value",
    [
        "ana.planted@example.com",
        "hi ana.planted@example.com!",
        "+49 30 1234567",
        "DE89370400440532013000",
        "4111 1111 1111 1111",
        "10.20.30.40",
        "ghp_0123456789abcdefghijABCDEFGHIJ",
    ],
)  # fmt: skip - one list of planted values
def test_one_personal_value_among_few_withholds_all(value: str) -> None:
    found = profiled([value, value, *["open", "closed"] * 20])
    assert (found.personal, found.top, found.minimum) == (True, (), None)
    assert value not in found.model_dump_json()


def test_one_address_among_fifty_thousand_values_is_seen() -> None:
    values: list[Key | None] = [f"note {number}" for number in range(50_000)]
    values[31_337] = "ask ana.planted@example.com"
    found = profiled(values)
    assert (found.checked, found.mentions_email, found.personal) == (2_000, 1, True)
    assert "planted" not in found.model_dump_json()


def test_a_value_that_stands_alone_or_is_odd_is_not_shown() -> None:
    rare = profiled([*["open", "closed"] * 20, "Ana Planted"])
    assert ([tally.text for tally in rare.top], rare.top_complete) == (["closed", "open"], False)
    assert profiled(["a", "b", "c"]).top == ()
    assert profiled([f"v{number}" for number in range(21)] * 3).top == ()
    odd = profiled(["fine", "x" * 81, "line\nbreak", "\u202eevil", b"raw", True] * 3)
    assert [tally.text for tally in odd.top] == ["true", "fine"]


def test_scattered_long_numbers_are_taken_for_numbers_of_people() -> None:
    scattered = profiled([123_456_789, 987_654_321, 555_123_456] * 2)
    assert (scattered.personal, scattered.minimum, scattered.top) == (True, None, ())
    counted_up = profiled([1_000_000_000 + number for number in range(100)])
    assert (counted_up.personal, counted_up.minimum) == (False, "1000000000")
    assert profiled([123_456_789]).minimum == "123456789"
    cards = profiled([4_111_111_111_111_111, 4_111_111_111_111_111])
    assert (cards.patterns.card, cards.personal) == (2, True)


def test_shapes_are_ordered_and_few() -> None:
    found = profiled(["ab", "cd", "12", "x-1", "A", "B9", "Ccc"])
    assert [(tally.text, tally.count) for tally in found.shapes] == [
        ("aa", 2),
        ("99", 1),
        ("A", 1),
        ("A9", 1),
        ("Aaa", 1),
    ]
