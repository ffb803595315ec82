"""Finding what a repository's dbt projects document, and where a new description belongs.

Frozen values; ``dbt_reading`` makes them from the files of a repository.

Promises
- ``find`` names a node only where it is the only one that can be meant. Several candidates are reported as
  ``Ambiguous``, so nothing is documented twice and nothing is guessed.
- A property file that cannot be read is listed in ``unreadable`` and never fatal. Where such a file mentions a table
  that is found nowhere else, the answer is ``Ambiguous`` too, because it may be documented there.
- Where dbt's manifest says which relation a node is, that comes first; but only nodes that the files hold are named.
- Names from databases become paths only through ``[a-z0-9_]``.

Format: https://docs.getdbt.com/best-practices/how-we-structure/2-staging (``_<source>__sources.yml``).
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from twokey.agents.catalog.documented import Documented
from twokey.agents.catalog.edits import Conventions
from twokey.core.errors import BadInput

MAX_NAME: Final = 64

_JINJA: Final = re.compile(r"[{][{%#]")
_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Project:
    """One dbt project. Paths are relative to the repository; ``root`` is ``""`` for its top."""

    root: str
    name: str
    model_paths: tuple[str, ...] = ("models",)
    seed_paths: tuple[str, ...] = ("seeds",)
    snapshot_paths: tuple[str, ...] = ("snapshots",)
    declared: bool = True  # False: the repository has no dbt_project.yml
    target_path: str = "target"
    schemas: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Folders below a model path, and the schema that their models have."""

    def schema_of(self, inside: PurePosixPath) -> str | None:
        """Give the schema that ``dbt_project.yml`` gives to the models of a file, its path relative to the project."""
        best: tuple[int, str | None] = (-1, None)
        for path in self.model_paths:
            if inside.is_relative_to(path):
                parts = inside.relative_to(path).with_suffix("").parts
                for folder, schema in self.schemas:
                    if parts[: len(folder)] == folder and len(folder) > best[0]:
                        best = (len(folder), schema)
        return best[1]


@dataclass(frozen=True, slots=True)
class DocumentedNode:
    """A node and the property file that documents it."""

    path: str
    project: str
    properties: Documented


@dataclass(frozen=True, slots=True)
class SqlModel:
    """A model that has a ``.sql`` (or ``.py``) file.

    ``alias`` and ``schema`` are those of its config block, the schema else that of its folder in ``dbt_project.yml``.
    """

    name: str
    path: str
    project: str
    alias: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that was left out, with the code and the sentence of the reason."""

    path: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """The table is this node. Edit ``node.path`` with ``node.properties.node`` as the address."""

    node: DocumentedNode


@dataclass(frozen=True, slots=True)
class Undocumented:
    """The table is this model, which no property file documents yet; ``properties_path`` is where it should be."""

    model: SqlModel
    properties_path: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several nodes can be meant; a person decides. ``candidates`` are the paths of files, ``reason`` one sentence."""

    candidates: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """No node of the repository stands for the table; a source can be added (``Repository.new_source_path``)."""


Match: TypeAlias = Found | Undocumented | Ambiguous | Missing


