"""The whole review over evidence that lacks this or that."""

from typing import Any

from twokey.agents.incident.operations.book import Book
from twokey.agents.incident.operations.review import findings, ground, heading, review
from twokey.agents.incident.operations.steps import _asks, findings_of  # pyright: ignore[reportPrivateUsage] - what is asked
from twokey.channels import ops_report
from twokey.core.canonical import Json
from twokey.core.values import Step
from twokey.tools.read.telemetry.values import TelemetryArgs

DAY = 86_400_000_000
WINDOW = {"start_us": 0, "end_us": 7 * DAY}
BOOK = Book.model_validate(
    {
        "owners": {"model": "makers", "platform": "platform", "risk": "risk"},
        "endpoints": [
            {
                "name": "scores",
                "service": "scoring",
                "owner": "churn-team",
                "metrics": {"latency": "p95", "requests": "rps", "errors": "err", "errors_are": "per_second"},
                "objective": {"latency_ms": 100, "availability": 99},
            },
            {"name": "answers", "service": "bot"},
        ],
    }
)


def told(answer: dict[str, Any], **more: Any) -> Json:
    return {"source": "x", "about": None, "answer": answer, "shortfalls": [], **more}


def running(**more: Any) -> dict[str, Any]:
    return {"kind": "running", "window": WINDOW, "services": [], "series": 0, "labelled": []} | more


def load(metric: str, values: list[str | None], window: dict[str, int] = WINDOW) -> dict[str, Any]:
    counted = sum(value is not None for value in values)
    one = {"service": "scoring", "metric": metric, "samples": counted, "means": values, "peaks": values}
    return {"kind": "operations", "window": window, "start_us": 0, "step_s": 300, "loads": [one]}


def said(contents: dict[str, Json]) -> dict[tuple[str, str], str]:
    found = ground(contents)
    assert found is not None
    return {(one.subject, one.kind): one.claim for one in review(BOOK, found)}


def test_without_what_is_running_there_is_no_review() -> None:
    assert ground({}) is None
    assert ground({"e-1": {"no": "answer"}, "e-2": told(load("p95", ["1"]))}) is None


def test_what_is_not_measured_is_said_once_with_each_reason() -> None:
    claims = said({"e-1": told(running())})
    text = claims["scores", "not_known"]
    assert "latency against its objective (no samples of latency)" in text
    assert "the error budget (no samples of errors and requests)" in text
    assert "cost (the operations file names no metric for cost)" in text
    assert "scaling (capacity.concurrency_per_replica is not stated)" in text
    assert "latency against its objective (objective.latency_ms is not stated)" in claims["answers", "not_known"]
    assert claims["the platform", "labels"].startswith("the telemetry names no labels")
    assert ("the platform", "deployments") not in claims, "events were not read"


def test_too_few_samples_are_too_few() -> None:
    claims = said({"e-1": told(running()), "e-2": told(load("err", ["1"])), "e-3": told(load("rps", ["0"]))})
    assert "not known of scores" in claims["scores", "not_known"]
    assert "the load to come (too few samples)" in claims["scores", "not_known"]


def test_a_longer_stretch_is_history_and_the_window_is_that_of_what_is_running() -> None:
    long = {"start_us": 0, "end_us": 20 * DAY}
    days: list[str | None] = [str(10 + at) for at in range(20)]
    past = load("rps", days, long) | {"step_s": 86_400}
    contents = {"e-1": told(running()), "e-2": told(load("p95", ["90", None, "200"])), "e-3": told(past)}
    found = ground(contents)
    assert found is not None
    assert heading(found) == "1970-01-01 00:00 UTC to 1970-01-08 00:00 UTC (7 d)"
    claims = said(contents)
    assert "in 50.0 % of 2 stretches of 5 min" in claims["scores", "slo_latency"]
    assert "from 20 days" in claims["scores", "capacity"]


