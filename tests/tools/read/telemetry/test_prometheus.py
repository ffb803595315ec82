"""Prometheus: a real one with a backfilled incident, and odd ones that answer whatever they like."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from support.odd_server import Asked, OddServer, Told, odd_server
from support.prometheus import backfill, prometheus

from twokey.core.errors import EnvironmentFault
from twokey.tools.read.telemetry.asking import Asker, Server
from twokey.tools.read.telemetry.port import Interval, Shortfall
from twokey.tools.read.telemetry.prometheus import MAX_POINTS, Prometheus

START = 1_763_000_400.0
HOUR = 3_600.0
SPIKE = START + 26 * HOUR + 600


def source(url: str, queries: dict[str, str], *, step_s: int = 60, max_bytes: int = 32_000_000) -> Prometheus:
    server = Server(name="The metrics", url=url, timeout_s=60, max_bytes=max_bytes)
    return Prometheus(Asker(server), queries, ("service", "job"), step_s=step_s)


def level(service: str, at: float) -> float:
    usual = 40 + 3 * math.sin(at / 700)
    return 950.0 if service == "basket" and abs(at - SPIKE) < 1 else usual


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that holds 30 hours of two services, one sample a minute, and one spike of one minute."""
    folder = tmp_path_factory.mktemp("prometheus")
    samples = [
        (
            f'request_latency_ms{{service="{service}",region="north"}}',
            START + 60 * minute,
            level(service, START + 60 * minute),
        )
        for service in ("basket", "search")
        for minute in range(30 * 60)
    ]
    samples += [('queue_depth{job="basket"}', START + 60 * minute, float(minute % 7)) for minute in range(30 * 60)]
    with prometheus(folder, backfill(folder, samples)) as url:
        yield url


def test_series_come_with_their_service_and_every_sample(real: str):
    telemetry = source(real, {"latency": "request_latency_ms", "queue": "queue_depth"})
    found = telemetry.series(Interval(START + 60, START + 60 + HOUR))
    assert [(one.service, one.metric) for one in found] == [
        ("basket", "latency {region=north}"),
        ("basket", "queue"),
        ("search", "latency {region=north}"),
    ]
    first = found[0]
    assert len(first.times) == 60
    assert first.times[0] == START + 60
    assert np.allclose(first.values, [level("basket", at) for at in first.times])
    assert telemetry.shortfalls() == ()


def test_over_a_long_stretch_there_are_fewer_samples_and_the_extremes_are_kept(real: str):
    telemetry = source(real, {"latency": "request_latency_ms"})
    basket, search = telemetry.series(Interval(START + 60, START + 29 * HOUR))
    assert MAX_POINTS < len(basket.times) <= 2 * MAX_POINTS + 2
    assert basket.values.max() == 950.0
    assert abs(basket.times[basket.values.argmax()] - SPIKE) <= 2 * 29 * HOUR / MAX_POINTS
    assert search.values.max() < 44
    assert np.all(np.diff(basket.times) > 0)


def test_an_expression_is_counted_as_it_is(real: str):
    telemetry = source(real, {"latency": "request_latency_ms"})
    assert telemetry.count("request_latency_ms # per region", START + HOUR) == 2
    assert telemetry.count("no_such_metric", START + HOUR) == 0
    assert telemetry.alerts() == ()


def test_one_expression_that_is_wrong_does_not_spoil_the_others(real: str):
    telemetry = source(real, {"broken": "sum(", "latency": "request_latency_ms", "nothing": "no_such_metric"})
    assert {one.metric for one in telemetry.series(Interval(START, START + HOUR))} == {"latency {region=north}"}
    assert telemetry.shortfalls() == (Shortfall("metrics", "unreadable", 1),)
    with pytest.raises(EnvironmentFault) as caught:
        source(real, {"broken": "sum("}).series(Interval(START, START + HOUR))
    assert caught.value.code == "telemetry_status"


def test_an_empty_stretch_is_empty(real: str):
    assert source(real, {"latency": "request_latency_ms"}).series(Interval(START - 90 * HOUR, START - 89 * HOUR)) == ()


# -- odd ones ----------------------------------------------------------------------------------------------------------


@dataclass
class Odd:
    """A source whose server answers with what ``says`` gives for each request."""

    server: OddServer

    def says(self, answer: Callable[[Asked], Any]) -> None:
        self.server.answer = lambda asked: Told(json.dumps(answer(asked)).encode())

    def matrix(self, *series: dict[str, Any]) -> None:
        self.says(lambda _: {"status": "success", "data": {"resultType": "matrix", "result": list(series)}})


@pytest.fixture
def odd() -> Iterator[Odd]:
    with odd_server(lambda _: Told()) as server:
        yield Odd(server)


WITHIN = Interval(1_000.0, 1_600.0)


