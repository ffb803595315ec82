"""Carries out the twelve probes for one workspace, and puts what they showed into its log.

Rules: the live workspace is only looked at, but for that one entry; a probe that cannot be carried out has failed, and
keeps no other from being carried out; what the probes did is gone when they are done.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

from twokey.channels import wiring
from twokey.channels.probing import content, keeping, people, pilot, signing, stopping, undoing
from twokey.channels.probing.world import World, scratch
from twokey.channels.workspace import Workspace
from twokey.core.errors import CheckFailed, Refused, TwokeyError
from twokey.core.events import ControlsProbed
from twokey.policies import bundle
from twokey.policies.controls import (
    CONTROLS,
    Allowed,
    Control,
    Evidence,
    Gap,
    Profile,
    Verdict,
    broken,
    demanded,
    judge,
    unmet,
)
from twokey.store import resealing

Probe = Callable[[World], Iterable[Evidence]]
Look = Callable[[Workspace], Iterable[Evidence]]

PROBES: Final[Mapping[str, Probe]] = {
    "default_deny": pilot.default_deny,
    "pinned_tools": pilot.pinned_tools,
    "bound_approvals": pilot.bound_approvals,
    "separate_people": people.separate_people,
    "taint": content.taint,
    "field_limits": content.field_limits,
    "limits": content.limits,
    "freezes": stopping.freezes,
    "break_glass": people.break_glass,
    "rollback": undoing.rollback,
    "signed_policy": signing.signed_policy,
    "verifiable_log": keeping.verifiable_log,
}


DAY_S: Final = 24 * 3600 + 1


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probes showed."""

    profile: Profile
    verdicts: tuple[Verdict, ...]
    engine: str
    policy_revision: str
    data_revision: str
    seconds: float

    @property
    def held(self) -> tuple[str, ...]:
        """Codes of the controls that hold."""
        return self._codes("holds")

    @property
    def unmet(self) -> tuple[Verdict, ...]:
        """What the profile demands and did not hold."""
        codes = {control.code for control in unmet(self.profile, self.held)}
        return tuple(verdict for verdict in self.verdicts if verdict.control.code in codes)

    def _codes(self, state: str) -> tuple[str, ...]:
        return tuple(verdict.control.code for verdict in self.verdicts if verdict.state == state)

    def event(self, workspace: str) -> ControlsProbed:
        """Give what the log keeps of it."""
        return ControlsProbed(
            workspace=workspace,
            profile=self.profile,
            version=version("twokey"),
            engine=self.engine,
            policy_revision=self.policy_revision,
            data_revision=self.data_revision,
            held=self.held,
            failed=self._codes("fails"),
            missing=self._codes("missing"),
        )

    def as_json(self) -> dict[str, Any]:
        """Give the form the command line prints with ``--json``."""
        return {
            "profile": self.profile,
            "met": not self.unmet,
            "controls": [verdict.as_json() for verdict in self.verdicts],
            "policy_revision": self.policy_revision,
            "data_revision": self.data_revision,
            "engine": self.engine,
            "seconds": round(self.seconds, 1),
        }


def probe(
    workspace: Workspace,
    tell: Callable[[Control], None],
    profile: Profile | None = None,
    controls: Sequence[Control] = CONTROLS,
) -> Probed:
    """Try to break ``controls``, and record what that showed. ``tell`` hears which control is being tried.

    Raises:
        LogUnavailable: the log did not take the entry.
        TwokeyError: there is no scratch workspace to be had.

    """
    started = time.monotonic()
    config = workspace.config
    engine, revisions = workspace.policy_in_force()
    held = bundle.load(workspace.folder / config.policy.bundle)
    verdicts: list[Verdict] = []
    with (
        _quiet(),
        tempfile.TemporaryDirectory(prefix="twokey-controls-") as folder,
        scratch(Path(folder), config, held, live_folder=workspace.folder) as world,
    ):
        for control in controls:
            tell(control)
            world.clock.advance(DAY_S)  # what one probe has used of the budgets does not count for the next
            seen = chain(LOOKS.get(control.code, _nothing)(workspace), PROBES[control.code](world))
            verdicts.append(verdict(control, seen))
    probed = Probed(
        profile=profile or config.controls.profile,
        verdicts=tuple(verdicts),
        engine=engine,
        policy_revision=revisions.policy,
        data_revision=revisions.data,
        seconds=time.monotonic() - started,
    )
    workspace.ledger.record(probed.event(config.workspace.id))
    return probed


