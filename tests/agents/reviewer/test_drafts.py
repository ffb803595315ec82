"""A draft says only what supported findings say, or it does not become a proposal."""

from typing import Any

import pytest
from support.review_evidence import BEFORE, KEYS, PROFILE, REPOSITORY, SCHEMA, evidence, finding, report

from twokey.agents.reviewer.checks import Review, review
from twokey.core.values import Finding

FINDINGS = (
    finding("customers.contact is personal: 4,981 of 5,000 values are e-mail addresses.", id="f-1"),
    finding("customers.contact: Contact of the customer, an e-mail address.", kind="describes", id="f-2"),
    finding("customers.contact is declared TEXT.", "customers.contact", SCHEMA, kind="data_type", id="f-3"),
    finding("customer_id is declared as the key of customers.", "customers", SCHEMA, kind="primary_key", id="f-4"),
    finding(
        "orders.customer_id refers to customers.customer_id: 308 of 312 different values are found there.",
        "orders.customer_id",
        KEYS,
        kind="relationship",
        id="f-5",
    ),
    finding("customers.plan holds one of free or team.", "customers.plan", kind="accepted_values", id="f-6"),
    finding("customers.plan is operational: one of a few repeated values.", "customers.plan", id="f-7"),
    finding("customers: One row per customer.", "customers", kind="describes", id="f-8"),
    finding(
        "order_id and customer_id together identify a row of orders: no combination occurs twice.",
        "orders",
        SCHEMA,
        kind="primary_key",
        id="f-9",
    ),
)

CUSTOMERS = BEFORE.replace(
    "models:\n",
    """\
          - name: contact
            description: Contact of the customer, an e-mail address.
            data_type: TEXT
            quote: true
            meta: {sensitivity: personal, personal_data: email}
          - name: plan
            config: {meta: {sensitivity: none}, tags: [internal]}
            data_tests:
              - accepted_values:
                  arguments: {values: [free, team]}
                  config: {severity: warn}
models:
""",
)
KEY_TEST = """\
-- A row is identified by these columns together: this finds combinations that occur more than once.
select
    order_id,
    {{ adapter.quote('customer_id') }},
    count(*) as occurrences
from {{ ref('orders_model') }}
group by
    order_id,
    {{ adapter.quote('customer_id') }}
having count(*) > 1
"""


def judge(
    text: str, *, path: str = "models/schema.yml", findings: tuple[Finding, ...] = FINDINGS, **changes: Any
) -> Review:
    draft: dict[str, Any] = {
        "tool": "open_pull_request",
        "args": {
            "base_commit": "a" * 40,
            "title": "Document customers",
            "body": f"- {FINDINGS[0].claim} ({PROFILE})",
            "files": [{"path": path, "content": text}],
        }
        | changes.pop("args", {}),
        "provenance": [{"path": "files.content", "label": "evidence", "evidence": [PROFILE]}],
        "findings": [item.canonical() for item in findings],
        "why": "It is missing.",
    }
    return review(report(*findings), evidence(), draft | changes)


def test_a_draft_that_says_what_was_found_has_no_problem():
    result = judge(CUSTOMERS)
    assert result == Review(len(FINDINGS), len(FINDINGS), (), ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BEFORE, id="nothing changed"),
        pytest.param(BEFORE + "        description: ' '\n", id="a description of nothing"),
        pytest.param(BEFORE.replace("app\n", "app\n    # a comment\n"), id="a comment"),
        pytest.param(BEFORE.replace("[unique]", "[unique, not_null]"), id="test of a declared key"),
        pytest.param(
            BEFORE.replace(
                "      - name: customers\n", "      - name: customers\n        description: One row per customer.\n"
            ),
            id="description of a table",
        ),
        pytest.param(
            BEFORE
            + "      - name: customer_id\n        data_tests:\n          - relationships:\n"
            + "              arguments: {to: \"source('app', 'customers')\", field: '\"customer_id\"'}\n",
            id="relationship",
        ),
        pytest.param(
            BEFORE
            + "      - name: customer_id\n        tests:\n"
            + "          - relationships: {to: \"source('app', 'customers')\", field: customer_id}\n",
            id="relationship in the older form",
        ),
        pytest.param(BEFORE + "seeds:\n  - name: customers\n", id="a known table"),
        pytest.param(
            BEFORE.replace("models:\n", "  - name: app_db\n    schema: main\n    tables: [{name: orders}]\nmodels:\n"),
            id="a new source",
        ),
    ],
)
def test_other_backed_changes(text: str):
    assert judge(text).problems == ()