@dataclass(frozen=True, slots=True)
class Repository:
    """What the dbt projects of a repository say.

    ``nodes`` are all documented nodes; ``models`` all models with a SQL or Python file, documented or not;
    ``conventions`` what most of the property files do, to be handed to ``properties.edit`` and ``render_new``.
    """

    projects: tuple[Project, ...]
    nodes: tuple[DocumentedNode, ...]
    models: tuple[SqlModel, ...]
    unreadable: tuple[UnreadableFile, ...]
    problems: tuple[str, ...]
    conventions: Conventions
    _by_table: Mapping[str, tuple[DocumentedNode, ...]] = field(repr=False)
    _models_by_table: Mapping[str, tuple[SqlModel, ...]] = field(repr=False)
    _by_relation: Mapping[tuple[str, str], tuple[tuple[str | None, DocumentedNode | SqlModel], ...]] = field(repr=False)
    _unread: Mapping[str, str] = field(repr=False)  # path -> lower-case text of a file that could not be read

    @property
    def undocumented(self) -> tuple[SqlModel, ...]:
        """The models that no property file documents."""
        known = {
            (node.project, name)
            for node in self.nodes
            if node.properties.kind == "model"
            for name in (node.properties.name, *node.properties.version_files)
        }
        return tuple(model for model in self.models if (model.project, model.name) not in known)

    def find(self, table: str, *, schema: str | None = None, database: str | None = None) -> Match:
        """Say which node stands for a table of the warehouse.

        A source table answers to its ``identifier`` or name, and only in the schema (and database, where both are
        known) of its source; a model, seed or snapshot answers to its alias or name, and not in a schema that cannot
        end with its configured one. Names are compared without case, an exact match being preferred. A source whose
        schema matches takes precedence over a model of the same name, which dbt builds into another schema.

        Args:
            table: The name of the table in the warehouse.
            schema: Its schema, or None where the warehouse has none (SQLite, a folder of files).
            database: Its database or catalog, or None.

        """
        known = self._known(table, schema, database)
        if known is not None:
            return known
        nodes = [
            node for node in self._by_table.get(table.casefold(), ()) if _may_be(node.properties, schema, database)
        ]
        nodes = [node for node in nodes if table in _names(node.properties)] or nodes
        sure = [node for node in nodes if _surely(node.properties, schema)]
        models = [] if sure else list(self._models_by_table.get(table.casefold(), ()))
        models = [model for model in models if not self._has(model) and _fits(model.schema, schema)]
        nodes = sure or nodes
        paths = tuple(sorted({*(node.path for node in nodes), *(model.path for model in models)}))
        if len(nodes) + len(models) > 1:
            return Ambiguous(paths, "More than one node answers to this table.")
        if nodes:
            if nodes[0].properties.source is not None and schema is not None and not sure:
                return Ambiguous(paths, "The schema of the only matching source is a template.")
            return Found(nodes[0])
        suspects = tuple(sorted(path for path, text in self._unread.items() if table.casefold() in text))
        if suspects:
            return Ambiguous(suspects, "A property file that cannot be read mentions this table.")
        return Undocumented(models[0], self.properties_path(models[0])) if models else Missing()

    def _known(self, table: str, schema: str | None, database: str | None) -> Match | None:
        """Say which node the manifest names for a relation; None where it names none."""
        there = self._by_relation.get((schema.casefold(), table.casefold()), ()) if schema is not None else ()
        named = [node for at, node in there if at is None or database is None or at.casefold() == database.casefold()]
        if len(named) > 1:
            return Ambiguous(tuple(sorted({node.path for node in named})), "The manifest names more than one node.")
        if not named:
            return None
        node = named[0]
        return Found(node) if isinstance(node, DocumentedNode) else Undocumented(node, self.properties_path(node))

    def _has(self, model: SqlModel) -> bool:
        """Tell whether a property file documents a model, also as one of the versions of another name."""
        return any(
            node.properties.kind == "model" and node.project == model.project for node in self._by_name(model.name)
        )

    def _by_name(self, name: str) -> tuple[DocumentedNode, ...]:
        return self._by_table.get("\0" + name, ())

    def properties_path(self, model: SqlModel) -> str:
        """Give the property file in which a model without properties should be documented.

        The file of the models beside it, if there is exactly one; otherwise ``_<folder>__models.yml`` beside it.
        """
        folder = PurePosixPath(model.path).parent
        beside = sorted(
            {
                node.path
                for node in self.nodes
                if node.properties.kind == "model" and PurePosixPath(node.path).parent == folder
            }
        )
        return beside[0] if len(beside) == 1 else str(folder / f"_{slug(folder.name)}__models.yml")

    def new_source_path(self, source: str, *, project: str | None = None) -> str:
        """Give the property file to which tables of a source should be added.

        The file that documents the source already, if there is exactly one; otherwise
        ``<model-path>/staging/<source>/_<source>__sources.yml``, or ``models/<source>/_<source>__sources.yml`` in a
        repository without a dbt project.

        Args:
            source: The name of the source (usually the schema of the warehouse).
            project: The root of the project, needed where the repository has several.

        Raises:
            BadInput: ``several_projects``, ``no_such_project``, ``several_files`` or ``unreadable_file``.

        """
        chosen = self._project(project)
        there = {n.path for n in self.nodes if n.properties.source == source and n.project == chosen.root}
        if len(there) > 1:
            raise BadInput(
                "The source is documented in several files.", next="Name the file to extend.", code="several_files"
            )
        if there:
            return there.pop()
        name = slug(source)
        folder = PurePosixPath(chosen.root, chosen.model_paths[0], *(["staging"] if chosen.declared else []), name)
        path = str(folder / f"_{name}__sources.yml")
        if path in self._unread:
            raise BadInput(
                "The property file of this source cannot be read.",
                next="Correct the file by hand, then ask again.",
                code="unreadable_file",
            )
        return path

    def source_of(self, schema: str, *, database: str | None = None) -> str | None:
        """Give the name of the documented source that stands for a schema, or None where there is none.

        Raises:
            BadInput: ``several_sources`` where more than one does.

        """
        found = {
            node.properties.source
            for node in self.nodes
            if _surely(node.properties, schema) and _may_be(node.properties, schema, database)
        }
        if len(found) > 1:
            raise BadInput("Several sources stand for this schema.", next="Name the source.", code="several_sources")
        return next(iter(found), None)

    def _project(self, root: str | None) -> Project:
        if root is None:
            first, *others = self.projects
            if others:
                raise BadInput(
                    "The repository holds several dbt projects.",
                    next="Name the project by its folder.",
                    code="several_projects",
                )
            return first
        for each in self.projects:
            if each.root == root:
                return each
        raise BadInput("No dbt project has this folder.", next="Name one of the projects.", code="no_such_project")


