"""The log: one transaction with the state, nothing forged gets in, nothing rolled back goes unnoticed."""

import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from support.log_world import RUN, WORKSPACE, World, step

from twokey.audit import merkle, storage
from twokey.audit.entry import Entry
from twokey.audit.keys import LogKey, WriterKey
from twokey.audit.log import OWN_ENTRIES, Log
from twokey.audit.storage import Pending
from twokey.core.errors import BadInput, CheckFailed, LogUnavailable, NotFound, Refused
from twokey.core.events import CardShown, ProposalMoved
from twokey.core.lifecycle import State
from twokey.core.values import Checkpoint
from twokey.store.database import open_engine

PROPOSAL = "p-000000000001"
CARD = CardShown(proposal=PROPOSAL, digest="a" * 64, decision_digest=None, channel="console", viewer=None)
MOVED = ProposalMoved(proposal=PROPOSAL, run=RUN, digest="a" * 64, before=None, after=State.PROPOSED, code="proposed")


def test_an_event_is_signed_in_the_transaction_that_records_it(world: World, log: Log):
    (entry_id,), checkpoint = world.record(log, step(7))
    body = Entry(id=entry_id, time_us=world.clock.now_us(), workspace=WORKSPACE, event=step(7)).encode()
    assert checkpoint == world.key.signer.checkpoint(1, merkle.leaf_hash(body))
    assert log.latest() == checkpoint
    assert log.proven(entry_id).event == step(7)
    assert log.verify().ok


def test_state_and_entry_commit_together_or_not_at_all(world: World, log: Log):
    with world.engine.begin() as connection:
        connection.execute(text("CREATE TABLE state (value INTEGER)"))
    world.record(log, step(1))
    with world.engine.connect() as connection:
        connection.execute(text("INSERT INTO state VALUES (1)"))
        log.append(connection, step(2))
        assert log.settle(connection) is not None
        connection.rollback()
    with world.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM state")).scalar() == 0
    assert [recorded.entry.event for recorded in log.entries()] == [step(1)]
    world.record(log, step(3))
    report = log.verify()
    assert (report.ok, report.size) == (True, 2)


def test_a_log_goes_on_in_another_process(world: World, log: Log):
    for number in range(5):
        world.record(log, step(number))
    other = world.open()
    world.record(other, step(5), step(6))
    world.record(log, step(7))
    assert [recorded.entry.event for recorded in log.entries()] == [step(number) for number in range(8)]
    assert log.verify().ok
    assert other.latest() == log.latest()


def test_settling_with_nothing_pending_signs_nothing(world: World, log: Log):
    with world.engine.begin() as connection:
        assert log.settle(connection) is None
    _, checkpoint = world.record(log, step())
    with world.engine.begin() as connection:
        assert log.append(connection) == ()
        assert log.settle(connection) == checkpoint


def test_settling_twice_in_one_transaction_signs_twice(world: World, log: Log):
    with world.engine.begin() as connection:
        log.append(connection, step(1))
        first = log.settle(connection)
        log.append(connection, step(2))
        second = log.settle(connection)
    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (1, 2)
    assert log.latest() == second
    assert log.verify(first.note).ok


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 9), max_size=12), st.booleans())
def test_any_sequence_of_batches_gives_the_root_of_a_naive_tree(sqlite_world: World, batches: list[int], reopen: bool):
    log = sqlite_world.open()
    before = len(log.entries())
    for size in batches:
        with sqlite_world.engine.begin() as connection:
            log.append(connection, *(step(number) for number in range(size)))
            log.settle(connection)
        if reopen:
            log = sqlite_world.open()
    recorded = log.entries()
    assert len(recorded) == before + sum(batches)
    checkpoint = log.latest()
    leaves = [merkle.leaf_hash(one.entry.encode()) for one in recorded]
    assert (checkpoint.root if checkpoint else merkle.EMPTY_ROOT.hex()) == _naive(leaves).hex()


