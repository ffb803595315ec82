"""One SELECT: where the values of its columns come from, and what decides its rows."""

import time

import pytest
from support.effort import seconds

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
        ("select a from t where k in (select lower(q) as z from elsewhere where z = 1)", "*", "not known"),
        ("select a from t where k in (select z from elsewhere, nowhere)", "*", "not known"),
        ('select id as x, note as "X" from orders', "*", "two of its columns have one name"),
        ("select columns('a.*') from t", "*", "by a pattern"),
        ("select to_json(o) as j, a from t as o", "j", "a whole row"),
        ("select (o).v as j, a from t as o", "j", "a part of one"),
        ("select lower(b) as c, c || 'x' as y from elsewhere", "y", "it could be a column of a table"),
        ("select x from (select a as x, b as x from t) as q", "x", "have one name"),
        ("select y from (select * from elsewhere union all select * from elsewhere) as q", "y", "not known"),
        ("select y from (select *, * from elsewhere) as q", "y", "not known"),
        ("select y from (select * from t, elsewhere as b) as q", "y", "not known"),
        ("select y from (select nobody.* from elsewhere) as q", "y", "not known"),
        ("select a from t where twokey_unknown.x = 1", "*", "its template computes"),
        ("select x.a from twokey_unknown as x", "a", "its template computes"),
        ("select y from (select a as x from t) as q", "y", "could not be followed"),
        ("select g.v from generate_series(1, 3) as g(v)", "v", "could not be followed"),
        ("select o.b from t where exists (select 1 from t as t2 where z.b = 1)", "*", "whose column it is"),
        ("select a from t" + " union all select a from t" * 1_000, "*", "nested too deeply"),
        ("select " + ", ".join(["(select 1)"] * 1_001), "*", "too many parts"),
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


def test_a_name_made_beside_it_counts_where_no_table_has_it():
    found = read(
        "select a + b as x, x || 'y' as y, lower(b) as k, k as z from t where x > 1 group by x, 3", KNOWN, None
    )
    assert values(found) == {"x": ["t.a", "t.b"], "y": ["t.a", "t.b"], "k": ["t.b"], "z": ["t.k"]}
    assert rows(found) == ["t.a", "t.b"]
    assert values(read("select lower(a) as a, a || 'x' as y from elsewhere", KNOWN, None))["y"] == ["elsewhere.a"]
    assert rows(read("select a + b as x, count(*) as n from elsewhere group by x", KNOWN, None)) == [
        "elsewhere.a",
        "elsewhere.b",
    ]


def test_a_column_goes_before_a_row_of_a_table_of_the_same_name():
    assert values(read("select email from people as email", KNOWN, None)) == {"email": ["people.email"]}


def test_what_doubles_with_every_step_costs_time_in_proportion_to_its_length():
    began = time.process_time()
    steps = ", ".join(f"a{number} + a{number} as a{number + 1}" for number in range(40))
    assert values(read(f"select a + a as a0, {steps} from t", KNOWN, None))["a40"] == ["t.a"]
    parts = ", ".join(
        f"c{number + 1} as (select a + b as a, a - b as b from c{number} where a > b)" for number in range(40)
    )
    found = read(f"with c0 as (select a, b from t), {parts} select a from c40 where b > 1", KNOWN, None)
    assert values(found) == {"a": ["t.a", "t.b"]}
    assert rows(found) == ["t.a", "t.b"]
    parts = ", ".join(f"c{number + 1} as (select *, * from c{number})" for number in range(40))
    found = read(f"with c0 as (select * from t), {parts} select a from c40", KNOWN, None)
    assert "too many columns" in found.unknown["*"]
    parts = ", ".join(f"c{number + 1} as (select x.* from c{number} as x, c{number} as y)" for number in range(9))
    assert values(read(f"with c0 as (select * from t), {parts} select a from c9", KNOWN, None)) == {"a": ["t.a"]}
    assert time.process_time() - began < seconds(20)


