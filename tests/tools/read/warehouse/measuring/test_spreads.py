"""How numbers lie: cuts that say it exactly, and nothing of numbers that may be those of people."""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from support.measured_rows import measures

from twokey.tools.read.warehouse import Spread
from twokey.tools.read.warehouse.measuring.spreads import CUTS


def spread(values: Sequence[object], name: str = "amount") -> Spread | None:
    return next(iter(measures({name: values}).spreads), None)


def test_few_numbers_are_all_there():
    found = spread([1] * 40 + [2] * 20 + [3.5] * 40)
    assert found == Spread(column="amount", rows=100, whole=True, upto=("1", "2", "3.5"), rows_upto=(40, 60, 100))


def test_many_numbers_are_cut_evenly():
    found = spread(list(range(1, 1001)))
    assert found is not None
    assert not found.whole
    assert len(found.upto) == CUTS
    assert found.upto[-1] == "1000"
    assert found.rows_upto == tuple(int(text) for text in found.upto)


@settings(max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda number: round(number, 3)), min_size=30, max_size=400))
def test_each_cut_counts_the_rows_up_to_it(numbers: list[float]):
    found = spread(list(numbers), "reading")
    if found is None:  # numbers that lie scattered as those of people do
        return
    for text, rows in zip(found.upto, found.rows_upto, strict=True):
        assert rows == sum(number <= float(text) for number in numbers)
    assert float(found.upto[-1]) == max(numbers)
    assert len(found.upto) <= CUTS


def test_numbers_of_people_have_no_spread():
    random = Random(1)  # noqa: S311 - seeded on purpose
    scattered = [random.randrange(10**9, 10**10) for _ in range(200)]
    assert spread(scattered, "code") is None
    assert spread(list(range(20, 80)), "age") is None
    assert spread([f"0{random.randrange(170_000_000, 179_999_999)}" for _ in range(200)], "reached_via") is None
    assert spread([f"{n}" for n in range(100)], "salary") is None


def test_too_few_numbers_and_texts_have_none():
    assert spread(list(range(20))) is None
    assert spread([*range(50), *("n/a" for _ in range(50))]) is None
    assert spread(["a", "b"] * 50) is None


def test_numbers_kept_as_texts_count():
    found = spread([f"{n}.5" for n in range(60)])
    assert found is not None
    assert found.rows == 60
