"""What the log proves of the pull request that a proposal opened.

Rules: only a receipt counts, which is included under a verified checkpoint, is that of this proposal, and says that it
was written; what was written is the value that opens the receipt's commitment. Nothing that a repository, a row or a
text says of itself takes its place. Where a person said that an uncertain write was done, there is no such value, and
nothing is proven.
"""

from typing import Final

from twokey.core.events import WriteEnded
from twokey.store import evidence
from twokey.store.proposals import ProposalRecord
from twokey.tools.ledger import Ledger
from twokey.tools.write.pull_request import OpenedPullRequest, OpenPullRequest

MOST: Final = 20
"""Receipts of one proposal that are looked at: each executor that looked at the target leaves one."""


def opened(ledger: Ledger, record: ProposalRecord) -> OpenedPullRequest | None:
    """Give the pull request that ``record`` opened, as its receipt has it; none where no receipt says so.

    Raises:
        CheckFailed: the log does not bear its own rows out, or the store does not open the receipt.
        NotFound: the store lacks what opens the receipt.

    """
    if record.proposal.tool != OpenPullRequest.name or record.proposal.digest() != record.digest:
        return None
    for listed in ledger.log.entries(record.id, kind="write.ended", limit=MOST):
        event = ledger.proven(listed.entry.id).event
        if not isinstance(event, WriteEnded) or event.result is None:
            continue
        if (event.proposal, event.digest, event.outcome) == (record.id, record.digest, "written"):
            with ledger.look() as connection:
                return OpenedPullRequest.model_validate(evidence.get_opening(connection, event.result))
    return None
