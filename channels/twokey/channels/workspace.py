"""One opened workspace, as channels use it: who is there, what can be asked, what can be looked at.

Rules: a request may name a place only where the person names it; the settings' places are granted to requests in free
text and nothing else is; a location's password stays in this process.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from twokey.channels.batching import Batching
from twokey.channels.board import Board
from twokey.channels.connected import Connected
from twokey.channels.controls import Controls
from twokey.channels.escalating import Escalations
from twokey.channels.inbox import Inbox
from twokey.channels.linking import Linking
from twokey.channels.people import People
from twokey.channels.policy_wishes import wish
from twokey.channels.postbox import Postbox
from twokey.channels.pruning import Pruner
from twokey.channels.readiness import Readiness
from twokey.channels.rejections import Rejections
from twokey.channels.service import Outcome, Service
from twokey.core.errors import BadInput, CheckFailed, Refused
from twokey.core.ports import Policy, PolicyEngine, Revisions
from twokey.core.sections import ScheduleSection
from twokey.core.settings import FileDirectory, Settings
from twokey.core.values import Call, Channel, Identity, Principal, Request, Resource, ResourceKind
from twokey.policies.reading import ReadingRules
from twokey.store import runs
from twokey.tools.amending import Suggestion
from twokey.tools.identity import Credential
from twokey.tools.ledger import Ledger, Unit
from twokey.tools.places import PlaceBook
from twokey.tools.read.warehouse import canonical_location, display_name
from twokey.tools.reading import Reader
from twokey.tools.registry import Registry
from twokey.tools.sessions import Sessions
from twokey.tools.write.ticket_edit import TicketEdit

if TYPE_CHECKING:
    from twokey.agents.state import Progress
    from twokey.channels.replaying import Engine as BatchEngine
    from twokey.channels.worker import Worker
    from twokey.policies.bundle import Bundle

MAX_REQUEST: Final = 4000
REVERT: Final = "revert"
"""Intent of a request to undo a write."""
AMEND: Final = "amend"
"""Intent of a request to propose something with lines that a review suggests."""
EDIT: Final = "edit"
"""Intent of a request to put something else in the place of parts of a change that waits."""
NEXT_TICKETS: Final = "triage-next"
"""Document of a run that says where the next one goes on in the tickets."""
POLICY_PROPOSE: Final = "policy_propose"
"""Intent of a request to change the policy."""
MOST_GOING_ON: Final = 500
"""Runs that have not ended, the latest first, among which somebody's earlier request for the same is looked for."""
READS_ONLY: Final = frozenset({"catalog_scan"})
"""Intents that never lead to a write."""
_PROBE: Final = Call(
    requester=Principal(name="nobody"),
    agent="doctor",
    run="r-000000000000",
    step=0,
    tool="no_such_tool",
    version="0",
    tool_schema="0" * 64,
    effect="read",
    args={},
    resource=Resource(kind="warehouse", id="nowhere", granted_by="config"),
    now_us=0,
)


