"""The sample's dbt project: its files, its models as SQL for SQLite, and its git repository.

Rules: the repository is made from objects alone (no hooks, no settings of the user's git), with invented authors and
dates counted back from ``now``; no signature, no reflog, no stat data in the index, so the same arguments give the same
commit id and the same bytes. Git reads such an index like one after ``git read-tree``: it looks at the contents once.

``render`` knows ``ref``, ``source`` and ``config`` with constant arguments, which is all these models use; it is no
dbt. Anything else between braces is refused, so a model that needs more cannot slip through half-rendered.
"""

import re
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dulwich.index import Index, IndexEntry
from dulwich.object_store import PackBasedObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from twokey.channels.sample import shipped

TABLES: Final = ("churn_features", "churn_scores")
"""Models that become tables, in the order to build them."""

_EPHEMERAL: Final = "models/staging"
_CALL: Final = re.compile(r"\{\{\s*(ref|source|config)\(([^{}()]*)\)\s*\}\}")


@dataclass(frozen=True)
class _Step:
    """One commit: who, how long before ``now``, why, and which paths it brings (``earlier`` ones in an older text)."""

    author: str
    before: timedelta
    message: str
    paths: tuple[str, ...]
    earlier: tuple[str, ...] = ()


_STEPS: Final = (
    _Step(
        "Sam Abernathy <sam.abernathy@example.com>",
        timedelta(days=203, hours=1, minutes=12),
        "Move the churn features into dbt\n\nUntil now they lived in a notebook that only one laptop could run.\n",
        (
            ".gitignore",
            "dbt_project.yml",
            "models/churn/churn_features.sql",
            "models/staging/_sources.yml",
            "models/staging/stg_events.sql",
            "models/staging/stg_invoices.sql",
            "profiles.example.yml",
            "seeds/plan_prices.csv",
        ),
        ("README.md", "models/churn/schema.yml"),
    ),
    _Step(
        "Mia Okonjo <mia.okonjo@example.com>",
        timedelta(days=88, hours=17, minutes=41),
        "Publish scores with a band\n\nCustomer success sorts by band; scores of failed runs stay out.\n",
        (
            "models/churn/churn_scores.sql",
            "models/exposures.yml",
            "tests/assert_scores_are_probabilities.sql",
        ),
    ),
    _Step(
        "Sam Abernathy <sam.abernathy@example.com>",
        timedelta(days=19, hours=22, minutes=5),
        "Describe some columns and say who owns what\n\nSensitivity tags are agreed with risk but not set yet.\n",
        ("CODEOWNERS", "README.md", "models/churn/schema.yml"),
    ),
)


def files() -> dict[str, bytes]:
    """Every file of the project at its last commit, path -> bytes."""
    return {path.replace("gitignore", ".gitignore"): text for path, text in shipped.tree("dbt").items()}


def models() -> dict[str, str]:
    """The SELECT of each model in ``TABLES``, rendered for SQLite."""
    texts = {path: text.decode() for path, text in files().items()}
    return {name: render(texts[f"models/churn/{name}.sql"], texts) for name in TABLES}


def render(sql: str, texts: dict[str, str]) -> str:
    """Replace ``config`` by nothing, ``source`` by the name of its table, ``ref`` by the table or the ephemeral SELECT.

    Raises ``ValueError`` where something between braces is left.
    """

    def called(match: re.Match[str]) -> str:
        if match[1] == "config":
            return ""
        name = match[2].split(",")[-1].strip().strip("'\"")
        ephemeral = f"{_EPHEMERAL}/{name}.sql"
        return f"({render(texts[ephemeral], texts)})" if match[1] == "ref" and ephemeral in texts else name

    rendered = _CALL.sub(called, sql)
    if "{{" in rendered or "{%" in rendered:
        raise ValueError("a sample model uses Jinja that is not rendered here")
    return rendered.strip()


def build(folder: Path, now: datetime) -> str:
    """Make the repository in the new folder ``folder`` with a clean worktree on ``main``; give the commit id."""
    final = files()
    for path, text in final.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    with Repo.init(folder, default_branch=b"main", symlinks=True) as repository:
        head, entries = _commits(repository.object_store, final, now)
        repository.refs[Ref(b"refs/heads/main")] = head
        index = Index(folder / ".git" / "index", read=False)
        for path, blob in entries.items():
            index[path.encode()] = IndexEntry(0, 0, 0, 0, stat.S_IFREG | 0o644, 0, 0, 0, blob)
        index.write()
    return head.decode()


def _commits(
    store: PackBasedObjectStore, final: dict[str, bytes], now: datetime
) -> tuple[ObjectID, dict[str, ObjectID]]:
    entries: dict[str, ObjectID] = {}
    parents: list[ObjectID] = []
    for step in _STEPS:
        texts = {path: final[path] for path in step.paths}
        texts |= {path: shipped.read(f"dbt_earlier/{path}") for path in step.earlier}
        for path, text in texts.items():
            blob = Blob.from_string(text)
            store.add_object(blob)
            entries[path] = blob.id
        commit = Commit()
        commit.tree = _tree(store, entries)
        commit.parents = parents
        commit.author = commit.committer = step.author.encode()
        commit.author_time = commit.commit_time = int((now - step.before).timestamp())
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = None
        commit.message = step.message.encode()
        store.add_object(commit)
        parents = [commit.id]
    return parents[0], entries


def _tree(store: PackBasedObjectStore, entries: dict[str, ObjectID]) -> ObjectID:
    tree, below = Tree(), dict[str, dict[str, ObjectID]]()
    for path, blob in entries.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = blob
        else:
            tree.add(name.encode(), stat.S_IFREG | 0o644, blob)
    for name, inner in below.items():
        tree.add(name.encode(), stat.S_IFDIR, _tree(store, inner))
    store.add_object(tree)
    return tree.id
