"""What a change says, statement by statement, so that it can be told, counted and divided.

Rules: a value that holds no text of its own making: paths, keys of tables, names of columns and the findings that back
each statement. A part of a change is a change like any other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

from twokey.agents.catalog.vetting import NodeName
from twokey.core.values import Finding

Where: TypeAlias = tuple[str, str]
"""A table and what was not done with it, in words."""
Says: TypeAlias = Literal["description", "type", "mark", "unit", "freshness", "test"]


@dataclass(frozen=True, slots=True)
class Written:
    """Statements that a file makes now about a table (its key) or a column of it, and what they rest on."""

    path: str
    table: str
    column: str | None
    says: tuple[Says, ...]
    findings: tuple[Finding, ...]
    test: str = ""
    """The name of the test, where it is one."""
    warns: bool = False
    """Whether the test only warns, because today's data fail it."""


@dataclass(frozen=True, slots=True)
class At:
    """Where a table is documented: the file, and the address in it."""

    path: str
    node: NodeName


@dataclass(frozen=True)
class Change:
    """The change, file by file, and what it rests on."""

    files: Mapping[str, str]
    used: tuple[Finding, ...]
    """Findings that are written down in the files."""
    documented: tuple[str, ...] = ()
    """Keys of the tables that the files speak of now, changed or not."""
    new: tuple[str, ...] = ()
    """Keys of the tables that no file spoke of before."""
    left: tuple[Where, ...] = ()
    """Tables that were left alone, with the reason."""
    refused: tuple[Where, ...] = ()
    """Statements that the editor would not write, with the reason."""
    later: tuple[str, ...] = ()
    """Keys of the tables that did not fit into this change."""
    problems: tuple[str, ...] = ()
    """Files that could not be read, in words."""
    written: tuple[Written, ...] = ()
    places: Mapping[str, At] = field(default_factory=dict[str, At])
    """Where each table is documented that has a node, by its key."""
    needs: frozenset[tuple[str, str]] = frozenset()
    """Pairs of files, of which the first would break without what this change puts into the second."""

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """Keys of the tables about which the files say something new, in order."""
        said = dict.fromkeys(each.table for each in self.written)
        place = {table: number for number, table in enumerate(self.documented)}
        return tuple(sorted(said, key=lambda table: place.get(table, len(place))))

    def part(self, paths: Collection[str], *, first: bool) -> "Change":
        """Give the part of the change that lies in some files. What belongs to no file stands in the ``first`` part."""
        written = tuple(each for each in self.written if each.path in paths)
        ids = {finding.id for each in written for finding in each.findings}
        about = {each.table for each in written}
        elsewhere = {each.table for each in self.written} - about
        kept = tuple(table for table in self.documented if table in about or (first and table not in elsewhere))
        return replace(
            self,
            files={path: text for path, text in self.files.items() if path in paths},
            used=tuple(finding for finding in self.used if finding.id in ids),
            documented=kept,
            new=tuple(table for table in self.new if table in about),
            left=self.left if first else (),
            refused=tuple(
                place for place in self.refused if place[0] in about or (first and place[0] not in elsewhere)
            ),
            later=self.later if first else (),
            problems=self.problems if first else (),
            written=written,
            needs=frozenset(pair for pair in self.needs if pair[0] in paths),
        )
