"""``policy``: trying rules, and taking the decisions of the past again before a change takes effect."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION

SHOWN = 20
LISTED = 1000
EVERY = 5000


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Try a policy, and see what it would have decided.")
    group.command("check")(check)
    group.command("test")(run_tests)
    group.command("eval")(evaluate)
    group.command("diff")(differences)
    group.command("replay")(replay)
    group.command("propose")(propose)
    group.command("key")(key)
    group.command("sign")(sign)
    group.command("verify")(verify)
    group.command("enforce")(enforce)
    group.command("status")(status)
    app.add_typer(group, name="policy")


Bundle = Annotated[Path | None, typer.Option("--bundle", help="Folder of the bundle; by default the workspace's own.")]


def replay(
    bundle: Bundle = None,
    *,
    since: Annotated[
        str | None, typer.Option(help="Only decisions since then: 2026-11-29 or 2026-11-29T10:00Z.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what changed to FILE.html or FILE.md.")] = None,
    engines: Annotated[int, typer.Option(min=1, max=64, help="How many engines work at once.")] = 2,
    shadow: Annotated[bool, typer.Option("--shadow", help="On the shadow bundle that the settings name.")] = False,
) -> None:
    """Take every decision in the log again. It fails where the policy that took them gives another answer."""
    from twokey.channels import policy_work
    from twokey.channels.replay_report import summary

    if shadow:
        bundle = policy_work.shadow_folder(SESSION.workspace)
    changes: list[dict[str, str]] = []
    since_us = policy_work.instant(since) if since else 0
    with policy_work.replaying(SESSION.workspace, bundle, since_us=since_us, report=report, engines=engines) as run:
        for count, change in run.changes():
            if change is not None and len(changes) < LISTED:
                changes.append(change.as_json())
            if count % EVERY == 0:
                print(f"{count:,} decisions taken again", file=sys.stderr, flush=True)
    for sentence in summary(run.tally, run.revisions):
        SESSION.say(sentence)
    if run.saved.carried:
        SESSION.say(f"{run.saved.carried:,} of them had been taken again before the last replay was interrupted")
    for change in changes[:SHOWN]:
        SESSION.say(
            f"  {change['entry']}  {change['occasion']:<8} {change['tool']:<20} {change['change']}  {change['rules']}"
        )
    if run.tally.changed > SHOWN:
        SESSION.say(f"  and {run.tally.changed - SHOWN:,} more; --report FILE.html lists all of them")
    SESSION.give(
        run.tally.as_json()
        | {
            "ok": run.tally.ok,
            "policy_revision": run.revisions.policy,
            "data_revision": run.revisions.data,
            "changes": changes,
            "carried_over": run.saved.carried,
            "changes_left_off": max(0, run.tally.changed - len(changes)),
            "report": str(report) if report else None,
        }
    )
    raise SystemExit(0 if run.tally.ok else 1)


Folder = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The bundle; by default the workspace's own.")]


def check(folder: Folder = None) -> None:
    """Check a bundle strictly. Its form and data, the built-ins it uses, and that both engines compile it."""
    from twokey.channels import policy_work

    found = policy_work.check(SESSION.workspace, folder)
    SESSION.say(f"form, data, built-ins   {found.load or 'ok'}")
    if found.bundle is not None:
        SESSION.say(f"embedded engine         {found.embedded or 'compiles'}")
    if found.opa is None:
        SESSION.say("opa check --strict      not done: the program opa is not here (policy.opa_path, TWOKEY_OPA)")
    else:
        for line in found.opa or ("ok",):
            SESSION.say(f"opa check --strict      {line}")
    revisions = found.bundle.revisions if found.bundle else None
    if revisions is not None:
        SESSION.say(f"revisions               policy {revisions.policy[:12]}, data {revisions.data[:12]}")
    SESSION.give(
        {
            "ok": found.ok,
            "load": found.load,
            "embedded": found.embedded,
            "opa": None if found.opa is None else list(found.opa),
            "policy_revision": revisions.policy if revisions else None,
            "data_revision": revisions.data if revisions else None,
        }
    )
    raise SystemExit(0 if found.ok else 1)


def run_tests(folder: Folder = None) -> None:
    """Run a bundle's own tests, and say what they cover. It takes the program `opa`."""
    from twokey.channels import policy_work

    found = policy_work.test(SESSION.workspace, folder)
    for name in found.failed:
        SESSION.say(f"FAILED {name}")
    SESSION.say(f"{found.passed:,} passed, {len(found.failed):,} failed")
    if not found.failed:
        SESSION.say(f"{found.coverage:.1f} % of the lines are covered")
    for name, line in found.uncovered[:SHOWN]:
        SESSION.say(f"  not covered: {name}:{line}")
    SESSION.give(
        {
            "ok": not found.failed,
            "passed": found.passed,
            "failed": list(found.failed),
            "coverage": found.coverage,
            "not_covered": [{"file": name, "line": line} for name, line in found.uncovered],
        }
    )
    raise SystemExit(1 if found.failed else 0)


