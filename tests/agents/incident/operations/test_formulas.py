"""What the review works out, on load whose answers are known."""

import math
from random import Random
from typing import Any

import numpy as np
import pytest

from twokey.agents.incident.operations import costs, forecast, load, objectives, retries
from twokey.agents.incident.operations.book import Endpoint
from twokey.agents.incident.operations.said import lasting, money, name, names, number, percent, when
from twokey.agents.incident.operations.tracks import Measured, Track, longest, stays
from twokey.tools.read.telemetry.values import OperationChange

WEEK = 2_016
MONDAY = 1_767_571_200 * 1_000_000
"""2026-01-05 00:00 UTC."""


def endpoint(**more: Any) -> Endpoint:
    return Endpoint.model_validate({"name": "scores", "service": "scoring"} | more)


def track(values: Any, peaks: Any = None, step_s: int = 300) -> Track:
    means = np.array(values, np.float64)
    return Track(MONDAY, step_s, means, means if peaks is None else np.array(peaks, np.float64))


def held(**tracks: Track) -> Measured:
    return Measured("e-000000000001", tracks)


def test_latency_is_compared_stretch_by_stretch() -> None:
    values = np.full(WEEK, 100.0)
    values[10:20] = 900.0
    values[30] = np.nan
    kind, level, text = objectives.latency(endpoint(objective={"latency_ms": 400}), held(latency=track(values))) or (
        "",
        "",
        "",
    )
    assert (kind, level) == ("slo_latency", "fine")
    assert (
        "in 99.50 % of 2,015 stretches of 5 min (objective 99 %); median 100 ms, worst 900 ms at 2026-01-05 00:50 UTC"
        in text
    )
    assert "above it for 50 min in a row from 2026-01-05 00:50 UTC" in text
    values[:200] = 401
    assert (objectives.latency(endpoint(objective={"latency_ms": 400}), held(latency=track(values))) or "?")[1] == "act"
    assert objectives.latency(endpoint(), held(latency=track(values))) is None
    assert objectives.latency(endpoint(objective={"latency_ms": 400}), held()) is None


def budget(errors: Any, requests: Any = None, **objective: Any) -> tuple[str, str, str]:
    tracks = {"errors": track(errors)} | ({} if requests is None else {"requests": track(requests)})
    said = objectives.burning(endpoint(objective={"availability": 99.9} | objective), held(**tracks))
    assert said is not None
    return said


def test_a_budget_that_burns_as_it_may_spends_its_share_of_the_days() -> None:
    _, level, text = budget([0.001] * WEEK, [10] * WEEK)
    assert level == "fine" or "burn rate 1 over" in text
    assert "burns its error budget 1 times as fast as it may, and this spent 23.3 % of it" in text, "7 of 30 days"


def test_failed_requests_count_by_their_number() -> None:
    errors, requests = [0.0] * WEEK, [1.0] * WEEK
    errors[0], requests[0] = 1.0, 0.0  # nobody asked: nothing failed
    errors[1], requests[1] = 0.5, WEEK - 2.0
    _, level, text = budget(errors, requests)
    assert text.startswith("25.0 % of the requests of scores failed")
    assert level == "act"


def test_the_windows_of_the_workbook_fire_at_their_rates() -> None:
    errors = [0.0] * WEEK
    errors[100:112] = [0.0145] * 12  # an hour at 14.5 times the budget
    _, level, text = budget(errors, [5] * WEEK)
    assert "burn rate 14.4 over 1 h and 5 min was reached once, first at 2026-01-05 09:15 UTC, at most 14.5" in text
    assert level == "act"
    errors[100:112] = [0.0143] * 12
    assert "14.4" not in budget(errors, [5] * WEEK)[2]
    errors[100:172] = [0.0061] * 72  # six hours at 6.1
    assert (
        "burn rate 6 over 6 h and 30 min was reached once, first at 2026-01-05 14:10 UTC"
        in budget(errors, [5] * WEEK)[2]
    )
    slow = [0.00101] * WEEK
    _, level, text = budget(slow, [5] * WEEK)
    assert "burn rate 1 over 3 d and 6 h was reached once, first at 2026-01-07 23:55 UTC" in text
    assert level == "watch"


