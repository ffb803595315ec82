"""What is known of tables before any SQL is read: which there are, and their columns.

Rules: a table of the warehouse is known by schema and name. A node of the repository is the one of its schema, or the
only one of its name; where several could be meant, what is documented counts, and where nothing is, nothing is known.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from twokey.agents.catalog.documented import Documented
from twokey.agents.catalog.lineage.values import Thing

_TEMPLATE: Final = "{"


def source_name(source: str, table: str) -> str:
    """Give the name under which lineage knows a table of a source."""
    return f"{source}.{table}".casefold()


def node_name(node: Documented) -> str:
    """Give the name under which lineage knows a node."""
    return source_name(node.source, node.name) if node.source is not None else node.name.casefold()


class Schemas:
    """The tables that a repository documents and those of the warehouse.

    Args:
        nodes: What the property files document.
        warehouse: Columns of the tables of the warehouse by ``schema.table``, or ``table`` where it has no schemas; in
            lower case.

    """

    def __init__(self, nodes: Iterable[Documented], warehouse: Mapping[str, tuple[str, ...]]) -> None:
        self._documented = {node_name(node): node for node in nodes}
        self._warehouse = warehouse
        self._by_table: dict[str, list[str]] = {}
        for name in warehouse:
            self._by_table.setdefault(name.rpartition(".")[2], []).append(name)
        self.plain: Mapping[str, tuple[str, ...]] = dict(warehouse) | {
            table: warehouse[names[0]] for table, names in self._by_table.items() if len(names) == 1
        }
        """Columns of tables by the names that SQL calls them by."""

    def columns(self, name: str) -> tuple[str, ...]:
        """Give the columns that the warehouse has for what lineage calls ``name``, else those that are documented."""
        node = self._documented.get(name)
        columns = self._warehouse.get(self._is(name, node) or "", ())
        if not columns and node is not None:
            columns = tuple(column.name.casefold() for column in node.columns)
        return columns

    def _is(self, name: str, node: Documented | None) -> str | None:
        """Give the table of the warehouse that this is."""
        schema, _, table = name.rpartition(".")
        if node is not None:
            schema = (node.schema or schema).casefold()
            table = table if node.identifier is None else node.identifier.casefold()
        fits = self._by_table.get(table.rpartition(".")[2], [])
        exact = [each for each in fits if schema and _TEMPLATE not in schema and each == f"{schema}.{table}"]
        found = exact or fits
        return found[0] if len(found) == 1 else None

    def known(self, models: Iterable[str]) -> tuple[tuple[Thing, ...], tuple[tuple[str, str], ...]]:
        """Give every table and column that is told of beside the models, and what else the warehouse calls them."""
        names = dict.fromkeys([*self._documented, *models])
        is_a = {table: name for name in names if (table := self._is(name, self._documented.get(name))) is not None}
        is_a |= {other: name for name, node in self._documented.items() if (other := _outside(node)) not in {"", name}}
        things: list[Thing] = []
        for name in names:
            node = self._documented.get(name)
            told = [column.name.casefold() for column in node.columns] if node is not None else []
            things += _things(name, (*told, *self.columns(name)))
        for table, columns in self._warehouse.items():
            if table not in is_a:
                bare = table.rpartition(".")[2]
                things += _things(bare if len(self._by_table[bare]) == 1 and bare not in names else table, columns)
        return tuple(dict.fromkeys(things)), tuple(is_a.items())


def _outside(node: Documented) -> str:
    """Give what a source's table is called in its database, as far as its file says."""
    schema = (node.schema or "").casefold()
    if node.source is None or not schema or _TEMPLATE in schema:
        return ""
    return f"{schema}.{(node.identifier or node.name).casefold()}"


def _things(name: str, columns: Iterable[str]) -> Iterator[Thing]:
    yield Thing("table", name)
    yield from (Thing("table", name, column) for column in columns)
