"""Reading and editing data contracts, so that a person reviews the edit and nothing else.

A contract is a YAML file with ``kind: DataContract`` in the Open Data Contract Standard, version 3. The rules of
writing are those of ``properties``: every byte outside the edits stays, what a person wrote is not overwritten, the
result is parsed again and must be the old content plus the edits, and outside text is vetted.

Refuses with the codes of ``properties`` and: ``not_a_contract`` (another kind of file, or another major version).

Format: https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from twokey.agents.catalog import settling
from twokey.agents.catalog.contract_editing import ContractSession
from twokey.agents.catalog.contract_edits import ContractEdit
from twokey.agents.catalog.documented import Documented, DocumentedColumn
from twokey.agents.catalog.yaml_tree import Plain, parse, plain

Refusal: TypeAlias = settling.Refusal[ContractEdit]
Edited: TypeAlias = settling.Edited[ContractEdit]

_HINT: Final = b"DataContract"


@dataclass(frozen=True, slots=True)
class ContractProperty:
    """One column as a contract describes it. ``metrics`` are the quality checks it has; blank texts are None."""

    name: str
    physical_name: str | None = None
    physical_type: str | None = None
    description: str | None = None
    classification: str | None = None
    tags: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    key: bool = False


@dataclass(frozen=True, slots=True)
class ContractObject:
    """One table as a contract describes it. ``schemas`` are those its servers name; empty where they name none."""

    name: str
    physical_name: str | None = None
    description: str | None = None
    properties: tuple[ContractProperty, ...] = ()
    schemas: tuple[str, ...] = ()

    def is_called(self, table: str, schema: str | None) -> bool:
        """Tell whether this is a table of the warehouse."""
        schemas = {each.casefold() for each in self.schemas}
        *outer, name = (self.physical_name or self.name).split(".")
        if name.casefold() != table.casefold():
            return False
        if outer and schema is not None:
            return outer[-1].casefold() == schema.casefold()
        return not schemas or schema is None or schema.casefold() in schemas

    @property
    def table(self) -> str:
        """The name of the table in the warehouse, without its schema."""
        return (self.physical_name or self.name).rpartition(".")[2]

    def columns(self) -> Mapping[str, tuple[ContractProperty, ...]]:
        """Give the columns by each name that they have, in lower case."""
        found: dict[str, tuple[ContractProperty, ...]] = {}
        for each in self.properties:
            for name in {each.name.casefold(), (each.physical_name or each.name).casefold()}:
                found[name] = (*found.get(name, ()), each)
        return found


def documented(table: ContractObject) -> Documented:
    """Give a table of a contract in the form of a documented node, its columns called as in the warehouse."""
    return Documented(
        kind="source",
        name=table.name,
        description=table.description,
        columns=tuple(
            DocumentedColumn(
                name=each.physical_name or each.name,
                description=each.description,
                data_type=each.physical_type,
                meta={} if each.classification is None else {"classification": each.classification},
                tags=each.tags,
            )
            for each in table.properties
        ),
    )


def is_contract(data: bytes) -> bool:
    """Tell whether a file may be a contract, without reading it."""
    return _HINT in data


def read(data: bytes) -> tuple[ContractObject, ...]:
    """Give the tables that a contract describes; nothing for another kind of file.

    Raises:
        Unreadable: the file is no YAML that can be read safely.

    """
    root = parse(data).root
    content = None if root is None else plain(root)
    if not isinstance(content, dict) or content.get("kind") != "DataContract":
        return ()
    schemas = tuple(
        str(server["schema"])
        for server in _entries(content.get("servers"), "server")
        if isinstance(server.get("schema"), str)
    )
    return tuple(_object(entry, schemas) for entry in _entries(content.get("schema"), "name"))


def edit(text: bytes, edits: Sequence[ContractEdit]) -> Edited:
    """Make the edits to one contract, in their order. Never raises for what a file or an edit holds."""
    return settling.settle(text, edits, ContractSession)


def _object(entry: Mapping[str, Plain], schemas: tuple[str, ...]) -> ContractObject:
    return ContractObject(
        name=str(entry["name"]),
        physical_name=_text(entry.get("physicalName")),
        description=_text(entry.get("description")),
        properties=tuple(_property(each) for each in _entries(entry.get("properties"), "name")),
        schemas=schemas,
    )


def _property(entry: Mapping[str, Plain]) -> ContractProperty:
    tags = entry.get("tags")
    return ContractProperty(
        name=str(entry["name"]),
        physical_name=_text(entry.get("physicalName")),
        physical_type=_text(entry.get("physicalType")),
        description=_text(entry.get("description")),
        classification=_text(entry.get("classification")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        metrics=tuple(_metrics(entry.get("quality"))),
        required=entry.get("required") is True,
        unique=entry.get("unique") is True,
        key=entry.get("primaryKey") is True,
    )


def _metrics(value: Plain) -> Iterator[str]:
    for check in value if isinstance(value, list) else []:
        name = (check.get("metric") or check.get("rule")) if isinstance(check, dict) else None
        if isinstance(name, str):
            yield name


def _entries(value: Plain, key: str) -> Iterator[dict[str, Plain]]:
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and isinstance(item.get(key), str):
            yield item


def _text(value: Plain) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
