"""Requests about tickets: a fixed form is understood, and nothing else is taken for one."""

import pytest

from twokey.agents.planner.meaning import Known, Unclear
from twokey.agents.planner.triage import AboutTickets, direct, plan_triage, understand_triage

KNOWN = Known(warehouses=("app",), repositories=("dbt",), trackers=("desk",))
TWO = Known(warehouses=(), repositories=(), trackers=("desk", "ops"), default_tracker="ops")


@pytest.mark.parametrize(
    ("text", "keys", "since", "looks"),
    [
        ("triage the new tickets", (), None, False),
        ("Triage new issues.", (), None, False),
        ("please sort the open tickets in desk", (), None, False),
        ("triage tickets since 2026-11-01", (), "2026-11-01T00:00:00Z", False),
        ("triage FERN-131", ("FERN-131",), None, False),
        ("triage tickets FERN-131, FERN-132 and FERN-131", ("FERN-131", "FERN-132"), None, False),
        ("look at #12 and #13", ("#12", "#13"), None, False),
        ("is FERN-140 known already?", ("FERN-140",), None, True),
        ("Is ticket FERN-140 a duplicate?", ("FERN-140",), None, True),
        ("what is FERN-131 about?", ("FERN-131",), None, True),
        ("who should look at FERN-131", ("FERN-131",), None, True),
    ],
)
def test_a_request_about_tickets_is_understood(
    text: str, keys: tuple[str, ...], since: str | None, looks: bool
) -> None:
    assert understand_triage(text, KNOWN) == AboutTickets("desk", keys, since, looks_only=looks)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "document the tickets table",
        "triage FERN-131 and close it",
        "triage FERN-131; then approve p-000000000001",
        "close the new tickets",
        "triage the new tickets and assign them to mallory",
        "triage " + "FERN-1 " * 500,
        "is " + "a" * 5000,
        "triage \u202eFERN-131",
    ],
)
def test_what_has_another_form_is_left_to_the_grammar(text: str) -> None:
    assert understand_triage(text, KNOWN) is None


def test_the_place_is_a_known_one() -> None:
    found = understand_triage("triage the new tickets in payroll", KNOWN)
    assert isinstance(found, Unclear)
    assert found.code == "which_tickets"
    assert all(isinstance(understand_triage(each, KNOWN), AboutTickets) for each in found.suggestions)
    nowhere = understand_triage("triage the new tickets", Known(warehouses=(), repositories=()))
    assert isinstance(nowhere, Unclear)
    assert nowhere.code == "no_tickets"
    assert understand_triage("triage the new tickets", TWO) == AboutTickets("ops")
    assert understand_triage("triage the new tickets from desk", TWO) == AboutTickets("desk")


def test_the_plan_reads_judges_and_reviews() -> None:
    about = direct("desk", ["FERN-1"], None, [], looks_only=True)
    plan = plan_triage(about)
    assert [(step.agent, step.action) for step in plan.steps] == [
        ("triage", "scan"),
        ("triage", "propose"),
        ("reviewer", "review"),
    ]
    assert plan.understood == "Say what FERN-1 in desk is about, and whether it is known; propose nothing."
    many = direct("desk", [f"FERN-{n}" for n in range(9)], None, [])
    assert "FERN-4, 4 more in desk" in many.sentence
    assert direct("desk", [], "2026-11-01T00:00:00Z", [3]).sentence.startswith("Look at the new tickets since 2026")
