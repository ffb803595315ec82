"""What happens, as values the audit log can hold.

Rules (DESIGN, rule 11): a field is an id, a name from the directory or a contract, a code, a number, a digest of a
value that carries its own randomness, or a salted commitment. Free text, arguments, cell values, URLs, paths and
table names have no field here, so they cannot reach the log by mistake.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from twokey.core.batches import Batch
from twokey.core.lifecycle import State
from twokey.core.values import (
    Action,
    AgentName,
    Answer,
    Auth,
    CallId,
    Channel,
    Code,
    Count,
    Digest,
    Effect,
    EngineName,
    EntryId,
    EvidenceId,
    ExecutorId,
    ExternalId,
    Fingerprint,
    GivenOrder,
    GlassId,
    GroupName,
    InboundId,
    Instant,
    OrderName,
    PrincipalName,
    ProposalId,
    PublicKey,
    RuleId,
    RunId,
    Signature,
    ToolName,
    Value,
    Version,
    WorkspaceId,
)


class WorkspaceCreated(Value):
    """First entry of every log. Whether identities may be asserted is fixed here, for good."""

    kind: Literal["workspace.created"] = "workspace.created"
    workspace: WorkspaceId
    demo: bool
    version: Version


class IdentityUsed(Value):
    """A principal was selected in a process, or the attempt failed."""

    kind: Literal["identity.used"] = "identity.used"
    principal: PrincipalName
    auth: Auth
    channel: Channel
    accepted: bool
    code: Code


class CredentialCreated(Value):
    """A credential was made for a principal; the fingerprint names its public half."""

    kind: Literal["credential.created"] = "credential.created"
    principal: PrincipalName
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class LinkAsked(Value):
    """Somebody whom a channel authenticated said which principal they are. By itself this makes them nobody."""

    kind: Literal["identity.link_asked"] = "identity.link_asked"
    principal: PrincipalName
    external: ExternalId
    channel: Channel
    at_us: Instant
    until_us: Instant


class IdentityLinked(Value):
    """The principal confirmed it: from here on the external identity is theirs."""

    kind: Literal["identity.linked"] = "identity.linked"
    principal: PrincipalName
    external: ExternalId
    order: GivenOrder
    channel: Channel


class IdentityUnlinked(Value):
    """An external identity is nobody's from here on. What it approved and was not carried out yet counts no more."""

    kind: Literal["identity.unlinked"] = "identity.unlinked"
    principal: PrincipalName
    external: ExternalId
    order: GivenOrder
    channel: Channel


class LinkRejected(Value):
    """An attempt to link or unlink an identity that did not count, and why."""

    kind: Literal["identity.link_rejected"] = "identity.link_rejected"
    principal: PrincipalName | None
    workspace: WorkspaceId
    external: ExternalId | None
    step: Literal["ask", "link", "unlink"]
    auth: Auth | None
    """How an order was proven; empty for an ask."""
    channel: Channel
    code: Code


class PassGiven(Value):
    """A one-time link to the console was made for a principal, by their own order. ``words`` in it names its key."""

    kind: Literal["console.pass_given"] = "console.pass_given"
    principal: PrincipalName
    order: GivenOrder


class SessionOpened(Value):
    """Somebody came into the console. ``session`` is public; what the browser shows hashes to ``secret``.

    By ``key`` only: the order that gave the link, the link's key, and its signature over the browser's own key, which
    answers cards from then on. ``possession`` is the browser's signature over the same.
    """

    kind: Literal["console.session_opened"] = "console.session_opened"
    principal: PrincipalName
    auth: Auth
    session: Fingerprint
    secret: Digest
    at_us: Instant
    until_us: Instant
    external: ExternalId | None = None
    order: GivenOrder | None = None
    pass_key: PublicKey | None = None
    key: PublicKey | None = None
    signature: Signature | None = None
    possession: Signature | None = None


class SessionClosed(Value):
    """A session in the console is over before its time."""

    kind: Literal["console.session_closed"] = "console.session_closed"
    principal: PrincipalName
    session: Fingerprint
    code: Code


class RunRequested(Value):
    """Somebody asked for something."""

    kind: Literal["run.requested"] = "run.requested"
    run: RunId
    requester: PrincipalName
    auth: Auth
    channel: Channel
    intent: Code
    request: Digest
    """Salted commitment to the request."""


