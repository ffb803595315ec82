"""The planner: one LangGraph thread per run, from a request to proposals that wait for people.

Rules:
- the graph decides only what is looked at next; it holds no authority, and whatever a resume value says, the node asks
  the desk where the proposals really stand;
- reading, proposing and waiting are separate nodes, and each is safe to run again after a crash;
- one step of the plan is one step of the graph: an agent that was cut off begins again, finds what it has read and
  written down already, and keeps no checkpoints of its own;
- nothing is written from here: an approved proposal is written by the gate, whether this graph runs or not.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from twokey.agents import drafts
from twokey.agents.catalog.graph import build_propose, build_scan
from twokey.agents.catalog.impacts import impact_step
from twokey.agents.incident.operations.steps import gather_step as gather_operations_step
from twokey.agents.incident.operations.steps import review_operations_step
from twokey.agents.incident.steps import draft_step, gather_step, summarize_step
from twokey.agents.planner.incident import AboutIncident, plan_incident, understand_incident
from twokey.agents.planner.intents import Known, Unclear, Understood, understand, understand_with_model
from twokey.agents.planner.operations import AboutOperations, plan_operations, understand_operations
from twokey.agents.planner.plans import direct, plan
from twokey.agents.planner.triage import AboutTickets, plan_triage, understand_triage
from twokey.agents.planner.triage import direct as about_tickets
from twokey.agents.reviewer.agent import review_step
from twokey.agents.state import Progress, State, Surroundings
from twokey.agents.triage.steps import propose_step, scan_step
from twokey.core.errors import Refused
from twokey.core.lifecycle import OPEN
from twokey.core.values import Finding, Plan, Provenance, Request, Step
from twokey.tools.desk import Desk
from twokey.tools.proposing import Draft

RECURSION_LIMIT: Final = 100
"""Steps of the graph a run may take at most; a plan has at most 20."""

Compiled = CompiledStateGraph[State, Surroundings, State, State]


Work = Callable[[State, Runtime[Surroundings]], object]
"""What an agent does in one step."""


class Node(Protocol):
    """What LangGraph takes for a node."""

    def __call__(self, state: State, runtime: Runtime[Surroundings]) -> Command[str]: ...


def build(saver: BaseCheckpointSaver[str]) -> Compiled:
    """Compile the planner with its agents, each behind one node."""
    agents: dict[str, Work] = {
        "catalog_scan": _whole(build_scan()),
        "catalog_propose": _whole(build_propose()),
        "catalog_impact": impact_step,
        "incident_gather": gather_step,
        "incident_summarize": summarize_step,
        "incident_draft": draft_step,
        "incident_operations_gather": gather_operations_step,
        "incident_operations_review": review_operations_step,
        "reviewer_review": review_step,
        "triage_scan": scan_step,
        "triage_propose": propose_step,
    }
    onward = (*agents, "propose")
    graph: StateGraph[State, Surroundings, State, State] = StateGraph(State, context_schema=Surroundings)
    graph.add_node("plan", _plan, destinations=(*onward, END))
    for name, work in agents.items():
        graph.add_node(name, _agent(work), destinations=onward)
    graph.add_node("propose", _propose)
    graph.add_node("wait", _wait, destinations=("wait", END))
    graph.add_edge(START, "plan")
    graph.add_edge("propose", "wait")
    return graph.compile(checkpointer=saver, name="planner")


def _whole(agent: Compiled) -> Work:
    """Run an agent's own graph from its beginning to its end.

    A thread named here makes it a run of its own: it takes over neither the planner's saver nor its pauses.
    """

    def work(state: State, runtime: Runtime[Surroundings]) -> object:
        return agent.invoke(state, {"configurable": {"thread_id": runtime.context.desk.run}}, context=runtime.context)

    return work


def _agent(work: Work) -> Node:
    """Give the node that lets an agent do the step that is next, and goes on to the one after it."""

    def node(state: State, runtime: Runtime[Surroundings]) -> Command[str]:
        steps, position = _steps(runtime.context.desk), state.get("position", 0)
        runtime.context.tell(Progress(steps[position].number, steps[position].title))
        work(state, runtime)
        return Command(goto=_node(steps, position + 1), update={"position": position + 1})

    return node


def _node(steps: tuple[Step, ...], position: int) -> str:
    """Name the node of a step, or the one that comes after the last."""
    return f"{steps[position].agent}_{steps[position].action}" if position < len(steps) else "propose"


def known_places(desk: Desk, request: Request) -> Known:
    """Give the names that a request may use: the run's own places and nothing else."""
    names = {
        kind: tuple(place.resource.id for place in desk.places.items if place.resource.kind == kind)
        for kind in ("warehouse", "repository", "tickets", "telemetry")
    }
    return Known(
        warehouses=names["warehouse"],
        repositories=names["repository"],
        default_warehouse=str(request.args.get("warehouse", "")) or None,
        default_repository=str(request.args.get("repository", "")) or None,
        trackers=names["tickets"],
        default_tracker=str(request.args.get("tickets", "")) or None,
        telemetries=names["telemetry"],
        default_telemetry=str(request.args.get("telemetry", "")) or None,
        jobs=frozenset({"catalog", "triage", "incident"}),
    )


