"""The words in which a ticket is judged.

Rules
- Values are frozen and hold canonical JSON only. A confidence is a whole number of permille: how often, in 1,000 cases
  judged alike, the judgement is expected to be right.
- A reason is a sentence of Twokey's own. Words of the ticket occur in it as short quotes in which nothing is left that
  a renderer, a shell or a model could act on, and no secret (``quoting.quoted``).
- ``None`` is an answer: the ticket does not say, or the reader is not sure enough. Nothing is guessed to fill a field.
- Text of a ticket is untrusted. Nothing that a ticket says about itself ("priority: urgent", "not a security issue") is
  more than one more sign.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Protocol

from pydantic import Field

from twokey.core.values import Instant, Value

Permille = Annotated[int, Field(ge=0, le=1_000)]
"""A share in thousandths."""
Priority = Literal["urgent", "high", "normal", "low"]
PRIORITIES: Final[tuple[Priority, ...]] = ("urgent", "high", "normal", "low")
"""Most pressing first."""
MissingCode = Literal[
    "description", "steps", "expected", "actual", "version", "environment", "logs", "need", "impact", "scope",
    "approver",
]  # fmt: skip
"""What a ticket can lack."""


class TicketText(Value):
    """What is judged: the outside text of one ticket. ``project`` names where it was filed (may be empty)."""

    title: str
    body: str = ""
    project: str = ""


class Past(Value):
    """A ticket of the past with the labels it carries, to learn from."""

    text: TicketText
    labels: tuple[str, ...]


class Judgement(Value):
    """One answer, how sure it is, and why. ``value`` is a label of the team, a priority or a code of Twokey's own."""

    value: str
    confidence_permille: Permille
    reasons: tuple[str, ...] = ()


class MissingItem(Value):
    """Something a person would have to ask for, with the sentence that asks."""

    code: MissingCode
    ask: str


class Understanding(Value):
    """What one ticket was understood to be."""

    kind: Judgement | None
    """None where the reader abstains; ``kinds`` still tells what it would have said."""
    kinds: tuple[Judgement, ...]
    """All kinds the reader knows, the likeliest first; empty where there was nothing to read."""
    priority: Judgement | None
    """One of ``PRIORITIES``; None where the ticket gives no sign."""
    area: Judgement | None
    """A label of the team that is no kind, or a part of the product that the text names."""
    missing: tuple[MissingItem, ...] = ()
    security: Judgement | None = None
    """Value ``security``: this may report a weakness. It is routed in private and never commented on in public."""
    spam: Judgement | None = None
    """Value ``spam``: this advertises, or is noise."""
    language: str = "und"
    """ISO 639-1 code of the language the text is in; ``und`` where it cannot be told, ``mul`` for a mixture."""


class Outcome(Value):
    """What a person made of a judgement: it was approved as it was, edited to another value, or refused."""

    value: str
    confidence_permille: Permille
    right: bool
    """Approved as proposed. An edit of the judged value and a refusal on its account are not."""
    at: Instant


class Reader(Protocol):
    """Judges tickets. The same reader gives the same ticket the same answer, whatever stands beside it."""

    def understand(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        """Judge tickets, in their order; every text is accepted, whatever its size, bytes or language."""
        ...
