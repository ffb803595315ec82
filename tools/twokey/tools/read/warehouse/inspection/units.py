"""Numbers whose unit differs from cell to cell, or is written in several ways.

Rules: a column counts where nearly all cells are numbers, bare or with a unit. One unit throughout, written one way, is
a habit and no fault. Several units, several spellings without one that prevails, or numbers with and without a unit are
one problem with one conversion. Whether a bare number is in the same unit is read from the magnitudes, never assumed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Conversion, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid
from twokey.tools.read.warehouse.inspection.measures import Unit, base_of, factor, unit_of

ENOUGH: Final = 20
_NEARLY_ALL: Final = 0.85
_PREVAILS: Final = 0.8
_PART: Final = re.compile(
    r"([$€£¥]?)\s?([+-]?[0-9]{1,15}(?:,[0-9]{3})*(?:\.[0-9]{0,15})?)\s?([^\d\s.,;][^\d,;]{0,40})?"
)
_UNITS: Final = frozenset("a%°$€£¥'\"")
"""What the form of a number with a unit holds one of."""
_MOST_CONVERSIONS: Final = 12
_MOST_TEXT: Final = 60
_OTHER_QUANTITY: Final = 0.05


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its unit (``None`` for a bare number), and how the unit is spelled."""

    number: float
    unit: Unit | None
    spelling: str


def find(grid: Grid) -> Iterator[Problem]:
    """Give the mismatch of a text column, and what is no measure among measures."""
    for column in grid.columns:
        if column.is_text and column.filled >= ENOUGH and column.numeric < column.filled:
            yield from _of_column(column)


def measure_of(text: str) -> Measure | None:
    """Read a text as a number with or without a unit; ``1 h 30 min`` is a number of hours written in parts."""
    if not 0 < len(text) <= _MOST_TEXT or not (text[0].isdigit() or text[0] in "$€£¥+-."):
        return None
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        return None
    sign, number, said = parts[0]
    value = float(number.replace(",", ""))
    if len(parts) > 1:
        return _in_parts(parts, value)
    if sign:
        unit = unit_of(sign)
        return None if said else Measure(value, unit, sign)
    if not said:
        return Measure(value, None, "")
    return _with_words(value, said)


def _with_words(value: float, said: str) -> Measure | None:
    """Read a unit with anything behind it: ``12 oz. bottle``."""
    spelling = said.strip()
    unit = unit_of(spelling)
    if unit is None and " " in spelling:
        unit = unit_of(spelling.split()[0])
    return None if unit is None else Measure(value, unit, spelling)


def _in_parts(parts: list[tuple[str, str, str]], value: float) -> Measure | None:
    units = [unit_of(said.strip()) if said.strip() else None for _, _, said in parts]
    first = units[0]
    if first is None or len(parts) > 3 or any(unit is None or unit.base != first.base for unit in units):
        return None
    return Measure(value, first, " + ".join(said.strip().casefold() for _, _, said in parts))


def _looks_measured(column: Column, nothing: frozenset[int]) -> bool:
    """Whether the forms of the column are those of numbers with words; cheap, and before anything is read."""
    likely = sum(
        cells
        for form, cells in column.cells_that_say.items()
        if len(form) <= _MOST_TEXT and (form[:1] in "9$€£¥+-." or form[:2] == "-9")
    )
    return likely >= _NEARLY_ALL * (column.filled - sum(column.counts[code] for code in nothing))


