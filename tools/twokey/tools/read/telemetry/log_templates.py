"""Templates of log lines, mined as the lines come: what they have in common, with ``<*>`` where they differ.

Rules: one pass, nothing is read twice; memory is bounded: past ``MOST_TEMPLATES`` a line that fits none goes to one
template for the rest, and ``rest`` counts them. A template's id stays, and one that turned out to be part of a wider
one leads to it (``resolve``). Two lines share a template where they are the same but for values (``log_masks``), or
differ in one word that takes at least ``MANY`` forms, or that is a value elsewhere. The same lines in the same order
give the same templates.
"""

import re
from typing import Final

from twokey.tools.read.telemetry.log_masks import WILD, masked, parts_of

MANY: Final = 4
"""Forms of a word that make it a value; three times as many where a line begins: that says what it is about."""
MOST_TEMPLATES: Final = 5_000
MOST_REMEMBERED: Final = 100_000
"""Lines, with their digits levelled, whose template is remembered."""
MOST_WAYS: Final = 64
"""Sets of places with values that are tried on a line of one length."""
_HOLDS_VALUE: Final = re.compile(r"<\*>|\d").search
_DIGITS: Final = str.maketrans("123456789", "000000000")

Parts = tuple[str, ...]


class LogTemplates:
    """The templates of one stream of lines."""

    def __init__(self, most: int = MOST_TEMPLATES) -> None:
        """Begin with none; ``most`` bounds how many there can be."""
        self._most = most
        self._seen: dict[str, int] = {}
        self._known: dict[Parts, int] = {}
        self._parts: list[Parts] = []
        self._leads: list[int] = []
        self._near: dict[int, list[int]] = {}
        self._of_length: dict[int, list[int]] = {}
        self._ways: dict[int, list[tuple[int, ...]]] = {}
        self._rest: int | None = None
        self.rest = 0
        """Lines that fitted no template when there could be no more."""

    def __len__(self) -> int:
        """How many templates stand for themselves."""
        return sum(self._leads[each] == each for each in range(len(self._leads)))

    def add(self, line: str) -> int:
        """Take the next line; gives the id of its template."""
        key = line.translate(_DIGITS)
        found = self._seen.get(key)
        if found is None:
            found = self._place(parts_of(masked(line)))
            if len(self._seen) >= MOST_REMEMBERED:
                self._seen.clear()
            self._seen[key] = found
        if found == self._rest:
            self.rest += 1
        return found

    def resolve(self, template: int) -> int:
        """Give the id of the template that this one has become part of; its own where it stands for itself."""
        while self._leads[template] != template:
            self._leads[template] = self._leads[self._leads[template]]
            template = self._leads[template]
        return template

    def text(self, template: int) -> str:
        """Give the template, with ``<*>`` where lines differ."""
        return "".join(self._parts[self.resolve(template)])

    def _place(self, parts: Parts) -> int:
        found = self._known.get(parts)
        if found is None:
            found = self._wider(parts)
        if found is None:
            found = self._new(parts) if len(self._parts) < self._most else self._remaining()
        return found

    def _wider(self, parts: Parts) -> int | None:
        """Find a template that has values where these parts have words."""
        for places in self._ways.get(len(parts), ()):
            found = self._known.get(_with_wild(parts, places))
            if found is not None:
                return found
        return None

    def _remaining(self) -> int:
        if self._rest is None:
            self._rest = self._append(("", WILD, ""))
        return self._rest

    def _append(self, parts: Parts) -> int:
        made = len(self._parts)
        self._parts.append(parts)
        self._leads.append(made)
        return made

    def _new(self, parts: Parts) -> int:
        made = self._known[parts] = self._append(parts)
        self._of_length.setdefault(len(parts), []).append(made)
        for at in range(1, len(parts), 2):
            # The hash stands for the parts around the word: what is near costs one number, whatever the line's length.
            near = self._near.setdefault(hash((at, parts[:at], parts[at + 1 :])), [])
            near.append(made)
            if parts[at] != WILD and _is_value({self._parts[each][at] for each in near}, at):
                self._widen(parts, at)
                break
        return made

    def _widen(self, parts: Parts, at: int) -> None:
        """Make the word at ``at`` a value, and one template of all that differ in nothing else."""
        wide = _with_wild(parts, (at,))
        places = tuple(place for place in range(1, len(wide), 2) if wide[place] == WILD)
        ways = self._ways.setdefault(len(wide), [])
        if places not in ways and len(ways) < MOST_WAYS:
            ways.append(places)
        known = self._known.get(wide)
        into = self.resolve(self._new(wide) if known is None else known)
        target = self._parts[into]
        for each in self._of_length[len(wide)]:
            if self._leads[each] == each and each != into and _covers(target, self._parts[each]):
                self._leads[each] = into


def _covers(wide: Parts, parts: Parts) -> bool:
    return all(mine in (WILD, theirs) for mine, theirs in zip(wide, parts, strict=True))


def _is_value(words: set[str], at: int) -> bool:
    """Whether the forms that one word takes are values."""
    if len(words) == 1:
        return False
    if WILD in words or all(_HOLDS_VALUE(word) for word in words):
        return True
    return len(words) >= (MANY if at > 1 else 3 * MANY)


def _with_wild(parts: Parts, places: tuple[int, ...]) -> Parts:
    changed = list(parts)
    for place in places:
        changed[place] = WILD
    return tuple(changed)
