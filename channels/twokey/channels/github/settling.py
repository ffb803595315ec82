"""A delivery as the channel's handler gets it, and how it is settled."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from twokey.tools.ledger import Unit


class Inbound(Protocol):
    """One stored delivery."""

    @property
    def id(self) -> str:
        """Its id, ``i-...``."""
        ...

    @property
    def kind(self) -> str:
        """The name of the event, by the word of a header."""
        ...

    @property
    def body(self) -> bytes:
        """Its bytes as they came."""
        ...


Settle: TypeAlias = Callable[[Unit, Any, str], bool]
"""Says in an open transaction that a delivery is handled; tells whether it was not handled before."""
