"""Log lines of a Loki behind the telemetry port. After its HTTP API (``/loki/api/v1/query_range``).

Rules: only the selector of the settings is asked, as it is; lines come page by page, oldest first, and at most
``MAX_LINES`` of them; where a page holds nothing but lines of one instant that were there before, reading goes on after
that instant and says that lines may be missing; where it stops answering, what was read is given, and that is said. A
line's service is the first label of those that the settings name.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from twokey.core.errors import EnvironmentFault
from twokey.tools.read.telemetry.asking import Asker
from twokey.tools.read.telemetry.levels import level_of
from twokey.tools.read.telemetry.port import MAX_NAME, MAX_TEXT, Interval, LogRecord, Shortfall

PAGE: Final = 5_000
"""Lines of one answer; more is more than Loki gives unless it is told to."""
MAX_LINES: Final = 1_000_000
MAX_S: Final = 30 * 24 * 3_600
"""The longest stretch that one question is about, in seconds."""
_LEVELS: Final = ("level", "detected_level", "severity")
_NANO: Final = 1_000_000_000
Line = tuple[int, str, str, str]
"""Nanoseconds, service, level, text."""


class Loki:
    """Reads the lines of ``query`` through ``asker``. Not shared between threads."""

    def __init__(self, asker: Asker, query: str, service_labels: Sequence[str]) -> None:
        self._asker = asker
        self._query = query
        self._labels = tuple(service_labels)
        self._shortfalls: list[Shortfall] = []

    def logs(self, within: Interval) -> Iterator[LogRecord]:
        """Give the lines of ``within`` by time.

        Raises:
            EnvironmentFault: it cannot be asked.

        """
        start, end, given = round(within.start * _NANO), round(within.end * _NANO), 0
        seen: set[Line] = set()
        while start < end:
            until = min(end, start + MAX_S * _NANO)
            page = self._next(start, until, begun=bool(given))
            if page is None:
                return
            fresh = [line for line in page if line not in seen]
            for nanoseconds, service, level, text in fresh:
                if given >= MAX_LINES:
                    self._shortfalls.append(Shortfall("logs", "too_much", MAX_LINES))
                    return
                given += 1
                yield LogRecord(nanoseconds / _NANO, service, level, text)
            if len(page) < PAGE:
                start, seen = until, set()
            elif fresh:
                start = page[-1][0]
                seen = {line for line in page if line[0] == start}
            else:
                self._shortfalls.append(Shortfall("logs", "too_much", PAGE))
                start += 1

    def labels(self) -> int:
        """Give how many names of labels it knows: whether it answers.

        Raises:
            EnvironmentFault: it cannot be asked.

        """
        return len(_listed(self._asker.ask("/loki/api/v1/labels"), None))

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give what fell short so far."""
        return tuple(self._shortfalls)

    def _next(self, start: int, end: int, *, begun: bool) -> list[Line] | None:
        """Give a page; none where it cannot be read and others could."""
        try:
            return self._page(start, end)
        except EnvironmentFault:
            if not begun:
                raise
            self._shortfalls.append(Shortfall("logs", "unreadable", 1))
            return None

    def _page(self, start: int, end: int) -> list[Line]:
        answer = self._asker.ask(
            "/loki/api/v1/query_range",
            [
                ("query", self._query),
                ("start", str(start)),
                ("end", str(end)),
                ("limit", str(PAGE)),
                ("direction", "forward"),
            ],
        )
        found: list[Line] = []
        malformed = 0
        for item in _listed(answer, "streams"):
            stream = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
            labels, values = stream.get("stream"), stream.get("values")
            named = cast("dict[str, Any]", labels) if isinstance(labels, dict) else {}
            service = self._service(named)
            told = next((str(named[name]) for name in _LEVELS if named.get(name)), "")
            for entry in cast("list[Any]", values) if isinstance(values, list) else [None]:
                line = _line(entry)
                if line is None or not start <= line[0] < end:
                    malformed += 1
                else:
                    found.append((line[0], service, level_of(told, line[1]), line[1][:MAX_TEXT]))
        if malformed:
            self._shortfalls.append(Shortfall("logs", "malformed", malformed))
        return sorted(found)

    def _service(self, labels: Mapping[str, Any]) -> str:
        return next((str(labels[name]) for name in self._labels if labels.get(name)), "")[:MAX_NAME]


def _listed(answer: object, kind: str | None) -> list[Any]:
    """Give the list that an answer holds."""
    whole = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    data: Any = whole.get("data")
    if kind is not None and isinstance(data, dict):
        given = cast("dict[str, Any]", data)
        data = given.get("result") if given.get("resultType") == kind else None
    elif kind is None and data is None:
        data = []  # it holds nothing yet
    if whole.get("status") != "success" or not isinstance(data, list):
        raise EnvironmentFault(
            "What answers in place of Loki does not speak its API, or loki_query asks for no lines.",
            next="Check the keys loki and loki_query in twokey.toml.",
            code="telemetry_answer",
        )
    return cast("list[Any]", data)


def _line(entry: object) -> tuple[int, str] | None:
    """Read one entry: nanoseconds as text, and the line (a third part, newer ones have, is not read)."""
    if not isinstance(entry, list) or len(cast("list[Any]", entry)) < 2:
        return None
    at, text = cast("list[Any]", entry)[:2]
    if not isinstance(at, str) or not at.isascii() or not at.isdigit() or len(at) > 19 or not isinstance(text, str):
        return None
    return int(at), text
