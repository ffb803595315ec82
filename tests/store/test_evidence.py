"""Rows of evidence: what comes back is what was read, or an error."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update
from support import store_values as made

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed, NotFound
from twokey.store import evidence, runs, tables

CONTENT: Json = {"rows": [["é", 1, None]]}


@pytest.fixture
def stored(connection: Connection) -> Connection:
    evidence.add_evidence(connection, made.evidence(CONTENT), canonical.encode(CONTENT))
    return connection


def test_evidence_comes_back_as_it_was_stored(stored: Connection):
    assert evidence.get_evidence(stored, made.EVIDENCE) == (made.evidence(CONTENT), CONTENT)


def test_unknown_evidence_is_not_found(stored: Connection):
    with pytest.raises(NotFound):
        evidence.get_evidence(stored, "e-000000000009")


def test_evidence_of_a_run_is_listed_oldest_first(stored: Connection):
    other = "r-000000000002"
    runs.add_run(stored, run=other, request=made.request(), auth="key", places=[], now=1)
    for number, run, created in ((2, made.RUN, 1), (3, made.RUN, 3), (4, other, 2)):
        value = made.evidence(CONTENT, id=f"e-00000000000{number}", run=run, created_us=created)
        evidence.add_evidence(stored, value, canonical.encode(CONTENT))
    assert [value.id[-1] for value in evidence.list_evidence(stored, made.RUN)] == ["2", "1", "3"]
    assert [value.id[-1] for value in evidence.list_evidence(stored, other)] == ["4"]
    assert evidence.list_evidence(stored, "r-000000000009") == []


def test_several_pieces_of_evidence_are_read_at_once(stored: Connection):
    other = made.evidence(CONTENT, id="e-000000000002", created_us=1)
    evidence.add_evidence(stored, other, canonical.encode(CONTENT))
    both = {made.EVIDENCE: (made.evidence(CONTENT), CONTENT), other.id: (other, CONTENT)}
    assert evidence.gather_evidence(stored, [other.id, made.EVIDENCE]) == both
    assert evidence.gather_evidence(stored, [other.id]) == {other.id: (other, CONTENT)}
    assert evidence.gather_evidence(stored, []) == {}
    with pytest.raises(NotFound):
        evidence.gather_evidence(stored, [made.EVIDENCE, "e-000000000009"])


def tampered(connection: Connection, *, listed: bool = True) -> None:
    """Reading is refused; so is listing where it reads what was changed."""
    with pytest.raises(CheckFailed) as caught:
        evidence.get_evidence(connection, made.EVIDENCE)
    assert caught.value.code == "evidence_tampered"
    assert "audit verify" in caught.value.next
    with pytest.raises(CheckFailed) as gathered:
        evidence.gather_evidence(connection, [made.EVIDENCE])
    assert gathered.value.code == "evidence_tampered"
    if listed:
        with pytest.raises(CheckFailed):
            evidence.list_evidence(connection, made.RUN)


@pytest.mark.parametrize(
    "content",
    [
        b'{"rows":[["e",1,null]]}',
        canonical.encode(CONTENT) + b" ",
        b'{"rows":[["\\u00e9",1,null]]}',  # the same value in other bytes
        b"",
        b"\x00\xff",
        b'{"rows":[["a",1.0,null]]}',
    ],
)
def test_other_content_is_refused(stored: Connection, content: bytes):
    stored.execute(update(tables.evidence).values(content=content))
    tampered(stored, listed=False)


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"id":"e-000000000001"}', b"\xff"])
def test_a_value_that_does_not_fit_is_refused(stored: Connection, value: bytes):
    stored.execute(update(tables.evidence).values(value=value))
    tampered(stored)


@pytest.mark.parametrize(
    "changes",
    [{"sha256": "0" * 64}, {"commitment": "0" * 64}, {"salt": "1" * 32}],
    ids=str,
)
def test_a_hash_that_does_not_hold_is_refused(stored: Connection, changes: dict[str, Any]):
    stored.execute(
        update(tables.evidence).values(value=canonical.encode(made.evidence(CONTENT, **changes).canonical()))
    )
    tampered(stored, listed=False)


def test_one_piece_cannot_stand_in_for_another(stored: Connection):
    """Both halves are exchanged, so that all hashes hold; only the id tells."""
    second = made.evidence({"rows": []}, id="e-000000000002")
    evidence.add_evidence(stored, second, canonical.encode({"rows": []}))
    row = stored.execute(select(tables.evidence).where(tables.evidence.c.id == second.id)).one()
    first = tables.evidence.c.id == made.EVIDENCE
    stored.execute(update(tables.evidence).where(first).values(value=row.value, content=row.content))
    tampered(stored)
    assert evidence.get_evidence(stored, second.id) == (second, {"rows": []})


def test_evidence_cannot_be_moved_to_another_run(stored: Connection):
    other = "r-000000000002"
    runs.add_run(stored, run=other, request=made.request(), auth="key", places=[], now=1)
    stored.execute(update(tables.evidence).values(run=other))
    tampered(stored, listed=False)
    with pytest.raises(CheckFailed):
        evidence.list_evidence(stored, other)


@pytest.mark.parametrize("column", ["value", "content"])
@pytest.mark.parametrize("wrong", ["'text'", "5", "2.5"])
def test_a_column_of_another_type_is_refused(sqlite_connection: Connection, column: str, wrong: str):
    evidence.add_evidence(sqlite_connection, made.evidence(CONTENT), canonical.encode(CONTENT))
    sqlite_connection.execute(text(f"UPDATE evidence SET {column} = {wrong}"))
    tampered(sqlite_connection, listed=column == "value")


def test_what_opens_a_commitment_is_kept(plain_connection: Connection):
    commitment = canonical.commitment(made.SALT, CONTENT)
    evidence.add_opening(plain_connection, commitment=commitment, salt=made.SALT, value=CONTENT)
    row = plain_connection.execute(select(tables.openings)).one()
    assert canonical.commitment(row.salt, canonical.decode(row.value)) == row.commitment == commitment
    assert evidence.get_opening(plain_connection, commitment) == CONTENT
    with pytest.raises(NotFound):
        evidence.get_opening(plain_connection, "0" * 64)
    plain_connection.execute(update(tables.openings).values(value=canonical.encode({"another": "value"})))
    with pytest.raises(CheckFailed):
        evidence.get_opening(plain_connection, commitment)
