"""Rows of deliveries: stored once, handled once, and known again after their bytes are gone."""

import dataclasses

from sqlalchemy import Connection

from twokey.store import inbox
from twokey.store.inbox import InboundRecord

FIRST = InboundRecord(
    id="i-000000000001",
    channel="slack",
    key="envelope-1",
    kind="slash_commands",
    body=b"{}",
    state="new",
    code="",
    attempts=0,
    received_us=10,
    updated_us=10,
)


def test_a_delivery_is_stored_once_by_channel_and_key(connection: Connection):
    assert inbox.add_inbound(connection, FIRST)
    assert not inbox.add_inbound(connection, dataclasses.replace(FIRST, id="i-000000000002", body=b"other"))
    assert inbox.get_inbound(connection, "i-000000000002") is None
    assert inbox.get_inbound(connection, FIRST.id) == FIRST
    assert inbox.find_inbound(connection, "slack", FIRST.key) == FIRST
    assert inbox.find_inbound(connection, "github", FIRST.key) is None
    assert inbox.add_inbound(connection, dataclasses.replace(FIRST, id="i-000000000003", channel="github"))


def test_an_attempt_is_counted_and_may_be_taken_back(connection: Connection):
    inbox.add_inbound(connection, FIRST)
    begun = inbox.begin_inbound(connection, FIRST.id, now=11)
    assert begun == dataclasses.replace(FIRST, attempts=1, updated_us=11)
    inbox.uncount_inbound(connection, FIRST.id, now=12)
    inbox.uncount_inbound(connection, FIRST.id, now=13)
    assert inbox.get_inbound(connection, FIRST.id) == dataclasses.replace(FIRST, updated_us=12)


def test_what_was_handled_is_never_handled_again(connection: Connection):
    inbox.add_inbound(connection, FIRST)
    assert inbox.end_inbound(connection, FIRST.id, "done", "asked", now=20)
    assert not inbox.end_inbound(connection, FIRST.id, "failed", "late", now=21)
    assert inbox.begin_inbound(connection, FIRST.id, now=22) is None
    ended = inbox.get_inbound(connection, FIRST.id)
    assert ended == dataclasses.replace(FIRST, state="done", code="asked", updated_us=20)
    assert inbox.waiting_inbound(connection, before=99, limit=9) == []


def test_what_nobody_touched_lately_is_found_oldest_first(connection: Connection):
    for number, received in ((1, 30), (2, 20), (3, 10)):
        record = dataclasses.replace(
            FIRST, id=f"i-00000000000{number}", key=f"k{number}", received_us=received, updated_us=received
        )
        inbox.add_inbound(connection, record)
    assert inbox.waiting_inbound(connection, before=20, limit=9) == ["i-000000000003", "i-000000000002"]
    assert inbox.waiting_inbound(connection, before=30, limit=1) == ["i-000000000003"]


def test_bodies_of_what_is_over_are_forgotten_and_the_delivery_is_known_all_the_same(connection: Connection):
    inbox.add_inbound(connection, FIRST)
    inbox.add_inbound(connection, dataclasses.replace(FIRST, id="i-000000000002", key="waits"))
    inbox.end_inbound(connection, FIRST.id, "ignored", "ignored", now=20)
    assert inbox.forget_bodies(connection, before=20) == 0
    assert inbox.forget_bodies(connection, before=21) == 1
    assert inbox.forget_bodies(connection, before=21) == 0
    forgotten = inbox.get_inbound(connection, FIRST.id)
    assert forgotten is not None
    assert forgotten.body is None
    assert not inbox.add_inbound(connection, dataclasses.replace(FIRST, id="i-000000000004"))


def test_what_is_kept_of_one_kind_comes_latest_first_and_without_what_was_forgotten(connection: Connection):
    for number, channel, kind in (
        (1, "alerts", "a.x"),
        (2, "alerts", "a.x"),
        (3, "alerts", "b.x"),
        (4, "slack", "a.x"),
    ):
        record = dataclasses.replace(
            FIRST, id=f"i-00000000000{number}", key=f"k{number}", channel=channel, kind=kind, received_us=number
        )
        inbox.add_inbound(connection, record)

    def kept(since: int = 0, limit: int = 9) -> list[str]:
        found = inbox.kept_inbound(connection, "alerts", "a.x", since=since, limit=limit)
        return [record.id for record in found]

    assert kept() == ["i-000000000002", "i-000000000001"]
    assert kept(limit=1) == ["i-000000000002"]
    assert kept(since=2) == ["i-000000000002"]
    inbox.end_inbound(connection, "i-000000000002", "done", "asked", now=20)
    inbox.forget_bodies(connection, before=99)
    assert kept() == ["i-000000000001"]


def test_of_some_deliveries_something_is_left_until_its_time_is_over(connection: Connection):
    for number, channel in ((1, "alerts"), (2, "alerts"), (3, "slack"), (4, "alerts")):
        record = dataclasses.replace(FIRST, id=f"i-00000000000{number}", key=f"k{number}", channel=channel)
        inbox.add_inbound(connection, record)
        if number != 4:
            inbox.end_inbound(connection, record.id, "done", "asked", now=20 + number)

    def aged(before: int, limit: int = 9) -> list[str]:
        return [record.id for record in inbox.aged_inbound(connection, "alerts", before=before, limit=limit)]

    assert inbox.forget_bodies(connection, before=99, but=("alerts",)) == 1, "that of Slack"
    assert aged(21) == []
    assert aged(99) == ["i-000000000001", "i-000000000002"], "what waits is kept"
    assert aged(99, limit=1) == ["i-000000000001"]
    inbox.keep_inbound(connection, "i-000000000001", b"less", until=500)
    inbox.keep_inbound(connection, "i-000000000004", b"less", until=500)
    assert aged(99) == ["i-000000000002"]
    kept = [inbox.get_inbound(connection, f"i-00000000000{number}") for number in (1, 4)]
    assert [record.body for record in kept if record] == [b"less", b"{}"], "what waits is not touched"
    inbox.keep_inbound(connection, "i-000000000001", None, until=501)
    assert aged(999) == ["i-000000000002"]
