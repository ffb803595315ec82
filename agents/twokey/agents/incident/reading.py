"""Reads what a summary needs of one source of telemetry, without a workspace: for measuring, by the product's own tool.

Rules: the same asks in the same order as a run makes them (``asks``); every answer gets an id of its own, as evidence
has.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from twokey.agents.incident import impact
from twokey.agents.incident.material import DEGRADES, Material, material
from twokey.agents.incident.suspicion import suspected
from twokey.core.canonical import Json
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.local import query_telemetry
from twokey.tools.read.telemetry.values import TelemetryArgs

KINDS: Final = ("overview", "grounds", "metrics", "logs", "traces", "topology", "events")
MOST_SERIES: Final = 8
MOST_POINTS: Final = 400
_PLACE: Final = "telemetry"


def asks(scope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what is asked first."""
    for kind in KINDS:
        yield {"kind": kind, "scope": scope}


def series_ask(found: Material, scope: dict[str, Any]) -> dict[str, Any] | None:
    """Give what is asked then: the series that show when it began and ended, and how many requests failed."""
    service = found.about.service
    changes = found.metrics.answer.changes if found.metrics else ()
    names: dict[tuple[str, str], None] = {}
    for one in (service, *suspected(found).suspects[:2]):
        mine = [change for change in changes if change.service == one and change.abnormal]
        worse = [change for change in mine if change.meaning in DEGRADES] or mine
        names |= {(change.service, change.metric): None for change in worse[:2]}
    for change in changes:
        if change.service == service and (impact.is_rate(change.metric) or impact.is_error_share(change.metric)):
            names[change.service, change.metric] = None
    listed = [{"service": one, "metric": metric} for one, metric in list(names)[:MOST_SERIES]]
    return {"kind": "series", "scope": scope, "names": listed, "most": MOST_POINTS} if listed else None


def of_bundle(folder: Path) -> dict[str, Json]:
    """Read a bundle; gives answers by id.

    Raises:
        TwokeyError: it cannot be read.

    """
    tool = query_telemetry()
    place = Place(Resource(kind="telemetry", id=_PLACE, granted_by="request"), str(folder))
    context = Context(Places((place,)), 0)
    contents: dict[str, Json] = {}

    def ask(wanted: dict[str, Any]) -> None:
        args = TelemetryArgs.model_validate({"source": _PLACE, "ask": wanted})
        contents[f"e-{len(contents):012d}"] = tool.call(args, context).canonical()

    for wanted in asks({}):
        ask(wanted)
    found = material(contents)
    more = series_ask(found, {}) if found else None
    if more is not None:
        ask(more)
    return contents
