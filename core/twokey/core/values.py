"""The words of Twokey as frozen values. Whatever crosses a seam is one of these, checked on the way in.

Rules: every value is frozen, refuses unknown fields and holds canonical JSON only (no floats; times are integer
microseconds since 1970-01-01T00:00:00Z). Names and ids have narrow patterns, so that neither free text nor a secret
can stand where the log or policy expects a name.
"""

from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from twokey.core import canonical
from twokey.core.canonical import Json

ID_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ID: Final = "[0-9a-hjkmnp-tv-z]{12}$"

PrincipalName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
GroupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
AgentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2,3}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9A-Za-z.+-]{0,39}$")]
EngineName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,19}( [0-9][0-9A-Za-z.+-]{0,38})?$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Salt = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
RunId = Annotated[str, StringConstraints(pattern=r"^r-" + _ID)]
ProposalId = Annotated[str, StringConstraints(pattern=r"^p-" + _ID)]
EvidenceId = Annotated[str, StringConstraints(pattern=r"^e-" + _ID)]
CallId = Annotated[str, StringConstraints(pattern=r"^c-" + _ID)]
EntryId = Annotated[str, StringConstraints(pattern=r"^l-" + _ID)]
WorkspaceId = Annotated[str, StringConstraints(pattern=r"^w-" + _ID)]
GlassId = Annotated[str, StringConstraints(pattern=r"^g-" + _ID)]
ExecutorId = Annotated[str, StringConstraints(pattern=r"^x-" + _ID)]
InboundId = Annotated[str, StringConstraints(pattern=r"^i-" + _ID)]
MessageId = Annotated[str, StringConstraints(pattern=r"^m-" + _ID)]
ExternalId = Annotated[
    str,
    StringConstraints(
        pattern=r"^(slack:T[0-9A-Z]{1,20}/[UW][0-9A-Z]{1,20}|github:[1-9][0-9]{0,18}|oidc:[0-9a-f]{32})$"
    ),
]
"""Who somebody is elsewhere, in ids that the provider never gives again.

``slack:TEAM/USER``, ``github:NUMBER``, or ``oidc:`` and the beginning of the SHA-256 of issuer and subject.
"""
Instant = Annotated[int, Field(ge=0, le=canonical.MAX_INTEGER)]
Count = Annotated[int, Field(ge=0, le=canonical.MAX_INTEGER)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
ArgumentPath = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,99}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
PublicKey = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]

Provider = Literal["slack", "github", "oidc"]
"""Who tells, outside of Twokey, who somebody is."""
Proof = Literal["key", "slack", "github", "oidc"]
"""What policy may admit as proof that an answer is somebody's."""
Auth = Literal["key", "asserted", "system", "slack", "github", "oidc"]
Channel = Literal["cli", "console", "slack", "github", "worker", "demo", "api", "alerts"]
Effect = Literal["read", "write"]
ResourceKind = Literal["warehouse", "catalog", "repository", "tickets", "telemetry", "runbooks"]


class Value(BaseModel):
    """A frozen value with a canonical byte form."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, ser_json_inf_nan="constants")

    def canonical(self) -> Json:
        """Give the value as plain JSON (maps, lists, strings, integers)."""
        return self.model_dump(mode="json")

    def encoded(self) -> bytes:
        """Give the canonical bytes of the value; raises ``NotCanonicalError`` where it has none."""
        return canonical.encode_plain(self.canonical())


class Principal(Value):
    """A person with groups, as the directory knows them at this moment."""

    name: PrincipalName
    groups: tuple[GroupName, ...] = ()
    key: PublicKey | None = None
    """Public half of the credential (Ed25519, raw 32 bytes in hexadecimal)."""


def provider_of(external: str) -> Provider:
    """Give the provider that an external identity is one of."""
    match external.partition(":")[0]:
        case "slack":
            return "slack"
        case "oidc":
            return "oidc"
        case _:
            return "github"


def _names_its_identity(auth: Auth, external: str | None) -> None:
    """Hold an external identity to its kind of proof; raises ``ValueError``."""
    if (provider_of(external) if external else None) != (auth if auth in get_args(Provider) else None):
        raise ValueError("a proof by Slack, GitHub or OIDC names the identity there, and any other proof names none")


class Identity(Value):
    """A principal together with how they proved to be that principal in this process."""

    principal: Principal
    auth: Auth
    channel: Channel
    external: ExternalId | None = None
    """Who they are at Slack or GitHub, where that is the proof."""

    @model_validator(mode="after")
    def _external_fits(self) -> Self:
        _names_its_identity(self.auth, self.external)
        return self


class Resource(Value):
    """What a call touches. ``id`` is the name the workspace gave it, never a URL with credentials."""

    kind: ResourceKind
    id: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    granted_by: Literal["config", "request"]
    environment: Code = "default"


class Step(Value):
    """One step of a plan: one agent, one goal, typed arguments."""

    number: Annotated[int, Field(ge=1, le=99)]
    agent: AgentName
    action: Code
    args: dict[str, Any] = Field(default_factory=dict)
    title: Annotated[str, StringConstraints(max_length=200)] = ""


class Plan(Value):
    """The planner's typed list of steps."""

    understood: Annotated[str, StringConstraints(max_length=500)]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]


