"""The tables of ``twokey.toml``, each a frozen value: which keys there are, of what form, and their defaults.

Rules: an unknown key is an error; an address that leaves this machine is https; a secret is never a value but the name
of an environment variable; two people never share a credential.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from twokey.core.telemetry_settings import ShortName
from twokey.core.values import Code, Digest, GroupName, PrincipalName, PublicKey, ResourceKind, WorkspaceId

PlaceName = Annotated[str, StringConstraints(min_length=1, max_length=400)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class Section(BaseModel):
    """A table of the settings: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkspaceSection(Section):
    """Which workspace this is."""

    id: WorkspaceId
    demo: bool = False


class StoreSection(Section):
    """Where state and log live. A relative SQLite path is relative to the workspace."""

    url: str = "sqlite:///.twokey/twokey.db"
    encrypt: bool = False
    """Whether what the database holds of words and values is encrypted. Read from the file alone."""


class PolicySection(Section):
    """Which engine decides, on which bundle."""

    engine: Literal["embedded", "opa-managed", "opa"] = "embedded"
    bundle: str = "policies"
    """Folder of the bundle, relative to the workspace."""
    deadline_ms: Annotated[int, Field(ge=10, le=10_000)] = 100
    opa_path: str = ""
    opa_sha256: Digest | None = None
    url: str = "http://127.0.0.1:8181"
    ca_file: str = ""
    """PEM file of the authority to trust for ``opa``, instead of the system's."""
    token_env: VariableName = "OPA_TOKEN"  # noqa: S105 - the name of a variable, not a token
    signers: Annotated[int, Field(ge=0, le=9)] = 0
    """How many different people have to have signed a bundle before it decides anything; 0 asks for none."""
    signer_groups: tuple[GroupName, ...] = ("risk-owners",)
    """Groups whose members' signatures count."""
    verification_key: str = ""
    """PEM file of the public key that the bundle's OPA signature has to verify with; none asks for no signature."""
    shadow: str = ""
    """Folder of a second bundle, which looks at each decision and decides nothing."""


class PlaceSection(Section):
    """One place that runs may touch without the request naming it."""

    kind: ResourceKind
    location: str
    environment: Code = "default"
    password_env: VariableName | None = None


class CatalogSection(Section):
    """Defaults of the catalog job: names of places."""

    warehouse: str = ""
    repository: str = ""


LabelName = Annotated[str, StringConstraints(min_length=1, max_length=50)]


Heading = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\n\r]+$")]
Question = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\n\r]+$")]
Asked = Literal[
    "description", "steps", "expected", "actual", "version", "environment", "logs", "need", "impact", "scope",
    "approver",
]  # fmt: skip
"""What a ticket can lack."""


class TriageSection(Section):
    """The triage job: which tickets, and the words that this team uses for what they are."""

    tickets: str = ""
    """Name of the place where tickets are that a request means where it names none."""
    asked_by: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_-]{0,39})?$")] = ""
    """The principal in whose name new tickets are looked at when GitHub tells of them; empty looks at none."""
    kinds: tuple[LabelName, ...] = ("bug", "feature", "question")
    """Labels of which each ticket gets one."""
    priorities: dict[Literal["urgent", "high", "normal", "low"], LabelName] = Field(default_factory=dict)
    """The label for each degree of pressure; without it none is put on."""
    security: LabelName = "security"
    spam: LabelName = "spam"
    duplicate: LabelName = "duplicate"
    target: Annotated[int, Field(ge=50, le=99)] = 90
    """How often, in percent, a proposed kind has to be right; below it the job says that it does not know."""
    most: Annotated[int, Field(ge=1, le=50)] = 25
    """How many tickets one run proposes to change at most."""
    asked_for: Annotated[tuple[Heading, ...], Field(max_length=40)] = ()
    """Headings of the team's own issue form: what it asks for belongs to the checklist of faults and wishes."""
    questions: dict[Asked, Question] = Field(default_factory=dict)
    """The team's own wording of what a checklist asks."""
    routing: str = ""
    """File of who looks after what and when, relative to the workspace."""
    escalations: Annotated[
        str, StringConstraints(pattern=r"^([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}#[1-9][0-9]{0,9})?$")
    ] = ""
    """The issue (``OWNER/REPO#NUMBER``) under which it is said that nobody answers; empty says it nowhere."""


