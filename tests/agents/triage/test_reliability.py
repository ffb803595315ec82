"""What people made of what was proposed: counted once, with intervals, and never better than it was."""

from typing import Any

import pytest
from support import store_values

from twokey.agents.triage.lessons import experience_of, lessons_of, outcomes_of
from twokey.agents.triage.reliability import speaking, table, wilson
from twokey.agents.triage.values import Outcome
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Proposal, Resource
from twokey.tools.endings import Ending

KINDS = ("bug", "feature")
DAY_US = 24 * 3_600 * 1_000_000


def ended(
    ticket: int, kind: str | None, state: State = State.DONE, *, confidence: int = 93, at: int = 1, place: str = "desk"
) -> Ending:
    said = Finding(
        id="f-1", subject=f"OPS-{ticket}", kind="ticket_kind", claim="It is one.", evidence=(), confidence=confidence
    )
    args: dict[str, Any] = {"ticket": ticket, "labels": {"add": [kind] if kind else ["other"], "remove": []}}
    made = store_values.proposal(
        tool="update_ticket",
        args=args,
        findings=(said,) if kind else (),
        resource=Resource(kind="tickets", id=place, granted_by="config"),
    )
    return Ending(made, state, at)


def fates(*endings: Ending, labels: dict[int, tuple[str, ...]] | None = None) -> list[str]:
    carried = {("desk", number): names for number, names in (labels or {}).items()}
    return [lesson.fate for lesson in lessons_of(endings, KINDS, carried if labels else None)]


def test_each_end_is_told_apart() -> None:
    newest_first = [ended(3, "bug", State.REVERTED), ended(2, "bug", State.REFUSED), ended(1, "bug")]
    assert fates(*newest_first) == ["approved", "refused", "taken_back"]
    assert [outcome.right for outcome in outcomes_of(newest_first, KINDS)] == [True, False, False]


def test_a_later_kind_of_the_same_ticket_is_a_correction() -> None:
    assert fates(ended(1, "feature"), ended(1, "bug")) == ["corrected", "approved"]
    assert fates(ended(1, "bug"), ended(1, "bug")) == ["approved", "approved"]
    assert fates(ended(2, "feature"), ended(1, "bug")) == ["approved", "approved"]
    assert fates(ended(1, "feature", State.REFUSED), ended(1, "bug")) == ["approved", "refused"]
    assert fates(ended(1, "feature", place="other"), ended(1, "bug")) == ["approved", "approved"]


def test_what_somebody_edited_before_it_was_answered_is_held_against_what_was_proposed() -> None:
    def edited(first: Ending, last: Ending) -> Ending:
        return Ending(last.proposal, last.state, last.at_us, edited_from=first.proposal)

    corrected = edited(ended(1, "bug", confidence=91), ended(1, "feature"))
    assert fates(corrected) == ["corrected"]
    (lesson,) = lessons_of([corrected], KINDS)
    assert (lesson.kind, lesson.confidence_permille) == ("bug", 910)
    assert fates(edited(ended(1, "bug"), ended(1, "bug"))) == ["approved"], "only the comment was edited"
    assert fates(edited(ended(1, "bug"), ended(1, None))) == ["corrected"], "the kind was left out"
    assert fates(edited(ended(1, "bug"), ended(1, "feature", State.REFUSED))) == ["refused"]
    assert fates(edited(ended(1, None), ended(1, "feature")), ended(1, "bug")) == ["corrected"]


def test_a_link_that_somebody_edited_away_was_wrong() -> None:
    said = Finding(
        id="f-1",
        subject="OPS-2",
        kind="ticket_duplicate",
        claim="OPS-2 repeats OPS-1: alike by 90 %.",
        evidence=(),
        confidence=90,
    )

    def made(duplicate: int | None) -> Proposal:
        return store_values.proposal(args={"ticket": 2, "duplicate_of": duplicate}, findings=(said,))

    kept, dropped = (Ending(made(last), State.DONE, 1, edited_from=made(1)) for last in (1, None))
    assert experience_of([kept]).confidence(900) > experience_of([dropped]).confidence(900)


def test_a_ticket_that_carries_the_kind_no_more_was_corrected() -> None:
    assert fates(ended(1, "bug"), labels={1: ("feature",)}) == ["corrected"]
    assert fates(ended(1, "bug"), labels={1: ()}) == ["corrected"]
    assert fates(ended(1, "bug"), labels={1: ("Bug", "late")}) == ["approved"]
    assert fates(ended(1, "bug"), labels={2: ("feature",)}) == ["approved"]
    assert fates(ended(1, "bug", place="other"), labels={1: ("feature",)}) == ["approved"]


def test_outside_text_never_makes_a_refusal_count_for_a_kind() -> None:
    assert fates(ended(1, "bug", State.REFUSED), labels={1: ("bug",)}) == ["refused"]
    assert fates(ended(1, "bug", State.REVERTED), labels={1: ("bug",)}) == ["taken_back"]


def test_what_proposed_no_kind_is_no_lesson() -> None:
    assert fates(ended(1, None)) == []


def test_the_table_counts_by_kind_and_band() -> None:
    lessons = lessons_of(
        [
            ended(1, "bug", confidence=95),
            ended(2, "bug", State.REFUSED, confidence=99),
            ended(3, "bug", confidence=94),
            ended(4, "feature", confidence=12),
        ],
        KINDS,
    )
    rows = table(lessons, [("bug", 1_000), ("feature", 600)])
    assert [(row.kind, row.lowest, row.highest, row.proposed, row.answered, row.approved) for row in rows] == [
        ("bug", 95, 100, 3, 2, 1),
        ("bug", 90, 95, 1, 1, 1),
        ("feature", 60, 70, 1, 0, 0),
        ("feature", 0, 60, 1, 1, 1),
    ]
    assert rows[0].as_json()["right"] == 50
    assert rows[2].as_json()["between"] is None


@pytest.mark.parametrize(
    ("right", "of", "bounds"),
    [(0, 0, None), (0, 10, (0, 28)), (10, 10, (72, 100)), (8, 10, (49, 95)), (90, 100, (82, 95)), (1, 1, (20, 100))],
)
def test_few_cases_leave_much_open(right: int, of: int, bounds: tuple[int, int] | None) -> None:
    """Values from Newcombe (1998), Statistics in Medicine 17, method 3, and by hand."""
    assert wilson(right, of) == bounds


def outcome(right: bool, confidence: int = 950, value: str = "bug") -> Outcome:
    return Outcome(value=value, confidence_permille=confidence, right=right, at=100 * DAY_US)


def test_it_says_when_it_speaks() -> None:
    now = 101 * DAY_US
    few = speaking([outcome(right=True)] * 59, 90, now)
    assert (few.by_answers, few.speaks_from, few.answers) == (False, None, 59)
    many = speaking([outcome(right=True)] * 80, 90, now)
    assert (many.by_answers, many.speaks_from) == (True, 95)
    wrong = speaking([outcome(right=False)] * 80, 90, now)
    assert (wrong.by_answers, wrong.speaks_from, wrong.braked) == (True, None, ("bug",))
    old = speaking([outcome(right=True)] * 80, 90, 400 * DAY_US)
    assert (old.answers, old.by_answers) == (0, False)
    assert set(wrong.as_json()) == {"target", "answers", "enough", "by_answers", "speaks_from", "braked"}
