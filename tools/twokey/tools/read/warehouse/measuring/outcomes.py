"""Columns that seem to predict another one of the same table, and how good they were, by period and version.

Rules
- Found by form and by general words: a number from 0 to 1 with many different values beside something that is true or
  false; or two columns of the same few values, or of many numbers of the same size, of which the names say that one
  is a guess and the other what was so.
- Where the names say nothing, only one such pair in a table is taken, and it says so (``named``).
- Rows without an outcome yet are not counted. The names of versions are shown only where they are few, repeat, and do
  not look personal.

Area under the ROC curve: the share of pairs of rows in which the one where it happened has the higher score, ties
counting half (Mann-Whitney).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import fsum, sqrt
from statistics import median
from typing import Final, Literal

from twokey.tools.read.warehouse import patterns
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid
from twokey.tools.read.warehouse.inspection.times import Dates
from twokey.tools.read.warehouse.measured import Outcome, Part
from twokey.tools.read.warehouse.profile import looks_personal
from twokey.tools.read.warehouse.values import ColumnProfile

ENOUGH: Final = 200
"""Rows with a prediction and an outcome below which nothing is measured."""
MAX_PARTS: Final = 24
_A_PART: Final = 30
"""Rows of a period or version below which it is not told."""
_MANY: Final = 20
"""Different scores from which a column is one of probabilities."""
_MOST_CLASSES: Final = 12
_APART: Final = 10.0
"""How many times as large as the other the middle of two columns may be that are taken for the same amount."""
_HUGE: Final = 1e100
"""Numbers from here on are no amounts, and their squares would be none either."""
Kind = Literal["score", "class", "number"]
_GUESS: Final = frozenset(
    """
    pred prediction predicted predictions score scores prob probability proba probabilities p yhat estimate estimated
    forecast forecasted likelihood propensity guess guessed classified inferred
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_TRUTH: Final = frozenset(
    """
    label labels actual actuals truth true target outcome observed ground confirmed real happened y reference gold
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_VERSION: Final = frozenset({"version", "model", "release", "champion"})
_YES: Final = frozenset({"1", "true", "t", "yes", "y"})
_NO: Final = frozenset({"0", "false", "f", "no", "n"})
_SHOWN: Final = re.compile(r"\w[\w.+:/-]{0,39}(?: [\w.+:/-]{1,20})?")
"""What a version is called, in at most two words: no sentence passes for one."""


def find(grid: Grid, dated: Sequence[Dates]) -> Iterator[Outcome]:
    """Give every pair of a prediction and an outcome, with how good it was."""
    for prediction, truth, kind, named in _pairs(grid):
        rows = [
            row
            for row, (one, two) in enumerate(zip(prediction.codes, truth.codes, strict=True))
            if BLANK not in {one, two} and (kind == "class" or prediction.numbers[one] is not None)
        ]
        if len(rows) < ENOUGH:
            continue
        time, version = _time(dated, rows), _version(grid, prediction, truth, rows)
        judge = _Judge(prediction, truth, kind)
        periods = [] if time is None else [part for part in _periods(time, rows) if len(part[1]) >= _A_PART]
        earlier = [row for _, held in periods[:-1] for row in held]
        yield Outcome(
            column=prediction.name,
            truth=truth.name,
            kind=kind,
            named=named,
            rows=len(rows),
            time=time.column.name if time is not None else None,
            version=version.name if version is not None else None,
            all=judge.part("", rows),
            earlier=judge.part("", earlier) if earlier else None,
            periods=tuple(judge.part(name, held) for name, held in periods),
            versions=tuple(judge.part(name, held) for name, held in _by_version(version, time, rows)),
        )


# --- which columns -------------------------------------------------------------------------------------------------


def _pairs(grid: Grid) -> Iterator[tuple[Column, Column, Kind, bool]]:
    """Give prediction, truth, what is predicted, and whether the names say so."""
    scores = [column for column in grid.columns if _is_score(column)]
    flags = [column for column in grid.columns if _yes(column) is not None]
    told = [score for score in scores if score.words & _GUESS]
    truths = [flag for flag in flags if flag.words & _TRUTH and not flag.words & _GUESS]
    if len(truths) == 1:
        for score in told:
            yield score, truths[0], "score", True
    elif not truths and len(told) == 1 and len(flags) == 1 and not flags[0].words & _GUESS:
        yield told[0], flags[0], "score", False
    for guess in grid.columns:
        if not guess.words & _GUESS or not 2 <= guess.distinct <= _MOST_CLASSES:
            continue
        for truth in grid.columns:
            if truth.words & _TRUTH and not truth.words & _GUESS and _same_values(guess, truth):
                yield guess, truth, "class", True
    yield from _amounts(grid)


def _amounts(grid: Grid) -> Iterator[tuple[Column, Column, Kind, bool]]:
    """Give guesses of amounts with what they were: of the same thing by their names, else the only one of each."""
    numbers = [column for column in grid.columns if column.distinct >= _MANY and column.numeric == column.filled]
    guesses = [column for column in numbers if column.words & _GUESS]
    truths = [column for column in numbers if column.words & _TRUTH and not column.words & _GUESS]
    for guess in guesses:
        same = [truth for truth in truths if truth.words - _TRUTH == guess.words - _GUESS - _TRUTH]
        found = same or (truths if len(truths) == len(guesses) == 1 else [])
        if len(found) == 1 and _same_size(guess, found[0]):
            yield guess, found[0], "number", True


def _same_size(guess: Column, truth: Column) -> bool:
    """Whether numbers are of the same order, and none is huge: a rank or a share beside an amount is no guess of it."""
    sizes = [[abs(number) for number in column.numbers if number is not None] for column in (guess, truth)]
    one, two = (median(size) for size in sizes)
    return max(map(max, sizes)) < _HUGE and max(one, two) <= _APART * min(one, two)


def _is_score(column: Column) -> bool:
    if column.distinct < _MANY or column.numeric < column.filled:
        return False
    return all(number is not None and 0 <= number <= 1 for number in column.numbers)


def _yes(column: Column) -> frozenset[int] | None:
    """Give the codes that mean yes, where a column holds yes and no and nothing else."""
    if not 2 <= column.distinct <= 4:
        return None
    said = {code: text.casefold().removesuffix(".0") for code, text in enumerate(column.texts)}
    if not set(said.values()) <= _YES | _NO:
        return None
    yes = frozenset(code for code, text in said.items() if text in _YES)
    return yes if 0 < len(yes) < len(said) else None


def _same_values(guess: Column, truth: Column) -> bool:
    one, two = set(guess.texts), set(truth.texts)
    return len(two) <= _MOST_CLASSES and len(one & two) >= 2 and len(one & two) * 2 > len(one | two)


def _time(dated: Sequence[Dates], rows: Sequence[int]) -> Dates | None:
    """Give the dates that order the predictions: of those filled in nearly all rows, the ones named after a guess."""
    full = [
        dates
        for dates in dated
        if sum(dates.column.codes[row] != BLANK for row in rows) * 20 >= 19 * len(rows)
        and looks_personal(dates.column.name, ColumnProfile(name=dates.column.name, type="")) is False
    ]
    named = [dates for dates in full if dates.column.words & (_GUESS | {"scored", "predicted", "inferred"})]
    return next(iter([*named, *full]), None)


def _version(grid: Grid, prediction: Column, truth: Column, rows: Sequence[int]) -> Column | None:
    for column in grid.columns:
        if column.index in {prediction.index, truth.index} or not column.words & _VERSION:
            continue
        if not 2 <= column.distinct <= MAX_PARTS or column.filled < 0.95 * grid.rows:
            continue
        if looks_personal(column.name, ColumnProfile(name=column.name, type="")):
            continue
        if all(_may_be_shown(text) for text in column.texts) and len(rows) >= 2 * _A_PART:
            return column
    return None


def _may_be_shown(text: str) -> bool:
    personal = {"email", "embedded_email", "phone", "ip", "card", "iban", "secret"}
    return _SHOWN.fullmatch(text) is not None and personal.isdisjoint(patterns.detect(text))


# --- which rows ----------------------------------------------------------------------------------------------------


def _periods(dates: Dates, rows: Sequence[int]) -> Iterator[tuple[str, Sequence[int]]]:
    """Part rows by day, week, month or year, whatever gives at most ``MAX_PARTS`` periods and enough rows in each."""
    days = {row: day for row in rows if (day := dates.days.get(dates.column.codes[row])) is not None}
    for start in (_of_day, _of_week, _of_month, _of_year):
        parts: dict[str, list[int]] = {}
        for row, day in days.items():
            parts.setdefault(start(day), []).append(row)
        if len(parts) <= MAX_PARTS and len(days) >= 2 * _A_PART * len(parts):
            yield from sorted(parts.items())
            return


def _of_day(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _of_week(day: int) -> str:
    return date.fromordinal(day - (day - 1) % 7).isoformat()


def _of_month(day: int) -> str:
    return date.fromordinal(day).replace(day=1).isoformat()


def _of_year(day: int) -> str:
    return date.fromordinal(day).replace(month=1, day=1).isoformat()


def _by_version(column: Column | None, time: Dates | None, rows: Sequence[int]) -> Iterator[tuple[str, Sequence[int]]]:
    """Part rows by version, in the order of the middle of their days, else of their first rows."""
    parts: dict[int, list[int]] = {}
    for row in rows if column is not None else ():
        if column is not None and column.codes[row] != BLANK:
            parts.setdefault(column.codes[row], []).append(row)
    ordered = list(parts.items())
    if time is not None:
        ordered.sort(key=lambda part: _middle(time, part[1]))
    for code, found in ordered:
        if column is not None and len(found) >= _A_PART:
            yield column.texts[code], found


def _middle(time: Dates, rows: Sequence[int]) -> int:
    days = sorted(day for row in rows if (day := time.days.get(time.column.codes[row])) is not None)
    return days[len(days) // 2] if days else 0


# --- how good ------------------------------------------------------------------------------------------------------


class _Judge:
    """Compares a prediction with its outcome."""

    def __init__(self, prediction: Column, truth: Column, kind: Kind) -> None:
        self._prediction = prediction
        self._truth = truth
        self._kind = kind
        self._yes = (_yes(truth) or frozenset[int]()) if kind == "score" else frozenset[int]()
        known: Mapping[str, int] = {text: code for code, text in enumerate(prediction.texts)}
        self._same = [known.get(text) for text in truth.texts]

    def part(self, name: str, rows: Sequence[int]) -> Part:
        """Say how good the prediction was in some rows."""
        if self._kind == "number":
            return self._number(name, rows)
        return self._score(name, rows) if self._kind == "score" else self._class(name, rows)

    def _number(self, name: str, rows: Sequence[int]) -> Part:
        guessed, true = self._prediction.numbers, self._truth.numbers
        off = [
            abs((guessed[self._prediction.codes[row]] or 0.0) - (true[self._truth.codes[row]] or 0.0)) for row in rows
        ]
        mean = fsum(off) / len(off)
        spread = fsum((each - mean) ** 2 for each in off)
        return Part(
            name=name, rows=len(rows), off=f"{mean:.6g}", off_error=f"{sqrt(spread / (len(off) * (len(off) - 1))):.6g}"
        )

    def _class(self, name: str, rows: Sequence[int]) -> Part:
        right = sum(self._same[self._truth.codes[row]] == self._prediction.codes[row] for row in rows)
        return Part(name=name, rows=len(rows), right=right)

    def _score(self, name: str, rows: Sequence[int]) -> Part:
        numbers, yes = self._prediction.numbers, self._yes
        scored = sorted(((numbers[self._prediction.codes[row]] or 0.0), self._truth.codes[row] in yes) for row in rows)
        positives = sum(happened for _, happened in scored)
        return Part(
            name=name,
            rows=len(rows),
            right=sum((score >= 0.5) == happened for score, happened in scored),
            positives=positives,
            auc=_auc(scored, positives),
            expected=f"{sum(score for score, _ in scored):.2f}",
            variance=f"{sum(score * (1 - score) for score, _ in scored):.2f}",
        )


def _auc(scored: Sequence[tuple[float, bool]], positives: int) -> str:
    """Give the area under the ROC curve of pairs that are sorted by score; nothing where it has none."""
    negatives = len(scored) - positives
    if not positives or not negatives:
        return ""
    pairs = below = index = 0  # twice the number of pairs in which the higher score is where it happened; ties are one
    while index < len(scored):
        end = index
        while end < len(scored) and scored[end][0] == scored[index][0]:
            end += 1
        held = sum(happened for _, happened in scored[index:end])
        others = end - index - held
        pairs += held * (2 * below + others)
        below += others
        index = end
    return f"{pairs / (2 * positives * negatives):.4f}"
