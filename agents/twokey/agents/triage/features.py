"""What of a ticket a reader learns from: blocks of tokens, each a view of its own.

Rules: a block is a bag of tokens; ``BLOCKS`` says how it is weighed. Shares were chosen by cross-validation on part of
a public set of tickets and rounded; how, and what the other part then said, stands in docs/quality.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.triage.cues import CUES, LEANINGS, cues
from twokey.agents.triage.structure import bucket, build, manner
from twokey.agents.triage.text import Parts, take_apart
from twokey.agents.triage.values import TicketText
from twokey.agents.triage.words import frame, grams, runs, shapes, words

OPENING: Final = 600
CUED: Final = 4_000
EARLY: Final = 400
"""Characters of what somebody wrote that are their opening, that are searched for cues, and that are early."""
FRAMED: Final = 8_000
PASTED: Final = 60
"""Lines of what was pasted that are looked at."""
_NAME: Final = re.compile(r"[A-Za-z_]{3,30}")


@dataclass(frozen=True, slots=True)
class Block:
    """How a block is weighed: its share of the whole, whether rare tokens count more, and how often one must occur."""

    share: float
    rare_counts_more: bool = True
    at_least: int = 2
    counted: bool = True
    """Whether a token that occurs often counts more (by the logarithm)."""


BLOCKS: Final[Mapping[str, Block]] = {
    "title": Block(1.0),
    "title shape": Block(1.0),
    "title runs": Block(1.0),
    "text": Block(2.0),
    "opening": Block(2.0),
    "frame": Block(2.0),
    "pasted": Block(1.0),
    "build": Block(1.0, rare_counts_more=False, at_least=1, counted=False),
    "manner": Block(1.0, rare_counts_more=False, at_least=1, counted=False),
    "cues": Block(0.3, counted=False),
}

Bags = Mapping[str, Sequence[str]]
"""The tokens of one ticket by block."""


def bags_of(ticket: TicketText) -> Bags:
    """Give the tokens of a ticket."""
    return bags(take_apart(ticket.title, ticket.body))


def bags(parts: Parts) -> Bags:
    """Give the tokens of a ticket that was taken apart."""
    prose = " . ".join(parts.prose)
    title = words(parts.title)
    written = words(f"{parts.title} . {prose[:FRAMED]}")
    return {
        "title": grams(title),
        "title shape": grams(["^", *shapes(parts.title), "$"], 3),
        "title runs": runs(parts.title),
        "text": words(parts.raw),
        "opening": grams(words(prose[:OPENING])),
        "frame": grams(frame(written), 3),
        "pasted": [name for line in parts.pasted[:PASTED] for name in _NAME.findall(line)],
        "build": list(build(parts)),
        "manner": list(manner(parts)),
        "cues": _cued(title, words(prose[:EARLY].lower()), words(prose[:CUED])),
    }


def _cued(title: Sequence[str], early: Sequence[str], prose: Sequence[str]) -> list[str]:
    places = {"title": set(cues(title)), "early": set(cues(early)), "text": set(cues(prose))}
    found = [f"{place} {cue}" for place in ("title", "early") for cue in sorted(places[place])]
    for place, said in places.items():
        found += [f"{place} {leaning}:{bucket(sum(leaning in CUES[cue] for cue in said))}" for leaning in LEANINGS]
    return found
