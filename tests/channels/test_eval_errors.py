"""``twokey eval errors``: wrong cells found without labels, and scored."""

import csv
from pathlib import Path

from support import dirty_tables
from support.command import account


def written(path: Path, table: dirty_tables.Table) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([table.columns, *table.rows])
    return path


def test_a_person_and_a_program_are_told_the_same(tmp_path: Path):
    twokey = account(tmp_path)
    dirty = written(tmp_path / "dirty.csv", dirty_tables.soiled("staff"))
    clean = written(tmp_path / "clean.csv", dirty_tables.clean("staff"))
    result = twokey.json("eval", "errors", "--dirty", dirty, "--clean", clean)
    assert set(result) >= {"precision", "recall", "f1", "column_flag_f1", "findings", "seconds"}
    assert result["f1"] > 0.9 > result["column_flag_f1"]
    done = twokey("eval", "errors", "--dirty", dirty, "--clean", clean)
    assert done.code == 0
    assert f"f1              {result['f1']}" in done.out
    assert all(f"- {claim}" in done.out for claim in result["claims"])


def test_what_cannot_be_compared_is_bad_input(tmp_path: Path):
    twokey = account(tmp_path)
    dirty = written(tmp_path / "dirty.csv", dirty_tables.soiled("staff"))
    done = twokey("eval", "errors", "--dirty", dirty, "--clean", tmp_path / "none.csv")
    assert done.code == 2
    assert "none.csv" in done.sentence
