"""Finding what a repository's dbt projects document, and where a new description belongs.

Pure: a mapping from path to bytes goes in (it may be lazy; only project files, property files and the SQL of models
are read), frozen values come out.

Promises
- ``find`` names a node only where it is the only one that can be meant. Several candidates are reported as
  ``Ambiguous``, so nothing is documented twice and nothing is guessed.
- A property file that cannot be read is listed in ``unreadable`` and never fatal. Where such a file mentions a table
  that is found nowhere else, the answer is ``Ambiguous`` too, because it may be documented there.
- Names from databases become paths only through ``[a-z0-9_]``; paths in ``dbt_project.yml`` that leave the project
  are ignored and reported.
- Bounded: ``MAX_PATHS`` paths, ``MAX_FILES`` property and SQL files, ``MAX_TOTAL`` bytes. What lies beyond is
  reported in ``problems``.

Formats: https://docs.getdbt.com/reference/dbt_project.yml and
https://docs.getdbt.com/best-practices/how-we-structure/2-staging (``_<source>__sources.yml``).
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from twokey.agents.catalog.documented import Documented, read
from twokey.agents.catalog.edits import Conventions
from twokey.agents.catalog.yaml_tree import MAX_BYTES, Plain, Unreadable, parse, plain
from twokey.core.errors import BadInput

MAX_PATHS: Final = 500_000
MAX_FILES: Final = 20_000
MAX_TOTAL: Final = 256 * 1024 * 1024
MAX_NAME: Final = 64

_PROJECT: Final = "dbt_project.yml"
_PROPERTY_SUFFIXES: Final = (".yml", ".yaml")
_INSTALLED: Final = frozenset({"dbt_packages", "dbt_modules", "target", "node_modules", ".git", ".venv"})
_JINJA: Final = re.compile(r"[{][{%#]")
_CONFIG: Final = re.compile(r"[{][{]-?\s*config\s*\((?P<body>[^{}]{0,4000})\)\s*-?[}][}]", re.DOTALL)
_ALIAS: Final = re.compile(r"\balias\s*=\s*(['\"])(?P<alias>[^'\"]{1,200})\1")
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


@dataclass(frozen=True, slots=True)
class DocumentedNode:
    """A node and the property file that documents it."""

    path: str
    project: str
    properties: Documented


@dataclass(frozen=True, slots=True)
class SqlModel:
    """A model that has a ``.sql`` (or ``.py``) file. ``alias`` is the one its config block gives, if any."""

    name: str
    path: str
    project: str
    alias: str | None = None


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
    _unread: Mapping[str, str] = field(repr=False)  # path -> lower-case text of a file that could not be read

    @property
    def undocumented(self) -> tuple[SqlModel, ...]:
        """The models that no property file documents."""
        known = {(node.project, node.properties.name) for node in self.nodes if node.properties.kind == "model"}
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
        nodes = [
            node for node in self._by_table.get(table.casefold(), ()) if _may_be(node.properties, schema, database)
        ]
        nodes = [node for node in nodes if table in _names(node.properties)] or nodes
        sure = [node for node in nodes if _surely(node.properties, schema)]
        models = [] if sure else [m for m in self._models_by_table.get(table.casefold(), ()) if not self._has(m)]
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

    def _has(self, model: SqlModel) -> bool:
        return any(
            node.properties.kind == "model" and (node.project, node.properties.name) == (model.project, model.name)
            for node in self._by_name(model.name)
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


def read_repository(files: Mapping[str, bytes]) -> Repository:
    """Read every dbt project of a repository.

    Args:
        files: Path (POSIX, relative to the repository) to content. May be lazy; a value is taken at most once.

    """
    reading = _Reading(files)
    return reading.done()


class _Reading:
    """One pass over a repository, within the bounds."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._left = MAX_TOTAL
        self._taken = 0
        self._problems: list[str] = []
        self._unreadable: list[UnreadableFile] = []
        self._unread: dict[str, str] = {}
        self._nodes: list[DocumentedNode] = []
        self._models: list[SqlModel] = []
        self._survey = _Survey()
        paths = sorted(path for path in files if _safe(path))
        if len(paths) > MAX_PATHS:
            self._problems.append(f"The repository has {len(paths)} files; those after {MAX_PATHS} were not looked at.")
        self._paths = paths[:MAX_PATHS]

    def done(self) -> Repository:
        projects = self._projects()
        for path in self._paths:
            project = _owner(path, projects)
            if project is not None:
                self._take(path, project)
        aliases = {(model.project, model.name): model.alias for model in self._models}
        self._nodes = [_with_alias(node, aliases.get((node.project, node.properties.name))) for node in self._nodes]
        by_table: dict[str, list[DocumentedNode]] = {}
        for node in self._nodes:
            for key in {*(name.casefold() for name in _names(node.properties)), "\0" + node.properties.name}:
                by_table.setdefault(key, []).append(node)
        models: dict[str, list[SqlModel]] = {}
        for model in self._models:
            models.setdefault((model.alias or model.name).casefold(), []).append(model)
        return Repository(
            projects=tuple(projects),
            nodes=tuple(self._nodes),
            models=tuple(self._models),
            unreadable=tuple(self._unreadable),
            problems=tuple(self._problems),
            conventions=self._survey.conventions(),
            _by_table={key: tuple(nodes) for key, nodes in by_table.items()},
            _models_by_table={key: tuple(each) for key, each in models.items()},
            _unread=self._unread,
        )

    def _content(self, path: str) -> bytes | None:
        """Take the bytes of a file, within the bounds; None, and a problem, beyond them."""
        if self._taken >= MAX_FILES or self._left < 0:
            if not self._problems or not self._problems[-1].startswith("Some files"):
                self._problems.append("Some files were not read: the repository has more than is read at once.")
            return None
        data = self._files[path]
        self._taken += 1
        self._left -= len(data)
        return data

    # --- projects ------------------------------------------------------------------------------------------------

    def _projects(self) -> list[Project]:
        found: list[Project] = []
        for path in self._paths:
            at = PurePosixPath(path)
            if at.name == _PROJECT and not _INSTALLED.intersection(at.parts):
                project = self._declared(path)
                if project is not None:
                    found.append(project)
        return found or [Project("", "", declared=False)]

    def _declared(self, path: str) -> Project | None:
        root = str(PurePosixPath(path).parent)
        root = "" if root == "." else root
        data = self._content(path)
        if data is None:
            return None
        try:
            tree = parse(data).root
        except Unreadable as error:
            self._unreadable.append(UnreadableFile(path, error.code, error.message))
            return Project(root, "")
        content = None if tree is None else plain(tree)
        content = content if isinstance(content, dict) else {}
        name = content.get("name")
        return Project(
            root=root,
            name=name if isinstance(name, str) else "",
            model_paths=self._folders(path, content, ("model-paths", "source-paths"), "models"),
            seed_paths=self._folders(path, content, ("seed-paths", "data-paths"), "seeds"),
            snapshot_paths=self._folders(path, content, ("snapshot-paths",), "snapshots"),
        )

    def _folders(self, path: str, content: Mapping[str, Plain], keys: tuple[str, ...], default: str) -> tuple[str, ...]:
        for key in keys:
            value = content.get(key)
            if not isinstance(value, list):
                continue
            folders = [str(PurePosixPath(each)) for each in value if isinstance(each, str) and _inside(each)]
            if len(folders) < len(value):
                self._problems.append(f"{path}: an entry of {key} is no folder of the project; it was ignored.")
            if folders:
                return tuple(folders)
        return (default,)

    # --- property files and models ---------------------------------------------------------------------------------

    def _take(self, path: str, project: Project) -> None:
        at = PurePosixPath(path)
        inside = at.relative_to(project.root) if project.root else at
        is_model = _under(inside, project.model_paths)
        if at.suffix in _PROPERTY_SUFFIXES and at.name != _PROJECT:
            if is_model or _under(inside, project.seed_paths + project.snapshot_paths):
                self._properties(path, project)
        elif is_model and at.suffix in {".sql", ".py"}:
            data = self._content(path)
            if data is not None:
                self._models.append(SqlModel(at.stem, path, project.root, _alias(data)))

    def _properties(self, path: str, project: Project) -> None:
        data = self._content(path)
        if data is None:
            return
        try:
            found = read(data)
        except Unreadable as error:
            self._unreadable.append(UnreadableFile(path, error.code, error.message))
            self._unread[path] = data[:MAX_BYTES].decode("utf-8", "replace").casefold()
            return
        self._survey.take(data)
        self._nodes += [DocumentedNode(path, project.root, each) for each in found]


