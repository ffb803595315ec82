"""Tickets that are GitHub issues: page by page, found by phrase, commented once."""

from collections.abc import Callable
from typing import Any

import pytest
from twins.github.fixtures import FULL_NAME, LOCATION, Stand
from twins.github.issues import comment
from twins.github.server import Fault
from twins.github.world import PullRequest, Ticket

from twokey.core.entropy import SystemClock
from twokey.core.errors import TwokeyError
from twokey.core.sections import GitHubSection
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.github.access import AppAccess
from twokey.tools.github.hub import GitHub
from twokey.tools.github.models import Account
from twokey.tools.read.tickets import SearchTickets, TicketsArgs
from twokey.tools.tickets import Query, Tickets


def hub(github: Stand) -> GitHub:
    section = GitHubSection.model_validate(
        {"url": "https://github.example", "api": github.twin.api, "token_env": "GH_TOKEN"}
    )
    return GitHub(
        section, github.work, clock=SystemClock(), pause=github.pauses.append, environment={"GH_TOKEN": github.token}
    )


def tickets(github: Stand) -> Tickets:
    return hub(github).tickets(LOCATION)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    return caught.value.code


def add(github: Stand, title: str, body: str | None = None) -> Ticket:
    return github.world.ticket(github.repository, title, body, github.world.user("ana"))


def test_a_ticket_is_read_with_what_belongs_to_it(github: Stand) -> None:
    made = add(github, "Orders are late", "since Monday")
    made.labels += ["bug", "data"]
    ticket = tickets(github).get(1)
    assert (ticket.title, ticket.body, ticket.state, ticket.labels) == ("Orders are late", "since Monday", "open", ("bug", "data"))  # fmt: skip
    assert ticket.author_id == f"github:{github.world.users['ana'].id}"
    assert refused(lambda: tickets(github).get(2)) == "github_not_found"


def test_pull_requests_are_no_tickets(github: Stand) -> None:
    add(github, "a ticket")
    change = add(github, "a change")
    main = github.branches()["main"]
    github.repository.pulls[change.number] = PullRequest(change, "x", "main", main, main)
    assert [ticket.title for page in tickets(github).list(Query()) for ticket in page] == ["a ticket"]
    assert [ticket.title for ticket in tickets(github).search("a", 10)] == ["a ticket"]
    assert refused(lambda: tickets(github).get(2)) == "not_a_ticket"


def test_listing_holds_one_page_at_a_time(github: Stand) -> None:
    for number in range(350):
        add(github, f"ticket {number}", "x" * 2000)
    there = hub(github)
    pages = there.tickets(LOCATION).list(Query(state="all"))
    before = len(github.twin.calls)
    sizes: list[int] = []
    for asked, page in enumerate(pages, 1):
        sizes.append(len(page))
        assert len(github.twin.calls) == before + asked, "a page is asked for when it is wanted"
    assert sizes == [100, 100, 100, 50]


def test_tickets_are_chosen_by_state_label_and_time(github: Stand) -> None:
    for number in range(3):
        add(github, f"ticket {number}").labels.append(f"l{number % 2}")
    github.repository.tickets[3].state = "closed"
    github.repository.tickets[2].updated_at = "2031-01-01T00:00:00Z"

    def titles(query: Query) -> list[str]:
        return [ticket.title for page in tickets(github).list(query) for ticket in page]

    assert titles(Query(state="closed")) == ["ticket 2"]
    assert titles(Query(state="all", labels=("l0",))) == ["ticket 0", "ticket 2"]
    assert titles(Query(state="all", since="2030-01-01T00:00:00Z")) == ["ticket 1"]


@pytest.mark.parametrize("text", ['late" repo:acme/secret is:pr "', "late repo:acme/secret", 'late\\" OR "x'])
def test_what_is_searched_for_is_a_phrase_and_no_instruction(github: Stand, text: str) -> None:
    add(github, "Orders are late")
    assert tickets(github).search(text, 5) == []
    assert [ticket.number for ticket in tickets(github).search("orders ARE", 5)] == [1]
    assert tickets(github).search(' "" ', 5) == []


def test_labels_assignees_and_states_are_set_once_however_often(github: Stand) -> None:
    add(github, "Orders are late")
    there = tickets(github)
    for _ in range(2):
        assert there.label(1, add=("bug", "p1"), remove=("gone",)).labels == ("bug", "p1")
    assert there.label(1, remove=("p1",)).labels == ("bug",)
    for _ in range(2):
        assert there.assign(1, add=("ana", "sam")).assignees == ("ana", "sam")
    assert there.assign(1, remove=("sam",)).assignees == ("ana",)
    assert refused(lambda: there.assign(1, add=("stranger",))) == "cannot_assign"
    assert there.move(1, "closed", "not_planned").reason == "not_planned"
    assert there.move(1, "open").state == "open"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_comment_is_made_once_whatever_is_cut_off(github: Stand, kind: str) -> None:
    add(github, "Orders are late")
    there = tickets(github)
    github.twin.faults = [Fault("cut_after" if kind == "cut_after" else "cut_before", "POST", "/comments")]
    assert refused(lambda: there.comment(1, "Looking into it.", "m-000000000001")) == "github_unreachable"
    again = there.comment(1, "Looking into it.", "m-000000000001")
    assert there.comment(1, "Looking into it.", "m-000000000001") == again
    assert len(github.repository.tickets[1].comments) == 1
    assert [found.id for page in there.comments(1) for found in page] == [again.id]


