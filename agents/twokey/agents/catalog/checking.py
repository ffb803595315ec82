"""What a repository says of a warehouse, compared with the warehouse: for CI and pre-commit.

Rules
- Problems are what fails the check: a personal column that is not marked, a documented column or table that is gone, a
  documented type that the warehouse does not keep. Everything that is not certain is a note and fails nothing: a
  doubtful column, a table that several nodes may mean, a file that cannot be read.
- Data contracts are compared like property files.
- Somebody's own judgement of a column stays, whatever it is.
- A table counts as gone only where another table of its source is there, so that a source of another database is not.
- Each item has a file and a line, a stable code, and one sentence in which outside text is harmless.

Codes of problems: ``untagged_pii``, ``column_removed``, ``column_renamed``, ``type_narrowed``, ``type_changed``,
``table_removed``. Codes of notes: ``maybe_pii``, ``pii_marked_on_table``, ``not_mapped``, ``unreadable_file``,
``repository_problem``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from twokey.agents.catalog import (
    contract_changes,
    contracts,
    dbt_project,
    dbt_reading,
    inert,
    letter,
    lines,
    reading,
    type_changes,
)
from twokey.agents.catalog.contract_changes import Contracted
from twokey.agents.catalog.dbt_project import Ambiguous, DocumentedNode, Found, Match, Repository, Undocumented
from twokey.agents.catalog.documented import Documented, DocumentedColumn
from twokey.agents.catalog.facts import Column, Table
from twokey.agents.catalog.findings import LEAST_SURE_LEVEL
from twokey.agents.catalog.house import is_marked
from twokey.agents.catalog.looking import alone, understood
from twokey.agents.catalog.understanding import Understanding
from twokey.core.errors import BadInput
from twokey.tools.read.warehouse import SchemaRequest, location

ALIKE: Final = 0.6
"""How much of two names must agree for one to look like the other's new name."""
_NOWHERE: Final = "dbt_project.yml"


