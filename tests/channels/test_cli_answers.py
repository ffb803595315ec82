"""Who may answer, from outside: one shell is one person, and every attempt is in the log."""

import errno
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from support.command import PATIENCE_S, Command, account, everything_in, repository, warehouse


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A workspace whose account holds everybody's credential; whatever the tests do to it, its log stays whole."""
    folder = tmp_path_factory.mktemp("answers")
    command = account(folder, "ana:analysts,sam:platform-owners,eve:guests")
    repository(folder / "repo")
    yield command
    assert command.whole()


def ask(twokey: Command, name: str) -> str:
    """Let ana ask for the documentation of a warehouse of its own; gives the proposal."""
    asked = twokey.json("catalog", "propose", warehouse(twokey.folder / f"{name}.db"), "--repo", "repo", "--as", "ana")
    return str(asked["proposals"][0]["id"])


@pytest.fixture(scope="module")
def waits(twokey: Command) -> str:
    """A proposal of ana's that no test brings to an end."""
    return ask(twokey, "waits")


@pytest.fixture
def proposal(twokey: Command, waits: str) -> Iterator[str]:
    """The proposal that waits: whatever the test does, it still waits afterwards, and the repository is as it was."""
    before = everything_in(twokey.folder / "repo")
    yield waits
    assert twokey.state(waits) == "awaiting_approval"
    assert everything_in(twokey.folder / "repo") == before


def last(twokey: Command) -> int:
    """The number of the log's last entry."""
    return int(twokey.rows("SELECT max(seq) FROM log_entries")[0][0])


def rejected(twokey: Command, proposal: str | None, after: int) -> list[tuple[str, str]]:
    """Who tried to answer a proposal, and why it did not count."""
    events = twokey.log("click.rejected", after=after)
    return [(event["principal"], event["code"]) for event in events if event["proposal"] == proposal]


def test_nobody_approves_their_own_and_no_outsider_does(twokey: Command, proposal: str):
    before = last(twokey)
    told = twokey.refused("approvals", "approve", proposal, "--as", "ana", code=1)
    assert told.replace(proposal, "ID") == snapshot(
        "The answer of ana to ID does not count. Nobody answers for what they asked for or contributed to."
    )
    failed = twokey("approvals", "refuse", proposal, "--as", "eve", "--json")
    assert (failed.code, failed.json["error"]["code"]) == (1, "not_an_approver")
    assert failed.json["error"]["message"].replace(proposal, "ID") == snapshot(
        "The answer of eve to ID does not count. They are in none of the groups asked."
    )
    assert rejected(twokey, proposal, before) == [("ana", "own_proposal"), ("eve", "not_an_approver")]


def test_an_approval_counts_once(twokey: Command):
    made, before = ask(twokey, "once"), last(twokey)
    assert twokey.json("approvals", "approve", made, "--as", "sam")["state"] == "done"
    after = everything_in(twokey.folder / "repo")
    told = twokey.refused("approvals", "approve", made, "--as", "sam", code=1)
    assert told.replace(made, "ID") == snapshot("The answer of sam to ID does not count. The proposal is done already.")
    assert everything_in(twokey.folder / "repo") == after
    assert rejected(twokey, made, before) == [("sam", "is_done")]
    assert len([event for event in twokey.log("write.intended") if event["proposal"] == made]) == 1


def test_a_shell_without_the_credential_is_not_that_person(twokey: Command, proposal: str, tmp_path: Path):
    before = last(twokey)
    (key,) = twokey.home.glob("*/keys/sam.key")
    kept = tmp_path / "sam.key"
    shutil.move(key, kept)
    try:
        told = twokey.refused("approvals", "approve", proposal, "--as", "sam", code=1)
        assert told == snapshot("This account holds no credential of sam, so it cannot act as sam.")
        shutil.copy(key.with_name("ana.key"), key)
        told = twokey.refused("approvals", "approve", proposal, "--as", "sam", code=1)
        assert told == snapshot("The credential of sam on this account is not the one that the directory names.")
    finally:
        shutil.move(kept, key)
    tried = [(event["principal"], event["accepted"], event["code"]) for event in twokey.log(after=before)]
    assert tried == [("sam", False, "no_credential"), ("sam", False, "wrong_key")]


