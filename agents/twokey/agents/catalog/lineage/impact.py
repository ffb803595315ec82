"""What breaks if a column changes: everything that is made from it, step by step, and how sure that is.

Rules: the nearest comes first; each thing is told once, with how it depends and on what. Where a thing below could not
be followed, everything made from it as a whole may depend, too; that is said and kept apart from what is known.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog.lineage.values import Edge, Lineage, Thing

MOST: Final = 5_000
_HOW: Final = {
    "value": "is computed from it",
    "rows": "has its rows decided by it",
    "documented": "uses its table",
    "read": "reads its table",
    "written": "is written from it",
    "trained_on": "was trained on it",
    "registered": "was made from it",
    "deployed": "serves it",
}


@dataclass(frozen=True, slots=True)
class Affected:
    """One thing that depends. ``by`` is the edge that says so, ``steps`` how many there are from what changes."""

    thing: Thing
    by: Edge
    steps: int

    @property
    def words(self) -> str:
        """How it depends, in words."""
        return _HOW[self.by.how]


@dataclass(frozen=True, slots=True)
class Impact:
    """What depends on something. ``sure`` is traced column by column; ``possible`` through a thing as a whole."""

    of: Thing
    sure: tuple[Affected, ...]
    possible: tuple[Affected, ...]


def impact(lineage: Lineage, of: Thing) -> Impact:
    """Work out what depends on a column, or on a table where no column is named."""
    sure = _closure(lineage, of, unsure=False)
    known = {item.thing.whole for item in sure}
    possible = [item for item in _closure(lineage, of, unsure=True) if item.thing.whole not in known]
    return Impact(of, tuple(sure), tuple(possible))


def _closure(lineage: Lineage, of: Thing, *, unsure: bool) -> list[Affected]:
    lost = {gap.path for gap in lineage.traced.gaps} if unsure else frozenset[str]()
    found: dict[Thing, Affected] = {}
    waiting: deque[tuple[Thing, int]] = deque([(of, 0)])
    while waiting and len(found) < MOST:
        thing, steps = waiting.popleft()
        for edge in _steps(lineage, thing, lost, unsure=unsure):
            if edge.target not in found and edge.target.whole != of.whole:
                found[edge.target] = Affected(edge.target, edge, steps + 1)
                waiting.append((edge.target, steps + 1))
    return list(found.values())


def _steps(lineage: Lineage, thing: Thing, lost: Collection[str], *, unsure: bool) -> Iterator[Edge]:
    """Give the edges from a thing. What a whole table leads to, all of its columns lead to.

    What only the whole table is known to lead to, a column may lead to: exposures always, a model where it could not be
    followed, and everything else that says which tables it reads and not which columns.
    """
    yield from lineage.leads_to(thing)
    if thing.kind != "table":
        return
    if not thing.column:
        for column in lineage.columns_of(thing.name):
            yield from lineage.leads_to(Thing("table", thing.name, column))
        return
    for edge in lineage.leads_to(thing.whole):
        if edge.target.kind == "exposure" or (unsure and (edge.target.kind != "table" or edge.path in lost)):
            yield edge
