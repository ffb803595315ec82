"""The bundles obey the format, the first one shows its cause to whoever looks, and the second one has none."""

import csv
import gzip
import io
import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from twokey.channels.sample import Sample
from twokey.channels.sample.telemetry import CALLS

CAUSED, QUIET = "inc-0412", "inc-0409"
UPSTREAM = {"feature-store", "scoring-api", "gateway", "churn-web", "batch-scorer"}
both = pytest.mark.parametrize("name", [CAUSED, QUIET])


def text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text(path).splitlines()]


def about(bundle: Path) -> dict[str, Any]:
    return json.loads(text(bundle / "incident.json"))


def moment(value: str) -> datetime:
    assert value.endswith("Z")
    return datetime.fromisoformat(value)


def span(bundle: Path, name: str) -> tuple[datetime, datetime]:
    interval = about(bundle)[name]
    assert set(interval) == {"from", "to"}
    return moment(interval["from"]), moment(interval["to"])


def series(bundle: Path) -> dict[tuple[str, str], dict[int, float]]:
    found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(text(bundle / "metrics.csv.gz"), newline="")):
        found[row["service"], row["metric"]][int(row["time"])] = float(row["value"])
    return found


def ratios(bundle: Path, metric: str) -> dict[str, float]:
    """Median of the middle of the window over median of the baseline, per service."""
    start = int(span(bundle, "window")[0].timestamp())
    return {
        service: median(v for t, v in values.items() if start + 300 <= t < start + 1_080)
        / median(v for t, v in values.items() if t < start)
        for (service, name), values in series(bundle).items()
        if name == metric
    }


@both
def test_a_bundle_has_the_files_of_the_format(name: str, sample: Sample) -> None:
    bundle = sample.telemetry / name
    assert {path.name for path in bundle.iterdir()} == {
        "events.jsonl",
        "incident.json",
        "logs.jsonl.gz",
        "metrics.csv.gz",
        "topology.csv",
        "traces.jsonl.gz",
        "truth.json",
    }
    incident = about(bundle)
    assert list(incident) == ["id", "title", "service", "window", "baseline"]
    assert incident["id"] == name
    assert span(bundle, "window")[1] - span(bundle, "window")[0] == timedelta(minutes=30)
    assert span(bundle, "baseline")[1] == span(bundle, "window")[0] < sample.now


@both
def test_gzip_headers_carry_no_time_and_no_name(name: str, sample: Sample) -> None:
    for path in (sample.telemetry / name).glob("*.gz"):
        header = path.read_bytes()[:8]
        assert header[:4] == b"\x1f\x8b\x08\x00"
        assert header[4:8] == bytes(4)


@both
def test_metrics_are_sorted_and_lie_in_window_or_baseline(name: str, sample: Sample) -> None:
    bundle = sample.telemetry / name
    rows = list(csv.reader(io.StringIO(text(bundle / "metrics.csv.gz"), newline="")))
    first, last = span(bundle, "baseline")[0].timestamp(), span(bundle, "window")[1].timestamp()

    assert rows[0] == ["time", "service", "metric", "value"]
    keys = [(service, metric, int(time)) for time, service, metric, _ in rows[1:]]
    assert keys == sorted(set(keys))
    assert all(first <= time < last for *_, time in keys)
    assert all(float(value) >= 0 for *_, value in rows[1:])
    # some samples are missing, as in life
    services = {service for service, *_ in keys}
    assert 0.97 < len(keys) / (150 * 5 * len(services)) < 0.999


@both
def test_topology_names_services_that_are_measured(name: str, sample: Sample) -> None:
    bundle = sample.telemetry / name
    rows = list(csv.reader(io.StringIO(text(bundle / "topology.csv"), newline="")))
    assert rows[0] == ["caller", "callee"]
    assert [tuple(row) for row in rows[1:]] == list(CALLS)
    assert {service for row in rows[1:] for service in row} == {service for service, _ in series(bundle)}


@both
def test_logs_have_the_four_fields_in_order_of_time(name: str, sample: Sample) -> None:
    bundle = sample.telemetry / name
    records = lines(bundle / "logs.jsonl.gz")
    window = span(bundle, "window")

    assert all(list(record) == ["time", "service", "level", "message"] for record in records)
    times = [moment(record["time"]) for record in records]
    assert times == sorted(times)
    assert window[0] - timedelta(minutes=20) <= times[0] < times[-1] < window[1]
    assert {record["level"] for record in records} <= {"DEBUG", "INFO", "WARN", "ERROR"}


@both
def test_spans_form_trees_along_the_topology(name: str, sample: Sample) -> None:
    bundle = sample.telemetry / name
    window = span(bundle, "window")
    traces: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for record in lines(bundle / "traces.jsonl.gz"):
        assert set(record) == {
            "time", "trace_id", "span_id", "parent_id", "service", "operation", "duration_ms", "status",
        }  # fmt: skip
        assert record["status"] in {"ok", "error"}
        assert window[0] - timedelta(minutes=10) <= moment(record["time"]) < window[1]
        traces[record["trace_id"]][record["span_id"]] = record

    assert len(traces) == 80
    for spans in traces.values():
        assert [record["service"] for record in spans.values() if record["parent_id"] is None] == ["churn-web"]
        for record in spans.values():
            if record["parent_id"] is not None:
                parent = spans[record["parent_id"]]
                assert (parent["service"], record["service"]) in CALLS
                assert record["duration_ms"] <= parent["duration_ms"]
                began = moment(record["time"]) - moment(parent["time"])
                ended = began + timedelta(milliseconds=record["duration_ms"])
                assert timedelta(0) <= began
                assert ended <= timedelta(milliseconds=parent["duration_ms"] + 0.01)


