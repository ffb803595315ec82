"""Understands requests about incidents.

Rules: they have fixed forms, so that nothing else is taken for one; an incident is named by an id that stands whole in
the request; whoever asks only to be told gets no drafts. What sounds like a request about an incident and has none of
the forms is a question to the person, as before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twokey.agents.planner.meaning import Known, Unclear, short
from twokey.core.values import Plan, Step

_ID: Final = r"[`'\"]?(?P<incident>[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}?)[`'\"]?"
_PLACE: Final = r"(?:\s+(?:in|of|from|on)\s+[`'\"]?(?P<place>[\w./:-]{1,200}?)[`'\"]?)?"
_POLITE: Final = r"(?:please\s+|(?:can|could|would)\s+you\s+)?"
_ONLY: Final = r"(?P<only>(?:just|only)\s+)?(?:tell\s+me\s+)?"
_NOUN: Final = r"(?:(?:the\s+)?(?:incident|outage)\s+)"
_FORMS: Final = tuple(
    re.compile(rf"\s*{form}\s*[.!?]*\s*", re.IGNORECASE)
    for form in (
        rf"{_POLITE}{_ONLY}what\s+happened\s+(?:in|during|with|to|at)\s+{_NOUN}?{_ID}{_PLACE}",
        rf"{_POLITE}{_ONLY}what\s+went\s+wrong\s+(?:in|during|with|at)\s+{_NOUN}?{_ID}{_PLACE}",
        rf"{_POLITE}{_ONLY}(?:summari[sz]e|sum\s+up|investigate|look\s+into|reconstruct|explain)\s+{_NOUN}{_ID}{_PLACE}",
        rf"{_POLITE}(?:write|draft|prepare)\s+(?:the|a)\s+post-?\s?mortem\s+(?:of|for)\s+{_NOUN}?{_ID}{_PLACE}",
    )
)


@dataclass(frozen=True, slots=True)
class AboutIncident:
    """A request about an incident that can be planned. ``scope`` is that of ``query_telemetry``."""

    telemetry: str
    scope: Mapping[str, Any] = field(default_factory=dict[str, Any])
    looks_only: bool = False
    follows: bool = False
    """Whether an earlier run told of it, so that only what is new is proposed."""

    @property
    def sentence(self) -> str:
        """What was understood, in one sentence of at most 500 characters."""
        named = str(self.scope.get("incident") or "")
        which = f"incident {short(named)}" if named else "the incident"
        if self.looks_only:
            return f"Say what happened in {which} as {short(self.telemetry)} shows it; propose nothing."
        return (
            f"Say what happened in {which} as {short(self.telemetry)} shows it, and propose its ticket and its"
            " post-mortem."
        )


def understand_incident(text: str, known: Known) -> AboutIncident | Unclear | None:
    """Read a request about an incident; ``None`` where it is about something else. Never raises."""
    match = next((found for form in _FORMS if (found := form.fullmatch(text)) is not None), None)
    if match is None:
        return None
    groups = match.groupdict()
    place = groups.get("place") or known.telemetry
    if place not in known.telemetries:
        return _which(known, str(groups["incident"]))
    return AboutIncident(place, {"incident": groups["incident"]}, looks_only=bool(groups.get("only")))


def _which(known: Known, incident: str) -> Unclear:
    if not known.telemetries:
        question = (
            "This workspace names no telemetry. Name a place of kind telemetry in twokey.toml, and incident.telemetry."
        )
        return Unclear("no_telemetry", question)
    names = ", ".join(short(name) for name in known.telemetries[:5])
    suggestions = tuple(f"what happened in {incident} in {name}" for name in known.telemetries[:3])
    return Unclear("which_telemetry", f"Which telemetry do you mean? Known are: {names}.", suggestions)


def plan_incident(about: AboutIncident) -> Plan:
    """Give the steps: read, tell, draft, review."""
    args = {"telemetry": about.telemetry, "scope": dict(about.scope), "looks_only": about.looks_only}
    args |= {"follows": True} if about.follows else {}
    drafts = "draft nothing" if about.looks_only else "draft the ticket and the post-mortem"
    return Plan(
        understood=about.sentence,
        steps=(
            Step(
                number=1,
                agent="incident",
                action="gather",
                args=args,
                title=f"read metrics, logs, traces and events in {short(about.telemetry)}",
            ),
            Step(number=2, agent="incident", action="summarize", args=args, title="tell what happened, with evidence"),
            Step(number=3, agent="incident", action="draft", args=args, title=drafts),
            Step(number=4, agent="reviewer", action="review", title="check every sentence against its evidence"),
        ),
    )
