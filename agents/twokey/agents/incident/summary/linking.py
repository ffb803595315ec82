"""Links to what may help: sections of runbooks, and earlier incidents that were alike.

Rules: a section is linked where the search found it and it shares telling words with what was asked; it is cited by
file and lines. An earlier incident is linked by ``past.similar`` alone. What a runbook says is outside text: its
headings are quoted, and its words are not taken over.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from twokey.agents.incident.material import Material
from twokey.agents.incident.material import material as understood
from twokey.agents.incident.past import Alike, Facts, Past, facts, of_document, similar
from twokey.agents.incident.past_reading import past_of
from twokey.agents.incident.shown import name, number, quote
from twokey.agents.incident.summary.said import Said, say
from twokey.agents.incident.suspicion import suspected
from twokey.core.canonical import Json
from twokey.tools.read.runbooks import RunbooksResult, SearchResult

MOST_SECTIONS: Final = 3
MOST_SHARED: Final = 3
"""Names that are told of what two incidents share."""
LEAST_SHARED: Final = 2
"""Telling words that a section shares with what was asked, at least."""


def links(material: Material) -> Iterator[Said]:
    """Give a sentence for each link."""
    service = name(material.about.service)
    past: list[Past] = []
    for evidence, content in material.contents.items():
        try:
            answer = RunbooksResult.model_validate(content).answer
        except ValidationError:
            continue
        if isinstance(answer, SearchResult):
            yield from _sections(answer, evidence, service)
        else:
            past += [one for document in answer.documents if (one := of_document(document, evidence)) is not None]
    past += past_of(material.earlier, _understood)
    now = facts_of(material)
    for alike in similar(now, past):
        shared = _shared(alike)
        if shared and not alike.past.commit and alike.past.where in material.earlier:
            yield say(
                "links_run",
                service,
                (alike.past.evidence,),
                incident=name(alike.past.facts.incident),
                service=name(alike.past.facts.service[0]) if alike.past.facts.service else "",
                shared=shared,
            )
        elif shared:
            yield say(
                "links_past",
                service,
                (alike.past.evidence,),
                incident=name(alike.past.facts.incident),
                file=name(alike.past.where),
                shared=shared,
            )


def _shared(alike: Alike) -> str:
    """Give the first names that both have: services that were suspected, then metrics that changed."""
    names = [one for part in alike.shared if part.trait in {"suspects", "metrics"} for one in part.names]
    return ", ".join(name(one) for one in names[:MOST_SHARED])


def facts_of(material: Material) -> Facts:
    """Give what an incident is compared by."""
    suspicion = suspected(material)
    return facts(
        material.about,
        suspects=suspicion.suspects,
        cause=suspicion.cause or "",
        metrics=material.metrics.answer if material.metrics else None,
        logs=material.logs.answer if material.logs else None,
    )


def _understood(contents: Mapping[str, Json]) -> Facts | None:
    found = understood(contents)
    return facts_of(found) if found is not None else None


def _sections(answer: SearchResult, evidence: str, service: str) -> Iterator[Said]:
    for one in answer.found[:MOST_SECTIONS]:
        heading = quote(one.headings[-1]) if one.headings else None
        if heading is not None and len(one.shared) >= LEAST_SHARED:
            yield say(
                "links_runbook",
                service,
                (evidence,),
                quote=heading,
                file=name(one.file),
                first=number(one.first_line),
                last=number(one.last_line),
            )
