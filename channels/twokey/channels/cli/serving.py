"""``up``: the worker, with the web console and everything that listens for Slack and GitHub."""

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
    """Serve the web console, Slack and GitHub, and do the work. Until it is stopped; whatever the settings connect."""
    from twokey.channels.cli.working import prepare
    from twokey.channels.passes import reached_at
    from twokey.channels.running import run_up
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        prepare(workspace)
        server = workspace.config.server

        def started(address: str) -> None:
            if workspace.config.console.mode == "on":
                seen = workspace.config.console.url or reached_at(address)
                SESSION.say(f"console  {seen} · come in with: twokey login NAME --link")

        done = run_up(
            workspace,
            host=server.host if host is None else host,
            port=server.port if port is None else port,
            concurrency=concurrency,
            tell=SESSION.say,
            started=started,
        )
    SESSION.say(f"{done.jobs} jobs")
    SESSION.give({"jobs": done.jobs, "failures": [failure.code for failure in done.failures]})
