"""Rows of messages: one for a purpose and place, posted by one at a time, and never lost sight of."""

import pytest
from sqlalchemy import Connection, update
from support import store_values as made

from twokey.core.errors import CheckFailed
from twokey.store import messages, tables
from twokey.store.messages import MessageRecord

ONE, TWO = "m-000000000001", "m-000000000002"
PLACE, PURPOSE = "T1/C1", "card:p-000000000001"
FIRST, SECOND = "x-000000000001", "x-000000000002"


@pytest.fixture
def wanted(connection: Connection) -> Connection:
    """One message is wanted."""
    assert messages.add_message(connection, ONE, channel="slack", place=PLACE, purpose=PURPOSE, now=10)
    return connection


def seen(connection: Connection) -> MessageRecord:
    record = messages.get_message(connection, ONE)
    assert record is not None
    return record


def claimed(connection: Connection, holder: str = FIRST, now: int = 20) -> bool:
    return messages.claim_message(connection, seen(connection), holder=holder, now=now, until=now + 10)


def test_there_is_one_message_for_a_purpose_in_a_place(wanted: Connection):
    assert not messages.add_message(wanted, TWO, channel="slack", place=PLACE, purpose=PURPOSE, now=11)
    assert messages.find_message(wanted, channel="slack", place=PLACE, purpose=PURPOSE) == ONE
    assert messages.find_message(wanted, channel="github", place=PLACE, purpose=PURPOSE) is None
    assert messages.get_message(wanted, TWO) is None
    assert messages.add_message(wanted, TWO, channel="slack", place="T1/C2", purpose=PURPOSE, now=11)
    assert [record.id for record in messages.list_messages(wanted, PURPOSE)] == [ONE, TWO]


def test_one_posts_at_a_time_and_a_lease_that_ran_out_is_anybodys(wanted: Connection):
    assert claimed(wanted)
    assert (seen(wanted).state, seen(wanted).attempts, seen(wanted).holder) == ("posting", 1, FIRST)
    assert not claimed(wanted, SECOND, now=29)
    assert claimed(wanted, SECOND, now=30)
    assert not messages.end_message(wanted, ONE, holder=FIRST, state="posted", now=31), "it is not theirs any more"
    assert messages.end_message(wanted, ONE, holder=SECOND, state="posted", now=31, remote="C1/1.2", version=1)
    record = seen(wanted)
    assert (record.state, record.remote, record.holder, record.lease_until_us) == ("posted", "C1/1.2", None, 0)
    assert not claimed(wanted, now=99), "nothing is wanted of it"


def test_whoever_saw_it_before_it_changed_does_not_get_it(wanted: Connection):
    before = seen(wanted)
    assert not messages.wanted_since(wanted, before)
    messages.want_again(wanted, ONE, now=12)
    assert messages.wanted_since(wanted, before)
    assert not messages.claim_message(wanted, before, holder=FIRST, now=20, until=30)


def test_what_stands_there_is_wanted_again_to_be_brought_up_to_date(wanted: Connection):
    claimed(wanted)
    messages.want_again(wanted, ONE, now=21)
    assert seen(wanted).state == "posting", "whoever posts it looks at it again after"
    messages.end_message(wanted, ONE, holder=FIRST, state="posted", now=22, remote="C1/1.2")
    messages.want_again(wanted, ONE, now=23)
    assert (seen(wanted).state, seen(wanted).wanted_us, seen(wanted).attempts) == ("wanted", 23, 0)


def test_what_failed_may_stand_there_all_the_same_and_is_looked_for(wanted: Connection):
    claimed(wanted)
    messages.end_message(wanted, ONE, holder=FIRST, state="failed", code="cut_off", now=22)
    messages.want_again(wanted, ONE, now=23)
    assert (seen(wanted).state, seen(wanted).code) == ("posting", "")
    assert claimed(wanted, now=24)


def test_what_is_due_is_found_and_what_waits_or_is_held_is_not(wanted: Connection):
    assert messages.waiting_messages(wanted, now=10, before=10, limit=9) == [ONE]
    assert messages.waiting_messages(wanted, now=10, before=9, limit=9) == [], "somebody touched it just now"
    claimed(wanted)
    assert messages.waiting_messages(wanted, now=29, before=99, limit=9) == []
    assert messages.waiting_messages(wanted, now=30, before=99, limit=9) == [ONE]
    messages.end_message(wanted, ONE, holder=FIRST, state="wanted", now=31, not_before_us=50)
    assert messages.waiting_messages(wanted, now=49, before=99, limit=9) == []
    assert not claimed(wanted, now=49)
    assert messages.waiting_messages(wanted, now=50, before=99, limit=9) == [ONE]


def test_a_row_that_is_not_as_it_was_stored_is_said(wanted: Connection):
    wanted.execute(update(tables.messages).values(attempts=-1))
    with pytest.raises(CheckFailed):
        messages.get_message(wanted, ONE)
    with pytest.raises(CheckFailed):
        messages.list_messages(wanted, PURPOSE)


def test_a_message_that_shows_a_run_is_outdated_when_the_run_has_changed_by_whatever_clock(connection: Connection):
    purpose = f"progress:{made.RUN}"
    assert messages.add_message(connection, ONE, channel="github", place="a/b#1", purpose=purpose, now=10)
    assert claimed(connection)
    assert messages.outdated_messages(connection, channel="github", limit=9) == [], "it does not stand there yet"
    assert messages.end_message(connection, ONE, holder=FIRST, state="posted", now=20)
    for at in (1_000_000, 3):
        connection.execute(update(tables.runs).values(updated_us=at))
        assert messages.outdated_messages(connection, channel="github", limit=9) == [purpose]
        assert messages.outdated_messages(connection, channel="slack", limit=9) == []
        messages.want_again(connection, ONE, now=25)
        assert claimed(connection, now=30)
        assert messages.end_message(connection, ONE, holder=FIRST, state="posted", now=30)
        assert seen(connection).shown_us == at
        assert messages.outdated_messages(connection, channel="github", limit=9) == []
