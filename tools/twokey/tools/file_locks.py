"""The lock that one Twokey process holds against every other: on an open file or folder, until that is closed.

Rules: who waits does so for a bounded time; the system takes the lock back from a process that dies.
"""

import fcntl
import time
from typing import Final

from twokey.core.errors import TwokeyError

POLL_S: Final = 0.02


def hold(handle: int, wait_s: float, busy: TwokeyError) -> None:
    """Take the lock on ``handle``, waiting ``wait_s`` seconds at most; raises ``busy`` where another one keeps it."""
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise busy from error
            time.sleep(POLL_S)
        else:
            return
