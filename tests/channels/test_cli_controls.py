"""``freeze``, ``break-glass``, ``approvals confirm`` and ``approvals revert`` from outside, with keys."""

import fcntl
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from support.command import PATIENCE_S, Command, account, repository, warehouse
from support.git_repo import make_commit, run_git


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A workspace whose account holds everybody's credential; whatever the tests do to it, its log stays whole."""
    folder = tmp_path_factory.mktemp("controls")
    command = account(folder, "ana:analysts,sam:platform-owners,kim:platform-owners,rita:risk-owners")
    repository(folder / "repo")
    yield command
    assert command.whole()


def ask(twokey: Command, name: str) -> str:
    """Let ana ask for the documentation of a warehouse of its own; gives the proposal."""
    asked = twokey.json("catalog", "propose", warehouse(twokey.folder / f"{name}.db"), "--repo", "repo", "--as", "ana")
    return str(asked["proposals"][0]["id"])


def run_of(twokey: Command, proposal: str) -> str:
    """In which state the run of a proposal is."""
    sql = "SELECT runs.state FROM runs JOIN proposals ON proposals.run = runs.id WHERE proposals.id = ?"
    return str(twokey.rows(sql, proposal)[0][0])


def branches(twokey: Command) -> list[str]:
    return run_git(twokey.folder / "repo", "for-each-ref", "--format=%(refname:short)", "refs/heads/twokey").split()


def timeless(text: str, **names: str) -> str:
    """What was said, without what differs from one time to the next."""
    for name, value in names.items():
        text = text.replace(value, name)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)


