"""Which stretch of time an answer is about.

Rules: an incident that the source knows brings its window and baseline; what the question names takes their place.
Where the source knows one incident it need not be named, and where a window is given none is needed. A window without a
baseline is compared with what lies before it: four times as long, at least an hour, at most a week.
"""

from typing import Final

from twokey.core.errors import BadInput, ToolRetry
from twokey.tools.read.telemetry.port import Incident, Interval, Telemetry
from twokey.tools.read.telemetry.sources import Source
from twokey.tools.read.telemetry.values import MAX_STRETCH_US, About, Scope, Stretch

TIMES: Final = 4
LEAST_S: Final = 3_600.0
MOST_S: Final = 7 * 24 * 3_600.0
_US: Final = 1_000_000


def scoped(source: Source, scope: Scope) -> tuple[Telemetry, About]:
    """Give the telemetry to look at, and what it is looked at for.

    Raises:
        ToolRetry: the question names an incident that the source does not know, or none where it has to.

    """
    incident, telemetry = _found(source, scope)
    if telemetry is None:
        raise ToolRetry(
            "The telemetry has no such incident.",
            next="Give the id that the incident has there, or the folder of its bundle.",
            code="no_incident",
        )
    window = _interval(scope.window) if scope.window else incident.window if incident else Interval(0, 0)
    if scope.baseline:
        baseline = _interval(scope.baseline)
    elif incident and not scope.window:
        baseline = incident.baseline
    else:
        baseline = before(window)
    return telemetry, about(
        Incident(incident.id, incident.title, incident.service, window, baseline)
        if incident
        else Incident("", "", "", window, baseline)
    )


def before(window: Interval) -> Interval:
    """Give the stretch that a window is compared with where nothing else is said."""
    return Interval(max(0.0, window.start - min(MOST_S, max(LEAST_S, TIMES * window.seconds))), window.start)


def about(incident: Incident) -> About:
    """Give an incident as it stands in an answer.

    Raises:
        BadInput: it is empty, or longer than what is looked at.

    """
    for stretch in (incident.window, incident.baseline):
        if not 0 < stretch.seconds * _US <= MAX_STRETCH_US:
            raise BadInput(
                "The incident's window or baseline is empty, or longer than 35 days.",
                next="Correct the times in its incident.json, or name a window.",
                code="no_stretch",
            )
    return About(
        id=incident.id[:200],
        title=incident.title[:500],
        service=incident.service[:300],
        window=_stretch(incident.window),
        baseline=_stretch(incident.baseline),
    )


def intervals(found: About) -> tuple[Interval, Interval]:
    """Give window and baseline in seconds."""
    return _interval(found.window), _interval(found.baseline)


def _found(source: Source, scope: Scope) -> tuple[Incident | None, Telemetry | None]:
    if scope.incident:
        known = next((one for one in source.incidents() if one.id == scope.incident), None)
        return known, source.of(scope.incident) if known is not None else None
    if scope.window is not None:
        return None, source.anytime()
    known = source.incidents()
    return (known[0], source.of(known[0].id)) if len(known) == 1 else (None, None)


def _interval(stretch: Stretch) -> Interval:
    return Interval(stretch.start_us / _US, stretch.end_us / _US)


def _stretch(interval: Interval) -> Stretch:
    return Stretch(start_us=round(interval.start * _US), end_us=round(interval.end * _US))
