"""``controls``: the twelve production controls, each with what was seen when somebody tried to break it."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from twokey.channels.cli.session import SESSION
from twokey.core.errors import Refused

if TYPE_CHECKING:
    from twokey.policies.controls import Control

_MARKS = {"holds": "ok", "fails": "FAIL", "missing": "--"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("controls")(controls)


def controls(
    *,
    profile: Annotated[
        Literal["laptop", "pilot", "production"] | None,
        typer.Option(help="What to hold the controls against; by default controls.profile of twokey.toml."),
    ] = None,
) -> None:
    """Try to break each of the twelve production controls. A scratch workspace gets this one's policy and limits."""
    from twokey.channels.probing.running import probe
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        probed = probe(workspace, tell, profile)
    for verdict in probed.verdicts:
        SESSION.say(f"{verdict.control.number:>2}  {_MARKS[verdict.state]:<4}  {verdict.control.title}")
        for line in verdict.evidence:
            SESSION.say(f"          {line}")
        if verdict.next:
            SESSION.say(f"          next: {verdict.next}")
    held = len(probed.held)
    SESSION.say(f"{held} of {len(probed.verdicts)} hold; policy {probed.policy_revision[:12]}, {probed.engine}")
    if probed.unmet:
        names = ", ".join(f"{item.control.number} {item.control.title} ({item.state})" for item in probed.unmet)
        SESSION.say(f"profile {probed.profile}: not met, for want of {names}")
    else:
        SESSION.say(f"profile {probed.profile}: met")
    SESSION.give(probed.as_json())
    if probed.unmet:
        raise SystemExit(Refused.exit_code)


def tell(control: "Control") -> None:
    """Say which control is being tried, beside the result."""
    typer.echo(f"trying {control.number:>2} of 12: {control.tries}", err=True)
