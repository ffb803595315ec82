"""From what was understood to typed steps."""

import pytest
from inline_snapshot import snapshot

from twokey.agents.planner.intents import Known, Understood, understand
from twokey.agents.planner.plans import direct, plan
from twokey.core import canonical


def test_a_proposal_is_scan_propose_review():
    found = understand("document the churn tables and tag what is personal", Known(("app_db",), ("dbt",)))
    assert isinstance(found, Understood)
    assert plan(found).canonical() == snapshot(
        {
            "understood": (
                "Document the tables whose name contains 'churn' in app_db, tag personal data, add "
                "the tests and relationships that the data supports, and open a pull request in dbt."
            ),
            "steps": [
                {
                    "number": 1,
                    "agent": "catalog",
                    "action": "scan",
                    "args": {"warehouse": "app_db", "tables": ["*churn*"], "focus": "all"},
                    "title": "look at the tables whose name contains 'churn' in app_db",
                },
                {
                    "number": 2,
                    "agent": "catalog",
                    "action": "propose",
                    "args": {"warehouse": "app_db", "repository": "dbt"},
                    "title": "draft a pull request in dbt",
                },
                {
                    "number": 3,
                    "agent": "reviewer",
                    "action": "review",
                    "args": {},
                    "title": "check every claim against its evidence",
                },
            ],
        }
    )


def test_a_scan_proposes_nothing():
    found = understand("which columns hold e-mail addresses", Known(("app_db",), ()))
    assert isinstance(found, Understood)
    assert [(step.number, step.agent, step.action) for step in plan(found).steps] == [
        (1, "catalog", "scan"),
        (2, "reviewer", "review"),
    ]


def test_a_direct_command_names_its_places_itself():
    meant = direct(warehouse="sqlite:///shop.db", repository="/srv/dbt", tables=("a", "b*"), focus="sensitivity")
    steps = plan(meant).steps
    assert steps[0].args == {"warehouse": "sqlite:///shop.db", "tables": ["a", "b*"], "focus": "sensitivity"}
    assert steps[1].args == {"warehouse": "sqlite:///shop.db", "repository": "/srv/dbt"}


def test_a_direct_command_without_a_repository_only_looks():
    assert direct(warehouse="a", repository="").intent == "catalog_scan"


@pytest.mark.parametrize("focus", ["all", "sensitivity", "descriptions", "relationships"])
@pytest.mark.parametrize("repository", ["", "r" * 400])
def test_long_names_and_many_tables_fit_a_plan(focus: str, repository: str):
    found = Understood(
        "catalog_propose" if repository else "catalog_scan",
        "w" * 400,
        repository,
        tuple(name for number in range(25) for name in (f"*{'p' * 56}{number:02}*", f"{'t' * 58}{number:02}")),
        focus,  # pyright: ignore[reportArgumentType] - one of the choices above
    )
    written = plan(found)
    assert len(written.understood) <= 500
    assert written.steps[0].args["tables"] == list(found.tables)
    assert canonical.encode(written.canonical())
