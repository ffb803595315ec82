"""State and log in one transaction, and what the log proves of a life."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, create_engine, event, func, select, text, update
from sqlalchemy.exc import OperationalError
from support.bench import CountingIds, FixedClock

from twokey.audit import storage
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.core.canonical import commitment
from twokey.core.errors import CheckFailed, LogUnavailable, Refused
from twokey.core.events import StepEnded, StepStarted
from twokey.store import database, migrate, tables
from twokey.tools.ledger import PAGE, Ledger
from twokey.tools.turns import Turns

WORKSPACE = "w-000000000000"
RUN, OTHER = "r-000000000001", "r-000000000002"


def started(step: int = 0, run: str = RUN) -> StepStarted:
    return StepStarted(run=run, step=step, agent="catalog")


def finished(step: int = 0, run: str = RUN) -> StepEnded:
    return StepEnded(run=run, step=step, agent="catalog", code="ok", findings=0)


class Books:
    """A ledger with what it stands on."""

    def __init__(self, folder: Path, url: str, clock: FixedClock, ids: CountingIds) -> None:
        self.engine = database.open_engine(url)
        migrate.migrate(self.engine)
        storage.migrate(self.engine)
        self.key = LogKey.create(folder / "log.key", WORKSPACE)
        self.clock, self.ids = clock, ids
        self.log = self.open(self.key)
        self.ledger = Ledger(self.engine, self.log, ids)

    def open(self, key: Any, **more: Any) -> Log:
        return Log(self.engine, workspace=WORKSPACE, clock=self.clock, ids=self.ids, key=key, **more)

    @property
    def several(self) -> bool:
        """Whether the database has several writers at once, so that changes take no turns."""
        return self.engine.dialect.name == "postgresql"

    def rows(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(tables.openings)).scalar_one()

    def size(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(storage.ENTRIES)).scalar_one()


@pytest.fixture
def books(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Books]:
    made = Books(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()


# -- one transaction ----------------------------------------------------------------------------------------------


def test_a_change_returns_once_a_checkpoint_covers_it(books: Books):
    with books.ledger.change() as unit:
        opened = unit.commit_to({"a": 1})
        entry = unit.record(started())
    checkpoint = books.ledger.checkpoint()
    assert checkpoint is not None
    assert checkpoint.size == 1
    assert books.ledger.proven(entry).event == started()
    with books.ledger.look() as connection:
        row = connection.execute(select(tables.openings)).one()
    assert (row.commitment, commitment(row.salt, {"a": 1})) == (opened, opened)


def test_a_change_without_an_entry_is_a_change(books: Books):
    with books.ledger.change() as unit:
        unit.commit_to("a")
    assert (books.rows(), books.size()) == (1, 0)


@pytest.mark.parametrize("error", [Refused("No.", next="No."), KeyboardInterrupt(), ValueError()], ids=str)
def test_an_error_inside_leaves_neither_row_nor_entry(books: Books, error: BaseException):
    def spoiled() -> None:
        with books.ledger.change() as unit:
            unit.commit_to("a")
            unit.record(started())
            raise error

    with pytest.raises(type(error)):
        spoiled()
    assert (books.rows(), books.size()) == (0, 0)


def test_several_events_come_in_their_order(books: Books):
    entries = books.ledger.record(started(), finished())
    assert [books.ledger.proven(entry).event.kind for entry in entries] == ["step.started", "step.ended"]
    books.ledger.record(started(1))
    assert [event.step for event in books.ledger.history(RUN, "step.started") if isinstance(event, StepStarted)] == [
        0,
        1,
    ]


def test_a_history_has_no_length_at_which_it_ends(books: Books):
    count = PAGE + 3
    books.ledger.record(*(started(number) for number in range(count)))
    steps = [past.step for past in books.ledger.history(RUN, "step.started") if isinstance(past, StepStarted)]
    assert steps == list(range(count))


# -- databases that fail ------------------------------------------------------------------------------------------


def refuse_commits(engine: Any) -> None:
    """Make the database refuse what is committed: at the statement on SQLite, at the commit on PostgreSQL."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(
                text(
                    "CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE 'disk full'; END $$ LANGUAGE plpgsql"
                )
            )
            connection.execute(
                text(
                    "CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON openings "
                    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION full_disk()"
                )
            )
        else:
            connection.execute(
                text("CREATE TRIGGER full_disk AFTER INSERT ON openings BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            )


def attempt(ledger: Ledger) -> None:
    with ledger.change() as unit:
        unit.record(started())
        unit.commit_to("a secret")


def test_a_change_that_the_database_refuses_is_not_acknowledged(books: Books):
    refuse_commits(books.engine)
    with pytest.raises(LogUnavailable) as caught:
        attempt(books.ledger)
    assert "secret" not in caught.value.message
    assert (books.rows(), books.size()) == (0, 0)
    books.ledger.record(started())
    assert books.log.verify().ok


def test_a_commit_that_fails_is_not_acknowledged(books: Books):
    """A foreign key that is checked at the commit stands for a disk that is full then."""
    deferred = "PRAGMA defer_foreign_keys = ON" if books.engine.dialect.name == "sqlite" else None
    if deferred is None:
        refuse_commits(books.engine)

    def change() -> None:
        with books.ledger.change() as unit:
            if deferred:
                unit.connection.exec_driver_sql(deferred)
                unit.connection.execute(text("INSERT INTO documents VALUES ('r-none', 'a', x'00', 0)"))
            unit.commit_to("a")
            unit.record(started())

    with pytest.raises(LogUnavailable):
        change()
    assert (books.rows(), books.size()) == (0, 0)
    books.ledger.record(started())
    assert books.log.verify().ok


@pytest.mark.postgresql
def test_a_server_that_goes_away_before_the_commit_leaves_nothing_and_the_next_change_works(
    tmp_path: Path, postgresql_url: str, clock: FixedClock, ids: CountingIds
):
    books = Books(tmp_path, postgresql_url, clock, ids)
    killer = create_engine(books.engine.url, isolation_level="AUTOCOMMIT")

    victims: list[Connection] = []

    def kill(connection: Connection) -> None:
        if victims:
            return
        victims.append(connection)
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with killer.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})

    event.listen(books.engine, "commit", kill)
    with pytest.raises(LogUnavailable):
        attempt(books.ledger)
    assert (books.rows(), books.size()) == (0, 0)
    attempt(books.ledger)
    assert (len(victims), books.rows(), books.log.verify().ok) == (1, 1, True)
    killer.dispose()
    books.engine.dispose()


