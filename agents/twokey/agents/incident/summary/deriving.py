"""Numbers that code works out from samples, and that a check therefore works out again."""

from collections.abc import Mapping

from twokey.agents.incident import impact
from twokey.agents.incident.shown import number
from twokey.agents.incident.summary.story import Story


def derived(story: Story) -> Mapping[str, frozenset[str]]:
    """Give the numbers that sentences of a kind may hold beside those of the evidence."""
    onset, back = story.onset, story.recovery
    end_us = back.at_us if back else story.material.about.window.end_us
    found = impact.failed_requests(story.material, onset.at_us, end_us) if onset else None
    return {"impact_requests": frozenset({number(found.count)})} if found else {}
