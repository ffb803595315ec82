"""What is drafted about an incident: its ticket, its post-mortem, and a pull request that takes a commit back.

Rules: drafts are a function of the evidence, the findings that stand and the settings, so that the reviewer makes the
same and compares; places come from the settings, and from what the tracker and the repository themselves answered; a
ticket of the incident that is open already gets an update instead of a second one; nobody is called, nothing is linked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokey.agents.incident import revert_draft
from twokey.agents.incident.bodies import PULL, TICKET, body, cited
from twokey.agents.incident.house import House
from twokey.agents.incident.material import Material
from twokey.agents.incident.postmortem import compose, ticket_text, title_of
from twokey.agents.incident.shown import day, name
from twokey.agents.incident.summary.story import Story, tell
from twokey.agents.incident.suspicion import suspected
from twokey.core.canonical import Json
from twokey.core.errors import ToolRetry
from twokey.core.values import Finding, Provenance, Resource
from twokey.tools.contract import OutsideContract
from twokey.tools.desk import Desk
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.ticket_pages import TicketRead
from twokey.tools.read.tickets import SearchResult, TicketsResult
from twokey.tools.write.ticket_change import Change, Names, seen
from twokey.tools.write.update_ticket import UpdateTicketArgs

GROUND: Final = "incident-ground"
_SLUG: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Ground:
    """What drafts stand on beside the telemetry: where they go, as it was read, with the evidence of that."""

    run: str
    repository: Resource | None = None
    files: CatalogFiles | None = None
    files_evidence: str = ""
    tracker: Resource | None = None
    ticket: TicketRead | None = None
    """The ticket of this incident that is open already."""
    ticket_evidence: str = ""
    deployed: tuple[Resource, ...] = ()
    """Repositories from which services are deployed."""


def read_ground(desk: Desk, house: House, found: Material, *, agent: str, step: int) -> Ground:
    """Read where the drafts go; what was read is kept, so that it is read once."""
    kept: dict[str, str] = dict(desk.kept(GROUND)) if desk.has(GROUND) else {}  # type: ignore[arg-type]
    if _granted(desk, "repository", house.repository) and "files" not in kept:
        for folder in (house.folder, ""):
            args = {"repository": house.repository, "folder": folder}
            try:
                read = desk.read("read_catalog", args, agent=agent, step=step, result=CatalogFiles)
            except ToolRetry:
                continue  # the folder does not exist yet
            kept["files"] = read.evidence.id
            break
    if _granted(desk, "tickets", house.tickets) and "ticket" not in kept:
        number = _open_ticket(desk, house, found, agent=agent, step=step)
        if number is not None:
            asked = {"tracker": house.tickets, "ask": {"kind": "page", "numbers": [number], "state": None}}
            named = desk.read("search_tickets", asked, agent=agent, step=step, result=TicketsResult)
            kept["ticket"] = named.evidence.id
    desk.keep(GROUND, kept)
    return ground_of(desk, house)


def ground_of(desk: Desk, house: House) -> Ground:
    """Give what was read of where the drafts go."""
    kept: dict[str, str] = dict(desk.kept(GROUND)) if desk.has(GROUND) else {}  # type: ignore[arg-type]
    files = CatalogFiles.model_validate(desk.content(kept["files"])[1]) if "files" in kept else None
    read = TicketsResult.model_validate(desk.content(kept["ticket"])[1]).page if "ticket" in kept else None
    return Ground(
        run=desk.run,
        repository=_granted(desk, "repository", house.repository) if files else None,
        files=files,
        files_evidence=kept.get("files", ""),
        tracker=_granted(desk, "tickets", house.tickets),
        ticket=next((one for one in (read.tickets if read else ()) if one.state == "open"), None),
        ticket_evidence=kept.get("ticket", ""),
        deployed=tuple(one for place, _ in house.deployed if (one := _granted(desk, "repository", place)) is not None),
    )


def _granted(desk: Desk, kind: Any, place: str) -> Resource | None:
    if not place:
        return None
    try:
        return desk.places.find(kind, place).resource
    except OutsideContract:
        return None


def _open_ticket(desk: Desk, house: House, found: Material, *, agent: str, step: int) -> int | None:
    """Look for the ticket of this incident: one with the incident's label whose title is the one it would get."""
    title = title_of(found.about)
    asked = {"tracker": house.tickets, "ask": {"kind": "search", "text": title, "most": 10}}
    answer = desk.read("search_tickets", asked, agent=agent, step=step, result=TicketsResult).result.answer
    alike = answer.found if isinstance(answer, SearchResult) else ()
    return next((one.number for one in alike if one.title == title), None)


