"""kill -9 at every point of a gated run: nothing twice, nothing lost, nothing stuck, nobody asked again."""

from functools import partial

import pytest
from soak.conftest import MakeSweep
from support.crash.sweep import NAIVE, TWOKEY, Contender, boundaries, together
from support.crash.table import Tally, table

LEAST_POINTS = 40


@pytest.mark.timeout(600)
def test_a_run_that_is_killed_anywhere_is_finished_once_and_nobody_is_asked_again(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        points = made.points()
        assert len(set(points)) == len(points)
        tally = Tally(TWOKEY.name, "", len(points))
        ends = boundaries(points)
        together([partial(made.kill, point, 0) for point in ends], tally.add)
    assert tally.trials == len(ends) >= LEAST_POINTS
    assert not tally.bad, "\n".join(f"{trial.point}: {trial.verdict}" for trial in tally.bad)


def test_every_run_has_the_same_points(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        assert set(made.points()) == set(made.points())


@pytest.mark.parametrize("contender", NAIVE, ids=lambda contender: contender.name)
def test_a_naive_graph_that_is_killed_writes_twice(sweep: MakeSweep, contender: Contender):
    """The positive control: the same harness sees what goes wrong where it does."""
    with sweep(contender) as made:
        points = made.points()
        tally = Tally(contender.name, "", len(points))
        together([partial(made.kill, point, 0) for point in points], tally.add)
    assert tally.counts["duplicates"] >= 1, table([tally])
    assert not tally.counts["faults"], tally.bad
