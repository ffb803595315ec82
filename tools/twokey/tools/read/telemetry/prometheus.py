"""Metrics of a Prometheus behind the telemetry port, and its alerts. After the HTTP API of Prometheus 2 (``/api/v1``).

Rules: only the expressions that the settings name are asked, as they are; what a label or an annotation says is outside
text and never part of a question. A series' service is its first label of those that the settings name; what its other
labels say stands behind the metric's name, so that series stay apart. Steps are as far apart as the settings say, or
farther, so that no series has more than ``MAX_POINTS``; then of each step the least and the greatest are kept, worked
out by Prometheus. Series beyond ``MAX_SERIES`` and what is no number are left out and said so. One expression that
cannot be answered does not spoil the others.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np

from twokey.core.errors import EnvironmentFault
from twokey.tools.read.telemetry.asking import Asker, TooLong
from twokey.tools.read.telemetry.firing import Firing
from twokey.tools.read.telemetry.port import MAX_NAME, MAX_TEXT, Interval, Series, Shortfall
from twokey.tools.read.telemetry.times import moment

MAX_POINTS: Final = 720
"""Steps of one series; where steps lie farther apart than the settings say, each gives two samples."""
MAX_SERIES: Final = 10_000
MAX_ALERTS: Final = 2_000
COARSER: Final = 3
"""How often an expression whose answer is too long is asked again with longer steps."""
_FACTOR: Final = 4
_SPECIAL: Final = frozenset({"__name__", "le", "quantile"})
_BOUNDS: Final = ("max_over_time", "min_over_time")
Labels = Mapping[str, str]
Points = dict[float, float]


class Prometheus:
    """Reads ``queries`` (metric to expression) through ``asker``. Not shared between threads."""

    def __init__(
        self, asker: Asker, queries: Mapping[str, str], service_labels: Sequence[str], *, step_s: int = 15
    ) -> None:
        self._asker = asker
        self._queries = dict(queries)
        self._labels = tuple(service_labels)
        self._step = step_s
        self._shortfalls: list[Shortfall] = []

    def series(self, within: Interval) -> tuple[Series, ...]:
        """Give every series with samples in ``within``, sorted; see ``port.Telemetry.series``.

        Raises:
            EnvironmentFault: no expression could be answered.

        """
        found: dict[tuple[str, str], Points] = {}
        faults: list[EnvironmentFault] = []
        for metric, query in self._queries.items():
            try:
                self._read(metric, query, within, found)
            except EnvironmentFault as error:
                faults.append(error)
                self._shortfalls.append(Shortfall("metrics", "unreadable", 1))
        if faults and len(faults) == len(self._queries):
            raise faults[0]
        return tuple(
            Series(service, metric, np.array(times, dtype=np.float64), np.array([points[time] for time in times]))
            for (service, metric), points in sorted(found.items())
            if (times := sorted(time for time in points if time in within))
        )

    def count(self, query: str, at: float) -> int:
        """Give how many series an expression has at an instant (seconds).

        Raises:
            EnvironmentFault: it cannot be asked.

        """
        answer = self._data("/api/v1/query", [("query", f"count({query}\n)"), ("time", f"{at:.3f}")])
        result = answer.get("result")
        if not isinstance(result, list) or not result:
            return 0
        value = _number(_pair(cast("list[Any]", result)[0], "value")[1])
        return 0 if value is None else int(value)

    def alerts(self) -> tuple[Firing, ...]:
        """Give the alerts that fire or are about to, the latest first.

        Raises:
            EnvironmentFault: it cannot be asked.

        """
        listed = self._data("/api/v1/alerts", []).get("alerts")
        if not isinstance(listed, list):
            raise _odd()
        found: list[Firing] = []
        for item in cast("list[Any]", listed)[:MAX_ALERTS]:
            alert = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
            labels, notes = _texts(alert.get("labels")), _texts(alert.get("annotations"))
            since = moment(str(alert.get("activeAt", "")))
            if since is None or alert.get("state") not in {"firing", "pending"}:
                self._shortfalls.append(Shortfall("events", "malformed", 1))
                continue
            found.append(
                Firing(
                    labels.get("alertname", "")[:MAX_NAME],
                    self.service(labels),
                    labels.get("severity", "")[:MAX_NAME],
                    "firing" if alert["state"] == "firing" else "pending",
                    since,
                    (notes.get("summary") or notes.get("description") or "")[:MAX_TEXT],
                )
            )
        if len(cast("list[Any]", listed)) > MAX_ALERTS:
            self._shortfalls.append(Shortfall("events", "too_much", MAX_ALERTS))
        return tuple(sorted(found, key=lambda alert: (-alert.since, alert.name, alert.service)))

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give what fell short so far."""
        return tuple(self._shortfalls)

    def service(self, labels: Labels) -> str:
        """Give the service that labels name; empty where they name none."""
        return next((labels[name] for name in self._labels if labels.get(name)), "")[:MAX_NAME]

    def _read(self, metric: str, query: str, within: Interval, found: dict[tuple[str, str], Points]) -> None:
        step = max(self._step, math.ceil(within.seconds / MAX_POINTS))
        for _ in range(COARSER):
            try:
                self._range(metric, query, within, step, found)
            except TooLong:
                self._shortfalls.append(Shortfall("metrics", "too_much", math.ceil(within.seconds / step)))
                step *= _FACTOR
            else:
                return
        self._range(metric, query, within, step, found)

    def _range(
        self, metric: str, query: str, within: Interval, step: int, found: dict[tuple[str, str], Points]
    ) -> None:
        asked = [query] if step == self._step else [f"{how}(({query}\n)[{step}s:{self._step}s])" for how in _BOUNDS]
        for number, expression in enumerate(asked):
            answer = self._data(
                "/api/v1/query_range",
                [
                    ("query", expression),
                    ("start", f"{within.start:.3f}"),
                    ("end", f"{within.end:.3f}"),
                    ("step", str(step)),
                ],
            )
            self._take(metric, answer, number * step / 2, found)

    def _take(
        self, metric: str, answer: Mapping[str, Any], earlier: float, found: dict[tuple[str, str], Points]
    ) -> None:
        """Put the series of an answer to those that were found, their times ``earlier`` by so many seconds."""
        result = answer.get("result")
        if answer.get("resultType") != "matrix" or not isinstance(result, list):
            raise _odd()
        left_out = malformed = 0
        for item in cast("list[Any]", result):
            labels = _texts(cast("dict[str, Any]", item).get("metric") if isinstance(item, dict) else None)
            key = self.service(labels), self._named(metric, labels)
            if key not in found and len(found) >= MAX_SERIES:
                left_out += 1
                continue
            points = found.setdefault(key, {})
            for pair in _pairs(item):
                if pair is None or (value := _number(pair[1])) is None:
                    malformed += 1
                else:
                    points[pair[0] - earlier] = value
        if left_out:
            self._shortfalls.append(Shortfall("metrics", "too_much", MAX_SERIES))
        if malformed:
            self._shortfalls.append(Shortfall("metrics", "malformed", malformed))

    def _named(self, metric: str, labels: Labels) -> str:
        """Name a metric by what the settings call it, and by the labels that tell its series apart."""
        service = next((name for name in self._labels if labels.get(name)), "")
        rest = [f"{name}={text}" for name, text in sorted(labels.items()) if name not in {*_SPECIAL, service}]
        return (f"{metric} {{{', '.join(rest)}}}" if rest else metric)[:MAX_NAME]

    def _data(self, path: str, params: list[tuple[str, str]]) -> dict[str, Any]:
        answer = self._asker.ask(path, params)
        data = cast("dict[str, Any]", answer).get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or cast("dict[str, Any]", answer).get("status") != "success":
            raise _odd()
        return cast("dict[str, Any]", data)


