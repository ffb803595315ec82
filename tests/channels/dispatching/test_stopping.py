"""Being asked to stop before there is an event loop: from the moment anybody is told that there is something to stop."""

import signal
import threading

import pytest

from twokey.channels.dispatching.stopping import SIGNALS, Stop


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_heard_without_an_event_loop_and_the_handler_before_comes_back(number: signal.Signals):
    stop, before = Stop(), signal.getsignal(number)
    with stop.heard():
        assert not stop.asked
        signal.raise_signal(number)
        assert stop.asked
    assert signal.getsignal(number) is before


def test_a_thread_hears_no_signals_and_is_stopped_by_whoever_began_it():
    stop, before, seen = Stop(), signal.getsignal(signal.SIGTERM), list[object]()

    def work() -> None:
        with stop.heard():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
    assert not stop.asked
