"""Bounds of chance: what they are at, and what they never exceed."""

from importlib import import_module
from math import log, sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.measured_rows import measures

from twokey.agents.catalog import margins
from twokey.agents.catalog.margins import Curve

stats: Any = import_module("scipy.stats")


def curve(numbers: list[float]) -> Curve:
    (found,) = measures({"load": numbers}).spreads
    return Curve(found)


def normal(seed: int, rows: int, middle: float = 0.0) -> list[float]:
    random = Random(seed)  # noqa: S311 - seeded on purpose
    return [round(random.gauss(middle, 1), 4) for _ in range(rows)]


@pytest.mark.parametrize("parts", [2, 3, 10, 40])
def test_the_bound_of_the_index_is_a_quantile_of_chi_squared(parts: int):
    exact = stats.chi2.ppf(1 - 1e-6, parts - 1) * (1 / 500 + 1 / 700)
    assert exact <= margins.chance_of_index(parts, 500, 700) <= 1.3 * exact


def test_the_bound_of_the_distance_is_that_of_smirnov():
    exact = sqrt(-log(1e-6 / 2) / 2) * sqrt((500 + 700) / (500 * 700))
    assert margins.chance_of_distance(500, 700) == pytest.approx(exact, rel=0.01)


def test_equal_shares_never_differ_and_nothing_differs_from_nothing():
    assert not margins.shares_differ(50, 100, 500, 1000)
    assert not margins.shares_differ(0, 100, 0, 100)
    assert not margins.shares_differ(0, 0, 5, 100)
    assert margins.shares_differ(10, 1000, 100, 1000)
    assert not margins.shares_differ(1, 10, 5, 10)


def test_an_empty_part_does_not_make_the_index_endless():
    assert 0 < margins.stability_index([100, 0], [90, 10]) < 1
    assert margins.stability_index([100, 50, 0], [200, 100, 0]) == pytest.approx(0)


@settings(max_examples=25)
@given(
    st.lists(st.integers(-30, 30), min_size=40, max_size=300),
    st.lists(st.integers(-30, 30), min_size=40, max_size=300),
)
def test_the_certain_distance_never_exceeds_the_real_one(one: list[int], two: list[int]):
    numbers = [[round(value / 7, 5) for value in values] for values in (one, two)]
    real = stats.ks_2samp(*numbers, method="asymp").statistic
    found, _ = margins.distance(curve(numbers[0]), curve(numbers[1]))
    assert found <= real + 1e-9
    assert found >= real - 2.2 / 32


def test_the_distance_of_many_different_numbers_is_nearly_exact():
    one, two = normal(1, 2000), normal(2, 2000, 0.5)
    found, where = margins.distance(curve(one), curve(two))
    real = stats.ks_2samp(one, two, method="asymp").statistic
    assert real - 0.04 <= found <= real
    assert -1 < where < 2


def test_the_index_of_the_same_rows_is_nothing_and_of_moved_ones_much():
    same, parts = margins.index_of(curve(normal(1, 3000)), curve(normal(2, 3000)))
    assert parts == 10
    assert same < margins.chance_of_index(parts, 3000, 3000)
    assert margins.index_of(curve(normal(1, 400)), curve(normal(2, 400)))[0] < margins.chance_of_index(10, 400, 400)
    moved, _ = margins.index_of(curve(normal(1, 3000)), curve(normal(2, 3000, 1.0)))
    assert moved > 0.25


def test_the_error_of_an_area_shrinks_with_rows():
    assert margins.error_of_auc(0.8, 100, 100) == pytest.approx(0.031, abs=0.002)
    assert margins.error_of_auc(0.8, 1000, 1000) < 0.011
    assert margins.error_of_auc(1.0, 10, 10) == 0


def test_ends_of_parts_that_lie_in_one_gap_do_not_make_a_part_empty():
    """Two ends within one step of today's numbers: how many rows lie between them is not known, so nothing is made of it."""
    before = curve([n / 10 for n in range(1000)])
    gap = [n / 10 for n in range(1000) if not 395 <= n <= 505] + [39.4] * 55 + [50.6] * 56
    index, _ = margins.index_of(before, curve(gap))
    assert index < 0.2