def _odd() -> EnvironmentFault:
    return EnvironmentFault(
        "What answers in place of Prometheus does not speak its API.",
        next="Check the key prometheus in twokey.toml.",
        code="telemetry_answer",
    )


def _texts(value: object) -> dict[str, str]:
    """Give labels or annotations: names and texts, and nothing that is anything else."""
    items = cast("dict[object, object]", value).items() if isinstance(value, dict) else ()
    return {name: text for name, text in items if isinstance(name, str) and isinstance(text, str)}


def _pairs(item: object) -> Iterator[tuple[float, object] | None]:
    values = cast("dict[str, Any]", item).get("values") if isinstance(item, dict) else None
    for pair in cast("list[Any]", values) if isinstance(values, list) else ():
        yield _timed(pair)


def _pair(item: object, key: str) -> tuple[float, object]:
    found = _timed(cast("dict[str, Any]", item).get(key) if isinstance(item, dict) else None)
    if found is None:
        raise _odd()
    return found


def _timed(pair: object) -> tuple[float, object] | None:
    if not isinstance(pair, list) or len(cast("list[object]", pair)) != 2:
        return None
    at, value = cast("list[object]", pair)
    if not isinstance(at, int | float) or isinstance(at, bool) or not math.isfinite(at):
        return None
    return float(at), value


def _number(value: object) -> float | None:
    """Read a sample as the API writes it; nothing for what is no finite number."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
