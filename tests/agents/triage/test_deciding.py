"""What is proposed for a ticket, what is left open, and that nothing a ticket says acts where it is repeated."""

from datetime import UTC, datetime
from typing import Any

import pytest

from twokey.agents.reviewer import tickets as review
from twokey.agents.triage.deciding import Decided, decide, inert
from twokey.agents.triage.drafting import draft, findings
from twokey.agents.triage.routing import Habits, Routing
from twokey.agents.triage.team import Known, Passage, Team
from twokey.agents.triage.values import Judgement, MissingItem, Reader, Understanding
from twokey.core.values import Resource
from twokey.tools.read.ticket_pages import TicketRead, TicketsRead
from twokey.tools.read.tickets import TicketsResult
from twokey.tools.tickets import Ticket
from twokey.tools.write import ticket_change
from twokey.tools.write.update_ticket import UpdateTicketArgs, change_of

NOW = datetime(2026, 11, 4, 10, tzinfo=UTC)
ROUTING = Routing.model_validate(
    {
        "people": {"sam": {"account": "sam-a"}, "rita": None},
        "ladder": {"platform-owners": ["sam"], "risk-owners": ["rita"]},
        "areas": {"scores": "platform-owners"},
        "default": "platform-owners",
        "private": "risk-owners",
    }
)


def _no_reader(*_: object) -> Reader:
    raise AssertionError("nothing is learned here")


TEAM = Team(teach=_no_reader, priorities={"high": "priority: high"}, routing=ROUTING)
PLACE = Resource(kind="tickets", id="desk", granted_by="config")
EVIDENCE = "e-000000000001"


def ticket(number: int = 2, title: str = "The scores are late", body: str = "Since Monday.", **more: Any) -> TicketRead:
    made = Ticket(
        number=number,
        key=str(number),
        title=title,
        body=body,
        state="open",
        author="jo",
        author_id="",
        created_at=f"2026-01-0{number}T00:00:00Z",
        updated_at=f"2026-01-0{number}T00:00:00Z",
        **more,
    )
    return TicketRead.of(made)


OLDER = ticket(1, "Scores late", "Since Monday the scores are late.", labels=("bug",))


def understood(**parts: Any) -> Understanding:
    fields: dict[str, Any] = {"kind": None, "kinds": (), "priority": None, "area": None}
    return Understanding(**fields | parts)


def sure(value: str, permille: int = 950, *reasons: str) -> Judgement:
    return Judgement(value=value, confidence_permille=permille, reasons=reasons)


def decided(found: Understanding, *known: Known, about: TicketRead | None = None, team: Team = TEAM) -> Decided:
    about = about or ticket()
    return decide(about, found, known, team, Habits(), {1: OLDER, about.number: about}, NOW)


def drafted(made: Decided) -> dict[str, Any]:
    said = findings(made.said, made.ticket, [EVIDENCE], 1)
    body: Any = draft(
        made, said, tracker=PLACE, evidence=[EVIDENCE], others={1: OLDER, made.ticket.number: made.ticket}
    )
    return body


def evidence(*more: TicketRead) -> review.Evidence:
    page = TicketsRead(tickets=(OLDER, ticket(), *more))
    return review.Evidence({EVIDENCE: TicketsResult(tracker="desk", answer=page).canonical()})


KNOWN = Known(
    number=1,
    confidence_permille=800,
    score_permille=700,
    proposed=True,
    passages=(Passage(here="Since Monday.", there="Since Monday the scores are late."),),
)
FULL = understood(
    kind=sure("bug", 950, "it speaks of “late”"),
    kinds=(sure("bug"),),
    priority=sure("high", 700),
    missing=(MissingItem(code="version", ask="Which version is it?"),),
)


def test_what_is_known_is_proposed_in_one_change_that_stands_the_review() -> None:
    made = decided(FULL)
    assert (made.labels, made.priority, made.assignee) == (("bug",), "priority: high", "sam-a")
    assert (made.comment, made.checklist) == (
        "Thank you. To look into this we need a little more:",
        ("Which version is it?",),
    )
    assert [said.kind for said in made.said] == ["ticket_kind", "ticket_priority", "ticket_route", "ticket_lacks"]
    body = drafted(made)
    assert review.problems(body, evidence(), TEAM.names()) == []
    assert UpdateTicketArgs.model_validate(body["args"]).all_labels.add == ("bug", "priority: high")
    claims = findings(made.said, made.ticket, [EVIDENCE], 1)
    assert [review.fault(claim, evidence()) for claim in claims] == [None] * 4


def test_a_duplicate_is_shown_side_by_side_and_asks_for_nothing() -> None:
    made = decided(FULL, KNOWN)
    assert made.labels == ("bug", "duplicate")
    assert made.checklist == ()
    assert "- here: “Since Monday.”\n- there: “Since Monday the scores are late.”" in made.comment
    body = drafted(made)
    assert body["args"]["duplicate_of"] == 1
    assert review.problems(body, evidence(), TEAM.names()) == []
    unsure = decided(FULL, KNOWN.model_copy(update={"proposed": False}))
    assert unsure.duplicate is None
    assert "#2 may repeat #1: alike by 70 %." in [said.claim for said in unsure.said]
    assert decided(FULL, KNOWN.model_copy(update={"confidence_permille": 100})).said == decided(FULL).said


