"""How fast the audit log is written and verified, beside what one flush of this disk costs.

The floor is a file to which one record is appended and flushed (``fdatasync``), again and again, on the same disk.
Beside it stand entries that are appended the way every command appends them: one transaction each, covered by a signed
checkpoint that has been committed before the call returns; by one submitter, and by many at once. Verifying is what
``twokey audit verify`` does. Rates are entries a second by the clock.
"""

import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from twokey.audit.keys import LogKey
from twokey.audit.verify import SqliteSource, verify
from twokey.channels import wiring
from twokey.core.entropy import RandomIds
from twokey.core.errors import CheckFailed
from twokey.core.events import StepStarted
from twokey.core.sections import StoreSection
from twokey.tools.ledger import Ledger

SUBMITTERS: Final = 64
RECORD: Final = b"x" * 600
"""About what one entry takes."""


def audit(*, entries: int) -> dict[str, Any]:
    """Append ``entries`` with one submitter and as many with 64, and verify them all.

    Raises:
        CheckFailed: the log that was written does not verify.

    """
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as name:
        folder = Path(name)
        flush_s = _flushed(folder / "floor", entries)
        workspace = RandomIds().new("w")
        database = folder / "log.db"
        with wiring.new_ledger(folder, workspace, folder, StoreSection(url=f"sqlite:///{database}")) as ledger:
            one_s, _ = _appended(ledger, 1, entries)
            many_s, waits = _appended(ledger, SUBMITTERS, entries)
        key = LogKey.load(folder / wiring.LOG_KEY).verifier.vkey
        started = time.perf_counter()
        with closing(SqliteSource(database)) as source:
            report = verify(source, key=key)
        verify_s = time.perf_counter() - started
    if not report.ok or report.size < 2 * entries:
        raise CheckFailed(f"The log that was written does not verify: {report.reason}.", next="Report this.")
    per_flush = entries / flush_s
    return {
        "fdatasync_per_s": round(per_flush, 1),
        "append_per_s_1": round(entries / one_s, 1),
        "append_per_s_64": round(entries / many_s, 1),
        "append_vs_fsync_1": round(entries / one_s / per_flush, 3),
        "append_vs_fsync_64": round(entries / many_s / per_flush, 3),
        "append_p99_vs_fsync_64": round(sorted(waits)[int(len(waits) * 0.99)] * per_flush, 1),
        "verify_per_s": round(report.size / verify_s, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "entries": report.size,
        "sqlite": sqlite3.sqlite_version,
    }


def _flushed(file: Path, times: int) -> float:
    """Append a record and flush it, so many times; gives the seconds."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        started = time.perf_counter()
        for _ in range(times):
            os.write(descriptor, RECORD)
            os.fdatasync(descriptor)
        return time.perf_counter() - started
    finally:
        os.close(descriptor)


def _appended(ledger: Ledger, submitters: int, entries: int) -> tuple[float, Sequence[float]]:
    """Append entries from so many threads; gives the seconds, and how long each entry took."""
    run = RandomIds().new("r")

    def append(number: int) -> float:
        before = time.perf_counter()
        ledger.record(StepStarted(run=run, step=number % 50 + 1, agent="catalog"))
        return time.perf_counter() - before

    append(0)
    with ThreadPoolExecutor(submitters) as pool:
        started = time.perf_counter()
        waits = list(pool.map(append, range(entries)))
        return time.perf_counter() - started, waits
