"""Policy to look at: the rules in words, what decided lately, what the shadow would have said; and the controls.

Rules: the rules are those of the bundle in the workspace's folder, told by its own annotations; whether it is the one
in force is told by comparing digests. A light is what the last probe in the log showed, if that entry is proven.
"""

import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from twokey.audit.entry import Entry
from twokey.channels.workspace import Workspace
from twokey.core.errors import CheckFailed, NotFound
from twokey.core.events import ControlsProbed, PolicyDecided, PolicyShadowed
from twokey.policies import annotations, bundle
from twokey.policies.annotations import Rule
from twokey.policies.bundle import BundleRevisions
from twokey.policies.controls import CONTROLS, Control, demanded
from twokey.tools.ledger import Ledger
from twokey.tools.reading import Reader

DECISIONS: Final = 200
"""Decisions, the latest, that are counted."""


@dataclass(frozen=True, slots=True)
class ToldRule:
    """One rule, and how many of the latest decisions it is a reason of."""

    rule: Rule
    lately: int


@dataclass(frozen=True, slots=True)
class Differs:
    """A decision that the shadow policy would have taken otherwise."""

    entry: str
    run: str
    proposal: str | None
    decision: str
    reasons: tuple[str, ...]
    time_us: int


@dataclass(frozen=True, slots=True)
class PolicyView:
    """Policy as it stands."""

    engine: str
    policy_revision: str
    data_revision: str
    same_folder: bool
    """Whether the bundle in the folder, whose rules are told, is the one that decides."""
    rules: tuple[ToldRule, ...]
    decisions: int
    denied: int
    shadowed: int
    differs: tuple[Differs, ...]


class RuleBook:
    """The rules of the bundle in a workspace's folder, told again whenever a file in it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: tuple[tuple[tuple[str, int, int], ...], BundleRevisions, tuple[Rule, ...]] | None = None

    def read(self) -> tuple[BundleRevisions, tuple[Rule, ...]]:
        """Give the digests of the bundle, and its rules; raises ``BadInput`` where it cannot be used."""
        stamps = tuple(
            (str(path), status.st_mtime_ns, status.st_size)
            for path in sorted(self._folder.rglob("*"))
            if (status := path.stat())
        )
        with self._lock:
            if self._held is None or self._held[0] != stamps:
                loaded = bundle.load(self._folder)
                self._held = stamps, loaded.revisions, tuple(annotations.rules(loaded.modules))
            return self._held[1], self._held[2]


def policy(workspace: Workspace, book: RuleBook, reader: Reader) -> PolicyView:
    """Look at policy, and at those of the latest decisions that are about what ``reader`` may read.

    Raises:
        BadInput: the folder of the bundle cannot be read.

    """
    held, rules = book.read()
    engine, revisions = workspace.policy_in_force()
    lately = [entry.event for entry in _readable(reader, "policy.decided")]
    decided = [event for event in lately if isinstance(event, PolicyDecided)]
    counts = Counter(rule for event in decided for rule in event.rules)
    shadowed = _readable(reader, "policy.shadowed")
    differs = [
        Differs(event.entry, event.run, event.proposal, event.decision, event.reasons, entry.time_us)
        for entry in shadowed
        if isinstance(event := entry.event, PolicyShadowed) and not event.agrees
    ]
    return PolicyView(
        engine=engine,
        policy_revision=revisions.policy,
        data_revision=revisions.data,
        same_folder=(held.policy, held.data) == (revisions.policy, revisions.data),
        rules=tuple(ToldRule(rule, counts[rule.rule]) for rule in rules),
        decisions=len(decided),
        denied=sum(1 for event in decided if event.decision == "deny"),
        shadowed=len(shadowed),
        differs=tuple(differs[:50]),
    )


def _readable(reader: Reader, kind: str) -> list[Entry]:
    found = reader.ledger.log.newest(kind=kind, limit=DECISIONS)
    seen = reader.reads_events([each.entry.event for each in found])
    return [each.entry for each, readable in zip(found, seen, strict=True) if readable]


@dataclass(frozen=True, slots=True)
class Light:
    """One control and what the last probe showed of it."""

    control: Control
    state: Literal["holds", "fails", "missing", "unknown"]
    demanded: bool


@dataclass(frozen=True, slots=True)
class ControlsView:
    """The twelve controls."""

    lights: tuple[Light, ...]
    profile: str
    entry: str
    """The log entry of the last probe; empty where there is none."""
    time_us: int
    lacks: str
    """Why nothing may be written, as the profile has it; empty where everything may."""
    same_policy: bool
    """Whether the probe was made under the policy and data that decide now."""


def controls(workspace: Workspace) -> ControlsView:
    """Look at the controls."""
    profile = workspace.config.controls.profile
    probe, entry, time_us = _last(workspace.ledger)
    _, revisions = workspace.policy_in_force()
    wanted = {control.code for control in demanded(profile)}
    lights = tuple(Light(control, _state(probe, control.code), control.code in wanted) for control in CONTROLS)
    same = probe is not None and (probe.policy_revision, probe.data_revision) == (revisions.policy, revisions.data)
    return ControlsView(lights, profile, entry, time_us, workspace.lacks() or "", same)


def _last(ledger: Ledger) -> tuple[ControlsProbed | None, str, int]:
    """Give the last probe, if the log bears it out."""
    found = ledger.log.newest(kind="controls.probed", limit=1)
    if not found:
        return None, "", 0
    try:
        entry = ledger.proven(found[0].entry.id)
    except (CheckFailed, NotFound):
        return None, "", 0
    return (entry.event, entry.id, entry.time_us) if isinstance(entry.event, ControlsProbed) else (None, "", 0)


def _state(probe: ControlsProbed | None, code: str) -> Literal["holds", "fails", "missing", "unknown"]:
    if probe is None:
        return "unknown"
    if code in probe.held:
        return "holds"
    if code in probe.failed:
        return "fails"
    return "missing" if code in probe.missing else "unknown"
