"""Load in equal stretches, and what is running."""

import pytest
from support.recorded import Recorded

from twokey.core import canonical
from twokey.tools.read.telemetry.operations.digest import operations, step_of
from twokey.tools.read.telemetry.operations.running import labels_of, running
from twokey.tools.read.telemetry.operations.values import MAX_STRETCHES, OperationsRequest, RunningRequest
from twokey.tools.read.telemetry.port import Interval, Span
from twokey.tools.read.telemetry.values import SeriesName, TelemetryArgs, TelemetryResult

HOUR = Interval(0.0, 3_600.0)


def asked(*metrics: str, step_s: int = 600) -> OperationsRequest:
    return OperationsRequest(
        names=tuple(SeriesName(service="shop", metric=metric) for metric in metrics), step_s=step_s
    )


def test_a_stretch_has_its_mean_and_its_peak_and_nothing_where_nothing_was_measured() -> None:
    held = Recorded(
        {("shop", "load"): [(0, 1), (300, 3), (600, 10), (1_800, 0.5), (3_600, 99)], ("shop", "other"): [(0, 1)]}
    )
    result = operations(held, asked("load", "absent"), HOUR)
    assert (result.start_us, result.step_s, len(result.loads)) == (0, 600, 1)
    load = result.loads[0]
    assert load.means == ("2", "10", None, "0.5", None, None)
    assert load.peaks == ("3", "10", None, "0.5", None, None)
    assert load.samples == 4
    canonical.encode(result.canonical())


def test_there_are_never_more_stretches_than_may_be() -> None:
    assert step_of(Interval(0, 7 * 86_400), 300) == 300
    month = Interval(0, 35 * 86_400)
    step = step_of(month, 60)
    assert step % 60 == 0
    assert month.seconds / step <= MAX_STRETCHES
    held = Recorded({("shop", "load"): [(at * 3_600.0, 1.0) for at in range(35 * 24)]})
    assert len(operations(held, asked("load", step_s=60), month).loads[0].means) <= MAX_STRETCHES


def test_the_asks_are_part_of_the_tool() -> None:
    args = TelemetryArgs.model_validate({"source": "x", "ask": {"kind": "running", "values_of": ["api_key"]}})
    assert isinstance(args.ask, RunningRequest)
    result = running(Recorded({}), RunningRequest(), HOUR)
    whole = TelemetryResult(source="x", about=None, answer=result)
    assert TelemetryResult.model_validate(whole.canonical()) == whole
    assert (result.services, result.labelled, result.series) == ((), (), 0)


@pytest.mark.parametrize(
    ("text", "name", "labels", "whole"),
    [
        ("requests", "requests", {}, True),
        ("requests {region=eu, pod=a1}", "requests", {"region": "eu", "pod": "a1"}, True),
        ('requests{region="eu",path="/a,b=c"}', "requests", {"region": "eu", "path": "/a,b=c"}, True),
        ("requests {}", "requests", {}, True),
        ("requests {region=eu, pod=a", "requests", {"region": "eu"}, False),
        ("x" * 300, "x" * 300, {}, False),
        ("{a=b}", "{a=b}", {}, True),
        ("requests {region=}", "requests", {"region": ""}, True),
    ],
)
def test_labels_are_read_from_the_name(text: str, name: str, labels: dict[str, str], whole: bool) -> None:
    assert labels_of(text) == (name, labels, whole)


def test_hostile_names_cost_little() -> None:
    for text in ("a {" + "b=" * 149, "a {" + "b=c," * 74, "{" * 300, "a {" + '"' * 297, 'a{b="' + "\\" * 295):
        labels_of(text)


def test_what_runs_is_told_with_the_series_that_labels_make() -> None:
    values = {
        ("shop", f"bytes {{user=u{user}, region={'eu' if user % 2 else 'us'}}}"): [(0.0, 1.0), (60.0, 1.0)]
        for user in range(10)
    }
    values[("shop", "load")] = [(0.0, 1.0)]
    values[("gone", "load")] = [(9_999.0, 1.0)]
    traced = [Span(1.0, "t", "s", None, "bot", "POST /v1/chat/completions", 5.0, "ok")]
    result = running(Recorded(values, traced), RunningRequest(values_of=("region", "absent")), HOUR)
    assert [(one.service, one.metrics, one.operations, one.samples) for one in result.services] == [
        ("bot", (), ("POST /v1/chat/completions",), 0),
        ("shop", ("bytes", "load"), (), 21),
    ]
    labelled = result.labelled[0]
    assert (labelled.metric, labelled.series, labelled.samples, labelled.services) == ("bytes", 10, 20, 1)
    assert [(label.label, label.values, label.without) for label in labelled.labels] == [
        ("user", 10, 2),
        ("region", 2, 10),
    ]
    assert [(value.value, value.series) for value in result.values] == [("eu", 5), ("us", 5)]


def test_a_credential_among_the_values_is_shown_as_a_digest() -> None:
    key = "sk-live0123456789ABCDEFabcdef"
    held = Recorded({("shop", f"load {{api_key={key}}}"): [(0.0, 1.0)]})
    result = running(held, RunningRequest(values_of=("api_key",)), HOUR)
    assert result.values[0].value.startswith("sha256:")
    assert key not in str(result.values)


def test_long_lists_are_cut_and_say_so() -> None:
    values = {(f"s{number}", f"m{number} {{k=v{number}}}"): [(0.0, 1.0)] for number in range(600)}
    result = running(Recorded(values), RunningRequest(values_of=("k",)), HOUR)
    assert (len(result.services), result.services_left_out) == (500, 100)
    assert (len(result.labelled), result.labelled_left_out) == (100, 500)
    assert (len(result.values), result.values_left_out) == (500, 100)
    many = {("s", f"m{number}"): [(0.0, 1.0)] for number in range(70)}
    seen = running(Recorded(many), RunningRequest(), HOUR).services[0]
    assert (len(seen.metrics), seen.more) == (60, True)
