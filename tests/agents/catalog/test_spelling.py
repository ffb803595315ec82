"""Names that were misspelt, or lost their accented letters, are read as what they were meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.agents.catalog.spelling import repaired


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("telphone", "telephone"),
        ("adress", "address"),
        ("minicipio", "municipio"),
        ("emial adress", "emial address"),
        ("tel fono", "telefono"),
        ("g nero", "genero"),
        ("pa s", "pais"),
        ("t l phone", "telephone"),
        ("raz n social", "razon social"),
        ("c digo postal", "codigo postal"),
    ],
)
def test_a_slip_or_a_lost_letter_is_mended(name: str, meant: str):
    assert repaired(tuple(name.split())) == tuple(meant.split())


@pytest.mark.parametrize(
    "name",
    ["last name", "x coord", "portal", "st name", "no of units", "altitude", "counter", "テル フォノ", "a 1", ""],
)
def test_what_is_right_or_means_something_else_stays(name: str):
    assert repaired(tuple(name.split())) == tuple(name.split())


@given(st.lists(st.text("abcdeghilnoprstu", min_size=1, max_size=9), max_size=5))
def test_what_was_repaired_needs_no_repair_twice(words: list[str]):
    once = repaired(tuple(words))
    assert len(once) <= len(words)
    assert once if words else not once
