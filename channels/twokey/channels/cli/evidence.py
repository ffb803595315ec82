"""``audit``: the log, and the proof that it is whole."""

from pathlib import Path
from typing import Annotated

import typer

from twokey.channels.cli import witnessing
from twokey.channels.cli.session import SESSION

TELL_S = 2.0
"""How often long work says how far it is, in seconds."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Read the audit log and verify it.")
    group.command("verify")(verify)
    group.command("show")(show)
    group.command("prove")(prove)
    group.command("checkpoint")(checkpoint)
    group.command("export")(export)
    witnessing.add_to(group)
    app.add_typer(group, name="audit")


def verify(
    key: Annotated[str | None, typer.Option(help="Verifier key (or a file with it) instead of this account's.")] = None,
    old: Annotated[
        Path | None, typer.Option("--checkpoint", help="A checkpoint kept elsewhere: finds a rollback.")
    ] = None,
    exported: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="An exported log; with --key no workspace is needed.")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="A witness (verifier key or file) that must have cosigned; may be repeated."),
    ] = None,
) -> None:
    """Check every entry, hash and signature of the log. Or of an exported one."""
    from twokey.channels.auditing import verify as check

    result = check(SESSION.workspace, key, old, exported, witness or ())
    if result["ok"]:
        SESSION.say(f"ok: {result['size']:,} entries, root {result['root']}")
        for remark in result["remarks"]:
            if not remark.startswith("rollback"):
                SESSION.say(remark)
        if not result["rollback_checked"]:
            SESSION.say("rollback was not checked: give a checkpoint kept elsewhere with --checkpoint FILE")
    else:
        where = f" at entry {result['first_bad']}" if result["first_bad"] is not None else ""
        SESSION.say(f"NOT ok{where}: {result['reason']}")
    SESSION.give(result)
    raise SystemExit(0 if result["ok"] else 1)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; new, empty, or an earlier export.")],
) -> None:
    """Write the log as static files that outsiders can verify. Or bring an earlier export up to date."""
    import time

    from twokey.channels.auditing import export as write

    told = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            typer.echo(f"{done:,} of {of:,} entries", err=True)

    done = write(SESSION.workspace, folder, progress)
    SESSION.say(
        f"{done['size']:,} entries are in {folder}: {done['entries']:,} of them new, {done['written']} files written"
    )
    SESSION.say(f"root          {done['root']}")
    SESSION.say(f"verifier key  {done['key']}")
    SESSION.say(f"to check      twokey audit verify --export {folder} --key KEY, with a key that was kept elsewhere")
    SESSION.give(done)


def show(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Only what concerns this run or proposal, or one entry (id or number)."),
    ] = None,
    after: Annotated[int, typer.Option(help="Only entries behind this number.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries at most.")] = 1000,
) -> None:
    """Show entries of the log, oldest first."""
    from twokey.channels.auditing import lines

    entries = lines(SESSION.workspace, subject, after, limit)
    for entry in entries:
        SESSION.say(f"{entry['seq']:>6}  {entry['time']}  {entry['kind']:<18} {entry['text']}")
    SESSION.give({"entries": [{key: value for key, value in entry.items() if key != "text"} for entry in entries]})


def prove(
    entry: Annotated[str | None, typer.Argument(metavar="[ENTRY]", help="The entry's id or number.")] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Check a proof that was taken away, instead of making one.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="With --check: the verifier key (or a file with it) instead of this account's.")
    ] = None,
) -> None:
    """Prove to an outsider that an entry is in the log. With --json it gives what to take away."""
    from twokey.channels import auditing
    from twokey.core.errors import BadInput

    if (entry is None) == (check is None) or (key is not None and check is None):
        raise BadInput("Name an entry, or a proof with --check.", next="See `twokey audit prove --help`.")
    if check is not None:
        number, found = auditing.check_proof(SESSION.workspace, check, key)
        SESSION.say(f"ok: entry {number} ({found.id}, {found.kind}) is in the log of {found.workspace}")
        SESSION.give({"ok": True, "index": number, "id": found.id, "kind": found.kind})
        return
    shown = auditing.prove(SESSION.workspace, entry or "")
    SESSION.say(f"entry {shown.index} is in the log: {len(shown.hashes)} hashes lead from it to a signed root")
    SESSION.say(shown.body.decode("utf-8"))
    SESSION.say()
    SESSION.say(shown.text)
    SESSION.say(f"verifier key  {shown.verifier.vkey}")
    SESSION.say("to take away  twokey audit prove ENTRY --json > FILE")
    SESSION.say("to check      twokey audit prove --check FILE --key KEY, with a verifier key that was kept elsewhere")
    SESSION.give(shown.as_json())


def checkpoint() -> None:
    """Print the latest signed checkpoint. Kept elsewhere it finds a rollback later."""
    from twokey.channels.auditing import latest

    note = latest(SESSION.workspace)
    if not SESSION.as_json:
        typer.echo(note.note, nl=False)
    SESSION.give({"size": note.size, "root": note.root, "note": note.note})
