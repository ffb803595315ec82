"""The tool: digests of a bundle, bounded and honest about it; places and incidents that a run may look at."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.small_bundle import ONSET, START, iso, us, write_bundle

from twokey.core import canonical
from twokey.core.errors import BadInput, NotFound, ToolRetry
from twokey.core.values import Resource
from twokey.tools.contract import Context, OutsideContract, Place, Places
from twokey.tools.local import query_telemetry
from twokey.tools.read.telemetry.sources import Live
from twokey.tools.read.telemetry.tool import QueryTelemetry
from twokey.tools.read.telemetry.values import (
    EventsResult,
    IncidentsResult,
    InventoryResult,
    LogsResult,
    MetricsResult,
    OverviewResult,
    SeriesResult,
    TelemetryArgs,
    TelemetryResult,
    TopologyResult,
    TracesResult,
)


def asker(tool: QueryTelemetry, location: Path | str) -> Callable[..., TelemetryResult]:
    """Asks the tool as a run does that was granted one place."""
    place = Place(Resource(kind="telemetry", id="here", granted_by="config"), str(location))
    context = Context(Places((place,)), now_us=0)

    def ask(kind: str, **more: Any) -> TelemetryResult:
        args = TelemetryArgs.model_validate({"source": "here", "ask": {"kind": kind, **more}})
        result = tool.call(args, context)
        canonical.encode(result.canonical())  # every answer is evidence
        said = tool.summary(args, result)
        assert len(said) <= 400
        assert "basket" not in said
        assert tool.listed(result.canonical()) == []
        return result

    return ask


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TelemetryResult]:
    return asker(query_telemetry(), write_bundle(tmp_path_factory.mktemp("bundles") / "one"))


def test_an_overview_counts_what_is_there(ask: Callable[..., TelemetryResult]):
    result = ask("overview")
    assert isinstance(result.answer, OverviewResult)
    assert {(one.signal, one.before, one.after) for one in result.answer.signals} == {
        ("metrics", 120, 40),
        ("logs", 120, 55),
        ("traces", 300, 145),
        ("events", 0, 3),
        ("topology", 1, 1),
    }
    assert result.answer.services == ("basket", "front", "search")
    assert result.about is not None
    assert (result.about.id, result.about.service) == ("inc-1", "front")
    assert {(one.signal, one.code, one.count) for one in result.shortfalls} == {
        ("logs", "malformed", 1),
        ("traces", "malformed", 1),
    }


def test_the_metric_that_changed_comes_first_with_its_onset(ask: Callable[..., TelemetryResult]):
    answer = ask("metrics").answer
    assert isinstance(answer, MetricsResult)
    basket, search = answer.changes
    assert (basket.service, basket.meaning, basket.before, basket.after) == ("basket", "latency", "21", "401")
    assert (basket.samples_before, basket.samples_after, basket.onset_us) == (60, 20, us(ONSET))
    assert basket.extreme == "402"
    assert basket.abnormal == 750
    assert float(basket.deviation) > 100
    assert (search.onset_us, search.abnormal, search.gap_s) == (None, 0, 0)
    few = ask("metrics", most=1).answer
    assert isinstance(few, MetricsResult)
    assert (len(few.changes), few.left_out) == (1, 1)


def test_points_of_a_series_keep_its_extremes(ask: Callable[..., TelemetryResult]):
    names = [{"service": "basket", "metric": "latency_ms"}, {"service": "nobody", "metric": "x"}]
    answer = ask("series", names=names, most=10).answer
    assert isinstance(answer, SeriesResult)
    (basket,) = answer.series
    assert (basket.samples, len(basket.points) <= 10) == (80, True)
    assert {point.value for point in basket.points} >= {"20", "402"}
    whole = ask("series", names=names).answer
    assert isinstance(whole, SeriesResult)
    assert len(whole.series[0].points) == 80


def test_the_inventory_names_what_there_is(ask: Callable[..., TelemetryResult]):
    answer = ask("inventory", most=1).answer
    assert isinstance(answer, InventoryResult)
    assert [(one.service, one.metric, one.samples) for one in answer.series] == [("basket", "latency_ms", 80)]
    assert answer.left_out == 1


def test_new_lines_come_first_with_their_values_masked(ask: Callable[..., TelemetryResult]):
    answer = ask("logs").answer
    assert isinstance(answer, LogsResult)
    first = answer.changes[0]
    assert (first.service, first.level, first.change, first.before, first.after) == ("basket", "error", "new", 0, 15)
    assert first.template == first.example == "pool of <*> is empty"
    assert first.first_us == us(ONSET)
    assert (answer.lines_before, answer.lines_after) == (120, 55)


def test_the_operation_that_got_slow_first_is_told(ask: Callable[..., TelemetryResult]):
    answer = ask("traces").answer
    assert isinstance(answer, TracesResult)
    first = answer.changes[0]
    assert (first.service, first.operation, first.first_slow, first.slow_from_us) == ("basket", "get", True, us(ONSET))
    assert (first.self_before_us, first.self_after_us) == (10_500, 300_000)
    assert (first.errors_before, first.errors_after, first.retries) == (0, 75, 15)


def test_calls_come_from_the_topology_and_from_traces(ask: Callable[..., TelemetryResult]):
    answer = ask("topology").answer
    assert isinstance(answer, TopologyResult)
    assert [(one.caller, one.callee, one.seen_in) for one in answer.calls] == [
        ("front", "basket", "topology"),
        ("front", "search", "traces"),
    ]


def test_events_come_once_by_time_and_cut(ask: Callable[..., TelemetryResult]):
    answer = ask("events").answer
    assert isinstance(answer, EventsResult)
    assert [(one.kind, one.copies, one.cut) for one in answer.events] == [("deploy", 2, False), ("page", 1, True)]
    few = ask("events", most=1).answer
    assert isinstance(few, EventsResult)
    assert ([one.kind for one in few.events], few.left_out) == (["deploy"], 1)


def test_a_window_takes_the_place_of_the_incidents_own(ask: Callable[..., TelemetryResult]):
    window = {"start_us": us(START - timedelta(minutes=30)), "end_us": us(START - timedelta(minutes=20))}
    result = ask("metrics", scope={"window": window})
    assert isinstance(result.answer, MetricsResult)
    assert {one.samples_after for one in result.answer.changes} == {10}
    assert result.about is not None
    assert result.about.baseline.end_us == window["start_us"]
    assert result.about.baseline.end_us - result.about.baseline.start_us == 3_600_000_000
    both = ask("metrics", scope={"window": window, "baseline": window, "incident": "inc-1"})
    assert both.about is not None
    assert both.about.baseline == both.about.window


def test_what_a_run_may_not_look_at_or_is_not_there(ask: Callable[..., TelemetryResult], tmp_path: Path):
    with pytest.raises(ToolRetry):
        ask("metrics", scope={"incident": "inc-9"})
    with pytest.raises(ToolRetry):
        ask("alerts")
    tool = query_telemetry()
    with pytest.raises(OutsideContract):
        tool.call(
            TelemetryArgs.model_validate({"source": "/etc", "ask": {"kind": "overview"}}), Context(Places(()), now_us=0)
        )
    with pytest.raises(NotFound):
        asker(tool, tmp_path)("overview")


def test_a_folder_of_several_bundles_lists_them_and_needs_a_name(tmp_path: Path):
    write_bundle(tmp_path / "a", "first")
    later = {"from": iso(START + timedelta(days=1)), "to": iso(START + timedelta(days=1, minutes=5))}
    write_bundle(tmp_path / "b", "second", window=later, baseline={"from": iso(START), "to": iso(ONSET)})
    broken = tmp_path / "c"
    broken.mkdir()
    (broken / "incident.json").write_text("{}", encoding="utf-8")
    ask = asker(query_telemetry(), tmp_path)
    listed = ask("incidents").answer
    assert isinstance(listed, IncidentsResult)
    assert [one.id for one in listed.incidents] == ["second", "first"]
    with pytest.raises(ToolRetry):
        ask("overview")
    result = ask("overview", scope={"incident": "first"})
    assert result.about is not None
    assert result.about.id == "first"
    with pytest.raises(ToolRetry):
        ask("overview", scope={"window": {"start_us": 1, "end_us": 2}})


def test_a_bundle_that_cannot_be_used_is_a_sentence(tmp_path: Path):
    broken = tmp_path / "c"
    broken.mkdir()
    (broken / "incident.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput):
        asker(query_telemetry(), broken)("overview")
    long = {"from": iso(START - timedelta(days=40)), "to": iso(START)}
    write_bundle(tmp_path / "long", window=long, baseline=long)
    with pytest.raises(BadInput):
        asker(query_telemetry(), tmp_path / "long")("overview")


def test_a_live_source_without_parts_is_empty_and_no_error():
    ask = asker(QueryTelemetry(lambda _: Live()), "telemetry:prod")
    window = {"window": {"start_us": us(START), "end_us": us(ONSET)}}
    for kind in ("overview", "metrics", "inventory", "logs", "traces", "topology", "events"):
        assert ask(kind, scope=window).shortfalls == ()
    listed = ask("incidents").answer
    assert isinstance(listed, IncidentsResult)
    assert listed.incidents == ()
    with pytest.raises(ToolRetry):
        ask("metrics")
    with pytest.raises(ToolRetry):
        ask("alerts")
