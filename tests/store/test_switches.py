"""The row of the kill switch: one, there from the beginning, and never believed where it does not fit."""

import dataclasses
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, delete, func, select, update

from twokey.core.errors import CheckFailed
from twokey.store import switches, tables
from twokey.store.switches import FreezeRecord, Hold

ON = FreezeRecord(is_on=True, entry="l-000000000001", principal="sam", reason="Enough.", changed_us=7)


def test_it_is_off_and_was_never_turned_at_first(connection: Connection):
    assert switches.get_freeze(connection) == FreezeRecord(
        is_on=False, entry=None, principal=None, reason="", changed_us=0
    )


@pytest.mark.parametrize("hold", ["nothing", "shared", "alone"])
def test_a_turn_comes_back_as_it_was_stored(connection: Connection, hold: Hold):
    switches.set_freeze(connection, ON)
    assert switches.get_freeze(connection, hold=hold) == ON
    off = dataclasses.replace(ON, is_on=False, changed_us=8)
    switches.set_freeze(connection, off)
    assert switches.get_freeze(connection, hold=hold) == off


def test_a_row_that_is_gone_is_no_off_and_the_next_turn_makes_it_again(connection: Connection):
    connection.execute(delete(tables.switches))
    with pytest.raises(CheckFailed) as caught:
        switches.get_freeze(connection)
    assert caught.value.code == "freeze_tampered"
    switches.set_freeze(connection, ON)
    assert switches.get_freeze(connection) == ON


def test_another_value_is_read_beside_it(connection: Connection):
    query = switches.beside(select(func.coalesce(bindparam("said"), "")).scalar_subquery())
    switches.set_freeze(connection, ON)
    assert switches.get_freeze_beside(connection, query, {"said": "hello"}) == (ON, "hello")
    connection.execute(update(tables.switches).values(entry="l-1"))
    with pytest.raises(CheckFailed):
        switches.get_freeze_beside(connection, query, {"said": "hello"})
    connection.execute(delete(tables.switches))
    with pytest.raises(CheckFailed):
        switches.get_freeze_beside(connection, query, {"said": "hello"})


@pytest.mark.parametrize("values", [{"entry": "l-1"}, {"principal": "Nobody!"}, {"changed_us": -1}])
def test_a_row_that_does_not_fit_is_reported(connection: Connection, values: dict[str, Any]):
    connection.execute(update(tables.switches).values(**values))
    with pytest.raises(CheckFailed):
        switches.get_freeze(connection)
