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
    group.command("replay")(replay)
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
) -> None:
    """Take every decision in the log again; fails where the policy that took them gives another answer."""
    from twokey.channels import policy_work
    from twokey.channels.replay_report import summary

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
            "changes_left_off": max(0, run.tally.changed - len(changes)),
            "report": str(report) if report else None,
        }
    )
    raise SystemExit(0 if run.tally.ok else 1)
