"""Has the threads of one process change a database one after the other, in the order in which they came.

Rules: a database with one writer lets the next one in by having all others ask again after a pause, so that one thread
can wait for long while others come and go; here nobody overtakes. Whoever waits is woken at once. Other processes are
not held up by it, nor do they hold it up: the database's own lock stands as it did. Nobody waits longer than they would
have waited for that lock; who gives up, or is interrupted, leaves the queue.
"""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock that is given to whoever has waited longest. A thread that holds it must not ask for it again."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        """Wait for one's turn; raises ``TimeoutError`` where it does not come in time."""
        with self._guard:
            if not self._held:
                self._held = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        try:
            come = mine.wait(self._patience_s)
        except BaseException:
            self._leave(mine)
            raise
        if not come:
            self._leave(mine)
            raise TimeoutError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._pass_on()

    def _leave(self, mine: threading.Event) -> None:
        """Leave the queue; a turn that has come meanwhile goes to the next one."""
        with self._guard:
            if mine.is_set():
                self._pass_on()
            else:
                self._waiting.remove(mine)

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()  # it is held on, by the next one
        else:
            self._held = False
