"""Understands the request for an ops review.

Rules: it has fixed forms, so that nothing else is taken for one; the source of telemetry is one that the settings name;
the stretch of time is worked out from the words and the clock and said in the plan, in UTC; at most 35 days. A review
only looks, unless it is asked to open a ticket.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from twokey.agents.planner.meaning import Unclear, short
from twokey.core.values import Plan, Step

MOST_DAYS: Final = 35
SECOND: Final = 1_000_000
_DAY: Final = r"\d{4}-\d\d-\d\d"
_PERIOD: Final = (
    r"(?:\s+(?:for|of|over)\s+(?:the\s+)?(?:"
    r"(?P<last_week>last\s+week)|(?P<this_week>this\s+week)|(?P<yesterday>yesterday)"
    r"|(?:last|past)\s+(?P<days>\d{1,3})\s+days?|week\s+of\s+(?P<week_of>" + _DAY + r"))"
    r"|\s+from\s+(?P<start>" + _DAY + r")\s+(?:to|until|till)\s+(?P<end>" + _DAY + r")"
    r"|\s+since\s+(?P<since>" + _DAY + r"))?"
)
_PLACE: Final = r"(?:\s+(?:in|on|at)\s+[`'\"]?(?P<place>[\w./:-]{1,200}?)[`'\"]?)?"
_FORM: Final = re.compile(
    r"\s*(?:please\s+)?(?:(?:run|do|make|give\s+me|show\s+me|show|i\s+want)\s+)?(?:an?\s+|the\s+|our\s+)?"
    rf"(?:ops|operations)\s+review{_PERIOD}{_PLACE}"
    r"(?P<ticket>\s*,?\s+and\s+(?:then\s+)?(?:open|file|create)\s+a\s+ticket)?\s*[.!?]*\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AboutOperations:
    """A review that can be planned: which telemetry, and from when to when (microseconds since 1970, UTC)."""

    source: str
    from_us: int
    to_us: int
    ticket: bool = False
    """Whether a ticket is to be opened for what wants somebody."""

    @property
    def sentence(self) -> str:
        """What was understood, in one sentence of at most 500 characters."""
        return (
            f"Review how the endpoints in {short(self.source)} did from {_shown(self.from_us)} to {_shown(self.to_us)},"
            f" and what is not registered; propose {'one ticket' if self.ticket else 'nothing'}."
        )


def understand_operations(
    text: str, sources: Sequence[str], default: str | None, now_us: int
) -> AboutOperations | Unclear | None:
    """Read a request for an ops review; ``None`` where it is about something else. Never raises."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    period = _period(match, datetime.fromtimestamp(now_us / SECOND, UTC))
    if isinstance(period, str):
        return Unclear("which_days", period, ("ops review for last week",))
    source = match["place"] or (default if default in sources else sources[0] if len(sources) == 1 else None)
    if source not in sources:
        return _which(sources)
    start, end = (round(moment.timestamp()) * SECOND for moment in period)
    return AboutOperations(str(source), start, end, ticket=bool(match["ticket"]))


def _period(match: re.Match[str], now: datetime) -> tuple[datetime, datetime] | str:
    """Give when the review begins and ends, or what to ask."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    try:
        if match["this_week"]:
            start, end = monday, now
        elif match["yesterday"]:
            start, end = today - timedelta(days=1), today
        elif match["days"]:
            start, end = today - timedelta(days=int(match["days"])), today
        elif match["week_of"]:
            day = _day(match["week_of"])
            start = day - timedelta(days=day.weekday())
            end = start + timedelta(days=7)
        elif match["since"]:
            start, end = _day(match["since"]), now
        elif match["start"]:
            start, end = _day(match["start"]), _day(match["end"])
        else:
            start, end = monday - timedelta(days=7), monday
    except (ValueError, OverflowError):
        return "Which days do you mean? Write them as in 2026-01-31."
    if start >= end or start.timestamp() < 0:
        return "Those days hold no time: the first has to lie before the last."
    if end - start > timedelta(days=MOST_DAYS):
        return f"A review covers at most {MOST_DAYS} days. Which ones do you mean?"
    return start, end


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _which(sources: Sequence[str]) -> Unclear:
    if not sources:
        question = "This workspace names no telemetry. Name it in twokey.toml, and set operations.telemetry to it."
        return Unclear("no_telemetry", question)
    names = ", ".join(short(name) for name in sources[:5])
    suggestions = tuple(f"ops review for last week in {name}" for name in sources[:3])
    return Unclear("which_telemetry", f"Which telemetry do you mean? Known are: {names}.", suggestions)


def plan_operations(about: AboutOperations) -> Plan:
    """Give the steps: read, work out, review."""
    args = {"source": about.source, "from_us": about.from_us, "to_us": about.to_us, "ticket": about.ticket}
    return Plan(
        understood=about.sentence,
        steps=(
            Step(
                number=1,
                agent="incident",
                action="operations_gather",
                args=args,
                title=f"read the load in {short(about.source)}",
            ),
            Step(
                number=2,
                agent="incident",
                action="operations_review",
                args=args,
                title="compare it with what was promised, may be spent and is registered",
            ),
            Step(number=3, agent="reviewer", action="review", title="check every claim against its evidence"),
        ),
    )


def _shown(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / SECOND, UTC):%Y-%m-%d %H:%M} UTC"
