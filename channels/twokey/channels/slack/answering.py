"""Buttons of cards: what a press means, checked on the server from the beginning.

Rules: what a button carries names a card and the digests that it was rendered for, and decides nothing. A press counts
only on a message of ours about that very proposal, only for what stands there still, and only as the gate answers it
for the principal behind the account. Every press is answered; what was refused is said to whoever pressed, quietly.
The same press never answers twice: what this person has answered stands, is counted where a process died before that,
and is told again. It answers as of when Slack handed it over, however long it waited here; what it allows is carried
out by a worker, and the card then says so.
"""

from typing import Final

from twokey.channels.card import Card
from twokey.channels.rendering import slack as rendered
from twokey.channels.rendering.buttons import Pressed
from twokey.channels.rendering.cards import Answering, card_document
from twokey.channels.rendering.changes import REASON, Page, diff_document, refuse_document
from twokey.channels.rendering.model import Document, Field, Name, Words, line
from twokey.channels.slack import batches
from twokey.channels.slack.shapes import Click, Submission
from twokey.channels.slack.turn import Turn
from twokey.core.errors import NotFound, Refused, TryLater
from twokey.core.lifecycle import State
from twokey.core.values import Action, Decision, Identity
from twokey.store.proposals import ProposalRecord

REFUSE: Final = "twokey.refuse"
CARD: Final = "twokey.card"
DIFF: Final = "twokey.diff"


def answering(decision: Decision) -> Answering:
    """Tell how a card is answered in Slack: policy says whether an approval from here counts."""
    needed = decision.approvals
    return "buttons" if needed is not None and "slack" in needed.auth else "key"


async def on_click(turn: Turn) -> None:
    """Do what a button is for."""
    click = turn.shape
    if not isinstance(click, Click):
        raise TypeError("only a press is taken here")
    action = click.actions[0]
    match action.action_id:
        case "twokey.approve":
            await _approve(turn, Pressed.parse(action.value))
        case "twokey.refuse":
            await _ask_why(turn, Pressed.parse(action.value))
        case batches.SHOW:
            await batches.show(turn)
        case batches.APPROVE:
            await batches.answer(turn, "approve", batches.PressedBatch.parse(action.value))
        case batches.REFUSE:
            await batches.ask_why(turn, batches.PressedBatch.parse(action.value))
        case "twokey.diff":
            await _page(turn, Page(Pressed.parse(action.value), 1))
        case "twokey.page.back" | "twokey.page.on":
            await _page(turn, Page.parse(action.value))
        case "twokey.show":
            await _show(turn, Pressed.parse(action.value))
        case _:
            turn.code = "unknown_button"


async def on_submission(turn: Turn) -> None:
    """Take the reason of a refusal."""
    view = turn.shape.view if isinstance(turn.shape, Submission) else None
    if view is not None and view.callback_id == batches.REFUSE:
        pressed_batch = batches.PressedBatch.parse(view.private_metadata)
        await batches.answer(turn, "refuse", pressed_batch, view.typed(REASON, REASON)[:1000])
        return
    if view is None or view.callback_id != REFUSE:
        turn.code = "unknown_view"
        return
    pressed = Pressed.parse(view.private_metadata)
    await _answer(turn, "refuse", pressed, view.typed(REASON, REASON)[:1000])


async def _approve(turn: Turn, pressed: Pressed) -> None:
    await _answer(turn, "approve", pressed, "")


async def _answer(turn: Turn, action: Action, pressed: Pressed, reason: str) -> None:
    identity = await turn.identity()
    service = turn.house.workspace.service
    record = _still(turn, identity, action, pressed)
    before = _on_record(service.card(record.id, None), identity, action)
    if before:
        turn.settled, turn.code = True, "answered_before"
        if action == "approve" and service.recount(record.id).state is State.APPROVED:
            _refresh(turn, record)
        await turn.tell(_outcome(service.card(record.id, None).record, "counted", action))
        return
    result = service.answer(
        identity,
        None,
        action=action,
        proposal=record.id,
        reason=reason,
        seen=(record.digest, record.decision_digest),
        at_us=turn.inbound.received_us,
        tell=None,
    )
    turn.settled, turn.code = True, "answered"
    _refresh(turn, record)
    await turn.tell(_outcome(service.card(result.id, None).record, result.code, action))


