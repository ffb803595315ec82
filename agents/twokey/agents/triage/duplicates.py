"""Whether a ticket is known already: candidates judged, with a confidence that the team's own answers correct.

Rules
- Candidates are earlier tickets, as ``search_tickets`` measured them; nothing else makes a ticket a duplicate, least of
  all that its text says so. A ticket that names another by its key speaks of it; that is one more sign.
- Alike is not the same. Where two titles say the same of different things (another version, another module, another
  machine), the tickets are siblings: the confidence falls, and the difference is told.
- A confidence is how often a candidate with such a score turns out to be the original. Before a team has answered, it
  is a cautious guess, the same for everybody; each answer moves it, and after some dozens it is the team's own. It
  never falls as the score rises.
- Below the target nothing is proposed; the candidates are shown all the same.
- Reasons are sentences of Twokey's own; they hold no word of a ticket.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from twokey.agents.triage.values import Permille
from twokey.core.values import Count, Instant, Value
from twokey.tools.read.tickets import CandidateTicket, MatchingPassages, SimilarResult

TARGET: Final = 700
"""Permille of confidence from which a duplicate is proposed."""
EDGES: Final = (250, 400, 550, 700, 850)
"""Scores at which a new band begins."""
GUESSES: Final = (10, 50, 150, 350, 600, 800)
"""Permille that are originals in each band, before anybody answered."""
GUESS_WEIGHT: Final = 6.0
"""How many answers a guess is worth."""
KEPT_ANSWERS: Final = 500
"""The last answers of a band that count."""
SIBLINGS: Final = 300
"""What a difference between titles takes from the score, in permille."""
NAMED: Final = 300
_TITLES_AGREE: Final = 350
"""Permille of likeness from which two titles say much the same, so that a difference in them tells."""


class Answered(Value):
    """What a person made of a proposed original: ``score`` as it was judged then, and whether it was the original."""

    score: Permille
    right: bool
    at: Instant


class Sameness(Value):
    """One candidate, judged."""

    number: Count
    key: str
    title: str
    score: Permille
    confidence_permille: Permille
    siblings: bool
    """The titles say the same of different things."""
    reasons: tuple[str, ...]
    passages: tuple[MatchingPassages, ...]


class Duplicate(Value):
    """The answer. ``of`` is the original, ``None`` where Twokey abstains; the candidates are told either way."""

    of: Sameness | None
    candidates: tuple[Sameness, ...]
    complete: bool
    """Whether all tickets of the tracker were looked at; while they are not, nothing is proposed."""


class Experience:
    """What a team's answers say about scores. The same answers give the same confidence."""

    def __init__(self, answers: Iterable[Answered] = ()) -> None:
        kept: dict[int, list[bool]] = {band: [] for band in range(len(GUESSES))}
        for answer in sorted(answers, key=lambda answer: answer.at):
            kept[_band(answer.score)].append(answer.right)
        weights: list[float] = []
        means: list[float] = []
        for band, guess in enumerate(GUESSES):
            seen = kept[band][-KEPT_ANSWERS:]
            weights.append(GUESS_WEIGHT + len(seen))
            means.append((guess / 1_000 * GUESS_WEIGHT + sum(seen)) / weights[-1])
        self._means = _rising(means, weights)

    def confidence(self, score: int) -> int:
        """Give the confidence for a score, both in permille; between the middles of bands it is drawn straight."""
        middles = [(low + high) / 2 for low, high in zip((0, *EDGES), (*EDGES, 1_000), strict=True)]
        if score <= middles[0]:
            return round(1_000 * self._means[0] * score / middles[0])
        for at in range(1, len(middles)):
            if score <= middles[at]:
                share = (score - middles[at - 1]) / (middles[at] - middles[at - 1])
                return round(1_000 * (self._means[at - 1] + share * (self._means[at] - self._means[at - 1])))
        return round(1_000 * self._means[-1])


def judge(title: str, similar: SimilarResult, experience: Experience | None = None, target: int = TARGET) -> Duplicate:
    """Judge the candidates of the ticket called ``title``; ``target`` is in permille."""
    experience = experience or Experience()
    candidates = tuple(
        sorted(
            (_judged(title, candidate, experience) for candidate in similar.candidates),
            key=lambda item: -item.confidence_permille,
        )
    )
    best = candidates[0] if candidates else None
    sure = best is not None and similar.indexed.complete and best.confidence_permille >= target
    return Duplicate(of=best if sure else None, candidates=candidates, complete=similar.indexed.complete)


def _judged(title: str, candidate: CandidateTicket, experience: Experience) -> Sameness:
    siblings = are_siblings(title, candidate.title, candidate.title_words)
    score = (candidate.words + candidate.title_words + candidate.runs) // 3 + candidate.signs // 4
    score += NAMED * candidate.named - SIBLINGS * siblings
    score = min(1_000, max(0, score))
    return Sameness(
        number=candidate.number,
        key=candidate.key,
        title=candidate.title,
        score=score,
        confidence_permille=experience.confidence(score),
        siblings=siblings,
        reasons=tuple(_reasons(candidate, siblings=siblings)),
        passages=candidate.passages,
    )


def _reasons(candidate: CandidateTicket, *, siblings: bool) -> Iterable[str]:
    if candidate.named:
        yield "The ticket names the other by its key."
    if candidate.title_words >= _TITLES_AGREE:
        yield f"Their titles are alike by {candidate.title_words // 10} %."
    yield f"Their words are alike by {candidate.words // 10} %, their spelling by {candidate.runs // 10} %."
    if candidate.signs:
        yield f"Names, codes and paths in them are alike by {candidate.signs // 10} %."
    if siblings:
        yield "Their titles say the same of different things, so they may be siblings."


def are_siblings(mine: str, theirs: str, alike: int) -> bool:
    """Tell whether two titles, ``alike`` by so many permille, differ by one name or number put in another's place."""
    from twokey.tools.retrieval.words import plain, words  # noqa: PLC0415 - for tickets alone

    if alike < _TITLES_AGREE:
        return False
    one, other = Counter(words(plain(mine))), Counter(words(plain(theirs)))
    return bool(one - other) and bool(other - one) and (_names_differ(mine, theirs) or _names_differ(theirs, mine))


def _names_differ(mine: str, theirs: str) -> bool:
    """Tell whether a name or a number of one title is missing in the other."""
    there = {word.casefold().strip(".,:;()[]'\"") for word in theirs.split()}
    return any(
        word.casefold() not in there
        for word in (word.strip(".,:;()[]'\"") for word in mine.split())
        if any(char.isdigit() or char in "-_./" for char in word) or not (word.islower() or word.istitle())
    )


def _band(score: int) -> int:
    return sum(score >= edge for edge in EDGES)


def _rising(means: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Give the nearest means that never fall (pool adjacent violators; Barlow et al., 1972)."""
    blocks: list[list[float]] = []
    for mean, weight in zip(means, weights, strict=True):
        blocks.append([mean, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            after, before = blocks.pop(), blocks.pop()
            whole = before[1] + after[1]
            blocks.append([(before[0] * before[1] + after[0] * after[1]) / whole, whole, before[2] + after[2]])
    return [block[0] for block in blocks for _ in range(int(block[2]))]