def test_a_test_for_a_key_of_several_columns_is_backed_by_its_finding():
    assert judge(KEY_TEST, path="tests/assert_orders_key_is_unique.sql").problems == ()


UNBACKED = [
    pytest.param(
        CUSTOMERS.replace("name: contact", "name: salary"), "column customers.salary", id="a column nobody saw"
    ),
    pytest.param(BEFORE + "  - name: payments\n", "node payments", id="a table nobody saw"),
    pytest.param(
        CUSTOMERS.replace("sensitivity: personal", "sensitivity: none"), "meta sensitivity", id="a lower mark"
    ),
    pytest.param(CUSTOMERS.replace("sensitivity: none", "sensitivity: pii"), "meta sensitivity", id="a higher mark"),
    pytest.param(CUSTOMERS.replace("{sensitivity: none}", "{sensitivity: {a: 1}}"), "meta sensitivity", id="no mark"),
    pytest.param(CUSTOMERS.replace("tags: [internal]", "tags: [nightly]"), "tag customers.plan", id="a tag"),
    pytest.param(
        CUSTOMERS.replace("tags: [internal]", "tags: internal, enabled: false"), "config.enabled", id="a setting"
    ),
    pytest.param(
        CUSTOMERS.replace("personal_data: email", "personal_data: 'e-mail of Ana'"), "personal_data", id="free text"
    ),
    pytest.param(CUSTOMERS.replace("personal_data: email", "owner: bob"), "meta owner", id="other meta"),
    pytest.param(
        CUSTOMERS.replace("an e-mail address", "not personal at all"), "description", id="another description"
    ),
    pytest.param(
        CUSTOMERS.replace("an e-mail address", "[an e-mail](address)"), "description", id="markup between words"
    ),
    pytest.param(
        CUSTOMERS.replace("Contact of the customer, an e-mail address.", "'...'"), "description", id="no words"
    ),
    pytest.param(CUSTOMERS.replace("data_type: TEXT", "data_type: INTEGER"), "data_type", id="another type"),
    pytest.param(
        CUSTOMERS.replace("[free, team]", "[free, team, enterprise]"), "accepted_values", id="a value nobody saw"
    ),
    pytest.param(CUSTOMERS.replace("[free, team]", "[one, of]"), "accepted_values", id="words of the claim"),
    pytest.param(CUSTOMERS.replace("[free, team]", "[]"), "accepted_values", id="no values"),
    pytest.param(
        CUSTOMERS.replace("{values: [free, team]}", "{values: [free], where: '1=1'}"), "accepted_values", id="SQL"
    ),
    pytest.param(
        CUSTOMERS.replace("severity: warn", "severity: warn, where: 'x'"), "accepted_values", id="SQL in config"
    ),
    pytest.param(
        CUSTOMERS.replace("- accepted_values:", "- dbt_utils.expression_is_true:"), "expression", id="another test"
    ),
    pytest.param(CUSTOMERS.replace("quote: true", "quote: false"), "other quote", id="not quoted"),
    pytest.param(BEFORE.replace("[unique]", "[]"), "removed test unique", id="a test taken away"),
    pytest.param(BEFORE.replace("Never reuse!", "Reuse."), "removed description", id="a person's words replaced"),
    pytest.param("version: 2\n", "removed node customers", id="all taken away"),
    pytest.param(BEFORE.replace("version: 2", "version: 3"), "other version", id="another version"),
    pytest.param(BEFORE + "on-run-start: ['drop table x']\n", "other on-run-start", id="a hook"),
    pytest.param(BEFORE + "macros: [{name: x}]\n", "other macros", id="another section"),
    pytest.param("- a list\n", "other file", id="no mapping"),
    pytest.param("a: [b", "unreadable", id="no YAML"),
    pytest.param("a: \ud800", "unreadable", id="no text"),
    pytest.param(
        BEFORE.replace("[unique]", "[unique, unique_combination]"), "test unique_combination", id="an odd test"
    ),
    pytest.param(
        BEFORE.replace("[unique]", "[unique, {not_null: {}, unique: {}}]"), "other test", id="two tests in one"
    ),
    pytest.param(BEFORE.replace("[unique]", "[unique, {not_null: 3}]"), "other test", id="a test that is a number"),
    pytest.param(
        BEFORE.replace("[unique]", "[unique, {not_null: {config: 3}}]"), "other test", id="config that is none"
    ),
    pytest.param(BEFORE + "        data_tests: [unique]\n", "test unique", id="half of a key is not unique"),
    pytest.param(
        BEFORE
        + "      - name: customer_id\n"
        + "        tests: [{relationships: {to: \"ref('orders_model')\", field: customer_id}}]\n",
        "relationships",
        id="another parent",
    ),
    pytest.param(
        BEFORE
        + "      - name: customer_id\n"
        + "        tests: [{relationships: {to: \"ref('customers') }} x\", field: customer_id}}]\n",
        "relationships",
        id="no relation",
    ),
    pytest.param(
        BEFORE + "      - name: customer_id\n        tests: [{relationships: {to: 3, field: customer_id}}]\n",
        "relationships",
        id="a parent that is a number",
    ),
    pytest.param(
        BEFORE.replace("models:\n", "  - name: 'x{{ y }}'\nmodels:\n"), "source", id="the name of a source is code"
    ),
    pytest.param(
        BEFORE.replace("models:\n", "  - name: other\n    schema: prod\nmodels:\n"),
        "source schema",
        id="an unseen schema",
    ),
    pytest.param(
        BEFORE.replace("models:\n", "  - name: other\n    database: prod\nmodels:\n"), "other database", id="a database"
    ),
    pytest.param(BEFORE.replace("models:\n", "  - tables\nmodels:\n"), "other sources", id="a source without a name"),
    pytest.param(BEFORE.replace("models:\n", "      - 3\nmodels:\n"), "other tables", id="a table without a name"),
    pytest.param(BEFORE + "      - 3\n", "other columns", id="a column without a name"),
    pytest.param(BEFORE + "  - 3\n", "other models", id="a model without a name"),
    pytest.param(BEFORE + "seeds: {name: customers}\n", "", id="a section that is no list"),
]


