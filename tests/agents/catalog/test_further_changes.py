"""Further checks in a repository: each where the project can run it, and none that somebody wrote before."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from support.catalog_workshop import tables_of
from support.warehouse_facts import column, integers, profile, table, warehouse

from twokey.agents.catalog import changes, dbt_reading, house, letter
from twokey.agents.catalog.findings import Citations, collect
from twokey.agents.catalog.letter_tables import FURTHER
from twokey.agents.catalog.understanding import understand
from twokey.agents.catalog.written import Change
from twokey.tools.read.warehouse import Arrivals, Inspected, Measured, Order, TableName

UTILS = b"packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n"
EXPECTATIONS = b"packages:\n  - package: metaplane/dbt_expectations\n    version: 0.10.8\n"
TIMES = profile(300, patterns={"datetime": 300}, distinct=200, lowest="2026-01-01", highest="2026-03-31")
COUNTS = integers(300, unique=False, distinct=90, lowest="0", highest="900")
TRIPS = table(
    "trips",
    column("trip_id", "INTEGER", integers(300)),
    column("started_at", "TIMESTAMP", TIMES),
    column("ended_at", "TIMESTAMP", replace(TIMES, nulls=20)),
    column("loaded_on", "DATE", TIMES),
    column("duration_minutes", "INTEGER", COUNTS),
    column("cancel_score", "DOUBLE", profile(300, texts=0, decimals=300, distinct=250, lowest="0.01", highest="0.97")),
    key=("trip_id",),
)
MEASURED = Measured(
    arrivals=(
        Arrivals(
            column="loaded_on",
            unit="day",
            times=80,
            gap_middle=1,
            gap_long=1,
            gap_longest=1,
            age=0,
            warn_after=3,
            error_after=4,
        ),
    ),
    orders=(Order(column="started_at", later="ended_at", rows=280),),
)


def change(*, dialect: str = "duckdb", said: str = "", **files: bytes) -> Change:
    source = f"sources:\n  - name: app\n    schema: main\n    tables:\n      - name: trips\n{said}"
    contents = {"dbt_project.yml": b"name: shop\n", "models/app.yml": source.encode()}
    contents |= {f"{name}.yml": text for name, text in files.items()}
    found = understand(warehouse(TRIPS, dialect=dialect), ["trips"], {})
    cells = {"trips": Inspected(table=TableName(name="trips"), measured=MEASURED)}
    found = replace(found, inspections=cells)
    cited = Citations("e-000000000001", {}, {}, {}, {"trips": "e-000000000002"})
    read = dbt_reading.read_repository(contents)
    habits = house.habits(read, contents)
    return changes.work_out(found, collect(found, cited), read, habits, contents, source="app", default_schema="main")


def trips(made: Change) -> dict[str, Any]:
    return tables_of(made.files["models/app.yml"])["trips"]


def checks_of(made: Change) -> dict[str, list[Any]]:
    return {name: entry["data_tests"] for name, entry in trips(made)["columns"].items() if "data_tests" in entry}


def test_without_packages_plain_dbt_does_what_it_can():
    made = change()
    assert checks_of(made) == {
        "trip_id": ["unique", "not_null"],
        "started_at": ["not_null"],
        "loaded_on": ["not_null"],
        "duration_minutes": ["not_null"],
        "cancel_score": ["not_null"],
    }
    assert made.files["tests/assert_trips_started_at_in_order.sql"].endswith("where started_at > ended_at\n")
    assert trips(made)["columns"]["duration_minutes"]["meta"]["unit"] == "minute"


def test_packages_of_the_project_are_used():
    made = change(packages=UTILS)
    assert list(made.files) == ["models/app.yml"]
    found = checks_of(made)
    ordered = {"dbt_utils.expression_is_true": {"arguments": {"expression": "<= ended_at"}}}
    assert found["started_at"] == ["not_null", ordered]
    assert found["duration_minutes"][1] == {"dbt_utils.accepted_range": {"arguments": {"min_value": 0}}}
    assert found["cancel_score"][1] == {"dbt_utils.accepted_range": {"arguments": {"min_value": 0, "max_value": 1}}}
    other = checks_of(change(packages=EXPECTATIONS))
    between = {"dbt_expectations.expect_column_values_to_be_between": {"arguments": {"min_value": 0}}}
    assert other["duration_minutes"][1] == between


def test_a_source_gets_its_freshness():
    entry = trips(change())
    assert entry["loaded_at_field"] == "cast(loaded_on as timestamp)"
    assert entry["freshness"] == {
        "warn_after": {"count": 3, "period": "day"},
        "error_after": {"count": 4, "period": "day"},
    }


@pytest.mark.parametrize(
    "said", ["        freshness: null\n", "        config: {freshness: {warn_after: {count: 9, period: day}}}\n"]
)
def test_freshness_that_somebody_spoke_of_stays(said: str):
    assert "loaded_at_field" not in trips(change(said=said))


def test_a_database_without_times_has_no_freshness():
    assert "freshness" not in trips(change(dialect="sqlite"))


def test_what_somebody_wrote_is_not_written_again():
    said = """\
        columns:
          - name: duration_minutes
            meta: {units: min}
            tests:
              - not_null
              - dbt_utils.accepted_range: {min_value: 1}
          - name: started_at
            tests:
              - dbt_utils.expression_is_true: {expression: "< ended_at"}
"""
    found = trips(change(said=said, packages=UTILS))["columns"]
    assert found["duration_minutes"]["meta"] == {"units": "min"} | {
        key: value for key, value in found["duration_minutes"]["meta"].items() if key == "sensitivity"
    }
    assert len(found["duration_minutes"]["tests"]) == 2
    assert sum("expression_is_true" in str(test) for test in found["started_at"]["tests"]) == 1


def test_the_letter_names_each_further_check_with_its_evidence():
    made = change()
    text = letter.write(made, [], warehouse="app.duckdb", evidence=["e-000000000001"]).body
    part = text.split("### Why, table by table")[1]
    told = [finding.claim.partition(":")[0] for finding in made.used if finding.kind in FURTHER]
    assert len(told) == 6
    assert all(f"- {claim}" in part for claim in told)
    assert "e-000000000002" in part
    assert yaml.safe_load(made.files["models/app.yml"])