class Request(Value):
    """What somebody asked for."""

    text: Annotated[str, StringConstraints(max_length=4000)]
    intent: Code
    args: dict[str, Any] = Field(default_factory=dict)
    channel: Channel
    requester: PrincipalName


class Evidence(Value):
    """One stored result of a read tool. ``commitment`` may stand in the log; ``sha256`` stays with the content."""

    id: EvidenceId
    run: RunId
    tool: ToolName
    origin: Annotated[str, StringConstraints(max_length=400)]
    trusted: bool
    summary: Annotated[str, StringConstraints(max_length=400)]
    sha256: Digest
    salt: Salt
    commitment: Digest
    created_us: Instant


class EvidenceRef(Value):
    """How a proposal names evidence: by id and content hash."""

    id: EvidenceId
    sha256: Digest


class Finding(Value):
    """One claim with the evidence it rests on. ``confidence`` is in percent."""

    id: Annotated[str, StringConstraints(pattern=r"^f-[0-9]{1,6}$")]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    kind: Code
    claim: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    evidence: tuple[EvidenceId, ...]
    confidence: Annotated[int, Field(ge=0, le=100)]
    attention: bool = False
    """True where a person should look, whatever happens to the proposal."""


class Report(Value):
    """The findings one agent hands over."""

    agent: AgentName
    findings: tuple[Finding, ...]


class ContentHash(Value):
    """Hash of a piece of the resulting content (for git: the tree and each blob)."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    hash: Annotated[str, StringConstraints(pattern=r"^(git:[0-9a-f]{40}|sha256:[0-9a-f]{64})$")]


class Target(Value):
    """What a write changes and at which version it was reviewed (base commit, ``updated_at`` ...)."""

    kind: ResourceKind
    id: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    version: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RollbackPlan(Value):
    """How to undo a write: words for people and, where a tool can do it, the call that does."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    tool: ToolName | None = None
    args: dict[str, Any] = Field(default_factory=dict)


class Provenance(Value):
    """Where one argument of a call came from. ``untrusted`` marks text read from outside."""

    path: ArgumentPath
    label: Literal["request", "config", "code", "evidence", "model", "untrusted"]
    evidence: tuple[EvidenceId, ...] = ()


class Origin(Provenance):
    """What the gate made of a claim about where an argument came from: it can only have become worse."""

    trusted: bool = False
    """Every cited piece of evidence was made by Twokey itself, as the log bears out. True where none is cited."""
    same_resource: bool = False
    """Every cited piece of evidence is trusted, or was read from the very resource that the write goes to."""


class FileChange(Value):
    """Size of the change of one file, in lines."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    added: Count
    removed: Count


class FieldCount(Value):
    """How many fields of one kind (``personal``, ``financial`` ...) a write marks, unmarks or carries."""

    kind: Code
    count: Count


class Usage(Value):
    """What was proposed, written and spent. ``cost`` is in millionths of the workspace's currency."""

    proposals: Count = 0
    writes: Count = 0
    files: Count = 0
    lines: Count = 0
    cost: Count = 0


class Counters(Value):
    """What others have used of the budgets: this run, this requester in an hour, everybody in an hour and in a day."""

    run: Usage = Usage()
    requester_hour: Usage = Usage()
    hour: Usage = Usage()
    day: Usage = Usage()


class Change(Value):
    """What policy needs to know of an intended write beyond its arguments."""

    proposal: ProposalId
    contributors: tuple[PrincipalName, ...]
    files: tuple[FileChange, ...]
    labels: tuple[Code, ...] = ()
    """What kind of change it is, as stated by the tool that rendered it (``changes_sensitivity`` ...)."""
    evidence: Count
    rollback: bool
    copied: tuple[ArgumentPath, ...] = ()
    """Arguments with a value that untrusted evidence of the run holds, and no request, setting or receipt."""
    mentioned: tuple[ArgumentPath, ...] = ()
    """The same, where the resource that the write goes to lists such a thing by exactly that name."""
    fields: tuple[FieldCount, ...] = ()
    """Sensitive fields, as stated by the tool that rendered it."""


