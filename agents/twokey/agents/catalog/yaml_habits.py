"""How a file is laid out, read off what stands there: indentation, dashes, quotes, blank lines between items.

Rule: a habit is what most places of a section (``models``, ``sources``, ...) do, else what most of the file does, else
the default.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from twokey.agents.catalog.yaml_text import Habits, Quote
from twokey.agents.catalog.yaml_tree import MERGE, STR, Mapping, Node, Scalar, Sequence

_QUOTES: Final[dict[str | None, Quote]] = {"'": "'", '"': '"'}
_T = TypeVar("_T", bound=Hashable)


class Places(Protocol):
    """What must be known of the text."""

    text: str

    def column(self, index: int) -> int:
        """Give the column of a character, from 0."""
        ...

    def dash(self, node: Sequence) -> int:
        """Give the index of the first dash of a list in block style."""
        ...

    def spaced(self, items: Items[Node]) -> bool:
        """Tell whether most of the items of a list are followed by a blank line."""
        ...


@dataclass(slots=True)
class Counts:
    """How often each way of writing occurs."""

    steps: Counter[int] = field(default_factory=Counter[int])
    dashes: dict[str, Counter[int]] = field(default_factory=dict[str, Counter[int]])
    gaps: Counter[int] = field(default_factory=Counter[int])
    quotes: Counter[Quote] = field(default_factory=Counter[Quote])
    descriptions: Counter[bool] = field(default_factory=Counter[bool])
    apart: dict[str, Counter[bool]] = field(default_factory=dict[str, Counter[bool]])

    @classmethod
    def of(cls, node: Node | None, places: Places, *, inside: "Iterable[Counts] | None" = None) -> "Counts":
        """Count a node: all of it, or its own pairs only where what is inside them was counted before."""
        counts = cls()
        for key, value in _pairs(node, deep=inside is None):
            counts._take(key, value, places)
        for each in inside or ():
            counts._add(each)
        return counts

    def _take(self, key: Scalar, value: Node, places: Places) -> None:
        name = key.value
        if isinstance(value, Scalar):
            if value.tag == STR and value.value:
                if value.style in _QUOTES:
                    self.quotes[_QUOTES[value.style]] += 1
                if name == "description" and value.style not in {"|", ">"}:
                    self.descriptions[value.style is not None] += 1
        elif isinstance(value, Sequence) and not value.flow and value.items:
            dash = places.dash(value)
            self.dashes.setdefault(name, Counter())[places.column(dash) - places.column(key.start)] += 1
            if "\n" not in places.text[dash : value.items[0].start]:
                self.gaps[value.items[0].start - dash] += 1
            if len(value.items) > 1:
                self.apart.setdefault(name, Counter())[places.spaced(value.items)] += 1
        elif isinstance(value, Mapping) and not value.flow and value.pairs:
            self.steps[places.column(value.pairs[0][0].start) - places.column(key.start)] += 1

    def _add(self, other: "Counts") -> None:
        self.steps.update(other.steps)
        self.gaps.update(other.gaps)
        self.quotes.update(other.quotes)
        self.descriptions.update(other.descriptions)
        for name, counts in other.dashes.items():
            self.dashes.setdefault(name, Counter()).update(counts)
        for name, spaced in other.apart.items():
            self.apart.setdefault(name, Counter()).update(spaced)

    def habits(self, default: Habits) -> Habits:
        """Give the layout that most places have; ``default`` where they show none."""
        known = self.apart.keys() | default.spaced
        return Habits(
            step=max(_most(self.steps, default.step), 1),
            dash=_most(sum(self.dashes.values(), Counter[int]()), default.dash),
            gap=max(_most(self.gaps, default.gap), 2),
            quote=_most(self.quotes, default.quote),
            quote_descriptions=_most(self.descriptions, default.quote_descriptions),
            dashes={name: _most(counts, 2) for name, counts in self.dashes.items()} or default.dashes,
            spaced=frozenset(name for name in known if _most(self.apart.get(name), name in default.spaced)),
        )


def _most(counts: "Counter[_T] | None", default: _T) -> _T:
    return counts.most_common(1)[0][0] if counts else default


def _pairs(root: Node | None, *, deep: bool) -> Iterator[tuple[Scalar, Node]]:
    """Give every key with its value in the mappings that stand in block style, from the top of the text."""
    waiting: list[Node] = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting += reversed(node.items)
        elif isinstance(node, Mapping) and not node.flow:
            for key, value in node.pairs:
                if isinstance(key, Scalar) and key.tag != MERGE:
                    yield key, value
            if not deep:
                return
            waiting += [value for _, value in reversed(node.pairs)]