def test_a_statement_that_needs_too_much_work_is_a_gap():
    wide = {"w": tuple(f"c{number}" for number in range(900))}
    every = "coalesce(" + ", ".join(f"c{number}" for number in range(900)) + ")"
    used = ", ".join(f"s as s{number}" for number in range(1_200))
    found = read(f"select {used} from (select {every} as s from w) as q", wide, None)
    assert "too much work" in found.unknown["*"]
    assert found.tables == {"w"}


@pytest.mark.parametrize(
    ("sql", "decides"),
    [
        ("select id from orders where id in (select cid from b)", ["b.cid", "orders.id"]),
        ("select id from elsewhere where id in (select cid from b)", ["b.cid", "elsewhere.id"]),
        ("select a from t where k > (select max(amount) from orders)", ["orders.amount", "t.k"]),
        ("select a from t where exists (select a from people where people.id = k)", ["people.id", "t.k"]),
        ("select a from t where exists (select 1 from elsewhere as e where e.id = t.k)", ["elsewhere.id", "t.k"]),
        ("select a from t where k in (select id from people union all select b from t)", ["people.id", "t.b", "t.k"]),
        ("select a from t where k in (select max(v) from e join f using (v))", ["e.v", "f.v", "t.k"]),
        ("select a from t where k in (select v from (select * from e) as q)", ["e.v", "t.k"]),
        ("select a from t where k in (select * from e)", ["t.k"]),
        ("select a from t where k in (select c from (select z as c from e) as q)", ["e.z", "t.k"]),
        ("select a from t where k in (select z from (select a from e) as q(z))", ["t.k"]),
        ("select a from t where k in (select z from (select y from e) as q(z))", ["e.y", "t.k"]),
        ("select a from t where k in (select q from e where lower(k) = 'x')", ["e.q", "t.k"]),
        ("select a from t order by b", []),
        ("select a from t order by b limit 1", ["t.b"]),
        ("select a as b from t order by b limit 1", ["t.a"]),
        ("select distinct on (k) a from t order by k, b", ["t.b", "t.k"]),
        ("select a from t union all select id from people order by a limit 2", ["people.id", "t.a"]),
        ("select x.v from t cross join unnest(t.b) as x(v)", ["t.b"]),
        ("select id from people join orders using (id)", ["orders.id", "people.id"]),
        ("select a from t semi join people on people.id = t.k", ["people.id", "t.k"]),
        ("with recursive c(n) as (select a from t union all select n + 1 from c where n < 5) select n from c", ["t.a"]),
    ],
)
def test_everything_that_decides_rows_is_found_in_its_own_part(sql: str, decides: list[str]):
    assert rows(read(sql, KNOWN, "duckdb")) == decides


def test_a_table_that_a_part_is_named_after_is_not_lost():
    found = read("with orders as (select id from orders) select id from orders", KNOWN, None)
    assert found.tables == {"orders"}
    assert values(found) == {"id": ["orders.id"]}


def test_a_name_is_followed_through_the_star_of_one_unknown_table():
    found = read("with source as (select * from raw), r as (select id from source) select * from r", KNOWN, None)
    assert values(found) == {"id": ["raw.id"]}
    found = read("select y from (select b.*, a from t, elsewhere as b) as q", KNOWN, None)
    assert values(found) == {"y": ["elsewhere.y"]}
    assert values(read("(select a from t order by b limit 1)", KNOWN, None)) == {"a": ["t.a"]}


def test_a_row_as_a_value_is_a_gap_in_a_dialect_that_has_such_values():
    found = read("select to_json(o) as j, o.a from t as o", KNOWN, "postgres")
    assert set(found.unknown) == {"j"}
    assert values(found) == {"j": [], "a": ["t.a"]}


def test_rows_that_become_columns_are_a_gap():
    found = read("select * from (select a, b from t) pivot (sum(b) for a in (1, 2))", KNOWN, "snowflake")
    assert set(found.unknown.values()) == {"it turns rows into columns"}
    assert found.tables == {"t"}
    read("select 1 from elsewhere where a in (select b from t pivot (sum(b) for a in (1)))", KNOWN, "snowflake")
