"""Reads a DuckDB file, or CSV and Parquet files as tables, through an in-process DuckDB that is locked down first.

Rules:
- a database is opened ``read_only``; external access, extensions, persistent secrets, spilling to disk and Python
  variables are off, and the configuration is locked before anything of the database is looked at;
- of a folder only regular files that lie in it count, not those of its subfolders; a link that leads out of it is
  listed as unreadable and never opened; the files of one call are the only paths DuckDB may touch;
- the first row of a CSV names its columns. ``profile`` and ``keys`` read CSV values as the text they are (``00123``
  keeps its zeros); ``schema`` and ``select`` use the types DuckDB recognises;
- a SELECT must pass the syntax-tree check and be one SELECT for DuckDB's own parser too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import duckdb

from twokey.core.errors import BadInput
from twokey.tools.read.warehouse import cells
from twokey.tools.read.warehouse.duck_cells import sample_cells
from twokey.tools.read.warehouse.duck_columns import has_row_ids
from twokey.tools.read.warehouse.duck_profile import FEW_CELLS, Subject, profile_rows, profile_table
from twokey.tools.read.warehouse.duck_session import DuckSession, quote
from twokey.tools.read.warehouse.fingerprint import Seen, look
from twokey.tools.read.warehouse.folder import File, Way, estimated_lines, files_of, ways_to_read
from twokey.tools.read.warehouse.key_sql import WriteNumber, duckdb_number
from twokey.tools.read.warehouse.keys import answer_keys
from twokey.tools.read.warehouse.location import Location, display_name
from twokey.tools.read.warehouse.plain_csv import plain_rows
from twokey.tools.read.warehouse.sources import (
    Bounds,
    Most,
    Sampled,
    StatementFailed,
    each_profile,
    no_column,
    no_table,
    not_readable,
    select_failed,
    settled,
    unchanged,
)
from twokey.tools.read.warehouse.values import (
    MAX_NAME,
    ColumnInfo,
    ForeignKey,
    KeysRequest,
    KeysResult,
    Notice,
    ProfileRequest,
    ProfileResult,
    ProfilesRequest,
    ProfilesResult,
    SchemaResult,
    SelectRequest,
    SelectResult,
    TableInfo,
    TableName,
)

_LOAD_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a CSV file up to which it is parsed once into memory instead of once per statement."""
_LOAD_TOGETHER: Final = 512 * 1024 * 1024
_FETCH_AT_MOST: Final = 256 * 1024
"""Bytes of a CSV file up to which its rows are fetched and counted here."""


@dataclass(frozen=True, slots=True)
class _Described:
    """A table or view with its columns (name, declared type, nullable, has default, comment), in order."""

    table: TableName
    is_view: bool
    columns: tuple[ColumnInfo, ...]
    comment: str = ""


T = TypeVar("T")


