"""Runs as they happen: the plan, what each agent does, which tools and models are asked, and what comes of it.

Rules: steps and calls are told as the log has them; what was asked for and what was found stands in the store and is
shown as text from outside.
"""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from twokey.agents.state import Progress
from twokey.audit.entry import Entry
from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import Site, site_of
from twokey.channels.console.streaming import news
from twokey.channels.service import Outcome
from twokey.core.events import ModelCalled, PolicyDecided, ReviewEnded, StepEnded, StepStarted, ToolCalled, ToolReturned
from twokey.core.values import Plan
from twokey.tools.listed import run_page
from twokey.tools.reading import Reader
from twokey.tools.withholding import Withheld, withheld

router: Final = APIRouter(include_in_schema=False)
SHOWN: Final = 100
ENTRIES: Final = 1000
FINDINGS: Final = 100


@dataclass(slots=True)
class Call:
    """One read tool that was asked."""

    tool: str
    code: str = "running"
    evidence: str = ""


@dataclass(slots=True)
class StepStory:
    """What became of one step."""

    number: int
    agent: str
    title: str = ""
    state: str = "waits"
    code: str = ""
    findings: int = 0
    began_us: int = 0
    ended_us: int = 0
    calls: list[Call] = field(default_factory=list[Call])
    models: list[ModelCalled] = field(default_factory=list[ModelCalled])


@dataclass(frozen=True, slots=True)
class Story:
    """A run, as its page tells it."""

    outcome: Outcome
    plan: Plan | None
    steps: list[StepStory]
    denied: list[PolicyDecided]
    review: ReviewEnded | None
    tokens: int
    cost: int
    """In millionths of the workspace's currency."""
    stamp: str
    """Changes whenever there is something else to show."""
    line: Progress | None
    """What the run says of itself, where this process drives it."""


def outcome_of(site: Site, reader: Reader, run: str) -> Outcome:
    """Give where a run stands and what of its proposals may be read; raises ``NotFound``."""
    outcome = site.service.outcome(reader.run(run).id)
    return replace(outcome, proposals=tuple(record for record in outcome.proposals if reader.reads(record)))


def story(site: Site, reader: Reader, run: str) -> Story:
    """Tell a run; raises ``NotFound``."""
    outcome = outcome_of(site, reader, run)
    entries = _entries(site, run)
    plan = _plan(site.service.document(run, "plan"))
    steps = {step.number: StepStory(step.number, step.agent, step.title) for step in plan.steps} if plan else {}
    calls: dict[str, Call] = {}
    for entry in entries:
        _take(entry, steps, calls)
    models = [model for step in steps.values() for model in step.models]
    prices = site.workspace.config.model
    sent, received = sum(one.tokens_in for one in models), sum(one.tokens_out for one in models)
    events = [entry.event for entry in entries]
    return Story(
        outcome,
        plan,
        [steps[number] for number in sorted(steps)],
        [event for event in events if isinstance(event, PolicyDecided) and event.decision == "deny"],
        next((event for event in reversed(events) if isinstance(event, ReviewEnded)), None),
        sent + received,
        (sent * prices.price_in + received * prices.price_out) // 1000,
        _stamp(site, outcome, len(entries)),
        site.workspace.board.latest(run),
    )


def _worded(told: Story, left_out: Withheld) -> Story:
    """Leave out of a plan's words what may not be read."""
    for step in told.steps:
        step.title = left_out.words(step.title)
    if told.plan is None:
        return told
    plan = told.plan.model_copy(update={"understood": left_out.words(told.plan.understood)})
    return replace(told, plan=plan)


def _entries(site: Site, run: str) -> list[Entry]:
    return [recorded.entry for recorded in site.workspace.ledger.log.entries(run, limit=ENTRIES)]


def _stamp(site: Site, outcome: Outcome, entries: int) -> str:
    """Tell one state of a run's page from another."""
    line = site.workspace.board.latest(outcome.run.id)
    said = "" if line is None else hashlib.sha256(f"{line}".encode()).hexdigest()[:12]
    return f"{outcome.run.state}.{entries}.{','.join(record.state.value for record in outcome.proposals)}.{said}"


def _plan(document: Any) -> Plan | None:
    try:
        return None if document is None else Plan.model_validate(document)
    except ValidationError:
        return None


def _take(entry: Entry, steps: dict[int, StepStory], calls: dict[str, Call]) -> None:
    """Put one entry of the log where it belongs."""
    match entry.event:
        case StepStarted() as begun:
            step = steps.setdefault(begun.step, StepStory(begun.step, begun.agent))
            step.state, step.began_us = "runs", entry.time_us
        case StepEnded() as ended:
            step = steps.setdefault(ended.step, StepStory(ended.step, ended.agent))
            step.state, step.code, step.findings, step.ended_us = "ended", ended.code, ended.findings, entry.time_us
        case ToolCalled() as called:
            calls[called.call] = Call(called.tool)
            steps.setdefault(called.step, StepStory(called.step, "")).calls.append(calls[called.call])
        case ToolReturned() as returned if returned.call in calls:
            calls[returned.call].code, calls[returned.call].evidence = returned.code, returned.evidence or ""
        case ModelCalled() as asked:
            steps.setdefault(asked.step, StepStory(asked.step, "")).models.append(asked)
        case _:
            """The rest is told elsewhere."""


@router.get("/runs")
def listed(request: Request, visitor: Who, reader: Reads) -> Response:
    """List the latest runs."""
    return site_of(request).page(request, "runs.html", visitor, runs=run_page(reader, limit=SHOWN))


@router.get("/runs/{run}")
def show(request: Request, visitor: Who, reader: Reads, run: str) -> Response:
    """Show a run."""
    site = site_of(request)
    told = story(site, reader, run)
    with site.workspace.ledger.look() as connection:
        left_out = withheld(reader, connection, told.outcome.run)
    told = _worded(told, left_out)
    findings = left_out.findings(site.service.findings(run))
    values: dict[str, Any] = {
        "story": told,
        "run": told.outcome.run,
        "findings": findings[:FINDINGS],
        "more": max(0, len(findings) - FINDINGS),
    }
    if request.headers.get("x-part") == "yes":
        return HTMLResponse(site.render("run_story.html", visitor=visitor, **values))
    return site.page(request, "run.html", visitor, **values)


@router.get("/runs/{run}/news")
def told(request: Request, visitor: Who, reader: Reads, run: str) -> Response:
    """Tell whenever something happened in a run."""
    site = site_of(request)

    def look(now: Reader) -> dict[str, Any]:
        outcome = outcome_of(site, now, run)
        return {"stamp": _stamp(site, outcome, len(_entries(site, run))), "state": outcome.run.state}

    look(reader)
    return news(request, site, visitor, look)


@router.post("/runs/{run}/cancel")
def cancel(request: Request, visitor: Who, reader: Reads, _: Form, run: str) -> Response:
    """Cancel a run; only who asked for it may."""
    site_of(request).service.cancel(visitor.identity, reader.run(run).id)
    return RedirectResponse(f"/runs/{run}", 303)
