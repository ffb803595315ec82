"""Several cards that were shown together and are answered with one gesture.

Rules: a batch names each proposal with the digests of it and of its decision, in the order in which they were shown,
and whom it was shown to; its digest covers all of that, so a list with one proposal swapped, added or left out is
another batch. A batch approves nothing: each of its proposals gets an answer of its own.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from twokey.core import canonical
from twokey.core.values import MOST_TOGETHER, Code, Digest, PrincipalName, ProposalId, Value, WorkspaceId

FEWEST: Final = 2
"""One card is no batch."""


class BatchItem(Value):
    """One card as it was shown."""

    proposal: ProposalId
    digest: Digest
    decision: Digest
    """Digest of the decision that it stood under."""


class Batch(Value):
    """The cards that somebody was shown together."""

    type: Literal["twokey/batch/v1"] = "twokey/batch/v1"
    workspace: WorkspaceId
    kind: Code
    """What kind of batch policy says that each of them may be answered in."""
    viewer: PrincipalName | None
    """Whom it was shown to; nobody in particular where it stood before everybody at a place."""
    items: Annotated[tuple[BatchItem, ...], Field(min_length=FEWEST, max_length=MOST_TOGETHER)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({item.proposal for item in self.items}) != len(self.items):
            raise ValueError("a batch names each proposal once")
        return self

    def digest(self) -> str:
        """SHA-256 of the canonical bytes of all fields."""
        return canonical.digest(self.canonical())

    def item(self, proposal: str) -> BatchItem | None:
        """Give what was shown of a proposal; none where it was not among them."""
        return next((item for item in self.items if item.proposal == proposal), None)
