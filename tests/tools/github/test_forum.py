"""What is said on GitHub is asked of GitHub, and what Twokey says there is found again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twins.github.fixtures import FULL_NAME, Stand, stand
from twins.github.issues import comment
from twins.github.pulls import review, review_comment
from twins.github.server import Fault
from twins.github.world import PullRequest

from twokey.core.errors import TwokeyError
from twokey.tools.forge import PullRecord
from twokey.tools.github.access import TokenAccess
from twokey.tools.github.client import Client
from twokey.tools.github.forum import GitHubForum
from twokey.tools.github.models import Account


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("github")) as stood:
        main = stood.branches()["main"]
        ticket = stood.world.ticket(
            stood.repository, "Mine", "<!-- twokey:pull p-000000000001 " + "a" * 64 + " -->", stood.world.user("ana")
        )
        stood.repository.pulls[ticket.number] = PullRequest(ticket, "main", "main", main, main)
        yield stood


def forum(there: Stand) -> GitHubForum:
    me = there.world.user("twokey").id

    def mine(account: Account | None) -> bool:
        return account is not None and account.id == me

    return GitHubForum(Client(there.wire(), TokenAccess(there.token), FULL_NAME, pause=there.pauses.append), mine)


def any_of(record: PullRecord) -> bool:
    """Believe everything."""
    del record
    return True


def test_what_is_gone_is_nothing(there: Stand) -> None:
    asked = forum(there)
    assert (asked.comment(1), asked.review_comment(1), asked.review(1, 1), asked.pull(99, any_of)) == (
        None,
        None,
        None,
        None,
    )


def test_who_wrote_what_and_where_is_told_by_github(there: Stand) -> None:
    pull = there.repository.pulls[1]
    ana = there.world.user("ana")
    said = forum(there).comment(comment(there.world, pull.ticket, ana, "hello")["id"])
    assert said is not None
    assert (said.number, said.author, said.bot, said.approves) == (1, f"github:{ana.id}", False, False)
    said = forum(there).review_comment(review_comment(there.world, pull, ana, "hm")["id"])
    assert said is not None
    assert said.number == 1
    approved = review(there.world, pull, ana, "APPROVED", "fine")
    dismissed = review(there.world, pull, ana, "DISMISSED", "fine")
    found = [forum(there).review(1, made["id"]) for made in (approved, dismissed)]
    assert [seen is not None and seen.approves for seen in found] == [True, False]


def test_a_moment_that_is_none_is_long_ago(there: Stand) -> None:
    made = comment(there.world, there.repository.tickets[1], there.world.user("ana"), "hello")
    there.twin.faults = [Fault("tamper", "GET", "/comments/", change=lambda value: {**value, "created_at": "soon"})]
    said = forum(there).comment(made["id"])
    assert said is not None
    assert said.created_us == 0


def fork(value: Any) -> Any:
    return {**value, "head": {**value["head"], "repo": None}}


@pytest.mark.parametrize("change", [None, fork])
def test_a_text_that_says_so_makes_no_pull_request_of_ours(there: Stand, change: Callable[[Any], Any] | None) -> None:
    there.twin.faults = [Fault("tamper", "GET", "/pulls/1", change=change)] if change else []
    assert forum(there).pull(1, any_of) is None


def test_ten_thousand_marks_cost_no_more_than_one(there: Stand) -> None:
    main = there.branches()["main"]
    marks = "".join(f"<!-- twokey:pull p-{number:012d} {'a' * 64} -->" for number in range(10_000))
    ticket = there.world.ticket(there.repository, "Ours?", marks, there.world.user("twokey"))
    there.repository.pulls[ticket.number] = PullRequest(ticket, "main", "main", main, main)
    before = len(there.twin.calls)
    assert forum(there).pull(ticket.number, any_of) is None
    assert len(there.twin.calls) - before <= 4


def test_what_twokey_says_is_found_and_put_in_other_words(there: Stand) -> None:
    asked = forum(there)
    made = asked.say(1, "first", "m-000000000001")
    assert asked.find(1, "m-000000000001") == made
    asked.edit(made, "second", "m-000000000001")
    assert asked.find(1, "m-000000000001") == made
    assert there.repository.tickets[1].comments[-1]["body"].startswith("second")
    assert asked.find(1, "m-000000000002") is None
    with pytest.raises(TwokeyError) as caught:
        asked.edit("../1", "x", "m-000000000001")
    assert caught.value.code == "bad_comment"
