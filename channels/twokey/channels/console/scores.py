"""The scorecard of a quarter, as a page and as CSV.

Rules: figures are those that ``scorecard.keeping`` keeps for a minute, and say as of when they are; they count the
whole workspace and name nothing in it, and who reads only their own does not read them.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from twokey.channels.console.seeing import Reads, figures
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.channels.scorecard import shown
from twokey.channels.scorecard.values import Quarter

router: Final = APIRouter(include_in_schema=False)
Asked = Annotated[str, Query(max_length=7)]


@router.get("/scorecard")
def show(request: Request, visitor: Who, reader: Reads, quarter: Asked = "") -> Response:
    """Show the figures of a quarter."""
    figures(reader)
    site = site_of(request)
    card = site.scores.of(quarter)
    now = Quarter.at(site.clock.now_us())
    quarters = [now]
    while len(quarters) < 8:
        quarters.append(quarters[-1].before)
    return site.page(request, "scorecard.html", visitor, card=card, quarters=quarters)


@router.get("/scorecard.csv")
def as_csv(request: Request, reader: Reads, quarter: Asked = "") -> Response:
    """Give the figures of a quarter as CSV."""
    figures(reader)
    card = site_of(request).scores.of(quarter)
    name = f'attachment; filename="scorecard-{card.quarter}.csv"'
    return Response(shown.as_csv(card), 200, {"content-disposition": name}, "text/csv; charset=utf-8")
