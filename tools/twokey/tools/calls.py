"""Builds what policy sees, and what the log keeps of its answer."""

from typing import Any, Literal

from twokey.core.events import PolicyDecided
from twokey.core.values import BreakGlass, Call, Change, Decision, Principal, Proposal, Resource, Value
from twokey.tools.circumstances import Given
from twokey.tools.contract import Contract

Occasion = Literal["read", "propose", "click", "execute"]


def of_proposal(
    proposal: Proposal, requester: Principal, now_us: int, given: Given, break_glass: BreakGlass | None = None
) -> Call:
    """Give the call that ``proposal`` asks for, as things stand now."""
    return Call(
        requester=requester,
        agent=proposal.agent,
        run=proposal.run,
        step=proposal.step,
        tool=proposal.tool,
        version=proposal.tool_version,
        tool_schema=proposal.tool_schema,
        effect="write",
        args=proposal.args,
        provenance=proposal.provenance,
        resource=proposal.resource,
        change=Change(
            proposal=proposal.id,
            contributors=proposal.contributors,
            files=proposal.files,
            labels=proposal.labels,
            evidence=len(proposal.evidence),
            rollback=bool(proposal.rollback.text),
            copied=proposal.copied,
            mentioned=proposal.mentioned,
            fields=proposal.fields,
        ),
        break_glass=break_glass,
        counters=given.counters,
        exceptions=given.exceptions,
        frozen=given.frozen,
        now_us=now_us,
    )


def of_read(  # the fields of one value
    tool: Contract[Any, Any],
    args: Value,
    *,
    requester: Principal,
    agent: str,
    run: str,
    step: int,
    resource: Resource,
    now_us: int,
    given: Given,
) -> Call:
    """Give the call of a read tool."""
    return Call(
        requester=requester,
        agent=agent,
        run=run,
        step=step,
        tool=tool.name,
        version=tool.version,
        tool_schema=tool.schema_digest(),
        effect="read",
        args=args.model_dump(mode="json"),
        resource=resource,
        counters=given.counters,
        exceptions=given.exceptions,
        frozen=given.frozen,
        now_us=now_us,
    )


def decided(  # the fields of one event
    call: Call,
    decision: Decision,
    *,
    occasion: Occasion,
    commitment: str,
    answer: str | None = None,
    call_id: str | None = None,
) -> PolicyDecided:
    """Give the log's account of a decision."""
    return PolicyDecided(
        run=call.run,
        tool=call.tool,
        effect=call.effect,
        call=call_id,
        proposal=call.change.proposal if call.change else None,
        occasion=occasion,
        decision=decision.effect,
        decision_digest=decision.digest(),
        reasons=tuple(reason.code for reason in decision.reasons),
        rules=tuple(reason.rule for reason in decision.reasons),
        policy_revision=decision.policy_revision,
        data_revision=decision.data_revision,
        engine=decision.engine,
        input=commitment,
        answer=answer,
    )
