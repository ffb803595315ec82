"""Works on jobs in threads of their own, and lets go of those that do not come back.

Rules: a thread that is still busy when its time is over does not keep the process from ending. It can do no harm: its
lease is given back or runs out, and whatever it changes is fenced.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

GRACE_S: Final = 20.0
"""How long a process that is to end waits for what it works on, in seconds."""


async def in_a_thread(work: Callable[[], None]) -> None:
    """Call ``work`` in a thread that may be abandoned, and return when it has returned; what it raises is raised."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - carried to whoever waits
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name="twokey-job", daemon=True).start()
    await done
