"""Which labels of a team say what kind a ticket is, and what each of these kinds means.

Rules: a label is a kind if its words, or those after a prefix such as ``type:`` or ``kind/``, name one that the lists
below know. Other labels say where a ticket belongs. A team may name its kinds instead; then those count and no others.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, Literal

Family = Literal["bug", "feature", "question", "docs", "incident", "access"]
FAMILIES: Final[tuple[Family, ...]] = ("bug", "feature", "question", "docs", "incident", "access")
"""The kinds that the general reader tells apart."""

_NAMES: Final[dict[Family, frozenset[str]]] = {
    "bug": frozenset({"bug", "bugs", "defect", "error", "fault", "regression", "crash", "bug report", "broken"}),
    "feature": frozenset(
        {"feature", "features", "enhancement", "feature request", "improvement", "new feature", "story", "idea", "wish",
         "suggestion", "change request"}
    ),
    "question": frozenset(
        {"question", "questions", "support", "help", "how to", "howto", "discussion", "usage", "support request",
         "help request"}
    ),
    "docs": frozenset({"docs", "doc", "documentation"}),
    "incident": frozenset({"incident", "outage", "alert", "alarm", "page", "production incident"}),
    "access": frozenset({"access", "access request", "permission", "permissions", "account"}),
}  # fmt: skip
_NEAREST: Final[dict[Family, tuple[Family, ...]]] = {
    "incident": ("bug",),
    "access": ("question",),
    "docs": ("bug", "feature"),
    "bug": ("incident",),
    "question": ("access", "docs"),
    "feature": (),
}
_PREFIX: Final = re.compile(r"(?:type|kind|t|category|class|issue type|issue)\s?[:/=-]\s?", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\s_/:-]+")


def family(label: str) -> Family | None:
    """Give the kind that a label names, or None."""
    name = label.strip()[:60]
    prefix = _PREFIX.match(name)
    plain = _SEPARATORS.sub(" ", name[prefix.end() :] if prefix is not None else name).strip().casefold()
    return next((kind for kind, names in _NAMES.items() if plain in names), None)


def label_for(kind: Family, labels: Sequence[str]) -> str:
    """Give the team's label for a kind, the first that names it or the nearest one it has; else the kind's own name."""
    for name in (kind, *_NEAREST[kind]):
        for label in labels:
            if family(label) == name:
                return label
    return kind


def kind_of(labels: Sequence[str], kinds: Collection[str] = ()) -> str | None:
    """Give the one label among ``labels`` that says the kind; None where none does, or several disagree."""
    found = set(kinds_of(labels, kinds))
    return found.pop() if len(found) == 1 else None


def kinds_of(labels: Sequence[str], kinds: Collection[str] = ()) -> tuple[str, ...]:
    """Give the labels that say a kind, as the team writes it where it names its kinds."""
    named = {kind.casefold(): kind for kind in kinds}
    if named:
        return tuple(named[label.casefold()] for label in labels if label.casefold() in named)
    return tuple(label for label in labels if family(label) is not None)


def areas_of(labels: Sequence[str], kinds: Collection[str] = ()) -> tuple[str, ...]:
    """Give the labels that say no kind."""
    named = {kind.casefold() for kind in kinds}
    return tuple(label for label in labels if label.casefold() not in named and family(label) is None)
