"""Several cards answered with one press in Slack.

Rules: a batch is shown to whoever asked for it and to nobody else, whole, or not at all: where it is too long for a
message fewer cards are in it. Its buttons name the batch by its digest and its proposals, and decide nothing: the gate
takes the answer only where the log proves that this batch was shown to this very person. Every proposal that was left
out is named with the reason; what needs a key is answered elsewhere. The message of a run in a channel offers to show
what can be answered together, to whoever asks.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from twokey.channels.batching import Answered
from twokey.channels.card import BatchCard
from twokey.channels.rendering import batches as rendered
from twokey.channels.rendering import slack
from twokey.channels.rendering.model import (
    Actions,
    Button,
    Document,
    Field,
    Foreign,
    Line,
    Name,
    Paragraph,
    Words,
    line,
    number,
)
from twokey.channels.slack.turn import Turn
from twokey.core.batches import FEWEST
from twokey.core.errors import BadInput
from twokey.core.lifecycle import State
from twokey.core.values import ID_ALPHABET, Action, Identity
from twokey.store.proposals import ProposalRecord

APPROVE: Final = "twokey.batch.approve"
REFUSE: Final = "twokey.batch.refuse"
SHOW: Final = "twokey.batch.show"
_VALUE: Final = re.compile(rf"([0-9a-f]{{64}})((?:\.p-[{ID_ALPHABET}]{{12}}){{2,50}})")


@dataclass(frozen=True, slots=True)
class PressedBatch:
    """Which batch a button stands under, and what it held."""

    digest: str
    proposals: tuple[str, ...]

    @classmethod
    def parse(cls, value: str) -> "PressedBatch":
        """Read what a button carries; raises ``BadInput`` where it is none of ours."""
        found = _VALUE.fullmatch(value)
        if found is None:
            raise BadInput(
                "That button is none of ours, or was changed on its way.",
                next="Look again with `/twokey approvals batch`.",
                code="button_value",
            )
        return cls(found[1], tuple(found[2].split(".")[1:]))

    @property
    def value(self) -> str:
        """What the button carries."""
        return ".".join([self.digest, *self.proposals])


async def show(turn: Turn) -> None:
    """Show whoever asks what they may answer together."""
    identity = await turn.identity()
    batching = turn.house.workspace.batching
    shown = 0
    for records in batching.offered(identity):
        batch = _fitting(turn, identity, records)
        if batch is not None:
            shown += 1
            await turn.tell(_document(batch))
    turn.code = "batches_shown" if shown else "no_batch"
    if not shown:
        none = line("Nothing waits that you may answer together with something else here.")
        await turn.tell(Document(title=Words("To be answered together"), blocks=(Paragraph(none),)))


def offering(document: Document, proposals: Sequence[ProposalRecord]) -> Document:
    """Give the message of a run with a button that shows what waits together, where several do."""
    kinds = Counter(
        record.decision.approvals.batch.kind
        for record in proposals
        if record.state is State.AWAITING_APPROVAL and record.decision.approvals and record.decision.approvals.batch
    )
    if not kinds or max(kinds.values()) < FEWEST:
        return document
    button = Button(SHOW, Words("Answer together"), "together")
    return replace(document, blocks=(*document.blocks, Actions("together", (button,))))


async def ask_why(turn: Turn, pressed: PressedBatch) -> None:
    """Ask why each proposal of a batch is refused."""
    await turn.identity()
    document = rendered.refuse_batch_document(len(pressed.proposals))
    view = slack.modal(document, callback_id=REFUSE, private_metadata=pressed.value, submit=Words("Refuse"))
    await turn.dialog(view)


async def answer(turn: Turn, action: Action, pressed: PressedBatch, reason: str = "") -> None:
    """Answer each proposal of a batch that was shown to whoever pressed; the workers carry out what is approved."""
    identity = await turn.identity()
    workspace = turn.house.workspace
    answered = workspace.batching.answer(
        identity,
        None,
        action=action,
        digest=pressed.digest,
        proposals=pressed.proposals,
        reason=reason,
        at_us=turn.inbound.received_us,
        tell=None,
    )
    turn.settled, turn.code = True, "batch_answered"
    told = {f"progress:{workspace.service.find(item.proposal).run}" for item in answered}
    changed: list[str] = []
    with workspace.ledger.change() as unit:
        for purpose in (*(f"card:{item.proposal}" for item in answered), *sorted(told)):
            changed += turn.house.postbox.refresh(unit, purpose)
    turn.house.postbox.send(*changed)
    await turn.tell(_outcome(answered))


def _fitting(turn: Turn, identity: Identity, records: Sequence[ProposalRecord]) -> BatchCard | None:
    """Put as many of these before somebody as a message holds whole; none where not even two fit."""
    batching = turn.house.workspace.batching
    count = len(records)
    while count >= FEWEST:
        ids = [record.id for record in records[:count]]
        if rendered.is_whole(_document(batching.look(ids, identity)), slack.MESSAGE):
            return batching.show(ids, identity, "slack")
        count //= 2
    return None


def _document(batch: BatchCard) -> Document:
    document = rendered.batch_document(batch, answering=False)
    by_slack = all(card.decision.approvals and "slack" in card.decision.approvals.auth for card in batch.cards)
    if not by_slack:
        return rendered.batch_document(batch)
    value = PressedBatch(batch.shown.digest, tuple(card.record.id for card in batch.cards)).value
    approve = Button(APPROVE, Words("Approve all of these"), value, "primary")
    refuse = Button(REFUSE, Words("Refuse all of these"), value, "danger")
    actions = Actions(f"batch-{batch.shown.digest[:16]}", (approve, refuse))
    return Document(document.title, (*document.blocks, actions), document.subject, document.lead)


def _outcome(answered: Sequence[Answered]) -> Document:
    counted = [item for item in answered if item.result is not None]
    lead = line("your answer counts for ", number(len(counted)), " of ", number(len(answered)))
    said = Field("proposals", tuple(_said(item) for item in answered))
    return Document(title=Words("Answered together"), lead=lead, blocks=(said,))


def _said(item: Answered) -> Line:
    if item.result is not None:
        return line(Name(item.proposal), " ", Name(item.result.state.value), " (", Name(item.code), ")")
    return line("! ", Name(item.proposal), " is left out (", Name(item.code), "): ", Foreign(item.why, 200))
