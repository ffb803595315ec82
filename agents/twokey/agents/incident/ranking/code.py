"""Blames code that took another way: the service whose code it is, or the one that it had just called.

Rules:
- a change after a step of its own is a service's own doing (``broken``), unless it is a new line that names one service
  which it calls: that counts like a change after a call to a service that shows no steps;
- a change just after a call may be the doing of the one that was called (``answers_badly``). ``SHOWN`` of it is put
  down to that one, ``HIDDEN`` where it shows no steps of its own that could speak for it, ``TOLD`` where other callers
  tell the same, the call itself failed, or a new line after it names that one, ``EXPLAINED`` where its own code took
  another way, too;
- who is blamed for more than half passes the blame on where its own clearest change came just after a call as well.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from twokey.agents.incident.ranking.values import Reason
from twokey.tools.read.telemetry.changes.grounds import HUNDREDTHS, Grounds, WaySeen
from twokey.tools.read.telemetry.changes.ways import together

SHOWN: Final = 0.4
HIDDEN: Final = 0.5
TOLD: Final = 0.7
EXPLAINED: Final = 0.9
CLEAR: Final = 1.0
"""Strength from which a service's own change explains what its callers do."""


@dataclass(frozen=True, slots=True)
class _Break:
    """What changed after one step of one operation."""

    service: str
    ways: tuple[WaySeen, ...]
    called: str | None
    """The one service that was called just before, or that a new line names."""
    named: bool

    @property
    def score(self) -> float:
        return together(each.strength for each in self.ways) / HUNDREDTHS

    def reason(self, share: float, other: str | None = None) -> Reason:
        way = self.ways[0]
        before, after = (f"{many}/{of}" for many, of in (way.before, way.after))
        if other is None:
            return Reason("broken", share * self.score, way.then, before, after, way.since_us)
        return Reason("answers_badly", share * self.score, other, before, after, way.since_us)


def from_ways(grounds: Grounds, reasons: Mapping[str, list[Reason]]) -> None:
    """Add what the ways of code say against each service."""
    blame = _Blame(_breaks(grounds))
    mine: dict[str, Reason] = {}
    told: defaultdict[str, dict[str, Reason]] = defaultdict(dict)
    for each in blame.breaks:
        blamed, theirs = blame.of(each)
        _keep(mine, each.service, each.reason(1 - theirs))
        if blamed is not None:
            _keep(told[blamed], each.service, each.reason(theirs, each.service))
    for service, reason in mine.items():
        reasons[service].append(reason)
    for service, by_caller in told.items():
        reasons[service].extend(_lessening(list(by_caller.values())))


def _keep(found: dict[str, Reason], key: str, reason: Reason) -> None:
    if key not in found or found[key].score < reason.score:
        found[key] = reason


class _Blame:
    """Tells whose doing each change is."""

    def __init__(self, breaks: Sequence[_Break]) -> None:
        self.breaks = breaks
        self._clearest: dict[str, _Break] = {}
        self._callers: defaultdict[str, set[str]] = defaultdict(set)
        self._own: set[str] = set()
        for each in breaks:
            self._clearest.setdefault(each.service, each)
            if each.called is not None:
                self._callers[each.called].add(each.service)
            if not each.ways[0].callees and not each.named and each.score >= CLEAR:
                self._own.add(each.service)

    def of(self, found: _Break) -> tuple[str | None, float]:
        """Give who else is blamed for a change, and for which part of it."""
        share = self._share(found)
        blamed, seen = found.called, {found.service}
        while share > HIDDEN and blamed is not None and blamed not in seen:
            seen.add(blamed)
            following = self._clearest.get(blamed)
            if following is None or following.called is None or following.called in seen:
                break
            if self._share(following) <= HIDDEN:
                break
            blamed = following.called
        return blamed, share

    def _share(self, found: _Break) -> float:
        way, called = found.ways[0], found.called
        if not way.callees and not found.named:
            return 0.0
        if called in self._own:
            return EXPLAINED
        if way.call_failed or (
            called is not None and ((found.named and called in way.callees) or len(self._callers[called]) > 1)
        ):
            return TOLD
        return HIDDEN if way.hidden or found.named else SHOWN


def _called(way: WaySeen, below: AbstractSet[str]) -> tuple[str | None, bool]:
    named = [each for each in sorted(below) if way.change == "new" and _speaks_of(way.then, each)]
    if len(named) == 1:
        return named[0], True
    return (way.callees[0] if len(way.callees) == 1 else None), False


def _speaks_of(text: str, service: str) -> bool:
    return service in text and re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", text) is not None


def _breaks(grounds: Grounds) -> list[_Break]:
    """Give what changed, the clearest first."""
    after: defaultdict[tuple[str, str, str], list[WaySeen]] = defaultdict(list)
    for each in grounds.ways:  # the strongest first
        after[each.service, each.operation, each.first].append(each)
    below: defaultdict[str, set[str]] = defaultdict(set)
    for call in grounds.calls:
        below[call.caller].add(call.callee)
    found = [
        _Break(service, tuple(ways), *_called(ways[0], below[service] | set(ways[0].callees)))
        for (service, _, _), ways in after.items()
    ]
    return sorted(found, key=lambda each: (-each.score, each.service))


def _lessening(told: Sequence[Reason]) -> list[Reason]:
    """Let the second caller that tells the same count half as much as the first, and so on."""
    ordered = sorted(told, key=lambda each: (-each.score, each.metric))
    return [
        Reason(each.kind, each.score * 0.5**at, each.metric, each.before, each.after, each.onset_us)
        for at, each in enumerate(ordered)
    ]
