"""Lineage of dbt projects: which columns of models come from which columns below them, and what is exposed.

Rules: models are read in the order in which they build on each other, so that the columns of one are known to the
next; a circle, a model in Python, a template that computes names and SQL that cannot be resolved are gaps with their
reason. A name that could be two things is a gap and is not guessed. Nothing is run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.catalog.dbt_project import Repository, SqlModel
from twokey.agents.catalog.documented import Documented
from twokey.agents.catalog.lineage import model_sql, template
from twokey.agents.catalog.lineage.template import Call
from twokey.agents.catalog.lineage.values import Edge, Gap, Thing, Traced
from twokey.agents.catalog.yaml_tree import Plain, Unreadable, parse, plain

MAX_MODELS: Final = 5_000
MAX_TOTAL: Final = 8 * 1024 * 1024
"""Characters of SQL that are read of one repository."""
_CALL: Final = re.compile(r"(?:ref|source)\(.{1,400}\)", re.DOTALL)


def trace(
    repository: Repository,
    files: Mapping[str, bytes],
    warehouse: Mapping[str, tuple[str, ...]],
    dialect: str | None = None,
) -> Traced:
    """Trace every model and exposure of a repository.

    Args:
        repository: Its dbt projects as they were read.
        files: Path to content, as it was read for ``repository``.
        warehouse: Columns of the tables of the warehouse, by table name in lower case.
        dialect: sqlglot's name of the warehouse's SQL; none for what most understand.

    """
    return _Tracing(repository, files, warehouse, dialect).done()


def source_name(source: str, table: str) -> str:
    """Give the name under which lineage knows a table of a source."""
    return f"{source}.{table}".casefold()


def node_name(node: Documented) -> str:
    """Give the name under which lineage knows a node."""
    return source_name(node.source, node.name) if node.source is not None else node.name.casefold()


@dataclass(slots=True)
class _Made:
    """What one model was found to be."""

    columns: tuple[str, ...] = ()
    edges: list[Edge] = field(default_factory=list[Edge])
    gaps: list[Gap] = field(default_factory=list[Gap])
    followed: int = 0


class _Tracing:
    def __init__(
        self,
        repository: Repository,
        files: Mapping[str, bytes],
        warehouse: Mapping[str, tuple[str, ...]],
        dialect: str | None,
    ) -> None:
        self._files = files
        self._warehouse = warehouse
        self._dialect = dialect
        self._models: dict[str, list[SqlModel]] = {}
        for model in repository.models[:MAX_MODELS]:
            self._models.setdefault(model.name.casefold(), []).append(model)
        self._documented = {node_name(node.properties): node.properties for node in repository.nodes}
        self._paths = sorted({node.path for node in repository.nodes} | {path for path in files if _may_expose(path)})
        self._made: dict[str, _Made] = {}
        self._under_way: list[str] = []
        self._left = MAX_TOTAL

    def done(self) -> Traced:
        for name in sorted(self._models):
            self._make(name)
        made = [self._made[name] for name in sorted(self._made)]
        exposed = list(self._exposed())
        return Traced(
            edges=tuple(edge for each in made for edge in each.edges) + tuple(exposed),
            gaps=tuple(gap for each in made for gap in each.gaps),
            tables=len(made),
            followed=sum(1 for each in made if not each.gaps),
            columns=sum(len(each.columns) for each in made),
            columns_followed=sum(each.followed for each in made),
        )

    # -- models -------------------------------------------------------------------------------------------------------

    def _make(self, name: str) -> _Made:
        found = self._made.get(name)
        if found is None:
            self._under_way.append(name)
            found = self._made[name] = self._trace(name, self._models[name])
            self._under_way.pop()
        return found

    def _trace(self, name: str, models: list[SqlModel]) -> _Made:
        path = models[0].path
        columns = self._told(name)
        if len(models) > 1:
            return _Made(columns, gaps=[Gap(path, "", "several models have its name")])
        if not path.endswith(".sql"):
            return _Made(columns, gaps=[Gap(path, "", "it is made by Python")])
        text = self._files.get(path, b"").decode("utf-8", "replace")
        self._left -= len(text)
        if self._left < 0:
            return _Made(columns, gaps=[Gap(path, "", "there is more SQL than is read in one go")])
        first, whole = (template.fill(text, incremental=incremental) for incremental in (False, True))
        if first is None or whole is None:
            return _Made(columns, gaps=[Gap(path, "", "its SQL is too long")])
        own = tuple(self._read(first, ()).values)
        return self._kept(name, path, whole, self._read(whole, own))

    def _read(self, filled: template.Filled, own: tuple[str, ...]) -> model_sql.Read:
        known = dict(self._warehouse)
        for number, call in enumerate(filled.calls):
            known[template.table_name(number)] = own if call.parts == ("this",) else self._columns(call)
        return model_sql.read(filled.sql, known, self._dialect)

    def _kept(self, name: str, path: str, filled: template.Filled, read: model_sql.Read) -> _Made:
        target = Thing("table", name)
        meant = {table: self._meant(name, table, filled) for table in read.tables}
        made = _Made(tuple(read.values) or self._told(name))
        for column, sources in sorted(read.values.items()):
            for source in sorted(sources):
                thing = meant.get(source.table)
                if thing is not None:
                    below = Thing("table", thing.name, source.column)
                    made.edges.append(Edge(below, Thing("table", name, column), "value", path))
        for source in sorted(read.rows):
            thing = meant.get(source.table)
            if thing is not None:
                made.edges.append(Edge(Thing("table", thing.name, source.column), target, "rows", path))
        for table in sorted(read.tables):
            thing = meant[table]
            if thing is not None and thing != target:
                made.edges.append(Edge(thing, target, "read", path))
        made.gaps += [Gap(path, "" if column == "*" else column, why) for column, why in sorted(read.unknown.items())]
        if filled.partial and not read.unknown:
            made.gaps.append(Gap(path, "", filled.partial))
        made.followed = len(read.values) - sum(1 for column in read.unknown if column in read.values)
        return made

    def _meant(self, name: str, table: str, filled: template.Filled) -> Thing | None:
        """Give the thing that a table of a statement is; none where it is the model itself."""
        for number, call in enumerate(filled.calls):
            if table == template.table_name(number):
                return None if call.parts == ("this",) else Thing("table", _named(call))
        return Thing("table", table) if table != name else None

    def _columns(self, call: Call) -> tuple[str, ...]:
        """Give the columns of what a template names, as far as they are known."""
        meant = _named(call)
        if call.parts[0] == "ref" and meant in self._models and meant not in self._under_way:
            return self._make(meant).columns
        return self._told(meant)

    def _told(self, name: str) -> tuple[str, ...]:
        """Give the columns that the warehouse has for a table, else those that are documented."""
        node = self._documented.get(name)
        at = name.rpartition(".")[2] if node is None or node.identifier is None else node.identifier.casefold()
        columns = self._warehouse.get(at, ())
        if not columns and node is not None:
            columns = tuple(column.name.casefold() for column in node.columns)
        return columns

    # -- exposures ----------------------------------------------------------------------------------------------------

    def _exposed(self) -> Iterator[Edge]:
        for path in self._paths:
            for exposure in _exposures(self._files.get(path, b"")):
                target = Thing("exposure", str(exposure["name"]))
                depends = exposure.get("depends_on")
                for item in depends if isinstance(depends, list) else ():
                    call = _called(item)
                    if call is not None:
                        yield Edge(Thing("table", _named(call)), target, "documented", path)


def _named(call: Call) -> str:
    return source_name(*call.parts[1:]) if call.parts[0] == "source" else call.parts[-1].casefold()


def _called(item: Plain) -> Call | None:
    if not isinstance(item, str) or not _CALL.fullmatch(item.strip()):
        return None
    filled = template.fill("{{ " + item + " }}", incremental=False)
    return filled.calls[0] if filled is not None and filled.calls else None


def _may_expose(path: str) -> bool:
    return path.endswith((".yml", ".yaml"))


def _exposures(data: bytes) -> Iterator[Mapping[str, Plain]]:
    if b"exposures" not in data:
        return
    try:
        root = parse(data).root
    except Unreadable:  # whoever reads properties says so
        return
    content = None if root is None else plain(root)
    found = content.get("exposures") if isinstance(content, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item
