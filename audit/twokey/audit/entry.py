"""One event as the bytes that the tree covers, and back.

Rules: an entry is the canonical JSON of ``{"v","id","time_us","workspace","event"}``, at most 65,535 bytes (the length
that a C2SP ``tlog-tiles`` bundle can hold). Decoding refuses an unknown version, kind or field, and any value that
would be written differently: what is read back is what was written, byte for byte.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError

from twokey.core import canonical, events
from twokey.core.canonical import NotCanonicalError
from twokey.core.errors import CheckFailed
from twokey.core.events import Event
from twokey.core.values import EntryId, Instant, Value, WorkspaceId

MAX_BYTES: Final = 65_535


class Entry(Value):
    """One event with its place in the world: an id, the writer's clock and the workspace."""

    v: Literal["twokey/entry/v1"] = "twokey/entry/v1"
    id: EntryId
    time_us: Instant
    """The writer's wall clock, in microseconds since 1970-01-01T00:00:00Z. Information, not order: ``seq`` is order."""
    workspace: WorkspaceId
    event: Annotated[Event, Field(discriminator="kind")]

    @property
    def kind(self) -> str:
        """What kind of event it is."""
        return self.event.kind

    @property
    def subject(self) -> str:
        """The id under which the log indexes the entry."""
        return events.subject(self.event)

    def encode(self) -> bytes:
        """Give the canonical bytes.

        Raises:
            CheckFailed: the entry takes more than 65,535 bytes.

        """
        body = self.encoded()
        if len(body) > MAX_BYTES:
            raise CheckFailed(
                f"An event of kind {self.kind} takes {len(body)} bytes; an entry of the log has {MAX_BYTES} at most.",
                next="Record fewer items in one event; contents belong in the evidence store.",
            )
        return body

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read an entry back.

        Raises:
            CheckFailed: the bytes are no entry in canonical form, or of a version or kind unknown here.

        """
        if len(body) > MAX_BYTES:
            raise _unreadable(f"it has {len(body)} bytes, more than {MAX_BYTES}")
        try:
            entry = cls.model_validate(canonical.decode(body))
        except NotCanonicalError as error:
            raise _unreadable(str(error)) from error
        except ValidationError as error:
            # Types of faults are pydantic's own words; places and inputs come from outside and are not repeated.
            faults = {fault["type"] for fault in error.errors(include_input=False, include_url=False)}
            raise _unreadable(f"its fields do not fit ({', '.join(sorted(faults))})") from error
        # A later version may add a field with a default, so only what was written is compared.
        if canonical.encode_plain(entry.model_dump(mode="json", exclude_unset=True)) != body:
            raise _unreadable("a value is not of its own type")
        return entry


def _unreadable(why: str) -> CheckFailed:
    return CheckFailed(
        f"An entry of the audit log cannot be read: {why}.",
        next="Run `twokey audit verify`; if the log is intact, a newer version of Twokey wrote this entry.",
    )
