"""Who wrote the files of a commit, as its history tells: for each file, whose lines stand in it today.

Rules: a line belongs to the commit that brought a line of that text in, going back from today; one that was there
before in the same words is older. A merge that takes a file over from one side wrote nothing of it. Lines of bots, and
of commits that changed more files than anybody writes by hand, belong to nobody. Commits and look-ups are bounded, so
old lines may belong to nobody, too. An address tells two people apart and is never given out; names are outside text.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.tools.forge import TREE_MODE, Reader, Writer

MAX_COMMITS: Final = 400
MAX_LOOKUPS: Final = 40_000
MAX_BYTES: Final = 256 * 1024
"""Of a file whose lines are looked at."""
MAX_READ: Final = 32 * 1024 * 1024
"""Of all versions of all files together."""
MASS: Final = 25
"""Files of those asked for that one commit may change before it counts as made by a program."""
MOST_WRITERS: Final = 3
LEAST_SHARE: Final = 10
MAX_NAME: Final = 100
_BOTS: Final = frozenset({"dependabot", "renovate", "renovate bot", "github-actions", "pre-commit-ci", "github"})


@dataclass(frozen=True, slots=True)
class Past:
    """One commit: its tree, its parents that are here, and its author as git writes one."""

    tree: str
    parents: tuple[str, ...]
    author: bytes


@dataclass(slots=True)
class _Credit:
    """Lines of one file by commit."""

    total: int
    lines: Counter[str] = field(default_factory=Counter[str])


class History:
    """Looks at one history; ``commit`` reads one of its commits."""

    def __init__(self, reader: Reader, commit: Callable[[str], Past]) -> None:
        self._reader = reader
        self._commit = commit
        self._commits: dict[str, Past] = {}
        self._folders: dict[str, Mapping[bytes, tuple[int, str]]] = {}
        self._looked = 0
        self._read = 0

    def writers(self, tip: str, paths: Sequence[str]) -> Mapping[str, tuple[Writer, ...]]:
        """Give the main writers of each path, the one with most lines first; paths of nobody are left out."""
        credited = {path: self._credit(tip, path) for path in paths if self._looked < MAX_LOOKUPS}
        touched = Counter(name for credit in credited.values() for name in credit.lines)
        human = {name for name, files in touched.items() if files <= MASS and not _is_bot(self._past(name).author)}
        found: dict[str, tuple[Writer, ...]] = {}
        for path, credit in credited.items():
            lines: Counter[str] = Counter()
            names: dict[str, str] = {}
            for commit, count in credit.lines.items():
                if commit in human:
                    name, key = _person(self._past(commit).author)
                    lines[key] += count
                    names.setdefault(key, name)
            shares = [(key, count * 100 // max(1, credit.total)) for key, count in lines.most_common(MOST_WRITERS)]
            told = tuple(Writer(who=names[key], share=share) for key, share in shares if share >= LEAST_SHARE)
            if told:
                found[path] = told
        return found

    def _credit(self, tip: str, path: str) -> _Credit:
        """Follow one file back until every line has its commit, or the bound is met."""
        here = self._at(tip, path)
        waiting = Counter(self._lines(here))
        credit = _Credit(waiting.total())
        commit: str | None = tip
        while commit is not None and waiting and self._looked < MAX_LOOKUPS and self._read < MAX_READ:
            parents = self._past(commit).parents
            before = {parent: self._at(parent, path) for parent in parents if self._known(parent)}
            same = next((parent for parent, blob in before.items() if blob == here), None)
            if same is None and len(before) == len(parents):
                mine = set(self._lines(here)).difference(*map(self._lines, before.values()))
                new = Counter({line: count for line, count in waiting.items() if line in mine})
                credit.lines[commit] += new.total()
                waiting -= new
            commit = same if same is not None else next(iter(before), None)
            here = before.get(commit) if commit is not None else None
        credit.lines = +credit.lines
        return credit

    def _known(self, name: str) -> bool:
        """Tell whether a commit may be looked at: it was, or there is room for one more."""
        return name in self._commits or len(self._commits) < MAX_COMMITS

    def _past(self, name: str) -> Past:
        if name not in self._commits:
            self._commits[name] = self._commit(name)
        return self._commits[name]

    def _at(self, commit: str, path: str) -> str | None:
        self._looked += 1
        folder = self._past(commit).tree
        *above, last = path.encode().split(b"/")
        for name in above:
            mode, folder = self._names(folder).get(name, (0, ""))
            if mode != TREE_MODE:
                return None
        mode, found = self._names(folder).get(last, (TREE_MODE, ""))
        return None if mode == TREE_MODE else found

    def _names(self, tree: str) -> Mapping[bytes, tuple[int, str]]:
        if tree not in self._folders:
            self._folders[tree] = {entry.name: (entry.mode, entry.id) for entry in self._reader.directory(tree)}
        return self._folders[tree]

    def _lines(self, blob: str | None) -> list[bytes]:
        if blob is None or self._read >= MAX_READ:
            return []
        content = self._reader.blob(blob, MAX_BYTES)
        self._read += len(content or b"")
        return [line.strip() for line in (content or b"").split(b"\n") if line.strip()]


def _person(author: bytes) -> tuple[str, str]:
    """Give the name of an author, and what tells them apart."""
    name, _, rest = author.decode("utf-8", "replace").partition("<")
    address = rest.partition(">")[0].strip().casefold()
    shown = name.strip().partition("@")[0].strip() or "somebody"
    return shown[:MAX_NAME], address or shown.casefold()


def _is_bot(author: bytes) -> bool:
    """Tell whether a program made a commit, or nobody is known to have made it."""
    name, address = _person(author)
    return not author or name.casefold() in _BOTS or name.endswith("[bot]") or "[bot]@" in address
