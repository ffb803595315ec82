"""Writes the sentences of a summary from what was read.

Rules: a sentence is a template filled with what one or two pieces of evidence hold, and cites them; what was not read
is not spoken of, or said to be unknown; causes are named by the ranking and by nothing else; a text of an event or a
log stands in a sentence only as a quote that does nothing but quote.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from twokey.agents.incident import impact
from twokey.agents.incident.material import DEGRADES
from twokey.agents.incident.shown import clock, day, length, listed, name, number, quote
from twokey.agents.incident.summary import acting, pointing, responding
from twokey.agents.incident.summary.said import Said, say
from twokey.agents.incident.summary.story import Story
from twokey.agents.incident.timeline import STRONG
from twokey.tools.read.telemetry.values import MetricChange

MOST_ENTRIES: Final = 60
MOST_METRICS: Final = 4
MOST_SUSPECTS: Final = 3


def write(story: Story) -> tuple[Said, ...]:
    """Give every sentence, in the order in which they stand."""
    parts = (
        _summary,
        _impact,
        _timeline,
        responding.detection,
        pointing.factors,
        responding.resolution,
        responding.lessons,
        acting.actions,
    )
    return tuple(dict.fromkeys(said for part in parts for said in part(story)))


# -- sections ---------------------------------------------------------------------------------------------------------


def _summary(story: Story) -> Iterator[Said]:
    material, about = story.material, story.material.about
    ground = (material.ground,)
    service = name(about.service)
    yield say(
        "summary_what",
        service,
        ground,
        service=service,
        day=day(about.window.start_us),
        start=clock(about.window.start_us),
        end=clock(about.window.end_us),
    )
    title = quote(about.title)
    if title:
        yield say("summary_title", service, ground, quote=title)
    yield from _began(story)
    cause = story.suspicion.cause
    if cause is None:
        yield say("summary_no_cause", service, story.suspicion.evidence)
    else:
        yield say("summary_cause", name(cause), story.suspicion.evidence, service=name(cause))
    others = [name(one) for one in story.suspicion.suspects if one != cause][:MOST_SUSPECTS]
    if others:
        kind = "summary_suspects" if len(others) > 1 else "summary_suspect"
        yield say(kind, service, story.suspicion.evidence, services=listed(others))


def _began(story: Story) -> Iterator[Said]:
    onset = story.onset
    if onset is None:
        return
    at, service = {"day": day(onset.at_us), "at": clock(onset.at_us)}, name(onset.service)
    change = story.material.change(onset.service, onset.what)
    if change is not None and change.before is not None and change.after is not None:
        figures = {"before": number(change.before), "after": number(change.after)}
        yield say("summary_onset", service, onset.evidence, metric=name(onset.what), service=service, **at, **figures)
    else:
        yield say("summary_onset_bare", service, onset.evidence, metric=name(onset.what), service=service, **at)


def _impact(story: Story) -> Iterator[Said]:
    material, onset, back = story.material, story.onset, story.recovery
    service = name(material.about.service)
    looked = tuple(dict.fromkeys((material.ground, *((material.metrics.evidence,) if material.metrics else ()))))
    end_us = material.about.window.end_us
    if onset is not None and onset.at_us < end_us:
        fields = {"metric": name(onset.what), "service": name(onset.service), "start": clock(onset.at_us)}
        if back is not None:
            evidence = (*onset.evidence, *back.evidence)
            took = length(back.at_us - onset.at_us)
            yield say("impact_from_to", fields["service"], evidence, end=clock(back.at_us), length=took, **fields)
        else:
            evidence = (*onset.evidence, material.ground)
            yield say("impact_still", fields["service"], evidence, end=clock(end_us), **fields)
    if material.metrics:
        mine = impact.of_service(material, material.about.service)
        strong = [one for one in mine if one.meaning in DEGRADES and one.abnormal >= STRONG]
        for one in strong[:MOST_METRICS]:
            yield from _moved(one, (material.metrics.evidence,))
        for one in mine[:MOST_METRICS]:
            if one.gap_s:
                yield say(
                    "impact_gap",
                    service,
                    (material.metrics.evidence,),
                    metric=name(one.metric),
                    service=service,
                    seconds=number(one.gap_s),
                )
    yield from _calls(story)
    yield from _requests(story, looked)
    yield from _counted(story, looked)


def _moved(one: MetricChange, evidence: tuple[str, ...]) -> Iterator[Said]:
    if one.before is None or one.after is None:
        return
    fields = {
        "metric": name(one.metric),
        "service": name(one.service),
        "before": number(one.before),
        "after": number(one.after),
    }
    if one.extreme is not None and one.extreme_us is not None:
        more = {"extreme": number(one.extreme), "at": clock(one.extreme_us)}
        yield say("impact_metric", fields["service"], evidence, **fields, **more)
    else:
        yield say("impact_metric_bare", fields["service"], evidence, **fields)


def _calls(story: Story) -> Iterator[Said]:
    traces = story.material.traces
    for one in traces.answer.changes if traces else ():
        if traces and one.service == story.material.about.service and one.errors_after > one.errors_before:
            yield say(
                "impact_calls",
                name(one.service),
                (traces.evidence,),
                errors=number(one.errors_after),
                calls=number(one.calls_after),
                operation=name(one.operation),
                service=name(one.service),
                errors_before=number(one.errors_before),
                calls_before=number(one.calls_before),
            )


def _requests(story: Story, looked: tuple[str, ...]) -> Iterator[Said]:
    onset, back = story.onset, story.recovery
    end_us = back.at_us if back else story.material.about.window.end_us
    found = impact.failed_requests(story.material, onset.at_us, end_us) if onset else None
    service = name(story.material.about.service)
    if found is None or onset is None:
        yield say("impact_requests_unknown", service, looked)
        return
    evidence = (*found.evidence, *onset.evidence, *(back.evidence if back else (story.material.ground,)))
    yield say(
        "impact_requests",
        service,
        evidence,
        requests=number(found.count),
        service=service,
        start=clock(found.start_us),
        end=clock(found.end_us),
        traffic=name(found.traffic),
        errors=name(found.errors),
    )


def _counted(story: Story, looked: tuple[str, ...]) -> Iterator[Said]:
    """Tell of people and of money: what metrics count them say, or that it is unknown."""
    metrics = story.material.metrics
    service = name(story.material.about.service)
    for kind, counts in (("impact_people", impact.counts_people), ("impact_cost", impact.counts_money)):
        found = [one for one in (metrics.answer.changes if metrics else ()) if counts(one.metric)]
        told = [one for one in found if one.before is not None and one.after is not None][:2]
        for one in told:
            yield say(
                kind,
                name(one.service),
                (metrics.evidence,) if metrics else looked,
                metric=name(one.metric),
                service=name(one.service),
                before=number(one.before or "0"),
                after=number(one.after or "0"),
            )
        if not told:
            yield say(f"{kind}_unknown", service, looked)


def _timeline(story: Story) -> Iterator[Said]:
    today = day(story.material.about.window.start_us)
    for one in story.moments[:MOST_ENTRIES]:
        same = day(one.at_us) == today
        when = clock(one.at_us) if same else f"{day(one.at_us)} {clock(one.at_us)}"
        kind = "timeline_recovered" if one.kind == "recovery" and not one.measured else f"timeline_{one.kind}"
        text = quote(one.text) if one.kind in {"change", "page", "mitigation"} else None
        if one.kind in {"change", "page", "mitigation"} and text is None:
            kind += "_bare"
        fields = {
            "when": when,
            "service": name(one.service),
            "metric": name(one.what),
            "kind": name(one.what),
            "actor": name(one.actor) if one.actor else "somebody",
            "quote": text or "",
        }
        yield replace(say(kind, fields["service"], one.evidence, **fields), at_us=one.at_us)
