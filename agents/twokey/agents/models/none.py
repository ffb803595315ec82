"""The tier of a workspace that has no model.

Rule: it never guesses. Agents ask ``configured`` first and use the built-in statistics where there is no model.
"""

from typing import Never

from pydantic import BaseModel

from twokey.agents.models.port import Tier
from twokey.core.errors import EnvironmentFault
from twokey.tools.desk import Desk


class NoModels:
    """No model at all."""

    def configured(self, tier: Tier) -> bool:
        """There is no model of any tier."""
        del tier
        return False

    def ask(
        self, desk: Desk, *, step: int, tier: Tier, instructions: str, material: str, answer: type[BaseModel]
    ) -> Never:
        """Raise ``EnvironmentFault``: there is nobody to ask."""
        del desk, step, tier, instructions, material, answer
        raise EnvironmentFault(
            "No model is configured in this workspace.",
            next="Set model.base_url and model.name in twokey.toml, or use what works without a model.",
            code="model_missing",
        )
