"""What a person reads first: the text of a pull request."""

import pytest

from twokey.agents.catalog import letter
from twokey.agents.catalog.dependents import Dependents, Depending
from twokey.agents.catalog.lineage.impact import Affected
from twokey.agents.catalog.lineage.values import Edge, Thing
from twokey.agents.catalog.written import At, Change, Says, Written
from twokey.core.values import Finding

HOSTILE = "x`|</summary><img src=//e.example>@all"


def finding(number: int, kind: str, claim: str, *, attention: bool = False) -> Finding:
    return Finding(
        id=f"f-{number}",
        subject="a",
        kind=kind,
        claim=claim,
        evidence=(f"e-{number:012}",),
        confidence=90,
        attention=attention,
    )


def said(table: str, column: str | None, *says: Says, by: Finding | None = None, test: str = "", warns: bool = False):
    return Written("models/a.yml", table, column, says, (by,) if by else (), test=test, warns=warns)


def change(*written: Written, **fields: object) -> Change:
    used = {each.id: each for item in written for each in item.findings}
    tables = tuple(dict.fromkeys(item.table for item in written))
    places = {table: At("models/a.yml", table) for table in tables}
    made = {"files": {"models/a.yml": "x"}, "used": tuple(used.values()), "documented": tables, "places": places}
    return Change(**{**made, "written": written, **fields})  # pyright: ignore[reportArgumentType] - fields by name


def read(made: Change, *attention: Finding, **around: object) -> letter.Letter:
    there = letter.Around(**around)  # pyright: ignore[reportArgumentType] - fields by name
    return letter.write(made, attention, warehouse="shop.db", evidence=("e-000000000001",), around=there)


PERSONAL = finding(1, "sensitivity", "orders.email is personal: 9 of 9 values are e-mail addresses. Class email; more.")
ORDINARY = finding(2, "sensitivity", "orders.id is operational: it is a key.")
JOINED = finding(3, "relationship", "orders.person refers to people.id: declared in the database.")
VALUES = finding(4, "accepted_values", "orders.state holds one of open or paid.")
DESCRIBED = finding(5, "describes", "orders.email: E-mail address.")
WHOLE = change(
    said("orders", "email", "description", "mark", by=PERSONAL),
    said("orders", "email", "description", by=DESCRIBED),
    said("orders", "id", "mark", by=ORDINARY),
    said("orders", "person", "test", by=JOINED, test="relationships"),
    said("orders", "state", "test", by=VALUES, test="accepted_values", warns=True),
)


def test_the_whole_letter():
    thing = Thing("table", "daily", "mail")
    edge = Edge(Thing("table", "orders", "email"), thing, "value", "models/daily.sql")
    depending = Dependents("orders", (Depending("email", (Affected(thing, edge, 1),), ()),), "depends")
    slip = finding(6, "misspelt_values", "2 rows of orders.state read like slips: “piad” for “paid”.", attention=True)
    text = read(WHOLE, slip, dependents={"orders": depending})
    assert text.title == "Document orders of shop: 1 personal column, 1 relationship"
    assert text.why == (
        "In shop, 1 description is missing, 1 personal column is not marked, 1 relationship is not tested and "
        "1 list of values is not tested. 1 finding wants attention."
    )
    assert (
        text.body
        == """\
In shop, 1 description is missing, 1 personal column is not marked, 1 relationship is not tested and 1 list of values is \
not tested. 1 finding wants attention.

This adds 2 descriptions, 2 sensitivity marks and 2 tests. Only what was missing is added; what was there stays as it was.

### Wants attention

- 2 rows of orders.state read like slips: “piad” for “paid”. (e-000000000006)

### Tables

| Table | Added | Personal | What depends on it |
|---|---|---|---|
| `orders` | 2 descriptions, 2 marks, 2 tests | `email` | daily |

### Checks

- `dbt parse`, then `dbt test --select orders`.
- 1 of the new tests only warns (`severity: warn`), because today's data fail: `orders.state`.

### Rollback

Close this pull request and delete its branch. After a merge, revert the commit. Nothing else is written.

### Why, table by table

<details>
<summary><code>orders</code></summary>

- orders.email is personal: 9 of 9 values are e-mail addresses.
- orders.person refers to people.id: declared in the database.
- orders.state holds one of open or paid.
- If `email` changes: daily.mail (`models/daily.sql`)

Evidence: e-000000000001, e-000000000005, e-000000000002, e-000000000003, e-000000000004

</details>

Evidence: e-000000000001"""
    )


def test_hostile_names_open_nothing():
    made = change(said(HOSTILE, HOSTILE, "mark", by=PERSONAL), new=(HOSTILE,), left=((HOSTILE, "No."),))
    thing = Thing("exposure", HOSTILE)
    affected = Affected(thing, Edge(Thing("table", HOSTILE), thing, "documented", HOSTILE), 1)
    depending = Dependents(HOSTILE, (Depending(HOSTILE, (affected,), (affected,)),), "depends")
    text = read(made, dependents={HOSTILE: depending}, owner=HOSTILE, parts=2)
    for mark in ("<img", "</summary><", "@", "`x`"):
        assert mark not in text.body + text.title + text.why
    assert text.body.count("<details>") == text.body.count("</details>") == 1
    row = next(line for line in text.body.splitlines() if line.startswith("| `x"))
    assert row.count("|") == 5


