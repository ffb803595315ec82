"""Whether a claim is borne out by the evidence it cites.

Rules: a finding cites evidence of this run; its subject is named there, and the claim speaks of it; every number in the
claim stands there beside the subject, or follows from numbers that do by one step that a person can redo (the sum of
the counts of texts the claim quotes, a rounded percentage); every quoted text and every name in code spelling stands
in the evidence. What cannot be checked this way is not supported. The reason is a code; no text of a claim is repeated.
"""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from itertools import combinations
from typing import Final, TypeAlias

from twokey.agents.reviewer.scopes import NUMBER, Content, Place, Scope, Words, plain_number, words
from twokey.core.values import Finding

Scopes: TypeAlias = MutableMapping[tuple[str, tuple[str, ...]], Scope | None]
"""What a subject with the ids of its evidence is spoken of in, as far as that was worked out already."""

PLACES: Final = frozenset({"warehouse", "repository"})
"""Subjects that mean a whole place; for them all of the cited evidence is looked at."""
OWN_WORDS: Final = frozenset({"not_null", "accepted_values", "data_type", "data_tests"})
"""Names in code spelling that are our words and not the evidence's."""

_QUOTED: Final = re.compile(r"“([^”]*)”|\"([^\"]*)\"|`([^`]*)`|(?<!\w)'([^']*)'(?!\w)")
_STANDARD: Final = re.compile(r"\bISO (?:3166-1|4217|8601|639-1)\b|\bfrom 0 to 1\b")
"""Numbers that are part of a name in our own wording."""
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent\b|per cent\b)")
_CODE: Final = re.compile(r"((?<![\w.])(?:(?=[\w.]*[^\W\d_])\w+(?:\.\w+)+|\w*[^\W_]_\w+)…?)")
"""Names in code spelling, as one group: splitting at them gives them, too."""
_IN_WORDS: Final = re.compile(r"\b(?:hundreds?|thousands?|millions?|billions?|dozens?)\b", re.IGNORECASE)
_COUNTED_APART: Final = frozenset({"impossible_dates"})
"""Kinds of findings that say how many more one count is than another."""
_CUT_AFTER: Final = 3
_MOST_TALLIES: Final = 12
_MOST_PAIRS: Final = 400


def fault(finding: Finding, contents: Mapping[str, Content], scopes: Scopes | None = None) -> str | None:
    """Give the code of the first thing that is wrong with a finding; None where it is supported.

    ``contents`` holds the evidence of this run by id; ``scopes`` what was worked out of it for other findings.
    Codes: ``no_evidence``, ``unknown_evidence``, ``unknown_subject``, ``unsupported_name``, ``unsupported_number``.
    """
    if not finding.evidence:
        return "no_evidence"
    if not all(cited in contents for cited in finding.evidence):
        return "unknown_evidence"
    cited = [contents[each] for each in finding.evidence]
    found = _scope(finding, cited, scopes)
    if found is None:
        return "unknown_subject"
    if not _speaks_of(finding.claim, finding.subject, cited):
        return "unsupported_name"
    quoted = [next(group for group in match if group is not None) for match in _groups(finding.claim)]
    if not all(_is_said(text, cited) for text in quoted):
        return "unsupported_name"
    pieces = _CODE.split(_QUOTED.sub(" ", finding.claim))
    if not all(_is_code_said(text, cited) for text in pieces[1::2]):
        return "unsupported_name"
    rest = " ".join(pieces[::2]).replace(finding.subject, " ")
    apart = finding.kind in _COUNTED_APART
    holds = _numbers_hold(rest, found, [words(text) for text in quoted], apart=apart)
    return None if holds else "unsupported_number"


def _scope(finding: Finding, cited: Sequence[Content], scopes: Scopes | None) -> Scope | None:
    """Work out a scope once for all findings of one subject that cite the same."""
    if scopes is None:
        return scope(finding.subject, cited)
    key = (finding.subject, finding.evidence)
    if key not in scopes:
        scopes[key] = scope(finding.subject, cited)
    return scopes[key]


