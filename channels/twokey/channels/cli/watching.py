"""``incident watch``: follows an incident and keeps proposing how things stand, until it is over."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from twokey.channels.cli.session import SESSION

if TYPE_CHECKING:
    from twokey.channels.watching import Round
    from twokey.core.values import Finding


def watch(
    which: Annotated[
        str, typer.Argument(metavar="BUNDLE|ID", help="Folder of an incident bundle, or the id of an incident.")
    ],
    *,
    every: Annotated[int, typer.Option(min=5, max=3600, metavar="SECONDS", help="How often to look.")] = 60,
    rounds: Annotated[int | None, typer.Option(min=1, metavar="N", help="Look so many times at most.")] = None,
) -> None:
    """Follow an incident, and propose updates of its ticket. Ctrl-C ends it."""
    from twokey.channels.cli.following import as_json, tell
    from twokey.channels.watching import Told, Watching
    from twokey.channels.wiring import opened
    from twokey.core.errors import Refused

    stopped = threading.Event()
    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(SESSION.principal, "cli")
        service = workspace.service

        def told(*, looks_only: bool) -> Told:
            outcome = workspace.incident(identity, which, tell, looks_only=looks_only)
            return outcome, service.findings(outcome.run.id)

        def withdraw(proposal: str) -> None:
            service.answer(identity, credential, action="withdraw", proposal=proposal, tell=None)

        watching = Watching(
            look=lambda: told(looks_only=True),
            propose=lambda: told(looks_only=False),
            state=lambda proposal: service.find(proposal).state,
            withdraw=withdraw,
            pause=lambda: stopped.wait(every),
        )
        last: Round | None = None
        try:
            for last in watching.rounds(rounds):
                found = service.findings(last.outcome.run.id) if last.proposed else ()
                _tell(last, found)
                if last.number == 1 and not last.over and rounds != 1:
                    SESSION.say(f"looks again every {every} s while this terminal is open; Ctrl-C ends it")
                    SESSION.say("unattended: triggers.NAME.follow_minutes in twokey.toml, and `twokey worker`")
        except KeyboardInterrupt:
            SESSION.say("no longer watched; what was proposed waits for people")
        if last is None:
            return
        SESSION.give(as_json(last.outcome) | {"rounds": last.number, "over": last.over})
    if last.failed:
        raise SystemExit(Refused.exit_code)


def _tell(seen: "Round", findings: "Sequence[Finding]") -> None:
    """Say what one look came to."""
    from twokey.channels import plain
    from twokey.channels.incident_report import lines

    for proposal in seen.withdrawn:
        SESSION.say(f"withdrawn {proposal}: a newer update takes its place")
    if seen.proposed:
        for text in lines(seen.outcome, findings):
            SESSION.say(text)
    elif seen.failed:
        SESSION.say(f"round {seen.number}: it could not be looked at ({plain.line(seen.outcome.run.code)})")
    else:
        SESSION.say(f"round {seen.number}: nothing new")
    if seen.over:
        SESSION.say("the incident is over")
