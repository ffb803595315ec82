"""How fast an incident's suspects are ranked: ``twokey bench incident``, beside a floor measured in the same run.

Rules
- What is ranked is a made-up incident bundle, read from disk each time: metrics alone (``metrics``), and metrics with
  logs and traces (``calls``). The path is the product's: read, compare, rank.
- The floor is reading the same files and unpacking them, and no more; beside it stands Python's own ``csv`` over the
  same samples, which is what a plain reader pays.
- ``large`` (not with ``--quick``) is one bundle with thousands of series and very many lines, in a process of its own,
  with the memory that it took.
- Figures are of the processor's time, because other programs share the machine; ``_by_the_clock`` is of the clock.
"""

import csv
import gzip
import io
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from twokey.core.errors import EnvironmentFault

START: Final = 1_700_000_000
STEP: Final = 300
WINDOW: Final = 5
SERVICES: Final = 40
METRICS: Final = ("latency_p50", "latency_p95", "latency_p99", "errors", "availability", "requests", "cpu_usage")
BEFORE: Final = 288
LINES: Final = 4_000
REPEATS: Final = 9
LARGE_SERVICES: Final = 1_429
"""Times seven metrics: ten thousand series."""
LARGE_LINES: Final = 10_000_000
TOLD: Final = 1_000_000
"""Lines after which is told how far it is."""
_PROGRAM: Final = """
import json, resource, sys, time
from pathlib import Path
started = time.process_time()
from twokey.agents.incident.ranking import rank
from twokey.tools.read.telemetry.bundle import Bundle
from twokey.tools.read.telemetry.changes.gathering import gather
imported = time.process_time()
clock = time.perf_counter()
bundle = Bundle(Path(sys.argv[1]))
rank(gather(bundle, bundle.incident))
taken = time.process_time() - imported, time.perf_counter() - clock
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps([imported - started, *taken, peak]))
"""


