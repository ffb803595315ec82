"""``audit``: the log, and the proof that it is whole."""

from pathlib import Path
from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Read the audit log and verify it.")
    group.command("verify")(verify)
    group.command("show")(show)
    group.command("checkpoint")(checkpoint)
    app.add_typer(group, name="audit")


def verify(
    key: Annotated[str | None, typer.Option(help="Verifier key (or a file with it) instead of this account's.")] = None,
    old: Annotated[
        Path | None, typer.Option("--checkpoint", help="A checkpoint kept elsewhere: finds a rollback.")
    ] = None,
) -> None:
    """Check every entry, every hash and every signature of the log."""
    from twokey.channels.auditing import verify as check

    result = check(SESSION.workspace, key, old)
    if result["ok"]:
        SESSION.say(f"ok: {result['size']:,} entries, root {result['root']}")
        if not result["rollback_checked"]:
            SESSION.say("rollback was not checked: give a checkpoint kept elsewhere with --checkpoint FILE")
    else:
        where = f" at entry {result['first_bad']}" if result["first_bad"] is not None else ""
        SESSION.say(f"NOT ok{where}: {result['reason']}")
    SESSION.give(result)
    raise SystemExit(0 if result["ok"] else 1)


def show(
    subject: Annotated[str | None, typer.Argument(help="Only entries of this run or proposal.")] = None,
    after: Annotated[int, typer.Option(help="Only entries behind this number.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries at most.")] = 1000,
) -> None:
    """Show entries of the log, oldest first."""
    from twokey.channels.auditing import lines

    entries = lines(SESSION.workspace, subject, after, limit)
    for entry in entries:
        SESSION.say(f"{entry['seq']:>6}  {entry['time']}  {entry['kind']:<18} {entry['text']}")
    SESSION.give({"entries": [{key: value for key, value in entry.items() if key != "text"} for entry in entries]})


def checkpoint() -> None:
    """Print the latest signed checkpoint; keep it elsewhere to find a rollback later."""
    from twokey.channels.auditing import latest

    note = latest(SESSION.workspace)
    if not SESSION.as_json:
        typer.echo(note.note, nl=False)
    SESSION.give({"size": note.size, "root": note.root, "note": note.note})
