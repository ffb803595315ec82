"""What code did, piece by piece: spans, what was logged in them, and what they called, put into order.

Rules:
- a line belongs to the span whose id stands in it; where only the id of a trace does, to the innermost span of the
  same service at that time. Else it belongs to the thread of lines of its service that begin with the same id, and to
  the stream of its service's lines;
- a service whose lines were there only before the window's start, or only after, while its spans went on, has lost or
  found its log: that is no change of its work, and its lines are no steps. Nor is work before the first line of all, or
  after the last;
- a span that does nothing but call another service is that call: it is a step of what made it, and no work by itself;
- a step that calls names whom it reaches: the other service, or those that the operation below calls in turn;
- the same work in the same order gives the same steps; steps are known by where in the code a line says that it was
  logged, and else by their template;
- at most ``MOST_JOINED`` lines are joined to spans, and ``MOST_THREADS`` threads are followed at a time.
"""

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from twokey.tools.read.telemetry.changes.ways import STREAM, Step, Way, Ways
from twokey.tools.read.telemetry.changes.weighing import BEGIN, END
from twokey.tools.read.telemetry.log_masks import masked
from twokey.tools.read.telemetry.log_templates import LogTemplates
from twokey.tools.read.telemetry.port import Interval, LogRecord, Span

MOST_JOINED: Final = 1_000_000
MOST_THREADS: Final = 20_000
MOST_PLACES: Final = 20_000
"""Places in code that are told apart; a line of another one is known by its template."""
_MOST_TEXT: Final = 300
_EDGE: Final = 1.0
_HEAD: Final = 200
"""Characters of a line in which the place in the code is looked for."""
ID: Final = re.compile(r"\b(?=[A-Fa-f]*\d)[\dA-Fa-f]{8,32}(?:-[\dA-Fa-f]{4,12}){0,4}\b")
_LEVELLED: Final = re.compile(r"\b(?=[a-f]*\d)[\da-f]{8,}(?:-[\da-f]{4,}){0,4}\b")
_RUN: Final = re.compile(r"\d+")
"""Ids and numbers are levelled before mining: the miner remembers lines that differ in nothing else."""
_PLACE: Final = re.compile(
    r"(?<![\w./])[A-Za-z_][\w.$\[\]/-]*(?:#|\.(?:java|kt|scala|py|go|rb|js|ts|cs|cpp|cc|c|rs|php|swift):)\d{1,5}(?!\w)"
)


