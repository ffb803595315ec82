"""A run whose stored state somebody changed: it ends, says why, writes nothing, and its proposal can be decided."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from sqlalchemy import create_engine, text
from support.checkpoints import Kept
from support.command import Command, Done, account, repository, warehouse
from support.git_repo import run_git


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def waiting(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Command, Kept, Any]:
    """A run that waits for people, where its checkpoints lie, and what the command said of it."""
    url = None if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))
    twokey = account(tmp_path, "ana:analysts,sam:platform-owners", *(("--store", url) if url else ()))
    repo = repository(tmp_path / "repo")
    asked = twokey.json("catalog", "propose", warehouse(tmp_path / "a.db"), "--repo", repo, "--as", "ana")
    assert asked["state"] == "waiting"
    return twokey, Kept(url or str(tmp_path / "w" / ".twokey" / "checkpoints.db")), asked


def tamper(kept: Kept) -> None:
    """Let the run look as if it had been asked for by another checkpoint."""
    kept.run("UPDATE checkpoints SET parent_checkpoint_id = checkpoint_id")


def named(text_: str, asked: Any) -> str:
    return text_.replace(asked["run"], "RUN").replace(asked["proposals"][0]["id"], "PROPOSAL")


def run_state(twokey: Command, run: str) -> tuple[str, str]:
    shown = twokey.json("runs", "show", run)
    return shown["state"], shown["code"]


def test_the_run_ends_as_failed_and_says_why(waiting: tuple[Command, Kept, Any], tmp_path: Path):
    twokey, kept, asked = waiting
    run, proposal = asked["run"], asked["proposals"][0]["id"]
    tamper(kept)
    done: Done = twokey("runs", "resume", run, "--as", "ana")
    assert done.code == 1
    assert named(done.sentence, asked) == snapshot(
        "The stored state of run RUN is not as Twokey left it: something else has changed it."
    )
    assert run_state(twokey, run) == ("failed", "checkpoint_tampered")
    assert run_git(tmp_path / "repo", "for-each-ref", "refs/heads/twokey/") == ""
    assert twokey.refused("runs", "resume", run, "--as", "ana", code=1).startswith(f"Run {run} is failed already")
    assert twokey.json("approvals", "show", proposal)["state"] == "awaiting_approval"
    assert twokey.json("approvals", "approve", proposal, "--as", "sam")["state"] == "done"
    assert run_git(tmp_path / "repo", "for-each-ref", "refs/heads/twokey/")
    assert twokey.json("audit", "verify")["ok"]


def test_an_answer_stands_where_the_run_cannot_go_on(waiting: tuple[Command, Kept, Any], tmp_path: Path):
    twokey, kept, asked = waiting
    tamper(kept)
    done: Done = twokey("approvals", "approve", asked["proposals"][0]["id"], "--as", "sam")
    assert done.code == 0
    first, second = named(done.out, asked).splitlines()[:2]
    assert [first, second] == snapshot(
        [
            " plan  the run goes no further: The stored state of run RUN is not as Twokey left it: something else has changed it.",
            "PROPOSAL is done (written)",
        ]
    )
    assert run_state(twokey, asked["run"]) == ("failed", "checkpoint_tampered")
    assert run_git(tmp_path / "repo", "for-each-ref", "refs/heads/twokey/")


@pytest.mark.postgresql
def test_what_lies_in_checkpoints_is_no_content(tmp_path: Path, postgresql_url: str):
    """Ids and counters only: nothing of the warehouse, the request or the draft."""
    twokey = account(tmp_path, "ana:analysts,sam:platform-owners", "--store", postgresql_url)
    repo = repository(tmp_path / "repo")
    source = warehouse(
        tmp_path / "a.db",
        "CREATE TABLE planted_table (id INTEGER PRIMARY KEY, planted_column TEXT)",
        "INSERT INTO planted_table VALUES (1, 'planted@example.com')",
    )
    twokey.json("catalog", "propose", source, "--repo", repo, "--as", "ana")
    engine = create_engine(postgresql_url)
    try:
        with engine.connect() as connection:
            rows = [
                row
                for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
                for row in connection.execute(text(f"SELECT * FROM {table}"))
            ]
    finally:
        engine.dispose()
    assert len(rows) > 8
    held = repr(rows) + repr([bytes.fromhex(piece.decode()) for row in rows for piece in _hex(row)])
    assert "planted" not in held


def _hex(row: Any) -> list[bytes]:
    """The values inside sealed writes."""
    values = [bytes(value) for value in row if isinstance(value, bytes | memoryview)]
    return [value.split(b'"value":"')[1].split(b'"')[0] for value in values if b'"value":"' in value]
