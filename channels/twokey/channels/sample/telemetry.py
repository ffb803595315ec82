"""Two incident bundles (DESIGN, section 7): one with a cause, one without.

Rules: the names of the folders tell nothing about the answer; only ``truth.json`` does. Samples cover window and
baseline, one a minute, with noise and a few that are missing. gzip headers carry no time. In the first bundle a deploy
of ``feature-store`` makes lookups slow, and everything that waits for it gets slow and fails; a configuration change of
``model-registry`` at the same time costs CPU and harms nobody. In the second the collector was restarted: samples are
missing for two minutes in all services, and nothing else happened.
"""

import csv
import gzip
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from twokey.channels.sample import people
from twokey.channels.sample.streams import stream

Record: TypeAlias = Mapping[str, object]
_Say: TypeAlias = Callable[[float, str, str, str], None]

CALLS: Final = (
    ("batch-scorer", "feature-store"),
    ("churn-web", "gateway"),
    ("feature-store", "feature-cache"),
    ("feature-store", "warehouse-proxy"),
    ("gateway", "auth"),
    ("gateway", "scoring-api"),
    ("scoring-api", "feature-store"),
    ("scoring-api", "model-registry"),
)
"""Caller and callee, the edges of ``topology.csv``."""

BASELINE: Final = timedelta(hours=2)
_LOGS_BEFORE: Final = timedelta(minutes=20)
_TRACES_BEFORE: Final = timedelta(minutes=10)

# usual value and relative noise: milliseconds, share of requests, requests per second, share of a core, MiB
_METRICS: Final = ("cpu_usage", "error_rate", "latency_p95_ms", "memory_mb", "requests_per_s")
_NOISE: Final = dict(zip(_METRICS, (0.07, 0.25, 0.06, 0.01, 0.05), strict=True))
_USUAL: Final = {
    service: dict(zip(_METRICS, usual, strict=True))
    for service, usual in (
        ("auth", (0.18, 0.0008, 14.0, 210.0, 42.0)),
        ("batch-scorer", (0.40, 0.0010, 95.0, 900.0, 6.0)),
        ("churn-web", (0.22, 0.0020, 310.0, 340.0, 18.0)),
        ("feature-cache", (0.12, 0.0002, 3.0, 1500.0, 180.0)),
        ("feature-store", (0.35, 0.0010, 44.0, 620.0, 46.0)),
        ("gateway", (0.25, 0.0020, 168.0, 260.0, 42.0)),
        ("model-registry", (0.10, 0.0005, 21.0, 410.0, 9.0)),
        ("scoring-api", (0.31, 0.0020, 132.0, 780.0, 40.0)),
        ("warehouse-proxy", (0.20, 0.0010, 88.0, 300.0, 12.0)),
    )
}
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "auth": ("session {id} accepted", "key set refreshed, {n} keys"),
    "batch-scorer": ("batch {n} of 24 read, {big} rows", "batch {n} of 24 written"),
    "churn-web": ("GET /accounts/{id} 200 in {ms} ms", "GET /lists/this-week 200 in {ms} ms"),
    "feature-cache": ("evicted {n} keys", "hit ratio 0.9{n} over the last minute"),
    "feature-store": ("lookup of {n} entities in {ms} ms", "plan for entity set churn_v3 reused"),
    "gateway": ("POST /v1/score 200 in {ms} ms", "upstream scoring-api answered in {ms} ms"),
    "model-registry": ("served churn-5.9 to scoring-api", "alias champion is churn-5.9"),
    "scoring-api": ("scored account {id} in {ms} ms", "model churn-5.9 in memory"),
    "warehouse-proxy": ("query {id} returned {big} rows", "pool: {n} of 20 connections in use"),
}


@dataclass(frozen=True)
class _Effect:
    """``metric`` of ``service`` is multiplied by ``factor`` from minute ``start`` of the window up to ``end``."""

    service: str
    metric: str
    factor: float
    start: int = 2
    end: int = 20


