"""Opens a workspace: every part that its settings ask for, put together.

Rules: what the settings choose is what runs, nothing is swapped at run time; what was opened is closed.
"""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.engine import make_url

from twokey.channels import opa_program
from twokey.channels.batching import Batching
from twokey.channels.connected import Connected
from twokey.channels.controls import Controls
from twokey.channels.driving import Drivers, Heart
from twokey.channels.linking import Linking
from twokey.channels.people import People
from twokey.channels.pruning import Pruner
from twokey.channels.readiness import Readiness
from twokey.channels.service import Service, Unplanned
from twokey.channels.shadowing import Shadow
from twokey.channels.wiring.incident import follower_of, house_of, left_of_alerts
from twokey.channels.wiring.once import Once
from twokey.channels.wiring.operations import book_of
from twokey.channels.wiring.outside import Outside, connector, github_if_set
from twokey.channels.wiring.policy import NoShadow, batch_engine, policy_of, reading_of, rules_of, shadow_of
from twokey.channels.wiring.runbooks import with_runbooks
from twokey.channels.wiring.stores import (
    RUNBOOKS,
    STATE_FOLDER,
    TICKETS,
    check_demo,
    dispatcher_of,
    ledger_of,
    seals_of,
    states_of,
)
from twokey.channels.wiring.telemetry import (
    Threads,
    deployed_by,
    opener,
    pages_of,
    telemetry_places,
    through_telemetry,
)
from twokey.channels.wiring.triage import escalations_of, names_of, team_of
from twokey.channels.workspace import AMEND, EDIT, POLICY_PROPOSE, REVERT, Workspace
from twokey.core import settings
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.errors import BadInput, Refused
from twokey.core.ports import Clock, Dispatcher, Ids, PolicyEngine
from twokey.core.settings import FileDirectory, Settings
from twokey.core.values import Resource
from twokey.store import runs
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools import registry
from twokey.tools.amending import Suggestion
from twokey.tools.contract import Place
from twokey.tools.desk import Desk, Office
from twokey.tools.fencing import FencedLedger
from twokey.tools.forges import Forges, through
from twokey.tools.gate import Gate
from twokey.tools.identity import KeyRing
from twokey.tools.in_force import PolicyInForce
from twokey.tools.ledger import Ledger
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.places import PlaceBook
from twokey.tools.proposing import Proposer
from twokey.tools.read.warehouse import canonical_location
from twokey.tools.retrieval.shelf import Shelf
from twokey.tools.steps import Steps
from twokey.tools.trackers import Trackers
from twokey.tools.write.local_git import LocalGit
from twokey.tools.write.ticket_edit import TicketEdit

if TYPE_CHECKING:
    from twokey.agents.models.port import Models
    from twokey.agents.planner.runner import Runner, Saver
    from twokey.agents.planner.savers import StateStore
    from twokey.agents.state import Progress
    from twokey.channels.worker import Worker
    from twokey.tools.retrieval.meaning import Embeddings

DRIVERS: Final = "drivers"


