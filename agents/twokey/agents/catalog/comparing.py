"""What an earlier scan read of each table, from the evidence that was taken over.

Rules: tables are those of today's schema, found by schema and name; what the earlier scan did not see is missing here.
"""

from collections.abc import Mapping
from dataclasses import replace

from twokey.agents.catalog import reading
from twokey.agents.catalog.baseline import Earlier, Then
from twokey.tools.desk import Desk
from twokey.tools.read.warehouse import ProfileResult, SchemaResult


def then(desk: Desk, earlier: Earlier, schema: SchemaResult) -> Mapping[str, Then]:
    """Give what each table was, by its key; raises ``NotFound``, ``CheckFailed`` as reading evidence does."""
    infos = reading.names_of(schema)
    profiles = {
        (evidence, item.table): item.profile
        for evidence in dict.fromkeys(earlier.profiles.values())
        for item in reading.profiles_of(reading.kept_answer(desk, evidence)).tables
        if item.profile is not None
    }
    cells = {
        (evidence, item.table): item
        for evidence in dict.fromkeys(earlier.cells.values())
        for item in reading.inspection_of(reading.kept_answer(desk, evidence)).tables
        if item.reached and not item.problem
    }
    found: dict[str, Then] = {}
    for key, evidence in earlier.profiles.items():
        profile = profiles.get((evidence, infos[key].table)) if key in infos else None
        if profile is not None:
            found[key] = _of(profile, evidence)
    for key, evidence in earlier.cells.items():
        inspected = cells.get((evidence, infos[key].table)) if key in infos else None
        if inspected is not None:
            found[key] = replace(found.get(key, Then()), measured=inspected.measured, cells_evidence=evidence)
    return found


def _of(profile: ProfileResult, evidence: str) -> Then:
    complete = profile.sampling == "all"
    return Then(
        rows=profile.rows,
        rows_exact=profile.rows_exact,
        columns={
            column.name: reading.profile_of(column, complete=complete)
            for column in profile.columns
            if not column.problem
        },
        profile_evidence=evidence,
    )
