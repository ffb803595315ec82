"""Digests: what is unusual is told with its direction, onset and gap; what is not is not; nothing grows without bound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.tools.read.telemetry.digests import events, logs, metrics, points, traces
from twokey.tools.read.telemetry.port import Event, Interval, LogRecord, Series, Span
from twokey.tools.read.telemetry.values import MetricChange

BASELINE, WINDOW = Interval(0.0, 3_600.0), Interval(3_600.0, 4_800.0)


def series(before: list[float], after: list[float], *, step: float = 60.0, metric: str = "latency_ms") -> Series:
    values = np.array([*before, *after], dtype=np.float64)
    times = np.array([step * at for at in range(len(before))] + [3_600 + step * at for at in range(len(after))])
    return Series("web", metric, times, values)


def change(one: Series) -> MetricChange:
    [found] = metrics.changes((one,), WINDOW, BASELINE)
    return found


NOISE = [10.0 + at % 3 for at in range(60)]


def test_a_fall_has_a_negative_deviation_and_its_onset():
    found = change(series(NOISE, [11.0] * 10 + [1.0] * 10))
    assert float(found.deviation) < -5
    assert (found.onset_us, found.after, found.extreme) == (4_200_000_000, "1", "1")
    assert found.abnormal == 500


def test_one_odd_sample_is_no_onset():
    found = change(series(NOISE, [11.0] * 10 + [500.0] + [11.0] * 9))
    assert (found.onset_us, found.deviation, found.extreme, found.abnormal) == (None, "0", "500", 50)


def test_with_too_little_before_nothing_is_said():
    few = change(series([10.0] * 5, [500.0] * 20))
    assert (few.deviation, few.onset_us, few.before, few.after) == ("0", None, "10", "500")
    never = change(series([], [500.0] * 20))
    assert (never.before, never.extreme, never.samples_before, never.deviation) == (None, "500", 0, "0")
    gone = change(series(NOISE, []))
    assert (gone.after, gone.extreme, gone.extreme_us, gone.samples_after, gone.gap_s) == (None, None, None, 0, 1_200)
    elsewhere = Series("web", "m", np.array([9_999.0]), np.array([1.0]))
    assert metrics.changes((elsewhere,), WINDOW, BASELINE) == []


def test_a_hole_in_the_window_is_a_gap_and_a_usual_one_is_none():
    after = series(NOISE, [11.0] * 20)
    kept = np.array([not 3_900 <= at < 4_500 for at in after.times])
    assert change(Series("web", "m", after.times[kept], after.values[kept])).gap_s == 660
    assert change(after).gap_s == 0
    holes = np.array([not 900 <= at < 1_800 and not 3_900 <= at < 4_500 for at in after.times])
    assert change(Series("web", "m", after.times[holes], after.values[holes])).gap_s == 0, "as before"


def test_a_constant_series_that_stays_is_no_change_and_huge_numbers_are_bounded():
    assert change(series([0.0] * 60, [0.0] * 20)).deviation == "0"
    huge = change(series([0.0] * 60, [1.7e308, -1.7e308, *[1.7e308] * 18]))
    assert float(huge.deviation) == metrics.MOST
    assert huge.after == "1e+300"


@given(st.lists(st.floats(-1e12, 1e12), max_size=70), st.lists(st.floats(-1e12, 1e12), max_size=20))
def test_any_samples_give_a_change_that_can_be_written(before: list[float], after: list[float]):
    for found in metrics.changes((series(before[:60], after),), WINDOW, BASELINE):
        assert found.canonical()
        assert (found.samples_before, found.samples_after) == (len(before[:60]), len(after))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400), st.integers(8, 100))
def test_thinned_points_are_real_samples_in_order_and_hold_both_extremes(values: list[float], most: int):
    one = Series("web", "m", np.arange(len(values), dtype=np.float64), np.array(values))
    found = points.thinned(one, most)
    assert len(found.points) <= most
    assert found.samples == len(values)
    times = [point.at_us for point in found.points]
    assert times == sorted(set(times))
    shown = {times[at] // 1_000_000: point.value for at, point in enumerate(found.points)}
    assert {int(np.argmax(values)), int(np.argmin(values))} <= set(shown)


# -- logs ----------------------------------------------------------------------------------------------------------------


def lines(message: str, times: list[float], level: str = "info", service: str = "web") -> list[LogRecord]:
    return [LogRecord(at, service, level, message) for at in times]


def test_bursts_vanished_and_new_lines_are_told_and_usual_ones_are_not():
    found = logs.changes(
        [
            *lines("usual thing", [float(at) for at in range(0, 4_800, 60)]),
            *lines("heartbeat sent", [float(at) for at in range(0, 3_600, 60)]),
            *lines("retrying the call", [100.0, *(3_700.0 + at for at in range(50))], "warn"),
            *lines("cannot open socket", [4_000.0, 3_900.0], "error"),
            *lines("long ago", [-5.0]),
        ],
        WINDOW,
        BASELINE,
    )
    assert [(one.template, one.change) for one in found.changes] == [
        ("retrying the call", "burst"),
        ("cannot open socket", "new"),
        ("heartbeat sent", "vanished"),
    ]
    assert found.changes[1].first_us == 3_900_000_000
    assert found.changes[2].first_us is None
    assert (found.before, found.after) == (121, 72)


def test_words_that_turn_out_to_be_values_are_one_template():
    names = ["anna", "bert", "cora", "dirk", "emil", "fred"]
    found = logs.changes(
        [one for at, name in enumerate(names) for one in lines(f"user {name} was refused entry", [3_700.0 - at])],
        WINDOW,
        BASELINE,
    )
    assert [(one.template, one.after, one.first_us) for one in found.changes] == [
        ("user <*> was refused entry", 6, 3_695_000_000)
    ]


def test_kinds_of_lines_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "MOST_KINDS", 2)
    found = logs.changes([LogRecord(4_000.0, f"s{number}", "info", "hello") for number in range(9)], WINDOW, BASELINE)
    assert (len(found.changes), found.rest, found.after) == (2, 7, 9)


# -- traces --------------------------------------------------------------------------------------------------------------


def call(at: float, operation: str, own: float = 10.0, **more: object) -> Span:
    span = Span(at, f"t{at}", operation, None, "web", operation, own, "ok")
    return span._replace(**more)


def test_operations_that_appear_vanish_or_fail_are_told():
    found = traces.changes(
        [
            *(call(at, "steady") for at in np.arange(0.0, 4_800.0, 60.0)),
            *(call(at, "old") for at in np.arange(0.0, 3_600.0, 60.0)),
            *(call(at, "new") for at in np.arange(3_600.0, 4_800.0, 60.0)),
            *(call(at, "failing", status="503" if at >= 3_600 else "200") for at in np.arange(0.0, 4_800.0, 60.0)),
            call(-1.0, "before"),
        ],
        WINDOW,
        BASELINE,
    )
    assert [(one.operation, one.calls_before, one.calls_after) for one in found.changes] == [
        ("failing", 60, 20),
        ("new", 0, 20),
        ("old", 60, 0),
    ]
    assert (found.changes[0].errors_before, found.changes[0].errors_after) == (0, 20)
    assert (found.changes[1].self_before_us, found.changes[2].self_after_us) == (None, None)
    assert (found.before, found.after) == (180, 60)


def test_operations_are_bounded_and_time_by_itself_is_never_negative(monkeypatch: pytest.MonkeyPatch):
    parent = call(4_000.0, "parent", 5.0)
    child = call(4_000.0, "child", 50.0, parent="parent", service="db")
    found = traces.changes([parent, child], WINDOW, BASELINE)
    own = {one.operation: one.self_after_us for one in found.changes}
    assert own == {"parent": 0, "child": 50_000}
    assert found.calls == [("web", "db")]
    monkeypatch.setattr(traces, "MOST_OPERATIONS", 3)
    flood = traces.changes([call(4_000.0, f"o{number}") for number in range(10)], WINDOW, BASELINE)
    assert (len(flood.changes), flood.rest) == (3, 7)


def test_the_same_event_far_apart_is_two():
    twice = [Event(at, "deploy", "web", "ana", "2.0") for at in (100.0, 150.0, 500.0)]
    assert [(one.at_us, one.copies) for one in events.each_once(twice)] == [(100_000_000, 2), (500_000_000, 1)]
