"""The kill switch: anybody may stop every write, owners of the controls let them go on.

Rules: who came in by key signs the order in the browser; it is checked that what was signed is what the form says; the
gate decides, as everywhere.
"""

import json
from typing import Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twokey.channels.console.forms import Form
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.core import canonical
from twokey.core.errors import BadInput
from twokey.core.values import GivenOrder, Order

router: Final = APIRouter(include_in_schema=False)
LONGEST_REASON: Final = 1000


@router.get("/freeze")
def show(request: Request, visitor: Who) -> Response:
    """Show whether writes are stopped, and the button."""
    site = site_of(request)
    code, last = site.workspace.controls.stopped()
    owner = bool(set(visitor.identity.principal.groups) & set(site.workspace.config.controls.owners))
    return site.page(request, "freeze.html", visitor, code=code, last=last, owner=owner)


@router.post("/freeze/order")
def order(request: Request, visitor: Who, form: Form) -> Response:
    """Give what the browser has to sign."""
    on, reason = _meant(form.get("turn", ""), form.get("reason", ""))
    made = site_of(request).workspace.controls.freeze_order(visitor.identity, on=on, reason=reason)
    return JSONResponse({"order": canonical.encode(made.canonical()).decode("ascii")})


@router.post("/freeze")
def turn(request: Request, visitor: Who, form: Form) -> Response:
    """Turn the kill switch."""
    controls = site_of(request).workspace.controls
    on, reason = _meant(form.get("turn", ""), form.get("reason", ""))
    if visitor.signs:
        try:
            said = Order.model_validate(json.loads(form.get("order", "")))
            given = GivenOrder(statement=said, auth="key", key=visitor.session.session, signature=form.get("signature"))
        except (ValidationError, ValueError, RecursionError):
            raise BadInput("What was signed cannot be read.", next="Open the page again.", code="bad_order") from None
        if (said.order, said.principal) != ("freeze_on" if on else "freeze_off", visitor.name):
            raise BadInput("What was signed is another order.", next="Open the page again.", code="other_statement")
        turned = controls.freeze_signed(visitor.identity, given, reason=reason)
    else:
        turned = controls.freeze(visitor.identity, None, on=on, reason=reason)
    return JSONResponse({"freeze": turned.is_on})


def _meant(turn: str, reason: str) -> tuple[bool, str]:
    if turn not in {"on", "off"} or len(reason) > LONGEST_REASON:
        raise BadInput("The switch is turned on or off.", next="Open the page again.", code="bad_order")
    return turn == "on", reason.strip()