@dataclass(frozen=True, slots=True)
class Item:
    """One problem or note. ``line`` counts from 1; ``table`` and ``column`` are outside text."""

    path: str
    line: int
    code: str
    message: str
    table: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome: problems fail the check, notes do not."""

    problems: tuple[Item, ...]
    notes: tuple[Item, ...]
    tables: int
    columns: int


def check(warehouse: str, files: Mapping[str, bytes], *, tables: Sequence[str] = ()) -> Checked:
    """Compare a warehouse with what the files of a repository say of it.

    Args:
        warehouse: Where the warehouse is, as ``canonical_location`` gives it.
        files: Path -> content; may be lazy.
        tables: Filters of tables as in a plan; empty for all.

    Raises:
        BadInput: the warehouse cannot be read, or no table is meant.
        EnvironmentFault: it cannot be reached.

    """
    ask = alone(warehouse)
    schema = reading.schema_of(ask(SchemaRequest())[0])
    found = understood(schema, ask, tuple(tables))
    if not found.chosen:
        raise BadInput("No table of the warehouse matches.", next="Name another table, or none for all.")
    typed = location.parse(warehouse).kind != "files"  # types of CSV files are guesses
    source = dbt_project.slug(letter.short_name(warehouse))
    return compare(found, dbt_reading.read_repository(files), files, typed=typed, source=source)


def compare(
    understanding: Understanding,
    repository: Repository,
    files: Mapping[str, bytes],
    *,
    typed: bool = True,
    source: str = "warehouse",
) -> Checked:
    """Compare what is understood of a warehouse with what a repository says.

    Args:
        understanding: What is understood of the chosen tables.
        repository: What the dbt projects say.
        files: Path -> content, for lines.
        typed: Whether the warehouse declares its types, so that they can be compared.
        source: Name of the source that a table nobody documents would go to.

    """
    comparison = _Comparison(understanding, repository, files, typed, source)
    items = list(comparison.items())
    problems = [item for item in items if item.code in _PROBLEMS]
    return Checked(
        problems=tuple(sorted(problems, key=lambda item: (item.path, item.line))),
        notes=tuple(item for item in items if item.code not in _PROBLEMS),
        tables=len(understanding.tables),
        columns=sum(len(table.columns) for table in understanding.tables),
    )


_PROBLEMS: Final = frozenset(
    {"untagged_pii", "column_removed", "column_renamed", "type_narrowed", "type_changed", "table_removed"}
)


@dataclass(slots=True)
class _Comparison:
    """One comparison; remembers the lines of the files it has looked into."""

    _understanding: Understanding
    _repository: Repository
    _files: Mapping[str, bytes]
    _typed: bool
    _source: str
    _lines: dict[str, Mapping[lines.Place, int]] = field(default_factory=dict[str, Mapping[lines.Place, int]])

    def items(self) -> Iterator[Item]:
        contracted = contract_changes.find(self._understanding, self._files, self._default_schema)
        yield from self._not_read(contracted)
        answered: dict[tuple[str, object], list[Table]] = {}
        for table in self._understanding.warehouse.tables:
            match = self._repository.find(table.name, schema=self._schema(table))
            if isinstance(match, Found):
                answered.setdefault((match.node.path, match.node.properties.node), []).append(table)
            if table.key in self._understanding.chosen:
                yield from self._of_table(table, match, contracted)
        yield from self._tables_gone({node for _, node in answered}, set(self._understanding.chosen))

    def _not_read(self, contracted: Contracted) -> Iterator[Item]:
        for problem in self._repository.problems:
            yield Item(_NOWHERE, 1, "repository_problem", inert.prose(problem, 400))
        for file in self._repository.unreadable:
            yield Item(file.path, 1, "unreadable_file", f"The file was left out: {file.reason}")
        listed = {file.path for file in self._repository.unreadable}
        for path, reason in contracted.unreadable:
            if path not in listed:
                yield Item(path, 1, "unreadable_file", f"The contract was left out: {reason}")
        for key in contracted.several:
            yield Item(_NOWHERE, 1, "not_mapped", f"{inert.prose(key)}: {contract_changes.SEVERAL}", key)

    def _of_table(self, table: Table, match: Match, contracted: Contracted) -> Iterator[Item]:
        if table.key in contracted.spots:
            path, terms = contracted.spots[table.key]
            yield from self._documented(table, DocumentedNode(path, "", contracts.documented(terms)))
        if isinstance(match, Found):
            yield from self._documented(table, match.node)
        elif isinstance(match, Ambiguous):
            path = match.candidates[0] if match.candidates else _NOWHERE
            message = f"{inert.prose(table.key)} was not looked for further: {match.reason}"
            yield Item(path, 1, "not_mapped", message, table.key)
        elif table.key not in contracted.spots and table.key not in contracted.several:
            path = match.properties_path if isinstance(match, Undocumented) else self._new_path(table)
            yield from self._personal(table, None, path, 1)

    @property
    def _default_schema(self) -> str | None:
        return "main" if self._understanding.warehouse.dialect == "sqlite" else None

    def _schema(self, table: Table) -> str | None:
        return table.schema or self._default_schema

    def _new_path(self, table: Table) -> str:
        try:
            schema = self._schema(table)
            known = self._repository.source_of(schema) if schema is not None else None
            return self._repository.new_source_path(known or self._source)
        except BadInput:  # several projects or files could take it; where it stands is for a person to say
            return _NOWHERE

    def _line(self, path: str, said: Documented, column: str | None) -> int:
        if path not in self._lines:
            self._lines[path] = lines.lines_of(self._files[path])
        known = self._lines[path]
        return known.get((said.node, column), known.get((said.node, None), 1))

    def _documented(self, table: Table, node: DocumentedNode) -> Iterator[Item]:
        said = node.properties
        yield from self._personal(table, said, node.path, self._line(node.path, said, None))
        present = {column.name.casefold(): column for column in table.columns}
        new = [column for column in table.columns if said.column(column.name) is None]
        for column in said.columns:
            at = self._line(node.path, said, column.name)
            there = table.by_name.get(column.name) or present.get(column.name.casefold())
            if there is None:
                yield self._gone(table, column, new, node.path, at)
            elif self._typed and column.data_type is not None:
                yield from self._retyped(table, column, there, node.path, at)

    def _gone(self, table: Table, column: DocumentedColumn, new: Sequence[Column], path: str, line: int) -> Item:
        name = f"{inert.prose(table.key)}.{inert.prose(column.name)}"
        near = max(new, key=lambda other: _likeness(column.name, other.name), default=None)
        if near is not None and _likeness(column.name, near.name) >= ALIKE:
            message = f"{name} is documented and gone; {inert.prose(near.name)} looks like its new name."
            return Item(path, line, "column_renamed", message, table.key, column.name)
        return Item(path, line, "column_removed", f"{name} is documented and gone.", table.key, column.name)

    def _retyped(self, table: Table, column: DocumentedColumn, there: Column, path: str, line: int) -> Iterator[Item]:
        verdict = type_changes.compare(
            column.data_type or "", there.declared_type, dialect=self._understanding.warehouse.dialect
        )
        code = {"narrower": "type_narrowed", "other": "type_changed"}.get(verdict)
        if code is not None:
            message = (
                f"{inert.prose(table.key)}.{inert.prose(column.name)} is documented as "
                f"{inert.prose(column.data_type or '', 60)} and is {inert.prose(there.declared_type, 60)}."
            )
            yield Item(path, line, code, message, table.key, column.name)

    def _personal(self, table: Table, said: Documented | None, path: str, line: int) -> Iterator[Item]:
        for about in self._understanding.of(table):
            judged = about.judgement
            known = said.column(about.column.name) if said is not None else None
            if judged.level != "pii" or (known is not None and is_marked(known.meta, known.tags)):
                continue
            name = f"{inert.prose(table.key)}.{inert.prose(about.column.name)}"
            why = "; ".join(judged.reasons)
            code, message = "untagged_pii", f"{name} is personal and is not marked: {why}."
            if judged.doubt or judged.confidence < LEAST_SURE_LEVEL:
                code, message = "maybe_pii", f"{name} may be personal and is not marked: {why}."
            elif said is not None and is_marked(said.meta, said.tags):
                code, message = "pii_marked_on_table", f"{name} is personal and only its table is marked: {why}."
            elif known is None:
                lacking = "is not documented" if said is not None else "stands in a table that nobody documents"
                message = f"{name} is personal and {lacking}: {why}."
            at = self._line(path, said, known.name) if said is not None and known is not None else line
            yield Item(path, at, code, message, table.key, about.column.name)

    def _tables_gone(self, answered: set[object], chosen: set[str]) -> Iterator[Item]:
        """Name the tables of a source that are gone, where others of the same source are there."""
        if len(chosen) < len(self._understanding.warehouse.tables):
            return  # only some tables were asked for
        there = {node[0] for node in answered if isinstance(node, tuple)}
        for node in self._repository.nodes:
            said = node.properties
            if said.source in there and said.node not in answered:
                line = self._line(node.path, said, None)
                message = f"{inert.prose(said.source or '')}.{inert.prose(said.name)} is documented and gone."
                yield Item(node.path, line, "table_removed", message, said.name)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio()
