"""The catalog agent's own work on the sample passes review whole; the same work, falsified, does not."""

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from twokey.agents.catalog import drafting, findings, reading, understanding
from twokey.agents.catalog.facts import Join
from twokey.agents.catalog.findings import Citations
from twokey.agents.catalog.joins import Counted
from twokey.agents.reviewer.checks import review
from twokey.channels.sample import build
from twokey.core.values import Finding, Report, Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.read.catalog import CatalogFile, CatalogFiles
from twokey.tools.read.warehouse import (
    KeysRequest,
    KeysResult,
    ProfileResult,
    QueryArgs,
    QueryWarehouse,
    SchemaRequest,
    SchemaResult,
)

REPOSITORY = "e-zzzzzzzzzzzz"


@dataclass
class Work:
    """What a scan and a draft of the sample left behind."""

    findings: tuple[Finding, ...]
    draft: dict[str, Any]
    evidence: dict[str, Any]


class Reader:
    """Asks the real tool and keeps each answer as evidence."""

    def __init__(self, location: Path) -> None:
        place = Place(Resource(kind="warehouse", id="app_db", granted_by="config"), str(location))
        self.context = Context(places=Places((place,)), now_us=0)
        self.evidence: dict[str, Any] = {}

    def ask(self, request: Any) -> tuple[Any, str]:
        found = QueryWarehouse().call(QueryArgs(warehouse="app_db", ask=request), self.context)
        name = f"e-{len(self.evidence):012d}"
        self.evidence[name] = found.canonical()
        return found.answer, name


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    folder = tmp_path_factory.mktemp("sample") / "demo"
    build(folder)
    reader = Reader(folder / "warehouse.db")
    schema, schema_evidence = reader.ask(SchemaRequest())
    assert isinstance(schema, SchemaResult)
    facts, infos = reading.warehouse_of(schema), reading.names_of(schema)
    profiles: dict[str, ProfileResult] = {}
    profiled: dict[str, str] = {}
    for found in reading.profiles(reader.ask, list(infos.items())):
        profiles |= {read.table: read.profile for read in found if read.profile is not None}
        profiled |= {read.table: read.evidence for read in found}
    facts = reading.with_profiles(facts, profiles)
    asked = understanding.questions(facts, tuple(infos)).all
    keys, keys_evidence = reader.ask(KeysRequest(checks=reading.checks_of(asked, infos)))
    assert isinstance(keys, KeysResult)
    counts: dict[Join, Counted] = {}
    for join, fact in zip(asked, keys.checks, strict=True):
        counted = reading.counted(fact)
        if counted is not None:
            counts[join] = counted
    understood = understanding.understand(facts, tuple(infos), counts)
    cited = Citations(schema_evidence, profiled, dict.fromkeys(counts, keys_evidence), {})
    claims = findings.collect(understood, cited)
    dbt = folder / "dbt"
    files = tuple(
        CatalogFile(path=str(path.relative_to(dbt)), text=path.read_text("utf-8"), sha="0" * 40)
        for path in sorted(dbt.rglob("*"))
        if path.is_file() and ".git" not in path.parts and path.suffix in {".yml", ".sql", ".md"}
    )
    read = CatalogFiles(branch="main", commit="0" * 40, projects=("",), files=files, left_out=())
    reader.evidence[REPOSITORY] = read.canonical()
    ground = drafting.Ground(
        warehouse="app_db",
        repository=Resource(kind="repository", id="dbt", granted_by="config"),
        branch="twokey/r-1",
        files=read,
        repository_evidence=REPOSITORY,
        schema_evidence=schema_evidence,
    )
    drafted = drafting.draft(understood, claims, ground)
    staging, churn = drafted.bodies
    branches = [cast("dict[str, Any]", body)["args"]["branch"] for body in (staging, churn)]
    assert branches == ["twokey/r-1", "twokey/r-1-2"]
    return Work((*claims.items, *drafted.findings), cast("dict[str, Any]", staging), reader.evidence)


def test_the_catalog_agents_work_passes_whole(work: Work):
    result = review(Report(agent="catalog", findings=work.findings), work.evidence, work.draft)
    assert result.dropped == ()
    assert result.problems == ()
    assert result.claims == result.supported == len(work.findings) > 200


def test_nearly_every_changed_number_is_noticed(work: Work):
    chance = random.Random(7)  # noqa: S311 - a test that repeats itself, no secret
    tried: list[Finding] = []
    for finding in work.findings:
        for match in re.finditer(r"\b\d[\d,]+\b", finding.claim):
            other = f"{int(match.group().replace(',', '')) + chance.randrange(1, 5000):,}"
            claim = finding.claim[: match.start()] + other + finding.claim[match.end() :]
            tried.append(finding.model_copy(update={"id": f"f-{len(tried) + 1}", "claim": claim}))
    result = review(Report(agent="catalog", findings=tuple(tried)), work.evidence)
    assert len(tried) > 30
    assert len(result.dropped) >= 0.97 * len(tried)


def test_nearly_every_swapped_subject_is_noticed(work: Work):
    columns = [finding for finding in work.findings if "." in finding.subject and re.search(r"\d", finding.claim)]
    tried = [
        one.model_copy(update={"id": f"f-{number}", "subject": other.subject, "evidence": other.evidence})
        for number, (one, other) in enumerate(zip(columns, columns[1:] + columns[:1], strict=True), 1)
        if one.subject != other.subject
    ]
    result = review(Report(agent="catalog", findings=tuple(tried)), work.evidence)
    assert len(tried) > 20
    assert len(result.dropped) >= 0.97 * len(tried)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sensitivity: personal", "sensitivity: none"),
        ("personal_data: phone", "personal_data: phone\n              retention: forever"),
        ("field: employee_id", "field: display_name"),
        ("name: full_name", "name: full_names"),
        ("description: Phone of the customer.", "description: Not personal."),
    ],
)
def test_a_falsified_draft_does_not_pass(work: Work, old: str, new: str):
    files = work.draft["args"]["files"]
    assert any(old in file["content"] for file in files)
    changed = [{**file, "content": file["content"].replace(old, new, 1)} for file in files]
    draft = {**work.draft, "args": {**work.draft["args"], "files": changed}}
    result = review(Report(agent="catalog", findings=work.findings), work.evidence, draft)
    assert result.problems


def test_the_draft_does_not_pass_without_the_findings_it_rests_on(work: Work):
    result = review(Report(agent="catalog", findings=()), work.evidence, {**work.draft, "findings": []})
    assert len(result.problems) > 100
