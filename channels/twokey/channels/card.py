"""The approval card: everything a person needs to decide, as one pure value that every channel renders.

Rules: what is hashed is what is shown; nothing on the card comes from anywhere but the proposal, the decision, the
answers that the log bears out, what stands around it (a freeze, an emergency, who took its place, who looked at the
write), and the checkpoint; text from outside is never rendered raw.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from twokey.channels import plain
from twokey.core.events import WriteEnded
from twokey.core.lifecycle import State
from twokey.core.values import Checkpoint, Decision, Evidence, Proposal
from twokey.store.proposals import ApprovalRecord, ProposalRecord
from twokey.tools.write.pull_request import split_preview

FINDINGS_SHOWN: Final = 12
TEXT_LINES_SHOWN: Final = 12
DIFF_LINES_SHOWN: Final = 60
_MAY_WRITE: Final = frozenset({State.AWAITING_APPROVAL, State.APPROVED, State.EXECUTING})


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency that holds for a proposal."""

    id: str
    opened_by: str
    ticket: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Around:
    """What bears on a proposal from outside it."""

    stopped: str | None = None
    """Code of what stops every write at this moment."""
    emergency: Emergency | None = None
    successor: str | None = None
    """The proposal that took its place."""
    receipts: tuple[WriteEnded, ...] = ()
    """What was seen of the write by everybody who looked."""
    shadow: str | None = None
    """What the shadow policy would have decided, in words."""


@dataclass(frozen=True, slots=True)
class Card:
    """One proposal with all that belongs to deciding on it."""

    record: ProposalRecord
    evidence: tuple[Evidence, ...]
    answers: tuple[ApprovalRecord, ...]
    checkpoint: Checkpoint | None
    around: Around = Around()

    @property
    def proposal(self) -> Proposal:
        """The proposal itself."""
        return self.record.proposal

    @property
    def decision(self) -> Decision:
        """Policy's answer to it."""
        return self.record.decision