FolderName = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")
]


class IncidentSection(Section):
    """The incident job: names of places, and where what it writes goes."""

    telemetry: str = ""
    """The source of telemetry that a request means where it names none."""
    tickets: str = ""
    """Where the ticket of an incident is opened; empty takes ``triage.tickets``."""
    repository: str = ""
    """Which repository gets post-mortems; without one none is drafted."""
    folder: FolderName = "postmortems"
    """Folder of the repository for post-mortems."""
    label: Annotated[str, StringConstraints(max_length=50)] = "incident"
    """The label of the ticket of an incident; empty puts none on."""
    runbooks: str = ""
    """Place of runbooks in which sections that may help are looked for."""
    deployments: dict[ShortName, ShortName] = Field(default_factory=dict, max_length=100)
    """Places of kind repository, and the service that is deployed from each: there a suspected commit is taken back."""


class OperationsSection(Section):
    """The ops review: which telemetry, and what it is compared with."""

    telemetry: str = ""
    """Name of the place of kind telemetry that a request means where it names none."""
    file: str = ""
    """File of objectives, budgets, capacity and the register, relative to the workspace."""


class ControlsSection(Section):
    """Who keeps the kill switch and answers for emergencies."""

    owners: tuple[GroupName, ...] = ("platform-owners", "risk-owners")
    """Groups whose members may lift a freeze, break glass and review it. Anybody may freeze."""
    break_glass_minutes: Annotated[int, Field(ge=1, le=60)] = 60
    """How long an emergency may last, in minutes."""
    profile: Literal["laptop", "pilot", "production"] = "laptop"
    """Which controls have to hold before anything is written: none, the first three, all twelve."""


class ModelSection(Section):
    """An OpenAI-compatible endpoint. Without ``base_url`` only the built-in tier works."""

    base_url: str = ""
    name: str = ""
    embeddings: str = ""
    """Model of the same endpoint that makes vectors of texts; it gets texts of tickets. Empty asks for none."""
    key_env: VariableName = "OPENAI_API_KEY"
    timeout_s: Annotated[int, Field(ge=1, le=600)] = 30
    max_tokens: Annotated[int, Field(ge=16, le=32_768)] = 1024
    price_in: Annotated[int, Field(ge=0, le=10**9)] = 0
    """What 1,000 tokens sent cost, in millionths of the workspace's currency; counts against the budgets of policy."""
    price_out: Annotated[int, Field(ge=0, le=10**9)] = 0
    """What 1,000 tokens received cost, likewise."""


SlackTeam = Annotated[str, StringConstraints(pattern=r"^T[A-Z0-9]{1,20}$")]
SlackChannel = Annotated[str, StringConstraints(pattern=r"^([CG][A-Z0-9]{1,20})?$")]
SlackRead = Annotated[str, StringConstraints(pattern=r"^[CG][A-Z0-9]{1,20}$")]


