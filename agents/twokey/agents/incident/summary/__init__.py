"""The summary of an incident: written by templates over what was read, and every sentence of it checked again."""

from dataclasses import dataclass

from twokey.agents.incident.house import House
from twokey.agents.incident.material import Material
from twokey.agents.incident.summary.checking import Checker
from twokey.agents.incident.summary.deriving import derived
from twokey.agents.incident.summary.linking import links
from twokey.agents.incident.summary.said import Said
from twokey.agents.incident.summary.story import Story, tell
from twokey.agents.incident.summary.writing import write
from twokey.agents.incident.suspicion import Suspicion, suspected

__all__ = ["Said", "Summary", "checker_of", "summarize"]


@dataclass(frozen=True)
class Summary:
    """The sentences that stand, those that did not with the code of what was wrong, and what they were made from."""

    story: Story
    said: tuple[Said, ...]
    dropped: tuple[tuple[Said, str], ...]
    checker: Checker

    @property
    def suspicion(self) -> Suspicion:
        """What the ranking came to."""
        return self.story.suspicion


def summarize(material: Material, house: House) -> Summary:
    """Write the summary of one incident; a sentence that its evidence does not bear out is not in it."""
    story = tell(material, suspected(material), house.owner, house.deployed)
    checker = checker_of(story, house)
    said: list[Said] = []
    dropped: list[tuple[Said, str]] = []
    for one in (*write(story), *links(material)):
        fault = checker.fault(one.kind, one.text, one.evidence)
        if fault is None:
            said.append(one)
        else:
            dropped.append((one, fault))
    return Summary(story, tuple(said), tuple(dropped), checker)


def checker_of(story: Story, house: House) -> Checker:
    """Give what checks sentences about this incident."""
    every = dict(story.material.contents)
    for contents in story.material.earlier.values():
        every |= contents
    return Checker(every, story.suspicion.cause, house.owners(), derived(story))
