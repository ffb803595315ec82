"""Gathers the grounds of a ranking from any source of telemetry.

Rules: lines and spans are compared with what lies before the window: ``BEFORE`` seconds, or as long as the window, and
a day (``WHOLE``) of a source that was put together for one incident; samples with the baseline; changes count from
``ACTS_BEFORE`` before the window. A kind of telemetry that a source does not have leaves its lists empty.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final, Literal

import numpy as np

from twokey.tools.read.telemetry.changes.grid import Grid, grid_of
from twokey.tools.read.telemetry.changes.grounds import (
    HUNDREDTHS,
    MAX_CALLEES,
    MAX_ENTRIES,
    MAX_SERVICES,
    ActSeen,
    CallSeen,
    FlowSeen,
    Grounds,
    HarmSeen,
    OddSeen,
    SlowSeen,
    WaitSeen,
    WaySeen,
)
from twokey.tools.read.telemetry.changes.lines import Lines, ServiceLines, read_lines
from twokey.tools.read.telemetry.changes.onsets import Shift, shift_of
from twokey.tools.read.telemetry.changes.operations import Operations, ServiceSpans, Timing, failed, read_spans
from twokey.tools.read.telemetry.changes.services import HARMS, beyond_own_past, harms_of
from twokey.tools.read.telemetry.changes.strengths import Strengths, strengths_of
from twokey.tools.read.telemetry.changes.ways import Way
from twokey.tools.read.telemetry.changes.work import Work
from twokey.tools.read.telemetry.port import Edge, Event, Floats, Incident, Interval, Telemetry
from twokey.tools.read.telemetry.values import figure

BEFORE: Final = 600.0
WHOLE: Final = 86_400.0
ACTS_BEFORE: Final = 6 * 3600.0
_ACTS: Final = frozenset({"deploy", "deployment", "release", "rollout", "config", "configuration", "flag", "migration"})
MOST_WAYS: Final = 300
_MICRO: Final = 1_000_000
_LEAST: Final = 0.005
_MOST_NAME: Final = 300


def gather(telemetry: Telemetry, incident: Incident) -> Grounds:
    """Read a source and say how each service changed."""
    window, baseline = incident.window, incident.baseline
    covering = Interval(min(window.start, baseline.start), max(window.end, baseline.end))
    edges = telemetry.edges()
    grid = grid_of(telemetry.series(covering), window, baseline)
    strengths = strengths_of(grid)
    reach = WHOLE if telemetry.incidents() else max(BEFORE, window.seconds)
    before = Interval(max(0.0, window.start - reach), window.end)
    operations = read_spans(telemetry.spans(before), window.start)
    failing = [failed(each.status) for each in operations.spans]
    work = Work(operations.spans, window)
    named = {incident.service} | {name for each in edges for name in (each.caller, each.callee)}
    named |= set(operations.services) | {each.service for each in grid.series}
    places = [at for at, one in enumerate(failing) if one]
    lines = read_lines(telemetry.logs(before), window.start, work, sorted(named)[:MAX_SERVICES], places)
    named |= set(lines.services)
    ways = work.changed(failing)
    acts = telemetry.events(Interval(max(0.0, window.start - ACTS_BEFORE), window.end))
    services = _kept(named - {""}, incident, edges, lines, ways, operations, grid, strengths)
    return Grounds(
        service=incident.service,
        start_us=_micro(window.start),
        end_us=_micro(window.end),
        services=tuple(sorted(services)),
        pasts=strengths.up.shape[1] - 1,
        harms=_harms(grid, strengths, services),
        waits=_waits(grid, strengths, services),
        flows=_flows(grid, strengths, services),
        calls=_calls(edges, operations, services),
        slow=_slow(operations, services),
        odd=_odd(lines, operations, services),
        ways=_ways(ways, services),
        acts=_acts(acts, services),
        spans=operations.before + operations.after,
        lines=lines.before + lines.after,
        left_out=len(named - {""}) - len(services),
    )


def _kept(
    named: set[str],
    incident: Incident,
    edges: Sequence[Edge],
    lines: Lines,
    ways: Sequence[Way],
    operations: Operations,
    grid: Grid,
    strengths: Strengths,
) -> frozenset[str]:
    """Keep all services, or the oddest of too many."""
    if len(named) <= MAX_SERVICES:
        return frozenset(named)
    odd: dict[str, float] = dict.fromkeys(named, 0.0)
    for series, strength in zip(grid.series, np.maximum(strengths.up, strengths.down)[:, 0].tolist(), strict=True):
        odd[series.service] = max(odd[series.service], strength)
    for service, of_lines in lines.services.items():
        odd[service] = max(odd.get(service, 0.0), of_lines.errors)
    for way in ways:
        odd[way.service] = max(odd.get(way.service, 0.0), way.strength)
    for (service, _), own in operations.own.items():
        odd[service] = max(odd.get(service, 0.0), own.strength)
    odd[incident.service] = math.inf
    for each in edges:
        odd[each.callee] += 0.001 if each.caller == incident.service else 0.0
    return frozenset(sorted(odd, key=lambda name: (-odd[name], name))[:MAX_SERVICES])


def _hundredths(strength: float) -> int:
    return min(1_000, max(0, round(HUNDREDTHS * strength)))


def _past(strengths: Floats) -> tuple[int, ...]:
    if not np.any(strengths[1:] >= _LEAST):
        return ()
    return tuple(np.clip(np.round(strengths[1:] * HUNDREDTHS), 0, 1_000).astype(np.int64).tolist())


def _micro(seconds: float) -> int:
    return max(0, round(seconds * _MICRO))


def _at(seconds: float | None) -> int | None:
    return None if seconds is None else _micro(seconds)


def _text(number: float | None) -> str | None:
    return None if number is None or not math.isfinite(number) else figure(number)


def _harms(grid: Grid, strengths: Strengths, services: frozenset[str]) -> tuple[HarmSeen, ...]:
    harms = harms_of(grid, strengths, sorted(services))
    found: list[HarmSeen] = []
    for kind in HARMS:
        values = harms.found[kind]
        for at in np.flatnonzero((values >= _LEAST).any(axis=1)).tolist():
            if harms.services[at] not in services:
                continue
            row = int(harms.strongest[kind][at])
            strength = _hundredths(float(values[at, 0]))
            shift = shift_of(grid, strengths, row) if row >= 0 and strength else None
            found.append(
                HarmSeen(
                    service=harms.services[at],
                    kind=kind,
                    strength=strength,
                    past=_past(values[at]),
                    metric=grid.series[row].metric if shift is not None else "",
                    before=_text(shift.before) if shift is not None else None,
                    after=_text(_toward(shift)) if shift is not None else None,
                    onset_us=_at(shift.onset) if shift is not None else None,
                )
            )
    return tuple(found)


def _toward(shift: Shift) -> float | None:
    """Give the value that shows the change: the extreme."""
    return shift.after if shift.extreme is None else shift.extreme


def _waits(grid: Grid, strengths: Strengths, services: frozenset[str]) -> tuple[WaitSeen, ...]:
    rows = [row for row, each in enumerate(strengths.senses) if each.client and grid.series[row].service in services]
    own = beyond_own_past(strengths.up[rows])
    found: list[WaitSeen] = []
    for row, values in zip(rows, own, strict=True):
        series, shift = grid.series[row], shift_of(grid, strengths, row)
        found.append(
            WaitSeen(
                service=series.service,
                metric=series.metric,
                tail=round(1_000 * (strengths.senses[row].tail or 0.0)),
                strength=_hundredths(float(values[0])),
                past=_past(values),
                before=_text(shift.before),
                after=_text(_toward(shift)),
                onset_us=_at(shift.onset),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.strength, each.service, each.metric))[:MAX_ENTRIES])


def _flows(grid: Grid, strengths: Strengths, services: frozenset[str]) -> tuple[FlowSeen, ...]:
    most: dict[str, float] = {}
    for row, sense in enumerate(strengths.senses):
        usual, service = float(strengths.median[row]), grid.series[row].service
        if sense.meaning == "traffic" and math.isfinite(usual) and service in services:
            most[service] = max(most.get(service, 0.0), usual)
    return tuple(FlowSeen(service=service, micro=min(2**53 - 1, _micro(most[service]))) for service in sorted(most))


def _calls(edges: Sequence[Edge], operations: Operations, services: frozenset[str]) -> tuple[CallSeen, ...]:
    pairs = {(each.caller, each.callee) for each in edges} | set(operations.ways)
    found: list[CallSeen] = []
    for caller, callee in sorted(pairs):
        if caller == callee or caller not in services or callee not in services:
            continue
        way = operations.ways.get((caller, callee), Timing())
        found.append(
            CallSeen(
                caller=caller,
                callee=callee,
                calls=len(way.after),
                strength=_hundredths(way.strength),
                before_us=_milli(way.before),
                after_us=_milli(way.after),
                since_us=_at(way.since()) if way.strength >= 1 else None,
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.strength, each.caller, each.callee))[: 5 * MAX_ENTRIES])


def _milli(took: Sequence[float]) -> int | None:
    return round(1_000 * median(took)) if took else None


def _slow(operations: Operations, services: frozenset[str]) -> tuple[SlowSeen, ...]:
    found = [
        SlowSeen(
            service=service,
            operation=operation,
            strength=_hundredths(own.strength),
            before_us=_milli(own.before) or 0,
            after_us=_milli(own.after) or 0,
            since_us=_at(own.since()),
        )
        for (service, operation), own in operations.own.items()
        if own.strength >= _LEAST and service in services
    ]
    return tuple(sorted(found, key=lambda each: (-each.strength, each.service, each.operation))[:MAX_ENTRIES])


def _odd(lines: Lines, operations: Operations, services: frozenset[str]) -> tuple[OddSeen, ...]:
    found: list[OddSeen] = []
    sources: tuple[tuple[Literal["logs", "traces"], Mapping[str, ServiceLines | ServiceSpans]], ...] = (
        ("logs", lines.services),
        ("traces", operations.services),
    )
    for source, seen in sources:
        for service in sorted(seen.keys() & services):
            one = seen[service]
            if not one.errors:
                continue
            before, after = _errors(one)
            found.append(
                OddSeen(
                    service=service,
                    source=source,
                    errors=_hundredths(one.errors),
                    errors_before=before,
                    errors_after=after,
                    first_us=_at(one.first_error),
                )
            )
    return tuple(found)


def _errors(seen: ServiceLines | ServiceSpans) -> tuple[int, int]:
    if isinstance(seen, ServiceSpans):
        return seen.errors_before, seen.errors_after
    return seen.own[0] + seen.hearsay[0], seen.own[1] + seen.hearsay[1]


def _ways(ways: Sequence[Way], services: frozenset[str]) -> tuple[WaySeen, ...]:
    kept = [each for each in ways if each.service in services]
    return tuple(
        WaySeen(
            service=each.service,
            operation=each.operation[:_MOST_NAME],
            change=each.kind,
            first=each.first[:_MOST_NAME],
            then=each.then[:_MOST_NAME],
            callees=each.callees[:MAX_CALLEES],
            call_failed=each.call_failed,
            hidden=each.hidden,
            failure=each.failure,
            strength=_hundredths(each.strength),
            before=each.before,
            after=each.after,
            since_us=_micro(each.since),
        )
        for each in kept[:MOST_WAYS]
    )


def _acts(events: Sequence[Event], services: frozenset[str]) -> tuple[ActSeen, ...]:
    found = [
        ActSeen(service=each.service, kind=each.kind, at_us=_micro(each.time))
        for each in events
        if each.kind.lower() in _ACTS and each.service in services
    ]
    return tuple(found[-MAX_ENTRIES:])
