"""What the page of a proposal tells beside the card: who else is asked, what happened so far, what the rules say.

Rules: people come from the directory as it is now, answers from the log; the text of a rule is shown only where the
bundle that lies here is the one that decided.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twokey.audit.entry import Entry
from twokey.channels.card import Card
from twokey.channels.console.sessions import Visitor
from twokey.channels.rendering.cards import asks_twice
from twokey.channels.rendering.terminal import as_text
from twokey.core.errors import TwokeyError
from twokey.core.events import (
    AnswerGiven,
    CardShown,
    ClickRejected,
    GlassBroken,
    PolicyDecided,
    ProposalMoved,
    PullRequestEnded,
    WriteEnded,
    WriteIntended,
)
from twokey.core.lifecycle import State
from twokey.core.ports import Directory
from twokey.core.values import Decision
from twokey.policies import annotations, bundle
from twokey.policies.annotations import Rule
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import admits, barred, counting_groups


@dataclass(frozen=True, slots=True)
class Seat:
    """One group that is asked."""

    group: str
    wanted: int
    approved: tuple[str, ...]
    others: tuple[str, ...]
    """Who else of the group can still say yes."""


@dataclass(frozen=True, slots=True)
class May:
    """What somebody may do with a card."""

    approve: bool = False
    refuse: bool = False
    withdraw: bool = False
    settle: bool = False
    why_not: str = ""
    """Why they may not approve, in a sentence."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the history."""

    at_us: int
    who: str
    text: str
    entry: str
    times: int = 1


def seats(card: Card, directory: Directory) -> list[Seat]:
    """Give who is asked, group by group."""
    needed = card.decision.approvals
    if needed is None:
        return []
    said = {answer.principal for answer in card.answers if answer.action == "approve"}
    found: list[Seat] = []
    for quorum in needed.all_of:
        members = [person.name for person in directory.all() if quorum.group in person.groups]
        able = [name for name in members if not barred(card.proposal, needed, name)]
        approved = tuple(name for name in able if name in said)
        found.append(Seat(quorum.group, quorum.n, approved, tuple(name for name in able if name not in said)))
    return found


def may(visitor: Visitor, card: Card) -> May:
    """Tell what somebody may do with a card; the gate checks it again."""
    record, needed, principal = card.record, card.decision.approvals, visitor.identity.principal
    asked = principal.name == card.proposal.requester
    withdraw = asked and record.state in {State.AWAITING_APPROVAL, State.APPROVED}
    if needed is None or record.state not in {State.AWAITING_APPROVAL, State.UNKNOWN}:
        return May(withdraw=withdraw)
    if barred(card.proposal, needed, principal.name):
        return May(withdraw=withdraw, why_not="You asked for it or had a part in it, so others answer.")
    if not counting_groups(needed, principal):
        return May(withdraw=withdraw, why_not="Policy asks other groups than yours.")
    if not admits(needed, visitor.identity.auth):
        return May(refuse=record.state is State.AWAITING_APPROVAL, why_not="Policy takes only your own key for this.")
    if record.state is State.UNKNOWN:
        return May(settle=True)
    if any(answer.principal == principal.name and answer.action == "approve" for answer in card.answers):
        return May(refuse=False, why_not="You approved this; others are still asked.")
    if card.around.stopped is not None:
        return May(refuse=True, why_not="Writes are stopped, so nothing can be approved now.")
    return May(approve=True, refuse=True)


def doubts(card: Card) -> list[str]:
    """Say why an approval wants the short form of the digest typed in; nothing where it is an ordinary one."""
    return [as_text(reason) for reason in asks_twice(card)]


def is_ordinary(record: ProposalRecord) -> bool:
    """Tell whether a proposal may be answered together with others: one person is asked, and nothing is unusual."""
    return not asks_twice(Card(record, (), (), None))


def history(entries: Sequence[Entry]) -> list[Told]:
    """Tell what happened to a proposal, oldest first; the same person looking again and again is one line."""
    found: list[Told] = []
    for entry in entries:
        who, text = _said(entry)
        last = found[-1] if found else None
        if last is not None and isinstance(entry.event, CardShown) and (last.who, last.text) == (who, text):
            found[-1] = Told(last.at_us, who, text, last.entry, last.times + 1)
        else:
            found.append(Told(entry.time_us, who, text, entry.id))
    return found


def _said(entry: Entry) -> tuple[str, str]:
    event = entry.event
    match event:
        case ProposalMoved():
            return event.by or "Twokey", f"{event.after.value.replace('_', ' ')} ({event.code})"
        case CardShown():
            return event.viewer or "everybody", f"was shown the card ({event.channel})"
        case AnswerGiven():
            said = event.answer
            return said.statement.principal, f"answered: {said.statement.action.replace('_', ' ')} ({said.auth})"
        case ClickRejected():
            return event.principal or "somebody", f"tried to {event.action.replace('_', ' ')}: {event.code}"
        case PolicyDecided():
            return "policy", f"{event.decision.replace('_', ' ')}, asked to {event.occasion}"
        case WriteIntended():
            return "Twokey", "is about to write"
        case WriteEnded():
            return "Twokey", f"receipt: {event.outcome.replace('_', ' ')} ({event.code})"
        case GlassBroken():
            return event.order.statement.principal, "declared an emergency"
        case PullRequestEnded():
            return "forge", f"the pull request was {event.outcome}"
        case _:
            return "Twokey", entry.kind


class RuleTexts:
    """What the rules of the bundle in a folder say of themselves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: tuple[str, Mapping[str, Rule]] = ("", {})

    def of(self, decision: Decision) -> Mapping[str, Rule]:
        """Give the rules that a decision was made by, by number; none where they are not the ones that lie here."""
        with self._lock:
            if self._held[0] != decision.policy_revision:
                try:
                    loaded = bundle.load(self._folder)
                    self._held = (loaded.revisions.policy, {one.rule: one for one in annotations.rules(loaded.modules)})
                except TwokeyError:
                    return {}
            revision, rules = self._held
        return rules if revision == decision.policy_revision else {}
