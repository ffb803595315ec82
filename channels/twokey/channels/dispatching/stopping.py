"""Being asked to stop: by a signal, by a test, by whoever started the work.

Rules: asking is safe from any thread and from a signal's handler, and is never taken back; who waits wakes up at once.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Says whether, and when, to stop (port ``Stopping``)."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a handler may ask while its own thread is asking
        self._asked = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        """Whether it was asked for."""
        return self._asked

    def ask(self) -> None:
        """Ask to stop."""
        with self._lock:
            self._asked = True
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    async def wait(self) -> None:
        """Return once it is asked for."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(event.set)

        with self._lock:
            if self._asked:
                return
            self._waiting.append(wake)
        try:
            await event.wait()
        finally:
            with self._lock:
                if wake in self._waiting:
                    self._waiting.remove(wake)

    @contextmanager
    def heard(self) -> Generator[None]:
        """Ask when the process gets SIGTERM or SIGINT, where no event loop runs yet; see ``on_signals``."""
        main = threading.current_thread() is threading.main_thread()
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS} if main else {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self.ask()

    @contextmanager
    def on_signals(self) -> Generator[None]:
        """Ask when the process gets SIGTERM or SIGINT. Only its main thread hears of them; in another one they pass."""
        loop = asyncio.get_running_loop()
        heard = SIGNALS if threading.current_thread() is threading.main_thread() else ()
        for number in heard:
            loop.add_signal_handler(number, self.ask)
        try:
            yield
        finally:
            for number in heard:
                loop.remove_signal_handler(number)
