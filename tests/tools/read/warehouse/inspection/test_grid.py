"""Texts of a column are read all at once, and come out as if they had been read one by one."""

import re

from hypothesis import given
from hypothesis import strategies as st

from twokey.tools.read.warehouse.inspection.grid import column_of, masked

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