def test_of_two_comments_made_at_the_same_moment_the_first_stays(github: Stand) -> None:
    ticket, there = add(github, "Orders are late"), tickets(github)
    marked = "Looking into it.\n\n<!-- twokey:comment m-000000000001 -->"

    def meanwhile(answer: object) -> object:
        comment(github.world, ticket, github.world.user("twokey"), marked)  # by a process that did not see ours yet
        return answer

    github.twin.faults = [Fault("tamper", "POST", "/comments", change=meanwhile)]
    made = there.comment(1, "Looking into it.", "m-000000000001")
    assert [(str(found["id"]), found["body"]) for found in ticket.comments] == [(made.id, marked)]


def test_somebody_elses_comment_with_our_marker_is_not_ours(github: Stand) -> None:
    ticket = add(github, "Orders are late")
    text = "Fine!\n\n<!-- twokey:comment m-000000000001 -->"
    comment(github.world, ticket, github.world.user("mallory"), text)
    comment(github.world, ticket, github.world.user("twokey-ops[bot]x", "Bot"), text)
    there = tickets(github)
    assert there.find_comment(1, "m-000000000001") is None
    there.comment(1, "Looking into it.", "m-000000000001")
    assert len(ticket.comments) == 3
    assert refused(lambda: there.comment(1, "x", "--> <b>")) == "bad_marker"


def test_an_app_knows_itself_by_its_name_and_kind(github: Stand) -> None:
    app, _ = github.world.app("twokey-ops", FULL_NAME)
    there = hub(github)
    there.access = AppAccess(there.wire, app.id, app.pem(), SystemClock())  # pyright: ignore[reportAttributeAccessIssue]
    assert there.mine(Account(id=1, login="twokey-ops[bot]", type="Bot"))
    assert not there.mine(Account(id=1, login="twokey-ops[bot]"))
    assert not there.mine(Account(id=1, login="twokey-ops", type="Bot"))
    assert not there.mine(None)
    there.close()


def test_who_twokey_is_has_to_be_known(github: Stand) -> None:
    there = hub(github)
    del github.world.tokens[github.token]
    assert refused(there.me) == "github_auth"


def test_people_name_an_issue_by_its_number_in_writing(github: Stand) -> None:
    add(github, "Orders are late")
    there = tickets(github)
    assert there.named("1") == there.named("#1") == there.get(1)
    assert (there.get(1).key, there.get(1).version) == ("1", there.get(1).updated_at)
    for key in ("", "0", "-1", "1/2", "acme/secret#1", "1 ", "٣", "9" * 16):
        assert refused(lambda key=key: there.named(key)) == "no_ticket"
    assert there.unread() == ()


def test_a_comment_is_struck_once_and_stays_ours(github: Stand) -> None:
    add(github, "Orders are late")
    there = tickets(github)
    there.comment(1, "Looking into it.\n\nSoon.", "m-000000000001")
    calls = len(github.twin.calls)
    found = there.strike(1, "m-000000000001", "Taken back: it was not late.")
    for _ in range(2):
        assert there.strike(1, "m-000000000001", "Taken back: it was not late.").id == found.id
        assert found.body.startswith("~~Looking into it.~~\n\n~~Soon.~~\n\nTaken back: it was not late.\n\n<!-- ")
    assert [call.method for call in github.twin.calls[calls:]].count("PATCH") == 1
    assert there.comment(1, "Looking into it.", "m-000000000001").id == found.id
    assert refused(lambda: there.strike(1, "m-000000000002", "no")) == "no_comment"
    copied = found.body.replace("000000000001", "000000000003")
    comment(github.world, github.repository.tickets[1], github.world.user("ana"), copied)
    assert refused(lambda: there.strike(1, "m-000000000003", "no")) == "no_comment"


def test_issues_are_read_and_found_by_search_tickets(github: Stand) -> None:
    add(github, "Nightly job fails with UniqueViolation", "scores_pkey is violated")
    add(github, "Dark mode", "please")
    add(github, "UniqueViolation in the nightly job", "scores_pkey, like #2 no, like #1")
    github.repository.tickets[1].labels.append("bug")
    there = hub(github)
    tool = SearchTickets(there.tickets)
    place = Place(Resource(kind="tickets", id="shop", granted_by="config"), LOCATION)

    def asked(**ask: object) -> Any:
        args = TicketsArgs.model_validate({"tracker": "shop", "ask": ask})
        return tool.call(args, Context(Places((place,)), 0)).answer

    similar = asked(kind="similar", key="3")
    assert (similar.candidates[0].key, similar.candidates[0].named, similar.indexed.tickets) == ("1", True, 3)
    assert asked(kind="get", key="#1").shown.ticket.title.startswith("Nightly")
    assert [label.label for label in asked(kind="labels").labels] == ["bug"]
    page = asked(kind="list", most=2)
    assert [shown.ticket.key for shown in page.tickets] == ["1", "2"]
    assert [shown.ticket.key for shown in asked(kind="list", after=page.next.canonical()).tickets] == ["3"]