def demand(workspace: Workspace, tell: Callable[[Control], None]) -> None:
    """Probe the controls before a process that goes on writing by itself starts, where the profile demands some.

    Raises:
        Refused: one of them does not hold.

    """
    profile = workspace.config.controls.profile
    controls = demanded(profile)
    if not controls:
        return
    missing = probe(workspace, tell, profile, controls).unmet
    if missing:
        names = ", ".join(f"{item.control.number} {item.control.title} ({item.state})" for item in missing)
        raise Refused(
            f"In the profile {profile} nothing starts before its controls hold, and these do not: {names}.",
            next="Run `twokey controls`: it says what to do about each.",
            code="controls_not_met",
        )


def verdict(control: Control, evidence: Iterable[Evidence]) -> Verdict:
    """Carry out what gives ``evidence``, and judge it."""
    try:
        return judge(control, evidence)
    except TwokeyError as error:
        return broken(control, error.code)


def _nothing(workspace: Workspace) -> Iterable[Evidence]:
    del workspace
    return ()


def _engine(workspace: Workspace) -> Generator[Evidence]:
    """Look whether the live engine is the one that the settings name, on the bundle that they name, and denies."""
    name, revisions = workspace.policy_in_force()
    section = workspace.config.policy
    same = bundle.load(workspace.folder / section.bundle).revisions
    named = name.split(" ")[0] == section.engine
    agrees = (revisions.policy, revisions.data) == (same.policy, same.data)
    yield Allowed("the engine in force is the one that the settings name", 1, int(named))
    yield Allowed(
        "the engine in force holds the bundle that the settings name",
        1,
        int(agrees),
        next="Look at `twokey policy status`.",
    )
    try:
        workspace.probe_policy()
        denies = 1
    except CheckFailed:
        denies = 0
    yield Allowed("the engine in force denies what nothing allows", 1, denies)


def _log(workspace: Workspace) -> Generator[Evidence]:
    """Verify the live log, and look whether what belongs to it lies encrypted."""
    report = workspace.ledger.log.verify()
    yield Allowed(
        f"the log in force verifies ({report.size} entries)",
        1,
        int(report.ok),
        next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
    )
    if not workspace.config.store.encrypt:
        yield Gap(
            "encryption of what the database holds beside the log",
            "Set store.encrypt = true in twokey.toml, restart what runs, then `twokey store seal`.",
        )
        return
    with workspace.ledger.look() as connection:
        plain = resealing.any_plain(connection)
    yield Allowed(
        "every value that the database in force holds beside the log is sealed",
        1,
        int(not plain),
        next="Run `twokey store seal`.",
    )


def _signatures(workspace: Workspace) -> Generator[Evidence]:
    """Count the people who signed the live bundle, where the settings ask for any."""
    config = workspace.config
    if config.policy.signers:
        enforcement = wiring.enforcement_of(workspace.folder, config, workspace.ledger)
        found = enforcement.signed(workspace.folder / config.policy.bundle)
        yield Allowed("signatures on the bundle in force", config.policy.signers, len(found.signers))


LOOKS: Final[Mapping[str, Look]] = {"default_deny": _engine, "signed_policy": _signatures, "verifiable_log": _log}
"""What is looked at in the live workspace itself."""


@contextmanager
def _quiet() -> Generator[None]:
    """Keep what the probes provoke out of the process's own log: it would look like faults of the workspace."""
    loggers = [logging.getLogger(name) for name in ("twokey.policies", "twokey.tools", "alembic")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