def test_another_account_without_keys_can_do_nothing(twokey: Command, proposal: str, tmp_path: Path):
    other = replace(twokey, home=tmp_path / "other")
    told = other.refused("approvals", "approve", proposal, "--as", "sam", code=3)
    assert told == snapshot("The key file log.key of the audit log cannot be used: it cannot be opened.")


def test_a_workspace_does_not_become_a_demo_by_its_settings(twokey: Command, proposal: str):
    assert twokey.workspace is not None
    path = twokey.workspace / "twokey.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[workspace]\n", "[workspace]\ndemo = true\n"), encoding="utf-8")
    try:
        told = twokey.refused("approvals", "approve", proposal, "--as", "sam", code=3)
        assert told == snapshot(
            "twokey.toml and the log disagree on whether this is a demo workspace; the log is right."
        )
        doctor = twokey("doctor")
        assert doctor.code == 1
        assert "twokey.toml and the log disagree" in doctor.out
    finally:
        path.write_text(text, encoding="utf-8")
    told = twokey.refused("approvals", "list", code=2, TWOKEY_WORKSPACE__DEMO="true")
    assert "only twokey.toml may set" in told


def test_an_answer_to_what_is_not_here_is_one_sentence(twokey: Command):
    for identifier in ("p-000000000000", "../../etc/passwd", "", "p-\x1b[31m%"):
        before = last(twokey)
        told = twokey.refused("approvals", "approve", "--as", "sam", "--", identifier, code=2)
        assert told == snapshot("There is no such proposal here.")
        used, click = twokey.log(after=before)
        assert (used["kind"], click["kind"], click["code"]) == ("identity.used", "click.rejected", "unknown_proposal")


def test_a_proposal_of_another_workspace_is_unknown_here(proposal: str, tmp_path: Path):
    other = account(tmp_path)
    for action in ("show", "approve"):
        told = other.refused("approvals", action, proposal, "--as", "sam", code=2)
        assert told == snapshot("There is no such proposal here.")
    assert other.whole()


def test_who_is_asking_is_never_guessed(twokey: Command, proposal: str):
    told = twokey.refused("approvals", "approve", proposal, code=2)
    assert told == snapshot("It is not clear who is asking.")
    told = twokey.refused("approvals", "approve", proposal, "--as", "../keys/sam", code=1)
    assert told == snapshot("The directory of this workspace knows nobody called '../keys/sam'.")
    assert "of ana to" in twokey.refused("approvals", "refuse", proposal, code=1, TWOKEY_AS="ana")


def test_a_digest_that_is_not_the_proposals_answers_nothing(twokey: Command, proposal: str):
    (digest,) = twokey.rows("SELECT digest FROM proposals WHERE id = ?", proposal)[0]
    for wrong in ("0" * 64, digest[:7]):
        told = twokey.refused("approvals", "approve", proposal, "--as", "sam", "--digest", wrong, code=2)
        assert told == snapshot("The digest given is not the digest of this proposal.")


def test_only_who_asked_withdraws(twokey: Command):
    made = ask(twokey, "withdrawn")
    told = twokey.refused("approvals", "withdraw", made, "--as", "sam", code=1)
    assert told.endswith("Only who asked may withdraw.")
    assert twokey.json("approvals", "withdraw", made, "--as", "ana")["state"] == "withdrawn"
    told = twokey.refused("approvals", "approve", made, "--as", "sam", code=1)
    assert told.endswith("The proposal is withdrawn already.")


