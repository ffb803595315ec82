"""How well kinds are told, measured on labelled tickets."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import labelled_tickets

from twokey.agents.triage.evaluate_triage import Answer, Plan, as_lines, evaluate, macro_f1, score, target_met
from twokey.agents.triage.labelled import folds_of, read, shots
from twokey.core.errors import BadInput


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    listed = labelled_tickets.tickets("fern") + labelled_tickets.tickets("moss", offset=20)
    return labelled_tickets.written(tmp_path_factory.mktemp("tickets") / "tickets.csv", listed)


@pytest.fixture(scope="module")
def plan(file: Path) -> Plan:
    return Plan(train=file, folds=2, label="kind", text=("subject", "text"), group="team", resamples=200)


@pytest.fixture(scope="module")
def result(plan: Plan) -> dict[str, Any]:
    return evaluate(plan)


def test_kinds_written_by_rule_are_learned(result: dict[str, Any]) -> None:
    assert result["macro_f1"] >= 0.98
    assert set(result["per_group"]) == {"fern", "moss"}
    assert {kind: figures["n"] for kind, figures in result["per_kind"].items()} == {
        "bug": 90, "feature": 90, "question": 90,
    }  # fmt: skip
    assert (result["coverage"] > 0.9, result["accuracy_at_coverage"] > 0.98, result["target_met"]) == (True, True, 1.0)
    assert (result["tickets"], result["learned_from"], result["docs_per_s"] > 0) == (270, 135, True)
    assert json.loads(json.dumps(result)) == result
    assert any(line.startswith("macro F1") for line in as_lines(result))


def test_few_shots_and_another_file(plan: Plan, file: Path) -> None:
    result = evaluate(replace(plan, folds=None, test=file, shots=4, group=None, resamples=0))
    assert (result["learned_from"], result["tickets"], list(result["per_group"])) == (12, 270, ["all"])
    assert result["macro_f1"] > 0.6
    assert (result["coverage"], result["target_met"]) == (0.0, 0.0), "twelve tickets are too few to stand by anything"


def test_without_any_shot_the_general_reader_judges(plan: Plan, file: Path) -> None:
    result = evaluate(replace(plan, folds=None, test=file, shots=0, resamples=0))
    assert result["learned_from"] == 0
    assert result["macro_f1"] > 0.8
    assert set(result["per_kind"]) == {"bug", "feature", "question"}


def test_labels_that_say_nothing_are_not_learned(tmp_path: Path, file: Path, plan: Plan) -> None:
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    chance = random.Random(5)  # noqa: S311 - a draw that can be repeated
    for row in rows[1:]:
        row[1] = f"kind{chance.randrange(3)}"
    scrambled = tmp_path / "scrambled.csv"
    with scrambled.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(rows)
    result = evaluate(replace(plan, train=scrambled, resamples=50))
    assert result["macro_f1"] < 0.55
    assert result["coverage"] < 0.2


def test_folds_are_dealt_evenly_within_every_kind_of_every_group(file: Path) -> None:
    tickets = read(file, "kind", ("subject", "text"), "team")
    places = folds_of(tickets, 5)
    for project in ("fern", "moss"):
        for kind in ("bug", "feature", "question"):
            dealt = [
                place for ticket, place in zip(tickets, places, strict=True)
                if (ticket.text.project, ticket.kind) == (project, kind)
            ]  # fmt: skip
            assert {dealt.count(fold) for fold in range(5)} == {9}
    assert len(shots(tickets, 3)) == 18
    assert len(shots(tickets, 1_000)) == len(tickets)


def _answers(said: str, *, stands: bool, count: int) -> list[Answer]:
    return [Answer("a", "bug", said, stands, 800)] * count


def test_figures_are_those_of_their_formulas() -> None:
    answers = [
        Answer("a", "bug", "bug", True, 900),
        Answer("a", "bug", "feature", True, 700),
        Answer("a", "feature", "feature", False, 600),
        Answer("a", "feature", "", False, 0),
    ]
    assert macro_f1(answers) == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-4)
    figures = score(answers, 0.9, 0)
    assert (figures["coverage"], figures["accuracy_at_coverage"], figures["accuracy"]) == (0.5, 0.5, 0.5)


def test_the_target_is_met_in_as_many_samples_as_chance_says() -> None:
    right, wrong = _answers("bug", stands=True, count=90), _answers("feature", stands=True, count=10)
    assert target_met([right], 0.9, 100) == 1.0
    assert target_met([wrong], 0.9, 100) == 0.0
    assert 0.4 < target_met([right + wrong], 0.9, 400) < 0.75
    assert target_met([_answers("bug", stands=False, count=9)], 0.9, 100) == 0.0, "saying nothing meets no target"


@pytest.mark.parametrize(
    "change",
    [
        {"folds": None},
        {"folds": 1},
        {"label": "nowhere"},
        {"text": ()},
        {"target": 1.0},
        {"shots": -1},
        {"train": Path("/nowhere/at/all.csv")},
        {"label": "subject"},
    ],
)
def test_what_does_not_fit_is_bad_input(plan: Plan, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        evaluate(replace(plan, **change))


def test_an_empty_file_is_bad_input(tmp_path: Path, plan: Plan) -> None:
    empty = labelled_tickets.written(tmp_path / "empty.csv", [])
    with pytest.raises(BadInput, match="no tickets"):
        evaluate(replace(plan, train=empty))
    with pytest.raises(BadInput, match="one file"):
        evaluate(replace(plan, test=plan.train))
