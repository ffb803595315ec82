"""A ticket is changed as it was shown, once, wherever it is cut off; and set back to what it was. On both trackers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from support.bench import FixedClock
from twins.github.fixtures import LOCATION, Stand, stand
from twins.github.issues import comment
from twins.github.server import Fault

from twokey.core.entropy import SystemClock
from twokey.core.errors import BadInput, EnvironmentFault, Refused, TwokeyError
from twokey.core.sections import GitHubSection
from twokey.core.values import Resource
from twokey.tools.contract import Context, Marker, Place, Places, Rendered
from twokey.tools.github.hub import GitHub
from twokey.tools.github.issues import GitHubTickets, ticket_marker_of
from twokey.tools.local_tickets import LocalTickets, making
from twokey.tools.tickets import NewTicket, Query, Ticket, Tickets
from twokey.tools.trackers import Trackers
from twokey.tools.write.restore_ticket import RestoreTicket, RestoreTicketArgs
from twokey.tools.write.ticket_change import seen
from twokey.tools.write.ticket_writing import STRUCK_NOTE, plain
from twokey.tools.write.update_ticket import UpdateTicket, UpdateTicketArgs, change_of

MARK = Marker("p-000000000001", "ab" * 32, "r-000000000002", "ana", 1_767_225_600_123_456)
BACK = Marker("p-000000000003", "cd" * 32, "r-000000000004", "kim", 1_767_225_700_123_456)
FRONT = (
    "---\nid: '{n}'\ntitle: {title}\nauthor: jo\n"
    "created_at: '2026-01-0{n}T09:00:00Z'\nlabels: {labels}\nassignee: null\nstate: open\n---\n\n{body}\n"
)


@dataclass
class Fails:
    """Trackers whose tickets stop working at one of their methods, once."""

    tickets: Tickets
    at: str = ""
    after: bool = False
    calls: list[str] = field(default_factory=list[str])

    def open(self, location: str) -> Any:
        del location
        return self

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.tickets, name)

        def call(*args: Any, **named: Any) -> Any:
            self.calls.append(name)
            if name == self.at:
                self.at = ""
                if self.after:
                    method(*args, **named)
                raise EnvironmentFault("It is gone.", next="Wait.", code="gone")
            return method(*args, **named)

        return call


@dataclass
class Desk:
    """One tracker with two tickets: 1 is the earlier one, 2 the one that is sorted."""

    tickets: Tickets
    somebody_comments: Callable[[int, str], object]

    @property
    def context(self) -> Context:
        return Context(Places((Place(Resource(kind="tickets", id="desk", granted_by="config"), "x"),)), 0)

    def ticket(self, number: int = 2) -> Ticket:
        return self.tickets.get(number)

    def args(self, **changes: Any) -> UpdateTicketArgs:
        fields: dict[str, Any] = {
            "tickets": "desk",
            "ticket": 2,
            "labels": {"add": ["bug"], "remove": ["triage"]},
            "priority": "priority: high",
            "assignees": {"add": ["sam"]},
            "duplicate_of": 1,
            "comment": "Which version is it?\n\nThe log would help.",
            "checklist": ["version", "log"],
            "state": "closed",
            "reason": "not_planned",
        }
        fields |= changes
        first = UpdateTicketArgs.model_validate(fields | {"seen": "0" * 64})
        duplicate = self.tickets.get(first.duplicate_of) if first.duplicate_of is not None else None
        return first.model_copy(update={"seen": seen(self.ticket(first.ticket or 0), change_of(first, duplicate))})

    def state(self) -> tuple[Any, ...]:
        ticket = self.ticket()
        said = [plain(found.body) for page in self.tickets.comments(2) for found in page]
        return set(ticket.labels), set(ticket.assignees), ticket.state, said


def local(folder: Path) -> Desk:
    (folder / "1.md").write_text(FRONT.format(n=1, title="Orders late", labels="[bug, triage]", body="Late."))
    (folder / "2.md").write_text(FRONT.format(n=2, title="Orders are late", labels="[triage, data]", body="Again."))
    tickets = LocalTickets(folder, clock=FixedClock())

    def somebody(number: int, text: str) -> None:
        with (folder / f"{number}.comments.jsonl").open("a", encoding="utf-8") as file:
            file.write(f'{{"author": "jo", "body": "{text}"}}\n')

    return Desk(tickets, somebody)


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A twin that the tests of this module share; each has a repository of tickets of its own."""
    with stand(tmp_path_factory.mktemp("twin")) as there:
        yield there


