"""dbt projects: columns are followed from model to model, and gaps are counted."""

from twokey.agents.catalog import dbt_reading
from twokey.agents.catalog.lineage import project
from twokey.agents.catalog.lineage.values import Edge, Thing, Traced

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1'\n",
    "models/sources.yml": """
sources:
  - name: raw
    schema: landing
    tables:
      - name: people
        identifier: people_v1
        columns: [{name: id}, {name: EMAIL}]
""",
    "models/marts.yml": """
models:
  - name: clean_people
    columns: [{name: id}]
exposures:
  - name: weekly_report
    type: dashboard
    depends_on: [ref('totals'), "source('raw', 'people')", ref(broken), 7]
  - 5
""",
    "models/clean_people.sql": "select id, lower(email) as mail from {{ source('raw', 'people') }}",
    "models/totals.sql": """
with p as (select * from {{ ref('clean_people') }})
select o.id, p.mail, sum(o.amount) as total from {{ source('raw', 'orders') }} o join p on p.id = o.person
{% if is_incremental() %} where o.id > (select max(id) from {{ this }}) {% endif %} group by 1, 2
""",
}
WAREHOUSE = {"people_v1": ("id", "email"), "orders": ("id", "person", "amount")}


def traced(files: dict[str, str] = FILES, warehouse: dict[str, tuple[str, ...]] = WAREHOUSE) -> Traced:
    contents = {path: text.encode() for path, text in files.items()}
    return project.trace(dbt_reading.read_repository(contents), contents, warehouse)


def said(found: Traced) -> set[str]:
    return {f"{edge.source} -> {edge.target} ({edge.how})" for edge in found.edges}


def test_columns_are_followed_from_the_warehouse_to_the_last_model():
    found = traced()
    assert said(found) == {
        "raw.people.id -> clean_people.id (value)",
        "raw.people.email -> clean_people.mail (value)",
        "raw.people -> clean_people (read)",
        "clean_people.mail -> totals.mail (value)",
        "raw.orders.id -> totals.id (value)",
        "raw.orders.amount -> totals.total (value)",
        "clean_people.id -> totals (rows)",
        "clean_people.mail -> totals (rows)",
        "raw.orders.person -> totals (rows)",
        "raw.orders.id -> totals (rows)",
        "clean_people -> totals (read)",
        "raw.orders -> totals (read)",
        "totals -> exposure weekly_report (documented)",
        "raw.people -> exposure weekly_report (documented)",
    }
    assert found.gaps == ()
    assert (found.tables, found.followed, found.columns, found.columns_followed) == (2, 2, 5, 5)
    assert {edge.path for edge in found.edges if edge.target == Thing("table", "totals")} == {"models/totals.sql"}


def test_documented_columns_are_known_where_there_is_no_warehouse():
    files = FILES | {"models/every.sql": "select * from {{ source('raw', 'people') }}"}
    assert "raw.people.email -> every.email (value)" in said(traced(files, {}))


def test_a_circle_ends_and_is_a_gap():
    files = {
        "dbt_project.yml": "name: x\n",
        "models/a.sql": "select * from {{ ref('b') }}",
        "models/b.sql": "select * from {{ ref('a') }}",
    }
    found = traced(files, {})
    assert {gap.path for gap in found.gaps} == {"models/a.sql", "models/b.sql"}
    assert found.followed == 0


def test_what_cannot_be_followed_is_counted_with_its_reason():
    files = {
        "dbt_project.yml": "name: x\n",
        "models/py.py": "def model(dbt, session): ...",
        "models/computed.sql": "select {{ columns() }} as x, a from {{ ref('t') }}",
        "models/long.sql": "select 1 -- " + "x" * 300_000,
        "models/one/same.sql": "select 1 as a",
        "models/two/same.sql": "select 2 as a",
        "models/plain.sql": "select a from shop.t",
    }
    found = traced(files, {"t": ("a",)})
    reasons = {gap.path.rpartition("/")[2]: gap.reason for gap in found.gaps}
    assert "Python" in reasons["py.py"]
    assert "template" in reasons["computed.sql"]
    assert "too long" in reasons["long.sql"]
    assert "several models" in reasons["same.sql"]
    assert "shop.t.a -> plain.a (value)" in said(found)
    assert (found.tables, found.followed) == (5, 1)


def test_there_is_an_end_to_what_is_read():
    files = {"dbt_project.yml": "name: x\n"} | {
        f"models/m{number}.sql": "select 1 as a --" + "x" * 250_000 for number in range(40)
    }
    found = traced(files, {})
    assert any("more SQL than is read" in gap.reason for gap in found.gaps)


def test_exposures_in_files_that_cannot_be_read_are_left_out():
    files = {
        "dbt_project.yml": "name: x\n",
        "models/bad.yml": "exposures: [*nobody",
        "models/odd.yml": "exposures: 5\n",
    }
    assert traced(files, {}).edges == ()


def test_an_edge_is_where_it_was_read():
    edge = next(edge for edge in traced().edges if edge.how == "value" and edge.target.name == "clean_people")
    assert isinstance(edge, Edge)
    assert edge.path == "models/clean_people.sql"