class Work:
    """Takes spans, then lines, and tells how the ways through them changed."""

    def __init__(self, spans: Sequence[Span], window: Interval) -> None:
        """Take the spans; lines come one by one."""
        self._spans = spans
        self._ways = Ways(window)
        self._templates = LogTemplates()
        self._steps = [Step("(begin)"), Step("(end)")]
        self._known: dict[tuple[object, ...], int] = {}
        self._template_of: dict[int, tuple[int, bool]] = {}
        self._places = 0
        self._by_id: dict[str, list[int]] = {}
        self._by_trace: dict[str, list[int]] = {}
        at_of: dict[tuple[str, str], int] = {}
        for at, span in enumerate(spans):
            self._by_id.setdefault(span.id, []).append(at)
            self._by_trace.setdefault(span.trace, []).append(at)
            at_of[span.trace, span.id] = at
        self._above = [at_of.get((span.trace, span.parent or "")) for span in spans]
        self._below: defaultdict[int, list[int]] = defaultdict(list)
        for at, above in enumerate(self._above):
            if above is not None:
                self._below[above].append(at)
        self._calling = {at for at in range(len(spans)) if self._is_call(at)}
        self._lines: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self._joined = 0
        self._sides: defaultdict[str, set[bool]] = defaultdict(set)
        self._first, self._final = math.inf, -math.inf
        self._callees: defaultdict[int, set[str]] = defaultdict(set)
        self._last: dict[str, int] = {}
        self._threads: dict[tuple[str, str], tuple[int, float]] = {}
        self._usual: set[tuple[str, int]] = set()
        self._start = window.start

    def line(self, record: LogRecord, *, bad: bool) -> int | None:
        """Take the next line; gives the place of the span that it belongs to, None where there is none."""
        step = self._line_step(record, bad=bad)
        self._sides[record.service].add(record.time >= self._start)
        self._first, self._final = min(self._first, record.time), max(self._final, record.time)
        ids = ID.findall(record.message)
        at = self._span_of(record, ids) if ids and self._by_id else None
        if at is not None and self._joined < MOST_JOINED:
            self._joined += 1
            self._lines[at].append((record.time, step))
            return at
        if ids:
            self._thread((record.service, ids[0]), step, record.time)
        self._stream(record, step)
        return at

    def above(self, places: Iterable[int]) -> frozenset[int]:
        """Give the spans that wait for one of those at ``places`` in another service."""
        found: set[int] = set()
        for place in places:
            service, at = self._spans[place].service, self._above[place]
            seen = {place}
            while at is not None and at not in seen:
                seen.add(at)
                if self._spans[at].service != service:
                    found.add(at)
                at = self._above[at]
        return frozenset(found)

    def changed(self, failed: Sequence[bool]) -> list[Way]:
        """Give how ways changed, once all lines are in; ``failed`` tells which spans failed."""
        self._finish(failed)
        return self._ways.changed(self._text, self._resolve)

    def _line_step(self, record: LogRecord, *, bad: bool) -> int:
        place = _PLACE.search(record.message, 0, _HEAD)
        if place is not None:
            key: tuple[object, ...] = ("place", place.group(), record.level)
            found = self._known.get(key)
            if found is not None:
                return found
            if self._places < MOST_PLACES:
                self._places += 1
                rest = masked(record.message[place.end() :]).strip()
                return self._step(key, Step(f"{place.group()} {rest}"[:_MOST_TEXT], bad=bad))
        template = self._templates.add(_RUN.sub("0", _LEVELLED.sub("0", record.message)))
        step = self._step(("line", template, bad), Step("", bad=bad))
        self._template_of[step] = (template, bad)
        return step

    def _step(self, key: tuple[object, ...], step: Step) -> int:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._steps)
            self._steps.append(step)
        return found

    def _text(self, step: int) -> Step:
        if step in self._template_of:
            template, bad = self._template_of[step]
            return Step(self._templates.text(template)[:_MOST_TEXT], bad=bad)
        return self._steps[step]._replace(callees=tuple(sorted(self._callees.get(step, ()))))

    def _is_bad(self, step: int) -> bool:
        return self._steps[step].bad

    def _resolve(self, step: int) -> int:
        if step not in self._template_of:
            return step
        template, bad = self._template_of[step]
        return self._known.get(("line", self._templates.resolve(template), bad), step)

    def _span_of(self, record: LogRecord, ids: Sequence[str]) -> int | None:
        for each in ids:
            at = self._by_id.get(each)
            if at is not None:
                mine = [one for one in at if self._spans[one].service == record.service]
                if len(mine) > 1:
                    mine = [one for one in mine if self._spans[one].trace in ids]
                if len(mine) == 1:
                    return mine[0]
        for each in ids:
            around = [
                (self._spans[one].time, one)
                for one in self._by_trace.get(each, ())
                if one not in self._calling
                and self._spans[one].service == record.service
                and _holds(self._spans[one], record.time)
            ]
            if around:
                return max(around)[1]
        return None

    def _thread(self, thread: tuple[str, str], step: int, time: float) -> None:
        first, _ = self._threads.pop(thread, (BEGIN, time))
        if first != step:
            self._ways.pair((thread[0], ""), first, step, time)
        self._threads[thread] = (step, time)
        if len(self._threads) > MOST_THREADS:
            oldest = next(iter(self._threads))
            last, when = self._threads.pop(oldest)
            self._ways.pair((oldest[0], ""), last, END, when)

    def _stream(self, record: LogRecord, step: int) -> None:
        """Lines of a kind that is new in the window stand in nobody's way."""
        key = (record.service, step)
        if record.time < self._start:
            self._usual.add(key)
        elif key not in self._usual:
            return
        first = self._last.get(record.service)
        if first is not None and first != step:
            self._ways.pair((record.service, STREAM), first, step, record.time)
        self._last[record.service] = step

    def _finish(self, failed: Sequence[bool]) -> None:
        for (service, _), (last, when) in self._threads.items():
            self._ways.pair((service, ""), last, END, when)
        self._threads.clear()
        reached = self._reached()
        for at, span in enumerate(self._spans):
            logs = len(self._sides.get(span.service, ())) > 1
            if at in self._calling or (logs and not self._first - _EDGE <= span.time <= self._final + _EDGE):
                continue
            called = ((each, self._call_step(span, each, reached, failed)) for each in self._below.get(at, ()))
            steps = [(self._spans[each].time, step) for each, step in called]
            steps += self._lines.get(at, ()) if logs else ()
            steps.sort(key=lambda step: step[0])
            self._ways.unit((span.service, span.operation), [step for _, step in steps], self._is_bad, span.time)

    def _is_call(self, at: int) -> bool:
        service, above = self._spans[at].service, self._above[at]
        inside = above is not None and self._spans[above].service == service
        below = self._below.get(at)
        return bool(below) and inside and all(self._spans[each].service != service for each in below or ())

    def _call_step(
        self,
        caller: Span,
        at: int,
        reached: Mapping[int, Collection[str]],
        failed: Sequence[bool],
    ) -> int:
        if at in self._calling:
            at = min(self._below[at], key=lambda each: (self._spans[each].time, each))
        called = self._spans[at]
        other = called.service != caller.service
        text = (f"{called.service}: {called.operation}" if other else called.operation)[:_MOST_TEXT]
        calls = (called.service, called.operation) if other else None
        step = self._step(("call", text, failed[at]), Step(text, bad=failed[at], calls=calls))
        self._callees[step].update((called.service,) if other else reached.get(at, ()))
        return step

    def _reached(self) -> dict[int, set[str]]:
        """Give, by span, the services that its own service calls below it."""
        reached: defaultdict[int, set[str]] = defaultdict(set)
        for at, above in enumerate(self._above):
            if above is None or self._spans[above].service == self._spans[at].service:
                continue
            service, seen = self._spans[above].service, {at}
            place: int | None = above
            while place is not None and place not in seen and self._spans[place].service == service:
                seen.add(place)
                reached[place].add(self._spans[at].service)
                place = self._above[place]
        return reached


def _holds(span: Span, time: float) -> bool:
    return span.time <= time <= span.time + span.milliseconds / 1_000 + 0.001
