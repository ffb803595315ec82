"""Incident bundles made for tests: a small shop of services, its quiet life, and faults in the code of one service.

A code fault shows in logs and traces alone: metrics go on as before. ``exception``: a service throws in the middle of
an operation; it logs an error, its span fails, those above it fail and say so in their own words. ``wrong_value``: a
service answers too early; the lines and calls that used to follow are gone, and nothing fails. Distractors are all
around: a service that logs errors all its life, another whose processor is busier than ever, a burst of harmless lines
in a third, a deploy of a fourth.
"""

import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

START: Final = 1_700_000_000
WINDOW_S: Final = 600
BASELINE_S: Final = 7_200
LOGS_BEFORE_S: Final = 300
KINDS: Final = ("exception", "wrong_value")
TREE: Final[Mapping[str, tuple[str, ...]]] = {
    "storefront": ("basket", "catalogue", "session"),
    "basket": ("pricing", "stock"),
    "catalogue": ("search", "images"),
    "pricing": ("vouchers", "tax"),
    "stock": ("warehouse",),
    "search": ("index",),
    "session": (),
    "images": (),
    "vouchers": (),
    "tax": (),
    "warehouse": (),
    "index": (),
}
_METRICS: Final = (
    ("latency_p95_ms", 40.0, 0.06),
    ("error_rate", 0.002, 0.3),
    ("cpu_usage", 0.3, 0.07),
    ("memory_mb", 400.0, 0.01),
    ("requests_per_s", 30.0, 0.05),
)


@dataclass(frozen=True)
class Fault:
    """What is wrong with whom; ``kind`` empty for nothing."""

    service: str | None = None
    kind: str = ""


@dataclass
class Life:
    """Records of one bundle as they come into being."""

    logs: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    spans: list[dict[str, object]] = field(default_factory=list[dict[str, object]])


