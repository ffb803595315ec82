"""``freeze`` and ``break-glass``: stopping everything, and hurrying one thing."""

from typing import Annotated, Any, Literal

import typer

from twokey.channels.cli.session import SESSION
from twokey.core.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("freeze")(freeze)
    app.command("break-glass")(break_glass)


Reason = Annotated[str, typer.Option("--reason", help="Why, in your own words.")]


def freeze(
    turn: Annotated[Literal["on", "off", "status"], typer.Argument(help="on, off, or status.")] = "status",
    *,
    reason: Reason = "",
) -> None:
    """Stop every write that has not begun, or let writes go on. On all workers; reads are not stopped."""
    from twokey.channels import card, plain
    from twokey.channels.cli.following import tell
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        if turn != "status":
            identity, credential = workspace.identify(SESSION.principal, "cli")
            workspace.controls.freeze(identity, credential, on=turn == "on", reason=reason)
        code, last = workspace.controls.stopped()
        went_on = workspace.service.go_on(tell) if turn == "off" and code is None else []
    SESSION.say("Writes are stopped." if code else "Writes may go on.")
    if last is not None and last.principal is not None:
        why = f': "{plain.line(last.reason, 200)}"' if last.reason else ""
        turned = "on" if last.is_on else "off"
        SESSION.say(f"The kill switch was turned {turned} by {last.principal}, {card.moment(last.changed_us)}{why}")
    for result in went_on:
        SESSION.say(f"{result.id} is {result.state.value} ({result.code})")
    if code not in {None, "frozen"}:
        SESSION.say("The log does not bear out that the switch is off: run `twokey audit verify`.")
    SESSION.give(
        {
            "freeze": code is not None,
            "code": code or "off",
            "by": last.principal if last else None,
            "at": card.moment(last.changed_us) if last and last.principal else None,
            "reason": last.reason if last else "",
            "went_on": [{"id": result.id, "state": result.state.value, "code": result.code} for result in went_on],
        }
    )


def break_glass(  # one emergency
    proposal: Annotated[str | None, typer.Argument(help="Id of the proposal that cannot wait.")] = None,
    *,
    ticket: Annotated[str, typer.Option(help="The ticket of the emergency.")] = "",
    reason: Reason = "",
    minutes: Annotated[int, typer.Option(help="How long it lasts; 60 at most.")] = 60,
    listing: Annotated[bool, typer.Option("--list", help="Show what emergencies there were, and what is due.")] = False,
    review: Annotated[str | None, typer.Option(help="Id of an emergency that you have reviewed.")] = None,
) -> None:
    """Ask fewer people for one proposal, in an emergency. It is short and loud; somebody else reviews it afterwards."""
    from twokey.channels import card
    from twokey.channels.rendering.cards import needed
    from twokey.channels.rendering.terminal import as_text
    from twokey.channels.wiring import opened

    if [proposal is not None, review is not None, listing].count(True) != 1:
        raise BadInput(
            "Name a proposal, or give --list or --review ID.", next="See `twokey break-glass --help`.", code="usage"
        )
    with opened(SESSION.workspace) as workspace:
        if listing:
            _list(workspace.controls.emergencies())
            return
        identity, credential = workspace.identify(SESSION.principal, "cli")
        if review is not None:
            done = workspace.controls.review(identity, credential, glass=review, reason=reason)
            SESSION.say(f"{done.id} was reviewed by {done.reviewed_by}")
            SESSION.give({"id": done.id, "reviewed_by": done.reviewed_by})
            return
        made = workspace.controls.break_glass(
            identity, credential, proposal=str(proposal), ticket=ticket, reason=reason, minutes=minutes
        )
        record = workspace.service.card(made.proposal, None).record
    SESSION.say(f"EMERGENCY {made.id} for {made.proposal}, until {card.moment(made.until_us)}")
    SESSION.say(f"policy   {as_text(needed(record.decision))}")
    SESSION.say(f"review   due afterwards: twokey break-glass --review {made.id}")
    SESSION.give({"id": made.id, "proposal": made.proposal, "until": card.moment(made.until_us)})


def _list(emergencies: list[tuple[Any, bool]]) -> None:
    from twokey.channels import card, plain

    for record, used in emergencies:
        state = f"reviewed by {record.reviewed_by}" if record.reviewed_by else "REVIEW DUE" if used else "not used"
        SESSION.say(
            f"{record.id}  {record.proposal}  {record.principal:<12} until {card.moment(record.until_us)}  "
            f"{plain.line(record.ticket, 40)}  {state}"
        )
    if not emergencies:
        SESSION.say("There was no emergency.")
    SESSION.give(
        {
            "emergencies": [
                {
                    "id": record.id,
                    "proposal": record.proposal,
                    "by": record.principal,
                    "ticket": record.ticket,
                    "reason": record.reason,
                    "until": card.moment(record.until_us),
                    "used": used,
                    "reviewed_by": record.reviewed_by,
                }
                for record, used in emergencies
            ]
        }
    )
