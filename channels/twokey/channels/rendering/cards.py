"""The document of an approval card: everything a person needs to decide, in the order in which it is needed.

Rules: it says nothing that is not on the card; what must not be missed stands first; buttons are there only while the
card waits and writes are not stopped, and each carries what it was rendered for; once somebody has decided, who and
when stand where the buttons were.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, LiteralString, TypeAlias

from twokey.channels.card import Card, Emergency, moment
from twokey.channels.rendering.buttons import Pressed
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Button,
    Confirmation,
    Document,
    Field,
    Foreign,
    Line,
    Link,
    Name,
    Own,
    Passage,
    Words,
    command,
    counted,
    line,
    listed,
    named,
    number,
)
from twokey.core.lifecycle import State
from twokey.core.values import Action, Decision, Evidence, Finding, Proposal
from twokey.store.proposals import ApprovalRecord
from twokey.tools.write.pull_request import split_preview
from twokey.tools.write.ticket_edit import AGENT as EDIT
from twokey.tools.write.ticket_edit import EDITED

FINDINGS_SHOWN: Final = 12
EVIDENCE_SHOWN: Final = 20
FILES_SHOWN: Final = 5
TEXT_LINES_SHOWN: Final = 12
DIFF_LINES_SHOWN: Final = 60
_MAY_WRITE: Final = frozenset({State.AWAITING_APPROVAL, State.APPROVED, State.EXECUTING})
_SPECIAL: Final = frozenset({"break_glass", "exception", "escalated", "raised_quorum"})
"""Codes of policy with which a decision is out of the ordinary."""
TITLES: Final[dict[State, LiteralString]] = {
    State.PROPOSED: "Proposed",
    State.DENIED: "Denied by policy",
    State.AWAITING_APPROVAL: "Waits for approval",
    State.APPROVED: "Approved",
    State.REFUSED: "Refused",
    State.EXPIRED: "Expired",
    State.WITHDRAWN: "Withdrawn",
    State.SUPERSEDED: "Superseded",
    State.EXECUTING: "Being carried out",
    State.DONE: "Done",
    State.FAILED: "Failed, nothing was written",
    State.UNKNOWN: "Outcome unknown",
    State.REVERTED: "Done and undone again",
}
_SAID: Final[dict[Action, LiteralString]] = {
    "approve": "approved",
    "refuse": "refused",
    "withdraw": "withdrew",
    "confirm_written": "says that it was written",
    "confirm_not_written": "says that it was not written",
}


Answering: TypeAlias = Literal["buttons", "key", "commands"]
"""How a card is answered where it is shown: by buttons; by buttons, but approved with a key; by commands."""


def card_document(
    card: Card, *, whole: bool = False, answering: Answering = "buttons", console: str | None = None
) -> Document:
    """Give the card as a document.

    Args:
        card: What is shown.
        whole: The whole text and diff, not excerpts.
        answering: How it can be answered there. With ``key`` there is no button that approves, and the card says how.
        console: Address of this card in the web console, where there is one.

    """
    proposal, record = card.proposal, card.record
    target = (named(proposal.target.id, 120), Words(" @ "), named(proposal.target.version[:12]))
    asked = line(
        "asked by ", Name(proposal.requester), ", run ", Name(record.run), ", ", Name(moment(record.created_us))
    )
    lead = (Name(proposal.tool), Words(" "), Name(proposal.tool_version), Words(" → "), *target, Words(" · "), *asked)
    return Document(
        title=Words(TITLES[record.state]),
        subject=Name(record.id),
        lead=lead,
        blocks=tuple(_blocks(card, whole=whole, answering=answering, console=console)),
    )


def needed(decision: Decision) -> Line:
    """Say who has to approve."""
    if decision.approvals is None:
        return line("nobody can approve this")
    asked = [number(quorum.n) for quorum in decision.approvals.all_of]
    parts: list[Words | Name] = []
    for count, quorum in zip(asked, decision.approvals.all_of, strict=True):
        parts += [Words(" and " if parts else "needs "), count, Words(" of "), Name(quorum.group)]
    excluded = listed([Name(name) for name in decision.approvals.exclude])
    return (*parts, *(line(", not ") if excluded else ()), *excluded)


def asks_twice(card: Card) -> tuple[tuple[Own, ...], ...]:
    """Say why an approval of this card is worth a second question; nothing where it is an ordinary one."""
    decision = card.decision
    found: list[tuple[Own, ...]] = []
    quorums = decision.approvals.all_of if decision.approvals else ()
    if sum(quorum.n for quorum in quorums) > 1:
        found.append((Words("Policy wants more than one person for it."),))
    special = sorted({reason.code for reason in decision.reasons} | set(decision.warnings))
    found += [(Words("Policy names "), Name(code), Words(".")) for code in special if code in _SPECIAL]
    if card.around.emergency is not None:
        found.append((Words("An emergency shortens who has to agree."),))
    return tuple(found)


def _blocks(card: Card, *, whole: bool, answering: Answering, console: str | None) -> Iterator[Block]:
    proposal, decision, record = card.proposal, card.decision, card.record
    yield Field("state", (line(Name(record.state.value), " (", Name(record.code), ")"),))
    yield from _around(card)
    yield Passage("why", proposal.why, spare=False)
    yield Field("digest", (line(Name(record.digest)),))
    yield Field("files", (change_size(proposal),))
    words, diff = _parts(proposal)
    if proposal.findings:
        yield Field("findings", tuple(finding_lines(proposal.findings)), spare=True)
    yield from _excerpt("text", words, TEXT_LINES_SHOWN, record.id, whole=whole)
    yield from _excerpt("diff", diff, DIFF_LINES_SHOWN, record.id, whole=whole)
    yield Field("evidence", tuple(_evidence(card.evidence)) or (line("none"),), spare=True)
    yield Passage("rollback", proposal.rollback.text, spare=False)
    yield Field("policy", tuple(_policy(decision)))
    yield from _answers(card)
    if card.checkpoint is not None:
        root = line("root ", Name(card.checkpoint.root[:8]), "…", Name(card.checkpoint.root[-4:]))
        yield Field("log", (line("checkpoint ", number(card.checkpoint.size), " · ", *root),))
    if record.state is State.AWAITING_APPROVAL:
        yield Field("expires", (line(Name(moment(record.expires_us))),))
    if console is not None:
        yield Field("console", (line(Link(Words("the whole card"), console)),))
    yield from _afterwards(card)
    if record.state is State.AWAITING_APPROVAL and card.around.stopped is None:
        yield from _ways_to_answer(card, answering)


def _ways_to_answer(card: Card, answering: Answering) -> Iterator[Block]:
    name = Name(card.record.id)
    approve = line(command("twokey approvals approve ", name))
    if answering == "key":
        yield Field("approve", (line("with your own key: ", *approve),))
    if answering == "commands":
        yield Field("approve", (approve,))
        yield Field("refuse", (line(command("twokey approvals refuse ", name, ' --reason "..."')),))
    else:
        yield _actions(card, approvable=answering == "buttons")


def _actions(card: Card, *, approvable: bool) -> Actions:
    record = card.record
    carried = Pressed.of(record).value
    reasons = asks_twice(card)
    confirmation = None
    if reasons:
        what: tuple[Own, ...] = (Name(record.proposal.tool), Words(", proposal "), Name(record.id), Words("."))
        confirmation = Confirmation(Words("Approve this?"), (what, *reasons[:4]), Words("Approve"), Words("Not yet"))
    approve = Button("twokey.approve", Words("Approve"), carried, "primary", confirmation)
    refuse = Button("twokey.refuse", Words("Refuse"), carried, "danger")
    look = Button("twokey.diff", Words("Open diff"), carried)
    return Actions(record.id, (approve, refuse, look) if approvable else (refuse, look))


def _around(card: Card) -> Iterator[Block]:
    """Give what a person must know before they read on."""
    around, proposal = card.around, card.proposal
    if around.stopped is not None and card.record.state in _MAY_WRITE:
        stopped = line("writes are stopped (", named(around.stopped), "): nothing is approved or begun, see ")
        yield Field("STOPPED", ((*stopped, command("twokey freeze")),), alarm=True)
    if around.emergency is not None:
        yield Field("EMERGENCY", tuple(_emergency(around.emergency)), alarm=True)
    if proposal.reverts is not None:
        yield Field("undoes", (line(Name(proposal.reverts)),))
    if proposal.supersedes is not None:
        edited = line(", which ", Name(proposal.requester), " edited")
        why = edited if proposal.agent == EDIT else line(", whose target had moved on")
        yield Field("instead of", ((*line(Name(proposal.supersedes)), *why),))
    if around.shadow is not None:
        yield Field("shadow", (line(Foreign(around.shadow, 400)),))
    if around.successor is not None:
        edited = card.record.code == EDITED
        said = " is what somebody made of it" if edited else " means the same on the target as it was then"
        yield Field("successor", (line(Name(around.successor), said),))


def _emergency(held: Emergency) -> Iterator[Line]:
    yield line(Name(held.id), ", declared by ", Name(held.opened_by), " until ", Name(moment(held.until_us)))
    yield line("a review is due afterwards · ticket ", named(held.ticket, 80))


def _afterwards(card: Card) -> Iterator[Block]:
    """Give what was seen of the write, and what can be done about it."""
    record, seen = card.record, card.around.receipts
    if record.state is State.UNKNOWN:
        if seen:
            told = tuple(line(Name(item.executor), " ", Name(item.outcome), ": ", Name(item.code)) for item in seen)
            yield Field("seen", told)
        confirm = command("twokey approvals confirm ", Name(record.id), ' --written --reason "..."')
        yield Field(
            "settle", (line("look at the target, then: ", confirm), line("(or ", command("--not-written"), ")"))
        )
    if record.state is State.DONE:
        yield Field("undo", (line(command("twokey approvals revert ", Name(record.id))),))


def change_size(proposal: Proposal) -> Line:
    """Say how large a change is, and which files come first."""
    added = sum(file.added for file in proposal.files)
    removed = sum(file.removed for file in proposal.files)
    names = [named(file.path, 80) for file in proposal.files[:FILES_SHOWN]]
    rest = len(proposal.files) - len(names)
    size = line(counted(len(proposal.files), "file", "files"), ", +", number(added), " -", number(removed))
    more = line(" and ", number(rest), " more") if rest else ()
    return (*size, *(line(": ") if names else ()), *listed(names), *more)


def _parts(proposal: Proposal) -> tuple[str, str]:
    """Split a preview into its words and its diff; a preview of another tool is all words."""
    if proposal.tool == "open_pull_request":
        return split_preview(proposal.preview)
    return proposal.preview, ""


def _excerpt(label: LiteralString, text: str, limit: int, proposal: str, *, whole: bool) -> Iterator[Passage]:
    lines = text.rstrip("\n").split("\n")
    if lines == [""]:
        return
    where = line(command("twokey approvals show ", Name(proposal), " --diff"))
    kind = "diff" if label == "diff" else "prose"
    if whole or len(lines) <= limit:
        yield Passage(label, "\n".join(lines), kind, where=where)
    else:
        yield Passage(label, "\n".join(lines[:limit]), kind, hidden=len(lines) - limit, where=where)


def finding_lines(findings: Sequence[Finding]) -> Iterable[Line]:
    """Give findings, what wants attention first, and how many more there are."""
    urgent = [finding for finding in findings if finding.attention]
    rest = [finding for finding in findings if not finding.attention]
    for finding in [*urgent, *rest][:FINDINGS_SHOWN]:
        cited = listed([Name(item) for item in finding.evidence[:3]])
        mark = line("! " if finding.attention else "  ", number(finding.confidence), " % ")
        yield (*mark, *cited, Words(": "), Foreign(finding.claim))
    if len(findings) > FINDINGS_SHOWN:
        yield line("… ", number(len(findings) - FINDINGS_SHOWN), " more")


def _evidence(evidence: Sequence[Evidence]) -> Iterable[Line]:
    for item in evidence[:EVIDENCE_SHOWN]:
        yield line(Name(item.id), " (sha256 ", Name(item.sha256[:12]), "): ", Foreign(item.summary, 160))
    if len(evidence) > EVIDENCE_SHOWN:
        yield line("… ", number(len(evidence) - EVIDENCE_SHOWN), " more")


def _policy(decision: Decision) -> Iterable[Line]:
    yield line(Name(decision.effect), " · ", *needed(decision))
    for reason in decision.reasons:
        yield line(Name(reason.rule), " ", Name(reason.code), ": ", Foreign(reason.message, 300))
    for warning in decision.warnings:
        yield line("warning ", Name(warning))
    if decision.obligations:
        yield (*line("obliges to "), *listed([Name(item) for item in decision.obligations]))
    revisions = line("bundle ", Name(decision.policy_revision[:12]), " · data ", Name(decision.data_revision[:12]))
    engine, _, version = decision.engine.partition(" ")
    versioned = line(" ", Name(version)) if version else ()
    yield (*revisions, *line(" · engine ", Name(engine)), *versioned)


def _answers(card: Card) -> Iterator[Block]:
    answers, approvals = card.answers, card.decision.approvals
    said = tuple(map(_answer, answers))
    if card.record.state is State.AWAITING_APPROVAL and approvals is not None and answers:
        wanted = sum(quorum.n for quorum in approvals.all_of)
        given = len({item.principal for item in answers if item.action == "approve"})
        said = (*said, line("so far ", number(given), " of ", number(wanted)))
    if said:
        yield Field("answers", said)


def _answer(item: ApprovalRecord) -> Line:
    told = line(Name(item.principal), " ", Words(_SAID[item.action]), " ", Name(moment(item.at_us)))
    reason = line(": ", Foreign(item.reason)) if item.reason else ()
    return (*told, *line(" (log ", Name(item.entry), ")"), *reason)
