"""What every agent does of itself: fill in the mechanical arguments of a tool, and say where each argument came from.

Rules: only what is missing, or of no use here, is filled in, and it counts as made by code; a placeholder is one of the
words of the world, ``${tip}``, ``${n}`` or ``${lines:N}``, and everything else stays as it is; an argument of which the
case does not say where it came from counts as untrusted, and so does everything inside it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from twokey.channels.injection.cases import Call
from twokey.channels.injection.provenance import Label, Source, path_of
from twokey.channels.injection.world import BRANCH, PLACE_NAMES, World
from twokey.core.values import Provenance

MAX_LINES: Final = 200_000
OWN_BRANCHES: Final = "twokey/"
_LINES: Final = re.compile(r"\$\{lines:([0-9]{1,6})\}")
_UNSAFE: Final[frozenset[Label]] = frozenset({"model", "untrusted"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call as it is made, and where each of its arguments came from."""

    args: dict[str, Any]
    sources: tuple[Source, ...]
    """Every leaf of the arguments is covered by one."""

    def unsafe(self, paths: Sequence[str]) -> bool:
        """Tell whether untrusted text or a model decided an argument under ``paths``, a parent or a part of it."""
        unsafe = [source.path for source in self.sources if source.label in _UNSAFE]
        return any(one == path or _beneath(one, path) or _beneath(path, one) for one in unsafe for path in paths)

    def completed(self, understood: Mapping[str, Any]) -> "Prepared":
        """Add what the tool's schema filled in: code decided that."""
        added = (Source(path=leaf, label="code") for leaf in _uncovered(understood, self.sources))
        return Prepared(self.args, (*self.sources, *added))

    def provenance(self, documents: Sequence[str], own: str) -> tuple[Provenance, ...]:
        """Name the evidence: of the documents, and the agent's own where it says evidence and names none."""
        return tuple(
            Provenance(
                path=source.path,
                label=source.label,
                evidence=tuple(documents[at] for at in source.documents if at < len(documents))
                or ((own,) if source.label == "evidence" else ()),
            )
            for source in self.sources
        )


def _beneath(path: str, parent: str) -> bool:
    return path.startswith(f"{parent}.")


def prepare(call: Call, world: World, *, branch: str, number: int, documents: int) -> Prepared:
    """Work one repetition of a call out. ``branch`` is a name nobody uses yet; ``number`` counts repetitions from 1."""
    given: dict[str, Any] = dict(call.args)
    files = given.get("files")
    if call.copies and isinstance(files, list) and files:
        items = cast("list[Any]", files)
        given["files"] = items[:-1] + [_put(items[-1], {"n": str(at)}) for at in range(1, call.copies + 1)]
    repository = given.get("repository")
    words = {**world.words, "tip": world.tip_of(repository), "n": str(number)}
    args: dict[str, Any] = _put(given, words)
    filled = {} if call.gesture else _mechanical(call, args, words["tip"], branch) | _seen(call, args, world)
    sources = [source for source in _of_leaves(call, args) if source.path not in filled]
    sources += [Source(path=name, label="code") for name in filled]
    everything = tuple(range(documents))
    bare = _uncovered(args, sources)
    sources += [Source(path=leaf, label="untrusted", documents=everything) for leaf in bare]
    return Prepared(args | filled, tuple(sources))


def _of_leaves(call: Call, args: Mapping[str, Any]) -> Iterator[Source]:
    """Let what was said of an argument speak for the values that were given, and for nothing that is filled in later.

    A setting that names no place was read by code: that is how an agent of ours would say it.
    """
    values: dict[str, list[object]] = {}
    for leaf, value in _leaves(args, ""):
        values.setdefault(leaf, []).append(value)
    for source in call.provenance:
        parts = [leaf for leaf in values if leaf == source.path or _beneath(leaf, source.path)]
        whole = [source.path] if not parts or isinstance(args.get(source.path), dict) else []
        for leaf in dict.fromkeys((*parts, *whole)):
            setting = source.label == "config" and not call.injected and leaf not in PLACE_NAMES
            yield source.model_copy(update={"path": leaf, "label": "code" if setting else source.label})


def said(prepared: Iterable[Prepared]) -> list[Any]:
    """Give the values that came from the request: what a person named on a command line, in a form or in words."""
    found: list[Any] = []
    for one in prepared:
        paths = {source.path for source in one.sources if source.label == "request"}
        found += [value for leaf, value in _leaves(one.args, "") if leaf in paths and isinstance(value, str | int)]
    return found


def _uncovered(args: Mapping[str, Any], sources: Sequence[Source]) -> list[str]:
    """Give the leaves of ``args`` of which no source speaks, for themselves or for a parent of theirs."""
    known = [source.path for source in sources]
    return [
        leaf
        for leaf in dict.fromkeys(leaf for leaf, _ in _leaves(args, ""))
        if not any(leaf == path or leaf.startswith(f"{path}.") for path in known)
    ]


def _mechanical(call: Call, args: Mapping[str, Any], tip: str, branch: str) -> dict[str, str]:
    """Give what an agent's code fills in by itself, by tool: where it is missing, or nobody here could use it.

    A suite cannot know the commits and branches of this world. What untrusted text or a model named stays as it is.
    """
    if call.tool != "open_pull_request":
        return {}
    own = {source.path for source in call.provenance if source.label in {"request", "config", "code"}}
    usual = {"base_branch": (BRANCH, BRANCH), "base_commit": (tip, tip), "branch": (branch, OWN_BRANCHES)}
    return {
        name: value
        for name, (value, fits) in usual.items()
        if name not in args or (name in own and not str(args[name]).startswith(fits))
    }


def _seen(call: Call, args: Mapping[str, Any], world: World) -> dict[str, str]:
    """Give the digest of what was seen of a ticket, which no suite can know."""
    saw = world.seen_of(args) if call.tool == "update_ticket" and "seen" not in args else None
    return {} if saw is None else {"seen": saw}


def _put(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace(f"${{{name}}}", word)
        return _LINES.sub(_lines, value) if "${lines:" in value else value
    if isinstance(value, list):
        return [_put(item, words) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _put(item, words) for key, item in cast("dict[str, Any]", value).items()}
    return value


def _lines(found: re.Match[str]) -> str:
    return "".join(f"- line {at}\n" for at in range(min(int(found.group(1)), MAX_LINES)))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, object]]:
    """Give all plain values with their paths, as policy names them. A name that is no path speaks for its parent."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            inner = path_of(f"{path}.{key}" if path else key)
            if inner is not None:
                yield from _leaves(item, inner)
            elif path:
                yield path, item
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(item, path)
    elif path:
        yield path, value
