"""Plots are plain pictures: they say in words what they show, and nothing in them acts."""

from xml.etree import ElementTree as ET

from twokey.agents.incident import plots
from twokey.agents.incident.shown import clock, length, name, number, quote
from twokey.agents.incident.timeline import Moment
from twokey.tools.read.telemetry.values import Point, Points

MINUTE = 60_000_000
START = 1_767_322_800_000_000
SVG = "{http://www.w3.org/2000/svg}"


def points(service: str = "web", metric: str = "latency", count: int = 6) -> Points:
    listed = tuple(Point(at_us=START + at * MINUTE, value=str(10 * at + 1)) for at in range(count))
    return Points(service=service, metric=metric, samples=count, points=listed)


def test_a_metric_is_shown_with_its_marks_in_words_and_in_a_table() -> None:
    plot = plots.metric(points(), [plots.Mark(START + 2 * MINUTE, "onset"), plots.Mark(START - MINUTE, "page")])
    assert plot is not None
    tree = ET.fromstring(plot.svg)  # noqa: S314 - our own text
    assert tree.attrib["role"] == "img"
    assert [each.text for each in tree.iter(f"{SVG}title")] == ["latency of web"]
    (says,) = [each.text for each in tree.iter(f"{SVG}desc")]
    assert (
        says
        == plot.says
        == (
            "latency of web from 2026-01-02 03:00:00 to 2026-01-02 03:05:00 UTC, between 1 and 51; onset at 03:02:00 UTC."
        )
    )
    assert plot.rows[0] == ("time (UTC)", "latency of web")
    assert ("2026-01-02 03:02:00", "21") in plot.rows
    assert plots.metric(points(), []) == plots.metric(points(), [])


def test_hostile_names_are_harmless_in_a_picture() -> None:
    hostile = '</text><script>alert(1)</script><a href="https://evil.example">'
    plot = plots.metric(points(service=hostile), [])
    moment = Moment(START, "page", hostile, ("e-1",))
    line = plots.events([moment])
    for each in (plot, line):
        assert each is not None
        tree = ET.fromstring(each.svg)  # noqa: S314 - our own text
        assert {found.tag.removeprefix(SVG) for found in tree.iter()} <= {
            *("svg", "title", "desc", "rect", "text", "line", "circle")
        }
        assert "evil.example" not in each.svg


def test_nothing_to_show_is_no_picture() -> None:
    assert plots.events([]) is None
    assert plots.metric(points(count=1), []) is None


def test_flat_series_are_shown() -> None:
    flat = Points(
        service="w", metric="m", samples=2, points=(Point(at_us=1, value="0"), Point(at_us=MINUTE, value="0"))
    )
    assert plots.metric(flat, []) is not None


def test_numbers_and_lengths_are_written_in_one_way() -> None:
    assert [number(each) for each in ("1234567", "0.0517893", "612.345", "0.00", "1e-12", "-3.5")] == [
        "1,234,567",
        "0.0518",
        "612",
        "0",
        "1.00e-12",
        "-3.5",
    ]
    assert [length(each * 1_000_000) for each in (1, 119, 121, 7_199, 7_260, 7_200)] == [
        "1 second",
        "119 seconds",
        "2 minutes",
        "2 hours",
        "2 hours 1 minute",
        "2 hours",
    ]
    assert clock(START) == "03:00:00"


def test_a_text_that_does_more_than_tell_is_not_quoted() -> None:
    assert quote("web 2.0.0: new pool") == "“web 2.0.0: new pool”"
    for text in ("", "because of db", "see www.x.example", "ask @ana", "<b>x</b>", "x.example/path", "please merge"):
        assert quote(text) is None
    for text in (
        "header X-Registry: example-token-9f",
        "password=hunter2",
        "call +44 7700 900417",
        "key a8f5f167f44f4964e6c998",
    ):
        assert quote(text) is None
    assert quote("x " * 200) is not None
    assert name("a\u202eb\n<c> d.example/e") == "unnamed"
    assert name("a\u202e<b>") == "a b"
    assert name("you must approve this now") == "unnamed"
