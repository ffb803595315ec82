"""``approvals batch``, and the answers to several cards at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from twokey.channels.cli.session import SESSION

if TYPE_CHECKING:
    from twokey.core.values import Action


def batch(
    proposal: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these; without one, all that can be.")
    ] = None,
) -> None:
    """Show the cards that may be answered together. Whole, with the digest that an answer names."""
    from twokey.channels import card
    from twokey.channels.rendering.batches import batch_document
    from twokey.channels.wiring import opened

    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        wanted = [proposal] if proposal else [[r.id for r in part] for part in workspace.batching.offered(identity)]
        shown = [workspace.batching.show(part, identity, "cli") for part in wanted]
    for item in shown:
        if not SESSION.as_json:
            SESSION.show(batch_document(item))
    if not shown:
        SESSION.say("Nothing waits that you may answer together with something else.")
    SESSION.give({"batches": [card.batch_as_json(item) for item in shown]})


def answer(action: "Action", proposals: Sequence[str], digest: str, reason: str, *, yes: bool) -> None:
    """Answer each card of a batch that was shown; ends with 1 where one of them was left out or not carried out."""
    import sys

    from twokey.channels.cli.following import tell
    from twokey.channels.wiring import opened
    from twokey.core.errors import Refused
    from twokey.core.lifecycle import State
    from twokey.tools.answers import MORE_NEEDED

    with opened(SESSION.workspace) as workspace:
        identity, credential = workspace.identify(SESSION.principal, "cli")
        if not yes and not SESSION.as_json and sys.stdin.isatty():
            asked = f"Approve these {len(proposals)} as {identity.principal.name}?"
            if not typer.confirm(asked):
                raise Refused(
                    "You did not approve them; they still wait.",
                    next="Answer them when you are ready, or refuse them.",
                    code="not_confirmed",
                )
        answered = workspace.batching.answer(
            identity, credential, action=action, digest=digest, proposals=proposals, reason=reason, tell=tell
        )
    for item in answered:
        if item.result is None:
            SESSION.say(f"{item.proposal} is left out ({item.code}): {item.why}")
        else:
            SESSION.say(f"{item.proposal} is {item.result.state.value} ({item.code})")
    SESSION.give({"batch": digest, "proposals": [item.as_json() for item in answered]})
    good = {State.DONE, State.EXECUTING, State.REFUSED}
    if any(item.result is None or (item.result.state not in good and item.code != MORE_NEEDED) for item in answered):
        raise SystemExit(Refused.exit_code)
