"""Turns the template of a dbt model into SQL that can be parsed, without running any of it.

Rules: nothing of a template is evaluated. ``ref`` and ``source`` with literal names become table names of our own;
``config``, comments and statements are left out; of alternatives the first is taken, of a loop its body once. Whatever
else stands in braces becomes a word that names nothing, and the result says that it is not the whole truth.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_SQL: Final = 256 * 1024
"""Longest template that is looked at, in characters."""
MAX_TAGS: Final = 2_000
UNKNOWN: Final = "twokey_unknown"
"""The word that stands for what a template would compute."""

_OPENS: Final = re.compile(r"\{[{%#]")
_CLOSES: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}
_TEXT: Final = r"""(?:'([^'\\{}]{1,200})'|"([^"\\{}]{1,200})")"""
_VERSION: Final = r"""(?:,\s*(?:v|version)\s*=\s*['"]?\w+['"]?\s*)?"""
_REF: Final = re.compile(rf"\s*ref\(\s*{_TEXT}\s*(?:,\s*{_TEXT}\s*)?{_VERSION}\)\s*")
_SOURCE: Final = re.compile(rf"\s*source\(\s*{_TEXT}\s*,\s*{_TEXT}\s*\)\s*")
_NOTHING: Final = re.compile(r"\s*(config|set_sql_header|log)\(", re.DOTALL)
_THIS: Final = re.compile(r"\s*this\s*")


@dataclass(frozen=True, slots=True)
class Call:
    """A table that a template names: ``("ref", model)`` or ``("source", source, table)``, as written."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """SQL in which table ``twokey_N`` stands for the ``N``-th call. ``partial`` says why it is not the whole truth."""

    sql: str
    calls: tuple[Call, ...]
    partial: str = ""


def table_name(number: int) -> str:
    """Give the name that stands for a call."""
    return f"twokey_{number}"


def fill(template: str, *, incremental: bool) -> Filled | None:
    """Fill in a template; none where it is too long, or has too many tags.

    What only an ``incremental`` run does is there or left out.
    """
    if len(template) > MAX_SQL:
        return None
    filling = _Filling(incremental=incremental)
    at = 0
    for count, (start, kind, inside, end) in enumerate(_tags(template)):
        if count >= MAX_TAGS:
            return None
        filling.text(template[at:start])
        if kind == "{{":
            filling.expression(inside)
        elif kind == "{%":
            filling.statement(inside.split())
        at = end
    filling.text(template[at:])
    return Filled("".join(filling.out), tuple(filling.calls), filling.partial)


def _tags(template: str) -> Iterator[tuple[int, str, str, int]]:
    """Give where each tag starts, what kind it is, what is in it, and where it ends; time is linear in the length."""
    at = 0
    while (opened := _OPENS.search(template, at)) is not None:
        end = template.find(_CLOSES[opened[0]], opened.end())
        if end < 0:
            return
        at = end + 2
        yield opened.start(), opened[0], template[opened.end() : end].strip("-"), at


class _Filling:
    def __init__(self, *, incremental: bool) -> None:
        self._incremental = incremental
        self.out: list[str] = []
        self.calls: list[Call] = []
        self.partial = ""
        self._open: list[tuple[str, bool]] = []
        """Statements that are open, and whether what they hold counts."""

    @property
    def _counts(self) -> bool:
        return all(counts for _, counts in self._open)

    def text(self, text: str) -> None:
        if self._counts:
            self.out.append(text)

    def expression(self, text: str) -> None:
        if not self._counts or _NOTHING.match(text):
            return
        if match := _REF.fullmatch(text):
            first, second = match[1] or match[2], match[3] or match[4]
            self._call("ref", second or first)
        elif match := _SOURCE.fullmatch(text):
            self._call("source", match[1] or match[2], match[3] or match[4])
        elif _THIS.fullmatch(text):
            self._call("this")
        else:
            self.out.append(UNKNOWN)
            self.partial = self.partial or "its template computes a part of it"

    def _call(self, *parts: str) -> None:
        call = Call(parts)
        if call not in self.calls:
            self.calls.append(call)
        self.out.append(table_name(self.calls.index(call)))

    def statement(self, words: list[str]) -> None:
        word = words[0] if words else ""
        if word in {"if", "for", "macro", "call", "filter", "raw", "snapshot", "test", "materialization"} or (
            word == "set" and "=" not in "".join(words)
        ):
            counts = word not in {"macro", "call", "filter", "set", "test", "materialization"}
            only_incremental = word == "if" and words[1:] == ["is_incremental()"]
            self._open.append((word, counts and (self._incremental or not only_incremental)))
            if word == "if" and not only_incremental:
                self.partial = self.partial or "its template has alternatives, of which the first was read"
            elif word not in {"if", "snapshot", "set", "macro", "test"}:
                self.partial = self.partial or "its template repeats or computes a part of it"
        elif word in {"elif", "else"} and self._open:
            opened, counted = self._open[-1]
            self._open[-1] = (opened, not counted and opened == "if" and not self._incremental)
        elif word.startswith("end") and self._open:
            self._open.pop()
