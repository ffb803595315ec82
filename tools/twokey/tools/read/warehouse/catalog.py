"""What a database server says of its own tables, through SQLAlchemy's inspector and PostgreSQL's catalog.

Rules: only the schemas that may be read are looked at, never the system's own; a table whose description fails keeps
its name and says why; a role that could write is reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import quoted_name

from twokey.tools.read.warehouse import cells
from twokey.tools.read.warehouse.session import Session
from twokey.tools.read.warehouse.sources import StatementFailed
from twokey.tools.read.warehouse.values import MAX_NAME, ColumnInfo, ForeignKey, Notice, TableInfo, TableName

_Key = tuple[str | None, str]
"""SQLAlchemy's key of a table: schema (``None`` for the default one) and name."""

_SYSTEM_SCHEMAS: Final = frozenset(
    {"information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys", "guest", "snowflake"}
)


class Catalog:
    """What SQLAlchemy reflects of all tables (of ``only`` one), fetched per schema and not per table where it can."""

    def __init__(self, session: Session, schemas: Sequence[str]) -> None:
        self._session = session
        self._wanted = schemas
        self._only: TableName | None = None
        self._inspector = sa.inspect(session.connection)
        self._cache: dict[tuple[str, str | None], Mapping[_Key, Any] | None] = {}
        self._declared: dict[tuple[str, str], dict[str, str]] = {}
        self._estimates: dict[tuple[str, str], int] = {}
        self._listed: Sequence[tuple[TableName, bool]] | None = None
        self.default_schema = self._inspector.default_schema_name or ""

    def prepare(self, only: TableName | None = None) -> None:
        """Get ready to describe tables, or ``only`` one of them."""
        self._only = only
        self._cache.clear()
        if self._session.is_postgresql:
            self._read_catalog()

    def _read_catalog(self) -> None:
        """Read PostgreSQL's own text of each type, and its estimate of rows."""
        where = "" if self._only is None else " AND n.nspname = :schema AND c.relname = :name"
        bound = {} if self._only is None else {"schema": self._only.schema_name, "name": self._only.name}
        head = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        tail = (
            f"WHERE n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_toast'{where}"
        )
        rows = self._session.rows(
            sa.text(
                "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)"
                f" {head} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
                f" {tail}"
            ).bindparams(**bound)
        )
        for schema, table, column, declared in rows:
            self._declared.setdefault((schema, table), {})[column] = declared
        rows = self._session.rows(
            sa.text(
                f"SELECT n.nspname, c.relname, c.reltuples::bigint {head} {tail} AND c.reltuples >= 0"
                " AND c.relkind IN ('r', 'p', 'm', 'f')"
            ).bindparams(**bound)
        )
        self._estimates = {(schema, table): int(count) for schema, table, count in rows}

    def _multi(self, what: str, table: TableName) -> Any:
        """Give what ``Inspector.get_multi_WHAT`` says of ``table``.

        The whole schema is read at once; where that fails (one broken view is enough, or one locked table), each table
        is read alone.
        """
        schema = table.schema_name or None
        if (what, schema) not in self._cache:
            try:
                self._cache[what, schema] = self._read(what, schema, None if self._only is None else [table.name])
            except StatementFailed:
                self._cache[what, schema] = None
        whole = self._cache[what, schema]
        if whole is None:
            whole = self._read(what, schema, [table.name], at_most=self._session.bounds.peek_s)
        return whole.get((schema, table.name))

    def _read(
        self, what: str, schema: str | None, names: Sequence[str] | None, *, at_most: float | None = None
    ) -> Mapping[_Key, Any]:
        getter = getattr(self._inspector, f"get_multi_{what}")
        return self._session.guarded(lambda: getter(schema, names, kind=ObjectKind.ANY), at_most=at_most)

    def columns(self, table: TableName) -> tuple[ColumnInfo, ...]:
        """Columns of ``table``, in order."""
        reflected = cast("Iterable[ReflectedColumn]", self._multi("columns", table) or ())
        declared = self._declared.get((table.schema_name, table.name), {})
        return tuple(
            ColumnInfo(
                name=cells.clean(column["name"]),
                position=number,
                type=cells.line(declared.get(column["name"]) or _type_text(column["type"], self._inspector), 200),
                nullable=bool(column["nullable"]),
                has_default=column.get("default") is not None or bool(column.get("identity") or column.get("computed")),
                comment=cells.line(column.get("comment") or "", 1000),
            )
            for number, column in enumerate(reflected, 1)
            if 0 < len(column["name"]) <= MAX_NAME
        )

    def table(self, table: TableName, *, is_view: bool) -> TableInfo:
        """Describe one table; what cannot be reflected becomes its problem."""
        info = TableInfo(table=table, is_view=is_view, columns=())
        try:
            key = self._multi("pk_constraint", table) or {}
            comment = (self._optional("table_comment", table) or {}).get("text") or ""
            return TableInfo(
                table=table,
                is_view=is_view,
                columns=self.columns(table),
                primary_key=tuple(key.get("constrained_columns") or ()),
                unique=self._unique(table),
                foreign_keys=self._foreign_keys(table),
                comment=cells.line(comment, 1000),
                rows=self._estimates.get((table.schema_name, table.name)),
            )
        except StatementFailed as fault:
            return info.model_copy(update={"problem": fault.reason})

    def _optional(self, what: str, table: TableName) -> Any:
        try:
            return self._multi(what, table)
        except (StatementFailed, NotImplementedError):
            return None

    def _unique(self, table: TableName) -> tuple[tuple[str, ...], ...]:
        found = {tuple(item["column_names"]) for item in self._optional("unique_constraints", table) or ()}
        for index in self._optional("indexes", table) or ():
            names = index["column_names"]
            partial = index.get("dialect_options", {}).get("postgresql_where") is not None
            if index["unique"] and not partial and names and None not in names:
                found.add(tuple(names))
        return tuple(sorted(columns for columns in found if columns))

    def _foreign_keys(self, table: TableName) -> tuple[ForeignKey, ...]:
        found = [
            ForeignKey(
                columns=tuple(item["constrained_columns"]),
                parent=TableName(
                    schema_name=item["referred_schema"] or self.default_schema, name=item["referred_table"]
                ),
                parent_columns=tuple(item["referred_columns"]),
            )
            for item in self._multi("foreign_keys", table) or ()
        ]
        return tuple(sorted(found, key=lambda key: (key.columns, key.parent.name, key.parent_columns)))

    def schemas(self) -> list[str]:
        """Schemas that may be read and exist, by name."""
        try:
            names = self._session.guarded(self._inspector.get_schema_names)
        except StatementFailed:
            names = []
        names = names or [self._inspector.default_schema_name or ""]
        return sorted(
            name
            for name in names
            if len(name) <= MAX_NAME
            and (name in self._wanted if self._wanted else name.lower() not in _SYSTEM_SCHEMAS)
            and not name.lower().startswith(("pg_temp", "pg_toast"))
            and name.lower() not in {"pg_catalog", "information_schema"}
        )

    def listed(self) -> Sequence[tuple[TableName, bool]]:
        """Tables and views (true) of the schemas that may be read, by schema and name; looked up once."""
        if self._listed is None:
            self._listed = self._list()
        return self._listed

    def _list(self) -> list[tuple[TableName, bool]]:
        found: set[tuple[str, str, bool]] = set()
        for schema in self.schemas():
            place = schema or None
            getters = [(self._inspector.get_table_names, False), (self._inspector.get_view_names, True)]
            getters.append((self._inspector.get_materialized_view_names, True))
            for getter, is_view in getters:
                try:
                    names = self._session.guarded(lambda getter=getter, place=place: getter(place))
                except StatementFailed as fault:
                    if fault.timed_out:
                        raise
                    continue  # a dialect without that kind of relation
                except NotImplementedError:
                    continue
                found |= {(schema, name, is_view) for name in names if 0 < len(name) <= MAX_NAME}
            if self._session.is_postgresql:
                found |= {(schema, name, False) for name in self._foreign_tables(schema)}
        return [(TableName(schema_name=schema, name=name), is_view) for schema, name, is_view in sorted(found)]

    def _foreign_tables(self, schema: str) -> list[str]:
        rows = self._session.rows(
            sa.text(
                "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind = 'f' AND n.nspname = :schema"
            ).bindparams(schema=schema)
        )
        return [str(row[0]) for row in rows if 0 < len(row[0]) <= MAX_NAME]

    def peek(self, table: TableName) -> str:
        """Read one row of a view; gives the reason where that fails."""
        try:
            self._session.rows(
                sa.select(sa.text("*")).select_from(table_clause(table)).limit(1), at_most=self._session.bounds.peek_s
            )
        except StatementFailed as fault:
            return fault.reason
        return ""

    def may_read(self, table: TableName) -> bool:
        name = self._session.dialect.identifier_preparer.format_table(table_clause(table))
        try:
            rows = self._session.rows(
                sa.text("SELECT pg_catalog.has_any_column_privilege(:name, 'SELECT')").bindparams(name=name)
            )
        except StatementFailed:
            return False
        return bool(rows[0][0])

    def notices(self) -> list[Notice]:
        """Say where the role could do more than read."""
        if not self._session.is_postgresql:
            if self._session.dialect.name in {"mysql", "mariadb", "oracle"}:
                return []
            text = "This kind of database has no read-only transaction here: use a role that may only SELECT."
            return [Notice(code="not_read_only", text=text)]
        superuser, files, creates, writes = self._session.rows(
            "SELECT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),"
            " pg_catalog.pg_has_role(current_user, 'pg_execute_server_program', 'MEMBER')"
            " OR pg_catalog.pg_has_role(current_user, 'pg_write_server_files', 'MEMBER')"
            " OR pg_catalog.pg_has_role(current_user, 'pg_read_server_files', 'MEMBER')"
            " OR pg_catalog.pg_has_role(current_user, 'pg_write_all_data', 'MEMBER'),"
            " (SELECT pg_catalog.bool_or(pg_catalog.has_schema_privilege(oid, 'CREATE')) FROM pg_catalog.pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),"
            " (SELECT pg_catalog.bool_or(pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))"
            " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')"
        )[0]
        if superuser:
            text = "The role is a superuser. Use a role with SELECT only: it is the wall that holds if all others fail."
            return [Notice(code="role_superuser", text=text)]
        if files or creates or writes:
            text = "The role could write. Use a role with SELECT only: it is the wall that holds if all others fail."
            return [Notice(code="role_can_write", text=text)]
        return []


def table_clause(table: TableName) -> sa.TableClause:
    """Give the table as it is named in SQL, always quoted."""
    schema = quoted_name(table.schema_name, quote=True) if table.schema_name else None
    return sa.table(quoted_name(table.name, quote=True), schema=schema)


def _type_text(type_: Any, inspector: Any) -> str:
    try:
        return str(type_.compile(dialect=inspector.dialect))
    except SQLAlchemyError:
        return type(type_).__name__
