"""Policy of a workspace: its bundle, the engine that decides on it, the shadow, and who may change it."""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twokey.channels.controls import MINUTE_US
from twokey.channels.people import People
from twokey.channels.shadowing import Shadow
from twokey.channels.wiring.stores import check_demo, opened_ledger
from twokey.core import settings
from twokey.core.entropy import SystemClock
from twokey.core.errors import BadInput, CheckFailed, NotFound, TwokeyError
from twokey.core.ports import PolicyEngine, Revisions
from twokey.core.settings import FileDirectory, Settings
from twokey.policies import bundle, facts, reading
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.reading import NOTHING, ReadingRules
from twokey.tools import registry
from twokey.tools.authority import Rules
from twokey.tools.enforcing import Enforcement
from twokey.tools.identity import Credential, KeyRing
from twokey.tools.in_force import Held, PolicyInForce
from twokey.tools.ledger import Ledger
from twokey.tools.waivers import Ignored, Waivers, sign

REPLAY_DEADLINE_S: Final = 5.0
"""How long one past decision may take, in seconds: a bundle that is slower than that is a fault, not a wait."""


def rules_of(config: Settings) -> Rules:
    return Rules(
        workspace=config.workspace.id,
        demo=config.workspace.demo,
        owners=config.controls.owners,
        break_glass_us=config.controls.break_glass_minutes * MINUTE_US,
    )


def enforcement_of(folder: Path, config: Settings, ledger: Ledger) -> Enforcement:
    """Give what tells which bundle may decide in ``folder`` under the settings ``config``."""
    return Enforcement(folder, config.policy, ledger=ledger, directory=FileDirectory(folder), rules=rules_of(config))


def policy_of(folder: Path, config: Settings, ledger: Ledger, engine: PolicyEngine | None = None) -> PolicyInForce:
    """Give the policy of a workspace: the bundle in force, whenever it is asked. ``engine`` decides where one is given.

    What is given is closed by whoever made it, and decides on whatever bundle it holds.
    """
    enforcement, where = enforcement_of(folder, config, ledger), folder / config.policy.bundle

    def hold(held: Bundle) -> Held:
        deciding = engine_on(folder, config, held) if engine is None else Lent(engine)
        return Held(held, deciding, Waivers(held.document(), FileDirectory(folder), config.workspace.id))

    return PolicyInForce(
        seen=lambda: enforcement.seen(where) if engine is None else None,
        load=lambda: enforcement.accepted(where),
        hold=hold,
    )


def reading_of(policy: PolicyInForce) -> Callable[[], ReadingRules]:
    """Give what says, whenever it is asked, who may read what: the data of the bundle in force.

    Where none is, nothing is admitted to anybody beside what is their own or waits for their answer.
    """
    held: list[tuple[str, ReadingRules]] = []

    def rules() -> ReadingRules:
        try:
            in_force = policy.current().bundle
        except TwokeyError:
            return ReadingRules(NOTHING, {})
        last = held[-1:]
        if last and last[0][0] == in_force.revisions.data:
            return last[0][1]
        fresh = reading.rules_of(in_force.document()[facts.ROOT])
        held[:] = [(in_force.revisions.data, fresh)]
        return fresh

    return rules