@dataclass(frozen=True)
class _Event:
    """Something that was done or said, ``minute`` minutes after the start of the window."""

    minute: float
    kind: str
    service: str
    actor: str
    text: str


@dataclass(frozen=True)
class _Scenario:
    id: str
    title: str
    service: str
    before: timedelta
    minutes: int
    truth: Record
    effects: tuple[_Effect, ...]
    gap: range
    lines: tuple[tuple[float, str, str, str], ...]
    events: tuple[_Event, ...]


_SLOW: Final = tuple(
    _Effect(service, "latency_p95_ms", factor, start)
    for service, factor, start in (
        ("feature-store", 14.0, 2),
        ("scoring-api", 5.6, 3),
        ("gateway", 4.6, 3),
        ("churn-web", 2.9, 3),
        ("batch-scorer", 6.5, 3),
    )
)
_FAILING: Final = tuple(
    _Effect(service, "error_rate", factor, start)
    for service, factor, start in (
        ("feature-store", 62.0, 2),
        ("scoring-api", 35.0, 3),
        ("gateway", 33.0, 3),
        ("churn-web", 21.0, 4),
        ("batch-scorer", 28.0, 3),
    )
)

SCENARIOS: Final = (
    _Scenario(
        id="inc-0412",
        title="scoring-api: inference p95 above 400 ms for 5 minutes",
        service="scoring-api",
        before=timedelta(days=2, hours=22, minutes=48),
        minutes=30,
        truth={"service": "feature-store", "metric": "latency_p95_ms", "fault": "deploy"},
        effects=(
            *_SLOW,
            *_FAILING,
            _Effect("feature-store", "cpu_usage", 2.6),
            _Effect("feature-store", "memory_mb", 1.15),
            _Effect("model-registry", "cpu_usage", 1.7, -4, 30),  # the distractor
        ),
        gap=range(0),
        lines=(
            (1.3, "feature-store", "INFO", "starting feature-store 3.8.0"),
            (1.4, "feature-store", "WARN", "entity set churn_v3 has no plan, falling back to a full scan"),
            (
                5.2,
                "scoring-api",
                "ERROR",
                f"request of {people.CANARY_EMAIL} failed: feature-store timed out",
            ),
            (6.7, "scoring-api", "DEBUG", f"retrying with header X-Registry: {people.CANARY_CREDENTIAL}"),
            (19.5, "feature-store", "INFO", "starting feature-store 3.7.2"),
        ),
        events=(
            _Event(-97, "deploy", "churn-web", "lea", "churn-web 2.31.0: new column in the list of accounts"),
            _Event(-4.5, "config", "model-registry", "mia", "model-registry: keep 30 versions instead of 10"),
            _Event(1.2, "deploy", "feature-store", "deploybot", "feature-store 3.8.0: lookup planner rewritten"),
            _Event(8.1, "page", "scoring-api", "alertmanager", "inference p95 above 400 ms for 5 minutes"),
            _Event(9.6, "ack", "scoring-api", "sam", "on it"),
            _Event(11.0, "chat", "scoring-api", "jonas", "customer success sees a spinner instead of scores"),
            _Event(13.4, "chat", "scoring-api", "mia", "not the model, champion has been the same since Tuesday"),
            _Event(15.9, "chat", "scoring-api", "sam", "feature-store burns CPU since 3.8.0, rolling back"),
            _Event(19.3, "deploy", "feature-store", "sam", "feature-store 3.7.2: rollback of 3.8.0"),
            _Event(24.0, "chat", "scoring-api", "sam", "p95 is back under 150 ms"),
        ),
    ),
    _Scenario(
        id="inc-0409",
        title="scoring-api: no samples for 2 minutes",
        service="scoring-api",
        before=timedelta(days=6, hours=5, minutes=37),
        minutes=30,
        truth={"service": None},
        effects=(),
        gap=range(5, 7),
        lines=(),
        events=(
            _Event(-61, "deploy", "churn-web", "lea", "churn-web 2.30.4: texts of the help page"),
            _Event(5.0, "config", "prometheus", "deploybot", "prometheus restarted by the node upgrade"),
            _Event(7.0, "page", "scoring-api", "alertmanager", "no samples for 2 minutes"),
            _Event(10.2, "ack", "scoring-api", "sam", "looking"),
            _Event(12.5, "chat", "scoring-api", "sam", "all graphs have the same hole, the collector was down"),
        ),
    ),
)


