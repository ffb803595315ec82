"""The database server is killed in the middle and started again: nothing acknowledged is lost, one write, clear words."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from sqlalchemy import Connection, create_engine, event, select, text
from sqlalchemy.engine import make_url
from support.bench import Bench
from support.command import Command, account, repository, warehouse
from support.git_repo import run_git
from support.halfway import in_the_middle_of_a_scan, long_warehouse, to_its_end, told
from support.notes import KeyedNotes, effects, notes_bench, proposed_note, target
from support.postgresql_server import Server

from twokey.core.errors import EnvironmentFault, LogUnavailable, Refused
from twokey.core.lifecycle import State
from twokey.core.values import Call, Decision
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.gate import WRITE_LEASE_S

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="tk-pg-", ignore_cleanup_errors=True) as folder:
        made = Server(Path(folder) / "data")
        yield made
        made.close()


@pytest.fixture
def url(server: Server, request: pytest.FixtureRequest) -> str:
    """A database of its own for each test, on the one server that is killed again and again."""
    server.start()
    name = f"t{abs(hash(request.node.name))}"
    admin = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


class Killer:
    """Kills the server once, where a test says."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.struck = False

    def __call__(self, *_: object) -> None:
        if not self.struck:
            self.struck = True
            self._server.kill()


def at_a_commit(bench: Bench, kill: Killer, state: State) -> None:
    """Kill the server as the transaction commits that brings a proposal to ``state``."""

    def on_commit(connection: Connection) -> None:
        if not kill.struck:
            found = connection.execute(select(tables.proposals.c.state)).scalars().all()
            if state.value in found:
                kill()

    event.listen(bench.engine, "commit", on_commit)


class Deciding:
    """A policy that lets something happen before it answers (port ``Policy``)."""

    def __init__(self, bench: Bench, meanwhile: Callable[[], None]) -> None:
        self._policy, self._meanwhile = bench.policy.policy, meanwhile

    def decide(self, call: Call) -> Decision:
        self._meanwhile()
        return self._policy.decide(call)


def to_the_end(bench: Bench, record: ProposalRecord) -> State:
    """Do what a person would: look, answer where an answer is missing, and have it carried out."""
    now = bench.gate.find(record.id)
    if now.state is State.AWAITING_APPROVAL:
        bench.gate.answer(bench.answer(now), channel="cli")
    bench.gate.execute(record.id)
    bench.clock.advance(WRITE_LEASE_S + 1)
    return bench.gate.execute(record.id).state


def answered_and_executed(bench: Bench, record: ProposalRecord) -> None:
    if bench.gate.find(record.id).state is State.AWAITING_APPROVAL:
        bench.gate.answer(bench.answer(record), channel="cli")
    bench.gate.execute(record.id)


@pytest.mark.parametrize(
    "point",
    ["in policy", "approval commits", "intent commits", "before the write", "after the write", "receipt commits"],
)
def test_a_server_that_dies_at_any_point_costs_no_answer_and_leads_to_one_write(
    tmp_path: Path, server: Server, url: str, clock: FixedClock, ids: CountingIds, point: str
):
    kill, at = Killer(server), dict[str, Callable[[], None]]()
    bench = notes_bench(tmp_path, url, clock, ids, [KeyedNotes(at)])
    record = proposed_note(bench)
    kept = proposed_note(bench, "trace_note", name="kept")
    acknowledged = bench.gate.answer(bench.answer(kept), channel="cli")
    assert acknowledged.state is State.APPROVED
    if point == "in policy":
        bench.policy.policy = Deciding(bench, kill)
    elif point.endswith("commits"):
        states = {"approval": State.APPROVED, "intent": State.EXECUTING, "receipt": State.DONE}
        if point != "approval commits":
            bench.gate.answer(bench.answer(record), channel="cli")
        at_a_commit(bench, kill, states[point.split(maxsplit=1)[0]])
    else:
        at[point.split(maxsplit=1)[0]] = kill
    try:
        with pytest.raises(LogUnavailable) as caught:
            answered_and_executed(bench, record)
        assert kill.struck
        assert caught.value.exit_code == EnvironmentFault.exit_code
        assert "\n" not in caught.value.message
        assert effects(target(bench)) == (point in {"before the write", "after the write", "receipt commits"})
        with pytest.raises(LogUnavailable):
            bench.gate.find(record.id)
    finally:
        server.start()
    assert to_the_end(bench, record) is State.DONE
    assert effects(target(bench)) == 1
    assert bench.gate.execute(kept.id).state is State.DONE, "what was acknowledged before is still there"
    kinds = bench.kinds(record.id)
    assert (kinds.count("write.intended"), kinds.count("write.ended")) == (1, 1)
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(record, "kim"), channel="cli")
    assert bench.log.verify().ok
    bench.engine.dispose()


# -- as a person sees it ---------------------------------------------------------------------------------------------


@pytest.fixture
def twokey(tmp_path: Path, url: str) -> Command:
    made = account(tmp_path, "ana:analysts,sam:platform-owners", "--store", url)
    repository(tmp_path / "repo")
    return made


def test_a_run_whose_server_dies_while_it_reads_says_so_and_is_taken_up(
    tmp_path: Path, twokey: Command, server: Server
):
    source = long_warehouse(tmp_path / "long.db")
    halfway = in_the_middle_of_a_scan(twokey, source, "--repo", tmp_path / "repo", "--as", "ana")
    server.kill()
    ended = to_its_end(*halfway)
    server.start()
    assert ended.code == 3, ended.err
    assert "Traceback" not in ended.out + ended.err, ended.err
    assert len(told(ended)) == 2, ended.err
    (run,) = twokey.json("runs", "list")["runs"]
    resumed = twokey.json("runs", "resume", run["run"], "--as", "ana")
    identifier = resumed["proposals"][0]["id"]
    assert twokey.json("approvals", "approve", identifier, "--as", "sam")["state"] == "done"
    assert len(run_git(tmp_path / "repo", "for-each-ref", "refs/heads/twokey/").splitlines()) == 1
    assert twokey.json("audit", "verify")["ok"]


def test_an_answer_while_the_server_is_away_says_so_and_is_given_again(tmp_path: Path, twokey: Command, server: Server):
    source = warehouse(tmp_path / "a.db")
    asked = twokey.json("catalog", "propose", source, "--repo", tmp_path / "repo", "--as", "ana")
    identifier = asked["proposals"][0]["id"]
    server.kill()
    said = twokey.refused("approvals", "approve", identifier, "--as", "sam", code=3)
    assert said.startswith("The workspace's database cannot be used:")
    assert not run_git(tmp_path / "repo", "for-each-ref", "refs/heads/twokey/")
    server.start()
    assert twokey.json("approvals", "approve", identifier, "--as", "sam")["state"] == "done"
    assert twokey.json("audit", "verify")["ok"]
