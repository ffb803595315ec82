"""Systems made from a seed, each with a fault in the code of one service, and with what makes it hard to find.

A system has eight to fourteen services with operations of their own: lines, inner operations, calls, and parts that only
some requests come by. It writes spans with or without status and with or without spans of the caller's side, and lines
that carry the id of the span, of the trace, or none, with or without their place in the code. Faults (``KINDS``) sit in
one operation and hit all or most of its calls. Around them: another mix of work from the window's start on, a service
that logs errors all its life, callers that log three errors for each failure of another, a busier processor and a slow
table elsewhere, a deploy of another service, a service whose log is lost, and a window that is stated up to a minute
late or half a minute early. Every sixth bundle has all that and no fault.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.support.incident_bundles import START, Life, iso, write

WINDOW_S: Final = 300
BEFORE_S: Final = 400
BASELINE_S: Final = 7_200
KINDS: Final = ("throws", "throws_silently", "returns_early", "answers_wrong", "takes_another_way", "slow")
_PARTS: Final = (
    "al",
    "bor",
    "cas",
    "dun",
    "el",
    "fir",
    "gan",
    "hol",
    "in",
    "jor",
    "kel",
    "lum",
    "mar",
    "nor",
    "os",
    "per",
)
_VERBS: Final = ("load", "check", "merge", "sort", "price", "store", "fetch", "count", "sign", "match", "plan", "trim")


@dataclass
class Stage:
    """One step of an operation: ``line``, ``inner`` or ``call``; ``share`` of requests come by."""

    kind: str
    text: str
    share: float = 1.0
    called: tuple[str, str] = ("", "")
    inner: "list[Stage]" = field(default_factory=list["Stage"])
    handles: bool = False
    """For a call: a failure is survived, and said."""


@dataclass
class System:
    """How one system is built and what it tells of itself."""

    operations: dict[tuple[str, str], list[Stage]]
    roots: list[tuple[str, str]]
    ids: str
    places: bool
    statuses: bool
    client_spans: bool
    loud: set[str]
    lost: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong with which operation; ``kind`` is empty for nothing."""

    service: str = ""
    operation: str = ""
    kind: str = ""
    hit: float = 1.0
    stage: int = 0
    onset: float = START


