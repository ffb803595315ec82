"""Taking past decisions again from the policy page: begin, watch, stop, read.

Rules: nothing is put in force here; only bundles that the settings name can be chosen; one replay runs at a time in
this process, and everybody who is in sees it but who reads only their own; of the changed decisions each reader is
shown those about what they may read.
"""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads, figures
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.channels.console.streaming import news
from twokey.channels.overview import replays
from twokey.tools.reading import Reader

router: Final = APIRouter(include_in_schema=False)


@router.get("/policy/replay")
def show(request: Request, visitor: Who, reader: Reads) -> Response:
    """Show how the replay stands, or what the last one found."""
    figures(reader)
    site = site_of(request)
    shown = replays.for_reader(site.replays.last, reader)
    if request.headers.get("x-part") == "yes":
        return HTMLResponse(site.render("replay_story.html", replay=shown))
    return site.page(request, "replay.html", visitor, replay=shown, choices=site.replays.names)


@router.get("/policy/replay/news")
def told(request: Request, visitor: Who, reader: Reads) -> Response:
    """Tell whenever the replay stands elsewhere."""
    figures(reader)
    site = site_of(request)

    def look(now: Reader) -> dict[str, Any]:
        figures(now)
        last = site.replays.last
        return {"stamp": last.stamp, "state": last.stage}

    return news(request, site, visitor, look)


@router.post("/policy/replay")
def begin(request: Request, visitor: Who, reader: Reads, form: Form) -> Response:
    """Begin a replay; where one runs, that one is shown."""
    figures(reader)
    site_of(request).replays.begin(form.get("bundle", ""), form.get("span", ""), visitor.name)
    return RedirectResponse("/policy/replay", 303)


@router.post("/policy/replay/stop")
def stop(request: Request, reader: Reads, _: Form) -> Response:
    """Stop the replay that runs."""
    figures(reader)
    site_of(request).replays.cancel()
    return RedirectResponse("/policy/replay", 303)
