"""``incident``: what happened, told with evidence, and the ticket and the post-mortem proposed."""

from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION
from twokey.channels.cli.watching import watch


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    incident = typer.Typer(help="Tell what happened in an incident, with evidence.")
    incident.command("summarize")(summarize)
    incident.command("watch")(watch)
    app.add_typer(incident, name="incident")


def summarize(
    which: Annotated[
        str, typer.Argument(metavar="BUNDLE|ID", help="Folder of an incident bundle, or the id of an incident.")
    ],
    *,
    looks_only: Annotated[bool, typer.Option("--only-tell", help="Propose nothing.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it to a worker and return at once.")] = False,
) -> None:
    """Summarize an incident, and propose its ticket. And its post-mortem, where the settings say where they go."""
    from twokey.channels.cli.following import as_json, follow, tell
    from twokey.channels.incident_report import as_json as summary_json
    from twokey.channels.incident_report import lines
    from twokey.channels.wiring import opened
    from twokey.core.errors import Refused
    from twokey.core.lifecycle import State

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        if detach:
            follow(lambda _: workspace.incident(identity, which, None, looks_only=looks_only), detach=True)
            return
        outcome = workspace.incident(identity, which, tell, looks_only=looks_only)
        findings = workspace.service.findings(outcome.run.id)
        prose = workspace.service.document(outcome.run.id, "incident-prose")
    for text in lines(outcome, findings, prose):
        SESSION.say(text)
    SESSION.give(
        as_json(outcome) | summary_json(findings) | {"findings": [finding.canonical() for finding in findings]}
    )
    if outcome.run.state == "failed" or any(record.state is State.DENIED for record in outcome.proposals):
        raise SystemExit(Refused.exit_code)
