"""Further checks that a draft adds: backed in exactly the forms that findings speak of, and in no other."""

from typing import Any

import pytest
from support.review_evidence import PROFILE, REPOSITORY, SCHEMA, column, evidence, finding, profile, report, table

from twokey.agents.reviewer.checks import Review, review

CELLS = "e-00000000ce11"
BEFORE = """\
version: 2
sources:
  - name: app
    tables:
      - name: customers
        columns:
          - name: signed
          - name: visits
          - name: score
models:
  - name: orders
    columns:
      - name: order_id
"""
FINDINGS = (
    finding(
        "customers.visits is never missing: what is counted or measured is 0 where there is none, and none of 5,000 "
        "rows lacks it.",
        "customers.visits",
        kind="never_null",
        id="f-1",
    ),
    finding(
        "customers.signed never holds a value twice: it is declared so.",
        "customers.signed",
        kind="unique_values",
        id="f-2",
    ),
    finding(
        "customers.score holds numbers from 0 to 1, as its name says: a probability or score.",
        "customers.score",
        kind="range",
        id="f-3",
    ),
    finding(
        "customers.visits is never negative: its name says that it counts or measures.",
        "customers.visits",
        kind="range",
        id="f-4",
    ),
    finding(
        "The unit of customers.visits is kilowatt hour: its name says so.", "customers.visits", kind="unit", id="f-5"
    ),
    finding(
        "customers.signed is never later than left_on: so it is in all 4,000 rows that hold both.",
        "customers.signed",
        CELLS,
        kind="date_order",
        id="f-6",
    ),
    finding(
        "Rows of customers arrive regularly by customers.signed: of the gaps between 90 days with rows the longest is "
        "2 days. It is late after 4 days without a row, and something is wrong after 7 days.",
        "customers",
        CELLS,
        kind="freshness",
        id="f-7",
    ),
)


def held() -> dict[str, Any]:
    found = evidence()
    found[REPOSITORY]["files"][0]["text"] = BEFORE
    names = ["signed", "visits", "score", "left_on"]
    found[SCHEMA]["answer"]["tables"][0]["columns"] = [column(name, number) for number, name in enumerate(names, 1)]
    found[PROFILE]["answer"]["columns"] = [profile(name, values=5000) for name in names]
    arrivals = {"column": "signed", "unit": "day", "times": 90, "gap_longest": 2, "warn_after": 4, "error_after": 7}
    order = {"column": "signed", "later": "left_on", "rows": 4000}
    measured = {"arrivals": [arrivals], "orders": [order]}
    found[CELLS] = {"answer": {"op": "inspect", "tables": [{"table": table("customers"), "measured": measured}]}}
    return found


def judge(text: str, path: str = "models/schema.yml") -> Review:
    draft = {
        "tool": "open_pull_request",
        "args": {"base_commit": "a" * 40, "title": "T", "body": "B", "files": [{"path": path, "content": text}]},
        "provenance": [],
        "findings": [item.canonical() for item in FINDINGS],
        "why": "It is missing.",
    }
    return review(report(*FINDINGS), held(), draft)


def on(name: str, *lines: str) -> str:
    """The file with lines below a column, or below the source table itself."""
    mark = f"          - name: {name}\n" if name != "customers" else "      - name: customers\n"
    indent = "            " if name != "customers" else "        "
    return BEFORE.replace(mark, mark + "".join(f"{indent}{line}\n" for line in lines))


def test_the_findings_stand():
    assert judge(BEFORE) == Review(len(FINDINGS), len(FINDINGS), (), ())


FRESH = ("freshness:", "  warn_after: {count: 4, period: day}", "  error_after: {count: 7, period: day}")
BACKED = {
    "never missing": on("visits", "tests: [not_null]"),
    "unique": on("signed", "tests: [unique]"),
    "chance": on("score", "tests:", "  - dbt_utils.accepted_range: {min_value: 0, max_value: 1}"),
    "least": on("visits", "tests:", "  - dbt_expectations.expect_column_values_to_be_between: {min_value: 0}"),
    "unit": on("visits", "meta: {unit: kilowatt_hour}"),
    "order": on("signed", "tests:", "  - dbt_utils.expression_is_true: {expression: '<= left_on'}"),
    "freshness": on("customers", "loaded_at_field: signed", *FRESH),
    "freshness by date": on("customers", "loaded_at_field: cast(signed as timestamp)", *FRESH),
}


