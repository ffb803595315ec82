"""Editing dbt property files (``schema.yml`` and the like) so that a person reviews the edit and nothing else.

``edit(data, edits)`` takes the bytes of one file and what should be changed, and gives new bytes. Pure: no disk, no
git, no clock.

Promises
- Every byte outside the edits stays as it is: comments, indentation, quotes, line ends, byte order mark, a missing
  last line end. Without a change the very same bytes come back.
- New text follows the file: indentation, style of lists, quotes, blank lines between columns, ``tests`` or
  ``data_tests``, ``arguments`` of tests, ``meta`` beside or under ``config``.
- What a person wrote is not overwritten unless the edit says ``replace=True``. Editing twice is editing once.
- The result is parsed again and must equal the old content plus the edits, node for node; otherwise the edit is
  refused. One edit is written whole or not at all; the others do not depend on it.
- Outside text cannot steer dbt: see ``twokey.agents.catalog.vetting``.

Refuses, each with a code and a sentence, as ``Refusal``
- the file: ``too_large``, ``not_utf8``, ``line_breaks``, ``several_documents``, ``nesting``, ``expansion``,
  ``not_yaml``, ``not_properties``;
- the place: ``not_found``, ``ambiguous``, ``alias``, ``shared_anchor``, ``anchored``, ``tagged``, ``merge_key``,
  ``duplicate_key``, ``complex_key``, ``flow_style``, ``comment_in_value``, ``unexpected_shape``;
- the content: ``exists``, ``other_case``, ``other_schema``, ``empty``, ``too_long``, ``not_text``, ``not_json``,
  ``jinja``, ``evaluated``, ``unsafe_sql``, ``test_form``;
- the result: ``not_proven``.

Formats: https://docs.getdbt.com/reference/configs-and-properties and dbt's JSON schemas. A new file written with the
default ``Conventions`` fits the schema of dbt Core. With ``column_meta="config"`` it fits the schema of Fusion. Both
at once is possible as long as no *column* carries meta or tags: dbt Core's schema knows them beside ``config`` only,
Fusion's under ``config`` only.
"""

from collections.abc import Sequence as Items
from typing import TypeAlias

from twokey.agents.catalog import settling
from twokey.agents.catalog.editing import Session
from twokey.agents.catalog.edits import (
    AddColumn,
    AddDataType,
    AddFreshness,
    AddMeta,
    AddNode,
    AddTags,
    AddTests,
    Column,
    Conventions,
    Edit,
    SetDescription,
)
from twokey.agents.catalog.splice import Splice
from twokey.agents.catalog.vetting import JsonLike, NodeName, relation
from twokey.agents.catalog.yaml_layout import Layout
from twokey.agents.catalog.yaml_tree import MAX_BYTES, Document

__all__ = [
    "MAX_BYTES",
    "AddColumn",
    "AddDataType",
    "AddFreshness",
    "AddMeta",
    "AddNode",
    "AddTags",
    "AddTests",
    "Column",
    "Conventions",
    "Edit",
    "Edited",
    "JsonLike",
    "NodeName",
    "Refusal",
    "SetDescription",
    "edit",
    "relation",
    "render_new",
    "rewritten",
]

Refusal: TypeAlias = settling.Refusal[Edit]
Edited: TypeAlias = settling.Edited[Edit]


def edit(
    text: bytes,
    edits: Items[Edit],
    *,
    conventions: Conventions = Conventions(),  # noqa: B008 - frozen
    parsed: Document | None = None,
) -> Edited:
    """Make the edits to one property file, in their order.

    Later edits may build on earlier ones (a description for a column that the same call adds). Never raises for what
    a file or an edit holds: whatever cannot be done is in ``refused``.

    Args:
        text: The bytes of the file; empty for a file that does not exist yet (better: ``render_new``).
        edits: What to change.
        conventions: What to write where the file shows no habit of its own.
        parsed: What ``parse`` made of ``text``, where the caller has it. It is used up.

    """
    return settling.settle(text, edits, lambda document: Session(document, conventions), parsed)


def rewritten(document: Document) -> bytes:
    """Write a file back that was read and not changed: the very same bytes, which proves the way through the editor."""
    return document.encoded(Splice(Layout(document)).written(document.root, []))


def render_new(nodes: Items[AddNode], *, conventions: Conventions = Conventions()) -> Edited:  # noqa: B008 - frozen
    """Write a whole new property file (``version: 2``) that documents ``nodes``.

    ``text`` is empty bytes where every node was refused. Sources, models, seeds and snapshots may be mixed, though
    dbt projects usually keep them in files of their own.
    """
    edited = edit(b"version: 2\n", nodes, conventions=conventions)
    return edited if edited.applied else Edited(b"", (), edited.unchanged, edited.refused)
