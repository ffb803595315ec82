"""Further checks in dbt's form: only what the project can run, and SQL that names cannot steer."""

import pytest
import yaml

from twokey.agents.catalog import dbt_tests, properties, vetting
from twokey.agents.catalog.edits import AddFreshness, AddTests
from twokey.agents.catalog.vetting import NotAllowed
from twokey.tools.read.warehouse import Arrivals, Order

SOURCES = b"""version: 2

sources:
  - name: app
    tables:
      - name: orders
        description: What people bought.   # ask ana
        columns:
          - name: order_id
"""
FRESH = AddFreshness(("app", "orders"), "loaded_on", True, "day", 4, 7)
ORDER = Order(column="started_on", later="ended_on", rows=200)


def edited(text: bytes, *edits: properties.Edit) -> str:
    result = properties.edit(text, list(edits))
    assert not result.refused, result.refused
    return result.text.decode()


def refused(text: bytes, edit: properties.Edit) -> str:
    (refusal,) = properties.edit(text, [edit]).refused
    return refusal.code


def test_freshness_is_written_beside_the_description():
    assert edited(SOURCES, FRESH) == SOURCES.decode().replace(
        "   # ask ana\n",
        """   # ask ana
        loaded_at_field: cast(loaded_on as timestamp)
        freshness:
          warn_after:
            count: 4
            period: day
          error_after:
            count: 7
            period: day
""",
    )


@pytest.mark.parametrize(
    "said", ["freshness: null", "freshness: {warn_after: {count: 1, period: day}}", "config: {loaded_at_field: x}"]
)
def test_what_somebody_said_of_freshness_stays(said: str):
    text = SOURCES.replace(b"        description: What", f"        {said}\n        description: What".encode())
    assert refused(text, FRESH) == "exists"


@pytest.mark.parametrize("name", ["a b", "x) or (1=1", "{{ x }}", "1st", ""])
def test_a_name_that_could_steer_sql_is_refused(name: str):
    with pytest.raises(NotAllowed):
        vetting.loaded_at(name, is_date=True)
    assert refused(SOURCES, AddFreshness(("app", "orders"), name, False, "day", 4, 7)) in {"unsafe_sql", "empty"}


def test_a_comparison_with_one_column_is_all_an_expression_may_be():
    test = {vetting.EXPRESSION: {"expression": "<= ended_on"}}
    text = edited(SOURCES, AddTests(("app", "orders"), "order_id", [test]))
    column = yaml.safe_load(text)["sources"][0]["tables"][0]["columns"][0]
    assert column["data_tests"] == [{vetting.EXPRESSION: {"arguments": {"expression": "<= ended_on"}}}]
    for expression in ("<= a or 1=1", "<= (select 1)", "< b", "<= '1'", "<= {{ x }}"):
        test = {vetting.EXPRESSION: {"expression": expression}}
        assert refused(SOURCES, AddTests(("app", "orders"), "order_id", [test])) in {"unsafe_sql", "jinja"}
    other = {"somebody.else": {"expression": "<= ended_on"}}
    assert refused(SOURCES, AddTests(("app", "orders"), "order_id", [other])) == "unsafe_sql"


def test_the_order_of_dates_as_a_test_of_its_own():
    text = dbt_tests.order_test(("app", "orders"), ORDER, lambda _: False)
    assert text is not None
    assert text.endswith("from {{ source('app', 'orders') }}\nwhere started_on > ended_on\n")
    assert dbt_tests.order_test("orders", ORDER, lambda name: name == "ended_on") is None
    assert dbt_tests.order_test("or'ders", ORDER, lambda _: False) is None
    assert dbt_tests.order_test("orders", Order(column="a b", later="c", rows=200), lambda _: False) is None


def test_only_a_source_has_freshness():
    from support.warehouse_facts import column, table

    arrivals = Arrivals(
        column="loaded_at",
        unit="hour",
        times=90,
        gap_middle=1,
        gap_long=1,
        gap_longest=2,
        age=1,
        warn_after=4,
        error_after=7,
    )
    owner = table("orders", column("loaded_at", "TIMESTAMP"))
    found = dbt_tests.freshness(("app", "orders"), owner, arrivals)
    assert found == AddFreshness(("app", "orders"), "loaded_at", False, "hour", 4, 7)
    assert dbt_tests.freshness("orders", owner, arrivals) is None
    assert dbt_tests.freshness(("app", "orders"), owner, arrivals.model_copy(update={"error_after": 5000})) is None
