"""How the lines of each service changed: errors, and what used to follow a line and does so no more.

Rules:
- a line is an error by its level, or, without a level, by a word such as ``exception`` in it;
- an error that names another service counts little against the service that logs it, and a little against the one it
  names: it is hearsay;
- when work of another kind comes, other lines come: that is no harm. A following broke where a line is still logged and
  the line that used to come next in that service, more often than not, does so clearly less: code took another way.
  Lines of a kind that is new in the window stand in nobody's way;
- lines are read once, in the order in which they are stored; memory grows with templates, not with lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from twokey.tools.read.telemetry.changes.shares import Broken, broken, more
from twokey.tools.read.telemetry.log_templates import LogTemplates
from twokey.tools.read.telemetry.port import MAX_TEXT, LogRecord

_BAD_LEVELS: Final = frozenset({"error", "err", "fatal", "critical", "crit", "severe", "panic", "alert", "emerg"})
_BAD_WORDS: Final = re.compile(r"\b(?:error|exception|fatal|panic|traceback)\b", re.IGNORECASE)
_IDS: Final = re.compile(r"\b(?=[a-f]*\d)[\da-f]{8,}(?:-[\da-f]{4,}){0,4}\b")
_RUN: Final = re.compile(r"\d+")
"""Ids and numbers are levelled first: the miner remembers lines that differ in nothing else."""
_HEARSAY: Final = 0.3
_NAMED: Final = 0.2
_LOOKED_INTO: Final = 50_000
"""Errors whose text is searched for names of services."""
_SHORTEST_NAME: Final = 4
MOST_PAIRS: Final = 200_000
"""Pairs of templates that are counted."""


@dataclass(slots=True)
class ServiceLines:
    """What the lines of one service come to. Errors are weighted: hearsay counts less."""

    before: int = 0
    after: int = 0
    errors_before: float = 0.0
    errors_after: float = 0.0
    first_error: float | None = None
    """When the first error of the window came, in seconds since 1970."""
    errors: float = 0.0
    """How much more often than before, as a strength."""
    broken: tuple[Broken, ...] = ()
    """Followings that broke, the clearest first; their texts are templates."""


@dataclass(slots=True)
class Lines:
    """All lines that were read."""

    before: int = 0
    after: int = 0
    services: dict[str, ServiceLines] = field(default_factory=dict[str, ServiceLines])


_Pairs = dict[tuple[str, int, int], list[int]]


def read_lines(records: Iterable[LogRecord], start: float, known: Iterable[str] = ()) -> Lines:
    """Count lines before and from ``start``; ``known`` are names of services that a line may speak of."""
    templates = LogTemplates()
    found = Lines()
    services: defaultdict[str, ServiceLines] = defaultdict(ServiceLines)
    names = _naming({name for name in known if len(name) >= _SHORTEST_NAME})
    last: dict[str, int] = {}
    pairs: _Pairs = {}
    usual: set[tuple[str, int]] = set()
    looked = 0
    for record in records:
        after = record.time >= start
        template = templates.add(_RUN.sub("0", _IDS.sub("0", record.message)))
        of_service = services[record.service]
        if after:
            found.after += 1
            of_service.after += 1
        else:
            found.before += 1
            of_service.before += 1
        key = (record.service, template)
        if not after and len(usual) < MOST_PAIRS:
            usual.add(key)
        previous = last.get(record.service)
        if key in usual:
            last[record.service] = template
        if previous is not None and key in usual:
            pair = pairs.get((record.service, previous, template))
            if pair is not None:
                pair[after] += 1
            elif len(pairs) < MOST_PAIRS:
                pairs[record.service, previous, template] = [int(not after), int(after)]
        if _is_error(record):
            looked += 1
            blamed = names.findall(record.message) if names is not None and looked <= _LOOKED_INTO else []
            for service, weight in _weights(record.service, blamed):
                _note_error(services[service], weight, record.time, after=after)
    found.services = dict(services)
    _weigh(found, pairs, templates)
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


def _note_error(lines: ServiceLines, weight: float, time: float, *, after: bool) -> None:
    if after:
        lines.errors_after += weight
        lines.first_error = time if lines.first_error is None else min(time, lines.first_error)
    else:
        lines.errors_before += weight


def _weigh(found: Lines, pairs: _Pairs, templates: LogTemplates) -> None:
    joined: defaultdict[str, dict[tuple[int, int], list[int]]] = defaultdict(dict)
    for (service, first, second), (before, after) in pairs.items():
        # a template may have become part of a wider one since
        counts = joined[service].setdefault((templates.resolve(first), templates.resolve(second)), [0, 0])
        counts[0] += before
        counts[1] += after
    for service, lines in found.services.items():
        lines.errors = more(lines.errors_before, lines.errors_after, found.before, found.after)
        firsts: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        for (first, _), (before, after) in joined[service].items():
            firsts[first][0] += before
            firsts[first][1] += after
        lines.broken = broken(
            (_text(templates, first), _text(templates, second), (before, firsts[first][0]), (after, firsts[first][1]))
            for (first, second), (before, after) in joined[service].items()
        )


def _text(templates: LogTemplates, template: int) -> str:
    return templates.text(template)[:MAX_TEXT]
