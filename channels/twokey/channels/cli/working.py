"""``worker``: works on what others asked for, until it is stopped."""

from typing import TYPE_CHECKING, Annotated

import typer

from twokey.channels.cli.session import SESSION
from twokey.core.errors import Refused

if TYPE_CHECKING:
    from twokey.channels.workspace import Workspace


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker)


def prepare(workspace: "Workspace") -> None:
    """Set up what a process tells while it works, and hold it to the controls that the settings demand."""
    import logging

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    for noisy in ("alembic", "procrastinate", "httpx", "httpx2", "openai", "psycopg.pool", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if workspace.config.controls.profile != "laptop":
        from twokey.channels.cli.probing import tell
        from twokey.channels.probing.running import demand

        demand(workspace, tell)


def worker(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Take up what is unfinished, work off the queue, and end.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="How many runs to work on at once.")] = 4,
) -> None:
    """Drive runs and carry out what was approved. It takes over from dead workers, and asks what schedules say."""
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        prepare(workspace)
        made = workspace.worker()
        if not once:
            SESSION.say(f"worker of {workspace.config.workspace.id}: {concurrency} at once; SIGTERM or Ctrl-C ends it")
        done = made.once(concurrency=concurrency) if once else made.run(concurrency=concurrency)
    for run, state in done.runs.items():
        SESSION.say(f"run      {run} is {state}")
    for identifier, result in done.proposals.items():
        SESSION.say(f"proposal {identifier} is {result.state.value} ({result.code})")
    for failure in done.failures:
        SESSION.say(f"failed   {failure.subject}: {failure.message} ({failure.code})")
    SESSION.say(f"{done.jobs} jobs")
    SESSION.give(
        {
            "runs": [{"run": run, "state": state} for run, state in done.runs.items()],
            "proposals": [
                {"id": identifier, "state": result.state.value, "code": result.code}
                for identifier, result in done.proposals.items()
            ],
            "jobs": done.jobs,
            "failures": [
                {"subject": failure.subject, "code": failure.code, "message": failure.message}
                for failure in done.failures
            ],
        }
    )
    if once and done.failures:
        raise SystemExit(Refused.exit_code)
