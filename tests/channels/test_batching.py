"""Proposals for a backlog of tickets, shown together and answered with one gesture; each still on its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from support.command import Command

from twokey.agents.state import Progress
from twokey.channels import creation, wiring
from twokey.channels.batching import Answered, Batching
from twokey.channels.rendering import terminal
from twokey.channels.rendering.batches import batch_document
from twokey.channels.service import Service
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput, EnvironmentFault, Refused
from twokey.core.lifecycle import State
from twokey.core.values import Identity
from twokey.store.proposals import ProposalRecord
from twokey.tools.identity import Credential
from twokey.tools.steps import Result

TICKET = (
    "---\nid: OPS-{n}\ntitle: The scores page {n}\nauthor: jo\ncreated_at: '2026-01-{n:02d}T09:00:00Z'\n---\n\n{body}\n"
)
BODY = "It crashes with an error since the update; an exception is thrown."
PEOPLE = [
    ("ana", ("analysts",)),
    ("sam", ("platform-owners",)),
    ("kim", ("platform-owners",)),
    ("rita", ("risk-owners",)),
]


@dataclass
class Desk:
    """A workspace with tickets that ana had triaged."""

    workspace: Workspace
    tickets: Path
    command: Command

    def who(self, name: str) -> tuple[Identity, Credential | None]:
        return self.workspace.identify(name, "cli")

    def triaged(self, count: int = 3) -> list[str]:
        """New tickets, with a proposal for each; gives the proposals."""
        first = len(list(self.tickets.glob("*.md"))) + 1
        for n in range(first, first + count):
            (self.tickets / f"OPS-{n}.md").write_text(TICKET.format(n=n, body=BODY), encoding="utf-8")
        identity, _ = self.who("ana")
        keys = tuple(f"OPS-{n}" for n in range(first, first + count))
        outcome, _ = self.workspace.triage_on(identity, keys, None, _quiet)
        assert len(outcome.proposals) == count
        return [record.id for record in outcome.proposals]

    def answer(self, name: str, digest: str, proposals: list[str], action: Any = "approve") -> list[Answered]:
        return self.workspace.batching.answer(
            *self.who(name), action=action, digest=digest, proposals=proposals, reason="Seen.", tell=_quiet
        )

    def shown(self, proposals: list[str], name: str = "sam") -> str:
        identity, _ = self.who(name)
        return self.workspace.batching.show(proposals, identity, "cli").shown.digest

    def state(self, proposal: str) -> State:
        return self.workspace.service.find(proposal).state


def _quiet(_: Progress) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("batching")
    tickets = folder / "tickets"
    tickets.mkdir()
    (folder / "routing.yaml").write_text(
        "people: {mia: , sam: , rita: }\nladder: {model-owners: [mia], platform-owners: [sam], risk-owners: [rita]}\n"
        "areas: {scores: model-owners}\ndefault: platform-owners\nprivate: risk-owners\n",
        encoding="utf-8",
    )
    sections: dict[str, Any] = {
        "places.desk": {"kind": "tickets", "location": str(tickets)},
        "triage": {"tickets": "desk", "routing": str(folder / "routing.yaml"), "target": 60},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        made = creation.create(folder / "w", PEOPLE, sections=sections)
        command = Command(home=folder / "home", folder=folder, workspace=made.folder)
        with wiring.opened(made.folder) as workspace:
            yield Desk(workspace, tickets, command)


def test_a_batch_is_shown_whole_and_answered_card_by_card(desk: Desk) -> None:
    made = desk.triaged()
    sam, _ = desk.who("sam")
    (offered,) = desk.workspace.batching.offered(sam)
    assert {record.id for record in offered} == set(made)
    batch = desk.workspace.batching.show(made, sam, "cli")
    text = "\n".join(terminal.lines(batch_document(batch), None))
    for card in batch.cards:
        assert card.record.id in text
        for line in card.proposal.preview.splitlines():
            assert line.strip() in text
    assert f"--batch {batch.shown.digest}" in text
    assert "at most 10" in text or "at most 20" in text
    answered = desk.answer("sam", batch.shown.digest, made)
    assert [(item.proposal, item.result and item.result.state) for item in answered] == [
        (proposal, State.DONE) for proposal in made
    ]
    assert "mia" in (desk.tickets / "OPS-1.md").read_text(encoding="utf-8")
    entry = desk.command.log("answer.given")[-1]
    assert entry["answer"]["statement"]["batch"] == batch.shown.digest


def test_one_that_is_over_by_then_is_left_out_and_said(desk: Desk) -> None:
    made = desk.triaged()
    digest = desk.shown(made)
    kim, key = desk.who("kim")
    desk.workspace.service.answer(kim, key, action="refuse", proposal=made[1], tell=_quiet)
    answered = desk.answer("sam", digest, made)
    assert [item.code for item in answered if item.result is None] == ["is_refused"]
    assert [desk.state(proposal) for proposal in made] == [State.DONE, State.REFUSED, State.DONE]


def test_a_ticket_that_moved_on_is_left_out(desk: Desk) -> None:
    made = desk.triaged(2)
    digest = desk.shown(made)
    key = desk.workspace.service.find(made[0]).proposal.findings[0].subject
    path = desk.tickets / f"{key}.md"
    path.write_text(path.read_text(encoding="utf-8") + "It is worse now.\n", encoding="utf-8")
    first, second = desk.answer("sam", digest, made)
    assert (first.result, second.result and second.result.state) == (None, State.DONE)
    assert desk.state(made[0]) in {State.SUPERSEDED, State.AWAITING_APPROVAL}


def test_a_list_that_differs_from_what_was_shown_is_not_answered(desk: Desk) -> None:
    made = desk.triaged()
    digest = desk.shown(made[:2])
    for wrong in (made, made[:1], [made[0], made[2]], made[1:]):
        with pytest.raises(BadInput) as caught:
            desk.answer("sam", digest, wrong)
        assert caught.value.code == "batch_not_shown"
    assert {desk.state(proposal) for proposal in made} == {State.AWAITING_APPROVAL}
    refused = desk.answer("sam", desk.shown(made), made, "refuse")
    assert {item.result and item.result.state for item in refused} == {State.REFUSED}


def test_what_somebody_else_was_shown_and_ones_own_are_left_out_one_by_one(desk: Desk) -> None:
    made = desk.triaged(2)
    digest = desk.shown(made)
    assert {item.code for item in desk.answer("kim", digest, made)} == {"batch_not_shown"}
    assert {item.code for item in desk.answer("ana", digest, made)} == {"own_proposal"}
    ana, _ = desk.who("ana")
    assert desk.workspace.batching.offered(ana) == []
    with pytest.raises(Refused):
        desk.workspace.batching.show(made, ana, "cli")
    assert {desk.state(proposal) for proposal in made} == {State.AWAITING_APPROVAL}
    everybody = desk.workspace.batching.show(made, None, "slack")
    assert {item.code for item in desk.answer("sam", everybody.shown.digest, made, "refuse")} == {"refused_by_person"}


def test_a_report_of_a_weakness_is_in_no_batch(desk: Desk) -> None:
    made = desk.triaged(1)
    (desk.tickets / "OPS-99.md").write_text(
        TICKET.format(n=28, body="This is a security report: the leaked API tokens are public.").replace(
            "OPS-28", "OPS-99"
        ),
        encoding="utf-8",
    )
    ana, _ = desk.who("ana")
    (secret,) = desk.workspace.triage_on(ana, ("OPS-99",), None, _quiet)[0].proposals
    with pytest.raises(Refused) as caught:
        desk.workspace.batching.show([*made, secret.id], desk.who("sam")[0], "cli")
    assert caught.value.code == "mixed_batch"
    for proposal in [*made, secret.id]:
        desk.workspace.service.answer(*desk.who("ana"), action="withdraw", proposal=proposal, tell=_quiet)


class Full:
    """A service that has an answer refused by its surroundings: the second one."""

    def __init__(self, real: Service) -> None:
        self._real = real
        self._answers = 0

    def find(self, text: str) -> ProposalRecord:
        return self._real.find(text)

    def answer(self, *args: Any, **more: Any) -> Result:
        self._answers += 1
        if self._answers == 2:
            raise EnvironmentFault("The disk is full.", next="Make room.", code="disk_full")
        return self._real.answer(*args, **more)


def test_where_the_surroundings_fail_the_rest_is_left_as_it_is(desk: Desk) -> None:
    made = desk.triaged()
    digest = desk.shown(made)
    batches = desk.workspace.batching._batches  # pyright: ignore[reportPrivateUsage]
    failing = Batching(cast("Service", Full(desk.workspace.service)), batches)
    answered = failing.answer(*desk.who("sam"), action="approve", digest=digest, proposals=made, tell=_quiet)
    assert [item.code for item in answered][1:] == ["disk_full", "not_answered"]
    assert [desk.state(proposal) for proposal in made] == [State.DONE, *[State.AWAITING_APPROVAL] * 2]
    assert desk.answer("sam", digest, made)[0].code == "is_done"


def test_the_command_shows_and_answers_batches(desk: Desk) -> None:
    made = desk.triaged(2)
    told = desk.command.ok("approvals", "batch", "--as", "sam").out
    assert all(proposal in told for proposal in made)
    (batch,) = desk.command.json("approvals", "batch", *made, "--as", "sam")["batches"]
    assert [item["id"] for item in batch["proposals"]] == made
    assert desk.command.refused("approvals", "approve", *made, "--as", "sam", code=2)
    assert desk.command.refused("approvals", "approve", *made, "--batch", "0" * 64, "--as", "sam", code=2)
    done = desk.command.json("approvals", "approve", *made, "--batch", batch["digest"], "--as", "sam")
    assert [(item["id"], item["state"]) for item in done["proposals"]] == [(proposal, "done") for proposal in made]
    again = desk.command("approvals", "approve", *made, "--batch", batch["digest"], "--as", "sam")
    assert (again.code, again.out.count("is left out (is_done)")) == (1, 2)
    assert desk.command.json("approvals", "batch", "--as", "sam") == {"batches": []}
    assert desk.command.whole()
