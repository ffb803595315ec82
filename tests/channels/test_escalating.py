"""Nobody answers: each step is taken once, is in the log, and is said where the settings say, about nothing but itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import FixedClock

from twokey.channels import creation, wiring
from twokey.channels.github.notices import escalated
from twokey.channels.workspace import Workspace
from twokey.core.events import ProposalEscalated
from twokey.core.lifecycle import State
from twokey.tools.write.ticket_edit import TicketEdit

TICKET = "---\nid: {key}\ntitle: {title}\nauthor: jo\ncreated_at: '2026-01-02T09:00:00Z'\n---\n\n{body}\n"
PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",)), ("rita", ("risk-owners",))]
ISSUE = "acme/ops#7"


@dataclass
class Desk:
    workspace: Workspace
    clock: FixedClock
    bug: str
    secret: str

    def later(self, hours: float) -> None:
        self.clock.advance(int(hours * 3600))
        self.workspace.escalations.look()

    def steps(self, proposal: str) -> list[tuple[int, str | None]]:
        events = self.workspace.ledger.history(proposal, "proposal.escalated")
        return [(event.level, event.asked) for event in events if isinstance(event, ProposalEscalated)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("escalating")
    tickets = folder / "tickets"
    tickets.mkdir()
    bug = "It crashes with an error since the update; an exception is thrown."
    secret = "This is a security report: the leaked API tokens are public."
    for key, title, body in (("OPS-1", "The scores page", bug), ("OPS-2", "Token readable", secret)):
        (tickets / f"{key}.md").write_text(TICKET.format(key=key, title=title, body=body), encoding="utf-8")
    (folder / "routing.yaml").write_text(
        "people: {mia: , sam: , lea: , rita: }\n"
        "ladder: {model-owners: [mia, lea], platform-owners: [sam], risk-owners: [rita]}\n"
        "areas: {scores: model-owners}\ndefault: platform-owners\nprivate: risk-owners\n",
        encoding="utf-8",
    )
    sections: dict[str, Any] = {
        "places.desk": {"kind": "tickets", "location": str(tickets)},
        "triage": {"tickets": "desk", "routing": str(folder / "routing.yaml"), "target": 60, "escalations": ISSUE},
    }
    clock = FixedClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        made = creation.create(folder / "w", PEOPLE, sections=sections)
        with wiring.opened(made.folder, clock=clock) as workspace:
            ana, _ = workspace.identify("ana", "cli")
            outcome, _ = workspace.triage_on(ana, ("OPS-1", "OPS-2"), None, lambda _: None)
            by_key = {record.proposal.findings[0].subject: record.id for record in outcome.proposals}
            yield Desk(workspace, clock, by_key["OPS-1"], by_key["OPS-2"])


def test_nobody_is_turned_to_before_the_deadline_and_each_step_comes_once(desk: Desk) -> None:
    desk.later(0.1)
    assert desk.steps(desk.bug) == []
    assert not desk.workspace.escalations.overdue(desk.workspace.service.waiting())
    desk.later(8)
    assert desk.steps(desk.bug) == [(1, None)]  # lea is in the routing file, and is no principal
    overdue = desk.workspace.escalations.overdue(desk.workspace.service.waiting())
    assert (overdue[desk.bug].team, overdue[desk.bug].who) == ("model-owners", "lea")
    assert desk.steps(desk.secret) == [(1, None)]
    desk.later(0.1)
    desk.workspace.escalations.look()
    assert desk.steps(desk.bug) == [(1, None)]
    desk.later(8)
    assert desk.steps(desk.bug) == [(1, None), (2, "sam")]
    assert desk.steps(desk.secret)[-1] == (2, "rita")


def test_it_is_said_in_the_one_place_and_holds_nothing_of_the_ticket(desk: Desk) -> None:
    purposes = [f"escalated:{desk.bug}.1", f"escalated:{desk.bug}.2.sam", f"escalated:{desk.secret}.2.rita"]
    for purpose in purposes:
        (message,) = desk.workspace.postbox.shown(purpose)
        assert (message.channel, message.place) == ("github", ISSUE)
        said = escalated(purpose.removeprefix("escalated:"))
        assert "crash" not in said
        assert "@" not in said
        assert purpose.split(":")[1][:14] in said
    assert "`sam` is asked now" in escalated(f"{desk.bug}.2.sam")
    assert "the rung above" in escalated(f"{desk.bug}.2.sam")
    assert "nobody" in escalated(f"{desk.bug}.1")
    assert "doctor" in escalated("p-1.1.<b>")


def test_a_step_approves_nothing_and_an_answer_ends_them(desk: Desk) -> None:
    assert desk.workspace.service.find(desk.bug).state is State.AWAITING_APPROVAL
    sam, key = desk.workspace.identify("sam", "cli")
    desk.workspace.service.answer(sam, key, action="refuse", proposal=desk.bug, tell=lambda _: None)
    before = desk.steps(desk.bug)
    desk.later(2)
    assert desk.steps(desk.bug) == before
    assert desk.bug not in desk.workspace.escalations.overdue(desk.workspace.service.waiting(everything=True))


def test_an_edit_does_not_begin_the_time_anew(desk: Desk) -> None:
    record = desk.workspace.service.find(desk.secret)
    rita, _ = desk.workspace.identify("rita", "cli")
    edit = TicketEdit(proposal=record.id, digest=record.digest, assignees=("sam",))
    (new,) = desk.workspace.edit(rita, edit, lambda _: None).proposals
    assert new.state is State.AWAITING_APPROVAL
    overdue = desk.workspace.escalations.overdue(desk.workspace.service.waiting())
    assert overdue[new.id].team == "risk-owners"
    desk.later(0.1)
    assert len(desk.steps(new.id)) == 1
