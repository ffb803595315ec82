"""How a window differs from its baseline: metrics, lines and spans, on series written for it."""

import numpy as np
import pytest
from tests.support.incident_bundles import START

from twokey.tools.read.telemetry.changes.grid import grid_of
from twokey.tools.read.telemetry.changes.lines import read_lines
from twokey.tools.read.telemetry.changes.meanings import Sense, sense
from twokey.tools.read.telemetry.changes.onsets import shift_of
from twokey.tools.read.telemetry.changes.operations import failed, read_spans
from twokey.tools.read.telemetry.changes.services import harms_of
from twokey.tools.read.telemetry.changes.shares import more, slower
from twokey.tools.read.telemetry.changes.strengths import strengths_of
from twokey.tools.read.telemetry.changes.work import Work
from twokey.tools.read.telemetry.port import Interval, LogRecord, Series, Span

WINDOW = Interval(START, START + 600)
BASELINE = Interval(START - 6_000, START)


def series(metric: str, before: float, after: float, service: str = "a", noise: float = 0.01) -> Series:
    """One sample a minute: around ``before`` in the baseline, around ``after`` in the window."""
    times = np.arange(BASELINE.start, WINDOW.end, 60)
    random = np.random.default_rng(7)
    levels = np.where(times < START, before, after) * (1 + noise * random.standard_normal(len(times)))
    return Series(service, metric, times, levels)


def strength(*given: Series, baseline: Interval = BASELINE) -> tuple[float, float]:
    measured = strengths_of(grid_of(given, WINDOW, baseline))
    return float(measured.up[0, 0]), float(measured.down[0, 0])


@pytest.mark.parametrize(
    ("metric", "meaning"),
    [
        ("latency_p95_ms", Sense("latency", tail=0.05)),
        ("HTTPServerDuration_P99", Sense("latency", tail=0.01)),
        ("client_latency_p50", Sense("latency", client=True, tail=0.5)),
        ("outboundRequestDurationSeconds", Sense("latency", client=True)),
        ("http_5xx_total", Sense("errors")),
        ("requests_failed", Sense("errors")),
        ("Availability", Sense("availability")),
        ("success_rate", Sense("availability")),
        ("cpu_usage", Sense("saturation")),
        ("queue_depth", Sense("saturation")),
        ("heap_used", Sense("saturation", memory=True)),
        ("requests_per_s", Sense("traffic")),
        ("node_cpu_usage", Sense("other")),
        ("temperature", Sense("other")),
    ],
)
def test_a_metric_is_understood_by_common_words(metric: str, meaning: Sense) -> None:
    found = sense(metric)
    assert (found.meaning, found.client, found.memory) == (meaning.meaning, meaning.client, meaning.memory)
    assert found.tail == (None if meaning.tail is None else pytest.approx(meaning.tail))


def test_a_clear_rise_is_strong_and_noise_is_nothing() -> None:
    assert strength(series("latency", 100, 400))[0] > 4
    assert strength(series("latency", 100, 101)) == (0, 0)
    assert strength(series("latency", 100, 20))[1] > 3


def test_a_tiny_change_of_a_constant_series_is_small() -> None:
    assert 0 < strength(series("latency", 100, 120, noise=0))[0] < 1


def test_a_single_spike_is_no_change() -> None:
    spiked = series("latency", 100, 100)
    spiked.values[-3] = 9_999
    assert strength(spiked)[0] == 0


def test_availability_counts_by_what_is_missing() -> None:
    assert strength(series("availability", 100, 95, noise=0))[0] > 2
    assert strength(series("availability", 1, 0.95, noise=0))[0] > 2
    assert strength(series("availability", 95, 100, noise=0.001))[0] == 0


def test_a_distant_baseline_makes_no_change_of_a_level_that_was_there_all_along() -> None:
    far = Interval(START - 600_000, START - 594_000)
    moved = series("latency", 100, 400)
    old = Series("a", "latency", moved.times - (START - far.end) * (moved.times < START), moved.values)
    assert strength(old, baseline=far)[0] < 0.2
    started = old.values.copy()
    started[-10:-6] = 100
    assert strength(Series("a", "latency", old.times, started), baseline=far)[0] > 3


def test_hardly_any_baseline_says_nothing() -> None:
    assert strength(series("latency", 100, 900), baseline=Interval(START - 300, START)) == (0, 0)


def test_nothing_at_all_is_no_harm() -> None:
    grid = grid_of((), WINDOW, BASELINE)
    harms = harms_of(grid, strengths_of(grid), ["a"])
    assert harms.services == ("a",)
    assert all(not values.any() for values in harms.found.values())


def test_a_shift_tells_when_it_began_in_its_own_unit() -> None:
    changed = series("availability", 99, 99, noise=0.0001)
    changed.values[-6:] = 80
    grid = grid_of((changed,), WINDOW, BASELINE)
    shift = shift_of(grid, strengths_of(grid), 0)
    assert shift.before == pytest.approx(99, rel=0.01)
    assert (shift.extreme, shift.onset, shift.abnormal) == (80, START + 240, 0.6)
    assert shift.deviation < -5
    assert shift.gap == 0


def test_a_gap_is_measured_and_a_hole_in_all_series_is_none() -> None:
    whole, holed = series("latency", 9, 9, "b"), series("latency", 9, 9)
    inside = (holed.times < START + 60) | (holed.times >= START + 540)
    holed = Series("a", "latency", holed.times[inside], holed.values[inside])
    grid = grid_of((holed, whole), WINDOW, BASELINE)
    assert shift_of(grid, strengths_of(grid), 0).gap == 480
    assert harms_of(grid, strengths_of(grid)).found["silent"][:, 0].tolist()[1] == 0
    alone = grid_of((holed,), WINDOW, BASELINE)
    assert harms_of(alone, strengths_of(alone)).found["silent"][0, 0] == 0


