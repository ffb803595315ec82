"""What runs say of themselves: the latest line of each, of a bounded number of runs."""

from twokey.agents.state import Progress
from twokey.channels.board import RUNS, Board


def test_the_latest_line_of_a_run_takes_the_place_of_the_one_before_until_it_is_wiped():
    board = Board()
    assert board.latest("r-000000000001") is None
    board.tell("r-000000000001", Progress(1, "1 of 2", 1, 2))
    board.tell("r-000000000001", Progress(1, "2 of 2", 2, 2))
    assert board.latest("r-000000000001") == Progress(1, "2 of 2", 2, 2)
    board.wipe("r-000000000001")
    board.wipe("r-000000000001")
    assert board.latest("r-000000000001") is None


def test_runs_that_were_silent_longest_make_room():
    board = Board()
    board.tell("first", Progress(1, "begun"))
    board.tell("second", Progress(1, "begun"))
    board.tell("first", Progress(1, "goes on"))
    for number in range(RUNS - 1):
        board.tell(f"r-{number}", Progress(1, "begun"))
    assert board.latest("second") is None
    assert board.latest("first") == Progress(1, "goes on")
