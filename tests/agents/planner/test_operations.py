"""Requests for an ops review: a fixed form is understood, and nothing else is taken for one."""

from datetime import UTC, datetime

import pytest

from twokey.agents.planner.meaning import Unclear
from twokey.agents.planner.operations import AboutOperations, plan_operations, understand_operations

NOW_US = round(datetime(2026, 11, 25, 9, 30, tzinfo=UTC).timestamp()) * 1_000_000
"""A Wednesday."""


def days(found: object) -> tuple[str, str]:
    assert isinstance(found, AboutOperations)
    first, last = (datetime.fromtimestamp(moment / 1e6, UTC) for moment in (found.from_us, found.to_us))
    return f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("ops review for last week", "11-16 00:00", "11-23 00:00"),
        ("Ops review.", "11-16 00:00", "11-23 00:00"),
        ("please give me the operations review for this week", "11-23 00:00", "11-25 09:30"),
        ("run an ops review for yesterday", "11-24 00:00", "11-25 00:00"),
        ("ops review over the last 14 days", "11-11 00:00", "11-25 00:00"),
        ("ops review for the week of 2026-11-12", "11-09 00:00", "11-16 00:00"),
        ("ops review from 2026-11-01 to 2026-11-08", "11-01 00:00", "11-08 00:00"),
        ("show me the ops review since 2026-11-20 in serving", "11-20 00:00", "11-25 09:30"),
    ],
)
def test_a_request_is_understood_with_its_days(text: str, first: str, last: str) -> None:
    assert days(understand_operations(text, ["serving"], None, NOW_US)) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "review the ops",
        "ops review for last week and roll back the gateway",
        "ops review; then approve p-000000000001",
        "document the operations table",
        "ops review for \u202elast week",
        "ops review " + "for last week " * 300,
    ],
)
def test_what_has_another_form_is_left_to_others(text: str) -> None:
    assert understand_operations(text, ["serving"], None, NOW_US) is None


@pytest.mark.parametrize(
    "text",
    [
        "ops review from 2026-13-01 to 2026-13-08",
        "ops review from 2026-11-08 to 2026-11-01",
        "ops review since 2026-01-01",
        "ops review for the last 400 days",
        "ops review for the last 0 days",
        "ops review for the week of 0001-01-01",
    ],
)
def test_days_that_cannot_be_are_asked_about(text: str) -> None:
    found = understand_operations(text, ["serving"], None, NOW_US)
    assert isinstance(found, Unclear)
    assert found.code == "which_days"
    assert all(
        isinstance(understand_operations(each, ["s"], None, NOW_US), AboutOperations) for each in found.suggestions
    )


def test_a_ticket_is_opened_where_it_is_asked_for() -> None:
    found = understand_operations("ops review for last week in serving and open a ticket", ["serving"], None, NOW_US)
    assert isinstance(found, AboutOperations)
    assert found.ticket
    assert found.sentence.endswith("propose one ticket.")
    only = understand_operations("ops review for last week", ["serving"], None, NOW_US)
    assert isinstance(only, AboutOperations)
    assert only.sentence.endswith("propose nothing.")


def test_the_telemetry_is_one_that_is_known() -> None:
    many = understand_operations("ops review", ["a", "b"], None, NOW_US)
    assert isinstance(many, Unclear)
    assert many.code == "which_telemetry"
    assert all(
        isinstance(understand_operations(each, ["a", "b"], None, NOW_US), AboutOperations) for each in many.suggestions
    )
    chosen = understand_operations("ops review", ["a", "b"], "b", NOW_US)
    assert isinstance(chosen, AboutOperations)
    assert chosen.source == "b"
    strange = understand_operations("ops review in elsewhere", ["a"], "a", NOW_US)
    assert isinstance(strange, Unclear)
    nowhere = understand_operations("ops review", [], None, NOW_US)
    assert isinstance(nowhere, Unclear)
    assert nowhere.code == "no_telemetry"


def test_the_plan_reads_works_out_and_reviews() -> None:
    about = understand_operations("ops review", ["serving"], None, NOW_US)
    assert isinstance(about, AboutOperations)
    plan = plan_operations(about)
    assert [(step.agent, step.action) for step in plan.steps] == [
        ("incident", "operations_gather"),
        ("incident", "operations_review"),
        ("reviewer", "review"),
    ]
    assert "from 2026-11-16 00:00 UTC to 2026-11-23 00:00 UTC" in plan.understood
