"""The change of a dbt repository that closes the gap between what it says and what was understood.

Rules
- Only what is missing is added; what a person wrote stays, also where we would say something else.
- Every added statement is one of the findings given; without its finding it is not written.
- A table is documented where the repository already speaks of it; where several places may be meant nothing is
  guessed. A table nobody speaks of becomes part of a new source.
- Where the repository holds data contracts, the same statements go there too (``contract_changes``).
- Only tests that the project can run: ``unique``, ``not_null``, ``relationships``, ``accepted_values``, a singular test
  for a key of several columns and for the order of two dates; and those of a package that the project says it uses. A
  test that today's data would fail is added with ``severity: warn``.
- Names and values reach the files only through the editor of ``properties``, or where ``vetting`` allows them.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from twokey.agents.catalog import contract_changes, dbt_project, dbt_tests, types, vetting, worth
from twokey.agents.catalog.carrying import Draft, Singular, carried_out
from twokey.agents.catalog.dbt_project import Ambiguous, Found, Repository, Undocumented
from twokey.agents.catalog.documented import Documented, DocumentedColumn
from twokey.agents.catalog.edits import AddColumn, AddDataType, AddMeta, AddNode, AddTests, Column, Edit, SetDescription
from twokey.agents.catalog.facts import Join, Key, Table
from twokey.agents.catalog.findings import UNNAMABLE, Findings
from twokey.agents.catalog.house import KEY, House, is_marked
from twokey.agents.catalog.judgement import PERSONAL
from twokey.agents.catalog.understanding import About, Understanding
from twokey.agents.catalog.vetting import JsonLike, NodeName, NotAllowed
from twokey.agents.catalog.written import At, Change, Where
from twokey.core.errors import BadInput
from twokey.core.values import Finding
from twokey.tools.read.warehouse import Inspected

MAX_LINES: Final = 9_000
"""Lines one change may add, roughly; tables beyond are left for the next."""
_LINES_PER_COLUMN: Final = 9


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a table is documented: the file, the address in it, what it says so far, and the project."""

    path: str
    node: NodeName
    said: Documented | None
    project: str
    kind: str = "models"
    schema: str | None = None


def work_out(
    understanding: Understanding,
    findings: Findings,
    repository: Repository,
    house: House,
    files: Mapping[str, bytes],
    *,
    source: str,
    default_schema: str | None,
) -> Change:
    """Work the change out.

    Args:
        understanding: What is understood of the chosen tables.
        findings: The claims that may be written.
        repository: What the repository says so far.
        house: Its habits.
        files: Its files, path -> bytes.
        source: Name for a source that has to be made.
        default_schema: The schema of tables that come without one (``main`` in SQLite), None where there is none.

    """
    spoken = {table for table, _, kind in findings.by_place if kind != UNNAMABLE}
    contracted = contract_changes.find(understanding, files, default_schema)
    spots, left = _spots(understanding, spoken, repository, source, default_schema)
    left += [(key, contract_changes.SEVERAL) for key in contracted.several]
    if not any(project.declared for project in repository.projects):  # no dbt project: a contract says it all
        spots = {key: spot for key, spot in spots.items() if spot.said is not None or key not in contracted.spots}
    done, later = _fitting([table for table in understanding.tables if table.key in {*spots, *contracted.spots}])
    for table in later:
        if table.key in spots and spots[table.key].said is None:
            del spots[table.key]
    draft = Draft()
    for table in done:
        if table.key in spots:
            _Writer(understanding, findings, spots, house, draft, table).write()
    kept = {table.key: contracted.spots[table.key] for table in done if table.key in contracted.spots}
    terms = contract_changes.draft(understanding, findings, replace(contracted, spots=kept))
    changed = carried_out(draft, terms, files, house)
    return replace(
        changed,
        documented=tuple(table.key for table in done),
        new=tuple(table.key for table in done if table.key in spots and spots[table.key].said is None),
        left=tuple(left),
        later=tuple(table.key for table in later),
        problems=tuple(f"{path}: the contract was left out. {reason}" for path, reason in contracted.unreadable),
        places={key: At(spot.path, spot.node) for key, spot in spots.items()},
    )


def _fitting(tables: Sequence[Table]) -> tuple[list[Table], list[Table]]:
    """Give the tables that fit into one change, and the others."""
    room, done, later = MAX_LINES, list[Table](), list[Table]()
    for table in tables:
        room -= _LINES_PER_COLUMN * (len(table.columns) + 1)
        (later if room < 0 and done else done).append(table)
    return done, later


