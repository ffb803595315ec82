"""What tells two states of an incident apart, for whoever follows it: a run that follows asks people only what is new.

Rules:
- a state is the kinds of sentences and what they are about; a figure that moves by itself, or a later end of what is
  looked at, is no new state;
- what earlier runs wrote down of the same incident is a hint: the worst that a wrong one does is a question to people
  too many or too few, and nothing is written for it;
- what waits for people already is not asked again while it waits; a post-mortem comes when the incident is over.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from twokey.agents.incident.bodies import PULL, TICKET
from twokey.core.canonical import Json
from twokey.core.values import Finding
from twokey.tools.desk import Desk

NOTE: Final = "incident-sight"
"""Document in which a run says in which state it told of an incident."""
OPEN: Final = "resolution_open"
"""The kind of the sentence that says that no recovery is seen."""
ENDED: Final = frozenset({"timeline_recovery", "timeline_recovered"})
"""Kinds of sentences that say that it was well again, as measured or as recorded."""
MOST_RUNS: Final = 50
POSTMORTEM: Final = "-postmortem"
"""What the branch of a post-mortem ends with."""
_MOVES: Final = ("impact_", "links_", "actions_", "lessons_")
"""What follows from the rest, and changes with every look."""

Sight = frozenset[tuple[str, str]]


def sight(findings: Sequence[Finding]) -> Sight:
    """Give what tells two states of an incident apart."""
    return frozenset((one.kind, one.subject) for one in findings if not one.kind.startswith(_MOVES))


def keep_sight(desk: Desk, source: str, incident: str, findings: Sequence[Finding]) -> None:
    """Write down in which state an incident was told."""
    seen = [list(pair) for pair in sorted(sight(findings))]
    desk.keep(NOTE, cast("Json", {"source": source, "incident": incident, "sight": seen}))


def is_new(desk: Desk, source: str, incident: str, findings: Sequence[Finding]) -> bool:
    """Tell whether the run that told of this incident last told another state, or none did."""
    for _, body in desk.earlier(NOTE, limit=MOST_RUNS):
        if isinstance(body, Mapping) and (body.get("source"), body.get("incident")) == (source, incident):
            return body.get("sight") != [list(pair) for pair in sorted(sight(findings))]
    return True


def worth_asking(desk: Desk, bodies: Sequence[Json], findings: Sequence[Finding]) -> tuple[list[Json], bool]:
    """Give the drafts that do not wait for people already, and whether no ticket does, so that the news is told.

    There is no post-mortem among them before the incident is seen to be over.
    """
    waiting = {_target(tool, args) for tool in (TICKET, PULL) for args in desk.waiting(tool)}
    kinds = {finding.kind for finding in findings}
    goes_on = OPEN in kinds or not kinds & ENDED
    parts = [(body, *_parts(body)) for body in bodies]
    timely = [one for one in parts if not (goes_on and str(one[2].get("branch", "")).endswith(POSTMORTEM))]
    kept = [body for body, tool, args in timely if _target(tool, args) not in waiting]
    return kept, not any(tool == TICKET and _target(tool, args) in waiting for _, tool, args in timely)


def _parts(body: Json) -> tuple[str, Mapping[str, Any]]:
    draft = cast("Mapping[str, Any]", body)
    return str(draft["tool"]), draft["args"]


def _target(tool: str, args: Mapping[str, Any]) -> tuple[object, ...]:
    """Give what a draft is about, however it says it: a ticket by number or title, a pull request by its first file."""
    if tool == TICKET:
        opens = args.get("opens")
        return tool, args.get("tickets"), args.get("ticket"), opens.get("title") if isinstance(opens, Mapping) else None
    files = args.get("files") or ({},)
    return tool, args.get("repository"), files[0].get("path")
