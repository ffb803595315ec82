"""Lineage of dbt projects: which columns of models come from which columns below them, and what is exposed.

Rules: models are read in the order in which they build on each other, so that the columns of one are known to the
next; a circle, a model in Python, a template that computes names and SQL that cannot be resolved are gaps with their
reason. A name that could be two things is a gap and is not guessed. Which tables a model reads is told even where its
columns cannot be followed, in every branch of its template. Nothing is run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.catalog.dbt_project import Repository, SqlModel
from twokey.agents.catalog.lineage import model_sql, template
from twokey.agents.catalog.lineage.exposures import call_name, exposed
from twokey.agents.catalog.lineage.schema import Schemas
from twokey.agents.catalog.lineage.template import Call
from twokey.agents.catalog.lineage.values import Edge, Gap, Thing, Traced

MAX_MODELS: Final = 5_000
MAX_TOTAL: Final = 8 * 1024 * 1024
"""Characters of SQL that are read of one repository."""


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
        warehouse: Columns of the tables of the warehouse, by ``schema.table`` (or ``table``) in lower case.
        dialect: sqlglot's name of the warehouse's SQL; none for what most understand.

    """
    return _Tracing(repository, files, warehouse, dialect).done()


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
        self._dialect = dialect
        self._models: dict[str, list[SqlModel]] = {}
        for model in repository.models[:MAX_MODELS]:
            self._models.setdefault(model.name.casefold(), []).append(model)
        self._left_out = repository.models[MAX_MODELS:]
        self._schemas = Schemas((node.properties for node in repository.nodes), warehouse)
        self._paths = {node.path for node in repository.nodes}
        self._texts: dict[str, str] = {}
        self._named: dict[str, tuple[Call, ...]] = {}
        self._made: dict[str, _Made] = {}

    def done(self) -> Traced:
        self._take()
        for name in self._in_order():
            self._made[name] = self._trace(name, self._models[name])
        made = [self._made[name] for name in sorted(self._made)]
        things, other_names = self._schemas.known(self._models)
        gaps = [gap for each in made for gap in each.gaps]
        gaps += [Gap(model.path, "", "there are more models than are read") for model in self._left_out]
        return Traced(
            edges=(*(edge for each in made for edge in each.edges), *exposed(self._files, self._paths)),
            gaps=tuple(gaps),
            tables=len(made),
            followed=sum(1 for each in made if not each.gaps),
            columns=sum(len(each.columns) for each in made),
            columns_followed=sum(each.followed for each in made),
            named=(
                *things,
                *(Thing("table", name, column) for name, each in sorted(self._made.items()) for column in each.columns),
            ),
            other_names=other_names,
        )

    # -- order --------------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        """Take the text of every model, as far as the bound allows, and what it names."""
        left = MAX_TOTAL
        for model in (model for name in sorted(self._models) for model in self._models[name]):
            text = self._files.get(model.path, b"").decode("utf-8", "replace")
            left -= len(text)
            if left >= 0:
                self._texts[model.path] = text
                self._named[model.path] = template.named(text)

    def _in_order(self) -> Iterator[str]:
        """Give every model after those that it builds on; in a circle, one of them comes first all the same."""
        begun: set[str] = set()
        for first in sorted(self._models):
            waiting = [(first, iter([first]))]
            while waiting:
                name, below = waiting[-1]
                following = next((each for each in below if each in self._models and each not in begun), None)
                if following is not None:
                    begun.add(following)
                    waiting.append((following, iter(self._below(following))))
                else:
                    waiting.pop()
                    if waiting:
                        yield name

    def _below(self, name: str) -> list[str]:
        calls = [call for model in self._models[name] for call in self._named.get(model.path, ())]
        return [call_name(call) for call in calls if call.parts[0] == "ref"]

    # -- models -------------------------------------------------------------------------------------------------------

    def _trace(self, name: str, models: list[SqlModel]) -> _Made:
        path = models[0].path
        if len(models) > 1:
            made = self._lost(name, path, "several models have its name")
            for model in models[1:]:
                made.gaps.append(Gap(model.path, "", "several models have its name"))
        elif path not in self._texts:
            made = self._lost(name, path, "there is more SQL than is read in one go")
        elif not path.endswith(".sql"):
            made = self._lost(name, path, "it is made by Python")
        else:
            text = self._texts[path]
            first, whole = (template.fill(text, incremental=incremental) for incremental in (False, True))
            if first is None or whole is None:
                made = self._lost(name, path, "its SQL is too long")
            else:
                itself = any(call.parts == ("this",) for call in whole.calls)
                own = tuple(self._read(first, ()).values) if itself else ()
                made = self._kept(name, path, whole, self._read(whole, own))
        told = {edge.source for edge in made.edges if edge.how == "read"}
        for model in models:
            below = sorted({Thing("table", call_name(call)) for call in self._named.get(model.path, ())} - told)
            target = Thing("table", name)
            made.edges += [Edge(thing, target, "read", model.path) for thing in below if thing != target]
        return made

    def _lost(self, name: str, path: str, reason: str) -> _Made:
        return _Made(self._schemas.columns(name), gaps=[Gap(path, "", reason)])

    def _read(self, filled: template.Filled, own: tuple[str, ...]) -> model_sql.Read:
        known = dict(self._schemas.plain)
        for number, call in enumerate(filled.calls):
            known[template.table_name(number)] = own if call.parts == ("this",) else self._columns(call)
        return model_sql.read(filled.sql, known, self._dialect)

    def _kept(self, name: str, path: str, filled: template.Filled, read: model_sql.Read) -> _Made:
        target = Thing("table", name)
        calls = {template.table_name(number): call for number, call in enumerate(filled.calls)}
        meant = {table: _meant(name, table, calls.get(table)) for table in read.tables}
        made = _Made(tuple(read.values) or self._schemas.columns(name))
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

    def _columns(self, call: Call) -> tuple[str, ...]:
        """Give the columns of what a template names, as far as they are known."""
        made = self._made.get(call_name(call)) if call.parts[0] == "ref" else None
        return made.columns if made is not None else self._schemas.columns(call_name(call))


def _meant(name: str, table: str, call: Call | None) -> Thing | None:
    """Give the thing that a table of a statement is; none where it is the model itself."""
    if call is not None:
        return None if call.parts == ("this",) else Thing("table", call_name(call))
    return Thing("table", table) if table != name else None
