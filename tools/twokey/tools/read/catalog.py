"""The read tool ``read_catalog``: reads what a dbt project says about its data, from a commit of its repository.

Asked with ``undo``, it reads no project and answers what taking one commit back would change (``commits``).

Rules: files come from the tree of the base commit, never from the working copy, so uncommitted and ignored files stay
unseen. Links and submodules are not followed. Only the project's own descriptions are read (YAML, SQL, Markdown,
CODEOWNERS, and JSON lines whose path says ``lineage``; other JSON lines are data); folders of installed packages and
build output are passed over. What was left out is listed with the reason, so nobody takes a part for the whole.
Descriptions come first where a bound is met. An answer holds a project or what an undo would change, never both.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from twokey.core.canonical import Json
from twokey.core.errors import ToolRetry
from twokey.core.values import Count, ResourceKind, Value
from twokey.tools.contract import Context, Limits, ReadTool
from twokey.tools.forge import SUBMODULE_MODE, SYMLINK_MODE, TREE_MODE, Entry, Forge, ObjectName, Repository, Writer
from twokey.tools.git_paths import MAX_DEPTH, fault, quoted
from twokey.tools.plain_text import BranchName
from twokey.tools.read import commits
from twokey.tools.read.commits import CommitRead, Undo

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_LISTED: Final = 200
"""Names of files left out that are listed; the rest is counted."""
MAX_ENTRIES: Final = 200_000
"""Names in the tree that are looked at."""

_PASSED_OVER: Final = frozenset({b"dbt_packages", b"dbt_modules", b"target", b"node_modules"})
_BUILT: Final = b"target"
_MANIFEST: Final = b"manifest.json"
_ORDER: Final = ((b".yml", 0), (b".yaml", 0), (b".sql", 1), (b".md", 2))
_EVENTS: Final = (b".jsonl", b".ndjson")
Reason = Literal[
    "symlink", "submodule", "unsafe_path", "too_large", "not_text", "over_the_bound", "passed_over", "too_deep"
]
_KINDS: Final = {
    "yml": "YAML",
    "yaml": "YAML",
    "sql": "SQL",
    "md": "Markdown",
    "jsonl": "events",
    "ndjson": "events",
    "json": "manifest",
}
_LINKS: Final[dict[int, Reason]] = {SYMLINK_MODE: "symlink", SUBMODULE_MODE: "submodule"}


def _check_folder(path: str) -> str:
    reason = fault(path) if path else None
    if reason is not None:
        raise ValueError(reason)
    return path


class CatalogArgs(Value):
    """Which project to read. Without a branch, the one that HEAD names; without a commit, the tip of the branch."""

    repository: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    branch: BranchName | None = None
    commit: ObjectName | None = None
    folder: Annotated[str, StringConstraints(max_length=400), AfterValidator(_check_folder)] = ""
    """Folder of the project inside the repository; empty for the top."""
    undo: Undo | None = None
    """Instead of a project: the commit, one of the branch that HEAD names, of which taking it back is worked out."""

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if self.undo is not None and (self.branch or self.commit or self.folder):
            raise ValueError("an undo is about the repository's own branch: no branch, commit or folder beside it")
        return self


class CatalogFile(Value):
    """One file, whole. ``sha`` is the id of its blob; ``text`` is untrusted."""

    path: Annotated[str, StringConstraints(max_length=400)]
    text: str
    sha: ObjectName


class LeftOut(Value):
    """A file or folder that was not read. ``path`` is quoted as git quotes it."""

    path: str
    reason: Reason


class Written(Value):
    """Who wrote most of one file, as the history tells."""

    file: Annotated[str, StringConstraints(max_length=400)]
    writers: tuple[Writer, ...]


class CatalogFiles(Value):
    """What was read. Paths are relative to the top of the repository, in order."""

    branch: BranchName
    commit: ObjectName
    projects: tuple[str, ...]
    """Folders that hold a ``dbt_project.yml``; the empty name is the top."""
    files: tuple[CatalogFile, ...]
    left_out: tuple[LeftOut, ...]
    left_out_more: Count = 0
    """How many more were left out than are listed."""
    written: tuple[Written, ...] = ()
    """Of property files, as far as the history could be looked at; names in it are untrusted."""
    undone: CommitRead | None = None
    """Where an undo was asked about: what it would change. Then nothing else was read."""

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if self.undone is not None and (self.projects or self.files or self.left_out or self.written):
            raise ValueError("an answer holds a project, or what an undo would change")
        return self


@dataclass(frozen=True, slots=True)
class _Candidate:
    rank: int
    path: bytes
    id: str


class ReadCatalog(ReadTool[CatalogArgs, CatalogFiles]):
    """Reads a dbt project through a forge."""

    name: ClassVar[str] = "read_catalog"
    version: ClassVar[str] = "3"
    kind: ClassVar[ResourceKind] = "repository"
    limits: ClassVar[Limits] = Limits(max_rows=5_000, max_bytes=16 * 1024 * 1024)
    input_type = CatalogArgs
    output_type = CatalogFiles

    def __init__(self, forge: Forge, limits: Limits | None = None) -> None:
        self._forge = forge
        self._bounds = limits or self.limits

    def place_name(self, args: CatalogArgs) -> str:
        """Give the name of the repository."""
        return args.repository

    def call(self, args: CatalogArgs, context: Context) -> CatalogFiles:
        """Read the project, or what taking a commit back would change.

        Raises:
            ToolRetry: there is no such folder in the commit.
            TwokeyError: the repository, branch or commit cannot be read.

        """
        place = context.places.find(self.kind, args.repository)
        with self._forge.open(place.location) as repository:
            if args.undo is not None:
                return _undone(repository, args.repository, args.undo)
            branch = args.branch or repository.describe().branch
            commit = args.commit or repository.tip(branch)
            left_out: list[LeftOut] = []
            found = list(_candidates(repository, *_folder(repository, commit, args.folder), left_out))
            found.sort(key=lambda candidate: (candidate.rank, candidate.path))
            files = self._read(repository, found, left_out)
            writers = repository.writers(commit, [file.path for file in files if _is_property_file(file.path)])
        left_out.sort(key=lambda item: (item.path, item.reason))
        return CatalogFiles(
            branch=branch,
            commit=commit,
            projects=tuple(sorted(_parent(file.path) for file in files if _is_project(file.path))),
            files=tuple(sorted(files, key=lambda file: file.path)),
            left_out=tuple(left_out[:MAX_LISTED]),
            left_out_more=max(0, len(left_out) - MAX_LISTED),
            written=tuple(Written(file=path, writers=told) for path, told in sorted(writers.items())),
        )

    def listed(self, content: Json) -> Json:
        """Give all of a project; of an undo the names alone, and not what whoever committed wrote."""
        undone = content.get("undone") if isinstance(content, dict) else None
        return content if undone is None else commits.listed(undone)

    def summary(self, args: CatalogArgs, result: CatalogFiles) -> str:  # noqa: ARG002 - the contract passes both
        """Say what was read, in numbers."""
        if result.undone is not None:
            return commits.summary(result.undone)
        kinds = Counter(_KINDS.get(file.path.rsplit(".", 1)[-1].lower(), "CODEOWNERS") for file in result.files)
        words = ", ".join(f"{number} {name}" for name, number in sorted(kinds.items()))
        left_out = len(result.left_out) + result.left_out_more
        return (
            f"{len(result.files)} files of the repository at {result.commit[:7]}"
            f"{f' ({words})' if words else ''}, {left_out} left out."
        )

    def _read(self, repository: Repository, found: list[_Candidate], left_out: list[LeftOut]) -> list[CatalogFile]:
        files: list[CatalogFile] = []
        room = self._bounds.max_bytes
        for candidate in found:
            path = _safe(candidate.path)
            if path is None:
                left_out.append(LeftOut(path=quoted(candidate.path), reason="unsafe_path"))
                continue
            if len(files) >= self._bounds.max_rows:
                left_out.append(LeftOut(path=quoted(candidate.path), reason="over_the_bound"))
                continue
            content = repository.blob(candidate.id, MAX_FILE_BYTES)
            reason, text = _text(content, room)
            if reason is not None:
                left_out.append(LeftOut(path=quoted(candidate.path), reason=reason))
                continue
            room -= len(content or b"")
            files.append(CatalogFile(path=path, text=text, sha=candidate.id))
        return files


def _undone(repository: Repository, name: str, undo: Undo) -> CatalogFiles:
    found = commits.read(repository, name, undo)
    return CatalogFiles(branch=found.branch, commit=found.tip, projects=(), files=(), left_out=(), undone=found)


def _text(content: bytes | None, room: int) -> tuple[Reason | None, str]:
    if content is None:
        return "too_large", ""
    if len(content) > room:
        return "over_the_bound", ""
    if b"\0" in content:
        return "not_text", ""
    try:
        return None, content.decode("utf-8")
    except UnicodeDecodeError:
        return "not_text", ""


def _folder(repository: Repository, commit: str, folder: str) -> tuple[str, bytes]:
    """Give the tree of ``folder`` and its path with a closing slash (empty for the top)."""
    tree = repository.root(commit)
    for name in folder.encode().split(b"/") if folder else ():
        entry = next((entry for entry in repository.directory(tree) if entry.name == name), None)
        if entry is None or entry.mode != TREE_MODE:
            raise ToolRetry(
                "The commit has no such folder.", next="Name a folder of the repository, or none.", code="no_folder"
            )
        tree = entry.id
    return tree, f"{folder}/".encode() if folder else b""


def _candidates(repository: Repository, tree: str, prefix: bytes, left_out: list[LeftOut]) -> Iterator[_Candidate]:
    waiting = [(tree, prefix, 0)]
    seen = 0
    while waiting:
        at, path, depth = waiting.pop()
        for entry in repository.directory(at):
            seen += 1
            whole = path + entry.name
            if seen > MAX_ENTRIES:
                left_out.append(LeftOut(path=quoted(whole), reason="over_the_bound"))
                return
            if entry.mode == TREE_MODE:
                if entry.name == _BUILT:
                    yield from _manifest(repository, entry.id, whole)
                reason = _reason_to_pass(entry, depth)
                if reason is None:
                    waiting.append((entry.id, whole + b"/", depth + 1))
                else:
                    left_out.append(LeftOut(path=quoted(whole + b"/"), reason=reason))
                continue
            rank = _rank(whole, entry.name)
            if entry.mode == SUBMODULE_MODE or (entry.mode == SYMLINK_MODE and rank is not None):
                left_out.append(LeftOut(path=quoted(whole), reason=_LINKS[entry.mode]))
            elif rank is not None:
                yield _Candidate(rank, whole, entry.id)


def _manifest(repository: Repository, tree: str, path: bytes) -> Iterator[_Candidate]:
    """Give dbt's manifest where a repository keeps it: it says which table is which node."""
    for entry in repository.directory(tree):
        if entry.name == _MANIFEST and entry.mode not in {TREE_MODE, *_LINKS}:
            yield _Candidate(3, path + b"/" + entry.name, entry.id)


def _reason_to_pass(entry: Entry, depth: int) -> Reason | None:
    if entry.name in _PASSED_OVER:
        return "passed_over"
    return "too_deep" if depth >= MAX_DEPTH else None


def _rank(path: bytes, name: bytes) -> int | None:
    if name == b"CODEOWNERS":
        return 0
    if name.lower().endswith(_EVENTS):
        return len(_ORDER) if b"lineage" in path.lower() else None
    return next((rank for suffix, rank in _ORDER if name.lower().endswith(suffix)), None)


def _safe(path: bytes) -> str | None:
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if fault(text) is None else None


def _is_project(path: str) -> bool:
    return path == "dbt_project.yml" or path.endswith("/dbt_project.yml")


def _is_property_file(path: str) -> bool:
    return path.endswith((".yml", ".yaml"))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
