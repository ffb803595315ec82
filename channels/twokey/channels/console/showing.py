"""How values look on a page: moments, spans of time, counts, names of states.

Rules: a moment is given in UTC, for programs and people, and the browser adds the reader's own time; a count says what
it counts, in the right number; text from outside is made harmless before it is shown.
"""

from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup

from twokey.channels import plain
from twokey.channels.rendering.cards import TITLES
from twokey.core.lifecycle import State

MINUTE_US: Final = 60_000_000
_UNITS: Final = (("day", 24 * 60 * MINUTE_US), ("hour", 60 * MINUTE_US), ("minute", MINUTE_US))


def moment(time_us: int) -> Markup:
    """Give a moment as an element that programs, people and the browser's own clock understand."""
    at = datetime.fromtimestamp(time_us / 1_000_000, tz=UTC)
    exact, shown = at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%d %b %Y, %H:%M UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, shown)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are: ``1 file``, ``2,000 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(us: int) -> str:
    """Say how long something takes, in the largest unit that fits: ``3 hours``."""
    for name, size in _UNITS:
        if us >= size:
            return counted(us // size, name)
    return "less than a minute"


def away(time_us: int, now_us: int) -> str:
    """Say how far a moment is away: ``in 3 hours``, ``2 minutes ago``."""
    return f"in {span(time_us - now_us)}" if time_us >= now_us else f"{span(now_us - time_us)} ago"


def title(state: State | str) -> str:
    """Say in words where a proposal stands."""
    return TITLES[State(state)]


def short(digest: str) -> str:
    """Give the short form of a digest: eight digits, as people compare them."""
    return f"{digest[:4]} {digest[4:8]}"


def one_line(text: Any, limit: int = 400) -> str:
    """Give text from outside as one harmless line."""
    return plain.line(str(text), limit)


def lines(text: Any) -> str:
    """Give text from outside as harmless lines."""
    return plain.block(str(text))


FILTERS: Final[dict[str, Any]] = {
    "moment": moment,
    "counted": counted,
    "span": span,
    "away": away,
    "title_of": title,
    "short": short,
    "line": one_line,
    "lines": lines,
}
