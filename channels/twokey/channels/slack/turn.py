"""One thing that somebody did in Slack, being worked off: who did it, where, and how they are answered.

Rules: an answer to a person is for that person's eyes; it goes the way that Slack gave for it, else into the channel
for them alone, else into their direct message. Once something was carried out, an answer that gets lost undoes and
repeats nothing. A card or the progress of a run goes only where everybody is of this workspace.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from twokey.channels.inbox import Inbound, Inbox
from twokey.channels.postbox import Postbox
from twokey.channels.rendering import slack as rendered
from twokey.channels.rendering.documents import refusal_document
from twokey.channels.rendering.model import Document
from twokey.channels.slack.shapes import Actor, Click, Command, Event, Known, Shortcut, Submission
from twokey.channels.slack.visitors import Visitors
from twokey.channels.slack.web import Endpoint, SlackSaysNo, called
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput, EnvironmentFault, TwokeyError
from twokey.core.ports import Clock
from twokey.core.sections import SlackSection
from twokey.core.values import Identity
from twokey.tools.ledger import Unit

LATE: Final = frozenset({"slack_expired_trigger_id", "slack_exchanged_trigger_id", "slack_invalid_trigger_id"})
_logger: Final = logging.getLogger("twokey.slack")


@dataclass(frozen=True, slots=True)
class House:
    """What every turn works with."""

    workspace: Workspace
    section: SlackSection
    endpoint: Endpoint
    visitors: Visitors
    inbox: Inbox
    postbox: Postbox
    refused: Callable[[str, str, str], None]
    """Notes in the log that somebody was refused: the code, and who in Slack it was, by workspace and account."""
    clock: Clock


@dataclass(slots=True)
class Turn:
    """What one inbound thing is, and what became of it."""

    house: House
    inbound: Inbound
    shape: Known
    client: AsyncWebClient
    bot_user: str
    code: str = ""
    settled: bool = False
    """True once something was carried out: from then on a lost answer is only noted."""
    error: Exception | None = None
    _identity: Identity | None = field(default=None)

    @property
    def actor(self) -> Actor:
        """Who did it."""
        actor = self.shape.actor
        if actor is None:
            raise SlackSaysNo("Nobody did that.", next="Nothing is to be done.", code="nobody")
        return actor

    async def identity(self) -> Identity:
        """Prove who did it; raises ``NotAuthenticated``, ``EnvironmentFault``."""
        if self._identity is None:
            self._identity = await self.house.visitors.identity(self.client, self.actor)
        return self._identity

    async def tell(self, document: Document) -> None:
        """Say something to whoever did it, and to nobody else."""
        try:
            if isinstance(self.shape, Click) and self.shape.view is not None and self.shape.view.type == "modal":
                view = rendered.modal(document, callback_id="twokey.said")
                await called(self.client.views_update, view_id=self.shape.view.id, view=view)
            else:
                await self._tell(rendered.message(document))
        except TwokeyError as error:
            if not self.settled and isinstance(error, EnvironmentFault):
                raise
            _logger.warning("an answer in Slack got lost: %s", error.message)

    async def refuse(self, error: TwokeyError, subject: str | None = None) -> None:
        """Say why something was not done; its code is what became of this turn."""
        self.code = error.code
        await self.tell(refusal_document(error, subject))

    async def _tell(self, message: dict[str, Any]) -> None:
        url = getattr(self.shape, "response_url", "")
        if url:
            try:
                await self.house.endpoint.respond(url, {"text": message["text"], "blocks": message["blocks"]})
            except SlackSaysNo:  # it has been used up, or is too old
                _logger.info("a way to answer was used up")
            else:
                return
        await self._aside(message)

    async def _aside(self, message: dict[str, Any]) -> None:
        channel, thread = self.where()
        direct = channel is not None and channel.startswith("D")
        if channel is not None and not direct:
            try:
                await called(
                    self.client.chat_postEphemeral,
                    channel=channel,
                    user=self.actor.user,
                    thread_ts=thread,
                    text=message["text"],
                    blocks=message["blocks"],
                )
            except SlackSaysNo:  # the app is not in that channel
                _logger.info("the app is not in the channel of a person it answers")
            else:
                return
        place = channel if direct else await self.direct()
        await called(self.client.chat_postMessage, channel=place, thread_ts=thread if direct else None, **message)

    async def direct(self) -> str:
        """Give the direct message with whoever did it."""
        return str((await called(self.client.conversations_open, users=self.actor.user))["channel"]["id"])

    async def dialog(self, view: dict[str, Any]) -> None:
        """Open a dialog for a press, or turn the one that was pressed in into it."""
        click = self.shape
        if not isinstance(click, Click):
            raise TypeError("only a press opens a dialog")
        try:
            if click.view is not None and click.view.type == "modal":
                await called(self.client.views_update, view_id=click.view.id, view=view)
            else:
                await called(self.client.views_open, trigger_id=click.trigger_id, view=view)
        except SlackSaysNo as error:
            if error.code not in LATE:
                raise
            raise BadInput(
                "That took longer than Slack waits.", next="Press the button again.", code="too_late"
            ) from error
        self.code = "opened"

    def where(self) -> tuple[str | None, str | None]:
        """Give the channel and thread that it was done in, where there is one."""
        match self.shape:
            case Command():
                return self.shape.channel_id, None
            case Click():
                return self.shape.container.channel_id, None
            case Submission():
                return None, None
            case Shortcut():
                return self.shape.channel.id, self.shape.thread
            case Event():
                inner = self.shape.event
                if inner.assistant_thread is not None:
                    return inner.assistant_thread.channel_id, inner.assistant_thread.thread_ts
                return inner.channel, inner.thread_ts or (inner.ts if inner.type == "app_mention" else None)

    def settle(self, unit: Unit, code: str) -> bool:
        """Say in an open transaction that this turn is done by it; tells whether it was not done before."""
        return self.house.inbox.settle(unit, self.inbound, code)

    async def place(self) -> str:
        """Give the place where what comes of this is shown: there, or in the direct message of whoever did it."""
        channel, thread = self.where()
        if channel is None or not await self.ours(channel):
            channel, thread = await self.direct(), None
        return "/".join([self.actor.team, channel, *([thread] if thread else [])])

    async def ours(self, channel: str) -> bool:
        """Tell whether the app is in a channel where everybody is of this workspace."""
        try:
            known = (await called(self.client.conversations_info, channel=channel))["channel"]
        except SlackSaysNo:
            return False
        return is_ours(known)


def is_ours(channel: dict[str, Any]) -> bool:
    """Tell from what Slack says of a channel whether the app is in it, and everybody of this workspace."""
    shared = channel.get("is_ext_shared", False) or channel.get("is_pending_ext_shared", False)
    there = channel.get("is_member", False) or channel.get("is_im", False)
    return bool(there and not shared and not channel.get("is_archived", False))