def build(folder: Path, *, seed: int, now: datetime) -> None:
    """Write one folder per scenario under the new folder ``folder``."""
    for scenario in SCENARIOS:
        bundle = folder / scenario.id
        bundle.mkdir(parents=True)
        _write(bundle, scenario, seed, (now - scenario.before).replace(second=0, microsecond=0))


def _write(bundle: Path, scenario: _Scenario, seed: int, start: datetime) -> None:
    window = {"from": _iso(start), "to": _iso(start + timedelta(minutes=scenario.minutes))}
    baseline = {"from": _iso(start - BASELINE), "to": _iso(start)}
    about = {"id": scenario.id, "title": scenario.title, "service": scenario.service}
    _document(bundle / "incident.json", {**about, "window": window, "baseline": baseline})
    _document(bundle / "truth.json", scenario.truth)
    _table(bundle / "topology.csv", ("caller", "callee"), CALLS)
    samples = _metrics(stream(seed, f"metrics/{scenario.id}"), scenario, start)
    _table(bundle / "metrics.csv.gz", ("time", "service", "metric", "value"), samples)
    _lines(bundle / "logs.jsonl.gz", _logs(stream(seed, f"logs/{scenario.id}"), scenario, start))
    _lines(bundle / "traces.jsonl.gz", _traces(stream(seed, f"traces/{scenario.id}"), scenario, start))
    _lines(bundle / "events.jsonl", _events(scenario, start))


def _factor(scenario: _Scenario, service: str, metric: str, minute: float) -> float:
    return math.prod(
        effect.factor
        for effect in scenario.effects
        if (effect.service, effect.metric) == (service, metric) and effect.start <= minute < effect.end
    )


def _metrics(random: Random, scenario: _Scenario, start: datetime) -> Iterable[Sequence[object]]:
    first, before = int(start.timestamp()), int(BASELINE.total_seconds()) // 60
    for service, usual in _USUAL.items():
        for metric, value in usual.items():
            for minute in range(-before, scenario.minutes):
                swing = 1 + 0.04 * math.sin(2 * math.pi * minute / 75)
                noise = math.exp(random.gauss(0, _NOISE[metric]))
                if random.random() < 0.003 or minute in scenario.gap:
                    continue  # not measured
                level = value * swing * noise * _factor(scenario, service, metric, minute)
                yield first + 60 * minute, service, metric, round(level, 5)


