"""Who drives a run: a short lease in the database that is renewed while its process works, and a lock on its machine.

Rules: the lease says who drives a run, and a driver that could not renew it in time stops before its next step,
whatever it is doing. The lock, which the system takes back when a process dies, says whether a process of this machine
still lives; only a process whose lock lies here is ever called dead before its lease has run out. A process that stands
still is not dead: it is taken over when its lease has run out.
"""

import fcntl
import logging
import os
import re
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from twokey.core.errors import LogUnavailable
from twokey.core.ports import Clock
from twokey.store import runs
from twokey.tools.fencing import lease_lost
from twokey.tools.ledger import Ledger

LEASE_S: Final = 10.0
"""How long a driver that says nothing keeps its runs, in seconds."""
BEAT_S: Final = 2.5
"""How often leases are renewed, in seconds."""
MARGIN_S: Final = 1.0
"""A driver stops relying on a lease this long before it ends, in seconds: clocks differ."""
NOBODY: Final = "x-000000000000"
"""Stands for a holder whose name in the database is no name that Twokey gives."""

_logger: Final = logging.getLogger("twokey.driving")

Life = Literal["alive", "dead", "unknown"]

_HOLDER: Final = re.compile(r"x-[0-9a-z]{12}")
_FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Drivers:
    """The locks of one workspace on this machine, each a file named like the holder of a lease."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alive(self, holder: str) -> Generator[None]:
        """Hold the lock of ``holder``, an id nobody had before, as long as the context lasts.

        Where the database failed meanwhile, its lease is still there: the file stays, and tells that nobody holds it.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / holder
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        given_back = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except LogUnavailable:
            given_back = False
            raise
        finally:
            if given_back:
                path.unlink(missing_ok=True)
            os.close(descriptor)

    def life(self, holder: str) -> Life:
        """Tell what became of ``holder``. What a database row says is taken for a name and for nothing else."""
        if not _HOLDER.fullmatch(holder):
            return "unknown"
        try:
            descriptor = os.open(self._folder / holder, _FLAGS)
        except OSError:  # it is not there, or it is nothing that this class made
            return "unknown"
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "alive"
        finally:
            os.close(descriptor)
        return "dead"

    def forget(self, holder: str) -> None:
        """Remove what a dead holder left behind."""
        if self.life(holder) == "dead":
            (self._folder / holder).unlink(missing_ok=True)


def holder_name(stored: str) -> str:
    """Give the name of a holder as the log may hold it."""
    return stored if _HOLDER.fullmatch(stored) else NOBODY


def _uptime() -> float:
    """Seconds that also count while the process stands still or the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Holding:
    """The lease on one run, as its driver sees it."""

    def __init__(self, ledger: Ledger, clock: Clock, run: str, holder: str, *, lease_s: float) -> None:
        self.run = run
        self.holder = holder
        self._ledger = ledger
        self._clock = clock
        self._lease_s = lease_s
        self._good_until = 0.0
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether it is certain that somebody else drives the run."""
        return self._lost

    def until_us(self) -> int:
        """Give the end of a lease that begins now, and rely on it: for the transaction that takes the run."""
        self._good_until = _uptime() + self._lease_s - MARGIN_S
        return self._clock.now_us() + int(self._lease_s * 1_000_000)

    def check(self) -> None:
        """Go on only with a lease that is good; one that may have run out meanwhile is renewed first.

        Raises:
            LeaseLost: another process drives the run.
            LogUnavailable: the database does not say.

        """
        if not self._lost and _uptime() >= self._good_until:
            self.renew()
        if self._lost:
            raise lease_lost(self.run)

    def renew(self) -> None:
        """Renew the lease, or find that it was lost; raises ``LogUnavailable``."""
        began = _uptime()
        with self._ledger.change() as unit:
            until = self._clock.now_us() + int(self._lease_s * 1_000_000)
            kept = runs.renew_run(unit.connection, self.run, holder=self.holder, until=until)
        if kept:
            self._good_until = began + self._lease_s - MARGIN_S
        else:
            self._lost = True


class Heart:
    """Renews every lease of this process, in one thread that lives while there is any."""

    def __init__(self, ledger: Ledger, clock: Clock, *, lease_s: float = LEASE_S, beat_s: float = BEAT_S) -> None:
        """Times are in seconds."""
        self._ledger = ledger
        self._clock = clock
        self._lease_s = lease_s
        self._beat_s = beat_s
        self._lock = threading.Condition()
        self._held: set[Holding] = set()
        self._beating = False

    def holding(self, run: str, holder: str) -> Holding:
        """Give a lease that is yet to be taken."""
        return Holding(self._ledger, self._clock, run, holder, lease_s=self._lease_s)

    @contextmanager
    def beats(self, holding: Holding) -> Generator[None]:
        """Renew a lease that was taken as long as the context lasts."""
        with self._lock:
            self._held.add(holding)
            if not self._beating:
                self._beating = True
                threading.Thread(target=self._beat, name="twokey-heart", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(holding)

    def _beat(self) -> None:
        while True:
            with self._lock:
                self._lock.wait(self._beat_s)
                held = [holding for holding in self._held if not holding.lost]
                if not self._held:
                    self._beating = False
                    return
            for holding in held:
                try:
                    holding.renew()
                except LogUnavailable as error:
                    # The driver finds out by itself when its lease is no longer good.
                    _logger.warning("lease on %s could not be renewed: %s", holding.run, error.message)
