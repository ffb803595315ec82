"""What depends on the tables and columns that a change speaks of, as lineage tells it.

Rules: those of ``impacts``: everything that depends is told with the file that says so, what may depend and could not
be followed is told apart, and that nothing depends is said only where everything was read and followed. One finding for
a table; how much is told and worked out is bounded, and a cut says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from twokey.agents.catalog import inert
from twokey.agents.catalog.facts import Warehouse
from twokey.agents.catalog.lineage.impact import Affected, impact
from twokey.agents.catalog.lineage.schema import source_name
from twokey.agents.catalog.lineage.values import Lineage, Thing
from twokey.agents.catalog.phrases import listed
from twokey.agents.catalog.written import At, Change
from twokey.core.values import Finding

MOST_FOLLOWED: Final = 20_000
"""Things that depend, over all columns of a change, after which no more is worked out."""
MOST_TOLD: Final = 8
"""Things that a finding names."""
MOST_PATHS: Final = 3
KIND: Final = "depends"

Known: TypeAlias = Literal["depends", "nothing", "unsure", "cut"]
"""What is known of a table: something depends; nothing does; nothing is known to, with gaps; too much to work out."""


@dataclass(frozen=True, slots=True)
class Depending:
    """What depends on one column, or on the table as a whole where ``column`` is None: no column of it changed."""

    column: str | None
    sure: tuple[Affected, ...]
    possible: tuple[Affected, ...]


@dataclass(frozen=True, slots=True)
class Dependents:
    """What depends on one table of a change, column by column; columns on which nothing depends are left out."""

    table: str
    columns: tuple[Depending, ...]
    known: Known

    @property
    def things(self) -> tuple[Thing, ...]:
        """Everything that surely depends as a whole, the nearest first."""
        return _wholes(each for one in self.columns for each in one.sure)

    @property
    def possible(self) -> tuple[Thing, ...]:
        """What may depend as a whole, and is not known to."""
        sure = set(self.things)
        return tuple(
            thing for thing in _wholes(each for one in self.columns for each in one.possible) if thing not in sure
        )


def of_change(
    change: Change, lineage: Lineage, warehouse: Warehouse, *, complete: bool, most: int = MOST_FOLLOWED
) -> Mapping[str, Dependents]:
    """Work out what depends on each table that a change says something new of, by the key of the table.

    ``complete`` says that every file was read; gaps of the lineage count beside it. ``most`` bounds the work.
    """
    names = _Names(lineage)
    whole = complete and not lineage.traced.gaps
    room = most
    found: dict[str, Dependents] = {}
    for key in change.changed:
        told = dict.fromkeys(each.column for each in change.written if each.table == key)
        told = {column: None for column in told if column is not None} or told
        name = names.of(warehouse, key, change.places.get(key))
        columns: list[Depending] = []
        for column in told if name is not None else ():
            if room > 0:
                seen = impact(lineage, Thing("table", name or "", (column or "").casefold()))
                room -= 1 + len(seen.sure) + len(seen.possible)
                columns += [Depending(column, seen.sure, seen.possible)] if seen.sure or seen.possible else []
        cut = name is not None and room <= 0
        known: Known = "depends" if columns else "cut" if cut else "nothing" if whole and name is not None else "unsure"
        found[key] = Dependents(key, tuple(columns), known)
    return found


class _Names:
    """Under which name lineage knows a table."""

    def __init__(self, lineage: Lineage) -> None:
        traced = lineage.traced
        edges = (thing for edge in traced.edges for thing in (edge.source, edge.target))
        self._known = {thing.name for thing in (*edges, *traced.named) if thing.kind == "table"}
        self._others = dict(traced.other_names)

    def of(self, warehouse: Warehouse, key: str, at: At | None) -> str | None:
        """Give the name of a table; None where lineage knows nothing of it."""
        table = warehouse.by_key[key]
        whole = (f"{table.schema}.{table.name}" if table.schema else table.name).casefold()
        names = [whole, self._others.get(whole, ""), table.name.casefold()]
        if at is not None:
            names.insert(0, at.node.casefold() if isinstance(at.node, str) else source_name(*at.node))
        return next((name for name in names if name in self._known), None)


def findings(
    found: Iterable[Dependents], names: Mapping[str, str], evidence: tuple[str, ...], *, first: int
) -> tuple[Finding, ...]:
    """Give one finding for each table on which something depends, numbered from ``first``."""
    told = [each for each in found if each.known == "depends"]
    return tuple(
        Finding(
            id=f"f-{first + number}",
            subject="repository",
            kind=KIND,
            claim=_claim(each, names[each.table])[:1000],
            evidence=evidence,
            confidence=95 if each.things else 50,
        )
        for number, each in enumerate(told)
    )


def _claim(found: Dependents, name: str) -> str:
    things, verb = (found.things, "depend") if found.things else (found.possible, "may depend")
    verb = f"{verb}s" if len(things) == 1 and verb == "depend" else verb
    edges = [each.by.path for one in found.columns for each in (one.sure if found.things else one.possible)]
    paths = list(dict.fromkeys(edges))
    said = listed([inert.code(path, 200) for path in paths[:MOST_PATHS]], "and")
    more = " and other files" if len(paths) > MOST_PATHS else ""
    says = "says" if len(paths) == 1 else "say"
    return f"{told(things)} {verb} on {inert.prose(name)}, as {said}{more} {says}."


def told(things: Sequence[Thing], most: int = MOST_TOLD) -> str:
    """Name things for a reader, harmlessly."""
    names = [inert.prose(str(thing)) for thing in things[:most]]
    return listed([*names, "others"], "and") if len(things) > most else listed(names, "and")


def closest(items: Iterable[Affected]) -> tuple[Thing, ...]:
    """Give what depends, and nothing as a whole of which columns are told."""
    things = list(dict.fromkeys(item.thing for item in items))
    parted = {thing.whole for thing in things if thing.column}
    return tuple(thing for thing in things if thing.column or thing not in parted)


def _wholes(items: Iterable[Affected]) -> tuple[Thing, ...]:
    return tuple(dict.fromkeys(each.thing.whole for each in sorted(items, key=lambda each: each.steps)))
