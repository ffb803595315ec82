"""Approvals that were stored and not counted: what a process leaves that dies between the two."""

from collections.abc import Iterable

from twokey.channels.workspace import Workspace
from twokey.core.events import AnswerGiven
from twokey.core.values import Answer, Statement
from twokey.store import proposals
from twokey.store.proposals import ApprovalRecord, ProposalRecord
from twokey.tools.ledger import Ledger


def store(ledger: Ledger, record: ProposalRecord, answers: Iterable[Answer]) -> None:
    """Store answers together, so that none of them was proven when the next one came."""
    with ledger.change() as unit:
        for answer in answers:
            given = AnswerGiven(answer=answer, groups=("platform-owners",), channel="cli")
            said = answer.statement
            row = ApprovalRecord(
                proposal=record.id,
                proposal_digest=record.digest,
                decision_digest=record.decision_digest,
                principal=said.principal,
                action=said.action,
                entry=unit.record(given),
                reason="",
                at_us=said.at_us,
            )
            proposals.add_approval(unit.connection, row)


def store_signed(workspace: Workspace, record: ProposalRecord, name: str) -> None:
    """Store the approval of somebody whose key this machine has."""
    _, credential = workspace.identify(name, "cli")
    assert credential is not None
    statement = Statement(
        workspace=workspace.config.workspace.id,
        action="approve",
        proposal=record.id,
        proposal_digest=record.digest,
        decision_digest=record.decision_digest,
        principal=name,
        at_us=workspace.service._clock.now_us(),  # pyright: ignore[reportPrivateUsage]
    )
    store(workspace.ledger, record, [credential.sign(statement)])
