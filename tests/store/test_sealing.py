"""Sealed values: nobody reads them without the key, none opens in another's place, and none is changed unnoticed."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update
from support import store_values as made
from support.sealed import SECRET, WORKSPACE, everything, fill, read, sealer

from twokey.core import canonical
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault
from twokey.core.lifecycle import State
from twokey.store import database, evidence, inbox, proposals, readable, runs, sealing, tables
from twokey.store.decisions import get_decisions
from twokey.store.inbox import InboundRecord
from twokey.store.sealing import KeyFile, add_key, drop_keys

BODY = tables.inbox.c.body
REASON = tables.approvals.c.reason


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with one key."""
    add_key(tmp_path / "store.key", WORKSPACE)
    return tmp_path / "store.key"


@pytest.fixture
def engine(database_url: str, key: Path) -> Iterator[Engine]:
    """A store that seals, on SQLite and on PostgreSQL."""
    opened = database.open_engine(database_url, sealer(key))
    yield opened
    opened.dispose()


def test_nothing_of_what_is_kept_stands_in_the_database(engine: Engine, database_url: str):
    with engine.begin() as connection:
        fill(connection)
    copied = everything(database_url)
    assert sealing.sealer_in(engine) is not None
    assert SECRET.encode() not in copied
    assert made.SALT.encode() not in copied, "beside the log, a salt lets short values be guessed"
    assert b"r-000000000001" in copied
    with engine.connect() as connection:
        assert made.SALT in read(connection)


def test_the_same_without_a_key_shows_that_the_test_would_see_it(database_url: str):
    engine = database.open_engine(database_url)
    with engine.begin() as connection:
        fill(connection)
        read(connection)
    engine.dispose()
    assert everything(database_url).count(SECRET.encode()) > 12


@pytest.mark.parametrize(
    ("table", "columns", "named"),
    [
        ("runs", ("request", "places", "message"), "id"),
        ("documents", ("body",), "run"),
        ("evidence", ("value", "content"), "id"),
        ("openings", ("value",), "commitment"),
        ("proposals", ("body", "decision", "result"), "id"),
        ("approvals", ("reason",), "entry"),
        ("broken_glass", ("ticket", "reason", "review"), "id"),
        ("inbox", ("body",), "id"),
        ("decisions", ("document", "answer"), "entry"),
    ],
)
def test_a_value_that_was_moved_or_changed_does_not_open(
    engine: Engine, table: str, columns: tuple[str, ...], named: str
):
    with engine.begin() as connection:
        fill(connection, 1)
        fill(connection, 2)
    shape = tables.metadata.tables[table]
    for column in columns:
        with engine.connect() as connection:
            first, second = sorted(connection.execute(select(shape)).mappings(), key=lambda row: row[named])
        others = [first[each] for each in columns if each != column and type(first[each]) is type(first[column])]
        for stolen in (second[column], *others, *_spoiled(first[column])):
            with engine.connect() as connection, connection.begin() as transaction:
                connection.execute(update(shape).where(shape.c[named] == first[named]).values({column: stolen}))
                with pytest.raises((CheckFailed, EnvironmentFault, AssertionError)):
                    _ = read(connection, 1), read(connection, 2)
                transaction.rollback()
    with engine.connect() as connection:
        read(connection)


def _spoiled(value: Any) -> list[Any]:
    """The value cut off, with a bit turned at several places, and with another letter in a text."""
    if isinstance(value, str):
        return [
            value[:-4],
            value[:20],
            value[:-9] + ("A" if value[-9] != "A" else "B") + value[-8:],
            "twokey-sealed/1 é",
        ]
    return [value[:-1], value[:30], value[:9], *(_turned(value, at) for at in (14, 30, -1))]


def _turned(value: bytes, at: int) -> bytes:
    changed = bytearray(value)
    changed[at] ^= 1
    return bytes(changed)


def test_a_changed_value_is_reported_as_a_changed_row(engine: Engine):
    with engine.begin() as connection:
        fill(connection)
        stored = connection.execute(select(tables.documents.c.body)).scalar_one()
        connection.execute(update(tables.documents).values(body=_turned(stored, -1)))
        with pytest.raises(CheckFailed) as caught:
            runs.get_document(connection, run="r-000000000001", name="plan")
        assert caught.value.code == "document_tampered"


