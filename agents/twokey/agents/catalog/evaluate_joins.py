"""How well relationships are found: ``twokey eval joins URL`` and ``--names-only JSON``.

Rules: the detector is the product's own, with nothing special-cased; the answer (declared keys of a warehouse,
``foreign_keys`` of a JSON file) is taken away before the detector looks, and used for scoring only. A match is
(child column -> parent column); a relationship of several columns counts once per column.

Format of the JSON: a list of databases as in Spider (Yu et al. 2018, ``tables.json``): ``db_id``,
``table_names_original``, ``column_names_original`` [[table index, name]], ``column_types``, ``primary_keys`` (column
indexes, or lists of them for keys of several columns) and ``foreign_keys`` [[child, parent] column indexes]. What is
null counts as missing, an index that leads nowhere as not there; names may stand twice, be empty or odd.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from twokey.agents.catalog import joins, keys, looking, reading
from twokey.agents.catalog.facts import Column, Family, Join, Table, Warehouse
from twokey.agents.catalog.reading import Ask
from twokey.core.errors import BadInput
from twokey.tools.read.warehouse import SchemaRequest, SchemaResult

Pair = tuple[str, str, str, str]
"""Child table, child column, parent table, parent column."""

_MAX_BYTES: Final = 64 * 1024 * 1024
_TYPES: Final[Mapping[str, Family]] = {"number": "integer", "text": "text", "time": "date", "boolean": "boolean"}


def _or_nothing(value: object) -> object:
    """Take what is null for what is missing."""
    return () if value is None else value


class SpiderDatabase(BaseModel):
    """One database of a file in Spider's form; fields that are not named here are not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    db_id: str
    table_names_original: tuple[str, ...]
    column_names_original: tuple[tuple[int, str], ...]
    column_types: Annotated[tuple[str | None, ...], BeforeValidator(_or_nothing)] = ()
    primary_keys: Annotated[tuple[int | tuple[int, ...], ...], BeforeValidator(_or_nothing)] = ()
    foreign_keys: Annotated[tuple[tuple[int, int], ...], BeforeValidator(_or_nothing)] = ()

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Give each table a name of its own: one that stands there twice gets its number."""
        before = Counter[str]()
        found: list[str] = []
        for name in self.table_names_original:
            before[name] += 1
            found.append(name if before[name] == 1 else f"{name} ({before[name]})")
        return tuple(found)


def on_warehouse(location: str) -> dict[str, Any]:
    """Find the relationships of a warehouse whose declared keys are hidden, and score them against those.

    Gives ``precision``, ``recall``, ``f1`` (0 to 1), ``found``, ``missed`` and ``extra`` (lists of
    ``child.column -> parent.column``), ``declared`` (how many there are) and ``tables``.

    Raises:
        BadInput: there is no such warehouse, or it declares no relationship to score against.
        EnvironmentFault: it cannot be reached.

    """
    ask = looking.alone(location)
    schema = reading.schema_of(ask(SchemaRequest())[0])
    truth = _pairs(joins.declared(reading.warehouse_of(schema)))
    if not truth:
        raise BadInput(
            "The warehouse declares no foreign keys, so there is nothing to compare with.",
            next="Name a warehouse that declares them.",
            code="no_truth",
        )
    found = find(_hidden(schema), ask)
    return _score(_pairs(found), truth) | {"tables": len(schema.tables)}


def on_names(path: Path) -> dict[str, Any]:
    """Find the relationships of databases from names, types and primary keys alone, and score them.

    Gives what ``on_warehouse`` gives over all databases together (``databases`` instead of ``tables``).

    Raises:
        BadInput: the file cannot be read, or is not of Spider's form.

    """
    found: list[Pair] = []
    truth: list[Pair] = []
    databases = _databases(path)
    for database in databases:
        warehouse = _of_spider(database)
        prefix = f"{database.db_id}:"
        claimed = joins.by_names_alone(warehouse, keys.of_all(warehouse, {}))
        found += [(prefix + a, b, prefix + c, d) for a, b, c, d in _pairs(claimed)]
        truth += [(prefix + a, b, prefix + c, d) for a, b, c, d in _true_pairs(database)]
    return _score(found, truth) | {"databases": len(databases)}


def find(schema: SchemaResult, ask: Ask) -> tuple[Join, ...]:
    """Find relationships as a scan does."""
    return looking.understood(schema, ask).joins


def _hidden(schema: SchemaResult) -> SchemaResult:
    """Take every declared key away."""
    bare = {"primary_key": (), "unique": (), "foreign_keys": ()}
    return schema.model_copy(update={"tables": tuple(info.model_copy(update=bare) for info in schema.tables)})


def _databases(path: Path) -> Sequence[SpiderDatabase]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput("The file is larger than 64 MiB.", next="Split it.", code="too_large")
        body: object = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(body, list):
            raise BadInput("The file holds no list of databases.", next="Give a file in Spider's form.")
        return [SpiderDatabase.model_validate(item) for item in body]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput("The file cannot be read as JSON.", next="Give a file in Spider's form.") from error
    except ValidationError as error:
        raise BadInput(
            f"A database of the file is not of Spider's form ({error.error_count()} faults).",
            next="Give db_id, table_names_original, column_names_original, column_types and primary_keys.",
        ) from error


def _of_spider(database: SpiderDatabase) -> Warehouse:
    tables: list[Table] = []
    for number, (key, name) in enumerate(zip(database.keys, database.table_names_original, strict=True)):
        mine = [
            (at, column, (database.column_types[at] if at < len(database.column_types) else "") or "")
            for at, (table, column) in enumerate(database.column_names_original)
            if table == number
        ]
        index = {at: column for at, column, _ in mine}
        tables.append(
            Table(
                key=key,
                schema="",
                name=name,
                columns=tuple(Column(column, kind, _TYPES.get(kind, "other")) for _, column, kind in mine),
                primary_key=_primary(database, index),
            )
        )
    return Warehouse(tuple(tables))


def _primary(database: SpiderDatabase, index: Mapping[int, str]) -> tuple[str, ...]:
    groups = [(key,) if isinstance(key, int) else key for key in database.primary_keys]
    return tuple(index[at] for group in groups for at in group if at in index)


def _true_pairs(database: SpiderDatabase) -> list[Pair]:
    def place(at: int) -> tuple[str, str]:
        table, column = database.column_names_original[at]
        return database.keys[table], column

    there = {
        at for at, (table, _) in enumerate(database.column_names_original) if 0 <= table < len(database.keys)
    }  # fmt: skip - the comprehension reads better in one piece
    return [(*place(child), *place(parent)) for child, parent in database.foreign_keys if {child, parent} <= there]


def _pairs(found: Iterable[Join]) -> list[Pair]:
    return [
        (join.child, column, join.parent, target)
        for join in found
        for column, target in zip(join.columns, join.targets, strict=True)
    ]


def _score(found: Iterable[Pair], truth: Iterable[Pair]) -> dict[str, Any]:
    claimed, right = set(found), set(truth)
    hits = claimed & right
    precision = len(hits) / len(claimed) if claimed else 0.0
    recall = len(hits) / len(right) if right else 0.0
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / (precision + recall), 4) if hits else 0.0,
        "declared": len(right),
        "found": _shown(hits),
        "missed": _shown(right - claimed),
        "extra": _shown(claimed - right),
    }


def _shown(pairs: Iterable[Pair]) -> list[str]:
    return [f"{child}.{column} -> {parent}.{target}" for child, column, parent, target in sorted(pairs)]
