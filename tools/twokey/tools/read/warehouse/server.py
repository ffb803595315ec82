"""Reads a database server through SQLAlchemy, PostgreSQL first.

Rules:
- everything runs in one transaction that is rolled back; on PostgreSQL, MySQL and MariaDB it is read-only and each
  statement has a deadline on the server; other databases have only the syntax-tree check and the role's own rights;
- a SELECT of the agent is written anew from its checked syntax tree; on PostgreSQL it also becomes a subquery, where
  neither a second statement nor a data-modifying ``WITH`` can stand;
- a role that could write is reported: the wall that no mistake here can open is a role with SELECT only.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Literal, Self

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.warehouse import cells
from twokey.tools.read.warehouse.catalog import Catalog, table_clause
from twokey.tools.read.warehouse.key_sql import WriteNumber, postgresql_number
from twokey.tools.read.warehouse.keys import answer_keys
from twokey.tools.read.warehouse.location import Location
from twokey.tools.read.warehouse.profile import Key, column_profile, facts_of, in_parts
from twokey.tools.read.warehouse.sampling import margin
from twokey.tools.read.warehouse.session import Session
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
)
from twokey.tools.read.warehouse.values import (
    ColumnInfo,
    ColumnProfile,
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

_DIALECTS: Final = {"postgresql": "postgres", "mariadb": "mysql", "mssql": "tsql", "awsathena": "athena"}
"""Where sqlglot's name of a dialect is not SQLAlchemy's."""
_MAX_TEXT: Final = 4096


class ServerSource:
    """One database behind a SQLAlchemy URL, connected for one call."""

    def __init__(self, place: Location, bounds: Bounds) -> None:
        self._place = place
        self._bounds = bounds
        self._session: Session
        self._catalog: Catalog
        self._together = False

    def __enter__(self) -> Self:
        self._session = Session(self._place, self._bounds)
        self._catalog = Catalog(self._session, self._place.schemas)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def schema(self) -> SchemaResult:
        """Describe every table and view."""
        try:
            listed = self._catalog.listed()
            self._catalog.prepare()
            notices = self._catalog.notices()
        except StatementFailed as fault:
            raise EnvironmentFault(
                f"The tables of {self._session.shown} cannot be listed: {fault.reason}.",
                next="Check that the role may read the catalog of the database.",
                code="warehouse_unreadable",
            ) from fault
        if not listed:
            raise BadInput(
                f"{self._session.shown} holds no tables that this role may see.",
                next="Give a database that has some, or grant the role USAGE on their schema.",
                code="empty_warehouse",
            )
        tables: list[TableInfo] = []
        for table, is_view in listed:
            try:
                self._session.deadline.left(1)
            except StatementFailed:
                notices.append(Notice(code="out_of_time", text="The time ended before every table was described."))
                return SchemaResult(
                    dialect=self._session.dialect.name, tables=tuple(tables), notices=tuple(notices), complete=False
                )
            info = self._catalog.table(table, is_view=is_view)
            if not info.problem and is_view:
                info = info.model_copy(update={"problem": self._catalog.peek(table)})
            elif not info.problem and self._session.is_postgresql and not self._catalog.may_read(table):
                info = info.model_copy(update={"problem": "the role may not read it"})
            tables.append(info)
        return SchemaResult(dialect=self._session.dialect.name, tables=tuple(tables), notices=tuple(notices))

    # -- profile ------------------------------------------------------------------------------------------------------

    def _columns_of(self, table: TableName) -> tuple[ColumnInfo, ...]:
        if all(table != known for known, _ in self._catalog.listed()):
            raise no_table(table)
        if not self._together:
            self._catalog.prepare(only=table)
        return self._catalog.columns(table)

    def profile(self, request: ProfileRequest) -> ProfileResult:
        """Profile one table."""
        try:
            columns = self._columns_of(self._resolved(request.table))
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        known = {column.name: column for column in columns}
        missing = [name for name in request.columns if name not in known]
        if missing:
            raise no_column(request.table, missing)
        return self._profiled(request.table, [known[name] for name in request.columns] or list(columns))

    def profiles(self, request: ProfilesRequest) -> ProfilesResult:
        """Profile several tables; the catalog is read once for all."""
        try:
            self._catalog.prepare()
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        self._together = True
        return each_profile(request, self._session.deadline, self.profile)

    def version(self) -> str:
        """Give nothing: a server tells nobody cheaply that nothing was changed."""
        return ""

    def _resolved(self, table: TableName) -> TableName:
        """Fill in the default schema."""
        if table.schema_name:
            return table
        default = self._catalog.default_schema
        return table.model_copy(update={"schema_name": default})

    def _profiled(self, table: TableName, wanted: list[ColumnInfo]) -> ProfileResult:
        source = table_clause(self._resolved(table))
        limit = self._bounds.rows_for(len(wanted))
        notices: list[Notice] = []
        rows: int | None = None
        try:
            rows = int(self._session.rows(sa.select(sa.func.count()).select_from(source))[0][0])
        except StatementFailed as fault:
            notices.append(Notice(code="not_counted", text=f"The rows could not be counted: {fault.reason}."))
        whole = rows is not None and rows <= limit
        spread = False
        sampled_from: sa.FromClause = source
        if self._session.is_postgresql and rows is not None and not whole and self._is_plain(table):
            # REPEATABLE makes a second profile of the same rows read the same sample
            percent = min(100.0, 120 * limit / rows)
            sampled_from = source.tablesample(sa.func.system(percent), name="s", seed=sa.literal_column("1"))
            spread = True
        profiles, sampled = in_parts(
            wanted,
            self._bounds.columns_for(min(limit, rows if rows is not None else limit)),
            lambda part: self._part(part, source, sampled_from, limit, whole=whole),
        )
        sampling: Literal["all", "spread", "first"] = "all" if whole else "spread" if spread else "first"
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

    def _is_plain(self, table: TableName) -> bool:
        """Whether PostgreSQL can sample the relation: an ordinary table or a materialized view."""
        rows = self._session.rows(
            sa.text(
                "SELECT c.relkind IN ('r', 'm') FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = :schema AND c.relname = :name"
            ).bindparams(schema=self._resolved(table).schema_name, name=table.name)
        )
        return bool(rows and rows[0][0])

    def _part(
        self, columns: Sequence[ColumnInfo], source: sa.FromClause, sampled: sa.FromClause, limit: int, *, whole: bool
    ) -> tuple[list[ColumnProfile], int]:
        """Profile some columns together; gives the profiles and the rows seen."""
        expressions = [self._value(column, number) for number, column in enumerate(columns)]
        statement = sa.select(*expressions).select_from(sampled).limit(limit)
        rows = self._session.rows(statement)
        totals = [None] * len(columns) if whole else self._nulls(columns, source)
        held = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        return [
            column_profile(
                facts_of(column.name, column.type, [_key(value) for value in values], whole=whole, nulls_total=total)
            )
            for column, values, total in zip(columns, held, totals, strict=True)
        ], len(rows)

    def _value(self, column: ColumnInfo, number: int) -> sa.ColumnElement[Any]:
        """Give the column so that Python can hold it: PostgreSQL casts all but plain numbers and booleans to text."""
        name: sa.ColumnElement[Any] = sa.column(quoted_name(column.name, quote=True))
        base = column.type.partition("(")[0].strip().lower()
        if self._session.is_postgresql:
            if base == "bytea":
                name = sa.func.left(sa.cast(name, sa.Text), 64)
            elif base not in {"smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean"}:
                name = sa.func.left(sa.cast(name, sa.Text), _MAX_TEXT)
        return name.label(f"c{number}")

    def _nulls(self, columns: Sequence[ColumnInfo], source: sa.FromClause) -> Sequence[int | None]:
        counts = [
            (sa.func.count() - sa.func.count(sa.column(quoted_name(column.name, quote=True)))).label(f"c{number}")
            for number, column in enumerate(columns)
        ]
        try:
            return [int(value) for value in self._session.rows(sa.select(*counts).select_from(source))[0]]
        except StatementFailed as fault:
            if not fault.timed_out:
                raise
            return [None] * len(columns)

    # -- inspect ------------------------------------------------------------------------------------------------------

    def sample(self, table: TableName, most: Most) -> Sampled:
        """Read rows of one table to look at their cells."""
        try:
            columns = self._columns_of(self._resolved(table))
            source = table_clause(self._resolved(table))
            rows = int(self._session.rows(sa.select(sa.func.count()).select_from(source))[0][0])
            limit = most.rows_of(len(columns))
            sampled_from: sa.FromClause = source
            spread = rows > limit and self._session.is_postgresql and self._is_plain(table)
            if spread:
                percent = min(100.0, 120 * limit / rows)
                sampled_from = source.tablesample(sa.func.system(percent), name="s", seed=sa.literal_column("1"))
            values = [self._value(column, number) for number, column in enumerate(columns)]
            found = self._session.rows(sa.select(*values).select_from(sampled_from).limit(limit)) if values else []
        except StatementFailed as fault:
            raise not_readable(table, fault) from fault
        return Sampled(
            table=table,
            names=[column.name for column in columns],
            columns=[[_key(value) for value in held] for held in zip(*found, strict=True)] or [()] * len(columns),
            rows=rows,
            sampled=len(found),
            sampling="all" if rows <= limit else "spread" if spread else "first",
        )

    # -- keys and select ----------------------------------------------------------------------------------------------

    def _readable(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Columns of every table that may be named, tables of the default schema also without it."""
        self._catalog.prepare()
        default = self._catalog.default_schema
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for table, _ in self._catalog.listed():
            try:
                names = tuple(column.name for column in self._catalog.columns(table))
            except StatementFailed:
                self._session.deadline.left(1)
                continue  # a broken view or a locked table is not there for the others
            found[table.schema_name, table.name] = names
            if table.schema_name == default:
                found["", table.name] = names
        return found

    def keys(self, request: KeysRequest) -> KeysResult:
        """Answer each check."""
        try:
            tables = self._readable()
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        return answer_keys(request, tables, self, self._bounds, self._session.deadline)

    @property
    def number(self) -> WriteNumber | None:
        """How parts of a column are told: PostgreSQL alone has a hash that is known here."""
        return postgresql_number if self._session.is_postgresql else None

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Run a statement that counts keys."""
        return self._session.rows(sql)

    def quote_table(self, table: TableName) -> str:
        """Give a table as it stands in a statement."""
        resolved = self._resolved(table)
        name = self.quote(resolved.name)
        return f"{self.quote(resolved.schema_name)}.{name}" if resolved.schema_name else name

    def quote(self, name: str) -> str:
        """Give a name as it stands in a statement."""
        return self._session.dialect.identifier_preparer.quote_identifier(name)

    def select(self, request: SelectRequest) -> SelectResult:
        """Run one checked SELECT."""
        from twokey.tools.read.warehouse.sqlcheck import checked  # noqa: PLC0415 - 0.3 s that a scan need not pay

        max_rows = min(request.max_rows, self._bounds.max_rows)
        try:
            known = self._readable()
            tables = {key: frozenset(columns) for key, columns in known.items()}
            sql = checked(
                request.sql,
                dialect=_DIALECTS.get(self._session.dialect.name, self._session.dialect.name),
                tables=tables,
            )
            if self._session.dialect.paramstyle in {"format", "pyformat"}:
                sql = sql.replace("%", "%%")
            arguments: dict[str, int] | None = None
            if self._session.is_postgresql:
                # one row more than is kept tells whether there were more; an argument makes psycopg use the extended
                # protocol, which takes one statement only
                sql = f"SELECT * FROM ({sql}) AS twokey_answer LIMIT %(n)s"  # noqa: S608 - checked
                arguments = {"n": max_rows + 1}
                path = ", ".join(["pg_catalog", *(self.quote(schema) for schema in self._catalog.schemas())])
                self._session.guarded(lambda: self._session.connection.exec_driver_sql(f"SET search_path = {path}"))

            def work() -> SelectResult:
                options = {"stream_results": True}
                with self._session.connection.exec_driver_sql(sql, arguments, execution_options=options) as result:
                    return cells.collect(
                        list(result.keys()), result, max_rows=max_rows, max_bytes=self._bounds.max_bytes
                    )

            return self._session.guarded(work)
        except StatementFailed as fault:
            raise select_failed(fault) from fault


def _key(value: Any) -> Key | None:
    """Give a driver's value as one that can be counted."""
    if value is None or isinstance(value, str | int | float | bytes | Decimal):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, timedelta):
        return str(value)
    return cells.clean(str(value))
