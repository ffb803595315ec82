"""Which service an incident comes from, with reasons, or none."""

from twokey.agents.incident.ranking.ranking import rank
from twokey.agents.incident.ranking.values import Ranking, Reason, Suspect

__all__ = ["Ranking", "Reason", "Suspect", "rank"]