class BreakGlass(Value):
    """An emergency that somebody declared for one proposal: it shortens the quorum until it ends."""

    id: GlassId
    opened_by: PrincipalName
    until_us: Instant


class Call(Value):
    """One intended tool call, as policy sees it."""

    requester: Principal
    agent: AgentName
    run: RunId
    step: Annotated[int, Field(ge=0, le=99)]
    tool: ToolName
    version: Version
    tool_schema: Digest
    effect: Effect
    args: dict[str, Any]
    provenance: tuple[Origin, ...] = ()
    resource: Resource
    change: Change | None = None
    break_glass: BreakGlass | None = None
    counters: Counters | None = None
    exceptions: tuple[Code, ...] = ()
    """Exceptions of the policy data that are signed by somebody who owns their rule."""
    frozen: bool = False
    """Whether the kill switch is on."""
    now_us: Instant

    @model_validator(mode="after")
    def _writes_state_their_change(self) -> Self:
        if (self.effect == "write") != (self.change is not None):
            raise ValueError("a write states its change, a read has none")
        if self.effect == "read" and self.break_glass is not None:
            raise ValueError("a read needs nobody, so there is no glass to break for it")
        return self


class Proposal(Value):
    """A fully specified write. Its digest is what a person approves; whatever differs by a byte is another proposal."""

    type: Literal["twokey/proposal/v1"] = "twokey/proposal/v1"
    id: ProposalId
    nonce: Salt
    """Randomness, so that the digest in the log does not confirm a guess of the content."""
    run: RunId
    requester: PrincipalName
    contributors: tuple[PrincipalName, ...]
    agent: AgentName
    step: Annotated[int, Field(ge=0, le=99)]
    tool: ToolName
    tool_version: Version
    tool_schema: Digest
    args: dict[str, Any]
    provenance: tuple[Origin, ...]
    copied: tuple[ArgumentPath, ...] = ()
    mentioned: tuple[ArgumentPath, ...] = ()
    resource: Resource
    content: tuple[ContentHash, ...]
    preview: str
    labels: tuple[Code, ...]
    files: tuple[FileChange, ...]
    fields: tuple[FieldCount, ...] = ()
    rollback: RollbackPlan
    evidence: tuple[EvidenceRef, ...]
    findings: tuple[Finding, ...]
    target: Target
    why: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    supersedes: ProposalId | None = None
    """The proposal that this one stands in for: its target had moved on, or a person edited it."""
    reverts: ProposalId | None = None
    """The proposal whose write this one undoes."""
    created_us: Instant

    def digest(self) -> str:
        """SHA-256 of the canonical bytes of all fields."""
        return canonical.digest_of_text(self.encoded())


class GroupQuorum(Value):
    """At least ``n`` different people of ``group``."""

    group: GroupName
    n: Annotated[int, Field(ge=1, le=9)]


MOST_TOGETHER: Final = 50
"""More cards than this are never answered together, whatever policy says: somebody is to read them."""


class Together(Value):
    """That a card may be answered together with others of its kind, and with how many at most, itself included."""

    kind: Code
    most: Annotated[int, Field(ge=2, le=MOST_TOGETHER)]


def _absent(value: object) -> bool:
    """Tell whether a field is left out of a value's canonical form, which it then has as before there was the field."""
    return value is None


class ApprovalsNeeded(Value):
    """Who has to say yes. All of ``all_of`` must be met; ``exclude`` can never count."""

    all_of: tuple[GroupQuorum, ...] = ()
    exclude: tuple[PrincipalName, ...] = ()
    distinct: bool = True
    expires_s: Annotated[int, Field(ge=1, le=30 * 24 * 3600)] = 24 * 3600
    max_uses: Literal[1] = 1
    binds: tuple[Literal["proposal_digest"], Literal["decision_digest"]] = ("proposal_digest", "decision_digest")
    """What an approval is bound to: it counts for exactly this proposal under exactly this decision."""
    auth: tuple[Proof, ...] = ("key",)
    """Which kinds of proof count for an approval. A signature by one's own key always does."""
    batch: Annotated[Together | None, Field(exclude_if=_absent)] = None
    """Whether it may be answered in a batch, and in which."""


