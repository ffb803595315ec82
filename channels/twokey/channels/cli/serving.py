"""``up``: the worker, with everything that listens for Slack and GitHub."""

from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of server.host.")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on, instead of server.port; 0 takes a free one."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="How many runs to work on at once.")] = 4,
) -> None:
    """Listen for what the settings connect (Slack, GitHub), and work on what is asked, until stopped."""
    from twokey.channels.cli.working import prepare
    from twokey.channels.running import run_up
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        prepare(workspace)
        server = workspace.config.server
        done = run_up(
            workspace,
            host=server.host if host is None else host,
            port=server.port if port is None else port,
            concurrency=concurrency,
            tell=SESSION.say,
        )
    SESSION.say(f"{done.jobs} jobs")
    SESSION.give({"jobs": done.jobs, "failures": [failure.code for failure in done.failures]})
