"""An incident from its bundle to the ticket and the post-mortem, in one workspace: told, reviewed, waiting, written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from twokey.channels import creation, sample, wiring
from twokey.channels.incident_report import as_json, lines
from twokey.channels.sample.values import Sample
from twokey.channels.service import Outcome
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput
from twokey.core.values import Identity


@dataclass
class Desk:
    """A workspace over the sample, open."""

    workspace: Workspace
    sample: Sample

    def who(self, name: str = "ana") -> Identity:
        return self.workspace.people.identify(name, "demo")[0]

    def tell(self, which: str, **options: bool) -> Outcome:
        return self.workspace.incident(self.who(), which, lambda _: None, **options)

    def claims(self, outcome: Outcome) -> dict[str, str]:
        return {one.kind: one.claim for one in self.workspace.service.findings(outcome.run.id)}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The sample with a ticket folder, a repository, its runbooks and its telemetry, shared by this module."""
    place = tmp_path_factory.mktemp("incident")
    built = sample.build(place / "sample")
    made = creation.create(
        place / "workspace",
        built.people,
        demo=True,
        sections={
            "places.dbt": {"kind": "repository", "location": str(built.repo)},
            "places.desk": {"kind": "tickets", "location": str(built.tickets)},
            "places.telemetry": {"kind": "telemetry", "location": str(built.telemetry)},
            "places.runbooks": {"kind": "runbooks", "location": str(built.runbooks)},
            "triage": {"tickets": "desk", "routing": str(built.folder / "routing.yaml")},
            "incident": {"telemetry": "telemetry", "repository": "dbt", "runbooks": "runbooks"},
        },
    )
    with wiring.opened(made.folder) as opened:
        yield Desk(opened, built)


@pytest.fixture(scope="module")
def told(desk: Desk) -> Outcome:
    """The run over the incident that has a cause."""
    return desk.tell("inc-0412")


def approve(desk: Desk, proposal: str, name: str = "sam") -> str:
    who, credential = desk.workspace.people.identify(name, "demo")
    result = desk.workspace.service.answer(who, credential, action="approve", proposal=proposal, tell=lambda _: None)
    return result.state.value


def test_it_says_what_happened_with_evidence_for_every_sentence(desk: Desk, told: Outcome) -> None:
    said = desk.claims(told)
    assert said["summary_cause"] == "The likeliest cause lies in feature-store."
    assert said["detection_page"].startswith("The first page about scoring-api came at 10:20:06 UTC, 6 minutes after")
    assert said["actions_change"].endswith("Owner: platform-owners.")
    assert "“feature-store 3.8.0: lookup planner rewritten”" in said["factors_change"]
    assert "requests to scoring-api failed from" in said["impact_requests"]
    assert "inference-latency.md" in said["links_runbook"]
    review = desk.workspace.service.document(told.run.id, "review")
    assert review["problems"] == []
    assert review["claims"] == review["supported"] > 40
    assert all(one.evidence for one in desk.workspace.service.findings(told.run.id))


def test_what_people_and_programs_see_names_the_same(desk: Desk, told: Outcome) -> None:
    findings = desk.workspace.service.findings(told.run.id)
    before = next(one.claim for one in findings if one.kind == "summary_cause")
    shown = "\n".join(lines(told, findings, {"texts": [[before, "The cause lies in feature-store."]], "dropped": 0}))
    assert "The cause lies in feature-store. [" in shown
    assert "Contributing factors" in shown
    assert shown.count("twokey approvals show") == 2
    given = as_json(findings)
    assert given["cause"] == "feature-store"
    assert all(one["evidence"] for told in given["summary"].values() for one in told)


def test_ticket_and_post_mortem_wait_for_people_and_are_written_as_shown(desk: Desk, told: Outcome) -> None:
    ticket, pull = told.proposals
    assert (ticket.proposal.tool, pull.proposal.tool) == ("update_ticket", "open_pull_request")
    assert {ticket.state.value, pull.state.value} == {"awaiting_approval"}
    assert "opens_ticket" in ticket.proposal.labels
    assert not {"mentions_people", "links_elsewhere", "holds_markup"} & set(ticket.proposal.labels)
    assert approve(desk, ticket.id) == "done"
    (file,) = desk.sample.tickets.glob("TK-*.md")
    assert "The likeliest cause lies in feature-store." in file.read_text()
    assert approve(desk, pull.id) == "done"
    paths = [each["path"] for each in pull.proposal.args["files"]]
    assert paths[0] == "postmortems/2026-11-20-inc-0412.md"
    assert "postmortems/2026-11-20-inc-0412/timeline.svg" in paths
    text: str = pull.proposal.args["files"][0]["content"]
    assert text.startswith("---\nkind: post-mortem\n")
    assert "## Timeline" in text
    assert "## Evidence" in text

    again = desk.tell("inc-0412")
    updated = again.proposals[0]
    assert "comments_ticket" in updated.proposal.labels
    assert updated.proposal.args["ticket"] is not None
    assert approve(desk, updated.id) == "done"


def test_no_cause_is_said_plainly_and_nothing_names_one(desk: Desk) -> None:
    outcome = desk.tell(str(desk.sample.telemetry / "inc-0409"), looks_only=True)
    said = desk.claims(outcome)
    assert said["summary_no_cause"].startswith("No cause was found")
    assert "summary_cause" not in said
    assert not outcome.proposals


def test_the_same_in_words(desk: Desk) -> None:
    outcome = desk.workspace.ask(desk.who(), "just tell me what happened in inc-0409?", lambda _: None)
    assert "summary_no_cause" in desk.claims(outcome)
    assert not outcome.proposals


def test_a_bundle_or_an_incident_that_is_not_there_is_bad_input(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        desk.tell(str(tmp_path / "none"))
    assert caught.value.code == "no_bundle"
