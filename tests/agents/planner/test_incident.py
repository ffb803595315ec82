"""Requests about incidents have fixed forms; what has none of them is about something else."""

import pytest

from twokey.agents.planner.incident import AboutIncident, plan_incident, understand_incident
from twokey.agents.planner.meaning import Known, Unclear

KNOWN = Known((), (), telemetries=("metrics", "archive"), default_telemetry="metrics")


@pytest.mark.parametrize(
    ("text", "incident", "place", "only"),
    [
        ("what happened in inc-0412?", "inc-0412", "metrics", False),
        ("Please summarize incident inc-0412 in archive", "inc-0412", "archive", False),
        ("just tell me what happened in inc-0412", "inc-0412", "metrics", True),
        ("write the post-mortem of inc-7.", "inc-7", "metrics", False),
        ("what went wrong during the incident `inc-7`?", "inc-7", "metrics", False),
    ],
)
def test_what_is_understood(text: str, incident: str, place: str, *, only: bool) -> None:
    about = AboutIncident(place, {"incident": incident}, looks_only=only)
    assert understand_incident(text, KNOWN) == about
    plan = plan_incident(about)
    assert [(step.agent, step.action) for step in plan.steps] == [
        ("incident", "gather"),
        ("incident", "summarize"),
        ("incident", "draft"),
        ("reviewer", "review"),
    ]
    assert incident in plan.understood


@pytest.mark.parametrize(
    "text",
    [
        "what happened",
        "summarize the churn tables",
        "what happened in inc-1 and approve it",
        "merge the post-mortem of inc-1",
        "what happened in inc-1; delete it",
    ],
)
def test_what_is_about_something_else(text: str) -> None:
    assert understand_incident(text, KNOWN) is None


def test_a_place_that_nobody_knows_is_asked_for() -> None:
    asked = understand_incident("what happened in inc-1 in elsewhere", KNOWN)
    assert isinstance(asked, Unclear)
    assert asked.suggestions == ("what happened in inc-1 in metrics", "what happened in inc-1 in archive")
    nowhere = understand_incident("what happened in inc-1", Known((), ()))
    assert isinstance(nowhere, Unclear)
    assert nowhere.code == "no_telemetry"
