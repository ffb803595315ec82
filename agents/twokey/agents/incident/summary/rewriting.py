"""Lets a model rewrite the sentences, and keeps of what it wrote only what says the same.

Rules:
- a model gets our own sentences and nothing else; what it gives is text for people to read, never what is written to a
  ticket or a repository;
- a rewritten sentence has the same quotes, times, numbers and names, and between them the same words that it turns on
  (``PIVOTS``: before, after, from, to, not ...), each as often and in the same order, and cites the same evidence;
- every other word in it is a word of the sentence that it stands for, or one of a short list of words that say nothing
  by themselves (``LIGHT``);
- it passes the same check against the evidence as every sentence;
- one that breaks any of these is dropped, and the sentence that code wrote stays in its place.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from twokey.agents.incident.summary.checking import Checker, facts_of
from twokey.agents.incident.summary.said import Said
from twokey.agents.incident.summary.templates import LIGHT, PIVOTS, WORD
from twokey.agents.models.port import Models
from twokey.core.errors import EnvironmentFault
from twokey.tools.desk import Desk

MOST: Final = 40
"""Sentences that one question holds."""
_INSTRUCTIONS: Final = (
    "You are given sentences of an incident report, each with a number. Rewrite each so that the report reads well."
    " Keep every name, number, time and quotation exactly as it is, and in its order. Add no fact, no name, no number"
    " and no reason. Give each sentence back under its number; leave out those that are well as they are."
)


class Rewritten(BaseModel):
    """One sentence as a model would say it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    text: str = Field(max_length=1_000)


class Rewriting(BaseModel):
    """What a model may answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sentences: list[Rewritten] = Field(max_length=MOST)


@dataclass(frozen=True, slots=True)
class Prose:
    """Sentences by the words that code gave them; ``dropped`` counts those that did not say the same."""

    texts: Mapping[str, str]
    dropped: int


def rewritten(said: Sequence[Said], checker: Checker, models: Models, desk: Desk, step: int) -> Prose:
    """Ask the small model to rewrite sentences; gives nothing where there is none, or where it declines.

    Raises:
        LogUnavailable: the call could not be recorded.

    """
    texts: dict[str, str] = {}
    dropped = 0
    told = [one for one in said if one.section not in {"timeline", "links"}]
    for start in range(0, len(told) if models.configured("small") else 0, MOST):
        part = told[start : start + MOST]
        material = json.dumps([{"number": at, "text": one.text} for at, one in enumerate(part)], ensure_ascii=False)
        try:
            answer = models.ask(
                desk, step=step, tier="small", instructions=_INSTRUCTIONS, material=material, answer=Rewriting
            )
        except EnvironmentFault:
            break
        for one in answer.sentences if answer else ():
            if not 0 <= one.number < len(part) or one.text == part[one.number].text:
                continue
            if says_the_same(part[one.number], one.text, checker):
                texts[part[one.number].text] = one.text
            else:
                dropped += 1
    return Prose(texts, dropped)


def says_the_same(said: Said, text: str, checker: Checker) -> bool:
    """Tell whether a text may stand in the place of a sentence."""
    names = checker.names_of(said.evidence)
    mine, theirs = facts_of(said.text, names, PIVOTS), facts_of(text, names, PIVOTS)
    if (
        mine.facts != theirs.facts
        or not _words(theirs.rest) <= {*_words(mine.rest), *LIGHT}
        or not _is_plain(theirs.rest)
    ):
        return False
    return checker.fault(said.kind, text, said.evidence, light=True) is None


def _words(text: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(text)}


def _is_plain(text: str) -> bool:
    """Tell whether nothing but words and the marks of a sentence is left."""
    return not set(WORD.sub(" ", text)) - set(" .,;:()-'")


def as_document(prose: Prose) -> Any:
    """Give prose as a run keeps it: pairs of what code wrote and what stands in its place."""
    return {"texts": [[before, after] for before, after in prose.texts.items()], "dropped": prose.dropped}