class RunPlanned(Value):
    """The planner wrote its plan."""

    kind: Literal["run.planned"] = "run.planned"
    run: RunId
    plan: Digest
    """Salted commitment to the plan."""
    agents: tuple[AgentName, ...]


class RunEnded(Value):
    """A run came to its end."""

    kind: Literal["run.ended"] = "run.ended"
    run: RunId
    state: Literal["done", "failed", "cancelled"]
    code: Code


class RunTakenOver(Value):
    """A process took up a run whose driver died or fell silent."""

    kind: Literal["run.taken_over"] = "run.taken_over"
    run: RunId
    holder: ExecutorId
    before: ExecutorId
    code: Code


class RunsPruned(Value):
    """What ended runs left behind was removed. The log and what it needs stay."""

    kind: Literal["runs.pruned"] = "runs.pruned"
    principal: PrincipalName
    runs: Count
    ended_before_us: Instant
    decisions: Count = 0
    """Of how many decisions the input was removed: they cannot be taken again."""


class StepStarted(Value):
    """An agent began a step."""

    kind: Literal["step.started"] = "step.started"
    run: RunId
    step: Count
    agent: AgentName


class StepEnded(Value):
    """An agent ended a step."""

    kind: Literal["step.ended"] = "step.ended"
    run: RunId
    step: Count
    agent: AgentName
    code: Code
    findings: Count


class PolicyDecided(Value):
    """Policy answered one intended call."""

    kind: Literal["policy.decided"] = "policy.decided"
    run: RunId
    tool: ToolName
    effect: Effect
    call: CallId | None = None
    proposal: ProposalId | None = None
    occasion: Literal["read", "propose", "click", "execute"]
    decision: Literal["allow", "require_approval", "deny"]
    decision_digest: Digest
    reasons: tuple[Code, ...]
    rules: tuple[RuleId, ...]
    policy_revision: Digest
    data_revision: Digest
    engine: EngineName
    input: Digest
    """Salted commitment to the input document."""
    answer: Digest | None = None
    """Salted commitment to the whole answer, under the same salt."""


class PolicyEnforced(Value):
    """A policy bundle was put in force: from here on it decides."""

    kind: Literal["policy.enforced"] = "policy.enforced"
    workspace: WorkspaceId
    principal: PrincipalName
    number: Count
    """Goes up with each bundle; a bundle with a smaller one is refused."""
    policy_revision: Digest
    data_revision: Digest
    signers: tuple[PrincipalName, ...]
    """Whose signatures on it counted."""


class PolicyShadowBegun(Value):
    """A second bundle looks at decisions from here on, and decides nothing."""

    kind: Literal["policy.shadow_begun"] = "policy.shadow_begun"
    workspace: WorkspaceId
    policy_revision: Digest
    data_revision: Digest


class PolicyShadowed(Value):
    """What the shadow bundle would have answered. Nothing follows from it."""

    kind: Literal["policy.shadowed"] = "policy.shadowed"
    run: RunId
    proposal: ProposalId | None = None
    entry: EntryId
    """The decision that was taken."""
    decision: Literal["allow", "require_approval", "deny"]
    decision_digest: Digest
    agrees: bool
    """Whether it has the digest of the decision that was taken."""
    reasons: tuple[Code, ...]
    rules: tuple[RuleId, ...]
    policy_revision: Digest
    data_revision: Digest


class ToolCalled(Value):
    """A read tool is about to run."""

    kind: Literal["tool.called"] = "tool.called"
    run: RunId
    step: Count
    call: CallId
    tool: ToolName
    version: Version
    tool_schema: Digest
    args: Digest
    """Salted commitment to the arguments."""


class ToolReturned(Value):
    """A read tool ended; ``evidence`` names what it stored."""

    kind: Literal["tool.returned"] = "tool.returned"
    run: RunId
    call: CallId
    code: Code
    evidence: EvidenceId | None = None
    content: Digest | None = None
    """Salted commitment to the evidence."""


class ModelCalled(Value):
    """A model was asked. Names of endpoints and prompts stay out; ``prompt`` and ``answer`` are salted commitments."""

    kind: Literal["model.called"] = "model.called"
    run: RunId
    step: Count
    tier: Literal["small", "large"]
    code: Code
    tokens_in: Count
    tokens_out: Count
    prompt: Digest
    answer: Digest | None = None