@pytest.mark.parametrize("text", BACKED.values(), ids=BACKED)
def test_what_a_finding_says_is_backed(text: str):
    assert text != BEFORE
    assert judge(text).problems == ()


UNBACKED = {
    "never missing elsewhere": on("score", "tests: [not_null]"),
    "unique elsewhere": on("visits", "tests: [unique]"),
    "a narrower range": on("score", "tests:", "  - dbt_utils.accepted_range: {min_value: 0, max_value: 0}"),
    "a range that only warns": on(
        "score", "tests:", "  - dbt_utils.accepted_range: {min_value: 0, max_value: 1, config: {severity: warn}}"
    ),
    "a range of another column": on("visits", "tests:", "  - dbt_utils.accepted_range: {min_value: 0, max_value: 1}"),
    "a lower bound of its own": on("visits", "tests:", "  - dbt_utils.accepted_range: {min_value: 3}"),
    "another argument": on("visits", "tests:", "  - dbt_utils.accepted_range: {min_value: 0, where: 'x'}"),
    "another test": on("visits", "tests:", "  - dbt_utils.not_empty_string"),
    "another unit": on("visits", "meta: {unit: hour}"),
    "a unit of nothing": on("visits", "meta: {unit: ''}"),
    "the order the other way round": on(
        "signed", "tests:", "  - dbt_utils.expression_is_true: {expression: '>= left_on'}"
    ),
    "an expression": on("signed", "tests:", "  - dbt_utils.expression_is_true: {expression: '<= left_on or 1=1'}"),
    "an expression and more": on(
        "signed", "tests:", "  - dbt_utils.expression_is_true: {expression: '<= left_on', x: 1}"
    ),
    "no expression": on("signed", "tests:", "  - dbt_utils.expression_is_true: {expression: 7}"),
    "loaded at another column": on("customers", "loaded_at_field: visits"),
    "loaded at SQL": on("customers", "loaded_at_field: cast(signed as date)"),
    "later than found": on("customers", FRESH[0], FRESH[1].replace("4", "40"), FRESH[2]),
    "half of it": on("customers", *FRESH[:2]),
    "other periods": on("customers", FRESH[0], FRESH[1].replace("day", "hour"), FRESH[2]),
    "minutes": on("customers", FRESH[0], FRESH[1].replace("day", "minute"), FRESH[2]),
    "no count": on("customers", FRESH[0], "  warn_after: {count: true, period: day}", FRESH[2]),
    "no ages": on("customers", FRESH[0], "  warn_after: 4", FRESH[2]),
    "a filter beside it": on("customers", *FRESH, "  filter: 1=1"),
    "freshness of a model": BEFORE.replace("  - name: orders\n", "  - name: orders\n    loaded_at_field: signed\n"),
}


@pytest.mark.parametrize("text", UNBACKED.values(), ids=UNBACKED)
def test_whatever_else_is_written_is_not(text: str):
    assert text != BEFORE
    assert judge(text).problems != ()


ORDER = """\
-- The first of these dates is never later than the second: this finds rows in which it is.
select
    signed,
    left_on
from {{ source('app', 'customers') }}
where signed > left_on
"""


def test_the_order_of_dates_as_a_test_of_its_own():
    assert judge(ORDER, "tests/assert_order.sql").problems == ()


@pytest.mark.parametrize(
    "text",
    [
        ORDER.replace("signed >", "signed <"),
        ORDER.replace("left_on", "visits"),
        ORDER.replace("'customers'", "'orders'"),
        ORDER.replace("where", "where 1 = 1 or"),
        ORDER + "union all select 1, 2\n",
        ORDER.replace("source('app', 'customers')", "run_query('drop table x')"),
    ],
)
def test_no_other_sql_is(text: str):
    assert judge(text, "tests/assert_order.sql").problems != ()