def _of_column(column: Column) -> Iterator[Problem]:
    nothing = column.nothing
    total = column.filled - sum(column.counts[code] for code in nothing)
    if total < ENOUGH or not _looks_measured(column, nothing):
        return
    bare = {code: number for code, number in enumerate(column.numbers) if number is not None and code not in nothing}
    read = {
        code: measure_of(text)
        for code, (text, form) in enumerate(zip(column.texts, column.forms, strict=True))
        if code not in bare and code not in nothing and not _UNITS.isdisjoint(form)
    }
    known = {code: measure for code, measure in read.items() if measure is not None}
    if not known:
        return
    known |= {code: Measure(number, None, "") for code, number in bare.items()}
    cells = sum(column.counts[code] for code in known)
    if cells < _NEARLY_ALL * total:
        return
    units: Counter[Unit | None] = Counter()
    for code, measure in known.items():
        units[measure.unit] += column.counts[code]
    problem = _judged(column, known, units)
    if problem is not None:
        yield problem
    others = {code for code in range(column.distinct) if code not in known and code not in nothing}
    if others and None not in units:
        yield Problem("format_break", (column.index,), cells_of(column.index, column.rows_of(others)), 88, "format")


def _judged(column: Column, known: dict[int, Measure], units: Counter[Unit | None]) -> Problem | None:
    """Decide which cells go against the habit of the column."""
    usual = units.most_common(1)[0][0]
    wrong = {code for code, measure in known.items() if not _is_in_unit(measure.unit, usual, units)}
    conversions = [
        Conversion(_name(unit), _name(usual), _factor(column, known, unit, usual), count)
        for unit, count in units.most_common(_MOST_CONVERSIONS)
        if not _is_in_unit(unit, usual, units)
    ]
    detail = "units" if None not in units else "some_bare"
    if usual is not None:
        spellings: Counter[str] = Counter()
        for code, measure in known.items():
            if measure.unit == usual:
                spellings[measure.spelling] += column.counts[code]
        said, most = spellings.most_common(1)[0]
        if len(spellings) > 1:
            prevails = most >= _PREVAILS * spellings.total()
            odd = {
                code
                for code, found in known.items()
                if found.unit == usual and not (prevails and found.spelling == said)
            }
            wrong |= odd
            detail = "spellings" if set(units) == {usual} else detail
            conversions.insert(0, Conversion(_name(usual), _name(usual), "1", sum(column.counts[code] for code in odd)))
            base = base_of(usual)
            if base is not None and base != usual and factor(usual, base):
                conversions.append(Conversion(_name(usual), _name(base), factor(usual, base), 0))
    if not wrong:
        return None
    cells = cells_of(column.index, column.rows_of(wrong))
    return Problem("unit_mismatch", (column.index,), cells, 92, detail, conversions=tuple(conversions))


def _is_in_unit(unit: Unit | None, usual: Unit | None, units: Counter[Unit | None]) -> bool:
    """Whether a unit is the usual one, or the one in which things of another kind are measured: oil is not weighed."""
    if unit == usual or unit is None or usual is None or unit.base == usual.base:
        return unit == usual
    same = {other: count for other, count in units.items() if other is not None and other.base == unit.base}
    return sum(same.values()) >= _OTHER_QUANTITY * units.total() and unit == max(same, key=lambda other: same[other])


def _name(unit: Unit | None) -> str:
    return "" if unit is None else unit.name


def _factor(column: Column, known: dict[int, Measure], given: Unit | None, wanted: Unit | None) -> str:
    """Give the factor; where one side has no unit, the magnitudes must say that it is the same."""
    if given is not None and wanted is not None:
        return factor(given, wanted)
    ratio = _ratio(column, known, given, wanted)
    if ratio is None:
        return ""
    if 0.25 <= ratio <= 4:
        return "1"
    if "percent" in {_name(given), _name(wanted)}:
        shares = {"0.01": 100.0, "100": 0.01}
        return next((text for text, size in shares.items() if 0.25 <= ratio / size <= 4), "")
    return ""


def _ratio(column: Column, known: dict[int, Measure], given: Unit | None, wanted: Unit | None) -> float | None:
    sides: defaultdict[Unit | None, list[float]] = defaultdict(list)
    for code, measure in known.items():
        sides[measure.unit] += [measure.number] * min(column.counts[code], 100)
    usual = median(sides[wanted])
    return median(sides[given]) / usual if usual else None
