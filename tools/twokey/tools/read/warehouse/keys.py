"""Whether the values of one key occur in another: counted inside the database, exactly while memory allows.

Rules
- Only tables and columns of the schema are named, each quoted; the figures of a side are worked out once per call.
- Up to ``Bounds.key_values`` different values everything is counted at once. Beyond it, or where that takes too long,
  the values are cut into parts by their hash, one part is held at a time, and parts are counted until all are done
  (then the figures are exact, too) or ``Bounds.keys_s`` has passed; the rest is estimated from the parts that were
  counted, and the answer says so.
- Orphans that were seen are counted exactly, row by row; of those nobody saw the answer gives an upper bound.
- No value leaves here: of orphans only masked forms do, and only where most values are found.
- A check that fails says why and the next one goes on; one that the time of the call did not reach says that.

Sources: sampling by hash thresholds, Dasgupta et al., A Framework for Estimating Stream Expression Cardinalities (ICDT
2016); bound of a Poisson count, Wilson and Hilferty, PNAS 17 (1931).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final, Protocol

from twokey.tools.read.warehouse import key_sql
from twokey.tools.read.warehouse.key_sql import Columns, Part, WriteNumber
from twokey.tools.read.warehouse.patterns import shape
from twokey.tools.read.warehouse.sources import Bounds, Deadline, StatementFailed
from twokey.tools.read.warehouse.values import KeyCheck, KeyFacts, KeysRequest, KeysResult, TableName, Tally

_TWO_SIDED: Final = 1.96
_ONE_SIDED: Final = 1.645
"""Widths that 19 of 20 samples stay within, on both sides and on one."""
_ORPHANS_LOOKED_AT: Final = 200
_SHAPES: Final = 3
_MIN_LEFT_S: Final = 0.05


class Access(Protocol):
    """How one kind of database is asked."""

    def quote_table(self, table: TableName, /) -> str:
        """Give a table as it stands in a statement."""
        ...

    def quote(self, name: str, /) -> str:
        """Give a column as it stands in a statement."""
        ...

    def rows(self, sql: str, /) -> Sequence[Sequence[object]]:
        """Run a statement; raises ``StatementFailed``."""
        ...

    @property
    def number(self) -> WriteNumber | None:
        """How parts are told; ``None`` where the database has no hash for it, and everything is counted at once."""
        ...


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a check: rows, filled rows and different values."""

    rows: int
    filled: int
    distinct: int
    margin: int = 0
    """How far the different values may be off, in hundredths of a percent of themselves."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of the child's values. ``share`` is that of the values that were looked for."""

    looked: int
    present: int
    orphan_rows: int
    listed: str
    """Statement that lists values that are missing."""
    share: float = 1.0


def answer_keys(
    request: KeysRequest,
    tables: Mapping[tuple[str, str], Sequence[str]],
    access: Access,
    bounds: Bounds,
    deadline: Deadline,
    clock: Callable[[], float] = time.monotonic,
) -> KeysResult:
    """Answer every check of ``request``. ``tables`` maps schema and name to the columns that may be named."""
    counting = _Counting(access, bounds, clock)
    answers: list[KeyFacts] = []
    for check in request.checks:
        sides = ((check.child, check.child_columns), (check.parent, check.parent_columns))
        if any(not set(columns) <= set(tables.get((table.schema_name, table.name), ())) for table, columns in sides):
            answers.append(KeyFacts(check=check, problem="the table or a column does not exist"))
            continue
        try:
            answers.append(counting.answer(check))
        except StatementFailed as fault:
            # the first check had all the time there is, so asking for it again would not help
            again = bool(answers) and fault.timed_out and _is_over(deadline)
            answers.append(KeyFacts(check=check, problem=fault.reason, reached=not again))
    return KeysResult(checks=tuple(answers))


def _is_over(deadline: Deadline) -> bool:
    try:
        return deadline.left(1) < _MIN_LEFT_S
    except StatementFailed:
        return True