class Workspace:
    """One opened workspace: what channels use."""

    def __init__(  # every part that the composition root put together
        self,
        *,
        folder: Path,
        config: Settings,
        ledger: Ledger,
        registry: Registry,
        people: People,
        service: Service,
        batching: Batching,
        escalations: Escalations,
        controls: Controls,
        linking: Linking,
        inbox: Inbox,
        postbox: Postbox,
        connected: Callable[[], Mapping[str, Connected]],
        rejections: Rejections,
        worker: "Callable[[], Worker]",
        book: PlaceBook,
        engine: PolicyEngine,
        policy: Policy,
        directory: FileDirectory,
        pruner: Pruner,
        readiness: Readiness,
        sessions: Sessions,
        batch_engine: "Callable[[Bundle], BatchEngine]",
        reading: Callable[[], ReadingRules],
    ) -> None:
        self.sessions = sessions
        self.batch_engine = batch_engine
        self.board: Final = Board()
        self.folder = folder
        self.config = config
        self.ledger = ledger
        self.registry = registry
        self.people = people
        self.service = service
        self.batching = batching
        self.escalations = escalations
        self.controls = controls
        self.linking = linking
        self.inbox = inbox
        self.postbox = postbox
        self.connected = connected
        self.rejections = rejections
        self.worker = worker
        self.directory = directory
        self.pruner = pruner
        self._readiness = readiness
        self._reading = reading
        self._book = book
        self._engine = engine
        self._policy = policy

    def identify(self, name: str | None, channel: Channel) -> tuple[Identity, Credential | None]:
        """Prove who is at the keyboard; see ``People.identify``."""
        return self.people.identify(name, channel)

    def viewer(self, name: str | None, channel: Channel) -> Identity | None:
        """Prove who looks, where they say who they are; see ``People.viewer``."""
        return self.people.viewer(name, channel)

    def reader(self, principal: Principal) -> Reader:
        """Give what somebody may read, under the policy data in force; without any it is what is their own."""
        return Reader(self.ledger, self._reading(), principal)

    def ask(self, identity: Identity, text: str, tell: "Callable[[Progress], None] | None") -> Outcome:
        """Take a request in somebody's own words, about the places that the settings name.

        Without ``tell`` it is left to the workers.

        Raises:
            BadInput: the text is empty or too long.

        """
        self._check_words(text)
        places = [place.resource for place in self._book.configured()]
        return self._asked(identity, self._in_words(identity, text), places, tell)

    def _check_words(self, text: str) -> None:
        if not text.strip() or len(text) > MAX_REQUEST:
            raise BadInput(
                f"A request has between 1 and {MAX_REQUEST:,} characters.", next="Say in a sentence what you want."
            )

    def ask_scheduled(self, name: str, schedule: ScheduleSection, only_if: Callable[[Unit], bool]) -> str | None:
        """Ask what a schedule says, in the name of whom it says, if ``only_if`` agrees; gives the run.

        Raises:
            Refused: who is to ask is no longer in the directory.

        """
        principal = self.directory.principal(schedule.asked_by)
        if principal is None:
            raise Refused(
                f"The schedule {name} asks in the name of {schedule.asked_by}, who is not in the directory.",
                next="Change the schedule in twokey.toml.",
                code="requester_unknown",
            )
        identity = Identity(principal=principal, auth="system", channel="worker")
        places = [place.resource for place in self._book.configured()]
        request = self._in_words(identity, schedule.ask)
        return self.service.leave(identity, request, places, priority=schedule.priority, only_if=only_if)

    def catalog(
        self,
        identity: Identity,
        url: str,
        repository: str | None,
        tables: Sequence[str],
        tell: "Callable[[Progress], None] | None",
        baseline: str | None = None,
    ) -> Outcome:
        """Read the warehouse at ``url``; with a repository, propose its documentation there.

        Either may be the name of a place of the settings, which comes before a file or folder that is called the same.
        Without ``tell`` it is left to the workers. ``baseline`` is the run, or the day, to compare with.

        Raises:
            BadInput: the warehouse's address cannot be used, the repository is neither a folder nor an address, or the
                baseline is neither a run nor a day.

        """
        warehouse = self._named("warehouse", url) or self._at(url, tell)
        args: dict[str, Any] = {"warehouse": warehouse.id, "tables": [f"*{table}*" for table in tables]}
        places = [warehouse]
        if baseline is not None:
            from twokey.agents.catalog.pinned import checked  # noqa: PLC0415 - needed for this only

            args["baseline"] = checked(baseline)
        if repository is not None:
            target = self._named("repository", repository)
            target = target or self._granted("repository", _repository(repository), str)
            args["repository"] = target.id
            places.append(target)
        intent = "catalog_scan" if repository is None else "catalog_propose"
        return self._asked(identity, self._request(identity, "", intent, args), places, tell)

    def _named(self, kind: ResourceKind, name: str) -> Resource | None:
        """Give the place of the settings with that name; none where they have none."""
        found = (place.resource for place in self._book.configured() if place.resource.kind == kind)
        return next((resource for resource in found if resource.id == name), None)

    def _at(self, url: str, tell: "Callable[[Progress], None] | None") -> Resource:
        """Give the warehouse at an address; raises ``BadInput``."""
        location = canonical_location(url)
        if tell is None and location != display_name(location):
            raise BadInput(
                "The address holds what stays in this process, such as a password: no worker could read the warehouse.",
                next="Name the warehouse in twokey.toml with places.NAME.password_env, or leave out --detach.",
                code="password_stays_here",
            )
        return self._granted("warehouse", location, display_name)

    def leave(self, identity: Identity, text: str, *, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        """Take a request in somebody's own words and leave it to the workers; gives the run.

        ``only_if`` is asked in the transaction that takes it; where it says no, nothing was asked.

        Raises:
            BadInput: the text is empty or too long.

        """
        self._check_words(text)
        return self._left(identity, self._in_words(identity, text), run, only_if)

    def leave_catalog(
        self, identity: Identity, tables: Sequence[str], *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have the warehouse of the settings documented in their repository; see ``leave``.

        Raises:
            BadInput: the settings name no warehouse or no repository.

        """
        warehouse, repository = self.config.catalog.warehouse, self.config.catalog.repository
        if not warehouse or not repository:
            raise BadInput(
                "The settings name no warehouse and repository to document.",
                next="Set catalog.warehouse and catalog.repository in twokey.toml.",
                code="no_default_place",
            )
        args: dict[str, Any] = {
            "warehouse": warehouse,
            "repository": repository,
            "tables": [f"*{table}*" for table in tables],
        }
        return self._left(identity, self._request(identity, "", "catalog_propose", args), run, only_if)

    def _left(self, identity: Identity, request: Request, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        self._readiness.demand()
        places = [place.resource for place in self._book.configured()]
        return self.service.leave(identity, request, places, run=run, only_if=only_if)

    def leave_suggestion(
        self,
        identity: Identity,
        suggestion: Suggestion,
        *,
        run: str,
        only_if: Callable[[Unit], bool],
    ) -> str | None:
        """Have what a proposal wrote proposed anew with a suggestion put in; it is left to the workers.

        Raises:
            NotFound: there is no such proposal.

        """
        record = self.service.find(suggestion.proposal)
        request = self._request(identity, "", AMEND, suggestion.model_dump(mode="json"))
        self._readiness.demand()
        return self.service.leave(identity, request, [record.proposal.resource], run=run, only_if=only_if)

    def revert(self, identity: Identity, proposal: str, tell: "Callable[[Progress], None] | None") -> Outcome:
        """Propose to undo a write that was carried out; without ``tell`` it is left to the workers.

        Raises:
            NotFound: there is no such proposal.
            Refused: there is nothing to undo, it cannot be undone without losing what others did since, or a run of the
                same person is at it already.

        """
        record = self.service.find(proposal)
        with self.ledger.look() as connection:
            going_on = runs.list_runs(connection, states=runs.GOING_ON, limit=MOST_GOING_ON)
        wanted = identity.principal.name, REVERT, record.id
        for run in going_on:
            if (run.requester, run.request.intent, run.request.args.get("proposal")) == wanted:
                raise Refused(
                    f"You have asked to undo {record.id} already.",
                    next=f"`twokey runs show {run.id}` says what waits.",
                    code="asked_already",
                )
        request = self._request(identity, "", REVERT, {"proposal": record.id})
        return self._asked(identity, request, [record.proposal.resource], tell)

    def edit(self, identity: Identity, edit: TicketEdit, tell: "Callable[[Progress], None] | None") -> Outcome:
        """Propose a waiting change of a ticket with an edit in it, in its place; without ``tell`` the workers do.

        Raises:
            NotFound: there is no such proposal.
            Refused: it does not wait, is none of their business, or the edit does not fit; it still waits then.

        """
        record = self.service.find(edit.proposal)
        request = self._request(identity, "", EDIT, edit.model_dump(mode="json", exclude_none=True))
        outcome = self._asked(identity, request, [record.proposal.resource], tell)
        self.service.take_up(record.id, tell)
        return outcome

    def propose_policy(
        self,
        identity: Identity,
        folder: Path,
        repository: str,
        path: str,
        tell: "Callable[[Progress], None] | None",
    ) -> Outcome:
        """Propose the bundle in ``folder`` for ``path`` of a repository; without ``tell`` it is left to the workers.

        Raises:
            BadInput: it is no bundle, the path is no folder of policies, or the repository is
                neither a folder nor an address.

        """
        wanted = wish(folder, path)
        target = self._granted("repository", _repository(repository), str)
        request = self._request(identity, "", POLICY_PROPOSE, wanted.args() | {"repository": target.id})
        return self._asked(identity, request, [target], tell)

    def triage(
        self,
        identity: Identity,
        keys: Sequence[str],
        since: str | None,
        tell: "Callable[[Progress], None] | None",
        *,
        passed: Sequence[int] = (),
        tickets: str | None = None,
    ) -> Outcome:
        """Look at tickets, those that ``keys`` name or the new ones, and propose one change for each.

        Without ``tell`` it is left to the workers.

        Raises:
            BadInput: the settings name no tickets, or not these.

        """
        request, place = self._about_tickets(identity, keys, since, passed, tickets)
        return self._asked(identity, request, [place], tell)

    def triage_on(
        self, identity: Identity, keys: Sequence[str], since: str | None, tell: "Callable[[Progress], None]"
    ) -> tuple[Outcome, dict[str, Any] | None]:
        """Look at tickets run by run until one proposes something or there are none left; see ``triage``.

        Gives the last run, and where the next one would go on: each run holds a bounded number of tickets.
        """
        passed: tuple[int, ...] = ()
        while True:
            outcome = self.triage(identity, keys, since, tell, passed=passed)
            going_on = self.service.document(outcome.run.id, NEXT_TICKETS)
            if not isinstance(going_on, dict) or keys or outcome.proposals or outcome.run.state == "failed":
                return outcome, going_on if isinstance(going_on, dict) else None
            since, passed = str(going_on["since"]), tuple(int(number) for number in going_on["passed"])

    def leave_triage(
        self, identity: Identity, keys: Sequence[str], *, run: str, only_if: Callable[[Unit], bool], new: bool = False
    ) -> str | None:
        """Have tickets looked at by the workers, with ``new`` only those that were not sorted yet; see ``leave``."""
        request, place = self._about_tickets(identity, keys, None, (), None)
        request = request.model_copy(update={"args": request.args | {"new": new}})
        self._readiness.demand()
        return self.service.leave(identity, request, [place], run=run, only_if=only_if)

    def _about_tickets(
        self, identity: Identity, keys: Sequence[str], since: str | None, passed: Sequence[int], tickets: str | None
    ) -> tuple[Request, Resource]:
        name = tickets or self.config.triage.tickets
        configured = (place.resource for place in self._book.configured())
        found = next((one for one in configured if (one.kind, one.id) == ("tickets", name)), None)
        if found is None:
            raise BadInput(
                "The settings name no such tickets.",
                next="Name a place of kind tickets in twokey.toml, and set triage.tickets to it.",
                code="no_tickets",
            )
        args: dict[str, Any] = {"tickets": name, "keys": list(keys), "since": since, "passed": list(passed)}
        return self._request(identity, "", "triage", args), found

    def incident(
        self,
        identity: Identity,
        which: str,
        tell: "Callable[[Progress], None] | None",
        *,
        looks_only: bool = False,
    ) -> Outcome:
        """Tell what happened in an incident: the bundle at a folder, or an id that the telemetry of the settings knows.

        Without ``tell`` it is left to the workers.

        Raises:
            BadInput: there is no such folder, and the settings name no telemetry.

        """
        args, place = self._of_bundle(which) if "/" in which or Path(which).is_dir() else self._about_incident(which)
        request = self._request(identity, "", "incident", args | {"looks_only": looks_only})
        return self._asked(identity, request, [*self._of_incidents(), place], tell)

    def leave_incident(
        self,
        identity: Identity,
        which: str,
        *,
        run: str | None = None,
        only_if: Callable[[Unit], bool],
        telemetry: str | None = None,
        window: tuple[int, int] | None = None,
        follows: bool = False,
    ) -> str | None:
        """Have an incident told by the workers; see ``leave``. ``window`` (microseconds) takes the place of its own.

        The incident is one that the telemetry of the settings knows, by its id: no folder is named from elsewhere.
        What ``follows`` an earlier run proposes only what is new.
        """
        args, place = self._about_incident(which, telemetry)
        if window is not None:
            args["scope"]["window"] = {"start_us": window[0], "end_us": window[1]}
        args |= {"follows": True} if follows else {}
        self._readiness.demand()
        request = self._request(identity, "", "incident", args)
        return self.service.leave(identity, request, [*self._of_incidents(), place], run=run, only_if=only_if)

    def leave_thread(self, identity: Identity, thread: str, *, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        """Have the workers tell what a thread is about, as its channel calls its place; see ``leave``.

        Policy says who may name such a place; the channel says, whenever it is read, whether it may be.
        """
        place = Resource(kind="telemetry", id=thread, granted_by="request")
        request = self._request(identity, "", "incident", {"telemetry": thread, "scope": {}})
        self._readiness.demand()
        return self.service.leave(identity, request, [*self._of_incidents(), place], run=run, only_if=only_if)

    def _of_bundle(self, which: str) -> tuple[dict[str, Any], Resource]:
        folder = Path(which).expanduser()
        if not (folder / "incident.json").is_file():
            raise BadInput(
                f"There is no incident bundle at {which[:200]!r}.",
                next="Name a folder that holds an incident.json, or the id of an incident.",
                code="no_bundle",
            )
        place = self._granted("telemetry", str(folder.resolve()), str)
        return {"telemetry": place.id, "scope": {}}, place

    def _about_incident(self, which: str, telemetry: str | None = None) -> tuple[dict[str, Any], Resource]:
        wanted = telemetry or self.config.incident.telemetry
        known = [place.resource for place in self._book.configured() if place.resource.kind == "telemetry"]
        found = [one for one in known if one.id == wanted or (not wanted and len(known) == 1)]
        if not found:
            raise BadInput(
                "The settings do not say where telemetry is.",
                next="Name a place of kind telemetry in twokey.toml and set incident.telemetry, or a bundle's folder.",
                code="no_telemetry",
            )
        return {"telemetry": found[0].id, "scope": {"incident": which}}, found[0]

    def _of_incidents(self) -> list[Resource]:
        """Give the places that the incident job writes to and looks things up in."""
        incident = self.config.incident
        wanted = {
            ("tickets", incident.tickets or self.config.triage.tickets),
            ("repository", incident.repository),
            ("runbooks", incident.runbooks),
            *(("repository", place) for place in self.config.deployed_from()),
        }
        configured = (place.resource for place in self._book.configured())
        return [one for one in configured if (one.kind, one.id) in wanted]

    def resume(self, run: str, tell: "Callable[[Progress], None]") -> Outcome:
        """Take up a run that was interrupted."""
        self._readiness.demand()
        return self.service.drive(run, tell)

    def _asked(
        self,
        identity: Identity,
        request: Request,
        places: Sequence[Resource],
        tell: "Callable[[Progress], None] | None",
    ) -> Outcome:
        if request.intent not in READS_ONLY:
            self._readiness.demand()
        if tell is not None:
            return self.service.ask(identity, request, places, tell)
        return self.service.outcome(str(self.service.leave(identity, request, places)))

    def lacks(self) -> str | None:
        """Say what is missing before anything may be written; nothing where nothing is."""
        return self._readiness.lacks()

    def policy_in_force(self) -> tuple[str, Revisions]:
        """Give the engine's name, and digests of the policy and data that it holds."""
        return self._engine.name, self._engine.revisions()

    def probe_policy(self) -> str:
        """Try the engine on a call that no policy allows, and say what it is.

        Raises:
            CheckFailed: the engine gave anything but a deny.

        """
        decision = self._policy.decide(_PROBE)
        if decision.effect != "deny" or decision.reasons[0].code == "engine_fault":
            raise CheckFailed(
                f"The policy engine {self._engine.name} did not deny a call that nothing allows.",
                next="Check the bundle with `opa test`, and policy.engine in twokey.toml.",
            )
        revisions = self._engine.revisions()
        return f"{self._engine.name} decides; bundle {revisions.policy[:12]}, data {revisions.data[:12]}"

    def _in_words(self, identity: Identity, text: str) -> Request:
        defaults = {
            "warehouse": self.config.catalog.warehouse,
            "repository": self.config.catalog.repository,
            "tickets": self.config.triage.tickets,
            "telemetry": self.config.incident.telemetry,
            "operations": self.config.operations.telemetry,
        }
        return self._request(identity, text, "ask", defaults)

    def _request(self, identity: Identity, text: str, intent: str, args: dict[str, Any]) -> Request:
        return Request(text=text, intent=intent, args=args, channel=identity.channel, requester=identity.principal.name)

    def _granted(self, kind: ResourceKind, location: str, name: Callable[[str], str]) -> Resource:
        """Give the place at ``location``: the configured one if the settings name it, else one the request names."""
        for place in self._book.configured():
            if place.resource.kind == kind and place.location == location:
                return place.resource
        shown = name(location)
        self._book.remember(shown, location)
        return Resource(kind=kind, id=shown, granted_by="request")


def _repository(text: str) -> str:
    """Give where the repository lies that somebody names: an address, or a folder on this machine."""
    if "://" not in text:
        return str(_folder(text))
    if not re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", text):
        raise BadInput(
            "That is no address of a repository.",
            next="Write https://HOST/OWNER/REPO, without a user, a token or anything after it.",
            code="no_repository",
        )
    return text


def _folder(text: str) -> Path:
    """Find the folder that somebody names as repository, before anything is begun."""
    try:
        folder = Path(text).expanduser().resolve()
        there = folder.is_dir()
    except (RuntimeError, OSError):  # no such person's home, links in a circle, a name that is too long
        folder, there = Path(text), False
    if not there:
        raise BadInput(
            f"There is no folder {str(folder)[:200]}.",
            next="Name the top folder of a git repository on this machine.",
            code="no_repository",
        )
    if not _may_be_repository(folder):
        raise BadInput(
            "The folder is no git repository.",
            next="Name the top folder of a git repository with --repo, or run `git init` there and commit.",
            code="no_repository",
        )
    return folder


def _may_be_repository(folder: Path) -> bool:
    """Tell what can be no repository before a warehouse is read for it; the rest is found out when it is opened."""
    try:
        return (folder / ".git").exists() or (folder / "objects").is_dir()
    except OSError:  # it may not be looked into, which is said when it is opened
        return True