def test_a_window_shorter_than_a_stretch_or_longer_than_the_load_is_not_judged() -> None:
    hourly = objectives.burning(
        endpoint(objective={"availability": 99.9}),
        held(errors=track([0.5] * 168, step_s=3_600), requests=track([1] * 168, step_s=3_600)),
    )
    assert hourly is not None
    assert "over 1 h" not in hourly[2]
    assert "over 3 d" in hourly[2]
    assert "over 3 d" not in budget([0.5] * 288, [1] * 288)[2]


def test_gaps_do_not_fire() -> None:
    errors: list[float] = [math.nan] * WEEK
    errors[50] = 1.0
    assert "burn rate" not in budget(errors, [1] * WEEK)[2]


def test_without_requests_each_stretch_counts_alike_and_errors_per_second_need_them() -> None:
    assert "each stretch counts alike" in budget([0.01] * WEEK)[2]
    per_second = endpoint(objective={"availability": 99}, metrics={"errors": "e", "errors_are": "per_second"})
    assert objectives.burning(per_second, held(errors=track([1] * 9))) is None
    said = objectives.burning(per_second, held(errors=track([1.0] * 9), requests=track([50.0] * 9)))
    assert said is not None
    assert said[2].startswith("2.0 % of the requests")
    assert objectives.burning(per_second, held(errors=track([1.0] * 9), requests=track([0.0] * 9))) is None
    assert objectives.burning(per_second, held(errors=track([math.nan] * 9), requests=track([1.0] * 9))) is None


def test_a_queue_is_told_with_how_long_it_was_too_long() -> None:
    peaks = np.full(WEEK, 3.0)
    peaks[5:9] = 80
    said = load.queue(endpoint(objective={"queue": 40}), held(queue=track(peaks / 2, peaks)))
    assert said is not None
    assert said[1] == "watch"
    assert (
        "80 at most, at 2026-01-05 00:25 UTC; it was above 40 in 0.20 % of 2,016 stretches, longest for 20 min"
        in said[2]
    )
    assert (load.queue(endpoint(objective={"queue": 100}), held(queue=track(peaks))) or "?")[1] == "fine"
    assert "no limit is stated" in (load.queue(endpoint(), held(queue=track(peaks))) or ["", "", ""])[2]
    assert load.queue(endpoint(), held()) is None


def test_concurrency_is_measured_or_bounded_by_littles_law() -> None:
    busy = endpoint(capacity={"concurrency_per_replica": 4})
    said = load.concurrency(busy, held(concurrency=track([8.0] * 10), replicas=track([2.0] * 10)))
    assert said is not None
    assert "that is 100 % of its replicas at the median, and all of them in 100 % of the stretches" in said[2]
    bound = load.concurrency(endpoint(), held(latency=track([500.0] * 3), requests=track([10.0] * 3)))
    assert bound is not None
    assert "at most 5 (requests per second times p95)" in bound[2]
    assert load.concurrency(endpoint(), held(latency=track([1.0]))) is None
    assert load.concurrency(endpoint(), held(latency=track([math.nan]), requests=track([1.0]))) is None
    assert load.concurrency(busy, held(concurrency=track([8.0]), replicas=track([0.0]))) is not None


def test_scaling_follows_concurrency_queue_and_cold_starts() -> None:
    means = np.full(100, 7.0)
    means[10:12] = means[50:60] = means[80:82] = 28.0
    capacity = {"concurrency_per_replica": 10, "utilisation": 70, "cold_start_s": 40, "max_replicas": 4}
    said = load.scaling(endpoint(capacity=capacity), held(concurrency=track(means), replicas=track([2.0] * 100)))
    assert said is not None
    # quiet: 7 / 7 = 1; a rise of 21 within a stretch needs 3 more by the 99th percentile; the most: 28 / 7 = 4
    assert "concurrency at 7 a replica" in said[2]
    assert (
        "at least 4 (3 of them so that a rise within a cold start of 40 s finds room) and at most 4 replicas" in said[2]
    )
    assert "too few in 14.0 % of the stretches" in said[2]
    assert said[1] == "act"
    queued = np.zeros(100)
    queued[55] = 42
    more = load.scaling(endpoint(capacity=capacity), held(concurrency=track(means), queue=track(queued)))
    assert more is not None
    assert "at most 10 replicas" in more[2]
    assert "more than the 4 it may have" in more[2]
    assert "how many there were is not measured" in more[2]
    assert load.scaling(endpoint(), held(concurrency=track(means))) is None
    idle = load.scaling(
        endpoint(capacity={"concurrency_per_replica": 10}), held(concurrency=track(means), replicas=track([9.0] * 100))
    )
    assert idle is not None
    assert idle[1] == "watch"