def evaluate(
    what: Annotated[
        str, typer.Argument(help="A log entry or proposal of the past, a JSON file, or - for standard input.")
    ],
    bundle: Bundle = None,
) -> None:
    """Decide on one call, with reasons. One of the past, or one that you write."""
    from twokey.channels import policy_work
    from twokey.channels.replay_report import approvals

    found = policy_work.evaluate(SESSION.workspace, bundle, what, lambda: _read(what))
    answer = found.answer
    SESSION.say(f"{answer['effect']}   policy {found.revisions.policy[:12]}, data {found.revisions.data[:12]}")
    if answer["approvals"] is not None:
        SESSION.say(f"  needs    {approvals(answer['approvals'])}")
    for reason in answer["reasons"]:
        SESSION.say(f"  {reason['rule']}  {reason['code']:<24} {reason['message']}")
    for name in ("warnings", "obligations"):
        if answer[name]:
            SESSION.say(f"  {name:<8} {', '.join(answer[name])}")
    if found.then is not None:
        SESSION.say("the same as then" if found.then == answer else f"then it was {found.then['effect']}")
    SESSION.give(
        {
            "decision": answer,
            "then": found.then,
            "entry": found.entry,
            "input": found.document,
            "policy_revision": found.revisions.policy,
            "data_revision": found.revisions.data,
        }
    )


def _read(what: str) -> bytes:
    from twokey.core.errors import BadInput
    from twokey.policies.strict_json import MAX_BYTES

    try:
        if what == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(what).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{what[:80]} cannot be read.", next="Name a log entry, a proposal or a JSON file.") from error


def differences(
    old: Annotated[Path, typer.Argument(help="The bundle before.")],
    new: Annotated[Path, typer.Argument(help="The bundle after.")],
) -> None:
    """Say what differs between two bundles. Rules by their annotations, and the data key by key."""
    from twokey.channels import policy_work

    found = policy_work.differences(old, new)
    for item in found:
        SESSION.say(item.sentence())
    if not found:
        SESSION.say("They are the same.")
    SESSION.give({"same": not found, "differences": [item.as_json() for item in found]})


def propose(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new bundle.")],
    repo: Annotated[str, typer.Option(help="Git repository that holds the bundle.")] = ".",
    path: Annotated[str, typer.Option(help="Folder of the bundle inside the repository.")] = "policies",
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it to a worker and return at once.")] = False,
) -> None:
    """Propose a new bundle as a pull request. It tells what yesterday's decisions would have been."""
    from twokey.channels.cli.following import follow
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        follow(lambda tell: workspace.propose_policy(identity, folder, repo, path, tell), detach=detach)


# -- signing, and putting in force -----------------------------------------------------------------------------------


def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; FILE.pub is the public one.")],
) -> None:
    """Make a key pair for OPA's bundle signature."""
    from twokey.policies.opa_signature import new_key

    public = new_key(file)
    SESSION.say(f"private key {file} (yours alone), public key {public}: name that as policy.verification_key")
    SESSION.give({"private": str(file), "public": str(public)})


def sign(
    folder: Folder = None,
    *,
    key_file: Annotated[
        Path | None, typer.Option("--key", help="Write OPA's .signatures.json with this key, instead of your approval.")
    ] = None,
    number: Annotated[int | None, typer.Option(min=1, help="Number of the bundle; by default the next one.")] = None,
) -> None:
    """Sign a bundle. As a person whose signature counts, or for OPA with a key file."""
    from twokey.channels import policy_signing

    if key_file is not None:
        where = policy_signing.sign_for_opa(SESSION.workspace, folder, key_file)
        SESSION.say(f"signed: {where}")
        SESSION.give({"signatures": str(where)})
        return
    made = policy_signing.sign(SESSION.workspace, folder, SESSION.principal, number)
    SESSION.say(f"number {made.number}, policy {made.policy[:12]}, data {made.data[:12]}")
    SESSION.say(f"signed by {', '.join(made.signers) or 'nobody whose signature counts'}; {made.needed} have to")
    SESSION.give(made.as_json())


def verify(folder: Folder = None) -> None:
    """Check that a bundle is signed as this workspace demands."""
    from twokey.channels import policy_signing

    made = policy_signing.verify(SESSION.workspace, folder)
    SESSION.say(f"ok: number {made.number}, signed by {', '.join(made.signers) or 'nobody'}; {made.needed} have to")
    SESSION.give(made.as_json())


def enforce(folder: Folder = None) -> None:
    """Put a signed bundle in force. It takes the next decision, in every process."""
    from twokey.channels import policy_signing

    event = policy_signing.enforce(SESSION.workspace, folder, SESSION.principal)
    SESSION.say(
        f"in force: number {event.number}, policy {event.policy_revision[:12]}, data {event.data_revision[:12]}, "
        f"signed by {', '.join(event.signers) or 'nobody'}"
    )
    SESSION.give(event.model_dump(mode="json", exclude={"kind"}))


def status() -> None:
    """Say which bundle decides, and who put it in force. Also what the shadow would have decided otherwise."""
    from twokey.channels import policy_signing

    found = policy_signing.status(SESSION.workspace)
    SESSION.say(f"bundle    policy {found['policy_revision'][:12]}, data {found['data_revision'][:12]}")
    SESSION.say(f"starts    {found['refused'] or 'yes'}")
    last = found["enforced"]
    if last is not None:
        SESSION.say(f"in force  number {last['number']} by {last['principal']}, signed by {', '.join(last['signers'])}")
    seen = found["shadow"]
    if seen is not None:
        SESSION.say(
            f"shadow    policy {seen['policy_revision'][:12]}, data {seen['data_revision'][:12]}: looked at "
            f"{seen['looked_at']:,}, {seen['differs']:,} would have come out otherwise"
        )
    SESSION.give(found)
