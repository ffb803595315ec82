"""``triage``: tickets looked at, and one change proposed for each that can be sorted."""

import re
from typing import Annotated, Final

import typer

from twokey.channels.cli.session import SESSION

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("triage")(triage)


def triage(
    issue: Annotated[
        list[str] | None, typer.Argument(metavar="[ISSUE]...", help="Tickets by key; without one, the new ones.")
    ] = None,
    *,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="The backlog: tickets changed on this day (UTC) or later.")
    ] = None,
    reliability: Annotated[
        bool, typer.Option("--reliability", help="What people made of what was proposed, and when the job speaks.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it to a worker and return at once.")] = False,
) -> None:
    """Sort tickets, and propose one change for each. What they are, whose, and whether they are known."""
    from twokey.channels.cli.following import as_json, follow, tell
    from twokey.channels.triage_report import lines
    from twokey.channels.wiring import opened
    from twokey.core.errors import Refused
    from twokey.core.lifecycle import State

    moment, keys = _since(since), tuple(issue or ())
    if reliability:
        _reliability(alone=not keys and since is None and not detach)
        return
    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        if detach:
            follow(lambda _: workspace.triage(identity, keys, moment, None), detach=True)
            return
        outcome, going_on = workspace.triage_on(identity, keys, moment, tell)
        findings = workspace.service.findings(outcome.run.id)
    for text in lines(outcome, findings, going_on):
        SESSION.say(text)
    SESSION.give(
        as_json(outcome)
        | {"findings": [finding.canonical() for finding in findings], "more_since": going_on and going_on["since"]}
    )
    if outcome.run.state == "failed" or any(record.state is State.DENIED for record in outcome.proposals):
        raise SystemExit(Refused.exit_code)


def _reliability(*, alone: bool) -> None:
    """Show how reliable the job has been; reads what is in the workspace, and no ticket."""
    from twokey.channels import triage_reliability as told
    from twokey.channels.wiring import opened
    from twokey.core.entropy import SystemClock
    from twokey.core.errors import BadInput

    if not alone:
        raise BadInput(
            "It is about all that was proposed.", next="Ask for `--reliability` by itself.", code="bad_input"
        )
    with opened(SESSION.workspace) as workspace:
        section = workspace.config.triage
        found = told.reliability(workspace.ledger, section.kinds, section.target, SystemClock().now_us())
    for text in told.lines(found):
        SESSION.say(text)
    SESSION.give(found.as_json())


def _since(text: str | None) -> str | None:
    from twokey.core.errors import BadInput

    if text is None or _MOMENT.fullmatch(text):
        return text
    if not _DAY.fullmatch(text):
        raise BadInput("That is no day.", next="Write it as 2026-11-30, or as 2026-11-30T09:00:00Z.", code="bad_date")
    return f"{text}T00:00:00Z"
