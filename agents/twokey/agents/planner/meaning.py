"""What a request can mean, as values: the places it may name, what was understood, or the question that is open.

Rules: a meaning names known places only (checked where it is made); its sentence says all that will be looked at and
proposed; a question comes with suggestions that work as they stand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

Focus: TypeAlias = Literal["all", "sensitivity", "descriptions", "relationships"]
Intent: TypeAlias = Literal["catalog_propose", "catalog_scan", "catalog_impact"]
Job: TypeAlias = Literal["catalog", "triage", "incident"]

_SHOWN: Final = 3
_NAME_SHOWN: Final = 32


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a request may use. ``tables`` is empty where they have not been read."""

    warehouses: tuple[str, ...]
    repositories: tuple[str, ...]
    default_warehouse: str | None = None
    default_repository: str | None = None
    tables: tuple[str, ...] = ()
    jobs: frozenset[Job] = frozenset({"catalog"})
    trackers: tuple[str, ...] = ()
    default_tracker: str | None = None
    telemetries: tuple[str, ...] = ()
    default_telemetry: str | None = None

    @property
    def warehouse(self) -> str | None:
        """The warehouse that is meant where none is named: the default, or the only one."""
        return _meant(self.default_warehouse, self.warehouses)

    @property
    def repository(self) -> str | None:
        """The repository that is meant where none is named: the default, or the only one."""
        return _meant(self.default_repository, self.repositories)

    @property
    def tracker(self) -> str | None:
        """Where the tickets are that are meant where no place is named: the default, or the only one."""
        return _meant(self.default_tracker, self.trackers)

    @property
    def telemetry(self) -> str | None:
        """The source of telemetry that is meant where none is named: the default, or the only one."""
        return _meant(self.default_telemetry, self.telemetries)


def _meant(default: str | None, names: tuple[str, ...]) -> str | None:
    if default in names:
        return default
    return names[0] if len(names) == 1 else None


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that can be planned.

    ``tables`` holds names, or patterns in which ``*`` stands for anything (see ``selects``); none means every table.
    ``repository`` is empty for a scan. For ``catalog_impact`` ``tables`` holds the one table or column that changes,
    and ``warehouse`` may be empty. ``focus``: ``relationships`` covers the other tests too.
    """

    intent: Intent
    warehouse: str
    repository: str
    tables: tuple[str, ...]
    focus: Focus
    baseline: str = ""
    """The run or the day to compare with; empty for the latest scan before."""

    @property
    def sentence(self) -> str:
        """What was understood, in one sentence of at most 500 characters."""
        tables, place = said(self.tables), short(self.warehouse)
        if self.intent == "catalog_impact":
            return f"Say what depends on {short(self.tables[0])}, as {short(self.repository)} tells; propose nothing."
        if self.intent == "catalog_scan":
            looked = {
                "all": f"Look at {tables} in {place}",
                "sensitivity": f"Look for personal and sensitive data in {tables} in {place}",
                "descriptions": f"Look at how {tables} in {place} are described",
                "relationships": f"Look for relationships and testable rules in {tables} in {place}",
            }
            return f"{looked[self.focus]}{self._compared}; propose nothing."
        proposed = {
            "all": (
                f"Document {tables} in {place}, tag personal data,"
                " add the tests and relationships that the data supports"
            ),
            "sensitivity": f"Tag personal and sensitive data in {tables} in {place}",
            "descriptions": f"Document {tables} in {place}",
            "relationships": f"Add the tests and relationships that the data supports to {tables} in {place}",
        }
        return f"{proposed[self.focus]}{self._compared}, and open a pull request in {short(self.repository)}."

    @property
    def _compared(self) -> str:
        return f", compared with {self.baseline}" if self.baseline else ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A request that cannot be planned as it stands. ``suggestions`` (at most 3) are requests that can."""

    code: str
    question: str
    suggestions: tuple[str, ...] = ()


def selects(filters: Sequence[str], table: str) -> bool:
    """Tell whether a table is meant by ``filters``.

    Upper and lower case are one; a filter without a schema also means the table of that name in any schema.
    """
    name = table.casefold()
    bare = name.rpartition(".")[2]
    return not filters or any(
        fnmatchcase(name, pattern) or fnmatchcase(bare, pattern) for pattern in map(_pattern, filters)
    )


def _pattern(text: str) -> str:
    """Only ``*`` is special; ``?`` and brackets stand for themselves."""
    return "".join(f"[{letter}]" if letter in "?[" else letter for letter in text.casefold())


def said(filters: Iterable[str]) -> str:
    """Say in words which tables are meant."""
    parts: list[str] = []
    names: list[str] = []
    for text in filters:
        inner = text.strip("*")
        if text == f"*{inner}*" and "*" not in inner:
            parts.append(f"'{short(inner)}'")
        else:
            names.append(f"'{short(text)}'" if "*" in text else short(text))
    phrases = [*([f"the tables whose name contains {_listed(parts, 'or')}"] if parts else [])]
    if names:
        phrases.insert(0, f"the table{'s' if len(names) > 1 or '*' in names[0] else ''} {_listed(names, 'and')}")
    return " and ".join(phrases) or "all tables"


def _listed(words: Sequence[str], link: str) -> str:
    more = len(words) - _SHOWN
    shown = [*words[:_SHOWN], f"{more} more"] if more > 0 else list(words)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {link} {shown[-1]}"


def short(name: str) -> str:
    """Shorten a long name in the middle."""
    return name if len(name) <= _NAME_SHOWN else f"{name[: _NAME_SHOWN // 2 - 1]}…{name[-_NAME_SHOWN // 2 :]}"