def remote(github: Stand) -> Desk:
    world, repository = github.world, github.repository
    repository.tickets.clear()
    world_ticket = world.ticket(repository, "Orders late", "Late.", world.user("jo"))
    world_ticket.labels += ["bug", "triage"]
    other = world.ticket(repository, "Orders are late", "Again.", world.user("jo"))
    other.labels += ["triage", "data"]
    section = GitHubSection.model_validate(
        {"url": "https://github.example", "api": github.twin.api, "token_env": "GH_TOKEN"}
    )
    hub = GitHub(
        section, github.work, clock=SystemClock(), pause=github.pauses.append, environment={"GH_TOKEN": github.token}
    )
    there = hub.tickets(LOCATION)
    return Desk(there, lambda number, text: comment(world, repository.tickets[number], world.user("jo"), text))


@pytest.fixture(params=["folder", "github"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    if request.param == "folder":
        return local(tmp_path)
    return remote(request.getfixturevalue("github"))


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    return caught.value.code


def tool(desk: Desk, trackers: Any = None) -> UpdateTicket:
    return UpdateTicket(trackers or Fails(desk.tickets))


def write(desk: Desk, args: UpdateTicketArgs, trackers: Any = None) -> Rendered:
    rendered = tool(desk).render(args, desk.context)
    tool(desk, trackers).apply(args, rendered, MARK, desk.context)
    return rendered


WORDS = "Which version is it?\n\nThe log would help.\n\n- [ ] version\n- [ ] log\n\nDuplicate of #1"
SORTED = ({"bug", "priority: high", "data"}, {"sam"}, "closed", [WORDS])


def test_what_is_shown_is_all_that_will_be(desk: Desk) -> None:
    rendered = tool(desk).render(desk.args(), desk.context)
    assert rendered.preview == (
        "ticket     #2 in desk: Orders are late\n"
        "labels     + bug, + priority: high, - triage   (stays: data)\n"
        "assignees  + sam\n"
        "state      closed, not_planned\n"
        "duplicate  of #1: Orders late\n"
        "comment\n"
        "| Which version is it?\n|\n| The log would help.\n|\n| - [ ] version\n| - [ ] log\n|\n| Duplicate of #1\n"
    )
    assert rendered.labels == ("assigns_ticket", "closes_ticket", "comments_ticket", "labels_ticket", "marks_duplicate")
    assert rendered.rollback.text == (
        "Set labels and assignees and the state back as they were, and strike the comment with a note; it stays "
        "readable, as a new proposal."
    )
    assert tool(desk).render(desk.args(), desk.context) == rendered


def test_a_ticket_becomes_what_was_shown_and_what_it_was(desk: Desk) -> None:
    before = desk.state()
    args = desk.args()
    rendered = write(desk, args)
    assert desk.state() == SORTED
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "written"
    undo = tool(desk).reverse(args, rendered, MARK, desk.context)
    assert undo.tool == "restore_ticket"
    back = RestoreTicketArgs.model_validate(undo.args)
    restore = RestoreTicket(Fails(desk.tickets))
    shown = restore.render(back, desk.context)
    assert "strike\n| Which version is it?\n" in shown.preview
    assert shown.labels == ("assigns_ticket", "labels_ticket", "reopens_ticket", "strikes_comment")
    assert restore.reconcile(back, shown, BACK, desk.context).seen == "absent"
    restore.apply(back, shown, BACK, desk.context)
    labels, people, state, (said,) = desk.state()
    assert (labels, people, state) == before[:3]
    assert said.startswith("~~Which version is it?~~")
    assert said.endswith(STRUCK_NOTE)
    assert restore.reconcile(back, shown, BACK, desk.context).seen == "written"
    assert refused(lambda: tool(desk).reverse(args, rendered, MARK, desk.context)) == "nothing_to_undo"
    again = restore.reverse(back, shown, BACK, desk.context)
    assert again.tool == "update_ticket"
    write(desk, UpdateTicketArgs.model_validate(again.args), None)
    assert desk.state()[:3] == SORTED[:3]
    assert refused(lambda: restore.reverse(back.model_copy(update={"says": ""}), shown, BACK, desk.context)) == (
        "nothing_to_undo"
    )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["label", "assign", "comment", "move"])
def test_cut_off_anywhere_it_is_completed_by_writing_again(desk: Desk, at: str, after: bool) -> None:
    args = desk.args()
    rendered = tool(desk).render(args, desk.context)
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "absent"
    assert refused(lambda: write(desk, args, Fails(desk.tickets, at, after))) == "gone"
    seen_now = tool(desk).reconcile(args, rendered, MARK, desk.context).seen
    first, last = (at, after) == ("label", False), (at, after) == ("move", True)
    assert seen_now == ("absent" if first else "written" if last else "partly")
    assert tool(desk).render(args, desk.context) == rendered
    for _ in range(2):
        tool(desk).apply(args, rendered, MARK, desk.context)
        assert desk.state() == SORTED
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "written"


@pytest.mark.parametrize("change", ["label", "comment", "assign", "state", "duplicate"])
def test_a_ticket_that_has_moved_on_is_not_written_to(desk: Desk, change: str) -> None:
    args = desk.args(state=None, reason="")
    rendered = tool(desk).render(args, desk.context)
    match change:
        case "label":
            desk.tickets.label(2, add=["wontfix"])
        case "comment":
            desk.somebody_comments(2, "Never mind.")
        case "assign":
            desk.tickets.assign(2, add=["ana"])
        case "state":
            desk.tickets.move(2, "closed")
        case _:
            desk.tickets.label(1, add=["fixed"])
    before = desk.state()
    code = refused(lambda: tool(desk).apply(args, rendered, MARK, desk.context))
    assert code == ("differs_from_review" if change in {"comment", "duplicate"} else "stale_target")
    assert desk.state() == before


def test_what_somebody_else_did_already_changes_nothing(desk: Desk) -> None:
    args = desk.args(comment="", checklist=(), duplicate_of=None, state=None, reason="")
    rendered = tool(desk).render(args, desk.context)
    desk.tickets.label(2, add=["bug"])
    assert tool(desk).render(args, desk.context).target == rendered.target
    write(desk, args)
    undo = tool(desk).reverse(args, rendered, MARK, desk.context)
    assert (undo.args["labels"], undo.args["strike"], undo.args["state"]) == (
        {"add": ["triage"], "remove": ["bug", "priority: high"]},
        None,
        None,
    )
    desk.tickets.label(2, add=["triage"], remove=["bug"])
    undo = tool(desk).reverse(args, rendered, MARK, desk.context)
    assert undo.args["labels"] == {"add": [], "remove": ["priority: high"]}


def test_a_comment_that_says_something_else_is_not_ours_to_strike(desk: Desk) -> None:
    args = desk.args()
    rendered = write(desk, args)
    back = RestoreTicketArgs.model_validate(tool(desk).reverse(args, rendered, MARK, desk.context).args)
    restore = RestoreTicket(Fails(desk.tickets))
    shown = restore.render(back, desk.context)
    desk.tickets.strike(2, f"{MARK.proposal}:{MARK.key[:32]}", "Struck by hand.")
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "different"
    assert restore.reconcile(back, shown, BACK, desk.context).seen == "different"
    assert refused(lambda: restore.apply(back, shown, BACK, desk.context)) == "no_such_comment"
    assert STRUCK_NOTE not in desk.state()[3][0]


def test_somebody_who_cannot_be_assigned_leaves_the_change_half_done(github: Stand) -> None:
    desk = remote(github)
    args = desk.args(assignees={"add": ["stranger"]})
    rendered = tool(desk).render(args, desk.context)
    assert refused(lambda: tool(desk).apply(args, rendered, MARK, desk.context)) == "cannot_assign"
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "partly"


def test_a_comment_whose_answer_was_lost_is_made_once(github: Stand) -> None:
    desk = remote(github)
    args = desk.args()
    rendered = tool(desk).render(args, desk.context)
    github.twin.faults = [Fault("cut_after", "POST", "/comments")]
    assert refused(lambda: tool(desk).apply(args, rendered, MARK, desk.context)) == "github_unreachable"
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "partly"
    tool(desk).apply(args, rendered, MARK, desk.context)
    assert desk.state() == SORTED


def test_a_duplicate_is_one_of_an_earlier_ticket(tmp_path: Path) -> None:
    desk = local(tmp_path)
    later = desk.args().model_copy(update={"ticket": 1, "duplicate_of": 2})
    assert refused(lambda: tool(desk).render(later, desk.context)) == "later_duplicate"
    gone = desk.args().model_copy(update={"duplicate_of": 3})
    assert refused(lambda: tool(desk).render(gone, desk.context)) == "no_such_duplicate"


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"add": ["Bug", "bug"]}},
        {"labels": {"add": ["a"], "remove": ["A"]}},
        {"labels": {"add": ["priority: High"], "remove": ["priority: high"]}},
        {"labels": {"add": ["x\u202e"]}},
        {"labels": {"add": ["a\nb"]}},
        {"labels": {"add": ["x" * 51]}},
        {"assignees": {"add": ["a b"]}},
        {"assignees": {"add": ["sam"], "remove": ["SAM"]}},
        {"duplicate_of": 2},
        {"state": None},
        {"state": "gone"},
        {"checklist": ["a\x1b[2J"]},
        {"checklist": ["a\nb"]},
        {"comment": "a\x00"},
        {"comment": "a" * 20_001},
        {"tickets": ""},
        {"host": "elsewhere"},
    ],
)
def test_what_no_ticket_should_get_is_not_even_rendered(changes: dict[str, Any]) -> None:
    fields = {"tickets": "desk", "ticket": 2, "seen": "0" * 64, "priority": "priority: high", "state": "closed"}
    fields |= {"reason": "completed"}
    assert UpdateTicketArgs.model_validate(fields)
    with pytest.raises(ValidationError):
        UpdateTicketArgs.model_validate(fields | changes)


