"""Proposes a change of the policy itself, as a pull request like any other.

Rules: the files, the text and the figures of the replay are kept first as evidence that Twokey made, and the proposal
says nothing that is not in it; who asks for the change contributed to it and cannot approve it; policy decides on it as
on every write, and nothing about a merged pull request puts a bundle in force.
"""

from dataclasses import dataclass
from typing import Final

from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Place, Places
from twokey.tools.forge import Edit
from twokey.tools.proposing import Draft, Proposer
from twokey.tools.receipts import Receipts

AGENT: Final = "policy"
TOOL: Final = "open_pull_request"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change of a bundle in its repository, worked out against the tip of a branch."""

    place: Place
    base_branch: str
    base_commit: str
    branch: str
    title: str
    body: str
    edits: tuple[Edit, ...]
    claim: str
    """What the replay found, in one sentence."""
    figures: Json
    """What the replay found, in numbers."""
    why: str


class PolicyChanges:
    """Makes the proposals."""

    def __init__(self, proposer: Proposer, receipts: Receipts) -> None:
        self._proposer = proposer
        self._receipts = receipts

    def propose(self, change: PolicyChange, *, run: str, requester: str) -> ProposalRecord:
        """Keep the evidence and propose the pull request.

        Raises:
            ToolRetry: the files or the text cannot be part of a proposal.
            Refused: the tool would not render it, for instance because the branch has moved on.

        """
        written = {
            "base_branch": change.base_branch,
            "base_commit": change.base_commit,
            "branch": change.branch,
            "title": change.title,
            "body": change.body,
            "files": [
                {"path": edit.path, "content": None if edit.content is None else edit.content.decode()}
                for edit in change.edits
            ],
        }
        kept = self._receipts.keep(
            run,
            {"written": written, "replay": change.figures},
            tool=TOOL,
            origin="replay of the policy",
            summary=change.claim[:400],
        )
        resource = change.place.resource
        asked = Provenance(path="repository", label="config" if resource.granted_by == "config" else "request")
        draft = Draft(
            tool=TOOL,
            args={"repository": resource.id, **written},
            provenance=(
                *(Provenance(path=name, label="evidence", evidence=(kept.id,)) for name in sorted(written)),
                asked,
            ),
            findings=(
                Finding(
                    id="f-1",
                    subject="policy",
                    kind="replayed",
                    claim=change.claim,
                    evidence=(kept.id,),
                    confidence=100,
                ),
            ),
            why=change.why,
        )
        return self._proposer.propose(
            draft, run=run, requester=requester, agent=AGENT, step=1, places=Places((change.place,)), once=True
        )
