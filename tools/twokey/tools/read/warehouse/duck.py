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

import stat
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, cast

import duckdb

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.warehouse import cells
from twokey.tools.read.warehouse.inspection.grid import MAX_TEXT
from twokey.tools.read.warehouse.keys import answer_keys
from twokey.tools.read.warehouse.location import DATA_SUFFIXES, Location, display_name
from twokey.tools.read.warehouse.profile import MAX_CHECKED, MAX_TOP, Facts, Key, column_profile, in_parts, number_text
from twokey.tools.read.warehouse.sources import (
    Bounds,
    Deadline,
    Most,
    Sampled,
    StatementFailed,
    no_column,
    no_table,
    not_readable,
    select_failed,
)
from twokey.tools.read.warehouse.values import (
    MAX_NAME,
    ColumnInfo,
    ColumnProfile,
    ForeignKey,
    KeysRequest,
    KeysResult,
    Notice,
    ProfileRequest,
    ProfileResult,
    SchemaResult,
    SelectRequest,
    SelectResult,
    TableInfo,
    TableName,
)

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "2GB",
    "threads": "2",
}
_LOAD_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a CSV file up to which it is parsed once into memory instead of once per statement."""
_INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_TIMES: Final = {"DATE": "date", "TIMESTAMP": "datetime", "TIME": ""}
_EMAIL: Final = "[^@[:space:]]@[A-Za-z0-9-]{1,63}\\.[A-Za-z0-9-]"

Sort = Literal["integer", "number", "boolean", "time", "text", "binary"]


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a folder, as a table."""

    name: str
    path: Path
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Described:
    """A table or view with its columns (name, declared type, nullable, has default, comment), in order."""

    table: TableName
    is_view: bool
    columns: tuple[ColumnInfo, ...]
    comment: str = ""


