"""What doctor says of the incident job and the ops review: each mistake that the pages warn about, and no other."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.git_repo import small_project
from support.small_bundle import write_bundle

from twokey.channels.wiring.incident_health import incident_health
from twokey.core import settings

WORKSPACE = """
[workspace]
id = "w-000000000001"
[principals.sam]
groups = ["platform-owners", "model-owners", "risk-owners"]
"""
BOOK = """
owners: {model: model-owners, platform: platform-owners, risk: risk-owners}
endpoints:
  - {name: scores, service: api, metrics: {latency: latency_p95_ms, errors: error_rate, requests: requests_per_s}}
"""
PROMETHEUS = '[telemetry.prod]\nprometheus = "https://metrics.example"\n'
Looked = list[tuple[str, str, str]]
Look = Callable[[str], Looked]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Give what is found in a workspace with these settings: name, level, text."""

    def _look(text: str) -> Looked:
        (tmp_path / "twokey.toml").write_text(WORKSPACE + text, encoding="utf-8")
        found = settings.load(tmp_path, {})
        return [(seen.name, seen.level, seen.text) for seen in incident_health(tmp_path, found)]

    return _look


def place(name: str, kind: str, location: str) -> str:
    return f'[places.{name}]\nkind = "{kind}"\nlocation = "{location}"\n'


def test_nothing_is_said_where_nothing_is_set_up(look: Look) -> None:
    assert look("") == []


def test_a_whole_set_up_is_well(look: Look, tmp_path: Path) -> None:
    small_project(tmp_path / "shop")
    write_bundle(tmp_path / "bundles" / "one")
    (tmp_path / "desk").mkdir()
    (tmp_path / "book.yaml").write_text(BOOK, encoding="utf-8")
    text = (
        place("shop", "repository", "shop")
        + place("notes", "runbooks", "shop")
        + place("bundles", "telemetry", "bundles")
        + place("desk", "tickets", "desk")
        + '[incident]\ntelemetry = "bundles"\ntickets = "desk"\nrepository = "shop"\nrunbooks = "notes"\n'
        + 'deployments = { shop = "api" }\n'
        + '[operations]\ntelemetry = "bundles"\nfile = "book.yaml"\n'
    )
    assert look(text) == [
        ("place bundles", "ok", "incident bundles: 1"),
        ("incident", "ok", "api is deployed from main of shop"),
        ("operations", "ok", "book.yaml: 1 endpoints"),
    ]


def test_names_that_mean_nothing_or_something_else(look: Look) -> None:
    found = look(
        place("desk", "repository", "https://github.example/acme/desk")
        + '[incident]\ntelemetry = "prod"\ntickets = "desk"\nrepository = "none"\nrunbooks = "desk"\n'
        + '[operations]\ntelemetry = "desk"\n'
    )
    assert found == [
        ("incident", "FAIL", "incident.telemetry names 'prod', which is no place of kind telemetry"),
        ("incident", "FAIL", "incident.tickets names 'desk', which is no place of kind tickets"),
        ("incident", "FAIL", "incident.repository names 'none', which is no place of kind repository"),
        ("incident", "FAIL", "incident.runbooks names 'desk', which is no place of kind runbooks"),
        ("operations", "FAIL", "operations.telemetry names 'desk', which is no place of kind telemetry"),
        ("operations", "FAIL", "operations.telemetry is set, and no operations file that it could be compared with"),
    ]


def test_post_mortems_that_no_later_incident_finds(look: Look, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    text = place("shop", "repository", "shop") + place("notes", "runbooks", "notes")
    found = look(text + '[incident]\nrepository = "shop"\nrunbooks = "notes"\n')
    assert [one[2].partition(",")[0] for one in found] == [
        "post-mortems are drafted",
        "post-mortems are put where no runbook is looked for",
    ]
    away = place("shop", "repository", "https://github.example/acme/shop") + place("notes", "runbooks", "notes")
    assert look(away + '[incident]\nrunbooks = "notes"\ndeployments = { shop = "api" }\n') == []
    gone = place("notes", "runbooks", "gone")
    assert look(gone + '[incident]\nrunbooks = "notes"\n') == [
        ("incident", "FAIL", "the folder of the runbooks is not there")
    ]


def test_places_that_hold_nothing_of_the_kind(look: Look) -> None:
    found = look(
        place("bundles", "telemetry", "nowhere")
        + place("shop", "repository", "nowhere")
        + '[incident]\ndeployments = { shop = "api" }\n'
    )
    assert found == [
        ("place bundles", "warn", "There is no incident bundle in that folder."),
        (
            "incident",
            "FAIL",
            "the repository shop, from which api comes: The folder of the repository does not exist.",
        ),
    ]


def test_queries_whose_names_say_nothing_and_what_travels_in_the_open(look: Look) -> None:
    many = ", ".join(f'm{at} = "up"' for at in range(12))
    found = look(
        f'[telemetry.prod]\nprometheus = "http://metrics.example"\ninsecure = true\nqueries = {{ {many}, error_rate = "x" }}\n'
        '[telemetry.files]\nca_file = "ca.pem"\nlogs = { web = "web.log" }\n'
    )
    (plain, unsafe, unused) = [one[2] for one in found]
    assert plain.startswith("names that say neither")
    assert plain.endswith("'m7' and 2 more")
    assert "error_rate" not in plain
    assert "plain HTTP" in unsafe
    assert unused == "ca_file is set, and nothing is asked over the network"


def test_the_operations_file_is_held_against_people_and_queries(look: Look, tmp_path: Path) -> None:
    text = '[operations]\nfile = "book.yaml"\n'
    assert look(text) == [("operations", "FAIL", "The operations file book.yaml cannot be used: it cannot be read.")]
    (tmp_path / "book.yaml").write_text(BOOK.replace("latency_p95_ms", "p95").replace("risk-owners", "nobody"))
    queries = 'queries = { error_rate = "x", requests_per_s = "y" }\n'
    found = look(PROMETHEUS + queries + text + 'telemetry = "prod"\n')
    assert [one[2] for one in found] == [
        "book.yaml: 1 endpoints",
        "owners that are no group of anybody: 'nobody'",
        "metrics that no query of telemetry.prod gives: 'p95'",
    ]
    assert [one[2] for one in look(text)][1] == "no operations.telemetry: a request has to name the source"
    assert look(text + 'telemetry = "files"\n[telemetry.files]\nlogs = { web = "web.log" }\n')[-1][2].startswith(
        "owners"
    )
