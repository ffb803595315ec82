"""What channels receive: durable before it is acknowledged, handled once, and poison holds up nothing else."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from sqlalchemy import update
from support.post import Answering, Post, build

from twokey.channels.inbox import MAX_ATTEMPTS, Inbound
from twokey.channels.patience import PATIENCE_US
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, LogUnavailable, Refused, TryLater
from twokey.core.events import DeliveryFailed
from twokey.store import tables


@pytest.fixture
def post(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Post]:
    made = build(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def once(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Post]:
    """On SQLite alone, for what does not depend on the database."""
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


class Died(BaseException):
    """Ends a handler where it stands, as the end of its process does."""


def state(post: Post, inbound: str) -> tuple[str, str, int]:
    record = post.inbox().find(inbound)
    assert record is not None
    return record.state, record.code, record.attempts


def test_a_delivery_is_taken_once_and_handled_once(post: Post):
    handler = post.handlers["slack"] = Answering()
    inbox = post.inbox()
    taken = inbox.take("slack", "Ev01", "event_callback", b"{not even json")
    assert taken is not None
    assert [job.key for job in post.queue.jobs] == [f"handle:{taken}"]
    assert inbox.take("slack", "Ev01", "event_callback", b"{}") is None, "a retry of Slack's"
    assert post.inbox().take("slack", "Ev01", "event_callback", b"{}") is None, "in another process"
    other = inbox.take("github", "Ev01", "ping", b"{}")
    assert other is not None, "keys are the channel's own"
    assert inbox.handle(taken) == "handled"
    assert inbox.handle(taken) == "over"
    assert [(seen.key, seen.kind, seen.body, seen.attempt) for seen in handler.seen] == [
        ("Ev01", "event_callback", b"{not even json", 1)
    ]
    assert state(post, taken) == ("done", "handled", 1)
    assert inbox.take("slack", "Ev01", "event_callback", b"{}") is None, "nor after it was handled"
    assert inbox.handle("i-0000000000zz") == "over"


def test_of_processes_that_take_the_same_delivery_at_once_one_does(post: Post):
    taken: list[str | None] = []
    start = threading.Barrier(4)

    def take() -> None:
        inbox = post.inbox()
        start.wait()
        taken.append(inbox.take("github", "6f2a", "push", b"{}"))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 4
    assert sum(item is not None for item in taken) == 1


def test_one_that_was_cut_off_between_store_and_job_is_found(post: Post):
    post.handlers["slack"] = Answering()
    post.queue.away = True
    inbox = post.inbox()
    taken = inbox.take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None, "it is stored, so it may be acknowledged"
    now = post.clock.now_us()
    assert inbox.waiting(before=now - 1, limit=9) == []
    assert inbox.waiting(before=now, limit=9) == [taken]
    assert inbox.handle(taken) == "handled"
    assert inbox.waiting(before=now, limit=9) == []


def test_poison_fails_after_a_bounded_number_of_attempts(once: Post):
    def raises(_: Inbound) -> str:
        raise ZeroDivisionError

    def dies(_: Inbound) -> str:
        raise Died

    inbox = once.inbox()
    for number, (do, error, code) in enumerate(((raises, ZeroDivisionError, "internal"), (dies, Died, "cut_off"))):
        handler = once.handlers["slack"] = Answering(do)
        taken = inbox.take("slack", f"Ev{number}", "event_callback", b"\xff\x00")
        assert taken is not None
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(error):
                inbox.handle(taken)
        assert inbox.handle(taken) == ("over" if do is raises else "cut_off")
        assert len(handler.seen) == MAX_ATTEMPTS
        assert state(once, taken)[:2] == ("failed", code)
        assert failures(once)[-1] == ("slack", taken, "event_callback", code)
        assert len(failures(once)) == number + 1, "once, and nothing for the attempts before"


def test_what_was_refused_or_waited_too_long_is_in_the_log_without_its_content(once: Post):
    def refuses(_: Inbound) -> str:
        raise Refused("Not that.", next="Nothing.", code="Not A Code")

    inbox = once.inbox()
    once.handlers["slack"] = Answering(refuses)
    taken = inbox.take("slack", "Ev01", "event_callback", b"what somebody wrote")
    assert taken is not None
    with pytest.raises(Refused):
        inbox.handle(taken)
    assert failures(once) == [("slack", taken, "event_callback", "failed")]
    entries = [item.entry for item in once.ledger.log.entries(kind="delivery.failed")]
    assert all(b"wrote" not in entry.encode() for entry in entries)
    assert inbox.handle(taken) == "over"
    assert len(failures(once)) == 1


def failures(post: Post) -> list[tuple[str, str, str, str]]:
    """What the log says has failed for good."""
    events = [item.entry.event for item in post.ledger.log.entries(kind="delivery.failed", limit=100)]
    return [(it.channel, it.delivery, it.received, it.code) for it in events if isinstance(it, DeliveryFailed)]


def test_what_the_surroundings_did_is_tried_again_and_what_was_refused_is_not(once: Post):
    inbox = once.inbox()
    faults = iter([EnvironmentFault("The network is away.", next="Wait.", code="away")])

    def at_first(_: Inbound) -> str:
        for fault in faults:
            raise fault
        return "ignored_other_workspace"

    once.handlers["slack"] = Answering(at_first)
    taken = inbox.take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None
    with pytest.raises(EnvironmentFault):
        inbox.handle(taken)
    assert state(once, taken) == ("new", "", 0)
    assert inbox.handle(taken) == "ignored_other_workspace"
    assert state(once, taken) == ("ignored", "ignored_other_workspace", 1)

    def refuses(_: Inbound) -> str:
        raise Refused("They may not.", next="Ask.", code="guest")

    once.handlers["slack"] = Answering(refuses)
    taken = inbox.take("slack", "Ev02", "event_callback", b"{}")
    assert taken is not None
    with pytest.raises(Refused):
        inbox.handle(taken)
    assert state(once, taken) == ("failed", "guest", 1)


FAULTS = [
    TryLater("Slack asks to wait.", seconds=30, next="Wait."),
    EnvironmentFault("The network is away.", next="Wait.", code="away"),
    LogUnavailable("The disk is full.", next="Make room."),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_what_the_surroundings_do_uses_up_nothing_but_time(once: Post, fault: EnvironmentFault):
    def fails(_: Inbound) -> str:
        raise fault

    handler = once.handlers["slack"] = Answering(fails)
    inbox = once.inbox()
    taken = inbox.take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None
    for _ in range(MAX_ATTEMPTS * 3):
        with pytest.raises(type(fault)):
            inbox.handle(taken)
    assert state(once, taken) == ("new", "", 0)
    once.clock.advance(PATIENCE_US // 1_000_000 - 1)
    with pytest.raises(type(fault)):
        inbox.handle(taken)
    assert state(once, taken) == ("new", "", 0)
    once.clock.advance(1)
    with pytest.raises(type(fault)):
        inbox.handle(taken)
    assert state(once, taken)[:2] == ("failed", fault.code)
    assert inbox.handle(taken) == "over"
    assert len(handler.seen) == MAX_ATTEMPTS * 3 + 2


def test_an_old_delivery_that_waited_for_a_worker_is_handled(once: Post):
    once.handlers["slack"] = Answering()
    taken = once.inbox().take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None
    once.clock.advance(PATIENCE_US // 1_000_000 * 2)
    assert once.inbox().handle(taken) == "handled"


def test_outages_leave_the_bound_for_faults_of_twokey_itself_as_it_was(once: Post):
    does = iter([FAULTS[1], ZeroDivisionError()] * MAX_ATTEMPTS)

    def fails(_: Inbound) -> str:
        raise next(does)

    once.handlers["slack"] = Answering(fails)
    inbox = once.inbox()
    taken = inbox.take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None
    for _ in range(MAX_ATTEMPTS):
        assert state(once, taken)[0] == "new"
        for error in (EnvironmentFault, ZeroDivisionError):
            with pytest.raises(error):
                inbox.handle(taken)
    assert state(once, taken) == ("failed", "internal", MAX_ATTEMPTS)


def test_a_process_without_the_channel_leaves_a_delivery_to_one_that_has_it(once: Post):
    inbox = once.inbox()
    taken = inbox.take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None
    for _ in range(MAX_ATTEMPTS * 2):
        with pytest.raises(EnvironmentFault, match="no channel to slack"):
            inbox.handle(taken)
    assert state(once, taken) == ("new", "", 0)
    for error in (BadInput("The token is not there.", next="Set it.", code="no_token"), FAULTS[1]):

        def cannot(error: Exception = error) -> dict[str, Answering]:
            raise error

        lacking = once.inbox(cannot)
        for _ in range(MAX_ATTEMPTS * 2):
            with pytest.raises(EnvironmentFault, match=str(error)):
                lacking.handle(taken)
        assert state(once, taken) == ("new", "", 0)
    once.handlers["slack"] = Answering()
    assert inbox.handle(taken) == "handled"
    late = inbox.take("github", "Ev02", "ping", b"{}")
    assert late is not None
    once.clock.advance(PATIENCE_US // 1_000_000)
    with pytest.raises(EnvironmentFault):
        inbox.handle(late)
    assert state(once, late)[:2] == ("failed", "no_channel")


def test_what_a_handler_changes_for_good_it_settles_with_the_delivery(post: Post):
    """A second worker that took the same delivery for abandoned changes nothing any more."""
    inbox, settled = post.inbox(), list[bool]()

    def settles(inbound: Inbound) -> str:
        for _ in range(2):
            with post.ledger.change() as unit:
                settled.append(inbox.settle(unit, inbound, "asked"))
        return "asked"

    post.handlers["slack"] = Answering(settles)
    taken = inbox.take("slack", "Ev01", "event_callback", b"{}")
    assert taken is not None
    assert inbox.handle(taken) == "asked"
    assert settled == [True, False]
    assert state(post, taken) == ("done", "asked", 1)


def test_keys_kinds_and_codes_from_outside_are_made_narrow(once: Post):
    once.handlers["github"] = Answering(lambda _: "Ünexpected\n")
    inbox = once.inbox()
    taken = inbox.take("github", "k" * 500 + "\x00\ud800", "DROP TABLE", b"{}")
    assert taken is not None
    assert inbox.take("github", "k" * 500 + "\x00\ud800", "x", b"{}") is None
    assert inbox.handle(taken) == "handled"
    record = inbox.find(taken)
    assert record is not None
    assert (record.kind, len(record.key), record.key[:7]) == ("unknown", 71, "sha256:")


def test_bodies_go_some_days_after_they_were_handled(post: Post):
    handler = post.handlers["slack"] = Answering()
    inbox = post.inbox()
    first, second = (inbox.take("slack", key, "event_callback", b"words") for key in ("Ev01", "Ev02"))
    assert first is not None
    assert second is not None
    inbox.handle(first)
    post.clock.advance(7 * 86_400)
    assert inbox.forget(7) == 0
    post.clock.advance(1)
    assert inbox.forget(7) == 1
    kept = [inbox.find(name) for name in (first, second)]
    assert [record.body for record in kept if record] == [None, b"words"], "what waits is kept"
    assert inbox.take("slack", "Ev01", "event_callback", b"words") is None, "and known again"
    assert len(handler.seen) == 1
    with post.engine.begin() as connection:
        connection.execute(update(tables.inbox).where(tables.inbox.c.id == second).values(body=None))
    assert inbox.handle(second) == "over"


def test_a_row_that_was_edited_is_noticed(post: Post):
    taken = post.inbox().take("slack", "Ev01", "event_callback", b"{}")
    with post.engine.begin() as connection:
        connection.execute(update(tables.inbox).values(channel="nowhere"))
    with pytest.raises(CheckFailed) as caught:
        post.inbox().find(str(taken))
    assert caught.value.code == "inbound_tampered"