def _naive(leaves: list[bytes]) -> bytes:
    """A tree level by level: pair, carry the odd one up."""
    if not leaves:
        return merkle.EMPTY_ROOT
    while len(leaves) > 1:
        paired = [merkle.node_hash(*leaves[place : place + 2]) for place in range(0, len(leaves) - 1, 2)]
        leaves = paired + (leaves[-1:] if len(leaves) % 2 else [])
    return leaves[0]


def test_a_batch_larger_than_a_chunk_is_taken_in_whole_and_in_order(world: World, log: Log):
    number = storage.CHUNK * 2 + 7
    with world.engine.begin() as connection:
        log.append(connection, *(step(count) for count in range(number)))
        log.settle(connection)
    assert [recorded.entry.event for recorded in log.entries(limit=number)] == [step(count) for count in range(number)]
    assert log.verify().size == number


def test_entries_of_a_process_that_forgot_its_own_are_examined_like_any_other(world: World, log: Log):
    with world.engine.begin() as connection:
        log.append(connection, *(step() for _ in range(OWN_ENTRIES + 10)))
        checkpoint = log.settle(connection)
    assert checkpoint is not None
    assert checkpoint.size == OWN_ENTRIES + 10
    assert log.rejected() == 0


# Who may do what


def test_a_writer_queues_and_a_process_with_the_log_key_covers(world: World, log: Log):
    agent = world.open(key=world.key.writer("agent"))
    with world.engine.begin() as connection:
        (entry,) = agent.append(connection, step(1))
        assert agent.settle(connection) is None
    with pytest.raises(LogUnavailable, match=r"No checkpoint covered the new log entries within 0\.05 seconds"):
        agent.wait_covered([entry], 0.05)
    with pytest.raises(NotFound):
        agent.proven(entry)
    checkpoint = log.wait_covered([entry], 60)
    assert agent.wait_covered([entry], 60) == checkpoint
    assert agent.proven(entry).event == step(1)


def test_a_writer_sees_the_covering_checkpoint_while_it_waits(world: World, log: Log):
    agent = world.open(key=world.key.writer("agent"))
    with world.engine.begin() as connection:
        entries = agent.append(connection, step(1), step(2))
    covered: list[Checkpoint] = []
    waiter = threading.Thread(target=lambda: covered.append(agent.wait_covered(entries, 30)))
    waiter.start()
    with world.engine.begin() as connection:
        log.settle(connection)
    waiter.join()
    assert covered == [log.latest()]


def test_a_reader_cannot_write(world: World):
    reader = world.open(key=world.key.verifier)
    with (
        pytest.raises(LogUnavailable, match="can read the audit log but not write"),
        world.engine.begin() as connection,
    ):
        reader.append(connection, step())
    assert reader.latest() is None
    _, checkpoint = world.record(world.open(), step())
    assert reader.latest() == checkpoint


def test_an_agents_process_cannot_record_what_the_gate_records(world: World):
    agent = world.open(key=world.key.writer("agent"))
    with pytest.raises(Refused, match=r"may not record card\.shown") as caught, world.engine.begin() as connection:
        agent.append(connection, CARD)
    assert caught.value.code == "not_this_writer"


def test_the_key_of_another_workspace_is_refused(world: World):
    with pytest.raises(LogUnavailable, match="another workspace"):
        world.open(workspace="w-000000000002")


# Pending rows that nobody with a key wrote


def _queue(connection: Connection, *rows: Pending) -> None:
    storage.queue(connection, rows)


def _forged(world: World, key: WriterKey | None = None, **changes: Any) -> Pending:
    entry = Entry(id=world.ids.new("l"), time_us=0, workspace=changes.pop("workspace", WORKSPACE), event=MOVED)
    body = entry.encode()
    mac = key.mac(body) if key else bytes(32)
    values: dict[str, Any] = {"entry_id": entry.id, "writer": "gate", "body": body, "mac": mac}
    return Pending(**(values | changes))


