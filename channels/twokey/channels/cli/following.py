"""Shows a run while it works, and where it stands afterwards."""

from collections.abc import Callable
from typing import Any

from twokey.agents.state import Progress
from twokey.channels import card, plain
from twokey.channels.cli.session import SESSION
from twokey.channels.service import Outcome
from twokey.core.errors import BadInput, Refused
from twokey.core.lifecycle import State


def tell(progress: Progress) -> None:
    """Print one line of progress."""
    label = "plan" if progress.step == 0 else str(progress.step)
    count = f"  ({progress.done:,} of {progress.total:,})" if progress.total else ""
    SESSION.say(f"{label:>5}  {plain.line(progress.text, 200)}{count}")


def follow(start: Callable[[Callable[[Progress], None]], Outcome]) -> None:
    """Run something and report on it."""
    report(start(tell), ended_badly_fails=True)


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
        SESSION.say(f"policy   {card.needed(record.decision)} · {reasons}")
        if record.state is State.AWAITING_APPROVAL:
            SESSION.say(f"waiting  twokey approvals show {record.id} · until {card.moment(record.expires_us)}")
    if not outcome.proposals:
        SESSION.say(f"nothing  {outcome.run.code or 'no proposal yet'}")
    SESSION.say(f"run      {outcome.run.id} is {outcome.run.state}")
    SESSION.give(as_json(outcome))
    denied = any(record.state is State.DENIED for record in outcome.proposals)
    if ended_badly_fails and (denied or outcome.run.state == "failed"):
        raise SystemExit(Refused.exit_code)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Give the form of DESIGN, section 6."""
    return {
        "run": outcome.run.id,
        "state": outcome.run.state,
        "code": outcome.run.code,
        "proposals": [
            {"id": record.id, "digest": record.digest, "state": record.state.value} for record in outcome.proposals
        ],
    }


def _unclear(question: dict[str, Any]) -> BadInput:
    suggestions = [plain.line(str(item)) for item in question.get("suggestions", [])]
    return BadInput(
        plain.line(str(question["question"]), 600),
        next="Try: " + " · ".join(f'"{item}"' for item in suggestions) if suggestions else "Say it in other words.",
        code="unclear",
    )
