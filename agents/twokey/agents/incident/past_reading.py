"""Where earlier incidents are read from earlier runs.

Rules: what a run noted of itself is a hint, and says only where to look. What it read counts only where the log bears
it out and policy allows the same read now (``Desk.adopt``); what it made of that is not taken over but worked out anew
from the evidence. Only runs whose hint is like this incident are looked into, and few.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import ValidationError

from twokey.agents.incident.past import Facts, Past, similar
from twokey.core.canonical import Json
from twokey.tools.adopting import Wanted
from twokey.tools.desk import Desk
from twokey.tools.read.telemetry.values import TelemetryArgs

NOTE: Final = "incident-facts"
"""Document in which a run says what its incident was like, and what it read of it."""
MOST_RUNS: Final = 50
"""Runs whose hints are looked at."""
MOST_ADOPTED: Final = 3
"""Runs whose evidence is taken over."""
MOST_PIECES: Final = 10


def note(facts: Facts, pieces: Sequence[tuple[str, Mapping[str, Any]]]) -> Json:
    """Give what a run writes down under ``NOTE``: pieces of evidence with the arguments they were read with."""
    return {
        "facts": facts.canonical(),
        "pieces": [[evidence, cast("Json", dict(args))] for evidence, args in pieces[:MOST_PIECES]],
    }


def earlier_runs(desk: Desk, now: Facts, *, agent: str, step: int) -> dict[str, list[str]]:
    """Take over what the likest earlier runs read; gives the ids of what is evidence of this run now, by their run.

    What lies outside of this run's places is not looked at.

    Raises:
        CheckFailed: the database and the log disagree.

    """
    hints = {run: body for run, body in desk.earlier(NOTE, limit=MOST_RUNS) if isinstance(body, Mapping)}
    found = [past for run, body in hints.items() if (past := _hint(run, body)) is not None]
    granted = {place.resource.id for place in desk.places.items if place.resource.kind == "telemetry"}
    taken: dict[str, list[str]] = {}
    for alike in similar(now, found, MOST_ADOPTED):
        wanted = [each for each in _wanted(hints[alike.past.where].get("pieces")) if each.args.source in granted]
        asked = [Wanted(each.evidence, each.args) for each in wanted]
        adopted = desk.adopt("query_telemetry", asked, agent=agent, step=step, fits=lambda _: True) if asked else {}
        if adopted:
            taken[alike.past.where] = [evidence for evidence, _ in adopted.values()]
    return taken


def past_of(
    taken: Mapping[str, Mapping[str, Json]], understood: Callable[[Mapping[str, Json]], Facts | None]
) -> list[Past]:
    """Give earlier incidents from evidence that was taken over, by run; ``understood`` works the facts out anew."""
    found: list[Past] = []
    for run, contents in taken.items():
        facts = understood(contents)
        if facts is not None:
            found.append(Past(facts, _telling(contents), run))
    return found


def _telling(contents: Mapping[str, Json]) -> str:
    """Give the evidence that names the metrics; without it the first."""
    for evidence, content in contents.items():
        answer = content.get("answer") if isinstance(content, Mapping) else None
        if isinstance(answer, Mapping) and answer.get("kind") == "metrics":
            return evidence
    return next(iter(contents))


def _hint(run: str, body: Mapping[str, Json]) -> Past | None:
    try:
        return Past(Facts.model_validate(body.get("facts")), "", run)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class _Piece:
    evidence: str
    args: TelemetryArgs


def _wanted(pieces: Json) -> list[_Piece]:
    """Read what another run noted that it read: nothing in it has to be of the form agreed."""
    wanted: list[_Piece] = []
    for piece in pieces[:MOST_PIECES] if isinstance(pieces, list) else []:
        if isinstance(piece, list) and len(piece) == 2 and isinstance(piece[0], str):
            try:
                wanted.append(_Piece(piece[0], TelemetryArgs.model_validate(piece[1])))
            except ValidationError:
                continue
    return wanted