def moment(time_us: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(time_us / 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_json(card: Card) -> dict[str, Any]:
    """Give the form of ``approvals show --json`` (DESIGN, section 6)."""
    proposal, decision, record = card.proposal, card.decision, card.record
    return {
        "id": record.id,
        "digest": record.digest,
        "state": record.state.value,
        "code": record.code,
        "run": record.run,
        "tool": {"name": proposal.tool, "version": proposal.tool_version, "schema": proposal.tool_schema},
        "args": proposal.args,
        "why": proposal.why,
        "preview": proposal.preview,
        "content": [item.canonical() for item in proposal.content],
        "rollback": proposal.rollback.canonical(),
        "evidence": [
            {
                "id": item.id,
                "sha256": item.sha256,
                "tool": item.tool,
                "origin": item.origin,
                "summary": item.summary,
                "trusted": item.trusted,
            }
            for item in card.evidence
        ],
        "findings": [finding.canonical() for finding in proposal.findings],
        "target": proposal.target.canonical(),
        "requester": proposal.requester,
        "contributors": list(proposal.contributors),
        "decision": {"digest": record.decision_digest} | decision.model_dump(mode="json"),
        "approvals": [
            {"principal": item.principal, "action": item.action, "at": moment(item.at_us), "entry": item.entry}
            for item in card.answers
        ],
        "created_at": moment(record.created_us),
        "expires_at": moment(record.expires_us),
        "checkpoint": {"size": card.checkpoint.size, "root": card.checkpoint.root} if card.checkpoint else None,
        "result": record.result,
        "supersedes": proposal.supersedes,
        "reverts": proposal.reverts,
        "successor": card.around.successor,
        "stopped": card.around.stopped,
        "emergency": _emergency(card.around.emergency),
        "receipts": [
            {"executor": seen.executor, "outcome": seen.outcome, "code": seen.code} for seen in card.around.receipts
        ],
    }


def _emergency(emergency: Emergency | None) -> dict[str, Any] | None:
    if emergency is None:
        return None
    return {
        "id": emergency.id,
        "by": emergency.opened_by,
        "ticket": emergency.ticket,
        "until": moment(emergency.until_us),
    }


def needed(decision: Decision) -> str:
    """Say in words who has to approve."""
    if decision.approvals is None:
        return "nobody can approve this"
    asked = " and ".join(f"{quorum.n} of {quorum.group}" for quorum in decision.approvals.all_of)
    excluded = ", ".join(decision.approvals.exclude)
    return f"needs {asked}" + (f", not {excluded}" if excluded else "")


def as_lines(card: Card, *, whole_diff: bool) -> Iterable[tuple[str, str]]:
    """Give the card as (label, text) rows; an empty label continues the row above."""
    proposal, decision, record = card.proposal, card.decision, card.record
    target = f"{plain.line(proposal.target.id)} @ {plain.line(proposal.target.version[:12])}"
    asked = f"asked by {proposal.requester}, run {record.run}, {moment(record.created_us)}"
    yield record.id, f"{proposal.tool} {proposal.tool_version} -> {target}     {asked}"
    yield "state", f"{record.state.value} ({record.code})"
    yield from _around(card)
    yield from _rows("why", plain.block(proposal.why).splitlines())
    yield "digest", record.digest
    yield "files", _files(proposal)
    words, diff = _parts(proposal)
    yield from _rows("findings", list(_findings(proposal)))
    yield from _rows("text", _excerpt(words, TEXT_LINES_SHOWN, whole=whole_diff))
    yield from _rows("diff", _excerpt(diff, DIFF_LINES_SHOWN, whole=whole_diff))
    yield from _rows(
        "evidence",
        [f"{item.id} {plain.line(item.summary, 160)}  (sha256 {item.sha256[:12]})" for item in card.evidence]
        or ["none"],
    )
    yield from _rows("rollback", plain.block(proposal.rollback.text).splitlines())
    yield from _rows("policy", _policy(decision))
    yield from _rows(
        "answers",
        [f"{item.principal} {item.action} {moment(item.at_us)} (log {item.entry})" for item in card.answers],
    )
    if card.checkpoint is not None:
        yield (
            "log",
            f"checkpoint {card.checkpoint.size:,} · root {card.checkpoint.root[:8]}…{card.checkpoint.root[-4:]}",
        )
    if record.state is State.AWAITING_APPROVAL:
        yield "expires", moment(record.expires_us)
    yield from _afterwards(card)


def _around(card: Card) -> Iterable[tuple[str, str]]:
    """Give what a person must know before they read on."""
    around, proposal = card.around, card.proposal
    if around.stopped is not None and card.record.state in _MAY_WRITE:
        yield "STOPPED", f"writes are stopped ({around.stopped}): nothing is approved or begun, see `twokey freeze`"
    if around.emergency is not None:
        held = around.emergency
        yield "EMERGENCY", f"{held.id}, declared by {held.opened_by} until {moment(held.until_us)}"
        yield "", f"ticket {plain.line(held.ticket, 80)} · a review is due afterwards"
    if proposal.reverts is not None:
        yield "undoes", proposal.reverts
    if proposal.supersedes is not None:
        yield "instead of", f"{proposal.supersedes}, whose target had moved on"
    if around.shadow is not None:
        yield "shadow", around.shadow
    if around.successor is not None:
        yield "successor", f"{around.successor} means the same on the target as it was then"


def _afterwards(card: Card) -> Iterable[tuple[str, str]]:
    """Give what was seen of the write, and what can be done about it."""
    record = card.record
    if record.state is State.UNKNOWN:
        yield from _rows("seen", [f"{seen.executor} {seen.outcome}: {seen.code}" for seen in card.around.receipts])
        yield "settle", f'look at the target, then: twokey approvals confirm {record.id} --written --reason "..."'
        yield "", "(or --not-written)"
    if record.state is State.DONE:
        yield "undo", f"twokey approvals revert {record.id}"


def _rows(label: str, lines: Sequence[str]) -> Iterable[tuple[str, str]]:
    for number, text in enumerate(lines):
        yield (label if number == 0 else ""), text


def _files(proposal: Proposal) -> str:
    added = sum(file.added for file in proposal.files)
    removed = sum(file.removed for file in proposal.files)
    names = ", ".join(plain.line(file.path, 80) for file in proposal.files[:5])
    more = f" and {len(proposal.files) - 5} more" if len(proposal.files) > 5 else ""
    return f"{names}{more}  +{added} -{removed}"


def _parts(proposal: Proposal) -> tuple[str, str]:
    """Split a preview into its words and its diff; a preview of another tool is all words."""
    if proposal.tool == "open_pull_request":
        return split_preview(proposal.preview)
    return proposal.preview, ""


def _excerpt(text: str, limit: int, *, whole: bool) -> list[str]:
    lines = plain.block(text).rstrip("\n").split("\n") if text else []
    if whole or len(lines) <= limit:
        return lines
    return [*lines[:limit], f"... {len(lines) - limit:,} more lines: `twokey approvals show ID --diff`"]


def _findings(proposal: Proposal) -> Iterable[str]:
    urgent = [finding for finding in proposal.findings if finding.attention]
    rest = [finding for finding in proposal.findings if not finding.attention]
    for finding in [*urgent, *rest][:FINDINGS_SHOWN]:
        mark = "! " if finding.attention else "  "
        cited = ", ".join(finding.evidence[:3])
        yield f"{mark}{plain.line(finding.claim, 200)} ({finding.confidence} %, {cited})"
    if len(proposal.findings) > FINDINGS_SHOWN:
        yield f"  ... {len(proposal.findings) - FINDINGS_SHOWN:,} more"


def _policy(decision: Decision) -> list[str]:
    lines = [f"{decision.effect} · {needed(decision)}"]
    lines.extend(f"{reason.rule} {reason.code}: {plain.line(reason.message)}" for reason in decision.reasons)
    lines.extend(f"warning: {warning}" for warning in decision.warnings)
    lines.append(
        f"bundle {decision.policy_revision[:12]} · data {decision.data_revision[:12]} · engine {decision.engine}"
    )
    return lines
