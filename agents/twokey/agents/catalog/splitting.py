"""One change into one for each owner, so that everybody reviews what is theirs and nothing else.

Rules: every part is complete by itself; files of which one would break without the other stay together. Only owners
that the repository states divide a change. A file that several own goes to the owner who has most lines of the change,
of files that stay together whoever owns most lines of them; ties go by the order in which owners are first named. What
nobody is stated to own is a part of its own. The largest part comes first; beyond ``MOST_PARTS`` the smallest ones stay
together. The same change and owners give the same parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog.owners import Owned
from twokey.agents.catalog.written import Change

MOST_PARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A change for one owner (outside text). None: nobody is stated to own it, or parts were put together."""

    owner: str | None
    change: Change


def split(change: Change, owners: Mapping[str, Owned], before: Mapping[str, bytes]) -> tuple[Part, ...]:
    """Divide a change. ``before`` are the files as they are, path -> bytes."""
    lines = {path: _lines(text, before.get(path, b"")) for path, text in change.files.items()}
    stated = {path: owners[path].names for path in sorted(change.files) if path in owners and owners[path].stated}
    whose: dict[str | None, list[str]] = {}
    for owner, paths in _assigned(_together(change), stated, lines):
        whose.setdefault(owner, []).extend(paths)
    parts = sorted(whose.items(), key=lambda part: (-sum(lines[path] for path in part[1]), min(part[1])))
    rest = [path for _, paths in parts[MOST_PARTS - 1 :] for path in paths] if len(parts) > MOST_PARTS else []
    if rest:
        parts = [*parts[: MOST_PARTS - 1], (None, rest)]
    return tuple(Part(owner, change.part(paths, first=number == 0)) for number, (owner, paths) in enumerate(parts))


def _lines(text: str, before: bytes) -> int:
    return max(1, text.count("\n") - before.count(b"\n"))


def _together(change: Change) -> list[list[str]]:
    """Give the files in groups that must not be parted."""
    group = {path: path for path in sorted(change.files)}

    def head(path: str) -> str:
        while group[path] != path:
            path = group[path]
        return path

    for one, other in sorted(change.needs):
        if one in group and other in group:
            group[head(one)] = head(other)
    found: dict[str, list[str]] = {}
    for path in group:
        found.setdefault(head(path), []).append(path)
    return list(found.values())


def _assigned(
    groups: Sequence[list[str]], stated: Mapping[str, Sequence[str]], lines: Mapping[str, int]
) -> list[tuple[str | None, list[str]]]:
    """Give every group an owner, the one with most lines first."""
    done: list[tuple[str | None, list[str]]] = []
    waiting: list[tuple[list[str], dict[str, int]]] = []
    for paths in groups:
        owned = _owned(paths, stated, lines)
        most = max(owned.values(), default=0)
        if owned:
            waiting.append((paths, {owner: count for owner, count in owned.items() if count == most}))
        else:
            done.append((None, paths))
    while waiting:
        total: dict[str, int] = {}
        for _, owned in waiting:
            for owner, count in owned.items():
                total[owner] = total.get(owner, 0) + count
        chosen = max(total, key=lambda owner: total[owner])
        done += [(chosen, paths) for paths, owned in waiting if chosen in owned]
        waiting = [(paths, owned) for paths, owned in waiting if chosen not in owned]
    return done


def _owned(paths: Sequence[str], stated: Mapping[str, Sequence[str]], lines: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in paths:
        for owner in dict.fromkeys(stated.get(path, ())):
            found[owner] = found.get(owner, 0) + lines[path]
    return found