# --- where -------------------------------------------------------------------------------------------------------


def _spots(
    understanding: Understanding, spoken: set[str], repository: Repository, source: str, default_schema: str | None
) -> tuple[dict[str, Spot], list[Where]]:
    """Find the place of every table of the warehouse that is documented, and of every chosen one that is not."""
    spots: dict[str, Spot] = {}
    left: list[Where] = []
    wanted = spoken.intersection(understanding.chosen)
    for table in understanding.warehouse.tables:
        schema = table.schema or default_schema
        match = repository.find(table.name, schema=schema)
        if isinstance(match, Found):
            node = match.node
            spots[table.key] = Spot(node.path, node.properties.node, node.properties, node.project)
        elif table.key not in wanted:
            continue
        elif isinstance(match, Undocumented):
            model = match.model
            spots[table.key] = Spot(match.properties_path, model.name, None, model.project)
        elif isinstance(match, Ambiguous):
            left.append((table.key, match.reason))
        else:
            spot = _new_source(repository, table, source, schema)
            if isinstance(spot, Spot):
                spots[table.key] = spot
            else:
                left.append((table.key, spot))
    return _one_table_a_node(understanding, spots, wanted, left)


def _one_table_a_node(
    understanding: Understanding, spots: dict[str, Spot], wanted: set[str], left: list[Where]
) -> tuple[dict[str, Spot], list[Where]]:
    """Keep one table for each node: the latest of its versions, else none, so that nothing is documented twice."""
    tables: dict[tuple[str, NodeName], list[str]] = {}
    for key, spot in spots.items():
        if spot.said is not None or isinstance(spot.node, str):  # a table of a new source is no node yet
            tables.setdefault((spot.path, spot.node), []).append(key)
    for keys in tables.values():
        if len(keys) == 1:
            continue
        said = spots[keys[0]].said
        latest = said.versions[0] if said is not None and said.versions else None
        named = [key for key in keys if understanding.warehouse.by_key[key].name == latest]
        kept = named[0] if len(named) == 1 else None
        for key in keys:
            if key != kept:
                del spots[key]
                reason = "It is another version of a model that is documented once." if kept else _SEVERAL
                left += [(key, reason)] if key in wanted else []
    return spots, left


_SEVERAL: Final = (
    "More than one table of the warehouse answers to the same node; which one it describes is not certain."
)


def _new_source(repository: Repository, table: Table, source: str, schema: str | None) -> Spot | str:
    if not table.columns:
        return "It has no columns."
    try:
        vetting.name(table.name, "name of the table")
    except NotAllowed as error:
        return error.reason
    name: str | None = source
    if schema is not None:
        try:
            name = repository.source_of(schema)
        except BadInput:
            name = None  # several sources stand for the schema, so none of them is clearly meant
    taken = {node.properties.source for node in repository.nodes}
    if name is None:
        name = source
        while name in taken:
            name += "_tables"
    try:
        path = repository.new_source_path(name, project=_project(repository))
    except BadInput as error:
        return error.message
    return Spot(path, (name, table.name), None, _project(repository) or "", schema=schema if schema != name else None)


def _project(repository: Repository) -> str | None:
    """Give the project that a new source goes to: the only one, or the one at the top."""
    roots = [project.root for project in repository.projects]
    return roots[0] if len(roots) == 1 else "" if "" in roots else None