def test_much_is_cut_and_says_so():
    many = tuple(finding(n, "sensitivity", f"c{n} is personal: it is.") for n in range(1, 101))
    written = tuple(said("t", f"c{each.id}", "mark", by=each) for each in many)
    left = change(
        *written,
        left=(("a`b", "No."),),
        refused=(("t", "Not that."), ("t", "Not that.")),
        later=("x",),
        documented=("t",),
    )
    text = read(left, *many[:60])
    assert "<summary>50 more</summary>" in text.body
    assert "and 10 more, in the files and findings" in text.body
    assert "- and 40 more, in the findings" in text.body
    assert "`cf-8` and 92 more" in text.body
    assert "`a'b`: No." in text.body
    assert "2 statements not written. Not that." in text.body
    assert "1 more table" in text.body
    assert text.title == "Tag personal data in t of shop: 100 personal columns"
    assert "60 findings want attention" in text.why


def test_a_body_is_never_too_long():
    told = [finding(n, "relationship", f"t{n}.a refers to p.a: {'because ' * 40}") for n in range(1, 400)]
    made = change(*(said(f"t{each.id}", "a", "test", by=each, test="relationships") for each in told))
    body = read(made).body
    assert len(body) <= letter.MAX_BODY
    assert body.count("<details>") == body.count("</details>")
    assert "more tables, in the findings" in body
    assert "and 339 more tables, in the files" in body
    assert body.endswith("Evidence: e-000000000001")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ("nothing", "nothing"),
        ("unsure", "nothing known; not everything could be followed"),
        ("cut", "too much to work out here"),
    ],
)
def test_what_is_not_known_of_dependents_is_said(known: str, words: str):
    depending = Dependents("orders", (), known)  # pyright: ignore[reportArgumentType] - one of the literals
    assert f"| `email` | {words} |" in read(WHOLE, dependents={"orders": depending}).body


def test_what_may_depend_is_told_apart_and_many_columns_are_cut():
    sure, maybe = Thing("table", "daily", "x"), Thing("job", "loader")
    by = Edge(Thing("table", "orders"), sure, "value", "models/daily.sql")
    other = Edge(Thing("table", "orders"), maybe, "read", "lineage/a.jsonl")
    each = Depending(None, (Affected(sure, by, 1),), (Affected(maybe, other, 1),))
    columns = (each, *(Depending(f"c{n}", (Affected(sure, by, 1),), ()) for n in range(14)))
    body = read(WHOLE, dependents={"orders": Dependents("orders", columns, "depends")}).body
    assert "| `email` | daily; perhaps job loader |" in body
    assert "- If the table changes: daily.x (`models/daily.sql`)" in body
    assert "- If the table changes, perhaps: job loader (`lineage/a.jsonl`)" in body
    assert "- and dependents of 3 more columns" in body


def test_a_part_says_which_it_is_and_for_whom():
    assert "part 2 of 3, one pull request for each owner" in read(WHOLE, part=2, parts=3, owner="@data/core").body
    assert "It is for `data/core`." in read(WHOLE, part=2, parts=3, owner="@data/core").body
    assert "Nobody is stated to own it." in read(WHOLE, part=3, parts=3).body


def test_tests_that_hold_and_names_that_no_shell_takes():
    made = change(said("a b", "c", "test", by=VALUES, test="unique"))
    assert "- `dbt parse`, then `dbt test`.\n- Today's data pass every new test" in read(made).body
    assert read(made).title == "Test a b of shop"
    several = change(*(said(f"t{n}", "c", "type", by=DESCRIBED) for n in range(4)))
    assert read(several).title == "Document 4 tables of shop"
    source = change(said("t", "c", "test", by=VALUES, test="unique"), places={"t": At("models/a.yml", ("app", "t"))})
    assert "dbt test --select source:app.t`" in read(source).body


def test_many_tables_are_selected_by_their_sources():
    tables = [f"t{n}" for n in range(9)]
    places = {table: At("models/a.yml", ("app" if number % 2 else "ml", table)) for number, table in enumerate(tables)}
    made = change(*(said(table, "c", "test", by=VALUES, test="unique") for table in tables), places=places)
    assert "dbt test --select source:ml source:app`" in read(made).body


def test_what_depends_as_a_whole_is_not_told_beside_its_columns():
    column, whole, other = Thing("table", "daily", "x"), Thing("table", "daily"), Thing("table", "weekly")
    by = Edge(Thing("table", "orders", "email"), column, "value", "models/daily.sql")
    each = Depending("email", tuple(Affected(thing, by, 1) for thing in (whole, column, other)), ())
    body = read(WHOLE, dependents={"orders": Dependents("orders", (each,), "depends")}).body
    assert "- If `email` changes: daily.x and weekly (`models/daily.sql`)" in body
    assert "| daily and weekly |" in body


def test_a_contract_alone_has_no_dbt_to_run():
    made = change(said("t", "c", "test", by=VALUES, test="nullValues"), places={})
    assert "dbt parse" not in read(made).body


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/data/shop.sqlite3", "shop"),
        ("postgresql://h/db?sslmode=x", "db"),
        ("C:\\data\\a.db", "a"),
        ("/", "warehouse"),
    ],
)
def test_a_warehouse_is_called_what_people_call_it(place: str, name: str):
    assert letter.short_name(place) == name
