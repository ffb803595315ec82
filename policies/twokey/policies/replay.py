"""Holds a past decision against what a bundle answers today to the same document.

Rules: an answer that is the stored one byte for byte is the same; any other is checked as the guard checks it (what is
no decision for this call counts as a fault, which denies); a decision that Twokey gave in place of an engine then
cannot be had again from any bundle, so it is neither the same nor changed. Nothing here reads a log or runs an engine.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

import orjson

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.values import Call
from twokey.policies import decision
from twokey.policies.decision import FAULT_CODE, REVIEW, Answer, MalformedDecision

Kind = Literal["same", "stricter", "looser", "approvals", "reasons", "fault", "was_fault"]
KINDS: Final[tuple[Kind, ...]] = ("looser", "stricter", "approvals", "reasons", "fault", "was_fault", "same")
"""In the order of what a person has to look at first."""
_ORDER: Final = {"allow": 0, "require_approval": 1, "deny": 2}
NOT_IN_DOCUMENT: Final = ("type", "now_ns")
"""Keys that the input document has beside the fields of the call."""

Rule = tuple[str, str]
"""Rule id and reason code."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one decision. ``before`` and ``after`` are answers as plain JSON."""

    kind: Kind
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether a person would have met something else."""
        return self.kind not in {"same", "was_fault"}

    @property
    def transition(self) -> str:
        """The effects, such as ``deny -> require_approval``; one word where the effect stayed."""
        before, after = str(self.before["effect"]), str(self.after["effect"])
        return before if before == after else f"{before} -> {after}"

    def rules(self) -> tuple[list[Rule], list[Rule]]:
        """Rules that give a reason now and did not, and rules that gave one and do not now."""
        before, after = _rules(self.before), _rules(self.after)
        return sorted(after - before), sorted(before - after)


def judge(before: bytes, raw: object, document: bytes, *, obligations: frozenset[str] = frozenset({REVIEW})) -> Outcome:
    """Compare the stored answer ``before`` with the engine's raw result (or the fault it raised) on ``document``."""
    old: dict[str, Any] = orjson.loads(before)
    if any(reason["code"] == FAULT_CODE for reason in old["reasons"]):
        return Outcome("was_fault", old, old)
    if _encoded(raw) == before:
        return Outcome("same", old, old)
    if old["approvals"] is not None:
        old["approvals"].setdefault("auth", ["key"])  # what an answer that says nothing of it means
    new = answer_to(raw, document, obligations=obligations)
    return Outcome(_kind(old, new), old, new)


def answer_to(raw: object, document: bytes, *, obligations: frozenset[str] = frozenset({REVIEW})) -> dict[str, Any]:
    """Give the checked answer in a raw result, as plain JSON; a deny by fault where it is none."""
    try:
        if isinstance(raw, Exception):
            raise MalformedDecision("no answer")
        answer: Answer = decision.parse(raw, call_of(document), obligations=obligations)
    except ValueError:  # MalformedDecision, and a document that is no call
        answer = decision.fault("The policy engine gave no answer that is a decision.")
    return cast("dict[str, Any]", answer.canonical())


def call_of(document: bytes) -> Call:
    """Give the call in an input document; raises ``ValueError`` where it holds none."""
    fields = orjson.loads(document)
    for name in NOT_IN_DOCUMENT:
        fields.pop(name, None)
    return Call.model_validate(fields)


@dataclass(slots=True)
class Tally:
    """Counts over all decisions. ``unkept`` and ``altered`` could not be taken again."""

    decisions: int = 0
    unkept: int = 0
    altered: int = 0
    first_altered: str | None = None
    unchanged_policy: int = 0
    """Decisions taken on the very rules and data that took them then."""
    mismatches: int = 0
    """Of those, how many did not come out byte for byte."""
    first_mismatch: str | None = None
    kinds: Counter[str] = field(default_factory=Counter[str])
    transitions: Counter[str] = field(default_factory=Counter[str])
    gained: Counter[Rule] = field(default_factory=Counter[Rule])
    lost: Counter[Rule] = field(default_factory=Counter[Rule])

    def count_unkept(self) -> None:
        """Count a decision of which the store keeps nothing."""
        self.decisions += 1
        self.unkept += 1

    def count_altered(self, entry: str) -> None:
        """Count a decision whose row is not what the log says."""
        self.decisions += 1
        self.altered += 1
        self.first_altered = self.first_altered or entry

    def count(self, entry: str, outcome: Outcome, *, same_policy: bool) -> None:
        """Count a decision that was taken again; ``same_policy`` where the bundle is the one that took it then."""
        self.decisions += 1
        self.kinds[outcome.kind] += 1
        if same_policy and outcome.kind != "was_fault":
            self.unchanged_policy += 1
            if outcome.changed:
                self.mismatches += 1
                self.first_mismatch = self.first_mismatch or entry
        if outcome.changed:
            self.transitions[outcome.transition] += 1
            gained, lost = outcome.rules()
            self.gained.update(gained)
            self.lost.update(lost)

    @property
    def changed(self) -> int:
        """How many came out differently."""
        return sum(self.kinds[kind] for kind in KINDS if kind not in {"same", "was_fault"})

    @property
    def again(self) -> int:
        """How many were taken again."""
        return self.decisions - self.unkept - self.altered

    @property
    def ok(self) -> bool:
        """Whether everything that had to come out the same did, and no row was altered."""
        return not self.mismatches and not self.altered

    def as_json(self) -> dict[str, Any]:
        """Give the counts as plain data."""
        rules = sorted(set(self.gained) | set(self.lost))
        return {
            "decisions": self.decisions,
            "again": self.again,
            "not_kept": self.unkept,
            "altered": self.altered,
            "first_altered": self.first_altered,
            "unchanged_policy": self.unchanged_policy,
            "mismatches": self.mismatches,
            "first_mismatch": self.first_mismatch,
            "changed": self.changed,
            "kinds": {kind: self.kinds[kind] for kind in KINDS},
            "transitions": dict(sorted(self.transitions.items())),
            "rules": [
                {"rule": rule, "code": code, "gained": self.gained[rule, code], "lost": self.lost[rule, code]}
                for rule, code in rules
            ],
        }


def _encoded(raw: object) -> bytes | None:
    try:
        return canonical.encode(cast("Json", raw))
    except ValueError:
        return None


def _kind(old: dict[str, Any], new: dict[str, Any]) -> Kind:
    if any(reason["code"] == FAULT_CODE for reason in new["reasons"]):
        return "fault"
    before, after = _ORDER[old["effect"]], _ORDER[new["effect"]]
    if before != after:
        return "looser" if after < before else "stricter"
    return "approvals" if old["approvals"] != new["approvals"] else "reasons"


def _rules(answer: dict[str, Any]) -> set[Rule]:
    return {(str(reason["rule"]), str(reason["code"])) for reason in answer["reasons"]}
