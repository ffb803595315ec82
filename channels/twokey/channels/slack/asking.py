"""What people ask for in Slack: commands, mentions, and the assistant pane.

Rules: only who is proven is heard; the run belongs to what was typed, so that the same act never asks twice; it is
left to the workers, and shown where it was asked. Nothing that is typed approves anything, however it is put. Places
that a run may touch are those of the settings: no address comes from Slack.
"""

import functools
import re
from collections.abc import Callable
from typing import Final

from twokey.channels.rendering.documents import Command as Offered
from twokey.channels.rendering.documents import help_document, waiting_document
from twokey.channels.rendering.model import Context, Document, Field, Name, Paragraph, Words, command, line, named
from twokey.channels.slack import batches, words
from twokey.channels.slack.shapes import Command, Event, Shortcut
from twokey.channels.slack.turn import Turn
from twokey.channels.slack.web import SlackSaysNo, SlackTokenUnfit, called
from twokey.core.errors import BadInput, NotAuthenticated, Refused
from twokey.core.values import Identity
from twokey.tools.ledger import Unit
from twokey.tools.links import UNTOLD

OFFERED: Final = (
    Offered(Words("/twokey ask TEXT", "code"), Words("ask for something in your own words")),
    Offered(Words("/twokey catalog TABLE", "code"), Words("propose documentation for tables with such a name, or all")),
    Offered(Words("/twokey triage TICKET", "code"), Words("sort tickets by their keys, or the new ones")),
    Offered(Words("/twokey incident ID", "code"), Words("what happened in an incident, with evidence")),
    Offered(Words("Summarise as incident"), Words("in the menu of a message: what happened, from its thread")),
    Offered(Words("/twokey approvals", "code"), Words("what waits for an answer")),
    Offered(Words("/twokey approvals batch", "code"), Words("what you may answer together, with one button")),
    Offered(Words("/twokey freeze", "code"), Words("whether writes are stopped")),
    Offered(Words("/twokey freeze on REASON", "code"), Words("stop every write, at once")),
    Offered(Words("/twokey link NAME", "code"), Words("say who you are here, to confirm it with your own key")),
    Offered(Words("/twokey help", "code"), Words("this list")),
)
"""What is offered: a job that does not exist is not in it."""
ANSWERS: Final = frozenset({"approve", "approved", "refuse", "withdraw", "confirm", "reject"})
"""Words with which people try to answer a card by typing."""
_WORD: Final = re.compile(r"[a-z]+")
_MOST_TICKETS: Final = 25
_TICKET: Final = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9-]{0,60}")
_INCIDENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_TABLE: Final = re.compile(r"[A-Za-z0-9_.]{1,100}")


async def on_command(turn: Turn) -> None:
    """Carry out ``/twokey``."""
    if not isinstance(turn.shape, Command):
        raise TypeError("only a command is carried out")
    name, _, rest = words.plain(turn.shape.text).partition(" ")
    match name.lower():
        case "ask":
            await ask(turn, rest.strip())
        case "catalog":
            await _catalog(turn, rest.strip())
        case "triage":
            await _triage(turn, rest.split())
        case "incident":
            await _incident(turn, rest.strip())
        case "approvals":
            await (batches.show(turn) if rest.strip().lower() == "batch" else _approvals(turn))
        case "freeze":
            await _freeze(turn, rest.strip())
        case "link":
            await _link(turn, rest.strip())
        case "" | "help":
            turn.code = "help"
            await turn.tell(help_document(OFFERED))
        case verb if verb in ANSWERS:
            await _not_by_typing(turn)
        case _:
            raise BadInput(
                "There is no such command.",
                next="See `/twokey help`; to ask freely, `/twokey ask TEXT`.",
                code="no_command",
            )


async def ask(turn: Turn, text: str) -> None:
    """Take a request in somebody's own words."""
    first = _WORD.search(text.lower())
    if first is not None and first[0] in ANSWERS:
        await _not_by_typing(turn)
        return
    workspace = turn.house.workspace
    await left(turn, lambda identity, run, only_if: workspace.leave(identity, text, run=run, only_if=only_if))