class Reason(Value):
    """Why policy decided so. ``code`` and ``rule`` are constants of the bundle; ``message`` is its text for people."""

    code: Code
    message: Annotated[str, StringConstraints(max_length=300)]
    rule: RuleId


class Decision(Value):
    """Policy's answer. ``digest`` covers what binds an approval; revisions and input are recorded beside it."""

    effect: Literal["allow", "require_approval", "deny"]
    approvals: ApprovalsNeeded | None = None
    reasons: tuple[Reason, ...]
    obligations: tuple[Code, ...] = ()
    warnings: tuple[Code, ...] = ()
    policy_revision: Digest
    data_revision: Digest
    engine: EngineName
    input_digest: Digest

    def digest(self) -> str:
        """SHA-256 over effect, approvals needed, obligations, reason codes and warnings (DESIGN, section 1).

        That keys alone count goes without saying in it, as it did before anything else could.
        """
        needed = self.approvals.model_dump(mode="json") if self.approvals else None
        if needed is not None and needed["auth"] == ["key"]:
            del needed["auth"]
        return canonical.digest_of_text(
            canonical.encode_plain(
                {
                    "type": "twokey/decision/v1",
                    "effect": self.effect,
                    "approvals": needed,
                    "obligations": sorted(self.obligations),
                    "reasons": sorted({reason.code for reason in self.reasons}),
                    "warnings": sorted(self.warnings),
                }
            )
        )


Action = Literal["approve", "refuse", "withdraw", "confirm_written", "confirm_not_written"]
"""Answers to a card. The last two say, by somebody who looked, how a write ended whose outcome is not known."""


class Statement(Value):
    """What a person signs when they press a button. The signature is over the canonical bytes of this value."""

    type: Literal["twokey/statement/v1"] = "twokey/statement/v1"
    workspace: WorkspaceId
    action: Action
    proposal: ProposalId
    proposal_digest: Digest
    decision_digest: Digest
    principal: PrincipalName
    at_us: Instant
    reason_commitment: Digest | None = None
    batch: Annotated[Digest | None, Field(exclude_if=_absent)] = None
    """The batch that the card was answered in."""


OrderName = Literal[
    "freeze_on", "freeze_off", "break_glass", "review_break_glass", "sign_policy", "link", "unlink", "console_pass"
]


class Order(Value):
    """What a person signs that is no answer to a card: kill switch, emergencies, a policy bundle, linked identities."""

    type: Literal["twokey/order/v1"] = "twokey/order/v1"
    workspace: WorkspaceId
    order: OrderName
    subject: Annotated[str, StringConstraints(pattern=r"^[pg]-" + _ID)] | None = None
    """The proposal, or the broken glass, that the order is about."""
    principal: PrincipalName
    at_us: Instant
    until_us: Instant | None = None
    words: Digest | None = None
    """Salted commitment to what the person wrote (reason, ticket); the digest of the bundle's statement, or of the
    public key that a one-time link to the console carries."""
    external: ExternalId | None = None
    """The identity elsewhere that is linked or unlinked."""

    @model_validator(mode="after")
    def _links_name_an_identity(self) -> Self:
        if (self.order in {"link", "unlink"}) != (self.external is not None):
            raise ValueError("linking and unlinking name an external identity, and no other order does")
        return self

    def canonical(self) -> Json:
        """Give the signed form: an identity stands in it only where one is named."""
        return self.model_dump(mode="json", exclude={"external"} if self.external is None else None)


class Signed(Value):
    """The proof that the named person gave a statement.

    A signature by their key; their linked identity elsewhere, as its channel authenticated it; or a bare claim in a
    demo.
    """

    auth: Auth
    key: Fingerprint | None = None
    signature: Signature | None = None
    external: ExternalId | None = None

    @model_validator(mode="after")
    def _a_key_signs(self) -> Self:
        if {self.signature is not None, self.key is not None} != {self.auth == "key"}:
            raise ValueError("an answer by key carries the key's fingerprint and a signature, any other carries none")
        return self

    @model_validator(mode="after")
    def _external_fits(self) -> Self:
        _names_its_identity(self.auth, self.external)
        return self


class Answer(Signed):
    """An authenticated answer to a card."""

    statement: Statement


class GivenOrder(Signed):
    """An authenticated order."""

    statement: Order


class Checkpoint(Value):
    """A signed tree head of the audit log."""

    size: Count
    root: Digest
    note: str
    """The signed note, in the format of C2SP ``tlog-checkpoint``."""
