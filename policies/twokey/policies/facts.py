"""The data of the policy bundle (``data.json``, under ``twokey_data``): what a team edits without touching a rule.

Rules: every key is present and no other; names fit the same patterns as everywhere; whatever one part names (a group,
a risk) another part defines; an owner's ``under`` is empty (the whole kind) or ends in ``/``, so that ``churn/`` can
never take in ``churn-secrets``; one tool name and version has one schema digest.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from twokey.core.errors import BadInput
from twokey.core.values import Code, Count, Digest, Effect, GroupName, ResourceKind, ToolName, Value, Version

ROOT: Final = "twokey_data"
MAX_EXPIRY_S: Final = 30 * 24 * 3600

ArgumentPath = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}(\.[a-z0-9_]{1,40}){0,5}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class InvalidPolicyData(BadInput):
    """The bundle's data cannot be used."""

    default_code = "policy_data"


class Owner(Value):
    """A group that owns resources of one kind: one resource (``id``) or all whose name starts with ``under``."""

    kind: ResourceKind
    group: GroupName
    id: Name | None = None
    under: Annotated[str, StringConstraints(max_length=400)] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.id is None) == (self.under is None):
            raise ValueError("an owner has either `id` or `under`")
        if self.under and not self.under.endswith("/"):
            raise ValueError("`under` is empty or ends in a slash")
        return self


class ListedTool(Value):
    """One tool that exists for the agents."""

    name: ToolName
    version: Version
    effect: Effect
    schema_: Annotated[Digest, Field(alias="schema")]


class ToolContract(Value):
    """What policy knows of a tool's arguments: those that decide where a write goes, and the rest."""

    kinds: tuple[ResourceKind, ...]
    places: tuple[ArgumentPath, ...]
    content: tuple[ArgumentPath, ...]


class MayName(Value):
    """Groups whose requests may name a target of a kind."""

    read: dict[ResourceKind, tuple[GroupName, ...]]
    write: dict[ResourceKind, tuple[GroupName, ...]]


class SizeLimits(Value):
    """The largest write: number of files, and lines added and removed together."""

    files: Count
    lines: Count


class Risk(Value):
    """How many different people have to say yes, and for how many seconds that holds."""

    quorum: Annotated[int, Field(ge=1, le=9)]
    expires_s: Annotated[int, Field(ge=1, le=MAX_EXPIRY_S)]


class BreakGlassRule(Value):
    """How many people of each group are asked in an emergency, at most."""

    quorum: Annotated[int, Field(ge=1, le=9)]


class Facts(Value):
    """Everything under ``twokey_data``."""

    groups: Annotated[tuple[GroupName, ...], Field(min_length=1)]
    default_owner: GroupName
    owners: tuple[Owner, ...]
    may_name: MayName
    tools: tuple[ListedTool, ...]
    contracts: dict[ToolName, ToolContract]
    limits: SizeLimits
    risks: dict[Code, Risk]
    break_glass: BreakGlassRule
    default_risk: Code
    risk_of_label: dict[Code, Code]
    risk_of_unlisted_label: Code
    risk_of_environment: dict[Code, Code]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        groups = {self.default_owner, *(owner.group for owner in self.owners)}
        for table in (self.may_name.read, self.may_name.write):
            groups.update(group for members in table.values() for group in members)
        _all_known(groups, self.groups, "group")
        risks = {self.default_risk, self.risk_of_unlisted_label}
        risks.update(self.risk_of_label.values(), self.risk_of_environment.values())
        _all_known(risks, self.risks, "risk")
        versions = [(tool.name, tool.version) for tool in self.tools]
        if len(set(versions)) != len(versions):
            raise ValueError("a tool is listed twice with one version")
        return self


def _all_known(named: Iterable[str], known: Iterable[str], what: str) -> None:
    missing = sorted(set(named) - set(known))
    if missing:
        raise ValueError(f"the {what} {missing[0]} is named and not defined")


def check(data: Mapping[str, Any]) -> None:
    """Check the whole data document.

    Raises:
        InvalidPolicyData: it has another form, or parts that contradict each other.

    """
    if set(data) != {ROOT}:
        raise InvalidPolicyData(
            f"The policy data has to hold exactly one key, {ROOT}.", next="Compare it with the bundle's own data.json."
        )
    try:
        Facts.model_validate(data[ROOT])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(re.sub(r"[^A-Za-z0-9_-]", "?", str(part))[:40] for part in first["loc"])
        raise InvalidPolicyData(
            f"The policy data cannot be used at {where or ROOT}: {first['msg'][:160]}.",
            next="Correct data.json; the README of the policies folder explains each key.",
        ) from error


def with_tools(data: Mapping[str, Any], tools: Iterable[tuple[str, str, str, str]]) -> dict[str, Any]:
    """Give a copy of the data document whose allow-list is exactly ``tools``: (name, version, effect, schema digest).

    Raises:
        InvalidPolicyData: a tuple or the data cannot be used.

    """
    listed = [
        {"name": name, "version": version, "effect": effect, "schema": schema}
        for name, version, effect, schema in sorted(tools)
    ]
    facts = data.get(ROOT)
    if not isinstance(facts, Mapping):
        raise InvalidPolicyData(f"The policy data has no {ROOT}.", next="Compare it with the bundle's own data.json.")
    result: dict[str, Any] = {**data, ROOT: {**facts, "tools": listed}}
    check(result)
    return result
