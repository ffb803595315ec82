"""Whether a sentence is borne out by the evidence that it cites.

Rules, and a sentence that breaks one is not said:
- it cites evidence, and all of it is this run's;
- every quote stands in that evidence, letter for letter as far as letters and digits go;
- every time, every number and every name in it stands in a record of that evidence, and all that the record is about
  (service, metric, operation) is named in the sentence: a figure of one service cannot be told of another, and nobody
  is named but who did something at a time of the sentence;
- how long something took is the difference of two times of the same sentence, rounded as ``shown.length`` does;
- every other word is a word of the templates;
- words about causes stand in sentences about the cause alone, and these name whom the ranking names, or nobody.

Works on the stored JSON and knows neither the templates' fields nor the agent that filled them. The reason is a code.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Final

from twokey.agents.incident.shown import clock, day, length, milliseconds, name, number
from twokey.agents.incident.summary.templates import CAUSAL, CAUSAL_WORDS, LIGHT, VOCABULARY, WORD
from twokey.core.canonical import Json

NAMING: Final = ("service", "metric", "operation", "caller", "callee", "signal")
"""Keys whose texts name what a record is about."""
ACTING: Final = "actor"
"""Key of who did something."""
STRETCHES: Final = ("window", "baseline")
"""Keys of times that hold for all that was looked at."""
LABELS: Final = ("kind", "level", "id", "name", "file")
"""Keys whose texts may stand in a sentence about the record."""
_QUOTE: Final = re.compile(r"“([^”]*)”")
_OWNER: Final = re.compile(r" Owner: (?P<owner>[^.]{1,200})\.$")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d")
_LENGTH: Final = re.compile(
    r"(?:[\d,]+ hours?(?: [\d,]+ minutes?)?|[\d,]+ (?:minute|second)s?)(?= (?:after|before|of)\b|\b)"
)
_NUMBER: Final = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?")
_DURATION: Final = re.compile(r"^self_\w+_us$")


@dataclass(frozen=True)
class Record:
    """One map of the evidence with its own values; ``about`` is what it names, ``actors`` who did it."""

    about: frozenset[str]
    actors: frozenset[str]
    labels: frozenset[str]
    numbers: frozenset[str]
    times: frozenset[int]
    texts: tuple[str, ...]

    def tells(self, named: frozenset[str], times: frozenset[str]) -> bool:
        """Tell whether a sentence that names these and holds these times may rest on it."""
        if not self.about <= named:
            return False
        return not self.actors or any(clock(at) in times for at in self.times)


@dataclass(frozen=True)
class Piece:
    """One piece of evidence, taken apart."""

    records: tuple[Record, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """All that it names."""
        return frozenset(one for record in self.records for one in (*record.about, *record.actors))

    @cached_property
    def folded(self) -> str:
        """All its texts, letters and digits alone."""
        return "\n".join(_folded(text) for record in self.records for text in record.texts)


def piece(content: Json) -> Piece:
    """Take a piece of evidence apart."""
    return Piece(tuple(_records(content, frozenset())))


def _records(node: Json, above: frozenset[str]) -> Iterator[Record]:
    if not isinstance(node, Mapping):
        return
    about = frozenset(name(value) for key, value in node.items() if key in NAMING and isinstance(value, str) and value)
    about = about or above
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _records(value, frozenset() if key in STRETCHES else about)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for item in value:
                if isinstance(item, str):
                    yield Record(frozenset({name(item)}), *_EMPTY, texts=(item,))
                else:
                    yield from _records(item, about)
    yield _record(node, about)


_EMPTY: Final = (frozenset[str](), frozenset[str](), frozenset[str](), frozenset[int]())


def _record(node: Mapping[str, Json], about: frozenset[str]) -> Record:
    numbers: set[str] = set()
    times: set[int] = set()
    texts: list[str] = []
    labels: set[str] = set()
    for key, value in node.items():
        if isinstance(value, str):
            texts.append(value)
            if key in LABELS:
                labels |= {name(value), name(value.lower())}
            numbers |= _as_number(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            if _DURATION.match(key):
                numbers.add(milliseconds(value))
            elif key.endswith("_us"):
                times.add(value)
            else:
                numbers.add(number(value))
    actor = node.get(ACTING)
    actors = frozenset({name(actor) if actor else "somebody"}) if isinstance(actor, str) else frozenset[str]()
    return Record(about, actors, frozenset(labels), frozenset(numbers), frozenset(times), tuple(texts))


def _as_number(text: str) -> set[str]:
    return {number(text)} if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]{1,3})?", text) else set()


@dataclass(frozen=True)
class Checker:
    """Checks sentences against the evidence of one run."""

    contents: Mapping[str, Json]
    cause: str | None
    """Whom the ranking names."""
    owners: frozenset[str] = frozenset()
    """Who may be named as owners: names of the settings."""
    derived: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Numbers that code works out from samples of the evidence, by the kind of sentence that may hold them."""
    _pieces: dict[str, Piece] = field(default_factory=dict[str, Piece])

    def names_of(self, evidence: Iterable[str]) -> frozenset[str]:
        """Give all that pieces of evidence name, and whoever may be named as an owner."""
        return frozenset(one for each in evidence for one in self._piece(each).names) | self.owners

    def fault(self, kind: str, text: str, evidence: Iterable[str], *, light: bool = False) -> str | None:
        """Give the code of the first thing that is wrong with a sentence; None where it is supported.

        ``light`` lets it have words, too, that say nothing by themselves.
        """
        cited = tuple(evidence)
        if not cited:
            return "no_evidence"
        if not all(one in self.contents for one in cited):
            return "unknown_evidence"
        pieces = [self._piece(one) for one in cited]
        owner = _OWNER.search(text)
        if owner is not None and owner["owner"] not in self.owners:
            return "unknown_owner"
        bare = _OWNER.sub(" ", text)
        for quoted in _QUOTE.findall(bare):
            if not any(_is_quoted(quoted, one) for one in pieces):
                return "unsupported_quote"
        bare = _QUOTE.sub(" ", bare)
        return self._bare(kind, bare, pieces, VOCABULARY | LIGHT if light else VOCABULARY)

    def _bare(self, kind: str, text: str, pieces: Sequence[Piece], known_words: frozenset[str]) -> str | None:
        named, rest = _named(text, frozenset(one for each in pieces for one in each.names))
        if not self._may_speak_of_causes(kind, named, rest):
            return "unsupported_cause"
        times = frozenset(_TIME.findall(rest))
        records = [one for each in pieces for one in each.records if one.tells(named, times)]
        known = {one for record in records for one in (*record.about, *record.actors)}
        if not named <= known:
            return "unsupported_name"
        _, rest = _named(rest, frozenset(one for record in records for one in record.labels if one))
        fault = self._figures(kind, rest, records)
        if fault is not None:
            return fault
        unknown = {word.casefold() for word in WORD.findall(_without_figures(rest))} - known_words
        return "unsupported_name" if unknown else None

    def _may_speak_of_causes(self, kind: str, named: frozenset[str], rest: str) -> bool:
        if kind == "summary_cause":
            return self.cause is not None and named == frozenset({name(self.cause)})
        if kind in CAUSAL:
            return self.cause is None
        return not {word.casefold() for word in WORD.findall(rest)} & CAUSAL_WORDS

    def _figures(self, kind: str, text: str, records: Sequence[Record]) -> str | None:
        times = {at for record in records for at in record.times}
        shown = {written for at in times for written in (clock(at), day(at))}
        found = _TIME.findall(text)
        if not set(found) <= shown:
            return "unsupported_time"
        said = [at for at in times if clock(at) in found]
        rest = _TIME.sub(" ", text)
        lengths = {length(one - other) for one, other in combinations(said, 2)} | {length(0)}
        for took in _LENGTH.findall(rest):
            if took not in lengths and not _in_seconds(took, records):
                return "unsupported_time"
        rest = _LENGTH.sub(" ", rest)
        numbers = frozenset(one for record in records for one in record.numbers) | self.derived.get(kind, frozenset())
        if any(one not in numbers for one in _NUMBER.findall(rest)):
            return "unsupported_number"
        return None

    def _piece(self, evidence: str) -> Piece:
        if evidence not in self._pieces:
            self._pieces[evidence] = piece(self.contents[evidence])
        return self._pieces[evidence]


