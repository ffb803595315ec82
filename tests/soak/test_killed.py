"""kill -9 at every point of a gated run: nothing twice, nothing lost, nothing stuck, nobody asked again."""

from functools import partial

import pytest
from soak.conftest import MakeSweep
from support.crash.points import Point
from support.crash.sweep import NAIVE, TWOKEY, Contender, boundaries, together
from support.crash.table import Tally, table

LEAST_POINTS = 24
EVERY = 3
"""In the short test, one of so many points on PostgreSQL, and one of so many changes of files; the soak takes all."""


def ended(points: list[Point], *, on_server: bool) -> list[Point]:
    """Every change of the database on SQLite; a part of them on PostgreSQL, and of the changes of files on SQLite.

    Changes of files are the same on both databases.
    """
    of_database = [point for point in points if point.of_database]
    of_files = [point for point in points if not point.of_database]
    return of_database[::EVERY] if on_server else [*of_database, *of_files[::EVERY]]


@pytest.mark.timeout(1800)
def test_a_run_that_is_killed_is_finished_once_and_nobody_is_asked_again(sweep: MakeSweep):
    with sweep(TWOKEY) as made:
        points = made.points()
        assert len(set(points)) == len(points)
        assert set(made.points()) == set(points), "every run has the same"
        tally = Tally(TWOKEY.name, "", len(points))
        ends = ended(boundaries(points), on_server=bool(made.server))
        together([partial(made.kill, point, 0) for point in ends], tally.add)
        least = LEAST_POINTS // EVERY if made.server else LEAST_POINTS
    assert tally.trials == len(ends) >= least
    assert not tally.bad, "\n".join(f"{trial.point}: {trial.verdict}" for trial in tally.bad)


@pytest.mark.parametrize("contender", NAIVE, ids=lambda contender: contender.name)
def test_a_naive_graph_that_is_killed_writes_twice(sweep_once: MakeSweep, contender: Contender):
    """The positive control: the same harness sees what goes wrong where it does."""
    with sweep_once(contender) as made:
        points = made.points()
        tally = Tally(contender.name, "", len(points))
        together([partial(made.kill, point, 0) for point in points], tally.add)
    assert tally.counts["duplicates"] >= 1, table([tally])
    assert tally.counts["asked_again"] >= 1, table([tally])
    if contender.args["believing"]:
        # Which of the two depends on which of the saver's threads is faster.
        assert tally.counts["lost"] + tally.counts["stuck"] >= 1, table([tally])
    assert not tally.counts["faults"], tally.bad
