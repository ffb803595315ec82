"""A process that is held (SIGSTOP) past every lease while another one takes over, and then goes on (SIGCONT)."""

from functools import partial

import pytest
from soak.conftest import MakeSweep
from support.crash.points import Point
from support.crash.sweep import TWOKEY, Sweep, boundaries, together
from support.crash.table import Tally

EVERY = 12
"""In the short test, one of so many points; the soak takes all."""


def held(sweep: Sweep, points: list[Point]) -> Tally:
    tally = Tally(TWOKEY.name, "", len(points))
    together([partial(sweep.stop, point) for point in points], tally.add)
    assert tally.trials == len(points)
    return tally


def explained(tally: Tally) -> str:
    return "\n".join(f"{trial.point}: {trial.verdict}" for trial in tally.bad)


@pytest.mark.timeout(1800)
def test_a_process_that_comes_back_after_a_takeover_writes_nothing_twice(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        tally = held(made, boundaries(made.points())[::EVERY])
    assert not tally.bad, explained(tally)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_process_that_comes_back_at_any_point_writes_nothing_twice(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        tally = held(made, made.points())
    assert not tally.bad, explained(tally)


@pytest.mark.soak
def test_who_cannot_get_at_the_repository_writes_nothing_and_leaves_it_to_a_person(sweep: MakeSweep):
    """The held process has the repository's lock: what it does with it cannot be known until it goes on."""
    with sweep(TWOKEY) as made:
        (point,) = [point for point in made.points() if point.name.startswith("rename repository/.git/refs/heads/")]
        verdict = made.stop(point, patient=True).verdict
    assert (verdict.duplicates, verdict.lost, verdict.asked_again) == (0, 0, 0)
    assert "a proposal is unknown" in verdict.faults
