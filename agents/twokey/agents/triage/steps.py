"""The triage agent's two steps: look at tickets, and draft one change for each that can be sorted.

Rules:
- a run reads a bounded number of pages and drafts a bounded number of changes; where there is more, it says where the
  next run goes on;
- what was read is evidence; a step that runs again after a crash reads only what it had not read;
- the tickets that are judged are those the request names, or the new ones: open, with no kind and no mark of ours;
- reports of weaknesses come first, then what presses most;
- what waits for people already, word for word, is not proposed again;
- a request for tickets of which none is there is refused, and not answered with nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from twokey.agents.state import Progress, State, Surroundings
from twokey.agents.triage.deciding import MAY_REPEAT, Decided, Said, decide
from twokey.agents.triage.drafting import TOOL, draft, findings
from twokey.agents.triage.duplicates import Experience, Sameness, judge
from twokey.agents.triage.history import History, text_of
from twokey.agents.triage.lessons import experience_of, outcomes_of
from twokey.agents.triage.storming import with_storms
from twokey.agents.triage.team import PAGES, Known, Passage, Team
from twokey.agents.triage.values import PRIORITIES, Understanding
from twokey.core.errors import CheckFailed, EnvironmentFault, NotFound
from twokey.core.values import Finding, Plan, Report, Resource, Step
from twokey.tools.desk import Desk
from twokey.tools.read.ticket_pages import PAGE, TicketRead, TicketsRead
from twokey.tools.read.tickets import SimilarResult, TicketsResult
from twokey.tools.write.ticket_change import reads_like_a_weakness

AGENT: Final = "triage"
READ: Final = "triage-read"
"""What a run has read: evidence by page, and where it went on."""
NEXT: Final = "triage-next"
"""Where the next run goes on."""
MICROSECONDS: Final = 1_000_000
MARGIN: Final = 2
"""How many tickets are compared with earlier ones for each that may be changed."""
CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Page:
    """A page of tickets, and the evidence it is."""

    evidence: str
    tickets: tuple[TicketRead, ...]


def team_of(runtime: Runtime[Surroundings]) -> Team:
    """Give the team's settings; raises ``EnvironmentFault`` where this process has none."""
    team = runtime.context.team
    if team is None:
        raise EnvironmentFault("This process cannot look at tickets.", next="Run it in a workspace.", code="no_triage")
    return team


def _step(desk: Desk, state: State) -> Step:
    return Plan.model_validate(desk.kept("plan")).steps[state.get("position", 0)]


