"""A process that works on the jobs of one queue and says what it does.

Run as ``python job_process.py URL MODE``. It prints ``began SUBJECT`` for each job; in mode ``hold`` it never comes to
the end of one.
"""

import asyncio
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.channels.dispatching.local import LocalDispatcher
from twokey.channels.dispatching.postgresql import PostgresqlDispatcher
from twokey.channels.dispatching.stopping import Stop
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.jobs import Job
from twokey.core.ports import Dispatcher
from twokey.store import database, migrate
from twokey.tools.ledger import Ledger

WORKSPACE = "w-000000000000"
LEASE_S = 6.0
"""How long jobs of such a process, and of the tests beside it, are claimed; a busy machine may stall for seconds."""


@contextmanager
def dispatcher(url: str, folder: Path, *, grace_s: float = 20.0, lease_s: float = 10.0) -> Generator[Dispatcher]:
    """The dispatcher that goes with a database."""
    if url.startswith("postgresql"):
        made: Dispatcher = PostgresqlDispatcher(
            url.replace("postgresql+psycopg://", "postgresql://", 1), grace_s=grace_s, stalled_s=lease_s
        )
        yield made
        made.close()
        return
    engine = database.open_engine(url)
    migrate.migrate(engine)
    path = folder / "job.key"
    key = LogKey.load(path) if path.exists() else LogKey.create(path, WORKSPACE)
    ids, clock = RandomIds(), SystemClock()
    ledger = Ledger(engine, Log(engine, workspace=WORKSPACE, clock=clock, ids=ids, key=key), ids)
    made = LocalDispatcher(ledger, clock, ids, grace_s=grace_s, lease_s=lease_s)
    yield made
    made.close()
    engine.dispose()


def main(url: str, folder: str, mode: str) -> None:
    stop = Stop()

    def handle(job: Job) -> None:
        print(f"began {job.subject}", flush=True)  # noqa: T201 - the parent reads it
        if mode == "hold":
            threading.Event().wait()

    async def work() -> None:
        with stop.on_signals():
            await made.work(handle, stop, concurrency=1, drain=False)

    with dispatcher(url, Path(folder), grace_s=0.2, lease_s=LEASE_S) as made:
        asyncio.run(work())
    print("ended", flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main(*sys.argv[1:])
