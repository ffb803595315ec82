"""Probe of who may change policy: bundles that nobody, too few, or the wrong people signed are put before the gate.

Rules: what counts is whether the gate would let a bundle decide; the signatures are by the scratch workspace's people.
"""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Final

from twokey.channels import wiring
from twokey.channels.probing.world import BYSTANDER, SIGNERS, STRANGER, World
from twokey.core.errors import TwokeyError
from twokey.core.settings import Settings
from twokey.core.values import Identity
from twokey.policies import facts
from twokey.policies.bundle import Bundle
from twokey.policies.controls import Allowed, Attack, Evidence, Gap
from twokey.tools import bundle_approvals, enforcing
from twokey.tools.enforcing import Enforcement

_NEXT: Final = (
    "Set policy.signers to 2 or more, have as many people sign the bundle (`twokey policy sign`), and put "
    "it in force (`twokey policy enforce`)."
)


def signed_policy(world: World) -> Generator[Evidence]:
    """Try bundles that nobody, too few or the wrong people signed, that were changed, and an older one."""
    needed = world.live.policy.signers
    if needed < 2:
        yield Gap("signatures of two people on the policy bundle in force", _NEXT)
        return
    config = _signed_by(world, needed)
    enforcement = wiring.enforcement_of(world.folder, config, world.parts.workspace.ledger)

    def decides(folder: Path) -> int:
        return _through(lambda: enforcement.accepted(folder))

    first = _candidate(world, world.held)
    yield Attack("bundles that nobody signed", 1, decides(first), next=_NEXT)
    wrong: dict[str, Sequence[str]] = {
        "bundles with a signature too few": SIGNERS[: needed - 1],
        "bundles that one person signed again and again": [SIGNERS[0]] * needed,
        "bundles signed by people who may not": [SIGNERS[0], STRANGER, BYSTANDER],
    }
    for what, names in wrong.items():
        folder = _candidate(world, world.held)
        _sign(world, folder, world.held, 1, names)
        through = _through(lambda f=folder: _enforced(world, enforcement, f)) or decides(folder)
        yield Attack(what, 1, through, next=_NEXT)
    _sign(world, first, world.held, 1, SIGNERS[:needed])
    yield Attack("signed bundles that nobody put in force", 1, decides(first), next=_NEXT)
    outsider = _through(lambda: _enforced(world, enforcement, first, STRANGER))
    yield Attack("bundles put in force by somebody who may not", 1, outsider, next=_NEXT)
    _enforced(world, enforcement, first)
    yield Allowed("a bundle that enough people signed, put in force", 1, decides(first), _NEXT)
    changed = _changed(world.held)
    edited = _candidate(world, changed)
    _sign(world, edited, world.held, 1, SIGNERS[:needed])
    yield Attack("bundles that were changed after they were signed", 1, decides(edited), next=_NEXT)
    second = _candidate(world, changed)
    _sign(world, second, changed, 2, SIGNERS[:needed])
    _enforced(world, enforcement, second)
    yield Allowed("the next bundle, signed and put in force", 1, decides(second), _NEXT)
    yield Attack("the bundle before it, signed as it is", 1, decides(first), next=_NEXT)


def _signed_by(world: World, needed: int) -> Settings:
    """Give settings that demand what the live ones demand of people."""
    groups = world.live.policy.signer_groups
    policy = world.config.policy.model_copy(update={"signers": needed, "signer_groups": groups})
    return world.config.model_copy(update={"policy": policy})


def _candidate(world: World, held: Bundle) -> Path:
    folder = world.folder / f"candidate-{next(world.numbers)}"
    held.write(folder)
    return folder


def _changed(held: Bundle) -> Bundle:
    """Give the bundle with smaller limits, so that it is another one."""
    document = held.document()
    limits = document[facts.ROOT]["limits"]
    document[facts.ROOT]["limits"] = {**limits, "lines": max(0, limits["lines"] - 1)}
    return held.with_data(document)


def _sign(world: World, folder: Path, held: Bundle, number: int, names: Sequence[str]) -> None:
    """Have people sign a bundle, in the file that lies beside ``folder``."""
    statement = enforcing.statement(held, number)
    for name in names:
        given = world.order(name, bundle_approvals.ORDER, words=statement.digest())
        bundle_approvals.add(bundle_approvals.path_of(folder), statement, given)


def _enforced(world: World, enforcement: Enforcement, folder: Path, name: str = SIGNERS[0]) -> None:
    """Put a bundle in force; raises ``Refused`` or ``CheckFailed``."""
    identity = Identity(principal=world.people[name], auth="key", channel="cli")
    enforcement.enforce(identity, folder, lambda: None)


def _through(act: Callable[[], object]) -> int:
    """Tell whether something was let through."""
    try:
        act()
    except TwokeyError:
        return 0
    return 1