def scan_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Read the tickets that are to be judged, and labelled ones to learn from."""
    desk, step = runtime.context.desk, _step(runtime.context.desk, state)
    desk.step_started(step.number, AGENT)
    read = _Reading(desk, step)
    named = [str(key) for key in step.args.get("keys", ())]
    if named and not read.has("named"):
        read.one("named", {"keys": named, "state": None})
        absent = read.absent
        if absent:
            runtime.context.tell(Progress(step.number, f"not there: {', '.join(absent)[:200]}"))
        if not set(named) - set(absent):
            raise NotFound(
                "No ticket of that key is there." if len(absent) == 1 else "No tickets of those keys are there.",
                next="Write keys as the tracker does; `twokey triage` without one looks at the new tickets.",
                code="no_ticket",
            )
    read.listed("new", step.args.get("since"), bounded=bool(named), tell=runtime.context.tell)
    tickets = sum(len(page.tickets) for page in pages(desk))
    runtime.context.tell(Progress(step.number, f"{tickets:,} tickets read"))
    desk.step_ended(step.number, AGENT, code="ok")
    return {}


class _Reading:
    """Reads, and remembers what was read already."""

    def __init__(self, desk: Desk, step: Step) -> None:
        self._desk = desk
        self._step = step
        kept: Any = desk.kept(READ) if desk.has(READ) else {"pages": [], "next": None, "done": False}
        self._kept = cast("dict[str, Any]", kept)
        self.absent: tuple[str, ...] = ()
        self.last = ""
        """The evidence that was read last."""

    def has(self, name: str) -> bool:
        """Tell whether a part was read before."""
        return any(page["part"] == name for page in self._kept["pages"])

    def one(self, name: str, args: dict[str, Any]) -> TicketsRead:
        """Read once more, and remember it."""
        reading = self._desk.read(
            "search_tickets",
            {"tracker": self._step.args["tickets"], "ask": {"kind": "page", **args}},
            agent=AGENT,
            step=self._step.number,
            result=TicketsResult,
        )
        read = _page(reading.result)
        self._kept["pages"].append({"part": name, "evidence": reading.evidence.id})
        self.absent = read.absent
        self.last = reading.evidence.id
        self._desk.keep(READ, self._kept)
        return read

    def listed(self, name: str, since: str | None, *, bounded: bool, tell: Any) -> None:
        """Read page by page, as many as a run may; ``bounded``: only to learn from, so nothing is gone on with."""
        if self._kept["done"]:
            return
        at = self._kept["next"] or {"since": since, "passed": list(self._step.args.get("passed", ()))}
        count = sum(page["part"] == name for page in self._kept["pages"])
        while count < PAGES:
            result = self.one(name, {**at, "state": None})
            count += 1
            tell(Progress(self._step.number, f"page {count} read", count, PAGES))
            at = {"since": result.since, "passed": list(result.passed)}
            self._kept["next"] = at
            if result.since is None:
                break
        self._kept["done"] = True
        self._desk.keep(READ, self._kept)
        if at["since"] is not None and not bounded:
            self._desk.keep(NEXT, {"since": str(at["since"]), "passed": at["passed"]})


def read_by(desk: Desk) -> list[str]:
    """Name the evidence that a run read."""
    kept = cast("dict[str, Any]", desk.kept(READ))
    return [str(page["evidence"]) for page in kept["pages"]]


def pages(desk: Desk) -> Iterator[Page]:
    """Give what a run has read, page by page."""
    for name in read_by(desk):
        _, content = desk.content(name)
        yield Page(name, _page(TicketsResult.model_validate(content)).tickets)


def _page(result: TicketsResult) -> TicketsRead:
    """Give the page that was asked for.

    Raises:
        CheckFailed: what was kept is something else.

    """
    if result.page is None:
        raise CheckFailed("What a run kept as tickets is none.", next="Ask again.", code="changed_evidence")
    return result.page


def propose_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Judge what was read, and draft the changes."""
    desk, team, step = runtime.context.desk, team_of(runtime), _step(runtime.context.desk, state)
    desk.step_started(step.number, AGENT)
    history, where = History(team.kinds), dict[int, str]()
    tickets: dict[int, TicketRead] = {}
    for page in pages(desk):
        for ticket in page.tickets:
            history.take(ticket)
            tickets[ticket.number] = ticket
            where[ticket.number] = page.evidence
    wanted = _wanted(step, team, tickets)
    now_us, ended = desk.now_us(), desk.endings(TOOL)
    tracker = _tracker(desk, str(step.args["tickets"])).id
    carried = {(tracker, number): ticket.labels for number, ticket in tickets.items()}
    outcomes = outcomes_of(ended, team.kinds, carried)
    reader = team.teach(history.past, team.kinds, team.target_permille, outcomes, now_us)
    ranked = sorted(
        zip(wanted, reader.understand([text_of(ticket) for ticket in wanted]), strict=True),
        key=lambda pair: _pressing(*pair),
    )
    known = _Known(desk, step, experience_of(ended), tickets, where)
    known.look([ticket for ticket, _ in ranked[: MARGIN * team.most]])
    now = datetime.fromtimestamp(now_us / MICROSECONDS, tz=UTC)
    judged = [decide(ticket, found, known.of(ticket), team, history.habits, tickets, now) for ticket, found in ranked]
    judged = with_storms(judged, tickets)
    report = _write_down(desk, step, team, judged, tickets, where)
    changes = sum(decided.changes for decided in judged[: team.most])
    runtime.context.tell(
        Progress(
            step.number,
            f"{len(judged):,} {'ticket' if len(judged) == 1 else 'tickets'} judged, "
            f"{changes} {'change' if changes == 1 else 'changes'} drafted",
        )
    )
    desk.step_ended(step.number, AGENT, code="ok", report=report)
    return {}


def _wanted(step: Step, team: Team, tickets: dict[int, TicketRead]) -> list[TicketRead]:
    keys = {str(key).removeprefix("#").casefold() for key in step.args.get("keys", ())}
    new = [ticket for ticket in tickets.values() if ticket.state == "open" and team.is_new(ticket.labels)]
    if not keys:
        return new
    among = new if step.args.get("new") else tickets.values()
    return [ticket for ticket in among if ticket.key.casefold() in keys]


