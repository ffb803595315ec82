"""Duplicates: an original is proposed where the team's answers bear it out, and siblings are told apart."""

from pathlib import Path

import pytest

from twokey.agents.triage.duplicates import (
    EDGES,
    Answered,
    Duplicate,
    Experience,
    are_siblings,
    judge,
)
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.local import search_tickets
from twokey.tools.read.tickets import SimilarResult, TicketsArgs

TITLE = "Nightly job fails with UniqueViolation"


def put(folder: Path, key: str, title: str, body: str, second: int) -> None:
    (folder / f"{key}.md").write_text(
        f"---\nid: {key}\ntitle: '{title}'\ncreated_at: 2026-01-01T00:00:{second:02d}Z\n---\n{body}\n"
    )


def similar(folder: Path, key: str) -> SimilarResult:
    place = Place(Resource(kind="tickets", id="fern", granted_by="config"), str(folder))
    args = TicketsArgs.model_validate({"tracker": "fern", "ask": {"kind": "similar", "key": key}})
    answer = search_tickets().call(args, Context(Places((place,)), 0)).answer
    assert isinstance(answer, SimilarResult)
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "F-1", TITLE, "The scorer writes twice: scores_pkey is violated in batch.py.", 1)
    put(tmp_path, "F-2", "Dark mode", "please", 2)
    put(tmp_path, "F-3", "Run CI on Fedora 33", "The pipeline should run there, too.", 3)
    put(tmp_path, "F-4", TITLE, "Again: The scorer writes twice: scores_pkey is violated in batch.py.", 4)
    put(tmp_path, "F-5", "Run CI on Fedora 34", "The pipeline should run there, too.", 5)
    put(tmp_path, "F-6", "The same once more", "Like F-2, I think.", 6)
    return tmp_path


def test_the_same_report_is_proposed_and_says_why(folder: Path) -> None:
    judged = judge(TITLE, similar(folder, "F-4"))
    assert judged.of is not None
    assert (judged.of.key, judged.of.siblings, judged.of.confidence_permille) == ("F-1", False, judged.candidates[0].confidence_permille)  # fmt: skip
    assert judged.of.confidence_permille >= 700
    assert judged.of.reasons[0] == "Their titles are alike by 100 %."
    assert not any("scorer" in reason or "F-1" in reason for reason in judged.of.reasons)
    assert judged.of.passages
    assert Duplicate.model_validate(judged.canonical()) == judged


def test_below_the_target_the_candidates_are_shown_and_none_is_proposed(folder: Path) -> None:
    judged = judge(TITLE, similar(folder, "F-4"), target=900)
    assert judged.of is None
    assert judged.candidates[0].key == "F-1"


def test_nothing_is_proposed_while_not_all_tickets_were_looked_at(folder: Path) -> None:
    whole = similar(folder, "F-4")
    part = whole.model_copy(update={"indexed": whole.indexed.model_copy(update={"complete": False})})
    assert judge(TITLE, part).of is None
    assert not judge(TITLE, part).complete


def test_a_sibling_is_no_duplicate(folder: Path) -> None:
    judged = judge("Run CI on Fedora 34", similar(folder, "F-5"))
    assert judged.of is None
    assert (judged.candidates[0].key, judged.candidates[0].siblings) == ("F-3", True)
    assert judged.candidates[0].reasons[-1].endswith("may be siblings.")


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("Run CI on Fedora 33", "Run CI on Centos 7", True),
        ("Replace Sets in yarn-project", "Replace Sets in hdfs-project", True),
        ("Release 1.2.0", "Release 1.1.0", True),
        ("scores do not load", "scores do not show", False),
        ("Release 1.2.0", "Release 1.2.0 is late", False),
        ("Login fails.", "login fails", False),
    ],
)
def test_siblings_say_the_same_of_different_things(mine: str, theirs: str, expected: bool) -> None:
    assert are_siblings(mine, theirs, 500) is expected
    assert not are_siblings(mine, theirs, 100)


def test_a_ticket_that_names_another_is_nearer_to_it(folder: Path) -> None:
    best = judge("The same once more", similar(folder, "F-6")).candidates[0]
    assert (best.key, best.reasons[0]) == ("F-2", "The ticket names the other by its key.")
    assert best.confidence_permille < 700, "to name a ticket is not to be it"


def test_answers_move_the_confidence_and_it_never_falls_as_the_score_rises() -> None:
    def answers(score: int, right: bool, number: int) -> list[Answered]:
        return [Answered(score=score, right=right, at=at) for at in range(number)]

    fresh = Experience()
    burnt = Experience(answers(900, right=False, number=40))
    proud = Experience(answers(500, right=True, number=40))
    assert burnt.confidence(950) < 200 < fresh.confidence(950)
    assert proud.confidence(475) > 800 > fresh.confidence(475)
    for experience in (fresh, burnt, proud):
        line = [experience.confidence(score) for score in range(0, 1_001, 5)]
        assert line == sorted(line)
        assert line[0] == 0
        assert all(0 <= value <= 1_000 for value in line)


def test_only_the_last_answers_count() -> None:
    old = [Answered(score=900, right=False, at=at) for at in range(600)]
    new = [Answered(score=900, right=True, at=1_000 + at) for at in range(600)]
    assert Experience([*new, *old]).confidence(1_000) > 980
    assert tuple(sorted(EDGES)) == EDGES
