"""Reading the dbt projects of a repository.

Pure: a mapping from path to bytes goes in (it may be lazy; only project files, manifests, property files and the SQL of
models are read), a ``Repository`` comes out.

Promises
- A property file that cannot be read is listed in ``unreadable`` and never fatal; neither is a manifest.
- Paths in ``dbt_project.yml`` that leave the project are ignored and reported.
- What a manifest names counts only where the files hold it too; the rest is counted in ``problems``.
- Bounded: ``MAX_PATHS`` paths, ``MAX_FILES`` files, ``MAX_TOTAL`` bytes. What lies beyond is reported in ``problems``.

Format: https://docs.getdbt.com/reference/dbt_project.yml.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from twokey.agents.catalog.dbt_project import DocumentedNode, Project, Repository, SqlModel, UnreadableFile
from twokey.agents.catalog.documented import Documented, read
from twokey.agents.catalog.edits import Conventions
from twokey.agents.catalog.manifest import Relation, Unusable, read_manifest
from twokey.agents.catalog.yaml_tree import MAX_BYTES, Plain, Unreadable, parse, plain

MAX_PATHS: Final = 500_000
MAX_FILES: Final = 20_000
MAX_TOTAL: Final = 256 * 1024 * 1024

_PROJECT: Final = "dbt_project.yml"
_PROPERTY_SUFFIXES: Final = (".yml", ".yaml")
_INSTALLED: Final = frozenset({"dbt_packages", "dbt_modules", "target", "node_modules", ".git", ".venv"})
_JINJA: Final = re.compile(r"[{][{%#]")
_CONFIG: Final = re.compile(r"[{][{]-?\s*config\s*\((?P<body>[^{}]{0,4000})\)\s*-?[}][}]", re.DOTALL)
_SETTING: Final = r"\b%s\s*=\s*(['\"])(?P<text>[^'\"]{1,200})\1"
_ALIAS: Final = re.compile(_SETTING % "alias")
_SCHEMA: Final = re.compile(_SETTING % "schema")

_Node: TypeAlias = DocumentedNode | SqlModel
_ByRelation: TypeAlias = dict[tuple[str, str], list[tuple[str | None, _Node]]]


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
        self._named = frozenset(files)
        paths = sorted(path for path in self._named if _safe(path))
        if len(paths) > MAX_PATHS:
            self._problems.append(f"The repository has {len(paths)} files; those after {MAX_PATHS} were not looked at.")
        self._paths = paths[:MAX_PATHS]

    def done(self) -> Repository:
        projects = self._projects()
        for path in self._paths:
            project = _owner(path, projects)
            if project is not None:
                self._take(path, project)
        models = {(model.project, model.name): model for model in self._models}
        self._nodes = [_completed(node, models.get((node.project, node.properties.name))) for node in self._nodes]
        by_table: dict[str, list[DocumentedNode]] = {}
        for node in self._nodes:
            said = node.properties
            names = {name.casefold() for name in (said.identifier or said.name, *said.versions)}
            for key in {*names, *("\0" + name for name in (said.name, *said.version_files))}:
                by_table.setdefault(key, []).append(node)
        models_by_table: dict[str, list[SqlModel]] = {}
        for model in self._models:
            models_by_table.setdefault((model.alias or model.name).casefold(), []).append(model)
        by_relation = self._by_relation(projects)
        return Repository(
            projects=tuple(projects),
            nodes=tuple(self._nodes),
            models=tuple(self._models),
            unreadable=tuple(self._unreadable),
            problems=tuple(self._problems),
            conventions=self._survey.conventions(),
            _by_table={key: tuple(nodes) for key, nodes in by_table.items()},
            _models_by_table={key: tuple(each) for key, each in models_by_table.items()},
            _by_relation={key: tuple(each) for key, each in by_relation.items()},
            _unread=self._unread,
        )

    # --- the manifest -----------------------------------------------------------------------------------------------

    def _by_relation(self, projects: list[Project]) -> _ByRelation:
        """Give the nodes of the files by the schema and name that the manifests say they have."""
        found: _ByRelation = {}
        for project in projects:
            path = str(PurePosixPath(project.root, project.target_path, "manifest.json"))
            if path not in self._named:
                continue
            data = self._content(path)
            try:
                relations = () if data is None else read_manifest(data)
            except Unusable as error:
                self._problems.append(f"{path}: {error.reason} The files of the project were read instead.")
                continue
            self._place(found, project, relations, path)
        return found

    def _place(self, found: _ByRelation, project: Project, relations: tuple[Relation, ...], path: str) -> None:
        documented = {
            (node.properties.kind, node.properties.source, node.properties.name): node
            for node in self._nodes
            if node.project == project.root
        }
        models = {model.name: model for model in self._models if model.project == project.root}
        unknown = 0
        for relation in relations:
            if relation.package != project.name:
                continue
            node: _Node | None = documented.get((relation.kind, relation.source, relation.name))
            if node is None and relation.kind == "model":
                node = models.get(relation.name)
            if node is None:
                unknown += relation.kind in {"model", "source"}
                continue
            there = found.setdefault((relation.schema.casefold(), relation.identifier.casefold()), [])
            there.append((relation.database, node))
        if unknown:
            self._problems.append(f"{path}: {unknown} nodes of the manifest are not in the files; build it anew.")

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
            target_path=self._folders(path, {"target-path": _listed(content)}, ("target-path",), "target")[0],
            schemas=tuple(_schemas(content.get("models"), name if isinstance(name, str) else "")),
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
                config = _config(data)
                schema = _setting(_SCHEMA, config) or project.schema_of(inside)
                self._models.append(SqlModel(at.stem, path, project.root, _setting(_ALIAS, config), schema))

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


def _config(data: bytes) -> str:
    """Give what stands in the config block of a model, read off its text."""
    block = _CONFIG.search(data[:MAX_BYTES].decode("utf-8", "replace"))
    return block["body"] if block else ""


def _setting(pattern: re.Pattern[str], config: str) -> str | None:
    """Give a setting of a config block; a computed one counts as none."""
    found = pattern.search(config)
    return found["text"] if found else None


def _listed(content: Mapping[str, Plain]) -> Plain:
    target = content.get("target-path")
    return None if target is None else [target]


def _schemas(models: Plain, project: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the folders of a project whose models have a schema of their own, with that schema."""
    top = models.get(project) if isinstance(models, dict) else None
    waiting: list[tuple[tuple[str, ...], Plain]] = [((), top)]
    while waiting:
        folder, inner = waiting.pop()
        for key, value in inner.items() if isinstance(inner, dict) else ():
            if key in {"+schema", "schema"} and isinstance(value, str) and value.strip():
                yield folder, value
            elif not key.startswith("+"):
                waiting.append(((*folder, key), value))


def _completed(node: DocumentedNode, model: SqlModel | None) -> DocumentedNode:
    """Let a documented model carry the alias and schema of its SQL or folder, where its properties give none."""
    said: Documented = node.properties
    if model is None or said.kind != "model":
        return node
    return replace(
        node,
        properties=replace(said, identifier=said.identifier or model.alias, schema=said.schema or model.schema),
    )
