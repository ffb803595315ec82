"""How well sections are found: fifty questions in other words than the sections', over twelve runbooks."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.runbooks import LIBRARY, search

from twokey.tools.read.runbooks import SearchRunbooks
from twokey.tools.write.local_git import LocalGit

QUESTIONS: list[dict[str, str]] = [json.loads(line) for line in (LIBRARY / "questions.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    tool = SearchRunbooks(LocalGit().open, tmp_path_factory.mktemp("index"))
    return [search(LIBRARY, question["ask"], tool) for question in QUESTIONS]


def _recall(answers: list[Any], most: int) -> float:
    right = sum(
        any(
            section.file == question["file"] and section.headings[-1] == question["heading"]
            for section in answer.found[:most]
        )
        for question, answer in zip(QUESTIONS, answers, strict=True)
    )
    return right / len(QUESTIONS)


def test_the_section_that_answers_is_among_the_first_three(answers: list[Any]) -> None:
    assert len(QUESTIONS) >= 40
    assert _recall(answers, 3) >= 0.9
    assert _recall(answers, 1) >= 0.75


def test_every_question_names_a_section_that_exists() -> None:
    for question in QUESTIONS:
        lines = (LIBRARY / question["file"]).read_text().splitlines()
        assert any(line.strip("# ") == question["heading"] for line in lines)


def test_every_citation_resolves_to_the_very_lines(answers: list[Any]) -> None:
    for answer in answers:
        for section in answer.found:
            lines = Path(LIBRARY, section.file).read_text().split("\n")
            assert section.text == "\n".join(lines[section.first_line - 1 : section.last_line])