def test_rows_written_by_hand_approve_nothing(twokey: Command):
    made, before = ask(twokey, "edited"), everything_in(twokey.folder / "repo")
    digest, decision = twokey.rows("SELECT digest, decision_digest FROM proposals WHERE id = ?", made)[0]
    with closing(sqlite3.connect(twokey.database)) as connection:
        row = {
            "proposal": made,
            "proposal_digest": digest,
            "decision_digest": decision,
            "principal": "sam",
            "action": "approve",
            "entry": "l-000000000000",
            "reason": "",
            "at_us": time.time_ns() // 1000,
        }
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO approvals ({names}) VALUES ({marks})", list(row.values()))
        connection.execute("UPDATE proposals SET state = 'approved' WHERE id = ?", (made,))
        connection.commit()
    failed = twokey("approvals", "approve", made, "--as", "sam")
    assert failed.code == 1, failed
    assert failed.sentence
    assert twokey("approvals", "show", made).code in {0, 1}
    assert everything_in(twokey.folder / "repo") == before
    assert not [event for event in twokey.log("write.intended") if event["proposal"] == made]


def test_a_run_is_cancelled_by_who_asked_and_only_when_nothing_of_it_waits(twokey: Command, proposal: str):
    ((run,),) = twokey.rows("SELECT run FROM proposals WHERE id = ?", proposal)
    shown = twokey.json("runs", "show", run)
    assert (shown["run"], shown["state"], shown["proposals"][0]["id"]) == (run, "waiting", proposal)
    assert f"{run}  waiting   waits_for_people     ana" in twokey.ok("runs", "list").out
    told = twokey.refused("runs", "cancel", run, "--as", "sam", code=1)
    assert told == f"Run {run} was asked for by ana; only they may cancel it."
    told = twokey.refused("runs", "cancel", run, "--as", "ana", code=1)
    assert told == f"Run {run} has a proposal that waits."


def test_an_answer_that_comes_too_late_is_refused_and_nothing_is_written(tmp_path: Path):
    late, repo = account(tmp_path), repository(tmp_path / "repo")
    rules = tmp_path / "w" / "policies" / "data.json"
    short = re.sub(r'"expires_s": ?\d+', '"expires_s": 1', rules.read_text(encoding="utf-8"))
    rules.write_text(short, encoding="utf-8")
    asked = late.json("catalog", "propose", warehouse(tmp_path / "a.db"), "--repo", "repo", "--as", "ana")
    before, identifier = everything_in(repo), asked["proposals"][0]["id"]
    ((expires,),) = late.rows("SELECT expires_us FROM proposals")
    time.sleep(max(0.0, expires / 1_000_000 - time.time()) + 0.01)  # the proposal's own second
    told = late.refused("approvals", "approve", identifier, "--as", "sam", code=1)
    assert told.replace(identifier, "ID") == snapshot(
        "The answer of sam to ID does not count. The proposal is expired already."
    )
    assert late.state(identifier) == "expired"
    assert late.log("click.rejected")[-1]["code"] == "is_expired"
    assert everything_in(repo) == before
    assert late.whole()


def test_a_person_at_a_terminal_sees_the_card_and_is_asked(twokey: Command):
    made, before = ask(twokey, "terminal"), everything_in(twokey.folder / "repo")
    told = _at_a_terminal(twokey, b"n\n", "approvals", "approve", made, "--as", "sam")
    assert "diff --git" in told
    assert "Approve as sam?" in told
    assert "You did not approve it; it still waits." in told
    assert everything_in(twokey.folder / "repo") == before
    told = _at_a_terminal(twokey, b"y\n", "approvals", "approve", made, "--as", "sam")
    assert f"{made} is done (written)" in told
    assert [event["viewer"] for event in twokey.log("card.shown")][-2:] == ["sam", "sam"]


def _at_a_terminal(twokey: Command, typed: bytes, *args: str) -> str:
    """Run a command with a pseudo-terminal for all its streams; gives what it shows."""
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        twokey.arguments(*args), cwd=twokey.folder, env=twokey.environment(), stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    os.write(terminal, typed)
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError as error:
        assert error.errno == errno.EIO, "what Linux gives at the end of a pseudo-terminal"  # noqa: PT017 - a reading, no test of it
    finally:
        os.close(terminal)
    process.wait(PATIENCE_S)
    return shown.decode()
