"""The post-mortem of an incident as Markdown with plots, and its ticket's words, composed of sentences that stand.

Rules: a function of the sentences and the evidence they cite; every sentence is followed by the numbers of its evidence
and nothing else is told; outside text stands in it only as ``shown`` lets it. What front matter states is what later
incidents are compared by (``past``), without whatever would do more than name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.incident import plots
from twokey.agents.incident.material import Material
from twokey.agents.incident.past import facts, front_matter
from twokey.agents.incident.shown import day, name, quote
from twokey.agents.incident.summary.pointing import tells
from twokey.agents.incident.summary.story import Story
from twokey.agents.incident.summary.templates import SECTIONS, section
from twokey.agents.incident.suspicion import Suspicion
from twokey.core.values import Finding
from twokey.tools.read.telemetry.values import About

MOST_PLOTS: Final = 3
FLOWING: Final = frozenset({"summary", "resolution"})
"""Sections that are read as a text; the others are lists."""
_TICKET: Final = ("summary", "impact", "detection", "resolution")


@dataclass(frozen=True, slots=True)
class Document:
    """A post-mortem: its title, its text, and its pictures by file name."""

    title: str
    text: str
    pictures: Mapping[str, str]


def title_of(about: About) -> str:
    """Give what an incident is called."""
    called = name(about.id) if about.id else f"{name(about.service)} {day(about.window.start_us)}"
    said = quote(about.title)
    return f"Incident {called}: {said.strip('“”') if said else name(about.service)}"[:180].strip()


def compose(story: Story, findings: Sequence[Finding], folder: str) -> Document:
    """Write the post-mortem; ``folder`` is where its pictures lie, seen from its file."""
    material = story.material
    numbers = _numbered(findings)
    pictures: dict[str, str] = {}
    drawn: dict[str, list[str]] = {"impact": [], "timeline": []}
    for at, plot in enumerate(_metric_plots(story), 1):
        pictures[f"metric-{at}.svg"] = plot.svg
        drawn["impact"] += _figure(plot, f"{folder}/metric-{at}.svg")
    line = plots.events(story.moments)
    if line is not None:
        pictures["timeline.svg"] = line.svg
        drawn["timeline"] += _picture(line, f"{folder}/timeline.svg")
    title = title_of(material.about)
    lines = [_front(material, story.suspicion), f"# {title}", ""]
    for key, heading in SECTIONS.items():
        mine = [one for one in findings if section(one.kind) == key]
        if mine:
            lines += [
                f"## {heading}",
                "",
                *_sentences(mine, numbers, listed=key not in FLOWING),
                "",
                *drawn.get(key, []),
            ]
    lines += ["## Evidence", "", "Each number names one stored answer of a read tool of this run.", ""]
    lines += [f"{number}. `{evidence}` {_kind(material, evidence)}".rstrip() for evidence, number in numbers.items()]
    return Document(title, "\n".join(lines).rstrip() + "\n", pictures)


def ticket_text(findings: Sequence[Finding], *, update: bool = False) -> str:
    """Write what the incident's ticket says: the summary, what it cost, how it was noticed, what was done."""
    lines: list[str] = ["Update by Twokey.", ""] if update else []
    for key in _TICKET:
        mine = [one for one in findings if section(one.kind) == key]
        if mine:
            lines += [f"**{SECTIONS[key]}**", "", *(f"- {one.claim}" for one in mine), ""]
    todo = [one for one in findings if section(one.kind) == "actions"]
    lines += [*(["**Action items**", ""] if todo else []), *(f"- [ ] {one.claim}" for one in todo)]
    return "\n".join(lines).strip()[:19_000]


def _kind(material: Material, evidence: str) -> str:
    """Give what kind of answer a piece of evidence is, where it is one of these tools'."""
    content = material.contents.get(evidence)
    answer = content.get("answer") if isinstance(content, Mapping) else None
    kind = answer.get("kind") if isinstance(answer, Mapping) else None
    return kind if isinstance(kind, str) and kind.isalpha() else ""


def _numbered(findings: Sequence[Finding]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for one in findings:
        for evidence in one.evidence:
            numbers.setdefault(evidence, len(numbers) + 1)
    return numbers


def _sentences(findings: Sequence[Finding], numbers: Mapping[str, int], *, listed: bool) -> list[str]:
    told = [f"{one.claim} {''.join(f'[{numbers[evidence]}]' for evidence in one.evidence)}" for one in findings]
    return [f"- {text}" for text in told] if listed else [" ".join(told)]


def _metric_plots(story: Story) -> list[plots.Plot]:
    marks = [
        plots.Mark(one.at_us, word)
        for one, word in ((story.onset, "onset"), (story.page, "page"), (story.recovery, "recovery"))
        if one is not None
    ]
    onset = story.onset
    chosen = [key for key in story.material.series if onset is not None and key == (onset.service, onset.what)]
    chosen += [key for key in story.material.series if key not in chosen]
    drawn = [plots.metric(story.material.series[key].answer, marks) for key in chosen[:MOST_PLOTS]]
    return [plot for plot in drawn if plot is not None]


def _picture(plot: plots.Plot, path: str) -> list[str]:
    return [f"![{_cell(plot.says)}]({path})", ""]


def _figure(plot: plots.Plot, path: str) -> list[str]:
    head, *rows = plot.rows
    table = [f"| {' | '.join(map(_cell, head))} |", f"|{'---|' * len(head)}"]
    return [*_picture(plot, path), *table, *(f"| {' | '.join(map(_cell, row))} |" for row in rows), ""]


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("[", "(").replace("]", ")")


def _front(material: Material, suspicion: Suspicion) -> str:
    about = material.about.model_copy(
        update={"title": (quote(material.about.title) or "").strip("“”"), "id": name(material.about.id)}
    )
    metrics = material.metrics.answer if material.metrics else None
    logs = material.logs.answer if material.logs else None
    plain = facts(
        about,
        suspects=[one for one in suspicion.suspects if name(one) == one],
        cause=suspicion.cause or "" if name(suspicion.cause or "") == suspicion.cause else "",
        metrics=metrics.model_copy(
            update={
                "changes": tuple(
                    one for one in metrics.changes if (name(one.service), name(one.metric)) == (one.service, one.metric)
                )
            }
        )
        if metrics
        else None,
        logs=logs.model_copy(
            update={
                "changes": tuple(
                    one
                    for one in logs.changes
                    if tells(one) and name(one.service) == one.service and quote(one.template) is not None
                )
            }
        )
        if logs
        else None,
    )
    return front_matter(plain)
