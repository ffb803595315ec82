"""Texts of a column are read all at once, and come out as if they had been read one by one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.tools.read.warehouse.inspection.days import days_of
from twokey.tools.read.warehouse.inspection.grid import column_of, masked
from twokey.tools.read.warehouse.inspection.written import forms_of

TEXTS = st.lists(
    st.one_of(
        st.text(alphabet="0123456789+-.eE", min_size=1, max_size=40),
        st.floats(allow_nan=True).map(str),
        st.integers().map(str),
        st.text(min_size=1, max_size=12),
    ),
    max_size=30,
)


@given(TEXTS)
def test_a_number_is_one_whether_the_form_of_its_text_is_known_or_not(texts: list[str]):
    assert column_of(0, "a", texts).numbers == column_of(0, "a", texts, is_text=False).numbers


@given(TEXTS)
def test_digits_of_many_texts_are_masked_like_those_of_one(texts: list[str]):
    assert list(masked(texts)) == [re.sub("[0-9]+", "9", text) for text in texts]


@given(TEXTS)
def test_cells_of_forms_are_those_of_the_texts(texts: list[str]):
    column = column_of(0, "a", texts)
    assert sum(column.cells_of_forms.values()) == column.filled
    assert sum(column.cells_that_say.values()) == column.filled - sum(column.counts[code] for code in column.nothing)


NUMBERS = st.lists(
    st.one_of(st.integers().map(str), st.floats(0, 1e9).map(str), st.sampled_from(["1\n2", "+7", ".5", "7.", "-0.0"])),
    min_size=1,
    max_size=12,
)


@given(NUMBERS)
def test_numbers_read_together_are_those_read_one_by_one(texts: list[str]):
    column = column_of(0, "a", texts)
    alone = [column_of(0, "a", [text]).numbers[0] for text in column.texts]
    with_a_word = column_of(0, "a", [*texts, "word"]).numbers
    assert list(column.numbers) == alone == list(with_a_word)[: len(alone)]


RUNS = st.lists(st.tuples(st.sampled_from("09aZé٣ \t.-\n"), st.integers(1, 70)), min_size=1, max_size=6)


def sign_by_sign(text: str) -> str:
    form = ""
    for sign in text[:200]:
        mark = "9" if sign in "0123456789" else "a" if sign.isalnum() and not sign.isdecimal() else sign
        mark = " " if mark.isspace() else mark
        form += "" if mark in "9a " and form.endswith(mark) else mark
    return form


@given(st.lists(RUNS.map(lambda runs: "".join(sign * times for sign, times in runs)), min_size=1, max_size=6))
def test_a_run_is_one_sign_however_long_it_is(texts: list[str]):
    assert forms_of(texts) == [sign_by_sign(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", 738_945),
        ("2024-02-29T10:00:00Z", 738_945),
        ("2024-02-29 " + "x" * 40, 738_945),
        ("2024/02/29", 738_945),
        ("2024-2-29", 738_945),
        ("29.02.2024", 738_945),
        ("2023-02-29", None),
        ("2023-02-29 10:00", None),
    ],
)
def test_a_day_is_read_in_each_way_of_writing_it(text: str, day: int | None):
    assert days_of([text], [1], {"9-9-9": 1}) == {0: day}


@pytest.mark.parametrize("text", ["2024-02-29x", "2024-02-29T", "2024-02-29 " + "x" * 41, "2024-W09-4", "٢٠٢٤-02-29"])
def test_what_only_begins_like_a_day_is_none(text: str):
    assert days_of([text], [1], {"9-9-9": 1}) is None
