"""Messages elsewhere: posted once, whoever dies where, and kept up to date."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from support.post import Post, Wall, build

from twokey.channels.patience import PATIENCE_US
from twokey.channels.postbox import LEASE_S, MAX_ATTEMPTS
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, TryLater
from twokey.store import messages, tables

PURPOSE = "card:p-000000000001"


@pytest.fixture
def post(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Post]:
    made = build(tmp_path, database_url, clock, ids)
    made.posters["slack"] = Wall()
    yield made
    made.engine.dispose()


@pytest.fixture
def once(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Post]:
    """On SQLite alone, for what does not depend on the database."""
    made = build(tmp_path, sqlite_url, clock, ids)
    made.posters["slack"] = Wall()
    yield made
    made.engine.dispose()


class Died(BaseException):
    """Ends a poster where it stands, as the end of its process does."""


def dies() -> None:
    raise Died


def cut() -> None:
    raise EnvironmentFault("The connection was cut.", next="Wait.", code="cut")


def wall(post: Post) -> Wall:
    found = post.posters["slack"]
    assert isinstance(found, Wall)
    return found


def want(post: Post, place: str = "T01/C01") -> str:
    with post.ledger.change() as unit:
        message = post.postbox().want(unit, "slack", place, PURPOSE)
    post.postbox().send(message)
    return message


def state(post: Post, message: str) -> tuple[str, str, str | None, int]:
    record = post.postbox().find(message)
    assert record is not None
    return record.state, record.code, record.remote, record.attempts


def test_a_message_is_posted_once_and_brought_up_to_date_when_it_is_wanted_again(post: Post):
    message = want(post)
    assert state(post, message) == ("wanted", "", None, 0)
    assert [job.key for job in post.queue.jobs] == [f"post:{message}"]
    assert post.postbox().post(message) == "posted"
    assert post.postbox().post(message) == "over"
    assert state(post, message) == ("posted", "", f"w/{message}", 0)
    assert want(post) == message, "one for a purpose and place"
    assert post.postbox().post(message) == "posted"
    assert (wall(post).pinned, wall(post).updates, wall(post).looks) == ([message], [message], 0)
    other = want(post, "T01/C02")
    assert other != message
    assert [record.place for record in post.postbox().shown(PURPOSE)] == ["T01/C01", "T01/C02"]
    with post.ledger.change() as unit:
        assert post.postbox().refresh(unit, PURPOSE) == [message, other]
    assert post.postbox().post("m-0000000000zz") == "over"


def test_what_always_says_the_same_is_wanted_once_and_again_where_it_failed(post: Post):
    def once() -> list[str]:
        with post.ledger.change() as unit:
            return post.postbox().want_once(unit, "slack", "T01/C01", PURPOSE)

    (message,) = once()
    assert once() == [], "it is wanted already"
    assert post.postbox().post(message) == "posted"
    assert once() == [], "it stands there"
    with post.engine.begin() as connection:
        connection.execute(tables.messages.update().values(state="failed"))
    assert once() == [message]
    assert post.postbox().post(message) == "posted"


def test_nothing_is_wanted_by_a_transaction_that_did_not_commit(post: Post):
    def fails() -> None:
        with post.ledger.change() as unit:
            post.postbox().want(unit, "slack", "T01/C01", PURPOSE)
            breaks()

    with pytest.raises(ZeroDivisionError):
        fails()
    assert post.postbox().shown(PURPOSE) == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_dies_around_a_post_leaves_no_second_message(post: Post, moment: str):
    message = want(post)
    setattr(wall(post), moment, dies)
    with pytest.raises(Died):
        post.postbox().post(message)
    setattr(wall(post), moment, lambda: None)
    assert post.postbox().post(message) == "over", "it may still be under way"
    assert post.postbox().waiting(before=post.clock.now_us(), limit=9) == []
    post.clock.advance(LEASE_S)
    assert post.postbox().waiting(before=post.clock.now_us(), limit=9) == [message]
    assert post.postbox().post(message) == "posted"
    assert wall(post).pinned == [message]
    assert (wall(post).looks, len(wall(post).updates)) == (1, int(moment == "after"))
    assert state(post, message) == ("posted", "", f"w/{message}", 0)


def test_a_cut_connection_is_looked_into_before_anything_is_posted_again(once: Post):
    message = want(once)
    wall(once).after = cut
    with pytest.raises(EnvironmentFault):
        once.postbox().post(message)
    assert state(once, message) == ("posting", "cut", None, 0)
    assert once.postbox().post(message) == "posted"
    assert (wall(once).pinned, wall(once).looks) == ([message], 1)


def test_of_two_posters_one_posts(post: Post):
    """The second looked before the first began, and the first is not done when the second comes."""
    message, other = want(post), post.postbox()
    results: list[str] = []
    seen = other.find(message)

    def second() -> None:
        results.append(other.post(message))
        post_find = other.find
        other.find = lambda _: seen  # type: ignore[method-assign]
        results.append(other.post(message))
        other.find = post_find  # type: ignore[method-assign]

    wall(post).before = second
    assert post.postbox().post(message) == "posted"
    assert results == ["over", "over"]
    assert wall(post).pinned == [message]


def test_one_that_comes_too_late_overwrites_nothing(once: Post):
    message = want(once)

    def late() -> None:
        wall(once).before = lambda: None
        once.clock.advance(LEASE_S)
        assert once.postbox().post(message) == "posted"
        with once.ledger.change() as unit:
            once.postbox().want(unit, "slack", "T01/C01", PURPOSE)

    wall(once).before = late
    assert once.postbox().post(message) == "posted"
    assert state(once, message)[0] == "wanted", "what was wanted since is not taken for shown"


def test_what_changes_while_it_is_posted_is_shown_afterwards(post: Post):
    message = want(post)

    def changes() -> None:
        wall(post).before = lambda: None
        with post.ledger.change() as unit:
            post.postbox().want(unit, "slack", "T01/C01", PURPOSE)

    wall(post).before = changes
    assert post.postbox().post(message) == "posted"
    assert state(post, message)[0] == "wanted"
    assert [job.key for job in post.queue.jobs] == [f"post:{message}"] * 2
    assert post.postbox().post(message) == "posted"
    assert state(post, message)[0] == "posted"
    assert (wall(post).pinned, wall(post).updates) == ([message], [message])


def test_who_is_asked_to_wait_waits_and_it_is_no_attempt(once: Post):
    def limited() -> None:
        raise TryLater("Slack asks to wait.", seconds=30, next="Wait.")

    message = want(once)
    wall(once).before = limited
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(TryLater):
            once.postbox().post(message)
        assert once.postbox().post(message) == "over", "not before its time"
        assert state(once, message) == ("wanted", "waits", None, 0)
        once.clock.advance(29)
        assert once.postbox().waiting(before=once.clock.now_us(), limit=9) == []
        once.clock.advance(1)
        assert once.postbox().waiting(before=once.clock.now_us(), limit=9) == [message]
    wall(once).before = lambda: None
    assert once.postbox().post(message) == "posted"
    assert wall(once).looks == 0, "it is known that nothing got through"


def refuses() -> None:
    raise BadInput("There is no such channel.", next="Invite Twokey.", code="channel_not_found")


def breaks() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("do", "error", "attempts", "code"),
    [
        (refuses, BadInput, 1, "channel_not_found"),
        (breaks, ZeroDivisionError, MAX_ATTEMPTS, "internal"),
    ],
)
def test_what_fails_for_good_is_tried_no_more_until_it_is_wanted_again(
    once: Post, do: Callable[[], None], error: type[Exception], attempts: int, code: str
):
    message = want(once)
    wall(once).before = do
    for _ in range(attempts):
        with pytest.raises(error):
            once.postbox().post(message)
    assert once.postbox().post(message) == "over"
    assert state(once, message)[:2] == ("failed", code)
    wall(once).before = lambda: None
    assert want(once) == message
    assert once.postbox().post(message) == "posted"


def test_a_poster_that_always_dies_is_given_up(once: Post):
    message = want(once)
    wall(once).before = dies
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Died):
            once.postbox().post(message)
        once.clock.advance(LEASE_S)
    assert once.postbox().post(message) == "failed"
    assert state(once, message)[:2] == ("failed", "cut_off")


def test_without_a_poster_or_a_queue_nothing_is_lost(once: Post):
    once.queue.away = True
    message = want(once)
    assert once.postbox().waiting(before=once.clock.now_us(), limit=9) == [message]
    there = once.posters.copy()
    once.posters.clear()

    def cannot() -> dict[str, Wall]:
        raise BadInput("The token is not there.", next="Set it.", code="no_token")

    for postbox, code in ((once.postbox(), "no_channel"), (once.postbox(cannot), "no_token")):
        for _ in range(MAX_ATTEMPTS * 2):
            with pytest.raises(EnvironmentFault):
                postbox.post(message)
        assert state(once, message) == ("wanted", code, None, 0)
    once.posters.update(there)
    assert once.postbox().post(message) == "posted"
    assert wall(once).looks == 0, "it is known that nothing was sent"


def limited() -> None:
    raise TryLater("Slack asks to wait.", seconds=1, next="Wait.")


@pytest.mark.parametrize(("do", "waits"), [(cut, "posting"), (limited, "wanted")])
def test_what_the_surroundings_do_uses_up_nothing_but_time(once: Post, do: Callable[[], None], waits: str):
    message = want(once)
    wall(once).before = do

    def tried() -> str:
        with pytest.raises(EnvironmentFault):
            once.postbox().post(message)
        once.clock.advance(1)
        return state(once, message)[0]

    once.clock.advance(PATIENCE_US // 1_000_000)
    assert want(once) == message, "its age counts from when it was last wanted"
    begun = once.clock.now_us()
    assert {tried() for _ in range(MAX_ATTEMPTS * 3)} == {waits}
    assert state(once, message)[3] == 0
    once.clock.advance((begun + PATIENCE_US - once.clock.now_us()) // 1_000_000 - 1)
    assert tried() == waits
    assert tried() == "failed"
    assert once.postbox().post(message) == "over"


@pytest.mark.parametrize(
    ("do", "error", "earlier", "becomes", "looks"),
    [
        (refuses, BadInput, 0, "wanted", 0),
        (breaks, ZeroDivisionError, MAX_ATTEMPTS - 1, "posting", MAX_ATTEMPTS),
    ],
)
def test_what_is_wanted_while_an_attempt_fails_is_not_lost(
    post: Post, do: Callable[[], None], error: type[Exception], earlier: int, becomes: str, looks: int
):
    message = want(post)
    wall(post).before = breaks
    for _ in range(earlier):
        with pytest.raises(ZeroDivisionError):
            post.postbox().post(message)

    def changes() -> None:
        with post.ledger.change() as unit:
            post.postbox().want(unit, "slack", "T01/C01", PURPOSE)
        do()

    wall(post).before = changes
    with pytest.raises(error):
        post.postbox().post(message)
    assert (state(post, message)[0], state(post, message)[3]) == (becomes, 0)
    assert [job.key for job in post.queue.jobs] == [f"post:{message}"] * 2
    wall(post).before = lambda: None
    assert post.postbox().post(message) == "posted"
    assert (wall(post).pinned, wall(post).looks) == ([message], looks)


def test_a_row_that_was_edited_is_noticed(post: Post):
    message = want(post)
    with post.engine.begin() as connection:
        connection.execute(update(tables.messages).values(purpose="<script>"))
    for look in (lambda: post.postbox().find(message), lambda: post.postbox().shown("<script>")):
        with pytest.raises(CheckFailed) as caught:
            look()
        assert caught.value.code == "message_tampered"


def test_nobody_wants_a_message_while_it_is_noted_how_its_attempt_ended(post: Post):
    if post.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    seen = post.postbox().find(want(post))
    assert seen is not None
    with post.engine.begin() as noting:
        assert not messages.wanted_since(noting, seen)
        with post.engine.connect() as wanting:
            wanting.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                messages.want_again(wanting, seen.id, now=1)
    with post.engine.begin() as wanting:
        messages.want_again(wanting, seen.id, now=1)
        assert messages.wanted_since(wanting, seen)