def test_the_same_value_is_never_sealed_twice_alike(engine: Engine):
    with engine.connect() as connection:
        sealed = {sealing.closed(connection, BODY, "i-1", b"same") for _ in range(2000)}
    nonces = {each[sealing.HEADER_BYTES : sealing.HEADER_BYTES + sealing.NONCE_BYTES] for each in sealed}
    assert len(sealed) == len(nonces) == 2000


def test_without_the_key_everything_ends_with_a_sentence(engine: Engine, database_url: str, tmp_path: Path):
    with engine.begin() as connection:
        fill(connection)
    without = database.open_engine(database_url)
    add_key(tmp_path / "other.key", WORKSPACE)
    wrong = database.open_engine(database_url, sealer(tmp_path / "other.key"))
    for opened, code in ((without, "store_key_missing"), (wrong, "store_key_unknown")):
        with opened.connect() as connection:
            for look in (
                lambda: runs.get_run(connection, "r-000000000001"),
                lambda: proposals.list_approvals(connection, "p-000000000001"),
                lambda: evidence.get_opening(connection, canonical.commitment(made.SALT, [SECRET, 1])),
                lambda: readable.saying(connection, ["p-000000000001"], {"x"}),
                lambda: readable.all_saying(connection, ["r-000000000001"], {"x"}),
                lambda: get_decisions(connection, ["l-000000000001"]),
            ):
                with pytest.raises(EnvironmentFault) as caught:
                    look()
                assert (caught.value.code, caught.value.exit_code) == (code, 3)
        opened.dispose()


def test_what_was_stored_before_is_read_and_what_comes_now_is_sealed(database_url: str, key: Path):
    plain, sealed = database.open_engine(database_url), database.open_engine(database_url, sealer(key))
    only_opens = database.open_engine(database_url, sealer(key, seals=False))
    with plain.begin() as connection:
        fill(connection, 1)
    with sealed.begin() as connection:
        fill(connection, 2)
        assert [SECRET in read(connection, number) for number in (1, 2)] == [True, True]
    with only_opens.begin() as connection:
        fill(connection, 3)
        assert [SECRET in read(connection, number) for number in (1, 2, 3)] == [True, True, True]
        (third,) = connection.execute(select(BODY).where(tables.inbox.c.id == "i-000000000003")).scalars()
        assert third == SECRET.encode()
    for opened in (plain, sealed, only_opens):
        opened.dispose()


@pytest.mark.parametrize("body", [sealing.SEALED + b"forged", sealing.MARK, sealing.ESCAPED, sealing.ESCAPED + b"x"])
def test_bytes_from_outside_that_look_sealed_come_back_as_they_were(connection: Connection, body: bytes):
    """Where nothing is sealed they must not be taken for it: one such delivery would stop all that come with it."""
    record = InboundRecord("i-000000000009", "github", "k", "x", body, "new", "", 0, 1, 1)
    inbox.add_inbound(connection, record)
    assert inbox.get_inbound(connection, record.id) == record


@pytest.mark.parametrize("reason", ["twokey-sealed/1 AAAA", "twokey-sealed/0 x", "twokey-sealed/", "", "é"])
def test_words_that_look_sealed_come_back_as_they_were(connection: Connection, reason: str):
    stored = sealing.closed_text(connection, REASON, "l-1", reason)
    assert sealing.opened_text(connection, REASON, "l-1", stored) == reason


def test_a_code_is_found_in_sealed_bodies(engine: Engine):
    with engine.begin() as connection:
        fill(connection, 1)
        proposals.add_proposal(
            connection,
            made.proposal(id="p-000000000005", nonce="5" * 32, labels=("security_report",)),
            made.decision(),
            state=State.AWAITING_APPROVAL,
            expires_us=99,
            code="x",
            now=9,
        )
        both = ["p-000000000001", "p-000000000005"]
        assert readable.saying(connection, both, {"security_report"}) == {both[0]: False, both[1]: True}
        assert readable.all_saying(connection, ["r-000000000001"], {"security_report"}) == set()
        assert readable.all_saying(connection, ["r-000000000001"], {"security_report", "repository"}) == {
            "r-000000000001"
        }


