"""Cards shown together and answered with one gesture, for every channel alike.

Rules: a batch is shown whole, and the log says so before it can be answered; an answer names the batch by its digest
and lists exactly what it held; every proposal in it then gets an answer of its own through the gate, for what was shown
of it. One that has changed since, or that whoever answers may not answer, is left out and said, and keeps no other
back; where the surroundings fail, what has not been answered yet is left as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from twokey.agents.state import Progress
from twokey.channels.card import BatchCard
from twokey.channels.service import Service
from twokey.core.batches import BatchItem
from twokey.core.errors import BadInput, EnvironmentFault, NotFound, TwokeyError
from twokey.core.values import Action, Answer, Channel, Identity, Statement
from twokey.store.proposals import ProposalRecord
from twokey.tools.batches import Batches, Shown
from twokey.tools.identity import Credential
from twokey.tools.steps import Result

NOT_ANSWERED: Final = "not_answered"
"""Code of a proposal that nothing was said to, because something before it failed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one proposal of a batch: what the answer led to, or why it did not count."""

    proposal: str
    code: str
    result: Result | None = None
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the form of ``approvals approve --json`` for one of several."""
        state = None if self.result is None else self.result.state.value
        return {"id": self.proposal, "state": state, "code": self.code, "counted": self.result is not None}


class Batching:
    """Shows batches and answers them."""

    def __init__(self, service: Service, batches: Batches) -> None:
        self._service = service
        self._batches = batches

    def offered(
        self, viewer: Identity | None, among: Sequence[ProposalRecord] | None = None
    ) -> list[tuple[ProposalRecord, ...]]:
        """Give what could be shown together to somebody now; nothing is recorded by that.

        ``among`` are proposals that wait, newest first, where the caller has read them a moment ago.
        """
        if among is None:
            self._service.waiting(limit=1)  # what is over is not offered
        return self._batches.offered(None if viewer is None else viewer.principal.name, among)

    def show(self, proposals: Sequence[str], viewer: Identity | None, channel: Channel) -> BatchCard:
        """Put these before somebody, together and whole, and record that.

        Args:
            proposals: Ids, or unambiguous beginnings of them.
            viewer: Who looks; nobody in particular where a place shows them to everybody who is there.
            channel: Where.

        Raises:
            NotFound: there is no such proposal.
            BadInput: they are fewer than two.
            Refused: they cannot be answered together; ``code`` says why.

        """
        seen = self.look(proposals, viewer)
        return replace(seen, shown=self._batches.record(seen.shown.batch, channel=channel))

    def look(self, proposals: Sequence[str], viewer: Identity | None) -> BatchCard:
        """Give what ``show`` would show, and record nothing: it cannot be answered yet. Raises the same."""
        cards = tuple(self._service.card(proposal, None) for proposal in proposals)
        name = None if viewer is None else viewer.principal.name
        batch = self._batches.compose([item.record for item in cards], viewer=name)
        allowed = [item.decision.approvals.batch for item in cards if item.decision.approvals is not None]
        most = min(each.most for each in allowed if each is not None)
        return BatchCard(Shown(batch, batch.digest(), ""), most, cards)

    def answer(  # the parts of an answer to several cards
        self,
        identity: Identity,
        credential: Credential | None,
        *,
        action: Action,
        digest: str,
        proposals: Sequence[str],
        reason: str = "",
        at_us: int | None = None,
        tell: Callable[[Progress], None] | None,
    ) -> list[Answered]:
        """Answer each proposal of a batch that was shown, in its order; see ``Service.answer``.

        Raises:
            NotFound: there is no such proposal.
            BadInput: no batch with that digest and exactly these proposals was shown.

        """
        shown = self._found(identity, action, digest, proposals)

        def give(item: BatchItem) -> Result:
            return self._service.answer(
                identity,
                credential,
                action=action,
                proposal=item.proposal,
                reason=reason,
                seen=(item.digest, item.decision),
                batch=shown,
                at_us=at_us,
                tell=tell,
            )

        return _each(shown, give)

    def statements(
        self, identity: Identity, *, action: Action, digest: str, proposals: Sequence[str], reason: str = ""
    ) -> list[Statement]:
        """Give what somebody signs who signs elsewhere than here: one statement for each card. Raises as ``answer``."""
        shown = self._found(identity, action, digest, proposals)
        return [
            self._service.statement(
                identity,
                action=action,
                proposal=item.proposal,
                reason=reason,
                seen=(item.digest, item.decision),
                batch=shown,
            )
            for item in shown.batch.items
        ]

    def answer_signed(
        self, identity: Identity, answers: Sequence[Answer], *, action: Action, digest: str, reason: str = ""
    ) -> list[Answered]:
        """Take answers that were signed elsewhere, one for each card; the workers carry out what they allow.

        Raises:
            NotFound: there is no such proposal.
            BadInput: no batch with that digest and exactly these proposals was shown, or something else was signed.

        """
        said = {answer.statement.proposal: answer for answer in answers}
        shown = self._found(identity, action, digest, list(said))
        for item in shown.batch.items:
            it = said[item.proposal].statement
            signed = (it.action, it.proposal_digest, it.decision_digest, it.batch)
            if signed != (action, item.digest, item.decision, shown.digest):
                raise BadInput(
                    "What was signed is another answer.", next="Open the page again.", code="other_statement"
                )

        def give(item: BatchItem) -> Result:
            return self._service.answer_signed(identity, said[item.proposal], reason=reason, batch=shown)

        return _each(shown, give)

    def _found(self, identity: Identity, action: Action, digest: str, proposals: Sequence[str]) -> Shown:
        """Give the batch that is answered; where none such was shown, that is recorded."""
        try:
            return self._batches.find(digest, [self._service.find(text).id for text in proposals])
        except (BadInput, NotFound) as error:
            self._service.reject(identity, action, error.code)
            raise


def _each(shown: Shown, give: Callable[[BatchItem], Result]) -> list[Answered]:
    """Answer each card of a batch, and say what became of each."""
    answered: list[Answered] = []
    for at, item in enumerate(shown.batch.items):
        try:
            result = give(item)
        except EnvironmentFault as fault:
            answered.append(Answered(item.proposal, fault.code, why=fault.message))
            rest = shown.batch.items[at + 1 :]
            answered += [Answered(left.proposal, NOT_ANSWERED, why="Nothing was said to it.") for left in rest]
            break
        except TwokeyError as error:
            answered.append(Answered(item.proposal, error.code, why=error.message))
        else:
            answered.append(Answered(item.proposal, result.code, result))
    return answered
