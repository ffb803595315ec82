"""The data of the policy bundle (``data.json``, under ``twokey_data``): what a team edits without touching a rule.

Rules: every key of ``DEFAULTS`` may be left out, and so may ``reading`` (what holds then is said there); any other is
present, and there are no more; names fit the same patterns as everywhere; whatever one part names (a group, a risk)
another part defines; an owner's ``under`` is empty (the whole kind) or ends in ``/``, so that ``churn/`` can never take
in ``churn-secrets``; one tool name and version has one schema digest.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from twokey.core.errors import BadInput
from twokey.core.values import (
    MOST_TOGETHER,
    Code,
    Count,
    Digest,
    Effect,
    GroupName,
    Proof,
    ResourceKind,
    RuleId,
    ToolName,
    Value,
    Version,
)
from twokey.policies.calendar import Freeze, PolicyException
from twokey.policies.reading import Reading

ROOT: Final = "twokey_data"
INDEX: Final = "index"
"""What is worked out from the rest of the data, for rules to look up."""
WAIVABLE: Final = ("R08", "R10", "R22", "R23", "R24", "R25")
"""Rules that an exception can lift; who may do what, where arguments came from and how many are asked are not."""
MAX_EXPIRY_S: Final = 30 * 24 * 3600

DEFAULTS: Final[Mapping[str, Any]] = {
    "listed_places": ["repository"],
    "forbidden_changes": [
        "comments_security_report",
        "mentions_people",
        "links_elsewhere",
        "holds_markup",
        "disguises_name",
        "commands_bots",
    ],
    "allowed_values": [],
    "classes": [],
    "default_class": "internal",
    "risk_of_class": {},
    "field_limits": [
        {"kind": "personal", "classes": [], "most": 500},
        {"kind": "financial", "classes": [], "most": 500},
        {"kind": "secret", "classes": [], "most": 100},
        {"kind": "other", "classes": [], "most": 1000},
        {"kind": "unreadable", "classes": [], "most": 20},
    ],
    "budgets": [
        {"over": "run", "measure": "proposals", "most": 50},
        {"over": "run", "measure": "files", "most": 1000},
        {"over": "run", "measure": "lines", "most": 50000},
        {"over": "requester_hour", "measure": "proposals", "most": 100},
        {"over": "hour", "measure": "proposals", "most": 500},
        {"over": "hour", "measure": "writes", "most": 500},
        {"over": "day", "measure": "cost", "most": 1000000000},
    ],
    "freezes": [],
    "exceptions": [],
    "waivable": [],
    "rule_owners": {},
    "escalation": [],
    "batches": [],
}
"""What stands for a key that a team's data leaves out: what the bundle that comes with Twokey has."""

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
        _check_which(self.id, self.under)
        return self


def _check_which(name: str | None, under: str | None) -> None:
    if (name is None) == (under is None):
        raise ValueError("an owner or a class has either `id` or `under`")
    if under and not under.endswith("/"):
        raise ValueError("`under` is empty or ends in a slash")


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
    quotes: tuple[ArgumentPath, ...] = ()
    """Content that may be the words of a model or text from outside, because it is shown as what it is."""

    @model_validator(mode="after")
    def _quotes_content(self) -> Self:
        if not set(self.quotes) <= set(self.content):
            raise ValueError("`quotes` names something that `content` does not")
        return self


class MayName(Value):
    """Groups whose requests may name a target of a kind."""

    read: dict[ResourceKind, tuple[GroupName, ...]]
    write: dict[ResourceKind, tuple[GroupName, ...]]


class SizeLimits(Value):
    """The largest write: number of files, and lines added and removed together."""

    files: Count
    lines: Count


class Classified(Value):
    """The class of resources of one kind: of one (``id``) or of all whose name starts with ``under``."""

    kind: ResourceKind
    class_: Annotated[Code, Field(alias="class")]
    id: Name | None = None
    under: Annotated[str, StringConstraints(max_length=400)] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        _check_which(self.id, self.under)
        return self


class FieldLimit(Value):
    """How many sensitive fields of a kind one write may change, in resources of these classes (all where none)."""

    kind: Code
    classes: tuple[Code, ...]
    most: Count


class Budget(Value):
    """How much of a measure may be used up: by a run, by a requester in an hour, by all in an hour or in a day."""

    over: Literal["run", "requester_hour", "hour", "day"]
    measure: Literal["proposals", "writes", "files", "lines", "cost"]
    most: Count


class Escalation(Value):
    """A group that is asked besides the owners where the write has this label, kind, class or environment."""

    on: Literal["label", "kind", "class", "environment"]
    is_: Annotated[Code, Field(alias="is")]
    group: GroupName


class BatchRule(Value):
    """Writes that may be answered together: by this tool, with no label and no risk but these, so many at most."""

    kind: Code
    tool: ToolName
    labels: Annotated[tuple[Code, ...], Field(min_length=1)]
    risks: Annotated[tuple[Code, ...], Field(min_length=1)]
    most: Annotated[int, Field(ge=2, le=MOST_TOGETHER)]


class AllowedValues(Value):
    """The only values that an argument of a write tool takes, for these resources (all where none is named)."""

    tool: ToolName
    path: ArgumentPath
    values: tuple[Name, ...]
    resources: tuple[Name, ...] = ()