def test_loops_in_traces_and_what_fell_short_are_told_with_their_evidence() -> None:
    change = {
        "service": "db",
        "operation": "get",
        "calls_before": 1,
        "calls_after": 50,
        "self_before_us": 1,
        "self_after_us": 1,
        "errors_before": 0,
        "errors_after": 0,
        "slow_from_us": None,
        "first_slow": False,
        "retries": 4,
    }
    traces = {"kind": "traces", "changes": [change], "spans_before": 1, "spans_after": 50}
    quiet = {"kind": "traces", "changes": [], "spans_before": 0, "spans_after": 0}
    fell = [{"signal": "metrics", "code": "too_much", "count": 5}]
    contents = {"e-000000000001": told(running(), shortfalls=fell), "e-000000000002": told(traces)}
    found = ground(contents)
    assert found is not None
    numbered = findings(review(BOOK, found))
    loops = next(one for one in numbered if one.kind == "ops_retry_loops")
    assert loops.evidence == ("e-000000000002",)
    assert loops.attention
    short = next(one for one in numbered if one.kind == "ops_shortfall")
    assert "metrics too_much" in short.claim
    assert short.evidence == ("e-000000000001",)
    assert ("the platform", "retry_loops") not in said({"e-1": told(running()), "e-2": told(quiet)})
    lines = list(ops_report.lines(numbered))
    assert lines[0].startswith("wants somebody (")
    assert any(line.startswith("not known (") for line in lines)
    assert ops_report.is_review(numbered)
    assert not ops_report.is_review([])


def test_the_owner_of_an_endpoint_answers_for_its_model_and_the_ladder_is_next() -> None:
    found = ground({"e-1": told(running()), "e-2": told(load("p95", ["500"]))})
    assert found is not None
    latency = next(one for one in review(BOOK, found) if one.kind == "slo_latency")
    assert (latency.owner, latency.then, latency.level) == ("churn-team", "platform", "act")


def test_nothing_at_all_is_said_as_such() -> None:
    nothing = findings_of(BOOK, {}, "e-000000000001")
    assert [(one.kind, one.claim) for one in nothing] == [("ops_nothing", "The telemetry holds nothing of that time.")]


def test_a_claim_has_room_for_who_answers_however_long_it_is() -> None:
    services = [{"service": f"s{number}" + "x" * 50, "samples": 1, "metrics": ["tokens" * 40]} for number in range(30)]
    found = ground({"e-000000000001": told(running(services=services))})
    assert found is not None
    for one in findings(review(BOOK, found)):
        assert len(one.claim) <= 1_000
        assert "Answers: " in one.claim


def test_few_asks_are_made_and_an_endpoint_stays_in_one() -> None:
    metrics = {kind: kind for kind in ("latency", "requests", "errors", "queue", "concurrency", "replicas", "cost")}
    many = [{"name": f"e{at}", "service": f"s{at}", "metrics": metrics} for at in range(5)]
    book = Book.model_validate(
        BOOK.model_dump(by_alias=True) | {"endpoints": [*many, {"name": "bare", "service": "bare"}]}
    )
    step = Step(number=1, agent="incident", action="x", args={"from_us": 40 * DAY, "to_us": 47 * DAY})
    asks = _asks(step, book)
    assert list(asks) == ["running", "events", "traces", "load 1", "load 2", "load 3", "past 1"]
    for name, ask in asks.items():
        parsed = TelemetryArgs.model_validate({"source": "x", "ask": ask}).ask
        assert parsed.kind == ask["kind"], name
    services = [{name["service"] for name in asks[f"load {at}"]["names"]} for at in (1, 2, 3)]
    assert services == [{"s0", "s1"}, {"s2", "s3"}, {"s4"}]
    assert asks["past 1"]["names"] == [{"service": f"s{at}", "metric": "requests"} for at in range(5)]
    assert asks["past 1"]["scope"]["window"] == {"start_us": 19 * DAY, "end_us": 47 * DAY}