@pytest.mark.parametrize(("text", "said"), UNBACKED)
def test_what_no_finding_backs_is_a_problem(text: str, said: str):
    result = judge(text)
    if said:
        assert result.problems
        assert any(said in problem for problem in result.problems), result.problems
    assert all(problem.startswith("unbacked_claim") for problem in result.problems)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("tests/a.sql", KEY_TEST.replace("orders_model", "customers")),
        ("tests/a.sql", KEY_TEST.replace("order_id", "day")),
        ("tests/a.sql", KEY_TEST + "; drop table customers"),
        ("tests/a.sql", KEY_TEST.replace("ref('orders_model')", "run_query('drop table x')")),
        ("tests/a.sql", KEY_TEST.replace("    order_id,\n    {{", "    {{", 1)),
        ("tests/a.sql", "select 1"),
        ("tests/a.py", KEY_TEST),
        ("macros/a.sql", "{% macro x() %}{% endmacro %}"),
        (".github/workflows/a.yml", "on: push\njobs: {}\n"),
        ("models/schema.yml", None),
        ("README.md", "hello"),
    ],
)
def test_other_files_are_a_problem(path: str, content: str | None):
    result = judge("", path=path, args={"files": [{"path": path, "content": content}]})
    assert result.problems


def test_a_file_that_the_run_has_not_read_has_no_history():
    assert judge(BEFORE, path="models/other.yml").problems


def test_another_base_than_the_one_that_was_read_is_a_problem():
    assert judge(BEFORE, args={"base_commit": "c" * 40, "files": [], "body": ""}).problems == (
        "unbacked_claim base_commit",
    )