def drafts(found: Material, findings: Sequence[Finding], house: House, ground: Ground) -> list[Json]:
    """Give the drafts, as plain JSON."""
    if not findings:
        return []
    story = tell(found, suspected(found), house.owner, house.deployed)
    made: list[Json] = []
    if ground.tracker is not None:
        made.append(_ticket(story, findings, house, ground, ground.tracker))
    if ground.repository is not None and ground.files is not None:
        made.append(_pull(story, findings, house, ground, ground.repository, ground.files))
    suspect = revert_draft.wanted(story)
    target = next((one for one in ground.deployed if suspect and one.id == suspect.held.answer.name), None)
    if suspect is not None and target is not None:
        made.append(revert_draft.draft(story, suspect, findings, target))
    return made


def told(bodies: Sequence[Json]) -> str:
    """Say what was drafted."""
    tools = [str(body["tool"]) for body in bodies if isinstance(body, dict)]
    return (
        f"drafted: {', '.join(tools)}" if tools else "nothing to draft: the settings name no tickets and no repository"
    )


def _ticket(story: Story, findings: Sequence[Finding], house: House, ground: Ground, tracker: Resource) -> Json:
    args: dict[str, Any] = {"tickets": tracker.id}
    sources_of = cited(findings)
    sources = [Provenance(path="tickets", label="request" if tracker.granted_by == "request" else "config")]
    if ground.ticket is not None:
        text = ticket_text(findings, update=True)
        args |= {"ticket": ground.ticket.number, "comment": text}
        args["seen"] = seen(ground.ticket, Change(comment=text))
        sources.append(Provenance(path="ticket", label="code", evidence=(ground.ticket_evidence,)))
    else:
        args["opens"] = {"title": title_of(story.material.about), "body": ticket_text(findings)}
        args["labels"] = Names(add=(house.label,) if house.label else ()).model_dump(mode="json")
        sources.append(Provenance(path="ticket", label="code"))
    sources += [
        Provenance(path="seen", label="code"),
        Provenance(path="opens", label="evidence", evidence=sources_of),
        Provenance(path="labels", label="config" if house.label and ground.ticket is None else "code"),
        *(Provenance(path=path, label="code") for path in ("priority", "assignees", "duplicate_of")),
        Provenance(path="comment", label="evidence", evidence=sources_of),
        *(Provenance(path=path, label="code") for path in ("checklist", "state", "reason")),
    ]
    why = f"{'Update' if ground.ticket else 'Open'} the ticket of {title_of(story.material.about)}."
    return body(TICKET, UpdateTicketArgs.model_validate(args).model_dump(mode="json"), sources, findings, why)


def _pull(  # what the post-mortem is made of and where it goes
    story: Story,
    findings: Sequence[Finding],
    house: House,
    ground: Ground,
    repository: Resource,
    files: CatalogFiles,
) -> Json:
    about = story.material.about
    stem = f"{day(about.window.start_us)}-{slug(about.id or about.service)}"
    taken = {file.path for file in files.files}
    base = f"{house.folder.strip('/')}/{stem}".lstrip("/")
    if f"{base}.md" in taken:
        stem += f"-{ground.run.rpartition('-')[2][:6]}"
        base = f"{house.folder.strip('/')}/{stem}".lstrip("/")
    document = compose(story, findings, stem)
    written = [{"path": f"{base}.md", "content": document.text}]
    written += [{"path": f"{base}/{picture}", "content": svg} for picture, svg in sorted(document.pictures.items())]
    shown, read = cited(findings), (ground.files_evidence,)
    args = {
        "repository": repository.id,
        "base_branch": files.branch,
        "base_commit": files.commit,
        "branch": f"twokey/{ground.run}-postmortem",
        "title": f"Post-mortem: {document.title}"[:200].strip(),
        "body": ticket_text(findings),
        "files": written,
    }
    sources = [
        Provenance(path="repository", label="request" if repository.granted_by == "request" else "config"),
        Provenance(path="base_branch", label="code", evidence=read),
        Provenance(path="base_commit", label="code", evidence=read),
        Provenance(path="branch", label="code"),
        Provenance(path="title", label="evidence", evidence=shown),
        Provenance(path="body", label="evidence", evidence=shown),
        Provenance(path="files.path", label="code", evidence=read),
        Provenance(path="files.content", label="evidence", evidence=shown),
        Provenance(path="files.mode", label="code"),
    ]
    why = f"Keep the post-mortem of {document.title} where the next incident finds it."
    return body(PULL, args, sources, findings, why)


def slug(text: str) -> str:
    """Give a name as part of a path: small letters, digits and dashes."""
    return _SLUG.sub("-", name(text).casefold())[:60].strip("-") or "incident"
