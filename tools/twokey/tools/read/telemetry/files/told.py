"""Events and call edges in files of their own, in the form of an incident bundle (DESIGN: ``events.jsonl``,
``topology.csv``), behind the telemetry port.

Rules: as for a bundle; what is no record is counted, reading is bounded.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from twokey.tools.read.telemetry.bundle.files import Tally, whole_lines
from twokey.tools.read.telemetry.bundle.records import event, records
from twokey.tools.read.telemetry.files.patterns import MOST_FILES, matching
from twokey.tools.read.telemetry.port import MAX_NAME, Edge, Event, Interval

MOST_EVENTS: Final = 50_000
MOST_EDGES: Final = 100_000
MOST_BYTES: Final = 64 * 1024 * 1024


def events_of(folder: Path, patterns: Sequence[str], within: Interval, tally: Tally) -> Iterator[Event]:
    """Give the events of ``within`` that files hold."""
    for pattern in patterns:
        paths, more = matching(folder, pattern)
        if more:
            tally.too_much = MOST_FILES
        for path in paths:
            lines = whole_lines(path.parent, path.name, MOST_BYTES, tally)
            yield from records(lines, event, within, MOST_EVENTS, tally)


def edges_of(folder: Path, patterns: Sequence[str], tally: Tally) -> tuple[Edge, ...]:
    """Give who calls whom, sorted."""
    found: set[Edge] = set()
    for path in [path for pattern in patterns for path in matching(folder, pattern)[0]]:
        blocks = whole_lines(path.parent, path.name, MOST_BYTES, tally)
        lines = (line for block in blocks for line in block.decode("utf-8", "replace").splitlines())
        try:
            for number, row in enumerate(csv.reader(lines)):
                if number == 0 and [name.strip() for name in row] == ["caller", "callee"]:
                    continue
                if len(row) != 2 or not all(row):
                    tally.malformed += 1
                elif len(found) >= MOST_EDGES:
                    tally.too_much = MOST_EDGES
                    break
                else:
                    found.add(Edge(row[0][:MAX_NAME], row[1][:MAX_NAME]))
        except csv.Error:
            tally.unreadable = True
    return tuple(sorted(found, key=lambda edge: (edge.caller, edge.callee)))
