"""The habits of a repository that a change keeps: where meta stands, which words mark sensitivity, where tests go.

Rules: habits are read off what is there (property files, ``dbt_project.yml``, a README that says so); from outside
text only words of a closed list are taken, so nothing a file says can put another word into a change. Where there is
no habit, a column's ``meta`` stands beside its description (every dbt Core reads it there, and its JSON schema knows no
other place; Fusion wants ``config.meta``, which is used where a repository does), with the words public, operational,
financial and pii.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final, Literal

from twokey.agents.catalog import packages
from twokey.agents.catalog.dbt_project import Project, Repository
from twokey.agents.catalog.edits import Conventions
from twokey.agents.catalog.judgement import Level
from twokey.agents.catalog.yaml_tree import Plain, plain_of

KEY: Final = "sensitivity"
OWN_WORDS: Final[Mapping[Level, str]] = {
    "public": "public",
    "operational": "operational",
    "financial": "financial",
    "pii": "pii",
}
_CHOICES: Final[Mapping[Level, tuple[str, ...]]] = {
    "pii": ("pii", "personal", "sensitive", "confidential", "restricted", "high"),
    "financial": ("financial", "confidential", "restricted", "internal", "sensitive", "medium"),
    "operational": ("operational", "internal", "none", "public", "low"),
    "public": ("public", "none", "operational", "internal", "low"),
}
_KNOWN: Final = frozenset(word for words in _CHOICES.values() for word in words)
_RULE: Final = re.compile(r"sensitivity\b[^\n]{0,40}?\(([^()\n]{3,200})\)", re.IGNORECASE)
_QUOTED: Final = re.compile(r"`([a-z]{3,20})`")
_GUIDES: Final = frozenset({"readme.md", "contributing.md", "docs.md"})
_MAX_GUIDE: Final = 64 * 1024


_MARKS: Final = frozenset({KEY, "pii", "classification", "data_classification", "personal", "contains_pii", "privacy"})


def is_marked(meta: Mapping[str, Plain], tags: Iterable[str]) -> bool:
    """Tell whether somebody already said how sensitive a column or table is, in its meta or tags."""
    return not _MARKS.isdisjoint(key.lower() for key in meta) or not _MARKS.isdisjoint(tag.lower() for tag in tags)


@dataclass(frozen=True, slots=True)
class House:
    """The habits of one repository."""

    conventions: Conventions
    words: Mapping[Level, str] = field(default_factory=lambda: dict(OWN_WORDS))
    marks_ordinary: bool = False
    """Whether columns that are neither personal nor financial are marked, too."""
    test_paths: Mapping[str, str] = field(default_factory=dict[str, str])
    """Folder of a project -> folder of its singular tests."""
    packages: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Folder of a project -> packages that it says it uses, of those whose tests we know."""

    def tests_folder(self, project: str) -> str:
        """Give the folder (relative to the repository) in which a project keeps its singular tests."""
        return str(PurePosixPath(project, self.test_paths.get(project, "tests")))


def habits(repository: Repository, files: Mapping[str, bytes]) -> House:
    """Read the habits of a repository from its files."""
    count: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for path in sorted({node.path for node in repository.nodes}):
        tree = plain_of(files.get(path, b""))
        for under, mapping in _mappings(tree):
            _count(count, under, mapping)
    for node in repository.nodes:
        for column in node.properties.columns:
            value = column.meta.get(KEY)
            if isinstance(value, str):
                used[value] += 1
    return House(
        conventions=replace(repository.conventions, column_meta=_column_meta(count)),
        words=_words(used, files),
        marks_ordinary=_marks_ordinary(frozenset(used) or _listed(files)),
        test_paths={
            project.root: folder
            for project in repository.projects
            if (folder := _test_path(project, files)) is not None
        },
        packages={project.root: packages.used(files, project.root) for project in repository.projects},
    )


def _column_meta(count: Counter[str]) -> Literal["beside", "config"]:
    for where in ("columns", "nodes"):
        beside, inside = count[f"{where} beside"], count[f"{where} config"]
        if beside != inside:
            return "beside" if beside > inside else "config"
    return "beside"


def _count(count: Counter[str], under: str, mapping: Mapping[str, Plain]) -> None:
    where = (
        "columns"
        if under == "columns"
        else "nodes"
        if under in {"models", "seeds", "snapshots", "tables", "sources"}
        else ""
    )
    if not where:
        return
    config = mapping.get("config")
    if isinstance(config, dict) and "meta" in config:
        count[f"{where} config"] += 1
    if "meta" in mapping:
        count[f"{where} beside"] += 1


def words_in_use(found: frozenset[str], own: Mapping[Level, str]) -> Mapping[Level, str]:
    """Give the words that mark sensitivity where ``found`` are in use; ``own`` ones where those are not known."""
    known = {word.lower(): word for word in found}
    if found and known.keys() <= _KNOWN and not known.keys().isdisjoint(_CHOICES["pii"]):
        return {level: known.get(_chosen(level, frozenset(known)), own[level]) for level in own}
    return dict(own)


def _words(used: Counter[str], files: Mapping[str, bytes]) -> Mapping[Level, str]:
    """Give the words that mark sensitivity here: those in use, else those a guide lists, else our own."""
    for found in (frozenset(used), _listed(files)):
        if found <= _KNOWN and not found.isdisjoint(_CHOICES["pii"]):
            return {level: _chosen(level, found) for level in OWN_WORDS}
    return dict(OWN_WORDS)


def _marks_ordinary(words: frozenset[str]) -> bool:
    """Tell whether the words in use, or those that a guide lists, name what is neither personal nor financial."""
    guarded = {*_CHOICES["pii"], *_CHOICES["financial"]} - {"internal", "medium"}
    return words <= _KNOWN and not words <= guarded and not words.isdisjoint(_CHOICES["pii"])


def _chosen(level: Level, found: frozenset[str]) -> str:
    return next((word for word in _CHOICES[level] if word in found), OWN_WORDS[level])


def _listed(files: Mapping[str, bytes]) -> frozenset[str]:
    for path in sorted(files):
        if PurePosixPath(path).name.lower() in _GUIDES:
            text = files[path][:_MAX_GUIDE].decode("utf-8", "replace")
            for rule in _RULE.finditer(text):
                words = frozenset(_QUOTED.findall(rule[1]))
                if len(words) > 1:
                    return words
    return frozenset()


def _test_path(project: Project, files: Mapping[str, bytes]) -> str | None:
    tree = plain_of(files.get(str(PurePosixPath(project.root, "dbt_project.yml")), b""))
    listed = tree.get("test-paths") if isinstance(tree, dict) else None
    for folder in listed if isinstance(listed, list) else []:
        at = PurePosixPath(folder) if isinstance(folder, str) else PurePosixPath("/")
        if not at.is_absolute() and ".." not in at.parts and "{" not in str(folder):
            return str(at)
    return None


def _mappings(tree: Plain, under: str = "") -> Iterator[tuple[str, Mapping[str, Plain]]]:
    waiting: list[tuple[str, Plain]] = [(under, tree)]
    while waiting:
        key, node = waiting.pop()
        if isinstance(node, list):
            waiting.extend((key, item) for item in node)
        elif isinstance(node, dict):
            yield key, node
            waiting.extend(node.items())
