"""The demo: the whole main job in a sample workspace, told as it happens."""

import os
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twokey.channels import creation, incident_report, plain, sample, wiring
from twokey.channels.auditing import verify
from twokey.channels.cli import console
from twokey.channels.cli.following import as_json, tell
from twokey.channels.cli.session import SESSION
from twokey.channels.rendering.cards import card_document
from twokey.channels.sample import operations
from twokey.channels.triage_report import lines
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput, CheckFailed
from twokey.core.lifecycle import State
from twokey.store.proposals import ProposalRecord
from twokey.tools.steps import Result

QUESTION = "document the churn tables and tag what is personal"
REVIEW = "ops review for last week"
ASKS, APPROVES, ANSWERS_FOR_RISK = "ana", "sam", "rita"
INCIDENT = "inc-0412"
TICKETS = ("FERN-131", "FERN-134", "FERN-137")


def run(folder: Path | None, *, once: bool, port: int | None = None) -> None:
    """Build the sample workspace and ask as one person; serve the console, or approve as another and verify the log.

    Raises:
        BadInput: the folder is in use.
        CheckFailed: the job did not end as it should.

    """
    started = time.monotonic()
    place = _folder(folder).resolve()
    built = sample.build(place / "sample")
    operations.build(built.folder / "serving", seed=built.seed, now=datetime.now(UTC))
    made = creation.create(
        place / "workspace",
        built.people,
        demo=True,
        sections={
            "places.app": {"kind": "warehouse", "location": str(built.warehouse)},
            "places.dbt": {"kind": "repository", "location": str(built.repo)},
            "places.desk": {"kind": "tickets", "location": str(built.tickets)},
            "places.serving": {"kind": "telemetry", "location": str(built.folder / "serving")},
            "catalog": {"warehouse": "app", "repository": "dbt"},
            "places.telemetry": {"kind": "telemetry", "location": str(built.telemetry)},
            "places.runbooks": {"kind": "runbooks", "location": str(built.runbooks)},
            "incident": {"telemetry": "telemetry", "repository": "dbt", "runbooks": "runbooks"},
            "operations": {"telemetry": "serving", "file": str(built.folder / "operations.yaml")},
            "triage": {"tickets": "desk", "routing": str(built.folder / "routing.yaml")},
            "triage.priorities": {"urgent": "priority: urgent", "high": "priority: high", "low": "priority: low"},
        },
    )
    SESSION.say(f"sample workspace   {made.folder}   (identities are asserted here, and the log says so)")
    SESSION.say(f"people             {', '.join(f'{name} ({groups[0]})' for name, groups in built.people)}")
    SESSION.say()
    SESSION.say(f'$ twokey ask "{QUESTION}" --as {ASKS}')
    with wiring.opened(made.folder) as opened:
        identity, _ = opened.people.identify(ASKS, "demo")
        outcome = opened.ask(identity, QUESTION, tell)
        if not outcome.proposals or outcome.proposals[0].state is not State.AWAITING_APPROVAL:
            raise CheckFailed(
                f"The sample run ended as {outcome.run.code}, without a proposal that waits.",
                next="Run `twokey doctor` in the sample workspace.",
            )
        proposal = outcome.proposals[0].id
        SESSION.say()
        SESSION.say(f"$ twokey approvals show {proposal} --as {APPROVES}")
        viewer, _ = opened.people.identify(APPROVES, "demo")
        SESSION.show(card_document(opened.service.card(proposal, viewer), answering="commands"))
    if not once:
        _more_to_look_at(made.folder)
        SESSION.give({"workspace": str(made.folder), **as_json(outcome)})
        console.serve(made.folder, proposal, viewers=(APPROVES, ASKS, ANSWERS_FOR_RISK), port=port)
        return
    SESSION.say()
    SESSION.say(f"$ twokey approvals approve {proposal} --as {APPROVES}")
    with wiring.opened(made.folder) as opened:
        result = _approved(opened, proposal, APPROVES)
        record = opened.service.card(proposal, None).record
    written: dict[str, Any] = record.result if isinstance(record.result, dict) else {}
    for key, value in written.items():
        SESSION.say(f"  {key}: {plain.line(str(value))}")
    SESSION.say()
    _show_branch(built.repo, str(written.get("branch", "")))
    others = [_also(made.folder, other.id) for other in outcome.proposals[1:]]
    sorted_tickets = _triaged(made.folder)
    incident = _told(made.folder)
    SESSION.say(f'(also here: twokey ask "{REVIEW}" --as {APPROVES})')
    SESSION.say("$ twokey audit verify")
    checked = verify(made.folder, None, None)
    SESSION.say(f"{'ok' if checked['ok'] else 'NOT ok'}: {checked['size']:,} entries, root {checked['root']}")
    SESSION.say()
    SESSION.say(f"done in {time.monotonic() - started:.1f} s. Look around: cd {made.folder}; twokey audit show")
    SESSION.give(
        {
            "workspace": str(made.folder),
            "repository": str(built.repo),
            "run": outcome.run.id,
            "state": result.state.value,
            "proposals": [
                {"id": each.id, "digest": each.digest, "state": each.state.value} for each in (record, *others)
            ],
            "result": written,
            "triage": sorted_tickets,
            "incident": incident,
            "audit": checked,
        }
    )
    if any(each.state is not State.DONE for each in (record, *others)) or not checked["ok"]:
        raise CheckFailed("The demo did not end with a write and a verified log.", next="Run `twokey doctor` there.")