def test_what_is_no_number_is_left_out_and_counted(odd: Odd):
    values = [[1000, "1"], [1060, "NaN"], [1120, "+Inf"], [1180, "-Inf"], [1240, "2"], [1300, 3], "x", [1, 2, 3]]
    odd.matrix(
        {"metric": {"service": "web"}, "values": [*values, [float("1e308"), "1"], [True, "1"], [1360, "x" * 99]]}
    )
    telemetry = source(odd.server.url, {"m": "m"})
    (found,) = telemetry.series(WITHIN)
    assert (list(found.times), list(found.values)) == ([1000.0, 1240.0], [1.0, 2.0])
    assert telemetry.shortfalls() == (Shortfall("metrics", "malformed", 8),)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"status": "error", "data": {"resultType": "matrix", "result": []}},
        {"status": "success", "data": []},
        {"status": "success", "data": {"resultType": "vector", "result": []}},
        {"status": "success", "data": {"resultType": "matrix", "result": {}}},
    ],
)
def test_an_answer_of_another_shape_is_one_sentence(odd: Odd, answer: Any):
    odd.says(lambda _: answer)
    with pytest.raises(EnvironmentFault) as caught:
        source(odd.server.url, {"m": "m"}).series(WITHIN)
    assert caught.value.code == "telemetry_answer"


def test_series_of_another_shape_are_empty(odd: Odd):
    odd.matrix({"metric": 3, "values": 4}, {"metric": {"service": 1, "job": "batch"}, "values": [[1000, "1"]]})
    (found,) = source(odd.server.url, {"m": "m"}).series(WITHIN)
    assert (found.service, found.metric) == ("batch", "m")


def test_a_flood_of_labels_is_bounded_and_said(odd: Odd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("twokey.tools.read.telemetry.prometheus.MAX_SERIES", 20)
    odd.matrix(*({"metric": {"service": "web", "user": f"u{n}" * 400}, "values": [[1000, "1"]]} for n in range(50)))
    telemetry = source(odd.server.url, {"m": "m"})
    found = telemetry.series(WITHIN)
    assert len(found) <= 20
    assert all(len(one.metric) <= 300 for one in found)
    assert telemetry.shortfalls() == (Shortfall("metrics", "too_much", 20),)


def test_labels_and_annotations_are_never_asked_for(odd: Odd):
    poison = 'x"}) or vector(1) # https://evil.example/?q='
    odd.matrix({"metric": {"service": poison, "instance": "http://169.254.169.254/latest"}, "values": [[1000, "1"]]})
    telemetry = source(odd.server.url, {"m": "up"})
    (found,) = telemetry.series(WITHIN)
    assert found.service == poison
    telemetry.series(WITHIN)
    assert {asked.params["query"] for asked in odd.server.asked} == {"up"}
    assert {asked.path for asked in odd.server.asked} == {"/api/v1/query_range"}


def test_an_answer_that_is_too_long_is_asked_for_in_longer_steps(odd: Odd):
    def answer(asked: Asked) -> Any:
        points = int(600 // float(asked.params["step"]))
        values = [[1000 + number, "1"] for number in range(points)]
        return {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}

    odd.says(answer)
    telemetry = source(odd.server.url, {"m": "up"}, step_s=1, max_bytes=4_000)
    (found,) = telemetry.series(WITHIN)
    assert len(found.times) > 100
    assert [asked.params["step"] for asked in odd.server.asked] == ["1", "4", "4"]
    assert odd.server.asked[1].params["query"] == "max_over_time((up\n)[4s:1s])"
    assert telemetry.shortfalls() == (Shortfall("metrics", "too_much", 600),)
    with pytest.raises(EnvironmentFault):
        source(odd.server.url, {"m": "up"}, step_s=1, max_bytes=20).series(WITHIN)


def test_alerts_are_told_with_their_service_and_texts_are_cut(odd: Odd):
    labels = {"alertname": "Slow", "service": "web", "severity": "page"}
    alerts: list[Any] = [
        {
            "labels": labels,
            "annotations": {"summary": "s" * 9_000},
            "state": "firing",
            "activeAt": "2026-11-30T07:00:00.5Z",
        },
        {"labels": {}, "annotations": {}, "state": "pending", "activeAt": "2026-11-30T08:00:00Z"},
        {"labels": labels, "state": "inactive", "activeAt": "2026-11-30T07:00:00Z"},
        {"labels": labels, "state": "firing", "activeAt": "yesterday"},
        "nothing",
    ]
    odd.says(lambda _: {"status": "success", "data": {"alerts": alerts}})
    telemetry = source(odd.server.url, {"m": "up"})
    pending, firing = telemetry.alerts()
    assert (pending.state, pending.service, pending.name) == ("pending", "", "")
    assert (firing.name, firing.service, firing.severity, firing.since) == ("Slow", "web", "page", 1_796_022_000.5)
    assert len(firing.text) == 2_000
    assert telemetry.shortfalls() == (Shortfall("events", "malformed", 1),) * 3
    odd.says(lambda _: {"status": "success", "data": {"alerts": 7}})
    with pytest.raises(EnvironmentFault):
        telemetry.alerts()


def test_alerts_are_bounded(odd: Odd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("twokey.tools.read.telemetry.prometheus.MAX_ALERTS", 3)
    alert: Any = {"labels": {}, "state": "firing", "activeAt": "2026-11-30T07:00:00Z"}
    odd.says(lambda _: {"status": "success", "data": {"alerts": [alert] * 9}})
    telemetry = source(odd.server.url, {"m": "up"})
    assert len(telemetry.alerts()) == 3
    assert telemetry.shortfalls() == (Shortfall("events", "too_much", 3),)


def test_a_count_of_another_shape_is_one_sentence(odd: Odd):
    odd.says(lambda _: {"status": "success", "data": {"resultType": "vector", "result": ["x"]}})
    with pytest.raises(EnvironmentFault):
        source(odd.server.url, {"m": "up"}).count("up", 1000.0)
