"""The App Home: what waits for this person, what they asked for, and whether they are linked.

Rules: it shows what this person may act on, as it is when they open it; who is nobody here sees how to become somebody,
and nothing else.
"""

from twokey.channels.rendering import slack as rendered
from twokey.channels.rendering.documents import Desk, home_document
from twokey.channels.rendering.model import Document, Field, Foreign, Words, line
from twokey.channels.slack.shapes import Event
from twokey.channels.slack.turn import Turn
from twokey.channels.slack.web import called
from twokey.channels.workspace import Workspace
from twokey.core.errors import NotAuthenticated
from twokey.core.values import Principal
from twokey.tools.authority import barred, counting_groups


async def on_home(turn: Turn) -> None:
    """Show the Home tab to whoever opened it."""
    event = turn.shape
    if not isinstance(event, Event) or event.event.tab not in {"", "home"}:
        turn.code = "ignored_tab"
        return
    turn.code = "home"
    try:
        identity = await turn.identity()
    except NotAuthenticated as refusal:
        turn.house.refused(refusal.code, turn.actor.team, turn.actor.user)
        turn.code = refusal.code
        document = home_document(Desk(None)) if refusal.code == "not_linked" else _closed(refusal)
    else:
        document = home_document(desk(turn.house.workspace, identity.principal))
    await called(turn.client.views_publish, user_id=turn.actor.user, view=rendered.home(document))


def desk(workspace: Workspace, principal: Principal) -> Desk:
    """Give what one person meets."""
    waiting, asked = [], []
    for record in workspace.service.waiting():
        needed = record.decision.approvals
        if record.proposal.requester == principal.name:
            asked.append(record)
        elif (
            needed is not None
            and not barred(record.proposal, needed, principal.name)
            and counting_groups(needed, principal)
        ):
            waiting.append(record)
    stopped, _ = workspace.controls.stopped()
    return Desk(
        principal.name,
        waiting=tuple(waiting),
        asked=tuple(asked),
        runs=tuple(run for run in workspace.service.runs(limit=100) if run.requester == principal.name),
        stopped=stopped,
    )


def _closed(refusal: NotAuthenticated) -> Document:
    return Document(
        title=Words("Twokey"),
        blocks=(
            Field("why", (line(Foreign(refusal.message, 400)),)),
            Field("next", (line(Foreign(refusal.next, 400)),)),
        ),
    )