def scope(subject: str, cited: Sequence[Content]) -> Scope | None:
    """Give the part of the cited evidence that speaks of a subject; None where none does."""
    if subject in PLACES:
        return Scope(tuple(content.root for content in cited))
    named = words(subject)
    if not named:
        return None
    places: list[Place] = [place for content in cited for place in content.named(named)]
    if not places:
        places = [place for content in cited for place in content.mentioned(named)]
    return Scope(tuple(places)) if places else None


def _speaks_of(claim: str, subject: str, cited: Sequence[Content]) -> bool:
    """Tell whether a claim names its subject (a schema apart): all of its words, or the first where names were cut."""
    if subject in PLACES:
        return True
    whole, said = words(subject), _pieces(claim)
    if len(whole) > 1 and any(whole[:1] in content.schemas for content in cited):
        subject = " ".join(whole[1:])
    named = _pieces(subject)
    return set(named[:_CUT_AFTER] if "…" in claim else named) <= set(said)


def _pieces(text: str) -> Words:
    """Words, with those in code spelling taken apart: a name may have been broken at its underscores."""
    return words(text.replace("_", " "))


def _groups(text: str) -> list[tuple[str | None, ...]]:
    return [match.groups() for match in _QUOTED.finditer(text) if any(match.groups())]


def _is_said(text: str, cited: Sequence[Content]) -> bool:
    """Tell whether a quoted text stands in the evidence. One that was cut ends in an ellipsis."""
    open_end = text.rstrip().endswith(("…", "..."))
    phrase = words(text)
    if not phrase:
        return any(text.strip() in content.bare_texts for content in cited)
    return any(content.says(phrase, open_end=open_end) for content in cited)


def _is_code_said(text: str, cited: Sequence[Content]) -> bool:
    if text in OWN_WORDS:
        return True
    *whole, last = text.removesuffix("…").split(".")
    cut = text.endswith("…")
    return all(any(content.spells(part) for content in cited) for part in whole) and any(
        content.spells(last, open_end=cut) for content in cited
    )


def _numbers_hold(claim: str, found: Scope, quoted: Sequence[Words], *, apart: bool) -> bool:
    text = _STANDARD.sub(" ", claim)
    if any(not _spelled(word, found) for word in _IN_WORDS.findall(text)):
        return False
    for percent in _PERCENT.findall(text):
        if not _is_share(percent, found.numbers):
            return False
    text = _PERCENT.sub(" ", text)
    return all(_stands(number, found, quoted, apart=apart) for number in NUMBER.findall(text))


def _spelled(word: str, found: Scope) -> bool:
    return any(word.casefold() in words(text.replace("_", " ")) for text in found.texts)


def _stands(number: str, found: Scope, quoted: Sequence[Words], *, apart: bool) -> bool:
    plain = plain_number(number)
    if plain in found.written:
        return True
    if "." in plain:
        return False
    value = int(plain)
    return (
        value in found.counted or _is_sum(value, found.tallies(quoted)) or (apart and _is_difference(value, found.own))
    )


def _is_sum(value: int, tallies: Mapping[str, Sequence[int]]) -> bool:
    """Tell whether ``value`` is the sum of some of the counts of quoted texts."""
    for counts in tallies.values():
        some = counts[:_MOST_TALLIES]
        if any(value == sum(chosen) for size in range(2, len(some) + 1) for chosen in combinations(some, size)):
            return True
    return False


def _is_difference(value: int, numbers: Sequence[int]) -> bool:
    """Tell whether ``value`` is what one count of the subject has more than another."""
    known = set(numbers[:_MOST_PAIRS])
    return any(number + value in known for number in known if number > 0)


def _is_share(percent: str, numbers: Sequence[int]) -> bool:
    """Tell whether two counts give this percentage, rounded to the places that are shown."""
    scale = 10 ** len(percent.partition(".")[2])
    wanted = int(percent.replace(".", ""))
    known = list(numbers[:_MOST_PAIRS])
    for index, whole in enumerate(known):
        if whole <= 0:
            continue
        for other, part in enumerate(known):
            # 2 * |100 * scale * part / whole - wanted| <= 1, in integers
            if index != other and 0 <= part <= whole and abs(2 * (100 * scale * part - wanted * whole)) <= whole:
                return True
    return False
