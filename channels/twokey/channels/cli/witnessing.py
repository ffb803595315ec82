"""``audit witness``: both sides of witnessing, somebody else's key and the log that asks for its signature."""

from pathlib import Path
from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Sign other people's logs as a witness, or ask this log's own.")
    group.command("new")(new)
    group.command("show")(show)
    group.command("sign")(sign)
    group.command("serve")(serve)
    group.command("ask")(ask)
    app.add_typer(group, name="witness")


KeyFile = Annotated[Path, typer.Option("--key", metavar="FILE", help="The witness's key file.")]
Logs = Annotated[
    list[str],
    typer.Option("--log", metavar="KEY", help="Verifier key (or file) of a log to look after; may be repeated."),
]


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to keep the key; its state will lie beside it.")],
    name: Annotated[str, typer.Option(help="The witness's name, such as witness.example.com/twokey.")],
) -> None:
    """Make a witness: its key, and the empty state of what it has signed. Needs no workspace."""
    from twokey.channels.witnessing import create

    key = create(file, name)
    SESSION.say(f"verifier key  {key}")
    SESSION.say(
        f"The key is in {file}, what it signs in {file}.state: keep both together, and never put an old state back."
    )
    SESSION.give({"key": key, "file": str(file)})


def show(key: KeyFile) -> None:
    """Show a witness's verifier key, and what it signed last of each log."""
    from twokey.channels.witnessing import shown

    found = shown(key)
    SESSION.say(f"verifier key  {found['key']}")
    for log in found["logs"]:
        SESSION.say(f"{log['origin']}  size {log['size']:,}  root {log['root']}")
    SESSION.give(found)


def sign(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of an exported log.")],
    *,
    key: KeyFile,
    log: Logs,
) -> None:
    """Cosign an exported log that continues what was signed before. Prints the cosigned checkpoint."""
    from twokey.channels.witnessing import desk
    from twokey.channels.witnessing import sign as cosign

    done = cosign(desk(key, log), folder)
    if not SESSION.as_json:
        typer.echo(done["note"], nl=False)
    SESSION.give(done)


def serve(
    *,
    key: KeyFile,
    log: Logs,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8643,
) -> None:
    """Cosign over HTTP (C2SP tlog-witness). Until it is stopped; for other machines put a TLS proxy in front."""
    import asyncio

    from twokey.channels.dispatching.stopping import Stop
    from twokey.channels.serving import serving
    from twokey.channels.witnessing import Untallied, desk, routes

    witness = desk(key, log)
    witness.notes()  # a state that cannot be used is told of now, and not to whoever asks first
    stop = Stop()
    with stop.heard(), serving(routes(witness), Untallied(), host=host, port=port) as address:
        SESSION.say(
            f"witness {witness.key.verifier.name} listens at {address} for {len(witness.origins)} logs; Ctrl-C ends it"
        )
        asyncio.run(stop.wait())
    SESSION.give({"ended": True})


def ask(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="An exported log: its checkpoint is asked about, and gets the signatures."
        ),
    ] = None,
) -> None:
    """Have the configured witnesses cosign the newest checkpoint. Or an exported log's. Prints the result."""
    from twokey.channels.witness_asking import ask_all

    done = ask_all(SESSION.workspace, folder)
    for answer in done.answers:
        typer.echo(f"{'ALARM' if answer.alarms else 'ok' if answer.time else '--':<6} {answer.text}", err=True)
    if not SESSION.as_json:
        typer.echo(done.note, nl=False)
    SESSION.give(
        {
            "size": done.size,
            "root": done.root,
            "note": done.note,
            "witnesses": [answer.as_json() for answer in done.answers],
        }
    )
    raise SystemExit(done.exit_code)
