"""How well columns are classified, measured on tables of our own making, half of them written after the method."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import labelled_later, labelled_tables, labelled_world

from twokey.agents.catalog.evaluate_classify import as_lines, evaluate, judge_all, labels_of, score
from twokey.agents.catalog.judgement import Judgement
from twokey.core.errors import BadInput

HEADER = "table,column_index,column,semantic_type,class,pii,sensitivity\n"


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Both halves of the labelled tables, evaluated."""
    texts = {"first": labelled_tables.FIRST_HALF, "second": labelled_later.SECOND_HALF}
    found: dict[str, dict[str, Any]] = {}
    for name, text in texts.items():
        columns = labelled_tables.columns_of(text)
        found[name] = evaluate(*labelled_tables.write(columns, tmp_path_factory.mktemp(name), rows=60))
    return found


def test_there_are_enough_labels():
    first = labelled_tables.columns_of(labelled_tables.FIRST_HALF)
    second = labelled_tables.columns_of(labelled_later.SECOND_HALF)
    assert len(first) + len(second) >= 300
    assert min(len(first), len(second)) >= 150
    assert len({column.table for column in (*first, *second)}) >= 30


@pytest.mark.parametrize("half", ["first", "second"])
def test_sensitivity_and_classes_of_labelled_tables(halves: dict[str, dict[str, Any]], half: str):
    result = halves[half]
    assert result["sensitivity_macro_f1"] >= 0.90
    assert set(result["per_level"]) == {"public", "operational", "financial", "pii"}
    assert result["pii"]["recall"] >= 0.97
    assert result["class_macro_f1"] >= 0.92
    assert result["ece"] <= 0.05
    assert result["fields_per_s"] > 0
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize(
    ("half", "columns", "personal", "classes", "levels"),
    [(labelled_world.FIRST_HALF, 288, 0.95, 0.90, 0.94), (labelled_world.SECOND_HALF, 355, 0.89, 0.82, 0.81)],
    ids=["first", "second"],
)
def test_tables_that_are_written_like_other_peoples(
    tmp_path: Path, half: Path, columns: int, personal: float, classes: float, levels: float
):
    result = evaluate(*labelled_tables.write(labelled_world.columns_of(half), tmp_path, rows=60))
    assert result["columns"] == columns
    assert result["pii"]["f1"] >= personal
    assert result["class_macro_f1"] >= classes
    assert result["sensitivity_macro_f1"] >= levels
    assert result["ece"] <= 0.08


def test_a_result_is_told_in_lines(halves: dict[str, dict[str, Any]]):
    text = "\n".join(as_lines(halves["first"]))
    for words in (
        "personal      P ",
        "macro F1",
        "sensitivity   macro F1",
        "calibration   error",
        "PERSON_NAME",
        "pii",
    ):
        assert words in text
    without = {key: value for key, value in halves["first"].items() if key not in {"sensitivity_macro_f1", "per_level"}}
    assert "sensitivity" not in "\n".join(as_lines(without))


def told(column_class: Any, confidence: int, level: Any = "operational") -> Judgement:
    return Judgement(level, "other", 50, ("x",), column_class=column_class, class_confidence=confidence)


def labelled(path: Path, *lines: str) -> list[Any]:
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return list(labels_of(path).values())


def test_the_figures_are_worked_out_as_they_are_defined(tmp_path: Path):
    labels = labelled(
        tmp_path / "truth.csv",
        "a.csv,0,x,,EMAIL,1,pii",
        "a.csv,1,x,,EMAIL,1,pii",
        "a.csv,2,x,,CITY,0,operational",
        "a.csv,3,x,,other,0,operational",
    )
    judged = [told("EMAIL", 90, "pii"), told("other", 80), told("EMAIL", 90, "pii"), told("other", 90)]
    result = score(list(zip(labels, judged, strict=True)))
    assert result["pii"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert result["per_class"]["EMAIL"] == {"p": 0.5, "r": 0.5, "f1": 0.5, "n": 2}
    assert result["per_class"]["CITY"]["f1"] == 0.0
    assert result["class_macro_f1"] == 0.0  # no class has ten true columns
    assert result["class_micro_f1"] == pytest.approx(2 * 1 / (2 + 3))
    assert result["sensitivity_macro_f1"] == pytest.approx(0.5)
    # bin of 90: three told, 2.7 expected, two right; bin of 80: 0.8 expected, none right
    assert result["ece"] == pytest.approx((0.7 + 0.8) / 4)
    many = [(labels[0], told("EMAIL", 100))] * 10
    assert (score(many)["class_macro_f1"], score(many)["ece"]) == (1.0, 0.0)
    assert score([(labels[3], told("other", 100))])["class_micro_f1"] == 0.0


def a_table(folder: Path) -> Path:
    tables = folder / "tables"
    tables.mkdir()
    (tables / "a.csv").write_text("name,city\nAna,Leiden\n", encoding="utf-8")
    return tables


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("table,column_index\n", "lack the column class"),
        (HEADER, "are empty"),
        (HEADER + "a.csv,x,c,,EMAIL,1,pii\n", "Line 2"),
        (HEADER + "a.csv,0,c,,CARROT,1,pii\n", "unknown class"),
        (HEADER + "a.csv,0,c,,EMAIL,yes,pii\n", "0 or 1"),
        (HEADER + "a.csv,0,c,,EMAIL,1,secret\n", "unknown sensitivity"),
        (HEADER + "a.csv,0,c,,EMAIL,1,pii\na.csv,0,c,,EMAIL,1,pii\n", "second time"),
        (HEADER + "b.csv,0,c,,EMAIL,1,pii\n", "not in the folder"),
        (HEADER + "a.csv,9,c,,EMAIL,1,pii\n", "has fewer columns"),
    ],
)  # fmt: skip - one case a line
def test_labels_that_do_not_fit_are_bad_input(tmp_path: Path, text: str, says: str):
    truth = tmp_path / "truth.csv"
    truth.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        evaluate(a_table(tmp_path), truth)


def test_what_cannot_be_read_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput, match="cannot be read"):
        labels_of(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        labels_of(tmp_path / "bytes.csv")
    with pytest.raises(BadInput, match="no folder"):
        judge_all(tmp_path / "none")


def test_files_of_one_stem_are_told_apart_and_unreadable_ones_passed_over(tmp_path: Path):
    tables = a_table(tmp_path)
    (tables / "a.tsv").write_text("iban\nx\n", encoding="utf-8")
    (tables / "gone.csv").write_text("", encoding="utf-8")
    judged, seconds = judge_all(tables)
    assert set(judged) == {("a.csv", 0), ("a.csv", 1), ("a.tsv", 0)}
    assert seconds > 0


def test_shared_labels(data: Path):
    """The measured set: a sample of its tables, so that a slip is seen without waiting for the whole."""
    labels = labels_of(data / "columns" / "truth.csv")
    assert len(labels) == 2237
    assert sum(label.pii for label in labels.values()) == 370
