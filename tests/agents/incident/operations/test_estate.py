"""What is registered, what is not, and what labels cost."""

from typing import Any

import pytest

from twokey.agents.incident.operations import estate
from twokey.agents.incident.operations.book import Book
from twokey.tools.read.telemetry.operations.values import RunningResult, ServiceSeen
from twokey.tools.read.telemetry.values import EventSeen, EventsResult

DAY = 86_400_000_000
LEAST = {
    "owners": {"model": "a", "platform": "b", "risk": "c"},
    "endpoints": [{"name": "scores", "service": "scoring"}],
}


def book(**more: Any) -> Book:
    return Book.model_validate(LEAST | more)


def running(**more: Any) -> RunningResult:
    return RunningResult.model_validate(
        {"window": {"start_us": 0, "end_us": DAY}, "services": [], "series": 0, "labelled": []} | more
    )


def event(service: str, actor: str, kind: str = "deploy", at: int = 0) -> EventSeen:
    return EventSeen(at_us=at * DAY, kind=kind, service=service, actor=actor, text="x")


@pytest.mark.parametrize(
    ("metrics", "operations", "told"),
    [
        (["prompt_tokens_per_s"], [], True),
        (["inferenceLatencyMs"], [], True),
        (["gpu.utilisation"], [], True),
        (["time_to_first_token"], [], True),
        ([], ["POST /v1/chat/completions"], True),
        ([], ["/api/predict"], True),
        ([], ["Embeddings.create"], True),
        (["requests_per_s", "latency_p95_ms", "cpu_usage"], ["GET /accounts"], False),
        (["completed_orders"], ["POST /completionist"], False),
        (["general_errors", "score_board_views"], ["/scoreboard"], False),
    ],
)
def test_a_model_endpoint_is_told_by_what_it_measures_and_is_asked(
    metrics: list[str], operations: list[str], told: bool
) -> None:
    seen = ServiceSeen(service="x", samples=1, metrics=tuple(metrics), operations=tuple(operations))
    assert bool(estate.serves(seen)) == told


def test_only_endpoints_that_are_not_registered_are_named() -> None:
    seen = [{"service": name, "samples": 1, "metrics": ["tokens"]} for name in ("scoring", "known", "strange")]
    said = estate.endpoints(book(register={"endpoints": ["known"]}), running(services=seen, services_left_out=3))
    assert len(said) == 1
    assert said[0][1] == "act"
    assert "strange (tokens); 3 services were not looked at" in said[0][2]
    assert estate.endpoints(book(register={"endpoints": ["known", "strange"]}), running(services=seen))[0][1] == "fine"


def test_keys_are_compared_with_the_register_or_with_nothing() -> None:
    used = [{"label": "api_key", "value": name, "services": ["gateway"], "series": 1} for name in ("web", "trial")]
    listed = {"key_labels": ["api_key"], "keys": ["web"]}
    assert estate.keys(book(), running(values=used))[0][1] == "unknown"
    assert estate.keys(book(register=listed), running())[0][1] == "unknown"
    said = estate.keys(book(register=listed), running(values=used, values_left_out=2))[0]
    assert said[1] == "act"
    assert "of 2 keys in use 1 not registered: trial at gateway; 2 values were not given" in said[2]
    assert estate.keys(book(register=listed), running(values=used[:1]))[0][1] == "fine"


def test_deployments_are_counted_and_compared() -> None:
    done = [event("a", "bot", at=1), event("a", "eve", at=1), event("b", "bot", at=2), event("a", "bot", "page")]
    told = estate.deployments(book(register={"deployments": {"a": ["bot"]}}), EventsResult(events=tuple(done)), 7)
    assert told[0][2] == "3 deployments of 2 services, 0.43 a day; most on 1970-01-02 (2): a 2, b 1."
    assert [one[2] for one in told[1:]] == [
        "deployed and not registered for it: b (1 service).",
        "deployed by somebody whom the register does not list for it: a by eve (1 in all).",
    ]
    anybody = book(register={"deployments": {"a": [], "b": []}})
    assert estate.deployments(anybody, EventsResult(events=tuple(done)), 7)[1][1] == "fine"
    assert estate.deployments(book(), EventsResult(events=tuple(done), left_out=5), 7)[0][2].startswith("at least 3")
    assert estate.deployments(book(), EventsResult(events=tuple(done)), 7)[1][1] == "unknown"
    assert estate.deployments(book(), EventsResult(events=()), 7)[0][1] == "fine"
    assert estate.deployments(book(), EventsResult(events=(), left_out=5), 7)[0][1] == "unknown"


def labelled(series: int, *labels: tuple[str, int, int]) -> dict[str, Any]:
    return {
        "metric": "bytes",
        "services": 1,
        "series": series,
        "samples": series * 10,
        "labels": [{"label": label, "values": values, "without": without} for label, values, without in labels],
    }


def test_the_label_without_which_the_fewest_series_are_left_is_proposed_for_a_trim() -> None:
    metric = labelled(2_000, ("user", 500, 4), ("pod", 200, 900), ("region", 4, 1_900))
    priced = book(labels={"price_per_1000_series": 8})
    said = estate.labels(priced, running(labelled=[metric]), 2)
    assert said[0][2] == (
        "label user of bytes has 500 values: 2,000 series, 10,000 samples a day; 4 without it; 16.00 EUR a month would be"
        " 0.032 EUR. Proposed trim: drop the label, or sum over it before it is stored."
    )
    kept = estate.labels(book(labels={"keep": ["user"]}), running(labelled=[metric]), 2)
    assert "label pod of bytes" in kept[0][2]
    assert "what series cost is not stated" in kept[0][2]
    assert estate.labels(book(), running(labelled=[labelled(9, ("region", 4, 3))]), 2)[0][1] == "fine"
    assert estate.labels(book(), running(), 2)[0][1] == "unknown"
    assert len(estate.labels(book(), running(labelled=[metric] * 9), 2)) == 5


def test_hostile_names_do_nothing_where_they_are_shown() -> None:
    evil = "<img src=x>@sam [a](http://evil.example) `rm`\u202e"
    seen = [{"service": evil, "samples": 1, "metrics": ["tokens", "prompt </td>"]}]
    used = [{"label": "api_key", "value": evil, "services": [evil], "series": 1}]
    listed = book(register={"key_labels": ["api_key"], "keys": []})
    told = [
        *estate.endpoints(listed, running(services=seen)),
        *estate.keys(listed, running(values=used)),
        *estate.deployments(listed, EventsResult(events=(event(evil, evil),)), 7),
    ]
    for _, _, text in told:
        assert not set(text) & set("<>@[]`\u202e")
        assert "://" not in text
