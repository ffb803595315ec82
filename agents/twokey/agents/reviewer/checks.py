"""The review: which findings stand, and whether a draft says only what stands.

Rules: pure, and a function of stored evidence alone; a finding that does not hold is dropped with the code of the
first reason; a draft with a single statement that no supported finding backs has a problem, and then must not become
a proposal. What cannot be read is a problem and never an exception.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic import ValidationError

from twokey.agents.catalog.yaml_tree import Unreadable
from twokey.agents.reviewer import claims, drafts
from twokey.agents.reviewer.drafts import PROBLEM, Backing
from twokey.agents.reviewer.scopes import Content
from twokey.agents.reviewer.statements import state
from twokey.core.canonical import Json
from twokey.core.values import Finding, Report

MAX_PROBLEMS: Final = 200


@dataclass(frozen=True, slots=True)
class Review:
    """The result. ``claims`` counts the findings of report and draft once each; the rest follows from it.

    ``dropped`` holds ids with codes: those of ``claims.fault``, ``duplicate_id`` and ``two_versions``. Each problem is
    a line of plain characters that begins with ``unbacked_claim``.
    """

    claims: int
    supported: int
    dropped: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What was worked out while a report was reviewed, so that its drafts need not be reviewed from the beginning.

    It holds for the evidence of one run, where an id means one content for good.
    """

    contents: dict[str, Content] = field(default_factory=dict[str, Content])
    scopes: claims.Scopes = field(default_factory=dict)
    faults: dict[Finding, str | None] = field(default_factory=dict[Finding, str | None])

    def indexed(self, evidence: Mapping[str, Json]) -> Mapping[str, Content]:
        """Give this evidence, and none of what was seen besides, as it is looked through."""
        for key, value in evidence.items():
            if key not in self.contents:
                self.contents[key] = Content(value)
        return {key: self.contents[key] for key in evidence}

    def fault(self, finding: Finding, contents: Mapping[str, Content]) -> str | None:
        """Give what ``claims.fault`` gives. Whether the evidence is there is asked every time."""
        if not finding.evidence or not all(cited in contents for cited in finding.evidence):
            return claims.fault(finding, contents)
        if finding not in self.faults:
            self.faults[finding] = claims.fault(finding, contents, self.scopes)
        return self.faults[finding]


def review(report: Report, evidence: Mapping[str, Json], draft: Json = None, known: Known | None = None) -> Review:
    """Check a report, and a draft (tool, args, findings, why, provenance as plain JSON) that rests on it.

    ``evidence`` maps ids to contents: all the evidence *of this run* that report and draft cite, and what was read of
    the repository. Whatever is not in it does not exist. ``known`` is shared by the reviews of one run.
    """
    known = known or Known()
    contents = known.indexed(evidence)
    findings = {finding.id: finding for finding in report.findings}
    dropped: dict[str, str] = {}
    if len(findings) < len(report.findings):
        seen: set[str] = set()
        for finding in report.findings:
            if finding.id in seen:
                dropped[finding.id] = "duplicate_id"
            seen.add(finding.id)
    body, problems = _readable(draft)
    for finding in body[1]:
        if finding.id in findings and findings[finding.id] != finding:
            dropped[finding.id] = "two_versions"
        findings.setdefault(finding.id, finding)
    for finding in findings.values():
        code = known.fault(finding, contents)
        if code is not None:
            dropped.setdefault(finding.id, code)
    supported = tuple(finding for finding in findings.values() if finding.id not in dropped)
    if body[0] is not None:
        gone = [finding for finding in findings.values() if finding.id in dropped]
        problems += _draft_problems(body[0], evidence, contents, supported, gone)
    return Review(len(findings), len(supported), tuple(dropped.items()), tuple(problems[:MAX_PROBLEMS]))


def _readable(draft: Json) -> tuple[tuple[dict[str, Any] | None, tuple[Finding, ...]], list[str]]:
    if draft is None:
        return (None, ()), []
    try:
        body = cast("dict[str, Any]", draft)
        found = tuple(Finding.model_validate(item) for item in body["findings"])
        if not isinstance(body["args"], dict) or not isinstance(body["tool"], str):
            raise TypeError  # noqa: TRY301 - all that is not of the form ends in the same place
    except (KeyError, TypeError, ValidationError):
        return (None, ()), [f"{PROBLEM} the draft cannot be read"]
    return (body, found), []


def _draft_problems(
    body: dict[str, Any],
    evidence: Mapping[str, Json],
    contents: Mapping[str, Content],
    supported: tuple[Finding, ...],
    dropped: list[Finding],
) -> list[str]:
    files, commit = drafts.read_files(evidence.values())
    backing = Backing(supported, contents, files, commit, tuple(_nodes(files)))
    try:
        return drafts.problems(body, backing, dropped)
    except (KeyError, TypeError, AttributeError):
        return [f"{PROBLEM} the draft cannot be read"]


def _nodes(files: Mapping[str, str]) -> list[Any]:
    """Give every node the repository speaks of; a file that cannot be read speaks of none."""
    found: list[Any] = []
    for path, text in files.items():
        if path.endswith((".yml", ".yaml")):
            try:
                found.extend(each.node for each in state(text.encode()) if each.kind == "node")
            except Unreadable:
                continue
    return found
