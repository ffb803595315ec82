"""The drafts of pull requests that document what was understood, in the form the planner hands on.

Rules: one draft for each owner that the repository states (``splitting``); every argument says where it came from;
places come from the request, the repository's own answer or our code, never from a warehouse; findings that the files
carry go with their draft, and so do those about the same tables that want attention, and what depends on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokey.agents.catalog import (
    changes,
    dbt_project,
    dbt_reading,
    dependents,
    findings,
    house,
    inert,
    letter,
    owners,
    rollbacks,
)
from twokey.agents.catalog.findings import Findings
from twokey.agents.catalog.impacts import lineage_of
from twokey.agents.catalog.splitting import Part, split
from twokey.agents.catalog.understanding import Understanding
from twokey.agents.catalog.written import Change
from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance, Resource
from twokey.tools.read.catalog import CatalogFiles

TOOL: Final = "open_pull_request"
FIRST_OWN: Final = 500_001
"""Number of the first finding of a draft, beyond those of any scan."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """Drafts as plain JSON (none where nothing is to be done), the step's own findings, and one line about it."""

    bodies: tuple[Json, ...]
    findings: tuple[Finding, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What drafts stand on: the repository as it was read, and the evidence of it and of the warehouse's schema."""

    warehouse: str
    repository: Resource
    branch: str
    files: CatalogFiles
    repository_evidence: str
    schema_evidence: str


def draft(understanding: Understanding, claims: Findings, ground: Ground) -> Drafted:
    """Draft the change of the repository that writes ``claims`` down where they are missing."""
    contents = {file.path: file.text.encode() for file in ground.files.files}
    read = dbt_reading.read_repository(contents)
    change = changes.work_out(
        understanding,
        claims,
        read,
        house.habits(read, contents),
        contents,
        source=dbt_project.slug(letter.short_name(ground.warehouse)),
        default_schema="main" if understanding.warehouse.dialect == "sqlite" else None,
    )
    cited = (ground.repository_evidence, ground.schema_evidence)
    own = _own_findings(change, (*read.problems, *change.problems), cited)
    own += rollbacks.rules(contents, claims, ground.repository_evidence)
    if not change.files:
        return Drafted((), own, "nothing to do: the repository says all of it already")
    lineage = lineage_of(contents, understanding.warehouse)
    depending = dependents.of_change(
        change, lineage, understanding.warehouse, complete=not ground.files.left_out and not ground.files.left_out_more
    )
    names = {table.key: table.name for table in understanding.warehouse.tables}
    told = dependents.findings(depending.values(), names, cited, first=FIRST_OWN + len(own))
    by_table = dict(zip([each.table for each in depending.values() if each.known == "depends"], told, strict=True))
    history = {each.file: each.writers for each in ground.files.written}
    owned = owners.of_files(change.files, contents, read, history)
    parts = split(change, owned, contents)
    bodies: list[Json] = []
    titles: list[str] = []
    for number, part in enumerate(parts, 1):
        attention = [
            finding
            for (table, _, _), finding in claims.by_place.items()
            if finding.attention and table in part.change.documented
        ]
        said = own if number == 1 else ()
        depend = [by_table[key] for key in part.change.changed if key in by_table]
        carried = {finding.id: finding for finding in (*part.change.used, *attention, *said, *depend)}
        ordered = tuple(sorted(carried.values(), key=lambda finding: int(finding.id[2:])))
        evidence = list(dict.fromkeys(cited for finding in ordered for cited in finding.evidence))
        text = letter.write(
            part.change,
            [*attention, *(finding for finding in said if finding.attention)],
            warehouse=ground.warehouse,
            evidence=evidence,
            around=letter.Around(
                owners={path: owned[path] for path in part.change.files if path in owned},
                dependents={key: depending[key] for key in part.change.changed},
                part=number,
                parts=len(parts),
                owner=part.owner,
            ),
        )
        bodies.append(_body(ground, part, number, text, ordered))
        titles.append(text.title)
    return Drafted(tuple(bodies), (*own, *told), _summary(parts, titles))


def _summary(parts: Sequence[Part], titles: Sequence[str]) -> str:
    files = sum(len(part.change.files) for part in parts)
    said = f"{files} {'file' if files == 1 else 'files'}"
    return f"{said}: {titles[0]}" if len(parts) == 1 else f"{said} in {len(parts)} pull requests, one for each owner"


def _body(ground: Ground, part: Part, number: int, text: letter.Letter, carried: Sequence[Finding]) -> Json:
    evidence = list(dict.fromkeys(cited for finding in carried for cited in finding.evidence))
    args: dict[str, Any] = {
        "repository": ground.repository.id,
        "base_branch": ground.files.branch,
        "base_commit": ground.files.commit,
        "branch": ground.branch if number == 1 else f"{ground.branch}-{number}",
        "title": text.title,
        "body": text.body,
        "files": [{"path": path, "content": content} for path, content in sorted(part.change.files.items())],
    }
    return {
        "tool": TOOL,
        "args": args,
        "provenance": [
            item.canonical() for item in _provenance(ground.repository, evidence, ground.repository_evidence)
        ],
        "findings": [finding.canonical() for finding in carried],
        "why": text.why,
    }


def nothing_matches(evidence: str) -> Finding:
    """Say that no table was meant."""
    return Finding(
        id="f-1",
        subject="warehouse",
        kind="no_such_table",
        claim="No table of the warehouse matches what was asked for.",
        evidence=(evidence,),
        confidence=99,
        attention=True,
    )


def _own_findings(change: Change, problems: Sequence[str], evidence: tuple[str, ...]) -> tuple[Finding, ...]:
    """Say what was not written, and why."""
    said: list[tuple[str, str, str]] = [
        (findings.subject(table), "left_alone", f"{inert.prose(table)} was left alone: {reason}")
        for table, reason in change.left
    ]
    refused = dict.fromkeys(change.refused)
    said += [
        (findings.subject(table), "not_written", f"Something about {inert.prose(table)} was not written: {reason}")
        for table, reason in refused
    ]
    said += [("repository", "repository_problem", inert.prose(problem, 400)) for problem in problems]
    if change.later:
        said.append(("warehouse", "left_for_later", "Some tables did not fit into one change."))
    return tuple(
        Finding(
            id=f"f-{FIRST_OWN + number}",
            subject=subject,
            kind=kind,
            claim=claim[:1000],
            evidence=evidence,
            confidence=95,
            attention=True,
        )
        for number, (subject, kind, claim) in enumerate(said)
    )


def _provenance(repository: Resource, evidence: Sequence[str], repository_evidence: str) -> tuple[Provenance, ...]:
    named = "request" if repository.granted_by == "request" else "config"
    cited = tuple(evidence)
    return (
        Provenance(path="repository", label=named),
        Provenance(path="base_branch", label="code", evidence=(repository_evidence,)),
        Provenance(path="base_commit", label="code", evidence=(repository_evidence,)),
        Provenance(path="branch", label="code"),
        Provenance(path="title", label="evidence", evidence=cited),
        Provenance(path="body", label="evidence", evidence=cited),
        Provenance(path="files.path", label="code", evidence=(repository_evidence,)),
        Provenance(path="files.content", label="evidence", evidence=cited),
        Provenance(path="files.mode", label="code"),
    )
