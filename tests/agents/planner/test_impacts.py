"""The question what breaks if something changes, and nothing that only looks like it."""

import pytest

from twokey.agents.planner.intents import Known, Unclear, Understood, understand
from twokey.agents.planner.plans import plan

KNOWN = Known(("app_db",), ("dbt",))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("what breaks if customers.email changes?", "customers.email"),
        ("What would break when the column raw.customers.email is renamed", "raw.customers.email"),
        ("what is affected if the table orders goes away?", "orders"),
        ("what happens if `orders` is dropped?", "orders"),
        ("what depends on orders.amount", "orders.amount"),
    ],
)
def test_it_is_understood_and_planned(text: str, name: str):
    meant = Understood("catalog_impact", "app_db", "dbt", (name,), "all")
    assert understand(text, KNOWN) == meant
    made = plan(meant)
    assert [(step.agent, step.action) for step in made.steps] == [("catalog", "impact"), ("reviewer", "review")]
    assert made.steps[0].args == {"repository": "dbt", "warehouse": "app_db", "of": name}
    assert made.understood == f"Say what depends on {name}, as dbt tells; propose nothing."


@pytest.mark.parametrize(
    "text",
    [
        "what breaks if customers.email changes? then drop it",
        "what breaks if ../../etc/passwd changes",
        "what breaks if a; b changes",
        "what depends on " + "a" * 101,
        "what breaks",
    ],
)
def test_anything_else_is_not_taken_for_it(text: str):
    found = understand(text, KNOWN)
    assert not isinstance(found, Understood) or found.intent != "catalog_impact"


def test_the_repository_has_to_be_certain_and_the_warehouse_need_not_be():
    asked = "what depends on orders"
    unclear = [understand(asked, Known(("a", "b"), names)) for names in ((), ("x", "y"))]
    assert [found.code for found in unclear if isinstance(found, Unclear)] == ["no_repository", "which_repository"]
    found = understand(asked, Known(("a", "b"), ("x",)))
    assert isinstance(found, Understood)
    assert found.warehouse == ""
