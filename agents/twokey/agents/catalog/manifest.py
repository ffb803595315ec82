"""What dbt itself wrote down about a project: which relation each node is, read from ``target/manifest.json``.

Rules
- The file is untrusted and may be old. It names relations only; whether the node exists, and where it is documented, is
  said by the files of the repository, never by the manifest.
- Bounded: ``MAX_BYTES``, ``MAX_NODES``, no deeper than the JSON parser allows. What does not fit is ``Unusable``, and
  the project is read as if there were no manifest.
- Of each node only names are taken: package, name, source, version, database, schema, identifier.

Format: https://docs.getdbt.com/reference/artifacts/manifest-json (versions 4 to 12 agree in what is read here).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

import orjson

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_NODES: Final = 100_000
MAX_NAME: Final = 512

Kind: TypeAlias = Literal["model", "seed", "snapshot", "source"]
_KINDS: Final[dict[str, Kind]] = {"model": "model", "seed": "seed", "snapshot": "snapshot"}


class Unusable(Exception):  # noqa: N818 - an answer, turned into a problem by the reader of the repository
    """The manifest cannot be used; ``reason`` is one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Relation:
    """One node and the relation that dbt makes of it. ``source`` is the name of its source, else None."""

    kind: Kind
    package: str
    name: str
    source: str | None
    database: str | None
    schema: str
    identifier: str


def read_manifest(data: bytes) -> tuple[Relation, ...]:
    """Give the relations that a manifest names; entries of another form are passed over.

    Raises:
        Unusable: it is too large, no JSON, or holds no nodes.

    """
    if len(data) > MAX_BYTES:
        raise Unusable(f"The manifest has more than {MAX_BYTES} bytes.")
    try:
        content: object = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Unusable("The manifest is no JSON.") from None
    nodes, sources = (_mapping(content).get(key) for key in ("nodes", "sources"))
    if not isinstance(nodes, dict) and not isinstance(sources, dict):
        raise Unusable("The manifest names no nodes.")
    if len(_mapping(nodes)) + len(_mapping(sources)) > MAX_NODES:
        raise Unusable(f"The manifest names more than {MAX_NODES} nodes.")
    return (*_relations(_mapping(nodes)), *_relations(_mapping(sources)))


def _relations(entries: dict[str, object]) -> Iterator[Relation]:
    for entry in entries.values():
        about = _mapping(entry)
        kind = about.get("resource_type")
        package, name, schema = (_name(about.get(key)) for key in ("package_name", "name", "schema"))
        if package is None or name is None or schema is None:
            continue
        database = _name(about.get("database"))
        if kind == "source":
            source, identifier = _name(about.get("source_name")), _name(about.get("identifier")) or name
            if source is not None:
                yield Relation("source", package, name, source, database, schema, identifier)
        elif isinstance(kind, str) and kind in _KINDS:
            yield Relation(_KINDS[kind], package, name, None, database, schema, _name(about.get("alias")) or name)


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME else None