def test_a_change_changes_something() -> None:
    with pytest.raises(ValidationError, match="changes nothing"):
        UpdateTicketArgs(tickets="desk", ticket=2, seen="0" * 64, comment=" \n")
    with pytest.raises(ValidationError, match="says something"):
        RestoreTicketArgs(tickets="desk", ticket=2, seen="0" * 64, says="x")
    with pytest.raises(ValidationError, match="twice"):
        RestoreTicketArgs.model_validate({"tickets": "desk", "ticket": 2, "seen": "0" * 64, "labels": {"add": ["a"], "remove": ["A"]}})  # fmt: skip


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("plain words, 5 < 6 and a@b", set[str]()),
        ("ask @sam", {"mentions_people"}),
        ("(@sam)", {"mentions_people"}),
        ("ask \uff20sam", {"mentions_people"}),
        ("see https://example.org", {"links_elsewhere"}),
        ("log in at evil.example/login", {"links_elsewhere"}),
        ("log in at evil.example:8080/x", {"links_elsewhere"}),
        ("log in at evil\uff0eexample/login", {"links_elsewhere"}),
        ("log in at 192.0.2.7/login", {"links_elsewhere"}),
        ("src/app.py/part, 3.2/3.3, and/or, a.b, v1.2.3/linux", set[str]()),
        ("see [here](x)", {"links_elsewhere"}),
        ("see [a]: x", {"links_elsewhere"}),
        ("write to mailto:x", {"links_elsewhere"}),
        ("<b>", {"holds_markup"}),
        ("<!-- twokey:comment x -->", {"holds_markup"}),
        ("&#64;sam", {"holds_markup"}),
        ("a\u200bb", {"hides_characters"}),
    ],
)
def test_what_a_comment_does_is_told_from_its_text(tmp_path: Path, words: str, kinds: set[str]) -> None:
    desk = local(tmp_path)
    args = desk.args(comment=words, labels={}, priority=None, assignees={}, state=None, reason="", duplicate_of=None)
    rendered = tool(desk).render(args, desk.context)
    assert set(rendered.labels) - {"comments_ticket"} == kinds
    assert rendered.rollback.text.startswith("Nothing but a comment is taken back")


