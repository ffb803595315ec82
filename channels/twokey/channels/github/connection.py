"""Puts the GitHub channel together for a workspace.

Rules: a delivery is listened for where ``github.webhook_secret_envs`` names a secret, and its address is the same for
every repository; the repositories that are heard are the places of the settings; everything that GitHub is asked goes
through the workspace's one GitHub.
"""

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from twokey.channels import patience
from twokey.channels.connected import Connected
from twokey.channels.github.handler import Handler
from twokey.channels.github.house import House
from twokey.channels.github.intake import PATH, Intake
from twokey.channels.github.posting import Poster
from twokey.channels.github.refreshing import Refresher
from twokey.channels.github.signing import MAX_BODY, Verifier, secrets_of
from twokey.channels.routes import Delivery, Reply, Route
from twokey.channels.workspace import Workspace
from twokey.core.errors import NotFound, Refused, TryLater, TwokeyError
from twokey.core.events import Event
from twokey.core.lifecycle import State
from twokey.core.ports import Clock
from twokey.core.values import Action, Identity
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools.amending import Suggestion
from twokey.tools.forge import PullRecord
from twokey.tools.forum import Forum
from twokey.tools.ledger import Unit
from twokey.tools.opened import opened

HOUR_US: Final = 3600 * 1_000_000
RECEIPT_S: Final = 10.0
"""When it is looked again for the receipt of a write that goes on, in seconds."""
_logger: Final = logging.getLogger("twokey.github")


class Forums(Protocol):
    """Gives what is said in a repository, and how accounts are called."""

    def login(self, location: str, number: int) -> str | None:
        """Give how the account ``number`` is called; asked with the rights for the repository at ``location``."""
        ...

    def forum(self, location: str) -> Forum:
        """Give the forum of the repository at ``location``."""
        ...

    def me(self) -> int | str:
        """Give the number of the account that Twokey writes as, or the name of its App."""
        ...


