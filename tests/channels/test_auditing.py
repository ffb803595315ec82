"""The log as commands show it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from twokey.channels import auditing
from twokey.channels.auditing import _short, _text  # pyright: ignore[reportPrivateUsage] - what they make of odd values
from twokey.channels.creation import create


def test_an_entry_is_one_line_with_digests_shortened():
    event = {
        "run": "r-000000000001",
        "code": "needs_approval",
        "by": None,
        "empty": "",
        "none": [],
        "count": 0,
        "digest": "9c41e7" + "0" * 58,
        "agents": ["catalog", "reviewer"],
        "answer": {"action": "approve", "key": None, "statement": {"digest": "f" * 64}},
    }
    assert _text(event) == snapshot(
        "run=r-000000000001  code=needs_approval  count=0  digest=9c41e7000000…  agents=catalog,reviewer  answer={action=approve statement={digest=ffffffffffff…}}"
    )


SCALARS = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=6))
def test_whatever_an_entry_holds_it_is_text(value: object):
    assert isinstance(_short(value), str)


def test_a_new_workspace_shows_who_was_made(tmp_path: Path):
    made = create(tmp_path / "w", [("ana", ("analysts",)), ("sam", ("platform-owners",))])
    entries = auditing.lines(made.folder, None, -1, 100)
    assert [(entry["seq"], entry["kind"]) for entry in entries] == [
        (0, "workspace.created"),
        (1, "credential.created"),
        (2, "credential.created"),
    ]
    assert set(entries[0]) == {"seq", "id", "time", "kind", "event", "text"}
    assert [entry["seq"] for entry in auditing.lines(made.folder, None, 0, 1)] == [1]
    assert auditing.lines(made.folder, entries[2]["id"], -1, 100) == entries[2:]
    note = auditing.latest(made.folder)
    assert (note.size, note.note.count("\n")) == (3, 5)
    (tmp_path / "note").write_text(note.note, encoding="utf-8")
    checked = auditing.verify(made.folder, None, tmp_path / "note")
    assert (checked["ok"], checked["rollback_checked"], checked["size"]) == (True, True, 3)