class Lent:
    """An engine that somebody else closes."""

    def __init__(self, engine: PolicyEngine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The engine's own."""
        return self._engine.name

    def evaluate(self, document: bytes) -> object:
        """Evaluate like the engine."""
        return self._engine.evaluate(document)

    def revisions(self) -> Revisions:
        """Digests of what the engine holds."""
        return self._engine.revisions()

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What it takes to sign a bundle and to put it in force: no engine, so that it works where none would start."""

    config: Settings
    ledger: Ledger
    enforcement: Enforcement
    people: People


@contextmanager
def opened_rulebook(folder: Path) -> Generator[Rulebook]:
    """Open a workspace for changes of its policy."""
    config = settings.load(folder)
    with opened_ledger(folder) as ledger:
        check_demo(config, ledger)
        people = People(
            directory=FileDirectory(folder),
            ring=KeyRing(settings.home(config.workspace.id) / "keys"),
            rules=rules_of(config),
            recorder=ledger,
        )
        yield Rulebook(config, ledger, enforcement_of(folder, config, ledger), people)


class NoShadow:
    """What stands for the shadow where the settings name none."""

    def begin(self) -> None:
        """Do nothing."""

    def catch_up(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def shadow_of(folder: Path, config: Settings, ledger: Ledger) -> "Shadow | NoShadow":
    if not config.policy.shadow:
        return NoShadow()

    def load() -> tuple[bundle.Bundle, Embedded]:
        held = bundle.load(folder / config.policy.shadow)
        return held, Embedded(held, deadline_s=config.policy.deadline_ms / 1000)

    return Shadow(config.workspace.id, ledger, load)


def engine_of(folder: Path, config: Settings) -> PolicyEngine:
    """Start the engine that ``config`` names, on the bundle that it names in ``folder``."""
    return engine_on(folder, config, bundle.load(folder / config.policy.bundle))


def engine_on(folder: Path, config: Settings, held: Bundle) -> PolicyEngine:
    """Make the one policy engine that the settings name."""
    section = config.policy
    match section.engine:
        case "embedded":
            return Embedded(held, deadline_s=section.deadline_ms / 1000)
        case "opa-managed":
            from twokey.policies.engines.managed import Managed  # noqa: PLC0415 - brings an HTTP client

            if not section.opa_path or section.opa_sha256 is None:
                raise BadInput(
                    "The engine opa-managed needs policy.opa_path and policy.opa_sha256.",
                    next="Name the opa binary and its SHA-256 in twokey.toml.",
                    code="bad_settings",
                )
            return Managed(
                held,
                binary=Path(section.opa_path),
                sha256=section.opa_sha256,
                deadline_s=section.deadline_ms / 1000,
            )
        case "opa":
            from twokey.policies.engines.server import Server  # noqa: PLC0415 - brings an HTTP client

            token = os.environ.get(section.token_env)
            ca_file = folder / section.ca_file if section.ca_file else None
            return Server(held, url=section.url, token=token, ca_file=ca_file, deadline_s=section.deadline_ms / 1000)


def bundle_of(workspace: Path, folder: Path | None = None) -> bundle.Bundle:
    """Load the bundle in ``folder``, or the one that the workspace's settings name."""
    return bundle.load(folder if folder is not None else workspace / settings.load(workspace).policy.bundle)


def batch_engine(held: bundle.Bundle, *, deadline_s: float = REPLAY_DEADLINE_S) -> Embedded:
    """Give an engine for many decisions at once. What counts there is the answer and not the time it takes."""
    return Embedded(held, deadline_s=deadline_s)


def managed_engine(held: bundle.Bundle, program: Path) -> PolicyEngine:
    """Give an OPA server of our own, of the program as it is now: for a benchmark, which pins nothing."""
    from twokey.policies.engines.managed import Managed  # noqa: PLC0415 - brings an HTTP client

    return Managed(held, binary=program, sha256=hashlib.sha256(program.read_bytes()).hexdigest())


def tools_not_listed(names: Sequence[str]) -> CheckFailed:
    """Say that policy does not know tools that are installed."""
    return CheckFailed(
        f"Policy's allow-list does not hold these tools as installed: {', '.join(names)}; agents cannot call them.",
        next="Review them, then renew the list in the bundle's data.json.",
    )


def write_policies(folder: Path, groups: Sequence[str]) -> None:
    """Copy the bundle into a new workspace, with this workspace's groups and the tools as they are installed."""
    own = bundle.load()
    tools = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in registry.installed({}).all()]
    document = own.document()
    document[facts.ROOT] |= _for_groups(document[facts.ROOT], groups)
    own.with_data(facts.with_tools(document, tools)).write(folder)


def _for_groups(data: dict[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    """Give the parts of the policy data that name groups, for a workspace with ``groups``: all of them may ask.

    What is for a group that this workspace does not have is for the default owner.
    """
    everybody = sorted({*groups, data["default_owner"]})
    may_name = {effect: dict.fromkeys(kinds, everybody) for effect, kinds in data["may_name"].items()}

    def known(group: str) -> str:
        return group if group in everybody else data["default_owner"]

    return {
        "groups": everybody,
        "may_name": may_name,
        "escalation": [{**entry, "group": known(entry["group"])} for entry in data["escalation"]],
        "rule_owners": {rule: known(group) for rule, group in data["rule_owners"].items()},
        "reading": {
            **data["reading"],
            "private": {
                **data["reading"]["private"],
                "to": sorted({known(group) for group in data["reading"]["private"]["to"]}),
            },
        },
    }


def listed_tools(folder: Path) -> set[tuple[str, str, str]]:
    """Give name, version and schema digest of every tool on a workspace's allow-list."""
    config = settings.load(folder)
    document = bundle.load(folder / config.policy.bundle).document()
    return {(tool["name"], tool["version"], tool["schema"]) for tool in document[facts.ROOT]["tools"]}


def exceptions(folder: Path) -> tuple[tuple[str, ...], list[Ignored]]:
    """Give the names of the exceptions in a workspace's policy data that hold now, and those that do not."""
    config = settings.load(folder)
    document = bundle.load(folder / config.policy.bundle).document()
    waivers = Waivers(document, FileDirectory(folder), config.workspace.id)
    now = SystemClock().now_us()
    return waivers.in_force(now), waivers.ignored(now)


def says_who_reads(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Give the groups that read what is private, and those that read everything; none where the data does not say.

    Raises:
        TwokeyError: the workspace's policy data cannot be used.

    """
    said = bundle.load(folder / settings.load(folder).policy.bundle).document()[facts.ROOT].get("reading")
    return None if said is None else (tuple(said["private"]["to"]), tuple(said["everything"]))


def sign_exception(folder: Path, name: str, credential: Credential) -> None:
    """Sign one exception of a workspace's policy data and write it back, in one step.

    Raises:
        NotFound: the data has no such exception.
        BadInput: the data cannot be used.

    """
    config = settings.load(folder)
    held = bundle.load(folder / config.policy.bundle)
    path = folder / config.policy.bundle / "data.json"
    document = json.loads(path.read_bytes())
    listed: list[dict[str, Any]] = document[facts.ROOT].get("exceptions", [])
    found = [number for number, item in enumerate(listed) if item["name"] == name]
    if not found:
        raise NotFound(
            f"The policy data has no exception {name[:60]!r}.", next="Write it there first, without a signature."
        )
    exception = {key: value for key, value in listed[found[0]].items() if key not in {"signature", "until_us"}}
    listed[found[0]] = sign(credential, config.workspace.id, exception)
    held.with_data(document)
    fresh = path.with_name("data.json.new")
    fresh.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
