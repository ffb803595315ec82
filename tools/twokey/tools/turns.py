"""Has the threads of one process change a database one after the other, in the order in which they came.

Rules: a database with one writer lets the next one in by having all others ask again after a pause, so that one thread
can wait for long while others come and go; here nobody overtakes. Whoever waits is woken at once. Other processes are
not held up by it, nor do they hold it up: the database's own lock stands as it did. Nobody waits longer than they would
have waited for that lock; who gives up, or is interrupted, leaves the queue.

Who waits with nothing but a load may be taken along by whoever has the turn, and then needs none of their own: they
learn how the ride ended, and never before it has ended. Nobody waits for others to come with a load.
"""

import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Generic, TypeVar

from twokey.core.errors import LogUnavailable
from twokey.core.values import Checkpoint

Load = TypeVar("Load")


class Ride:
    """What becomes of the loads that were taken along. It has failed unless ``arrive`` was called before ``end``."""

    def __init__(self) -> None:
        self._ended: Final = threading.Event()
        self._arrived = False
        self._fault: LogUnavailable | None = None
        self._checkpoint: Checkpoint | None = None

    def arrive(self, checkpoint: Checkpoint | None) -> None:
        """Say that everything has been committed, and which checkpoint covers it, where one does yet."""
        self._arrived, self._checkpoint = True, checkpoint

    def fail(self, fault: LogUnavailable) -> None:
        """Say what went wrong."""
        self._fault = fault

    def end(self) -> None:
        """Let go whoever was taken along."""
        self._ended.set()

    def wait(self) -> Checkpoint | None:
        """Wait for the end; gives the checkpoint that covers the load, where one does yet.

        Raises:
            LogUnavailable: nothing of it was taken, as far as is known.

        """
        self._ended.wait()
        if self._arrived:
            return self._checkpoint
        fault = self._fault
        if fault is None:
            raise LogUnavailable(
                "The change that this was to be written with was cut off.",
                next="Look whether it is there (`twokey audit show`), then try again.",
            )
        raise LogUnavailable(fault.message, next=fault.next, code=fault.code)  # an error of one's own for each thread


class _Place(Generic[Load]):
    """Where one thread waits, and what they would have others take along."""

    def __init__(self, load: Load | None) -> None:
        self.load: Final = load
        self.come: Final = threading.Event()
        self.ride: Ride | None = None


class Turns(Generic[Load]):
    """A lock that is given to whoever has waited longest. A thread that holds it must not ask for it again."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[_Place[Load]] = deque()

    def __enter__(self) -> None:
        """Wait for one's turn; raises ``TimeoutError`` where it does not come in time."""
        self.come(None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go()

    def come(self, load: Load | None) -> Ride | None:
        """Wait for one's turn, or, with a ``load``, for a ride: gives that, and nothing where the turn has come.

        Raises:
            TimeoutError: neither came in time.

        """
        with self._guard:
            if not self._held:
                self._held = True
                return None
            mine = _Place(load)
            self._waiting.append(mine)
        try:
            come = mine.come.wait(self._patience_s)
        except BaseException:
            self._leave(mine)
            raise
        if not come:
            self._leave(mine)
            if mine.ride is None:
                raise TimeoutError
        return mine.ride

    def go(self) -> None:
        """End one's turn."""
        with self._guard:
            self._pass_on()

    def take_along(self, ride: Ride, most: int) -> Sequence[Load]:
        """Take the loads that wait, ``most`` at most, in the order in which they came. For who has the turn."""
        loads: list[Load] = []
        with self._guard:
            for place in list(self._waiting):
                if place.load is not None and len(loads) < most:
                    self._waiting.remove(place)
                    loads.append(place.load)
                    place.ride = ride
                    place.come.set()
        return loads

    def _leave(self, mine: _Place[Load]) -> None:
        """Leave the queue; a turn that has come meanwhile goes to the next one, a load that was taken goes on."""
        with self._guard:
            if not mine.come.is_set():
                self._waiting.remove(mine)
            elif mine.ride is None:
                self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().come.set()  # it is held on, by the next one
        else:
            self._held = False
