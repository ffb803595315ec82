"""Taking past decisions again from the policy page: begin, watch, stop, read.

Rules: nothing is put in force here; only bundles that the settings name can be chosen; one replay runs at a time in
this process, and everybody who is in sees it.
"""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from twokey.channels.console.forms import Form
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.channels.console.streaming import news

router: Final = APIRouter(include_in_schema=False)


@router.get("/policy/replay")
def show(request: Request, visitor: Who) -> Response:
    """Show how the replay stands, or what the last one found."""
    site = site_of(request)
    if request.headers.get("x-part") == "yes":
        return HTMLResponse(site.render("replay_story.html", replay=site.replays.last))
    return site.page(request, "replay.html", visitor, replay=site.replays.last, choices=site.replays.names)


@router.get("/policy/replay/news")
def told(request: Request, _: Who) -> Response:
    """Tell whenever the replay stands elsewhere."""
    site = site_of(request)

    def look() -> dict[str, Any]:
        last = site.replays.last
        return {"stamp": last.stamp, "state": last.stage}

    return news(request, site, look)


@router.post("/policy/replay")
def begin(request: Request, visitor: Who, form: Form) -> Response:
    """Begin a replay; where one runs, that one is shown."""
    site_of(request).replays.begin(form.get("bundle", ""), form.get("span", ""), visitor.name)
    return RedirectResponse("/policy/replay", 303)


@router.post("/policy/replay/stop")
def stop(request: Request, _: Who, __: Form) -> Response:
    """Stop the replay that runs."""
    site_of(request).replays.cancel()
    return RedirectResponse("/policy/replay", 303)