def measure(
    *,
    quick: bool = False,
    services: int = LARGE_SERVICES,
    lines: int = LARGE_LINES,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure; gives milliseconds a case, start-up, floors, and for ``large`` seconds and MiB.

    ``tell`` gets a line whenever a part is done.

    Raises:
        EnvironmentFault: a process of its own could not be started.

    """
    repeats = 3 if quick else REPEATS
    with TemporaryDirectory() as place:
        metrics, calls = Path(place) / "metrics", Path(place) / "calls"
        rows = write(metrics, SERVICES)
        write(calls, SERVICES, lines=LINES)
        started = _apart(metrics)
        ranked = _repeated(lambda: _rank(metrics), repeats)
        with_calls = _repeated(lambda: _rank(calls), repeats)
        floor = _repeated(lambda: _unpack(metrics), repeats)
        result: dict[str, Any] = {
            "ms_per_case": ranked,
            "ms_per_case_with_calls": with_calls,
            "samples": rows,
            "lines": LINES,
            "floor_read_ms": floor,
            "vs_read": round(ranked / max(floor, 0.1), 1),
            "floor_csv_ms": _repeated(lambda: _plain(metrics), repeats),
            "import_ms": round(1_000 * started[0]),
            "rss_mb": round(started[3]),
        }
        if not quick:
            large = Path(place) / "large"
            tell(f"writing {services * len(METRICS):,} series and {lines:,} lines")
            rows = write(large, services, lines=lines, tell=tell)
            tell(f"ranking them in a process of its own; {lines:,} lines take minutes" if lines > TOLD else "ranking")
            taken = _apart(large)
            result["large"] = {
                "series": services * len(METRICS),
                "samples": rows,
                "lines": lines,
                "seconds": round(taken[1], 1),
                "seconds_by_the_clock": round(taken[2], 1),
                "rss_mb": round(taken[3]),
            }
    return result


def write(folder: Path, services: int, lines: int = 0, tell: Callable[[str], None] = lambda _: None) -> int:
    """Write a made-up bundle; gives how many samples it has. ``tell`` gets a line for each million lines."""
    folder.mkdir(parents=True)
    random = Random(folder.name)  # noqa: S311 - a fixed stream, no secret
    names = [f"service-{at:04}" for at in range(services)]
    end = START + WINDOW * STEP
    about = {
        "id": folder.name,
        "title": "latency is out of its usual range",
        "service": names[0],
        "window": {"from": _iso(START), "to": _iso(end)},
        "baseline": {"from": _iso(START - BEFORE * STEP), "to": _iso(START)},
    }
    (folder / "incident.json").write_text(json.dumps(about), encoding="utf-8")
    calls = "".join(f"{names[(at - 1) // 3]},{names[at]}\n" for at in range(1, services))
    (folder / "topology.csv").write_text("caller,callee\n" + calls, encoding="utf-8")
    count = 0
    with gzip.open(folder / "metrics.csv.gz", "wt", compresslevel=1, encoding="utf-8") as file:
        file.write("time,service,metric,value\n")
        noise = [math.exp(random.gauss(0, 0.05)) for _ in range(997)]
        for service in names:
            for metric in METRICS:
                slow = 4.0 if metric.startswith("latency") and service == names[-1] else 1.0
                for at in range(BEFORE + WINDOW):
                    level = 50 * noise[(count + at) % 997] * (slow if at >= BEFORE else 1.0)
                    file.write(f"{START + (at - BEFORE) * STEP},{service},{metric},{level:.9f}\n")
                count += BEFORE + WINDOW
    if lines:
        _packed(folder / "logs.jsonl.gz", _logs(random, names, lines, end, tell))
        _packed(folder / "traces.jsonl.gz", _spans(random, names, min(lines, 20_000), end))
    return count


def _logs(random: Random, names: list[str], lines: int, end: int, tell: Callable[[str], None]) -> Iterable[str]:
    words = [f"{verb} {thing}" for verb in ("read", "stored", "sent", "checked") for thing in ("order", "page", "key")]
    for at in range(lines):
        if at and at % TOLD == 0:
            tell(f"{at:,} lines written")
        second = START - 600 + (end - START + 600) * at / lines
        yield (
            f'{{"time":"{_iso(second)}","service":"{names[at % len(names)]}","level":"INFO",'
            f'"message":"{words[at % len(words)]} {random.randrange(10**9)} in {at % 977} ms"}}\n'
        )


def _spans(random: Random, names: list[str], spans: int, end: int) -> Iterable[str]:
    for at in range(spans):
        second = START - 600 + (end - START + 600) * at / spans
        parent = "null" if at % 4 == 0 else f'"{at - 1}"'
        yield (
            f'{{"time":"{_iso(second)}","trace_id":"{at // 4}","span_id":"{at}","parent_id":{parent},'
            f'"service":"{names[at % len(names)]}","operation":"handle",'
            f'"duration_ms":{(5 - at % 4) * 10 + random.random():.3f},"status":null}}\n'
        )


def _packed(file: Path, lines: Iterable[str]) -> None:
    with gzip.open(file, "wt", compresslevel=1, encoding="utf-8") as opened:
        opened.writelines(lines)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rank(folder: Path) -> None:
    from twokey.agents.incident.ranking import rank  # noqa: PLC0415 - numpy comes in where it is needed
    from twokey.tools.read.telemetry.bundle import Bundle  # noqa: PLC0415 - as above
    from twokey.tools.read.telemetry.changes.gathering import gather  # noqa: PLC0415 - as above

    bundle = Bundle(folder)
    rank(gather(bundle, bundle.incident))


def _unpack(folder: Path) -> None:
    for file in folder.iterdir():
        content = file.read_bytes()
        if file.suffix == ".gz":
            gzip.decompress(content)


def _plain(folder: Path) -> None:
    text = gzip.decompress((folder / "metrics.csv.gz").read_bytes()).decode()
    for row in csv.DictReader(io.StringIO(text)):
        float(row["time"])
        float(row["value"])


def _repeated(work: Callable[[], None], repeats: int) -> float:
    taken: list[float] = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return round(1_000 * median(taken), 1)


def _apart(folder: Path) -> tuple[float, float, float, float]:
    """Rank in a process of its own: import, processor time, time by the clock in seconds, and MiB at its peak."""
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder)], capture_output=True, text=True, check=False, timeout=3_600
    )
    if ended.returncode:
        raise EnvironmentFault(
            "The process that ranks a bundle apart did not end well.", next="Try again; is there memory left?"
        )
    imported, taken, clock, peak = json.loads(ended.stdout)
    return float(imported), float(taken), float(clock), float(peak)