_TESTS_KEY: Final = re.compile(rb"^\s*(?:- )?\"?(data_tests|tests)\"?\s*:", re.MULTILINE)
_ARGUMENTS: Final = re.compile(rb"^\s*arguments\s*:", re.MULTILINE)
_BARE: Final = re.compile(rb"(?:accepted_values|relationships)\s*:\s*(?:\{\s*)?\r?\n?\s*(?:values|to|field)\s*:")


@dataclass(slots=True)
class _Survey:
    """Counts what the property files of a repository do; by pattern, since a habit needs no proof."""

    tests: int = 0
    data_tests: int = 0
    arguments: int = 0
    bare: int = 0

    def take(self, data: bytes) -> None:
        keys = _TESTS_KEY.findall(data)
        self.data_tests += keys.count(b"data_tests")
        self.tests += keys.count(b"tests")
        self.arguments += len(_ARGUMENTS.findall(data))
        self.bare += len(_BARE.findall(data))

    def conventions(self) -> Conventions:
        return Conventions(
            tests_key="tests" if self.tests > self.data_tests else "data_tests",
            test_arguments=self.bare <= self.arguments,
        )


def _safe(path: str) -> bool:
    at = PurePosixPath(path)
    return not at.is_absolute() and ".." not in at.parts and not _INSTALLED.intersection(at.parts)


