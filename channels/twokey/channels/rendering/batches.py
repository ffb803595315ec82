"""The document of a batch: several cards that can be answered together, each with everything that it would write.

Rules: every change stands there to its last line, nothing is cut to an excerpt; each card says which proposal it is,
what it changes, why, and what wants attention; the digest that an answer names covers the whole list.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, LiteralString

from twokey.channels.card import BatchCard, Card, moment
from twokey.channels.rendering.cards import asks_twice, needed
from twokey.channels.rendering.changes import REASON
from twokey.channels.rendering.fitting import Room, fitted
from twokey.channels.rendering.model import (
    Block,
    Document,
    Field,
    Foreign,
    Input,
    Line,
    Name,
    Paragraph,
    Passage,
    Words,
    command,
    counted,
    line,
    named,
    number,
)

ENDLESS: Final = 10**9
"""Room for anything, in any measure."""
_ATTENTION: Final = 4
"""So many findings that want attention are told of one card."""


def is_whole(document: Document, room: Room) -> bool:
    """Tell whether a form has room for a document to its last character."""
    endless = replace(room, total=ENDLESS, block=ENDLESS, span=ENDLESS, blocks=ENDLESS)
    return fitted(document, room) == fitted(document, endless)


def batch_document(batch: BatchCard, *, answering: bool = True) -> Document:
    """Give a batch as a document; with ``answering`` it ends with the commands that answer it."""
    first = batch.cards[0].proposal
    count = counted(len(batch.cards), "proposal", "proposals")
    most = line(" (at most ", number(batch.most), ")")
    lead = line(count, " of one kind, ", Name(batch.shown.batch.kind), *most, " · ", Name(first.tool))
    return Document(
        title=Words("To be answered together"), lead=lead, blocks=tuple(_blocks(batch, answering=answering))
    )


def refuse_batch_document(count: int) -> Document:
    """Ask why the proposals of a batch are refused."""
    return Document(
        title=Words("Refuse all of these"),
        lead=line(counted(count, "proposal", "proposals")),
        blocks=(
            Input(REASON, Words("Why?"), Words("Whoever asked for them reads this."), longest=1000),
            Paragraph(line("They are over with this; they can be proposed again.")),
        ),
    )


def _blocks(batch: BatchCard, *, answering: bool) -> Iterator[Block]:
    for number_, card in enumerate(batch.cards, 1):
        yield from _card(card, number_)
    yield Field("policy", (line(*needed(batch.cards[0].decision)),))
    yield Field("expires", (line(Name(moment(min(card.record.expires_us for card in batch.cards)))),))
    yield Field("batch", (line(Name(batch.shown.digest)),))
    if answering:
        yield Field("approve", (line(_command("twokey approvals approve", batch)),))
        yield Field("refuse", (line(_command("twokey approvals refuse", batch), Words(' --reason "..."', "code")),))


def _card(card: Card, at: int) -> Iterator[Block]:
    proposal = card.proposal
    about = line(number(at), ". ", Name(card.record.id), " → ", named(proposal.target.id, 120))
    yield Field("card", (about, line("asked by ", Name(proposal.requester), ", run ", Name(card.record.run))))
    yield Passage("why", proposal.why, spare=False)
    said = tuple(_attention(card))
    if said:
        yield Field("attention", said)
    yield Passage("text", proposal.preview.rstrip("\n"), spare=False)
    for reason in asks_twice(card):
        yield Field("NOTE", (line(*reason),), alarm=True)


def _attention(card: Card) -> Iterator[Line]:
    for finding in [finding for finding in card.proposal.findings if finding.attention][:_ATTENTION]:
        yield line("! ", Foreign(finding.claim, 300))


def _command(text: LiteralString, batch: BatchCard) -> Words:
    ids: list[LiteralString | Name] = []
    for item in batch.shown.batch.items:
        ids.append(" ")
        ids.append(Name(item.proposal))
    return command(text, *ids, " --batch ", Name(batch.shown.digest))