def _pressing(ticket: TicketRead, found: Understanding) -> tuple[bool, int, str, int]:
    value = found.priority.value if found.priority else "normal"
    rank = PRIORITIES.index(value) if value in PRIORITIES else len(PRIORITIES)
    private = found.security is not None or reads_like_a_weakness(ticket)
    return not private, rank, ticket.created_at, ticket.number


class _Known:
    """Looks for earlier tickets that say the same, in all that the tracker has."""

    def __init__(
        self,
        desk: Desk,
        step: Step,
        experience: Experience,
        tickets: dict[int, TicketRead],
        where: dict[int, str],
    ) -> None:
        self._desk = desk
        self._step = step
        self._experience = experience
        self._tickets = tickets
        self._where = where
        self._found: dict[int, tuple[Known, ...]] = {}

    def look(self, wanted: Sequence[TicketRead]) -> None:
        """Look for what ``wanted`` may repeat, and read the tickets that were found and not read before."""
        for ticket in wanted:
            reading = self._desk.read(
                "search_tickets",
                {"tracker": self._step.args["tickets"], "ask": {"kind": "similar", "key": ticket.key}},
                agent=AGENT,
                step=self._step.number,
                result=TicketsResult,
            )
            if isinstance(reading.result.answer, SimilarResult):
                judged = judge(ticket.title, reading.result.answer, self._experience)
                self._found[ticket.number] = tuple(_said(one, judged.of) for one in judged.candidates[:CANDIDATES])
        every = [one for known in self._found.values() for one in known]
        numbers = {one.number for one in every if one.confidence_permille >= MAY_REPEAT}
        missing = sorted(numbers - self._tickets.keys())
        for start in range(0, len(missing), PAGE):
            self._read(missing[start : start + PAGE])

    def of(self, ticket: TicketRead) -> tuple[Known, ...]:
        """Give earlier tickets that were read: nobody repeats what was not written yet."""
        mine = (ticket.created_at, ticket.number)
        return tuple(
            one
            for one in self._found.get(ticket.number, ())
            if (other := self._tickets.get(one.number)) is not None and (other.created_at, other.number) < mine
        )

    def _read(self, numbers: Sequence[int]) -> None:
        reading = _Reading(self._desk, self._step)
        result = reading.one("known", {"numbers": list(numbers), "state": None})
        for ticket in result.tickets:
            self._tickets[ticket.number] = ticket
            self._where[ticket.number] = reading.last


def _said(one: Sameness, proposed: Sameness | None) -> Known:
    return Known(
        number=one.number,
        confidence_permille=one.confidence_permille,
        score_permille=one.score,
        proposed=proposed is not None and one.number == proposed.number,
        passages=tuple(Passage(here=match.mine.text, there=match.theirs.text) for match in one.passages[:2]),
    )


def _write_down(  # all that the drafts are made of
    desk: Desk,
    step: Step,
    team: Team,
    judged: Sequence[Decided],
    tickets: dict[int, TicketRead],
    where: dict[int, str],
) -> Report:
    tracker = _tracker(desk, str(step.args["tickets"]))
    waiting = [args for args in desk.waiting(TOOL) if args.get("tickets") == tracker.id]
    every: list[Finding] = []
    names: list[str] = []
    for at, decided in enumerate(judged):
        ticket, duplicate = decided.ticket, decided.duplicate
        about = [ticket.number, *([duplicate.number] if duplicate else [])]
        cited = list(dict.fromkeys(where[number] for number in about))
        found = findings(decided.said, ticket, cited, len(every) + 1)
        every += found
        if decided.changes and at < team.most and not step.args.get("looks_only"):
            made = draft(decided, found, tracker=tracker, evidence=cited, others=tickets)
            if made["args"] not in waiting:
                name = f"draft-{step.number}-{ticket.number}"
                desk.keep(name, made)
                names.append(name)
    left = sum(decided.changes for decided in judged[team.most :])
    if left:
        said = Said("tickets_left", f"{left} more tickets could be sorted; ask again when these are answered.", 100)
        every += findings((said,), judged[0].ticket, [where[judged[0].ticket.number]], len(every) + 1)
    desk.keep(f"drafts-{step.number}", list(names))
    return Report(agent=AGENT, findings=tuple(every))


def _tracker(desk: Desk, name: str) -> Resource:
    return desk.places.find("tickets", name).resource
