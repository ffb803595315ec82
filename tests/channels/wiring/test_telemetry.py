"""Sources of the settings, put together as the wiring does: what is asked and with which token; and what doctor finds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FixedClock
from support.odd_server import Asked, OddServer, Told, odd_server
from twins.loki import World, loki

from twokey.channels.wiring.telemetry import deployed_by, opener, telemetry_places
from twokey.channels.wiring.telemetry_health import telemetry_health
from twokey.core import settings
from twokey.core.errors import BadInput
from twokey.core.settings import Settings
from twokey.tools.read.telemetry.port import Interval
from twokey.tools.read.telemetry.sources import Bundles, Live, Source

WORKSPACE = (
    '[workspace]\nid = "w-000000000000"\n[principals.sam]\n[places.code]\nkind = "repository"\nlocation = "repo"\n'
)
NOW = 1_772_366_400.0
WITHIN = Interval(NOW - 600, NOW)


def matrix(asked: Asked) -> Told:
    """A Prometheus that knows ``up`` and nothing else."""
    if asked.headers.get("authorization") != "Bearer token-of-prometheus":
        return Told(b"{}", 401)
    known = "up" in asked.params["query"]
    if "query_range" in asked.path:
        series = [{"metric": {"job": "web"}, "values": [[NOW - 60, "1"]]}] if known else []
        return Told(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}}).encode())
    result: list[Any] = [{"metric": {}, "value": [NOW, "3"]}] if known else []
    return Told(json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode())


@pytest.fixture
def metrics() -> Iterator[OddServer]:
    with odd_server(matrix) as server:
        yield server


@pytest.fixture
def lines() -> Iterator[tuple[World, OddServer]]:
    world = World('{app="web"}', tenant="shop", token="token-of-loki")
    with loki(world) as server:
        yield world, server


def config(folder: Path, text: str) -> Settings:
    (folder / "twokey.toml").write_text(WORKSPACE + text, encoding="utf-8")
    return settings.load(folder, {})


def source(folder: Path, found: Settings, name: str = "prod", **variables: str) -> Source:
    return opener(folder, found, lambda _: None, deployed_by(None), variables)(f"telemetry:{name}")


def whole(metrics: OddServer, lines: tuple[World, OddServer]) -> str:
    return (
        f'[telemetry.prod]\nservice_labels = ["service", "job"]\nprometheus = "{metrics.url}"\n'
        'prometheus_token_env = "PROM"\nqueries = { alive = "up", gone = "nothing" }\n'
        f'loki = "{lines[1].url}"\nloki_token_env = "LOKI"\nloki_tenant = "shop"\n'
        'loki_query = \'{app="web"}\'\nlogs = { basket = "logs/*.log" }\ntraces = ["*.json"]\n'
        'events = ["e.jsonl"]\ntopology = ["t.csv"]\ndeployments = { code = "web" }\n'
    )


def test_a_source_is_put_together_from_all_that_is_set(
    tmp_path: Path, metrics: OddServer, lines: tuple[World, OddServer]
):
    lines[0].say(round((NOW - 30) * 1e9), "from loki", job="web")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text("2026-03-01T11:59:00Z from a file\n", encoding="utf-8")
    event = {"time": "2026-03-01T11:59:00Z", "kind": "config", "service": "web", "actor": "ana", "text": "flag"}
    (tmp_path / "e.jsonl").write_text(json.dumps(event), encoding="utf-8")
    (tmp_path / "t.csv").write_text("caller,callee\nweb,basket\n", encoding="utf-8")
    found = config(tmp_path, whole(metrics, lines))
    live = source(tmp_path, found, PROM="token-of-prometheus", LOKI="token-of-loki")
    assert isinstance(live, Live)
    assert [(one.service, one.metric) for one in live.series(WITHIN)] == [("web", "alive")]
    assert [(one.service, one.message) for one in live.logs(WITHIN)] == [
        ("web", "from loki"),
        ("basket", "from a file"),
    ]
    assert [one.text for one in live.events(WITHIN)] == ["flag"]
    assert [(one.caller, one.callee) for one in live.edges()] == [("web", "basket")]
    assert list(live.spans(WITHIN)) == []
    assert [(one.signal, one.code) for one in live.shortfalls()] == [("events", "unreadable")], "no repository is there"
    assert [(place.resource.id, place.location) for place in telemetry_places(found)] == [("prod", "telemetry:prod")]


def test_a_loki_that_is_away_is_a_shortfall_beside_files_and_an_error_alone(tmp_path: Path):
    (tmp_path / "a.log").write_text("2026-03-01T11:59:00Z from a file\n", encoding="utf-8")
    away = '[telemetry.prod]\nloki = "http://127.0.0.1:9"\nloki_query = \'{a="b"}\'\n'
    live = source(tmp_path, config(tmp_path, away + 'logs = { web = "a.log" }\n'))
    assert isinstance(live, Live)
    assert [one.message for one in live.logs(WITHIN)] == ["from a file"]
    assert [(one.signal, one.code) for one in live.shortfalls()] == [("logs", "unreadable")]


def test_what_is_missing_is_a_sentence(tmp_path: Path, metrics: OddServer):
    prometheus = f'[telemetry.prod]\nprometheus = "{metrics.url}"\nqueries = {{ a = "up" }}\n'
    for text in (
        prometheus + 'prometheus_token_env = "PROM"\n',
        '[telemetry.prod]\nlogs = { a = "b" }\nlog_zone = "Nowhere/Land"\n',
        '[telemetry.prod]\nlogs = { a = "b" }\nlog_zone = "../etc/passwd"\n',
        '[telemetry.prod]\ndeployments = { hub = "web" }\n[places.hub]\nkind = "repository"\nlocation = "https://x.example/a/b"\n',
    ):
        with pytest.raises(BadInput):
            source(tmp_path, config(tmp_path, text))


def test_a_folder_is_one_of_bundles_and_no_name_of_a_source_is(tmp_path: Path):
    bundle = tmp_path / "one"
    bundle.mkdir()
    (bundle / "incident.json").write_text("{}", encoding="utf-8")
    found = config(tmp_path, "")
    assert isinstance(opener(tmp_path, found, lambda _: None, deployed_by(None), {})(str(bundle)), Bundles)
    with pytest.raises(BadInput):
        opener(tmp_path, found, lambda _: None, deployed_by(None), {})("telemetry:prod")


def looked(folder: Path, found: Settings, clock: FixedClock, **variables: str) -> list[tuple[str, str, str]]:
    return [(seen.name, seen.level, seen.text) for seen in telemetry_health(folder, found, clock, variables)]


def test_doctor_tries_what_a_source_is_made_of(
    tmp_path: Path, metrics: OddServer, lines: tuple[World, OddServer], clock: FixedClock
):
    text = whole(metrics, lines) + (
        '[triggers.pager]\nkind = "pagerduty"\nsecret_envs = ["S"]\ntelemetry = "prod"\nasked_by = "sam"\n'
    )
    found = config(tmp_path, text)
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    good = looked(tmp_path, found, clock, PROM="token-of-prometheus", LOKI="token-of-loki", S="a" * 20)
    assert good == [
        ("telemetry prod", "ok", "Prometheus answers 2 queries with 3 series"),
        ("telemetry prod", "warn", "nothing is there now for: 'gone'"),
        ("telemetry prod", "warn", "Loki answers and has nothing"),
        ("telemetry prod", "warn", "logs: 1 of 1 patterns mean no file now"),
        ("telemetry prod", "ok", "traces: 1 files"),
        ("telemetry prod", "warn", "events: 1 of 1 patterns mean no file now"),
        ("telemetry prod", "warn", "topology: 1 of 1 patterns mean no file now"),
        ("trigger pager", "ok", "pagerduty proves itself with 1 secret; sam asks"),
    ]
    bad = looked(tmp_path, found, clock, PROM="wrong", LOKI="wrong", S="short")
    assert [(level, text.partition(" does")[0]) for _, level, text in bad if level == "FAIL"] == [
        ("FAIL", "the query 'alive': Prometheus"),
        ("FAIL", "the query 'gone': Prometheus"),
        ("FAIL", "Loki"),
        ("FAIL", "The variable S holds no secret of at least 16 characters."),
    ]
    assert "wrong" not in str(bad)


def test_doctor_says_of_an_empty_source_that_it_is_one(tmp_path: Path, clock: FixedClock):
    [(_, level, text)] = looked(tmp_path, config(tmp_path, "[telemetry.prod]\n"), clock)
    assert (level, text) == ("warn", "it is a source without any part")
    zone = config(tmp_path, '[telemetry.prod]\nlogs = { a = "twokey.toml" }\nlog_zone = "Nowhere/Land"\n')
    assert [level for _, level, _ in looked(tmp_path, zone, clock)] == ["ok", "FAIL"]
    assert looked(tmp_path, config(tmp_path, ""), clock) == []