# --- what --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Writer:
    """Writes the edits of one table."""

    understanding: Understanding
    findings: Findings
    spots: Mapping[str, Spot]
    house: House
    draft: Draft
    table: Table

    @property
    def spot(self) -> Spot:
        return self.spots[self.table.key]

    @property
    def dialect(self) -> str:
        return self.understanding.warehouse.dialect

    def write(self) -> None:
        spot, said = self.spot, self.spot.said
        described = self._finding(None, "describes")
        text = self.understanding.descriptions[self.table.key].text if described else None
        if said is None:
            edit = AddNode(spot.node, description=text, schema=spot.schema)
            self._announce()
            self._add(edit, *([described] if described else []))
        elif said.description is None and text is not None and described is not None:
            self._add(SetDescription(spot.node, None, text), described)
        known = [
            said.column(about.column.name) if said is not None else None for about in self.understanding.of(self.table)
        ]
        listed = [column.name for column in said.columns] if said is not None else []
        keeps_order = listed == [column.name for column in known if column is not None]
        after = "" if listed and keeps_order else None
        for about, column in zip(self.understanding.of(self.table), known, strict=True):
            written = self._column(about, column, after)
            after = written if after is not None and written is not None else after
        self._whole_key()
        self._orders()
        self._freshness()

    def _announce(self) -> None:
        """Remember that a table of a source is there only once this change is."""
        if not isinstance(self.spot.node, str):
            with suppress(NotAllowed):
                self.draft.new[vetting.relation(self.spot.node)] = self.spot.path

    def _finding(self, column: str | None, kind: str) -> Finding | None:
        return self.findings.by_place.get((self.table.key, column, kind))

    def _add(self, edit: Edit, *findings: Finding) -> None:
        self.draft.add(self.spot.path, edit, self.table.key, *findings)

    def _column(self, about: About, said: DocumentedColumn | None, after: str | None) -> str | None:
        """Write the edits of one column; gives its name in the file, None where it is not listed there."""
        name = about.column.name
        described, typed = self._finding(name, "describes"), self._finding(name, "data_type")
        judged = self._finding(name, "sensitivity") if self._worth_marking(about) else None
        text = about.description.text if described is not None and about.description is not None else None
        data_type = types.data_type(about.column) if typed is not None else None
        meta = self._meta(about) if judged is not None else {}
        if said is None:
            claims = [finding for finding in (described, typed, judged) if finding is not None]
            tests = self._tests(about, ())
            if not claims and not tests:
                return None
            quote = _must_quote(name, self.dialect)
            self._add(AddColumn(self.spot.node, Column(name, text, data_type, (), meta, quote=quote), after), *claims)
        else:
            name = said.name
            tests = self._tests(about, said.tests)
            if said.description is None and text is not None and described is not None:
                self._add(SetDescription(self.spot.node, name, text), described)
            if said.data_type is None and data_type is not None and typed is not None:
                self._add(AddDataType(self.spot.node, name, data_type), typed)
            if judged is not None and not is_marked(said.meta, said.tags):
                self._add(AddMeta(self.spot.node, name, meta), judged)
        unit, told = worth.unit_of(about, self._inspected), self._finding(name, "unit")
        if unit is not None and told is not None and (said is None or _UNITS.isdisjoint(said.meta)):
            self._add(AddMeta(self.spot.node, name, {"unit": unit}), told)
        for spec, finding in tests:
            self._add(AddTests(self.spot.node, name, [spec]), finding)
        return name

    def _worth_marking(self, about: About) -> bool:
        """Leave out that a column is ordinary, unless the house says that, too."""
        return self.house.marks_ordinary or about.judgement.level in {"pii", "financial"}

    def _meta(self, about: About) -> dict[str, JsonLike]:
        judgement = about.judgement
        meta: dict[str, JsonLike] = {KEY: self.house.words[judgement.level]}
        if judgement.kind in PERSONAL and judgement.level == "pii":
            meta["personal_data"] = judgement.kind
        return meta

    def _tests(self, about: About, present: Sequence[str]) -> list[tuple[JsonLike, Finding]]:
        found: list[tuple[JsonLike, Finding]] = []
        key, keyed = self.understanding.keys.get(self.table.key), self._finding(None, "primary_key")
        column = about.column.name
        if key is not None and keyed is not None and column in key.columns:
            wanted = ("unique", "not_null") if len(key.columns) == 1 else ("not_null",)
            found += [(test, keyed) for test in wanted if test not in present]
        related = self._finding(column, "relationship")
        if (
            about.join is not None
            and related is not None
            and len(about.join.columns) == 1
            and "relationships" not in present
        ):
            spec = self._relationship(about.join)
            found += [(spec, related)] if spec is not None else []
        values = self._finding(column, "accepted_values")
        if about.accepted is not None and values is not None and "accepted_values" not in present:
            body: dict[str, JsonLike] = {"values": list(about.accepted.values)}
            if all(isinstance(value, int) for value in about.accepted.values):
                body["quote"] = False
            if not about.accepted.holds:
                body["config"] = {"severity": "warn"}
            found.append(({"accepted_values": body}, values))
        have = [*present, *(str(spec) for spec, _ in found if isinstance(spec, str))]
        found += dbt_tests.of_column(about, self._inspected, self._finding, self._packages, have)
        return found

    @property
    def _inspected(self) -> Inspected | None:
        return self.understanding.inspections.get(self.table.key)

    @property
    def _packages(self) -> frozenset[str]:
        return self.house.packages.get(self.spot.project, frozenset())

    def _relationship(self, join: Join) -> JsonLike:
        """Give the test of a relationship, or None where its parent is not documented or cannot be named."""
        spot = self.spots.get(join.parent)
        if spot is None:
            return None
        try:
            body: dict[str, JsonLike] = {
                "to": vetting.relation(spot.node),
                "field": _in_sql(join.targets[0], self.dialect),
            }
        except NotAllowed:
            return None
        if join.orphans:
            body["config"] = {"severity": "warn"}
        return {"relationships": body}

    def _whole_key(self) -> None:
        """Test a key of several columns: dbt has no generic test for it, so a singular one is written."""
        key, keyed = self.understanding.keys.get(self.table.key), self._finding(None, "primary_key")
        if key is None or keyed is None or len(key.columns) < 2:
            return
        text = key_test(self.spot.node, key, self.dialect)
        if text is not None:
            name = f"assert_{dbt_project.slug(self.table.name)}_key_is_unique.sql"
            path = str(PurePosixPath(self.house.tests_folder(self.spot.project), name))
            self.draft.tests[path] = Singular(text, keyed, self.table.key, self.spot.path)

    def _orders(self) -> None:
        """Test the order of two dates, where no package does: a singular test for each."""
        for column in self.table.columns:
            order, told = worth.order_of(self._inspected, column.name), self._finding(column.name, "date_order")
            if order is None or told is None or dbt_tests.by_package(order, self._packages):
                continue
            text = dbt_tests.order_test(self.spot.node, order, lambda name: _must_quote(name, self.dialect))
            if text is not None:
                name = f"assert_{dbt_project.slug(self.table.name)}_{dbt_project.slug(order.column)}_in_order.sql"
                path = str(PurePosixPath(self.house.tests_folder(self.spot.project), name))
                self.draft.tests[path] = Singular(text, told, self.table.key, self.spot.path, test="dates in order")

    def _freshness(self) -> None:
        """Say when a source is late, where the rhythm of its rows tells and the database has times."""
        arrivals, told = worth.on_time(self.table, self._inspected), self._finding(None, "freshness")
        if arrivals is None or told is None or self.dialect == "sqlite" or (self.spot.said and self.spot.said.fresh):
            return
        edit = dbt_tests.freshness(self.spot.node, self.table, arrivals)
        if edit is not None:
            self._add(edit, told)


