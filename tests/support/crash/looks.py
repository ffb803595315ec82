"""Judges what a trial left, with eyes of its own: git, rows, and the verifier that stands alone.

Rules: nothing of the product is asked but the verifier and the format of log entries; what is counted is what a team
would suffer from: a change that is there twice, an approval that was acknowledged and came to nothing, a run that does
not end, a person who is asked again.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import NullPool

from support.crash.stage import Stage
from support.git_repo import run_git
from twokey.audit.keys import LogKey
from twokey.audit.storage import DatabaseSource
from twokey.audit.verify import SqliteSource, verify


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was wrong after a trial. Everything at its default is as it should be."""

    duplicates: int = 0
    lost: int = 0
    stuck: int = 0
    asked_again: int = 0
    faults: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return self == Verdict()


def events(stage: Stage) -> list[dict[str, Any]]:
    """Every event under the latest checkpoint, oldest first, each with its entry's id."""
    covered = stage.rows("SELECT coalesce(max(size), 0) FROM log_checkpoints")[0][0]
    rows = stage.rows(f"SELECT id, body FROM log_entries WHERE seq < {covered} ORDER BY seq")
    return [{"entry": entry} | json.loads(bytes(body))["event"] for entry, body in rows]


def approvals(stage: Stage) -> list[str]:
    """The ids of the entries of approvals that count as acknowledged: a checkpoint covers them."""
    given = [event for event in events(stage) if event["kind"] == "answer.given"]
    return [event["entry"] for event in given if event["answer"]["statement"]["action"] == "approve"]


def verified(stage: Stage) -> str:
    """Verify the log; gives what is wrong with it."""
    (path,) = stage.home.glob("*/log.key")
    key = LogKey.load(path).verifier.vkey
    if not stage.url:
        with closing(SqliteSource(stage.workspace / ".twokey" / "twokey.db")) as source:
            report = verify(source, key=key)
    else:
        engine = sqlalchemy.create_engine(stage.store, poolclass=NullPool)
        with engine.connect() as connection:
            report = verify(DatabaseSource(connection), key=key)
    return "" if report.ok else f"the log does not verify: {report.reason}"


def judge(stage: Stage, acknowledged: list[str], told: list[dict[str, Any]]) -> Verdict:
    """Judge a trial of Twokey. ``acknowledged`` are approvals that were covered when its process was ended.

    ``told`` is what those who took it up have said.
    """
    refs = run_git(stage.repository, "for-each-ref", "--format=%(refname)").split()
    branches = [ref for ref in refs if ref.startswith("refs/heads/twokey/")]
    records = [ref for ref in refs if ref.startswith("refs/twokey/pulls/")]
    commits = run_git(stage.repository, "rev-list", "--glob=refs/heads/twokey/*", "--not", "main").split()
    effects = max(len(branches), len(records), len(commits))
    log = events(stage)
    intended = [event for event in log if event["kind"] == "write.intended"]
    used = {entry for event in intended for entry in event["answers"]}
    proposals = stage.rows("SELECT id, state FROM proposals")
    runs = stage.rows("SELECT id, state, code FROM runs")
    again = {message["proposal"] for message in told if message["kind"] == "approved again"}
    faults = list(_faults(stage, branches, records, commits))
    faults += [f"{len(runs)} runs" for _ in range(len(runs) != 1)]
    faults += [f"{len(proposals)} proposals" for _ in range(len(proposals) != 1)]
    faults += [f"refused: {message['code']}" for message in told if message["kind"] == "refused"]
    faults += [f"{len(intended)} intents" for _ in range(len(intended) != 1)]
    return Verdict(
        duplicates=max(0, effects - 1),
        lost=sum(1 for entry in acknowledged if entry not in used or not effects),
        stuck=sum(1 for _, state, _ in runs if state != "done")
        + sum(1 for _, state in proposals if state != "done")
        + (not effects),
        asked_again=len(again) if acknowledged else 0,
        faults=tuple(faults),
    )


def _faults(stage: Stage, branches: list[str], records: list[str], commits: list[str]) -> list[str]:
    """What is there beside the one change, or not whole."""
    found = [verified(stage)]
    if (len(branches), len(records), len(commits)) != (1, 1, 1):
        found.append(f"{len(branches)} branches, {len(records)} records, {len(commits)} commits")
    run_git(stage.repository, "fsck", "--strict", "--no-dangling")
    found += [f"left behind: {path.name}" for path in (stage.repository / ".git" / "refs").rglob("*.lock")]
    return [text for text in found if text]
