"""What a button carries: which proposal, and which digests the card was rendered for.

Rules: a value is opaque and no authority: the server looks up what it names and checks it again. It holds no content,
is the same for everybody, and what does not have exactly this form is refused.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from twokey.core.errors import BadInput
from twokey.core.values import ID_ALPHABET
from twokey.store.proposals import ProposalRecord

SHORT: Final = 32
"""Hexadecimal digits of a digest: 128 bits."""
_VALUE: Final = re.compile(rf"(p-[{ID_ALPHABET}]{{12}})\.([0-9a-f]{{{SHORT}}})\.([0-9a-f]{{{SHORT}}})")


@dataclass(frozen=True, slots=True)
class Pressed:
    """What somebody saw when they pressed a button."""

    proposal: str
    digest: str
    """Beginning of the proposal's digest."""
    decision: str
    """Beginning of the decision's digest."""

    @classmethod
    def of(cls, record: ProposalRecord) -> Self:
        """Give what a card of ``record`` carries."""
        return cls(record.id, record.digest[:SHORT], record.decision_digest[:SHORT])

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a value.

        Raises:
            BadInput: it is no value of ours (code ``button_value``).

        """
        found = _VALUE.fullmatch(value)
        if found is None:
            raise BadInput(
                "That button is none of ours, or was changed on its way.",
                next="Open the card again and answer there.",
                code="button_value",
            )
        return cls(*found.groups())

    @property
    def value(self) -> str:
        """What the button carries."""
        return f"{self.proposal}.{self.digest}.{self.decision}"

    def still(self, record: ProposalRecord) -> bool:
        """Tell whether what was pressed is what stands there now."""
        return self == Pressed.of(record)