def test_samples_that_stay_away_in_one_service_are_a_harm() -> None:
    gone = series("cpu", 9, 9)
    gone = Series("a", "cpu", gone.times[:-10], gone.values[:-10])
    grid = grid_of((gone, series("cpu", 9, 9, "b"), series("cpu", 9, 9, "c")), WINDOW, BASELINE)
    silent = harms_of(grid, strengths_of(grid)).found["silent"]
    assert silent[0, 0] > 5
    assert not silent[1:].any()


def test_memory_that_falls_to_less_than_half_is_a_restart() -> None:
    grid = grid_of((series("memory_mb", 500, 100), series("memory_mb", 500, 450, "b")), WINDOW, BASELINE)
    restarted = harms_of(grid, strengths_of(grid)).found["restarted"][:, 0]
    assert restarted[0] > 3
    assert restarted[1] == 0


def test_few_observations_make_a_small_strength() -> None:
    assert slower([2, 2, 2, 2], [80, 80, 80, 80]) > slower([2, 2], [80, 80]) > 1
    assert slower([], [80, 80], usual=3) > 1
    assert slower([], [80, 80]) == slower([2, 2], []) == 0
    assert slower([80, 80], [2, 2]) == 0


def test_more_of_something_counts_beyond_volume_and_chance() -> None:
    assert more(10, 100, 1_000, 10_000) == 0
    assert more(10, 100, 1_000, 1_000) > 5
    assert more(10, 12, 1_000, 1_000) == 0
    assert 0 < more(0, 7, 0, 1_000) < more(0, 70, 0, 1_000)


def logged(service: str, *messages: str, at: float = START - 60, level: str = "info") -> list[LogRecord]:
    return [LogRecord(at, service, level, message) for message in messages]


def test_errors_are_told_by_level_or_word_and_hearsay_counts_less() -> None:
    before = logged("payer", *(f"charged {at}" for at in range(100)))
    after = [
        *logged("payer", *(f"boom {at}" for at in range(50)), at=START, level="error"),
        *logged("shop", *(f"Exception: payer refused {at}" for at in range(50)), at=START + 1, level=""),
    ]
    services = read_lines([*before, *after], START, Work((), WINDOW), ["payer", "shop"]).services
    assert (services["payer"].own, services["payer"].hearsay) == ([0, 50], [0, 50])
    assert (services["shop"].own, services["shop"].hearsay) == ([0, 0], [0, 50])
    assert services["payer"].errors > services["shop"].errors > 0
    assert services["shop"].first_error == START + 1


def test_a_service_that_always_complains_does_so_no_more_where_others_fall_silent() -> None:
    def told(start: float, spoken: int) -> list[LogRecord]:
        grumbles = (
            line for at in range(40) for line in logged("old", f"no licence {at}", at=start + 9 * at, level="error")
        )
        others = (line for at in range(spoken) for line in logged("busy", f"done {at}", at=start + 360 * at / spoken))
        return [*grumbles, *others]

    services = read_lines([*told(START - 360, 2_000), *told(START, 100)], START, Work((), WINDOW)).services
    assert services["old"].errors == 0


def spans(start: float, way: float = 3, own: float = 5, status: str | None = None, inner: bool = True) -> list[Span]:
    found: list[Span] = []
    for at in range(20):
        trace, time = f"{start}/{at}", start + at
        found.append(Span(time, trace, "0", None, "front", "page", own + way + 12, status))
        found.append(Span(time, trace, "1", "0", "front", "call", own + way + 10, status))
        found.append(Span(time, trace, "2", "1", "back", "answer", own + 10, status))
        if inner:
            found.append(Span(time, trace, "3", "2", "back", "query", 10, None))
    return found


def test_a_slow_way_and_slow_work_are_told_apart() -> None:
    before = spans(START - 100)
    waiting = read_spans([*before, *spans(START, way=900)], START)
    assert waiting.ways["front", "back"].strength > 5
    assert waiting.own["back", "answer"].strength == 0
    working = read_spans([*before, *spans(START, own=900)], START)
    assert working.ways["front", "back"].strength == 0
    assert working.own["back", "answer"].strength > 5
    assert working.own["back", "answer"].since() == START


def test_the_deepest_span_that_failed_is_blamed() -> None:
    before = spans(START - 100)
    found = read_spans([*before, *spans(START, status="ERROR", inner=False)], START).services
    assert (found["back"].errors_after, found["front"].errors_after) == (20, 0)


def test_work_that_calls_another_by_itself_is_slow_by_itself() -> None:
    """Where the caller's side has no span of its own, the way to the other cannot be told from the caller's work."""

    def called(start: float, own: float) -> list[Span]:
        pairs = (
            (
                Span(start + at, f"{start}/{at}", "1", None, "front", "page", own + 10, None),
                Span(start + at, f"{start}/{at}", "2", "1", "back", "answer", 10, None),
            )
            for at in range(20)
        )
        return [span for pair in pairs for span in pair]

    found = read_spans([*called(START - 100, 5), *called(START, 900)], START)
    assert found.own["front", "page"].strength > 5
    assert found.own["back", "answer"].strength == 0
    assert found.ways["front", "back"].strength == 0


@pytest.mark.parametrize(
    ("status", "bad"),
    [(None, False), ("ok", False), ("200", False), ("404", False), ("503", True), ("Error", True), ("2", True)],
)
def test_a_status_says_whether_a_span_failed(status: str | None, bad: bool) -> None:
    assert failed(status) is bad
