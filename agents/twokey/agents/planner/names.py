"""Which words of a request are names: of places, of tables, or of nothing that is known here.

Rules: a place is known by its exact name or not at all; a table is known by its name or a part of it where the tables
have been read, and may be any plain word where they have not; a word in the position of a name that names nothing is a
problem, never dropped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from twokey.agents.planner.meaning import Known
from twokey.agents.planner.words import Role, Token, spelled

Kind = Literal["warehouse", "repository", "tables", "word", "problem"]

_PLAIN: Final = re.compile(r"[\w.$*-]{1,60}")
_QUOTABLE: Final = re.compile(r"[\w.$ -]{1,60}")
_LOOKED_THROUGH: Final = frozenset({Role.ARTICLE, Role.ALL, Role.ONLY, Role.FILLER})
_BEFORE_TABLES: Final = frozenset(
    {
        *(Role.DESCRIBE, Role.TAG, Role.SCAN, Role.FIND, Role.RELATE, Role.OF, Role.TABLE, Role.INTO_PLACE),
        *(Role.PROPOSE, Role.NOT),
    }
)
_NEVER_NAMES: Final = frozenset(
    {
        *(Role.ARTICLE, Role.ALL, Role.ONLY, Role.AND, Role.COMMA, Role.STOP, Role.OF, Role.INTO_PLACE, Role.NOT),
        *(Role.BUT, Role.QUESTION, Role.FILLER, Role.ANSWER, Role.CHANGE, Role.QUALIFIER, Role.DATABASE, Role.TABLE),
        *(Role.REPOSITORY, Role.LOCATION),
    }
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word after names were found. ``tables`` holds filters; ``code`` says what is wrong with a problem."""

    kind: Kind
    token: Token
    role: Role
    tables: tuple[str, ...] = ()
    place: str = ""
    code: str = ""


def find_names(tokens: Sequence[Token], known: Known) -> tuple[Word, ...]:
    """Decide for each token whether it is a name, a word of the grammar, or a problem."""
    finder = _Finder(tokens, known)
    for index in range(len(tokens)):
        finder.words.append(finder.decide(index))
    return tuple(finder.words)


