"""What the warehouse tool answers, turned into facts."""

from pathlib import Path

import pytest
from support.catalog_workshop import Workshop

from twokey.agents.catalog import reading
from twokey.core.errors import CheckFailed
from twokey.tools.read.warehouse import (
    ColumnInfo,
    ForeignKey,
    KeyCheck,
    KeyFacts,
    KeysResult,
    ProfilesResult,
    SchemaResult,
    TableInfo,
    TableName,
    VersionResult,
)


def info(schema: str, name: str) -> TableInfo:
    columns = (
        ColumnInfo(name="b", position=2, type="", nullable=True),
        ColumnInfo(name="a", position=1, type="", nullable=True),
    )
    key = ForeignKey(columns=("a",), parent=TableName(schema_name=schema, name="other"), parent_columns=("b",))
    return TableInfo(
        table=TableName(schema_name=schema, name=name), is_view=False, columns=columns, foreign_keys=(key,)
    )


def test_schemas_stand_in_names_where_there_are_several():
    one = reading.warehouse_of(SchemaResult(dialect="x", tables=(info("s", "t"),)))
    two = reading.warehouse_of(SchemaResult(dialect="x", tables=(info("s", "t"), info("r", "t"))))
    assert list(one.by_key) == ["t"]
    assert list(two.by_key) == ["s.t", "r.t"]
    assert two.by_key["r.t"].foreign_keys[0].table == "r.other"
    assert [column.name for column in one.by_key["t"].columns] == ["a", "b"]
    assert reading.chosen(two, ["r.T"]) == ("r.t",)
    assert reading.chosen(two, ["s.*"]) == ("s.t",)
    assert reading.chosen(two, ["t"]) == ("s.t", "r.t")
    assert reading.chosen(two, ["*"]) == ("s.t", "r.t")
    assert reading.chosen(two, ["[sr].t"]) == ()
    assert set(reading.names_of(SchemaResult(dialect="x", tables=(info("s", "t"),)))) == {"t"}


def test_an_answer_to_another_question_is_refused():
    schema = SchemaResult(dialect="x", tables=())
    profiles = ProfilesResult(tables=())
    assert reading.schema_of(schema) is schema
    assert reading.profiles_of(profiles) is profiles
    assert reading.version_of(VersionResult(version="v")).version == "v"
    expected = (reading.schema_of, reading.profiles_of, reading.keys_of, reading.version_of)
    for expect, answer in zip(expected, (profiles, schema, schema, schema), strict=True):
        with pytest.raises(CheckFailed):
            expect(answer)


def test_a_count_that_failed_is_no_count():
    name = TableName(name="t")
    check = KeyCheck(child=name, child_columns=("a",), parent=name, parent_columns=("a",))
    assert reading.counted(KeyFacts(check=check, problem="it took too long")) is None
    assert reading.keys_of(KeysResult(checks=())).checks == ()


def test_a_table_that_goes_away_is_a_finding(workshop: Workshop):
    """Between the schema and its profile a table may be dropped; the others are still read."""
    path = Path(workshop.database("CREATE TABLE a (id INTEGER PRIMARY KEY)", "CREATE TABLE b (id INTEGER PRIMARY KEY)"))
    job = workshop.job(str(path))

    def drop(_: object) -> None:
        workshop.database("DROP TABLE IF EXISTS b")

    from twokey.agents.catalog.graph import build_scan
    from twokey.agents.state import Surroundings

    surroundings = Surroundings(desk=job.desk, models=job.surroundings.models, tell=drop)
    build_scan().invoke({"run": job.desk.run, "position": 0}, context=surroundings)
    assert [finding.subject for finding in job.findings(1) if finding.kind == "unreadable"] == ["b"]