class DuckSource:
    """One DuckDB file or a set of data files, open for one call."""

    def __init__(self, place: Location, bounds: Bounds) -> None:
        assert place.path is not None  # noqa: S101 - these locations always have a path; narrows the type
        self._path = place.path
        self._is_database = place.kind == "duckdb"
        self._shown = display_name(place.text)
        self._bounds = bounds
        self._opened: DuckSession | None = None
        self._known: Sequence[File] | None = None
        self._allowed = False
        self._together: Sequence[File] = ()
        self._are_views: Mapping[tuple[str, str], bool] | None = None
        """By schema and name, once tables were listed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _session(self) -> DuckSession:
        """The connection, opened by whoever needs it first: a version needs none."""
        if self._opened is None:
            self._opened = DuckSession(self._path if self._is_database else None, self._shown, self._bounds)
        return self._opened

    def version(self) -> str:
        """Fingerprint of everything this warehouse holds."""
        return self._look().version

    def _look(self) -> Seen:
        if self._is_database:
            log = self._path.with_name(self._path.name + ".wal")
            return self._look_at([self._path, *([log] if log.exists() else [])])
        files = self._files()
        named = [(file.name, file.problem) for file in files]
        return self._look_at([file.path for file in files if not file.problem], str(self._path), named)

    def _look_at(self, paths: Sequence[Path], *extra: object) -> Seen:
        return look(paths, *extra, settled_s=self._bounds.settled_s)

    # -- files as tables ----------------------------------------------------------------------------------------------

    def _files(self) -> Sequence[File]:
        """Every data file, listed once per call."""
        if self._known is None:
            self._known = files_of(self._path)
        return self._known

    def _allow(self, files: Sequence[File]) -> None:
        """Let DuckDB read these files and nothing else; the first time decides for the whole call."""
        if not self._allowed:
            self._session.allow_only([file.path for file in files])
            self._allowed = True

    def _bind(self, file: File, *, as_text: bool, held: bool = False) -> None:
        """Give ``file`` a view (a table, where it is ``held``) of its name.

        ``as_text`` so that columns of a CSV and a Parquet file compare.
        """
        columns = "CAST(COLUMNS(*) AS VARCHAR)" if as_text and not file.is_text else "*"
        self._create("TABLE" if held else "VIEW", file, as_text=as_text, columns=columns)

    def _create(self, what: str, file: File, *, as_text: bool, columns: str = "*") -> None:
        """Create a ``VIEW`` or ``TABLE`` of the file's name, in the first way that can read it."""

        def create(way: Way) -> None:
            self._session.rows(f"CREATE {what} {quote(file.name)} AS SELECT {columns} FROM ({way.select})")  # noqa: S608 - quoted
            if what == "VIEW":
                self._try(way)

        self._first_way(file, as_text=as_text, work=create)

    def _try(self, way: Way) -> None:
        """Read the beginning, unless it is known to be readable."""
        if not way.sure:
            self._session.rows(f"SELECT count(*) FROM (SELECT * FROM ({way.select}) LIMIT 10000)")  # noqa: S608 - quoted

    def _first_way(self, file: File, *, as_text: bool, work: Callable[[Way], T]) -> T:
        """Do ``work`` with the first way of reading ``file`` that it succeeds with."""
        ways = ways_to_read(file, as_text=as_text)
        for way in ways[:-1]:
            try:
                return work(way)
            except StatementFailed as fault:
                if fault.timed_out:
                    raise
                self._session.rows(f"DROP VIEW IF EXISTS {quote(file.name)}")
        return work(ways[-1])

    # -- schema -------------------------------------------------------------------------------------------------------

    def schema(self) -> SchemaResult:
        """Describe every table and view."""
        result = self._schema_of_database() if self._is_database else self._schema_of_files()
        if not result.tables:
            raise BadInput(
                f"{self._shown} holds no tables."
                if self._is_database
                else f"{self._shown} holds no CSV or Parquet files.",
                next="Give a warehouse that has some tables.",
                code="empty_warehouse",
            )
        return result

    def _schema_of_files(self) -> SchemaResult:
        version = self.version()
        self._allow([file for file in self._files() if not file.problem])
        tables: list[TableInfo] = []
        for file in self._files():
            table = TableName(name=file.name[:MAX_NAME])
            info = TableInfo(table=table, is_view=False, columns=(), problem=file.problem)
            if not file.problem:
                try:
                    info = self._file_info(file, info)
                except StatementFailed as fault:
                    if fault.timed_out and self._out_of_time():
                        notice = Notice(code="out_of_time", text="The time ended before every file was described.")
                        return SchemaResult(dialect="duckdb", tables=tuple(tables), notices=(notice,), complete=False)
                    info = info.model_copy(update={"problem": f"the file cannot be read: {fault.reason}"})
            tables.append(info)
        return SchemaResult(dialect="duckdb", tables=tuple(tables), version=version)

    def _file_info(self, file: File, info: TableInfo) -> TableInfo:
        version = self._look_at([file.path]).version

        def describe(way: Way) -> Sequence[tuple[str, str]]:
            self._try(way)
            return [(str(row[0]), str(row[1])) for row in self._session.rows(f"DESCRIBE {way.select}")]

        described = self._first_way(file, as_text=False, work=describe)
        columns = tuple(
            ColumnInfo(name=cells.clean(name), position=number, type=cells.line(type_, 200), nullable=True)
            for number, (name, type_) in enumerate(described, 1)
            if 0 < len(name) <= MAX_NAME
        )
        if file.is_parquet:
            way = ways_to_read(file, as_text=False)[0]
            rows, exact = int(self._session.rows(f"SELECT count(*) FROM ({way.select})")[0][0]), True  # noqa: S608 - quoted
        else:
            rows, exact = estimated_lines(file), False
        return info.model_copy(update={"columns": columns, "rows": rows, "rows_exact": exact, "version": version})

    def _out_of_time(self) -> bool:
        try:
            self._session.deadline.left(1)
        except StatementFailed:
            return True
        return False

    def _described(self) -> list[_Described]:
        """Tables and views of the database's own schemas, by schema and name."""
        by_table: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, name, position, declared, nullable, default, comment in self._session.rows(
            "SELECT schema_name, table_name, column_name, column_index, data_type, is_nullable,"
            " column_default IS NOT NULL OR is_generated, comment FROM duckdb_columns()"
            " WHERE database_name = current_database() AND NOT internal"
            " ORDER BY schema_name, table_name, column_index"
        ):
            if 0 < len(name) <= MAX_NAME:
                by_table.setdefault((schema, table), []).append(
                    ColumnInfo(
                        name=cells.clean(name),
                        position=position,
                        type=cells.line(declared, 200),
                        nullable=nullable,
                        has_default=default,
                        comment=cells.line(comment or "", 1000),
                    )
                )
        return [
            _Described(
                TableName(schema_name=schema, name=name),
                is_view,
                tuple(by_table.get((schema, name), ())),
                cells.line(comment or "", 1000),
            )
            for schema, name, comment, is_view in self._listed()
        ]

    def _listed(self) -> list[tuple[str, str, str | None, bool]]:
        """Schema, name and comment of each table and view of the database's own schemas, and whether it is a view."""
        listed = self._session.rows(
            "SELECT schema_name, table_name, comment, false FROM duckdb_tables()"
            " WHERE database_name = current_database() AND NOT internal AND NOT temporary"
            " UNION ALL SELECT schema_name, view_name, comment, true FROM duckdb_views()"
            " WHERE database_name = current_database() AND NOT internal AND NOT temporary ORDER BY 1, 2"
        )
        return [
            (schema, name, comment, is_view)
            for schema, name, comment, is_view in listed
            if 0 < len(name) <= MAX_NAME and len(schema) <= MAX_NAME
        ]

    def _schema_of_database(self) -> SchemaResult:
        keys, unique, foreign = self._constraints()
        tables: list[TableInfo] = []
        version = self.version()
        for described in self._described():
            name = described.table
            rows, problem = None, ""
            source = _quoted_table(name)
            try:
                if described.is_view:
                    self._session.rows(f"SELECT * FROM {source} LIMIT 1", at_most=self._bounds.peek_s)  # noqa: S608 - quoted
                else:
                    rows = int(self._session.rows(f"SELECT count(*) FROM {source}", at_most=self._bounds.peek_s)[0][0])  # noqa: S608 - quoted
            except StatementFailed as fault:
                problem = fault.reason
            tables.append(
                TableInfo(
                    table=name,
                    is_view=described.is_view,
                    columns=described.columns,
                    primary_key=keys.get(name, ()),
                    unique=tuple(sorted(unique.get(name, ()))),
                    foreign_keys=tuple(sorted(foreign.get(name, ()), key=lambda key: (key.columns, key.parent.name))),
                    comment=described.comment,
                    rows=rows,
                    rows_exact=rows is not None,
                    version=version,
                    problem=problem,
                )
            )
        return SchemaResult(dialect="duckdb", tables=tuple(tables), version=version)

    def _constraints(
        self,
    ) -> tuple[
        Mapping[TableName, tuple[str, ...]],
        Mapping[TableName, list[tuple[str, ...]]],
        Mapping[TableName, list[ForeignKey]],
    ]:
        """Primary keys, unique constraints and foreign keys, by table."""
        keys: dict[TableName, tuple[str, ...]] = {}
        unique: dict[TableName, list[tuple[str, ...]]] = {}
        foreign: dict[TableName, list[ForeignKey]] = {}
        for schema, name, sort, columns, parent, parent_columns in self._session.rows(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table,"
            " referenced_column_names FROM duckdb_constraints() WHERE database_name = current_database()"
            " AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')"
        ):
            names = [name, *columns, *(parent_columns or ()), *([parent] if parent else [])]
            if not all(0 < len(text) <= MAX_NAME for text in names):
                continue
            table = TableName(schema_name=schema, name=name)
            if sort == "PRIMARY KEY":
                keys[table] = tuple(columns)
            elif sort == "UNIQUE":
                unique.setdefault(table, []).append(tuple(columns))
            else:
                foreign.setdefault(table, []).append(
                    ForeignKey(
                        columns=tuple(columns),
                        parent=TableName(schema_name=schema, name=parent),
                        parent_columns=tuple(parent_columns),
                    )
                )
        return keys, unique, foreign

    # -- profile ------------------------------------------------------------------------------------------------------

    def profile(self, request: ProfileRequest) -> ProfileResult:
        """Profile one table."""
        try:
            if self._is_database:
                before = self._look()
                return settled(self._of_database(request), before, self._look())
            file = self._file(request.table)
            self._allow(self._together or [file])
            before = self._look_at([file.path])
            return settled(self._of_file(file, request), before, self._look_at([file.path]))
        except StatementFailed as fault:
            raise select_failed(fault) from fault

    def profiles(self, request: ProfilesRequest) -> ProfilesResult:
        """Profile several tables."""
        if not self._is_database:
            names = {table.name for table in request.tables}
            self._together = [file for file in self._files() if file.name in names and not file.problem]
        return each_profile(request, self._session.deadline, self.profile)

    def _of_database(self, request: ProfileRequest) -> ProfileResult:
        described = self._of(request.table)
        return profile_table(
            self._session,
            Subject(
                request.table,
                _wanted(request, described.columns),
                _quoted_table(described.table),
                numbered=_is_numbered(described),
            ),
        )

    def _of(self, table: TableName) -> _Described:
        """Find a table in the list of all, and describe it alone, since describing all takes long where there are many.

        Of its columns nothing is told but names and types.
        """
        if self._are_views is None:
            self._are_views = {(schema, name): is_view for schema, name, _, is_view in self._listed()}
        wanted = _with_main(table)
        is_view = self._are_views.get((wanted.schema_name, wanted.name))
        if is_view is None:
            raise no_table(table)
        try:
            described = self._session.rows(f"DESCRIBE {_quoted_table(wanted)}")
        except StatementFailed:
            # a view over something that is gone: what it had is still in the list
            return next(each for each in self._described() if each.table == wanted)
        return _Described(wanted, is_view, tuple(_infos([(str(row[0]), str(row[1])) for row in described])))

    def _of_file(self, file: File, request: ProfileRequest) -> ProfileResult:
        if file.is_text and file.size <= _FETCH_AT_MOST:
            fetched = self._fetched(file, request)
            if fetched is not None:
                return fetched
        held = file.is_text and file.size <= _LOAD_AT_MOST
        try:
            self._create("TABLE" if held else "VIEW", file, as_text=True)
            described = [(str(row[0]), str(row[1])) for row in self._session.rows(f"DESCRIBE {quote(file.name)}")]
            infos = _infos(described)
            wanted, numbered = _wanted(request, infos), held and has_row_ids(infos)
            return profile_table(self._session, Subject(request.table, wanted, quote(file.name), numbered=numbered))
        finally:
            self._session.rows(f"DROP {'TABLE' if held else 'VIEW'} IF EXISTS {quote(file.name)}")

    def _fetched(self, file: File, request: ProfileRequest) -> ProfileResult | None:
        """Profile a small text file from its rows; ``None`` where it has more than a sample may have."""
        names, rows = plain_rows(file.path) or self._first_way(
            file, as_text=True, work=lambda way: self._session.table(way.select, self._bounds.sample_rows + 1)
        )
        infos = _infos([(name, "VARCHAR") for name in names])
        wanted = _wanted(request, infos)
        if len(rows) > self._bounds.rows_for(len(wanted)) or len(rows) * len(wanted) > 2 * FEW_CELLS:
            return None
        held = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        return profile_rows(request.table, [(info, held[info.position - 1]) for info in wanted], len(rows))

    def _file(self, table: TableName) -> File:
        if table.schema_name in {"", "main"}:
            for file in self._files():
                if file.name == table.name and not file.problem:
                    return file
        raise no_table(table)

    # -- cells --------------------------------------------------------------------------------------------------------

    def sample(self, table: TableName, most: Most) -> Sampled:
        """Read rows of one table to look at their cells, in their order."""
        try:
            if self._is_database:
                described = self._of(table)
                source, numbered = _quoted_table(described.table), _is_numbered(described)
                before = self._look()
                sampled = sample_cells(self._session, table, described.columns, source, most, numbered=numbered)
                return unchanged(sampled, before, self._look())
            file = self._file(table)
            before = self._look_at([file.path])
            return unchanged(self._sample_of_file(file, table, most), before, self._look_at([file.path]))
        except StatementFailed as fault:
            raise not_readable(table, fault) from fault

    def _sample_of_file(self, file: File, table: TableName, most: Most) -> Sampled:
        # Several tables are sampled in one call, and what is allowed first is all that is.
        self._allow([each for each in self._files() if not each.problem])
        held = file.is_text and file.size <= _LOAD_AT_MOST
        try:
            self._create("TABLE" if held else "VIEW", file, as_text=True)
            infos = _infos([(str(row[0]), str(row[1])) for row in self._session.rows(f"DESCRIBE {quote(file.name)}")])
            return sample_cells(
                self._session, table, infos, quote(file.name), most, numbered=held and has_row_ids(infos)
            )
        finally:
            self._session.rows(f"DROP {'TABLE' if held else 'VIEW'} IF EXISTS {quote(file.name)}")

    # -- keys and select ----------------------------------------------------------------------------------------------

    def keys(self, request: KeysRequest) -> KeysResult:
        """Answer each check."""
        before = self._look()
        named = {table.name for check in request.checks for table in (check.child, check.parent)}
        try:
            tables = self._bind_all(lambda file: file.name in named, as_text=True)
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        result = answer_keys(request, tables, self, self._bounds, self._session.deadline)
        return result.model_copy(update={"version": before.version if self._look() == before else ""})

    @property
    def number(self) -> WriteNumber | None:
        """How parts of a column are told."""
        return duckdb_number

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Run a statement that counts keys."""
        return self._session.rows(sql)

    def quote_table(self, table: TableName) -> str:
        """Give a table as it stands in a statement."""
        return _quoted_table(table) if self._is_database else quote(table.name)

    def quote(self, name: str) -> str:
        """Give a column as it stands in a statement."""
        return quote(name)

    def select(self, request: SelectRequest) -> SelectResult:
        """Run one checked SELECT."""
        from twokey.tools.read.warehouse.sqlcheck import StatementRefused, checked  # noqa: PLC0415 - 0.3 s

        lowered = request.sql.lower()
        try:
            tables = self._bind_all(lambda file: file.name.lower() in lowered, as_text=False)
            sql = checked(
                request.sql,
                dialect="duckdb",
                tables={name: frozenset(columns) for name, columns in tables.items()},
            )
            with self._session.limited(self._bounds.statement_s):
                statements = self._session.connection.extract_statements(sql)
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise StatementRefused(
                        "The statement is refused: DuckDB does not take it for one SELECT.", next="Write one SELECT."
                    )
                cursor = self._session.connection.execute(statements[0])
                names = [str(item[0]) for item in cursor.description or ()]
                return cells.collect(
                    names,
                    iter(cursor.fetchone, None),
                    max_rows=min(request.max_rows, self._bounds.max_rows),
                    max_bytes=self._bounds.max_bytes,
                )
        except StatementFailed as fault:
            raise select_failed(fault) from fault

    def _bind_all(self, wanted: Callable[[File], bool], *, as_text: bool) -> dict[tuple[str, str], tuple[str, ...]]:
        """Columns of every table that may be named; of files those that are ``wanted``, each bound to its name."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        if self._is_database:
            for described in self._described():
                names = tuple(column.name for column in described.columns)
                found[described.table.schema_name, described.table.name] = names
                if described.table.schema_name == "main":
                    found["", described.table.name] = names
            return found
        files = [file for file in self._files() if not file.problem and wanted(file)]
        self._allow(files)
        left = _LOAD_TOGETHER
        for file in files:
            held = as_text and file.is_text and file.size <= min(left, _LOAD_AT_MOST)
            left -= file.size if held else 0
            self._bind(file, as_text=as_text, held=held)
            names = tuple(str(row[0]) for row in self._session.rows(f"DESCRIBE {quote(file.name)}"))
            found["", file.name] = found["main", file.name] = names
        return found


def _infos(described: Sequence[tuple[str, str]]) -> Sequence[ColumnInfo]:
    return [
        ColumnInfo(name=cells.clean(name), position=number, type=cells.line(type_, 200), nullable=True)
        for number, (name, type_) in enumerate(described, 1)
        if 0 < len(name) <= MAX_NAME
    ]


def _wanted(request: ProfileRequest, columns: Sequence[ColumnInfo]) -> Sequence[ColumnInfo]:
    """Give the columns that are asked for, all where none is named; raises ``ToolRetry`` where there is no such one."""
    known = {column.name: column for column in columns}
    missing = [name for name in request.columns if name not in known]
    if missing:
        raise no_column(request.table, missing)
    return [known[name] for name in request.columns] or columns


def _is_numbered(described: _Described) -> bool:
    return not described.is_view and has_row_ids(described.columns)


def _with_main(table: TableName) -> TableName:
    return table if table.schema_name else table.model_copy(update={"schema_name": "main"})


def _quoted_table(table: TableName) -> str:
    return f"{quote(table.schema_name or 'main')}.{quote(table.name)}"
