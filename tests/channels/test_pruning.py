"""Retention: what ended runs leave behind goes, and nothing that the log needs. On SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from conftest import CountingIds, FixedClock
from inline_snapshot import snapshot
from sqlalchemy import func, select, text, update
from support.bench import WORKSPACE, Bench
from support.checkpoints import KEY, Kept, kept_at, small_graph
from support.command import Command, account, repository, warehouse
from support.notes import note_draft, notes_bench, notes_desk, read_rules

from twokey.agents.planner.savers import PostgresqlStates, SqliteStates, States
from twokey.audit import storage
from twokey.audit.verify import verify
from twokey.channels.driving import Drivers, Heart
from twokey.channels.pruning import DAY_US, Pruned, Pruner
from twokey.channels.readiness import Readiness
from twokey.channels.service import Service
from twokey.core import canonical
from twokey.core.errors import CheckFailed, LogUnavailable
from twokey.core.events import RunsPruned
from twokey.core.lifecycle import State
from twokey.core.values import Identity
from twokey.store import runs, tables
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunState
from twokey.tools import history

DAYS: Final = 30
DAY_S: Final = DAY_US // 1_000_000


@dataclass
class Yard:
    """A workbench with notes, checkpoints, and somebody who prunes."""

    bench: Bench
    kept: Kept
    forgotten: list[str] = field(default_factory=list)

    @contextmanager
    def states(self) -> Generator[States]:
        opened = (
            SqliteStates(Path(self.kept.place), KEY, busy_s=30)
            if self.kept.sqlite
            else PostgresqlStates(self.kept.place.replace("+psycopg", ""), KEY)
        )
        with closing(opened), opened.lent() as states:
            yield states

    def pruner(self, states: Callable[[], Any] | None = None, batch: int = 50) -> Pruner:
        return Pruner(ledger=self.bench.ledger, states=states or self.states, clock=self.bench.clock, batch=batch)

    def prune(self, days: int = DAYS, *, dry_run: bool = False, batch: int = 50) -> Pruned:
        return self.pruner(batch=batch).prune(self.sam(), days=days, dry_run=dry_run)

    def sam(self) -> Identity:
        person = self.bench.people.principal("sam")
        assert person is not None
        return Identity(principal=person, auth="key", channel="cli")

    def run(self, *, propose: bool = True, state: RunState = "done", uncited: int = 2) -> str:
        """A run that has read, kept, proposed and paused, as it stands in ``state``."""
        desk = notes_desk(self.bench)
        desk.keep("request", {"text": "say good morning"})
        desk.keep("plan", {"steps": []})
        for _ in range(uncited):
            read_rules(desk)
        if propose:
            desk.propose(note_draft(desk), agent="catalog", step=2)
        with self.states() as states:
            small_graph(states.saver).invoke({"count": 1}, {"configurable": {"thread_id": desk.run}}, durability="sync")
        self.move(desk.run, state)
        return desk.run

    def move(self, run: str, state: RunState) -> None:
        with self.bench.ledger.change() as unit:
            runs.move_run(
                unit.connection, run, before=("running", "waiting"), after=state, now=self.bench.clock.now_us()
            )

    def proposal(self, run: str) -> ProposalRecord:
        (record,) = [record for record in self.service().waiting(everything=True) if record.run == run]
        return record

    def answer(self, run: str) -> None:
        """The proposal of a run is approved and written."""
        record = self.proposal(run)
        self.bench.gate.answer(self.bench.answer(record), channel="cli")
        self.bench.gate.execute(record.id)

    def service(self) -> Service:
        def nobody() -> Any:
            raise AssertionError("no run is driven here")

        return Service(
            workspace=WORKSPACE,
            readiness=Readiness(
                workspace=WORKSPACE,
                profile="laptop",
                encrypts=False,
                ledger=self.bench.ledger,
                revisions=nobody,
                clock=self.bench.clock,
            ),
            ledger=self.bench.ledger,
            gate=self.bench.gate,
            runner=nobody,
            unplanned={},
            drivers=Drivers(self.bench.repository.with_name("drivers")),
            heart=Heart(self.bench.ledger, self.bench.clock),
            dispatcher=nobody,
            clock=self.bench.clock,
            ids=self.bench.ids,
        )

    def counts(self) -> dict[str, int]:
        """How many rows every table of the store and of the log has, and every table of the checkpoints."""
        with self.bench.ledger.look() as connection:
            found = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables.metadata.sorted_tables
            }
            found["log_entries"] = connection.execute(text("SELECT count(*) FROM log_entries")).scalar_one()
        for name in ("checkpoints", self.kept.writes):
            found[name] = int(self.kept.run(f"SELECT count(*) FROM {name}")[0][0])
        return found

    def openings(self) -> dict[str, tuple[str, Any]]:
        """Everything that opens a commitment, with proof that it does."""
        with self.bench.ledger.look() as connection:
            found = {
                row.commitment: (row.salt, canonical.decode(row.value))
                for row in connection.execute(select(tables.openings))
            }
        assert all(canonical.commitment(salt, value) == name for name, (salt, value) in found.items())
        return found

    def verified(self) -> bool:
        with storage.looking(self.bench.engine) as connection:
            return verify(storage.DatabaseSource(connection), key=self.bench.log_key.verifier.vkey).ok

    def events(self) -> list[RunsPruned]:
        events = [item.entry.event for item in self.bench.log.entries("sam")]
        return [event for event in events if isinstance(event, RunsPruned)]


@pytest.fixture
def yard(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Yard]:
    bench = notes_bench(tmp_path, database_url, clock, ids)
    yield Yard(bench, kept_at(database_url))
    bench.engine.dispose()


def test_an_ended_run_loses_what_the_log_does_not_need(yard: Yard):
    run = yard.run(state="waiting")
    yard.answer(run)
    yard.move(run, "done")
    record = yard.proposal(run)
    before, openings, card = yard.counts(), yard.openings(), yard.service().card(record.id, None)
    yard.bench.clock.advance(DAYS * DAY_S + 1)
    assert yard.prune() == Pruned(runs=1, checkpoints=3, documents=2, evidence=2)
    after = yard.counts()
    assert {name: after[name] - before[name] for name in before if after[name] != before[name]} == {
        "documents": -2,
        "evidence": -2,
        "checkpoints": -3,
        yard.kept.writes: -1,
        "log_entries": 1,
    }
    assert yard.verified()
    assert yard.openings() == openings
    again = yard.service().card(record.id, None)
    assert (again.record, again.evidence, again.answers) == (card.record, card.evidence, card.answers)
    assert len(again.evidence) == 1
    assert yard.service().outcome(run).run.state == "done"
    (event,) = yard.events()
    assert (event.principal, event.runs) == ("sam", 1)
    assert event.ended_before_us == yard.bench.clock.now_us() - DAYS * DAY_US


def test_a_young_run_keeps_everything(yard: Yard):
    yard.run(propose=False)
    before = yard.counts()
    yard.bench.clock.advance(DAYS * DAY_S)
    assert yard.prune() == Pruned()
    assert yard.counts() == before, "nor is there an entry that says nothing"
    yard.bench.clock.advance(1)
    assert yard.prune().runs == 1
    yard.run(propose=False)
    yard.bench.clock.advance(1)
    assert yard.prune(days=0).runs == 1


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_a_run_that_has_not_ended_keeps_everything(yard: Yard, state: RunState):
    run = yard.run(propose=False, state=state)
    before = yard.counts()
    yard.bench.clock.advance(400 * DAY_S)
    assert yard.prune() == Pruned()
    assert yard.counts() == before
    with yard.states() as states:
        assert states.count(run) == 3


def test_an_open_proposal_keeps_all_of_an_ended_run(yard: Yard):
    """The run failed; what it proposed waits, and can still be decided with all that it cites."""
    run = yard.run(state="failed")
    yard.bench.clock.advance(3600)
    assert yard.prune(days=0) == Pruned()
    yard.answer(run)
    assert yard.proposal(run).state is State.DONE
    assert yard.prune(days=0) == Pruned(runs=1, checkpoints=3, documents=2, evidence=2)
    assert len(yard.service().card(yard.proposal(run).id, None).evidence) == 1


def test_a_dry_run_counts_and_leaves_everything(yard: Yard):
    for _ in range(3):
        yard.run(propose=False)
    before = yard.counts()
    yard.bench.clock.advance(1)
    expected = Pruned(runs=3, checkpoints=9, documents=6, evidence=6)
    assert yard.prune(days=0, dry_run=True, batch=2) == expected
    assert yard.counts() == before
    assert yard.prune(days=0, batch=2) == expected
    assert [event.runs for event in yard.events()] == [2, 1]


def test_it_may_be_repeated(yard: Yard):
    yard.run(propose=False)
    yard.bench.clock.advance(1)
    yard.prune(days=0)
    before = yard.counts()
    assert yard.prune(days=0) == Pruned()
    assert yard.counts() == before


class Cut(BaseException):
    """Stands for the end of the process."""


@dataclass
class Failing:
    """Checkpoints that stop at the second run."""

    states: States
    left: int

    def count(self, run: str) -> int:
        return self.states.count(run)

    def forget(self, run: str) -> None:
        if self.left == 0:
            raise Cut
        self.left -= 1
        self.states.forget(run)


@pytest.mark.parametrize(("left", "batch", "pruned"), [(0, 1, 0), (1, 1, 1), (2, 3, 0), (2, 2, 2)])
def test_cut_off_anywhere_it_can_be_finished(yard: Yard, left: int, batch: int, pruned: int):
    for _ in range(3):
        yard.run(propose=False)
    yard.bench.clock.advance(1)
    gone = 0

    @contextmanager
    def failing() -> Generator[Failing]:
        nonlocal gone
        with yard.states() as states:
            each = Failing(states, left - gone)
            try:
                yield each
            finally:
                gone = left - each.left

    with pytest.raises(Cut):
        yard.pruner(failing, batch).prune(yard.sam(), days=0)
    assert sum(event.runs for event in yard.events()) == pruned
    assert yard.counts()["documents"] == 2 * (3 - pruned)
    assert yard.prune(days=0) == Pruned(
        runs=3 - pruned, checkpoints=3 * (3 - left), documents=2 * (3 - pruned), evidence=2 * (3 - pruned)
    )
    assert yard.verified()
    assert [yard.counts()[name] for name in ("documents", "evidence", "checkpoints")] == [0, 0, 0]


def test_inputs_of_decisions_go_only_where_that_is_asked_for(yard: Yard):
    yard.run()
    yard.bench.clock.advance(DAYS * DAY_S + 1)
    yard.run()
    before = yard.counts()["decisions"]
    assert yard.prune().decisions == 0
    assert yard.counts()["decisions"] == before
    pruner = yard.pruner()
    assert pruner.prune(yard.sam(), days=DAYS, decisions=True, dry_run=True).decisions == before // 2
    assert yard.counts()["decisions"] == before
    assert pruner.prune(yard.sam(), days=DAYS, decisions=True).decisions == before // 2
    assert pruner.prune(yard.sam(), days=DAYS, decisions=True).decisions == 0
    assert yard.counts()["decisions"] == before // 2
    assert yard.events()[-1].decisions == before // 2
    assert sum(past.kept is None for past in history.past(yard.bench.ledger)) == before // 2
    assert yard.verified()


def test_where_the_log_does_not_take_it_nothing_goes(yard: Yard):
    yard.run(propose=False)
    yard.bench.clock.advance(1)
    with yard.bench.engine.begin() as connection:
        connection.execute(text("ALTER TABLE log_entries RENAME TO log_elsewhere"))
    with pytest.raises(LogUnavailable):
        yard.prune(days=0)
    with yard.bench.engine.begin() as connection:
        connection.execute(text("ALTER TABLE log_elsewhere RENAME TO log_entries"))
    assert yard.counts()["documents"] == 2
    assert yard.counts()["evidence"] == 2
    assert yard.prune(days=0).runs == 1


def test_a_proposal_that_was_edited_stops_it(yard: Yard):
    yard.answer(yard.run())
    yard.bench.clock.advance(1)
    with yard.bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(body=b"{}"))
    before = yard.counts()["evidence"]
    with pytest.raises(CheckFailed) as caught:
        yard.prune(days=0)
    assert caught.value.code == "proposal_tampered"
    assert yard.counts()["evidence"] == before


def test_checkpoints_that_were_edited_go_like_any(yard: Yard):
    yard.run(propose=False)
    yard.kept.run("UPDATE checkpoints SET metadata = ?", b"{" if yard.kept.sqlite else "{}")
    yard.bench.clock.advance(1)
    assert yard.prune(days=0) == Pruned(runs=1, checkpoints=3, documents=2, evidence=2)


def test_several_may_prune_beside_a_run_that_works(yard: Yard):
    """Each thing is removed and counted once, and the run that works loses nothing."""
    for _ in range(8):
        yard.run(propose=False, uncited=1)
    yard.bench.clock.advance(1)
    start, done = threading.Barrier(3), list[Pruned]()

    def prune() -> None:
        start.wait(timeout=120)
        done.append(yard.prune(days=0, batch=2))

    threads = [threading.Thread(target=prune) for _ in range(2)]
    for thread in threads:
        thread.start()
    start.wait(timeout=120)
    working = yard.run(state="waiting")
    for thread in threads:
        thread.join(timeout=120)
    assert len(done) == 2
    total = done[0].and_(done[1])
    assert (total.runs, total.documents, total.evidence) == (8, 16, 8)
    assert sum(event.runs for event in yard.events()) == 8
    assert yard.verified()
    assert yard.counts()["documents"] == 2
    with yard.states() as states:
        assert states.count(working) == 3
    yard.answer(working)
    assert yard.proposal(working).state is State.DONE


# -- the command --------------------------------------------------------------------------------------------------


def job(folder: Path, *more: object) -> tuple[Command, str, str]:
    """A workspace with one whole job done: the account, the run, the proposal."""
    twokey = account(folder, "ana:analysts,sam:platform-owners", *more)
    repo = repository(folder / "repo")
    asked = twokey.json("catalog", "propose", warehouse(folder / "a.db"), "--repo", repo, "--as", "ana")
    proposal = asked["proposals"][0]["id"]
    twokey.json("approvals", "approve", proposal, "--as", "sam")
    return twokey, asked["run"], proposal


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_the_command_prunes_and_everything_can_still_be_shown(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
):
    more = () if store == "sqlite" else ("--store", str(request.getfixturevalue("postgresql_url")))
    twokey, run, proposal = job(tmp_path, *more)
    before = twokey.json("approvals", "show", proposal)
    size = twokey.json("audit", "verify")["size"]
    dry = twokey.json("runs", "prune", "--older-than", 0, "--dry-run", "--as", "ana")
    assert dry == {
        "runs": 1,
        "checkpoints": 8,
        "documents": dry["documents"],
        "evidence": 1,  # that nothing is wrong in the cells, which no proposal cites
        "decisions": 0,
        "dry_run": True,
    }
    assert dry["documents"] > 4
    assert twokey.json("runs", "prune", "--older-than", 0, "--as", "ana") == dry | {"dry_run": False}
    again = twokey.ok("runs", "prune", "--older-than", 0, "--as", "ana").out
    assert again == snapshot(
        "removed of 0 ended runs: 0 checkpoints, 0 documents, 0 pieces of evidence that no proposal cites\n"
    )
    verified = twokey.json("audit", "verify")
    assert verified["ok"]
    assert verified["size"] > size
    assert twokey.json("approvals", "show", proposal) | {"checkpoint": None} == before | {"checkpoint": None}
    assert before["evidence"]
    assert twokey.json("runs", "show", run)["state"] == "done"
    undoing = twokey.json("approvals", "revert", proposal, "--as", "ana")
    assert [item["state"] for item in undoing["proposals"]] == ["awaiting_approval"], "it can still be undone"


def test_the_command_wants_to_know_who_and_how_long(tmp_path: Path):
    twokey = account(tmp_path)
    assert twokey("runs", "prune").code != 0, "nobody was named"
    assert twokey("runs", "prune", "--older-than", "-1", "--as", "ana").code == 2
    assert twokey("runs", "prune", "--older-than", "soon", "--as", "ana").code == 2
    assert twokey.json("runs", "prune", "--as", "ana") == {
        "runs": 0,
        "checkpoints": 0,
        "documents": 0,
        "evidence": 0,
        "decisions": 0,
        "dry_run": False,
    }