@pytest.mark.parametrize(
    ("label", "disguised"),
    [
        ("bu\u0261", True),
        ("b\u0443g", True),
        ("\uff42\uff55\uff47", True),
        ("priority: h\u0456gh", True),
        ("Qualit\u00e4t", False),
        ("stra\u00dfe \u0142\u00f8", False),
        ("\u043e\u0448\u0438\u0431\u043a\u0430", False),
        ("\u30d0\u30b0 bug", False),
        ("bug", False),
    ],
)
def test_a_label_that_only_looks_like_another_is_told(tmp_path: Path, label: str, disguised: bool) -> None:
    desk = local(tmp_path)
    args = desk.args(comment="", labels={"add": [label]}, priority=None, assignees={}, state=None, reason="", duplicate_of=None)  # fmt: skip
    assert ("disguises_name" in tool(desk).render(args, desk.context).labels) is disguised


@pytest.mark.parametrize(
    ("title", "label", "is_one"),
    [
        ("SQL injection in the search form", "bug", True),
        ("Our API tokens - leaked the staging keys", "bug", True),
        ("Orders are late", "security", True),
        ("Orders are late", "bug", False),
        ("Make the key of orders unique", "bug", False),
    ],
)
def test_a_report_of_a_weakness_is_told_whatever_the_agent_says(
    tmp_path: Path, title: str, label: str, is_one: bool
) -> None:
    desk = local(tmp_path)
    (tmp_path / "2.md").write_text(FRONT.format(n=2, title=title, labels="[x]", body="."), encoding="utf-8")
    args = desk.args(labels={"add": [label]})
    labels = tool(desk).render(args, desk.context).labels
    assert ("security_report" in labels, "comments_security_report" in labels) == (is_one, is_one)
    silent = desk.args(labels={"add": [label]}, comment="", checklist=(), duplicate_of=None)
    assert "comments_security_report" not in tool(desk).render(silent, desk.context).labels


