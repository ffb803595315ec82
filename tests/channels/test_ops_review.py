"""The ops review of a week in which things went wrong, through policy, evidence and review."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from twokey.agents.incident.operations.book import load
from twokey.agents.incident.operations.drafting import draft
from twokey.agents.reviewer.operations import unfit
from twokey.agents.state import Progress
from twokey.channels import creation, wiring
from twokey.channels.sample import operations, shipped
from twokey.channels.service import Outcome
from twokey.channels.workspace import Workspace
from twokey.core.canonical import Json
from twokey.core.errors import BadInput
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Resource
from twokey.store import evidence

ASKED = "ops review for last week"


@pytest.fixture(scope="module")
def now() -> datetime:
    """When these tests begin: tests are collected long before, perhaps in the week before."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Path:
    """A workspace with the sample's week and its operations file."""
    folder = tmp_path_factory.mktemp("ops")
    operations.build(folder / "serving", seed=2026, now=now)
    (folder / "operations.yaml").write_bytes(shipped.read("operations.yaml"))
    (folder / "tickets").mkdir()
    creation.create(
        folder / "workspace",
        [("ana", ("platform-owners",)), ("rita", ("risk-owners",))],
        demo=True,
        sections={
            "places.serving": {"kind": "telemetry", "location": str(folder / "serving")},
            "places.desk": {"kind": "tickets", "location": str(folder / "tickets")},
            "triage": {"tickets": "desk"},
            "operations": {"telemetry": "serving", "file": str(folder / "operations.yaml")},
        },
    )
    return folder / "workspace"


@pytest.fixture(scope="module")
def workspace(place: Path) -> Iterator[Workspace]:
    with wiring.opened(place) as opened:
        yield opened


def asked(workspace: Workspace, text: str) -> tuple[Outcome, list[str]]:
    told: list[str] = []

    def tell(progress: Progress) -> None:
        told.append(progress.text)

    identity, _ = workspace.identify("ana", "demo")
    return workspace.ask(identity, text, tell), told


@pytest.fixture(scope="module")
def reviewed(workspace: Workspace) -> tuple[Outcome, list[str]]:
    return asked(workspace, ASKED)


def claims(outcome: Outcome, kind: str) -> list[Finding]:
    return [finding for finding in outcome.findings if finding.kind == f"ops_{kind}"]


def test_everything_that_was_planted_is_found(reviewed: tuple[Outcome, list[str]], now: datetime) -> None:
    outcome, told = reviewed
    assert outcome.run.state == "done"
    assert not outcome.proposals, "a review only looks"
    monday = operations.week_of(now)
    slow, runaway = (
        f"{monday + timedelta(minutes=each.start):%Y-%m-%d %H:%M} UTC"
        for each in (operations.PLANTED.slow, operations.PLANTED.runaway)
    )
    every = {finding.kind: finding.claim for finding in outcome.findings if finding.attention}
    assert "burn rate 14.4 over 1 h and 5 min was reached once" in every["ops_slo_budget"]
    assert f"longest for 55 min from {slow}" in every["ops_queue"]
    assert f"ran away once, first for 40 min from {runaway}" in every["ops_retries"]
    assert "above the budget of 80.00 EUR" in every["ops_cost"]
    assert "it can carry 75, reached on " in every["ops_capacity"]
    assert operations.PLANTED.strange_endpoint in every["ops_shadow_endpoints"]
    assert operations.PLANTED.strange_key in every["ops_shadow_keys"]
    assert "support-assistant by jonas" in str([finding.claim for finding in claims(outcome, "shadow_deployments")])
    assert f"abel {operations.PLANTED.costly_label} of request_bytes has 240 values" in every["ops_labels"]
    assert "7 deployments of 4 services, 1 a day" in claims(outcome, "deployments")[0].claim
    assert any("come out the same again" in line for line in told)


def test_every_finding_cites_evidence_and_says_who_answers(
    workspace: Workspace, reviewed: tuple[Outcome, list[str]]
) -> None:
    outcome, _ = reviewed
    assert len(outcome.findings) > 15
    for finding in outcome.findings:
        assert finding.evidence
        assert "Answers: " in finding.claim
        assert "-owners" in finding.claim
    assert "Answers: model-owners; next: platform-owners." in claims(outcome, "cost")[0].claim
    assert "Answers: risk-owners" in claims(outcome, "shadow_keys")[0].claim
    assert workspace.service.document(outcome.run.id, "review") == {
        "claims": len(outcome.findings),
        "supported": len(outcome.findings),
        "dropped": 0,
        "problems": [],
    }


