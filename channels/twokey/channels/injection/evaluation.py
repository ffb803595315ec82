"""``twokey eval injection``: a model that was taken over altogether, against the product's own gate.

Rules: each reviewer gets a workspace of its own (real store, audit log, policy engine, keys), each case a run of its
own and the world as it was; nothing in the product knows that it is measured. After each pass the audit log is
verified, and it must hold exactly one receipt for each write that was seen on the target: else there are no figures.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from twokey.channels import creation, wiring
from twokey.channels.injection import cases, figures, foreign, lies, reviewers, world
from twokey.channels.injection.agent import Stage
from twokey.channels.injection.cases import Suite
from twokey.channels.injection.figures import Counted
from twokey.channels.injection.foreign import Description
from twokey.channels.injection.outcomes import LeapingClock, Played
from twokey.channels.injection.ungated import Ungated
from twokey.channels.injection.wishes import wanted_calls
from twokey.channels.injection.world import INBOX, World
from twokey.channels.wiring import Parts
from twokey.core import settings
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, TwokeyError
from twokey.core.events import WriteEnded
from twokey.core.values import Resource
from twokey.policies import bundle, facts
from twokey.tools import registry
from twokey.tools.contract import Place
from twokey.tools.registry import Registry

REQUESTER: Final = "ana"
APPROVERS: Final = ("sam", "kim", "lee", "mia", "tom")
CARELESS: Final = "careless"
PAGE: Final = 1000
POLICIES: Final = "policies-with-the-suites-tools"


def evaluate(
    folder: Path | None = None,
    *,
    names: Sequence[str] = reviewers.NAMES,
    tell: Callable[[str], None] | None = None,
    apart: bool = False,
) -> dict[str, Any]:
    """Play the suite in ``folder`` (Twokey's own without one) under each reviewer, and without a gate.

    ``apart``: what ``careless`` is needed for is played in a process of its own, at the same time.

    Raises:
        BadInput: the suite cannot be used.
        CheckFailed: the audit log does not verify, or its receipts are not the writes that were seen.

    """
    started = time.monotonic()
    suite = cases.load(folder)
    say = tell or _silent
    elsewhere = apart and CARELESS in names
    found: dict[str, dict[str, Any]] = {}
    result: dict[str, Any] = {"suite": suite.name, "cases": len(suite.cases)}
    with _helper(elsewhere) as pool, _ground(suite) as ground:
        waiting = pool.submit(_careless_apart, folder) if pool else None
        for name in names:
            say(f"{name}: {len(suite.cases)} cases")
            if name != CARELESS:
                found[name] = _shown(_gated(ground, name))
            elif waiting is None:
                result |= _careless(ground)
        say("no gate")
        plain = Ungated(ground.world, ground.tools, ground.world.everything())
        alone = figures.figures(list(_played(ground, plain.play)))
        if waiting is not None:
            result |= _unpacked(waiting.result())
    if CARELESS in names:
        found[CARELESS] = result.pop("figures")
    seconds = round(time.monotonic() - started, 1)
    return result | {"reviewers": {name: found[name] for name in names}, "no_gate": alone, "seconds": seconds}


@contextmanager
def _helper(wanted: bool) -> Generator[ProcessPoolExecutor | None]:
    if not wanted:
        yield None
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def _shown(passed: "_Pass") -> dict[str, Any]:
    return figures.figures(passed.counted) | {"receipts": passed.receipts}


def _careless(ground: "_Ground") -> dict[str, Any]:
    """Play under the careless reviewer, with true labels and with labels that lie."""
    passed = _gated(ground, CARELESS)
    return {
        "figures": _shown(passed),
        "policy_alone": figures.policy_alone(passed.counted, passed.contracts),
        "policy_alone_where_labels_lie": _lied_to(ground, passed.contracts),
        "attacks": figures.by_attack(passed.counted),
    }


def _careless_apart(folder: Path | None) -> dict[str, Any]:
    """Do that in another process, from which errors come back as what they say."""
    try:
        with _ground(cases.load(folder)) as ground:
            return _careless(ground)
    except TwokeyError as error:
        return error.as_json()


def _unpacked(found: dict[str, Any]) -> dict[str, Any]:
    if "error" in found:
        said = found["error"]
        raise CheckFailed(said["message"], next=said["next"], code=said["code"])
    return found


def _lied_to(ground: "_Ground", contracts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Play what untrusted text shaped once more, with labels that lie; none where there is no such case."""
    lying = lies.told(ground.suite, contracts, ground.world)
    if not lying.cases:
        return None
    with _ground(lying) as again:
        return figures.policy_alone(_gated(again, CARELESS).counted, contracts)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every pass is played on. ``pristine`` is a copy of the world as it is before each case."""

    suite: Suite
    folder: Path
    world: World
    pristine: Path
    tools: Registry
    strangers: tuple[Description, ...]


@contextmanager
def _ground(suite: Suite) -> Generator[_Ground]:
    with tempfile.TemporaryDirectory(prefix="twokey-injection-") as name:
        folder = Path(name)
        made = world.build(folder, suite.cases)
        strangers = _strangers(suite, made)
        made.begin()
        pristine = folder / "pristine"
        shutil.copytree(made.folder, pristine, symlinks=True)
        rows = ((at, number, text) for at, case in enumerate(suite.cases) for number, text in enumerate(case.documents))
        world.write_inbox(folder / f"{INBOX}.db", rows)
        tools = _tools(strangers)
        yield _Ground(suite, folder, made, pristine, tools, strangers)


def _tools(strangers: Iterable[Description]) -> Registry:
    try:
        return Registry([*registry.installed({}).all(), *(foreign.tool(item) for item in strangers)])
    except EnvironmentFault as error:
        raise BadInput(error.message, next="Rename the tool in tools.json.", code="bad_suite") from error


def _strangers(suite: Suite, made: World) -> tuple[Description, ...]:
    """Make the place of a suite's own tools, if it has any; gives their descriptions."""
    strangers = foreign.described(suite.tools)
    if strangers:
        path = made.folder / f"{foreign.PLACE}.db"
        foreign.build(path, [foreign.tool(item) for item in strangers], suite.answers)
        made.places[foreign.KIND, foreign.PLACE] = path
    return strangers


@dataclass(frozen=True, slots=True)
class _Pass:
    counted: list[Counted]
    receipts: int
    contracts: Mapping[str, Mapping[str, Any]]


def _gated(ground: _Ground, name: str) -> _Pass:
    people = [(REQUESTER, ("analysts",)), *((approver, _owner_groups()) for approver in APPROVERS)]
    # What is measured is what policy says and not how fast; a busy machine may miss the usual deadline.
    policy: dict[str, str | int] = {"deadline_ms": 10_000, "bundle": POLICIES}
    made = creation.create(ground.folder / name, people, sections={"policy": policy})
    try:
        contracts = _pin(made.folder, ground)
        places = [*ground.world.everything(), _inbox(ground.folder)]
        clock = LeapingClock()
        with wiring.opened_parts(
            made.folder, clock=clock, stage=wiring.Stage(tools=ground.tools, places=places)
        ) as parts:
            stage = _stage(parts, ground.world, clock)
            counted = list(_played(ground, lambda case, at: stage.play(case, at, name)))
            receipts = _receipts(parts)
        _check(made.folder, counted, receipts)
        return _Pass(counted, receipts, contracts)
    finally:
        shutil.rmtree(settings.home(made.id), ignore_errors=True)


def _pin(workspace: Path, ground: _Ground) -> Mapping[str, Mapping[str, Any]]:
    """Write the bundle of a workspace again with the tools of the suite on the allow-list; gives the contracts."""
    held = bundle.load(workspace / creation.POLICY_FOLDER)
    document = held.document()
    document[facts.ROOT]["contracts"] |= {item.name: item.contract() for item in ground.strangers}
    listed = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in ground.tools.all()]
    held.with_data(facts.with_tools(document, listed)).write(workspace / POLICIES)
    contracts: Mapping[str, Mapping[str, Any]] = document[facts.ROOT]["contracts"]
    return contracts