def iso(seconds: float) -> str:
    """Give a time as bundles write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(
    folder: Path,
    *,
    service: str = "storefront",
    samples: Iterable[Sequence[object]] = (),
    edges: Iterable[tuple[str, str]] = (),
    logs: Iterable[Mapping[str, object]] = (),
    spans: Iterable[Mapping[str, object]] = (),
    events: Iterable[Mapping[str, object]] = (),
    truth: Mapping[str, object] | None = None,
    packed: bool = True,
    window_s: int = WINDOW_S,
) -> Path:
    """Write a bundle whose window begins at ``START``; a kind without records has no file."""
    folder.mkdir(parents=True)
    about = {
        "id": folder.name,
        "title": f"{service}: something is wrong",
        "service": service,
        "window": {"from": iso(START), "to": iso(START + window_s)},
        "baseline": {"from": iso(START - BASELINE_S), "to": iso(START)},
    }
    (folder / "incident.json").write_text(json.dumps(about), encoding="utf-8")
    _table(folder, "metrics.csv", "time,service,metric,value", samples, packed=packed)
    _table(folder, "topology.csv", "caller,callee", edges, packed=False)
    for name, records in (("logs", logs), ("traces", spans), ("events", events)):
        text = "".join(json.dumps(each) + "\n" for each in records)
        if text:
            _file(folder, f"{name}.jsonl", text, packed=packed and name != "events")
    if truth is not None:
        (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    return folder


def code_faults(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write ``count`` bundles with a fault in the code of one service, and every tenth without any."""
    made: list[Path] = []
    culprits = [name for name in TREE if name != "storefront"]
    for number in range(count):
        random = Random(f"{seed}/{number}")  # noqa: S311 - a fixed stream for tests
        fault = Fault(culprits[number % len(culprits)], KINDS[number // len(culprits) % 2])
        if number % 10 == 9:
            fault = Fault()
        made.append(_bundle(folder / f"case-{number:03}", random, fault))
    return made


def _bundle(folder: Path, random: Random, fault: Fault) -> Path:
    others = [name for name in TREE if name not in (fault.service, "storefront")]
    grumbling, busy, chatty, deployed = random.sample(others, 4)
    life = Life()
    second = START - LOGS_BEFORE_S + 0.5
    while second < START + WINDOW_S:
        wrong = fault if second >= START + 20 else Fault()
        _request(life, random, second, "storefront", None, f"{random.getrandbits(64):016x}", wrong)
        if random.random() < 0.3:
            _say(life, second, grumbling, "ERROR", f"could not refresh licence {random.randrange(9999)}, going on")
        if second >= START + 60 and random.random() < 0.5:
            _say(life, second, chatty, "INFO", f"rebuilt segment {random.randrange(9999)} of the cache")
        second += random.uniform(2.0, 4.0)
    deploy = {"time": iso(START - 400), "kind": "deploy", "service": deployed, "actor": "bot", "text": "2.4.1"}
    return write(
        folder,
        samples=_samples(random, busy),
        edges=[(caller, callee) for caller, callees in TREE.items() for callee in callees],
        logs=life.logs,
        spans=life.spans,
        events=[deploy],
        truth={"service": fault.service, **({"fault": fault.kind} if fault.service else {})},
    )


def _samples(random: Random, busy: str) -> Iterable[Sequence[object]]:
    for service in TREE:
        for metric, usual, noise in _METRICS:
            for at in range(START - BASELINE_S, START + WINDOW_S, 60):
                factor = 1.25 if service == busy and metric == "cpu_usage" and at >= START else 1.0
                yield at, service, metric, round(usual * factor * math.exp(random.gauss(0, noise)), 5)


def _request(
    life: Life, random: Random, at: float, service: str, parent: str | None, trace: str, fault: Fault
) -> tuple[float, bool]:
    """Write what one service does for a request; gives how long it took, and whether it failed."""
    span = f"{random.getrandbits(64):016x}"
    own, took, fails = math.exp(random.gauss(2, 0.2)), 0.0, False
    _say(life, at, service, "INFO", f"request {trace} taken, {random.randrange(1, 9)} items")
    hit = fault.service == service and random.random() < 0.8
    if hit and fault.kind == "exception":
        _say(life, at, service, "ERROR", f"unhandled IllegalState in handler for {trace}: index {random.randrange(9)}")
        fails = True
    elif not (hit and fault.kind == "wrong_value"):
        _say(life, at, service, "INFO", f"rules loaded for {trace} in {random.randrange(2, 9)} ms")
        for callee in TREE[service]:
            spent, failed = _request(life, random, at + took / 1000, callee, span, trace, fault)
            took += spent
            if failed:
                _say(life, at, service, "ERROR", f"call to {callee} failed for {trace}")
                fails = True
                break
        _say(life, at, service, "INFO", f"request {trace} done with {random.randrange(1, 99)} rows")
        _note(life, at + took / 1000, trace, span, service, "render", own / 2, None)
        took += own / 2
    took += own
    _note(life, at, trace, parent, service, "handle", took, "error" if fails else "ok", span)
    return took + math.exp(random.gauss(0, 0.2)), fails


def _say(life: Life, at: float, service: str, level: str, message: str) -> None:
    life.logs.append({"time": iso(at), "service": service, "level": level, "message": message})


def _note(
    life: Life,
    at: float,
    trace: str,
    parent: str | None,
    service: str,
    operation: str,
    milliseconds: float,
    status: str | None,
    span: str = "",
) -> None:
    life.spans.append(
        {
            "time": iso(at),
            "trace_id": trace,
            "span_id": span or f"{len(life.spans):016x}",
            "parent_id": parent,
            "service": service,
            "operation": operation,
            "duration_ms": round(milliseconds, 3),
            "status": status,
        }
    )


def _table(folder: Path, name: str, header: str, rows: Iterable[Sequence[object]], *, packed: bool) -> None:
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    if text:
        _file(folder, name, f"{header}\n{text}", packed=packed)


def _file(folder: Path, name: str, text: str, *, packed: bool) -> None:
    content = text.encode()
    if packed:
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 1, mtime=0))
    else:
        (folder / name).write_bytes(content)
