"""How well wrong cells are found, measured against the corrected rows."""

import csv
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import dirty_tables
from support.inspected_rows import NOW_US, grid

from twokey.agents.catalog.evaluate_errors import on_files, score
from twokey.core.errors import BadInput
from twokey.tools.read.warehouse.inspection.found import Problem


def written(path: Path, table: dirty_tables.Table) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([table.columns, *table.rows])
    return path


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("parcels")
    dirty = written(folder / "dirty.csv", dirty_tables.soiled("parcels"))
    return on_files(dirty, written(folder / "clean.csv", dirty_tables.clean("parcels")), NOW_US)


def test_a_table_that_was_soiled_on_purpose(parcels: dict[str, Any]) -> None:
    assert parcels["f1"] >= 0.97
    assert parcels["f1"] > parcels["column_flag_f1"]
    assert parcels["findings"] == len(parcels["claims"]) <= 8
    assert parcels["wrong_cells"] == len(dirty_tables.soiled("parcels").wrong)
    assert (parcels["rows"], parcels["seconds"] > 0) == (1500, True)
    assert json.loads(json.dumps(parcels)) == parcels


def test_the_clean_file_tells_the_detector_nothing(tmp_path: Path, parcels: dict[str, Any]) -> None:
    """Compared with itself a dirty file has no wrong cell, and the same cells are doubted."""
    dirty = written(tmp_path / "dirty.csv", dirty_tables.soiled("parcels"))
    alone = on_files(dirty, dirty, NOW_US)
    assert (alone["wrong_cells"], alone["precision"], alone["recall"], alone["f1"]) == (0, 0.0, 0.0, 0.0)
    assert alone["column_flag_f1"] == 0.0
    assert alone["problems"] == parcels["problems"]


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInput, match="2 rows and 2 columns, the clean one 1 and 2"):
        on_files(one, other, NOW_US)
    with pytest.raises(BadInput):
        on_files(one, tmp_path / "none.csv", NOW_US)


def test_outer_blanks_are_no_fault() -> None:
    figures = score(grid({"a": [" x", "y", ""]}), grid({"a": ["x ", "z", None]}), [])
    assert (figures["wrong_cells"], figures["flagged_cells"], figures["f1"]) == (1, 0, 0.0)


def test_problems_of_rows_and_tables_call_no_cell_wrong() -> None:
    told = [
        Problem("stale", (0,), frozenset({(0, 0)}), 90, claims=False),
        Problem("outlier", (0,), frozenset({(1, 0), (2, 0)}), 90),
    ]
    figures = score(grid({"a": ["1", "2", "3"]}), grid({"a": ["0", "0", "3"]}), told)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=4))
def test_whole_columns_are_flagged_as_well_as_they_can_be(wrong: list[list[bool]]) -> None:
    """The best of all choices of columns, found by trying each."""
    dirty = grid({f"c{at}": ["x" if bad else "y" for bad in column] for at, column in enumerate(wrong)})
    clean = grid({f"c{at}": ["y"] * 5 for at in range(len(wrong))})
    total = sum(map(sum, wrong))
    best = 0.0
    for size in range(1, len(wrong) + 1):
        for chosen in combinations(wrong, size):
            hits = sum(map(sum, chosen))
            best = max(best, 2 * hits / (5 * size + total))
    assert score(dirty, clean, [])["column_flag_f1"] == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize(("name", "least", "most"), [("hospital", 0.8, 40), ("beers", 0.95, 15)])
def test_labelled_data(data: Path, name: str, least: float, most: int) -> None:
    folder = data / "errors" / name
    result = on_files(folder / "dirty.csv", folder / "clean.csv", NOW_US)
    assert result["f1"] >= least
    assert result["f1"] > result["column_flag_f1"]
    assert result["findings"] <= most
