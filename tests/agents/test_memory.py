"""What a step worked out is given to the next one for the same, and for nothing else."""

from twokey.agents.memory import Memory


def test_the_same_is_worked_out_once():
    memory, worked = Memory(), list[str]()
    for _ in range(2):
        assert memory.once("sum", ("e-1", {"t": "e-2"}), lambda: worked.append("done") or 3) == 3
    assert worked == ["done"]


def test_what_follows_from_something_else_is_worked_out_anew():
    memory = Memory()
    assert memory.once("sum", {"t": "e-1"}, lambda: 1) == 1
    assert memory.once("sum", {"t": "e-2"}, lambda: 2) == 2
    assert memory.once("other", {"t": "e-2"}, lambda: 3) == 3
    assert memory.once("sum", {"t": "e-1"}, lambda: 4) == 4