def test_another_tool_is_a_problem():
    assert judge(BEFORE, tool="update_ticket").problems == ("unbacked_claim tool",)


def test_a_dropped_claim_may_not_stand_in_the_text():
    false = finding("customers.contact is public: 3 of 5,000 values are e-mail addresses.", id="f-10")
    result = judge(BEFORE, findings=(*FINDINGS, false), args={"files": [], "body": f"Note: {false.claim}"})
    assert result.dropped == (("f-10", "unsupported_number"),)
    assert result.problems == ("unbacked_claim text f-10",)


def test_a_dropped_finding_backs_nothing():
    false = finding("customers.plan is personal: 9,999 values are names.", "customers.plan", id="f-7")
    result = judge(
        CUSTOMERS.replace("sensitivity: none", "sensitivity: pii"), findings=(*FINDINGS[:6], false, *FINDINGS[7:])
    )
    assert result.dropped == (("f-7", "unsupported_number"),)
    assert any("meta sensitivity customers.plan" in problem for problem in result.problems)


def test_evidence_that_is_not_there_may_not_be_named():
    result = judge(BEFORE, args={"files": [], "body": "see e-00000000000z"})
    assert result.problems == ("unbacked_claim evidence e-00000000000z",)
    result = judge(BEFORE, args={"files": []}, provenance=[{"evidence": ["e-00000000000y"]}])
    assert result.problems == ("unbacked_claim evidence e-00000000000y",)


def test_findings_of_the_draft_are_checked_like_those_of_the_report():
    false = finding("customers.contact: 3 values.", id="f-77")
    draft = {
        "tool": "open_pull_request",
        "args": {"base_commit": "a" * 40, "files": []},
        "findings": [false.canonical()],
        "why": "x",
    }
    result = review(report(), evidence(), draft)
    assert (result.claims, result.dropped) == (1, (("f-77", "unsupported_number"),))


def test_a_draft_cannot_reword_a_finding_of_the_report():
    reworded = FINDINGS[0].model_copy(update={"claim": "customers.contact is public."})
    draft: dict[str, Any] = {
        "tool": "open_pull_request",
        "args": {"base_commit": "a" * 40, "files": []},
        "findings": [reworded.canonical()],
        "why": "x",
    }
    assert review(report(FINDINGS[0]), evidence(), draft).dropped == (("f-1", "two_versions"),)


@pytest.mark.parametrize(
    "draft",
    [
        3,
        [],
        {},
        {"findings": []},
        {"findings": [3], "args": {}, "tool": "open_pull_request"},
        {"findings": [], "args": [], "tool": "open_pull_request"},
        {"findings": [], "args": {}, "tool": 3},
        {"findings": [], "args": {}, "tool": "open_pull_request"},
        {"findings": [], "args": {"files": 3}, "tool": "open_pull_request"},
        {"findings": [], "args": {"files": ["x"], "base_commit": "a" * 40}, "tool": "open_pull_request"},
    ],
)
def test_a_draft_that_cannot_be_read_is_a_problem(draft: Any):
    assert review(report(), evidence(), draft).problems


def test_a_repository_file_that_cannot_be_read_is_no_help_and_no_fault():
    kept = evidence()
    kept[REPOSITORY]["files"].append({"path": "broken.yml", "text": "a: [b"})
    kept[REPOSITORY]["files"].append({"path": 3})
    draft: dict[str, Any] = {
        "tool": "open_pull_request",
        "args": {"base_commit": "a" * 40, "files": [{"path": "models/schema.yml", "content": BEFORE}]},
        "findings": [],
        "why": "x",
    }
    assert review(report(), kept, draft).problems == ()


def test_problems_are_plain_and_bounded():
    hostile = "\x1b[31m<b>`x`" * 100
    text = "version: 2\nmodels:\n" + "".join(f"  - name: n{number}\n" for number in range(500))
    result = judge(text, path=f"{hostile}.yml")
    assert len(result.problems) == 200
    assert all(len(problem) <= 300 and "\x1b" not in problem and "<" not in problem for problem in result.problems)