@dataclass(frozen=True, slots=True)
class Parts:
    """A workspace with what lies beneath its service, for whoever measures single steps."""

    workspace: Workspace
    gate: Gate
    desk: "Callable[[str, str], Desk]"
    """The desk of a run, for the holder of its lease."""
    savers: "Callable[[], AbstractContextManager[Saver]]"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a workspace that is there to be attacked or measured is put together from, instead of what it would take."""

    config: Settings | None = None
    home: Path | None = None
    engine: PolicyEngine | None = None
    """Closed by whoever made it."""
    tools: registry.Registry | None = None
    """Take the place of the installed ones."""
    places: Sequence[Place] = ()
    """Configured beside those of the settings."""
    connect: "Callable[[Workspace], Mapping[str, Connected]] | None" = None
    """Makes the channels to the outside."""


@contextmanager
def opened(folder: Path, *, clock: Clock | None = None, ids: Ids | None = None) -> Generator[Workspace]:
    """Open the workspace at ``folder`` with everything its settings ask for, and close it again.

    ``clock`` and ``ids`` are the machine's own where none are given.

    Raises:
        NotFound: there is no workspace.
        BadInput: its settings cannot be used.
        EnvironmentFault: a part of it is missing or broken.

    """
    with opened_parts(folder, clock=clock, ids=ids) as parts:
        yield parts.workspace


@contextmanager
def opened_parts(
    folder: Path, *, clock: Clock | None = None, ids: Ids | None = None, stage: Stage | None = None
) -> Generator[Parts]:
    """Open a workspace like ``opened``, and give its parts; what ``stage`` holds stands in for what it would take."""
    stage = stage or Stage()
    config = stage.config or settings.load(folder)
    home = stage.home or settings.home(config.workspace.id)
    clock, ids = clock or SystemClock(), ids or RandomIds()
    with ExitStack() as stack:
        ledger = stack.enter_context(ledger_of(folder, config.store, config.workspace.id, home, clock, ids))
        check_demo(config, ledger)
        standing = policy_of(folder, config, ledger, stage.engine)
        standing.current()
        stack.callback(standing.close)
        shadow = shadow_of(folder, config, ledger)
        stack.callback(shadow.close)
        stack.callback(shadow.catch_up)
        shadow.begin()
        book = PlaceBook([*_places(folder, config), *stage.places], names=names_of(folder, config))
        github = github_if_set(folder, config, clock, stack)
        forges = Forges(LocalGit(), None if github is None else lambda: github().forge)
        trackers = Trackers(LocalTickets, None if github is None else lambda location: github().tickets(location))
        embeddings, seals = _embeddings(config), seals_of(ledger)
        tools = stage.tools or with_runbooks(
            trackers.through(
                through(forges, registry.installed(config.tools.plugins)),
                Shelf(folder / STATE_FOLDER / TICKETS, seals),
                embeddings,
            ),
            forges,
            Shelf(folder / STATE_FOLDER / RUNBOOKS, seals),
            embeddings,
        )
        threads, pages = Threads(), pages_of(config, ledger, clock)
        tools = through_telemetry(tools, opener(folder, config, pages, deployed_by(github), threads=threads))
        connect = stage.connect or connector(github, home, clock)
        parts = _parts(folder, config, home, ledger, standing, shadow, clock, ids, stack, forges, tools, book, connect)
        threads.through(parts.workspace.connected)
        yield parts


def _of_writes(gate: Gate) -> dict[str, Unplanned]:
    """Give what is proposed about other proposals: to undo one, to put a suggestion in, to edit what waits."""

    def revert(run: RunRecord, _: "Callable[[Progress], None]") -> ProposalRecord:
        return gate.revert(str(run.request.args["proposal"]), run=run.id, requester=run.requester)

    def amend(run: RunRecord, _: "Callable[[Progress], None]") -> ProposalRecord:
        return gate.amend(Suggestion.model_validate(run.request.args), run=run.id, requester=run.requester)

    def edit(run: RunRecord, _: "Callable[[Progress], None]") -> ProposalRecord:
        return gate.edit(TicketEdit.model_validate(run.request.args), run=run.id, requester=run.requester)

    return {REVERT: revert, AMEND: amend, EDIT: edit}


def _parts(  # what that were opened
    folder: Path,
    config: Settings,
    home: Path,
    ledger: Ledger,
    policy: PolicyInForce,
    shadow: "Shadow | NoShadow",
    clock: Clock,
    ids: Ids,
    stack: ExitStack,
    forges: Forges,
    tools: registry.Registry,
    book: PlaceBook,
    connect: "Callable[[Workspace], Mapping[str, Connected]]",
) -> Parts:
    directory = FileDirectory(folder)
    rules = rules_of(config)
    steps = Steps(
        ledger=ledger, policy=policy, registry=tools, directory=directory, clock=clock, book=book, waivers=policy
    )
    gate = Gate(steps, ids=ids, rules=rules, waivers=policy)

    def desk(run: str, holder: str) -> Desk:
        with ledger.look() as connection:
            record = runs.get_run(connection, run)
        requester = directory.principal(record.requester)
        if requester is None:
            raise Refused(
                f"{record.requester}, who asked for run {run}, is no longer in the directory.",
                next="Ask somebody who is to repeat the request.",
                code="requester_unknown",
            )
        fenced = FencedLedger(ledger, run=run, holder=holder)
        proposer = Proposer(
            ledger=fenced,
            policy=policy,
            registry=tools,
            directory=directory,
            clock=clock,
            ids=ids,
            waivers=policy,
        )
        office = Office(ledger=fenced, policy=policy, registry=tools, proposer=proposer, clock=clock, ids=ids)
        return Desk(office, run=run, requester=requester, places=book.places(record.places))

    def new_states() -> "StateStore":
        opened_states = states_of(folder, config.store.url, home)
        stack.callback(opened_states.close)
        return opened_states

    states = Once(new_states)

    @contextmanager
    def savers() -> "Generator[Saver]":
        with states().lent() as lent:
            yield lent.saver

    def new_runner() -> "Runner":
        from twokey.agents.planner.runner import Runner  # noqa: PLC0415 - LangGraph comes in when a run is driven

        return Runner(
            savers,
            desk,
            _models(config, stack),
            team_of(folder, config, seals_of(ledger)),
            house_of(folder, config),
            book_of(folder, config),
        )

    def new_dispatcher() -> Dispatcher:
        dispatcher = dispatcher_of(folder, config.store.url, ledger, clock, ids)
        stack.callback(dispatcher.close)
        return dispatcher

    def propose_policy(run: RunRecord, tell: "Callable[[Progress], None]") -> ProposalRecord:
        from twokey.agents.state import Progress  # noqa: PLC0415 - LangGraph comes in when a run is driven
        from twokey.channels.policy_proposing import PolicyProposing  # noqa: PLC0415 - as above
        from twokey.channels.policy_wishes import Wish  # noqa: PLC0415 - as above
        from twokey.channels.replay_saving import REPLAYS  # noqa: PLC0415 - as above

        wanted = Wish.of(run.request.args)
        place = book.places(run.places).find("repository", run.places[0].id)
        proposing = PolicyProposing(
            in_force=policy.current().bundle,
            ledger=ledger,
            forge=forges,
            engine=batch_engine,
            opa=opa_program.find(config),
            replays=None if config.store.encrypt else folder / STATE_FOLDER / REPLAYS,
        )
        change = proposing.change(wanted, place, run.id, lambda text: tell(Progress(0, text)))
        return gate.propose_policy(change, run=run.id, requester=run.requester)

    dispatcher = Once(new_dispatcher)
    drivers = Drivers(folder / STATE_FOLDER / DRIVERS)
    readiness = Readiness(
        workspace=config.workspace.id,
        profile=config.controls.profile,
        encrypts=config.store.encrypt,
        ledger=ledger,
        revisions=policy.revisions,
        clock=clock,
    )
    service = Service(
        workspace=config.workspace.id,
        readiness=readiness,
        ledger=ledger,
        gate=gate,
        runner=Once(new_runner),
        unplanned=_of_writes(gate) | {POLICY_PROPOSE: propose_policy},
        drivers=drivers,
        heart=Heart(ledger, clock),
        dispatcher=dispatcher,
        clock=clock,
        ids=ids,
    )

    outside = Outside.of(lambda: connect(workspace), config, ledger, dispatcher, clock, ids)
    escalations = escalations_of(folder, config, ledger, directory, outside.postbox, clock)

    def worker() -> "Worker":
        from twokey.channels.recovery import Recovery  # noqa: PLC0415 - comes in where there is a worker
        from twokey.channels.schedules import Schedules  # noqa: PLC0415 - as above
        from twokey.channels.worker import Worker  # noqa: PLC0415 - as above

        asking = Schedules(config.schedules, ledger=ledger, clock=clock, ask=workspace.ask_scheduled)
        recovery = Recovery(
            ledger=ledger,
            gate=gate,
            drivers=drivers,
            dispatcher=dispatcher,
            clock=clock,
            waiting=outside.waiting,
            tidy=lambda: outside.inbox.forget(config.server.body_days, left_of_alerts(config)),
        )
        return Worker(
            service=service,
            recovery=recovery,
            schedules=asking,
            dispatcher=dispatcher(),
            clock=clock,
            aside=outside.beside(_each(shadow.catch_up, escalations.look, follower_of(workspace, ledger, clock))),
            others={"handle": outside.inbox.handle, "post": outside.postbox.post},
            board=workspace.board,
        )

    ring = KeyRing(home / "keys")
    people = People(directory=directory, ring=ring, rules=rules, recorder=ledger)
    workspace = Workspace(
        folder=folder,
        config=config,
        ledger=ledger,
        registry=tools,
        people=people,
        service=service,
        batching=Batching(service, gate.batches),
        escalations=escalations,
        controls=Controls(workspace=config.workspace.id, gate=gate, clock=clock, ids=ids),
        inbox=outside.inbox,
        postbox=outside.postbox,
        connected=outside.connected,
        rejections=outside.rejections,
        linking=Linking(workspace=config.workspace.id, links=gate.links, clock=clock, connected=outside.connected),
        worker=worker,
        book=book,
        engine=policy,
        policy=policy,
        directory=directory,
        readiness=readiness,
        sessions=gate.sessions,
        batch_engine=batch_engine,
        reading=reading_of(policy),
        pruner=Pruner(ledger=ledger, states=lambda: states().lent(), clock=clock),
    )
    return Parts(workspace, gate, desk, savers)


def _each(*doings: Callable[[], None]) -> Callable[[], None]:
    """Give what does one thing after the other."""

    def do() -> None:
        for doing in doings:
            doing()

    return do


def _places(folder: Path, config: Settings) -> list[Place]:
    places: list[Place] = []
    for name, section in config.places.items():
        location = section.location
        if section.kind == "warehouse":
            location = canonical_location(_with_password(location, section.password_env))
        elif "://" not in location:
            location = str((folder / location).resolve())
        resource = Resource(kind=section.kind, id=name, granted_by="config", environment=section.environment)
        places.append(Place(resource, location))
    return [*places, *telemetry_places(config)]


def _with_password(location: str, variable: str | None) -> str:
    if variable is None:
        return location
    password = os.environ.get(variable)
    if not password:
        raise BadInput(
            f"The variable {variable}, which holds a warehouse's password, is not set.", next=f"Set {variable}."
        )
    return make_url(location).set(password=password).render_as_string(hide_password=False)


def _embeddings(config: Settings) -> "Embeddings | None":
    from twokey.agents.models.openai_embeddings import OpenAIEmbeddings  # noqa: PLC0415 - comes in where it is set up

    if not config.model.base_url or not config.model.embeddings:
        return None
    return OpenAIEmbeddings(config.model, os.environ.get(config.model.key_env, ""))


def _models(config: Settings, stack: ExitStack) -> "Models":

    from twokey.agents.models.none import NoModels  # noqa: PLC0415 - comes in when a run is driven
    from twokey.agents.models.openai_tier import OpenAIModels  # noqa: PLC0415 - as above

    if not config.model.base_url:
        return NoModels()
    models = OpenAIModels(config.model, os.environ.get(config.model.key_env, ""))
    stack.callback(models.close)
    return models
