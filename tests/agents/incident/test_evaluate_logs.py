"""The score of mined templates, on lines written for it and on the development data where it is."""

import csv
from pathlib import Path

import pytest

from twokey.agents.incident.evaluate_logs import on_folder
from twokey.core.errors import BadInput

HEADER = ("line_id", "content", "event_id", "template")


def write(folder: Path, rows: list[tuple[str, str, str]], header: tuple[str, ...] = HEADER) -> None:
    folder.mkdir()
    with (folder / "log.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows((number, *row) for number, row in enumerate(rows, 1))


def test_what_is_told_apart_rightly_and_wrongly_is_counted(tmp_path: Path) -> None:
    rows = [
        ("took 5 ms", "E1", "took <*> ms"),
        ("took 70 ms", "E1", "took <*> ms"),
        ("at 10.0.0.1:80", "E2", "at <*>:<*>"),
        ("up", "E3", "up"),
        ("down", "E3", "<*>"),
    ]
    write(tmp_path / "made", rows)
    found = on_folder(tmp_path)
    made = found["systems"]["made"]
    assert made["grouping_accuracy"] == 0.6  # the last event is two groups
    assert made["parsing_accuracy"] == 0.8
    assert made["parsing_accuracy_exact"] == 0.6
    assert (made["lines"], made["templates"], made["true_templates"]) == (5, 4, 3)
    assert found["mean"]["grouping_accuracy"] == 0.6
    assert found["mean"]["lines_per_s"] > 0


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no SYSTEM/log\.csv"):
        on_folder(tmp_path)
    write(tmp_path / "narrow", [("a", "E1", "a")], ("line_id", "text", "event_id", "template"))
    with pytest.raises(BadInput, match="lacks a column"):
        on_folder(tmp_path)
    write(tmp_path / "empty", [])
    (tmp_path / "narrow" / "log.csv").unlink()
    with pytest.raises(BadInput, match="holds no line"):
        on_folder(tmp_path)
    (tmp_path / "empty" / "log.csv").write_bytes(b"content,event_id,template\n\xff\xfe,a,b\n")
    with pytest.raises(BadInput, match="cannot be read"):
        on_folder(tmp_path)


def test_the_development_data_are_told_apart(data: Path) -> None:
    mean = on_folder(data / "logs")["mean"]
    assert mean["grouping_accuracy"] >= 0.88
    assert mean["parsing_accuracy"] >= 0.60