class _Counting:
    """Counts for the checks of one call."""

    def __init__(self, access: Access, bounds: Bounds, clock: Callable[[], float]) -> None:
        self._access = access
        self._most = bounds.key_values
        self._part = bounds.key_part
        self._seconds = bounds.keys_s
        self._clock = clock
        self._sides: dict[tuple[TableName, tuple[str, ...]], _Side] = {}

    def answer(self, check: KeyCheck) -> KeyFacts:
        child_at = self._columns(check.child, check.child_columns)
        parent_at = self._columns(check.parent, check.parent_columns)
        child = self._side(check.child, check.child_columns)
        parent = self._side(check.parent, check.parent_columns)
        seen = self._seen(child_at, child, parent_at, parent)
        missing = seen.looked - seen.present
        whole = seen.share == 1
        return KeyFacts(
            check=check,
            child_rows=child.rows,
            child_filled=child.filled,
            child_distinct=seen.looked if whole else child.distinct,
            child_margin=0 if whole else child.margin,
            looked=None if whole else seen.looked,
            present=seen.present,
            orphans=missing,
            orphans_most=missing if whole else ceil(at_most(missing) / seen.share),
            orphan_rows=seen.orphan_rows,
            orphan_rows_about=round(seen.orphan_rows / seen.share),
            orphan_shapes=self._shapes(seen.listed) if 0 < 2 * missing <= seen.looked else (),
            parent_rows=parent.rows,
            parent_filled=parent.filled,
            parent_distinct=parent.distinct,
            parent_margin=parent.margin,
        )

    def _columns(self, table: TableName, columns: Sequence[str]) -> Columns:
        return Columns(self._access.quote_table(table), [self._access.quote(column) for column in columns])

    def _row(self, sql: str) -> tuple[int, ...]:
        return tuple(int(str(value or 0)) for value in self._access.rows(sql)[0])

    # -- one side -----------------------------------------------------------------------------------------------------

    def _side(self, table: TableName, columns: tuple[str, ...]) -> _Side:
        known = (table, columns)
        if known not in self._sides:
            self._sides[known] = self._measured(self._columns(table, columns))
        return self._sides[known]

    def _measured(self, of: Columns) -> _Side:
        rows, filled = self._row(key_sql.size(of))
        if not filled:
            return _Side(rows, 0, 0)
        if filled <= self._most or self._access.number is None:
            try:
                return _Side(rows, filled, self._row(key_sql.values(of))[0])
            except StatementFailed as fault:
                if not self._may_split(filled, fault):
                    raise
        parts = self._parts(filled)
        seen_rows = seen_values = done = 0
        for part_rows, part_values in self._one_by_one(key_sql.distinct(of, part) for part in parts):
            seen_rows, seen_values, done = seen_rows + part_rows, seen_values + part_values, done + 1
            if done == 1 and part_values * len(parts) * 2 <= self._most:
                # few different values in many rows: all of them fit
                return _Side(rows, filled, self._row(key_sql.values(of))[0])
        if done == len(parts):
            return _Side(rows, filled, seen_values)
        share = done / len(parts)
        margin = ceil(10_000 * _TWO_SIDED * sqrt((1 - share) / max(1, seen_values)))
        repeated = seen_rows - seen_values
        about = filled if not repeated else min(filled - repeated, round(seen_values / share))
        return _Side(rows, filled, about, max(1, margin))

    def _may_split(self, values: int, fault: StatementFailed) -> bool:
        """Tell whether what took too long at once may be done in parts."""
        return fault.timed_out and self._access.number is not None and values > self._part

    def _parts(self, values: int) -> Sequence[Part | None]:
        """Give the parts of so many values: one where there is no way to divide them."""
        write = self._access.number
        every = ceil(values / self._part)
        return [None] if write is None else [Part(number, every, write) for number in range(every)]

    def _one_by_one(self, statements: Iterable[str]) -> Iterator[tuple[int, ...]]:
        """Run statements until time is over or one fails; the first must not."""
        end = self._clock() + self._seconds
        for number, sql in enumerate(statements):
            if number and self._clock() > end:
                return
            try:
                found = self._row(sql)
            except StatementFailed:
                if not number:
                    raise
                return
            yield found

    # -- both sides ---------------------------------------------------------------------------------------------------

    def _seen(self, child_at: Columns, child: _Side, parent_at: Columns, parent: _Side) -> _Seen:
        if not child.filled or not parent.filled:
            listed = key_sql.orphans(child_at, parent_at, _ORPHANS_LOOKED_AT)
            return _Seen(child.distinct, 0, child.filled, listed)
        split = child.distinct > self._most
        if self._access.number is None or max(child.filled, parent.filled) <= self._most:
            try:
                (orphan_rows,) = self._row(key_sql.outside(child_at, parent_at))
                # where every row is there, so is every value
                (present,) = self._row(key_sql.inside(child_at, parent_at)) if orphan_rows else (child.distinct,)
            except StatementFailed as fault:
                if not self._may_split(child.distinct, fault):
                    raise
                split = True
            else:
                listed = key_sql.orphans(child_at, parent_at, _ORPHANS_LOOKED_AT)
                return _Seen(child.distinct, present, orphan_rows, listed)
        parts = self._parts(child.distinct) if split else [None]
        looked = present = orphan_rows = done = 0
        for found in self._one_by_one(key_sql.inclusion_by_child(child_at, parent_at, part) for part in parts):
            looked, present, orphan_rows = looked + found[0], present + found[1], orphan_rows + found[2]
            done += 1
        listed = key_sql.orphans_by_child(child_at, parent_at, _ORPHANS_LOOKED_AT, parts[0])
        return _Seen(looked, present, orphan_rows, listed, done / len(parts))

    def _shapes(self, listed: str) -> tuple[Tally, ...]:
        """Give the most frequent masked forms of the values that a statement lists."""
        try:
            found = self._access.rows(listed)
        except StatementFailed:
            return ()  # the counts stand without them
        forms = Counter(shape(" ".join(_text(value) for value in row)) for row in found)
        return tuple(Tally(text=text, count=count) for text, count in sorted(forms.items(), key=_most_first)[:_SHAPES])


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _text(value: object) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes | bytearray | memoryview) else str(value)


def at_most(count: int) -> float:
    """Give what a Poisson count of ``count`` speaks for at most, 19 times out of 20."""
    more = count + 1
    return more * (1 - 1 / (9 * more) + _ONE_SIDED / (3 * sqrt(more))) ** 3
