"""The statements that count keys: rows, different values, what is found in another table and what is not.

Rules: every name arrives quoted; no statement holds a value. ``Part`` names a part of the values of a column by their
hash, so that a value lies in one part only and all parts together are the column; nothing here decides how many parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

WriteNumber = Callable[[Sequence[str], int], str]
"""Writes, for quoted columns, a whole number from 0 to ``every`` - 1 that their values alone decide."""

_MODULUS: Final = 2_147_483_647
"""2**31 - 1, a prime: the product of two remainders still fits into a SQLite integer."""
_GOLDEN: Final = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio: spreads what a checksum leaves close together (Knuth, TAOCP 3, section 6.4)."""
_FACTOR: Final = 48_271
"""Generator modulo that prime (Park, Miller, Stockmeyer, Communications of the ACM 36, 1993)."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows whose values lie in one of ``every`` parts."""

    number: int
    every: int
    write: WriteNumber

    def condition(self, columns: Sequence[str]) -> str:
        """Give the condition that a row lies in this part."""
        return f"{self.write(columns, self.every)} = {self.number}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one table, quoted, as they stand in a statement."""

    table: str
    names: Sequence[str]

    @property
    def listed(self) -> str:
        """The columns with commas between them."""
        return ", ".join(self.names)

    @property
    def tuple(self) -> str:
        """The columns as one value to compare."""
        return self.listed if len(self.names) == 1 else f"({self.listed})"

    def filled(self, part: Part | None = None) -> str:
        """Give the condition that no column is null, and that the row lies in ``part``."""
        conditions = [f"{name} IS NOT NULL" for name in self.names]
        return " AND ".join([*conditions, *([] if part is None else [part.condition(self.names)])])


def size(of: Columns) -> str:
    """Count rows and filled rows."""
    return f"SELECT count(*), sum(CASE WHEN {of.filled()} THEN 1 ELSE 0 END) FROM {of.table}"  # noqa: S608 - quoted


def values(of: Columns) -> str:
    """Count different filled values."""
    return f"SELECT count(*) FROM (SELECT DISTINCT {of.listed} FROM {of.table} WHERE {of.filled()}) d"  # noqa: S608 - quoted


def distinct(of: Columns, part: Part | None) -> str:
    """Count filled rows and their different values, all or those of one part."""
    where = of.filled(part)
    return (
        f"SELECT (SELECT count(*) FROM {of.table} WHERE {where}),"  # noqa: S608 - names are quoted by the dialect
        f" (SELECT count(*) FROM (SELECT DISTINCT {of.listed} FROM {of.table} WHERE {where}) d)"
    )


def outside(child: Columns, parent: Columns) -> str:
    """Count child rows whose values do not occur in the parent.

    ``IN`` over rows without nulls is two-valued, so its negation counts exactly the orphans. What is held in memory are
    the values of the parent.
    """
    where = f"{child.filled()} AND NOT ({_within(child, parent)})"
    return f"SELECT count(*) FROM {child.table} WHERE {where}"  # noqa: S608 - names are quoted by the dialect


def inside(child: Columns, parent: Columns) -> str:
    """Count different child values that occur in the parent; see ``outside``."""
    where = f"{child.filled()} AND {_within(child, parent)}"
    return f"SELECT count(*) FROM (SELECT DISTINCT {child.listed} FROM {child.table} WHERE {where}) d"  # noqa: S608 - quoted


def inclusion_by_child(child: Columns, parent: Columns, part: Part | None = None) -> str:
    """Count different child values, those of them that occur in the parent, and child rows that do not.

    What is held in memory are the values of the child (of ``part`` of them), however large the parent is.
    """
    there = _met(child, parent)
    return (
        f"{_by_child(child, parent, part)} SELECT (SELECT count(*) FROM wanted),"  # noqa: S608 - names are quoted by the dialect
        f" (SELECT count(*) FROM wanted WHERE {there}),"
        f" (SELECT count(*) FROM {child.table} WHERE {child.filled(part)} AND NOT ({there}))"
    )


def orphans(child: Columns, parent: Columns, at_most: int) -> str:
    """List child values that the parent lacks, each once."""
    return (
        f"SELECT DISTINCT {child.listed} FROM {child.table} WHERE {child.filled()}"  # noqa: S608 - names are quoted by the dialect
        f" AND NOT ({_within(child, parent)}) ORDER BY {child.listed} LIMIT {at_most}"
    )


def orphans_by_child(child: Columns, parent: Columns, at_most: int, part: Part | None = None) -> str:
    """List child values (of ``part`` of them) that the parent lacks, each once; holds values of the child alone."""
    return (
        f"{_by_child(child, parent, part)} SELECT {child.listed} FROM wanted"  # noqa: S608 - names are quoted by the dialect
        f" WHERE NOT ({_met(child, parent)}) ORDER BY {child.listed} LIMIT {at_most}"
    )


def _by_child(child: Columns, parent: Columns, part: Part | None) -> str:
    """Collect the different child values that are ``wanted``, and the parent values that have ``met`` one."""
    wanted = f"SELECT DISTINCT {child.listed} FROM {child.table} WHERE {child.filled(part)}"  # noqa: S608 - quoted
    met = (
        f"SELECT DISTINCT {parent.listed} FROM {parent.table} WHERE {parent.filled()}"  # noqa: S608 - quoted
        f" AND {parent.tuple} IN (SELECT {child.listed} FROM wanted)"
    )
    return f"WITH wanted AS MATERIALIZED ({wanted}), met AS MATERIALIZED ({met})"


def _met(child: Columns, parent: Columns) -> str:
    return f"{child.tuple} IN (SELECT {parent.listed} FROM met)"  # noqa: S608 - names are quoted by the dialect


def _within(child: Columns, parent: Columns) -> str:
    return f"{child.tuple} IN (SELECT {parent.listed} FROM {parent.table} WHERE {parent.filled()})"  # noqa: S608 - quoted


# --- hashes ------------------------------------------------------------------------------------------------------


def duckdb_number(columns: Sequence[str], every: int) -> str:
    """Write it with DuckDB's own hash."""
    return f"hash({', '.join(columns)}) % {every}"


def postgresql_number(columns: Sequence[str], every: int) -> str:
    """Write it with PostgreSQL's hash of a text, which every value has."""
    value = columns[0] if len(columns) == 1 else f"ROW({', '.join(columns)})"
    return f"pg_catalog.abs(pg_catalog.mod(pg_catalog.hashtextextended(CAST({value} AS text), 0), {every}))"


SQLITE_HASH: Final = "twokey_hash"
"""Function of bytes that a SQLite connection must have for ``sqlite_number``."""


def sqlite_hash(*values: bytes | None) -> int:
    """Give a number of 32 bits that the bytes decide, the same in every process; a null counts as nothing."""
    mixed = crc32(b"\0".join(value or b"" for value in values)) * _GOLDEN
    return (mixed >> 29) & 0xFFFFFFFF


def sqlite_number(columns: Sequence[str], every: int) -> str:
    """Write it with arithmetic for one column of integers, which costs little, and with ``SQLITE_HASH`` for others."""
    values = ", ".join(f"CAST({column} AS BLOB)" for column in columns)
    hashed = f"{SQLITE_HASH}({values}) % {every}"
    if len(columns) > 1:
        return hashed
    mixed = f"(abs({columns[0]} % {_MODULUS}) * {_FACTOR} % {_MODULUS})"
    return f"CASE typeof({columns[0]}) WHEN 'integer' THEN {mixed} * {mixed} % {_MODULUS} % {every} ELSE {hashed} END"