def test_what_cannot_be_told_is_said_with_the_reason(reviewed: tuple[Outcome, list[str]]) -> None:
    unknown = claims(reviewed[0], "not_known")
    assert [finding.subject for finding in unknown] == ["support answers"]
    assert "the queue (the operations file names no metric for queue)" in unknown[0].claim
    assert "scaling (capacity.concurrency_per_replica is not stated)" in unknown[0].claim


def test_the_reviewer_drops_what_does_not_come_out_again(
    workspace: Workspace, place: Path, reviewed: tuple[Outcome, list[str]]
) -> None:
    outcome, _ = reviewed
    read: list[list[str]] = workspace.service.document(outcome.run.id, "operations-read")
    pairs = [(name, found) for name, found in read]
    with workspace.ledger.look() as connection:
        held: dict[str, Json] = {name: evidence.get_evidence(connection, name)[1] for _, name in pairs}
    book = load(place.parent / "operations.yaml")
    found = list(outcome.findings)
    assert unfit(book, found, held, pairs[0][1]) == {}
    wrong = [
        found[0].model_copy(update={"claim": found[0].claim.replace("0", "1", 1)}),
        found[1].model_copy(update={"claim": found[1].claim + " A deploy of gateway is to blame."}),
        found[2].model_copy(update={"attention": not found[2].attention}),
        found[3].model_copy(update={"evidence": ("e-999999999999",)}),
        found[4].model_copy(update={"evidence": ()}),
        found[5].model_copy(update={"id": "f-999"}),
    ]
    assert unfit(book, [*wrong, *found[6:]], held, pairs[0][1]) == {
        found[0].id: "unsupported_number",
        found[1].id: "unsupported_number",
        found[2].id: "unsupported_number",
        found[3].id: "unknown_evidence",
        found[4].id: "no_evidence",
        "f-999": "unsupported_number",
    }


def test_a_ticket_is_proposed_where_one_was_asked_for(workspace: Workspace) -> None:
    outcome, _ = asked(workspace, f"{ASKED} and open a ticket")
    assert [record.state for record in outcome.proposals] == [State.AWAITING_APPROVAL]
    proposal = outcome.proposals[0].proposal
    assert proposal.tool == "update_ticket"
    opens = proposal.args["opens"]
    assert opens["title"].startswith("Ops review: 20")
    wanted = [finding for finding in workspace.service.findings(outcome.run.id) if finding.attention]
    assert opens["body"].count("- [ ] ") == len(wanted)
    assert all(f"- [ ] {finding.claim}" in opens["body"] for finding in wanted)
    assert not set(proposal.labels) & {"mentions_people", "links_elsewhere", "holds_markup", "hides_characters"}


def test_a_ticket_without_anything_to_ask_for_is_none(workspace: Workspace) -> None:
    outcome, _ = asked(workspace, ASKED)
    quiet = [finding for finding in workspace.service.findings(outcome.run.id) if not finding.attention]
    tracker = Resource(kind="tickets", id="desk", granted_by="config")
    assert draft(quiet, tracker, "a week") is None
    assert draft(outcome.findings, None, "a week") is None
    many = [outcome.findings[0].model_copy(update={"claim": "x" * 900})] * 60
    body = cast("Any", draft(many, tracker, "a week"))["args"]["opens"]["body"]
    assert "more are in the run" in body
    assert len(body) < 19_000


def test_a_time_of_which_nothing_is_known_says_so(workspace: Workspace) -> None:
    outcome, _ = asked(workspace, "ops review from 2001-01-01 to 2001-01-08")
    assert [finding.kind for finding in outcome.findings] == ["ops_nothing"]
    assert outcome.findings[0].claim.startswith("The telemetry holds nothing of that time: 2001-01-01 00:00 UTC")


def test_a_workspace_without_an_operations_file_says_what_to_do(place: Path, tmp_path: Path) -> None:
    creation.create(
        tmp_path / "bare",
        [("ana", ("platform-owners",))],
        demo=True,
        sections={"places.serving": {"kind": "telemetry", "location": str(place.parent / "serving")}},
    )
    with wiring.opened(tmp_path / "bare") as opened, pytest.raises(BadInput) as error:
        asked(opened, ASKED)
    assert error.value.code == "no_operations"
