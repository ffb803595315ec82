"""``link``: who people are at Slack and GitHub."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from twokey.channels.cli.session import SESSION
from twokey.core.errors import BadInput

if TYPE_CHECKING:
    from twokey.channels.linking import Linking
    from twokey.core.values import Identity
    from twokey.tools.link_book import Ask


def add_to(app: typer.Typer) -> None:
    """Add the command with its own commands."""
    link = typer.Typer(help="Who people are at Slack and GitHub: see, confirm and undo it.", no_args_is_help=True)
    link.command("list")(listed)
    link.command("confirm")(confirm)
    link.command("remove")(remove)
    app.add_typer(link, name="link")


External = Annotated[
    str, typer.Argument(metavar="EXTERNAL", help="slack:TEAM/USER, github:NUMBER or oidc:DIGITS, in full.")
]


def listed() -> None:
    """Show who is linked to whom, and who asks to be you."""
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        viewer = workspace.viewer(SESSION.principal, "cli")
        found = workspace.linking.listed()
        asks = workspace.linking.asked(viewer) if viewer is not None else []
        called = workspace.linking.called(asks)
    for item in found:
        SESSION.say(f"{item.principal:<16} {item.external:<32} {'linked' if item.proven else 'NOT PROVEN'}")
    for ask in asks:
        name = _named(called, ask)
        SESSION.say(f"{ask.principal:<16} {ask.external:<32} asks to be you{name}: confirm it only if this is you")
    if not found and not asks:
        SESSION.say("Nobody is linked, and nobody asks.")
    SESSION.give(
        {
            "links": [
                {"principal": item.principal, "external": item.external, "proven": item.proven} for item in found
            ],
            "asks": [
                {
                    "principal": ask.principal,
                    "external": ask.external,
                    "called": called.get(ask.external),
                    "until_us": ask.until_us,
                }
                for ask in asks
            ],
        }
    )


def confirm(
    external: Annotated[
        str | None, typer.Argument(metavar="[EXTERNAL]", help="slack:TEAM/USER, github:NUMBER or oidc:DIGITS, in full.")
    ] = None,
) -> None:
    """Say that an identity at Slack or GitHub is you. From then on what it answers is your answer."""
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(SESSION.principal, "cli")
        name = external if external is not None else _chosen(workspace.linking, identity)
        link = workspace.linking.confirm(identity, credential, name)
    SESSION.say(f"{link.external} is {link.principal} from now on. Undo it with `twokey link remove {link.external}`.")
    SESSION.give({"principal": link.principal, "external": link.external, "entry": link.entry})


def remove(external: External) -> None:
    """Unlink an identity. What it approved and was not carried out yet counts no more."""
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(SESSION.principal, "cli")
        whose = workspace.linking.remove(identity, credential, external)
    SESSION.say(f"{external} is no longer {whose}.")
    SESSION.give({"principal": whose, "external": external})


def _at_a_terminal() -> bool:
    return not SESSION.as_json and sys.stdin.isatty()


def _named(called: dict[str, str], ask: "Ask") -> str:
    return f" ({called[ask.external]})" if ask.external in called else ""


def _chosen(linking: "Linking", identity: "Identity") -> str:
    """Let a person at a terminal choose by writing the identity out; anybody else names it in the command."""
    asks = linking.asked(identity)
    if not asks:
        raise BadInput("Nobody asks to be you.", next="Ask there first: `/twokey link NAME`.", code="not_asked")
    if not _at_a_terminal():
        raise BadInput(
            "It is not said which identity is meant.",
            next="Name it in full: `twokey link confirm EXTERNAL`; `twokey link list` shows who asks.",
            code="no_external",
        )
    called = linking.called(asks)
    SESSION.say(
        "These say that they are you, the latest first. Look your own id up where it is yours (Slack: profile, Copy "
        "member ID)."
    )
    for ask in asks:
        SESSION.say(f"  {ask.external}{_named(called, ask)}")
    return typer.prompt("The one that is you, in full", default="", show_default=False).strip()
