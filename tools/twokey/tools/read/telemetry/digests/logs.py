"""How the lines of a log changed: what they have in common, counted before and in the window.

Rules: lines of all services and levels share their templates, so that the same words are the same template; counts are
by service, level and template. A template is ``new`` where the baseline has none of it, has ``vanished`` where the
window has none and some were to be expected, and is a ``burst`` where there are at least ``BURST`` times as many as
the baseline lets expect for so long a time. Strength is how surprising the count is (Poisson, in standard deviations),
with what says that it is an error first. At most ``MOST_KINDS`` kinds are told apart; ``rest`` counts lines beyond.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from twokey.tools.read.telemetry.log_masks import masked
from twokey.tools.read.telemetry.log_templates import LogTemplates
from twokey.tools.read.telemetry.port import Interval, LogRecord
from twokey.tools.read.telemetry.values import LogChange

BURST: Final = 3.0
MOST_KINDS: Final = 50_000
MAX_TEMPLATE: Final = 500
_SEVERE: Final = frozenset(
    {"error", "fatal", "critical", "severe", "err", "panic", "alert", "emerg", "warn", "warning"}
)
Kind = tuple[str, str, int]


@dataclass(slots=True)
class _Count:
    before: int = 0
    after: int = 0
    first: float | None = None
    example: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """What was found: changes, the strongest first; how many lines were read; how many fitted no kind."""

    changes: list[LogChange]
    before: int
    after: int
    rest: int


def changes(records: Iterable[LogRecord], window: Interval, baseline: Interval) -> Lines:
    """Count lines by what they have in common."""
    templates = LogTemplates()
    counts: dict[Kind, _Count] = {}
    before = after = rest = 0
    for record in records:
        in_window = record.time in window
        if not in_window and record.time not in baseline:
            continue
        before, after = before + (not in_window), after + in_window
        kind = record.service, record.level, templates.add(record.message)
        count = counts.get(kind)
        if count is None:
            if len(counts) >= MOST_KINDS:
                rest += 1
                continue
            count = counts[kind] = _Count(example=record.message)
        if not in_window:
            count.before += 1
            continue
        if not count.after:
            count.example = record.message
        count.after += 1
        count.first = record.time if count.first is None else min(count.first, record.time)
    merged = _merged(counts, templates)
    share = window.seconds / baseline.seconds if baseline.seconds else 0.0
    found = [_change(kind, count, templates, share) for kind, count in merged.items()]
    found.sort(key=lambda pair: (-pair[0], pair[1].service, pair[1].level, pair[1].template))
    return Lines([change for strength, change in found if strength > 0], before, after, rest)


def _merged(counts: dict[Kind, _Count], templates: LogTemplates) -> dict[Kind, _Count]:
    """Put together what turned out to have the same template."""
    merged: dict[Kind, _Count] = {}
    for (service, level, template), count in counts.items():
        into = merged.setdefault((service, level, templates.resolve(template)), _Count(example=count.example))
        into.before, into.after = into.before + count.before, into.after + count.after
        if count.first is not None and (into.first is None or count.first < into.first):
            into.first, into.example = count.first, count.example
    return merged


def _change(kind: Kind, count: _Count, templates: LogTemplates, share: float) -> tuple[float, LogChange]:
    service, level, template = kind
    expected = count.before * share
    surprise = (count.after - expected) / math.sqrt(max(expected, 1.0))
    told: Literal["new", "burst", "vanished", "other"] = "other"
    if not count.before:
        told = "new"
    elif not count.after and expected >= BURST:
        told = "vanished"
    elif count.after >= BURST * max(expected, 1.0):
        told = "burst"
    strength = abs(surprise) if told != "other" else 0.0
    if told != "other" and level in _SEVERE:
        strength = 1_000_000 + strength
    change = LogChange(
        service=service,
        level=level[:40],
        template=templates.text(template)[:MAX_TEMPLATE],
        before=count.before,
        after=count.after,
        first_us=round(count.first * 1_000_000) if count.first is not None else None,
        change=told,
        example=masked(count.example)[:MAX_TEMPLATE],
    )
    return strength, change
