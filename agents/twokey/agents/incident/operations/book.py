"""The operations file: what a team promised, may spend, can carry and has registered.

Rules: it is read from the workspace alone, never from what was measured; an unknown key, a value that does not fit and
a service named twice are errors that say where and what is known; whatever it leaves out is not judged, and the review
says that it is not known. Numbers are the team's own; none has a default that would judge somebody by a guess, but for
those that only choose how a formula looks (``limits``).

The file (YAML)::

    currency: EUR
    owners: {model: model-owners, platform: platform-owners, risk: risk-owners}   # the ladder, lowest first
    endpoints:
      - name: churn scores
        service: scoring-api              # as the telemetry calls it
        owner: model-owners               # instead of the ladder's first rung
        metrics:                          # names as the telemetry has them
          latency: latency_p95_ms         # p95, in milliseconds
          requests: requests_per_s
          errors: error_rate              # a share of requests; with errors_are: per_second, errors per second
          queue: queue_depth
          concurrency: in_flight
          replicas: replicas
          retries: retries_per_s
          cost: cost_per_hour             # in the currency, per hour
        objective: {latency_ms: 400, latency_share: 99, availability: 99.9, days: 30, queue: 40}
        budget: {per_day: 30, per_1000_requests: 0.05, per_request_per_second: 0.1}
        capacity: {requests_per_s: 90, concurrency_per_replica: 8, max_replicas: 6, cold_start_s: 40, utilisation: 70}
    register:
      endpoints: [gateway]                # services that may serve models, beside the endpoints above
      key_labels: [api_key]               # labels whose values are keys
      keys: [web, batch]
      deployments: {scoring-api: [deploybot]}   # who may deploy what; an empty list means anybody
    labels: {price_per_1000_series: 6, most_values: 100, keep: [region]}
    limits: {retry_share: 20, horizon_days: 30}
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, cast, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from twokey.core.errors import BadInput

MAX_FILE: Final = 256 * 1024
Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Called = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")]
Owner = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,99}$")]
Positive = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]
Percent = Annotated[float, Field(gt=0, lt=100)]
Rung: TypeAlias = Literal["model", "platform", "risk"]
RUNGS: Final[tuple[Rung, ...]] = ("model", "platform", "risk")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Owners(_Part):
    """The escalation ladder, lowest rung first: who answers for a model, for the platform, for risk."""

    model: Owner
    platform: Owner
    risk: Owner


class Metrics(_Part):
    """Which metric of the endpoint's service says what; what is left out is not known."""

    latency: Name | None = None
    requests: Name | None = None
    errors: Name | None = None
    errors_are: Literal["share", "per_second"] = "share"
    queue: Name | None = None
    concurrency: Name | None = None
    replicas: Name | None = None
    retries: Name | None = None
    cost: Name | None = None

    def named(self) -> tuple[str, ...]:
        """Give the metrics that are named, each once."""
        names = (getattr(self, kind) for kind in type(self).model_fields if kind != "errors_are")
        return tuple(dict.fromkeys(name for name in names if name))


class Objective(_Part):
    """What was promised."""

    latency_ms: Positive | None = None
    latency_share: Percent = 99.0
    """In how many percent of the stretches of five minutes the p95 has to be at or below ``latency_ms``."""
    availability: Percent | None = None
    """Percent of requests that have to succeed over ``days``."""
    days: Annotated[int, Field(ge=7, le=90)] = 30
    queue: Annotated[float, Field(ge=0, le=1e15)] | None = None
    """Requests that may wait."""


class Budget(_Part):
    """What it may cost, in the currency."""

    per_day: Positive | None = None
    per_1000_requests: Positive | None = None
    per_request_per_second: Positive | None = None
    """Per hour, for each request per second."""


class Capacity(_Part):
    """What it can carry."""

    requests_per_s: Positive | None = None
    concurrency_per_replica: Positive | None = None
    max_replicas: Annotated[int, Field(ge=1, le=100_000)] | None = None
    cold_start_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    utilisation: Percent = 70.0
    """Percent of a replica's concurrency that scaling aims at."""


class Endpoint(_Part):
    """One endpoint that serves a model."""

    name: Called
    service: Name
    owner: Owner | None = None
    metrics: Metrics = Metrics()
    objective: Objective = Objective()
    budget: Budget = Budget()
    capacity: Capacity = Capacity()


class Register(_Part):
    """What is known to be there; a list that is left out is no list, and nothing is compared with it."""

    endpoints: tuple[Name, ...] | None = None
    key_labels: Annotated[tuple[LabelName, ...], Field(max_length=10)] = ()
    keys: tuple[Name, ...] | None = None
    deployments: dict[Name, tuple[Name, ...]] | None = None


class Labels(_Part):
    """What series cost, and which labels are worth it."""

    price_per_1000_series: Positive | None = None
    """Per month."""
    most_values: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    keep: tuple[LabelName, ...] = ()


class Limits(_Part):
    """From when on something is told."""

    retry_share: Percent = 20.0
    """Retries per hundred requests from which on they may run away."""
    horizon_days: Annotated[int, Field(ge=1, le=365)] = 30


class Book(_Part):
    """The whole file."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    owners: Owners
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1, max_length=50)]
    register_: Annotated[Register, Field(alias="register")] = Register()
    labels: Labels = Labels()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _once(self) -> Self:
        for what in ("name", "service"):
            names = [getattr(endpoint, what) for endpoint in self.endpoints]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"two endpoints have the {what} {twice[:60]!r}")
        return self

    def registered(self) -> frozenset[str]:
        """Give the services that may serve models."""
        return frozenset({endpoint.service for endpoint in self.endpoints} | set(self.register_.endpoints or ()))


def load(path: Path) -> Book:
    """Read the operations file.

    Raises:
        BadInput: it cannot be read, or does not fit; the sentence says where.

    """
    text = _read(path)
    try:
        found: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise _unfit(path, "it is no YAML") from error
    try:
        return Book.model_validate(found)
    except ValidationError as error:
        raise _unfit(path, _why(error)) from error


def _why(error: ValidationError) -> str:
    """Say what does not fit, and for a key that is not known which are."""
    errors = error.errors(include_input=False, include_url=False)
    first = next((found for found in errors if found["type"] == "extra_forbidden"), errors[0])
    where = ".".join(str(part)[:40] for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known(first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
        return f"unknown key {where!r}; {hint}"
    if first["type"] == "missing":
        return f"{where!r} is missing"
    return f"{where or 'all of it'}: {first['msg'].removeprefix('Value error, ')}"


def _known(location: tuple[int | str, ...]) -> list[str]:
    """Give the keys that are known at a place in the file."""
    model: type[BaseModel] = Book
    for part in location:
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        inner = next(
            (
                each
                for each in (fields.get(part), *get_args(fields.get(part)))
                if isinstance(each, type) and issubclass(each, BaseModel)
            ),
            None,
        )
        if inner is None:
            break
        model = inner
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise _unfit(path, "it cannot be read") from error
    if len(data) > MAX_FILE:
        raise _unfit(path, "it is larger than 256 KiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unfit(path, "it is no UTF-8 text") from error


def _unfit(path: Path, why: str) -> BadInput:
    return BadInput(
        f"The operations file {path.name} cannot be used: {why[:300]}.",
        next="Correct it, or the setting operations.file; docs/ops-review.md shows one.",
        code="bad_operations",
    )


def as_data(book: Book) -> Mapping[str, Any]:
    """Give the file as plain data, as it was understood."""
    return cast("Mapping[str, Any]", book.model_dump(mode="json", by_alias=True))