class ReviewEnded(Value):
    """The reviewer checked the claims of a report."""

    kind: Literal["review.ended"] = "review.ended"
    run: RunId
    claims: Count
    supported: Count
    dropped: Count
    code: Code


class ProposalMoved(Value):
    """One transition of the lifecycle. ``before`` is empty for the first."""

    kind: Literal["proposal.moved"] = "proposal.moved"
    proposal: ProposalId
    run: RunId
    digest: Digest
    before: State | None
    after: State
    code: Code
    by: PrincipalName | None = None
    decision_digest: Digest | None = None
    expires_us: Instant | None = None
    successor: ProposalId | None = None
    """The proposal that stands in for this one from now on."""


class ProposalEscalated(Value):
    """Nobody answered in time, and somebody else was turned to: of the same team (1), or of the rung above (2)."""

    kind: Literal["proposal.escalated"] = "proposal.escalated"
    proposal: ProposalId
    level: Annotated[int, Field(ge=1, le=2)]
    asked: PrincipalName | None
    """Who was turned to; empty where nobody was there, or who was is not in the directory."""


class FreezeChanged(Value):
    """The kill switch was turned. While it is on, nothing is approved and no write begins."""

    kind: Literal["freeze.changed"] = "freeze.changed"
    workspace: WorkspaceId
    on: bool
    order: GivenOrder
    channel: Channel


class GlassBroken(Value):
    """Somebody declared an emergency for one proposal: fewer people are asked, and a review is due afterwards."""

    kind: Literal["break_glass.opened"] = "break_glass.opened"
    proposal: ProposalId
    id: GlassId
    digest: Digest
    order: GivenOrder
    ticket: Digest
    """Salted commitment to the name of the ticket."""
    until_us: Instant
    channel: Channel


class GlassUsed(Value):
    """A write began that fewer people approved than policy asks for without the emergency."""

    kind: Literal["break_glass.used"] = "break_glass.used"
    proposal: ProposalId
    id: GlassId
    opened_by: PrincipalName


class GlassReviewed(Value):
    """Somebody else looked at an emergency afterwards."""

    kind: Literal["break_glass.reviewed"] = "break_glass.reviewed"
    proposal: ProposalId
    id: GlassId
    order: GivenOrder
    channel: Channel


class OrderRejected(Value):
    """An order that did not count, and why."""

    kind: Literal["order.rejected"] = "order.rejected"
    principal: PrincipalName | None
    workspace: WorkspaceId
    order: OrderName
    auth: Auth
    channel: Channel
    code: Code


class ControlsProbed(Value):
    """Somebody had every control tried. What held, what did not, and what is missing, under which policy and data."""

    kind: Literal["controls.probed"] = "controls.probed"
    workspace: WorkspaceId
    profile: Literal["laptop", "pilot", "production"]
    version: Version
    engine: EngineName
    policy_revision: Digest
    data_revision: Digest
    held: tuple[Code, ...]
    failed: tuple[Code, ...]
    missing: tuple[Code, ...]


class CardShown(Value):
    """A card was put before somebody."""

    kind: Literal["card.shown"] = "card.shown"
    proposal: ProposalId
    digest: Digest
    decision_digest: Digest | None
    channel: Channel
    viewer: PrincipalName | None


class BatchShown(Value):
    """Several cards were put before somebody together, each of them whole. Answers in that batch name its digest."""

    kind: Literal["batch.shown"] = "batch.shown"
    proposal: ProposalId
    """The first of them: the log finds the batch under it."""
    digest: Digest
    batch: Batch
    channel: Channel


class AnswerGiven(Value):
    """A person's valid answer to a card. For ``approve`` this entry, under a checkpoint, is the authority to write."""

    kind: Literal["answer.given"] = "answer.given"
    answer: Answer
    groups: tuple[GroupName, ...]
    channel: Channel


class ClickRejected(Value):
    """An answer that did not count, and why."""

    kind: Literal["click.rejected"] = "click.rejected"
    action: Action
    principal: PrincipalName | None
    auth: Auth
    channel: Channel
    proposal: ProposalId | None
    """Empty where the proposal named does not exist here."""
    code: Code


