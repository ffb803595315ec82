"""What a dbt property file says of its nodes, as frozen values.

Promises: values that reach a node through merge keys and aliases count as its own, as they do for dbt. A file that
holds something unexpected in one place is still read in the others; nothing here raises for what a file holds except
``Unreadable``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from twokey.agents.catalog.vetting import NodeName
from twokey.agents.catalog.yaml_tree import Plain, parse, plain

Kind: TypeAlias = Literal["model", "seed", "snapshot", "source"]
_FRESHNESS: Final = frozenset({"freshness", "loaded_at_field", "loaded_at_query"})
_SECTIONS: Final[tuple[tuple[str, Kind], ...]] = (("models", "model"), ("seeds", "seed"), ("snapshots", "snapshot"))


@dataclass(frozen=True, slots=True)
class DocumentedColumn:
    """One column as a property file describes it. ``tests`` holds the names of its tests; blank texts are None."""

    name: str
    description: str | None = None
    data_type: str | None = None
    tests: tuple[str, ...] = ()
    meta: Mapping[str, Plain] = field(default_factory=dict[str, Plain])
    tags: tuple[str, ...] = ()
    quote: bool = False


@dataclass(frozen=True, slots=True)
class Documented:
    """One model, seed, snapshot or source table as a property file describes it.

    ``source`` is the name of the source of a table, else None. ``schema`` and ``database`` of a table are those of its
    source (the schema defaults to the name of the source); of other nodes those in ``config``, which dbt combines with
    the target's. ``identifier`` is the name in the database where the file gives one (``identifier`` or ``alias``).
    """

    kind: Kind
    name: str
    source: str | None = None
    description: str | None = None
    columns: tuple[DocumentedColumn, ...] = ()
    tests: tuple[str, ...] = ()
    meta: Mapping[str, Plain] = field(default_factory=dict[str, Plain])
    tags: tuple[str, ...] = ()
    schema: str | None = None
    database: str | None = None
    identifier: str | None = None
    versions: tuple[str, ...] = ()
    """Names that the versions have in the database, the latest first."""
    fresh: bool = False
    """Whether something is said of its freshness, by the table or by its source."""
    version_files: tuple[str, ...] = ()
    """Names, without suffix, of the files that define the versions."""
    owner: str | None = None
    """The ``owner`` in the meta of a node, or in that of its source."""
    group: str | None = None
    """The dbt group of a node."""

    @property
    def node(self) -> NodeName:
        """The address that edits of ``properties`` take."""
        return self.name if self.source is None else (self.source, self.name)

    def column(self, name: str) -> DocumentedColumn | None:
        """Give a column by its exact name, else by a name that differs in case only; None where neither is certain."""
        exact = [column for column in self.columns if column.name == name]
        found = exact or [column for column in self.columns if column.name.casefold() == name.casefold()]
        return found[0] if len(found) == 1 else None


def read(data: bytes) -> tuple[Documented, ...]:
    """Give every node that a property file documents, in the order of the file's sections.

    Raises:
        Unreadable: the file is no YAML that can be read safely; ``code`` and ``message`` say why.

    """
    root = parse(data).root
    content = None if root is None else plain(root)
    return tuple(_nodes(content)) if isinstance(content, dict) else ()


def _nodes(content: Mapping[str, Plain]) -> Iterator[Documented]:
    for section, kind in _SECTIONS:
        for entry in _entries(content.get(section)):
            yield _documented(kind, entry, None)
    for source in _entries(content.get("sources")):
        for table in _entries(source.get("tables")):
            yield _documented("source", table, source)


def _entries(value: Plain) -> Iterator[dict[str, Plain]]:
    """Give the items of a list that have a name."""
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item


def _documented(kind: Kind, entry: dict[str, Plain], source: dict[str, Plain] | None) -> Documented:
    config = _dict(entry.get("config"))
    name = str(entry["name"])
    if source is None:
        owner, schema, database = None, _text(config.get("schema")), _text(config.get("database"))
        identifier = _text(config.get("alias"))
    else:
        owner = str(source["name"])
        schema, database = _text(source.get("schema")) or owner, _text(source.get("database"))
        identifier = _text(entry.get("identifier"))
    whole = source or {}
    metas = [each.get("meta") for each in (entry, config, whole, _dict(whole.get("config")))]
    owners = (_text(_dict(meta).get("owner")) for meta in metas)
    versions = _versions(entry.get("versions"), entry.get("latest_version"), name)
    return Documented(
        kind=kind,
        name=name,
        source=owner,
        description=_text(entry.get("description")),
        columns=tuple(_column(each) for each in _entries(entry.get("columns"))),
        tests=_tests(entry),
        meta=_dict(entry.get("meta")) | _dict(config.get("meta")),
        tags=_tags(entry.get("tags")) + _tags(config.get("tags")),
        schema=schema,
        database=database,
        identifier=identifier,
        versions=tuple(alias for alias, _ in versions),
        version_files=tuple(file for _, file in versions),
        fresh=any(not _FRESHNESS.isdisjoint({*each, *_dict(each.get("config"))}) for each in (entry, source or {})),
        owner=next((owner for owner in owners if owner is not None), None),
        group=_text(config.get("group")) or _text(entry.get("group")),
    )


def _column(entry: dict[str, Plain]) -> DocumentedColumn:
    config = _dict(entry.get("config"))
    return DocumentedColumn(
        name=str(entry["name"]),
        description=_text(entry.get("description")),
        data_type=_text(entry.get("data_type")),
        tests=_tests(entry),
        meta=_dict(entry.get("meta")) | _dict(config.get("meta")),
        tags=_tags(entry.get("tags")) + _tags(config.get("tags")),
        quote=entry.get("quote") is True,
    )


def _versions(value: Plain, latest: Plain, name: str) -> list[tuple[str, str]]:
    """Give the names that the versions of a model have in the database and as files, the latest version first."""
    found: list[tuple[Plain, str, str]] = []
    for version in value if isinstance(value, list) else []:
        if isinstance(version, dict) and version.get("v") is not None:
            alias, file = _dict(version.get("config")).get("alias"), version.get("defined_in")
            own = f"{name}_v{version['v']}"
            known = alias if isinstance(alias, str) else own
            found.append((version["v"], known, file if isinstance(file, str) else own))
    if latest is None and all(isinstance(number, int | float) for number, _, _ in found):
        latest = max((number for number, _, _ in found if isinstance(number, int | float)), default=None)
    found.sort(key=lambda each: each[0] != latest)
    return [(alias, file) for _, alias, file in found]


def _text(value: Plain) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _dict(value: Plain) -> dict[str, Plain]:
    return value if isinstance(value, dict) else {}


def _tags(value: Plain) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(tag for tag in value if isinstance(tag, str)) if isinstance(value, list) else ()


def _tests(entry: dict[str, Plain]) -> tuple[str, ...]:
    names: list[str] = []
    for key in ("data_tests", "tests"):
        value = entry.get(key)
        for test in value if isinstance(value, list) else []:
            if isinstance(test, str):
                names.append(test)
            elif isinstance(test, dict) and test:
                named = test.get("test_name")
                names.append(named if isinstance(named, str) else next(iter(test)))
    return tuple(names)
