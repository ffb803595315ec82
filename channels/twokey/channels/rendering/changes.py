"""Documents about one change: its pages in a dialog, the question why it is refused, the text of a pull request.

Rules: the pages of a change hold all of it, in order, with nothing cut away; the text of a pull request is a function
of what is handed in and nothing else, so that it can be part of what is hashed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.channels import plain
from twokey.channels.rendering.buttons import Pressed
from twokey.channels.rendering.cards import change_size, finding_lines
from twokey.channels.rendering.fitting import cut, escaped_length
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Button,
    Context,
    Document,
    Field,
    Input,
    Line,
    Link,
    Name,
    Paragraph,
    Passage,
    Words,
    line,
    number,
)
from twokey.core.errors import BadInput
from twokey.core.values import EvidenceRef, Finding
from twokey.store.proposals import ProposalRecord

REASON: Final = "reason"
"""Name of the question in the dialog that refuses."""
_PIECE: Final = 2400
_PIECES: Final = 3
_PAGE: Final = re.compile(r"(.*)\.([1-9][0-9]{0,4})")
EVIDENCE_NAMED: Final = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a change, as a button names it. Pages are numbered from 1."""

    pressed: Pressed
    number: int

    @classmethod
    def parse(cls, value: str) -> "Page":
        """Read what a button carries; raises ``BadInput`` where it is none of ours."""
        found = _PAGE.fullmatch(value)
        if found is None:
            raise BadInput(
                "That button is none of ours, or was changed on its way.",
                next="Open the card again and answer there.",
                code="button_value",
            )
        return cls(Pressed.parse(found[1]), int(found[2]))

    @property
    def value(self) -> str:
        """What the button carries."""
        return f"{self.pressed.value}.{self.number}"


@dataclass(frozen=True, slots=True)
class PullRequestText:
    """What a pull request says about itself."""

    requester: str
    run: str
    text: str
    """What the agent wrote."""
    rollback: str
    evidence: tuple[EvidenceRef, ...] = ()
    findings: tuple[Finding, ...] = ()
    proposal: str | None = None
    links: tuple[Link, ...] = ()


def pages(preview: str) -> list[tuple[str, ...]]:
    """Give a change in pages of pieces that fit a dialog; put together they are the whole of it, made harmless."""
    pieces = list(_pieces(plain.block(preview).rstrip("\n")))
    return [tuple(pieces[at : at + _PIECES]) for at in range(0, len(pieces), _PIECES)] or [()]


def diff_document(record: ProposalRecord, page: int = 1) -> Document:
    """Give one page of what a write will do; a number beyond the last page gives the last."""
    found = pages(record.proposal.preview)
    page = min(max(page, 1), len(found))
    pressed = Pressed.of(record)
    parts = [Passage("goes on" if at else "diff", part, "diff", spare=False) for at, part in enumerate(found[page - 1])]
    turns: list[Button] = []
    if page > 1:
        turns.append(Button("twokey.page.back", Words("Back"), Page(pressed, page - 1).value))
    if page < len(found):
        turns.append(Button("twokey.page.on", Words("Next page"), Page(pressed, page + 1).value))
    blocks: list[Block] = [
        Field("files", (change_size(record.proposal),)),
        Field("digest", (line(Name(record.digest)),)),
        *parts,
        Context(line("page ", number(page), " of ", number(len(found)))),
    ]
    if turns:
        blocks.append(Actions(f"pages-{record.id}", tuple(turns)))
    return Document(title=Words("What will be written"), subject=Name(record.id), blocks=tuple(blocks))


def refuse_document(record: ProposalRecord) -> Document:
    """Ask why a proposal is refused."""
    return Document(
        title=Words("Refuse"),
        subject=Name(record.id),
        lead=line(Name(record.proposal.tool), ", asked by ", Name(record.proposal.requester)),
        blocks=(
            Input(REASON, Words("Why?"), Words("Whoever asked for it reads this."), longest=1000),
            Paragraph(line("It is over with this; it can be proposed again.")),
        ),
    )


def pull_request_document(said: PullRequestText) -> Document:
    """Give the text of a pull request."""
    return Document(
        title=Words("Proposed by Twokey"),
        subject=None if said.proposal is None else Name(said.proposal),
        lead=line("asked by ", Name(said.requester), ", run ", Name(said.run)),
        blocks=tuple(_pull_request(said)),
    )


def _pull_request(said: PullRequestText) -> Iterator[Block]:
    if said.text:
        yield Passage("text", said.text, spare=False)
    if said.findings:
        yield Field("findings", tuple(finding_lines(said.findings)), spare=True)
    yield Field("evidence", tuple(_cited(said.evidence)) or (line("none"),), spare=True)
    yield Passage("rollback", said.rollback, spare=False)
    if said.links:
        yield Field("links", tuple(line(link) for link in said.links))
    yield Context(line("A merge is up to the people who own the branch. Comments are requests, never approvals."))


def _cited(evidence: Sequence[EvidenceRef]) -> Iterator[Line]:
    for item in evidence[:EVIDENCE_NAMED]:
        yield line(Name(item.id), " (sha256 ", Name(item.sha256), ")")
    if len(evidence) > EVIDENCE_NAMED:
        yield line("… ", number(len(evidence) - EVIDENCE_NAMED), " more")


def _pieces(shown: str) -> Iterator[str]:
    """Cut harmless text into pieces at line ends, and inside a line only where that is too long by itself."""
    piece = ""
    for text in shown.splitlines(keepends=True):
        rest = text
        if piece and escaped_length(piece + rest) > _PIECE:
            yield piece
            piece = ""
        while escaped_length(rest) > _PIECE:
            head = cut(rest, _PIECE, escaped_length, mark="")
            yield head
            rest = rest[len(head) :]
        piece += rest
    if piece:
        yield piece
