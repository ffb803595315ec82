"""The twelve production controls: what each promises, what was seen when somebody tried to break it, what is demanded.

Rules: a control holds only if attacks on it were tried, none of them got through, each left the record it should leave,
and what is allowed went through beside them (where nothing goes at all, nothing is shown). A control whose rule is not
there is missing, which is no better than failing. Evidence is a constant sentence with counts; nothing of what was
tried stands in it. ``pilot`` asks for the first three, ``production`` for all; what was not looked at does not hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Profile = Literal["laptop", "pilot", "production"]
State = Literal["holds", "fails", "missing"]


@dataclass(frozen=True, slots=True)
class Control:
    """One of the twelve. ``code`` names it for machines."""

    number: int
    code: str
    title: str
    tries: str
    """What its probe tries."""
    pilot: bool = False


CONTROLS: Final = (
    Control(
        1,
        "default_deny",
        "Fail-closed default deny",
        "writes that no rule covers, and writes while the policy engine is silent, broken or says nonsense",
        pilot=True,
    ),
    Control(
        2,
        "pinned_tools",
        "Pinned allow-list",
        "the listed tool with another version, another schema or a name that looks like it",
        pilot=True,
    ),
    Control(
        3,
        "bound_approvals",
        "Bound single-use approvals",
        "approvals that are replayed, forged, late, for something else, or used twice",
        pilot=True,
    ),
    Control(
        4,
        "separate_people",
        "Separation of duties and quorum",
        "the requester, a stranger, one person for two, and somebody who has left the group",
    ),
    Control(5, "taint", "Taint", "places that untrusted text or a model chose, and agents that lie about where from"),
    Control(6, "field_limits", "Field classification", "a write with one sensitive field more than the data allows"),
    Control(7, "limits", "Blast radius, rate and cost", "a write one line too long, one too many, and one too dear"),
    Control(8, "freezes", "Freezes", "approvals and writes behind the kill switch and in a change freeze"),
    Control(9, "break_glass", "Break-glass", "emergencies without ticket, too long, and declared by the wrong people"),
    Control(10, "rollback", "Tested rollback", "every write tool, and the way back from what it wrote"),
    Control(11, "signed_policy", "Signed bundle with two-person change", "bundles that nobody, or one person, signed"),
    Control(
        12,
        "verifiable_log",
        "Masked verifiable log and kill switch",
        "a secret on its way into the log, edits of the log, and a write that has begun when the switch is turned",
    ),
)


@dataclass(frozen=True, slots=True)
class Attack:
    """Something that must not get through: how often it was tried, and how often it did.

    ``recorded`` is how many refusals the log holds of it, where each has to leave one.
    """

    what: str
    tried: int
    through: int
    recorded: int | None = None
    next: str = ""
    """What to do where it got through."""

    @property
    def failed(self) -> bool:
        """Tell whether the control did not stop it."""
        return self.tried < 1 or self.through > 0 or (self.recorded is not None and self.recorded < self.tried)

    def __str__(self) -> str:
        """Give the evidence in words."""
        kept = "" if self.recorded is None else f", {self.recorded} refusals recorded"
        return f"{self.what}: {self.tried} tried, {self.through} got through{kept}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Something that has to go through, so that a refusal beside it shows anything."""

    what: str
    tried: int
    through: int
    next: str = ""

    @property
    def failed(self) -> bool:
        """Tell whether it did not go through."""
        return self.tried < 1 or self.through < self.tried

    def __str__(self) -> str:
        """Give the evidence in words."""
        return f"{self.what}: {self.through} of {self.tried}" + ("" if self.failed else ", as it should be")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the control consists of that is not there. ``next`` says what to add."""

    what: str
    next: str

    def __str__(self) -> str:
        """Give the evidence in words."""
        return f"missing: {self.what}"


Evidence = Attack | Allowed | Gap


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one control."""

    control: Control
    state: State
    evidence: tuple[str, ...]
    next: str = ""

    def as_json(self) -> dict[str, object]:
        """Give the form the command line prints with ``--json``."""
        return {
            "number": self.control.number,
            "code": self.control.code,
            "title": self.control.title,
            "pilot": self.control.pilot,
            "state": self.state,
            "evidence": list(self.evidence),
            "next": self.next,
        }


_LOOK: Final = "Look at the evidence: run `twokey controls --json`, then `twokey doctor`."


def judge(control: Control, evidence: Iterable[Evidence]) -> Verdict:
    """Say whether a control holds, from everything that was seen of it."""
    seen = tuple(evidence)
    lines = tuple(str(item) for item in seen)
    failed = [item for item in seen if not isinstance(item, Gap) and item.failed]
    if failed:
        return Verdict(control, "fails", lines, failed[0].next or _LOOK)
    gaps = [item for item in seen if isinstance(item, Gap)]
    if gaps:
        return Verdict(control, "missing", lines, gaps[0].next)
    if not any(isinstance(item, Attack) for item in seen):
        return Verdict(control, "fails", lines, "Nothing was tried, so nothing is shown. Report it.")
    return Verdict(control, "holds", lines)


def broken(control: Control, why: str) -> Verdict:
    """Give the verdict on a control whose probe could not be carried out; ``why`` is a code."""
    return Verdict(control, "fails", (f"the probe could not be carried out: {why}",), _LOOK)


def demanded(profile: Profile) -> tuple[Control, ...]:
    """Give the controls that have to hold in a profile."""
    if profile == "production":
        return CONTROLS
    return tuple(control for control in CONTROLS if control.pilot and profile == "pilot")


def unmet(profile: Profile, held: Iterable[str]) -> tuple[Control, ...]:
    """Give the controls that a profile demands and that are not among the codes ``held``."""
    holding = set(held)
    return tuple(control for control in demanded(profile) if control.code not in holding)
