"""What a property file states, taken apart into single statements, so that two versions can be compared.

Rules: nothing in a file is passed over; what has no statement of its own becomes one of kind ``other``. The order of
entries says nothing. Format: https://docs.getdbt.com/reference/configs-and-properties
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from twokey.agents.catalog.yaml_tree import Plain, parse, plain

Kind: TypeAlias = Literal[
    "source", "node", "column", "description", "data_type", "quote", "meta", "tag", "test", "freshness", "other"
]
_SECTIONS: Final = ("models", "seeds", "snapshots")


@dataclass(frozen=True, slots=True)
class Node:
    """A model, seed, snapshot or source table; ``names`` are all it may be called in the warehouse."""

    section: str
    source: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a file says. ``value`` is canonical JSON where it is no plain text; ``key`` names meta and tests."""

    kind: Kind
    node: Node | None = None
    column: str | None = None
    key: str = ""
    value: str = ""


def state(text: bytes) -> frozenset[Statement]:
    """Take one property file apart.

    Raises:
        Unreadable: the text is no YAML that can be read safely.

    """
    root = parse(text).root
    return frozenset(_file(None if root is None else plain(root)))


def _file(content: Plain) -> Iterator[Statement]:
    if content is None:
        return
    if not isinstance(content, dict):
        yield _other(None, None, "file", content)
        return
    if content.get("kind") == "DataContract":
        yield from _contract(content)
        return
    for key, value in content.items():
        if key == "version" and value == 2:
            continue
        if key == "sources":
            for entry in _named(value):
                yield from _source(entry) if isinstance(entry, dict) else [_other(None, None, key, entry)]
        elif key in _SECTIONS:
            for entry in _named(value):
                yield from _node(entry, key, "") if isinstance(entry, dict) else [_other(None, None, key, entry)]
        else:
            yield _other(None, None, key, value)


def _contract(content: dict[str, Plain]) -> Iterator[Statement]:
    """Take a data contract apart. Format: https://bitol-io.github.io/open-data-contract-standard/v3.1.0/."""
    for key, value in content.items():
        if key != "schema":
            yield _other(None, None, key, value)
            continue
        for entry in _named(value):
            yield from _contract_table(entry) if isinstance(entry, dict) else [_other(None, None, key, entry)]


def _contract_table(entry: dict[str, Plain]) -> Iterator[Statement]:
    physical = entry.get("physicalName")
    names = [physical.rpartition(".")[2]] if isinstance(physical, str) else []
    node = Node("contract", "", tuple(dict.fromkeys([*names, str(entry["name"])])))
    yield Statement("node", node)
    for key, value in entry.items():
        if key == "properties":
            for column in _named(value):
                yield from (
                    _contract_column(node, column) if isinstance(column, dict) else [_other(node, None, key, column)]
                )
        elif key == "description" and isinstance(value, str):
            yield from [Statement("description", node, value=value)] if value.strip() else []
        elif key not in {"name", "physicalName"}:
            yield _other(node, None, key, value)


def _contract_column(node: Node, entry: dict[str, Plain]) -> Iterator[Statement]:
    physical = entry.get("physicalName")
    column = physical if isinstance(physical, str) else str(entry["name"])
    yield Statement("column", node, column)
    for key, value in entry.items():
        match key, value:
            case "name" | "physicalName", str():
                continue
            case "description", str():
                yield from [Statement("description", node, column, value=value)] if value.strip() else []
            case "physicalType", str():
                yield Statement("data_type", node, column, value=value)
            case "classification", str():
                yield Statement("meta", node, column, "sensitivity", _dumped(value))
            case "quality", list():
                for check in value:
                    yield _quality(node, column, check)
            case _:
                yield _other(node, column, key, value)


_METRICS: Final = {"nullValues": "not_null", "duplicateValues": "unique", "invalidValues": "accepted_values"}


def _quality(node: Node, column: str, check: Plain) -> Statement:
    """Bring a check that no value may fail into the form of a test; any other is left as it is."""
    if isinstance(check, dict) and check.keys() <= {"metric", "mustBe", "arguments", "severity"}:
        metric, arguments, severity = (check.get(key) for key in ("metric", "arguments", "severity"))
        name = _METRICS.get(metric) if isinstance(metric, str) else None
        given = arguments if isinstance(arguments, dict) else {}
        values = {"values": given["validValues"]} if name == "accepted_values" and "validValues" in given else {}
        whole = arguments is None if name != "accepted_values" else given.keys() == {"validValues"}
        if name is not None and whole and check.get("mustBe") == 0 and severity in (None, "warning"):
            config: Plain = {"severity": "warn"} if severity else {}
            return Statement("test", node, column, name, _dumped({"arguments": values, "config": config}))
    return _other(node, column, "quality", check)