def test_costs_are_told_by_day_request_and_rate() -> None:
    rich = endpoint(budget={"per_day": 40, "per_1000_requests": 1, "per_request_per_second": 1})
    said = costs.cost(rich, held(cost=track([2.0] * 288), requests=track([0.5] * 288)), "EUR")
    assert said is not None
    assert "cost 48.00 EUR in 24 measured hours: 48.00 EUR a day (20.0 % above the budget of 40.00 EUR)" in said[2]
    assert "1.11 EUR per 1,000 requests (11.1 % above the budget of 1.00 EUR)" in said[2]
    assert "4.00 EUR an hour per request per second (300.0 % above the budget of 1.00 EUR)" in said[2]
    assert said[1] == "act"
    half = [2.0] * 144 + [math.nan] * 144
    cheap = costs.cost(endpoint(budget={"per_day": 50}), held(cost=track(half)), "EUR")
    assert cheap is not None
    assert "24.00 EUR in 12 measured hours: 48.00 EUR a day (budget 50.00 EUR)" in cheap[2]
    assert cheap[1] == "fine"
    assert costs.cost(endpoint(), held(), "EUR") is None
    nobody = costs.cost(endpoint(), held(cost=track([1.0]), requests=track([0.0])), "EUR")
    assert nobody is not None
    assert "per 1,000" not in nobody[2]


def test_retries_run_away_only_in_a_row_and_beyond_what_is_usual() -> None:
    requests, often = np.full(300, 10.0), np.full(300, 0.1)
    often[100:108] = 15.0
    often[200:202] = 15.0
    said = retries.retries(endpoint(), held(requests=track(requests), retries=track(often)), 20)
    assert said is not None
    assert said[1] == "act"
    assert (
        "1 retries per 100 requests at the median; they ran away once, first for 40 min from 2026-01-05 08:20 UTC"
        in said[2]
    )
    assert "150.0 % of the requests" in said[2]
    assert "the load 2.5 times as high" in said[2]
    usual = retries.retries(endpoint(), held(requests=track(requests), retries=track(np.full(300, 5.0))), 20)
    assert usual is not None
    assert usual[1] == "fine", "what is always so does not run away"
    assert retries.retries(endpoint(), held(requests=track(requests * 0), retries=track(often)), 20) is None
    assert retries.retries(endpoint(), held(retries=track(often)), 20) is None


def test_loops_of_retries_in_traces_are_told() -> None:
    def change(operation: str, loops: int) -> OperationChange:
        return OperationChange(
            service="db",
            operation=operation,
            calls_before=1,
            calls_after=9,
            self_before_us=1,
            self_after_us=2,
            errors_before=0,
            errors_after=0,
            slow_from_us=None,
            first_slow=False,
            retries=loops,
        )

    said = retries.retried([change("a", 0), change("b", 3), change("c", 7)])
    assert said is not None
    assert said[2].startswith("in 7 traces one caller calls c of db over and over")
    assert "1 other operation." in said[2]
    assert retries.retried([change("a", 0)]) is None


