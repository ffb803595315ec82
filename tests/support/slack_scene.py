"""A workspace whose people meet in the Slack of the tests: real parts on both sides, and a socket between them."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twins.slack.server import PATIENCE_S, Twin
from twins.slack.world import Message, World

from support.command import repository, warehouse
from twokey.channels import creation, wiring
from twokey.channels.slack.channel import SlackChannel
from twokey.channels.wiring import Stage
from twokey.channels.workspace import Workspace
from twokey.core.errors import EnvironmentFault, TwokeyError
from twokey.core.events import ChannelRejected
from twokey.core.ports import Clock
from twokey.store.proposals import ProposalRecord

TOKEN, APP_TOKEN, SECRET = "xoxb-home", "xapp-home", "signing-secret-of-tests"
HOME, OTHER = "THOME", "TOTHER"
ACCOUNTS = {"ana": "UANA", "sam": "USAM", "pat": "UPAT", "eve": "UEVE"}
PEOPLE = [
    ("ana", ("analysts",)),
    ("eve", ("analysts",)),
    ("pat", ("platform-owners",)),
    ("sam", ("platform-owners",)),
]
VARIABLES = {
    "SLACK_BOT_TOKEN": TOKEN,
    "SLACK_APP_TOKEN": APP_TOKEN,
    "SLACK_SIGNING_SECRET": SECRET,
    "SLACK_CLIENT_SECRET": "oauth-secret",
}


def populated() -> World:
    """Two workspaces: one is ours, the other is not."""
    world = World()
    world.trigger_s = PATIENCE_S
    world.team(HOME, token=TOKEN)
    world.team(OTHER, token="xoxb-other")
    members = ["UANA", "USAM", "UPAT", "UEVE", "UNEW", "UGUEST", "UGONE", "UROBOT"]
    for name in members[:5]:
        world.user(name, HOME)
    world.user("UGUEST", HOME, guest=True)
    world.user("UGONE", HOME, deleted=True)
    world.user("UROBOT", HOME, bot=True)
    world.user("UFAR", OTHER)
    world.user("USTRANGER", OTHER, stranger=True)
    world.channel("COPS", HOME, *members)
    world.channel("CAPPROVALS", HOME, *members)
    world.channel("CESCALATIONS", HOME, *members)
    world.channel("CSHARED", HOME, *members, "USTRANGER", shared=True)
    world.channel("CFAR", OTHER, "UFAR")
    world.app_tokens.add(APP_TOKEN)
    return world


class Scene:
    """One workspace, and the Slack that it is installed in."""

    def __init__(self, twin: Twin, workspace: Workspace, clock: Clock | None, folder: Path) -> None:
        self.twin = twin
        self.world = twin.world
        self.workspace = workspace
        self.folder = folder
        self.inbox = workspace.inbox
        self.postbox = workspace.postbox
        clock = clock or workspace.service._clock  # pyright: ignore[reportPrivateUsage]
        home = Path(os.environ["TWOKEY_HOME"]) / workspace.config.workspace.id
        self.slack = SlackChannel(workspace=workspace, home=home, clock=clock, environment=VARIABLES)

    def link(self, *names: str) -> None:
        """Link people to their accounts, with their keys."""
        for name in names:
            external = f"slack:{HOME}/{ACCOUNTS[name]}"
            self.workspace.linking.links.ask(external, name, "slack")
            identity, credential = self.workspace.identify(name, "cli")
            self.workspace.linking.confirm(identity, credential, external)

    def take(self, payload: dict[str, Any]) -> str:
        """Deliver something that Slack is known to have sent; gives the id under which it is kept."""
        assert self.slack.intake.payload(payload) == "kept"
        (waiting,) = self.inbox.waiting(before=2**52, limit=10)
        return waiting

    def do(self, payload: dict[str, Any], *, hook: bool = True) -> str:
        """Deliver it and work it off; gives what became of it."""
        channel = payload.get("channel_id") or (payload.get("channel") or {}).get("id")
        user = payload.get("user_id") or (payload.get("user") or {}).get("id")
        if hook and channel and user:
            payload = payload | {"response_url": self.twin.base + self.world.hook(channel, user)}
        return self.inbox.handle(self.take(payload))

    def again(self, inbound: str) -> str:
        """Work off something as often as a worker would, until it is over."""
        for _ in range(6):
            try:
                return self.inbox.handle(inbound)
            except EnvironmentFault:
                continue
            except TwokeyError as error:
                return error.code
        raise AssertionError("it never came to an end")

    def work(self) -> None:
        """Carry out what was approved, as a worker would."""
        self.workspace.service.go_on(lambda _: None)

    def post(self) -> None:
        """Post what is wanted, as often as a worker would."""
        self.slack.announcer.announce()
        for _ in range(8):
            waiting = self.postbox.waiting(before=2**52, limit=100)
            if not waiting:
                return
            for message in waiting:
                try:
                    self.postbox.post(message)
                except TwokeyError:
                    continue

    def proposed(self, user: str = "UANA", channel: str = "COPS") -> ProposalRecord:
        """Somebody asks for the catalog in Slack, and a worker drives the run to its card."""
        from twins.slack.people import slash

        assert self.do(slash(self.world, user, channel, "catalog")) == "asked"
        run = self.workspace.service.runs(limit=1)[0].id
        outcome = self.workspace.service.drive(run, lambda _: None)
        self.post()
        (proposal,) = outcome.proposals
        return proposal

    def card(self, proposal: ProposalRecord, channel: str = "CAPPROVALS") -> Message:
        """The message with its card."""
        (card,) = [
            message
            for message in self.world.by_app(channel)
            if f"{proposal.id}.{proposal.digest[:32]}" in str(message.blocks) and message.buttons().get("twokey.diff")
        ]
        return card

    def shown(self, proposal: ProposalRecord, channel: str = "CAPPROVALS") -> str:
        """What the message about a proposal says by now."""
        (said,) = [
            message.shown
            for message in self.world.by_app(channel)
            if message.metadata is not None
            and message.metadata["event_payload"]["message"]
            in {record.id for record in self.postbox.shown(f"card:{proposal.id}")}
        ]
        return said

    def state(self, proposal: ProposalRecord) -> str:
        """Where it stands."""
        return self.workspace.service.find(proposal.id).state.value

    def rejected(self) -> list[str]:
        """Codes of all answers that did not count."""
        return [
            recorded.entry.event.code
            for recorded in self.workspace.ledger.log.entries(kind="click.rejected", limit=10_000)
            if recorded.entry.event.kind == "click.rejected"
        ]

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """Whom the log says that the channel refused, and why, by account."""
        entries = self.workspace.ledger.log.entries(kind="channel.rejected", limit=10_000)
        events = [recorded.entry.event for recorded in entries]
        return [
            (event.code, str(event.external).rpartition("/")[2])
            for event in events
            if isinstance(event, ChannelRejected)
        ]

    def written(self) -> int:
        """How many writes began."""
        return len(self.workspace.ledger.log.entries(kind="write.intended", limit=10_000))


@contextmanager
def opened(
    twin: Twin,
    folder: Path,
    clock: Clock | None = None,
    *,
    prepare: Callable[[Path], None] = lambda _: None,
    **slack: Any,
) -> Generator[Scene]:
    """A new workspace in ``folder``, open; ``prepare`` changes it before."""
    repo, small = repository(folder / "repo"), warehouse(folder / "small.db")
    sections: dict[str, dict[str, str | int]] = {
        "slack": {
            "mode": "socket",
            "approvals_channel": "CAPPROVALS",
            "escalation_channel": "CESCALATIONS",
            "api_url": twin.api_url,
            "hooks_url": f"{twin.base}/hooks/",
            **slack,
        },
        "catalog": {"warehouse": "small", "repository": "models"},
        "places.small": {"kind": "warehouse", "location": f"sqlite:///{small}"},
        "places.models": {"kind": "repository", "location": str(repo)},
    }
    creation.create(folder / "w", PEOPLE, sections=sections)
    prepare(folder / "w")
    with reopened(twin, folder, clock) as scene:
        yield scene


@contextmanager
def reopened(twin: Twin, folder: Path, clock: Clock | None = None) -> Generator[Scene]:
    """The workspace in ``folder``, opened by a process that remembers nothing."""
    held: list[Scene] = []
    stage = Stage(connect=lambda _: {"slack": held[0].slack.connected()})
    with wiring.opened_parts(folder / "w", clock=clock, stage=stage) as parts:
        held.append(Scene(twin, parts.workspace, clock, folder))
        yield held[0]
