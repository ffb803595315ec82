"""What whoever is in may read: every page, every answer of the API and every stream asks here.

Rules: an endpoint that shows something of runs, proposals, evidence or the log takes a ``Reader``, as a parameter, of
who sends the request and of this moment; what they may not read is answered like what is not there.
"""

import dataclasses
from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from twokey.channels.card import Card
from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import Site, site_of
from twokey.core.errors import NotFound
from twokey.core.values import Identity
from twokey.tools.reading import Reader
from twokey.tools.withholding import described


def reader_of(request: Request, visitor: Who) -> Reader:
    """Give what the sender of a request may read now."""
    return site_of(request).workspace.reader(visitor.identity.principal)


def still(site: Site, visitor: Visitor) -> Reader:
    """Give what somebody whose page is open may read by now; raises ``NotFound`` for who is no more."""
    principal = site.workspace.directory.principal(visitor.name)
    if principal is None:
        raise NOTHING
    return site.workspace.reader(principal)


Reads = Annotated[Reader, Depends(reader_of)]
"""What whoever sends a request may read, as a parameter of an endpoint."""
NOTHING: Final = NotFound("There is nothing here.", next="Go back to the inbox.")


def card_of(site: Site, reader: Reader, name: str, viewer: Identity | None) -> Card:
    """Give the card of a proposal that ``reader`` may read, and record that ``viewer`` was shown it."""
    card = site.service.card(reader.find(name).id, viewer)
    card = dataclasses.replace(card, evidence=described(reader, card.proposal.requester, card.evidence))
    successor = card.around.successor
    if successor is None:
        return card
    with reader.ledger.look() as connection:
        seen = reader.among(connection, [successor])
    return card if seen else dataclasses.replace(card, around=dataclasses.replace(card.around, successor=None))


def figures(reader: Reader) -> None:
    """Check that somebody may read figures of the whole workspace; raises ``NotFound``."""
    if not reader.reads_figures:
        raise NOTHING