@both
def test_events_have_the_five_fields_in_order_of_time(name: str, sample: Sample) -> None:
    records = lines(sample.telemetry / name / "events.jsonl")
    assert all(list(record) == ["time", "kind", "service", "actor", "text"] for record in records)
    assert [record["time"] for record in records] == sorted(record["time"] for record in records)
    assert {"deploy", "config", "page", "ack", "chat"} == {record["kind"] for record in records}


def test_the_cause_is_the_deploy_of_the_feature_store(sample: Sample) -> None:
    bundle = sample.telemetry / CAUSED
    truth = json.loads(text(bundle / "truth.json"))
    (deploy,) = (e for e in lines(bundle / "events.jsonl") if e["kind"] == "deploy" and "3.8.0: lookup" in e["text"])

    assert truth == {"service": "feature-store", "metric": "latency_p95_ms", "fault": "deploy"}
    assert deploy["service"] == truth["service"]
    latency, errors = ratios(bundle, "latency_p95_ms"), ratios(bundle, "error_rate")
    assert max(latency, key=latency.__getitem__) == max(errors, key=errors.__getitem__) == "feature-store"
    for service in latency:
        assert (latency[service] > 2.5) == (errors[service] > 10) == (service in UPSTREAM), service


def test_the_feature_store_is_slow_first_and_after_its_deploy(sample: Sample) -> None:
    bundle = sample.telemetry / CAUSED
    start = span(bundle, "window")[0].timestamp()
    onset: dict[str, float] = {}
    for (service, metric), values in series(bundle).items():
        usual = median(value for time, value in values.items() if time < start)
        late = [time for time, value in values.items() if time >= start and value > 2 * usual]
        if metric == "latency_p95_ms" and late:
            onset[service] = min(late)

    (deploy,) = (moment(e["time"]) for e in lines(bundle / "events.jsonl") if "3.8.0: lookup" in e["text"])
    assert set(onset) == UPSTREAM
    assert onset["feature-store"] < min(onset[service] for service in UPSTREAM - {"feature-store"})
    assert deploy.timestamp() < onset["feature-store"]


def test_the_alert_is_true_and_the_rollback_ends_it(sample: Sample) -> None:
    bundle = sample.telemetry / CAUSED
    start = int(span(bundle, "window")[0].timestamp())
    values = series(bundle)["scoring-api", "latency_p95_ms"]

    assert all(value > 400 for time, value in values.items() if start + 180 <= time < start + 1_200)
    assert all(value < 200 for time, value in values.items() if time < start or time >= start + 1_200)


def test_the_distractor_is_busy_but_neither_slow_nor_failing(sample: Sample) -> None:
    bundle = sample.telemetry / CAUSED
    assert 1.5 < ratios(bundle, "cpu_usage")["model-registry"] < 2
    assert 0.9 < ratios(bundle, "latency_p95_ms")["model-registry"] < 1.1
    assert 0.7 < ratios(bundle, "error_rate")["model-registry"] < 1.4


def test_logs_and_traces_tell_the_same_story(sample: Sample) -> None:
    caused, quiet = (lines(sample.telemetry / name / "logs.jsonl.gz") for name in (CAUSED, QUIET))
    failing = {record["service"] for record in caused if record["level"] == "ERROR"}
    spans = lines(sample.telemetry / CAUSED / "traces.jsonl.gz")

    assert failing == {"feature-store", "scoring-api", "gateway"}
    assert {r["service"] for r in spans if r["status"] == "error"} == UPSTREAM - {"batch-scorer"}
    assert not any(record["level"] == "ERROR" for record in quiet)
    assert all(r["status"] == "ok" for r in lines(sample.telemetry / QUIET / "traces.jsonl.gz"))


def test_in_the_quiet_bundle_nothing_is_wrong_but_a_gap_that_all_share(sample: Sample) -> None:
    bundle = sample.telemetry / QUIET
    start = int(span(bundle, "window")[0].timestamp())

    assert json.loads(text(bundle / "truth.json")) == {"service": None}
    for metric in ("cpu_usage", "error_rate", "latency_p95_ms", "memory_mb", "requests_per_s"):
        assert all(0.75 < ratio < 1.35 for ratio in ratios(bundle, metric).values()), metric
    for values in series(bundle).values():
        assert not {start + 300, start + 360} & values.keys()


def test_the_answer_is_in_truth_json_only(sample: Sample) -> None:
    for name in (CAUSED, QUIET):
        assert "feature-store" not in text(sample.telemetry / name / "incident.json")
        assert "truth" not in text(sample.telemetry / name / "incident.json")