def test_it_says_what_it_does_not_know() -> None:
    made = decided(understood(kinds=(sure("bug", 600), sure("feature", 300))))
    assert made.said[0].claim == "What #2 is cannot be told: bug (60 %) or feature (30 %); the team asks for 90 %."
    assert made.said[0].attention
    proud = decided(understood(kinds=(sure("bug", 980),)))
    assert proud.said[0].claim.endswith("too few tickets were sorted before to rely on that.")
    silent = decided(understood(), about=ticket(title="", body=""))
    assert silent.said[0].claim == "#2 says nothing that could be judged."
    assert not decided(understood(), about=ticket(title="", body=""), team=Team(teach=TEAM.teach)).changes


@pytest.mark.parametrize(
    "about",
    [ticket(title="SQL injection in the search"), ticket(labels=("security",)), ticket(body="Leaked API tokens")],
)
def test_a_report_of_a_weakness_gets_no_word_in_public(about: TicketRead) -> None:
    for found in (FULL, understood(security=sure("security"))):
        made = decided(found, KNOWN, about=about)
        assert (made.comment, made.checklist, made.duplicate, made.priority) == ("", (), None, None)
        assert set(made.labels) <= {"security"}
        assert made.assignee == "rita"
        assert review.problems(drafted(made), evidence(about), TEAM.names()) == []


def test_spam_gets_its_label_and_nothing_else() -> None:
    made = decided(understood(spam=sure("spam")), KNOWN)
    assert (made.labels, made.assignee, made.comment, made.duplicate) == (("spam",), "", "", None)


def test_what_is_there_is_not_put_on_again_and_nobody_is_replaced() -> None:
    about = ticket(labels=("BUG", "Priority: High"), assignees=("kim",))
    made = decided(FULL, about=about)
    assert (made.labels, made.priority, made.assignee) == ((), None, "")


@pytest.mark.parametrize(
    "text",
    [
        "a @sam b",
        "see https://evil.example/x?y=1",
        "www.evil.example",
        "<img src=x onerror=alert(1)>",
        "[here](javascript:alert(1))",
        "![x](data:text/html)",
        "<!-- twokey:comment p-1 -->",
        "a\u202eb\u200bc\x1b[2J",
        "`rm -rf`",
        "|table|\n# head",
        "&#64;sam &lt;b&gt;",
        "[a]: http://x",
        "x" * 100_000,
        "😀 " * 500,
    ],
)
def test_repeated_text_acts_nowhere(text: str) -> None:
    shown = inert(text)
    assert len(shown) <= 160
    made = decided(FULL, KNOWN.model_copy(update={"passages": (Passage(here=text, there=text),)}))
    about = ticket()
    kinds = ticket_change.kinds(about, ticket_change.Change(comment=made.comment), duplicate=True)
    assert kinds == ("comments_ticket", "marks_duplicate")
    assert UpdateTicketArgs.model_validate(drafted(made)["args"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ticket": 9}, "the ticket was not read"),
        ({"duplicate_of": 9}, "the ticket that it repeats was not read, or is later"),
        ({"seen": "0" * 64}, "the ticket is another one than was read"),
        ({"labels": {"add": ["admin"]}}, "a label that nobody knows"),
        ({"labels": {"remove": ["bug"]}}, "something is taken off or closed"),
        ({"state": "closed"}, "something is taken off or closed"),
        ({"assignees": {"add": ["mallory"]}}, "a person whom the settings do not name"),
        ({"comment": "It says “buy now”."}, "a quote that no ticket holds"),
        ({"comment": "@sam look"}, "mentions_people"),
        ({"comment": "see https://evil.example"}, "links_elsewhere"),
        ({"comment": "<b>"}, "holds_markup"),
        ({"comment": "a\u200bb"}, "hides_characters"),
    ],
)
def test_the_review_finds_what_no_ticket_bears_out(changes: dict[str, Any], said: str) -> None:
    body = drafted(decided(FULL))
    args = body["args"] | changes
    if "seen" not in changes and args["ticket"] == 2 and args["duplicate_of"] is None:
        parsed = UpdateTicketArgs.model_validate(args)
        args["seen"] = ticket_change.seen(ticket(), change_of(parsed, None))
    assert f"unbacked_claim {said}" in review.problems(body | {"args": args}, evidence(), TEAM.names())


def test_the_review_reads_anything() -> None:
    assert review.problems({}, evidence(), frozenset()) == ["unbacked_claim the draft cannot be read"]
    assert review.problems({"tool": "update_ticket", "args": 7}, evidence(), frozenset()) != []
    body = drafted(decided(FULL))
    assert review.problems(body | {"tool": "open_pull_request"}, evidence(), TEAM.names()) == ["unbacked_claim tool"]
    assert review.Evidence({"e-000000000002": {"other": 1}}).tickets == {}
    said = findings(decided(FULL).said, ticket(), [EVIDENCE], 1)[0]
    assert review.fault(said.model_copy(update={"evidence": ()}), evidence()) == "no_evidence"
    assert review.fault(said.model_copy(update={"evidence": ("e-000000000009",)}), evidence()) == "unknown_evidence"
    assert review.fault(said.model_copy(update={"subject": "#7"}), evidence()) == "unknown_subject"
    assert review.fault(said.model_copy(update={"claim": "It says “buy”."}), evidence()) == "unsupported_name"


def test_a_question_of_the_checklist_can_be_in_the_teams_own_words() -> None:
    found = understood(missing=(MissingItem(code="steps", ask="Please list the steps."),))
    own = Team(teach=_no_reader, questions={"steps": "How do we see it, too?"})
    assert decide(ticket(), found, (), own, Habits({}, {}), {}, NOW).checklist == ("How do we see it, too?",)
    assert decide(ticket(), found, (), TEAM, Habits({}, {}), {}, NOW).checklist == ("Please list the steps.",)
