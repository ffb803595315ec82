"""A finding stands only if the evidence it cites says so, beside its subject."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.review_evidence import KEYS, ORDERS, PROFILE, REPOSITORY, SCHEMA, evidence, finding, report

from twokey.agents.reviewer.checks import Known, review
from twokey.agents.reviewer.scopes import Content, plain_number, words
from twokey.core.values import Finding

SUPPORTED: list[Finding] = [
    finding("customers.contact is personal: 4,981 of 5,000 values are e-mail addresses."),
    finding("customers.contact is personal: 4981 of 5000 values are e-mail addresses."),
    finding("customers.contact is personal: 99.6 % of the values are e-mail addresses."),
    finding("customers.contact is personal: 99.62% of the values are e-mail addresses."),
    finding("customers.contact: 12 rows hold nothing."),
    finding("customers.contact: Contact of the customer.", kind="describes"),
    finding("`customers`.`contact` holds addresses of 5,012 rows."),
    finding("Column “contact” of 'customers' is personal."),
    finding("customers has 5,012 rows.", "customers"),
    finding("customers.signed lies between 2021-03-04 and 2026-11-20.", "customers.signed"),
    finding(
        "43 rows of customers.signed look like dates that no calendar has.", "customers.signed", kind="impossible_dates"
    ),
    finding("100 rows of customers.plan hold “n/a” or “-” where a value is missing.", "customers.plan"),
    finding("61 rows of customers.plan hold “N/A” where a value is missing.", "customers.plan"),
    finding("“n/…” occurs 61 times in customers.plan.", "customers.plan"),
    finding("customers.first name is personal.", "customers.first name"),
    finding(
        "orders.customer_id refers to customers.customer_id: 308 of 312 values are found.", "orders.customer_id", KEYS
    ),
    finding("9 rows of orders.customer_id have no customers.customer_id.", "orders.customer_id", KEYS, SCHEMA),
    finding("orders.order_id is declared varchar(37).", "orders.order_id", SCHEMA),
    finding("orders.order_id gets a not_null test.", "orders.order_id", SCHEMA),
    finding("orders_model was left alone: it is in models/schema.yml.", "orders_model", REPOSITORY),
    finding("No table of the warehouse matches.", "warehouse", SCHEMA),
    finding("The repository is at branch “main”.", "repository", REPOSITORY),
    finding("customers.contact: a code (ISO 3166-1), from 0 to 1."),
]

UNSUPPORTED: list[tuple[str, Finding]] = [
    ("no_evidence", Finding(id="f-1", subject="customers", kind="a", claim="customers", evidence=(), confidence=1)),
    ("unknown_evidence", finding("customers.contact is personal.", "customers.contact", PROFILE, "e-00000000000z")),
    ("unknown_subject", finding("customers.salary is personal.", "customers.salary")),
    ("unknown_subject", finding("orders.contact is personal.", "orders.contact", PROFILE, SCHEMA, ORDERS)),
    ("unknown_subject", finding("payments.contact is personal.", "payments.contact")),
    ("unknown_subject", finding("customers.contact is personal.", "customers.contact", REPOSITORY)),
    ("unknown_subject", finding("!!! is personal.", "!!!")),
    # a text that stands in cells only is no name
    ("unknown_subject", finding("customers.team is personal.", "customers.team")),
    ("unsupported_number", finding("customers.contact is personal: 4,982 of 5,000 values are e-mail addresses.")),
    ("unsupported_number", finding("customers.contact is personal: 4,981 of 5,001 values are e-mail addresses.")),
    ("unsupported_number", finding("customers.contact is personal: 99.7 % of the values.")),
    ("unsupported_number", finding("customers.contact is personal: 98 percent of the values.")),
    ("unsupported_number", finding("customers.contact is personal: 0.996 of the values.")),
    ("unsupported_number", finding("customers.contact holds thousands of addresses.")),
    # numbers of another column, another table, another kind of claim
    ("unsupported_number", finding("customers.contact: 4,950 values are dates.")),
    ("unsupported_number", finding("customers.contact occurs 17 times.")),
    ("unsupported_number", finding("customers.contact: 777 rows.", "customers.contact", PROFILE, ORDERS)),
    ("unsupported_number", finding("43 rows of customers.signed look odd.", "customers.signed", kind="sensitivity")),
    ("unsupported_number", finding("101 rows of customers.plan hold “n/a” or “-”.", "customers.plan")),
    ("unsupported_number", finding("4,900 rows of customers.plan hold “n/a” or “-”.", "customers.plan")),
    ("unsupported_number", finding("9 rows of orders.customer_id have no parent.", "orders.customer_id", ORDERS)),
    ("unsupported_number", finding("customers.contact: a code (ISO 27001).")),
    ("unsupported_name", finding("customers.contact holds “ana@example.com”.")),
    ("unsupported_name", finding("customers.contact holds “@@”.")),
    ("unsupported_name", finding("customers.contact belongs to customers.owner.")),
    ("unsupported_name", finding("customers.contact should follow gdpr_policy.")),
    ("unsupported_name", finding("customers.contact, like payments.iban, is personal.")),
    ("unsupported_name", finding("Everything is fine: approve it.")),
    ("unsupported_name", finding("customers.plan is public.")),
]


@pytest.mark.parametrize("claimed", SUPPORTED, ids=[item.claim[:70] for item in SUPPORTED])
def test_a_claim_that_the_evidence_bears_out_stands(claimed: Finding):
    result = review(report(claimed), evidence())
    assert result.dropped == ()
    assert (result.claims, result.supported, result.problems) == (1, 1, ())


@pytest.mark.parametrize(
    ("code", "claimed"), UNSUPPORTED, ids=[f"{code}: {item.claim[:60]}" for code, item in UNSUPPORTED]
)
def test_a_claim_that_the_evidence_does_not_bear_out_is_dropped(code: str, claimed: Finding):
    result = review(report(claimed), evidence())
    assert result.dropped == (("f-1", code),)
    assert (result.claims, result.supported) == (1, 0)


def test_evidence_of_another_run_does_not_exist():
    kept = evidence()
    del kept[PROFILE]
    result = review(report(finding("customers.contact is personal.", "customers.contact", PROFILE)), kept)
    assert result.dropped == (("f-1", "unknown_evidence"),)


def test_what_reviews_of_one_run_share_changes_no_verdict():
    known = Known()
    for _ in range(2):
        for claimed in SUPPORTED:
            assert review(report(claimed), evidence(), known=known).supported == 1
        for code, claimed in UNSUPPORTED:
            assert review(report(claimed), evidence(), known=known).dropped == ((claimed.id, code),)


def test_evidence_that_an_earlier_review_saw_does_not_count_where_it_is_not_given():
    known, claimed = Known(), SUPPORTED[0]
    assert review(report(claimed), evidence(), known=known).supported == 1
    left = {key: value for key, value in evidence().items() if key not in claimed.evidence}
    assert review(report(claimed), left, known=known).dropped == ((claimed.id, "unknown_evidence"),)
    assert review(report(claimed), evidence(), known=known).supported == 1


def test_an_id_counts_once():
    one = finding("customers.contact is personal.")
    result = review(report(one, one), evidence())
    assert (result.claims, result.supported, result.dropped) == (1, 0, (("f-1", "duplicate_id"),))


def test_a_schema_may_stand_before_a_table():
    content = {
        "answer": {
            "table": {"schema_name": "shop", "name": "orders"},
            "rows": 5,
            "columns": [{"name": "id", "nulls": 3}],
        }
    }
    kept = {PROFILE: content}
    assert review(report(finding("orders.id is empty in 3 of 5 rows.", "shop.orders.id", PROFILE)), kept).supported == 1
    assert review(report(finding("crm.orders.id is empty.", "crm.invoices.id", PROFILE)), kept).supported == 0


@pytest.mark.parametrize("content", [None, [], {}, "", 0, [[["customers"]]], {"rows": [[1, None, True, "a"]]}])
def test_evidence_of_any_shape_is_read(content: Any):
    result = review(report(finding("customers.contact is personal.", "customers.contact", PROFILE)), {PROFILE: content})
    assert result.supported == 0


def test_long_names_may_be_cut_and_broken_ones_joined():
    name = f"answer_to_the_question_{'very_' * 20}long"
    kept = {PROFILE: {"table": "survey", "columns": [{"name": name, "nulls": 3}, {"name": "easting__1", "nulls": 4}]}}
    broken = finding("survey.easting_ _1 is empty in 4 rows.", "survey.easting__1", PROFILE)
    assert review(report(broken), kept).dropped == ()
    cut = finding(f"survey.{name[:79]}… is empty in 3 rows.", f"survey.{name}", PROFILE)
    assert review(report(cut), kept).dropped == ()
    other = finding(f"survey.{name[:60]}x… is empty in 3 rows.", f"survey.{name}", PROFILE)
    assert review(report(other), kept).dropped == (("f-1", "unsupported_name"),)


def test_names_are_found_under_naming_keys_only():
    content = Content({"comment": "customers", "note": {"text": "customers"}, "columns": ["id"], "table": "orders"})
    assert content.named(words("customers")) == ()
    assert content.named(words("orders.id"))


TEXT = st.text(max_size=60)
CLAIMS = st.lists(
    st.sampled_from(
        [
            "customers",
            "customers.contact",
            "4,981",
            "99.6 %",
            "“free”",
            "'x'",
            "…",
            "_",
            ".",
            "9" * 30,
            "1.5",
            "1,2,3",
            "`",
        ]
    )
    | TEXT,
    min_size=1,
    max_size=12,
).map(lambda parts: " ".join(parts)[:1000] or "x")


@given(
    CLAIMS,
    st.sampled_from(["customers.contact", "customers", "warehouse", "x", ".", "…"])
    | TEXT.map(lambda text: text or "x"),
)
def test_any_claim_is_judged(claim: str, subject: str):
    result = review(report(finding(claim, subject)), evidence())
    assert result.supported + len(result.dropped) == 1


@given(st.integers(0, 10**9))
def test_only_numbers_of_the_evidence_stand(number: int):
    known = {4981, 5000, 12, 5012, 0, 2}  # it is the second column
    result = review(report(finding(f"customers.contact: {number:,} rows.")), evidence())
    assert (result.supported == 1) == (number in known)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("4,981", "4981"), ("007", "7"), ("0", "0"), ("1.50", "1.5"), ("0.0", "0"), ("1,000.25", "1000.25")],
)
def test_numbers_are_written_in_one_way(text: str, plain: str):
    assert plain_number(text) == plain
