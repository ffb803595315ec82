"""The other documents: a run, what waits, the Home screen, help, a refusal, a reminder.

Rules: pure functions of what is handed in; plans, questions, progress and error messages can hold text from outside
and are treated as such; lists are cut and say so; what waits for a person is named with the button or command that
opens it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from twokey.agents.state import Progress
from twokey.channels.card import moment
from twokey.channels.rendering.buttons import Pressed
from twokey.channels.rendering.cards import TITLES, change_size, finding_lines, needed
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Button,
    Context,
    Document,
    Field,
    Foreign,
    Heading,
    Items,
    Line,
    Name,
    Paragraph,
    Passage,
    Words,
    command,
    counted,
    line,
    named,
    number,
)
from twokey.core.errors import BadInput, EnvironmentFault, TwokeyError
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Plan
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord, RunState

PROGRESS_SHOWN: Final = 20
LISTED: Final = 10
_RUN_TITLES: Final[dict[RunState, LiteralString]] = {
    "running": "Working on it",
    "waiting": "Waits for people",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
_MINUTE_US: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands."""

    run: RunRecord
    plan: Plan | None = None
    progress: tuple[Progress, ...] = ()
    """What was told last of each step, in order."""
    proposals: tuple[ProposalRecord, ...] = ()
    findings: tuple[Finding, ...] = ()
    question: dict[str, Any] | None = None
    """What has to be answered before it can be planned."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What one person meets on their Home screen."""

    principal: str | None
    """Who they are here; nobody where their account is not linked."""
    waiting: tuple[ProposalRecord, ...] = ()
    """What waits for somebody like them."""
    asked: tuple[ProposalRecord, ...] = ()
    """What they asked for and what is not over."""
    runs: tuple[RunRecord, ...] = ()
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be asked for: how it is typed, and what it does."""

    typed: Words
    does: Words


def run_document(view: RunView) -> Document:
    """Give the progress of a run: what was understood, the plan, the steps, what came of it."""
    run = view.run
    asked = line("asked by ", Name(run.requester), ", ", Name(moment(run.created_us)))
    return Document(
        title=Words(_RUN_TITLES[run.state]),
        subject=Name(run.id),
        lead=asked,
        blocks=tuple(_run_blocks(view)),
    )


def waiting_document(records: Sequence[ProposalRecord], stopped: str | None = None) -> Document:
    """Give the list of what waits."""
    blocks = [*_stopped(stopped), *_proposals(records, "Nothing waits.")]
    return Document(title=Words("Waits for approval"), lead=(_waits(len(records)),), blocks=tuple(blocks))


def home_document(desk: Desk) -> Document:
    """Give the Home screen of one person."""
    return Document(title=Words("Twokey"), lead=_who(desk), blocks=tuple(_home_blocks(desk)))


def help_document(commands: Sequence[Command]) -> Document:
    """Say what can be asked for here."""
    offered = tuple((item.typed, Words(": "), item.does) for item in commands)
    return Document(
        title=Words("What you can ask for"),
        lead=line("Twokey reads, thinks and proposes. Nothing is written until policy and a person agree."),
        blocks=(Items(offered),),
    )


def refusal_document(error: TwokeyError, subject: str | None = None) -> Document:
    """Say what was not done, why, and what to do next.

    Args:
        error: What happened.
        subject: Id of the proposal or run it was about.

    """
    title: LiteralString = "Refused"
    if isinstance(error, BadInput):
        title = "Not understood"
    elif isinstance(error, EnvironmentFault):
        title = "Not possible now"
    return Document(
        title=Words(title),
        subject=None if subject is None else Name(subject),
        blocks=(
            Field("why", (line(Foreign(error.message, 600)),)),
            Field("next", (line(Foreign(error.next, 600)),)),
            Context(line("code ", named(error.code))),
        ),
    )


def reminder_document(record: ProposalRecord, now_us: int, *, escalated: bool = False) -> Document:
    """Remind people of a card before it expires; ``escalated``: people beyond the first ones are asked."""
    minutes = max(0, (record.expires_us - now_us) // _MINUTE_US)
    left = counted(minutes, "minute", "minutes") if minutes < 120 else counted(minutes // 60, "hour", "hours")
    why = line("it is not decided, so it is brought before you") if escalated else line("it is not decided yet")
    carried = Pressed.of(record).value
    return Document(
        title=Words("Expires soon"),
        subject=Name(record.id),
        lead=line("in ", left, ", at ", Name(moment(record.expires_us)), " · ", *why),
        blocks=(
            Field("what", (_what(record),)),
            Field("policy", (needed(record.decision),)),
            Actions(f"remind-{record.id}", (Button("twokey.show", Words("Open card"), carried),)),
        ),
    )


def _run_blocks(view: RunView) -> Iterator[Block]:
    if view.run.request.text:
        yield Passage("request", view.run.request.text, spare=False)
    if view.plan is not None:
        yield Field("understood", (line(Foreign(view.plan.understood, 400)),))
        steps = [(number(step.number), step) for step in view.plan.steps]
        yield Field("plan", tuple(line(at, " ", Name(step.agent), " ", *_title(step.title)) for at, step in steps))
    if view.progress:
        shown = view.progress[-PROGRESS_SHOWN:]
        yield Field("steps", tuple(map(_progress, shown)))
    if view.question is not None:
        suggestions = [str(item) for item in view.question.get("suggestions", [])]
        yield Passage("question", str(view.question.get("question", "")), spare=False)
        if suggestions:
            yield Field("try", tuple(line(Foreign(item)) for item in suggestions[:LISTED]))
    if view.proposals:
        yield Field("proposals", tuple(_with_state(record) for record in view.proposals[:LISTED]))
        yield from _opening(view.proposals)
    if view.findings:
        yield Field("findings", tuple(finding_lines(view.findings)), spare=True)
    if view.run.code:
        ended = line(named(view.run.code))
        yield Field("result", ((*ended, *line(": ", Foreign(view.run.message, 400))) if view.run.message else ended,))


def _title(title: str) -> Line:
    return line(Foreign(title)) if title else ()


def _progress(told: Progress) -> Line:
    count = line(" (", number(told.done), " of ", number(told.total), ")") if told.total else ()
    step = line(number(told.step)) if told.step else line("plan")
    return (*step, *count, Words(" "), Foreign(told.text))


def _opening(records: Sequence[ProposalRecord]) -> Iterator[Block]:
    waiting = [record for record in records if record.state is State.AWAITING_APPROVAL][:LISTED]
    for record in waiting:
        button = Button("twokey.show", Words("Open card"), Pressed.of(record).value)
        yield Actions(f"open-{record.id}", (button,))


def _waits(count: int) -> Words:
    return counted(count, "proposal waits", "proposals wait")


def _stopped(stopped: str | None) -> Iterator[Block]:
    if stopped is not None:
        yield Field("STOPPED", (line("writes are stopped (", named(stopped), ")"),), alarm=True)


def _what(record: ProposalRecord) -> Line:
    proposal = record.proposal
    target = named(proposal.target.id, 60)
    return line(
        Name(proposal.tool), " → ", target, " · ", *change_size(proposal), " · asked by ", Name(proposal.requester)
    )


def _with_state(record: ProposalRecord) -> Line:
    return line(Name(record.id), " · ", Words(TITLES[record.state]), " · ", *_what(record))


def _proposals(records: Sequence[ProposalRecord], nothing: LiteralString) -> Iterator[Block]:
    if not records:
        yield Paragraph(line(nothing))
    for record in records[:LISTED]:
        expires = line("expires ", Name(moment(record.expires_us)))
        yield Paragraph(_with_state(record))
        yield Context((*needed(record.decision), Words(" · "), *expires))
        yield from _opening([record])
    if len(records) > LISTED:
        yield Context(line("… ", number(len(records) - LISTED), " more"))


def _who(desk: Desk) -> Line:
    if desk.principal is None:
        return line("your account is not linked to a principal yet")
    return line("you are ", named(desk.principal), " here · ", _waits(len(desk.waiting)))


def _home_blocks(desk: Desk) -> Iterator[Block]:
    yield from _stopped(desk.stopped)
    if desk.principal is None:
        yield Paragraph(line("Link it with ", command("/twokey link NAME"), " and confirm that with your own key."))
        return
    yield Heading(Words("Waits for you"))
    yield from _proposals(desk.waiting, "Nothing waits for you.")
    yield Heading(Words("You asked for"))
    asked = tuple(_with_state(record) for record in desk.asked[:LISTED])
    yield Items(asked) if asked else Paragraph(line("Nothing is on its way."))
    if desk.runs:
        yield Heading(Words("Your runs"))
        yield Items(tuple(_run(run) for run in desk.runs[:LISTED]))


def _run(run: RunRecord) -> Line:
    about = line(" · ", Foreign(run.request.text, 120)) if run.request.text else ()
    return line(Name(run.id), " · ", Words(_RUN_TITLES[run.state]), " · ", Name(moment(run.created_us)), *about)
