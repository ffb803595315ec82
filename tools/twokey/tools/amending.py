"""Turns a suggestion from the review of a pull request into a proposal of its own.

Rules: a suggestion replaces whole lines of one file that the reviewed proposal wrote, as it was written, and nothing
else; it applies only to a pull request that the log proves to have been opened. What comes of it is an ordinary
proposal on top of the base branch as it is now, in a branch of its own; who made the suggestion asks for it, and
whoever shaped the reviewed one contributed to it, so that none of them approves it. Nothing that was opened is touched.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast

from pydantic import Field, StringConstraints

from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Finding, ProposalId, Provenance, Value
from twokey.store.proposals import ProposalRecord
from twokey.tools.faults import contained
from twokey.tools.proposing import Draft, Proposer, checked
from twokey.tools.receipts import Receipts
from twokey.tools.standing import standing
from twokey.tools.steps import Steps
from twokey.tools.write.pull_request import OpenPullRequest, PullRequestArgs

AGENT: Final = "amendment"
MAX_TEXT: Final = 20_000
"""Characters of the lines that a suggestion puts in."""
MAX_BODY: Final = 60_000
_OPENS: Final = re.compile(r" {0,3}(`{3,})suggestion[ \t]*")
_OTHER: Final = re.compile(r" {0,3}(`{3,})[^`]*$")
_FENCE: Final = re.compile(r" {0,3}(`{3,})[ \t]*")

Line = Annotated[int, Field(ge=1, le=10_000_000)]


class Suggestion(Value):
    """``text`` in the place of the lines ``first`` to ``last`` (from 1, both included) of the file ``path``."""

    proposal: ProposalId
    path: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    first: Line
    last: Line
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT)]


def suggested(body: str) -> str | None:
    """Give the lines of the one suggestion block of a comment, as GitHub writes it; none where it has none or more."""
    found: list[list[str]] = []
    fence = other = ""
    for line in body[: 2 * MAX_TEXT].replace("\r\n", "\n").split("\n"):
        opened, closed = _OPENS.fullmatch(line), _FENCE.fullmatch(line)
        if fence and closed is not None and len(closed[1]) >= len(fence):
            fence = ""
        elif fence:
            found[-1].append(line)
        elif other:
            other = "" if closed is not None and len(closed[1]) >= len(other) else other
        elif opened is not None:
            fence = opened[1]
            found.append([])
        elif (block := _OTHER.match(line)) is not None:
            other = block[1]
    if fence or len(found) != 1:
        return None
    text = "".join(f"{line}\n" for line in found[0])
    return text if len(text) <= MAX_TEXT else None


@dataclass(frozen=True, slots=True)
class Amending:
    """Makes the proposals."""

    steps: Steps
    proposer: Proposer
    receipts: Receipts

    def propose(self, record: ProposalRecord, suggestion: Suggestion, *, run: str, requester: str) -> ProposalRecord:
        """Propose what ``record`` wrote with a suggestion put in.

        Raises:
            Refused: it opened no pull request, the suggestion does not fit what it wrote or changes nothing, or the
                files have changed since.
            CheckFailed: the log does not bear out that it was written.

        """
        proposal = record.proposal
        if proposal.tool != OpenPullRequest.name or record.state is not State.DONE:
            raise _unfit(f"Proposal {record.id} has opened no pull request.")
        if standing(self.steps.ledger, record).state is not State.DONE:
            raise _unfit(f"The log does not bear out that {record.id} was written.")
        tool = self.steps.registry.writer(proposal.tool)
        context = self.steps.context(proposal)
        written = cast("PullRequestArgs", checked(tool, proposal.args))
        with contained(tool.name):
            based = cast("PullRequestArgs | None", tool.rebase(written, context))
        if based is None:
            raise _unfit("What the suggestion changes has been changed since.")
        args = self._args(based, written, suggestion, run, requester)
        kept = self.receipts.keep(
            run,
            {"proposal": record.id, "digest": record.digest, "suggestion": suggestion.canonical(), "written": args},
            tool=proposal.tool,
            origin=f"suggestion for {record.id}",
            summary=f"suggestion for {record.id}",
        )
        finding = Finding(
            id="f-1",
            subject=record.id,
            kind="suggested",
            claim=f"{requester} suggested other lines in the review of {record.id}.",
            evidence=(kept.id,),
            confidence=100,
        )
        draft = Draft(
            tool=proposal.tool,
            args=args,
            provenance=tuple(Provenance(path=name, label="evidence", evidence=(kept.id,)) for name in sorted(args)),
            findings=(finding,),
            why=f"{requester} suggested it in the review of {record.id}; it takes the place of that pull request.",
        )
        return self.proposer.propose(
            draft,
            run=run,
            requester=requester,
            agent=AGENT,
            step=1,
            places=context.places,
            contributors=(requester, proposal.requester, *proposal.contributors),
            once=True,
        )

    @staticmethod
    def _args(
        based: PullRequestArgs, written: PullRequestArgs, suggestion: Suggestion, run: str, requester: str
    ) -> dict[str, Any]:
        """Give the arguments with the suggestion put in."""
        file = next((each for each in written.files if each.path == suggestion.path), None)
        if file is None or file.content is None:
            raise _unfit("The suggestion is about a file that the proposal did not write.")
        changed = _replaced(file.content, suggestion)
        if changed == file.content:
            raise _unfit("The suggestion changes nothing.")
        args = based.model_dump(mode="json")
        for each in args["files"]:
            if each["path"] == suggestion.path:
                each["content"] = changed
        body = f"Takes the place of the pull request of {suggestion.proposal}, with lines that {requester} suggested."
        return args | {"branch": f"twokey/{run}", "body": f"{body}\n\n{based.body}"[:MAX_BODY]}


def _replaced(content: str, suggestion: Suggestion) -> str:
    # Lines end where GitHub and git end them; other characters that look like an end do not count.
    lines = [f"{line}\n" for line in content.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    lines = lines if lines[-1] else lines[:-1]
    if not suggestion.first <= suggestion.last <= len(lines):
        raise _unfit("The suggestion is about lines that the file does not have.")
    ending = "\r\n" if lines[suggestion.first - 1].endswith("\r\n") else "\n"
    put = [f"{line}{ending}" for line in suggestion.text.removesuffix("\n").split("\n")] if suggestion.text else []
    after = lines[suggestion.last :]
    if put and not after and not lines[-1].endswith("\n"):
        put[-1] = put[-1].removesuffix(ending)
    return "".join([*lines[: suggestion.first - 1], *put, *after])


def _unfit(why: str) -> Refused:
    return Refused(why, next="Look at the pull request as it is now, and suggest it there.", code="suggestion_unfit")
