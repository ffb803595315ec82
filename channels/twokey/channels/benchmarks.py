"""Benchmarks that measure the product's own path beside a floor in the same run."""

import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any


def startup(*, processes: int) -> dict[str, Any]:
    """Time ``twokey --help`` in fresh processes, beside a bare interpreter. Milliseconds and megabytes."""
    command = [sys.executable, "-c", "from twokey.channels.cli.main import main; main()", "--help"]
    floor = [sys.executable, "-c", "pass"]
    _timed(command)
    helps = [_timed(command) for _ in range(processes)]
    floors = [_timed(floor) for _ in range(processes)]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "help_ms": round(statistics.median(helps), 1),
        "floor_ms": round(statistics.median(floors), 1),
        "rss_mb": round(peak / 1024, 1),
        "processes": processes,
    }


def _timed(command: list[str]) -> float:
    """Give the wall time of one process in milliseconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"COLUMNS": "100"})
    return (time.perf_counter() - started) * 1000
