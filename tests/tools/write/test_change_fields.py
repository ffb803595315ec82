"""How many sensitive fields a change touches, by kind, counted from the change itself."""

import pytest
from dulwich.objects import Blob

from twokey.tools.write.change_fields import fields
from twokey.tools.write.git_tree import Changed

SCHEMA = """\
models:
  - name: orders
    columns:
      - name: id
        description: key
      - name: contact
        tags: [pii]
      - name: total
        meta: {sensitivity: finance}
"""


def change(before: str | None, after: str | None, path: str = "models/schema.yml") -> Changed:
    texts = [None if text is None else text.encode() for text in (before, after)]
    ids = [None if text is None else Blob.from_string(text).id.decode() for text in texts]
    return Changed(path, texts[0], ids[0], texts[1], ids[1])


def counts(*changes: Changed) -> dict[str, int]:
    found = fields(changes)
    assert [item.kind for item in found] == sorted(item.kind for item in found)
    return {item.kind: item.count for item in found}


def test_a_new_file_carries_all_its_marks():
    assert counts(change(None, SCHEMA)) == {"financial": 1, "personal": 1}
    assert counts(change(SCHEMA, None)) == {"financial": 1, "personal": 1}
    assert counts(change(None, SCHEMA), change(None, SCHEMA, "models/b.yaml")) == {"financial": 2, "personal": 2}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("description: key", "description: the key", {}),
        ("tags: [pii]", "tags: []", {"personal": 1, "other": 1}),
        ("tags: [pii]", "tags: [pii, gdpr, email]", {"personal": 1}),
        ("tags: [pii]", "tags: [pii, confidential]", {"secret": 1}),
        ("description: key", "containsPii: true", {"personal": 1}),
        ("description: key", "tags: [nightly]", {"other": 1}),
        ("description: key", "tags: [pii]", {"personal": 1}),
        ("description: key", "\uff50\uff49\uff49: true", {"personal": 1}),
        ("sensitivity: finance", "sensitivity: personal", {"financial": 1, "personal": 1}),
        ("description: key", "<<: {tags: [pii]}", {"personal": 1}),
        ("description: key", "? [pii]\n        : true", {"other": 2}),
        ("description: key", "description: [", {"unreadable": 1}),
    ],
)
def test_a_field_counts_once_for_each_kind(old: str, new: str, expected: dict[str, int]):
    assert old in SCHEMA
    assert counts(change(SCHEMA, SCHEMA.replace(old, new))) == expected


def test_only_yaml_carries_marks():
    assert counts(change(None, SCHEMA, "models/schema.md")) == {}
    assert counts(change(None, SCHEMA, "models/SCHEMA.YML")) == {"financial": 1, "personal": 1}