def growing(per_day: float, noise: float, days: int = 14) -> Track:
    random = Random(5)  # noqa: S311 - seeded on purpose
    return track([50 + per_day * (at // 288) + random.gauss(0, noise) for at in range(days * 288)])


def test_the_line_and_its_interval_are_those_of_regression() -> None:
    fitted = forecast.line(growing(2.0, 0.0))
    assert fitted is not None
    assert fitted.slope == pytest.approx(2.0)
    assert fitted.at(20)[0] == pytest.approx(90.0)
    noisy = forecast.line(growing(2.0, 4.0))
    assert noisy is not None
    days, loads, _ = forecast.daily(growing(2.0, 4.0))
    # the same by numpy's own least squares, and the textbook's interval
    slope, level = np.polyfit(days, loads, 1)
    left = loads - slope * days - level
    spread = math.sqrt(float((left**2).sum()) / (len(days) - 2))
    wide = 1.782 * spread * math.sqrt(1 + 1 / 14 + (20 - days.mean()) ** 2 / ((days - days.mean()) ** 2).sum())
    assert noisy.at(20) == pytest.approx((slope * 20 + level, slope * 20 + level - wide, slope * 20 + level + wide))


def test_the_interval_holds_nine_in_ten_new_days() -> None:
    random = Random(11)  # noqa: S311 - seeded on purpose
    inside = 0
    for _ in range(400):
        loads = [50 + 0.5 * at + random.gauss(0, 3) for at in range(10)]
        fitted = forecast.line(Track(MONDAY, 86_400, np.array(loads), np.array(loads)))
        assert fitted is not None
        _, low, high = fitted.at(12)
        inside += low <= 50 + 0.5 * 12 + random.gauss(0, 3) <= high
    assert 0.86 <= inside / 400 <= 0.94


def test_capacity_is_told_with_the_earliest_and_the_likely_day() -> None:
    said = forecast.forecast(endpoint(capacity={"requests_per_s": 90}), growing(2.0, 0.0), 30)
    assert said is not None
    assert said[1] == "act"
    assert "reached on 2026-01-25 at the earliest and on 2026-01-25 by the line" in said[2]
    flat = forecast.forecast(endpoint(capacity={"requests_per_s": 900}), growing(0.0, 2.0), 30)
    assert flat is not None
    assert "no growth can be told from chance" in flat[2]
    assert "not reached within a year" in flat[2]
    assert "what it can carry is not stated" in (forecast.forecast(endpoint(), growing(1, 1), 30) or ["", "", ""])[2]
    assert forecast.forecast(endpoint(), growing(1, 1, days=4), 30) is None
    assert forecast.forecast(endpoint(), None, 30) is None


def test_days_that_were_hardly_measured_do_not_count() -> None:
    values = growing(1.0, 0.0, days=8).means.copy()
    values[288 * 2 : 288 * 2 + 100] = np.nan
    days, _, _ = forecast.daily(track(values))
    assert days.tolist() == [0, 1, 3, 4, 5, 6, 7]


def test_stretches_in_a_row_are_found() -> None:
    held_by = np.array([True, True, False, True, False, True, True, True])
    assert [(stay.first, stay.last) for stay in stays(held_by)] == [(0, 1), (3, 3), (5, 7)]
    assert (longest(held_by) or stays(held_by)).__class__.__name__ == "Stay"
    assert longest(np.array([False])) is None


def test_numbers_times_and_names_are_said_plainly() -> None:
    assert [number(value) for value in (0, 3, 1234.0, 0.125, 12.346, 123.4, 0.00001234)] == [
        "0",
        "3",
        "1,234",
        "0.125",
        "12.3",
        "123",
        "0.0000123",
    ]
    assert [percent(value) for value in (0, 1, 0.5, 0.9999, 0.0000001, 0.99999999)] == [
        "0 %",
        "100 %",
        "50.0 %",
        "99.990 %",
        "less than 0.001 %",
        "more than 99.999 %",
    ]
    assert [lasting(seconds) for seconds in (40, 300, 3_600, 5_400, 86_400, 90_000)] == [
        "40 s",
        "5 min",
        "1 h",
        "1 h 30 min",
        "1 d",
        "1 d 1 h",
    ]
    assert money(0.0123, "EUR") == "0.0123 EUR"
    assert when(MONDAY) == "2026-01-05 00:00 UTC"
    assert name("<b>@sam</b> http://evil.example\u202e `x`") == "b sam /b evil.example x"
    assert name("\u202e") == "unnamed"
    assert names(["a", "b", "c"], 2) == "a, b, 1 more"
