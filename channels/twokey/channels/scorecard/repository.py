"""What the repository that was read last says: how far lineage goes, and how many checks there are.

Rules: it is worked out from evidence that a run of the quarter stored, by the same code that documents a catalog; where
no run read a repository, or its evidence was removed since, nothing is known.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection

from twokey.agents.catalog.dbt_reading import read_repository
from twokey.agents.catalog.impacts import lineage_of
from twokey.channels.scorecard.values import Quarter
from twokey.core.errors import NotFound
from twokey.store import evidence, figures
from twokey.tools.read.catalog import CatalogFiles

DOCUMENT: Final = "repository-"


@dataclass(frozen=True, slots=True)
class Repository:
    """What one reading of a repository says."""

    run: str
    evidence: str
    models: int
    followed: int
    """Models whose columns could all be followed."""
    columns: int
    columns_followed: int
    tables: int
    """Models, seeds, snapshots and source tables that a property file names."""
    checks: int
    without: int
    """Of these, how many have no check."""


def latest(connection: Connection, quarter: Quarter) -> Repository | None:
    """Work out what was read last in a quarter; raises ``CheckFailed`` where evidence was tampered with."""
    documents = figures.latest_documents(connection, DOCUMENT, since=quarter.since_us, until=quarter.until_us)
    run, body = next(documents, ("", None))
    named = cast("dict[str, Any]", body).get("evidence") if isinstance(body, dict) else None
    if not isinstance(named, str):
        return None
    try:
        _, content = evidence.get_evidence(connection, named)
    except NotFound:  # it was pruned
        return None
    held = CatalogFiles.model_validate(content)
    files = {file.path: file.text.encode() for file in held.files}
    traced = lineage_of(files, None).traced
    nodes = [node.properties for node in read_repository(files).nodes]
    checks = [len(node.tests) + sum(len(column.tests) for column in node.columns) for node in nodes]
    return Repository(
        run=run,
        evidence=named,
        models=traced.tables,
        followed=traced.followed,
        columns=traced.columns,
        columns_followed=traced.columns_followed,
        tables=len(nodes),
        checks=sum(checks),
        without=checks.count(0),
    )
