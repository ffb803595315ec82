"""What people ask for in the menu of a message: that its thread be told as an incident.

Rules: only who is proven is heard; the channel has to be one that the settings list, with nobody from outside in it;
the thread has to be there. Then the run belongs to this act, is left to the workers, and is shown in the thread. What
was written there is read by the run, and by nobody here.
"""

from collections.abc import Callable
from typing import Final

from twokey.channels.slack.asking import left
from twokey.channels.slack.shapes import Shortcut
from twokey.channels.slack.thread_places import Thread
from twokey.channels.slack.turn import Turn
from twokey.channels.slack.web import SlackSaysNo, called
from twokey.core.errors import NotFound, Refused
from twokey.core.values import Identity
from twokey.tools.ledger import Unit

_GONE: Final = frozenset({"slack_thread_not_found", "slack_message_not_found"})


async def on_thread(turn: Turn) -> None:
    """Have the thread of a message told as an incident."""
    shortcut = turn.shape
    if not isinstance(shortcut, Shortcut):
        raise TypeError("only a shortcut is carried out")
    await turn.identity()
    thread = Thread(turn.actor.team, shortcut.channel.id, shortcut.thread, shortcut.action_ts)
    try:
        await _demand(turn, thread)
    except Refused as refusal:
        turn.house.refused(refusal.code, turn.actor.team, turn.actor.user)
        raise
    try:
        await called(turn.client.conversations_replies, channel=thread.channel, ts=thread.ts, limit=1)
    except SlackSaysNo as error:
        if error.code not in _GONE:
            raise
        raise NotFound("That thread is not there any more.", next="Choose another one.", code="thread_gone") from error
    workspace = turn.house.workspace

    def leave(identity: Identity, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        return workspace.leave_thread(identity, thread.place, run=run, only_if=only_if)

    await left(turn, leave)


async def _demand(turn: Turn, thread: Thread) -> None:
    """Refuse where a thread may not be read."""
    thread.demand(turn.house.section.thread_channels)
    if not await turn.ours(thread.channel):
        raise Refused(
            "The app is not in this channel, or it is archived or shared with others: its threads are not read.",
            next="Invite the app to it, or ask with `/twokey incident ID`.",
            code="thread_not_ours",
        )