class WorkspaceWork:
    """Requests and answers of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def leave(self, identity: Identity, text: str, *, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        """Take a request in somebody's own words and leave it to the workers."""
        return self._workspace.leave(identity, text, run=run, only_if=only_if)

    def leave_catalog(
        self, identity: Identity, tables: tuple[str, ...], *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have tables documented and leave it to the workers."""
        return self._workspace.leave_catalog(identity, tables, run=run, only_if=only_if)

    def leave_triage(
        self, identity: Identity, keys: tuple[str, ...], *, run: str, only_if: Callable[[Unit], bool], new: bool = False
    ) -> str | None:
        """Have tickets looked at and leave it to the workers."""
        return self._workspace.leave_triage(identity, keys, run=run, only_if=only_if, new=new)

    def leave_incident(
        self, identity: Identity, which: str, *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have an incident told and leave it to the workers."""
        return self._workspace.leave_incident(identity, which, run=run, only_if=only_if)

    def leave_suggestion(
        self, identity: Identity, suggestion: Suggestion, *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have what a proposal wrote proposed anew with a suggestion put in, and leave it to the workers."""
        return self._workspace.leave_suggestion(identity, suggestion, run=run, only_if=only_if)

    def approve(self, identity: Identity, proposal: str, digest: str, decision: str, at_us: int) -> object:
        """Hand an approval to the gate, for the proposal and the decision that it names by their digests.

        What it allows is carried out by a worker. One that was taken before is not handed in again,
        and is counted where whoever took it died before that.

        Raises:
            NotFound: there is no such proposal.
            Refused: the proposal or the decision is another one now, or the answer does not count.

        """
        service = self._workspace.service
        try:
            record = service.find(proposal)
        except NotFound:
            service.reject(identity, "approve", "unknown_proposal")
            raise
        if not (record.digest.startswith(digest) and record.decision_digest.startswith(decision)):
            service.reject(identity, "approve", "card_changed")
            raise Refused(
                f"The review names another proposal or decision than the card of {record.id} has now.",
                next=f"Look at it with `twokey approvals show {record.id}`.",
                code="card_changed",
            )
        if any(
            (item.principal, item.action) == (identity.principal.name, "approve")
            for item in service.card(record.id, None).answers
        ):
            return service.recount(record.id)
        seen = record.digest, record.decision_digest
        return service.answer(identity, None, action="approve", proposal=record.id, seen=seen, at_us=at_us, tell=None)

    def reject(self, identity: Identity, action: Action, code: str) -> None:
        """Record an answer that was not let through to the gate."""
        self._workspace.service.reject(identity, action, code)

    def outcome(self, run: str) -> tuple[RunRecord, tuple[ProposalRecord, ...]]:
        """Say where a run stands."""
        found = self._workspace.service.outcome(run)
        return found.run, found.proposals


def locations(workspace: Workspace) -> dict[str, str]:
    """Give repositories and trackers of the settings on the workspace's GitHub: ``owner/repo`` in small letters."""
    kinds = {"repository", "tickets"}
    places = [section.location for section in workspace.config.places.values() if section.kind in kinds]
    named = {_named(workspace, location): location for location in places}
    return {name: location for name, location in named.items() if name is not None}


def _named(workspace: Workspace, location: str) -> str | None:
    base = f"{workspace.config.github.url}/"
    if not location.startswith(base):
        return None
    return location.removeprefix(base).removesuffix(".git").rstrip("/").lower()


def sorts_for(workspace: Workspace, name: str) -> Identity | None:
    """Give in whose name new issues of ``OWNER/REPO`` are looked at, as the settings say."""
    triage = workspace.config.triage
    section = workspace.config.places.get(triage.tickets)
    if not triage.asked_by or section is None or _named(workspace, section.location) != name.lower():
        return None
    principal = workspace.directory.principal(triage.asked_by)
    return Identity(principal=principal, auth="system", channel="worker") if principal is not None else None


def proven(workspace: Workspace, name: str, seen: PullRecord) -> bool:
    """Tell whether the log proves that a proposal opened the pull request ``seen`` in ``OWNER/REPO``.

    Raises:
        TryLater: the proposal is being carried out: its receipt is still to come.
        CheckFailed: the log or the store was tampered with.

    """
    try:
        record = workspace.service.find(seen.id)
    except NotFound:
        return False
    if record.state is State.EXECUTING:
        raise TryLater("The proposal is still being carried out.", seconds=RECEIPT_S, next="It is tried again.")
    resource = record.proposal.resource
    section = workspace.config.places.get(resource.id) if resource.granted_by == "config" else None
    location = resource.id if resource.granted_by != "config" else section.location if section else ""
    receipt = opened(workspace.ledger, record)
    return (
        receipt is not None
        and _named(workspace, location) == name.lower()
        and seen.digest == record.digest
        and receipt.model_dump() == seen.model_dump(include=set(type(receipt).model_fields))
    )


def house(workspace: Workspace, github: Callable[[], Forums], clock: Clock) -> House:
    """Give what the channel works with."""
    ledger, postbox = workspace.ledger, workspace.postbox
    places = locations(workspace)

    def change(carry_out: Callable[[Unit], None]) -> None:
        with ledger.change() as unit:
            carry_out(unit)

    def last(proposal: str) -> Event | None:
        events = list(ledger.history(proposal, "pull_request.ended"))
        return events[-1] if events else None

    def refused(code: str, external: str) -> None:
        _logger.warning("%s at GitHub was refused: %s", external, code)
        workspace.rejections.count("github", code)

    return House(
        people=workspace.linking.links,
        work=WorkspaceWork(workspace),
        location=lambda name: places.get(name.lower()),
        sorts_for=functools.partial(sorts_for, workspace),
        mine=lambda number: github().me() == number,
        forum=lambda location: github().forum(location),
        proven=functools.partial(proven, workspace),
        settle=workspace.inbox.settle,
        want=lambda unit, place, purpose: postbox.want(unit, "github", place, purpose),
        want_once=lambda unit, place, purpose: postbox.want_once(unit, "github", place, purpose),
        send=postbox.send,
        change=change,
        last=last,
        refused=refused,
        now_us=clock.now_us,
        replay_us=workspace.config.github.replay_hours * HOUR_US,
    )


def connected(
    workspace: Workspace, github: Callable[[], Forums], clock: Clock, environment: Mapping[str, str]
) -> Connected:
    """Put the channel together. Without a secret in its variable a delivery is refused, and nothing else suffers."""
    made = house(workspace, lambda: patience.made(github), clock)
    names = workspace.config.github.webhook_secret_envs

    def endpoint(delivery: Delivery) -> Reply:
        # read here, because a worker that takes no deliveries need not know the secrets
        intake = Intake(workspace.inbox, Verifier(secrets_of(names, environment)))
        taken = intake.deliver(delivery.headers, delivery.body)
        return Reply(taken.status, taken.text.encode())

    routes = (Route(PATH, endpoint, "github", max_bytes=MAX_BODY),) if names else ()
    refresher = Refresher(workspace.ledger, workspace.postbox)

    def look() -> None:
        try:
            refresher.look()
        except TwokeyError as error:
            _logger.warning("what is shown on GitHub could not be looked at: %s", error.message)

    def called(external: str) -> str | None:
        number, places = external.removeprefix("github:"), list(locations(workspace).values())
        return patience.made(github).login(places[0], int(number)) if number.isdecimal() and places else None

    return Connected(handler=Handler(made), poster=Poster(made), routes=routes, called=called, look=look)
