"""Says what kind of change an edit of files is, from the change itself and never from anybody's word.

Rules: a label that asks for more approval is given where the change cannot be understood. ``changes_sensitivity``
compares what the two versions of a YAML file say under keys about sensitivity (``tags``, ``pii``, ``sensitivity`` ...),
column by column; moving a column is no change, renaming one is. A YAML file that cannot be read within bounds gets
``unreadable_yaml`` and ``changes_sensitivity``. A template or a hook in YAML is code, whatever the file is called. What
breaks or adds something that others rely on is told apart by ``change_contracts``.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from twokey.tools.write.acting_text import hides
from twokey.tools.write.change_contracts import contract_labels
from twokey.tools.write.git_diff import lines_of, matching
from twokey.tools.write.git_tree import Changed
from twokey.tools.write.yaml_nodes import MAX_DEPTH, MAX_NODES, Node, Unreadable, documents
from twokey.tools.write.yaml_running import changes_what_runs

_CI_FOLDERS: Final = (".github/", ".gitlab/", ".circleci/", ".buildkite/", ".azure-pipelines/", ".woodpecker/")
_FORGES: Final = frozenset({".github", ".gitea", ".forgejo", ".tekton", ".semaphore"})
"""Folders from which a forge or a cluster runs what it finds, wherever they lie."""
_CI_FILES: Final = re.compile(
    r"(\.gitlab-ci.*\.ya?ml|jenkinsfile.*|azure-pipelines.*\.ya?ml|bitbucket-pipelines\.yml|\.travis\.yml|\.drone\.ya?ml"
    r"|\.woodpecker\.ya?ml|\.pre-commit-config\.ya?ml|action\.ya?ml|cloudbuild\.ya?ml|buildspec\.ya?ml|makefile|.*\.mk)"
)
POLICY_FOLDERS: Final = frozenset({"policies", "policy"})
"""Names of folders in which a change counts as one of the policy, whatever the files are called."""
_PROJECT_FILES: Final = re.compile(r"(dbt_project|packages|dependencies|profiles|selectors)\.ya?ml|package-lock\.yml")
_AGENT_FOLDERS: Final = frozenset({".claude", ".cursor", ".windsurf", ".clinerules", ".gemini", ".codex", ".junie"})
_AGENT_FILES: Final = re.compile(
    r"(agents|claude|gemini|copilot-instructions|skill)(\.local)?\.md|\.(cursor|windsurf|cline|aider)rules"
    r"|.*\.(instructions|prompt|chatmode)\.md|\.mcp\.json|\.aider\.conf\.ya?ml|\.goosehints"
)
"""Files that other people's coding agents read as orders, from whoever wrote them."""
_GIT_FILES: Final = frozenset({".gitattributes", ".gitignore", ".mailmap", ".lfsconfig"})
_DOCUMENTS: Final = (".yml", ".yaml", ".md", ".txt")
_SENSITIVE: Final = frozenset(
    {"sensitivity", "sensitive", "pii", "phi", "gdpr", "tag", "tags", "classification", "classifications"}
    | {"confidential", "confidentiality", "personal", "privacy", "masking", "masked", "mask", "restricted"}
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def labels(changes: Iterable[Changed]) -> tuple[str, ...]:
    """Give the sorted labels of a change."""
    found = list(changes)
    return tuple(sorted({*(label for changed in found for label in _of(changed)), *contract_labels(found)}))


def _of(changed: Changed) -> Iterator[str]:
    if changed.before is None:
        yield "adds_files"
    elif changed.after is None:
        yield "deletes_files"
    else:
        yield "edits_files"
    path = changed.path.casefold()
    name = path.rsplit("/", 1)[-1]
    yield from _of_place(path, name)
    if _PROJECT_FILES.fullmatch(name):
        yield "changes_project"
    if name in _GIT_FILES:
        yield "changes_git_settings"
    elif not name.endswith(_DOCUMENTS) and name != "codeowners":
        yield "changes_code"
    if name.endswith((".yml", ".yaml")):
        yield from _of_yaml(changed)
        if changes_what_runs(changed.before or b"", changed.after or b""):
            yield "changes_code"
    if _hides_something(changed):
        yield "hides_characters"


def _of_place(path: str, name: str) -> Iterator[str]:
    """Give what a file is by where it lies: what reads it does what it says."""
    folders = path.split("/")[:-1]
    if _FORGES.intersection(folders) or path.startswith(_CI_FOLDERS) or _CI_FILES.fullmatch(name):
        yield "changes_ci"
    if name == "codeowners":
        yield "changes_owners"
    if path.endswith(".rego") or name == "twokey.toml" or {*POLICY_FOLDERS, ".twokey"}.intersection(folders):
        yield "changes_policy"
    if _AGENT_FOLDERS.intersection(folders) or _AGENT_FILES.fullmatch(name):
        yield "instructs_agents"


def _of_yaml(changed: Changed) -> Iterator[str]:
    try:
        before, after = sensitive_parts(changed.before or b""), sensitive_parts(changed.after or b"")
    except Unreadable:
        yield "unreadable_yaml"
        yield "changes_sensitivity"
        return
    if before != after:
        yield "changes_sensitivity"


def _hides_something(changed: Changed) -> bool:
    """Tell whether an added line holds a character that a reader of the diff cannot see or that reorders the line."""
    old, new = lines_of(changed.before), lines_of(changed.after)
    kept = {at for _, start, length in matching(old, new) for at in range(start, start + length)}
    added = b"".join(line.removesuffix(b"\n").removesuffix(b"\r") for at, line in enumerate(new) if at not in kept)
    return hides(added.decode("utf-8"))


def sensitive_parts(text: bytes) -> Counter[tuple[str, ...]]:
    """Give what the YAML ``text`` says under sensitive keys, as ``(path..., value)``, each with its count.

    An item of a list is named by its ``name`` where it has one.

    Raises:
        Unreadable: no YAML, not UTF-8, deeper than 100, or more than 200,000 nodes once aliases are followed.

    """
    return Counter(_sensitive_parts(text))


@lru_cache(maxsize=2)
def _sensitive_parts(text: bytes) -> Counter[tuple[str, ...]]:
    """Walk a text once for labels and for counts of fields."""
    found: Counter[tuple[str, ...]] = Counter()
    budget = MAX_NODES
    waiting: list[tuple[Node, tuple[str, ...], bool]] = [
        (document, (f"document {number}",), False) for number, document in enumerate(documents(text))
    ]
    while waiting:
        node, path, inside = waiting.pop()
        budget -= 1
        if budget < 0 or len(path) > MAX_DEPTH:
            raise Unreadable
        if inside and (node.kind == "scalar" or not node.children):
            found[*path, node.kind, node.tag, node.value] += 1
        if node.kind == "list":
            waiting.extend((item, (*path, _name(item, at)), inside) for at, item in enumerate(node.children))
        elif node.kind == "map":
            for key, value in zip(node.children[::2], node.children[1::2], strict=True):
                named = key.value if key.kind == "scalar" else "?"
                sensitive = inside or key.kind != "scalar" or is_sensitive(named)
                waiting.append((value, (*path, f"key {named}"), sensitive))
                if key.kind != "scalar":
                    waiting.append((key, (*path, "complex key"), True))
    return found


def is_sensitive(key: str) -> bool:
    """Tell whether a key of a YAML file says something about sensitivity."""
    return any(word.casefold() in _SENSITIVE for word in _WORDS.findall(unicodedata.normalize("NFKC", key)))


def _name(item: Node, at: int) -> str:
    if item.kind == "map":
        for key, value in zip(item.children[::2], item.children[1::2], strict=True):
            if key.kind == "scalar" and key.value == "name" and value.kind == "scalar":
                return f"item {value.value}"
    return f"item {at}"
