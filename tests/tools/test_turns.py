"""Threads take turns in the order in which they came, and nobody is left waiting for one who has gone."""

import threading

import pytest

from twokey.tools.turns import Turns


class Queue:
    """Threads that wait for a lock, one after the other."""

    def __init__(self, turns: Turns) -> None:
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
    turns = Turns(60)
    queue = Queue(turns)
    with turns:
        for number in range(6):
            queue.join(number)
    queue.end()
    assert queue.order == [0, 1, 2, 3, 4, 5]
    with turns:
        pass


def test_who_gives_up_leaves_the_queue_to_the_next() -> None:
    turns, impatient = Turns(60), Turns(0.01)
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
    turns = Turns(60)
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
