"""How many values of a column are recognised as what."""

from decimal import Decimal

import pytest

from twokey.tools.read.warehouse import signals
from twokey.tools.read.warehouse.profile import Key, column_profile, facts_of
from twokey.tools.read.warehouse.values import ColumnProfile


def profiled(values: list[Key | None], name: str = "c") -> ColumnProfile:
    return column_profile(facts_of(name, "TEXT", values, whole=True, nulls_total=None))


def counted(found: ColumnProfile) -> dict[str, int]:
    return {signal.name: signal.count for signal in found.signals}


def test_each_value_counts_with_its_rows() -> None:
    found = profiled([*["Oregon"] * 5, *["Nevada"] * 3, "Larkspur", None])
    assert found.looked == 9
    assert counted(found)["state"] == 8


def test_at_most_so_many_different_values_are_looked_at() -> None:
    found = profiled([f"{number} Mill Street" for number in range(1, 2_000)])
    assert found.looked == signals.MOST_VALUES
    assert counted(found)["street"] == signals.MOST_VALUES


def test_numbers_count_where_nearly_all_pass_one_scheme() -> None:
    dni: list[Key | None] = [f"{n}{'TRWAGMYFPDXBNJZSQVHLCKE'[n % 23]}" for n in range(10_000_000, 10_000_900, 30)]
    assert counted(profiled(dni))["person_number"] == 30
    by_chance: list[Key | None] = [str(number) for number in range(100_000_000, 100_000_400, 10)]
    assert "person_number" not in counted(profiled(by_chance))
    too_few: list[Key | None] = [*dni[:5]]
    assert "person_number" not in counted(profiled(too_few))


def test_telephone_numbers_are_counted_with_their_rows() -> None:
    numbers: list[Key | None] = [f"(503) 378-{number}" for number in range(4400, 4440)]
    assert counted(profiled(numbers))["phone_number"] == 40
    with_extension: list[Key | None] = ["503-378-4423 ext. 12"] * 3
    assert counted(profiled(with_extension))["phone_number"] == 3
    mostly_not: list[Key | None] = [*["nobody"] * 90, *["no one"] * 5, "503-378-4423"]
    assert "phone_number" not in counted(profiled(mostly_not))


def test_coordinates_are_no_telephone_numbers() -> None:
    found = profiled([f"48.{number}" for number in range(1_000_000, 1_000_040)])
    assert "phone_number" not in counted(found)
    assert counted(found)["latitude"] == 40


def test_numbers_stored_as_numbers_are_looked_at_too() -> None:
    assert counted(profiled([1998, 2004, 2011]))["year"] == 3
    assert counted(profiled([48.8566, Decimal("-33.8688")]))["latitude"] == 2
    assert profiled([b"raw", True]).looked == 0


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        ("-33.9", "51.5", {"latitude", "longitude"}),
        ("-122.4", "151.2", {"longitude"}),
        ("1", "97", {"age"}),
        ("1950", "2026", {"year"}),
        ("1", "99999", set[str]()),
        ("2026-01-01", "2026-02-02", set[str]()),
        (None, None, set[str]()),
    ],
)
def test_a_range_of_numbers_says_what_they_may_be(low: str | None, high: str | None, names: set[str]) -> None:
    assert set(signals.of_range(low, high, 7)) == names


@pytest.mark.parametrize(
    "value", ["Maria Garcia", "219-09-9999", "12 Mill Street", "9 Cedar Ave, Portland, OR 97201", "00:1b:63:84:45:e6"]
)
def test_a_few_repeated_personal_values_are_withheld_whatever_the_column_is_called(value: str) -> None:
    found = profiled([value] * 20, "reference")
    assert (found.personal, found.top) == (True, ())
    assert value not in found.model_dump_json()


def test_signals_are_ordered_and_hold_nothing_but_numbers() -> None:
    found = profiled(["Oregon", "Nevada", "Berlin"] * 4)
    assert list(found.signals) == sorted(found.signals, key=lambda signal: (-signal.count, signal.name))
    assert all(isinstance(signal.count, int) and 0 < signal.count <= found.looked for signal in found.signals)
