"""Units of measure: one habit is no fault, several are one problem with a conversion."""

import pytest
from support.inspected_rows import problems, rows_of

from twokey.tools.read.warehouse.inspection.measures import Unit, base_of, factor, unit_of
from twokey.tools.read.warehouse.inspection.units import measure_of


def numbers(count: int, suffix: str = "", first: int = 10) -> list[str]:
    return [f"{first + number % 17}{suffix}" for number in range(count)]


def the_one(cells: list[str]) -> tuple[str, list[tuple[str, str, str, int]], list[int]]:
    (problem,) = problems({"amount": cells})
    assert problem.code == "unit_mismatch"
    conversions = [(item.given, item.wanted, item.factor, item.cells) for item in problem.conversions]
    return problem.detail, conversions, rows_of(problem)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kg", "kilogram"),
        ("Kgs.", "kilogram"),
        ("ML", "milliliter"),
        ("fl. oz.", "fluid_ounce"),
        ("hrs", "hour"),
        ("min", "minute"),
        ('"', "inch"),
        ("km/h", "kilometer / hour"),
        ("GB", "gigabyte"),
        ("°C", "degree_Celsius"),
        ("%", "percent"),
        ("€", "EUR"),
        ("usd", "USD"),
    ],
)
def test_units_are_known_as_people_write_them(text: str, name: str) -> None:
    unit = unit_of(text)
    assert unit is not None
    assert unit.name == name


@pytest.mark.parametrize(
    "text", ["pm", "am", "pa", "st", "th", "rd", "patients", "k", "no", "of", "points", "x" * 30, "", "b2"]
)
def test_other_words_are_no_units(text: str) -> None:
    assert unit_of(text) is None


def test_factors_are_exact_or_there_is_none() -> None:
    def between(given: str, wanted: str) -> str:
        one, other = unit_of(given), unit_of(wanted)
        assert one is not None
        assert other is not None
        return factor(one, other)

    assert between("lb", "g") == "453.59237"
    assert between("kg", "kg") == "1"
    assert between("mm", "mile") == "0.000000621371192237"
    assert between("kg", "m") == ""
    assert between("°C", "°F") == ""
    assert between("usd", "eur") == ""
    assert base_of(Unit("USD", "currency")) is None


@pytest.mark.parametrize(
    "text", ["", "kg", "12 kg of", "12 kg 3 m", "1 2 3 4 kg", "$5 kg", "3 dogs", "5 h 10", "9" * 70]
)
def test_what_is_no_measure_is_not_read_as_one(text: str) -> None:
    assert measure_of(text) is None or text == "12 kg of"


def test_a_unit_that_is_always_the_same_is_a_habit() -> None:
    assert problems({"amount": numbers(60, " kg")}) == []
    assert problems({"amount": numbers(60, " people")}) == []
    assert problems({"amount": ["$5.00", "$7.50"] * 40}) == []


def test_another_unit_is_converted() -> None:
    cells = numbers(60, " kg")
    cells[3:9] = numbers(6, " lb")
    assert the_one(cells) == ("units", [("pound", "kilogram", "0.45359237", 6)], [3, 4, 5, 6, 7, 8])


def test_several_spellings_of_one_unit_are_one_problem() -> None:
    cells = [*numbers(30, " ml"), *numbers(30, " mL"), *numbers(20, " milliliters")]
    detail, conversions, rows = the_one(cells)
    assert detail == "spellings"
    assert conversions == [("milliliter", "milliliter", "1", 80), ("milliliter", "liter", "0.001", 0)]
    assert len(rows) == 80


def test_a_spelling_that_prevails_is_right() -> None:
    detail, _, rows = the_one([*numbers(90, " ml"), *numbers(5, " milliliters")])
    assert (detail, rows) == ("spellings", [90, 91, 92, 93, 94])


def test_bare_numbers_of_the_same_size_mean_the_same_unit() -> None:
    detail, conversions, rows = the_one([*numbers(60), *numbers(20, " cm")])
    assert (detail, conversions) == ("some_bare", [("centimeter", "", "1", 20)])
    assert rows == list(range(60, 80))


def test_bare_numbers_of_another_size_do_not_tell() -> None:
    assert the_one([*numbers(60), *numbers(20, " cm", first=9000)])[1] == [("centimeter", "", "", 20)]


def test_percent_signs_and_shares_are_told_apart_by_size() -> None:
    shares = [f"0.{number % 90 + 10}" for number in range(60)]
    assert the_one([*shares, *[f"{number}%" for number in range(20, 40)]])[1] == [("percent", "", "0.01", 20)]
    assert the_one([*shares, *[f"0.{number}%" for number in range(20, 40)]])[1] == [("percent", "", "1", 20)]
    assert the_one([*shares, *[f"{number}000%" for number in range(20, 40)]])[1] == [("percent", "", "", 20)]


def test_zeros_give_no_size() -> None:
    assert the_one([*["0"] * 60, *numbers(20, " cm")])[1] == [("centimeter", "", "", 20)]


def test_hours_and_minutes_in_one_cell_are_one_measure() -> None:
    detail, conversions, rows = the_one([*numbers(60, " min", first=70), "1 hr 30 min", "2 hr 5 min"])
    assert (detail, conversions, rows) == ("units", [("hour", "minute", "60", 2)], [60, 61])


def test_a_few_units_among_free_text_are_none() -> None:
    assert problems({"note": [*["bring it back"] * 30, *numbers(10, " kg"), *numbers(10, " lb")]}) == []


def test_a_word_among_measures_is_odd() -> None:
    (problem,) = problems({"amount": [*numbers(60, " kg"), "7 kq", "8 !"]})
    assert (problem.code, problem.detail, rows_of(problem)) == ("format_break", "format", [60, 61])