def test_a_forged_pending_row_is_never_integrated_and_said_loudly(
    world: World, log: Log, caplog: pytest.LogCaptureFixture
):
    gate, agent = world.key.writer("gate"), world.key.writer("agent")
    other = LogKey(WORKSPACE, b"\x09" * 32)
    (first,), _ = world.record(log, step(1))
    body = log.proven(first).encode()
    forged = {
        "bad_mac": _forged(world),
        "unknown_writer": _forged(world, gate, writer="root"),
        "not_allowed": _forged(world, agent, writer="agent"),
        "other_workspace": _forged(world, gate, workspace="w-000000000002"),
        "unreadable": Pending("l-000000000099", "gate", b"{}", gate.mac(b"{}")),
        "replayed": Pending(first, "gate", body, gate.mac(body)),
    }
    with world.engine.begin() as connection:
        _queue(connection, *forged.values())
        _queue(connection, _forged(world, other.writer("gate")), _forged(world, agent, writer="gate"))
        _queue(connection, _forged(world, gate, entry_id="l-zzzzzzzzzzzz"))
    with caplog.at_level(logging.ERROR, "twokey.audit"):
        world.record(log, step(2))
    assert [recorded.entry.event for recorded in log.entries()] == [step(1), step(2)]
    reasons = [*forged, "bad_mac", "bad_mac", "replayed"]
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == reasons
    assert PROPOSAL not in caplog.text
    assert log.rejected() == len(reasons)
    report = log.verify()
    assert report.ok
    assert "9 pending rows were refused and set aside: somebody wrote to the database" in report.remarks
    with world.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM log_pending")).scalar() == 0


def test_only_forged_rows_lead_to_no_new_checkpoint(world: World, log: Log):
    _, checkpoint = world.record(log, step(1))
    with world.engine.begin() as connection:
        _queue(connection, _forged(world))
    with world.engine.begin() as connection:
        assert log.settle(connection) == checkpoint
    assert log.rejected() == 1


def test_one_entry_queued_twice_is_recorded_once(world: World, log: Log):
    row = _forged(world, world.key.writer("gate"))
    with world.engine.begin() as connection:
        _queue(connection, row, row)
        log.settle(connection)
    assert (log.verify().size, log.rejected()) == (1, 1)


def test_waiting_for_an_entry_that_was_removed_or_refused_ends_at_once(world: World, log: Log):
    with world.engine.begin() as connection:
        (entry,) = world.open(key=world.key.writer("agent")).append(connection, step(1))
    with world.engine.begin() as connection:
        connection.execute(text("DELETE FROM log_pending"))
    with pytest.raises(LogUnavailable, match="neither recorded nor pending: it was refused or removed"):
        log.wait_covered([entry], 60)


# Rows that were written behind the log's back


def _insert_by_hand(world: World, seq: int) -> Entry:
    entry = Entry(id=world.ids.new("l"), time_us=0, workspace=WORKSPACE, event=MOVED)
    body = entry.encode()
    row = storage.Row(seq, entry.id, entry.subject, entry.kind, body, merkle.leaf_hash(body))
    with world.engine.begin() as connection:
        storage.grow(connection, storage.Growth([row], 0, []))
    return entry


def test_an_entry_inserted_by_hand_is_not_proven_and_stops_the_log(world: World, log: Log):
    """The triggers let a row with the next number in; no checkpoint will ever cover it."""
    world.record(log, step(1))
    forged = _insert_by_hand(world, 1)
    with pytest.raises(CheckFailed, match="no signed checkpoint covers it"):
        log.proven(forged.id)
    with pytest.raises(LogUnavailable, match="entries that no checkpoint covers"):
        world.record(log, step(2))
    report = log.verify()
    assert (report.ok, report.first_bad) == (False, 1)
    assert log.find(PROPOSAL, "proposal.moved")[0].entry == forged  # the index shows what it holds: no authority


