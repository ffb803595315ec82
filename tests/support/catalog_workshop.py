"""A workshop: the whole bench on SQLite, and the catalog agent run as the planner runs it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from support.bench import Bench
from support.git_repo import make_commit
from twokey.agents import drafts
from twokey.agents.catalog.graph import build_propose, build_scan
from twokey.agents.models.none import NoModels
from twokey.agents.reviewer.checks import Review, review
from twokey.agents.state import Progress, Surroundings
from twokey.core.values import Finding, Plan, Provenance, Report, Resource, Step
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Place
from twokey.tools.desk import Desk
from twokey.tools.proposing import Draft

SCAN, PROPOSE = build_scan(), build_propose()


@dataclass
class Job:
    """One run of the catalog agent."""

    desk: Desk
    told: list[Progress] = field(default_factory=list[Progress])

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(desk=self.desk, models=NoModels(), tell=self.told.append)

    def scan(self) -> tuple[Finding, ...]:
        """Run the scan; gives its findings."""
        SCAN.invoke({"run": self.desk.run, "position": 0}, context=self.surroundings)
        return self.findings(1)

    def propose(self) -> dict[str, Any] | None:
        """Run the proposal; gives the first draft."""
        PROPOSE.invoke({"run": self.desk.run, "position": 1}, context=self.surroundings)
        made = self.drafts()
        return made[0] if made else None

    def drafts(self) -> list[dict[str, Any]]:
        """All the drafts that the proposal made."""
        return [cast("dict[str, Any]", self.desk.kept(name)) for name in drafts.names(self.desk, [2])]

    def findings(self, step: int) -> tuple[Finding, ...]:
        return Report.model_validate(self.desk.kept(f"report-{step}")).findings

    def review(self, body: Mapping[str, Any]) -> Review:
        """Review the findings of both steps and the draft, as the planner has it done."""
        found = {finding.id: finding for finding in (*self.findings(1), *self.findings(2))}
        cited = {each for finding in found.values() for each in finding.evidence}
        cited |= {each for part in body["provenance"] for each in part["evidence"]}
        evidence = {each: self.desk.content(each)[1] for each in cited}
        return review(Report(agent="reviewer", findings=tuple(found.values())), evidence, dict(body))

    def submit(self, body: Mapping[str, Any]) -> ProposalRecord:
        """Make the proposal, as the planner does after review."""
        draft = Draft(
            tool=body["tool"],
            args=body["args"],
            provenance=tuple(Provenance.model_validate(item) for item in body["provenance"]),
            findings=tuple(Finding.model_validate(item) for item in body["findings"]),
            why=body["why"],
        )
        return self.desk.propose(draft, agent="catalog", step=2)


@dataclass
class Workshop:
    """A bench with a repository to document and warehouses to read."""

    bench: Bench
    folder: Path

    def job(self, warehouse: str, **scan: Any) -> Job:
        """Plan a scan of ``warehouse`` and a proposal for the repository."""
        place = Place(Resource(kind="warehouse", id=warehouse, granted_by="request"), warehouse)
        desk = self.bench.desk(places=[place])
        first = Step(number=1, agent="catalog", action="scan", args={"warehouse": warehouse, **scan})
        args = {"repository": str(self.bench.repository), "warehouse": warehouse}
        second = Step(number=2, agent="catalog", action="propose", args=args)
        desk.planned(Plan(understood="Document it.", steps=(first, second)))
        return Job(desk)

    def database(self, *statements: str, name: str = "shop.db") -> str:
        """Make a SQLite file."""
        path = self.folder / name
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return str(path)

    def commit(self, **files: str) -> None:
        """Put files into the repository; ``__`` in a name is a slash, ``_DOT_`` a dot."""
        contents: dict[str, bytes | None] = {
            name.replace("__", "/").replace("_DOT_", "."): text.encode() for name, text in files.items()
        }
        make_commit(self.bench.repository, contents)


def files_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The files of a draft, path -> content."""
    return {file["path"]: file["content"] for file in body["args"]["files"]}


def tables_of(text: str) -> dict[str, dict[str, Any]]:
    """What a property file says, name of the table or model -> its entry, with ``columns`` by name."""
    tree: dict[str, Any] = yaml.safe_load(text)
    nodes = [*tree.get("models", []), *(table for source in tree.get("sources", []) for table in source["tables"])]
    return {
        node["name"]: {**node, "columns": {each["name"]: each for each in node.get("columns", [])}} for node in nodes
    }