def _played(ground: _Ground, play: Callable[[cases.Case, int], list[Played]]) -> Generator[Counted]:
    """Play case after case, each in the world as it was."""
    clean = world.look(ground.world)
    for number, case in enumerate(ground.suite.cases):
        played = play(case, number)
        yield Counted(case, wanted_calls(case, ground.tools), tuple(played))
        ground.world.restore(clean, ground.pristine)
        clean = world.look(ground.world)


def _inbox(folder: Path) -> Place:
    return Place(Resource(kind="warehouse", id=INBOX, granted_by="config"), str(folder / f"{INBOX}.db"))


def _silent(_text: str) -> None:
    return


def _stage(parts: Parts, made: World, clock: LeapingClock) -> Stage:
    requester, _ = parts.workspace.people.identify(REQUESTER, "cli")
    approvers = [parts.workspace.people.identify(name, "cli") for name in APPROVERS]
    signed = [(identity, credential) for identity, credential in approvers if credential is not None]
    return Stage(parts, made, clock, requester=requester, approvers=signed)


def _owner_groups() -> tuple[str, ...]:
    """Give every group that the packaged data knows: each approver is in all of them."""
    return tuple(bundle.load().document()[facts.ROOT]["groups"])


def _receipts(parts: Parts) -> int:
    """Count the writes that the log says were done."""
    log, after, found = parts.workspace.ledger.log, -1, 0
    while page := log.entries(kind="write.ended", after=after, limit=PAGE):
        events = [recorded.entry.event for recorded in page]
        found += sum(isinstance(event, WriteEnded) and event.outcome == "written" for event in events)
        after = page[-1].seq
    return found


def _check(workspace: Path, counted: Iterable[Counted], receipts: int) -> None:
    verdict = wiring.verify_log(workspace, None, None)
    if not verdict["ok"]:
        raise CheckFailed(
            f"The audit log of the evaluation does not verify: {verdict['reason']}.",
            next="Report it.",
            code="log_broken",
        )
    seen = sum(item.happened for one in counted for item in one.played if item.effect == "write")
    if seen != receipts:
        raise CheckFailed(
            f"{seen} writes were seen on the targets, and the audit log holds {receipts} receipts.",
            next="Do not trust the figures; report it with the suite.",
            code="receipts_differ",
        )
