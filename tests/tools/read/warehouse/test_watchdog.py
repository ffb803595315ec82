"""What runs too long is ended, and nothing else is."""

import threading

from twokey.tools.read.warehouse.watchdog import Watchdog


def test_what_runs_too_long_is_ended_once() -> None:
    ended = threading.Event()
    dog = Watchdog(ended.set)
    with dog.allow(0.01):
        assert ended.wait(60)
    ended.clear()
    with dog.allow(60):
        assert not ended.is_set()
    with dog.allow(0.01):
        assert ended.wait(60), "a shorter time after a longer one wakes it"
    dog.close()


def test_nothing_is_ended_between_two_statements() -> None:
    ended: list[int] = []
    now = [0.0]
    dog = Watchdog(lambda: ended.append(1), clock=lambda: now[0])
    with dog.allow(5):
        pass
    now[0] = 100
    with dog.allow(5):
        pass
    dog.close()
    assert ended == []


def test_one_that_was_never_used_closes() -> None:
    Watchdog(lambda: None).close()
