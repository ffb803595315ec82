"""One line of time: in order, each thing once, and nothing that somebody only says."""

from datetime import UTC, datetime

from twokey.agents.incident.material import Held, Material
from twokey.agents.incident.recovery import recovered
from twokey.agents.incident.timeline import kind_of, timeline
from twokey.tools.read.telemetry.values import (
    About,
    EventSeen,
    EventsResult,
    LogChange,
    LogsResult,
    MetricChange,
    MetricsResult,
    OperationChange,
    Point,
    Points,
    Stretch,
    TracesResult,
)

START = int(datetime(2026, 1, 2, 3, 0, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000
ABOUT = About(
    id="i-1",
    title="slow",
    service="web",
    window=Stretch(start_us=START, end_us=START + 30 * MINUTE),
    baseline=Stretch(start_us=START - 60 * MINUTE, end_us=START),
)


def change(
    service: str, metric: str, onset: int | None, *, abnormal: int = 900, meaning: str = "latency"
) -> MetricChange:
    return MetricChange.model_validate(
        {
            "service": service,
            "metric": metric,
            "meaning": meaning,
            "samples_before": 60,
            "samples_after": 30,
            "before": "10",
            "after": "90",
            "extreme": "120",
            "extreme_us": START + 9 * MINUTE,
            "deviation": "40",
            "abnormal": abnormal,
            "onset_us": onset,
            "gap_s": 0,
        }
    )


def event(minute: float, kind: str, text: str = "", *, service: str = "web", actor: str = "ana") -> EventSeen:
    return EventSeen(at_us=START + int(minute * MINUTE), kind=kind, service=service, actor=actor, text=text)


def with_events(*events: EventSeen, changes: tuple[MetricChange, ...] = ()) -> Material:
    return Material(
        ABOUT,
        "t",
        "e-1",
        metrics=Held("e-2", MetricsResult(changes=changes)),
        events=Held("e-3", EventsResult(events=events)),
    )


def test_events_come_in_order_and_the_same_page_once_with_all_that_tell_it() -> None:
    found = timeline(
        with_events(
            event(9, "ack", "on it"),
            event(8.5, "page", "slow!"),
            event(8, "page", "Slow"),
            event(1, "deploy", "web 2"),
            event(20, "page", "slow"),
        )
    )
    assert [(one.kind, (one.at_us - START) // MINUTE, one.copies) for one in found] == [
        ("change", 1, 1),
        ("page", 8, 2),
        ("ack", 9, 1),
        ("page", 20, 1),
    ]


def test_what_an_event_is_follows_from_its_kind_and_never_from_what_it_claims() -> None:
    assert kind_of(event(5, "chat", "I rolled it back, root cause found"), START) == "said"
    assert kind_of(event(5, "deploy", "web 1: rollback of web 2"), START) == "mitigation"
    assert kind_of(event(5, "deploy", "web 1: rollback of web 2"), START + 6 * MINUTE) == "change"
    assert kind_of(event(5, "deploy", "web 2"), START) == "change"
    assert kind_of(event(5, "Feature Flag", ""), None) == "change"
    assert kind_of(event(5, "coffee", ""), None) == "other"


def test_the_onset_is_the_first_lasting_change_for_the_worse() -> None:
    changes = (
        change("web", "latency", START + 4 * MINUTE),
        change("db", "latency", START + 3 * MINUTE),
        change("web", "cpu", START + MINUTE, meaning="saturation"),
        change("web", "errors", START + 2 * MINUTE, abnormal=100),
        change("mail", "latency", START),
    )
    onset = next(one for one in timeline(with_events(changes=changes), ["db"]) if one.kind == "onset")
    assert (onset.service, onset.at_us, onset.evidence) == ("db", START + 3 * MINUTE, ("e-2",))


def test_without_metrics_operations_and_then_lines_tell_when_it_began() -> None:
    operation = OperationChange(
        service="web",
        operation="get",
        calls_before=10,
        calls_after=10,
        self_before_us=1,
        self_after_us=9,
        errors_before=0,
        errors_after=0,
        slow_from_us=START + 5 * MINUTE,
        first_slow=True,
        retries=0,
    )
    line = LogChange(
        service="web",
        level="ERROR",
        template="x",
        before=0,
        after=9,
        first_us=START + 6 * MINUTE,
        change="new",
        example="x",
    )
    logs = Held("e-5", LogsResult(changes=(line,), lines_before=1, lines_after=9))
    traces = Held("e-4", TracesResult(changes=(operation,), spans_before=10, spans_after=10))
    both = Material(ABOUT, "t", "e-1", traces=traces, logs=logs)
    assert [(one.kind, one.evidence) for one in timeline(both)] == [("onset", ("e-4",))]
    assert [one.evidence for one in timeline(Material(ABOUT, "t", "e-1", logs=logs))] == [("e-5",)]
    assert timeline(Material(ABOUT, "t", "e-1")) == ()


def series(*values: float) -> Material:
    points = tuple(Point(at_us=START + at * MINUTE, value=str(value)) for at, value in enumerate(values, -10))
    held = Held("e-6", Points(service="web", metric="latency", samples=len(points), points=points))
    return Material(ABOUT, "t", "e-1", series={("web", "latency"): held})


USUAL = (10.0, 10.2, 9.9, 10.1, 10.0, 9.8, 10.0, 10.1, 10.0, 9.9)


def test_it_is_well_again_at_the_first_usual_point_that_stays_so() -> None:
    found = recovered(series(*USUAL, 90, 95, 10, 91, 10, 10.1, 9.9, 10), "web", "latency", START)
    assert found is not None
    assert (found.at_us, found.evidence) == (START + 4 * MINUTE, ("e-6",))


def test_nothing_is_said_of_a_recovery_that_the_points_do_not_show() -> None:
    assert recovered(series(*USUAL, 90, 95, 10, 10), "web", "latency", START) is None
    assert recovered(series(*USUAL, 90, 95, 94), "web", "latency", START) is None
    assert recovered(series(*USUAL, 10, 10, 10, 10), "web", "latency", START) is None
    assert recovered(series(90, 10), "web", "latency", START - 9 * MINUTE) is None
    assert recovered(series(*USUAL), "web", "errors", START) is None
