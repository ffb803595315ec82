"""Looks at everything a workspace needs and says what is wrong, why, and what to do.

Rules: a check really tries what it reports on; nothing is changed; one failing check does not stop the others.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from twokey.channels import wiring
from twokey.core import settings
from twokey.core.entropy import SystemClock
from twokey.core.errors import TwokeyError
from twokey.core.settings import Settings
from twokey.store import resealing
from twokey.tools.identity import KeyRing

Level = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found."""

    name: str
    level: Level
    text: str
    next: str = ""


def examine(folder: Path) -> list[Check]:
    """Carry out every check on the workspace at ``folder``."""
    checks = [Check("python", "ok", f"Python {sys.version.split()[0]}")]
    try:
        config = settings.load(folder)
    except TwokeyError as error:
        return [*checks, Check("settings", "FAIL", error.message, error.next)]
    checks.append(Check("settings", "ok", f"workspace {config.workspace.id} in {folder}"))
    checks.extend(_people(folder, config))
    checks.append(_tried("log", _log, folder))
    checks.append(_encryption(folder, config))
    for name, look in (("policy", _policy), ("tools", _tools)):
        checks.append(_tried(name, look, folder))
    checks.extend(_witnesses(folder, config))
    checks.append(_freeze(folder))
    checks.extend(_exceptions(folder))
    checks.append(_reading(folder))
    checks.append(_model(config))
    looked = wiring.triage_health(folder, config, SystemClock())
    checks.extend(Check(seen.name, seen.level, seen.text, seen.next) for seen in looked)
    checks.extend(_slack(folder, config))
    checks.extend(Check(seen.name, seen.level, seen.text, seen.next) for seen in wiring.github_health(folder, config))
    telemetry = wiring.telemetry_health(folder, config, SystemClock())
    incidents = wiring.incident_health(folder, config)
    checks.extend(Check(seen.name, seen.level, seen.text, seen.next) for seen in (*telemetry, *incidents))
    return checks


def _tried(name: str, look: Callable[[Path], str], folder: Path) -> Check:
    try:
        return Check(name, "ok", look(folder))
    except TwokeyError as error:
        return Check(name, "FAIL", error.message, error.next)


def _people(folder: Path, config: Settings) -> Iterator[Check]:
    del folder
    people = config.principals
    if config.workspace.demo:
        yield Check(
            "identity",
            "warn",
            "demo workspace: identities are asserted with --as, not proven; the log says so",
            "Use `twokey init` for work that counts.",
        )
    else:
        held = [name for name in KeyRing(settings.home(config.workspace.id) / "keys").names() if name in people]
        keyless = sorted(name for name, person in people.items() if person.key is None)
        if len(held) > 1:
            yield Check(
                "identity",
                "warn",
                f"this account holds the credentials of {len(held)} people ({', '.join(held)}): it can act as each",
                "Hand them out with `twokey login NAME --give FILE`.",
            )
        elif held:
            yield Check("identity", "ok", f"this account acts as {held[0]}")
        else:
            yield Check("identity", "warn", "this account holds no credential", "See `twokey login --help`.")
        if keyless:
            yield Check(
                "people",
                "warn",
                f"without a key, so they cannot act: {', '.join(keyless)}",
                "`twokey login NAME --new`",
            )
    if len(people) < 2:
        yield Check(
            "people",
            "FAIL",
            "fewer than two people: nobody could approve what the other asks",
            "Add people to twokey.toml.",
        )


def _log(folder: Path) -> str:
    with wiring.opened(folder) as workspace:
        checkpoint = workspace.ledger.checkpoint()
    return f"database and log open; checkpoint {checkpoint.size if checkpoint else 0:,} is signed by this account's key"


def _witnesses(folder: Path, config: Settings) -> Iterator[Check]:
    if not config.audit.witnesses:
        return
    from twokey.channels.witness_asking import look_at_all  # noqa: PLC0415 - comes in where witnesses are configured

    try:
        answers = look_at_all(folder, config.audit.witnesses)
    except TwokeyError as error:
        yield Check("witnesses", "FAIL", error.message, error.next)
        return
    for answer in answers:
        if answer.alarms:
            next_step = "Keep what there is as evidence; compare with `twokey audit verify --checkpoint OLD`."
            yield Check("witnesses", "FAIL", answer.text, next_step)
        elif answer.time is None:
            yield Check("witnesses", "warn", answer.text, "See `twokey audit witness ask`, and docs/audit.md.")
        else:
            yield Check("witnesses", "ok", answer.text)


