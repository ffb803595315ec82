"""A week of a small serving platform, with the week before it, as telemetry that an ops review can be asked about.

Rules: a bundle like those of incidents, but about a whole week: Monday to Monday, UTC, the last one that was over at
``now``. A sample every five minutes; noise comes from the seed. What goes wrong in it is in ``PLANTED`` and nowhere in
the folder: on Wednesday scores are slow and fail for 55 minutes, and the queue is long; on Thursday retries run away
for 40 minutes; answers cost more than they may; the load grows by 1.2 % a day; a playground serves a model that nobody
registered, somebody uses a key that nobody registered, and one label makes 240 series.
"""

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from twokey.channels.sample.streams import stream

STEP_S: Final = 300
DAYS: Final = 14
_PER_DAY: Final = 86_400 // STEP_S
_SCORES, _ANSWERS, _PLAYGROUND, _GATEWAY = "scoring-api", "support-assistant", "prompt-playground", "gateway"
_USERS: Final = 240


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something planted: from minute ``start`` of the week to ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Planted:
    """What a review has to find."""

    slow: Trouble = Trouble(2 * 1_440 + 14 * 60 + 5, 2 * 1_440 + 15 * 60)
    runaway: Trouble = Trouble(3 * 1_440 + 9 * 60, 3 * 1_440 + 9 * 60 + 40)
    strange_endpoint: str = _PLAYGROUND
    strange_key: str = "trial-7"
    costly_label: str = "user_id"


PLANTED: Final = Planted()


def week_of(now: datetime) -> datetime:
    """Give the Monday on which the last whole week before ``now`` began."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday() + 7)


def build(folder: Path, *, seed: int, now: datetime) -> None:
    """Write the bundle into the new folder ``folder``."""
    folder.mkdir(parents=True)
    monday = week_of(now)
    before = monday - timedelta(days=7)
    about = {
        "id": f"week-{monday:%Y-%m-%d}",
        "title": "A week of serving",
        "service": _GATEWAY,
        "window": {"from": _iso(monday), "to": _iso(monday + timedelta(days=7))},
        "baseline": {"from": _iso(before), "to": _iso(monday)},
    }
    (folder / "incident.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    rows = ["time,service,metric,value", *_rows(stream(seed, "operations"), int(before.timestamp()))]
    _packed(folder / "metrics.csv.gz", rows)
    (folder / "events.jsonl").write_text("".join(_events(monday)), encoding="utf-8")


def _rows(random: Random, first: int) -> Iterator[str]:
    for at in range(DAYS * _PER_DAY):
        moment = first + at * STEP_S
        minute = (at - 7 * _PER_DAY) * STEP_S // 60
        for service, metric, value in (*_scores(random, at, minute), *_answers(random, at, minute)):
            if random.random() >= 0.002:
                yield f"{moment},{service},{metric},{value:.5g}"
        yield f"{moment},{_PLAYGROUND},prompt_tokens_per_s,{40 * _noise(random, 0.3):.4g}"
        for key, part in (("web", 0.7), ("batch", 0.28), (PLANTED.strange_key, 0.02)):
            yield f"{moment},{_GATEWAY},requests_per_s {{api_key={key}}},{50 * part * _noise(random, 0.1):.4g}"
        if at % _PER_DAY == 0:
            for user in range(_USERS):
                size = random.randrange(500, 9_000)
                yield f'{moment},{_GATEWAY},"request_bytes {{route=score, user_id=u{user}}}",{size}'


def _scores(random: Random, at: int, minute: int) -> Iterator[tuple[str, str, float]]:
    slow = PLANTED.slow.start <= minute < PLANTED.slow.end
    load = 42 * 1.012 ** (at / _PER_DAY) * _daily(at) * _noise(random, 0.04)
    latency = (940 if slow else 131) * _noise(random, 0.05)
    busy = load * latency / 1_000 * 0.6
    yield _SCORES, "requests_per_s", load
    yield _SCORES, "latency_p95_ms", latency
    yield _SCORES, "error_rate", (0.08 if slow else 0.0004) * _noise(random, 0.2)
    yield _SCORES, "in_flight", busy
    yield _SCORES, "queue_depth", 90 * _noise(random, 0.2) if slow else 2 * _noise(random, 0.5)
    yield _SCORES, "replicas", 3.0
    yield _SCORES, "retries_per_s", load * 0.01 * _noise(random, 0.2)
    yield _SCORES, "cost_per_hour", 1.05 * _noise(random, 0.02)


def _answers(random: Random, at: int, minute: int) -> Iterator[tuple[str, str, float]]:
    runaway = PLANTED.runaway.start <= minute < PLANTED.runaway.end
    load = 0.8 * _daily(at) * _noise(random, 0.1)
    yield _ANSWERS, "requests_per_s", load
    yield _ANSWERS, "latency_p95_ms", 2_600 * _noise(random, 0.1)
    yield _ANSWERS, "error_rate", (0.05 if runaway else 0.002) * _noise(random, 0.2)
    yield _ANSWERS, "retries_per_s", load * (1.6 if runaway else 0.02) * _noise(random, 0.1)
    yield _ANSWERS, "cost_per_hour", 4.2 * _daily(at) * _noise(random, 0.05)


def _daily(at: int) -> float:
    """Give how busy a time of the day is, against the mean."""
    return 1 + 0.35 * math.sin(2 * math.pi * (at % _PER_DAY) / _PER_DAY - math.pi / 2)


def _noise(random: Random, wide: float) -> float:
    return math.exp(random.gauss(0, wide))


def _events(monday: datetime) -> Iterator[str]:
    for hours, kind, service, actor, text in (
        (10.5, "deploy", _SCORES, "deploybot", "scoring-api 5.9.1"),
        (33.2, "deploy", _GATEWAY, "lea", "gateway 2.14.0"),
        (62.4, "deploy", _SCORES, "mia", "scoring-api 5.9.2: smaller batches"),
        (63.0, "deploy", _SCORES, "deploybot", "scoring-api 5.9.1: back"),
        (82.1, "deploy", _ANSWERS, "jonas", "support-assistant: other prompt"),
        (106.7, "deploy", _PLAYGROUND, "jonas", "prompt-playground on the spare machine"),
        (130.0, "deploy", _GATEWAY, "lea", "gateway 2.14.1"),
        (62.2, "page", _SCORES, "alertmanager", "inference p95 above 400 ms for 5 minutes"),
        (62.3, "ack", _SCORES, "sam", "on it"),
    ):
        record = {"time": _iso(monday + timedelta(hours=hours)), "kind": kind, "service": service}
        yield json.dumps(record | {"actor": actor, "text": text}) + "\n"


def _packed(path: Path, rows: list[str]) -> None:
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(("\n".join(rows) + "\n").encode())


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
