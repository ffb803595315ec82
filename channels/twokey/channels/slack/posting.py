"""What Twokey shows in Slack: cards, the progress of runs, reminders; posted, found again, and changed.

Rules: a message is rendered from what stands in the workspace at that moment; nothing else about it is kept. It carries
the id of what it stands for as metadata, which people do not see and cannot write, so that one whose acknowledgement
got lost is found and not posted again. A card is on record as shown from when it stands there.
"""

from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.web import WebClient

from twokey.agents.state import Progress
from twokey.channels import patience
from twokey.channels.passes import public_page
from twokey.channels.postbox import Message
from twokey.channels.rendering import slack as rendered
from twokey.channels.rendering.cards import card_document
from twokey.channels.rendering.documents import RunView, reminder_document, run_document
from twokey.channels.rendering.model import Document
from twokey.channels.slack import batches
from twokey.channels.slack.answering import answering
from twokey.channels.slack.teams import Team, Teams
from twokey.channels.slack.web import Endpoint, SlackSaysNo, made
from twokey.channels.workspace import Workspace
from twokey.core.errors import NotFound
from twokey.core.events import StepEnded, StepStarted
from twokey.core.ports import Clock
from twokey.core.values import Plan
from twokey.store import runs

EVENT: Final = "twokey_message"
TELLS: Final = "incident"
"""The agent whose findings are an answer by themselves: they are shown beside what it proposes."""
LOOKED_AT: Final = 200
"""How many of the latest messages of a place are looked through for one that may have got through."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in Slack."""

    team: str
    channel: str
    """A channel, a direct message, or a person."""
    thread: str | None = None

    @classmethod
    def parse(cls, place: str) -> "Spot":
        """Read a place, as ``TEAM/CHANNEL`` or ``TEAM/CHANNEL/THREAD``."""
        team, channel, *rest = place.split("/")
        return cls(team, channel, rest[0] if rest else None)


class Poster:
    """Posts in the workspaces that the app works for."""

    def __init__(self, *, workspace: Workspace, teams: Teams, endpoint: Endpoint, clock: Clock) -> None:
        self._workspace = workspace
        self._teams = teams
        self._endpoint = endpoint
        self._clock = clock

    def find(self, message: Message) -> str | None:
        """Give the message that stands for this one, where an earlier attempt got through."""
        spot = Spot.parse(message.place)
        team = self._team(spot)
        client = self._endpoint.sync(team.token)
        channel = self._channel(client, spot)
        seen, cursor = 0, None
        while seen < LOOKED_AT:
            more: dict[str, Any] = {"channel": channel, "limit": 100, "include_all_metadata": True, "cursor": cursor}
            if spot.thread is None:
                page = made(client.conversations_history, **more)
            else:
                page = made(client.conversations_replies, ts=spot.thread, **more)
            for item in page.get("messages", []):
                if _stands_for(item, message.id) and item.get("user") == team.bot_user:
                    return f"{channel}/{item['ts']}"
            seen += 100
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return None

    def post(self, message: Message) -> str:
        """Post it; gives ``CHANNEL/TS``."""
        spot = Spot.parse(message.place)
        client = self._endpoint.sync(self._team(spot).token)
        channel = self._channel(client, spot)
        answer = made(
            client.chat_postMessage,
            channel=channel,
            thread_ts=spot.thread,
            metadata=_mark(message),
            **self._content(message),
        )
        self._shown(message)
        return f"{answer['channel']}/{answer['ts']}"

    def update(self, message: Message, remote: str) -> None:
        """Make it say what stands in the workspace now."""
        client = self._endpoint.sync(self._team(Spot.parse(message.place)).token)
        channel, _, ts = remote.partition("/")
        content = self._content(message)
        changed = {name: content[name] for name in ("text", "blocks")}
        made(client.chat_update, channel=channel, ts=ts, metadata=_mark(message), **changed)
        self._shown(message)

    def _content(self, message: Message) -> dict[str, Any]:
        return rendered.message(document_of(self._workspace, message.purpose, self._clock.now_us()))

    def _shown(self, message: Message) -> None:
        kind, _, subject = message.purpose.partition(":")
        if kind == "card":
            self._workspace.service.shown(self._workspace.service.find(subject), "slack")

    def _team(self, spot: Spot) -> Team:
        team = patience.made(lambda: self._teams.find(spot.team))
        if team is None:
            raise NotFound(
                f"The app does not work for the workspace {spot.team[:24]}.",
                next="Install it there, or take the channel out of the settings.",
                code="slack_no_team",
            )
        return team

    def _channel(self, client: WebClient, spot: Spot) -> str:
        """Give the channel; of a person, the direct message with them."""
        if not spot.channel.startswith(("U", "W")):
            return spot.channel
        return str(made(client.conversations_open, users=spot.channel)["channel"]["id"])


def document_of(workspace: Workspace, purpose: str, now_us: int) -> Document:
    """Give what a message with this purpose says now; raises ``NotFound``."""
    kind, _, subject = purpose.partition(":")
    match kind:
        case "card":
            card = workspace.service.card(subject, None)
            seen = public_page(workspace.config, card.record.id)
            return card_document(card, answering=answering(card.decision), console=seen)
        case "progress":
            view = run_view(workspace, subject)
            return batches.offering(run_document(view), view.proposals)
        case "remind" | "escalate":
            return reminder_document(workspace.service.find(subject), now_us, escalated=kind == "escalate")
        case _:
            raise SlackSaysNo("No message has such a purpose.", next="Nothing is to be done.", code="unknown_purpose")


def run_view(workspace: Workspace, run: str) -> RunView:
    """Give a run as it stands, with what its steps have come to so far."""
    outcome = workspace.service.outcome(run)
    with workspace.ledger.look() as connection:
        kept = runs.find_document(connection, run=run, name="plan")
    plan = Plan.model_validate(kept) if isinstance(kept, dict) else None
    tells = plan is not None and any(step.agent == TELLS for step in plan.steps)
    return RunView(
        run=outcome.run,
        plan=plan,
        progress=tuple(_steps(workspace, run)),
        proposals=outcome.proposals,
        findings=workspace.service.findings(run) if tells else outcome.findings,
        question=outcome.question,
    )


def _steps(workspace: Workspace, run: str) -> list[Progress]:
    """Give the last that the log says of each step; an index is enough for what decides nothing."""
    steps: dict[int, Progress] = {}
    for event in workspace.ledger.history(run, "step.started"):
        if isinstance(event, StepStarted):
            steps[event.step] = Progress(event.step, f"{event.agent} is at work")
    for event in workspace.ledger.history(run, "step.ended"):
        if isinstance(event, StepEnded):
            found = f", {event.findings:,} findings" if event.findings else ""
            steps[event.step] = Progress(event.step, f"{event.agent}: {event.code}{found}")
    return [steps[number] for number in sorted(steps)]


def _mark(message: Message) -> dict[str, Any]:
    return {"event_type": EVENT, "event_payload": {"message": message.id}}


def _stands_for(item: dict[str, Any], identifier: str) -> bool:
    metadata = item.get("metadata")
    return isinstance(metadata, dict) and metadata == {
        "event_type": EVENT,
        "event_payload": {"message": identifier},
    }