def _also(workspace: Path, proposal: str) -> ProposalRecord:
    """Have the pull request of another owner approved, too."""
    SESSION.say(f"$ twokey approvals approve {proposal} --as {APPROVES}")
    with wiring.opened(workspace) as opened:
        _approved(opened, proposal, APPROVES)
        record = opened.service.card(proposal, None).record
    SESSION.say()
    return record


def _approved(opened: Workspace, proposal: str, name: str) -> Result:
    """Have somebody approve a proposal, and say what came of it."""
    approver, credential = opened.people.identify(name, "demo")
    result = opened.service.answer(approver, credential, action="approve", proposal=proposal, tell=tell)
    SESSION.say(f"{result.id} is {result.state.value} ({result.code})")
    return result


def _triaged(workspace: Path) -> dict[str, Any]:
    """Have a few tickets looked at, and the report of a weakness among them sorted by those who have to agree."""
    SESSION.say(f"$ twokey triage {' '.join(TICKETS)} --as {ASKS}")
    with wiring.opened(workspace) as opened:
        identity, _ = opened.people.identify(ASKS, "demo")
        outcome = opened.triage(identity, TICKETS, None, tell)
        for text in lines(outcome, opened.service.findings(outcome.run.id), None):
            SESSION.say(text)
        if not outcome.proposals:
            raise CheckFailed(
                f"The tickets of the sample were not sorted: {outcome.run.code}.",
                next="Run `twokey doctor` in the sample workspace.",
            )
        proposal = outcome.proposals[0].id
        for name in (APPROVES, ANSWERS_FOR_RISK):
            SESSION.say(f"$ twokey approvals approve {proposal} --as {name}")
            result = _approved(opened, proposal, name)
    SESSION.say()
    if result.state is not State.DONE:
        raise CheckFailed("The ticket was not changed.", next="Run `twokey doctor` in the sample workspace.")
    return as_json(outcome)


def _told(workspace: Path) -> dict[str, Any]:
    """Have an incident told, and its ticket opened and its post-mortem proposed for merging by a second person."""
    SESSION.say(f"$ twokey incident summarize {INCIDENT} --as {ASKS}")
    with wiring.opened(workspace) as opened:
        identity, _ = opened.people.identify(ASKS, "demo")
        outcome = opened.incident(identity, INCIDENT, tell)
        for text in incident_report.lines(outcome, opened.service.findings(outcome.run.id)):
            SESSION.say(text)
        states: list[State] = []
        for each in outcome.proposals:
            SESSION.say(f"$ twokey approvals approve {each.id} --as {APPROVES}")
            states.append(_approved(opened, each.id, APPROVES).state)
    SESSION.say()
    if states != [State.DONE, State.DONE]:
        raise CheckFailed(
            f"The incident of the sample ended as {outcome.run.code}, without a ticket and a post-mortem.",
            next="Run `twokey doctor` in the sample workspace.",
        )
    return as_json(outcome)


def _folder(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="twokey-demo-"))
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} is not empty.", next="Name a new folder with --dir.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _more_to_look_at(workspace: Path) -> None:
    """Have a few tickets looked at and an incident told, too, and leave what comes of it waiting."""
    SESSION.say()
    SESSION.say(f"$ twokey triage {' '.join(TICKETS)} --as {ASKS}")
    with wiring.opened(workspace) as opened:
        identity, _ = opened.people.identify(ASKS, "demo")
        outcome = opened.triage(identity, TICKETS, None, tell)
        for text in lines(outcome, opened.service.findings(outcome.run.id), None):
            SESSION.say(text)
        SESSION.say()
        SESSION.say(f"$ twokey incident summarize {INCIDENT} --as {ASKS}")
        outcome = opened.incident(identity, INCIDENT, tell)
        for text in incident_report.lines(outcome, opened.service.findings(outcome.run.id)):
            SESSION.say(text)


def _show_branch(repository: Path, branch: str) -> None:
    """Show the branch with plain git where there is one; the product itself does not need it."""
    command = ["git", "-C", str(repository), "log", "--oneline", "--stat", "-1", branch]
    environment = os.environ | {"GIT_PAGER": "cat", "LC_ALL": "C"}
    try:
        shown = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    except FileNotFoundError:
        SESSION.say(f"(git is not installed here; the branch is {branch} in {repository})")
        return
    except subprocess.CalledProcessError as error:
        raise CheckFailed(
            "Plain git does not see the branch.", next=f"Look at {repository} with `git log --all`."
        ) from error
    SESSION.say(f"$ git log --stat -1 {branch}")
    for text in shown.stdout.splitlines():
        SESSION.say(plain.line(text))
    SESSION.say()