def test_text_of_a_ticket_is_one_short_line_in_a_preview(tmp_path: Path) -> None:
    desk = local(tmp_path)
    title = "Orders\u202e | \u200b<b>late</b>" + "x" * 300
    (tmp_path / "2.md").write_text(FRONT.format(n=2, title=title, labels="[x]", body="."), encoding="utf-8")
    first = tool(desk).render(desk.args(), desk.context).preview.split("\n")[0]
    assert first.startswith("ticket     #2 in desk: Orders | <b>late</b>xxx")
    assert first.endswith("x…")
    assert len(first) < 160


def test_a_location_says_which_tracker_is_meant(tmp_path: Path, github: Stand) -> None:
    here = Trackers(LocalTickets, None)
    assert here.open(str(tmp_path)) is here.open(str(tmp_path))
    assert refused(lambda: here.open(LOCATION)) == "github_not_set_up"
    there = Trackers(LocalTickets, lambda _: remote(github).tickets)
    assert there.open(LOCATION).get(2).title == "Orders are late"
    with pytest.raises(BadInput):
        there.open("ftp://example.org/x")


def test_a_step_changes_each_ticket_once(tmp_path: Path) -> None:
    desk = local(tmp_path)
    assert tool(desk).once(desk.args()) != tool(desk).once(desk.args(ticket=1, duplicate_of=None))
    with pytest.raises(Refused):
        tool(desk).render(desk.args().model_copy(update={"seen": "0" * 64}), desk.context)


# -- opening one ---------------------------------------------------------------------------------------------------

OPENS = {
    "tickets": "desk",
    "opens": {"title": "Scores are late", "body": "Since 10:02.\n\nmarker: not mine"},
    "labels": {"add": ["incident"]},
}


def opening(**changes: Any) -> UpdateTicketArgs:
    return UpdateTicketArgs.model_validate(OPENS | changes)


def test_a_ticket_is_opened_as_it_was_shown_once_and_closed_again(desk: Desk) -> None:
    args = opening()
    rendered = tool(desk).render(args, desk.context)
    assert rendered.preview == (
        "new ticket in desk: Scores are late\nlabels     + incident\ntext\n| Since 10:02.\n|\n| marker: not mine\n"
    )
    assert rendered.labels == ("labels_ticket", "opens_ticket")
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "absent"
    first = tool(desk).apply(args, rendered, MARK, desk.context)
    again = tool(desk).apply(args, rendered, MARK, desk.context)
    assert first == again
    found = tool(desk).reconcile(args, rendered, MARK, desk.context)
    assert (found.seen, found.result) == ("written", first)
    made = desk.ticket(first.ticket)
    assert (made.title, made.labels, made.state, made.key) == ("Scores are late", ("incident",), "open", first.key)
    assert plain(made.body).startswith("Since 10:02.\n\nmarker: not mine")
    assert sum(len(page) for page in desk.tickets.list(Query(state="all"))) == 3
    undo = tool(desk).reverse(args, rendered, MARK, desk.context)
    back = UpdateTicketArgs.model_validate(undo.args)
    tool(desk).apply(back, tool(desk).render(back, desk.context), BACK, desk.context)
    assert desk.ticket(first.ticket).state == "closed"
    assert refused(lambda: tool(desk).reverse(args, rendered, MARK, desk.context)) == "nothing_to_undo"


