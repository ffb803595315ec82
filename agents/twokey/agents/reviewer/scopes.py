"""Where in a piece of evidence a thing is spoken of, and which numbers stand there.

Rules: works on plain JSON and knows no tool; a thing is found under keys that name things, never in a cell, comment or
pattern, so that no value of a row can pass for the name of a column; the numbers of a thing are those in the map that
names it, below it, and beside it in the maps around; a map of nothing but texts is a name, and the map around it is
what it names.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, TypeAlias

from twokey.core.canonical import Json

Words: TypeAlias = tuple[str, ...]

NAMING: Final = frozenset(
    {
        *("name", "schema_name", "table", "tables", "column", "columns", "child", "parent", "child_columns"),
        *("parent_columns", "path", "service", "metric", "host"),
    }
)
"""Keys whose texts are names of things."""
_LONG: Final = 2000
_SHORT: Final = 300
"""Characters of a text whose words are remembered."""
_WORD: Final = re.compile(r"\w+")
_BLANKS: Final = re.compile(r" +")
NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def words(text: str) -> Words:
    """Fold a text to its words: compatibility forms and case are one, everything between words is dropped."""
    if text.isascii() and text.isidentifier():
        # what most names are: one word already
        return (text.casefold(),)
    return _remembered(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> Words:
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=16_384)
def _remembered(text: str) -> Words:
    """Fold a short text once: a review comes back to the same names and claims again and again."""
    return _folded(text)


@dataclass(eq=False)
class Place:
    """One map of the evidence. ``texts`` and ``numbers`` are its own, lists included; maps below are ``below``."""

    above: "Place | None"
    names: list[str] = field(default_factory=list[str])
    texts: list[str] = field(default_factory=list[str])
    numbers: list[int] = field(default_factory=list[int])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """Its own numbers by key."""
    below: "list[Place]" = field(default_factory=list["Place"])

    @property
    def is_name(self) -> bool:
        """Whether the map does nothing but name something."""
        return bool(self.names) and not self.numbers and not self.below and len(self.texts) == len(self.names)

    @cached_property
    def known_as(self) -> frozenset[Words]:
        """What the map, or a map in it that is a name, is called."""
        inner = (name for each in self.below if each.is_name for name in each.names)
        return frozenset(words(name) for name in (*self.names, *inner))

    @cached_property
    def around(self) -> frozenset[Words]:
        """What it and the maps around it are called."""
        found = self.known_as
        above = self.above
        while above is not None:
            found |= above.known_as
            above = above.above
        return found

    @cached_property
    def wording(self) -> str:
        """The words of its own texts, text by text, for finding phrases."""
        return " \n ".join(("", *(" ".join(words(text)) for text in self.texts), ""))

    @cached_property
    def subject(self) -> "Place":
        """The map that is spoken of where this one holds its name."""
        return self.above if self.is_name and self.above is not None else self

    def within(self) -> "Iterator[Place]":
        """The map and all maps below."""
        yield self
        for each in self.below:
            yield from each.within()

    def beside(self) -> "Iterator[Place]":
        """The maps around it."""
        above = self.above
        while above is not None:
            yield above
            above = above.above


class Content:
    """One piece of evidence, indexed."""

    def __init__(self, content: Json) -> None:
        self.root = Place(None)
        self.schemas: set[Words] = set()
        """Names of schemas."""
        self._named: dict[Words, list[Place]] = {}
        self._owners: dict[Words, dict[Words, list[int]]] = {}
        self._spelled: dict[tuple[str, bool], bool] = {}
        self._fill(self.root, "", content)
        self.is_empty = not self.root.texts and not self.root.numbers and not self.root.below

    def _fill(self, place: Place, key: str, value: Json) -> None:
        if isinstance(value, str):
            place.texts.append(value)
            if key in NAMING:
                place.names.append(value)
                if key == "schema_name":
                    self.schemas.add(words(value))
                self._named.setdefault(words(value), []).append(place)
        elif isinstance(value, bool) or value is None:
            return
        elif isinstance(value, int):
            place.numbers.append(value)
            place.counts[key] = value
        elif isinstance(value, Mapping):
            inner = Place(place)
            place.below.append(inner)
            for name, item in value.items():
                self._fill(inner, name, item)
        else:
            for item in value:
                self._fill(place, key, item)

    @cached_property
    def wording(self) -> str:
        """All words, text by text, for finding phrases."""
        return "".join(place.wording for place in self.root.within())

    def says(self, phrase: Words, *, open_end: bool = False) -> bool:
        """Tell whether some text holds the words of ``phrase`` in a row; with ``open_end`` the last may go on."""
        return bool(phrase) and f" {' '.join(phrase)}{'' if open_end else ' '}" in self.wording

    @cached_property
    def bare_texts(self) -> frozenset[str]:
        """Every text, outer blanks aside."""
        return frozenset(text.strip() for place in self.root.within() for text in place.texts)

    @cached_property
    def _pieces(self) -> str:
        return _BLANKS.sub(" ", self.wording.replace("_", " "))

    def spells(self, name: str, *, open_end: bool = False) -> bool:
        """Tell whether a name in code spelling stands in some text, be it broken or joined at its underscores."""
        known = self._spelled.get((name, open_end))
        if known is None:
            phrase = " ".join(words(name.replace("_", " ")))
            known = bool(phrase) and f" {phrase}{'' if open_end else ' '}" in self._pieces
            self._spelled[name, open_end] = known
        return known

    def named(self, subject: Words) -> tuple[Place, ...]:
        """Give the maps that a subject (``table``, ``table.column``, ``schema.table.column``) names."""
        found: dict[Place, None] = {}
        for length in range(1, len(subject) + 1):
            owner, name = subject[:-length], subject[-length:]
            places = self._named.get(name, [])
            if owner and places:
                at = self._owners_of(name)
                numbers = {number for start in range(len(owner)) for number in at.get(owner[start:], ())}
                places = [places[number] for number in sorted(numbers)]
            found |= dict.fromkeys(place.subject for place in places)
        return tuple(found)

    def _owners_of(self, name: Words) -> Mapping[Words, Sequence[int]]:
        """Give what is called ``name``, by what it and the maps around it are called: numbers in ``_named``."""
        at = self._owners.get(name)
        if at is None:
            at = self._owners[name] = {}
            for number, place in enumerate(self._named[name]):
                for other in place.around:
                    at.setdefault(other, []).append(number)
        return at

    def mentioned(self, subject: Words) -> tuple[Place, ...]:
        """Give the files (maps with a path and a text) that speak of a subject."""
        if not self.says(subject):
            return ()
        phrase = f" {' '.join(subject)} "
        return tuple(place for place in self.root.within() if place.names and phrase in place.wording)


@dataclass(frozen=True)
class Scope:
    """The part of the cited evidence that speaks of one subject."""

    places: tuple[Place, ...]

    @cached_property
    def own(self) -> tuple[int, ...]:
        """Numbers in the maps of the subject and below."""
        return tuple(number for place in self.places for each in place.within() for number in each.numbers)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the subject and of the maps around it."""
        beside = dict.fromkeys(each for place in self.places for each in place.beside())
        return (*self.own, *(number for each in beside for number in each.numbers))

    @cached_property
    def counted(self) -> frozenset[int]:
        """The different ones among ``numbers``."""
        return frozenset(self.numbers)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Texts of the subject and of the maps around it."""
        inside = (text for place in self.places for each in place.within() for text in each.texts)
        beside = (text for place in self.places for each in place.beside() for text in each.texts)
        return tuple(dict.fromkeys((*inside, *beside)))

    @cached_property
    def written(self) -> frozenset[str]:
        """Numbers that stand in texts (types, ranges, dates, names), normalised."""
        return frozenset(
            plain_number(found) for text in self.texts for found in NUMBER.findall(text[:_LONG].replace("_", " "))
        )

    def tallies(self, phrases: Sequence[Words]) -> dict[str, list[int]]:
        """Give the counts of the maps of the subject that hold one of ``phrases`` as a text, by their key."""
        wanted = set(phrases)
        found: dict[str, list[int]] = {}
        for place in self.places:
            for each in place.within():
                if any(words(text) in wanted for text in each.texts):
                    for key, number in each.counts.items():
                        found.setdefault(key, []).append(number)
        return found


def plain_number(text: str) -> str:
    """Write a number in one way: no separators, no leading zeros, no zeros behind the point."""
    whole, _, rest = text.replace(",", "").partition(".")
    rest = rest.rstrip("0")
    return f"{whole.lstrip('0') or '0'}{'.' if rest else ''}{rest}"
