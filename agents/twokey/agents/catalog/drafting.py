"""The draft of a pull request that documents what was understood, in the form the planner hands on.

Rules: every argument says where it came from; places come from the request, the repository's own answer or our code,
never from a warehouse; findings that the files carry go with the draft, and so do those about the same tables that
want attention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokey.agents.catalog import changes, dbt_project, dbt_reading, findings, house, inert, letter, owners, rollbacks
from twokey.agents.catalog.changes import Change
from twokey.agents.catalog.findings import Findings
from twokey.agents.catalog.understanding import Understanding
from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance, Resource
from twokey.tools.read.catalog import CatalogFiles

TOOL: Final = "open_pull_request"
FIRST_OWN: Final = 500_001
"""Number of the first finding of a draft, beyond those of any scan."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """The draft as plain JSON (None where nothing is to be done), the step's own findings, and one line about it."""

    body: Json
    findings: tuple[Finding, ...]
    summary: str


def draft(
    understanding: Understanding,
    claims: Findings,
    files: CatalogFiles,
    *,
    warehouse: str,
    repository: Resource,
    branch: str,
    repository_evidence: str,
    schema_evidence: str,
) -> Drafted:
    """Draft the change of ``repository`` that writes ``claims`` down where they are missing."""
    contents = {file.path: file.text.encode() for file in files.files}
    read = dbt_reading.read_repository(contents)
    change = changes.work_out(
        understanding,
        claims,
        read,
        house.habits(read, contents),
        contents,
        source=dbt_project.slug(letter.short_name(warehouse)),
        default_schema="main" if understanding.warehouse.dialect == "sqlite" else None,
    )
    own = _own_findings(change, (*read.problems, *change.problems), (repository_evidence, schema_evidence))
    own += rollbacks.rules(contents, claims, repository_evidence)
    if not change.files:
        return Drafted(None, own, "nothing to do: the repository says all of it already")
    touched = frozenset(change.documented)
    attention = [
        finding for (table, _, _), finding in claims.by_place.items() if finding.attention and table in touched
    ]
    carried = {finding.id: finding for finding in (*change.used, *attention, *own)}
    ordered = tuple(sorted(carried.values(), key=lambda finding: int(finding.id[2:])))
    evidence = list(dict.fromkeys(cited for finding in ordered for cited in finding.evidence))
    text = letter.write(
        change,
        [*attention, *(finding for finding in own if finding.attention)],
        warehouse=warehouse,
        evidence=evidence,
        owners=owners.of_files(change.files, contents, read),
    )
    args: dict[str, Any] = {
        "repository": repository.id,
        "base_branch": files.branch,
        "base_commit": files.commit,
        "branch": branch,
        "title": text.title,
        "body": text.body,
        "files": [{"path": path, "content": content} for path, content in sorted(change.files.items())],
    }
    body: Json = {
        "tool": TOOL,
        "args": args,
        "provenance": [item.canonical() for item in _provenance(repository, evidence, repository_evidence)],
        "findings": [finding.canonical() for finding in ordered],
        "why": text.why,
    }
    return Drafted(body, own, f"{len(change.files)} {'file' if len(change.files) == 1 else 'files'}: {text.title}")


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
