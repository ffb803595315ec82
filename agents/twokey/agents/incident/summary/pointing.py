"""Writes what points to the suspects: their metrics, lines, operations, calls and changes.

Rules: as in ``writing``. For each suspect the strongest signs of each source stand first; a change counts as close
where it was made to a suspect in the half hour before the onset. It is told as what came before, and never as what
brought it about.
"""

from collections.abc import Iterator
from typing import Final

from twokey.agents.incident import impact
from twokey.agents.incident.shown import clock, length, milliseconds, name, number, quote
from twokey.agents.incident.summary.said import Said, say
from twokey.agents.incident.summary.story import Story, began
from twokey.agents.incident.timeline import STRONG, Moment
from twokey.tools.read.telemetry.values import LogChange, OperationChange

MOST_SUSPECTS: Final = 3
MOST_SIGNS: Final = 3
CLOSE_US: Final = 30 * 60 * 1_000_000


def factors(story: Story) -> Iterator[Said]:
    """Say what points to the suspects, and what could not be read."""
    suspects = story.suspicion.suspects[:MOST_SUSPECTS]
    found = False
    for service in suspects:
        for said in (
            *_metrics(story, service),
            *_operations(story, service),
            *_lines(story, service),
            *_changes(story, service),
            *_calls(story, service),
        ):
            found = True
            yield said
    if not found:
        yield say("factors_none", name(story.material.about.service), story.suspicion.evidence)
    yield from _unread(story)


def _signs(story: Story, service: str) -> int:
    """Give how many signs of one source are told: of whoever else is suspected, the strongest alone."""
    return MOST_SIGNS if service == story.suspicion.suspects[0] else 1


def _metrics(story: Story, service: str) -> Iterator[Said]:
    held = story.material.metrics
    if held is None:
        return
    strong = [one for one in impact.of_service(story.material, service) if one.abnormal >= STRONG]
    for one in strong[: _signs(story, service)]:
        if one.before is None or one.after is None:
            continue
        fields = {
            "metric": name(one.metric),
            "service": name(service),
            "before": number(one.before),
            "after": number(one.after),
        }
        if one.onset_us is None:
            yield say("factors_metric_bare", fields["service"], (held.evidence,), **fields)
        else:
            yield say("factors_metric", fields["service"], (held.evidence,), at=clock(one.onset_us), **fields)


def _operations(story: Story, service: str) -> Iterator[Said]:
    held = story.material.traces
    mine = [one for one in held.answer.changes if one.service == service] if held else []
    for one in mine[: _signs(story, service)]:
        if held:
            yield from _operation(one, (held.evidence,))


def _operation(one: OperationChange, evidence: tuple[str, ...]) -> Iterator[Said]:
    named = {"operation": name(one.operation), "service": name(one.service)}
    if one.slow_from_us is not None and one.self_before_us is not None and one.self_after_us is not None:
        yield say(
            "factors_slow",
            named["service"],
            evidence,
            before=milliseconds(one.self_before_us),
            after=milliseconds(one.self_after_us),
            at=clock(one.slow_from_us),
            **named,
        )
    if one.first_slow:
        yield say("factors_first", named["service"], evidence, **named)
    if one.errors_after > one.errors_before:
        yield say(
            "factors_errors",
            named["service"],
            evidence,
            errors=number(one.errors_after),
            calls=number(one.calls_after),
            errors_before=number(one.errors_before),
            calls_before=number(one.calls_before),
            **named,
        )
    if one.retries:
        yield say("factors_retries", named["service"], evidence, retries=number(one.retries), **named)


def _lines(story: Story, service: str) -> Iterator[Said]:
    held = story.material.logs
    if held is None:
        return
    mine = [one for one in held.answer.changes if one.service == service and tells(one)]
    for one in sorted(mine, key=_telling)[: _signs(story, service)]:
        fields = {
            "service": name(service),
            "level": name(one.level.lower()) if one.level else "log",
            "before": number(one.before),
            "after": number(one.after),
        }
        text = quote(one.template)
        if one.first_us is None:
            if text:
                yield say("factors_logs_gone", fields["service"], (held.evidence,), quote=text, **fields)
            continue
        kind = "factors_logs" if text else "factors_logs_bare"
        at = clock(one.first_us)
        yield say(kind, fields["service"], (held.evidence,), at=at, quote=text or "", **fields)


def tells(one: LogChange) -> bool:
    """Tell whether a change of lines says something: ordinary ones that come more often only say that more is done."""
    return one.change in {"new", "vanished"} or (one.change == "burst" and not _is_ordinary(one))


def _telling(one: LogChange) -> tuple[bool, int]:
    return _is_ordinary(one), -one.after


def _is_ordinary(one: LogChange) -> bool:
    return one.level.casefold() in {"info", "debug", "trace", ""}


def close_changes(story: Story, service: str) -> list[Moment]:
    """Give the changes of a service shortly before the onset, the latest first."""
    onset = story.onset
    if onset is None:
        return []
    return [
        one
        for one in reversed(story.moments)
        if one.kind == "change" and one.service == service and 0 <= onset.at_us - one.at_us <= CLOSE_US
    ]


def _changes(story: Story, service: str) -> Iterator[Said]:
    onset = story.onset
    for one in close_changes(story, service)[:MOST_SIGNS]:
        if onset is None:
            return
        text = quote(one.text)
        yield say(
            "factors_change" if text else "factors_change_bare",
            name(service),
            (*one.evidence, *onset.evidence),
            service=name(service),
            kind=name(one.what),
            at=clock(one.at_us),
            length=length(onset.at_us - one.at_us),
            onset=clock(onset.at_us),
            quote=text or "",
            **began(onset),
        )


def _calls(story: Story, service: str) -> Iterator[Said]:
    """Tell the call that leads from what is unusual to a suspect."""
    held = story.material.topology
    others = {story.material.about.service, *story.suspicion.suspects}
    calls = [one for one in held.answer.calls if one.callee == service and one.caller in others] if held else []
    for one in sorted(calls, key=lambda call: (call.caller != story.material.about.service, call.caller))[:1]:
        if held:
            yield say(
                "factors_calls", name(service), (held.evidence,), caller=name(one.caller), callee=name(one.callee)
            )


def _unread(story: Story) -> Iterator[Said]:
    for signal, count, evidence in story.material.unread:
        yield say(
            "factors_unread",
            name(story.material.about.service),
            (evidence,),
            count=number(count),
            signal=signal,
        )
