"""Changing the tree of one YAML file at a few places: what every kind of file has in common.

Rule: an edit is checked in full before anything is changed, so a refused edit leaves no trace. The changed tree is at
once what ``splice`` writes and what the new text must parse to. What a merge key brings is written out where a place
needs its own; lists that are shared on purpose are not.
"""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from twokey.agents.catalog.splice import Splice
from twokey.agents.catalog.vetting import NotAllowed
from twokey.agents.catalog.yaml_layout import Layout
from twokey.agents.catalog.yaml_tree import (
    Alias,
    Collection,
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    copied,
    direct,
    entries,
    inherited,
    is_new,
    is_null,
    own,
    text_of,
)

MOST_COPIED: Final = 100
"""Nodes of what a merge key brings that are written out where a place needs its own."""

Change: TypeAlias = Callable[[], None]
Changes: TypeAlias = list[Change]


@dataclass(slots=True, eq=False)
class Place:
    """A node or column of the file, with everything an edit of it passes through."""

    mapping: Mapping
    path: tuple[Node, ...]  # containers from the top down to the mapping itself
    merged: bool = False  # reached through a merge key
    columns: "dict[str, list[Place]] | None" = None
    folded: set[str] = field(default_factory=set[str])
    guarded: bool = False  # the path was checked


