"""Incident bundles made of a seed, with what a summary of each has to say (``expected.json``).

Rules: names are drawn, so that nothing can be learnt by heart; a third of the pages is told twice (by another pager,
in another zone), events stand in the file in any order, times are written in several zones; every fifth bundle has no
cause: nothing but noise, and a page by mistake. The same seed gives the same bytes.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

_FIRST: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "indigo", "juniper", "kelp")
_SECOND: Final = ("orders", "search", "billing", "profile", "ranker", "gateway", "features", "ledger", "mailer")
_PEOPLE: Final = ("noor", "ivo", "lotte", "marek", "sanne", "tomas")
METRICS: Final = {"latency_p95_ms": 80.0, "error_rate": 0.002, "cpu_usage": 0.3, "requests_per_s": 40.0}
NOISE: Final = {"latency_p95_ms": 0.05, "error_rate": 0.2, "cpu_usage": 0.06, "requests_per_s": 0.05}
START: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MINUTES: Final = 40
BEFORE: Final = 120


@dataclass
class Made:
    """One bundle: where it is, and what a summary of it has to say."""

    folder: Path
    expected: dict[str, Any]
    services: tuple[str, ...] = ()
    events: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def build(folder: Path, number: int, *, poison: str = "") -> Made:
    """Write bundle ``number``; ``poison`` is put into log lines, chat and the texts of events."""
    random = Random(f"bundle {number}")  # noqa: S311 - the same bundle each time
    start = START + timedelta(days=number, minutes=random.randrange(600))
    services = _named(random)
    chain = services[:4]  # each calls the next; the last one is at fault
    culprit, alerting = chain[-1], chain[0]
    quiet = number % 5 == 4
    onset, over = 4 + random.randrange(4), 24 + random.randrange(4)
    made = Made(folder, {}, services)
    folder.mkdir(parents=True)
    about = {
        "id": f"case-{number:03d}",
        "title": f"{alerting}: requests too slow",
        "service": alerting,
        "window": {"from": _iso(start), "to": _iso(start + timedelta(minutes=MINUTES))},
        "baseline": {"from": _iso(start - timedelta(minutes=BEFORE)), "to": _iso(start)},
    }
    (folder / "incident.json").write_text(json.dumps(about))
    edges = [*pairwise(chain), *((services[4], other) for other in services[5:])]
    (folder / "topology.csv").write_text("caller,callee\n" + "".join(f"{a},{b}\n" for a, b in edges))
    _metrics(random, made, start, chain, None if quiet else (onset, over))
    _logs(random, made, start, culprit, None if quiet else (onset, over), poison)
    _events(random, made, start, (alerting, culprit), None if quiet else (onset, over), poison)
    truth = {"service": None if quiet else culprit, "metric": "latency_p95_ms", "fault": "deploy"}
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "expected.json").write_text(json.dumps(made.expected))
    return made


def _named(random: Random) -> tuple[str, ...]:
    pairs = [(one, other) for one in _FIRST for other in _SECOND]
    return tuple(f"{one}-{other}" for one, other in random.sample(pairs, 7))


def _metrics(
    random: Random, made: Made, start: datetime, chain: tuple[str, ...], wrong: tuple[int, int] | None
) -> None:
    lines = ["time,service,metric,value"]
    for service in made.services:
        for metric, usual in METRICS.items():
            level = usual * math.exp(random.gauss(0, 0.3))
            for minute in range(-BEFORE, MINUTES):
                value = level * math.exp(random.gauss(0, NOISE[metric]))
                if wrong and service in chain:
                    behind = len(chain) - 1 - chain.index(service)
                    if wrong[0] + (behind > 0) <= minute < wrong[1]:
                        value *= {"latency_p95_ms": 9.0 - 2 * behind, "error_rate": 30.0 - 5 * behind}.get(metric, 1.0)
                        value *= 2.2 if metric == "cpu_usage" and not behind else 1.0
                at = int((start + timedelta(minutes=minute)).timestamp())
                lines.append(f"{at},{service},{metric},{value:.6f}")
    (made.folder / "metrics.csv").write_text("\n".join(lines) + "\n")


def _logs(  # what a bundle is made of
    random: Random, made: Made, start: datetime, culprit: str, wrong: tuple[int, int] | None, poison: str
) -> None:
    records: list[dict[str, str]] = []

    def write(minute: float, service: str, level: str, message: str) -> None:
        time = _iso(start + timedelta(minutes=minute), "milliseconds")
        records.append({"time": time, "service": service, "level": level, "message": message})

    for minute in range(-20, MINUTES):
        for service in made.services:
            write(minute + random.random(), service, "INFO", f"handled {random.randrange(100, 900)} items")
        if wrong and wrong[0] <= minute < wrong[1]:
            for _ in range(4):
                write(minute + random.random(), culprit, "ERROR", f"pool exhausted after {random.randrange(90)} waits")
            if poison:
                write(minute + random.random(), culprit, "ERROR", poison)
    records.sort(key=lambda record: record["time"])
    (made.folder / "logs.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def _events(  # what a bundle is made of
    random: Random,
    made: Made,
    start: datetime,
    who: tuple[str, str],
    wrong: tuple[int, int] | None,
    poison: str,
) -> None:
    alerting, culprit = who
    people = random.sample(_PEOPLE, 2)
    timeline: list[dict[str, str]] = []
    changes: list[dict[str, str]] = []

    def happen(minute: float, kind: str, service: str, actor: str, text: str, *, zones: tuple[int, ...] = (0,)) -> None:
        at = (start + timedelta(minutes=minute)).replace(microsecond=0)
        for zone in zones:
            time = at.astimezone(timezone(timedelta(hours=zone))).isoformat() if zone else _iso(at)
            made.events.append({"time": time, "kind": kind, "service": service, "actor": actor, "text": text})
        timeline.append({"kind": kind, "time": _iso(at), "service": service})

    twice = (0, 2) if random.random() < 0.4 else (0,)
    other = made.services[5]
    happen(-50.5, "deploy", other, "ci", f"{other} 1.4.0: new texts")
    changes.append({"time": timeline[-1]["time"], "service": other})
    if wrong:
        onset, over = wrong
        happen(onset - 1.5, "deploy", culprit, "ci", f"{culprit} 2.0.0: new pool", zones=random.choice(((0,), (5,))))
        changes.append({"time": timeline[-1]["time"], "service": culprit})
        page = onset + random.choice((3.2, 7.4))
        happen(page, "page", alerting, "pager", "requests too slow", zones=twice)
        happen(page + 1.6, "ack", alerting, people[0], "on it", zones=(random.choice((0, -8)),))
        happen(page + 4.3, "chat", alerting, people[1], poison or "half of the pages stay empty")
        happen(over - 0.6, "mitigation", culprit, people[0], f"{culprit} 2.0.0 rolled back")
        began = _iso(start + timedelta(minutes=onset))
        timeline.append({"kind": "onset", "time": began})
        timeline.append({"kind": "recovery", "time": _iso(start + timedelta(minutes=over))})
        made.expected |= {"cause_service": culprit, "onset": began, "alerting_metric": "latency_p95_ms"}
        made.expected |= {"suspects": [culprit]}
    else:
        happen(9.3, "page", alerting, "pager", "requests too slow", zones=twice)
        happen(11.0, "ack", alerting, people[0], "looking")
        happen(14.2, "chat", alerting, people[0], poison or "nothing to see, the check was restarted")
        made.expected |= {"cause_service": None}
    made.expected |= {"change_events": changes, "timeline": timeline}
    random.shuffle(made.events)
    (made.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in made.events))


def _iso(moment: datetime, precision: str = "seconds") -> str:
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def about(folder: Path) -> Mapping[str, Any]:
    """Read what a bundle says of itself."""
    found: Mapping[str, Any] = json.loads((folder / "incident.json").read_text())
    return found