def test_an_opening_that_was_cut_off_is_found_and_not_made_twice(desk: Desk) -> None:
    args = opening()
    rendered = tool(desk).render(args, desk.context)
    trackers = Fails(desk.tickets, at="create", after=True)
    assert refused(lambda: tool(desk, trackers).apply(args, rendered, MARK, desk.context)) == "gone"
    assert tool(desk).reconcile(args, rendered, MARK, desk.context).seen == "written"
    tool(desk).apply(args, rendered, MARK, desk.context)
    assert sum(len(page) for page in desk.tickets.list(Query(state="all"))) == 3


def test_what_a_new_ticket_does_besides_saying_something_is_told(desk: Desk) -> None:
    said = {"title": "Slow, @all", "body": "see https://evil.example <b>now</b>"}
    rendered = tool(desk).render(opening(opens=said), desk.context)
    assert {"mentions_people", "links_elsewhere", "holds_markup"} <= set(rendered.labels)
    weak = tool(desk).render(opening(opens={"title": "Slow", "body": "a remote code execution"}), desk.context)
    assert {"security_report", "comments_security_report"} <= set(weak.labels)


def test_another_ticket_than_was_shown_is_not_opened(desk: Desk) -> None:
    rendered = tool(desk).render(opening(), desk.context)
    other = opening(opens={"title": "Something else", "body": "x"})
    assert refused(lambda: tool(desk).apply(other, rendered, MARK, desk.context)) == "differs_from_review"
    assert tool(desk).reconcile(opening(), rendered, MARK, desk.context).seen == "absent"


@pytest.mark.parametrize(
    "more",
    [
        {"ticket": 2},
        {"seen": "0" * 64},
        {"comment": "x"},
        {"state": "closed"},
        {"assignees": {"add": ["sam"]}},
        {"labels": {"remove": ["bug"]}},
        {"labels": {"add": ["bug", "Bug"]}},
        {"opens": {"title": "x", "body": "\n"}},
        {"opens": None},
    ],
)
def test_an_opening_opens_and_nothing_else(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        opening(**more)


def test_a_new_file_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    desk = local(tmp_path)
    names = [*making.keys("p-1:k")]
    (tmp_path / f"{names[0]}.md").write_text(FRONT.format(n=1, title="t", labels="[]", body="marker: p-1:k"))
    (tmp_path / f"{names[1]}.md").write_bytes(b"\0")
    new = NewTicket(title="a: 'quoted' \"title\"", body="---\ntext\n---", labels=("on call",))
    assert desk.tickets.find_created("p-1:k") is None
    made = desk.tickets.create(new, "p-1:k")
    assert (made.key, made.title, made.body, made.labels) == (names[2], new.title, new.body, new.labels)
    assert desk.tickets.find_created("p-1:k") == made
    for name in making.keys("p-2:k"):
        (tmp_path / f"{name}.md").write_bytes(b"no ticket")
    assert refused(lambda: desk.tickets.create(new, "p-2:k")) == "no_free_key"
    assert desk.tickets.find_created("p-2:k") is None


def test_an_issue_is_ours_only_where_we_opened_it(github: Stand) -> None:
    desk = remote(github)
    world, repository = github.world, github.repository
    copied = world.ticket(repository, "x", f"x\n\n{ticket_marker_of('p-1:k')}", world.user("jo"))
    made = desk.tickets.create(NewTicket(title="x", body="x"), "p-1:k")
    assert made.number != copied.number
    ours = [
        world.ticket(repository, "x", f"x\n\n{ticket_marker_of('p-3:k')}", world.user("twokey")).number
        for _ in range(2)
    ]
    found = desk.tickets.find_created("p-3:k")
    assert found is not None
    assert found.number == min(ours)


def test_of_two_issues_opened_at_the_same_moment_the_later_one_is_closed(github: Stand) -> None:
    desk = remote(github)
    world, repository = github.world, github.repository

    class Raced(GitHubTickets):
        """Somebody of us opens the same between the look and the writing."""

        looked = False

        @classmethod
        def of(cls, other: GitHubTickets) -> "Raced":
            return cls(other._client, other._mine)

        def find_created(self, marker: str) -> Ticket | None:
            found = super().find_created(marker)
            if not self.looked:
                self.looked = True
                world.ticket(repository, "x", f"x\n\n{ticket_marker_of(marker)}", world.user("twokey"))
            return found

    assert isinstance(desk.tickets, GitHubTickets)
    raced = Raced.of(desk.tickets)
    made = raced.create(NewTicket(title="x", body="x"), "p-4:k")
    assert (made.number, made.state) == (3, "open")
    assert repository.tickets[4].state == "closed"