def _still(turn: Turn, identity: Identity, action: Action, pressed: Pressed) -> ProposalRecord:
    """Give the proposal of a card, where the card that was pressed is the one that stands there.

    Raises:
        NotFound: there is no such proposal.
        Refused: the button stands on another proposal's message, or the card has changed since.

    """
    service = turn.house.workspace.service
    _own_message(turn, identity, action, pressed)
    record = _found(turn, identity, action, pressed)
    if not pressed.still(record):
        service.reject(identity, action, "card_changed")
        raise Refused(
            f"The card of {record.id} has changed since it was shown there.",
            next="Look at it as it is now, with `/twokey approvals`.",
            code="card_changed",
        )
    return record


def _found(turn: Turn, identity: Identity, action: Action, pressed: Pressed) -> ProposalRecord:
    service = turn.house.workspace.service
    try:
        return service.find(pressed.proposal)
    except NotFound:
        service.reject(identity, action, "unknown_proposal")
        raise


def _own_message(turn: Turn, identity: Identity, action: Action, pressed: Pressed) -> None:
    """Hold a press to the card that it was made on: a message of ours about this very proposal, or a dialog of ours."""
    click = turn.shape
    if not isinstance(click, Click) or (click.container.type == "view" and click.view is not None):
        return
    remote = f"{click.container.channel_id}/{click.container.message_ts}"
    cards = turn.house.postbox.shown(f"card:{pressed.proposal}")
    if any(card.channel == "slack" and card.remote == remote for card in cards):
        return
    if any(card.channel == "slack" and card.state == "posting" and card.remote is None for card in cards):
        # It stands there, and the one who posted it has not noted that yet.
        raise TryLater("The card is still being posted.", seconds=1, next="It is tried again.")
    turn.house.workspace.service.reject(identity, action, "forged_button")
    raise Refused("That button does not belong to this message.", next="Open the card again.", code="forged_button")


def _on_record(card: Card, identity: Identity, action: Action) -> bool:
    name = identity.principal.name
    return any(item.principal == name and item.action == action for item in card.answers)


async def _ask_why(turn: Turn, pressed: Pressed) -> None:
    identity = await turn.identity()
    record = _still(turn, identity, "refuse", pressed)
    view = rendered.modal(
        refuse_document(record), callback_id=REFUSE, private_metadata=pressed.value, submit=Words("Refuse")
    )
    await turn.dialog(view)


async def _page(turn: Turn, page: Page) -> None:
    await turn.identity()
    record = turn.house.workspace.service.find(page.pressed.proposal)
    await turn.dialog(rendered.modal(diff_document(record, page.number), callback_id=DIFF))


async def _show(turn: Turn, pressed: Pressed) -> None:
    identity = await turn.identity()
    card = turn.house.workspace.service.card(pressed.proposal, identity)
    document = card_document(card, answering=answering(card.decision))
    await turn.dialog(rendered.modal(document, callback_id=CARD))


def _refresh(turn: Turn, record: ProposalRecord) -> None:
    """Have everything that shows this proposal say what became of it."""
    postbox = turn.house.postbox
    with turn.house.workspace.ledger.change() as unit:
        changed = [*postbox.refresh(unit, f"card:{record.id}"), *postbox.refresh(unit, f"progress:{record.run}")]
    postbox.send(*changed)


def _outcome(record: ProposalRecord, code: str, action: Action) -> Document:
    said = Words("approved") if action == "approve" else Words("refused")
    return Document(
        title=Words("Your answer counts"),
        subject=Name(record.id),
        lead=line("you ", said, " it"),
        blocks=(Field("state", (line(Name(record.state.value), " (", Name(code), ")"),)),),
    )
