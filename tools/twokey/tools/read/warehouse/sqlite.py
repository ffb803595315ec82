"""Reads a SQLite file, and can do nothing else.

Rules:
- the file is opened ``mode=ro`` and never created; a database in WAL mode without a log is opened ``immutable``,
  because SQLite would otherwise leave ``-wal`` and ``-shm`` files beside it, and read again if anybody wrote meanwhile;
- an authorizer allows SELECT, reading columns, recursion and functions of a list; ``ATTACH``, writing, extensions and
  every PRAGMA beyond four that describe tables are refused by SQLite itself, inside views too;
- a progress handler ends each statement at its deadline.
"""

import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, cast

from twokey.core.errors import BadInput, EnvironmentFault, TwokeyError
from twokey.tools.read.warehouse import cells
from twokey.tools.read.warehouse.fingerprint import UNKNOWN, Seen, look
from twokey.tools.read.warehouse.inspection.grid import MAX_TEXT
from twokey.tools.read.warehouse.key_sql import SQLITE_HASH, WriteNumber, sqlite_hash, sqlite_number
from twokey.tools.read.warehouse.keys import answer_keys
from twokey.tools.read.warehouse.location import Location, display_name
from twokey.tools.read.warehouse.patterns import words
from twokey.tools.read.warehouse.profile import Key, column_profile, facts_of, in_parts
from twokey.tools.read.warehouse.sampling import margin
from twokey.tools.read.warehouse.sources import (
    Bounds,
    Deadline,
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
    ColumnProfile,
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

T = TypeVar("T")

_PRAGMAS: Final = frozenset({"table_list", "table_xinfo", "index_list", "index_xinfo", "foreign_key_list"})
FUNCTIONS: Final = words(
    """
    abs avg ceil ceiling char coalesce concat concat_ws count cume_dist current_date current_time current_timestamp
    date datetime dense_rank exp first_value floor format glob group_concat hex ifnull iif instr json json_array
    json_array_length json_extract json_object json_quote json_type json_valid -> ->> julianday lag last_value lead
    length like likelihood likely ln log log10 log2 lower ltrim max min mod nth_value ntile nullif octet_length
    percent_rank pow power printf quote rank replace round row_number rtrim sign sqrt strftime string_agg substr
    substring sum time timediff total trim trunc typeof unicode unixepoch unlikely upper
    """
) | {SQLITE_HASH}
_STRIPES: Final = 50
_COUNT_AT_MOST: Final = 1_000_000
_MAX_VALUE_BYTES: Final = 64 * 1024 * 1024
_WHOLE_CELLS_UP_TO: Final = 256 * 1024 * 1024
"""Bytes of a file up to which cells are fetched whole: they cannot take more memory than this. Beyond it texts count as
no longer than ``_LONGEST``."""
_LONGEST: Final = 4096


class SqliteSource:
    """One SQLite file, open for one call."""

    def __init__(self, place: Location, bounds: Bounds) -> None:
        assert place.path is not None  # noqa: S101 - a SQLite location always has a path; narrows the type
        self._path = place.path
        self._shown = display_name(place.text)
        self._bounds = bounds
        self._deadline = Deadline(bounds.call_s)
        self._immutable = False
        self._describing = False
        self._connection: sqlite3.Connection
        self._before = UNKNOWN
        self._listed: Sequence[tuple[str, str, bool]] | None = None

    def __enter__(self) -> Self:
        self._before = self._look()
        self._immutable = _is_wal(self._path) and not _has_log(self._path)
        self._connection = self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def schema(self) -> SchemaResult:
        """Describe every table and view."""
        return self._consistent(self._schema)

    def profile(self, request: ProfileRequest) -> ProfileResult:
        """Profile one table."""
        return self._consistent(lambda: self._settled(request))

    def profiles(self, request: ProfilesRequest) -> ProfilesResult:
        """Profile several tables."""
        return self._consistent(lambda: each_profile(request, self._deadline, self._settled))

    def version(self) -> str:
        """Fingerprint of everything this warehouse holds."""
        return self._look().version

    def sample(self, table: TableName, most: Most) -> Sampled:
        """Read rows of one table to look at their cells."""
        try:
            return self._consistent(lambda: self._seen(table, most))
        except StatementFailed as fault:
            raise not_readable(table, fault) from fault

    def _seen(self, table: TableName, most: Most) -> Sampled:
        before = self._look()
        return unchanged(self._sampled(table, most), before, self._look())

    def keys(self, request: KeysRequest) -> KeysResult:
        """Answer each check."""

        def answer() -> KeysResult:
            before = self._look()
            result = answer_keys(request, self._columns_by_table(), self, self._bounds, self._deadline)
            return result.model_copy(update={"version": before.version if self._look() == before else ""})

        return self._consistent(answer)

    @property
    def number(self) -> WriteNumber | None:
        """How parts of a column are told."""
        return sqlite_number

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Run a statement that counts keys."""
        return self._rows(sql)

    def quote_table(self, table: TableName) -> str:
        """Give a table as it stands in a statement."""
        return _quoted_table(table)

    def quote(self, name: str) -> str:
        """Give a column as it stands in a statement."""
        return quote(name)

    def select(self, request: SelectRequest) -> SelectResult:
        """Run one checked SELECT."""
        return self._consistent(lambda: self._select(request))

    def _look(self) -> Seen:
        """Look at the file: its state on disk, its change counter, and the log beside it."""
        with self._path.open("rb") as file:
            counter = int.from_bytes(file.read(28)[24:28], "big")
        log = self._path.with_name(self._path.name + "-wal")
        return look([self._path, *([log] if log.exists() else [])], counter, settled_s=self._bounds.settled_s)

    # -- opening ------------------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        mode = "mode=ro&immutable=1" if self._immutable else "mode=ro"
        try:
            connection = sqlite3.connect(f"{self._path.as_uri()}?{mode}", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        connection.create_function(SQLITE_HASH, -1, sqlite_hash, deterministic=True)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA cell_size_check=ON")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            connection.close()
            raise self._unreadable(error) from error
        connection.set_authorizer(self._authorize)
        return connection

    def _unreadable(self, error: sqlite3.Error) -> BadInput | EnvironmentFault:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT")):
            return BadInput(
                f"{self._shown} is not a SQLite database, or it is damaged.",
                next="Give a whole database file; `sqlite3 FILE 'PRAGMA integrity_check'` tells more.",
                code="not_a_database",
            )
        if _has_log(self._path):
            return EnvironmentFault(
                f"{self._shown} has changes in its -wal file, which cannot be read without write access to its folder.",
                next="Close the program that writes it or run `PRAGMA wal_checkpoint`, or copy the file and its -wal.",
                code="warehouse_unreadable",
            )
        return EnvironmentFault(
            f"{self._shown} cannot be opened for reading ({name or type(error).__name__}).",
            next="Give the user that runs Twokey read access, or wait until the program that locks it is done.",
            code="warehouse_unreadable",
        )

    def _consistent(self, work: Callable[[], T]) -> T:
        """Do ``work``; where the file was opened without locks and changed meanwhile, do it again with locks."""
        if not self._immutable:
            return work()
        try:
            result = work()
        except (TwokeyError, StatementFailed):
            if self._look().digest == self._before.digest:
                raise
        else:
            if self._look().digest == self._before.digest:
                return result
        self._connection.close()
        self._immutable = False
        self._listed = None
        self._connection = self._open()
        return work()

    def _authorize(self, action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
        if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            hidden = (first or "").lower().startswith(("sqlite_", "pragma_"))
            return sqlite3.SQLITE_DENY if hidden and not self._describing else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (second or "").lower() in FUNCTIONS else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA and self._describing and first in _PRAGMAS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    # -- running ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _limited(self, at_most: float) -> Generator[None]:
        """Turn faults into ``StatementFailed`` and stop whatever runs longer than ``at_most`` seconds."""
        end = time.monotonic() + self._deadline.left(at_most)
        self._connection.set_progress_handler(lambda: int(time.monotonic() > end), 5_000)
        try:
            yield
        except sqlite3.Error as error:
            raise _failed(error) from error
        except MemoryError as error:
            raise StatementFailed("the values are too large") from error
        finally:
            self._connection.set_progress_handler(None, 0)

    def _fetch(
        self,
        sql: str,
        consume: Callable[[sqlite3.Cursor], T],
        args: Sequence[object] = (),
        at_most: float | None = None,
    ) -> T:
        """Run a statement and hand its cursor to ``consume``; again with repaired text where some is no UTF-8."""

        def run() -> T:
            with closing(self._connection.execute(sql, tuple(cast("Sequence[Any]", args)))) as cursor:
                return consume(cursor)

        with self._limited(self._bounds.statement_s if at_most is None else at_most):
            try:
                return run()
            except sqlite3.OperationalError as error:
                if "decode to UTF-8" not in str(error) or self._connection.text_factory is _text:
                    raise
                self._connection.text_factory = _text
                return run()

    def _rows(self, sql: str, args: Sequence[object] = (), *, at_most: float | None = None) -> list[tuple[Any, ...]]:
        return self._fetch(sql, sqlite3.Cursor.fetchall, args, at_most)

    # -- schema -------------------------------------------------------------------------------------------------------

    def _describe(self, pragma: str, name: str | None = None) -> list[dict[str, Any]]:
        """Run one of the PRAGMAs that describe tables; rows by column name."""
        sql = f"PRAGMA main.{pragma}" + ("" if name is None else f"({quote(name)})")
        self._describing = True
        try:
            return self._fetch(sql, _named_rows)
        finally:
            self._describing = False

    def _tables(self) -> Sequence[tuple[str, str, bool]]:
        """Name, type (``table``, ``view``, ``virtual``) and whether it has row ids, of every table, by name."""
        if self._listed is None:
            self._listed = sorted(
                (row["name"], row["type"], row["type"] == "table" and not row["wr"])
                for row in self._describe("table_list")
                if row["schema"] == "main" and row["type"] != "shadow" and not row["name"].lower().startswith("sqlite_")
            )
        return self._listed

    def _columns(self, table: str) -> tuple[list[ColumnInfo], tuple[str, ...], int]:
        """Columns, primary key, and the number of columns left out because their name is too long."""
        rows = [row for row in self._describe("table_xinfo", table) if row["hidden"] != 1]
        named = [row for row in rows if 0 < len(row["name"]) <= MAX_NAME]
        columns = [
            ColumnInfo(
                name=row["name"],
                position=row["cid"] + 1,
                type=cells.line(row["type"], 200),
                nullable=not (row["notnull"] or (row["pk"] and row["type"].upper() == "INTEGER")),
                has_default=row["dflt_value"] is not None or bool(row["hidden"]),
            )
            for row in named
        ]
        key = tuple(row["name"] for row in sorted((row for row in named if row["pk"]), key=lambda row: int(row["pk"])))
        return columns, key, len(rows) - len(named)

    def _columns_by_table(self) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, _, _ in self._tables():
            try:
                found["", name] = tuple(column.name for column in self._columns(name)[0])
            except StatementFailed as fault:
                if fault.timed_out:
                    raise
                found["", name] = ()
        return found

    def _schema(self) -> SchemaResult:
        try:
            listed = self._tables()
        except StatementFailed as fault:
            raise EnvironmentFault(
                f"The tables of {self._shown} cannot be listed: {fault.reason}.",
                next="Check the file with `sqlite3 FILE 'PRAGMA integrity_check'`.",
                code="warehouse_unreadable",
            ) from fault
        if not listed:
            raise BadInput(
                f"{self._shown} holds no tables.",
                next="Give a database that has some, or fill this one first.",
                code="empty_warehouse",
            )
        notices: list[Notice] = []
        tables: list[TableInfo] = []
        version = self._before.version
        for name, kind, _ in listed:
            if not 0 < len(name) <= MAX_NAME:
                notices.append(Notice(code="name_too_long", text="A table was left out: its name is too long."))
                continue
            try:
                self._deadline.left(1)
            except StatementFailed:
                notices.append(Notice(code="out_of_time", text="The time ended before every table was described."))
                return SchemaResult(dialect="sqlite", tables=tuple(tables), notices=tuple(notices), complete=False)
            tables.append(self._table(name, is_view=kind == "view", version=version, notices=notices))
        return SchemaResult(dialect="sqlite", tables=tuple(tables), notices=tuple(notices), version=version)

    def _table(self, name: str, *, is_view: bool, version: str, notices: list[Notice]) -> TableInfo:
        table = TableName(name=name)
        try:
            columns, key, left_out = self._columns(name)
            if left_out:
                notices.append(Notice(code="name_too_long", text=f"{left_out} columns were left out: names too long."))
            info = TableInfo(
                table=table,
                is_view=is_view,
                columns=tuple(columns),
                primary_key=key,
                unique=self._unique(name),
                foreign_keys=self._foreign_keys(name),
                version=version,
            )
        except StatementFailed as fault:
            return TableInfo(table=table, is_view=is_view, columns=(), version=version, problem=fault.reason)
        try:
            if is_view:
                self._rows(f"SELECT * FROM {quote(name)} LIMIT 1", at_most=self._bounds.peek_s)  # noqa: S608 - names are quoted
                return info
            rows, exact = self._count(name)
        except StatementFailed as fault:
            return info.model_copy(update={"problem": fault.reason})
        return info.model_copy(update={"rows": rows, "rows_exact": exact})

    def _count(self, name: str) -> tuple[int, bool]:
        """Count the rows, exactly up to a million; beyond it give the greatest row id, or the million."""
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {quote(name)} LIMIT {_COUNT_AT_MOST + 1})"  # noqa: S608 - names are quoted
        rows = int(self._rows(sql, at_most=self._bounds.peek_s)[0][0])
        if rows <= _COUNT_AT_MOST:
            return rows, True
        try:
            greatest = self._rows(f"SELECT max(rowid) FROM {quote(name)}", at_most=self._bounds.peek_s)[0][0]  # noqa: S608 - names are quoted
        except StatementFailed:
            return rows, False
        return max(rows, greatest) if isinstance(greatest, int) and greatest < 2**53 else rows, False

    def _unique(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Columns of each unique constraint or index over plain columns of all rows, primary key left out."""
        found: set[tuple[str, ...]] = set()
        for index in self._describe("index_list", name):
            if not index["unique"] or index["partial"] or index["origin"] == "pk":
                continue
            parts = [row for row in self._describe("index_xinfo", index["name"]) if row["key"]]
            if parts and all(row["cid"] >= 0 and 0 < len(row["name"]) <= MAX_NAME for row in parts):
                found.add(tuple(row["name"] for row in parts))
        return tuple(sorted(found))

    def _foreign_keys(self, name: str) -> tuple[ForeignKey, ...]:
        grouped: dict[int, list[dict[str, Any]]] = {}
        for row in sorted(self._describe("foreign_key_list", name), key=lambda row: (row["id"], row["seq"])):
            grouped.setdefault(row["id"], []).append(row)
        found: list[ForeignKey] = []
        for parts in grouped.values():
            parent: str = parts[0]["table"]
            columns = tuple(str(part["from"]) for part in parts)
            targets = tuple(str(part["to"]) for part in parts if part["to"] is not None)
            if not targets:  # REFERENCES parent, without columns: its primary key
                targets = self._columns(parent)[1]
            names = (parent, *columns, *targets)
            if len(targets) == len(columns) and all(0 < len(text) <= MAX_NAME for text in names):
                found.append(ForeignKey(columns=columns, parent=TableName(name=parent), parent_columns=targets))
        return tuple(sorted(found, key=lambda key: (key.columns, key.parent.name, key.parent_columns)))

    # -- profile ------------------------------------------------------------------------------------------------------

    def _settled(self, request: ProfileRequest) -> ProfileResult:
        before = self._look()
        return settled(self._profile(request), before, self._look())

    def _profile(self, request: ProfileRequest) -> ProfileResult:
        try:
            kinds = {name: has_ids for name, _, has_ids in self._tables()}
            name = request.table.name
            if name not in kinds or request.table.schema_name not in {"", "main"}:
                raise no_table(request.table)
            columns = self._columns(name)[0]
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        known = {column.name: column for column in columns}
        missing = [column for column in request.columns if column not in known]
        if missing:
            raise no_column(request.table, missing)
        wanted = [known[column] for column in request.columns] or columns
        return self._profiled(request.table, wanted, has_ids=kinds[name])

    def _profiled(self, table: TableName, wanted: list[ColumnInfo], *, has_ids: bool) -> ProfileResult:
        source = quote(table.name)
        notices: list[Notice] = []
        try:
            rows: int | None = int(self._rows(f"SELECT count(*) FROM {source}")[0][0])  # noqa: S608 - names are quoted
        except StatementFailed as fault:
            rows = None
            notices.append(Notice(code="not_counted", text=f"The rows could not be counted: {fault.reason}."))
        limit = self._bounds.rows_for(len(wanted))
        alias = None
        if has_ids and rows is not None and rows > limit:
            taken = {column.name.lower() for column in wanted}
            alias = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
        plan = _Sample(source, limit, alias, whole=rows is not None and rows <= limit)
        at_once = self._bounds.columns_for(min(limit, rows if rows is not None else limit))
        profiles, sampled = in_parts(wanted, at_once, lambda part: self._part(plan, part))
        sampling: Literal["all", "spread", "first"] = "all" if plan.whole else "spread" if alias else "first"
        return ProfileResult(
            table=table,
            rows=rows,
            rows_exact=rows is not None,
            sampled=sampled,
            sampling=sampling,
            margin=margin(sampling, sampled, rows),
            columns=tuple(profiles),
            notices=tuple(notices),
        )

    def _part(self, plan: "_Sample", columns: Sequence[ColumnInfo]) -> tuple[list[ColumnProfile], int]:
        """Profile some columns together; gives the profiles and the rows seen."""
        rows = self._sample(plan, [column.name for column in columns])
        totals = [None] * len(columns) if plan.whole else self._nulls(plan, columns)
        values = cast("list[Sequence[Key | None]]", list(zip(*rows, strict=True)) if rows else [()] * len(columns))
        profiles = [
            column_profile(facts_of(column.name, column.type, held, whole=plan.whole, nulls_total=total))
            for column, held, total in zip(columns, values, totals, strict=True)
        ]
        return profiles, len(rows)

    @property
    def _is_large(self) -> bool:
        """Whether the cells of a sample could take more memory than they should."""
        return self._path.stat().st_size > _WHOLE_CELLS_UP_TO

    def _sample(
        self, plan: "_Sample", columns: list[str], value: Callable[[str], str] | None = None
    ) -> list[tuple[Any, ...]]:
        """Read the columns of a sample, each as ``value`` puts it where that is given."""
        shown = value or (_cut_large if self._is_large else quote)
        names = ", ".join(map(shown, columns))
        if plan.alias is None:
            return self._rows(f"SELECT {names} FROM {plan.source} LIMIT ?", [plan.limit])  # noqa: S608 - names are quoted
        low, high = self._rows(f"SELECT min({plan.alias}), max({plan.alias}) FROM {plan.source}")[0]  # noqa: S608 - names are quoted
        each = -(-plan.limit // _STRIPES)
        after = low - 1
        found: list[tuple[Any, ...]] = []
        for stripe in range(_STRIPES):
            start = max(after + 1, low + (high - low) * stripe // _STRIPES)
            rows = self._rows(
                f"SELECT {plan.alias}, {names} FROM {plan.source} WHERE {plan.alias} >= ? ORDER BY 1 LIMIT ?",  # noqa: S608 - names are quoted
                [start, min(each, plan.limit - len(found))],
            )
            if rows:
                after = rows[-1][0]
                found += [row[1:] for row in rows]
        return found

    def _sampled(self, table: TableName, most: Most) -> Sampled:
        name = table.name
        kinds = {known: has_ids for known, _, has_ids in self._tables()}
        if name not in kinds or table.schema_name not in {"", "main"}:
            raise no_table(table)
        columns = [column.name for column in self._columns(name)[0]]
        rows = int(self._rows(f"SELECT count(*) FROM {quote(name)}")[0][0])  # noqa: S608 - names are quoted
        limit = most.rows_of(len(columns))
        alias = None
        if kinds[name] and rows > limit:
            taken = {column.lower() for column in columns}
            alias = next((word for word in ("rowid", "_rowid_", "oid") if word not in taken), None)
        plan = _Sample(quote(name), limit, alias, whole=rows <= limit)
        found = self._sample(plan, columns, _cut) if columns else []
        return Sampled(
            table=table,
            names=columns,
            columns=list(zip(*found, strict=True)) if found else [()] * len(columns),
            rows=rows,
            sampled=len(found),
            sampling="all" if plan.whole else "spread" if alias else "first",
        )

    def _nulls(self, plan: "_Sample", columns: Sequence[ColumnInfo]) -> Sequence[int | None]:
        """Count nulls over the whole table; unknown where that takes too long."""
        counts = ", ".join(f"count(*) - count({quote(column.name)})" for column in columns)
        try:
            return [int(value) for value in self._rows(f"SELECT {counts} FROM {plan.source}")[0]]  # noqa: S608 - names are quoted
        except StatementFailed as fault:
            if not fault.timed_out:
                raise
            return [None] * len(columns)

    # -- select -------------------------------------------------------------------------------------------------------

    def _select(self, request: SelectRequest) -> SelectResult:
        from twokey.tools.read.warehouse.sqlcheck import checked  # noqa: PLC0415 - 0.3 s that a scan need not pay

        try:
            known = self._columns_by_table()
            tables = {key: frozenset(columns) for key, columns in known.items()}
            tables.update({("main", name): columns for (_, name), columns in list(tables.items())})
            sql = checked(request.sql, dialect="sqlite", tables=tables)
            return self._fetch(
                sql,
                lambda cursor: cells.collect(
                    [str(item[0]) for item in cursor.description],
                    cursor,
                    max_rows=min(request.max_rows, self._bounds.max_rows),
                    max_bytes=self._bounds.max_bytes,
                ),
            )
        except StatementFailed as fault:
            raise select_failed(fault) from fault


class _Sample:
    """How a table is sampled: all of it, its first rows, or stripes along the row id called ``alias``."""

    __slots__ = ("alias", "limit", "source", "whole")

    def __init__(self, source: str, limit: int, alias: str | None, *, whole: bool) -> None:
        self.source = source
        self.limit = limit
        self.alias = alias
        self.whole = whole


def quote(name: str) -> str:
    """Give an identifier as SQL text."""
    return '"' + name.replace('"', '""') + '"'


def _cut(column: str) -> str:
    """Give a column whose texts are cut and whose binaries are left out."""
    name = quote(column)
    return f"CASE typeof({name}) WHEN 'text' THEN substr({name}, 1, {MAX_TEXT}) WHEN 'blob' THEN NULL ELSE {name} END"


def _cut_large(column: str) -> str:
    """Give a column of which only what is very long is cut."""
    name = quote(column)
    long = f"typeof({name}) IN ('text', 'blob') AND length({name}) > {_LONGEST}"
    return f"CASE WHEN {long} THEN substr({name}, 1, {_LONGEST}) ELSE {name} END"


def _quoted_table(table: TableName) -> str:
    return quote(table.name)


def _named_rows(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    names = [item[0] for item in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _text(raw: bytes) -> str:
    """Read a text value; bytes that are no UTF-8 become U+FFFD instead of failing the row."""
    return raw.decode("utf-8", "replace")


_KNOWN_FAULTS: Final = (
    ("no such table", "it reads a table that does not exist"),
    ("no such column", "it reads a column that does not exist"),
    ("no such function", "it calls a function that does not exist"),
    ("no such module", "it needs an extension that is not loaded"),
    ("no such collation", "it needs a collation that is not loaded"),
    ("not authorized", "it does something that is not allowed here"),
    ("access to", "it does something that is not allowed here"),
    ("unsafe use", "it does something that is not allowed here"),
    ("malformed json", "it reads JSON that is malformed"),
    ("string or blob too big", "a value is too large"),
    ("circularly defined", "the view is defined by itself"),
)


def _failed(error: sqlite3.Error) -> StatementFailed:
    name = str(getattr(error, "sqlite_errorname", "") or type(error).__name__)
    if name.startswith("SQLITE_INTERRUPT"):
        return StatementFailed("it took too long", timed_out=True)
    text = str(error).lower()
    reason = next((sentence for start, sentence in _KNOWN_FAULTS if start in text[:120]), "the database refused it")
    return StatementFailed(f"{reason} ({name})")


def _is_wal(path: Path) -> bool:
    """Whether the file is in WAL mode: bytes 18 and 19 of its header are 2 (sqlite.org/fileformat2.html)."""
    with path.open("rb") as file:
        return file.read(20)[18:20] == b"\2\2"


def _has_log(path: Path) -> bool:
    """Whether a write-ahead log with content lies beside the file."""
    log = path.with_name(path.name + "-wal")
    try:
        return log.stat().st_size > 0
    except FileNotFoundError:
        return False
