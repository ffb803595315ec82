"""How the lines of each service changed: templates that are new, burst or vanished, and errors.

Rules:
- a line is an error by its level, or, without a level, by a word such as ``exception`` in it;
- an error that names another service counts little against the service that logs it, and a little against the one it
  names: it is hearsay;
- a template changed when its count did otherwise than most of the service's lines; when hardly any line was seen
  before, no template changed;
- lines are read once, in any order; memory grows with templates, not with lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from twokey.tools.read.telemetry.changes.shares import more, shifted, usual_ratio
from twokey.tools.read.telemetry.log_masks import masked
from twokey.tools.read.telemetry.log_templates import LogTemplates
from twokey.tools.read.telemetry.port import MAX_TEXT, LogRecord

_BAD_LEVELS: Final = frozenset({"error", "err", "fatal", "critical", "crit", "severe", "panic", "alert", "emerg"})
_BAD_WORDS: Final = re.compile(r"\b(?:error|exception|fatal|panic|traceback)\b", re.IGNORECASE)
_IDS: Final = re.compile(r"\b(?=[a-f]*\d)[\da-f]{8,}(?:-[\da-f]{4,}){0,4}\b")
_RUN: Final = re.compile(r"\d+")
"""Ids and numbers are levelled first: the miner remembers lines that differ in nothing else."""
_HEARSAY: Final = 0.3
_NAMED: Final = 0.2
HARMLESS: Final = 0.25
"""How lines that are no errors weigh when there are more of them: to say more is no harm, to fall silent is."""
_LOOKED_INTO: Final = 50_000
"""Errors whose text is searched for names of services."""
_SHORTEST_NAME: Final = 4
_FEW: Final = 3
_BURST: Final = 3.0


@dataclass(slots=True)
class LineCount:
    """Lines of one service with one template. ``first`` is when the first of the window came."""

    service: str
    level: str
    template: str
    example: str
    before: int = 0
    after: int = 0
    first: float | None = None
    error: bool = False
    shift: float = 0.0
    """By how much it moved, in standard errors beyond chance."""

    def change(self, ratio: float) -> Literal["new", "burst", "vanished", "other"]:
        """Name the change; ``ratio`` is how many lines the window has for one before it."""
        expected = self.before * ratio
        if not self.before and self.after:
            return "new"
        if not self.after and expected >= _FEW:
            return "vanished"
        return "burst" if self.after >= _FEW and self.after > _BURST * expected else "other"


@dataclass(slots=True)
class ServiceLines:
    """What the lines of one service come to."""

    before: int = 0
    after: int = 0
    errors_before: float = 0.0
    errors_after: float = 0.0
    """Weighted: hearsay counts less."""
    errors: float = 0.0
    """How much more often than before, as a strength."""
    mix: float = 0.0
    """How much the mix of its lines changed, as a strength."""


@dataclass(slots=True)
class Lines:
    """All lines that were read."""

    before: int = 0
    after: int = 0
    counts: list[LineCount] = field(default_factory=list[LineCount])
    services: dict[str, ServiceLines] = field(default_factory=dict[str, ServiceLines])

    @property
    def ratio(self) -> float:
        """How many lines there are in the window for one before it."""
        return self.after / max(1, self.before)


def read_lines(records: Iterable[LogRecord], start: float, known: Iterable[str] = ()) -> Lines:
    """Count lines before and from ``start``; ``known`` are names of services that a line may speak of."""
    templates = LogTemplates()
    counted: dict[tuple[str, int, str], LineCount] = {}
    found = Lines()
    services: defaultdict[str, ServiceLines] = defaultdict(ServiceLines)
    names = _naming({name for name in known if len(name) >= _SHORTEST_NAME})
    looked = 0
    for record in records:
        after = record.time >= start
        key = (record.service, templates.add(_RUN.sub("0", _IDS.sub("0", record.message))), record.level)
        count = counted.get(key)
        if count is None:
            count = LineCount(record.service, record.level, "", record.message, error=_is_error(record))
            counted[key] = count
        of_service = services[record.service]
        if after:
            found.after += 1
            of_service.after += 1
            count.after += 1
            count.first = record.time if count.first is None else min(count.first, record.time)
        else:
            found.before += 1
            of_service.before += 1
            count.before += 1
        if count.error:
            looked += 1
            blamed = names.findall(record.message) if names is not None and looked <= _LOOKED_INTO else []
            for service, weight in _weights(record.service, blamed):
                if after:
                    services[service].errors_after += weight
                else:
                    services[service].errors_before += weight
    found.services = dict(services)
    found.counts = _together(counted, templates)
    _weigh(found)
    return found


def _naming(names: set[str]) -> re.Pattern[str] | None:
    if not names:
        return None
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


def _weights(service: str, named: list[str]) -> list[tuple[str, float]]:
    others = {name for name in named if name != service}
    if not others:
        return [(service, 1.0)]
    return [(service, _HEARSAY), *((name, _NAMED / len(others)) for name in sorted(others))]


def _is_error(record: LogRecord) -> bool:
    return record.level in _BAD_LEVELS or (not record.level and _BAD_WORDS.search(record.message) is not None)


def _together(counted: dict[tuple[str, int, str], LineCount], templates: LogTemplates) -> list[LineCount]:
    """Put counts together whose templates turned out to be one."""
    joined: dict[tuple[str, int, str], LineCount] = {}
    for (service, template, level), count in counted.items():
        key = (service, templates.resolve(template), level)
        known = joined.get(key)
        if known is None:
            count.template = templates.text(template)[:MAX_TEXT]
            count.example = masked(count.example)
            joined[key] = count
            continue
        known.before += count.before
        known.after += count.after
        firsts = [first for first in (known.first, count.first) if first is not None]
        known.first = min(firsts, default=None)
    return list(joined.values())


def _weigh(found: Lines) -> None:
    of_service: defaultdict[str, list[LineCount]] = defaultdict(list)
    for count in found.counts:
        of_service[count.service].append(count)
    for service, counts in of_service.items():
        ratio = usual_ratio([(each.before, each.after) for each in counts])
        for each in counts:
            each.shift = shifted(each.before, each.after, ratio)
            if each.shift > 0 and not each.error:
                each.shift *= HARMLESS
        lines = found.services[service]
        lines.errors = more(lines.errors_before, lines.errors_after, found.before, found.after)
        lines.mix = sum(sorted(abs(each.shift) for each in counts)[-3:])
    found.counts.sort(key=lambda each: (-abs(each.shift), -each.after, each.service, each.template, each.level))
