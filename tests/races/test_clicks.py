"""Many people answer one card in the same moment, through several processes: one outcome, and an answer for everybody."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from support import click_process
from support.command import Command, account, repository, warehouse, warm
from support.git_repo import run_git

PROCESSES = 4
CLIENTS = 100
ROUNDS = 20


class Office:
    """A workspace with many people, and what its log and its rows say."""

    def __init__(self, folder: Path, people: int, url: str) -> None:
        self.names = [f"o{number}" for number in range(people)]
        listed = ",".join(["ana:analysts", *(f"{name}:platform-owners" for name in self.names)])
        store = () if url.startswith("sqlite") else ("--store", url)
        self.command: Command = account(folder, listed, *store)
        assert self.command.workspace is not None
        self.workspace = self.command.workspace
        self.repository = repository(folder / "repo")
        self.warehouse = warehouse(folder / "a.db")
        self.engine = create_engine(url if store else f"sqlite:///{self.command.database}", poolclass=NullPool)

    def propose(self) -> str:
        asked = self.command.json("catalog", "propose", self.warehouse, "--repo", self.repository, "--as", "ana")
        return str(asked["proposals"][0]["id"])

    def log(self, about: str | None = None) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT subject, body FROM log_entries ORDER BY seq")).all()
        return [json.loads(bytes(row.body))["event"] for row in rows if about in {None, row.subject}]

    def kinds(self, about: str) -> Counter[str]:
        return Counter(event["kind"] for event in self.log(about))

    def branches(self) -> list[str]:
        return run_git(self.repository, "for-each-ref", "--format=%(refname)", "refs/heads/twokey/").split()

    def at_once(self, proposal: str, shares: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """Have the answers given, ``NAME:ACTION`` each, one process for each share."""
        environment, script = self.command.environment(), Path(click_process.__file__)
        told: list[dict[str, Any]] = []
        with tempfile.TemporaryFile() as errors:
            processes = [
                warm().start(script, self.workspace, proposal, *share, environment=environment, errors=errors.fileno())
                for share in shares
            ]
            for process in processes:
                assert process.stdout.readline() == "ready\n", process.finish()
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
            outputs = [process.finish() for process in processes]
            errors.seek(0)
            said = errors.read().decode()
        assert [process.returncode for process in processes] == [0] * len(processes), said
        assert "Traceback" not in said, said
        for out in outputs:
            told += [json.loads(line) for line in out.splitlines()]
        return told


@pytest.mark.timeout(1800)
def test_a_hundred_clicks_at_once_are_one_write(tmp_path: Path, sqlite_url: str):
    a_hundred_clicks(tmp_path, sqlite_url)


@pytest.mark.soak
@pytest.mark.postgresql
@pytest.mark.timeout(1800)
def test_a_hundred_clicks_at_once_are_one_write_on_postgresql(tmp_path: Path, postgresql_url: str):
    a_hundred_clicks(tmp_path, postgresql_url)


def a_hundred_clicks(folder: Path, url: str) -> None:
    office = Office(folder, CLIENTS, url)
    proposal = office.propose()
    shares = [[f"{name}:approve" for name in office.names[number::PROCESSES]] for number in range(PROCESSES)]
    told = office.at_once(proposal, shares)
    assert len(told) == CLIENTS
    assert sum(item["state"] == "done" for item in told) == 1, told
    assert {item["state"] for item in told} == {"done", "error"}
    late = Counter(item["code"] for item in told if item["state"] == "error")
    assert set(late) <= {"already_answered", "is_approved", "is_executing", "is_done"}, "nothing for want of time"
    kinds = office.kinds(proposal)
    assert (kinds["write.intended"], kinds["write.ended"], kinds["answer.given"]) == (1, 1, 1)
    assert kinds["click.rejected"] == CLIENTS - 1
    assert len(office.branches()) == 1
    assert office.command.json("audit", "verify")["ok"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_approvers_and_a_refusal_at_once_have_one_outcome(tmp_path: Path, database_url: str):
    """Again and again, each in a process of its own: what the log says follows from the answers in it."""
    office = Office(tmp_path, 3, database_url)
    first, second, third = office.names
    for _ in range(ROUNDS):
        proposal = office.propose()
        told = office.at_once(proposal, [[f"{first}:approve"], [f"{second}:approve"], [f"{third}:refuse"]])
        one_outcome(office.log(proposal), told)
    assert len(office.branches()) <= ROUNDS
    assert office.command.json("audit", "verify")["ok"]


def one_outcome(events: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    """Hold what people were told against what the log says of one proposal."""
    left = [
        event["after"]
        for event in events
        if event["kind"] == "proposal.moved" and event["before"] == "awaiting_approval"
    ]
    counted = [event["answer"]["statement"] for event in events if event["kind"] == "answer.given"]
    rejected = [event for event in events if event["kind"] == "click.rejected"]
    assert len(left) == 1, "it is decided once"
    assert len(counted) + len(rejected) == len(told), "every answer is in the log, counted or not"
    expected = {"refused": "refuse", "approved": "approve"}[left[0]]
    assert [statement["action"] for statement in counted] == [expected]
    assert len({event["principal"] for event in rejected} | {counted[0]["principal"]}) == len(told)
    heard = {item["name"] for item in told if item["state"] != "error"}
    assert heard == {counted[0]["principal"]}, "whoever is told that it counted is whose answer counts"
    writes = [event for event in events if event["kind"] == "write.intended"]
    assert len(writes) == (left[0] == "approved")