class ChannelRejected(Value):
    """Requests that a channel refused since the entry before it: how many, and why.

    What could not be authenticated is counted, and so is what anybody can send (a comment on GitHub); who may not act
    in Slack is named, each time.
    """

    kind: Literal["channel.rejected"] = "channel.rejected"
    workspace: WorkspaceId
    channel: Channel
    code: Code
    count: Count
    external: ExternalId | None = None
    """Who it was, as the channel authenticated them."""


class DeliveryFailed(Value):
    """Something that a channel took and acknowledged has failed for good: it is tried no more."""

    kind: Literal["delivery.failed"] = "delivery.failed"
    workspace: WorkspaceId
    channel: Channel
    delivery: InboundId
    received: Code
    """What it was, by the channel's own word."""
    code: Code


class WriteIntended(Value):
    """The write is about to start. Durable and covered by a checkpoint before anything is written."""

    kind: Literal["write.intended"] = "write.intended"
    proposal: ProposalId
    run: RunId
    digest: Digest
    decision_digest: Digest
    tool: ToolName
    executor: ExecutorId
    idempotency_key: Digest
    answers: tuple[Annotated[str, Field(pattern=r"^l-[0-9a-z]{12}$")], ...]
    """Log entries of the approvals that are used up by this write."""


class WriteEnded(Value):
    """The receipt: what became of an intended write."""

    kind: Literal["write.ended"] = "write.ended"
    proposal: ProposalId
    run: RunId
    digest: Digest
    executor: ExecutorId
    outcome: Literal["written", "not_written", "unknown"]
    code: Code
    result: Digest | None = None
    """Salted commitment to the tool's result."""


class PullRequestEnded(Value):
    """What the forge says became of a pull request that a proposal opened; the last such entry is what holds."""

    kind: Literal["pull_request.ended"] = "pull_request.ended"
    proposal: ProposalId
    outcome: Literal["merged", "closed", "reopened"]
    head: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    """The commit that was proposed."""
    merge: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """The commit that brought it into the base branch."""


Event = Annotated[
    WorkspaceCreated
    | IdentityUsed
    | CredentialCreated
    | LinkAsked
    | IdentityLinked
    | IdentityUnlinked
    | LinkRejected
    | PassGiven
    | SessionOpened
    | SessionClosed
    | RunRequested
    | RunPlanned
    | RunEnded
    | RunTakenOver
    | RunsPruned
    | StepStarted
    | StepEnded
    | PolicyDecided
    | PolicyEnforced
    | PolicyShadowBegun
    | PolicyShadowed
    | ToolCalled
    | ToolReturned
    | ModelCalled
    | ReviewEnded
    | ProposalMoved
    | ProposalEscalated
    | FreezeChanged
    | GlassBroken
    | GlassUsed
    | GlassReviewed
    | OrderRejected
    | ControlsProbed
    | CardShown
    | BatchShown
    | AnswerGiven
    | ClickRejected
    | ChannelRejected
    | DeliveryFailed
    | WriteIntended
    | WriteEnded
    | PullRequestEnded,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads an event back from its JSON form; refuses unknown kinds and fields."""


def subject(event: Event) -> str:
    """Give the id under which the log indexes an entry: its proposal, else its run, else its kind's own subject."""
    match event:
        case AnswerGiven():
            return event.answer.statement.proposal
        case (
            ProposalMoved()
            | ProposalEscalated()
            | CardShown()
            | BatchShown()
            | WriteIntended()
            | WriteEnded()
            | PullRequestEnded()
            | GlassBroken()
            | GlassUsed()
            | GlassReviewed()
        ):
            return event.proposal
        case ClickRejected():
            return event.proposal or "-"
        case PolicyDecided() | PolicyShadowed():
            return event.proposal or event.run
        case (
            WorkspaceCreated()
            | FreezeChanged()
            | OrderRejected()
            | PolicyEnforced()
            | PolicyShadowBegun()
            | ControlsProbed()
            | LinkRejected()
            | ChannelRejected()
            | DeliveryFailed()
        ):
            return event.workspace
        case (
            IdentityUsed()
            | CredentialCreated()
            | RunsPruned()
            | LinkAsked()
            | IdentityLinked()
            | IdentityUnlinked()
            | PassGiven()
            | SessionOpened()
            | SessionClosed()
        ):
            return event.principal
        case _:
            return event.run
