"""``approvals``: the cards that wait, and the answers to them."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twokey.channels.cli import batches, editing
from twokey.channels.cli.session import SESSION

if TYPE_CHECKING:
    from twokey.agents.triage.escalating import Due
    from twokey.channels.card import Card
    from twokey.core.values import Action


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="See what waits for people, and answer it.")
    group.command("list")(list_)
    group.command("show")(show)
    group.command("batch")(batches.batch)
    group.command("approve")(approve)
    group.command("refuse")(refuse)
    group.command("edit")(editing.edit)
    group.command("withdraw")(withdraw)
    group.command("confirm")(confirm)
    group.command("revert")(revert)
    app.add_typer(group, name="approvals")


Id = Annotated[str, typer.Argument(help="Id of the proposal, or its beginning.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Id of the proposal, or its beginning.")]
Batch = Annotated[
    str | None, typer.Option(metavar="DIGEST", help="Answer exactly the cards that were shown as this batch.")
]
Digest = Annotated[str | None, typer.Option(help="Digest (or its beginning) that the answer is for.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")]


def list_(*, everything: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False) -> None:
    """List the proposals that wait."""
    from twokey.channels import card, plain
    from twokey.channels.rendering.cards import needed
    from twokey.channels.rendering.terminal import as_text
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        records = workspace.service.waiting(everything=everything)
        stopped, _ = workspace.controls.stopped()
        overdue = workspace.escalations.overdue(records)
    if stopped is not None:
        SESSION.say(f"Writes are stopped ({stopped}): see `twokey freeze`.")
    for record in records:
        SESSION.say(
            f"{record.id}  {record.state.value:<18} {record.proposal.tool:<18} {record.proposal.requester:<10} "
            f"{plain.line(record.proposal.target.id, 60)} · {as_text(needed(record.decision))}"
        )
        late = overdue.get(record.id)
        if late is not None:
            asked = plain.line(f"{late.who or 'nobody who is there'} of {late.team}", 80)
            SESSION.say(f"{'':<14}  ! nobody answered in time: {asked} is asked")
    if not records:
        SESSION.say("Nothing waits.")
    SESSION.give(
        {
            "proposals": [
                {
                    "id": record.id,
                    "digest": record.digest,
                    "state": record.state.value,
                    "tool": record.proposal.tool,
                    "requester": record.proposal.requester,
                    "run": record.run,
                    "expires_at": card.moment(record.expires_us),
                    "overdue": _overdue(overdue.get(record.id)),
                }
                for record in records
            ],
            "stopped": stopped,
        }
    )


def _overdue(late: "Due | None") -> dict[str, Any] | None:
    if late is None:
        return None
    return {
        "step": late.level,
        "team": late.team,
        "asked": late.who,
        "since": late.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def show(
    proposal: Id, *, diff: Annotated[bool, typer.Option("--diff", help="The whole diff, not an excerpt.")] = False
) -> None:
    """Show the card of a proposal. Who asks, diff, evidence, rollback plan, policy's reasons, digest."""
    from twokey.channels import card
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity = workspace.viewer(SESSION.principal, "cli")
        shown = workspace.service.card(proposal, identity)
    _print(shown, whole_diff=diff)
    SESSION.give(card.as_json(shown))


def approve(proposal: Ids, *, digest: Digest = None, batch: Batch = None, yes: Yes = False) -> None:
    """Approve a proposal, or a batch. When enough people have, it is carried out."""
    _answer_all("approve", proposal, "", digest, batch, yes=yes)


def refuse(
    proposal: Ids,
    *,
    reason: Annotated[str, typer.Option(help="Why, for who asked.")] = "",
    digest: Digest = None,
    batch: Batch = None,
) -> None:
    """Refuse a proposal, or a batch."""
    _answer_all("refuse", proposal, reason, digest, batch, yes=True)


def withdraw(proposal: Id, *, digest: Digest = None) -> None:
    """Withdraw a proposal that you asked for."""
    _answer("withdraw", proposal, "", digest, yes=True)


def confirm(
    proposal: Id,
    *,
    written: Annotated[bool, typer.Option("--written/--not-written", help="What you saw at the target.")],
    reason: Annotated[str, typer.Option(help="How you know.")],
    digest: Digest = None,
) -> None:
    """Say how a write ended whose outcome is not known. Look at the target first."""
    _answer("confirm_written" if written else "confirm_not_written", proposal, reason, digest, yes=True)


def revert(proposal: Id) -> None:
    """Propose to undo a write that was carried out. Others approve it like any other proposal."""
    from twokey.channels.cli.following import follow
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        follow(lambda tell: workspace.revert(identity, proposal, tell))


def _answer_all(
    action: "Action", ids: list[str], reason: str, digest: str | None, batch: str | None, *, yes: bool
) -> None:
    """Answer one card, or the cards of one batch."""
    from twokey.core.errors import BadInput

    if batch is not None and digest is None:
        batches.answer(action, ids, batch, reason, yes=yes)
    elif batch is None and len(ids) == 1:
        _answer(action, ids[0], reason, digest, yes=yes)
    else:
        raise BadInput(
            "Several proposals are answered together only as the batch that they were shown in.",
            next="See the batches with `twokey approvals batch`, then answer with `--batch DIGEST`.",
            code="no_batch",
        )


def _answer(action: "Action", proposal: str, reason: str, digest: str | None, *, yes: bool) -> None:
    from twokey.channels import plain
    from twokey.channels.cli.following import tell
    from twokey.channels.wiring import opened
    from twokey.core.errors import Refused
    from twokey.core.lifecycle import State
    from twokey.tools.answers import MORE_NEEDED

    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(SESSION.principal, "cli")
        if not yes and not SESSION.as_json and sys.stdin.isatty():
            _print(workspace.service.card(proposal, identity), whole_diff=False)
            if not typer.confirm(f"Approve as {identity.principal.name}?"):
                raise Refused(
                    "You did not approve it; it still waits.",
                    next="Answer it when you are ready, or refuse it.",
                    code="not_confirmed",
                )
        result = workspace.service.answer(
            identity,
            credential,
            action=action,
            proposal=proposal,
            reason=reason,
            expected_digest=digest,
            tell=tell,
        )
        record = workspace.service.card(result.id, None).record
    SESSION.say(f"{result.id} is {result.state.value} ({result.code})")
    details: dict[str, Any] = record.result if isinstance(record.result, dict) else {}
    for key, value in details.items():
        SESSION.say(f"  {key}: {plain.line(str(value))}")
    if result.successor is not None:
        SESSION.say(f"  {result.successor} means the same there, and waits for an answer")
    more = {"successor": result.successor} if result.successor else {}
    SESSION.give({"id": result.id, "state": result.state.value, "code": result.code} | more)
    if action == "approve" and result.code != MORE_NEEDED and result.state not in {State.EXECUTING, State.DONE}:
        raise SystemExit(Refused.exit_code)  # the answer counted, and what it allowed did not come about


def _print(shown: "Card", *, whole_diff: bool) -> None:
    from twokey.channels.rendering.cards import card_document

    if not SESSION.as_json:
        SESSION.show(card_document(shown, whole=whole_diff, answering="commands"))
