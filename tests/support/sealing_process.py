"""A process that seals a database with the newest key, and may stand still in the middle of a batch.

Run as ``python sealing_process.py URL KEY [CHANGES]``: after so many changed rows it prints ``in the middle`` and goes no
further. At its end it prints how many rows it sealed, and how many are left.
"""

import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import event

from twokey.store import database, resealing
from twokey.store.sealing import KeyFile, Sealer

WORKSPACE = "w-000000000000"


def main(url: str, key: str, stops_after: int = 0) -> None:
    sealer = Sealer(KeyFile(Path(key), WORKSPACE), seals=True)
    engine = database.open_engine(url, sealer)
    changes = 0

    def count(*about: Any) -> None:
        nonlocal changes
        changes += str(about[2]).startswith("UPDATE")
        if stops_after and changes > stops_after:
            print("in the middle", flush=True)  # noqa: T201 - the parent reads it
            threading.Event().wait()

    event.listen(engine, "before_cursor_execute", count)
    done = resealing.reseal(engine, sealer, lambda _: None)
    print(done.sealed, done.left, flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
