"""Files that browsers get as they are: styles and scripts."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from twokey.channels.console.site import site_of
from twokey.core.errors import NotFound

router: Final = APIRouter(include_in_schema=False)


@router.get("/assets/{name:path}")
def asset(request: Request) -> Response:
    """Give a file; its address names its content, so it never changes."""
    found = site_of(request).asset(request.url.path)
    if found is None:
        raise NotFound("There is no such file.", next="Open the page again.")
    return Response(found.body, 200, {"cache-control": "public, max-age=31536000, immutable"}, found.media_type)
