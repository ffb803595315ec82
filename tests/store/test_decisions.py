"""What decisions were taken on: kept as given, found out where it was changed, gone where it was removed."""

import zlib

import pytest
from sqlalchemy import Connection, select, update
from support.store_values import SALT

from twokey.core import canonical
from twokey.store import decisions, tables
from twokey.store.decisions import Kept, commitment

SHORT = b'{"a":1}'
LONG = canonical.encode({"text": "churn " * 2000})


def keep(connection: Connection, number: int = 1, document: bytes = SHORT, at_us: int = 10) -> Kept:
    kept = Kept(f"l-{number:012}", SALT, document, b'{"effect":"deny"}')
    decisions.add_decision(connection, kept, at_us=at_us)
    return kept


@pytest.mark.parametrize("document", [SHORT, LONG])
def test_bytes_come_back_as_they_were_given(connection: Connection, document: bytes):
    kept = keep(connection, document=document)
    assert decisions.get_decisions(connection, [kept.entry, "l-000000000009"]) == {kept.entry: kept}


def test_a_long_document_takes_less_room_and_a_short_one_lies_as_it_is(plain_connection: Connection):
    keep(plain_connection, 1, SHORT)
    keep(plain_connection, 2, LONG)
    stored = list(plain_connection.execute(select(tables.decisions.c.document).order_by("entry")).scalars())
    assert stored[0] == SHORT
    assert len(stored[1]) < len(LONG) / 10


def test_the_commitment_of_canonical_bytes_is_the_one_of_the_value():
    assert commitment(SALT, SHORT) == canonical.commitment(SALT, {"a": 1})


def test_a_row_opens_exactly_its_own_commitments():
    kept = Kept("l-000000000001", SALT, SHORT, b"{}")
    document, answer = commitment(SALT, SHORT), commitment(SALT, b"{}")
    assert kept.opens(document, answer)
    assert not kept.opens(answer, answer)
    assert not kept.opens(document, document)
    assert not kept.opens(document, None)


@pytest.mark.parametrize(
    "stored",
    [
        zlib.compress(b"x" * 600)[:-1],
        zlib.compress(b"x" * 600) + b"more",
        b"\x78 no stream",
        zlib.compress(bytes(decisions.MAX_BYTES + 1)),
    ],
    ids=["cut off", "with more behind it", "no stream", "a bomb"],
)
def test_what_does_not_unpack_is_no_document(plain_connection: Connection, stored: bytes):
    kept = keep(plain_connection)
    plain_connection.execute(update(tables.decisions).values(document=stored))
    assert decisions.get_decisions(plain_connection, [kept.entry]) == {kept.entry: None}


@pytest.mark.parametrize(("column", "value"), [("document", "7"), ("answer", "7"), ("salt", "x'07'")])
def test_a_column_of_another_type_is_no_row(sqlite_connection: Connection, column: str, value: str):
    kept = keep(sqlite_connection)
    sqlite_connection.exec_driver_sql(f"UPDATE decisions SET {column} = {value}")
    assert decisions.get_decisions(sqlite_connection, [kept.entry]) == {kept.entry: None}


def test_old_ones_go_in_batches_and_the_others_stay(connection: Connection):
    for number in range(1, 6):
        keep(connection, number, at_us=number)
    assert decisions.count_before(connection, 4) == 3
    assert [decisions.forget_before(connection, 4, limit=2) for _ in range(3)] == [2, 1, 0]
    assert list(connection.execute(select(tables.decisions.c.at_us).order_by("at_us")).scalars()) == [4, 5]


def test_a_shadow_looks_at_each_decision_once(connection: Connection):
    entries = [keep(connection, number, at_us=number).entry for number in (1, 2, 3)]
    assert decisions.not_shadowed(connection, "a" * 64, since_us=2, limit=9) == entries[1:]
    assert decisions.not_shadowed(connection, "a" * 64, since_us=0, limit=1) == entries[:1]
    assert sorted(decisions.take_for_shadow(connection, "a" * 64, entries[:2])) == entries[:2]
    assert decisions.take_for_shadow(connection, "a" * 64, entries) == entries[2:]
    assert decisions.not_shadowed(connection, "a" * 64, since_us=0, limit=9) == []
    assert decisions.not_shadowed(connection, "b" * 64, since_us=0, limit=9) == entries
