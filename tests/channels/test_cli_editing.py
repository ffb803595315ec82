"""A change of a ticket is edited from the command line, and somebody else approves what became of it."""

from pathlib import Path
from typing import Any

import pytest
from support.command import Command, account

TICKET = (
    "---\nid: OPS-1\ntitle: The console crashes in production\nauthor: jo\ncreated_at: '2026-01-01T09:00:00Z'\n"
    "labels: []\n---\n\nIt crashes with an error since the update and nobody can work. All users are affected.\n"
)


@pytest.fixture
def twokey(tmp_path: Path) -> Command:
    """A workspace that looks after a folder with one new ticket."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "OPS-1.md").write_text(TICKET, encoding="utf-8")
    people = "ana:analysts,sam:platform-owners,kim:platform-owners"
    return account(tmp_path, people, "--tickets", tmp_path / "desk")


def test_an_edited_change_is_written_once_somebody_else_approves_it(twokey: Command) -> None:
    asked = twokey.json("triage", "OPS-1", "--as", "ana")
    (made,) = asked["proposals"]
    assert "Nothing is named" in twokey.refused("approvals", "edit", made["id"], "--as", "sam", code=2)
    assert "no such part" in twokey.refused("approvals", "edit", made["id"], "--without", "all", "--as", "sam", code=2)
    both = ("--comment", "Hello.", "--without", "comment")
    assert "at once" in twokey.refused("approvals", "edit", made["id"], *both, "--as", "sam", code=2)
    long = twokey.refused("approvals", "edit", made["id"], "--label", "x" * 51, "--as", "sam", code=2)
    assert "labels" in long
    other = ("--label", "feature", "--digest", "0" * 64)
    assert "digest" in twokey.refused("approvals", "edit", made["id"], *other, "--as", "sam", code=2)
    changes = ("--label", "feature", "--comment", "We look into it.", "--without", "checklist")
    done = twokey.json("approvals", "edit", made["id"], *changes, "--digest", made["digest"][:12], "--as", "sam")
    (new,) = done["proposals"]
    assert (new["state"], twokey.state(made["id"])) == ("awaiting_approval", "superseded")
    card: Any = twokey.json("approvals", "show", new["id"])
    assert (card["requester"], card["contributors"], card["supersedes"]) == ("sam", ["sam", "ana"], made["id"])
    assert card["args"]["labels"]["add"] == ["feature"]
    assert (card["args"]["comment"], card["args"]["checklist"]) == ("We look into it.", [])
    assert twokey.rows("SELECT state FROM runs WHERE id = ?", asked["run"]) == [("done",)]
    twokey.refused("approvals", "approve", new["id"], "--as", "sam", code=1)
    twokey.ok("approvals", "approve", new["id"], "--as", "kim")
    assert "feature" in (twokey.folder / "desk" / "OPS-1.md").read_text(encoding="utf-8")
    assert "We look into it." in (twokey.folder / "desk" / "OPS-1.comments.jsonl").read_text(encoding="utf-8")
    assert twokey.whole()
