"""Threads take turns in the order in which they came, and nobody is left waiting for one who has gone."""

import threading

import pytest

from twokey.core.errors import LogUnavailable
from twokey.core.values import Checkpoint
from twokey.tools.turns import Ride, Turns


class Queue:
    """Threads that wait for a lock, one after the other."""

    def __init__(self, turns: Turns[str]) -> None:
        self.turns = turns
        self.order: list[int] = []
        self.threads: list[threading.Thread] = []

    def join(self, number: int) -> None:
        """Have one more thread wait; returns once it does."""
        before = len(self.turns._waiting)  # pyright: ignore[reportPrivateUsage]

        def wait() -> None:
            with self.turns:
                self.order.append(number)

        self.threads.append(threading.Thread(target=wait))
        self.threads[-1].start()
        while len(self.turns._waiting) == before:  # pyright: ignore[reportPrivateUsage]
            threading.Event().wait(0.001)

    def end(self) -> None:
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


def test_whoever_came_first_is_first() -> None:
    turns = Turns[str](60)
    queue = Queue(turns)
    with turns:
        for number in range(6):
            queue.join(number)
    queue.end()
    assert queue.order == [0, 1, 2, 3, 4, 5]
    with turns:
        pass


def test_who_gives_up_leaves_the_queue_to_the_next() -> None:
    turns, impatient = Turns[str](60), Turns[str](0.01)
    impatient._guard, impatient._waiting = turns._guard, turns._waiting  # pyright: ignore[reportPrivateUsage]
    impatient._held = True  # pyright: ignore[reportPrivateUsage]
    queue = Queue(turns)
    with turns:
        with pytest.raises(TimeoutError), impatient:
            pass
        queue.join(1)
    queue.end()
    assert queue.order == [1]


@pytest.mark.parametrize("come", [False, True], ids=["before its turn", "as its turn came"])
def test_who_is_interrupted_leaves_the_queue_to_the_next(monkeypatch: pytest.MonkeyPatch, *, come: bool) -> None:
    turns = Turns[str](60)
    queue = Queue(turns)

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            if come:
                turns.__exit__(None, None, None)
            raise KeyboardInterrupt

    turns.__enter__()
    monkeypatch.setattr("twokey.tools.turns.threading.Event", Interrupted)
    with pytest.raises(KeyboardInterrupt), turns:
        pass
    monkeypatch.undo()
    if not come:
        queue.join(1)
        turns.__exit__(None, None, None)
        queue.end()
    with turns:
        pass


class Riders:
    """Threads that wait with a load, one after the other."""

    def __init__(self, turns: Turns[str]) -> None:
        self.turns = turns
        self.ends: dict[str, str] = {}
        self.threads: list[threading.Thread] = []

    def wait(self, load: str) -> None:
        """Have one more thread wait; returns once it does. One whose turn comes ends it at once."""
        before = len(self.turns._waiting)  # pyright: ignore[reportPrivateUsage]

        def come() -> None:
            ride = self.turns.come(load)
            if ride is None:
                self.ends[load] = "turn"
                self.turns.go()
                return
            try:
                checkpoint = ride.wait()
            except LogUnavailable as fault:
                self.ends[load] = fault.code
            else:
                self.ends[load] = "rode" if checkpoint is None else checkpoint.note

        self.threads.append(threading.Thread(target=come))
        self.threads[-1].start()
        while len(self.turns._waiting) == before:  # pyright: ignore[reportPrivateUsage]
            threading.Event().wait(0.001)

    def end(self) -> dict[str, str]:
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        return self.ends


def test_who_waits_with_a_load_is_taken_along_and_needs_no_turn() -> None:
    turns = Turns[str](60)
    riders, queue = Riders(turns), Queue(turns)
    ride = Ride()
    with turns:
        riders.wait("a")
        queue.join(1)
        riders.wait("b")
        riders.wait("c")
        assert turns.take_along(ride, 2) == ["a", "b"], "in their order, whoever else waits between them"
        assert riders.ends == {}, "nobody is let go before the ride has ended"
        ride.arrive(Checkpoint(size=1, root="0" * 64, note="signed"))
        ride.end()
    queue.end()
    assert riders.end() == {"a": "signed", "b": "signed", "c": "turn"}
    assert queue.order == [1]


@pytest.mark.parametrize(
    ("fault", "told"),
    [(LogUnavailable("No.", next="No.", code="disk_failed"), "disk_failed"), (None, LogUnavailable.default_code)],
    ids=["said why", "cut off"],
)
def test_a_ride_that_fails_fails_for_all(fault: LogUnavailable | None, told: str) -> None:
    turns = Turns[str](60)
    riders, ride = Riders(turns), Ride()
    with turns:
        riders.wait("a")
        riders.wait("b")
        assert turns.take_along(ride, 9) == ["a", "b"]
        if fault is not None:
            ride.fail(fault)
        ride.end()
    assert riders.end() == {"a": told, "b": told}


def test_whoever_has_no_load_is_taken_nowhere() -> None:
    turns = Turns[str](60)
    queue = Queue(turns)
    with turns:
        queue.join(1)
        assert turns.take_along(Ride(), 9) == []
    queue.end()
    assert queue.order == [1]


@pytest.mark.parametrize("interrupted", [False, True])
def test_who_gives_up_as_a_ride_comes_has_its_load_on_the_way(
    monkeypatch: pytest.MonkeyPatch, *, interrupted: bool
) -> None:
    turns, ride = Turns[str](60), Ride()

    class TooLate(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            assert turns.take_along(ride, 9) == ["a"]
            if interrupted:
                raise KeyboardInterrupt
            return False

    with turns:
        monkeypatch.setattr("twokey.tools.turns.threading.Event", TooLate)
        if interrupted:
            with pytest.raises(KeyboardInterrupt):
                turns.come("a")
        else:
            assert turns.come("a") is ride
        monkeypatch.undo()
    with turns:
        pass


def test_a_load_that_nobody_takes_leaves_the_queue_when_its_time_is_over() -> None:
    turns = Turns[str](0.01)
    with turns:
        with pytest.raises(TimeoutError):
            turns.come("a")
        assert turns.take_along(Ride(), 9) == []
