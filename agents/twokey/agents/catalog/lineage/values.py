"""What lineage is told in: things, columns of things, and how one leads to the other.

Rules: a thing is known by its kind and its name in lower case, as it is written where it was read; an edge says where
that was. Nothing here was executed: what could not be read off is counted as a gap and never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["table", "exposure", "job", "dataset_version", "features", "training_run", "model_version", "deployment"]
How = Literal["value", "rows", "documented", "read", "written", "trained_on", "registered", "deployed"]
"""``value``: the column's values are computed from it. ``rows``: it decides which rows there are, or how they are put
together. The others join things as a whole."""

WORDS: Final[Mapping[Kind, str]] = {
    "table": "table",
    "exposure": "exposure",
    "job": "job",
    "dataset_version": "dataset version",
    "features": "feature set",
    "training_run": "training run",
    "model_version": "model version",
    "deployment": "deployment",
}


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """A thing, or with ``column`` one column of it."""

    kind: Kind
    name: str
    column: str = ""

    @property
    def whole(self) -> "Thing":
        """The thing that this is a column of, or itself."""
        return Thing(self.kind, self.name)

    def __str__(self) -> str:
        said = self.name if self.kind == "table" else f"{WORDS[self.kind]} {self.name}"
        return f"{said}.{self.column}" if self.column else said


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` is made from ``source``, as ``path`` (of a file of the repository) says."""

    source: Thing
    target: Thing
    how: How
    path: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be followed: the file, the column where it is one, and why, in our words."""

    path: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Traced:
    """What was read from one file or set of files."""

    edges: tuple[Edge, ...] = ()
    gaps: tuple[Gap, ...] = ()
    tables: int = 0
    """Tables that files make, whether or not they could be followed."""
    followed: int = 0
    """Of these, the ones whose columns were all followed."""
    columns: int = 0
    columns_followed: int = 0

    def __add__(self, other: "Traced") -> "Traced":
        return Traced(
            (*self.edges, *other.edges),
            (*self.gaps, *other.gaps),
            self.tables + other.tables,
            self.followed + other.followed,
            self.columns + other.columns,
            self.columns_followed + other.columns_followed,
        )


@dataclass(frozen=True)
class Lineage:
    """Everything that was traced."""

    traced: Traced
    _from: Mapping[Thing, tuple[Edge, ...]] = field(repr=False)
    _to: Mapping[Thing, tuple[Edge, ...]] = field(repr=False)

    @staticmethod
    def of(parts: Iterable[Traced]) -> "Lineage":
        """Put parts together."""
        whole = Traced()
        for part in parts:
            whole += part
        outgoing: dict[Thing, list[Edge]] = {}
        incoming: dict[Thing, list[Edge]] = {}
        for edge in dict.fromkeys(whole.edges):
            outgoing.setdefault(edge.source, []).append(edge)
            incoming.setdefault(edge.target, []).append(edge)
        return Lineage(
            whole,
            {thing: tuple(edges) for thing, edges in outgoing.items()},
            {thing: tuple(edges) for thing, edges in incoming.items()},
        )

    def leads_to(self, thing: Thing) -> tuple[Edge, ...]:
        """Give what is made from a thing, in one step."""
        return self._from.get(thing, ())

    def comes_from(self, thing: Thing) -> tuple[Edge, ...]:
        """Give what a thing is made from, in one step."""
        return self._to.get(thing, ())

    def columns_of(self, table: str) -> tuple[str, ...]:
        """Give the columns of a table that any edge names, in order."""
        names = {thing.column for thing in (*self._from, *self._to) if thing.whole == Thing("table", table)}
        return tuple(sorted(names - {""}))
