"""A request whose scan has begun and cannot come to its end: nobody reads what it prints, and a pipe holds only so much."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from support.command import PATIENCE_S, Command, Done, warehouse

TABLES = 60
SMALLEST_PIPE = 4096
MINDS_INTERRUPTS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests that run in the background of a shell inherit that it is ignored
os.execv(sys.argv[1], sys.argv[1:])
"""


def long_warehouse(path: Path) -> Path:
    """A warehouse whose scan prints more than a small pipe holds."""
    names = (f"orders_of_the_year_{1900 + number}_{'_as_they_were_delivered' * 3}" for number in range(TABLES))
    return warehouse(path, *(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)" for name in names))


def in_the_middle_of_a_scan(twokey: Command, source: Path, *ask: object) -> tuple[subprocess.Popen[bytes], int]:
    """Start a request and let its scan of a long warehouse get stuck. Gives the process and its output."""
    arguments = twokey.arguments("catalog", "propose", source, *ask)
    return in_the_middle(arguments, source, twokey.folder, twokey.environment())


def in_the_middle(
    arguments: Sequence[str], source: Path, folder: Path, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """The same for a command that scans ``source``."""
    with closing(sqlite3.connect(source)) as connection:  # what did not change is not read again
        connection.execute(f"CREATE TABLE another_{time.time_ns()} (id INTEGER PRIMARY KEY)")
        connection.commit()
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
    process = subprocess.Popen(
        [sys.executable, "-c", MINDS_INTERRUPTS, *arguments],
        cwd=folder,
        # Not measured: an interrupt inside coverage's own code leaves its lock taken, and the process waits for ever.
        env={name: value for name, value in environment.items() if not name.startswith("COVERAGE_")},
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    # From here on the process alone can write, so that its end is the end of the pipe; whoever fills it opens it anew.
    os.close(writing)
    read = b""
    while b"profiled" not in read:
        part = os.read(reading, 64)
        assert part, process.communicate()
        read += part
    # From here on the process cannot say another word until somebody reads. The end that does not wait is our own.
    filling = os.open(f"/proc/self/fd/{reading}", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(filling, b"." * 64)
    os.close(filling)
    return process, reading


def to_its_end(process: subprocess.Popen[bytes], reading: int) -> Done:
    """Read on, and give what was left."""
    rest = b""
    while part := os.read(reading, 65536):
        rest += part
    os.close(reading)
    _, errors = process.communicate(timeout=PATIENCE_S)
    return Done(process.returncode, rest.decode(), errors.decode())


def told(ended: Done) -> list[str]:
    """What it told of its end. That a lease could not be renewed meanwhile is said only where that takes long."""
    return [line for line in ended.err.splitlines() if not line.startswith("lease on ")]
