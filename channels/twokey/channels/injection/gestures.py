"""What people do with cards besides answering one: edit what waits, suggest other lines in a review, answer a batch.

Rules: each of them is somebody with a credential of their own who was talked into it, so it is made as a channel makes
it, and everything after it is the gate's. Who edits or suggests does not approve what comes of it. A batch is answered
with one look at its first card, and the same answer is handed in for every other card that waits, also for those that
were not in the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twokey.channels.injection.cases import Call, Case
from twokey.channels.wiring import Parts
from twokey.channels.workspace import AMEND, EDIT
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import TwokeyError
from twokey.core.values import Identity, Request, Resource, Statement
from twokey.store import runs
from twokey.store.proposals import ProposalRecord
from twokey.tools.amending import Suggestion
from twokey.tools.identity import Credential
from twokey.tools.write.ticket_edit import TicketEdit


@dataclass(frozen=True, slots=True)
class Gestures:
    """Made by ``who``, in runs of their own that were granted ``places``."""

    parts: Parts
    who: Identity
    places: Sequence[Resource]

    def edit(self, record: ProposalRecord, args: Mapping[str, Any]) -> ProposalRecord:
        """Edit a proposal that waits; raises ``TwokeyError`` as the gate does, ``ValueError`` for arguments."""
        edit = TicketEdit.model_validate({**args, "proposal": record.id, "digest": record.digest})
        run = self._run(EDIT, edit.model_dump(mode="json"))
        return self.parts.gate.edit(edit, run=run, requester=self.who.principal.name)

    def suggest(self, record: ProposalRecord, args: Mapping[str, Any]) -> ProposalRecord:
        """Suggest other lines for what was opened; raises as ``edit`` does."""
        wanted = Suggestion.model_validate({**args, "proposal": record.id})
        run = self._run(AMEND, wanted.model_dump(mode="json"))
        return self.parts.gate.amend(wanted, run=run, requester=self.who.principal.name)

    def _run(self, intent: str, args: dict[str, Any]) -> str:
        name = self.who.principal.name
        request = Request(text="", intent=intent, args=args, channel=self.who.channel, requester=name)
        workspace = self.parts.workspace
        run = str(workspace.service.accept(self.who, request, self.places))
        with workspace.ledger.change() as unit:
            runs.take_run(unit.connection, run, holder=workspace.ledger.ids.new("x"), now=0, until=MAX_INTEGER)
        return run


def together(
    parts: Parts, identity: Identity, credential: Credential, waiting: Sequence[ProposalRecord], *, at_us: int
) -> list[str]:
    """Answer the batch of the first card, and hand the same answer in for all that wait.

    Gives for each of ``waiting`` the code with which the answer was refused, or nothing where it counted.
    """
    gate, viewer = parts.gate, identity.principal.name
    offered = gate.batches.offered(viewer, list(reversed(waiting)))
    batch = next((items for items in offered if waiting[0].id in {record.id for record in items}), None)
    try:
        shown = gate.batches.show(batch or waiting, viewer=viewer, channel="cli")
    except TwokeyError as error:
        return [error.code] * len(waiting)
    found: list[str] = []
    for record in waiting:
        statement = Statement(
            workspace=parts.workspace.config.workspace.id,
            action="approve",
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=viewer,
            at_us=at_us,
            batch=shown.digest,
        )
        try:
            gate.answer(credential.sign(statement), channel="cli", shown=shown.entry)
            found.append("")
        except TwokeyError as error:
            found.append(error.code)
    return found


def plainly(case: Case, call: Call) -> Call:
    """Give the call that does by itself what a gesture of a person leads to, for the contrast without a gate."""
    if call.of is None:
        return call
    args = dict(case.calls[call.of].args)
    if call.gesture == "edit":
        lists = {name: {"add": value} for name, value in call.args.items() if name in {"labels", "assignees"}}
        args |= call.args | lists
    else:
        args["files"] = [{"path": call.args.get("path"), "content": call.args.get("text")}]
    return call.model_copy(update={"args": args, "gesture": "", "of": None})
