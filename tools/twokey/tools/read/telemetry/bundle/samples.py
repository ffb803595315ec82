"""Samples of ``metrics.csv``: as fast as arrays allow, and exact about what is no sample.

Rules: the header is ``time,service,metric,value``; a line that has not four fields, or no finite number for time and
value, or an empty name, is no sample and is counted. Lines in any order give the same answer as sorted ones; of two
samples of one series at one time the later line counts. At most ``MOST_SAMPLES`` samples and ``MOST_SERIES`` series
are kept.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.port import MAX_NAME, Floats, Interval, Series

MOST_SAMPLES: Final = 12_000_000
MOST_SERIES: Final = 100_000
HEADER: Final = b"time,service,metric,value"
_NEWLINE, _COMMA, _QUOTE, _NUL = 10, 44, 34, 0

Ints: TypeAlias = NDArray[np.int64]
_Part: TypeAlias = tuple[NDArray[np.int32], Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """All samples, sorted by series and time; ``bounds[i]`` is where series ``i`` begins, the last where all end."""

    names: tuple[tuple[str, str], ...]
    bounds: Ints
    times: Floats
    values: Floats

    def within(self, interval: Interval) -> tuple[Series, ...]:
        """Give the series that have samples in the interval, with these samples."""
        found: list[Series] = []
        inside = (self.times >= interval.start) & (self.times < interval.end)
        kept = np.concatenate(([0], np.cumsum(inside)))[self.bounds].tolist()
        times, values = self.times[inside], self.values[inside]
        for at, (service, metric) in enumerate(self.names):
            begin, end = kept[at], kept[at + 1]
            if begin < end:
                found.append(Series(service, metric, times[begin:end], values[begin:end]))
        return tuple(found)


def read_samples(blocks: Iterable[bytes], tally: Tally) -> Samples:
    """Read blocks of whole lines, the first of which begins with the header."""
    known: dict[bytes, int] = {}
    parts: list[_Part] = []
    count = 0
    for number, block in enumerate(blocks):
        text = block.replace(b"\r\n", b"\n") if b"\r" in block else block
        if number == 0:
            header, _, text = text.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
            if header.strip() != HEADER:
                tally.unreadable = True
                break
        if text:
            parts.append(_part(text, known, tally))
            count += len(parts[-1][0])
        if count > MOST_SAMPLES or len(known) > MOST_SERIES:
            tally.too_much = MOST_SAMPLES if count > MOST_SAMPLES else MOST_SERIES
            break
    return _together(known, parts)


def _part(text: bytes, known: dict[bytes, int], tally: Tally) -> _Part:
    """Read one block of whole lines."""
    buffer = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(buffer == _NEWLINE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    commas = np.flatnonzero(buffer == _COMMA)
    first, after = np.searchsorted(commas, starts), np.searchsorted(commas, ends)
    plain = (after - first) == 3
    for odd in (_QUOTE, _NUL):
        at = np.flatnonzero(buffer == odd)
        if len(at):
            plain[np.searchsorted(ends, at)] = False
    others = np.flatnonzero(~plain).tolist()
    starts, ends, first = starts[plain], ends[plain], first[plain]
    one, two, three = (commas[first + place] for place in range(3)) if len(first) else (first, first, first)
    times, values = _numbers(text, starts, one), _numbers(text, three + 1, ends)
    ids = _series_of(text, one + 1, two, three, known)
    good = np.isfinite(times) & np.isfinite(values) & (ids >= 0)
    tally.malformed += int(len(good) - good.sum())
    part = (ids[good], times[good], values[good])
    if others:
        lines = text.split(b"\n")
        part = _joined(part, _quoted([lines[at] for at in others], known, tally))
    return part


def _numbers(text: bytes, starts: Ints, ends: Ints) -> Floats:
    """Give the numbers between two places of each line; NaN for what is none."""
    if not len(starts):
        return np.empty(0)
    lengths = ends - starts + 1
    into = np.cumsum(lengths)
    at = np.arange(into[-1]) + np.repeat(starts - into + lengths, lengths)
    taken = np.frombuffer(text, np.uint8)[at]
    taken[into - 1] = _COMMA
    fields = taken[:-1].tobytes()
    # ``true``, ``null`` and ``false`` are JSON, and no numbers
    found = None if b"u" in fields or b"s" in fields else _listed(fields)
    if found is None or found.shape != starts.shape:
        found = np.array([_number(each) for each in fields.split(b",")])
    return found


def _listed(fields: bytes) -> Floats | None:
    try:
        return np.array(orjson.loads(b"[" + fields + b"]"), dtype=np.float64)
    except (ValueError, TypeError):
        return None


def _number(field: bytes) -> float:
    try:
        return float(field)
    except ValueError:
        return float("nan")


def _series_of(text: bytes, starts: Ints, middles: Ints, ends: Ints, known: dict[bytes, int]) -> NDArray[np.int32]:
    """Number the series of each line; -1 where a name is empty or too long.

    Fields of one length are compared as fixed-width texts, neighbour with neighbour: a table of samples is mostly
    sorted, so that few differ.
    """
    ids = np.full(len(starts), -1, np.int32)
    lengths = ends - starts
    named = (middles > starts) & (ends > middles + 1) & (lengths <= 2 * MAX_NAME)
    for length in np.unique(lengths[named]).tolist():
        rows = np.flatnonzero(named & (lengths == length))
        window = np.ndarray((len(text) - length + 1,), f"S{length}", text, strides=(1,))
        fields = window[starts[rows]]
        changes = np.flatnonzero(np.concatenate(([True], fields[1:] != fields[:-1])))
        numbers = [known.setdefault(text[at : at + length], len(known)) for at in starts[rows[changes]].tolist()]
        ids[rows] = np.repeat(np.array(numbers, np.int32), np.diff(np.append(changes, len(rows))))
    return ids


def _quoted(lines: list[bytes], known: dict[bytes, int], tally: Tally) -> _Part:
    """Read the few lines that arrays cannot: those with quotes, and those that are no samples."""
    ids: list[int] = []
    times: list[float] = []
    values: list[float] = []
    for line in lines:
        try:
            row = next(csv.reader([line.decode(errors="replace")], strict=True), [])
        except csv.Error:
            row = []
        if not row:
            tally.malformed += bool(line.strip())
            continue
        numbers = (_number(row[0].encode()), _number(row[-1].encode()))
        names = row[1:-1]
        if len(row) != 4 or not np.isfinite(numbers).all() or not all(names) or "\0" in "".join(names):
            tally.malformed += 1
            continue
        # The separator of names is a comma in the file; a name that holds one is told apart by NUL, which none holds.
        key = (",".join if not any("," in name for name in names) else "\0".join)(names)
        ids.append(known.setdefault(key.encode(), len(known)))
        times.append(numbers[0])
        values.append(numbers[1])
    return np.array(ids, np.int32), np.array(times, np.float64), np.array(values, np.float64)


def _joined(one: _Part, two: _Part) -> _Part:
    return (
        np.concatenate((one[0], two[0])),
        np.concatenate((one[1], two[1])),
        np.concatenate((one[2], two[2])),
    )


def _named(key: bytes) -> tuple[str, str]:
    text = key.decode(errors="replace")
    service, _, metric = text.partition("\0" if "\0" in text else ",")
    return service[:MAX_NAME], metric[:MAX_NAME]


def _together(known: dict[bytes, int], parts: list[_Part]) -> Samples:
    if not parts:
        return Samples((), np.zeros(1, np.int64), np.empty(0), np.empty(0))
    numbers = np.concatenate([part[0] for part in parts])[:MOST_SAMPLES].astype(np.int64)
    times = np.concatenate([part[1] for part in parts])[:MOST_SAMPLES]
    values = np.concatenate([part[2] for part in parts])[:MOST_SAMPLES]
    labels = [_named(key) for key in known]
    order = sorted(set(labels))
    rank = {name: place for place, name in enumerate(order)}
    ids = np.array([rank[name] for name in labels], np.int64)[numbers]
    if len(ids) > 1 and not bool(((ids[1:] > ids[:-1]) | ((ids[1:] == ids[:-1]) & (times[1:] > times[:-1]))).all()):
        sorting = np.lexsort((times, ids))
        ids, times, values = ids[sorting], times[sorting], values[sorting]
        last = np.append((ids[1:] != ids[:-1]) | (times[1:] != times[:-1]), [True])
        ids, times, values = ids[last], times[last], values[last]
    bounds = np.searchsorted(ids, np.arange(len(order) + 1))
    return Samples(tuple(order), bounds, times, values)
