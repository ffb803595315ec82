"""Incidents: what happened, with plots, suspects and citations that open their evidence; printed as a post-mortem.

Rules: a picture is an image of its own address, where nothing in it could act; its values stand in a table behind it.
"""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.channels.overview import data, incidents

router: Final = APIRouter(include_in_schema=False)


@router.get("/incidents")
def show(request: Request, visitor: Who, reader: Reads) -> Response:
    """List incidents."""
    found, proposed = incidents.listed(reader), data.proposed(reader, "incident")
    return site_of(request).page(request, "incidents.html", visitor, incidents=found, proposed=proposed)


@router.get("/incidents/{run}")
def one(request: Request, visitor: Who, reader: Reads, run: str) -> Response:
    """Show one incident."""
    return site_of(request).page(request, "incident.html", visitor, incident=incidents.incident(reader, run))


@router.get("/incidents/{run}/{picture}.svg")
def drawn(reader: Reads, run: str, picture: str) -> Response:
    """Give a picture."""
    plot = incidents.picture(reader, run, picture)
    return Response(plot.svg, 200, media_type="image/svg+xml")
