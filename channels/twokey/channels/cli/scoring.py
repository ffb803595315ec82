"""``scorecard``: what a quarter brought, in figures that say where they are from."""

from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scorecard")(scorecard)


def scorecard(
    *,
    quarter: Annotated[
        str | None, typer.Option("--quarter", help="Like 2026-Q4; by default the one that goes on.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="One row for each figure.")] = False,
) -> None:
    """Show what a quarter brought, from what really happened. Hours saved, approvals, cost, lineage, training."""
    from twokey.channels.scorecard import shown
    from twokey.channels.scorecard.taking import take
    from twokey.channels.scorecard.values import Quarter
    from twokey.channels.wiring import opened_ledger
    from twokey.core import settings
    from twokey.core.entropy import SystemClock

    wanted = Quarter.parse(quarter) if quarter is not None else None
    config = settings.load(SESSION.workspace)
    with opened_ledger(SESSION.workspace) as ledger:
        card = take(ledger, config.scorecard, SESSION.workspace, SystemClock(), wanted)
    if as_csv and not SESSION.as_json:
        typer.echo(shown.as_csv(card), nl=False)
    else:
        for line in shown.lines(card):
            SESSION.say(line)
    SESSION.give(card.as_json())
