"""What metrics say against each service: the same rule for the window and for every stretch of the past.

Rules:
- a service is suspected for what nothing below it explains: it is slow by more than what it waits for and what it
  calls; it fails more than what it calls, and nothing it calls is suspected itself;
- it is suspected directly for resources: strain, memory that grew, a restart, samples that stay away;
- it is suspected where it looks well and those that call it wait (network, queue): as far as just the callers wait that
  call it, and just at the quantiles that its share of their calls can move;
- it is suspected where what it calls is called less although it is called as before: it stopped on its way;
- callers that show the same harm speak for it, as far as it is its own, and more where many of their calls go there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twokey.tools.read.telemetry.changes.grounds import HUNDREDTHS, Grounds

MEMORY: Final = 0.5
EXPLAINS: Final = 0.6
LOOKS_WELL: Final = 2.0
"""Slowness of its own above which a service does not look well."""
SHARE: Final = 0.15
"""How the share of a caller's calls weighs between services that would explain the same."""

Array = NDArray[np.float64]
MetricReason = str


@dataclass(frozen=True, slots=True)
class Calls:
    """Who calls whom, by place."""

    callees: tuple[tuple[int, ...], ...]
    callers: tuple[tuple[int, ...], ...]


def calls_of(grounds: Grounds) -> Calls:
    """Put the calls of the grounds into places."""
    place = {service: at for at, service in enumerate(grounds.services)}
    callees: list[list[int]] = [[] for _ in place]
    callers: list[list[int]] = [[] for _ in place]
    for each in grounds.calls:
        callees[place[each.caller]].append(place[each.callee])
        callers[place[each.callee]].append(place[each.caller])
    return Calls(tuple(map(tuple, callees)), tuple(map(tuple, callers)))


def metric_scores(grounds: Grounds, calls: Calls) -> Mapping[str, Array]:
    """Give, by kind of reason, an array with a row per service, and columns for the window and the stretches before."""
    count, columns = len(grounds.services), grounds.pasts + 1
    harm = _harms(grounds)
    shares = _shares(grounds, calls)
    slow, fails, quiet = harm["slow"], harm["fails"], harm["quiet"]
    waits, rows = _waits(grounds)
    waiting = np.zeros((count, columns))
    for (service, _), row in zip(rows, waits, strict=True):
        waiting[service] = np.maximum(waiting[service], row)
    own_slow, own_fails, stopped = (np.zeros((count, columns)) for _ in range(3))
    for at in range(count):
        callees = list(calls.callees[at])
        below = _most(slow[callees], columns)
        own_slow[at] = np.maximum(0, slow[at] - np.maximum(waiting[at], below))
        own_fails[at] = np.maximum(0, fails[at] - _most(fails[callees], columns))
        if callees:
            least_called = np.sort(quiet[callees], axis=0)[-2:].mean(axis=0)
            stopped[at] = np.maximum(0, least_called - quiet[at])
    scores = {
        "slow": own_slow,
        "strained": harm["strained"],
        "grown": MEMORY * harm["grown"],
        "restarted": MEMORY * harm["restarted"],
        "silent": harm["silent"],
        "waited_for": _waited_for(calls, rows, waits, shares) * (slow < LOOKS_WELL),
        "calls_stopped": stopped,
    }
    suspicion = np.sum(list(scores.values()), axis=0)
    scores["fails"] = np.zeros((count, columns))
    for at in range(count):
        scores["fails"][at] = np.maximum(0, own_fails[at] - _most(suspicion[list(calls.callees[at])], columns))
    own, shown = np.maximum(own_slow, own_fails), np.maximum(slow, fails)
    explains = np.zeros((count, columns))
    for at in range(count):
        for caller in calls.callers[at]:
            part = EXPLAINS * shares.get((caller, at), 1.0) ** SHARE
            explains[at] += part * np.minimum(own[at], shown[caller])
    scores["explains_callers"] = explains
    return scores


def _harms(grounds: Grounds) -> dict[str, Array]:
    place = {service: at for at, service in enumerate(grounds.services)}
    kinds = ("slow", "fails", "strained", "grown", "restarted", "quiet", "silent", "waits")
    found = {kind: np.zeros((len(place), grounds.pasts + 1)) for kind in kinds}
    for each in grounds.harms:
        found[each.kind][place[each.service]] = _columns(each.strength, each.past, grounds.pasts)
    return found


def _columns(strength: int, past: tuple[int, ...], pasts: int) -> Array:
    return np.array([strength, *(past or (0,) * pasts)], dtype=np.float64) / HUNDREDTHS


def _waits(grounds: Grounds) -> tuple[Array, list[tuple[int, float]]]:
    """Give a row per measured wait, and beside it the place of the service that waits and the tail that is measured."""
    place = {service: at for at, service in enumerate(grounds.services)}
    rows = [(place[each.service], each.tail / 1_000) for each in grounds.waits]
    values = [_columns(each.strength, each.past, grounds.pasts) for each in grounds.waits]
    return (np.array(values) if values else np.empty((0, grounds.pasts + 1))), rows


def _most(rows: Array, columns: int) -> Array:
    return rows.max(axis=0) if len(rows) else np.zeros(columns)


def _waited_for(
    calls: Calls, rows: list[tuple[int, float]], waits: Array, shares: Mapping[tuple[int, int], float]
) -> Array:
    """Weigh how well each service explains who waits: how much those wait that would, and how little others do."""
    count = len(calls.callers)
    found = np.zeros((count, waits.shape[1]))
    if not rows:
        return found
    total = waits.sum(axis=0) + 1e-9
    tails: dict[int, float] = {}
    for service, tail in rows:
        tails[service] = min(tail, tails.get(service, 1.0))
    for at in range(count):
        visible: list[int] = []
        own: list[int] = []
        largest = 0.0
        for row, (service, tail) in enumerate(rows):
            if service == at:
                own.append(row)
            elif at in calls.callees[service]:
                part = shares.get((service, at), 1.0)
                largest = max(largest, part)
                if part >= tail / 2 or tail == tails[service]:
                    visible.append(row)
        if visible:
            seen = waits[visible]
            explained = np.minimum(1, (seen.sum(axis=0) + waits[own].sum(axis=0)) / total)
            found[at] = seen.mean(axis=0) * explained * largest**SHARE
    return found


def _shares(grounds: Grounds, calls: Calls) -> dict[tuple[int, int], float]:
    """Estimate which share of a caller's calls goes to each callee, from how much each of them is called."""
    place = {service: at for at, service in enumerate(grounds.services)}
    flow = np.zeros(len(place))
    for each in grounds.flows:
        flow[place[each.service]] = each.micro
    part: dict[tuple[int, int], float] = {}
    for caller, callees in enumerate(calls.callees):
        amounts = {}
        for callee in callees:
            all_callers = sum(flow[other] for other in calls.callers[callee])
            amounts[callee] = flow[callee] * flow[caller] / all_callers if all_callers else 0.0
        whole = sum(amounts.values())
        for callee, amount in amounts.items():
            if whole and amount:
                part[caller, callee] = float(amount / whole)
    return part
