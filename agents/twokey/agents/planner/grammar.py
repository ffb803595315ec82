"""Reads the words of a request: what is asked for, what is excluded, and what stands in the way.

Rules: every word is accounted for, or the reading has a problem; what a negation covers is left out or is a problem,
never done; words that ask for a write or an approval are a problem wherever they stand, unless a write is what the
person rules out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from twokey.agents.planner.names import Word
from twokey.agents.planner.words import READ_ONLY, Role

Part: TypeAlias = Literal["descriptions", "sensitivity", "relationships"]

PARTS: Final[tuple[Part, ...]] = ("descriptions", "sensitivity", "relationships")
_PARTS_OF: Final[dict[Role, Part]] = {
    Role.DESCRIBE: "descriptions",
    Role.DESCRIPTIONS: "descriptions",
    Role.TAG: "sensitivity",
    Role.TAGS: "sensitivity",
    Role.SENSITIVE: "sensitivity",
    Role.RELATE: "relationships",
    Role.RELATIONSHIPS: "relationships",
    Role.TESTS: "relationships",
}
_VERBS: Final = frozenset({Role.DESCRIBE, Role.TAG, Role.RELATE, Role.MAKE, Role.SCAN, Role.FIND, Role.CHANGE})
_NOUNS: Final = frozenset({Role.DESCRIPTIONS, Role.TAGS, Role.SENSITIVE, Role.RELATIONSHIPS, Role.TESTS, Role.PROPOSE})
_SILENT: Final = frozenset(
    {Role.FILLER, Role.ARTICLE, Role.ALL, Role.OF, Role.INTO_PLACE, Role.TABLE, Role.DATABASE, Role.REPOSITORY}
) | {Role.COLUMN, Role.HOLD}
_PROBLEM_OF: Final = {Role.ANSWER: "only_people", Role.TRIAGE: "triage", Role.INCIDENT: "incident"}
_EACH: Final = frozenset({"every", "each", "any", "which", "what", "per", "by"})


@dataclass(slots=True)
class Reading:
    """What the words say."""

    wanted: set[Part] = field(default_factory=set[Part])
    excluded: set[Part] = field(default_factory=set[Part])
    heard: set[Role] = field(default_factory=set[Role])
    """Roles of words that were said and not negated."""
    no_proposal: bool = False
    tables: list[str] = field(default_factory=list[str])
    warehouses: list[str] = field(default_factory=list[str])
    repositories: list[str] = field(default_factory=list[str])
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Codes of what stands in the way, each with the word it is about."""


def read(words: Sequence[Word]) -> Reading:
    """Read a request; never raises."""
    reader = _Reader(words)
    for index, word in enumerate(words):
        reader.take(index, word)
    reader.close()
    return reader.reading


class _Reader:
    def __init__(self, words: Sequence[Word]) -> None:
        self.words = words
        self.reading = Reading()
        self._negated = False
        self._covered: Role | None = None
        """The first word that the negation at hand was found to cover."""
        self._joined: Word | None = None
        """The "and", "or" or comma that stands between the word before and this one."""
        self._turned = False
        """Whether "only" or "just" came after it: "do not tag, just describe"."""

    def take(self, index: int, word: Word) -> None:
        role = word.role
        if word.kind == "problem":
            self._problem(word.code, word)
        elif word.kind == "tables":
            self._tables(word)
        elif word.kind == "warehouse":
            self.reading.warehouses.append(word.place)
        elif word.kind == "repository":
            self.reading.repositories.append(word.place)
        elif role in {Role.STOP, Role.BUT}:
            self.close()
        elif role in {Role.AND, Role.COMMA}:
            self._joined = word
        elif role is Role.NOT:
            self._negate(word)
        elif role is Role.ONE_COLUMN:
            self._one_column(index, word)
        elif role is Role.QUALIFIER:
            self._qualifier(index, word)
        elif role is Role.ONLY:
            self.reading.no_proposal |= word.token.text == READ_ONLY
            self._turned = self._joined is not None
            self.reading.heard.add(role)
        elif role not in _SILENT:
            self._content(index, word)

    def close(self) -> None:
        """End a clause: a negation that covered nothing is a problem."""
        if self._negated and self._covered is None:
            self.reading.problems.append(("negation", ""))
        self._end_negation()

    def _end_negation(self) -> None:
        self._negated, self._covered, self._joined, self._turned = False, None, None, False

    def _problem(self, code: str, word: Word) -> None:
        self.reading.problems.append((code, word.token.text))

    def _tables(self, word: Word) -> None:
        if self._negated:
            self._problem("cannot_exclude", word)
            self._covered = Role.NAME
        self.reading.tables.extend(word.tables)

    def _negate(self, word: Word) -> None:
        if self._negated and not (self._covered and self._joined):
            self._problem("negation", word)
        self._end_negation()
        self._negated = True

    def _one_column(self, index: int, word: Word) -> None:
        before = self.words[index - 1].token.text if index else ""
        if before not in _EACH:
            self._problem("whole_tables", word)

    def _qualifier(self, index: int, word: Word) -> None:
        """Filling what is missing is how the work is always done; "new tables" is more than a name can say."""
        if word.token.text != "missing" or self._after(index) not in _NOUNS:
            self._problem("qualifier", word)

    def _content(self, index: int, word: Word) -> None:
        role = word.role
        if self._still_negated(word):
            self._covered, self._joined = self._covered or role, None
            self._leave_out(index, word)
        elif role in _PROBLEM_OF:
            self._problem(_PROBLEM_OF[role], word)
        elif role is Role.CHANGE:
            self._problem("only_proposes", word)
        else:
            self._want(index, role)

    def _still_negated(self, word: Word) -> bool:
        """Tell whether the negation at hand covers this word too, and end it where it does not."""
        if not self._negated:
            return False
        if self._covered is None or word.role not in _VERBS:
            return True
        if self._covered in _VERBS and not self._turned:
            if self._joined is None or self._joined.token.text not in {"or", "nor"}:
                # "Do not tag and describe" and "do not tag, describe" can be read either way.
                self._problem("negation", word)
            return True
        self._end_negation()
        return False

    def _leave_out(self, index: int, word: Word) -> None:
        role = word.role
        if role in _PROBLEM_OF:
            self._problem(_PROBLEM_OF[role], word)
        elif role is Role.PROPOSE:
            self.reading.no_proposal = True
        elif role in {Role.SCAN, Role.FIND, Role.QUESTION}:
            self._problem("negation", word)
        elif role in _PARTS_OF:
            part = _PARTS_OF[role]
            if role is Role.SENSITIVE and part not in self.reading.excluded and self._after(index) is not Role.TAGS:
                self._problem("qualifier", word)
            self.reading.excluded.add(part)

    def _after(self, index: int) -> Role | None:
        return self.words[index + 1].role if index + 1 < len(self.words) else None

    def _want(self, index: int, role: Role) -> None:
        if role is Role.TAGS and index and self.words[index - 1].role is Role.QUESTION:
            role = Role.SENSITIVE
        self.reading.heard.add(role)
        if role in _PARTS_OF:
            self.reading.wanted.add(_PARTS_OF[role])
