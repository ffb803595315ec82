"""Ranks the services of an incident by what speaks against each, and names a cause or says that there is none.

Rules:
- a function of the grounds alone: whoever holds the same evidence comes to the same ranking;
- metrics count in full where they are all there is; where traces or logs of the window were read, these see the calls
  themselves, and metrics, which see many calls at once, count for ``BESIDE_CALLS``;
- a change shortly before the window supports a suspicion and never makes one;
- a cause is named only above a threshold: what the first suspect of quiet stretches of the baseline reached by the same
  rule, and ``LEAST`` at any rate. Below it nothing is named, and the suspects stay listed as what was nearest.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import numpy as np

from twokey.agents.incident.ranking.code import from_ways
from twokey.agents.incident.ranking.metrics import calls_of, metric_scores
from twokey.agents.incident.ranking.values import Ranking, Reason, ReasonKind, Suspect
from twokey.tools.read.telemetry.changes.grounds import HUNDREDTHS, CallSeen, Grounds

BESIDE_CALLS: Final = 0.3
LEAST: Final = 1.5
QUIET: Final = 0.95
"""Share of quiet stretches that the threshold leaves below it."""
FEW_CALLS: Final = 50
SUPPORT: Final = 0.25
"""How much a change shortly before adds to what already speaks against a service."""
SOON_US: Final = 30 * 60 * 1_000_000
ONE_WAY_OUT: Final = 0.9
MOST_SUSPECTS: Final = 10
MOST_REASONS: Final = 8
SLOW: Final = 150
"""Hundredths below which a time is not slow: less than three times what it was."""
_SHOWN: Final = 0.05
_FOUND_IN: Final[Mapping[ReasonKind, str]] = {
    "slow": "slow",
    "fails": "fails",
    "strained": "strained",
    "grown": "grown",
    "restarted": "restarted",
    "silent": "silent",
    "calls_stopped": "quiet",
}


def rank(grounds: Grounds) -> Ranking:
    """Rank the services of one incident."""
    calls = calls_of(grounds)
    scores = metric_scores(grounds, calls)
    weight = BESIDE_CALLS if grounds.spans + grounds.lines >= FEW_CALLS else 1.0
    reasons: defaultdict[str, list[Reason]] = defaultdict(list)
    shown = _shown(grounds)
    for kind, values in scores.items():
        for at in np.flatnonzero(values[:, 0] * weight >= _SHOWN).tolist():
            service, score = grounds.services[at], weight * float(values[at, 0])
            reasons[service].append(_metric_reason(shown, kind, service, score))
    _from_traces(grounds, reasons)
    _from_odd(grounds, reasons)
    from_ways(grounds, reasons)
    _from_changes(grounds, reasons)
    suspects = [
        Suspect(
            service,
            sum(each.score for each in found),
            tuple(sorted(found, key=lambda each: (-each.score, each.kind))[:MOST_REASONS]),
        )
        for service, found in reasons.items()
    ]
    suspects.sort(key=lambda each: (-each.score, each.service))
    quiet = weight * np.sum(list(scores.values()), axis=0)[:, 1:]
    threshold = LEAST
    if quiet.size:
        threshold = max(LEAST, float(np.quantile(quiet.max(axis=0), QUIET)))
    named = suspects[0].service if suspects and suspects[0].score > threshold else None
    return Ranking(tuple(suspects[:MOST_SUSPECTS]), named, threshold)


def _shown(grounds: Grounds) -> dict[tuple[str, str], Reason]:
    """Give what was seen, by service and kind of harm."""
    return {
        (each.service, each.kind): Reason("slow", 0.0, each.metric, each.before, each.after, each.onset_us)
        for each in grounds.harms
    }


def _metric_reason(shown: Mapping[tuple[str, str], Reason], kind: str, service: str, score: float) -> Reason:
    seen = shown.get((service, _FOUND_IN.get(kind, "")))  # type: ignore[call-overload]
    if seen is None:
        return Reason(kind, score)  # type: ignore[arg-type]
    return Reason(kind, score, seen.metric, seen.before, seen.after, seen.onset_us)  # type: ignore[arg-type]


def _from_traces(grounds: Grounds, reasons: Mapping[str, list[Reason]]) -> None:
    slowest: set[str] = set()
    for each in grounds.slow:  # the strongest first
        if each.service not in slowest and each.strength >= SLOW:
            slowest.add(each.service)
            score = each.strength / HUNDREDTHS
            before, after = str(each.before_us), str(each.after_us)
            reasons[each.service].append(Reason("slow_operation", score, each.operation, before, after, each.since_us))
    into: defaultdict[str, list[CallSeen]] = defaultdict(list)
    out: defaultdict[str, list[CallSeen]] = defaultdict(list)
    for call in grounds.calls:
        if call.calls > 1:
            into[call.callee].append(call)
            out[call.caller].append(call)
    for service in sorted(into.keys() | out.keys()):
        arriving = _mean(into[service])
        leaving = ONE_WAY_OUT * _mean(out[service]) if len(out[service]) > 1 else 0.0
        ways = into[service] if arriving >= leaving else out[service]
        score = max(arriving, leaving)
        if score * HUNDREDTHS >= SLOW:
            most = max(ways, key=lambda each: each.strength)
            before = None if most.before_us is None else str(most.before_us)
            after = None if most.after_us is None else str(most.after_us)
            other = most.caller if arriving >= leaving else most.callee
            reasons[service].append(Reason("slow_way", score, other, before, after, most.since_us))


def _mean(calls: list[CallSeen]) -> float:
    count = sum(each.calls for each in calls)
    return sum(each.strength * each.calls for each in calls) / count / HUNDREDTHS if count else 0.0


def _from_odd(grounds: Grounds, reasons: Mapping[str, list[Reason]]) -> None:
    for each in grounds.odd:
        if each.errors >= HUNDREDTHS * _SHOWN:
            before, after = str(each.errors_before), str(each.errors_after)
            errors = Reason("errors", each.errors / HUNDREDTHS, each.source, before, after, each.first_us)
            reasons[each.service].append(errors)


def _from_changes(grounds: Grounds, reasons: Mapping[str, list[Reason]]) -> None:
    latest: dict[str, int] = {}
    for each in grounds.acts:
        if grounds.start_us - SOON_US <= each.at_us < grounds.end_us:
            latest.setdefault(each.service, each.at_us)
    for service, at_us in latest.items():
        score = SUPPORT * sum(each.score for each in reasons.get(service, []))
        if score >= _SHOWN:
            reasons[service].append(Reason("changed", score, onset_us=at_us))
