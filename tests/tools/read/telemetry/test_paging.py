"""What deliveries tell: the documented shapes, and nothing from any other; incidents whatever the order they come in."""

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.alert_scene import alert, group, pager

from twokey.tools.read.telemetry.episodes import BEGUN, Delivered, begun_since, events, goes_on, incidents
from twokey.tools.read.telemetry.paging import MOST_ALERTS, Page, told

LABELS = ("service", "job")
T0, T1, T2 = "2026-11-30T07:00:00Z", "2026-11-30T07:10:00Z", "2026-11-30T07:40:00Z"
S0 = 1_796_022_000.0
DAY = 24 * 3_600.0


def alerts(payload: Any) -> tuple[Page, ...]:
    found = told("alertmanager", json.dumps(payload).encode(), LABELS)
    assert found is not None
    return found


def pages(payload: Any) -> tuple[Page, ...]:
    found = told("pagerduty", json.dumps(payload).encode(), LABELS)
    assert found is not None
    return found


def test_an_alert_pages_and_is_resolved():
    first, second, over = alerts(group(alert("Slow", T0), alert("Down", T1, ended=T2, service="search")))
    assert (first.happened, first.at, first.title, first.service, first.who) == (
        "page",
        S0,
        "Slow of basket",
        "basket",
        "alertmanager",
    )
    assert (second.happened, over.happened, over.at) == ("page", "resolved", S0 + 2_400)
    assert second.key == over.key != first.key
    assert {one.group for one in (first, second, over)} == {first.group}


def test_a_pager_tells_who_took_over_and_that_it_was_over():
    [page] = pages(pager("triggered", T0))
    [ack] = pages(pager("acknowledged", T1, created=T0))
    [over] = pages(pager("resolved", T2, created=T0))
    [again] = pages(pager("reopened", T2, created=T0))
    assert (page.happened, page.at, page.title, page.service) == ("page", S0, "basket is slow", "basket")
    assert (ack.happened, ack.at, ack.who, ack.key) == ("ack", S0 + 600, "Kim Diaz", page.key)
    assert (over.happened, over.key) == ("resolved", page.key)
    assert (again.happened, again.group, again.key == page.key) == ("page", page.group, False)
    assert pages(pager("annotated", T1)) == ()


@pytest.mark.parametrize("kind", ["alertmanager", "pagerduty"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"version": "3", "groupKey": "x", "alerts": []}',
        b'{"version": "4", "groupKey": 3, "alerts": []}',
        b'{"version": "4", "groupKey": "x", "alerts": {}}',
        b'{"event": []}',
        b'{"event": {"resource_type": "service", "occurred_at": "2026-11-30T07:00:00Z", "data": {"id": "x"}}}',
        b'{"event": {"resource_type": "incident", "occurred_at": "soon", "data": {"id": "x"}}}',
        b'{"event": {"resource_type": "incident", "occurred_at": "2026-11-30T07:00:00Z", "data": {"id": 7}}}',
    ],
)
def test_what_is_no_such_document_tells_nothing(kind: Any, body: bytes):
    assert told(kind, body, LABELS) is None


def test_what_an_alert_lacks_is_missing_and_what_it_says_is_cut():
    odd: list[Any] = [
        "x",
        {},
        alert("a", "yesterday"),
        alert("b", T0, fingerprint=""),
        alert("c", T0, status="dreaming"),
        alert("d", T0, labels=[], annotations="x"),
        alert("e", T1, ended=T0),
        alert("f", T0, annotations={"summary": "two\nlines\u2028\x1b[31m" + "x" * 5_000 + "\ud800"}),
    ]
    bare, early, long = alerts(group(alerts=odd))
    assert (bare.title, bare.service) == ("", "")
    assert early.happened == "page", "an end before the beginning is none"
    assert long.title.startswith("two lines [31mxxx")
    assert len(long.title) == 300
    assert len(alerts(group(*(alert(f"a{n}", T0) for n in range(MOST_ALERTS + 50))))) == MOST_ALERTS


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_json_is_read_or_passed_over(value: Any):
    for kind in ("alertmanager", "pagerduty"):
        told(kind, json.dumps(value).encode(), LABELS)
        told(
            kind,
            json.dumps(
                group(value)
                if isinstance(value, dict) and "status" in value
                else {"version": "4", "groupKey": "x", "alerts": [value]}
            ).encode(),
            LABELS,
        )
        told(
            kind,
            json.dumps(
                {
                    "event": {
                        "resource_type": "incident",
                        "occurred_at": T0,
                        "event_type": "incident.triggered",
                        "data": value,
                        "agent": value,
                    }
                }
            ).encode(),
            LABELS,
        )


# -- incidents -----------------------------------------------------------------------------------------------------------


def delivered(number: int, payload: Any, *, after: float = 60.0, code: str = "noted") -> Delivered:
    return Delivered(f"i-{number:012d}", S0 + after, code, alerts(payload))


def test_a_group_that_goes_on_begins_one_incident():
    begun = delivered(1, group(alert("Slow", T0)), code=BEGUN)
    assert goes_on([begun], alerts(group(alert("Slow", T0))), S0 + 120, DAY), "told again"
    assert goes_on([begun], alerts(group(alert("Down", T1))), S0 + 700, DAY), "another alert of the group"
    assert not goes_on([begun], alerts(group(alert("Down", T1), key="other")), S0 + 700, DAY), "another group"
    assert not goes_on([delivered(1, group(alert("Slow", T0)))], alerts(group(alert("Down", T1))), S0 + 700, DAY)
    over = delivered(2, group(alert("Slow", T0, ended=T1)))
    assert not goes_on([begun, over], alerts(group(alert("Slow", T2))), S0 + 2_500, DAY), "it was over before"
    assert goes_on([begun, over], alerts(group(alert("Down", T0))), S0 + 2_500, DAY), "it began before that"
    assert not goes_on([begun], alerts(group(alert("Down", T1))), S0 + 2 * DAY, DAY), "its end was never told"


def test_order_and_repetition_make_no_difference():
    kept = [
        delivered(1, group(alert("Slow", T0)), code=BEGUN),
        delivered(2, group(alert("Slow", T0), alert("Down", T1))),
        delivered(3, group(alert("Slow", T0, ended=T2), alert("Down", T1, ended=T2))),
        delivered(4, group(alert("Slow", T0))),
    ]
    now = S0 + 2 * 3_600
    told_first = incidents(kept, 900.0, now), events(kept)
    for order in permutations(kept):
        assert (incidents(order, 900.0, now), events(order)) == told_first
    [one] = told_first[0]
    assert (one.id, one.title, one.service) == ("alert-000000000001", "Slow of basket", "basket")
    assert (one.window.start, one.window.end) == (S0 - 900, S0 + 2_400 + 300)
    assert one.baseline.end == one.window.start
    assert [(event.kind, event.time - S0) for event in told_first[1]] == [
        ("page", 0),
        ("page", 600),
        ("resolved", 2_400),
        ("resolved", 2_400),
    ]


def test_an_incident_that_goes_on_reaches_to_now_and_not_forever():
    kept = [delivered(1, group(alert("", T0, annotations={})), code=BEGUN)]
    [one] = incidents(kept, 0.0, S0 + 30)
    assert (one.window.end - one.window.start, one.title) == (60.0, "an alert without a title")
    [late] = incidents(kept, 0.0, S0 + 90 * DAY)
    assert late.window.seconds == 7 * DAY
    assert begun_since(kept, S0) == 1
    assert begun_since(kept, S0 + 61) == 0
