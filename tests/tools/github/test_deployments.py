"""Deployments on GitHub: when an environment took them, newest first and no farther back than asked for."""

from typing import Any

import pytest
from twins.github.deployments import Deployed
from twins.github.fixtures import FULL_NAME, Stand
from twins.github.server import Fault

from twokey.core.errors import EnvironmentFault
from twokey.tools.github import deployments
from twokey.tools.github.access import TokenAccess
from twokey.tools.github.client import Client
from twokey.tools.github.deployments import from_github
from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.port import Event, Interval

NOON = 1_772_366_400.0
WITHIN = Interval(NOON, NOON + 3_600)


def deployed(there: Stand, number: int, at: str, *statuses: tuple[str, str], **more: Any) -> None:
    sha = f"{number:040x}"
    made = Deployed(number, sha, "production", there.world.user("ana"), at, statuses=list(statuses), **more)
    there.repository.deployments.append(made)


def read(there: Stand) -> tuple[list[Event], Tally]:
    tally = Tally("events")

    def client() -> Client:
        return Client(there.wire(), TokenAccess(there.token), FULL_NAME, pause=there.pauses.append)

    return list(from_github(client, "web", WITHIN, tally)), tally


def test_a_deployment_counts_when_its_environment_took_it(github: Stand):
    deployed(github, 1, "2026-02-27T12:00:00Z", ("success", "2026-03-01T12:01:00Z"))
    deployed(
        github,
        2,
        "2026-03-01T11:50:00Z",
        ("in_progress", "2026-03-01T11:55:00Z"),
        ("success", "2026-03-01T12:05:00Z"),
        ("inactive", "2026-03-01T12:30:00Z"),
    )
    deployed(github, 3, "2026-03-01T12:10:00Z", ("failure", "2026-03-01T12:12:00Z"), description="new\n  planner")
    deployed(github, 4, "2026-03-01T12:20:00Z")
    deployed(github, 5, "2026-03-01T11:00:00Z", ("success", "2026-03-01T11:30:00Z"))
    deployed(github, 6, "2026-03-01T13:00:00Z", ("success", "2026-03-01T13:01:00Z"))
    found, tally = read(github)
    assert [(one.time - NOON, one.kind, one.service, one.actor) for one in found] == [
        (1_200, "deploy", "web", "ana"),
        (720, "deploy", "web", "ana"),
        (300, "deploy", "web", "ana"),
    ]
    assert [one.text for one in found] == [
        "000000000000 production main not ended",
        "000000000000 production new planner failure",
        "000000000000 production main",
    ]
    assert tally.shortfalls() == ()


def test_many_deployments_are_bounded_and_said(github: Stand, monkeypatch: pytest.MonkeyPatch):
    for number in range(130):
        deployed(github, number, f"2026-03-01T12:{number // 10:02}:{number % 10:02}Z")
    monkeypatch.setattr(deployments, "MOST", 3)
    found, tally = read(github)
    assert (len(found), tally.too_much) == (3, 3)
    monkeypatch.setattr(deployments, "MOST", 0)
    monkeypatch.setattr(deployments, "MOST_PAGES", 1)
    for one in github.repository.deployments:
        one.created_at = "2026-03-02T12:00:00Z"
    assert read(github)[1].too_much == 100


def test_a_github_that_is_away_is_an_error(github: Stand):
    github.twin.faults.append(Fault("500", path="/deployments", times=9))
    with pytest.raises(EnvironmentFault):
        read(github)
