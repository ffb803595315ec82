"""Log files of a service behind the telemetry port: plain lines, and lines of JSON.

Rules: the service is the one that the settings name for the file, whatever a line says; a line begins with its time
(``times``), perhaps after ``<13>``, a bracket or a quote, or has it in brackets near its beginning as web servers
write it; a line without one belongs to the line before it, as a stack trace does; lines before the first time are
counted as malformed. In a line of JSON time, level and message are told by the usual names. At most ``MOST_LINES``
records of at most ``MOST_BYTES`` of one file are read.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import orjson

from twokey.tools.read.telemetry.bundle.files import Tally, whole_lines
from twokey.tools.read.telemetry.files.patterns import MOST_FILES, matching
from twokey.tools.read.telemetry.levels import level_of
from twokey.tools.read.telemetry.port import MAX_TEXT, Interval, LogRecord
from twokey.tools.read.telemetry.times import leading, moment

MOST_LINES: Final = 5_000_000
MOST_BYTES: Final = 4 * 1024 * 1024 * 1024
_BEFORE: Final = re.compile(r"(?:<\d{1,3}>(?:1 )?)?[\[\"'(]?")
_BETWEEN: Final = "]\"'): \t,-|"
"""What may stand between a time and what is said."""
_WITHIN: Final = re.compile(r"^.{0,120}?\[(?=\d\d/[A-Z][a-z]{2}/\d{4}:)")
_TIMES: Final = ("time", "timestamp", "@timestamp", "ts", "datetime", "date", "asctime")
_LEVELS: Final = ("level", "severity", "levelname", "lvl", "log.level", "loglevel", "priority")
_MESSAGES: Final = ("message", "msg", "log", "body", "event", "text")


class LogFiles:
    """Lines of ``patterns`` (service to pattern), in ``zone`` where they name none. Not shared between threads."""

    def __init__(self, folder: Path, patterns: Mapping[str, str], zone: dt.tzinfo = dt.UTC) -> None:
        self._folder = folder
        self._patterns = dict(patterns)
        self._zone = zone

    def logs(self, within: Interval, tally: Tally) -> Iterator[LogRecord]:
        """Give the records of ``within``, file by file; what falls short goes to ``tally``."""
        left = MOST_LINES
        for service, pattern in self._patterns.items():
            paths, more = matching(self._folder, pattern)
            if more:
                tally.too_much = MOST_FILES
            for path in paths:
                for record in self._file(path, service, within, tally):
                    if not left:
                        tally.too_much = MOST_LINES
                        return
                    left -= 1
                    yield record

    def _file(self, path: Path, service: str, within: Interval, tally: Tally) -> Iterator[LogRecord]:
        try:
            latest = path.lstat().st_mtime
        except OSError:  # it has just been moved away
            tally.unreadable = True
            return
        held: LogRecord | None = None
        for line in _lines(whole_lines(path.parent, path.name, MOST_BYTES, tally)):
            record = self._record(line, service, latest)
            if record is None:
                if held is None:
                    tally.malformed += 1
                elif len(held.message) < MAX_TEXT:
                    held = held._replace(message=f"{held.message}\n{line}"[:MAX_TEXT])
                continue
            if held is not None and held.time in within:
                yield held
            held = record
        if held is not None and held.time in within:
            yield held

    def _record(self, line: str, service: str, latest: float) -> LogRecord | None:
        if line.startswith("{"):
            made = self._object(line, service, latest)
            if made is not None:
                return made
        within = _WITHIN.match(line)
        before = within or _BEFORE.match(line)
        begins = before.end() if before else 0
        found = leading(line[begins : begins + 64], self._zone, latest)
        if found is None:
            return None
        at, ends = found
        message = line if within else line[begins + ends :].lstrip(_BETWEEN)
        return LogRecord(at, service, level_of("", line), message[:MAX_TEXT])

    def _object(self, line: str, service: str, latest: float) -> LogRecord | None:
        try:
            value: Any = orjson.loads(line)
        except ValueError:
            return None
        found = cast("dict[str, Any]", value)
        told = next((found[name] for name in _TIMES if name in found), None)
        at = moment(str(told), self._zone, latest) if isinstance(told, str | int | float) else None
        message = next((found[name] for name in _MESSAGES if isinstance(found.get(name), str)), None)
        if at is None or message is None:
            return None
        level = next((str(found[name]) for name in _LEVELS if found.get(name)), "")
        return LogRecord(at, service, level_of(level, message), message[:MAX_TEXT])


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    for block in blocks:
        for line in block.split(b"\n"):
            if line and not line.isspace():
                yield line[: 4 * MAX_TEXT].decode("utf-8", "replace").rstrip()