def _encryption(folder: Path, config: Settings) -> Check:
    """Look whether the database is encrypted, and whether all of it is."""
    wanted = config.controls.profile == "production"
    if not config.store.encrypt:
        return Check(
            "encryption",
            "FAIL" if wanted else "ok",
            "the database holds words and values as they are"
            + (
                ", and the profile production writes nothing like that"
                if wanted
                else ": whoever can copy it reads them"
            ),
            "Set store.encrypt = true in twokey.toml, restart what runs, then `twokey store seal`." if wanted else "",
        )
    try:
        with wiring.opened_ledger(folder) as ledger, ledger.look() as connection:
            plain = resealing.any_plain(connection)
    except TwokeyError as error:
        return Check("encryption", "FAIL", error.message, error.next)
    if plain:
        return Check(
            "encryption",
            "FAIL" if wanted else "warn",
            "new values are sealed, and older ones lie in the database as they are",
            "Run `twokey store seal`.",
        )
    return Check("encryption", "ok", "every word and value in the database is sealed with a key of this account")


def _policy(folder: Path) -> str:
    with wiring.opened(folder) as workspace:
        return workspace.probe_policy()


def _tools(folder: Path) -> str:
    with wiring.opened(folder) as workspace:
        known = {(tool.name, tool.version, tool.schema_digest()) for tool in workspace.registry.all()}
        listed = wiring.listed_tools(folder)
    missing = sorted(name for name, version, digest in known if (name, version, digest) not in listed)
    if missing:
        raise wiring.tools_not_listed(missing)
    return f"{len(known)} tools, each on policy's allow-list: {', '.join(sorted(name for name, _, _ in known))}"


def _freeze(folder: Path) -> Check:
    try:
        with wiring.opened(folder) as workspace:
            code, _ = workspace.controls.stopped()
    except TwokeyError as error:
        return Check("freeze", "FAIL", error.message, error.next)
    if code is None:
        return Check("freeze", "ok", "writes are not stopped")
    return Check("freeze", "warn", f"writes are stopped ({code})", "See who stopped them with `twokey freeze`.")


def _exceptions(folder: Path) -> Iterator[Check]:
    try:
        held, ignored = wiring.exceptions(folder)
    except TwokeyError as error:
        yield Check("exceptions", "FAIL", error.message, error.next)
        return
    if held:
        yield Check("exceptions", "warn", f"rules are lifted for a time: {', '.join(held)}", "See the policy data.")
    for item in ignored:
        yield Check(
            "exceptions",
            "warn",
            f"the exception {item.name} from {item.rule} does not hold: {item.why}",
            "Have an owner of the rule sign it, or remove it from the policy data.",
        )


def _reading(folder: Path) -> Check:
    try:
        said = wiring.says_who_reads(folder)
    except TwokeyError as error:
        return Check("reading", "FAIL", error.message, error.next)
    if said is None:
        return Check(
            "reading",
            "warn",
            "the policy data does not say who reads what: members of any group read what is not private, and what is "
            "private is read by who asked and who is asked alone",
            "Add `reading` to data.json of the bundle, as docs/reading.md shows it.",
        )
    private, everything = (", ".join(groups) or "no further group" for groups in said)
    return Check("reading", "ok", f"what is private is read by its parties and {private}; everything by {everything}")


def _model(config: Settings) -> Check:
    if not config.model.base_url:
        return Check("model", "ok", "no model configured: the built-in tier does the work, without a network")
    return Check("model", "ok", f"model {config.model.name or '(unnamed)'} is configured; it is asked when needed")


def _slack(folder: Path, config: Settings) -> Iterator[Check]:
    if config.slack.mode == "off":
        return
    from twokey.channels.slack.doctoring import examine as looks  # noqa: PLC0415 - comes in where Slack is configured

    try:
        with wiring.opened(folder) as workspace:
            linked = [item for item in workspace.linking.listed() if item.proven and item.external[:6] == "slack:"]
    except TwokeyError as error:
        yield Check("slack people", "FAIL", error.message, error.next)
        return
    for found in looks(config.slack, SystemClock(), lambda: len(linked)):
        yield Check(found.name, found.level, found.text, found.next)
