"""One SELECT: where the values of its columns come from, and what decides its rows."""

import pytest

from twokey.agents.catalog.lineage.model_sql import Read, read
from twokey.agents.catalog.lineage.template import UNKNOWN

KNOWN = {"orders": ("id", "amount", "note", "customer"), "people": ("id", "email"), "t": ("a", "b", "k")}


def values(found: Read) -> dict[str, list[str]]:
    return {name: sorted(f"{ref.table}.{ref.column}" for ref in refs) for name, refs in found.values.items()}


def rows(found: Read) -> list[str]:
    return sorted(f"{ref.table}.{ref.column}" for ref in found.rows)


def test_columns_are_followed_through_steps_functions_and_stars():
    found = read(
        """
        with o as (select * from orders), p as (select id, upper(email) as mail from people)
        select o.id, o.amount * 1.2 as Gross, p.mail, coalesce(o.note, '') || p.mail as both_texts,
               row_number() over (partition by o.customer order by o.id) as n, 1 as one
        from o left join p on o.customer = p.id where o.amount > 0
        """,
        KNOWN,
        None,
    )
    assert values(found) == {
        "id": ["orders.id"],
        "gross": ["orders.amount"],
        "mail": ["people.email"],
        "both_texts": ["orders.note", "people.email"],
        "n": ["orders.customer", "orders.id"],
        "one": [],
    }
    assert rows(found) == ["orders.amount", "orders.customer", "people.id"]
    assert found.tables == {"orders", "people"}
    assert not found.unknown


def test_both_sides_of_a_union_count_by_position():
    found = read("select a from t union all select email from people", KNOWN, None)
    assert values(found) == {"a": ["people.email", "t.a"]}


def test_conditions_are_followed_into_what_they_are_about():
    assert rows(read("select y from (select a as y, k as z from t) where z > 2", KNOWN, None)) == ["t.k"]
    found = read("select a, (select max(email) from people where people.id = t.k) as m from t", KNOWN, None)
    assert values(found) == {"a": ["t.a"], "m": ["people.email"]}
    assert rows(found) == ["people.id", "t.k"]
    assert rows(read("select a, sum(b) as s from t group by a having sum(b) > 1", KNOWN, None)) == ["t.a", "t.b"]


def test_names_are_compared_without_case_and_tables_of_schemas_are_told_apart():
    found = read('select T.A as "X", r.A as y from T join raw.T as r on T.k = r.k', KNOWN, None)
    assert values(found) == {"x": ["t.a"], "y": ["raw.t.a"]}


def test_a_dialect_is_understood():
    assert values(read("select `a` as b from `t` qualify row_number() over (order by k) = 1", KNOWN, "bigquery")) == {
        "b": ["t.a"]
    }


@pytest.mark.parametrize(
    ("sql", "column", "reason"),
    [
        ("select * from elsewhere", "*", "all columns of a table whose columns are not known"),
        ("select x from elsewhere, nowhere", "x", "whose column it is"),
        (f"select {UNKNOWN} as x, a from t", "x", "its template computes"),
        ("select a, b as a from t", "*", "two of its columns have one name"),
        ("selec x", "*", "not one SELECT"),
        ("select (", "*", "could not be parsed"),
        ("select 1; drop table t", "*", "not one SELECT"),
        ("insert into t select 1", "*", "not one SELECT"),
        ("", "*", "not one SELECT"),
        ("select " + "(" * 5000 + "1" + ")" * 5000, "*", "nested too deeply"),
        ("select " + "+".join(["a"] * 1000) + " as s from t", "*", "nested too deeply"),
        ("select a from t where k in (select k from elsewhere where z = t.a)", "*", "not known"),
        ("select " + ",".join(f"a as c{n}" for n in range(2001)) + " from t", "*", "too many columns"),
    ],
)
def test_what_cannot_be_followed_is_said(sql: str, column: str, reason: str):
    found = read(sql, KNOWN, None)
    assert reason in found.unknown[column]


def test_what_can_be_followed_beside_it_is():
    found = read(f"select {UNKNOWN} as x, a from t", KNOWN, None)
    assert values(found)["a"] == ["t.a"]
    assert set(found.unknown) == {"x"}
