"""What is read of a delivery: little, and nothing of it is believed.

Rules: an event of any kind can be read; what is missing is missing, what is new is passed over, and only JSON that is
no object is unreadable. A delivery says where to look; who wrote what, and what became of a pull request, is asked of
GitHub itself.
"""

import json
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

KINDS: Final = frozenset(
    {
        "installation",
        "installation_repositories",
        "issue_comment",
        "issues",
        "ping",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
    }
)
"""Kinds of events that something follows from."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Sender(_Part):
    """Who caused an event."""

    id: int = 0
    type: str = ""


class Project(_Part):
    """Where it happened."""

    full_name: str = ""


class Numbered(_Part):
    """An issue or a pull request."""

    number: int = 0


class Written(_Part):
    """A comment or a review."""

    id: int = 0
    body: str | None = None
    user: Sender | None = None
    state: str = ""


class Event(_Part):
    """A delivery."""

    action: str = ""
    sender: Sender | None = None
    repository: Project | None = None
    issue: Numbered | None = None
    pull_request: Numbered | None = None
    comment: Written | None = None
    review: Written | None = None

    @property
    def number(self) -> int:
        """The issue or pull request that it is about; 0 where there is none."""
        about = self.pull_request or self.issue
        return about.number if about else 0


def read(body: bytes) -> Event | None:
    """Read a delivery; ``None`` where it cannot be read."""
    try:
        value: Any = json.loads(body)
        return Event.model_validate(value)
    except (ValueError, RecursionError, ValidationError):
        return None