class DuckSource:
    """One DuckDB file or a set of data files, open for one call."""

    def __init__(self, place: Location, bounds: Bounds) -> None:
        assert place.path is not None  # noqa: S101 - these locations always have a path; narrows the type
        self._path = place.path
        self._is_database = place.kind == "duckdb"
        self._shown = display_name(place.text)
        self._bounds = bounds
        self._deadline = Deadline(bounds.call_s)
        self._connection: duckdb.DuckDBPyConnection
        self._locked = False

    def __enter__(self) -> Self:
        config = dict(_CONFIG)
        if self._is_database:
            config |= {"enable_external_access": "false", "lock_configuration": "true"}
        try:
            self._connection = duckdb.connect(
                str(self._path) if self._is_database else ":memory:", read_only=self._is_database, config=config
            )
        except duckdb.Error as error:
            raise self._unreadable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _unreadable(self, error: duckdb.Error) -> BadInput | EnvironmentFault:
        if "set lock" in str(error).lower():
            return EnvironmentFault(
                f"{self._shown} is in use by another process that may write to it.",
                next="Close that process, or give a copy of the file.",
                code="warehouse_busy",
            )
        return BadInput(
            f"{self._shown} is no DuckDB database that DuckDB {duckdb.__version__} can read ({type(error).__name__}).",
            next="Open it with the DuckDB version that wrote it, and export it for this one.",
            code="not_a_database",
        )

    # -- running ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _limited(self, at_most: float) -> Generator[None]:
        """Turn faults into ``StatementFailed`` and interrupt whatever runs longer than ``at_most`` seconds."""
        timer = threading.Timer(self._deadline.left(at_most), self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise StatementFailed("it took too long", timed_out=True) from error
        except duckdb.Error as error:
            raise StatementFailed(f"the database refused it ({type(error).__name__})") from error
        finally:
            timer.cancel()

    def _rows(self, sql: str, args: Sequence[object] = (), *, at_most: float | None = None) -> list[tuple[Any, ...]]:
        with self._limited(self._bounds.statement_s if at_most is None else at_most):
            return self._connection.execute(sql, list(args)).fetchall()

    # -- files as tables ----------------------------------------------------------------------------------------------

    def _files(self) -> list[_File]:
        """Every data file, by name; those that may not be opened carry a problem."""
        found = [self._path] if self._path.is_file() else sorted(self._path.iterdir(), key=lambda path: path.name)
        data = [path for path in found if path.name.lower().endswith(DATA_SUFFIXES)]
        stems = [_stem(path).lower() for path in data]
        folder = self._path.parent if self._path.is_file() else self._path
        return [
            _File(path.name if stems.count(stem) > 1 else _stem(path), path.resolve(), _problem(path, folder))
            for path, stem in zip(data, stems, strict=True)
        ]

    def _lock(self, files: Sequence[_File]) -> None:
        """Allow DuckDB these files and nothing else, for good."""
        self._locked = True
        paths = ", ".join(_literal(str(file.path)) for file in files)
        self._rows(f"SET allowed_paths = [{paths}]")
        self._rows("SET enable_external_access = false")
        self._rows("SET lock_configuration = true")

    def _bind(self, file: _File, *, as_text: bool) -> None:
        """Give ``file`` a view of its name; ``as_text`` so that columns of a CSV and a Parquet file compare."""
        columns = "CAST(COLUMNS(*) AS VARCHAR)" if as_text else "*"
        self._create("VIEW", file, as_text=as_text, columns=columns)

    def _create(self, what: str, file: _File, *, as_text: bool, columns: str = "*") -> None:
        """Create a ``VIEW`` or ``TABLE`` of the file's name, in the first way that can read it."""
        for last, reader in self._readers(file, as_text=as_text):
            try:
                self._rows(f"CREATE {what} {quote(file.name)} AS SELECT {columns} FROM ({reader})")  # noqa: S608 - quoted
                if what == "VIEW":
                    self._rows(f"SELECT count(*) FROM (SELECT * FROM {quote(file.name)} LIMIT 10000)")  # noqa: S608 - quoted
            except StatementFailed as fault:
                if last or fault.timed_out:
                    raise
                self._rows(f"DROP {what} IF EXISTS {quote(file.name)}")
            else:
                return

    def _readers(self, file: _File, *, as_text: bool) -> list[tuple[bool, str]]:
        """Give the SELECTs that may read ``file``, strictest first; the last one is marked."""
        path = _literal(str(file.path))
        if file.path.name.lower().endswith(".parquet"):
            return [(True, f"SELECT * FROM read_parquet({path})")]  # noqa: S608 - the path is a quoted literal
        types = "all_varchar=true" if as_text else "all_varchar=false"
        comma = "'\\t'" if ".tsv" in file.path.name.lower() else "','"
        lenient = f"delim={comma}, quote='\"', escape='\"', strict_mode=false, null_padding=true, parallel=false"
        ways = (types, f"{types}, {lenient}", f"{types}, {lenient}, encoding='latin-1'")
        return [
            (number == len(ways), f"SELECT * FROM read_csv({path}, header=true, {way})")  # noqa: S608 - as above
            for number, way in enumerate(ways, 1)
        ]

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
        files = self._files()
        self._lock([file for file in files if not file.problem])
        tables: list[TableInfo] = []
        for file in files:
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
        return SchemaResult(dialect="duckdb", tables=tuple(tables))

    def _file_info(self, file: _File, info: TableInfo) -> TableInfo:
        self._create("VIEW", file, as_text=False)
        described = self._rows(f"DESCRIBE {quote(file.name)}")
        columns = tuple(
            ColumnInfo(name=cells.clean(row[0]), position=number, type=cells.line(row[1], 200), nullable=True)
            for number, row in enumerate(described, 1)
            if 0 < len(row[0]) <= MAX_NAME
        )
        status = file.path.stat()
        if file.path.name.lower().endswith(".parquet"):
            rows, exact = int(self._rows(f"SELECT count(*) FROM {quote(file.name)}")[0][0]), True  # noqa: S608 - as in _reader
        else:
            rows, exact = _estimate_lines(file.path, status.st_size), False
        version = sha256(repr((status.st_size, status.st_mtime_ns)).encode()).hexdigest()[:16]
        return info.model_copy(update={"columns": columns, "rows": rows, "rows_exact": exact, "version": version})

    def _out_of_time(self) -> bool:
        try:
            self._deadline.left(1)
        except StatementFailed:
            return True
        return False

    def _described(self) -> list[_Described]:
        """Tables and views of the database's own schemas, by schema and name."""
        by_table: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, name, position, declared, nullable, default, comment in self._rows(
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
        listed = self._rows(
            "SELECT schema_name, table_name, comment, false FROM duckdb_tables()"
            " WHERE database_name = current_database() AND NOT internal AND NOT temporary"
            " UNION ALL SELECT schema_name, view_name, comment, true FROM duckdb_views()"
            " WHERE database_name = current_database() AND NOT internal AND NOT temporary ORDER BY 1, 2"
        )
        return [
            _Described(
                TableName(schema_name=schema, name=name),
                is_view,
                tuple(by_table.get((schema, name), ())),
                cells.line(comment or "", 1000),
            )
            for schema, name, comment, is_view in listed
            if 0 < len(name) <= MAX_NAME and len(schema) <= MAX_NAME
        ]

    def _schema_of_database(self) -> SchemaResult:
        keys, unique, foreign = self._constraints()
        tables: list[TableInfo] = []
        status = self._path.stat()
        version = sha256(repr((status.st_size, status.st_mtime_ns)).encode()).hexdigest()[:16]
        for described in self._described():
            name = described.table
            rows, problem = None, ""
            source = _quoted_table(name)
            try:
                if described.is_view:
                    self._rows(f"SELECT * FROM {source} LIMIT 1", at_most=self._bounds.peek_s)  # noqa: S608 - quoted
                else:
                    rows = int(self._rows(f"SELECT count(*) FROM {source}", at_most=self._bounds.peek_s)[0][0])  # noqa: S608 - quoted
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
        return SchemaResult(dialect="duckdb", tables=tuple(tables))

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
        for schema, name, sort, columns, parent, parent_columns in self._rows(
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
            described, source, sort = self._table_to_profile(request.table)
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        known = {column.name: column for column in described}
        missing = [name for name in request.columns if name not in known]
        if missing:
            raise no_column(request.table, missing)
        wanted = [known[name] for name in request.columns] or list(described)
        return self._profiled(request.table, wanted, source, sort)

    def _table_to_profile(self, table: TableName) -> tuple[Sequence[ColumnInfo], str, str]:
        """Columns of a table, how it is named in SQL, and whether it is a ``table``, ``view`` or ``file``."""
        if self._is_database:
            for described in self._described():
                if described.table == _with_main(table):
                    return described.columns, _quoted_table(described.table), "view" if described.is_view else "table"
            raise no_table(table)
        file = self._file(table)
        if not self._locked:
            self._lock([file])
        small = file.path.stat().st_size <= _LOAD_AT_MOST
        sort = "table" if small and not file.path.name.lower().endswith((".parquet", ".gz")) else "file"
        self._create("TABLE" if sort == "table" else "VIEW", file, as_text=True)
        rows = self._rows(f"DESCRIBE {quote(file.name)}")
        columns = [
            ColumnInfo(name=row[0], position=number, type=cells.line(row[1], 200), nullable=True)
            for number, row in enumerate(rows, 1)
            if 0 < len(row[0]) <= MAX_NAME
        ]
        return columns, quote(file.name), sort

    def _file(self, table: TableName) -> _File:
        for file in self._files():
            if file.name == table.name and table.schema_name in {"", "main"} and not file.problem:
                return file
        raise no_table(table)

    def _profiled(self, table: TableName, wanted: list[ColumnInfo], source: str, sort: str) -> ProfileResult:
        limit = self._bounds.rows_for(len(wanted))
        notices: list[Notice] = []
        rows: int | None = None
        try:
            rows = int(self._rows(f"SELECT count(*) FROM {source}")[0][0])  # noqa: S608 - quoted
        except StatementFailed as fault:
            notices.append(Notice(code="not_counted", text=f"The rows could not be counted: {fault.reason}."))
        whole = rows is not None and rows <= limit
        spread = sort == "table" and rows is not None and not whole
        if spread:
            sample = f"{source} WHERE rowid % {-(-cast('int', rows) // limit)} = 0"
        else:
            sample = f"{source}" if whole else f"{source} LIMIT {limit}"
        profiles, sampled = in_parts(
            wanted,
            self._bounds.columns_for(min(limit, rows if rows is not None else limit)),
            lambda part: self._part(part, source, sample, sort=sort, whole=whole),
        )
        return ProfileResult(
            table=table,
            rows=rows,
            rows_exact=rows is not None,
            sampled=sampled,
            sampling="all" if whole else "spread" if spread else "first",
            columns=tuple(profiles),
            notices=tuple(notices),
        )

    def _part(
        self, columns: Sequence[ColumnInfo], source: str, sample: str, *, sort: str, whole: bool
    ) -> tuple[list[ColumnProfile], int]:
        """Profile some columns together; gives the profiles and the rows seen."""
        sorts: list[Sort] = [_sort(column.type) for column in columns]
        values = [_value(column, sort_) for column, sort_ in zip(columns, sorts, strict=True)]
        held = source
        if whole and sort == "table":
            expressions = values
        else:
            held = "temp.main._sample"
            listed = ", ".join(f"{value} AS c{number}" for number, value in enumerate(values))
            self._rows(f"CREATE OR REPLACE TEMP TABLE _sample AS SELECT {listed} FROM {sample}")  # noqa: S608 - quoted
            expressions = [f"c{number}" for number in range(len(columns))]
        counts = ["count(*)"]
        for expression, sort_ in zip(expressions, sorts, strict=True):
            counts += _aggregates(expression, sort_)
        row = self._rows(f"SELECT {', '.join(counts)} FROM {held}")[0]  # noqa: S608 - quoted
        totals = [None] * len(columns) if whole else self._nulls(columns, source)
        results = iter(row[1:])
        profiles: list[ColumnProfile] = []
        for column, expression, sort_, total in zip(columns, expressions, sorts, totals, strict=True):
            facts = Facts(column.name, column.type, whole=whole)
            _take(facts, sort_, [next(results) for _ in _aggregates(expression, sort_)])
            facts.nulls = int(row[0]) - facts.values
            facts.nulls_total = facts.nulls if whole else total
            self._add_groups(facts, expression, sort_, held)
            profiles.append(column_profile(facts))
        return profiles, int(row[0])

    def _add_groups(self, facts: Facts, expression: str, sort: Sort, held: str) -> None:
        """Fetch different values where they are needed: texts to compare, few values to show, long integers."""
        long_integer = sort == "integer" and facts.maximum is not None and len(facts.maximum) >= 13
        few = 0 < facts.distinct <= MAX_TOP
        if sort == "binary" or not facts.values or not (sort == "text" or few or long_integer):
            return
        shown = "left(v, 4096)" if sort == "text" else "v"
        where = f"{expression} IS NOT NULL"
        if facts.distinct > MAX_CHECKED:
            # rows spread over the table: cheaper than grouping what differs in nearly every row
            where += f" AND rowid % {-(-facts.values // MAX_CHECKED)} = 0"
        groups = self._rows(
            f"SELECT {shown}, n FROM (SELECT {expression} AS v, count(*) AS n FROM {held}"  # noqa: S608 - quoted
            f" WHERE {where} GROUP BY 1 ORDER BY hash(v) LIMIT {MAX_CHECKED})"
        )
        facts.groups = [(cast("Key", value), int(count)) for value, count in groups]
        if long_integer:
            facts.counted = None
        if sort == "text" and len(facts.groups) < facts.distinct:
            self._range_of_text(facts, expression, held)

    def _range_of_text(self, facts: Facts, expression: str, held: str) -> None:
        """Work out the range of texts that are numbers or dates where only a part of them was fetched."""
        low, high, numbers, first, last, dates = self._rows(
            "SELECT min(n), max(n), count(n), min(d), max(d), count(d) FROM ("  # noqa: S608 - names are quoted
            f"SELECT TRY_CAST({expression} AS DOUBLE) AS n,"
            f" CASE WHEN TRY_CAST({expression} AS TIMESTAMP) IS NOT NULL THEN {expression} END AS d FROM {held})"
            " WHERE n IS NULL OR isfinite(n)"
        )[0]
        filled = max(1, facts.values - facts.empty)
        if numbers * 100 >= filled * 95:
            facts.minimum, facts.maximum = number_text(_whole(low)), number_text(_whole(high))
        elif dates * 100 >= filled * 95:
            facts.minimum, facts.maximum = str(first)[:80], str(last)[:80]
        facts.ranged = True

    def _nulls(self, columns: Sequence[ColumnInfo], source: str) -> Sequence[int | None]:
        counts = ", ".join(f"count(*) - count({quote(column.name)})" for column in columns)
        try:
            return [int(value) for value in self._rows(f"SELECT {counts} FROM {source}")[0]]  # noqa: S608 - quoted
        except StatementFailed as fault:
            if not fault.timed_out:
                raise
            return [None] * len(columns)

    # -- inspect ------------------------------------------------------------------------------------------------------

    def sample(self, table: TableName, most: Most) -> Sampled:
        """Read rows of one table to look at their cells, in their order."""
        try:
            if not self._is_database and not self._locked:  # several tables are sampled in one call
                self._lock([file for file in self._files() if not file.problem])
            columns, source, sort = self._table_to_profile(table)
            rows = int(self._rows(f"SELECT count(*) FROM {source}")[0][0])  # noqa: S608 - quoted
            limit = most.rows_of(len(columns))
            spread = sort == "table" and rows > limit
            values = ", ".join(_cut(column) for column in columns)
            where = f"WHERE rowid % {-(-rows // limit)} = 0" if spread else f"LIMIT {limit}"
            found = self._rows(f"SELECT {values} FROM {source} {where}") if columns else []  # noqa: S608 - quoted
            if not self._is_database:
                self._rows(f"DROP {'TABLE' if sort == 'table' else 'VIEW'} {source}")
        except StatementFailed as fault:
            raise not_readable(table, fault) from fault
        return Sampled(
            table=table,
            names=[column.name for column in columns],
            columns=list(zip(*found, strict=True)) if found else [()] * len(columns),
            rows=rows,
            sampled=len(found),
            sampling="all" if rows <= limit else "spread" if spread else "first",
        )

    # -- keys and select ----------------------------------------------------------------------------------------------

    def keys(self, request: KeysRequest) -> KeysResult:
        """Answer each check."""
        named = {table.name for check in request.checks for table in (check.child, check.parent)}
        try:
            tables = self._bind_all(lambda file: file.name in named, as_text=True)
        except StatementFailed as fault:
            raise select_failed(fault) from fault

        def count(sql: str) -> Sequence[int]:
            return [int(value or 0) for value in self._rows(sql)[0]]

        return answer_keys(request, tables, _quoted_table if self._is_database else _quoted_name, quote, count)

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
            with self._limited(self._bounds.statement_s):
                statements = self._connection.extract_statements(sql)
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise StatementRefused(
                        "The statement is refused: DuckDB does not take it for one SELECT.", next="Write one SELECT."
                    )
                cursor = self._connection.execute(statements[0])
                names = [str(item[0]) for item in cursor.description or ()]
                return cells.collect(
                    names,
                    iter(cursor.fetchone, None),
                    max_rows=min(request.max_rows, self._bounds.max_rows),
                    max_bytes=self._bounds.max_bytes,
                )
        except StatementFailed as fault:
            raise select_failed(fault) from fault

    def _bind_all(self, wanted: Callable[[_File], bool], *, as_text: bool) -> dict[tuple[str, str], tuple[str, ...]]:
        """Columns of every table that may be named; of files those that are ``wanted``, each bound to a view."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        if self._is_database:
            for described in self._described():
                names = tuple(column.name for column in described.columns)
                found[described.table.schema_name, described.table.name] = names
                if described.table.schema_name == "main":
                    found["", described.table.name] = names
            return found
        files = [file for file in self._files() if not file.problem and wanted(file)]
        self._lock(files)
        for file in files:
            self._bind(file, as_text=as_text)
            names = tuple(str(row[0]) for row in self._rows(f"DESCRIBE {quote(file.name)}"))
            found["", file.name] = found["main", file.name] = names
        return found


def _stem(path: Path) -> str:
    name = path.name
    suffix = next(suffix for suffix in sorted(DATA_SUFFIXES, key=len, reverse=True) if name.lower().endswith(suffix))
    return name[: -len(suffix)] or name


def _problem(path: Path, folder: Path) -> str:
    """Say why a file of ``folder`` may not be opened; empty where it may."""
    try:
        target = path.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError):
        return "the link leads nowhere"
    if target.parent != folder:
        return "the link leads out of the folder"
    if not stat.S_ISREG(status.st_mode):
        return "it is no regular file"
    if not status.st_size:
        return "the file is empty"
    return "the name is too long" if len(_stem(path)) > MAX_NAME else ""


def _estimate_lines(path: Path, size: int) -> int | None:
    """Guess the rows of a text file from its first 64 KiB; ``None`` for a compressed one."""
    if path.name.lower().endswith(".gz"):
        return None
    with path.open("rb") as file:
        start = file.read(65_536)
    lines = start.count(b"\n") + (0 if start.endswith(b"\n") else 1)
    return max(0, lines * size // len(start) - 1)


def _with_main(table: TableName) -> TableName:
    return table if table.schema_name else table.model_copy(update={"schema_name": "main"})


def _sort(declared: str) -> Sort:
    base = declared.partition("(")[0].split(" ")[0].upper()
    if declared.endswith("]"):
        return "text"
    if base in _INTEGERS:
        return "integer"
    if base in {"FLOAT", "DOUBLE", "DECIMAL"}:
        return "number"
    if base == "BOOLEAN":
        return "boolean"
    if base in _TIMES or base.startswith("TIMESTAMP"):
        return "time"
    return "binary" if base in {"BLOB", "GEOMETRY"} else "text"


def _value(column: ColumnInfo, sort: Sort) -> str:
    """Give the column in a form that is counted: as it is, or as text."""
    name = quote(column.name)
    if sort == "time" or (sort == "text" and column.type != "VARCHAR"):
        return f"CAST({name} AS VARCHAR)"
    return name


def _cut(column: ColumnInfo) -> str:
    """Give a column as it is where it holds numbers or booleans, else as text that is cut; binaries are left out."""
    sort = _sort(column.type)
    if sort == "binary":
        return "NULL"
    if sort in {"integer", "number", "boolean"}:
        return quote(column.name)
    return f"left(CAST({quote(column.name)} AS VARCHAR), {MAX_TEXT})"


def _aggregates(value: str, sort: Sort) -> list[str]:
    """SQL aggregates over one column, in the order ``_take`` reads them."""
    both = [f"count({value})", f"count(DISTINCT {value})"]
    if sort == "integer":
        return [*both, f"min({value})", f"max({value})", f"count(*) FILTER (WHERE {value} IN (0, 1))"]
    if sort == "number":
        finite = f"FILTER (WHERE isfinite({value}::DOUBLE))"
        return [*both, f"min({value}) {finite}", f"max({value}) {finite}", f"count({value}) {finite}"]
    if sort == "boolean":
        return both
    if sort == "time":
        return [*both, f"min({value})", f"max({value})", f"count(*) FILTER (WHERE {value} LIKE '%infinity')"]
    length = f"octet_length({value})" if sort == "binary" else f"length({value})"
    lengths = [f"min({length})", f"max({length})", f"sum({length})"]
    if sort == "binary":
        return [*both, *lengths]
    return [
        *both,
        *lengths,
        f"count(*) FILTER (WHERE trim({value}) = '')",
        f"count(*) FILTER (WHERE CASE WHEN contains({value}, '@') THEN regexp_matches({value}, '{_EMAIL}') END)",
    ]


def _take(facts: Facts, sort: Sort, row: Sequence[Any]) -> None:
    """Put the results of ``_aggregates`` where they belong."""
    values, facts.distinct = int(row[0]), int(row[1])
    facts.values = values
    if sort in {"integer", "number", "time"} and row[2] is not None:
        facts.minimum, facts.maximum = (
            (str(row[2])[:80], str(row[3])[:80]) if sort == "time" else (number_text(row[2]), number_text(row[3]))
        )
    if sort == "integer":
        facts.integers = values
        facts.counted = {"integer": values, "number": values, "boolean": int(row[4])}
    elif sort == "number":
        facts.numbers, facts.not_finite = values, values - int(row[4])
        facts.counted = {"number": values}
    elif sort == "boolean":
        facts.booleans = values
        facts.counted = {"boolean": values}
    elif sort == "time":
        facts.texts, facts.not_finite, facts.ranged = values, int(row[4]), True
        pattern = _TIMES.get(facts.type.split(" ")[0], "datetime" if facts.type.startswith("TIMESTAMP") else "")
        facts.counted = {pattern: values} if pattern else {}
    else:
        facts.lengths, facts.length_sum = values, int(row[4] or 0)
        facts.length_min, facts.length_max = row[2], row[3]
        if sort == "binary":
            facts.binaries = values
        else:
            facts.texts, facts.empty, facts.mentions_email = values, int(row[5]), int(row[6])


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


def quote(name: str) -> str:
    """Give an identifier as SQL text."""
    return '"' + name.replace('"', '""') + '"'


def _quoted_table(table: TableName) -> str:
    return f"{quote(table.schema_name or 'main')}.{quote(table.name)}"


def _quoted_name(table: TableName) -> str:
    return quote(table.name)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
