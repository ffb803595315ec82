"""From rows to the answer of ``inspect``: counts, names, codes and masked forms, and never a value.

Rules: what the answer holds of a cell is its masked form, as a profile shows it, and the unit it is written in where
that is a unit of measure. The positions of cells are for the process that measures quality; they are not stored.
"""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final

from twokey.core.errors import ToolRetry
from twokey.tools.read.warehouse import patterns
from twokey.tools.read.warehouse.inspection import found, times
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid, column_of
from twokey.tools.read.warehouse.inspection.inspecting import inspect
from twokey.tools.read.warehouse.measuring.table import late_from, measured
from twokey.tools.read.warehouse.sources import Deadline, Most, Sampled, Source, StatementFailed, day_of
from twokey.tools.read.warehouse.values import (
    Inspected,
    InspectRequest,
    InspectResult,
    Notice,
    Problem,
    Tally,
    UnitConversion,
)

MAX_PROBLEMS: Final = 60
_MAX_SHAPES: Final = 3
_MAX_NAMED: Final = 16
_HUGE: Final = 10**30
_WRITTEN_PLAINLY: Final = frozenset({float, Decimal})


def grid_of(sampled: Sampled) -> Grid:
    """Give the rows as codes and texts."""
    columns = [
        _column(index, name, cells)
        for index, (name, cells) in enumerate(zip(sampled.names, sampled.columns, strict=True))
    ]
    return Grid(sampled.sampled, columns)


def _column(index: int, name: str, cells: Sequence[Any]) -> Column:
    kinds = set(map(type, cells)) - {type(None)}
    return column_of(index, name, _texts(cells, kinds), is_text=str in kinds)


def answer(source: Source, request: InspectRequest, deadline: Deadline, now_us: int) -> InspectResult:
    """Inspect tables one by one; one that cannot be read carries its problem, one that was not reached says so."""
    most = Most(request.max_rows, request.max_cells)
    done: list[Inspected] = []
    for table in request.tables:
        try:
            deadline.left(1)
            done.append(of_rows(source.sample(table, most), now_us))
        except StatementFailed:
            done.append(Inspected(table=table, reached=False))
        except ToolRetry as error:
            done.append(Inspected(table=table, problem=error.message[:300]))
    return InspectResult(tables=tuple(done))


def of_rows(sampled: Sampled, now_us: int) -> Inspected:
    """Inspect rows and say what is wrong."""
    grid = grid_of(sampled)
    measures, today = measured(grid, now_us, sampled.sampling), day_of(now_us)
    turns = [day for day in (times.until(grid, now_us), late_from(measures, today)) if day is not None]
    seen = {"day": today.isoformat(), "until": min(turns).isoformat() if turns else "", "measured": measures}
    return told(sampled, grid, inspect(grid, now_us)).model_copy(update=seen)


def told(sampled: Sampled, grid: Grid, problems: Sequence[found.Problem]) -> Inspected:
    """Put what was found into words that may leave the process."""
    notices = list(sampled.notices)
    if len(problems) > MAX_PROBLEMS:
        text = f"{len(problems) - MAX_PROBLEMS} more problems were found and are not listed."
        notices.append(Notice(code="more_problems", text=text))
    return Inspected(
        table=sampled.table,
        version=sampled.version,
        rows=sampled.rows,
        sampled=sampled.sampled,
        sampling=sampled.sampling,
        problems=tuple(_told(grid, problem) for problem in problems[:MAX_PROBLEMS]),
        notices=tuple(notices),
    )


def _texts(cells: Sequence[Any], kinds: AbstractSet[type[Any]]) -> Sequence[str | None]:
    if kinds <= {str}:
        return cells
    if kinds <= _WRITTEN_PLAINLY:
        return [None if cell is None else str(cell) for cell in cells]
    if kinds == {int}:
        return [None if cell is None else str(cell) if -_HUGE < cell < _HUGE else "1e30" for cell in cells]
    return [None if cell is None or isinstance(cell, bytes) else _text(cell) for cell in cells]


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell) if not isinstance(cell, int) or abs(cell) < _HUGE else "1e30"


def _told(grid: Grid, problem: found.Problem) -> Problem:
    return Problem(
        code=problem.code,
        columns=_names(grid, problem.columns),
        by=_names(grid, problem.by),
        cells=len(problem.cells),
        rows=problem.rows,
        newest="" if problem.newest is None else problem.newest.isoformat(),
        confidence=problem.confidence,
        detail=problem.detail,
        conversions=tuple(
            UnitConversion(given=item.given, wanted=item.wanted, factor=item.factor, cells=item.cells)
            for item in problem.conversions
        ),
        shapes=_shapes(grid, problem),
    )


def _names(grid: Grid, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(grid.columns[column].name for column in columns[:_MAX_NAMED])


def _shapes(grid: Grid, problem: found.Problem) -> tuple[Tally, ...]:
    codes: Counter[tuple[int, int]] = Counter(
        (column, grid.columns[column].codes[row]) for row, column in problem.cells
    )
    shapes: Counter[str] = Counter()
    for (column, code), count in codes.items():
        if code != BLANK:
            shapes[patterns.shape(grid.columns[column].texts[code])] += count
    ranked = sorted(shapes.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SHAPES]
    return tuple(Tally(text=text, count=count) for text, count in ranked)
