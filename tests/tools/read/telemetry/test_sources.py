"""Live sources: parts put side by side, one that is away is told, alerts come through the tool."""

from collections.abc import Iterator

import pytest
from support.small_bundle import START

from twokey.core.errors import EnvironmentFault
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.read.telemetry import sources
from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.firing import Firing
from twokey.tools.read.telemetry.port import Edge, Event, Incident, Interval, Series, Shortfall, Span
from twokey.tools.read.telemetry.sources import Live
from twokey.tools.read.telemetry.tool import QueryTelemetry
from twokey.tools.read.telemetry.values import AlertsResult, TelemetryArgs

NOW = START.timestamp()
WITHIN = Interval(NOW, NOW + 600)


class Metrics:
    """Two alerts and nothing else."""

    def series(self, within: Interval) -> tuple[Series, ...]:
        del within
        return ()

    def alerts(self) -> tuple[Firing, ...]:
        return (
            Firing("Slow", "basket", "page", "firing", NOW + 60, "it is slow"),
            Firing("Full", "disk", "ticket", "pending", NOW, ""),
        )

    def shortfalls(self) -> tuple[Shortfall, ...]:
        return ()


class Pages:
    """One incident with one page."""

    def incidents(self) -> tuple[Incident, ...]:
        return (Incident("alert-1", "slow", "basket", WITHIN, Interval(NOW - 3_600, NOW)),)

    def events(self) -> tuple[Event, ...]:
        return (Event(NOW + 1, "page", "basket", "pager", "slow"), Event(NOW - 9_999, "page", "basket", "pager", "old"))


def away(within: Interval, tally: Tally) -> Iterator[Event]:
    del within, tally
    raise EnvironmentFault("It is away.", next="Wait.")
    yield


def many(within: Interval, tally: Tally) -> Iterator[Event]:
    del tally
    return iter([Event(within.start + at, "deploy", "web", "ana", str(at)) for at in range(9)])


def test_alerts_that_fire_come_through_the_tool_bounded():
    tool = QueryTelemetry(lambda _: Live(metrics=Metrics()))
    place = Place(Resource(kind="telemetry", id="prod", granted_by="config"), "telemetry:prod")
    args = TelemetryArgs.model_validate({"source": "prod", "ask": {"kind": "alerts", "most": 1}})
    result = tool.call(args, Context(Places((place,)), now_us=0))
    assert isinstance(result.answer, AlertsResult)
    [alert] = result.answer.alerts
    assert (alert.id, alert.state, alert.since_us) == ("Slow/basket", "firing", round((NOW + 60) * 1_000_000))
    assert result.answer.left_out == 1
    assert tool.summary(args, result) == "1 alerts of 2 of the telemetry."


def test_a_part_that_is_away_is_told_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch):
    live = Live(pages=Pages(), event_parts=[away, many])
    assert [event.text for event in live.events(WITHIN)] == ["0", "1", "slow", *map(str, range(2, 9))]
    assert live.shortfalls() == (Shortfall("events", "unreadable", 1),)
    monkeypatch.setattr(sources, "MOST_EVENTS", 3)
    few = Live(pages=Pages(), event_parts=[many])
    assert len(few.events(WITHIN)) == 3
    assert few.shortfalls() == (Shortfall("events", "too_much", 3),)


def test_incidents_are_known_by_their_id():
    live = Live(pages=Pages())
    assert live.of("alert-1") is live
    assert live.of("alert-2") is None
    assert Live().of("alert-1") is None


def test_spans_and_edges_of_all_parts_come_once():
    def spans(within: Interval, tally: Tally) -> Iterator[Span]:
        del tally
        return iter([Span(within.start, "t", "s", None, "web", "get", 1.0, None)])

    def edges(tally: Tally) -> tuple[Edge, ...]:
        del tally
        return (Edge("web", "basket"), Edge("a", "b"))

    live = Live(span_parts=[spans, spans], edge_parts=[edges, edges])
    assert len(list(live.spans(WITHIN))) == 2
    assert live.edges() == (Edge("a", "b"), Edge("web", "basket"))
