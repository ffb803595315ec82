"""Loki: every line once, page by page, with its service and level; bounded, and odd answers are one sentence."""

import json
from typing import Any

import pytest
from support.odd_server import Told, odd_server
from twins.loki import World, loki

from twokey.core.errors import EnvironmentFault
from twokey.tools.read.telemetry import loki as reading
from twokey.tools.read.telemetry.asking import Asker, Server
from twokey.tools.read.telemetry.levels import level_of
from twokey.tools.read.telemetry.loki import Loki
from twokey.tools.read.telemetry.port import Interval, Shortfall

SELECTOR = '{namespace="shop"}'
NANO = 1_000_000_000
START = 1_763_000_000
WITHIN = Interval(START, START + 600)


def source(url: str, *, tenant: str = "", token: str = "") -> Loki:
    headers = (("X-Scope-OrgID", tenant),) if tenant else ()
    server = Server(name="The logs", url=url, token=token, headers=headers, timeout_s=60)
    return Loki(Asker(server), SELECTOR, ("service", "app"))


def at(second: float) -> int:
    return round((START + second) * NANO)


def test_lines_come_with_their_service_and_level():
    world = World(SELECTOR, tenant="shop", token="secret")
    world.say(at(1), "all is well", app="web", level="INFO")
    world.say(at(2), "ERROR it is not", app="web", service="basket")
    world.say(at(-1), "before", app="web")
    world.say(at(600), "after", app="web")
    with loki(world) as server:
        telemetry = source(server.url, tenant="shop", token="secret")
        found = [(line.time, line.service, line.level, line.message) for line in telemetry.logs(WITHIN)]
        assert telemetry.labels() == 3
    assert found == [
        (START + 1, "web", "info", "all is well"),
        (START + 2, "basket", "error", "ERROR it is not"),
    ]
    assert telemetry.shortfalls() == ()


def test_every_line_comes_once_however_many_pages_there_are():
    world = World(SELECTOR)
    for number in range(12_000):  # three lines at each instant, so that pages end among them
        world.say(at(number // 3 / 10), f"line {number}", app=f"web{number % 4}")
    with loki(world) as server:
        telemetry = source(server.url)
        found = [line.message for line in telemetry.logs(WITHIN)]
    assert sorted(found) == sorted(f"line {number}" for number in range(12_000))
    assert len(server.asked) == 3
    assert telemetry.shortfalls() == ()


def test_more_lines_at_one_instant_than_a_page_holds_are_said_to_be_missing():
    world = World(SELECTOR)
    for number in range(5_100):
        world.say(at(5), f"line {number:05}", app="web")
    world.say(at(6), "the next", app="web")
    with loki(world) as server:
        telemetry = source(server.url)
        found = [line.message for line in telemetry.logs(WITHIN)]
    assert len(found) == 5_001
    assert found[-1] == "the next"
    assert telemetry.shortfalls() == (Shortfall("logs", "too_much", 5_000),)


def test_lines_are_bounded_and_long_stretches_are_asked_for_in_parts(monkeypatch: pytest.MonkeyPatch):
    world = World(SELECTOR)
    for day in range(40):
        world.say(at(day * 24 * 3_600), f"day {day}", app="web")
    whole = Interval(START, START + 40 * 24 * 3_600)
    with loki(world) as server:
        assert len(list(source(server.url).logs(whole))) == 40
        monkeypatch.setattr(reading, "MAX_LINES", 15)
        telemetry = source(server.url)
        assert len(list(telemetry.logs(whole))) == 15
    assert telemetry.shortfalls() == (Shortfall("logs", "too_much", 15),)


def test_what_is_no_line_is_counted():
    values = [[str(at(1)), "one"], [str(at(2)), "two", {"trace": "x"}], [at(3), "x"], ["9" * 20, "x"], ["-1", "x"], "x"]
    values += [[str(at(4))], [str(at(4)), 4], [str(at(700)), "not asked for"]]
    streams: list[Any] = [{"stream": {"app": "web"}, "values": values}, "x", {"stream": 4, "values": 5}]
    answer = {"status": "success", "data": {"resultType": "streams", "result": streams}}
    with odd_server(lambda _: Told(json.dumps(answer).encode())) as server:
        telemetry = source(server.url)
        assert [line.message for line in telemetry.logs(WITHIN)] == ["one", "two"]
    assert telemetry.shortfalls() == (Shortfall("logs", "malformed", 9),)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"status": "success"},
        {"status": "error", "data": {"resultType": "streams", "result": []}},
        {"status": "success", "data": {"resultType": "matrix", "result": []}},
    ],
)
def test_an_answer_of_another_shape_is_one_sentence(answer: Any):
    with odd_server(lambda _: Told(json.dumps(answer).encode())) as server, pytest.raises(EnvironmentFault) as caught:
        list(source(server.url).logs(WITHIN))
    assert caught.value.code == "telemetry_answer"


def test_an_empty_loki_answers():
    with loki(World(SELECTOR)) as server:
        telemetry = source(server.url)
        assert telemetry.labels() == 0
        assert list(telemetry.logs(WITHIN)) == []


@pytest.mark.parametrize(
    ("told", "line", "level"),
    [
        ("WARNING", "x", "warn"),
        ("", "2026-11-30 07:00:00,123 ERROR [main] it failed", "error"),
        ("", 'ts=1 level=warn msg="x"', "warn"),
        ("", "[CRITICAL] disk", "fatal"),
        ("unknown", "GET /x 200 INFO ", "info"),
        ("", "ERRORS are counted", ""),
        ("", "an error in small letters", ""),
        ("", "x" * 200 + " ERROR ", ""),
    ],
)
def test_levels(told: str, line: str, level: str):
    assert level_of(told, line) == level


def test_a_loki_that_stops_answering_gives_what_it_gave():
    world = World(SELECTOR)
    for number in range(6_000):
        world.say(at(number / 100), f"line {number}", app="web")
    with loki(world) as server:
        answer = server.answer
        server.answer = lambda asked: answer(asked) if len(server.asked) < 2 else Told(b"{}", 500)
        telemetry = source(server.url)
        assert len(list(telemetry.logs(WITHIN))) == 5_000
    assert telemetry.shortfalls() == (Shortfall("logs", "unreadable", 1),)