# -- the key's file ------------------------------------------------------------------------------------------------


def test_a_new_key_seals_at_once_and_the_old_one_opens(engine: Engine, key: Path):
    with engine.begin() as connection:
        fill(connection, 1)
        before = KeyFile(key, WORKSPACE).names()
        assert add_key(key, WORKSPACE) == 2
        fill(connection, 2)
        read(connection, 1)
        read(connection, 2)
        heads = [bytes(row)[4 : sealing.HEADER_BYTES] for row in connection.execute(select(BODY)).scalars()]
    old, new = KeyFile(key, WORKSPACE).names()
    assert (before, sorted(heads)) == ((old,), sorted([old, new]))


def test_a_process_that_runs_learns_of_a_key_by_what_it_sealed(database_url: str, key: Path):
    first = database.open_engine(database_url, sealer(key))
    with first.connect() as connection:
        assert sealing.seals(connection)
    add_key(key, WORKSPACE)
    second = database.open_engine(database_url, sealer(key))
    with second.begin() as connection:
        fill(connection)
    with first.connect() as connection:
        read(connection)
    first.dispose()
    second.dispose()


def test_a_key_that_is_gone_seals_and_opens_nothing_more(engine: Engine, key: Path):
    with engine.connect() as connection:
        sealing.closed(connection, BODY, "i-1", b"x")
        key.unlink()
        with pytest.raises(EnvironmentFault, match="missing"):
            sealing.closed(connection, BODY, "i-1", b"x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_that_others_can_read_is_refused(key: Path, mode: int):
    key.chmod(mode)
    with pytest.raises(EnvironmentFault, match="others can read or write it"):
        KeyFile(key, WORKSPACE)
    with pytest.raises(EnvironmentFault):
        add_key(key, WORKSPACE)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("(?s).*", ""),
        (r"\n$", ""),
        (r"..\n$", "\n"),
        (r"(?s)^(.*)$", r"\1\1"),
        (r"\n$", "\nmore\n"),
        ("w-000000000000", "w-000000000001"),
        ("store-key", "log-key"),
    ],
    ids=["empty", "cut off", "short", "twice the same", "more", "of another workspace", "of the log"],
)
def test_a_file_that_is_no_key_file_is_refused(key: Path, found: str, instead: str):
    key.write_text(re.sub(found, instead, key.read_text(), count=1))
    with pytest.raises(EnvironmentFault, match="it is damaged, or the file of another workspace"):
        KeyFile(key, WORKSPACE)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path):
    with pytest.raises(EnvironmentFault, match=r"store\.key of the database is missing"):
        KeyFile(tmp_path / "store.key", WORKSPACE)
    with pytest.raises(EnvironmentFault, match="its folder cannot be opened"):
        add_key(tmp_path / "none" / "store.key", WORKSPACE)


def test_a_file_takes_so_many_keys_and_loses_those_that_nothing_needs(key: Path):
    for _ in range(sealing.MOST_KEYS - 1):
        add_key(key, WORKSPACE)
    with pytest.raises(BadInput, match="32 keys, and no more"):
        add_key(key, WORKSPACE)
    names = KeyFile(key, WORKSPACE).names()
    assert len(names) == sealing.MOST_KEYS
    assert drop_keys(key, WORKSPACE, frozenset(names[3:5])) == sealing.MOST_KEYS - 3
    assert KeyFile(key, WORKSPACE).names() == (*names[3:5], names[-1])
    before = key.stat().st_ino
    assert drop_keys(key, WORKSPACE, frozenset(names)) == 0
    assert key.stat().st_ino == before


def test_a_file_that_cannot_be_written_stays_as_it_was(key: Path, monkeypatch: pytest.MonkeyPatch):
    before = key.read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="it cannot be written"):
        add_key(key, WORKSPACE)
    assert key.read_text() == before


def test_several_who_make_keys_at_once_lose_none(key: Path):
    threads = [threading.Thread(target=add_key, args=(key, WORKSPACE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(KeyFile(key, WORKSPACE).names()) == 9
