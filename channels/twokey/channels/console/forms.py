"""What a form or a script of a page sends, read within bounds and taken only with the session's token.

Rules: a form is ``application/x-www-form-urlencoded`` or a JSON object of texts, of 64 KiB at most; a field of a form
comes once; without the token of the session that sends it nothing is taken from a browser.
"""

import hmac
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends
from pydantic import TypeAdapter
from starlette.requests import Request

from twokey.channels.console.sessions import Who, token_of
from twokey.core.errors import BadInput, Refused

MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 200
_FIELDS: Final[TypeAdapter[dict[str, str]]] = TypeAdapter(dict[str, str])
TOKEN: Final = "csrf"  # noqa: S105 - the name of a field


async def fields(request: Request) -> Mapping[str, str]:
    """Read what was sent; raises ``BadInput``."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise _unusable("It is too large.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        return _parsed(kind, body.decode("utf-8"))
    except ValueError:
        raise _unusable("It is damaged.") from None


def _parsed(kind: str, text: str) -> Mapping[str, str]:
    if kind == "application/x-www-form-urlencoded":
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    elif kind == "application/json":
        pairs = list(_FIELDS.validate_json(text, strict=True).items())
    else:
        raise ValueError
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def checked(request: Request, visitor: Who, sent: Annotated[Mapping[str, str], Depends(fields)]) -> Mapping[str, str]:
    """Give what somebody who is in has sent; raises ``Refused`` without the token of their session.

    A program that shows its own token in a header needs no other: a page of another site cannot send one.
    """
    if token_of(request.url.path, request.headers) is not None:
        return sent
    if not hmac.compare_digest(sent.get(TOKEN, "").encode(), visitor.csrf.encode()):
        raise Refused(
            "This form belongs to another session.", next="Open the page again and repeat it.", code="other_session"
        )
    return sent


def _unusable(why: str) -> BadInput:
    return BadInput(f"What was sent cannot be used. {why}", next="Open the page again and repeat it.", code="bad_form")


Sent = Annotated[Mapping[str, str], Depends(fields)]
"""What anybody sent."""
Form = Annotated[Mapping[str, str], Depends(checked)]
"""What somebody who is in sent, with the token of their session."""