class SlackSection(Section):
    """Slack. Secrets stand in variables of the environment; here are only their names."""

    mode: Literal["off", "socket", "http"] = "off"
    """``socket``: Twokey opens the connection; ``http``: Slack calls ``twokey up`` at ``/slack/events``."""
    team: Annotated[str, StringConstraints(pattern=r"^(T[A-Z0-9]{1,20})?$")] = ""
    """The workspace that the bot token has to belong to; empty takes whichever it does."""
    bot_token_env: VariableName = "SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable, as the next three
    app_token_env: VariableName = "SLACK_APP_TOKEN"  # noqa: S105
    signing_secret_env: VariableName = "SLACK_SIGNING_SECRET"  # noqa: S105
    client_secret_env: VariableName = "SLACK_CLIENT_SECRET"  # noqa: S105
    client_id: Annotated[str, StringConstraints(pattern=r"^([0-9]{1,20}\.[0-9]{1,20})?$")] = ""
    """Of an app that several workspaces install; then no bot token is asked for."""
    redirect_url: str = ""
    """Where Slack sends people back to who install the app: an https address that ends in /slack/oauth_redirect."""
    teams: tuple[SlackTeam, ...] = ()
    """Workspaces that may install it; a link to the install page gives nobody else a way in."""
    approvals_channel: SlackChannel = ""
    """Where every card is posted, beside the place where its run was asked for."""
    escalation_channel: SlackChannel = ""
    """Where a card is brought up that nobody answered shortly before it expires; empty takes ``approvals_channel``."""
    thread_channels: tuple[SlackRead, ...] = ()
    """Channels whose threads may be told as incidents: what people wrote in such a thread becomes evidence."""
    remind_minutes: Annotated[int, Field(ge=0, le=10_080)] = 120
    """How long before its expiry approvers are reminded of a card, in minutes; 0 reminds nobody."""
    escalate_minutes: Annotated[int, Field(ge=0, le=10_080)] = 30
    """How long before its expiry a card is brought up elsewhere, in minutes; 0 does not."""
    api_url: Annotated[str, StringConstraints(pattern=r"^(https://[^/]+|http://127\.0\.0\.1:[0-9]+)(/.*)?/$")] = (
        "https://slack.com/api/"
    )
    hooks_url: Annotated[str, StringConstraints(pattern=r"^(https://[^/]+|http://127\.0\.0\.1:[0-9]+)(/.*)?/$")] = (
        "https://hooks.slack.com/"
    )
    """Answers to one person go to addresses below it, and to no other."""


def _cron(text: str) -> str:
    from croniter import croniter  # noqa: PLC0415 - comes in where there is a schedule

    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise ValueError("write a cron expression of five fields, such as '0 6 * * 1-5' (UTC)")
    return text


class ScheduleSection(Section):
    """A request that is made at set times, in somebody's name."""

    cron: Annotated[str, StringConstraints(max_length=100), AfterValidator(_cron)]
    """Minute, hour, day of the month, month, day of the week; UTC."""
    ask: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    """The request, in words."""
    asked_by: PrincipalName
    """Who asks: what a run may do, and who may not approve it, follows from that."""
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """Workers take what is higher first; what people ask for has 0."""


def _github_host(url: str) -> str:
    if not re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]{1,5})?", url):
        raise ValueError("write https://HOST in small letters, such as https://github.com")
    return url


def _github_api(url: str) -> str:
    if not re.fullmatch(r"(https://[a-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[a-z0-9/]+)?", url):
        raise ValueError("write https://HOST or https://HOST/api/v3; plain HTTP reaches this machine only")
    return url


class GitHubSection(Section):
    """A GitHub, and how to prove to it who is writing: as an App, or with a token. Without either it is not used."""

    url: Annotated[str, AfterValidator(_github_host)] = "https://github.com"
    """Where people see it; a place ``URL/OWNER/REPO`` is one of its repositories."""
    api: Annotated[str, AfterValidator(_github_api)] | None = None
    """Where programs ask it; follows from ``url``: ``https://api.github.com``, or ``URL/api/v3`` of an own server."""
    app_id: Annotated[int, Field(ge=1)] | None = None
    """The App's number. Its installation is found by the repository."""
    key_file: str = ""
    """PEM file of the App's private key: an absolute path outside the workspace, readable by this account only."""
    token_env: VariableName | None = None
    """Variable that holds a token, where there is no App."""
    webhook_secret_envs: tuple[VariableName, ...] = ()
    """Variables that hold the secrets a delivery may be signed with: one, or the old and the new while they change."""
    replay_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 72
    """How old what a delivery tells of may be, in hours; GitHub delivers again for three days."""
    ca_file: str = ""
    """PEM file of the authority to trust, instead of the system's."""
    timeout_s: Annotated[int, Field(ge=1, le=120)] = 20

    @property
    def used(self) -> bool:
        """Whether anything of it is set up."""
        return self.app_id is not None or self.token_env is not None

    @property
    def api_url(self) -> str:
        """Where programs ask it."""
        if self.api is not None:
            return self.api
        return "https://api.github.com" if self.url == "https://github.com" else f"{self.url}/api/v3"

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.app_id is not None and self.token_env is not None:
            raise ValueError("it has an app_id or a token_env, not both")
        if (self.app_id is not None) != bool(self.key_file):
            raise ValueError("an app_id goes with a key_file")
        return self