async def _catalog(turn: Turn, table: str) -> None:
    if table and not _TABLE.fullmatch(table):
        raise BadInput("That is no part of a table's name.", next="Use letters, digits, _ and dots.", code="bad_table")
    workspace = turn.house.workspace

    def leave(identity: Identity, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        tables = (table,) if table else ()
        return workspace.leave_catalog(identity, tables, run=run, only_if=only_if)

    await left(turn, leave)


async def _triage(turn: Turn, keys: list[str]) -> None:
    if len(keys) > _MOST_TICKETS or not all(_TICKET.fullmatch(key) for key in keys):
        raise BadInput(
            "Those are no keys of tickets.", next="Write them as FERN-131 or #12, at most 25.", code="bad_ticket"
        )
    workspace = turn.house.workspace

    def leave(identity: Identity, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        return workspace.leave_triage(identity, keys, run=run, only_if=only_if)

    await left(turn, leave)


async def _incident(turn: Turn, which: str) -> None:
    if not _INCIDENT.fullmatch(which):
        raise BadInput("That is no id of an incident.", next="Write it as inc-0412.", code="bad_incident")
    workspace = turn.house.workspace

    def leave(identity: Identity, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        return workspace.leave_incident(identity, which, run=run, only_if=only_if)

    await left(turn, leave)


async def left(turn: Turn, leave: Callable[[Identity, str, Callable[[Unit], bool]], str | None]) -> None:
    """Have a run accepted once for this act, with a message that shows its progress, in one transaction."""
    identity = await turn.identity()
    place = await turn.place()
    run = f"r-{turn.inbound.id.removeprefix('i-')}"
    wanted: list[str] = []

    def only_if(unit: Unit) -> bool:
        if not turn.settle(unit, "asked"):
            return False
        wanted.append(turn.house.postbox.want(unit, "slack", place, f"progress:{run}"))
        return True

    leave(identity, run, only_if)
    turn.settled, turn.code = True, "asked"
    turn.house.postbox.send(*wanted)
    if isinstance(turn.shape, (Command, Shortcut)):
        await turn.tell(
            Document(
                title=Words("Asked"), subject=Name(run), lead=line("as ", Name(identity.principal.name)), blocks=()
            )
        )


async def _approvals(turn: Turn) -> None:
    await turn.identity()
    service = turn.house.workspace.service
    stopped, _ = turn.house.workspace.controls.stopped()
    turn.code = "listed"
    await turn.tell(waiting_document(service.waiting(), stopped))


async def _freeze(turn: Turn, rest: str) -> None:
    identity = await turn.identity()
    controls = turn.house.workspace.controls
    verb, _, reason = rest.partition(" ")
    if verb.lower() == "on":
        if not reason.strip():
            raise BadInput("Say why.", next="`/twokey freeze on REASON`", code="no_reason")
        controls.freeze(identity, None, on=True, reason=reason.strip()[:1000])
        turn.settled = True
    elif verb.lower() == "off":
        raise Refused(
            "Writes are let go on by an owner's own key, not from Slack.",
            next='twokey freeze off --reason "..."',
            code="key_needed",
        )
    elif verb:
        raise BadInput("That is neither on nor off.", next="`/twokey freeze on REASON`", code="no_command")
    code, _ = controls.stopped()
    turn.code = "frozen" if verb else "listed"
    state = line("writes are not stopped") if code is None else line("writes are stopped (", named(code), ")")
    await turn.tell(
        Document(
            title=Words("Kill switch"),
            blocks=(
                Field("state", (state,), alarm=code is not None),
                Context(line("an owner lets writes go on with ", command("twokey freeze off"))),
            ),
        )
    )


async def _link(turn: Turn, name: str) -> None:
    """Take somebody's word that they are ``name``. A stranger is answered alike, whoever is called so."""
    external = await turn.house.visitors.external(turn.client, turn.actor)
    workspace = turn.house.workspace
    links, count = workspace.linking.links, functools.partial(workspace.rejections.count, "slack")
    stranger = links.principal(external) is None
    try:
        links.ask(external, name.lower(), "slack", count if stranger else None)
    except Refused as refusal:
        if not stranger or refusal.code not in UNTOLD:
            raise
    turn.code = "link_asked"
    await turn.tell(
        Document(
            title=Words("Who you are"),
            blocks=(
                Paragraph(line("You said who you are. Only the key of the principal that you named makes it so.")),
                Field("confirm", (line(command("twokey link confirm "), named(external)),)),
                Context(line("within an hour, on the machine with the key; somebody else's key will not do")),
                Context(line("if there is nothing to confirm, nobody is called so or they have another account here")),
                Context(line("or there were too many tries: try again in an hour")),
            ),
        )
    )


async def _not_by_typing(turn: Turn) -> None:
    """Say how cards are answered, to whoever is somebody here; nothing comes of it."""
    await turn.identity()
    turn.code = "not_by_typing"
    await turn.tell(
        Document(
            title=Words("Nothing was answered"),
            blocks=(
                Paragraph(line("A card is answered with its buttons, never by typing.")),
                Context(line("see what waits with ", command("/twokey approvals"))),
            ),
        )
    )


async def on_mention(turn: Turn) -> None:
    """Take what was said to the app in a channel, or in its own direct message."""
    if not isinstance(turn.shape, Event):
        raise TypeError("only an event is taken here")
    text = words.without_mention(turn.shape.event.text, turn.bot_user)
    if not text or text.lower() == "help":
        turn.code = "help"
        await turn.identity()
        await turn.tell(help_document(OFFERED))
        return
    await ask(turn, text)


async def on_message(turn: Turn) -> None:
    """Take what somebody wrote to the app alone; what is said in channels is nobody's request."""
    event = getattr(turn.shape, "event", None)
    if (
        event is None
        or event.channel_type != "im"
        or event.subtype
        or event.bot_id
        or event.user in {None, turn.bot_user}
    ):
        turn.code = "ignored_not_for_us"
        return
    if event.thread_ts is not None and event.channel is not None:
        await _status(turn, event.channel, event.thread_ts, "is looking at it ...")
    await on_mention(turn)


async def on_assistant(turn: Turn) -> None:
    """Greet somebody who opened the assistant pane."""
    turn.code = "greeted"
    try:
        await turn.identity()
    except NotAuthenticated as refusal:
        await turn.refuse(refusal)
        return
    channel, thread = turn.where()
    prompts = [
        {"title": "What waits for an answer?", "message": "help"},
        {"title": "Document the warehouse", "message": "document the tables that nobody has described yet"},
    ]
    await turn.tell(help_document(OFFERED))
    try:
        await called(
            turn.client.assistant_threads_setSuggestedPrompts, channel_id=channel, thread_ts=thread, prompts=prompts
        )
    except (SlackSaysNo, SlackTokenUnfit):
        turn.code = "greeted_bare"


async def _status(turn: Turn, channel: str, thread: str, status: str) -> None:
    """Show in the pane that something goes on; where that cannot be shown, it goes on all the same."""
    try:
        await called(turn.client.assistant_threads_setStatus, channel_id=channel, thread_ts=thread, status=status)
    except (SlackSaysNo, SlackTokenUnfit):
        turn.code = "no_status"
