"""Writes the action items, each with who answers for it by the escalation ladder.

Rules: an item follows from a finding and cites the same evidence; who answers is what the settings say, and never what
was read; an item asks people to look or to build, and names no cause.
"""

from collections.abc import Iterator
from typing import Final

from twokey.agents.incident.shown import clock, length, name, number
from twokey.agents.incident.summary import taking_back
from twokey.agents.incident.summary.pointing import close_changes
from twokey.agents.incident.summary.said import Said, say
from twokey.agents.incident.summary.story import Story

LATE_US: Final = 5 * 60 * 1_000_000


def actions(story: Story) -> Iterator[Said]:
    """Say what is to be done."""
    yield from _about_the_cause(story)
    yield from _about_the_alert(story)
    for signal, count, evidence in story.material.unread:
        service = story.material.about.service
        fields = {"signal": signal, "count": number(count), "owner": story.owner(service)}
        yield say("actions_unread", name(service), (evidence,), **fields)


def _about_the_cause(story: Story) -> Iterator[Said]:
    cause, onset = story.suspicion.cause, story.onset
    about = story.material.about.service
    if cause is None:
        owner = story.owner(about)
        yield say("actions_no_cause", name(about), story.suspicion.evidence, service=name(about), owner=owner)
        return
    changes = close_changes(story, cause)
    fields = {"service": name(cause), "owner": story.owner(cause)}
    if changes:
        one = changes[0]
        yield say("actions_change", name(cause), one.evidence, at=clock(one.at_us), kind=name(one.what), **fields)
        yield from taking_back.told(story)
    elif onset is not None and onset.service == cause:
        yield say(
            "actions_cause", name(cause), onset.evidence, at=clock(onset.at_us), metric=name(onset.what), **fields
        )


def _about_the_alert(story: Story) -> Iterator[Said]:
    onset, page, metric = story.onset, story.page, story.alerting()
    held = story.material.metrics
    if metric is None or held is None or onset is None:
        return
    service = name(metric.service)
    fields = {"metric": name(metric.metric), "service": service, "owner": story.owner(metric.service)}
    if page is None:
        yield say("actions_no_page", service, (held.evidence,), **fields)
    elif page.at_us - onset.at_us > LATE_US:
        evidence = (*page.evidence, *onset.evidence, held.evidence)
        took = length(page.at_us - onset.at_us)
        times = {"page": clock(page.at_us), "onset": clock(onset.at_us), "length": took}
        where = {"paged": name(page.service), "began": name(onset.what), "where": name(onset.service)}
        yield say("actions_page", service, evidence, **times, **where, **fields)
