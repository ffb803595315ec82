"""``init``, ``doctor``, ``login`` and ``demo``: getting started and staying healthy."""

from pathlib import Path
from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION
from twokey.core.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("init")(init)
    app.command("doctor")(doctor)
    app.command("login")(login)


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Headless: a second person approves, then the log is verified.")
    ] = False,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where the sample workspace goes; must be new.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the web console; 0 takes a free one.")
    ] = None,
) -> None:
    """Show the main jobs in a sample workspace. You approve in the web console."""
    from twokey.channels.cli.demo import run

    run(folder, once=once, port=port)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new workspace.")],
    principal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:GROUP",
            help="Who may ask and approve; several joined by commas, further groups by +. Repeatable. "
            "Without it, you alone.",
        ),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="Database of state and log, instead of a SQLite file in the workspace.")
    ] = None,
    tickets: Annotated[
        str | None, typer.Option(help="Tickets to look after: a folder, or https://HOST/OWNER/REPO of a GitHub.")
    ] = None,
) -> None:
    """Make a workspace, with a credential for each person."""
    from twokey.channels import triage_start
    from twokey.channels.creation import create, of_this_account, parse_people

    people = parse_people(principal) if principal else [of_this_account()]
    sections = None if tickets is None else triage_start.sections(_absolute(tickets))
    files = None if tickets is None else {triage_start.ROUTING: triage_start.routing(people)}
    made = create(folder, people, store=store, sections=sections, files=files)
    SESSION.say(f"workspace {made.id} in {made.folder}")
    for person in made.people:
        SESSION.say(f"  {person.name:<16} {', '.join(person.groups):<30} credential {made.keys / person.name}.key")
    if tickets is not None:
        SESSION.say(
            f"Who looks after which tickets stands in {made.folder / triage_start.ROUTING}; `twokey doctor` checks it."
        )
    if len(made.people) == 1:
        SESSION.say("Nobody approves what they asked for, so it takes a second person: on their own account they run")
        SESSION.say("`twokey login NAME --new`, and what it prints goes into twokey.toml, with a group.")
    else:
        SESSION.say("This account now holds every credential. Hand each to its owner and remove it here, or one shell")
        SESSION.say("is several people: `twokey login NAME --give FILE` moves one out, `--take FILE` takes one in.")
    SESSION.give(
        {
            "workspace": made.id,
            "dir": str(made.folder),
            "principals": [{"name": person.name, "groups": list(person.groups)} for person in made.people],
            "keys": str(made.keys),
        }
    )


def _absolute(location: str) -> str:
    """Give a folder by its whole path, since a workspace reads it from anywhere."""
    return location if "://" in location else str(Path(location).absolute())


def doctor() -> None:
    """Check what this workspace needs. What is missing comes with what to do."""
    from twokey.channels.doctor import examine

    checks = examine(SESSION.workspace)
    for check in checks:
        SESSION.say(f"{check.level:<5} {check.name:<12} {check.text}")
        if check.next:
            SESSION.say(f"{'':<5} {'':<12} next: {check.next}")
    bad = [check for check in checks if check.level == "FAIL"]
    SESSION.give(
        {
            "ok": not bad,
            "checks": [
                {"name": check.name, "level": check.level.lower(), "text": check.text, "next": check.next}
                for check in checks
            ],
        }
    )
    raise SystemExit(1 if bad else 0)


def login(
    name: Annotated[
        str | None, typer.Argument(help="Whose credential; without it, lists what this account holds.")
    ] = None,
    *,
    new: Annotated[bool, typer.Option("--new", help="Make a new credential and print its public half.")] = False,
    take: Annotated[Path | None, typer.Option(help="Take over a credential file that was handed to you.")] = None,
    give: Annotated[Path | None, typer.Option(help="Move the credential out into a file for its owner.")] = None,
    link: Annotated[bool, typer.Option("--link", help="Print a one-time link that lets a browser in.")] = False,
    token: Annotated[
        bool, typer.Option("--token", help="Print a token with which a program reads and asks below /api.")
    ] = False,
    page: Annotated[str, typer.Option(help="With --link: the page to go to.")] = "/inbox",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="With --link: where `up` listens, instead of server.port.")
    ] = None,
) -> None:
    """Manage credentials, and come into the web console with one."""
    if link or token:
        if new or take is not None or give is not None or (link and token):
            raise BadInput(
                "--link and --token go with none of --new, --take, --give, and not together.",
                next="See `twokey login --help`.",
            )
        if token:
            _token(name)
        else:
            _link(name, page, port)
        return
    from twokey.channels.logins import manage

    lines, result = manage(SESSION.workspace, name, new=new, take=take, give=give)
    for line in lines:
        SESSION.say(line)
    SESSION.give(result)


def _token(name: str | None) -> None:
    """Print a token for a program of somebody whose credential this account holds."""
    from twokey.channels.card import moment
    from twokey.channels.passes import program_token
    from twokey.channels.wiring import opened
    from twokey.core.entropy import SystemClock

    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(name or SESSION.principal, "cli")
        made, until = program_token(workspace, identity, credential, clock=SystemClock())
    SESSION.say(f"{identity.principal.name}: good until {moment(until)} at most, to read and to ask below /api")
    SESSION.say("send it as `Authorization: Bearer TOKEN`; whoever has it reads as you, so keep it where keys are kept")
    SESSION.say(made)
    SESSION.give({"principal": identity.principal.name, "token": made, "until": moment(until)})


def _link(name: str | None, page: str, port: int | None) -> None:
    """Print a one-time link to the console for somebody whose credential this account holds."""
    from twokey.channels.passes import console_address, one_time_link
    from twokey.channels.wiring import opened
    from twokey.core.entropy import SystemClock

    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(name or SESSION.principal, "cli")
        address = console_address(workspace.config, port=port)
        made = one_time_link(workspace, identity, credential, clock=SystemClock(), address=address, path=page)
    SESSION.say(f"{identity.principal.name}: open this in your browser within 15 minutes; it works once")
    SESSION.say(made)
    SESSION.give({"principal": identity.principal.name, "link": made})
