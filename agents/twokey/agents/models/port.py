"""What agents may ask of a model, whichever it is.

Rules: an answer is a value of the schema that was asked for, or there is none; a model never names a tool, a host or a
recipient; every call is recorded by the desk; a tier that is not configured says so instead of guessing.
"""

from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel

from twokey.tools.desk import Desk

Answer = TypeVar("Answer", bound=BaseModel)
Tier = Literal["small", "large"]


class Models(Protocol):
    """The models this workspace has."""

    def configured(self, tier: Tier) -> bool:
        """Tell whether there is a model of this tier."""
        ...

    def ask(  # the parts of one question
        self, desk: Desk, *, step: int, tier: Tier, instructions: str, material: str, answer: type[Answer]
    ) -> Answer | None:
        """Ask for a value of type ``answer``.

        ``instructions`` is our own text; ``material`` is untrusted and is sent as data. Gives None where the model
        declined, broke the schema or the budget is spent; raises ``EnvironmentFault`` where it cannot be reached.
        """
        ...
