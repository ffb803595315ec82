"""The reviewer comes to an incident's sentences by itself, and believes no finding and no draft that says more."""

import json
from dataclasses import replace
from typing import Any

import pytest
from support.told_incidents import build

from twokey.agents.incident.drafting import Ground, drafts
from twokey.agents.incident.house import NOBODY, House
from twokey.agents.incident.material import Material, material
from twokey.agents.incident.reading import of_bundle
from twokey.agents.incident.summary import summarize
from twokey.agents.incident.summary.said import as_finding
from twokey.agents.reviewer.incidents import again, stands, unfit
from twokey.core.values import Finding, Resource
from twokey.tools.read.catalog import CatalogFiles

HOUSE = House(tickets="desk", repository="code")
GROUND = Ground(
    run="r-000000000000",
    repository=Resource(kind="repository", id="code", granted_by="config"),
    files=CatalogFiles(branch="main", commit="ab" * 20, projects=(), files=(), left_out=()),
    files_evidence="e-000000000000",
    tracker=Resource(kind="tickets", id="desk", granted_by="config"),
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = tmp_path_factory.mktemp("bundle") / "one"
    build(folder, 0)
    made = material(of_bundle(folder))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def findings(found: Material) -> tuple[Finding, ...]:
    return tuple(as_finding(one, number) for number, one in enumerate(summarize(found, HOUSE).said, 1))


def altered(findings: tuple[Finding, ...], kind: str, **changes: Any) -> tuple[list[Finding], str]:
    one = next(each for each in findings if each.kind == kind)
    return [each.model_copy(update=changes) if each is one else each for each in findings], one.id


def test_what_the_evidence_gives_stands(found: Material, findings: tuple[Finding, ...]) -> None:
    assert unfit(found, findings, HOUSE) == {}
    for body in drafts(found, findings, HOUSE, GROUND):
        assert isinstance(body, dict)
        assert stands(body, found, HOUSE, GROUND)
        assert again(body, found, findings, HOUSE, GROUND) == body


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        ("summary_cause", {"claim": "The likeliest cause lies in the network."}, "unsupported_cause"),
        ("summary_what", {"claim": "It was caused by the network."}, "unsupported_cause"),
        ("factors_metric", {"evidence": ()}, "no_evidence"),
        ("factors_metric", {"evidence": ("e-zzzzzzzzzzzz",)}, "unknown_evidence"),
        ("timeline_page", {"claim": "10:59:59 UTC: No page is recorded."}, "unsupported_time"),
        ("detection_metric", {"claim": "No page is recorded."}, "not_found_again"),
        ("actions_change", {"claim": "Repair traces. Owner: mallory."}, "unknown_owner"),
        ("timeline_page", {"claim": "“all is well” is recorded."}, "unsupported_quote"),
        ("summary_what", {"claim": "The record names payment-core."}, "unsupported_name"),
        ("summary_what", {"claim": "17 lines is recorded."}, "unsupported_number"),
    ],
)
def test_a_finding_that_says_more_is_dropped(
    found: Material, findings: tuple[Finding, ...], kind: str, changes: dict[str, Any], code: str
) -> None:
    forged, name = altered(findings, kind, **changes)
    assert unfit(found, forged, HOUSE) == {name: code}


def test_a_finding_is_told_once(found: Material, findings: tuple[Finding, ...]) -> None:
    assert unfit(found, [findings[0], findings[0]], HOUSE) == {findings[0].id: "duplicate_id"}


def test_a_draft_that_says_more_than_its_findings_does_not_stand(
    found: Material, findings: tuple[Finding, ...]
) -> None:
    for body in drafts(found, findings, HOUSE, GROUND):
        assert isinstance(body, dict)
        plain = json.loads(json.dumps(body))
        changed = plain | {"args": plain["args"] | {"labels": {"add": ["urgent"], "remove": []}}}
        assert not stands(changed, found, HOUSE, GROUND)
        assert not stands(plain | {"findings": "none"}, found, HOUSE, GROUND)
        fewer = plain | {"findings": plain["findings"][1:]}
        assert not stands(fewer, found, HOUSE, GROUND)


def test_without_findings_or_places_nothing_is_drafted(found: Material, findings: tuple[Finding, ...]) -> None:
    assert drafts(found, [], HOUSE, GROUND) == []
    assert drafts(found, findings, HOUSE, Ground(run="r-000000000000")) == []
    assert again({"tool": "update_ticket"}, found, [], HOUSE, GROUND) is None


def test_a_post_mortem_that_is_there_is_not_written_over(found: Material, findings: tuple[Finding, ...]) -> None:
    first = drafts(found, findings, HOUSE, GROUND)[1]
    path = _path(first)
    assert GROUND.files is not None
    there = GROUND.files.model_validate(
        GROUND.files.model_dump() | {"files": [{"path": path, "text": "x", "sha": "cd" * 20}]}
    )
    second = drafts(found, findings, HOUSE, replace(GROUND, files=there))[1]
    assert _path(second) != path
    assert _path(second).startswith("postmortems/")


def _path(body: Any) -> str:
    return str(body["args"]["files"][0]["path"])


def test_owners_come_from_the_ladder_of_the_settings() -> None:
    from twokey.agents.triage.routing import Routing

    routing = Routing.model_validate(
        {
            "people": {"mia": None},
            "ladder": {"model-owners": ["mia"], "risk-owners": ["mia"]},
            "areas": {"scores": "model-owners"},
            "default": "risk-owners",
            "private": "risk-owners",
        }
    )
    house = House(routing=routing)
    assert (house.owner("scores-api"), house.owner("mailer")) == ("model-owners", "risk-owners")
    assert house.owners() == {NOBODY, "model-owners", "risk-owners"}
    assert House().owner("x") == NOBODY
