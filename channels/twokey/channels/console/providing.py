"""Coming in by way of an OpenID Connect provider.

Rules: whoever the provider proves to be linked to a principal is in as that principal, and everybody else is nobody; a
stranger may ask to be somebody, which that person confirms with their own key; no stranger learns who there is.
"""

import hmac
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from twokey.channels.console.entering import led_to, secure
from twokey.channels.console.forms import Sent
from twokey.channels.console.oidc import Provider
from twokey.channels.console.sessions import set_cookie
from twokey.channels.console.site import Site, site_of
from twokey.channels.passes import digest_of, new_secret
from twokey.core.errors import BadInput, NotFound, Refused
from twokey.core.events import SessionOpened
from twokey.tools.links import UNTOLD

router: Final = APIRouter(include_in_schema=False)
COOKIE: Final = "twokey_oidc"
AGE_S: Final = 600


def _provider(site: Site) -> Provider:
    if site.provider is None:
        raise NotFound("No provider is set up here.", next="Come in by a one-time link.")
    return site.provider


@router.get("/login/oidc")
def begin(request: Request, next: str = "/inbox") -> Response:  # noqa: A002 - the name in the address
    """Send somebody to the provider."""
    site = site_of(request)
    begun = _provider(site).begin(led_to(next))
    answer = RedirectResponse(begun.address, 303)
    answer.set_cookie(
        COOKIE, begun.cookie, max_age=AGE_S, path="/login/oidc", secure=secure(site), httponly=True, samesite="lax"
    )
    return answer


@router.get("/login/oidc/callback")
def back(request: Request, state: str = "", code: str = "", iss: str | None = None) -> Response:
    """Let somebody in who comes back from the provider."""
    site = site_of(request)
    person = _provider(site).finish(state=state, code=code, issuer=iss, cookie=request.cookies.get(COOKIE, ""))
    principal = site.workspace.linking.links.principal(person.external)
    if principal is None:
        ticket = f"{person.external}.{_proof(site, person.external)}"
        return site.page(request, "stranger.html", None, external=person.external, ticket=ticket, asked=False)
    secret, now = new_secret(), site.clock.now_us()
    opened = SessionOpened(
        principal=principal.name,
        auth="oidc",
        session=digest_of(new_secret())[:16],
        secret=digest_of(secret),
        at_us=now,
        until_us=now + site.workspace.config.console.session_hours * 3_600_000_000,
        external=person.external,
    )
    site.workspace.sessions.open(opened)
    answer = RedirectResponse(person.path, 303)
    set_cookie(answer, opened, secret, secure=secure(site))
    answer.delete_cookie(COOKIE, path="/login/oidc")
    return answer


@router.post("/login/oidc/ask")
def ask(request: Request, sent: Sent) -> Response:
    """Take a stranger's word that they are somebody; that person has to confirm it."""
    site = site_of(request)
    external, _, proof = sent.get("ticket", "").partition(".")
    if not hmac.compare_digest(proof.encode(), _proof(site, external).encode()):
        raise BadInput("This form is none of ours, or too old.", next="Come in again.", code="bad_form")
    try:
        site.workspace.linking.links.ask(
            external, sent.get("name", ""), "console", lambda code: site.workspace.rejections.count("console", code)
        )
    except Refused as refusal:
        if refusal.code not in UNTOLD:
            raise
    return site.page(request, "stranger.html", None, external=external, ticket="", asked=True)


def _proof(site: Site, external: str) -> str:
    """Prove to this process that the provider named somebody to it."""
    return hmac.new(site.own_secret.encode(), external.encode(), "sha256").hexdigest()