def kill_in_the_write(twokey: Command, proposal: str) -> None:
    """Kill an approval that waits for the repository: its write has begun, and wrote nothing."""
    handle = os.open(twokey.folder / "repo" / ".git" / "objects", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        process = twokey.start("approvals", "approve", proposal, "--as", "sam")
        until = time.monotonic() + PATIENCE_S
        while twokey.state(proposal) != "executing":
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finally:
        os.close(handle)


def test_a_freeze_stops_approvals_and_says_so_everywhere(twokey: Command):
    proposal = ask(twokey, "frozen")
    said = twokey.ok("freeze", "on", "--reason", "The disk\x1b[31m burns.", "--as", "ana").out
    assert timeless(said) == snapshot("""\
Writes are stopped.
The kill switch was turned on by ana, TIME: "The disk\\u{1b}[31m burns."
""")
    told = twokey.refused("approvals", "approve", proposal, "--as", "sam", code=1)
    assert told.replace(proposal, "ID") == snapshot("The answer of sam to ID does not count. Writes are stopped.")
    assert twokey.refused("freeze", "off", "--as", "ana", code=1) == snapshot(
        "The order of ana does not count. Only owners of the controls lift a freeze."
    )
    assert twokey.ok("approvals", "list").out.splitlines()[0] == snapshot(
        "Writes are stopped (frozen): see `twokey freeze`."
    )
    shown = twokey.ok("approvals", "show", proposal).out
    assert "STOPPED         writes are stopped (frozen)" in shown
    assert "writes are stopped (frozen)" in twokey("doctor").out
    status = twokey.json("freeze")
    assert (status["freeze"], status["code"], status["by"]) == (True, "frozen", "ana")
    lifted = twokey.json("freeze", "off", "--as", "rita")
    assert (lifted["freeze"], lifted["code"], lifted["by"], lifted["went_on"]) == (False, "off", "rita", [])
    assert branches(twokey) == []
    twokey.ok("approvals", "refuse", proposal, "--as", "sam")


def test_a_write_that_was_cut_off_is_settled_by_a_person(twokey: Command):
    proposal = ask(twokey, "unknown")
    kill_in_the_write(twokey, proposal)
    with closing(sqlite3.connect(twokey.database)) as connection:
        connection.execute("DELETE FROM executions")  # so that nobody knows any more who wrote
        connection.commit()
    twokey.ok("freeze", "on", "--as", "sam")
    went_on = twokey.json("freeze", "off", "--as", "sam")["went_on"]
    assert went_on == [{"id": proposal, "state": "unknown", "code": "execution_lost"}]
    shown = twokey.ok("approvals", "show", proposal).out.splitlines()[-3:]
    assert timeless("\n".join(shown), ID=proposal) == snapshot("""\
seen            x-000000000000 unknown: execution_lost
settle          look at the target, then: twokey approvals confirm ID --written --reason "..."
                (or --not-written)\
""")
    assert twokey("approvals", "confirm", proposal, "--not-written", "--as", "kim").code == 2
    told = twokey.refused(
        "approvals", "confirm", proposal, "--not-written", "--reason", "I looked.", "--as", "ana", code=1
    )
    assert told.endswith("Nobody answers for what they asked for or contributed to.")
    settled = twokey.json("approvals", "confirm", proposal, "--not-written", "--reason", "I looked.", "--as", "sam")
    assert (settled["state"], settled["code"]) == ("failed", "confirm_not_written")
    assert run_of(twokey, proposal) == "done"
    told = twokey.refused("approvals", "confirm", proposal, "--written", "--reason", "No.", "--as", "kim", code=1)
    assert told.endswith("The proposal is failed already.")


def test_a_write_is_undone_by_a_proposal_like_any_other(twokey: Command):
    proposal = ask(twokey, "undone")
    told = twokey.refused("approvals", "revert", proposal, "--as", "ana", code=1)
    assert told.replace(proposal, "ID") == snapshot("Proposal ID is awaiting_approval, so there is nothing to undo.")
    before = run_git(twokey.folder / "repo", "for-each-ref", "refs/heads")
    twokey.ok("approvals", "approve", proposal, "--as", "sam")
    assert twokey.ok("approvals", "show", proposal).out.splitlines()[-1].split() == [
        "undo", "twokey", "approvals", "revert", proposal,
    ]  # fmt: skip
    made = twokey.json("approvals", "revert", proposal, "--as", "sam")["proposals"][0]
    assert made["state"] == "awaiting_approval"
    told = twokey.refused("approvals", "revert", proposal, "--as", "sam", code=1)
    assert told.replace(proposal, "ID") == snapshot("You have asked to undo ID already.")
    card = twokey.json("approvals", "show", made["id"])
    assert (card["tool"]["name"], card["reverts"], card["requester"]) == ("close_pull_request", proposal, "sam")
    twokey.refused("approvals", "approve", made["id"], "--as", "sam", code=1)
    assert twokey.json("approvals", "approve", made["id"], "--as", "kim")["state"] == "done"
    assert run_git(twokey.folder / "repo", "for-each-ref", "refs/heads") == before
    assert (twokey.state(proposal), run_of(twokey, made["id"])) == ("reverted", "done")


def test_a_stale_card_leads_to_its_successor_and_a_conflict_ends_the_run(twokey: Command):
    proposal = ask(twokey, "stale")
    make_commit(twokey.folder / "repo", {"other.md": b"Something else.\n"})
    twokey.refused("approvals", "approve", proposal, "--as", "sam", code=1)
    card = twokey.json("approvals", "show", proposal)
    assert (card["state"], run_of(twokey, proposal)) == ("superseded", "waiting")
    new = twokey.json("approvals", "show", card["successor"])
    assert (new["state"], new["supersedes"]) == ("awaiting_approval", proposal)
    (file, *_) = [edit["path"] for edit in new["args"]["files"]]
    make_commit(twokey.folder / "repo", {file: b"version: 1\n"})
    twokey.refused("approvals", "approve", new["id"], "--as", "sam", code=1)
    assert (twokey.state(new["id"]), run_of(twokey, proposal)) == ("superseded", "done")


def test_an_emergency_is_loud_and_reviewed(twokey: Command, tmp_path: Path):
    del tmp_path
    assert twokey.ok("break-glass", "--list").out == snapshot("There was no emergency.\n")
    proposal = ask(twokey, "urgent")
    assert twokey.refused("break-glass", code=2) == snapshot("Name a proposal, or give --list or --review ID.")
    assert twokey.refused("break-glass", proposal, "--as", "rita", code=2) == snapshot(
        "An emergency needs a ticket and a reason."
    )
    words = ("--ticket", "INC-1", "--reason", "Down.")
    told = twokey.refused("break-glass", proposal, *words, "--minutes", 61, "--as", "rita", code=2)
    assert told == snapshot("An emergency lasts between 1 and 60 minutes.")
    said = twokey.ok("break-glass", proposal, *words, "--as", "rita").out
    (glass,) = re.findall(r"EMERGENCY (\S+)", said)
    assert timeless(said, ID=proposal, GLASS=glass) == snapshot("""\
EMERGENCY GLASS for ID, until TIME
policy   needs 1 of platform-owners, not ana
review   due afterwards: twokey break-glass --review GLASS
""")
    shown = twokey.json("approvals", "show", proposal)
    assert (shown["emergency"]["by"], shown["emergency"]["ticket"]) == ("rita", "INC-1")
    assert shown["decision"]["obligations"] == ["review_break_glass"]
    twokey.ok("approvals", "approve", proposal, "--as", "sam")
    assert "REVIEW DUE" in twokey.ok("break-glass", "--list").out
    told = twokey.refused("break-glass", "--review", glass, "--reason", "Fine.", "--as", "rita", code=1)
    assert told == snapshot("The order of rita does not count. Nobody reviews their own emergency.")
    assert twokey.json("break-glass", "--review", glass, "--reason", "Fine.", "--as", "kim")["reviewed_by"] == "kim"
    (listed,) = twokey.json("break-glass", "--list")["emergencies"]
    assert (listed["used"], listed["reviewed_by"]) == (True, "kim")
