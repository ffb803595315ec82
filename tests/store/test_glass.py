"""Rows of emergencies: an index that decides nothing."""

import dataclasses
from typing import Any

import pytest
from sqlalchemy import Connection, update
from support import store_values as made

from twokey.core.errors import CheckFailed
from twokey.store import glass, tables
from twokey.store.glass import GlassRecord


def emergency(number: int = 1, **changes: Any) -> GlassRecord:
    kept = GlassRecord(
        id=f"g-{number:012}",
        proposal=made.PROPOSAL,
        principal="rita",
        ticket="INC-1",
        reason="Nothing works.",
        entry=f"l-{number:012}",
        opened_us=number,
        until_us=99,
    )
    return dataclasses.replace(kept, **changes)


def test_emergencies_come_back_the_latest_first(connection: Connection):
    for number in (1, 2):
        glass.add_glass(connection, emergency(number))
    assert glass.list_glass(connection) == [emergency(2), emergency(1)]
    assert glass.list_glass(connection, proposal=made.PROPOSAL, limit=1) == [emergency(2)]
    assert glass.list_glass(connection, proposal="p-zzzzzzzzzzzz") == []


def test_an_emergency_is_reviewed_once(connection: Connection):
    glass.add_glass(connection, emergency())
    assert glass.review_glass(connection, emergency().id, by="sam", words="Right.", entry="l-000000000009")
    assert not glass.review_glass(connection, emergency().id, by="kim", words="Wrong.", entry="l-000000000010")
    assert glass.list_glass(connection) == [
        emergency(reviewed_by="sam", review="Right.", review_entry="l-000000000009")
    ]


@pytest.mark.parametrize("values", [{"principal": "Nobody!"}, {"until_us": -1}, {"entry": "x"}])
def test_a_row_that_does_not_fit_is_reported(connection: Connection, values: dict[str, Any]):
    glass.add_glass(connection, emergency())
    connection.execute(update(tables.broken_glass).values(**values))
    with pytest.raises(CheckFailed) as caught:
        glass.list_glass(connection)
    assert caught.value.code == "glass_tampered"
