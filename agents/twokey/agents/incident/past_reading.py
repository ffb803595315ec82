"""Where earlier incidents are read: post-mortems in a folder, and what earlier runs read.

Rules: what a post-mortem states is evidence of this run, read by ``search_runbooks`` and allowed by policy. What an
earlier run read counts only where the log bears it out and policy allows the same read now (``Desk.adopt``); what that
run made of it is not taken over but worked out anew. A folder that is not granted has no post-mortems.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from pydantic import ValidationError

from twokey.agents.incident.past import Facts, Past, of_document
from twokey.core.canonical import Json
from twokey.tools.adopting import Wanted
from twokey.tools.desk import Desk
from twokey.tools.read.runbooks import DocumentsResult, RunbooksResult
from twokey.tools.read.telemetry.values import TelemetryArgs

NOTE: Final = "incident-read"
"""Document in which a run says what it read, so that later runs find it."""
MOST_RUNS: Final = 20
MOST_PIECES: Final = 8


def note(pieces: Sequence[tuple[str, Mapping[str, Any]]]) -> Json:
    """Give what a run writes down under ``NOTE``: its pieces of evidence and the arguments they were read with."""
    return [[evidence, cast("Json", dict(args))] for evidence, args in pieces[:MOST_PIECES]]


def post_mortems(desk: Desk, place: str, *, agent: str, step: int) -> tuple[list[Past], str]:
    """Read the post-mortems of a place of kind runbooks; gives them and the evidence that states them.

    Raises:
        TwokeyError: it is not granted, denied by policy, or cannot be read.

    """
    reading = desk.read(
        "search_runbooks",
        {"runbooks": place, "ask": {"kind": "documents"}},
        agent=agent,
        step=step,
        result=RunbooksResult,
    )
    answer = reading.result.answer
    documents = answer.documents if isinstance(answer, DocumentsResult) else ()
    found = (of_document(document, reading.evidence.id) for document in documents)
    return [past for past in found if past is not None], reading.evidence.id


def earlier_runs(
    desk: Desk, understood: Callable[[Mapping[str, Json]], Facts | None], *, agent: str, step: int
) -> list[Past]:
    """Give what earlier runs read, understood anew by ``understood`` from the evidence that this run takes over."""
    found: list[Past] = []
    for run, body in desk.earlier(NOTE, limit=MOST_RUNS):
        wanted = _wanted(body)
        adopted = desk.adopt("query_telemetry", wanted, agent=agent, step=step, fits=lambda _: True) if wanted else {}
        contents = dict(adopted.values())
        facts = understood(contents) if contents else None
        if facts is not None:
            found.append(Past(facts, next(iter(contents)), run))
    return found


def _wanted(body: Json) -> list[Wanted]:
    """Read what another run noted: a hint, and nothing that has to be of the form agreed."""
    wanted: list[Wanted] = []
    for piece in body[:MOST_PIECES] if isinstance(body, list) else []:
        if isinstance(piece, list) and len(piece) == 2 and isinstance(piece[0], str):
            try:
                wanted.append(Wanted(piece[0], TelemetryArgs.model_validate(piece[1])))
            except ValidationError:
                continue
    return wanted
