"""Which columns refer to which."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.warehouse_facts import column, integers, profile, refers, table, warehouse

from twokey.agents.catalog import joins, keys, proposals
from twokey.agents.catalog.facts import Join, Table, Warehouse
from twokey.agents.catalog.joins import Counted
from twokey.agents.catalog.likeness import likeness, probes, traits

PEOPLE = table("employees", column("employee_id", "INTEGER"), "display_name", key=("employee_id",))
CUSTOMERS = table("customers", column("customer_id", "INTEGER"), "full_name", key=("customer_id",))
ORDERS = table("orders", column("id", "INTEGER"), column("customer_id", "INTEGER"), key=("id",))


def counts(**changes: Any) -> Counted:
    values: dict[str, Any] = {
        "filled": 500,
        "distinct": 100,
        "present": 100,
        "orphan_rows": 0,
        "parent_rows": 300,
        "parent_distinct": 300,
        "parent_filled": 300,
    }
    return Counted(**(values | changes))


def proposed(found: Warehouse) -> tuple[Join, ...]:
    return proposals.candidates(found, keys.of_all(found, {}), joins.declared(found))


def best(child: Table, name: str, *others: Table) -> tuple[str, str] | None:
    """Give what a column refers to by its name alone."""
    found = [
        join for join in proposed(warehouse(child, *others)) if join.columns == (name,) and join.child == child.key
    ]
    return (found[0].parent, found[0].targets[0]) if found else None


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("customer_id", "customers"),
        ("CustomerId", "customers"),
        ("cust_id", "customers"),
        ("billing_customer_id", "customers"),
        ("customer", "customers"),
        ("account_manager", "employees"),
        ("handled_by", "employees"),
        ("SupportRepId", "employees"),
        ("employee_no", "employees"),
        ("sent_by", "employees"),
    ],
)
def test_names_speak_of_tables(name: str, parent: str):
    child = table("tickets", column("ticket_id", "INTEGER"), column(name, "INTEGER"), key=("ticket_id",))
    found = best(child, name, CUSTOMERS, PEOPLE)
    assert found is not None
    assert found[0] == parent


@pytest.mark.parametrize("name", ["id", "amount", "status", "quantity", "code", "created_at", "ticket_id"])
def test_names_that_speak_of_nothing(name: str):
    child = table("tickets", column("ticket_id", "INTEGER"), column(name, "INTEGER"), key=("ticket_id",))
    assert best(child, name, CUSTOMERS, PEOPLE) is None


@pytest.mark.parametrize(
    ("name", "table_name"),
    [
        ("reports_to", "employees"),
        ("manager_id", "staff"),
        ("parent_id", "categories"),
        ("parent_category_id", "categories"),
    ],
)
def test_a_table_may_refer_to_itself(name: str, table_name: str):
    found = table(table_name, column("id", "INTEGER"), column(name, "INTEGER"), key=("id",))
    assert best(found, name) == (table_name, "id")


def test_types_that_cannot_meet_do_not():
    child = table("tickets", column("id", "INTEGER"), column("client", "TEXT"), key=("id",))
    assert best(child, "client", table("clients", column("id", "INTEGER"), key=("id",))) is None
    seen = table("tickets", column("id", "INTEGER"), column("customer_id", "TEXT", profile()), key=("id",))
    assert best(seen, "customer_id", CUSTOMERS) is None
    unseen = table("tickets", column("id", "INTEGER"), column("customer_id", "TEXT"), key=("id",))
    assert best(unseen, "customer_id", CUSTOMERS) == ("customers", "customer_id")
    dated = table("tickets", column("id", "INTEGER"), column("customer_id", "DATE"), key=("id",))
    assert best(dated, "customer_id", CUSTOMERS) is None


def test_a_key_of_another_extends_it():
    child = table("customer_details", column("customer_id", "INTEGER"), "notes", key=("customer_id",))
    assert best(child, "customer_id", CUSTOMERS) == ("customers", "customer_id")


def test_the_only_table_explains_a_key_of_two():
    people = table("members", column("id", "INTEGER"), key=("id",))
    pairs = table("likes", column("giver_id", "INTEGER"), column("taker_id", "INTEGER"), key=("giver_id", "taker_id"))
    assert best(pairs, "giver_id", people) == ("members", "id")
    assert best(pairs, "giver_id", people, CUSTOMERS) is None


def test_values_decide():
    (join,) = proposed(warehouse(ORDERS, CUSTOMERS))
    (kept,) = joins.settle([join], {join: counts()})
    assert kept.confidence > 90
    assert kept.orphans == 0
    assert kept.reasons[-1] == "100 of 100 different values are found there"
    (few,) = joins.settle([join], {join: counts(present=99, orphan_rows=3)})
    assert few.orphans == 3
    assert joins.settle([join], {join: counts(present=50)}) == ()
    assert joins.settle([join], {join: counts(parent_distinct=299)}) == ()


def test_of_too_many_values_a_part_is_looked_for_and_that_is_said():
    (join,) = proposed(warehouse(ORDERS, CUSTOMERS))
    part = counts(
        filled=9_000_000,
        distinct=4_000_000,
        looked=500_000,
        present=499_990,
        orphans_most=140,
        orphan_rows=31,
        orphan_rows_about=248,
        orphan_shapes=("aaaa9",),
        parent_sure=False,
    )  # fmt: skip - one set of counts
    (kept,) = joins.settle([join], {join: part})
    assert kept.reasons[-1] == (
        "499,990 of 500,000 different values that were looked for are found there; of about 4,000,000 in all at most 140 "
        "are missing, as far as that tells"
    )
    assert (kept.orphans, kept.orphans_about, kept.orphan_shapes) == (31, 248, ("aaaa9",))
    assert joins.settle([join], {join: replace(part, present=390_000)}) == ()
    assert joins.settle([join], {join: replace(part, looked=0, present=0)}) == ()


def test_a_name_without_doubt_bears_more_orphans():
    (join,) = proposed(warehouse(ORDERS, CUSTOMERS))
    assert join.confidence >= joins.SURE
    (kept,) = joins.settle([join], {join: counts(present=85, orphan_rows=20)})
    assert kept.orphans == 20
    assert joins.settle([join], {join: counts(present=85, orphan_rows=200)}) == ()
    assert joins.settle([replace(join, confidence=70)], {replace(join, confidence=70): counts(present=85)}) == ()


def test_without_values_only_a_sure_name_is_believed():
    (join,) = proposed(warehouse(ORDERS, CUSTOMERS))
    (empty,) = joins.settle([join], {join: counts(filled=0, distinct=0, present=0)})
    assert empty.confidence <= 80
    assert "no values" in empty.reasons[-1]
    assert joins.settle([join], {join: counts(parent_rows=0, parent_distinct=0)}) != ()
    vague = Join("a", ("x",), "b", ("id",), confidence=50)
    assert joins.settle([vague], {}) == ()


def test_one_column_refers_to_one_place():
    people = table("people", column("person_id", "INTEGER"), key=("person_id",))
    child = table("tickets", column("id", "INTEGER"), column("handled_by", "INTEGER"), key=("id",))
    found = proposed(warehouse(child, PEOPLE, people, CUSTOMERS))
    assert len(found) > 1
    (kept,) = joins.settle(found, {join: counts() for join in found})
    assert kept.parent == "employees"


def test_declared_references_are_taken_as_they_are():
    child = table(
        "orders", "customer", foreign_keys=(refers("customer", "customers", "customer_id"), refers("x", "gone", "y"))
    )
    found = warehouse(child, CUSTOMERS)
    (join,) = joins.declared(found)
    assert (join.declared, join.confidence) == (True, 99)
    assert proposed(found) == ()
    assert joins.with_orphans(join, counts(orphan_rows=2)).orphans == 2
    assert joins.with_orphans(join, None).orphans is None


LINES = table("order_lines", column("order_no", "INTEGER"), column("line_no", "INTEGER"), key=("order_no", "line_no"))
SHIPMENTS = table(
    "shipments", column("id", "INTEGER"), column("order_no", "INTEGER"), column("line_no", "INTEGER"), key=("id",)
)


def test_a_key_of_several_columns_is_referred_to_as_a_whole():
    found = proposed(warehouse(LINES, SHIPMENTS))
    assert [(join.columns, join.parent) for join in found] == [(("order_no", "line_no"), "order_lines")]
    assert joins.parents_of(SHIPMENTS, found)["line_no"].parent == "order_lines"


def test_a_reference_of_several_columns_makes_its_parts_superfluous():
    orders = table("orders", column("order_no", "INTEGER"), key=("order_no",))
    found = joins.by_names_alone(
        warehouse(LINES, SHIPMENTS, orders), keys.of_all(warehouse(LINES, SHIPMENTS, orders), {})
    )
    pairs = {(join.child, join.columns, join.parent) for join in found}
    assert pairs == {
        ("order_lines", ("order_no",), "orders"),
        ("shipments", ("order_no", "line_no"), "order_lines"),
    }


def test_a_key_of_the_same_columns_is_no_reference():
    one = table("january", column("a_no", "INTEGER"), column("b_no", "INTEGER"), key=("a_no", "b_no"))
    other = table("february", column("a_no", "INTEGER"), column("b_no", "INTEGER"), key=("a_no", "b_no"))
    assert proposed(warehouse(one, other)) == ()


def test_small_integers_that_occur_elsewhere_are_no_reference():
    child = table(
        "events",
        column("errors", "INTEGER", integers(unique=False, distinct=5)),
        column("event_id", "INTEGER", integers()),
    )
    assert proposed(warehouse(child, table("levels", column("level_id", "INTEGER", integers(5)), "name"))) == ()


@given(st.lists(st.tuples(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=6, unique=True)), max_size=5))
def test_any_names_are_compared_and_references_stay_inside(raw: list[tuple[str, list[str]]]):
    tables = [
        table(f"{number}{name}", *(column(each, "INTEGER", profile()) for each in columns), key=tuple(columns[:1]))
        for number, (name, columns) in enumerate(raw)
    ]
    found = warehouse(*tables)
    for join in joins.by_names_alone(found, keys.of_all(found, {})):
        assert set(join.columns) <= set(found.by_key[join.child].by_name)
        assert set(join.targets) <= set(found.by_key[join.parent].by_name)
        assert (join.child, join.columns) != (join.parent, join.targets)


@given(
    st.sampled_from(["customers", "PlaylistTrack", "employees", "credit_cards", "departments", "media_types", "a"]),
    st.sampled_from(["id", "customer_id", "EmployeeId", "code", "dept_no", "media_type_id"]),
    st.sampled_from(
        ["customer_id", "cust", "playlist_track_id", "cc_id", "handled_by", "boss", "dept_id", "MediaTypeId"]
    )
    | st.text(alphabet="acdempstuy_Idr", max_size=10),
)
def test_only_names_that_touch_can_be_alike(parent: str, key: str, name: str):
    """The index that spares comparisons never hides one that would have counted."""
    child = table("things", column(name, "INTEGER"))
    other = table(parent, column(key, "INTEGER"), key=(key,))
    if not probes(name) & traits(other, key):
        assert likeness(child, name, other, key, sole_key=True).score == 0


SUBSCRIBERS = table("subscribers", column("subscriber_id", "INTEGER"), "name", "mail", key=("subscriber_id",))


def test_a_copy_of_a_table_neither_refers_to_it_nor_is_meant():
    copy = table("subscribers_old", column("subscriber_id", "INTEGER"), "name", "mail", key=("subscriber_id",))
    child = table("mails", column("id", "INTEGER"), column("subscriber_id", "INTEGER"), key=("id",))
    found = proposed(warehouse(copy, SUBSCRIBERS, child))
    assert {(join.child, join.parent) for join in found} == {("mails", "subscribers"), ("mails", "subscribers_old")}
    (kept,) = joins.settle(found, {join: counts() for join in found})
    assert kept.parent == "subscribers"


def test_tables_that_only_have_the_same_columns_are_no_copies():
    people = table("students", column("id", "INTEGER"), "name", "mail", key=("id",))
    others = table("courses", column("id", "INTEGER"), "name", "mail", key=("id",))
    parts = [table(f"visits_{year}", column("id", "INTEGER"), "day", "note", key=("id",)) for year in (2024, 2025)]
    child = table("marks", column("id", "INTEGER"), column("student", "INTEGER"), column("visit_id", "INTEGER"))
    found = {
        (join.columns[0], join.parent): join.confidence for join in proposed(warehouse(people, others, *parts, child))
    }
    assert found["student", "students"] == 78
    assert found["visit_id", "visits_2024"] > found["visit_id", "visits_2025"]


def test_a_column_leads_to_the_table_that_others_extend():
    """Both hold its values, and the name speaks more for the one that is only half of them."""
    users = table("users", column("id", "INTEGER"), "name", key=("id",))
    profiles = table("user_profiles", column("user_id", "INTEGER"), "text", key=("user_id",))
    child = table("posts", column("id", "INTEGER"), column("user_id", "INTEGER"), key=("id",))
    for order in ((users, profiles, child), (child, profiles, users)):
        found = proposed(warehouse(*order))
        settled = joins.settle(found, {join: counts() for join in found})
        assert {(join.child, join.parent) for join in settled} == {("posts", "users"), ("user_profiles", "users")}
    # where the other one does not hold, it is no root
    found = proposed(warehouse(users, profiles, child))
    lost = {join: counts(present=10 if join.parent == "users" else 100) for join in found}
    assert {(join.child, join.parent) for join in joins.settle(found, lost)} == {("posts", "user_profiles")}


def test_the_smallest_key_of_several_columns_is_enough():
    two = Join("shipments", ("order_no", "line_no"), "order_lines", ("order_no", "line_no"), confidence=85)
    three = Join(
        "shipments", ("order_no", "line_no", "day"), "order_lines", ("order_no", "line_no", "day"), confidence=85
    )
    (kept,) = joins.settle([three, two], {two: counts(), three: counts()})
    assert kept.columns == two.columns


@pytest.mark.parametrize(("name", "parent"), [("libro_id", "libri"), ("id_fattura", "fatture"), ("cliente", "clienti")])
def test_one_and_many_may_differ_in_their_last_vowel(name: str, parent: str):
    books = table(parent, column("id", "INTEGER"), key=("id",))
    assert best(table("prestiti", column("id", "INTEGER"), column(name, "INTEGER"), key=("id",)), name, books) == (
        parent,
        "id",
    )
    assert likeness(ORDERS, "bose_id", table("base", column("id"), key=("id",)), "id", sole_key=True).score == 0


def test_two_tables_with_one_key_of_several_columns_do_not_refer_to_each_other():
    both = ("customer_id", "scored_at")
    there = Join("scores", both, "outputs", both, confidence=85)
    back = Join("outputs", both, "scores", both, confidence=85)
    single = Join("scores", ("customer_id",), "customers", ("customer_id",), confidence=85)
    counted = dict.fromkeys((there, back, single), counts())
    assert [(join.child, join.columns, join.parent) for join in joins.settle((there, back, single), counted)] == [
        ("scores", ("customer_id",), "customers")
    ]
    assert {join.columns for join in joins.settle((there, single), counted)} == {both, ("customer_id",)}
