"""Plots of an incident as SVG: a metric with the onset marked, and the timeline.

Rules: pure, and the same input gives the same bytes; every text is escaped, names from outside pass ``shown.name``
first, and there is no script, link, style or reference to anything outside; each has a title and a description that
say in words what it shows, and a table holds the same values for whoever does not see it. Colours differ in lightness,
and nothing is told by colour alone: marks have words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape

from twokey.agents.incident.shown import clock, day, name, number
from twokey.agents.incident.timeline import Moment
from twokey.tools.read.telemetry.values import Points

WIDTH: Final = 760
HEIGHT: Final = 240
LEFT: Final = 64
RIGHT: Final = 16
TOP: Final = 34
BOTTOM: Final = 36
ROW: Final = 22
MOST_ROWS: Final = 40
_INK, _GREY, _LINE, _MARK = "#1b1f24", "#59636e", "#0a5fb4", "#b3261e"
_BACK: Final = "#ffffff"
WORDS: Final = {
    "change": "change",
    "onset": "onset",
    "page": "page",
    "ack": "acknowledged",
    "said": "message",
    "mitigation": "mitigation",
    "recovery": "recovery",
    "other": "event",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG document, what it shows in one sentence, and its values as rows with a head."""

    svg: str
    says: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line at an instant with a word beside it."""

    at_us: int
    word: str


def metric(points: Points, marks: Sequence[Mark]) -> Plot | None:
    """Plot one series with marks; None where it has fewer than two points."""
    if len(points.points) < 2:
        return None
    values = [float(point.value) for point in points.points]
    first, last = points.points[0].at_us, points.points[-1].at_us
    low, high = min(*values, 0.0), max(*values, 0.0)
    high = high if high > low else low + 1
    called = f"{name(points.metric)} of {name(points.service)}"
    inside = [mark for mark in marks if first <= mark.at_us <= last]
    says = (
        f"{called} from {day(first)} {clock(first)} to {day(last)} {clock(last)} UTC, "
        f"between {number(_text(min(values)))} and {number(_text(max(values)))}"
        + "".join(f"; {mark.word} at {clock(mark.at_us)} UTC" for mark in inside)
        + "."
    )

    def x(at_us: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at_us - first) / max(last - first, 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts: list[str] = []
    for share in (0.0, 0.5, 1.0):
        value = low + share * (high - low)
        parts.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value), _GREY, width=0.4))
        parts.append(_say(LEFT - 6, y(value) + 4, number(_text(value)), anchor="end", ink=_GREY))
    for at_us, anchor in ((first, "start"), ((first + last) // 2, "middle"), (last, "end")):
        parts.append(_say(x(at_us), HEIGHT - 14, f"{clock(at_us)} UTC", anchor=anchor, ink=_GREY))
    for before, after in pairwise(points.points):
        parts.append(
            _line(x(before.at_us), y(float(before.value)), x(after.at_us), y(float(after.value)), _LINE, width=1.4)
        )
    for at, mark in enumerate(inside):
        parts.append(_line(x(mark.at_us), TOP, x(mark.at_us), HEIGHT - BOTTOM, _MARK, width=1.2, dashed=True))
        anchor = "end" if x(mark.at_us) > WIDTH - 120 else "start"
        shift = -4 if anchor == "end" else 4
        parts.append(_say(x(mark.at_us) + shift, TOP + 10 + 12 * (at % 3), mark.word, anchor=anchor, ink=_MARK))
    svg = _document(HEIGHT, called, says, parts)
    return Plot(svg, says, (("time (UTC)", called), *_key_rows(points, inside)))


def _key_rows(points: Points, marks: Iterable[Mark]) -> Iterable[tuple[str, str]]:
    """Give the points that tell the most: the ends, both extremes, and those at the marks."""
    listed = points.points
    chosen = {0, len(listed) - 1}
    values = [float(point.value) for point in listed]
    chosen |= {values.index(min(values)), values.index(max(values))}
    for mark in marks:
        chosen.add(min(range(len(listed)), key=lambda at: abs(listed[at].at_us - mark.at_us)))
    return tuple(
        (f"{day(listed[at].at_us)} {clock(listed[at].at_us)}", number(listed[at].value)) for at in sorted(chosen)
    )


def events(moments: Sequence[Moment]) -> Plot | None:
    """Plot what happened when, one row each; None where nothing did."""
    shown = moments[:MOST_ROWS]
    if not shown:
        return None
    first, last = shown[0].at_us, shown[-1].at_us
    height = TOP + ROW * len(shown) + BOTTOM
    middle = 150
    says = (
        f"{len(shown)} moments from {day(first)} {clock(first)} to {day(last)} {clock(last)} UTC: "
        + ", ".join(f"{clock(one.at_us)} {WORDS[one.kind]} ({name(one.service)})" for one in shown)
        + "."
    )

    def x(at_us: int) -> float:
        return middle + 70 + (WIDTH - middle - 330) * (at_us - first) / max(last - first, 1)

    parts: list[str] = []
    for at, one in enumerate(shown):
        y = TOP + ROW * at + 6
        ink = _MARK if one.kind in {"onset", "page"} else _LINE if one.kind in {"mitigation", "recovery"} else _INK
        parts.append(_say(8, y + 4, f"{day(one.at_us)} {clock(one.at_us)}", ink=_GREY))
        parts.append(_line(middle, y, WIDTH - RIGHT, y, _GREY, width=0.3))
        parts.append(f'<circle cx="{x(one.at_us):.1f}" cy="{y:.1f}" r="4" fill="{ink}"/>')
        parts.append(_say(x(one.at_us) + 9, y + 4, f"{WORDS[one.kind]}, {name(one.service)[:30]}", ink=ink))
    svg = _document(height, "Timeline", says, parts)
    rows = tuple((f"{day(one.at_us)} {clock(one.at_us)}", WORDS[one.kind], name(one.service)) for one in shown)
    return Plot(svg, says, (("time (UTC)", "what", "service"), *rows))


def _text(value: float) -> str:
    return f"{value:.6g}"


def _line(  # four numbers and how it is drawn
    x1: float, y1: float, x2: float, y2: float, ink: str, *, width: float, dashed: bool = False
) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{ink}" stroke-width="{width}"{dash}/>'
    )


def _say(x: float, y: float, text: str, *, ink: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{ink}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(height: int, title: str, says: str, parts: Iterable[str]) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="12">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(says)}</desc>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="{_BACK}"/>\n'
        f'<text x="8" y="18" fill="{_INK}" font-weight="bold">{escape(title)}</text>\n{inner}\n</svg>\n'
    )