def test_a_database_that_is_no_database_is_one_sentence(
    tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds
):
    books = Books(tmp_path, sqlite_url, clock, ids)
    books.engine.dispose()
    path = Path(str(books.engine.url.database))
    for side in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        side.unlink(missing_ok=True)
    path.write_bytes(b"no database " * 400)

    def look() -> None:
        with books.ledger.look() as connection:
            connection.execute(text("SELECT 1 FROM runs"))

    for act in (look, lambda: attempt(books.ledger), books.ledger.catch_up):
        with pytest.raises(LogUnavailable):
            act()
    books.engine.dispose()


def test_looking_changes_nothing(books: Books):
    with books.ledger.look() as connection:
        assert connection.execute(select(func.count()).select_from(tables.openings)).scalar_one() == 0
    assert books.size() == 0


# -- committed together -------------------------------------------------------------------------------------------


class Many:
    """Threads that each record one entry."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.entries: dict[int, str] = {}
        self.faults: list[LogUnavailable] = []
        self.threads: list[threading.Thread] = []

    def wait(self, step: int) -> None:
        """Have one more thread record an entry; returns once it waits."""
        waiting = self.ledger.turns._waiting  # pyright: ignore[reportPrivateUsage]
        before = len(waiting)

        def record() -> None:
            try:
                (self.entries[step],) = self.ledger.record(started(step))
            except LogUnavailable as fault:
                self.faults.append(fault)

        self.threads.append(threading.Thread(target=record))
        self.threads[-1].start()
        while len(waiting) == before:
            threading.Event().wait(0.001)

    def end(self) -> None:
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


def waiting_behind(ledger: Ledger, steps: Iterable[int]) -> Many:
    """Have threads wait with an entry each. The turn is held meanwhile and given back as if nobody had waited."""
    many, turns = Many(ledger), ledger.turns
    free = ledger.engine.dialect.name == "postgresql"  # changes take no turn there
    if free:
        assert turns.come(None) is None
    for step in steps:
        many.wait(step)
    if free:
        turns._held = False  # pyright: ignore[reportPrivateUsage]
    return many


def sizes(books: Books) -> list[int]:
    query = select(storage.CHECKPOINTS.c.size).order_by(storage.CHECKPOINTS.c.size)
    with books.engine.connect() as connection:
        return list(connection.execute(query).scalars())


def test_entries_of_other_threads_go_with_a_change_under_one_checkpoint(books: Books):
    with books.ledger.change() as unit:
        unit.commit_to("a")
        unit.record(started())
        many = waiting_behind(books.ledger, range(1, 5))
        assert many.entries == {}
    many.end()
    assert (books.rows(), books.size(), sizes(books)) == (1, 5, [5])
    for step, entry in many.entries.items():
        assert books.ledger.proven(entry).event == started(step)
    assert [entry.event for entry in books.ledger.life(RUN, "step.started")] == [started(step) for step in range(5)]
    assert books.log.verify().ok


def test_entries_go_even_with_a_change_that_has_none(books: Books):
    with books.ledger.change() as unit:
        unit.commit_to("a")
        many = waiting_behind(books.ledger, [1])
    many.end()
    assert (books.rows(), books.size(), sizes(books)) == (1, 1, [1])


def test_a_change_that_fails_takes_nobody_with_it(books: Books):
    many = Many(books.ledger)

    def spoiled() -> None:
        with books.ledger.change() as unit, books.ledger.turns if books.several else nullcontext():
            unit.record(started())
            many.wait(1)
            many.wait(2)
            raise Refused("No.", next="No.")

    with pytest.raises(Refused):
        spoiled()
    many.end()
    assert many.faults == []
    assert books.size() == 2
    assert {step: books.ledger.proven(many.entries[step]).event for step in (1, 2)} == {1: started(1), 2: started(2)}


def test_what_cannot_be_committed_is_reported_to_everybody_and_leaves_nothing(books: Books):
    def full(connection: Connection) -> None:
        del connection
        raise OperationalError("COMMIT", {}, Exception("the disk is full"))

    def spoiled() -> Many:
        with books.ledger.change() as unit:
            unit.commit_to("a")
            many = waiting_behind(books.ledger, [1, 2])
            everybody.append(many)
            event.listen(books.engine, "commit", full)
        return many

    everybody: list[Many] = []
    with pytest.raises(LogUnavailable):
        spoiled()
    everybody[0].end()
    event.remove(books.engine, "commit", full)
    assert everybody[0].entries == {}
    assert [fault.code for fault in everybody[0].faults] == [LogUnavailable.default_code] * 2
    assert len({id(fault) for fault in everybody[0].faults}) == 2, "each thread has an error of its own"
    assert (books.rows(), books.size(), sizes(books)) == (0, 0, [])
    books.ledger.record(started())
    assert books.log.verify().ok


def test_a_log_that_was_rolled_back_takes_nothing_from_anybody(books: Books):
    books.ledger.record(started())
    unguarded(books, lambda connection: connection.execute(text("DELETE FROM log_checkpoints")))
    everybody: list[Many] = []

    def spoiled() -> None:
        with books.ledger.change() as unit:
            unit.record(started(9))
            everybody.append(waiting_behind(books.ledger, [1, 2]))

    with pytest.raises(LogUnavailable, match="rolled back"):
        spoiled()
    everybody[0].end()
    assert all("rolled back" in fault.message for fault in everybody[0].faults)
    assert len(everybody[0].faults) == 2
    assert books.size() == 1


def test_nobody_waits_for_a_turn_for_ever(books: Books):
    impatient = Ledger(books.engine, books.log, books.ids, turns=Turns(0.01))
    with impatient.turns, pytest.raises(LogUnavailable):
        impatient.record(started())
    assert books.size() == 0
    impatient.record(started())
    assert books.size() == 1


def test_nothing_is_recorded_of_no_events(books: Books):
    assert books.ledger.record() == ()
    assert (books.size(), sizes(books)) == (0, [])


def test_many_threads_that_record_share_checkpoints_and_lose_nothing(books: Books):
    with ThreadPoolExecutor(16) as pool:
        entries = [one for (one,) in pool.map(books.ledger.record, [started(step % 50) for step in range(96)])]
    assert len(set(entries)) == books.size() == 96
    assert sizes(books)[-1] == 96
    for entry in entries:
        books.ledger.proven(entry)
    assert books.log.verify().ok


def test_a_process_without_the_log_key_waits_for_all_that_it_committed_together(books: Books):
    agent = Ledger(books.engine, books.open(books.key.writer("agent")), books.ids, cover_timeout_s=0.2)
    everybody: list[Many] = []

    def waits() -> None:
        with agent.change() as unit:
            unit.record(started())
            everybody.append(waiting_behind(agent, [1]))

    with pytest.raises(LogUnavailable, match="checkpoint"):
        waits()
    everybody[0].end()
    assert ["checkpoint" in fault.message for fault in everybody[0].faults] == [True]
    books.ledger.catch_up()
    assert (books.size(), books.log.verify().ok) == (2, True)


# -- processes without the log key --------------------------------------------------------------------------------


def test_a_process_without_the_log_key_waits_and_then_says_why(books: Books):
    agent = Ledger(books.engine, books.open(books.key.writer("agent")), books.ids, cover_timeout_s=0.2)
    with pytest.raises(LogUnavailable) as caught:
        agent.record(started())
    assert "checkpoint" in caught.value.message
    assert books.size() == 0
    books.ledger.catch_up()
    assert books.size() == 1
    books.ledger.catch_up()
    assert (books.size(), books.log.verify().ok) == (1, True)


def test_a_process_without_the_log_key_returns_once_another_has_signed(books: Books):
    agent = Ledger(books.engine, books.open(books.key.writer("agent")), books.ids)
    entries: list[str] = []
    thread = threading.Thread(target=lambda: entries.extend(agent.record(started())))
    committed = threading.Event()

    def seen(connection: Connection) -> None:
        del connection
        committed.set()

    event.listen(books.engine, "commit", seen)
    thread.start()
    while not entries and thread.is_alive():
        committed.wait(60)
        books.ledger.catch_up()
        thread.join(0.05)
    event.remove(books.engine, "commit", seen)
    assert books.ledger.proven(entries[0]).event == started()


def test_a_process_that_only_reads_signs_nothing(books: Books):
    reader = Ledger(books.engine, books.open(books.key.verifier), books.ids)
    with pytest.raises(LogUnavailable):
        reader.record(started())
    reader.catch_up()
    assert books.size() == 0


# -- a life, proven -----------------------------------------------------------------------------------------------


def test_a_life_is_every_entry_from_its_beginning_and_of_nobody_else(books: Books):
    books.ledger.record(started(0, OTHER), finished(0, OTHER))
    books.ledger.record(finished(8), started(1), started(1, OTHER), finished(1), started(2))
    assert [entry.event for entry in books.ledger.life(RUN, "step.started")] == [started(1), finished(1), started(2)]


@pytest.mark.parametrize("before", [0, 1, 5, 8])
def test_a_life_may_be_longer_than_a_page_and_begin_anywhere(books: Books, before: int):
    if before:
        books.ledger.record(*(started(number, OTHER) for number in range(before)))
    books.ledger.record(*(started(number) for number in range(PAGE + 1)), *(finished(0, OTHER) for _ in range(3)))
    assert len(books.ledger.life(RUN, "step.started")) == PAGE + 1


def test_what_has_no_beginning_under_a_checkpoint_is_not_proven(books: Books):
    for _ in range(2):
        with pytest.raises(CheckFailed) as caught:
            books.ledger.life(RUN, "step.started")
        assert caught.value.code == "history_not_proven"
        books.ledger.record(finished())


def unguarded(books: Books, change: Callable[[Connection], Any]) -> None:
    """Edit the log as only the owner of the database can."""
    with books.engine.begin() as connection:
        if books.engine.dialect.name == "postgresql":
            for table in storage.TABLES.tables:
                connection.execute(text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
        else:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        change(connection)


def nth(number: int) -> Any:
    return storage.ENTRIES.c.seq == number


def swap(connection: Connection) -> None:
    bodies = {row.seq: row.body for row in connection.execute(select(storage.ENTRIES))}
    for one, other in ((4, 5), (5, 4)):
        connection.execute(update(storage.ENTRIES).where(nth(one)).values(body=bodies[other]))


def edit(statement: Executable) -> Callable[[Connection], Any]:
    def change(connection: Connection) -> None:
        connection.execute(statement)

    return change


ENTRIES, NODES = storage.ENTRIES, storage.NODES


@pytest.mark.parametrize(
    "change",
    [
        edit(ENTRIES.delete().where(nth(6))),
        edit(ENTRIES.delete().where(ENTRIES.c.seq > 4)),
        edit(update(ENTRIES).where(nth(5)).values(body=b"{}")),
        edit(update(ENTRIES).where(nth(6)).values(seq=60)),
        swap,
        edit(NODES.delete()),
        edit(update(NODES).values(hash=b"\1" * 32)),
    ],
    ids=["gap", "shortened", "changed", "moved", "swapped", "no tree", "other tree"],
)
def test_a_life_with_anything_hidden_or_changed_is_not_proven(books: Books, change: Callable[[Connection], Any]):
    books.ledger.record(*(started(number, OTHER) for number in range(4)))
    books.ledger.record(*(started(number) for number in range(5)))
    assert len(books.ledger.life(RUN, "step.started")) == 5
    unguarded(books, change)
    with pytest.raises(CheckFailed):
        books.ledger.life(RUN, "step.started")
