"""The soak itself: it goes on where it stopped, and says so where it sees nothing."""

from pathlib import Path

import pytest
from support.crash.__main__ import Book, verdict
from support.crash.looks import Verdict
from support.crash.points import Point
from support.crash.sweep import NAIVE, TWOKEY, Trial, boundaries
from support.crash.table import Tally, table

CLEAN = Trial(Point("before commit store", 1), 0, Verdict())
TWICE = Trial(Point("after commit store", 2), 3, Verdict(duplicates=1, faults=("2 branches",)))


def test_a_soak_that_was_killed_goes_on_with_what_it_wrote_down(tmp_path: Path):
    path = tmp_path / "book"
    book = Book(path, "code")
    book.put(CLEAN, "a")
    book.put(TWICE, "b", "1")
    with path.open("a", encoding="utf-8") as file:
        file.write('{"key": ["c"], "tri')
    again = Book(path, "code")
    again.put(CLEAN, "c", "2")
    third = Book(path, "code")
    assert (third.get("a"), third.get("b", "1"), third.get("c"), third.get("c", "2")) == (CLEAN, TWICE, None, CLEAN)


def test_what_other_code_left_does_not_count(tmp_path: Path):
    Book(tmp_path / "book", "code").put(CLEAN, "a")
    assert Book(tmp_path / "book", "other code").get("a") is None
    assert Book(tmp_path / "book", "code").get("a") is None


@pytest.mark.parametrize(
    ("ours", "naive", "code"), [(CLEAN, TWICE, 0), (TWICE, TWICE, 1), (CLEAN, CLEAN, 1)], ids=["good", "bad", "blind"]
)
def test_a_soak_fails_where_twokey_does_and_where_it_sees_nothing(ours: Trial, naive: Trial, code: int):
    tallies = [Tally(TWOKEY.name, "sqlite", 1), Tally(NAIVE[0].name, "sqlite", 1)]
    for tally, trial in zip(tallies, (ours, naive), strict=True):
        tally.add(trial)
    assert verdict(tallies) == code


def test_the_table_counts_trials():
    tally = Tally(NAIVE[1].name, "sqlite", 2)
    tally.add(CLEAN)
    tally.add(TWICE)
    assert table([tally]).splitlines()[-1] == "| naive LangGraph, two nodes | sqlite | 2 | 2 | 1 | 0 | 0 | 0 | 1 |"


def test_right_after_a_commit_is_right_before_the_next_change():
    assert boundaries([CLEAN.point, TWICE.point]) == [CLEAN.point]
