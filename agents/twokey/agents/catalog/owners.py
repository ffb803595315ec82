"""Who owns the files of a change, so that each goes before those whom it concerns.

Rules: ``CODEOWNERS`` says first; else the ``owner`` in the meta of what a file documents or of its source, the owner
of its dbt group, a tag such as ``owner:finance``. Where nobody states it, those who wrote most of a file may be asked:
that is a guess, and told as one. Owners are outside text and only shown: who may approve is said by policy and the
directory, never here. An e-mail address is never shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from twokey.agents.catalog import codeowners
from twokey.agents.catalog.codeowners import MAX_OWNERS
from twokey.agents.catalog.dbt_project import Repository
from twokey.agents.catalog.documented import Documented
from twokey.agents.catalog.yaml_tree import Plain, plain_of
from twokey.tools.forge import Writer

Source: TypeAlias = Literal["CODEOWNERS", "meta", "group", "tag", "history"]
LEAST_WRITTEN: Final = 30
"""Percent of the lines of a file that somebody wrote whom one may ask about it."""
MOST_SURE: Final = 60
"""Percent, of a guess from the history."""
_STATED: Final[tuple[Source, ...]] = ("meta", "group", "tag")
_SURE: Final[Mapping[Source, int]] = {"CODEOWNERS": 99, "meta": 90, "group": 90, "tag": 80}
_TAGS: Final = ("owner:", "team:")


@dataclass(frozen=True, slots=True)
class Owned:
    """Who owns a file (outside text), where that stands, and how sure it is in percent."""

    names: tuple[str, ...]
    source: Source
    confidence: int

    @property
    def stated(self) -> bool:
        """Whether the repository says so, and it is no guess."""
        return self.source != "history"


def of_files(
    paths: Iterable[str],
    contents: Mapping[str, bytes],
    repository: Repository,
    history: Mapping[str, Sequence[Writer]] | None = None,
) -> Mapping[str, Owned]:
    """Give the owners of each path; paths that nobody is known to own are left out. ``history`` says who wrote what."""
    listed = codeowners.of_repository(contents)
    said = _said(repository, _groups(contents))
    owners: dict[str, Owned] = {}
    for path in paths:
        named = codeowners.owners_of(path, listed)
        found = Owned(named, "CODEOWNERS", _SURE["CODEOWNERS"]) if named is not None else said.get(path)
        if found is None:
            found = _guessed((history or {}).get(path, ()))
        if found is not None and found.names:
            owners[path] = found
    return owners


def _guessed(writers: Sequence[Writer]) -> Owned | None:
    names = tuple(writer.who for writer in writers if writer.share >= LEAST_WRITTEN)
    return Owned(names, "history", min(MOST_SURE, writers[0].share)) if names else None


def shown(owner: str) -> str:
    """Give a name without what calls people: no ``@`` in front, and of an address only what stands before it."""
    return owner.removeprefix("@").partition("@")[0] or owner


def _said(repository: Repository, groups: Mapping[str, str]) -> Mapping[str, Owned]:
    """Give whom the documented nodes of each file name, by the strongest way in which any does."""
    found: dict[str, dict[Source, dict[str, None]]] = {}
    for node in repository.nodes:
        for source, name in _of_node(node.properties, groups):
            found.setdefault(node.path, {}).setdefault(source, {})[name] = None
    strongest: dict[str, Owned] = {}
    for path, ways in found.items():
        source = min(ways, key=_STATED.index)
        strongest[path] = Owned(tuple(ways[source])[:MAX_OWNERS], source, _SURE[source])
    return strongest


def _of_node(node: Documented, groups: Mapping[str, str]) -> Iterator[tuple[Source, str]]:
    if node.owner is not None:
        yield "meta", node.owner.strip()
    if node.group is not None:
        yield "group", groups.get(node.group, node.group).strip()
    for tag in node.tags:
        for prefix in _TAGS:
            if tag.startswith(prefix) and tag.removeprefix(prefix).strip():
                yield "tag", tag.removeprefix(prefix).strip()


def _groups(contents: Mapping[str, bytes]) -> Mapping[str, str]:
    """Give the owners of dbt groups by their names, where a file names them."""
    owners: dict[str, str] = {}
    for path, data in contents.items():
        if path.endswith((".yml", ".yaml")) and b"groups:" in data:
            for group in _entries(data):
                name, owner = group.get("name"), group.get("owner")
                known = owner.get("name") if isinstance(owner, dict) else None
                if isinstance(name, str) and isinstance(known, str) and known.strip():
                    owners[name] = known
    return owners


def _entries(data: bytes) -> Iterator[dict[str, Plain]]:
    content = plain_of(data)
    listed = content.get("groups") if isinstance(content, dict) else None
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict):
            yield item
