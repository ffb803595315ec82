"""The same data gives the same findings, in a SQLite file and on a PostgreSQL server."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.copied import copy
from support.joined_databases import database

from twokey.agents.catalog import findings, looking, reading
from twokey.agents.catalog.findings import Citations
from twokey.channels.sample import build
from twokey.tools.read.warehouse import InspectRequest, SchemaRequest

pytestmark = pytest.mark.postgresql

Claim = tuple[str, str, str, int, bool]
CITED = "e-" + 12 * "0"


def claims(location: str, *, hide: bool = False) -> set[Claim]:
    """Everything a scan says, but for the names that the two databases have for their types."""
    ask = looking.alone(location)
    schema = reading.schema_of(ask(SchemaRequest())[0])
    if hide:
        bare: dict[str, Any] = {"primary_key": (), "unique": (), "foreign_keys": ()}
        schema = schema.model_copy(update={"tables": tuple(info.model_copy(update=bare) for info in schema.tables)})
    understood = looking.understood(schema, ask)
    infos = reading.names_of(schema)
    tables = tuple(infos[key].table for key in understood.chosen)
    inspected = reading.inspection_of(ask(InspectRequest(tables=tables, max_cells=100_000))[0]).tables
    understood = replace(understood, inspections=dict(zip(understood.chosen, inspected, strict=True)))
    cells = dict.fromkeys(understood.chosen, CITED)
    told = findings.collect(understood, Citations(CITED, {}, {}, {}, cells)).items
    assert {"relationship", "sensitivity", "describes"} <= {finding.kind for finding in told}
    return {(f.subject, f.kind, f.claim, f.confidence, f.attention) for f in told if f.kind != "data_type"}


@pytest.mark.parametrize("source", ["chinook", "sample", "seeded orphans", "ids: uuids"])
def test_sqlite_and_postgresql_give_the_same_findings(
    source: str, request: pytest.FixtureRequest, tmp_path: Path, empty_postgresql_url: str
):
    file = tmp_path / "w.sqlite"
    if source == "chinook":
        shutil.copy(request.getfixturevalue("data") / "joins" / "chinook.sqlite", file)
    elif source == "sample":
        shutil.copy(build(tmp_path / "sample").warehouse, file)
    else:
        database(source, 2).write(file)
    copy(file, empty_postgresql_url)
    here = claims(str(file), hide=source != "sample")
    there = claims(empty_postgresql_url, hide=source != "sample")
    assert (sorted(there - here), sorted(here - there)) == ([], [])
