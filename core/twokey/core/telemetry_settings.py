"""Settings of telemetry: where it is kept, and which alerts start a run.

Rules: an address is a host and a path, without a user, a question or a fragment; plain HTTP reaches this machine only,
unless ``insecure`` says otherwise in so many words; what is asked there stands in the settings, never in what was read;
a secret is the name of a variable; a trigger always has a secret and somebody in whose name it asks.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from twokey.core.values import Code, PrincipalName

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,99}$")]
Query = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]


def _pattern(text: str) -> str:
    if "**" in text or ".." in text or not text.strip("/"):
        raise ValueError("write the path of a file, with * for any name in a folder, and without ** or ..")
    return text


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(_pattern)]
TriggerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
_LOCAL = r"(127\.0\.0\.1|localhost|\[::1\])"


def _address(url: str) -> str:
    if url and not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?", url):
        raise ValueError("write https://HOST or https://HOST/PATH, without a user or a question")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class TelemetrySection(BaseModel):
    """One source of telemetry, put together from what is set. Its name is a place of kind ``telemetry``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Code = "default"
    service_labels: Annotated[tuple[LabelName, ...], Field(min_length=1, max_length=10)] = ("service", "service_name")
    """Labels that name a service, the first that is there counts; for Prometheus, Loki and alerts."""
    prometheus: Address = ""
    """Where a Prometheus answers."""
    prometheus_token_env: VariableName | None = None
    queries: dict[ShortName, Query] = Field(default_factory=dict, max_length=100)
    """What is asked of it: the name of a metric, and the PromQL expression that gives it."""
    step_s: Annotated[int, Field(ge=1, le=3_600)] = 15
    """How far apart samples are asked for, in seconds; over long stretches they lie farther apart."""
    loki: Address = ""
    """Where a Loki answers."""
    loki_token_env: VariableName | None = None
    loki_tenant: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!._*'()|-]{0,150}$")] = ""
    loki_query: Annotated[str, StringConstraints(max_length=4_000)] = ""
    """The LogQL selector of the lines that are read."""
    ca_file: str = ""
    """PEM file of the authority to trust for both, instead of the system's."""
    insecure: bool = False
    """Plain HTTP to other machines: names, lines and tokens can be read and changed on the way."""
    timeout_s: Annotated[int, Field(ge=1, le=60)] = 20
    """How long one answer may take, in seconds."""
    logs: dict[ShortName, Pattern] = Field(default_factory=dict, max_length=100)
    """Files of lines by the service that writes them; ``*`` stands for any name. Relative to the workspace."""
    log_zone: ShortName = "UTC"
    """Zone of times in those files that name none, as in Europe/Lisbon."""
    traces: Annotated[tuple[Pattern, ...], Field(max_length=100)] = ()
    """Files of spans in OTLP JSON."""
    events: Annotated[tuple[Pattern, ...], Field(max_length=100)] = ()
    """Files of events (``events.jsonl`` as in an incident bundle)."""
    topology: Annotated[tuple[Pattern, ...], Field(max_length=100)] = ()
    """Files of who calls whom (``topology.csv`` as in an incident bundle)."""
    deployments: dict[ShortName, ShortName] = Field(default_factory=dict, max_length=100)
    """Places of kind repository, and the service that what is merged or deployed there belongs to."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.prometheus) != bool(self.queries):
            raise ValueError("prometheus and queries go together")
        if bool(self.loki) != bool(self.loki_query):
            raise ValueError("loki and loki_query go together")
        for url in (self.prometheus, self.loki):
            if url.startswith("http:") and not self.insecure and not re.match(rf"http://{_LOCAL}(:|/|$)", url):
                raise ValueError("plain HTTP reaches this machine only, unless insecure is true")
        return self


class TriggerSection(BaseModel):
    """Alerts that start a run: who sends them, how they prove it, and who asks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["alertmanager", "pagerduty"]
    secret_envs: Annotated[tuple[VariableName, ...], Field(min_length=1, max_length=4)]
    """Variables with the secrets a delivery may bear: one, or the old and the new while they change."""
    telemetry: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """The source of telemetry that is looked at; it gets the times of pages and acknowledgements, too."""
    asked_by: PrincipalName
    """Who asks: what a run may do, and who may not approve it, follows from that."""
    replay_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24
    """How long ago what a delivery tells of may have begun, in hours."""
    lead_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 15
    """How long before its alert an incident is taken to have begun, in minutes."""
    follow_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    """How often the workers look at an incident again until it is over, in minutes; 0 leaves it at the first look."""
    most_per_hour: Annotated[int, Field(ge=1, le=1_000)] = 10
    """How many runs it starts in an hour at most; what is beyond is kept as an event."""
