"""How the errors in the lines of each service changed; hands each line on to the work that it is part of.

Rules:
- a line is an error by its level, or, without a level, by a word such as ``exception`` in it;
- an error that names another service, or that was logged while a call to another service failed, is hearsay: it speaks
  little against the service that logs it, and a little against the one that it names;
- that there is less of everything else makes no errors: they are measured by all lines, and by the time that lines
  cover, and the smaller change counts;
- lines are read once, in the order in which they are stored; memory grows with templates, not with lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from twokey.tools.read.telemetry.changes.shares import more
from twokey.tools.read.telemetry.changes.work import Work
from twokey.tools.read.telemetry.port import LogRecord

_BAD_LEVELS: Final = frozenset({"error", "err", "fatal", "critical", "crit", "severe", "panic", "alert", "emerg"})
_BAD_WORDS: Final = re.compile(r"\b(?:error|exception|fatal|panic|traceback)\b", re.IGNORECASE)
_HEARSAY: Final = 0.3
"""Share of the strength of its errors that hearsay comes to."""
_MANY: Final = 100
"""What a stretch of time counts as in lines, so that few stretches are not taken for few lines."""
_STRETCH_S: Final = 10.0
"""A stretch of time is covered by lines where one lies in it."""
_LOOKED_INTO: Final = 50_000
"""Errors whose text is searched for names of services."""
_SHORTEST_NAME: Final = 4


@dataclass(slots=True)
class ServiceLines:
    """What the lines of one service come to. Errors are weighted: hearsay counts less."""

    before: int = 0
    after: int = 0
    own: list[int] = field(default_factory=lambda: [0, 0])
    """Errors of its own, before and after."""
    hearsay: list[int] = field(default_factory=lambda: [0, 0])
    """Errors that it logged of others, or that others logged of it."""
    first_error: float | None = None
    """When the first error of the window came, in seconds since 1970."""
    errors: float = 0.0
    """How much more often than before, as a strength."""


@dataclass(slots=True)
class Lines:
    """All lines that were read."""

    before: int = 0
    after: int = 0
    services: dict[str, ServiceLines] = field(default_factory=dict[str, ServiceLines])


def read_lines(
    records: Iterable[LogRecord], start: float, work: Work, known: Iterable[str] = (), failed: Iterable[int] = ()
) -> Lines:
    """Count lines before and from ``start``.

    ``known`` are names of services that a line may speak of, ``failed`` the places of spans that failed.
    """
    found = Lines()
    services: defaultdict[str, ServiceLines] = defaultdict(ServiceLines)
    names = _naming({name for name in known if len(name) >= _SHORTEST_NAME})
    later: list[tuple[int, str, float]] = []
    looked = 0
    covered: tuple[set[int], set[int]] = (set(), set())
    for record in records:
        after = record.time >= start
        covered[after].add(int(record.time / _STRETCH_S))
        of_service = services[record.service]
        if after:
            found.after += 1
            of_service.after += 1
        else:
            found.before += 1
            of_service.before += 1
        bad = _is_error(record)
        span = work.line(record, bad=bad)
        if not bad:
            continue
        looked += 1
        blamed = names.findall(record.message) if names is not None and looked <= _LOOKED_INTO else []
        if span is not None and looked <= _LOOKED_INTO and not blamed:
            later.append((span, record.service, record.time))
            continue
        others = {name for name in blamed if name != record.service}
        _note_error(services[record.service], record.time, after=after, hearsay=bool(others))
        for service in others:
            _note_error(services[service], record.time, after=after, hearsay=True)
    above = work.above({span for span, _, _ in later} | set(failed))
    for span, service, time in later:
        _note_error(services[service], time, after=time >= start, hearsay=span in above)
    found.services = dict(services)
    stretches = (_MANY * len(covered[0]), _MANY * len(covered[1]))
    for lines in found.services.values():
        (own_before, own_after), (told_before, told_after) = lines.own, lines.hearsay
        lines.errors = max(
            weight * min(more(before, after, found.before, found.after), more(before, after, *stretches))
            for weight, before, after in (
                (1.0, own_before, own_after),
                (_HEARSAY, own_before + told_before, own_after + told_after),
            )
        )
    return found


def _naming(names: set[str]) -> re.Pattern[str] | None:
    if not names:
        return None
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


def _is_error(record: LogRecord) -> bool:
    return record.level in _BAD_LEVELS or (not record.level and _BAD_WORDS.search(record.message) is not None)


def _note_error(lines: ServiceLines, time: float, *, after: bool, hearsay: bool) -> None:
    (lines.hearsay if hearsay else lines.own)[after] += 1
    if after:
        lines.first_error = time if lines.first_error is None else min(time, lines.first_error)
