"""``twokey eval classify`` as people get it: lines, or one object; bad input is a sentence."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twokey.channels.cli import main as entry
from twokey.channels.cli.session import SESSION


@pytest.fixture(autouse=True)
def _own_session() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    yield
    SESSION.workspace, SESSION.as_json, SESSION.principal = Path("unset"), False, None


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["twokey", "eval", "classify", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def arguments(tmp_path: Path) -> tuple[str, ...]:
    tables = tmp_path / "tables"
    tables.mkdir()
    rows = "\n".join(f"p{number}@example.org,Leiden" for number in range(30))
    (tables / "people.csv").write_text(f"reached,city\n{rows}\n", encoding="utf-8")
    truth = tmp_path / "truth.csv"
    truth.write_text(
        "table,column_index,column,semantic_type,class,pii\npeople.csv,0,reached,EMAIL,EMAIL,1\n", encoding="utf-8"
    )
    return "--tables", str(tables), "--truth", str(truth)


def test_one_object_with_the_figures_of_the_contract(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run(monkeypatch, *arguments, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["pii"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert set(result) == {
        "pii",
        "class_macro_f1",
        "class_micro_f1",
        "per_class",
        "ece",
        "fields_per_s",
        "columns",
    }  # fmt: skip - one list
    assert result["per_class"]["EMAIL"] == {"p": 1.0, "r": 1.0, "f1": 1.0, "n": 1}


def test_lines_for_people(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run(monkeypatch, *arguments) == 0
    assert "personal      P 1.000  R 1.000  F1 1.000" in capsys.readouterr().out


def test_bad_input_is_a_sentence(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run(monkeypatch, *arguments[:3], "nowhere.csv") == 2
    assert "The labels cannot be read" in capsys.readouterr().err
