"""Confidence is what experience bears out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.agents.triage import confidence
from twokey.agents.triage.confidence import Bin, Judged
from twokey.agents.triage.values import Outcome

DAY = 24 * 3_600 * 1_000_000
NOW = 1_000 * DAY


def outcomes(value: str, right: int, wrong: int, at: int = NOW - DAY) -> list[Outcome]:
    return [
        Outcome(value=value, confidence_permille=900, right=index < right, at=at + index)
        for index in range(right + wrong)
    ]  # fmt: skip


def known(*counts: tuple[int, int, int]) -> list[Judged]:
    """Each count: a confidence, how many were right, how many wrong."""
    return [Judged(level, index < right) for level, right, wrong in counts for index in range(right + wrong)]


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    # tables of the one-sided 95 % limits: 0 of 10, 10 of 10 (0.05 ** (1 / 10)), 8 of 10
    assert confidence.lower_bound(0, 10) == 0.0
    assert confidence.lower_bound(10, 10) == pytest.approx(0.05**0.1, abs=1e-9)
    assert confidence.lower_bound(8, 10) == pytest.approx(0.4931, abs=1e-4)
    assert confidence.upper_bound(8, 10) == pytest.approx(0.9632, abs=1e-4)
    assert confidence.upper_bound(10, 10) == 1.0
    assert confidence.next_right(0, 0) == 0.0


def test_the_lowest_confidence_that_keeps_the_target_is_found() -> None:
    held = known((990, 300, 2), (900, 200, 8), (800, 50, 50))
    assert confidence.threshold(held, 900) == 900
    assert confidence.threshold(held, 970) == 990
    assert confidence.threshold(held, 700) == 800


@pytest.mark.parametrize("held", [[], known((990, 10, 0)), known((990, 60, 40))])
def test_too_little_or_too_bad_experience_admits_nothing(held: list[Judged]) -> None:
    assert confidence.threshold(held, 900) is None


def test_judgements_of_equal_confidence_are_admitted_together() -> None:
    mixed = known((800, 100, 0), (800, 0, 100))
    assert confidence.threshold(mixed, 900) is None


@given(st.lists(st.tuples(st.integers(0, 999), st.booleans()), max_size=120), st.integers(500, 990))
def test_a_stricter_target_never_admits_more(pairs: list[tuple[int, bool]], target: int) -> None:
    held = [Judged(*pair) for pair in pairs]
    loose, strict = confidence.threshold(held, target), confidence.threshold(held, target + 9)
    if strict is not None:
        assert loose is not None
        assert loose <= strict


def test_old_and_future_outcomes_do_not_count() -> None:
    fresh = outcomes("bug", 3, 0)
    old, future = outcomes("bug", 1, 0, NOW - 200 * DAY), outcomes("bug", 1, 0, NOW + DAY)
    assert confidence.recent([*future, *fresh, *old], NOW) == fresh
    assert len(confidence.recent(outcomes("bug", 500, 0), NOW)) == confidence.WINDOW
    assert confidence.judged(fresh) == [Judged(900, right=True)] * 3


def test_a_kind_that_is_refused_too_often_is_braked() -> None:
    assert confidence.braked(outcomes("bug", 2, 8) + outcomes("feature", 9, 1), 900) == {"bug"}
    assert confidence.braked(outcomes("bug", 0, 4), 900) == frozenset(), "four answers say little"
    assert confidence.braked([], 900) == frozenset()


def test_reliability_compares_claimed_with_true() -> None:
    held = known((950, 9, 1), (940, 9, 1), (150, 0, 5))
    assert confidence.reliability(held) == (Bin(100, 200, 5, 150, 0), Bin(900, 1_000, 20, 945, 900))
    assert confidence.calibration_error(held) == pytest.approx((5 * 0.15 + 20 * 0.045) / 25)
    assert confidence.calibration_error([]) == 0.0