def slug(name: str) -> str:
    """Give a name as a part of a path: lower-case ASCII letters, digits and ``_``, never empty, at most 64 long.

    A name that loses letters gets a part of its SHA-256, so that two such names do not meet in one file.
    """
    folded = unicodedata.normalize("NFKD", name)
    ascii_only = folded.encode("ascii", "ignore").decode().lower()
    text = _NOT_WORD.sub("_", ascii_only).strip("_")[:MAX_NAME]
    lossy = any(char.isalnum() and not char.isascii() for char in folded)
    if text and not lossy:
        return text
    return f"{text or 'name'}_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _names(properties: Documented) -> tuple[str, ...]:
    """Give the names that a node may have in the database."""
    return (properties.identifier or properties.name, *properties.versions)


def _is_plain(name: str | None) -> bool:
    return name is not None and not _JINJA.search(name)


def _may_be(properties: Documented, schema: str | None, database: str | None) -> bool:
    """Tell whether a node may lie in a schema and database."""
    there = properties.database if properties.source is not None else None
    if database is not None and there is not None and _is_plain(there) and there.casefold() != database.casefold():
        return False
    if schema is None or properties.schema is None or not _is_plain(properties.schema):
        return True
    if properties.source is not None:
        return properties.schema.casefold() == schema.casefold()
    return _fits(properties.schema, schema)


def _fits(configured: str | None, schema: str | None) -> bool:
    """Tell whether dbt may build a node with this configured schema into ``schema``: it puts the target's before it."""
    if configured is None or schema is None or not _is_plain(configured):
        return True
    wanted, there = configured.casefold(), schema.casefold()
    return there == wanted or there.endswith("_" + wanted)


def _surely(properties: Documented, schema: str | None) -> bool:
    """Tell whether a source says itself that it stands for this schema."""
    return properties.source is not None and schema is not None and _is_plain(properties.schema)
