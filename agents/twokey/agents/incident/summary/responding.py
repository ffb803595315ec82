"""Writes how an incident was noticed, what was done about it, and what went well.

Rules: as in ``writing``. Only what the record holds went well: a page soon after the onset, somebody soon at it, a
mitigation soon after that.
"""

from collections.abc import Iterator
from typing import Final

from twokey.agents.incident.shown import clock, length, name, number, quote
from twokey.agents.incident.summary.said import Said, say
from twokey.agents.incident.summary.story import Story, acknowledged, began, mitigated

_SOON_US: Final = 10 * 60 * 1_000_000


def detection(story: Story) -> Iterator[Said]:
    """Say when it was noticed, and by what."""
    material, onset, page = story.material, story.onset, story.page
    service = name(material.about.service)
    events = (material.events.evidence,) if material.events else (material.ground,)
    if page is None:
        yield say("detection_no_page", service, events)
    elif onset is None:
        yield say("detection_page_alone", service, page.evidence, page=clock(page.at_us), service=name(page.service))
    else:
        kind = "detection_page" if page.at_us >= onset.at_us else "detection_page_before"
        took = length(page.at_us - onset.at_us)
        evidence = (*page.evidence, *onset.evidence)
        fields = {"page": clock(page.at_us), "onset": clock(onset.at_us), "length": took}
        yield say(kind, service, evidence, service=name(page.service), **began(onset), **fields)
    ack = acknowledged(story)
    if ack is not None and page is not None:
        yield say(
            "detection_ack",
            service,
            (*ack.evidence, *page.evidence),
            actor=name(ack.actor) if ack.actor else "somebody",
            at=clock(ack.at_us),
            page=clock(page.at_us),
            length=length(ack.at_us - page.at_us),
            service=name(page.service),
        )
    elif page is not None:
        yield say("detection_no_ack", service, events)
    change = story.alerting()
    if change is not None and change.before is not None and change.after is not None and material.metrics:
        yield say(
            "detection_metric",
            service,
            (material.metrics.evidence,),
            service=service,
            metric=name(change.metric),
            before=number(change.before),
            after=number(change.after),
        )


def resolution(story: Story) -> Iterator[Said]:
    """Say what was done, and when it was well again."""
    material, back, did = story.material, story.recovery, mitigated(story)
    service = name(material.about.service)
    if did is not None:
        text = quote(did.text)
        yield say(
            "resolution_mitigation" if text else "resolution_mitigation_bare",
            name(did.service),
            did.evidence,
            actor=name(did.actor) if did.actor else "somebody",
            service=name(did.service),
            kind=name(did.what),
            at=clock(did.at_us),
            quote=text or "",
        )
    else:
        events = (material.events.evidence,) if material.events else (material.ground,)
        yield say("resolution_none", service, events)
    if back is not None:
        fields = {"metric": name(back.what), "service": name(back.service), "at": clock(back.at_us)}
        if did is not None and did.at_us <= back.at_us:
            evidence = (*back.evidence, *did.evidence)
            took = length(back.at_us - did.at_us)
            more = {"mitigation": clock(did.at_us), "length": took, "where": name(did.service)}
            yield say("resolution_after", fields["service"], evidence, **fields, **more)
        else:
            yield say("resolution_recovered", fields["service"], back.evidence, **fields)
    elif story.onset is not None:
        yield say("resolution_open", service, (material.ground,), end=clock(material.about.window.end_us))


def lessons(story: Story) -> Iterator[Said]:
    """Say what went well, as far as the record says."""
    onset, page, ack, did = story.onset, story.page, acknowledged(story), mitigated(story)
    service = name(story.material.about.service)
    found = False
    if onset and page and 0 <= page.at_us - onset.at_us <= _SOON_US:
        found = True
        took = length(page.at_us - onset.at_us)
        evidence = (*page.evidence, *onset.evidence)
        fields = {"page": clock(page.at_us), "length": took, "onset": clock(onset.at_us)}
        yield say("lessons_page", service, evidence, service=name(page.service), **began(onset), **fields)
    if page and ack and ack.at_us - page.at_us <= _SOON_US // 2:
        found = True
        yield say(
            "lessons_ack",
            service,
            (*ack.evidence, *page.evidence),
            actor=name(ack.actor) if ack.actor else "somebody",
            at=clock(ack.at_us),
            length=length(ack.at_us - page.at_us),
            page=clock(page.at_us),
            service=name(page.service),
        )
    if page and did and 0 <= did.at_us - page.at_us <= 3 * _SOON_US:
        found = True
        yield say(
            "lessons_mitigation",
            service,
            (*did.evidence, *page.evidence),
            at=clock(did.at_us),
            length=length(did.at_us - page.at_us),
            page=clock(page.at_us),
            service=name(page.service),
            where=name(did.service),
        )
    if not found:
        yield say("lessons_none", service, (story.material.ground,))
