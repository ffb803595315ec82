"""A process that changes state and records it, over and over, and says what it was promised.

Run as ``python log_writer.py URL KEY ROLE COUNT [NUMBER]``. Without a number, which tells it from others that write at
the same time, it prints ``open N`` before a commit and ``kept N ENTRY`` after the covering checkpoint; N is the value of
the row ``counter`` that the entry records.
"""

import sys
from pathlib import Path

from sqlalchemy import text

from twokey.audit.keys import LogKey, WriterKey
from twokey.audit.log import Log
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.events import StepEnded
from twokey.store.database import open_engine


def write(url: str, key: Path, role: str, count: int, number: int = 0, *, loud: bool = False) -> None:
    """Do ``count`` state changes; each one increments the row ``counter`` and records its new value."""
    engine = open_engine(url)
    log = Log(
        engine,
        workspace="w-000000000001",
        clock=SystemClock(),
        ids=RandomIds(),
        key=LogKey.load(key) if role == "gate" else WriterKey.load(key),
    )
    for _ in range(count):
        with engine.begin() as connection:
            value = connection.execute(text("UPDATE counter SET value = value + 1 RETURNING value")).scalar_one()
            event = StepEnded(run=f"r-00000000000{number}", step=value, agent="catalog", code="ok", findings=0)
            (entry,) = log.append(connection, event)
            checkpoint = log.settle(connection)
            if loud:
                print(f"open {value}", flush=True)  # noqa: T201 - the parent reads it
        if checkpoint is None:
            log.wait_covered([entry], 60)
        else:
            log.confirm(checkpoint)
        if loud:
            print(f"kept {value} {entry}", flush=True)  # noqa: T201 - the parent reads it
    engine.dispose()


if __name__ == "__main__":
    write(
        sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), *map(int, sys.argv[5:]), loud=len(sys.argv) == 5
    )