def _named(value: Plain) -> Iterator[Plain]:
    """Give the entries of a list; one that has no name, and what is no list, come as their text."""
    for entry in value if isinstance(value, list) else [value]:
        yield entry if isinstance(entry, dict) and isinstance(entry.get("name"), str) else _dumped(entry)


def _source(entry: dict[str, Plain]) -> Iterator[Statement]:
    name = str(entry["name"])
    node = Node("sources", name, ())
    yield Statement("source", node)
    for key, value in entry.items():
        if key == "tables":
            for table in _named(value):
                yield from (
                    _node(table, "sources", name) if isinstance(table, dict) else [_other(node, None, key, table)]
                )
        elif key == "schema" and isinstance(value, str):
            yield Statement("source", node, key="schema", value=value)
        elif key != "name":
            yield _other(node, None, key, value)


def _node(entry: dict[str, Plain], section: str, source: str) -> Iterator[Statement]:
    config = entry.get("config")
    aliases = (entry.get("identifier"), config.get("alias") if isinstance(config, dict) else None)
    names = dict.fromkeys((str(entry["name"]), *(alias for alias in aliases if isinstance(alias, str))))
    node = Node(section, source, tuple(names))
    yield Statement("node", node)
    for key, value in entry.items():
        if key == "columns":
            for column in _named(value):
                yield from _column(node, column) if isinstance(column, dict) else [_other(node, None, key, column)]
        elif key != "name":
            yield from _property(node, None, key, value)


def _column(node: Node, entry: dict[str, Plain]) -> Iterator[Statement]:
    column = str(entry["name"])
    yield Statement("column", node, column)
    for key, value in entry.items():
        if key == "data_type" and isinstance(value, str):
            yield Statement("data_type", node, column, value=value)
        elif key == "quote" and value is True:
            yield Statement("quote", node, column)
        elif key != "name":
            yield from _property(node, column, key, value)


def _property(node: Node, column: str | None, key: str, value: Plain) -> Iterator[Statement]:
    match key, value:
        case "description", str():
            if value.strip():
                yield Statement("description", node, column, value=value)
        case "meta", dict():
            for name, item in value.items():
                yield Statement("meta", node, column, name, _dumped(item))
        case "tags", str() | list():
            for tag in value if isinstance(value, list) else [value]:
                yield Statement("tag", node, column, value=_dumped(tag))
        case "tests" | "data_tests", list():
            for test in value:
                yield _test(node, column, test)
        case ("loaded_at_field", str()) | ("freshness", dict()) if column is None and node.section == "sources":
            yield Statement("freshness", node, None, key, _dumped(value))
        case "config", dict():
            yield from _config(node, column, value)
        case _:
            yield _other(node, column, key, value)


def _config(node: Node, column: str | None, config: dict[str, Plain]) -> Iterator[Statement]:
    for name, item in config.items():
        if name in {"meta", "tags"}:
            yield from _property(node, column, name, item)
        else:
            yield _other(node, column, f"config.{name}", item)


def _test(node: Node, column: str | None, test: Plain) -> Statement:
    """Bring the forms of a test into one: its name, its arguments, its config."""
    if isinstance(test, str):
        return Statement("test", node, column, test, _dumped({"arguments": {}, "config": {}}))
    if isinstance(test, dict) and len(test) == 1:
        ((name, body),) = test.items()
        if body is None or isinstance(body, dict):
            inner = dict(body or {})
            config, arguments = inner.pop("config", None), inner.pop("arguments", None)
            if isinstance(config, dict | None) and isinstance(arguments, dict | None):
                given: Plain = {"arguments": {**inner, **(arguments or {})}, "config": config or {}}
                return Statement("test", node, column, name, _dumped(given))
    return _other(node, column, "test", test)


def _other(node: Node | None, column: str | None, key: str, value: Plain) -> Statement:
    return Statement("other", node, column, key, _dumped(value))


def _dumped(value: Plain) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def loaded(value: str) -> Any:
    """Read the value of a meta, tag or test statement back."""
    return json.loads(value)
