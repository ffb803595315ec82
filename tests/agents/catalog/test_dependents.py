"""What depends on what a change speaks of, in findings that the reviewer can check."""

from support.catalog_workshop import Workshop
from support.warehouse_facts import column, table, warehouse

from twokey.agents.catalog import dependents
from twokey.agents.catalog.dependents import Dependents
from twokey.agents.catalog.impacts import lineage_of
from twokey.agents.catalog.written import At, Change, Written

FILES = {
    "dbt_project.yml": b"name: shop\n",
    "models/sources.yml": b"sources:\n  - name: raw\n    schema: main\n    tables: [{name: people}, {name: orders}]\n",
    "models/clean.sql": b"select lower(email) as mail from {{ source('raw', 'people') }}",
    "models/totals.sql": b"select mail, count(*) as n from {{ ref('clean') }} group by 1",
    "models/exposures.yml": b"exposures:\n  - name: weekly_report\n    depends_on: [ref('totals')]\n",
}
MURKY = {"models/murky.sql": b"select {{ columns() }} from {{ source('raw', 'orders') }}"}
WAREHOUSE = warehouse(
    table("people", column("id", "INTEGER"), column("Email", "TEXT")),
    table("orders", column("person", "INTEGER")),
    table("lost", column("x", "INTEGER")),
)


def of(
    files: dict[str, bytes], *columns: tuple[str, str | None], complete: bool = True, most: int = 20_000
) -> dict[str, Dependents]:
    written = tuple(Written("models/sources.yml", name, each, ("description",), ()) for name, each in columns)
    places = {
        "people": At("models/sources.yml", ("raw", "people")),
        "orders": At("models/sources.yml", ("raw", "orders")),
    }
    change = Change({}, (), written=written, places=places)
    return dict(dependents.of_change(change, lineage_of(files, WAREHOUSE), WAREHOUSE, complete=complete, most=most))


def test_everything_that_depends_is_told_column_by_column():
    found = of(FILES, ("people", "Email"), ("people", "id"), ("people", None), ("orders", "person"), ("lost", None))
    people = found["people"]
    assert [each.column for each in people.columns] == ["Email"]
    assert [str(thing) for thing in people.things] == ["clean", "totals", "exposure weekly_report"]
    assert (people.possible, people.known) == ((), "depends")
    assert (found["orders"].known, found["lost"].known) == ("nothing", "nothing")


def test_that_nothing_depends_is_said_only_where_everything_could_be_followed():
    assert of(FILES, ("lost", "x"), complete=False)["lost"].known == "unsure"
    found = of(FILES | MURKY, ("lost", "x"), ("orders", "person"))
    assert found["lost"].known == "unsure"
    assert [str(thing) for thing in found["orders"].possible] == ["murky"]
    assert found["orders"].things == ()


def test_a_table_without_columns_of_its_own_is_followed_as_a_whole():
    assert [each.column for each in of(FILES, ("people", None))["people"].columns] == [None]


def test_too_much_is_left_and_said():
    assert of(FILES, ("people", "Email"), most=0)["people"].known == "cut"


def test_there_is_one_finding_for_a_table_and_it_is_bounded():
    found = of(FILES | MURKY, ("people", "Email"), ("orders", "person"), ("lost", "x"))
    names = {each.key: each.name for each in WAREHOUSE.tables}
    made = dependents.findings(found.values(), names, ("e-000000000001",), first=7)
    assert [(each.id, each.confidence, each.claim) for each in made] == [
        (
            "f-7",
            95,
            (
                "clean, totals and exposure weekly_report depend on people, as `models/clean.sql`, "
                "`models/totals.sql` and `models/exposures.yml` say."
            ),
        ),
        ("f-8", 50, "murky may depend on orders, as `models/murky.sql` says."),
    ]
    many = {f"models/m{n}.sql": b"select email from {{ source('raw', 'people') }}" for n in range(20)}
    (wide,) = dependents.findings(of(FILES | many, ("people", "Email")).values(), names, (), first=1)
    assert wide.claim.endswith("and other files say.")
    assert "and others depend on people" in wide.claim


def test_the_claims_are_borne_out_by_the_evidence(workshop: Workshop):
    warehouse_url = workshop.database("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
    workshop.commit(**{path.replace("/", "__").replace(".", "_DOT_"): text.decode() for path, text in FILES.items()})
    job = workshop.job(warehouse_url)
    job.scan()
    body = job.propose()
    assert body is not None
    (told,) = [finding for finding in job.findings(2) if finding.kind == "depends"]
    assert told.id in {finding["id"] for finding in body["findings"]}
    reviewed = job.review(body)
    assert (reviewed.dropped, reviewed.problems) == ((), ())
    assert "- If `email` changes: clean.mail, totals.mail and exposure weekly_report" in body["args"]["body"]
