"""``approvals edit``: something else in the place of parts of a proposed change of a ticket, before it is answered."""

from typing import Annotated, Any, Final

import typer

from twokey.channels.cli.session import SESSION

_EMPTY: Final[dict[str, Any]] = {"labels": (), "priority": "", "assignees": (), "comment": "", "checklist": ()}
_PARTS: Final = (*_EMPTY, "duplicate")


def edit(  # the parts of a change, each an option
    proposal: Annotated[str, typer.Argument(help="Id of the proposal, or its beginning.")],
    *,
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A label to put on, instead of those proposed. Repeatable.")
    ] = None,
    priority: Annotated[str | None, typer.Option(metavar="LABEL", help="The label that says how urgent it is.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option(metavar="PERSON", help="Who is assigned, instead of those proposed. Repeatable.")
    ] = None,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="What the comment says.")] = None,
    ask: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A line of the checklist, instead of those. Repeatable.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="PART", help=f"Leave out one of: {', '.join(_PARTS)}. Repeatable.")
    ] = None,
    digest: Annotated[str | None, typer.Option(help="Digest (or its beginning) of what is edited.")] = None,
) -> None:
    """Change what a waiting proposal would do to a ticket. It becomes a proposal of yours, which others approve."""
    from twokey.channels.cli.following import follow
    from twokey.channels.wiring import opened
    from twokey.core.errors import BadInput
    from twokey.tools.write import ticket_edit

    named = {"labels": label, "priority": priority, "assignees": assign, "comment": comment, "checklist": ask}
    parts = {name: value for name, value in named.items() if value is not None}
    dropped = {name: _EMPTY[name] for name in without or () if name in _EMPTY}
    if not parts and not without:
        raise BadInput("Nothing is named that should be different.", next="See `twokey approvals edit --help`.")
    if set(without or ()) - set(_PARTS):
        raise BadInput("There is no such part to leave out.", next=f"Name one of: {', '.join(_PARTS)}.")
    if set(parts) & set(dropped):
        raise BadInput("A part is given and left out at once.", next="Name each part once.")
    with opened(SESSION.workspace) as workspace:
        identity, _ = workspace.identify(SESSION.principal, "cli")
        record = workspace.service.card(proposal, identity).record
        if digest is not None and (len(digest) < 8 or not record.digest.startswith(digest)):
            raise BadInput(
                "The digest given is not the digest of this proposal.",
                next="Look at the card again with `twokey approvals show ID`.",
                code="digest_differs",
            )
        wanted = ticket_edit.read(
            record.id, record.digest, parts | dropped, repeats_nothing="duplicate" in (without or ())
        )
        follow(lambda tell: workspace.edit(identity, wanted, tell))