_UNITS: Final = frozenset({"unit", "units", "unit_of_measure", "uom"})


def key_test(node: NodeName, key: Key, dialect: str) -> str | None:
    """Write the singular test of a key of several columns; None where a name may not stand in SQL."""
    try:
        relation = vetting.relation(node)
    except NotAllowed:
        return None
    if not all(_IDENTIFIER.fullmatch(column) for column in key.columns):
        return None
    written = [
        f"{{{{ adapter.quote('{column}') }}}}" if _must_quote(column, dialect) else column for column in key.columns
    ]
    columns = ",\n    ".join(written)
    return (
        "-- A row is identified by these columns together: this finds combinations that occur more than once.\n"
        f"select\n    {columns},\n    count(*) as occurrences\nfrom {{{{ {relation} }}}}\n"
        f"group by\n    {columns}\nhaving count(*) > 1\n"
    )


_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_RESERVED: Final = frozenset(
    """
    all and any as asc between both by case cast check collate column constraint create cross current_date
    current_time current_timestamp current_user default desc distinct do else end except exists false fetch for
    foreign from full grant group having in index inner intersect into is join leading left like limit natural
    not null offset on only or order outer over primary references right select session_user some table then to
    trailing true union unique user using values when where window with
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def _must_quote(column: str, dialect: str) -> bool:
    """Tell whether SQL needs quotes around a column: no plain identifier, reserved, or folded by the database."""
    if not _IDENTIFIER.fullmatch(column) or column.lower() in _RESERVED:
        return True
    if dialect.startswith(("postgres", "redshift")):
        return column != column.lower()
    return dialect.startswith(("snowflake", "oracle")) and column != column.upper()


def _in_sql(column: str, dialect: str) -> str:
    """Write the column a relationship refers to, as the test pastes it into SQL."""
    return f'"{column}"' if _must_quote(column, dialect) else column
