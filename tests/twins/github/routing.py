"""How the parts of the twin say which paths they serve."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twins.github.world import Grant, Repository, World

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass
class Asked:
    """One request that was understood, by somebody who may make it."""

    method: str
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    grant: Grant | None

    @property
    def body(self) -> dict[str, Any]:
        found = json.loads(self.raw) if self.raw else {}
        if not isinstance(found, dict):
            raise Refusal(422, "Invalid request. For 'properties/body', it is not an object.")
        return found

    def text(self, name: str) -> str | None:
        value = self.body.get(name)
        return value if isinstance(value, str) else None


@dataclass
class Answer:
    """A reply. ``schema`` names what fills it up; a list is filled item by item."""

    status: int
    value: Any = None
    schema: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """GitHub says no."""

    def __init__(
        self, status: int, message: str, *errors: dict[str, str], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.answer = Answer(
            status,
            {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
            | ({"errors": list(errors)} if errors else {}),
            headers=headers or {},
        )


Handler = Callable[[World, Repository, Asked], Answer]
ROUTES: dict[tuple[str, str], tuple[Any, str | None]] = {}
"""Method and template -> handler, and the permission that it takes (``contents:write``), ``app`` or ``None``."""


def route(method: str, template: str, needs: str | None) -> Callable[[Any], Any]:
    """Serve a path."""

    def add(handler: Any) -> Any:
        ROUTES[method, template] = (handler, needs)
        return handler

    return add


def invalid(resource: str, field_name: str, code: str, message: str = "") -> Refusal:
    """GitHub's ``Validation Failed``."""
    error = {"resource": resource, "field": field_name, "code": code} | ({"message": message} if message else {})
    return Refusal(422, "Validation Failed", error)


def paged(asked: Asked, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """Cut one page out of a list and say whether there is more."""
    size = min(int(asked.query.get("per_page", "30")), 100)
    page = int(asked.query.get("page", "1"))
    found = items[(page - 1) * size : page * size]
    more = page * size < len(items)
    return found, ({"Link": f'<https://api.github.com/next?page={page + 1}>; rel="next"'} if more else {})