@dataclass(frozen=True, slots=True)
class Parts:
    """A sentence taken apart: its quotes, times, numbers and names in their order, and the other words."""

    facts: tuple[str, ...]
    rest: str


def facts_of(text: str, names: Iterable[str], pivots: frozenset[str] = frozenset()) -> Parts:
    """Take a sentence apart; ``names`` is what counts as a name. Words among ``pivots`` stand among the facts."""
    listed = [_QUOTE.pattern, _OWNER.pattern.replace("?P<owner>", ""), _TIME.pattern, *map(_whole, _longest(names))]
    pattern = re.compile("|".join(f"(?:{one})" for one in (*listed, _LENGTH.pattern, _NUMBER.pattern)))
    facts: list[str] = []
    end = 0
    for found in pattern.finditer(text):
        facts += [*_pivots(text[end : found.start()], pivots), found[0].strip()]
        end = found.end()
    return Parts((*facts, *_pivots(text[end:], pivots)), pattern.sub(" ", text))


def _pivots(text: str, pivots: frozenset[str]) -> list[str]:
    return [word for word in (each.casefold() for each in WORD.findall(text)) if word in pivots]


def _longest(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda one: (-len(one), one))


def _whole(one: str) -> str:
    return rf"(?<![\w.:/+-]){re.escape(one)}(?![\w/+-]|[.:]\w)"


def _in_seconds(took: str, records: Sequence[Record]) -> bool:
    count, _, word = took.partition(" ")
    return word.startswith("second") and any(count in record.numbers for record in records)


def _without_figures(text: str) -> str:
    return _NUMBER.sub(" ", _LENGTH.sub(" ", _TIME.sub(" ", text)))


def _named(text: str, names: Iterable[str]) -> tuple[frozenset[str], str]:
    """Take names out of a text, the longest first; gives which were there, and the rest."""
    found: set[str] = set()
    for one in _longest(names):
        if one in text:
            pattern = re.compile(_whole(one))
            text, count = pattern.subn(" ¶ ", text)
            if count:
                found.add(one)
    return frozenset(found), text.replace("¶", " ")


def _is_quoted(quoted: str, held: Piece) -> bool:
    parts = [_folded(part) for part in quoted.split("…")]
    return all(part in held.folded for part in parts if part) and any(parts)


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
