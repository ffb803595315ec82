"""``ask``, ``catalog`` and ``runs``: everything that starts or follows a run."""

import dataclasses
from typing import Annotated, Any, Final

import typer

from twokey.channels.cli.session import SESSION

WAREHOUSE: Final = "Database URL, database file, folder of CSV/Parquet, or the name of a warehouse of the settings."
LOOKS_EVERY_S: Final = 0.5
"""How often a run that is watched is looked at."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ask")(ask)
    catalog = typer.Typer(help="Read a warehouse, document it, and check it.")
    catalog.command("propose")(catalog_propose)
    catalog.command("scan")(catalog_scan)
    catalog.command("check")(catalog_check)
    app.add_typer(catalog, name="catalog")
    runs = typer.Typer(help="Follow what was asked.")
    runs.command("list")(runs_list)
    runs.command("show")(runs_show)
    runs.command("watch")(runs_watch)
    runs.command("resume")(runs_resume)
    runs.command("cancel")(runs_cancel)
    runs.command("prune")(runs_prune)
    app.add_typer(runs, name="runs")


Detach = Annotated[bool, typer.Option("--detach", help="Leave it to a worker and return at once.")]


def ask(
    text: Annotated[str, typer.Argument(help="What you want, in your own words.")], *, detach: Detach = False
) -> None:
    """Ask for something in your own words."""
    from twokey.channels.cli.following import follow
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        follow(lambda tell: workspace.ask(identity, text, tell), detach=detach)


def catalog_propose(
    url: Annotated[str, typer.Argument(help=WAREHOUSE)],
    repo: Annotated[
        str, typer.Option(help="Git repository that gets the pull request, or the name of such a place.")
    ] = ".",
    table: Annotated[list[str] | None, typer.Option(help="Only tables whose name contains this; repeatable.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Compare with what this run read, or with the last scan up to this day.")
    ] = None,
    *,
    detach: Detach = False,
) -> None:
    """Read a warehouse and propose its documentation as a pull request."""
    from twokey.channels.cli.following import follow
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        follow(lambda tell: workspace.catalog(identity, url, repo, tuple(table or ()), tell, baseline), detach=detach)


def catalog_scan(
    url: Annotated[str, typer.Argument(help=WAREHOUSE)],
    table: Annotated[list[str] | None, typer.Option(help="Only tables whose name contains this; repeatable.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Compare with what this run read, or with the last scan up to this day.")
    ] = None,
    *,
    detach: Detach = False,
) -> None:
    """Read a warehouse and say what is in it; nothing is proposed."""
    from twokey.channels.cli.following import follow
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        follow(lambda tell: workspace.catalog(identity, url, None, tuple(table or ()), tell, baseline), detach=detach)


def catalog_check(
    url: Annotated[str, typer.Argument(help="Database URL, database file, or folder of CSV/Parquet.")],
    repo: Annotated[str, typer.Option(help="Folder of the repository, as it lies on disk.")] = ".",
    table: Annotated[list[str] | None, typer.Option(help="Only tables whose name contains this; repeatable.")] = None,
) -> None:
    """Fail where warehouse and documentation disagree. Also where personal data is not marked."""
    from pathlib import Path

    from twokey.agents.catalog.checking import check
    from twokey.channels.working_tree import WorkingTree
    from twokey.core.errors import CheckFailed
    from twokey.tools.read.warehouse import canonical_location

    wanted = [f"*{name}*" for name in table or ()]
    found = check(canonical_location(url), WorkingTree(Path(repo)), tables=wanted)
    for item in found.problems:
        SESSION.say(f"{item.path}:{item.line}: {item.code} {item.message}")
    for item in found.notes:
        SESSION.say(f"{item.path}:{item.line}: note {item.code} {item.message}")
    count = "1 problem" if len(found.problems) == 1 else f"{len(found.problems):,} problems"
    SESSION.say(f"{count} in {found.tables:,} tables, {found.columns:,} columns")
    SESSION.give({"ok": not found.problems, **dataclasses.asdict(found)})
    if found.problems:
        raise SystemExit(CheckFailed.exit_code)


def runs_list() -> None:
    """List the latest runs."""
    from twokey.channels.card import moment
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        records = workspace.service.runs()
    for run in records:
        SESSION.say(f"{run.id}  {run.state:<9} {run.code:<20} {run.requester:<12} {moment(run.created_us)}")
    if not records:
        SESSION.say("No runs yet. Start one with `twokey ask` or `twokey catalog propose`.")
    SESSION.give({"runs": [_run_json(run) for run in records]})


def runs_show(run: Annotated[str, typer.Argument(help="Id of the run.")]) -> None:
    """Show where a run stands."""
    from twokey.channels.cli.following import report
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        report(workspace.service.outcome(run), ended_badly_fails=False)


def runs_watch(run: Annotated[str, typer.Argument(help="Id of the run.")]) -> None:
    """Follow a run until it waits for people or has ended. A worker drives it; Ctrl-C ends only the watching."""
    import threading

    from twokey.channels import run_story
    from twokey.channels.cli.following import report
    from twokey.channels.wiring import opened

    never = threading.Event()
    with opened(SESSION.workspace) as workspace:
        for line in run_story.follow(workspace.ledger, run, lambda: never.wait(LOOKS_EVERY_S)):
            SESSION.say(line)
        report(workspace.service.outcome(run), ended_badly_fails=True)


def runs_resume(run: Annotated[str, typer.Argument(help="Id of the run.")]) -> None:
    """Take up a run that was interrupted."""
    from twokey.channels.cli.following import follow, tell
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        workspace.identify(SESSION.principal, "cli")
        follow(lambda _: workspace.resume(run, tell))


def runs_cancel(run: Annotated[str, typer.Argument(help="Id of the run.")]) -> None:
    """Cancel a run that you asked for."""
    from twokey.channels.cli.following import report
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        report(workspace.service.cancel(identity, run), ended_badly_fails=False)


def runs_prune(
    older_than: Annotated[
        int, typer.Option(metavar="DAYS", min=0, max=36_500, help="Only runs that ended longer ago than this.")
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="Also what policy decided on: it cannot be replayed any more.")
    ] = False,
) -> None:
    """Remove what ended runs left behind. The log and all that it needs stay."""
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        done = workspace.pruner.prune(identity, days=older_than, dry_run=dry_run, decisions=decisions)
    SESSION.say(
        f"{'would remove' if dry_run else 'removed'} of {done.runs:,} ended {'run' if done.runs == 1 else 'runs'}: "
        f"{done.checkpoints:,} checkpoints, {done.documents:,} documents, {done.evidence:,} pieces of evidence "
        "that no proposal cites"
    )
    if decisions:
        SESSION.say(f"{'would remove' if dry_run else 'removed'} the inputs of {done.decisions:,} decisions")
    SESSION.give({**dataclasses.asdict(done), "dry_run": dry_run})


def _run_json(run: Any) -> dict[str, Any]:
    return {
        "run": run.id,
        "state": run.state,
        "code": run.code,
        "requester": run.requester,
        "created_us": run.created_us,
    }
