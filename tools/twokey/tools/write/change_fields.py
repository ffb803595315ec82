"""Counts the sensitive fields that an edit of YAML files marks, unmarks or marks differently, by kind.

Rules: the count comes from the change itself (``change_labels.sensitive_parts``) and never from anybody's word; a field
counts once for each kind that its old or new marks name; a mark whose words nobody knows counts as ``other``; a file
that cannot be read counts as ``unreadable``. A field is whatever holds the mark: a column, a model, a source.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from twokey.core.values import FieldCount
from twokey.tools.write.change_labels import is_sensitive, sensitive_parts
from twokey.tools.write.git_tree import Changed
from twokey.tools.write.yaml_nodes import Unreadable

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_KINDS: Final[dict[str, frozenset[str]]] = {
    "personal": frozenset(
        {"pii", "personal", "phi", "gdpr", "privacy", "private", "email", "phone", "name", "address", "birth", "health"}
    ),
    "financial": frozenset(
        {"financial", "finance", "pci", "payment", "payments", "iban", "card", "salary", "bank", "account", "revenue"}
    ),
    "secret": frozenset(
        {"secret", "secrets", "confidential", "restricted", "credential", "credentials", "password", "token"}
    ),
}
"""Words of marks, in small letters."""


def fields(changes: Iterable[Changed]) -> tuple[FieldCount, ...]:
    """Give how many fields of each kind a change touches, sorted by kind."""
    touched: set[tuple[str, ...]] = set()
    for changed in changes:
        if changed.path.casefold().endswith((".yml", ".yaml")):
            touched |= _touched(changed)
    kinds = sorted({kind for kind, *_ in touched})
    return tuple(FieldCount(kind=kind, count=sum(found[0] == kind for found in touched)) for kind in kinds)


def _touched(changed: Changed) -> set[tuple[str, ...]]:
    """Give kind, file and path of each field that is marked differently afterwards."""
    try:
        before, after = sensitive_parts(changed.before or b""), sensitive_parts(changed.after or b"")
    except Unreadable:
        return {("unreadable", changed.path)}
    marks = {*(before - after), *(after - before)}
    return {(kind, changed.path, *_holder(mark)) for mark in marks for kind in _kinds(mark)}


def _holder(mark: tuple[str, ...]) -> tuple[str, ...]:
    """Give the path of what holds a mark: up to the first key that says something about sensitivity."""
    first = next((at for at, part in enumerate(mark) if part.startswith("key ") and is_sensitive(part[4:])), len(mark))
    return mark[:first]


def _kinds(mark: tuple[str, ...]) -> set[str]:
    said = unicodedata.normalize("NFKC", " ".join(mark[len(_holder(mark)) :]))
    words = {word.casefold() for word in _WORDS.findall(said)}
    return {kind for kind, known in _KINDS.items() if words & known} or {"other"}
