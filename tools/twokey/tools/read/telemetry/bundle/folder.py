"""An incident bundle (DESIGN, section 7) behind the telemetry port.

Rules: ``incident.json`` is needed, every other file may be missing, and then there is nothing of its kind. The answer
to the incident, where a labelled bundle carries one, is never opened here. Files are read when they are first asked
for; samples are kept, lines and spans are read again each time. What could not be read is told by ``shortfalls`` and
is no error.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson

from twokey.core.errors import BadInput, NotFound
from twokey.tools.read.telemetry.bundle.files import Tally, exists, whole_lines
from twokey.tools.read.telemetry.bundle.records import event, log_record, moment, records, span
from twokey.tools.read.telemetry.bundle.samples import Samples, read_samples
from twokey.tools.read.telemetry.port import (
    MAX_NAME,
    Edge,
    Event,
    Incident,
    Interval,
    LogRecord,
    Series,
    Shortfall,
    Signal,
    Span,
)

_MIB: Final = 1024 * 1024
MOST_BYTES: Final[dict[Signal, int]] = {
    "metrics": 2_048 * _MIB,
    "logs": 8_192 * _MIB,
    "traces": 4_096 * _MIB,
    "topology": 16 * _MIB,
    "events": 64 * _MIB,
}
"""Bytes of unpacked text that are read of each file."""
MOST_LINES: Final = 20_000_000
MOST_SPANS: Final = 2_000_000
MOST_EVENTS: Final = 50_000
MOST_EDGES: Final = 100_000
MOST_BUNDLES: Final = 10_000
_ABOUT: Final = "incident.json"
_MOST_ABOUT: Final = 64 * 1024
_FILES: Final[dict[Signal, str]] = {
    "metrics": "metrics.csv",
    "logs": "logs.jsonl",
    "traces": "traces.jsonl",
    "topology": "topology.csv",
    "events": "events.jsonl",
}
MAX_SECONDS: Final = 366 * 86_400.0
"""The longest window or baseline."""


class Bundle:
    """One bundle; implements ``Telemetry``."""

    def __init__(self, folder: Path) -> None:
        """Open it; reads ``incident.json`` alone.

        Raises:
            NotFound: there is no bundle in ``folder``.
            BadInput: its ``incident.json`` cannot be used.

        """
        self._folder = folder
        self._incident = _about(folder)
        self._tallies: dict[Signal, Tally] = {}
        self._samples: Samples | None = None

    @property
    def incident(self) -> Incident:
        """The incident that the bundle is about."""
        return self._incident

    def holds(self) -> tuple[Signal, ...]:
        """Give the kinds of telemetry that there are files of."""
        return tuple(signal for signal, name in _FILES.items() if exists(self._folder, name))

    def incidents(self) -> tuple[Incident, ...]:
        """Give the one incident."""
        return (self._incident,)

    def series(self, within: Interval) -> tuple[Series, ...]:
        """Give every series with samples in ``within``, sorted by service and metric."""
        if self._samples is None:
            self._samples = read_samples(self._lines("metrics"), self._tallies["metrics"])
        return self._samples.within(within)

    def logs(self, within: Interval) -> Iterator[LogRecord]:
        """Give the lines of ``within`` as they are stored."""
        return records(self._lines("logs"), log_record, within, MOST_LINES, self._tallies["logs"])

    def spans(self, within: Interval) -> Iterator[Span]:
        """Give the spans that start in ``within`` as they are stored."""
        return records(self._lines("traces"), span, within, MOST_SPANS, self._tallies["traces"])

    def events(self, within: Interval) -> tuple[Event, ...]:
        """Give the events of ``within``, by time."""
        found = records(self._lines("events"), event, within, MOST_EVENTS, self._tallies["events"])
        return tuple(sorted(found, key=lambda each: each.time))

    def edges(self) -> tuple[Edge, ...]:
        """Give who calls whom, sorted."""
        lines = self._lines("topology")
        tally = self._tallies["topology"]
        rows = csv.reader(line for block in lines for line in block.decode(errors="replace").splitlines())
        found: set[Edge] = set()
        try:
            if [name.strip() for name in next(rows, ["caller", "callee"])] != ["caller", "callee"]:
                tally.unreadable = True
                return ()
            for row in rows:
                if len(row) != 2 or not all(row):
                    tally.malformed += bool(row)
                elif len(found) >= MOST_EDGES:
                    tally.too_much = MOST_EDGES
                    break
                else:
                    found.add(Edge(row[0][:MAX_NAME], row[1][:MAX_NAME]))
        except csv.Error:
            tally.unreadable = True
        return tuple(sorted(found, key=lambda each: (each.caller, each.callee)))

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give what fell short in what was read last of each kind."""
        return tuple(
            each for signal in _FILES if signal in self._tallies for each in self._tallies[signal].shortfalls()
        )

    def _lines(self, signal: Signal) -> Iterator[bytes]:
        self._tallies[signal] = tally = Tally(signal)
        return whole_lines(self._folder, _FILES[signal], MOST_BYTES[signal], tally)


def find_bundles(folder: Path) -> tuple[Path, ...]:
    """Give the folders at or below ``folder`` that hold an ``incident.json``, sorted; no link is followed.

    Raises:
        NotFound: there is none.
        BadInput: there are more than ``MOST_BUNDLES``.

    """
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders.sort()
        if _ABOUT in files:
            found.append(Path(place))
        if len(found) > MOST_BUNDLES:
            raise BadInput(
                f"There are more than {MOST_BUNDLES} incident bundles below that folder.", next="Name a part of it."
            )
    if not found:
        raise NotFound(
            "There is no incident bundle in that folder.",
            next="Name a folder that holds an incident.json, or one above.",
        )
    return tuple(sorted(found))


def _about(folder: Path) -> Incident:
    tally = Tally("events")
    text = b"".join(whole_lines(folder, _ABOUT, _MOST_ABOUT, tally)) if folder.is_dir() else b""
    if not text and not tally.unreadable:
        raise NotFound(
            "There is no incident bundle in that folder.", next="Name the folder that holds its incident.json."
        )
    if not tally.shortfalls():
        try:
            return _incident(orjson.loads(text))
        except (ValueError, TypeError, KeyError, OverflowError):
            pass
    raise BadInput(
        "The bundle's incident.json cannot be used.",
        next="It needs id, title, service, and window and baseline, each with ISO-8601 times from and to.",
    )


def _incident(found: Any) -> Incident:
    window, baseline = _interval(found["window"]), _interval(found["baseline"])
    if not window.seconds:
        raise ValueError("no window")
    named = {key: _text(found[key]) for key in ("id", "title", "service")}
    return Incident(**named, window=window, baseline=baseline)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value[:MAX_NAME]


def _interval(found: Any) -> Interval:
    interval = Interval(moment(found["from"]), moment(found["to"]))
    if interval.seconds > MAX_SECONDS:
        raise ValueError("too long")
    return interval


def hull(incident: Incident) -> Interval:
    """Give the shortest interval that covers window and baseline."""
    window, baseline = incident.window, incident.baseline
    return replace(window, start=min(window.start, baseline.start), end=max(window.end, baseline.end))