class Risk(Value):
    """How many different people have to say yes, for how many seconds that holds, and what proves it is theirs."""

    quorum: Annotated[int, Field(ge=1, le=9)]
    expires_s: Annotated[int, Field(ge=1, le=MAX_EXPIRY_S)]
    auth: tuple[Proof, ...] = ("key",)

    @model_validator(mode="after")
    def _keys_always_count(self) -> Self:
        if "key" not in self.auth or len(set(self.auth)) != len(self.auth):
            raise ValueError("`auth` names `key` and each other kind of proof at most once")
        return self


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
    listed_places: tuple[ResourceKind, ...]
    forbidden_changes: tuple[Code, ...]
    allowed_values: tuple[AllowedValues, ...]
    limits: SizeLimits
    risks: dict[Code, Risk]
    break_glass: BreakGlassRule
    default_risk: Code
    risk_of_label: dict[Code, Code]
    risk_of_unlisted_label: Code
    risk_of_environment: dict[Code, Code]
    classes: tuple[Classified, ...]
    default_class: Code
    risk_of_class: dict[Code, Code]
    field_limits: tuple[FieldLimit, ...]
    budgets: tuple[Budget, ...]
    freezes: tuple[Freeze, ...]
    exceptions: tuple[PolicyException, ...]
    waivable: tuple[RuleId, ...]
    rule_owners: dict[RuleId, GroupName]
    escalation: tuple[Escalation, ...]
    batches: tuple[BatchRule, ...]
    reading: Reading | None = None
    """Who may read what. What the data leaves out stays left out, so that its digest is what it was."""
    index: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Worked out from the rest; what a document says here is replaced."""

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        groups = {self.default_owner, *(owner.group for owner in (*self.owners, *self.escalation))}
        groups.update(self.rule_owners.values())
        groups.update(() if self.reading is None else self.reading.groups())
        for table in (self.may_name.read, self.may_name.write):
            groups.update(group for members in table.values() for group in members)
        _all_known(groups, self.groups, "group")
        risks = {self.default_risk, self.risk_of_unlisted_label}
        risks.update(self.risk_of_label.values(), self.risk_of_environment.values())
        risks.update(self.risk_of_class.values(), *(entry.risks for entry in self.batches))
        _all_known(risks, self.risks, "risk")
        named = {entry.class_ for entry in self.classes} | {
            name for limit in self.field_limits for name in limit.classes
        }
        named.update(() if self.reading is None else self.reading.classes())
        _all_known(named, {self.default_class, *self.risk_of_class}, "class")
        _all_known(self.waivable, WAIVABLE, "waivable rule")
        _all_known((item.rule for item in self.exceptions), self.waivable, "waivable rule")
        names = [item.name for item in (*self.exceptions, *self.freezes)]
        if len(set(names)) != len(names):
            raise ValueError("two freezes or exceptions have one name")
        versions = [(tool.name, tool.version) for tool in self.tools]
        if len(set(versions)) != len(versions):
            raise ValueError("a tool is listed twice with one version")
        return self

    def timed(self) -> dict[str, Any]:
        """Give the parts of the data in which local times became instants."""
        return {
            "freezes": [freeze.worked_out() for freeze in self.freezes],
            "exceptions": [exception.worked_out() for exception in self.exceptions],
        }

    def indexed(self) -> dict[str, Any]:
        """Give what rules look up by name, so that a decision does not go through hundreds of entries.

        Names that are not ASCII cannot be keys of canonical JSON: these entries stand in ``rest``.
        """
        return {
            "owners": _by_name((entry.kind, entry.id, entry.under, entry.group) for entry in self.owners),
            "classes": _by_name((entry.kind, entry.id, entry.under, entry.class_) for entry in self.classes),
            "arguments": {
                tool: sorted({path.split(".")[0] for path in (*contract.places, *contract.content)})
                for tool, contract in self.contracts.items()
            },
        }


def _by_name(entries: Iterable[tuple[str, str | None, str | None, str]]) -> dict[str, dict[str, Any]]:
    """Give, for each kind of resource, what its resources have: by whole name, and by how the name begins."""
    found: dict[str, dict[str, Any]] = {}
    for kind, name, under, value in entries:
        there = found.setdefault(kind, {"ids": {}, "under": {}, "rest": []})
        key = name if name is not None else under or ""
        how = "ids" if name is not None else "under"
        if key.isascii():
            there[how][key] = sorted({*there[how].get(key, ()), value})
        else:
            there["rest"].append({"id" if name is not None else "under": key, "value": value})
    return found


def _all_known(named: Iterable[str], known: Iterable[str], what: str) -> None:
    missing = sorted(set(named) - set(known))
    if missing:
        raise ValueError(f"the {what} {missing[0]} is named and not defined")


def complete(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give the data document as engines get it: checked, and with every key.

    Raises:
        InvalidPolicyData: it has another form, or parts that contradict each other.

    """
    if set(data) != {ROOT}:
        raise InvalidPolicyData(
            f"The policy data has to hold exactly one key, {ROOT}.", next="Compare it with the bundle's own data.json."
        )
    given = data[ROOT]
    whole = {**DEFAULTS, **given} if isinstance(given, Mapping) else given
    try:
        facts = Facts.model_validate(whole)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(re.sub(r"[^A-Za-z0-9_-]", "?", str(part))[:40] for part in first["loc"])
        raise InvalidPolicyData(
            f"The policy data cannot be used at {where or ROOT}: {first['msg'][:160]}.",
            next="Correct data.json; the README of the policies folder explains each key.",
        ) from error
    return {ROOT: {**whole, **facts.timed(), INDEX: facts.indexed()}}


def check(data: Mapping[str, Any]) -> None:
    """Check the whole data document; raises ``InvalidPolicyData`` like ``complete``."""
    complete(data)


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
    return complete(result)