def hard_faults(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write ``count`` bundles; the same seed writes the same ones."""
    return [_bundle(folder / f"case-{number:03}", Random(f"hard/{seed}/{number}"), number) for number in range(count)]  # noqa: S311 - a fixed stream for tests


def _bundle(folder: Path, random: Random, number: int) -> Path:
    names = _names(random, random.randint(8, 14))
    system = _system(random, names)
    reached = _reached(system)
    fault = Fault()
    if number % 6 != 5:
        service, operation = random.choice(sorted(reached - {(names[0], name) for _, name in reached}))
        stages = system.operations[service, operation]
        fault = Fault(
            service,
            operation,
            KINDS[number % 6 if number % 12 < 6 else (number + 1) % 6],
            random.choice((0.7, 1.0, 1.0)),
            random.randrange(len(stages)),
            START + random.uniform(-60, 30),
        )
    others = [name for name in names[1:] if name != fault.service]
    grumbling, busy, deployed, slow_table, lost = random.sample(others, 5)
    system.lost = lost if random.random() < 0.3 else ""
    life = Life()
    at = START - BEFORE_S + 0.1
    mixes = [random.uniform(0.2, 0.8), random.uniform(0.2, 0.8)]
    while at < START + WINDOW_S:
        root = system.roots[0 if random.random() < mixes[at >= START] else -1]
        active = fault if at >= fault.onset else Fault()
        _Request(system, life, random, active, slow_table if at >= START else "").serve(
            root, at, None, f"{random.getrandbits(128):032x}"
        )
        if random.random() < 0.2:
            _free_line(
                life, random, at, grumbling, "ERROR", f"licence server did not answer, try {random.randrange(9)}"
            )
        at += random.uniform(0.8, 2.2)
    hurt = {names[0]: 8.0} if fault.kind.startswith("throws") else {}
    events = [{"time": iso(START - 300), "kind": "deploy", "service": deployed, "actor": "bot", "text": "3.1.4"}]
    edges = {
        (service, stage.called[0])
        for (service, _), stages in system.operations.items()
        for stage in _all(stages)
        if stage.kind == "call"
    }
    life.logs.sort(key=lambda line: str(line["time"]))
    return write(
        folder,
        service=names[0],
        samples=_samples(random, names, busy, hurt),
        edges=sorted(edges),
        logs=life.logs,
        spans=life.spans,
        events=events,
        truth={"service": fault.service or None, **({"fault": fault.kind} if fault.service else {})},
        window_s=WINDOW_S,
    )


def _names(random: Random, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        name = "".join(random.sample(_PARTS, 2)) + random.choice(("", "-svc", "-api"))
        if name not in found:
            found.append(name)
    return found


def _system(random: Random, names: Sequence[str]) -> System:
    operations: dict[tuple[str, str], list[Stage]] = {}
    of: dict[str, list[str]] = {}
    for place in range(len(names) - 1, -1, -1):
        service, below = names[place], names[place + 1 : place + 5]
        of[service] = []
        for _ in range(2 if place == 0 else random.randint(1, 2)):
            operation = f"{random.choice(_VERBS)}_{random.choice(_PARTS)}{len(of[service])}"
            stages = _stages(random, service)
            for called in random.sample(
                below, min(len(below), random.randint(1, 3) if place < 4 else random.randint(0, 2))
            ):
                call = Stage(
                    "call",
                    "",
                    random.choice((0.6, 1.0, 1.0)),
                    (called, random.choice(of[called])),
                    handles=random.random() < 0.2,
                )
                stages.insert(random.randint(1, len(stages)), call)
            operations[service, operation] = stages
            of[service].append(operation)
    return System(
        operations,
        [(names[0], each) for each in of[names[0]]],
        random.choice(("span", "span", "trace", "none")),
        random.random() < 0.5,
        random.random() < 0.5,
        random.random() < 0.5,
        set(random.sample(list(names), len(names) // 2)),
    )


def _stages(random: Random, service: str) -> list[Stage]:
    stages = [Stage("line", _said(random, service))]
    for _ in range(random.randint(1, 3)):
        share = random.choice((0.4, 1.0, 1.0, 1.0))
        if random.random() < 0.35:
            inner = [
                Stage("line", _said(random, service)),
                *([Stage("line", _said(random, service))] if random.random() < 0.5 else []),
            ]
            stages.append(Stage("inner", f"{random.choice(_VERBS)}_{random.choice(_PARTS)}_rows", share, inner=inner))
        else:
            stages.append(Stage("line", _said(random, service), share))
    return stages


def _said(random: Random, service: str) -> str:
    thing, verb = random.choice(_PARTS), random.choice(_VERBS)
    return f"{service.partition('-')[0]}.{verb.title()}#{random.randrange(20, 400)}|{verb} of {thing}{random.choice(_PARTS)} went through with <n> rows"


def _all(stages: Iterable[Stage]) -> Iterable[Stage]:
    for stage in stages:
        yield stage
        yield from _all(stage.inner)


def _reached(system: System) -> set[tuple[str, str]]:
    found, waiting = set(system.roots), list(system.roots)
    while waiting:
        for stage in _all(system.operations[waiting.pop()]):
            if stage.kind == "call" and stage.called not in found:
                found.add(stage.called)
                waiting.append(stage.called)
    return found


def _free_line(life: Life, random: Random, at: float, service: str, level: str, message: str) -> None:
    life.logs.append(
        {"time": iso(at), "service": service, "level": level, "message": f"{message} {random.randrange(99)}"}
    )


class _Request:
    """One request on its way through a system."""

    def __init__(self, system: System, life: Life, random: Random, fault: Fault, slow_table: str) -> None:
        self._system, self._life, self._random, self._fault = system, life, random, fault
        self._slow_table = slow_table

    def serve(self, operation: tuple[str, str], at: float, parent: str | None, trace: str) -> tuple[float, str]:
        """Write what an operation does; gives how long it took (ms), and ``ok``, ``failed`` or ``wrong``."""
        random, fault, (service, name) = self._random, self._fault, operation
        span = f"{random.getrandbits(64):016x}"
        hit = (service, name) == (fault.service, fault.operation) and random.random() < fault.hit
        kind = fault.kind if hit else ""
        took, outcome = math.exp(random.gauss(0.5, 0.3)), "ok"
        if kind == "slow":
            took += random.uniform(150, 400)
        for number, stage in enumerate(self._system.operations[operation]):
            if kind.startswith("throws") and number == fault.stage:
                if kind == "throws":
                    self._say(
                        at + took / 1_000,
                        service,
                        "ERROR",
                        f"{service}.Boom#{99}|unexpected state <n> in {name}",
                        trace,
                        span,
                    )
                outcome = "failed"
                break
            if kind == "returns_early" and number == fault.stage:
                outcome = "wrong"
                break
            if kind == "takes_another_way" and number == fault.stage:
                self._say(
                    at + took / 1_000, service, "INFO", f"{service}.Fall#{77}|fell back to old table <n>", trace, span
                )
                continue
            if random.random() >= stage.share:
                continue
            spent, what = self._stage(stage, service, at + took / 1_000, span, trace)
            took += spent
            if what != "ok":
                outcome = what
                break
        if kind == "answers_wrong":
            outcome = "wrong"
        self._note(at, trace, span, parent, service, name, took, outcome)
        return took, outcome

    def _stage(self, stage: Stage, service: str, at: float, span: str, trace: str) -> tuple[float, str]:
        random = self._random
        if stage.kind == "line":
            self._say(at, service, "INFO", stage.text, trace, span)
            return math.exp(random.gauss(-1, 0.3)), "ok"
        if stage.kind == "inner":
            inner, took = f"{random.getrandbits(64):016x}", math.exp(random.gauss(0, 0.3))
            took *= 2.2 if service == self._slow_table else 1
            for line in stage.inner:
                self._say(at + took / 2_000, service, "INFO", line.text, trace, inner)
            self._note(at, trace, inner, span, service, stage.text, took, "ok")
            return took, "ok"
        above, way = span, math.exp(random.gauss(0, 0.2))
        if self._system.client_spans:
            above = f"{random.getrandbits(64):016x}"
        took, outcome = self.serve(stage.called, at + way / 2_000, above, trace)
        if self._system.client_spans:
            self._note(at, trace, above, span, service, "HTTP POST", took + way, outcome)
        return took + way, self._answered(stage, service, at + (took + way) / 1_000, span, trace, outcome)

    def _answered(self, stage: Stage, service: str, at: float, span: str, trace: str, outcome: str) -> str:
        """Say what the caller makes of an answer: of a wrong one, often nothing."""
        called = stage.called[0]
        if outcome == "ok":
            return "ok"
        if outcome == "wrong":
            self._say(at, service, "WARN", f"{service}.Look#55|answer <n> looks odd, leaving out the rest", trace, span)
            return "ok" if stage.handles else "wrong"
        for number in range(3 if service in self._system.loud else 1):
            self._say(
                at,
                service,
                "ERROR",
                f"{service}.Fail#{60 + number}|could not go on after call <n> of {called}",
                trace,
                span,
            )
        return "ok" if stage.handles else "failed"

    def _say(self, at: float, service: str, level: str, text: str, trace: str, span: str) -> None:
        if service == self._system.lost and at >= START:
            return
        place, _, message = text.partition("|")
        carried = {"span": f"trace={trace} span={span} ", "trace": f"[{trace}] ", "none": ""}[self._system.ids]
        said = message.replace("<n>", str(self._random.randrange(9_999)))
        line = f"{place + ' ' if self._system.places else ''}{carried}{said}"
        self._life.logs.append({"time": iso(at), "service": service, "level": level, "message": line})

    def _note(
        self,
        at: float,
        trace: str,
        span: str,
        parent: str | None,
        service: str,
        operation: str,
        took: float,
        outcome: str,
    ) -> None:
        status = ("error" if outcome == "failed" else "ok") if self._system.statuses else None
        self._life.spans.append(
            {
                "time": iso(at),
                "trace_id": trace,
                "span_id": span,
                "parent_id": parent,
                "service": service,
                "operation": operation,
                "duration_ms": round(took, 3),
                "status": status,
            }
        )


def _samples(random: Random, names: Sequence[str], busy: str, hurt: dict[str, float]) -> Iterable[Sequence[object]]:
    metrics = (
        ("latency_p95_ms", 40.0, 0.06),
        ("error_rate", 0.002, 0.3),
        ("cpu_usage", 0.3, 0.07),
        ("memory_mb", 400.0, 0.01),
    )
    for service in names:
        for metric, usual, noise in metrics:
            for at in range(START - BASELINE_S, START + WINDOW_S, 60):
                factor = 1.4 if service == busy and metric == "cpu_usage" and at >= START else 1.0
                factor *= hurt.get(service, 1.0) if metric == "error_rate" and at >= START else 1.0
                yield at, service, metric, round(usual * factor * math.exp(random.gauss(0, noise)), 5)
