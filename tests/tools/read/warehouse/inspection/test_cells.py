"""Cells that a column's own habits speak against: missing as text, mixed types, formats, characters, slips."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.inspected_rows import codes, grid, problems, rows_of

from twokey.tools.read.warehouse.inspection.grid import BLANK, MAX_TEXT
from twokey.tools.read.warehouse.inspection.written import MAX_FORM, forms_of


def test_a_text_is_held_once_and_blanks_are_nothing() -> None:
    (column,) = grid({"a": [" x ", "x", None, "", "  ", "y" * 2 * MAX_TEXT]}).columns
    assert column.texts == ("x", "y" * MAX_TEXT)
    assert column.codes == [0, 0, BLANK, BLANK, BLANK, 1]
    assert (column.counts, column.filled, column.distinct, column.most) == ([2, 1], 3, 2, 2)


def test_a_form_is_what_a_text_is_written_like() -> None:
    assert forms_of(["12 Main  St, 4b", "x\ny", ""]) == ["9 a a, 9a", "a a", ""]
    (column,) = grid({"a": ["12", "-1.5e3", "ab-12"]}).columns
    assert column.forms == ["9", "-9.9a9", "a-9"]


# --- missing as text -----------------------------------------------------------------------------------------------


def test_a_text_that_means_nothing_is_found_anywhere() -> None:
    (problem,) = problems({"comment": [*["it was fine", "rather good"] * 20, "N/A", "null"]})
    assert (problem.code, rows_of(problem)) == ("missing_as_text", [40, 41])


def test_a_word_that_can_be_an_answer_counts_only_among_numbers_and_dates() -> None:
    assert codes({"kind": [*["owner", "tenant"] * 20, "unknown", "none"]}) == []
    assert codes({"size": [*[str(number) for number in range(40)], "unknown", "-"]}) == ["missing_as_text"]
    assert codes({"due": [*[f"2025-01-{number % 28 + 1:02}" for number in range(40)], "unknown"]}) == [
        "missing_as_text"
    ]


def test_a_sign_is_no_answer_among_words() -> None:
    (problem,) = problems({"kind": [*["owner", "tenant"] * 20, "?", "--"]})
    assert (problem.code, rows_of(problem)) == ("missing_as_text", [40, 41])
    assert codes({"kind": [*["-"] * 30, *["owner", "tenant"] * 10]}) == []


def test_a_country_called_na_is_no_missing_value() -> None:
    assert codes({"country": ["DE", "FR", "NA", "PE"] * 20}) == []
    assert codes({"country": [*["DE", "FR", "PE"] * 20, "NA"]}) == []
    assert codes({"country": [*["DE", "FR", "PE"] * 20, "NULL"]}) == ["missing_as_text"]


def test_a_code_in_the_wrong_case() -> None:
    (problem,) = problems({"gender": [*["F", "M"] * 40, "f"]})
    assert (problem.code, rows_of(problem)) == ("spelling_variants", [80]) or problem.code == "format_break"
    (problem,) = problems({"gender": [*["F", "M"] * 40, "q"]})
    assert (problem.code, rows_of(problem)) == ("format_break", [80])
    assert codes({"name": [*["Ana", "Bo"] * 40, "cy"]}) == []


def test_a_word_that_is_all_there_is_was_chosen() -> None:
    assert codes({"a": ["n/a"] * 40}) == []
    assert codes({"a": ["7"] * 40}, typed=["a"]) == []


# --- types and formats ---------------------------------------------------------------------------------------------


def test_text_among_numbers() -> None:
    (problem,) = problems({"amount": [*map(str, range(100, 160)), "twelve"]})
    assert (problem.code, problem.confidence, rows_of(problem)) == ("mixed_types", 97, [60])


def test_a_word_that_is_used_often_among_numbers_stands_for_something() -> None:
    assert codes({"floor": [*[str(number % 9) for number in range(90)], *["ground"] * 8]}) == []


def test_a_number_can_be_written_in_two_ways() -> None:
    (problem,) = problems({"rate": [*["7", "8", "9.5"] * 20, "7.0", "8.0"]})
    assert (problem.code, rows_of(problem)) == ("spelling_variants", [60, 61])
    assert codes({"rate": ["7", "8", "9"] * 20}) == []


def test_a_code_that_is_written_otherwise() -> None:
    (problem,) = problems({"code": [*[f"AB-{number}" for number in range(60)], "AB66", "AB-6-7"]})
    assert (problem.code, problem.detail, rows_of(problem)) == ("format_break", "format", [60, 61])


def test_among_several_forms_only_the_next_to_never_seen_is_odd() -> None:
    known = [f"A-{number}" for number in range(60)] + [f"B-{number}-x" for number in range(60)]
    (problem,) = problems({"code": [*known, "7/9"]})
    assert (problem.detail, rows_of(problem)) == ("format", [120])
    assert codes({"code": [*known, *[f"{number}/9" for number in range(30)]]}) == []


def test_a_second_way_to_write_dates_is_one_problem() -> None:
    cells = [
        *[f"2025-03-{number % 28 + 1:02}" for number in range(60)],
        *[f"{number % 28 + 1}/3/2025" for number in range(15)],
    ]
    (problem,) = problems({"due": cells})
    assert (problem.code, problem.detail, rows_of(problem)) == ("format_break", "second_format", list(range(60, 75)))


def test_names_and_addresses_have_no_format() -> None:
    words = [f"{number} {chr(97 + number % 26) * 3}ton {chr(97 + number % 23) * 4}" for number in range(80)]
    assert codes({"address": [*words, "The Old Mill, 7"]}) == []
    assert codes({"kind": [*["12 a", "13 b", "14 c"] * 20, "x-1"]}) == []


def test_zeros_in_front_that_were_lost() -> None:
    cells = [f"{number * 37 % 9000:05}" for number in range(100, 160)]
    (problem,) = problems({"branch": [*cells, "123", "44"]})
    assert (problem.code, problem.detail, rows_of(problem)) == ("format_break", "length", [60, 61])
    assert codes({"counter": [str(number) for number in range(950, 1050)]}) == []


def test_broken_characters() -> None:
    (problem,) = problems(
        {"name": [*["Ana", "Bo", "Cy"] * 20, "Jos\ufffd", "M\u00c3\u00bcller", "A\x01B", "x &amp; y"]}
    )
    assert (problem.code, rows_of(problem)) == ("broken_text", [60, 61, 62, 63])
    assert codes({"name": [*["Ana\nBo", "R&D", "José"] * 20]}) == []


def test_signs_that_words_do_not_hold() -> None:
    (problem,) = problems({"town": [*["Arda", "Benn", "Coll"] * 40, "Arda*"]})
    assert problem.code in {"format_break", "spelling_variants"}
    assert rows_of(problem) == [120]


# --- slips ---------------------------------------------------------------------------------------------------------

TOWNS = ["Hamburg", "Bremen", "Stuttgart", "Nürnberg"]


@pytest.mark.parametrize("slip", ["Hamubrg", "Hambrug", "Stutgart", "Stuttgartt", "Brremen", "Nürxberg"])
def test_a_slip_of_a_frequent_value(slip: str) -> None:
    (problem,) = problems({"town": [*TOWNS * 30, slip]})
    assert (problem.code, rows_of(problem)) == ("misspelt_values", [120])


@pytest.mark.parametrize(
    "cells",
    [
        [*["active", "closed"] * 60, "inactive"],
        [*["unit 1", "unit 2"] * 60, "unit 3"],
        [*["E-100", "F-200"] * 60, "G-300"],
        [*["Austria", "Norway", "Trinidad"] * 60, *["Australia"] * 5],
        [*["note", "letter"] * 60, "notes book"],
        [*["12 N Oak Road", "14 S Elm Road"] * 60, "16 E Oak Road"],
        [*["Red Brick Company", "Blue Stone Company"] * 60, "Red Brand Company"],
    ],
)
def test_another_value_is_no_slip(cells: list[str]) -> None:
    assert "misspelt_values" not in codes({"kind": cells})


def test_an_open_vocabulary_is_left_alone() -> None:
    rare = [chr(97 + number % 26) + chr(97 + number // 26) + "son" for number in range(100)]
    assert codes({"name": [*["jason", "mason"] * 100, *rare]}) == []


def test_case_blanks_and_points_make_a_variant() -> None:
    (problem,) = problems({"town": [*["New York", "Saint Paul"] * 20, "new york", "NEW-YORK", "Saint  Paul."]})
    assert (problem.code, rows_of(problem)) == ("spelling_variants", [40, 41, 42])
    assert codes({"town": ["a b", "A B"] * 20}) == []


def test_values_that_never_repeat_have_no_slips() -> None:
    assert codes({"key": [f"{chr(97 + number % 26)}{number * 7919 % 10007}x" for number in range(200)]}) == []


@given(st.lists(st.text(st.sampled_from("aB é²٣9 \t\n_-.:/") | st.characters(exclude_categories=["Cs"]), max_size=230)))
def test_texts_written_together_have_the_forms_that_each_has_alone(texts: list[str]) -> None:
    apart = [re.sub(r"[^\W\d_]+", "a", re.sub(r"[0-9]+", "9", text[:MAX_FORM])) for text in texts]
    assert forms_of(texts) == [re.sub(r"\s+", " ", form) for form in apart]