def test_an_entry_inserted_into_an_empty_log_is_not_proven(world: World, log: Log):
    forged = _insert_by_hand(world, 0)
    with pytest.raises(CheckFailed, match="no signed checkpoint covers it"):
        log.proven(forged.id)
    with pytest.raises(LogUnavailable, match="behind Twokey's back"):
        world.record(log, step(2))


def _unlock(connection: Connection) -> None:
    """Take the triggers away, as the owner of the tables or of the file can."""
    if connection.dialect.name == "sqlite":
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}"))
    else:
        for table in storage.TABLES.tables:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


def _tamper(engine: Engine, *statements: str, **values: Any) -> None:
    with engine.begin() as connection:
        _unlock(connection)
        for statement in statements:
            connection.execute(text(statement), values)


def _filled(world: World, log: Log, number: int = 6) -> list[str]:
    return [world.record(log, step(count))[0][0] for count in range(number)]


def _other_body(log: Log, entry_id: str, **changes: Any) -> dict[str, bytes]:
    body = log.proven(entry_id).model_copy(update={"event": step(99), **changes}).encode()
    return {"body": body, "leaf": merkle.leaf_hash(body)}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE log_entries SET body = :body WHERE seq = 2", "leads to another root"),
        ("UPDATE log_entries SET body = :body, leaf_hash = :leaf WHERE seq = 2", "leads to another root"),
        ("UPDATE log_entries SET seq = 77 WHERE seq = 2", "no signed checkpoint covers it"),
        ("DELETE FROM log_nodes", "is missing"),
    ],
)
def test_a_changed_row_is_never_proven(world: World, log: Log, statement: str, why: str):
    entries = _filled(world, log)
    values = _other_body(log, entries[2])
    _tamper(world.engine, statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    with pytest.raises(CheckFailed, match=why):
        log.proven(entries[2])
    assert not log.verify().ok


def test_two_rows_that_changed_their_ids_are_not_proven(world: World, log: Log):
    """A refusal that is stored under the id of an approval proves nothing."""
    entries = _filled(world, log)
    _tamper(
        world.engine,
        f"UPDATE log_entries SET id = 'x' WHERE id = '{entries[1]}'",
        f"UPDATE log_entries SET id = '{entries[1]}' WHERE id = '{entries[4]}'",
        f"UPDATE log_entries SET id = '{entries[4]}' WHERE id = 'x'",
    )
    for entry in (entries[1], entries[4]):
        with pytest.raises(CheckFailed, match="the row holds another entry"):
            log.proven(entry)
    assert log.verify().first_bad == 1


def test_an_unknown_entry_is_not_found(world: World, log: Log):
    world.record(log, step())
    with pytest.raises(NotFound, match="has no entry 'l-zzzzzzzzzzzz'"):
        log.proven("l-zzzzzzzzzzzz")


# Rollback


def test_a_log_that_lost_its_end_is_refused(world: World, log: Log):
    _filled(world, log)
    _tamper(
        world.engine,
        "DELETE FROM log_entries WHERE seq >= 4",
        "DELETE FROM log_nodes WHERE pos >= 3",
        "DELETE FROM log_checkpoints WHERE size > 4",
        "UPDATE log_head SET size = 4",
    )
    for reader in (log, world.open()):  # the same process, and one that was started afterwards
        with pytest.raises(LogUnavailable, match="rolled back or replaced: it has size 4, and size 6 was seen"):
            reader.latest()
        with pytest.raises(LogUnavailable, match="rolled back"):
            world.record(reader, step(9))
    assert world.open(key=world.key.verifier).verify().ok  # consistent in itself: only a pin or an old checkpoint tells


def test_an_emptied_log_is_refused(world: World, log: Log):
    _filled(world, log)
    _tamper(world.engine, *(f"DELETE FROM {table}" for table in storage.TABLES.tables if table != "log_head"))
    with pytest.raises(LogUnavailable, match="it has no checkpoint, and one of size 6 was seen"):
        world.open().latest()


def test_a_replaced_log_signed_with_the_same_key_is_refused(world: World, log: Log, tmp_path: Path):
    """A fork: another history of the same length or longer, signed by a holder of the key."""
    _filled(world, log)
    held = log.latest()
    assert held is not None
    _tamper(
        world.engine,
        "DELETE FROM log_entries WHERE seq >= 4",
        "DELETE FROM log_nodes WHERE pos >= 3",
        "DELETE FROM log_checkpoints WHERE size > 4",
        "UPDATE log_head SET size = 4",
    )
    elsewhere = world.open(pin=tmp_path / "another.pin")
    for number in range(90, 92):
        world.record(elsewhere, step(number))
    with pytest.raises(LogUnavailable, match="does not continue the log of size 6"):
        world.open().latest()
    world.record(elsewhere, step(92))
    with pytest.raises(LogUnavailable, match="does not continue the log of size 6"):
        log.latest()
    report = elsewhere.verify(held.note)
    assert (report.ok, report.rollback_checked, report.first_bad) == (False, True, None)
    assert "rewritten" in report.reason
    assert elsewhere.verify().ok


def test_the_pin_follows_the_log(world: World, log: Log):
    _filled(world, log, 3)
    pinned = world.pin.read_text().rstrip("\n") + "\n"
    assert world.key.verifier.checkpoint(pinned) == log.latest()


def test_a_checkpoint_that_was_not_confirmed_is_pinned_by_what_comes_next(world: World, log: Log):
    for number in range(2):
        with world.engine.begin() as connection:
            log.append(connection, step(number))
            log.settle(connection)
    assert world.key.verifier.checkpoint(world.pin.read_text().rstrip("\n") + "\n").size == 1


def test_a_checkpoint_that_was_rolled_back_is_never_pinned(world: World, log: Log):
    world.record(log, step(1))
    with world.engine.connect() as connection:
        log.append(connection, step(2))
        log.settle(connection)
        log.append(connection, step(3))
        log.settle(connection)
        connection.rollback()
    latest = log.latest()
    assert latest is not None
    assert latest.size == 1
    world.record(log, step(4))
    assert log.verify().size == 2


def test_a_checkpoint_that_is_not_signed_by_the_key_stops_everything(world: World, log: Log):
    entries = _filled(world, log)
    other = LogKey(WORKSPACE, b"\x09" * 32).signer.checkpoint(7, bytes(32))
    _tamper(
        world.engine,
        "INSERT INTO log_checkpoints (size, root, note, time_us) VALUES (7, :root, :note, 0)",
        root=bytes(32),
        note=other.note,
    )
    for use in (log.latest, lambda: log.proven(entries[0]), lambda: log.wait_covered(entries[:1], 1)):
        with pytest.raises(LogUnavailable, match="latest checkpoint does not verify"):
            use()


@pytest.mark.parametrize("damage", ["DELETE FROM log_nodes WHERE pos = 3", "UPDATE log_nodes SET hash = :hash"])
def test_nothing_is_signed_on_top_of_a_damaged_tree(world: World, log: Log, damage: str):
    _filled(world, log)
    _tamper(world.engine, damage, **({"hash": bytes(32)} if "hash" in damage else {}))
    with pytest.raises(LogUnavailable, match="stored tree does not lead to its signed checkpoint"):
        world.record(world.open(), step(9))


def test_a_log_without_its_head_takes_nothing(world: World, log: Log):
    with world.engine.begin() as connection:
        _unlock(connection)
        connection.execute(text("DELETE FROM log_head"))
    with world.engine.begin() as connection:
        (entry,) = log.append(connection, step(1))
        assert log.settle(connection) is None
    with pytest.raises(LogUnavailable, match="not complete"):
        log.wait_covered([entry], 60)


# Reading


def test_entries_are_shown_in_order_by_subject_and_kind(world: World, log: Log):
    world.record(log, step(1), MOVED, CARD, step(2))
    world.record(log, MOVED)
    assert [recorded.seq for recorded in log.entries()] == [0, 1, 2, 3, 4]
    assert [recorded.seq for recorded in log.entries(after=1, limit=2)] == [2, 3]
    assert [recorded.seq for recorded in log.entries(PROPOSAL)] == [1, 2, 4]
    assert [recorded.seq for recorded in log.find(PROPOSAL, "proposal.moved")] == [1, 4]


def test_an_old_checkpoint_that_is_none_is_bad_input(world: World, log: Log):
    world.record(log, step())
    with pytest.raises(BadInput, match="held elsewhere is not"):
        log.verify("nonsense")


# Faults of the surroundings


def test_a_full_database_acknowledges_nothing(sqlite_world: World):
    log = sqlite_world.open()
    sqlite_world.record(log, step(1))
    with sqlite_world.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(LogUnavailable, match=r"database failed \(OperationalError\)"):
            log.append(connection, *(step(number) for number in range(500)))
    assert log.verify().size == 1


def test_a_read_only_database_is_a_clear_sentence(sqlite_world: World):
    log = sqlite_world.open()
    sqlite_world.record(log, step(1))
    with sqlite_world.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(LogUnavailable, match="database failed"):
            log.append(connection, step(2))
        connection.exec_driver_sql("PRAGMA query_only=OFF")
    assert log.verify().size == 1


def test_a_database_that_is_gone_is_a_clear_sentence(postgresql_world: World):
    log = postgresql_world.open()
    postgresql_world.record(log, step(1))
    gone = postgresql_world.engine.url.set(host="/nonexistent", query={})
    engine = open_engine(gone.render_as_string(hide_password=False))
    with pytest.raises(LogUnavailable, match="database failed"):
        postgresql_world.open(engine).latest()
    engine.dispose()


def test_two_sequencers_do_not_wait_for_each_other(postgresql_world: World):
    """On PostgreSQL the second one leaves the work to the first and waits for the checkpoint after its own commit."""
    one, other = postgresql_world.open(), postgresql_world.open()
    with postgresql_world.engine.begin() as first:
        one.append(first, step(1))
        assert one.settle(first) is not None
        with postgresql_world.engine.begin() as second:
            (entry,) = other.append(second, step(2))
            assert other.settle(second) is None
        with pytest.raises(LogUnavailable, match="LockNotAvailable"):
            other.wait_covered([entry], 0.2)
    assert other.wait_covered([entry], 60).size == 2
    assert [recorded.entry.event for recorded in one.entries()] == [step(1), step(2)]


def test_what_was_committed_first_comes_first_even_if_queued_later(postgresql_world: World):
    """A transaction still open when another one begins and commits is not ordered before it by its number."""
    log = postgresql_world.open()
    agent = postgresql_world.open(key=postgresql_world.key.writer("agent"))
    with postgresql_world.engine.begin() as slow:
        agent.append(slow, step(1))  # takes the smaller number
        with postgresql_world.engine.begin() as quick:
            agent.append(quick, step(2))
        with postgresql_world.engine.begin() as sequencer:
            log.settle(sequencer)
    with postgresql_world.engine.begin() as sequencer:
        log.settle(sequencer)
    assert [recorded.entry.event for recorded in log.entries()] == [step(2), step(1)]
    assert log.verify().ok


def test_a_raw_error_of_the_database_at_commit_leaves_nothing_behind(postgresql_world: World):
    """A deferred constraint fails at COMMIT itself: what was signed in the transaction never existed."""
    log = postgresql_world.open()
    with postgresql_world.engine.begin() as connection:
        connection.execute(text("CREATE TABLE once (v INTEGER UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    postgresql_world.record(log, step(1))
    with postgresql_world.engine.connect() as connection:
        connection.execute(text("INSERT INTO once VALUES (1), (1)"))
        log.append(connection, step(2))
        assert log.settle(connection) is not None
        with pytest.raises(DBAPIError):
            connection.commit()
    postgresql_world.record(log, step(3))
    assert [recorded.entry.event for recorded in log.entries()] == [step(1), step(3)]
    assert log.verify().ok