def _logs(random: Random, scenario: _Scenario, start: datetime) -> list[Record]:
    lines: list[Record] = []

    def say(minute: float, service: str, level: str, message: str) -> None:
        time = _iso(start + timedelta(minutes=minute), "milliseconds")
        lines.append({"time": time, "service": service, "level": level, "message": message})

    for minute in range(-int(_LOGS_BEFORE.total_seconds()) // 60, scenario.minutes):
        for service, words in _WORDS.items():
            for _ in range(random.randrange(2, 6)):
                slow = _factor(scenario, service, "latency_p95_ms", minute)
                milliseconds = int(_USUAL[service]["latency_p95_ms"] * slow * random.uniform(0.3, 0.9))
                numbers = {"id": random.randrange(10_001, 15_001), "n": random.randrange(1, 10)}
                text = random.choice(words).format(**numbers, ms=milliseconds, big=random.randrange(200, 9_000))
                say(minute + random.random(), service, "INFO", text)
            if random.random() < 0.04:
                say(minute + random.random(), service, "WARN", "slow garbage collection, 212 ms")
        if _factor(scenario, "feature-store", "latency_p95_ms", minute) > 1:
            _complain(random, minute, say)
    for minute, service, level, message in scenario.lines:
        say(minute, service, level, message)
    return sorted(lines, key=lambda line: str(line["time"]))


def _complain(random: Random, minute: int, say: _Say) -> None:
    for _ in range(random.randrange(3, 8)):
        entities = random.randrange(20, 400)
        say(minute + random.random(), "feature-store", "ERROR", f"lookup timed out after 800 ms, {entities} entities")
    for _ in range(random.randrange(2, 6)):
        account = random.randrange(10_001, 15_001)
        text = f"scoring account {account} failed: upstream feature-store timed out"
        say(minute + random.random(), "scoring-api", "ERROR", text)
    for _ in range(random.randrange(1, 5)):
        say(minute + random.random(), "gateway", "ERROR", "POST /v1/score 504 upstream scoring-api timed out")


def _traces(random: Random, scenario: _Scenario, start: datetime) -> list[Record]:
    spans: list[Record] = []
    for minute in range(-int(_TRACES_BEFORE.total_seconds()) // 60, scenario.minutes):
        for second in (11, 41):
            spans.extend(_trace(random, scenario, start, minute + second / 60))
    return spans


def _trace(random: Random, scenario: _Scenario, start: datetime, minute: float) -> list[Record]:
    """One request from the browser down to the warehouse; what a service does itself takes its own share of time."""
    trace = f"{random.getrandbits(128):032x}"
    slow = _factor(scenario, "feature-store", "latency_p95_ms", minute)
    failed = slow > 1 and random.random() < 0.35
    # service, operation, depth, own milliseconds
    calls = (
        ("churn-web", "GET /accounts", 0, 60.0),
        ("gateway", "POST /v1/score", 1, 12.0),
        ("auth", "check", 2, 6.0),
        ("scoring-api", "score", 2, 35.0),
        ("model-registry", "champion", 3, 4.0),
        ("feature-store", "lookup", 3, 16.0 * slow),
        ("feature-cache", "get", 4, 1.0),
        ("warehouse-proxy", "query", 4, 9.0),
    )
    own = [milliseconds * math.exp(random.gauss(0, 0.2)) for *_, milliseconds in calls]
    spans: list[Record] = []
    path: list[str] = []
    for at, (service, operation, depth, _) in enumerate(calls):
        below = next((i for i in range(at + 1, len(calls)) if calls[i][2] <= depth), len(calls))
        span = f"{random.getrandbits(64):016x}"
        path[depth:] = [span]
        on_the_way = service in {"churn-web", "gateway", "scoring-api", "feature-store"}
        began = start + timedelta(minutes=minute, milliseconds=sum(own[:at]) / 2)
        spans.append(
            {
                "time": _iso(began, "microseconds"),
                "trace_id": trace,
                "span_id": span,
                "parent_id": path[depth - 1] if depth else None,
                "service": service,
                "operation": operation,
                "duration_ms": round(sum(own[at:below]), 3),
                "status": "error" if failed and on_the_way else "ok",
            }
        )
    return spans


def _events(scenario: _Scenario, start: datetime) -> list[Record]:
    return [
        {
            "time": _iso((start + timedelta(minutes=event.minute)).replace(microsecond=0)),
            "kind": event.kind,
            "service": event.service,
            "actor": event.actor,
            "text": event.text,
        }
        for event in scenario.events
    ]


def _iso(moment: datetime, precision: str = "seconds") -> str:
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _document(path: Path, value: Record) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    _put(path, text.getvalue())


def _lines(path: Path, records: Iterable[Record]) -> None:
    _put(path, "".join(json.dumps(record) + "\n" for record in records))


def _put(path: Path, text: str) -> None:
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
