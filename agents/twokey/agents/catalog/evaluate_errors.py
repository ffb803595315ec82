"""How well wrong cells are found: ``twokey eval errors --dirty CSV --clean CSV``.

Rules: the table is read and judged by the read tool's own code, and told by the agent's own words; the clean file is
opened only after that, for scoring. A cell is wrong where the two files differ after outer blanks are stripped; a cell
is found where some problem that calls cells wrong covers it.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from twokey.agents.catalog import inspected
from twokey.agents.catalog.facts import Column, Table
from twokey.core.errors import BadInput
from twokey.tools.read.warehouse.inspection.answering import grid_of, told
from twokey.tools.read.warehouse.inspection.found import Cell, Problem
from twokey.tools.read.warehouse.inspection.grid import BLANK, Grid
from twokey.tools.read.warehouse.inspection.inspecting import inspect
from twokey.tools.read.warehouse.reading import read_file

MAX_ROWS: Final = 1_000_000


def on_files(dirty: Path, clean: Path, now_us: int) -> dict[str, Any]:
    """Find the wrong cells of ``dirty``, and score them against ``clean``.

    Gives ``precision``, ``recall``, ``f1`` and ``column_flag_f1`` (0 to 1), ``findings`` (sentences a person is shown),
    ``seconds`` (reading and judging), ``rows``, ``wrong_cells``, ``flagged_cells``, ``problems`` (code, columns, cells,
    conversions) and ``claims``.

    Raises:
        BadInput: a file cannot be read, or the two do not have the same rows and columns.

    """
    started = time.perf_counter()
    sampled = read_file(dirty, MAX_ROWS)
    grid = grid_of(sampled)
    problems = inspect(grid, now_us)
    answer = told(sampled, grid, problems)
    table = Table(
        key=dirty.stem, schema="", name=dirty.stem, columns=tuple(Column(name, "", "text") for name in sampled.names)
    )
    claims = [said.claim for said in inspected.said(table, answer)]
    seconds = time.perf_counter() - started
    truth = grid_of(read_file(clean, MAX_ROWS))
    return {
        **score(grid, truth, problems),
        "findings": len(claims),
        "seconds": round(seconds, 3),
        "problems": [problem.model_dump(mode="json", exclude={"shapes"}) for problem in answer.problems],
        "claims": claims,
    }


def score(grid: Grid, truth: Grid, problems: Sequence[Problem]) -> dict[str, Any]:
    """Compare what was found with what differs; raises ``BadInput`` where the two cannot be compared."""
    if (grid.rows, len(grid.columns)) != (truth.rows, len(truth.columns)):
        raise BadInput(
            f"The dirty file has {grid.rows} rows and {len(grid.columns)} columns, the clean one {truth.rows} and "
            f"{len(truth.columns)}.",
            next="Give two files with the same rows in the same order.",
            code="not_comparable",
        )
    wrong = wrong_cells(grid, truth)
    flagged = {cell for problem in problems if problem.claims for cell in problem.cells}
    hits = len(wrong & flagged)
    return {
        **_figures(hits, len(flagged), len(wrong)),
        "column_flag_f1": _whole_columns(Counter(column for _, column in wrong), grid.rows),
        "rows": grid.rows,
        "wrong_cells": len(wrong),
        "flagged_cells": len(flagged),
    }


def wrong_cells(grid: Grid, truth: Grid) -> set[Cell]:
    """Give the cells in which two tables differ, outer blanks apart."""
    found: set[Cell] = set()
    for column, right in zip(grid.columns, truth.columns, strict=True):
        codes, wanted = dict(enumerate(column.texts)), dict(enumerate(right.texts))
        codes[BLANK] = wanted[BLANK] = ""
        for row, (mine, theirs) in enumerate(zip(column.codes, right.codes, strict=True)):
            if codes[mine] != wanted[theirs]:
                found.add((row, column.index))
    return found


def _figures(hits: int, flagged: int, wrong: int) -> dict[str, float]:
    precision = hits / flagged if flagged else 0.0
    recall = hits / wrong if wrong else 0.0
    f1 = 2 * hits / (flagged + wrong) if hits else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def _whole_columns(wrong: Mapping[int, int], rows: int) -> float:
    """Give the best F1 that flagging whole columns reaches: those with the most wrong cells, as far as that pays."""
    total = sum(wrong.values())
    best, hits, flagged = 0.0, 0, 0
    for count in sorted(wrong.values(), reverse=True):
        hits += count
        flagged += rows
        best = max(best, 2 * hits / (flagged + total))
    return round(best, 4)
