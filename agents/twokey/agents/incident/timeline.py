"""What happened when: one line of time from metrics, logs, traces, alerts and events.

Rules: times are UTC, whatever zone a source wrote; entries come in order, whatever order they were read in; the same
thing told twice (by two pagers, in another zone) is one entry that cites each of them. What an event is follows from
its kind, and for a change made after the onset from words that say it takes something back; nothing that an event says
makes it a cause. Onset and recovery are measured, with the evidence that shows them; where they cannot be told there is
no entry.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from twokey.agents.incident import recovery
from twokey.agents.incident.material import DEGRADES, Material
from twokey.agents.incident.shown import SECOND
from twokey.tools.read.telemetry.values import EventSeen, MetricChange

Kind = Literal["change", "onset", "page", "ack", "said", "mitigation", "recovery", "other"]
SAME: Final = 120 * SECOND
"""Within this time two entries that say the same are one."""
STRONG: Final = 300
"""Permille of samples of the window that are unusual where a metric is said to be."""
_KINDS: Final[tuple[tuple[Kind, frozenset[str]], ...]] = (
    ("page", frozenset({"page", "pages", "paged", "alert", "alerts", "alarm", "incident"})),
    ("ack", frozenset({"ack", "acks", "acked", "acknowledge", "acknowledged", "acknowledgement"})),
    ("said", frozenset({"chat", "message", "comment", "note", "slack", "said"})),
    (
        "mitigation",
        frozenset(
            {"mitigation", "mitigate", "mitigated", "rollback", "revert", "restart", "failover", "scale", "scaling"}
        ),
    ),
    ("recovery", frozenset({"recovery", "recovered", "resolve", "resolved", "resolution", "closed"})),
    (
        "change",
        frozenset(
            {"deploy", "deployment", "release", "rollout", "config", "configuration", "change", "flag", "migration"}
        ),
    ),
)
_WORD: Final = re.compile(r"[a-z]+")
_TAKES_BACK: Final = re.compile(
    r"\b(?:roll(?:ed|ing)?[ -]?back|rollback|revert(?:ed|ing|s)?|restor(?:e|ed|ing)|restart(?:ed|ing)?"
    r"|fail(?:ed)?[ -]?over|scal(?:e|ed|ing) (?:up|out)|disabl(?:e|ed|ing)|drain(?:ed|ing)?|undo|undone)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry. ``what``: the metric for a measured one, else the kind that the source gave; both are outside text."""

    at_us: int
    kind: Kind
    service: str
    evidence: tuple[str, ...]
    what: str = ""
    actor: str = ""
    text: str = ""
    copies: int = 1
    measured: bool = False
    later_us: int | None = None
    """When the latest of the copies was told, where that is another time."""


def timeline(material: Material, suspects: Sequence[str] = ()) -> tuple[Moment, ...]:
    """Give what happened, in order. ``suspects`` are services that the ranking names, the likeliest first."""
    onset = onset_of(material, suspects)
    found = [*_told(material, onset.at_us if onset else None)]
    if onset:
        found.append(onset)
        back = recovery.recovered(material, onset.service, onset.what, onset.at_us)
        if back is not None:
            found.append(Moment(back.at_us, "recovery", onset.service, back.evidence, onset.what, measured=True))
    return _each_once(found)


def onset_of(material: Material, suspects: Sequence[str] = ()) -> Moment | None:
    """Tell when it began: the first lasting change for the worse in what alerted or in what is suspected.

    Metrics come first, then operations that got slow, then lines that were never seen before.
    """
    services = {material.about.service, *suspects[:1]}
    window = material.about.window
    if material.metrics:
        changes = [one for one in material.metrics.answer.changes if one.service in services and _is_strong(one)]
        worst = [one for one in changes if one.meaning in DEGRADES] or changes
        first = min(worst, key=lambda one: (one.onset_us or 0, one.metric), default=None)
        if first is not None and first.onset_us is not None:
            return Moment(
                first.onset_us, "onset", first.service, (material.metrics.evidence,), first.metric, measured=True
            )
    if material.traces:
        slow = [one for one in material.traces.answer.changes if one.service in services and one.slow_from_us]
        at = min(slow, key=lambda one: one.slow_from_us or 0, default=None)
        if at is not None and at.slow_from_us is not None:
            return Moment(
                at.slow_from_us, "onset", at.service, (material.traces.evidence,), at.operation, measured=True
            )
    if material.logs:
        lines = [
            one
            for one in material.logs.answer.changes
            if one.service in services and one.change in {"new", "burst"} and one.first_us and _is_bad(one.level)
        ]
        line = min(lines, key=lambda one: one.first_us or 0, default=None)
        if line is not None and line.first_us is not None and line.first_us >= window.start_us:
            return Moment(line.first_us, "onset", line.service, (material.logs.evidence,), "log lines", measured=True)
    return None


def _is_strong(change: MetricChange) -> bool:
    return change.onset_us is not None and change.abnormal >= STRONG


def _is_bad(level: str) -> bool:
    return level.casefold() in {"error", "err", "fatal", "critical", "severe", "panic", "alert", "emergency"}


def _told(material: Material, onset_us: int | None) -> Iterator[Moment]:
    for event in material.events.answer.events if material.events else ():
        evidence = (material.events.evidence,) if material.events else ()
        yield Moment(
            event.at_us,
            kind_of(event, onset_us),
            event.service,
            evidence,
            what=event.kind,
            actor=event.actor,
            text=event.text,
            copies=event.copies,
        )
    for alert in material.alerts.answer.alerts if material.alerts else ():
        if material.alerts and alert.state == "firing" and alert.service == material.about.service:
            yield Moment(
                alert.since_us, "page", alert.service, (material.alerts.evidence,), what="alert", text=alert.text
            )


def kind_of(event: EventSeen, onset_us: int | None) -> Kind:
    """Tell what an event is; a change that takes something back after the onset is a mitigation."""
    words = set(_WORD.findall(event.kind.casefold()))
    named: tuple[Kind, ...] = tuple(kind for kind, known in _KINDS if words & known)
    found: Kind = named[0] if named else "other"
    if found == "change" and onset_us is not None and event.at_us > onset_us and _TAKES_BACK.search(event.text):
        return "mitigation"
    return found


def _each_once(found: Sequence[Moment]) -> tuple[Moment, ...]:
    kept: list[Moment] = []
    for one in sorted(found, key=lambda moment: (moment.at_us, moment.kind, moment.service, moment.text)):
        for at, other in enumerate(kept):
            if one.at_us - (other.later_us or other.at_us) <= SAME and _say_the_same(one, other):
                kept[at] = replace(
                    other,
                    evidence=tuple(dict.fromkeys((*other.evidence, *one.evidence))),
                    copies=other.copies + one.copies,
                    later_us=one.at_us if one.at_us != other.at_us else other.later_us,
                )
                break
        else:
            kept.append(one)
    return tuple(kept)


def _say_the_same(one: Moment, other: Moment) -> bool:
    if one.measured or other.measured or one.kind != other.kind or one.service != other.service:
        return False
    if one.kind == "ack":
        return one.actor == other.actor
    mine, theirs = (_folded(moment.text) for moment in (one, other))
    return mine == theirs or (one.kind == "page" and (mine in theirs or theirs in mine))


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
