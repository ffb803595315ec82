"""Shows a run while it works, and where it stands afterwards."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from twokey.agents.state import Progress
from twokey.channels import card, ops_report, plain
from twokey.channels.cli.session import SESSION
from twokey.channels.passes import page_of
from twokey.channels.rendering.cards import needed
from twokey.channels.rendering.terminal import as_text
from twokey.channels.service import Outcome
from twokey.core import settings
from twokey.core.errors import BadInput, Refused
from twokey.core.lifecycle import State
from twokey.core.values import Finding

FINDINGS_SHOWN: Final = 25
KINDS: Final = ("relationship", "primary_key", "accepted_values", "describes", "sensitivity", "data_type")
"""Kinds of findings, the most telling first."""
_TO_BE_NAMED: Final = {
    code: f'Add a section [places.NAME] with kind = "{kind}" and location = "..." to twokey.toml, and ask again.'
    for code, kind in (("no_warehouse", "warehouse"), ("no_repository", "repository"))
}
"""What helps where no other words would."""


def tell(progress: Progress) -> None:
    """Print one line of progress."""
    label = "plan" if progress.step == 0 else str(progress.step)
    count = f"  ({progress.done:,} of {progress.total:,})" if progress.total else ""
    SESSION.say(f"{label:>5}  {plain.line(progress.text, 200)}{count}")


def follow(start: Callable[[Callable[[Progress], None] | None], Outcome], *, detach: bool = False) -> None:
    """Run something and report on it; detached, only say which run the workers were given."""
    if not detach:
        report(start(tell), ended_badly_fails=True)
        return
    outcome = start(None)
    SESSION.say(f"run      {outcome.run.id} is left to the workers · twokey runs show {outcome.run.id}")
    SESSION.give(as_json(outcome))


def report(outcome: Outcome, *, ended_badly_fails: bool) -> None:
    """Say where a run stands, for people or for a program.

    Raises:
        BadInput: the request was not clear.
        SystemExit: policy denied what was proposed, or the run failed; what was said above says why.

    """
    if outcome.question is not None and ended_badly_fails:
        raise _unclear(outcome.question)
    for record in outcome.proposals:
        added = sum(file.added for file in record.proposal.files)
        removed = sum(file.removed for file in record.proposal.files)
        files = "1 file" if len(record.proposal.files) == 1 else f"{len(record.proposal.files):,} files"
        SESSION.say(
            f"proposal {record.id} · {record.proposal.tool} · {files}, +{added} -{removed} · {record.state.value}"
        )
        reasons = "; ".join(f'"{plain.line(item.message)}" ({item.rule})' for item in record.decision.reasons)
        SESSION.say(f"policy   {as_text(needed(record.decision))} · {reasons}")
        if record.state is State.AWAITING_APPROVAL:
            page = console_page(record.id)
            until = card.moment(record.expires_us)
            SESSION.say(f"waiting  twokey approvals show {record.id} · until {until}{f' · {page}' if page else ''}")
    if not outcome.proposals:
        _tell_findings(outcome.findings)
        if not outcome.findings:
            SESSION.say(f"nothing  {outcome.run.code or 'no proposal yet'}")
    SESSION.say(f"run      {outcome.run.id} is {outcome.run.state}")
    SESSION.give(as_json(outcome))
    denied = any(record.state is State.DENIED for record in outcome.proposals)
    if ended_badly_fails and (denied or outcome.run.state == "failed"):
        raise SystemExit(Refused.exit_code)


def console_page(proposal: str) -> str | None:
    """Give where the console of this workspace shows a proposal, while ``twokey up`` serves it; none without one."""
    if not (SESSION.workspace / settings.FILE_NAME).is_file():
        return None
    config = settings.load(SESSION.workspace)
    return page_of(config, proposal) if config.console.mode == "on" else None


def _tell_findings(findings: Sequence[Finding]) -> None:
    """Show what was found: first what wants a person, then personal and financial data, then the rest by kind."""
    if ops_report.is_review(findings):
        for text in ops_report.lines(findings):
            SESSION.say(text)
        return
    told = sorted(findings, key=_urgency)
    for finding in told[:FINDINGS_SHOWN]:
        mark = "!" if finding.attention else " "
        SESSION.say(f"  {mark} {plain.line(finding.claim, 200)} ({finding.confidence} %)")
    if len(told) > FINDINGS_SHOWN:
        SESSION.say(f"    ... {len(told) - FINDINGS_SHOWN:,} more: --json gives them all")


def _urgency(finding: Finding) -> tuple[bool, bool, int]:
    guarded = finding.kind == "sensitivity" and any(word in finding.claim for word in (" is personal", " is financial"))
    return not finding.attention, not guarded, KINDS.index(finding.kind) if finding.kind in KINDS else len(KINDS)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Give the form of DESIGN, section 6."""
    return {
        "run": outcome.run.id,
        "state": outcome.run.state,
        "code": outcome.run.code,
        "proposals": [
            {"id": record.id, "digest": record.digest, "state": record.state.value} for record in outcome.proposals
        ],
    } | ({"findings": [finding.canonical() for finding in outcome.findings]} if outcome.findings else {})


def _unclear(question: dict[str, Any]) -> BadInput:
    suggestions = [plain.line(str(item)) for item in question.get("suggestions", [])]
    settle = _TO_BE_NAMED.get(str(question.get("code")), "Say it in other words.")
    return BadInput(
        plain.line(str(question["question"]), 600),
        next="Try: " + " · ".join(f'"{item}"' for item in suggestions) if suggestions else settle,
        code="unclear",
    )
