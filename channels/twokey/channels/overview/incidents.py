"""Incidents as runs told them: sentences with their evidence, plots with the onset, suspects with what speaks for them.

Rules: everything comes from what a run stored, read again and checked against its hash: the sentences are those that
its reviewer saw, the pictures are drawn anew from the same evidence. Where evidence was removed since, the sentences
remain and what was drawn from it is missing. Of a run that may not be read there is no incident. All of it is outside
text, harmless in the form in which it stands here.
"""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection

from twokey.agents.incident import plots
from twokey.agents.incident.material import Material, material
from twokey.agents.incident.plots import Mark, Plot
from twokey.agents.incident.postmortem import title_of
from twokey.agents.incident.shown import name
from twokey.agents.incident.steps import READ
from twokey.agents.incident.summary.story import Story, tell
from twokey.agents.incident.summary.templates import SECTIONS, section
from twokey.agents.incident.suspicion import suspected
from twokey.core.canonical import MAX_INTEGER, Json
from twokey.core.errors import NotFound
from twokey.core.values import Finding, Report
from twokey.store import evidence, figures, proposals, readable, runs
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools.reading import Reader

MOST: Final = 50
"""Incidents that are listed, the latest."""
MOST_PLOTS: Final = 6


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident in a list."""

    run: str
    title: str
    service: str
    start_us: int
    told_us: int


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the summary."""

    key: str
    title: str
    sentences: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service that stands out, and the sentences that speak of it."""

    service: str
    named: bool
    """Whether it is named as the likeliest cause."""
    reasons: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot under a name of its own, drawn anew each time."""

    name: str
    plot: Plot


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as a run told it."""

    run: RunRecord
    title: str
    service: str
    parts: tuple[Part, ...]
    suspects: tuple[Suspect, ...]
    pictures: tuple[Picture, ...]
    numbers: dict[str, int]
    """Each piece of evidence that a sentence cites, by the number it has on the page."""
    proposals: tuple[ProposalRecord, ...]


def listed(reader: Reader) -> tuple[Listed, ...]:
    """Give the incidents that the latest runs told, newest first; raises ``CheckFailed`` where a row was changed."""
    found: list[Listed] = []
    with reader.ledger.look() as connection:
        for run, body in _readable(reader, connection):
            first = _read_of(body)[:1]
            told = material(_contents(connection, first))
            if told is not None:
                at = runs.get_run(connection, run).created_us
                about = told.about
                found.append(Listed(run, title_of(about), name(about.service), about.window.start_us, at))
            if len(found) >= MOST:
                break
    return tuple(found)


def _readable(reader: Reader, connection: Connection) -> Iterator[tuple[str, Json]]:
    """Give what runs read of incidents, of those runs that may be read; so many are looked at together."""
    told = figures.latest_documents(connection, READ, since=0, until=MAX_INTEGER)
    while together := list(itertools.islice(told, MOST)):
        held = readable.runs_of(connection, [run for run, _ in together])
        seen = reader.reads_runs(connection, list(held.values()))
        yield from ((run, body) for run, body in together if run in seen)


def incident(reader: Reader, run: str) -> Incident:
    """Give one incident.

    Raises:
        NotFound: there is no such run, or it told no incident.
        CheckFailed: a row is not as it was stored.

    """
    record = reader.run(run)
    with reader.ledger.look() as connection:
        read = runs.find_document(connection, run=run, name=READ)
        if read is None:
            raise NotFound("That run told no incident.", next="Look at the list of incidents.")
        held = material(_contents(connection, _read_of(read)))
        findings = [
            finding
            for body in runs.list_documents(connection, run=run, prefix="report-")
            for finding in Report.model_validate(body).findings
            if section(finding.kind) in SECTIONS
        ]
        made = tuple(each for each in proposals.proposals_of(connection, run) if reader.reads(each))
    story = None if held is None else tell(held, suspected(held), _nobody)
    numbers: dict[str, int] = {}
    for finding in findings:
        for cited in finding.evidence:
            numbers.setdefault(cited, len(numbers) + 1)
    return Incident(
        run=record,
        title=title_of(held.about) if held is not None else f"Incident of run {run}",
        service=name(held.about.service) if held is not None else "",
        parts=tuple(_parts(findings)),
        suspects=_suspects(story, findings),
        pictures=tuple(_pictures(story)),
        numbers=numbers,
        proposals=made,
    )


def picture(reader: Reader, run: str, wanted: str) -> Plot:
    """Give one picture of an incident; raises ``NotFound``, ``CheckFailed``."""
    found = next((each.plot for each in incident(reader, run).pictures if each.name == wanted), None)
    if found is None:
        raise NotFound("There is no such picture.", next="Look at the incident.")
    return found


def _nobody(_: str) -> str:
    return ""


def _read_of(body: Json) -> list[str]:
    return [str(part[1]) for part in cast("list[list[Any]]", body)]


def _contents(connection: Connection, wanted: Sequence[str]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for each in wanted:
        with contextlib.suppress(NotFound):  # it was pruned
            found[each] = evidence.get_evidence(connection, each)[1]
    return found


def _parts(findings: Sequence[Finding]) -> list[Part]:
    parts = [
        Part(key, title, tuple(finding for finding in findings if section(finding.kind) == key))
        for key, title in SECTIONS.items()
    ]
    return [part for part in parts if part.sentences]


def _suspects(story: Story | None, findings: Sequence[Finding]) -> tuple[Suspect, ...]:
    # Who is named is what the run said, not what today's ranking would say of the same evidence.
    said = next((finding.subject for finding in findings if finding.kind == "summary_cause"), None)
    others = () if story is None else tuple(name(each) for each in story.suspicion.suspects)
    factors = [finding for finding in findings if section(finding.kind) in {"factors", "impact"}]
    named: list[str] = [*([said] if said else []), *others]
    return tuple(
        Suspect(each, each == said, tuple(finding for finding in factors if finding.subject == each))
        for each in dict.fromkeys(named)
    )


def _pictures(story: Story | None) -> list[Picture]:
    if story is None:
        return []
    found: list[Picture] = []
    line = plots.events(story.moments)
    if line is not None:
        found.append(Picture("timeline", line))
    for number, key in enumerate(_order(story.material, story)[:MOST_PLOTS], 1):
        plot = plots.metric(story.material.series[key].answer, _marks(story))
        if plot is not None:
            found.append(Picture(f"metric-{number}", plot))
    return found


def _order(held: Material, story: Story) -> list[tuple[str, str]]:
    """Give the series, the one in which the onset shows first."""
    onset = (story.onset.service, story.onset.what) if story.onset else None
    return sorted(held.series, key=lambda key: (key != onset, key))


def _marks(story: Story) -> list[Mark]:
    seen = ((story.onset, "onset"), (story.page, "page"), (story.recovery, "recovery"))
    return [Mark(moment.at_us, word) for moment, word in seen if moment is not None]
