"""Turns of phrase that people use when they report a fault, wish for something, or ask.

Rules: the lists are our own knowledge of how tickets are written, and hold nothing of any one project. A cue is up to
four words long and counts where it stands as whole words. It is one more sign beside what a team's own tickets teach;
a ticket that is full of cues is told nothing by them alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

Leaning = Literal["bug", "feature", "question"]
LEANINGS: Final[tuple[Leaning, ...]] = ("bug", "feature", "question")

_LISTS: Final[Mapping[Leaning, str]] = {
    "bug": """bug|crash|crashes|crashed|fail|fails|failed|failure|failing|error|errors|broken|break|breaks|regression
        |incorrect|incorrectly|wrong|unexpected|doesn't work|does not work|not working|no longer|stopped working|hang
        |hangs|freeze|freezes|segfault|leak|leaks|exception|traceback|invalid|undefined|inconsistent|missing|missed
        |actual behavior|actual behaviour|actual result|expected behavior|expected behaviour|expected result
        |steps to reproduce|repro|reproduce|reproducible|race|overflow|corrupt|null|assertion|flaky|intermittent
        |instead of|should not|shouldn't|even though|cannot|can't|unable""",
    "feature": """add|support for|support|allow|option to|ability to|feature|feature request|enhancement|proposal
        |propose|suggest|suggestion|would be nice|would be great|would be useful|would be helpful|it would|would like
        |i'd like|i would like|it'd be|implement|introduce|provide|enable|improve|improvement|consider|extend|expose
        |make it possible|configurable|customize|new|use case|motivation|alternatives|describe the solution|so that|wish
        |should be able|could we|nice to have|rfc|instead of having to|currently there is no|there is no way""",
    "question": """how|how to|how do|how can|how do i|what is|what are|why|why does|why is|is there|is it|is this|can i
        |can we|could someone|can someone|does anyone|anyone|help|need help|question|questions|i want to|i need to
        |trying to|i am trying|i'm trying|not sure|wondering|confused|understand|clarify|clarification|explain|best way
        |recommended|correct way|stackoverflow|stack overflow|please help|any idea|advice|beginner|new to|tutorial|am i
        |should i|where|which|install|installation|build from source""",
}
LONGEST: Final = 4


def _compiled() -> dict[str, tuple[Leaning, ...]]:
    found: dict[str, tuple[Leaning, ...]] = {}
    for leaning in LEANINGS:
        for cue in _LISTS[leaning].split("|"):
            name = " ".join(cue.split())
            found[name] = (*found.get(name, ()), leaning)
    return found


CUES: Final[Mapping[str, tuple[Leaning, ...]]] = _compiled()
"""What each cue leans to."""


def cues(tokens: Sequence[str]) -> Iterator[str]:
    """Give the cues in a text by its words, each as often as it stands there."""
    for start in range(len(tokens)):
        for length in range(1, LONGEST + 1):
            cue = " ".join(tokens[start : start + length])
            if cue in CUES and start + length <= len(tokens):
                yield cue
