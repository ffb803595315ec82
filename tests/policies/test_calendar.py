"""Local times become instants; where a clock is put forward or back, the freeze is the longer of two readings."""

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from twokey.policies.bundle import Bundle
from twokey.policies.calendar import Freeze, instant
from twokey.policies.facts import ROOT, InvalidPolicyData, complete

BERLIN = "Europe/Berlin"


def utc(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000


def windows(**changes: Any) -> list[tuple[int, int]]:
    fields = {"name": "year_end", "from": "2026-12-20T18:00", "until": "2026-12-27T08:00", "zone": BERLIN}
    found = Freeze.model_validate(fields | changes).worked_out()["windows"]
    return [(window["from_us"], window["until_us"]) for window in found]


@pytest.mark.parametrize(
    ("local", "zone", "early", "late"),
    [
        ("2026-12-20T18:00", BERLIN, "2026-12-20T17:00", "2026-12-20T17:00"),
        ("2026-07-20T18:00", BERLIN, "2026-07-20T16:00", "2026-07-20T16:00"),
        ("2026-07-20T18:00", "UTC", "2026-07-20T18:00", "2026-07-20T18:00"),
        ("2026-07-20T18:00", "Asia/Kolkata", "2026-07-20T12:30", "2026-07-20T12:30"),
        ("2026-03-29T02:30", BERLIN, "2026-03-29T00:30", "2026-03-29T01:30"),
        ("2026-10-25T02:30", BERLIN, "2026-10-25T00:30", "2026-10-25T01:30"),
    ],
    ids=["winter", "summer", "UTC", "half an hour", "a time that does not exist", "a time that is there twice"],
)
def test_a_local_time_is_an_instant(local: str, zone: str, early: str, late: str):
    assert instant(local, zone, late=False) == utc(early)
    assert instant(local, zone, late=True) == utc(late)


def test_a_freeze_is_one_window():
    assert windows() == [(utc("2026-12-20T17:00"), utc("2026-12-27T07:00"))]


def test_a_freeze_over_an_hour_that_comes_twice_holds_through_both():
    (window,) = windows(**{"from": "2026-10-25T02:10", "until": "2026-10-25T02:20"})
    assert window == (utc("2026-10-25T00:10"), utc("2026-10-25T01:20"))


def test_weekly_hours_recur_inside_the_freeze_and_follow_the_clock():
    weekly = [{"days": ["fri"], "from": "16:00", "until": "08:00"}]
    assert windows(**{"from": "2026-10-16T00:00", "until": "2026-10-30T17:00"}, weekly=weekly) == [
        (utc("2026-10-16T14:00"), utc("2026-10-17T06:00")),
        (utc("2026-10-23T14:00"), utc("2026-10-24T06:00")),
        (utc("2026-10-30T15:00"), utc("2026-10-30T16:00")),
    ]


def test_weekly_hours_that_began_the_day_before_count():
    weekly = [
        {"days": ["thu"], "from": "22:00", "until": "06:00"},
        {"days": ["fri"], "from": "01:00", "until": "02:00"},
    ]
    assert windows(**{"from": "2026-01-02T00:00", "until": "2026-01-02T12:00"}, zone="UTC", weekly=weekly) == [
        (utc("2026-01-02T00:00"), utc("2026-01-02T06:00")),
        (utc("2026-01-02T01:00"), utc("2026-01-02T02:00")),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "Mars/Base"},
        {"zone": "../../etc/passwd"},
        {"zone": ""},
        {"zone": "Europe"},
        {"from": "2026-12-20"},
        {"from": "2026-12-20T18:00Z"},
        {"from": "2026-13-20T18:00"},
        {"from": "2026-12-27T08:00"},
        {"until": "2029-12-20T18:00"},
        {"weekly": [{"days": [], "from": "16:00", "until": "08:00"}]},
        {"weekly": [{"days": ["fri"], "from": "24:00", "until": "08:00"}]},
        {"kinds": ["mainframe"]},
    ],
)
def test_times_that_cannot_be_read_are_refused(changes: dict[str, Any]):
    with pytest.raises(ValidationError):
        windows(**changes)


def test_the_data_holds_instants_however_often_it_is_loaded(bundle: Bundle):
    document = bundle.document()
    document[ROOT]["freezes"] = [
        {
            "name": "year_end",
            "from": "2026-12-20T18:00",
            "until": "2026-12-27T08:00",
            "zone": BERLIN,
            "windows": [{"from_us": 0, "until_us": 0}],
        }
    ]
    once = complete(document)
    assert complete(once) == once
    (freeze,) = once[ROOT]["freezes"]
    assert freeze["windows"] == [{"from_us": utc("2026-12-20T17:00"), "until_us": utc("2026-12-27T07:00")}]
    assert (freeze["kinds"], freeze["environments"]) == ([], [])


def test_an_exception_ends_at_the_earlier_reading(bundle: Bundle):
    document = bundle.document()
    document[ROOT]["exceptions"] = [
        {
            "name": "move",
            "rule": "R10",
            "scope": {"resource": "dbt"},
            "until": "2026-10-25T02:30",
            "zone": BERLIN,
            "why": "We move.",
            "signer": "sam",
            "signature": "0" * 128,
        }
    ]
    (exception,) = complete(document)[ROOT]["exceptions"]
    assert exception["until_us"] == utc("2026-10-25T00:30")
    for change in (
        {"rule": "R11"},
        {"scope": {}},
        {"scope": {"effect": "write"}},
        {"signature": "x"},
        {"until": "soon"},
    ):
        document[ROOT]["exceptions"][0] |= change
        with pytest.raises(InvalidPolicyData):
            complete(document)
        document[ROOT]["exceptions"][0] |= {"rule": "R10", "scope": {"resource": "dbt"}, "signature": "0" * 128}
        document[ROOT]["exceptions"][0] |= {"until": "2026-10-25T02:30"}