def _witness_url(url: str) -> str:
    """Check where a witness is asked: https, or http on this machine."""
    if not re.fullmatch(
        r"(https://[A-Za-z0-9.-]{1,253}|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", url
    ):
        raise ValueError("it is https://HOST/PATH, or http on this machine")
    return url.rstrip("/")


class WitnessSection(Section):
    """A witness of the log: somebody else's, who signs its checkpoints."""

    url: Annotated[str, AfterValidator(_witness_url)]
    """Where it is asked (the submission prefix of C2SP ``tlog-witness``)."""
    key: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,400}$")]
    """Its verifier key, one line."""


class AuditSection(Section):
    """Who else vouches for the log."""

    witnesses: dict[Code, WitnessSection] = Field(default_factory=dict, max_length=30)


class ServerSection(Section):
    """What listens for Slack and GitHub (``twokey up``)."""

    host: Annotated[str, StringConstraints(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8642
    body_days: Annotated[int, Field(ge=0, le=3650)] = 7
    """For how many days the bytes of what was received and handled are kept; that it was received is kept longer."""


def _console_url(url: str) -> str:
    """Check where people see the console: https, or http on this machine, without a path."""
    if url and not re.fullmatch(
        r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", url
    ):
        raise ValueError("it is https://HOST, or http://127.0.0.1:PORT on this machine, without a path")
    return url


def _issuer(url: str) -> str:
    """Check where a provider of identities is: https, or http on this machine."""
    if url and not re.fullmatch(
        r"(https://[A-Za-z0-9.-]{1,253}|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", url
    ):
        raise ValueError("it is https://HOST/PATH, or http on this machine")
    return url


class ConsoleSection(Section):
    """The web console that ``twokey up`` serves."""

    mode: Literal["on", "off"] = "on"
    url: Annotated[str, AfterValidator(_console_url)] = ""
    """Where people see it, where that is not the address that is listened on (behind a proxy that ends TLS)."""
    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    """After how long without a request a session is over."""
    session_hours: Annotated[int, Field(ge=1, le=24)] = 12
    """How long a session lasts at most."""
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] = ""
    """An OpenID Connect provider by which people may come in, too."""
    oidc_client_id: Annotated[str, StringConstraints(max_length=200)] = ""
    """What the provider calls this console."""
    oidc_secret_env: VariableName | None = None
    """Variable that holds the client's secret; a public client has none."""
    oidc_groups: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = ()
    """Only members of one of these groups, as the provider's ``groups`` claim has them, come in; none asks for none."""

    @model_validator(mode="after")
    def _a_provider_knows_us(self) -> Self:
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise ValueError("oidc_issuer and oidc_client_id go together")
        return self


class ScorecardSection(Section):
    """What the quarterly scorecard rests on beside what happened here."""

    minutes: dict[Code, Annotated[int, Field(ge=0, le=10_000)]] = Field(
        default_factory=lambda: {"open_pull_request": 45, "update_ticket": 5, "catalog_scan": 20, "incident": 60}
    )
    """How long a person takes for what a write of a tool, or a run of an intent that only reads, did; in minutes."""
    training: str = ""
    """CSV file of training and pulse, relative to the workspace; none where nothing is known of them."""


class PluginsSection(Section):
    """Pinned plugins: name of the distribution to its digest."""

    plugins: dict[str, Digest] = Field(default_factory=dict)


class PrincipalSection(Section):
    """A person: groups, and the public half of their credential."""

    groups: tuple[GroupName, ...] = ()
    key: PublicKey | None = None


def _one_credential_each(people: dict[str, PrincipalSection]) -> dict[str, PrincipalSection]:
    owners: dict[str, str] = {}
    for name, section in people.items():
        if section.key is not None and owners.setdefault(section.key, name) != name:
            raise ValueError(f"{owners[section.key]} and {name} have the same key")
    return people


People = Annotated[dict[PrincipalName, PrincipalSection], AfterValidator(_one_credential_each)]