def _inside(folder: str) -> bool:
    at = PurePosixPath(folder)
    return bool(folder.strip()) and not at.is_absolute() and ".." not in at.parts and not _JINJA.search(folder)


def _under(path: PurePosixPath, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _owner(path: str, projects: list[Project]) -> Project | None:
    """Give the innermost project that holds a file."""
    at = PurePosixPath(path)
    holding = [each for each in projects if not each.root or at.is_relative_to(each.root)]
    return max(holding, key=lambda each: len(each.root), default=None)


def _alias(data: bytes) -> str | None:
    """Give the alias in the config block of a model, read off its text; a computed alias counts as none."""
    block = _CONFIG.search(data[:MAX_BYTES].decode("utf-8", "replace"))
    found = _ALIAS.search(block["body"]) if block else None
    return found["alias"] if found else None


def _with_alias(node: DocumentedNode, alias: str | None) -> DocumentedNode:
    """Let a documented model carry the alias that its SQL gives, where its properties give none."""
    if alias is None or node.properties.kind != "model" or node.properties.identifier is not None:
        return node
    return replace(node, properties=replace(node.properties, identifier=alias))


def _names(properties: Documented) -> tuple[str, ...]:
    """Give the names that a node may have in the database."""
    return (properties.identifier or properties.name, *properties.versions)


def _known(name: str | None) -> bool:
    return name is not None and not _JINJA.search(name)


def _may_be(properties: Documented, schema: str | None, database: str | None) -> bool:
    """Tell whether a node may lie in a schema and database."""
    there = properties.database if properties.source is not None else None
    if database is not None and there is not None and _known(there) and there.casefold() != database.casefold():
        return False
    if schema is None or properties.schema is None or not _known(properties.schema):
        return True
    wanted = properties.schema.casefold()
    if properties.source is not None:
        return wanted == schema.casefold()
    return schema.casefold() == wanted or schema.casefold().endswith("_" + wanted)


def _surely(properties: Documented, schema: str | None) -> bool:
    """Tell whether a source says itself that it stands for this schema."""
    return properties.source is not None and schema is not None and _known(properties.schema)