def _plan(state: State, runtime: Runtime[Surroundings]) -> Command[str]:
    """Understand the request and write the plan, or the question that has to be answered first."""
    del state
    desk, models = runtime.context.desk, runtime.context.models
    request = Request.model_validate(desk.kept("request"))
    known = known_places(desk, request)
    understood: Understood | AboutTickets | AboutIncident | AboutOperations | Unclear
    if request.intent == "ask":
        understood = (
            _operations_asked(desk, request)
            or understand_triage(request.text, known)
            or understand_incident(request.text, known)
            or understand(request.text, known)
        )
        if isinstance(understood, Unclear) and models.configured("small"):
            understood = understand_with_model(models, desk, request.text, known)
    elif request.intent == "triage":
        understood = _tickets_asked(request)
    elif request.intent == "incident":
        args = request.args
        understood = AboutIncident(
            str(args["telemetry"]),
            args.get("scope", {}),
            looks_only=bool(args.get("looks_only", False)),
            follows=bool(args.get("follows", False)),
        )
    else:
        understood = direct(
            warehouse=str(request.args["warehouse"]),
            repository=str(request.args.get("repository", "")),
            tables=tuple(str(table) for table in request.args.get("tables", ())),
            focus=request.args.get("focus", "all"),
            baseline=str(request.args.get("baseline", "")),
        )
    if isinstance(understood, Unclear):
        desk.keep(
            "question",
            {"code": understood.code, "question": understood.question, "suggestions": list(understood.suggestions)},
        )
        return Command(goto=END, update={"position": 0, "proposals": []})
    written = _written(understood)
    desk.planned(written)
    runtime.context.tell(Progress(0, written.understood))
    return Command(goto=_node(written.steps, 0), update={"position": 0, "proposals": []})


def _written(understood: Understood | AboutTickets | AboutIncident | AboutOperations) -> Plan:
    if isinstance(understood, AboutTickets):
        return plan_triage(understood)
    if isinstance(understood, AboutIncident):
        return plan_incident(understood)
    return plan_operations(understood) if isinstance(understood, AboutOperations) else plan(understood)


def _operations_asked(desk: Desk, request: Request) -> AboutOperations | Unclear | None:
    sources = [place.resource.id for place in desk.places.items if place.resource.kind == "telemetry"]
    return understand_operations(request.text, sources, str(request.args.get("operations", "")) or None, desk.now_us())


def _tickets_asked(request: Request) -> AboutTickets:
    args = request.args
    since = args.get("since")
    return about_tickets(
        str(args["tickets"]),
        [str(key) for key in args.get("keys", ())],
        str(since) if since else None,
        [int(number) for number in args.get("passed", ())],
        looks_only=bool(args.get("looks_only", False)),
        new=bool(args.get("new", False)),
    )


def _propose(state: State, runtime: Runtime[Surroundings]) -> State:
    """Turn the drafts that passed review into proposals."""
    del state
    desk = runtime.context.desk
    made: list[str] = []
    for step in _steps(desk):
        for name in drafts.names(desk, [step.number]):
            record = desk.propose(read_draft(desk.kept(name)), agent=step.agent, step=step.number)
            made.append(record.id)
            runtime.context.tell(Progress(step.number, f"proposal {record.id} is {record.state.value}"))
    return {"proposals": made}


def _wait(state: State, runtime: Runtime[Surroundings]) -> Command[str]:
    """Pause until every proposal has come to an end. The resume value is a nudge, never an answer."""
    del state
    waiting = [record.id for record in runtime.context.desk.proposals() if record.state in OPEN]
    if not waiting:
        return Command(goto=END)
    interrupt({"proposals": waiting})
    return Command(goto="wait")


def _steps(desk: Desk) -> tuple[Step, ...]:
    return Plan.model_validate(desk.kept("plan")).steps


def read_draft(body: Any) -> Draft:
    """Read a draft that an agent handed over.

    Raises:
        Refused: it is not of the form agreed; a draft that cannot be read is not proposed.

    """
    try:
        return Draft(
            tool=str(body["tool"]),
            args=dict(body["args"]),
            provenance=tuple(Provenance.model_validate(item) for item in body["provenance"]),
            findings=tuple(Finding.model_validate(item) for item in body["findings"]),
            why=str(body["why"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(
            "An agent handed over a draft that cannot be read.",
            next="Start the request again; report it if it happens twice.",
            code="draft_unreadable",
        ) from error