class _Finder:
    def __init__(self, tokens: Sequence[Token], known: Known) -> None:
        self.tokens = tokens
        self.known = known
        self.words: list[Word] = []
        self._places = {
            **{name.casefold(): ("repository", name) for name in known.repositories},
            **{name.casefold(): ("warehouse", name) for name in known.warehouses},
        }
        self._both = {name.casefold() for name in known.warehouses} & {name.casefold() for name in known.repositories}

    def decide(self, index: int) -> Word:
        token = self.tokens[index]
        if token.text in self._places and not self._rather_a_table(index):
            return self._place(index)
        if token.role is Role.LOCATION:
            return _problem(token, "location")
        if token.role in {Role.UNKNOWN, Role.NAME} and self._beside(index, Role.DATABASE, Role.REPOSITORY):
            return _problem(token, "unknown_place")
        if token.role is Role.NAME:
            return self._table_or(index, "unknown_place" if self._before(index) is Role.INTO_PLACE else "unknown_table")
        if token.role in _NEVER_NAMES:
            return Word("word", token, token.role)
        if self._is_called_a_table(index):
            return self._table_or(index, "unknown_table")
        if token.role is Role.UNKNOWN:
            return self._unknown(index)
        if self._before(index) is not Role.NOT and token.role is not Role.PROPOSE and self._in_position(index):
            exact = self._exact(token.text)
            return Word("tables", token, Role.NAME, tables=exact) if exact else Word("word", token, token.role)
        return Word("word", token, token.role)

    # -- places -----------------------------------------------------------------------------------------------

    def _place(self, index: int) -> Word:
        token = self.tokens[index]
        kind, name = self._places[token.text]
        if token.text in self._both:
            kind = "repository" if self._beside(index, Role.REPOSITORY) else "both"
            if kind == "both" and not self._beside(index, Role.DATABASE):
                return _problem(token, "ambiguous_place")
        return Word("repository" if kind == "repository" else "warehouse", token, Role.NAME, place=name)

    def _rather_a_table(self, index: int) -> bool:
        """A name of both a place and a table is the table where the sentence has tables."""
        if not self._exact(self.tokens[index].text) or self._beside(index, Role.DATABASE, Role.REPOSITORY):
            return False
        return self._before(index) is not Role.INTO_PLACE or self._beside(index, Role.TABLE)

    def _beside(self, index: int, *roles: Role) -> bool:
        """Tell whether the word before (articles and fillers apart) or the very next is one of ``roles``."""
        return self._before(index) in roles or self._after(index) in roles

    # -- tables -----------------------------------------------------------------------------------------------

    def _unknown(self, index: int) -> Word:
        token = self.tokens[index]
        if not self._in_position(index):
            role = spelled(token.text)
            return Word("word", token, role) if role else _problem(token, "unknown_words")
        found = self._filters(index)
        if self._before(index) is Role.INTO_PLACE and not (found and self.known.tables):
            return _problem(token, "unknown_place")
        role = None if found and self.known.tables else spelled(token.text)
        return Word("word", token, role) if role else self._table_or(index, "unknown_table")

    def _table_or(self, index: int, code: str) -> Word:
        token = self.tokens[index]
        found = self._filters(index)
        if found:
            return Word("tables", token, Role.NAME, tables=found)
        owner, dot, _ = token.text.rpartition(".")
        return _problem(token, "whole_tables" if dot and self._exact(owner) else code)

    def _is_called_a_table(self, index: int) -> bool:
        """Tell whether the word stands directly before "table" as its name, even if it is a word of the grammar."""
        if self._after(index) is not Role.TABLE:
            return False
        token = self.tokens[index]
        if token.role is Role.UNKNOWN:
            return True
        before = self.tokens[index - 1].role if index else None
        return before in {Role.ARTICLE, Role.ALL, Role.OF, Role.DESCRIBE, Role.TAG, Role.SCAN}

    def _in_position(self, index: int) -> bool:
        """Tell whether a name of a table can stand here."""
        before = self._before(index)
        if before in {Role.AND, Role.COMMA}:
            skipped = {*_LOOKED_THROUGH, Role.AND, Role.COMMA}
            last = next((word for word in reversed(self.words) if word.role not in skipped), None)
            return last is not None and last.kind == "tables"
        return before in _BEFORE_TABLES or (before is Role.QUESTION and bool(self.known.tables))

    def _filters(self, index: int) -> tuple[str, ...]:
        token, tables = self.tokens[index], self.known.tables
        quoted = token.role is Role.NAME
        if not (_QUOTABLE if quoted else _PLAIN).fullmatch(token.text) or not token.text.strip("*"):
            return ()
        if not tables:
            return (token.raw,) if quoted or "*" in token.text else (f"*{token.text}*",)
        several = self._after(index) is Role.TABLE and self.tokens[index + 1].text.endswith("s")
        exact = self._exact(token.text)
        if exact and (quoted or not several):
            return exact
        if quoted:
            return ()
        if "*" in token.text:
            return (token.text,) if any(fnmatchcase(table.casefold(), token.text) for table in tables) else ()
        for part in _singulars(token.text):
            if any(part in table.casefold() for table in tables):
                return (f"*{part}*",)
        return exact

    def _exact(self, text: str) -> tuple[str, ...]:
        return tuple(
            table for table in self.known.tables if text in {table.casefold(), table.casefold().rpartition(".")[2]}
        )

    # -- neighbours -------------------------------------------------------------------------------------------

    def _before(self, index: int) -> Role | None:
        for earlier in range(index - 1, -1, -1):
            role = self.words[earlier].role
            if role not in _LOOKED_THROUGH:
                return role
        return None

    def _after(self, index: int) -> Role | None:
        return self.tokens[index + 1].role if index + 1 < len(self.tokens) else None


def _singulars(word: str) -> tuple[str, ...]:
    if word.endswith("ies") and len(word) > 4:
        return word, f"{word[:-3]}y"
    return (word, word[:-1]) if word.endswith("s") and len(word) > 3 else (word,)


def _problem(token: Token, code: str) -> Word:
    return Word("problem", token, Role.UNKNOWN, code=code)
