"""A process that is held (SIGSTOP) past every lease while another one takes over, and then goes on (SIGCONT)."""

from functools import partial

import pytest
from soak.conftest import MakeSweep
from support.crash.points import Point
from support.crash.sweep import TWOKEY, Sweep, together
from support.crash.table import Tally

EVERY = 7
"""In the short test, one of so many points; the soak takes all."""


def held(sweep: Sweep, points: list[Point]) -> Tally:
    tally = Tally(TWOKEY.name, "", len(points))
    together([partial(sweep.stop, point) for point in points], tally.add)
    assert tally.trials == len(points)
    return tally


def explained(tally: Tally) -> str:
    return "\n".join(f"{trial.point}: {trial.verdict}" for trial in tally.bad)


@pytest.mark.timeout(600)
def test_a_process_that_comes_back_after_a_takeover_writes_nothing_twice(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        tally = held(made, made.points()[::EVERY])
    assert not tally.bad, explained(tally)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_process_that_comes_back_at_any_point_writes_nothing_twice(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        tally = held(made, made.points())
    assert not tally.bad, explained(tally)
