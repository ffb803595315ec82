"""Coming in by a one-time link, and leaving.

Rules
- The link's key stays in the browser. The browser makes a key of its own, and both sign what this process offers: who,
  which key, until when. Only then is there a session, with a secret that nobody had before.
- An offer is good for one attempt (``offers``); a link is used up by the session it leads to.
- Who is led on after coming in is led to a path of this site.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from twokey.channels.console.forms import Form, Sent
from twokey.channels.console.offers import Offer
from twokey.channels.console.sessions import Maybe, Who, drop_cookie, set_cookie
from twokey.channels.console.site import Site, site_of
from twokey.channels.passes import PATH, digest_of, new_secret
from twokey.core import canonical
from twokey.core.errors import BadInput
from twokey.core.events import SessionOpened
from twokey.core.values import PublicKey, Signature
from twokey.tools.identity import fingerprint
from twokey.tools.sessions import opening

router: Final = APIRouter(include_in_schema=False)
_KEY: Final[TypeAdapter[str]] = TypeAdapter(PublicKey)
_SIGNATURE: Final[TypeAdapter[str]] = TypeAdapter(Signature)


def led_to(path: str) -> str:
    """Give the path to go on to; the inbox where it is none of this site's."""
    return path if PATH.fullmatch(path) else "/inbox"


@router.get("/login")
def show(request: Request, visitor: Maybe, next: str = "/inbox") -> Response:  # noqa: A002 - the name in the address
    """Show how to come in; the link's key is handled by the page's script."""
    return site_of(request).page(request, "login.html", visitor, next=led_to(next))


@router.post("/login/offer")
def offer(request: Request, sent: Sent) -> Response:
    """Offer a session for a link's key and a browser's key."""
    site = site_of(request)
    pass_key, key = _checked(_KEY, sent, "pass_key"), _checked(_KEY, sent, "key")
    given = site.workspace.sessions.find_pass(pass_key)
    secret, now = new_secret(), site.clock.now_us()
    opened = SessionOpened(
        principal=given.principal,
        auth=given.order.auth,
        session=fingerprint(key),
        secret=digest_of(secret),
        at_us=now,
        until_us=now + site.workspace.config.console.session_hours * 3_600_000_000,
        order=given.order,
        pass_key=pass_key,
        key=key,
    )
    site.offers.put(Offer(opened, secret))
    text = canonical.encode(opening(opened, site.workspace.config.workspace.id)).decode("ascii")
    return JSONResponse({"principal": opened.principal, "session": opened.session, "opening": text})


@router.post("/login/open")
def enter(request: Request, sent: Sent) -> Response:
    """Open the session that was offered, and give its cookie."""
    site = site_of(request)
    offered = site.offers.take(sent.get("session", ""))
    signed = {name: _checked(_SIGNATURE, sent, name) for name in ("signature", "possession")}
    opened = SessionOpened.model_validate(offered.opened.model_dump() | signed)
    site.workspace.sessions.open(opened)
    answer = JSONResponse({"principal": opened.principal, "next": led_to(sent.get("next", ""))})
    set_cookie(answer, opened, offered.secret, secure=secure(site))
    return answer


@router.post("/logout")
def leave(request: Request, visitor: Who, _: Form) -> Response:
    """End the session."""
    site = site_of(request)
    site.door.leave(visitor)
    answer = RedirectResponse("/login", 303)
    drop_cookie(answer, secure=secure(site))
    return answer


def secure(site: Site) -> bool:
    """Tell whether cookies are for TLS only."""
    return site.public.startswith("https://")


def _checked(kind: TypeAdapter[str], sent: Mapping[str, str], name: str) -> str:
    try:
        return kind.validate_python(sent.get(name))
    except ValidationError:
        raise BadInput("What the browser sent cannot be used.", next="Open the link again.", code="bad_form") from None
