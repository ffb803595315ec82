"""What a channel takes over HTTP, free of any web framework.

Rules: an endpoint gets the bytes as they came, before anything is parsed, and authenticates them first; it raises
``NotAuthenticated`` where it cannot, stores what it takes, and answers at once. It is called in a thread of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from twokey.core.values import Channel

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request. Names of headers are in small letters; one that came twice holds both values, joined by a comma."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. ``body`` is plain text unless ``media_type`` says otherwise."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``max_bytes`` bounds the body of a request."""

    path: str
    endpoint: Callable[[Delivery], Reply]
    channel: Channel
    method: Literal["GET", "POST"] = "POST"
    max_bytes: int = MIB


@dataclass(frozen=True, slots=True)
class Served:
    """How an application is reached, once something listens."""

    address: str
    """``http://HOST:PORT``."""
    stopping: Callable[[], bool]
    """Whether the server is coming to its end: what is still being sent should end, too."""


Site: TypeAlias = Callable[[Served], Any]
"""Makes an ASGI application."""