class TreeEditor:
    """One parsed file and the changes made to it so far."""

    def __init__(self, document: Document, *, order: Map[str, int], other: int, shared: frozenset[str]) -> None:
        """Take a file.

        Args:
            document: The file.
            order: Rank of the keys; a new key goes behind the last one that does not rank higher.
            other: Rank of keys that are not named there.
            shared: Keys of lists that are never written out where a merge key brings them.

        Raises:
            NotAllowed: ``not_properties`` where the file is no mapping.

        """
        self.layout = Layout(document)
        self._order = order
        self._other = other
        self._shared = shared
        self._touched: dict[int, tuple[str, Collection]] = {}
        root = document.root
        if root is None or (is_null(root) and root.start == root.end):
            root = Mapping()
        if not isinstance(root, Mapping):
            raise NotAllowed("not_properties", "The file holds no mapping, so it is no property file.")
        self.root = root

    def written(self) -> str:
        """Give the text with the changes made."""
        return Splice(self.layout).written(self.root, list(self._touched.values()))

    @staticmethod
    def carry_out(changes: Changes) -> bool:
        """Make the changes of an edit that was checked in full; tell whether there were any."""
        for change in changes:
            change()
        return bool(changes)

    def columns_of(self, place: Place, key: str, unexpected: str) -> dict[str, list[Place]]:
        """Give the columns that ``place`` lists under ``key``, by name.

        Raises:
            NotAllowed: ``unexpected_shape``, with the sentence given, where something else than a list stands there.

        """
        if place.columns is None:
            value = entries(place.mapping).get(key)
            if value is not None and not is_null(value) and not isinstance(direct(value), Sequence):
                raise NotAllowed("unexpected_shape", unexpected)
            place.columns = {}
            for name, column in self.listed(place, key):
                place.columns.setdefault(name, []).append(column)
                place.folded.add(name.casefold())
        return place.columns

    @staticmethod
    def listed(owner: Place, key: str) -> Iterator[tuple[str, Place]]:
        """Give the named mappings of the list that ``owner`` holds under ``key``."""
        value = entries(owner.mapping).get(key)
        sequence = None if value is None else direct(value)
        if value is None or not isinstance(sequence, Sequence):
            return
        merged = owner.merged or own(owner.mapping, key) is None
        for item in sequence.items:
            mapping = direct(item)
            name = text_of(entries(mapping).get("name")) if isinstance(mapping, Mapping) else None
            if isinstance(mapping, Mapping) and name is not None:
                yield name, Place(mapping, (*owner.path, value, item), merged)

    def guard(self, place: Place) -> Place:
        if place.merged:
            raise NotAllowed("merge_key", "The place comes in through a merge key (<<) and has other owners.")
        if place.guarded or not place.path:  # without a path an earlier edit made it
            return place
        self.layout.check_way(place.path)
        owner, item = place.path[-2:]
        if isinstance(item, Alias) and isinstance(owner, Sequence):
            place.mapping = self.layout.wrapped(owner, item)
            place.path = (*place.path[:-1], place.mapping)
        else:
            self.layout.check_owner(item)
        place.guarded = True
        return place

    def only(self, places: Items[Place], what: str) -> Place:
        if not places:
            raise NotAllowed("not_found", f"The file does not hold this {what}.")
        if len(places) > 1:
            raise NotAllowed("ambiguous", f"The file holds this {what} more than once.")
        return self.guard(places[0])

    def insert(self, mapping: Mapping, key: str, value: Node, *, ordered: bool) -> None:
        index = len(mapping.pairs)
        if ordered:
            rank = self._order.get(key, self._other)
            names = [name.value if isinstance(name, Scalar) else "" for name, _ in mapping.pairs]
            before = [number for number, name in enumerate(names) if self._order.get(name, self._other) <= rank]
            index = before[-1] + 1 if before else index
        mapping.pairs.insert(index, (Scalar(key), value))
        self.touch("", mapping)

    def touch(self, key: str, node: Collection) -> None:
        if isinstance(node, Mapping):
            self.layout.put(node)
        if not is_new(node):
            self._touched[id(node)] = (key, node)

    def replace(self, mapping: Mapping, key: str, value: Node) -> None:
        self.layout.replace(mapping, key, value)
        self.touch("", mapping)

    def check_path(self, mapping: Mapping, path: Items[str], last: str) -> Mapping | None:
        """Check that a mapping can be made or extended at the end of ``path`` to hold ``last``.

        Gives that mapping as it will be before the change, or None where it will be a new one. What only a merge key
        brings is written out, so that the place gets its own.
        """
        for key in path:
            self.layout.check_mapping(mapping, key)
            value = own(mapping, key)
            if value is None:
                value = self.brought(mapping, key)
            if value is None:
                return None
            if is_null(value):
                self.layout.check_value(value)
                return None
            if not isinstance(value, Mapping):
                self.layout.check_owner(value)
                raise NotAllowed("unexpected_shape", "The place holds no mapping.")
            mapping = value
        self.layout.check_mapping(mapping, last)
        return mapping

    def brought(self, mapping: Mapping, key: str) -> Node | None:
        """Give a copy of what merge keys bring under ``key``; None where they bring nothing."""
        found = inherited(mapping).get(key)
        if found is not None and key in self._shared:
            raise NotAllowed("merge_key", "The list comes in through a merge key (<<) and has other owners.")
        return None if found is None else copied(found, MOST_COPIED)

    def ensure(self, mapping: Mapping, path: Items[str]) -> Mapping:
        """Give the mapping at the end of ``path``, made where it is missing."""
        for number, key in enumerate(path):
            value = own(mapping, key)
            if isinstance(value, Mapping):
                mapping = value
                continue
            brought = self.brought(mapping, key) if value is None else None
            made = brought if isinstance(brought, Mapping) else Mapping()
            made.flow = made.flow and bool(made.pairs)
            if value is None:
                self.insert(mapping, key, made, ordered=number == 0)
            else:
                self.replace(mapping, key, made)
            mapping = made
        return mapping

    def text(self, place: Place, key: str, text: str, what: str, *, replace: bool) -> Changes:
        mapping = place.mapping
        current = entries(mapping).get(key)
        if current is not None:
            node = direct(current)
            if not isinstance(node, Scalar):
                raise NotAllowed("unexpected_shape", f"The {what} is no text.")
            if text_of(node) == text:
                return []
            if not (is_null(node) or replace or not node.value.strip()):
                raise NotAllowed("exists", f"There is another {what} already.")
        return self.scalar(mapping, key, Scalar(text))

    def scalar(self, mapping: Mapping, key: str, value: Scalar) -> Changes:
        self.layout.check_mapping(mapping, key)
        mine = own(mapping, key)
        if mine is None:
            return [lambda: self.insert(mapping, key, value, ordered=True)]
        self.layout.check_value(mine)
        return [lambda: self.replace(mapping, key, value)]

    def append(
        self, mapping: Mapping, path: Items[str], items: Items[Node], *, ordered: bool = True, after: str | None = None
    ) -> Change:
        """Check that ``items`` can go into a list, and give the change. Tags given as a text become a list.

        They go behind the item that is named ``after``, before all others where that is empty, else to the end.
        """
        *outer, key = path
        holder = self.check_path(mapping, outer, key)
        value = None if holder is None else own(holder, key)
        brought = self.brought(holder, key) if holder is not None and value is None else None
        value = value if value is not None else brought
        if isinstance(value, Alias | Mapping):
            self.layout.check_owner(value)
            raise NotAllowed("unexpected_shape", "The place holds no list.")
        if isinstance(value, Scalar):
            self.layout.check_value(value)
            if not is_null(value) and (key != "tags" or text_of(value) is None):
                raise NotAllowed("unexpected_shape", "The place holds no list.")
        elif value is not None:
            self.layout.check_sequence(value)

        def change() -> None:
            owner = self.ensure(mapping, outer)
            found = own(owner, key)
            there = found if found is not None else brought
            kept: list[Node] = [Scalar(there.value)] if isinstance(there, Scalar) and not is_null(there) else []
            if found is None:
                kept = list(there.items) if isinstance(there, Sequence) else kept
                self.insert(owner, key, Sequence([*kept, *items]), ordered=ordered and not outer)
            elif isinstance(found, Sequence) and not owner.flow and self._outgrows(found, items):
                self.replace(owner, key, Sequence([*(Scalar(text_of(item) or "") for item in found.items), *items]))
            elif isinstance(found, Sequence) and (_keeps_form(found) or owner.flow):
                index = _place_in(found, after)
                found.items[index:index] = items
                self.touch(key, found)
            else:
                self.replace(owner, key, Sequence([*kept, *items]))

        return change

    def _outgrows(self, found: Sequence, items: Items[Node]) -> bool:
        """Tell whether a short list in flow style makes way for one in block style: what comes needs lines of its own.

        Only where nothing of the old list is written otherwise than before.
        """
        plain = all(isinstance(item, Scalar) and item.style is None and text_of(item) for item in found.items)
        bare = found.flow and not (found.anchor or found.tag or is_new(found)) and plain
        return bare and bool(found.items) and self.layout.alone(found) and any(map(_is_mapping, items))

    def entry(self, mapping: Mapping, path: Items[str], key: str, value: Node) -> Change:
        holder = self.check_path(mapping, path, key)
        mine = None if holder is None else own(holder, key)
        if mine is not None:
            self.layout.check_value(mine)

        def change() -> None:
            owner = self.ensure(mapping, path)
            if mine is None:
                self.insert(owner, key, value, ordered=False)
            else:
                self.replace(owner, key, value)

        return change


def _keeps_form(found: Sequence) -> bool:
    """Tell whether a list is extended as it stands; an empty ``[]`` makes way for a list in block style."""
    return bool(found.items or found.anchor or found.tag or is_new(found))


def _is_mapping(item: Node) -> bool:
    return isinstance(item, Mapping)


def _place_in(found: Sequence, after: str | None) -> int:
    """Give where in a list an item goes that belongs behind the one that is named so."""
    if after == "":
        return 0
    for number, item in enumerate(found.items):
        mapping = direct(item)
        if after is not None and isinstance(mapping, Mapping) and text_of(entries(mapping).get("name")) == after:
            return number + 1
    return len(found.items)
