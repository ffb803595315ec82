"""Posts what Twokey has to say on GitHub, once, and keeps it up to date.

Rules: what is said is made of codes and states at the moment of posting; a message goes to a repository that is a place
of the workspace and nowhere else; it is found again by its id in a comment of Twokey's own account.
"""

import re
from typing import Final, Protocol

from twokey.channels.github.house import House
from twokey.channels.github.notices import escalated, notice, progress
from twokey.core.errors import BadInput
from twokey.tools.forum import Forum

_PLACE: Final = re.compile(r"([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})#([1-9][0-9]{0,9})")


class Message(Protocol):
    """A message that is to be shown. ``id`` is its marker."""

    @property
    def id(self) -> str:
        """``m-...``."""
        ...

    @property
    def place(self) -> str:
        """``OWNER/REPO#NUMBER``."""
        ...

    @property
    def purpose(self) -> str:
        """What it says: ``progress:RUN``, ``escalated:PROPOSAL.STEP.WHO`` or ``notice:CODE``."""
        ...


class Poster:
    """Posts comments."""

    def __init__(self, house: House) -> None:
        self._house = house

    def find(self, message: Message) -> str | None:
        """Look for a message by its marker."""
        forum, number = self._at(message)
        return forum.find(number, message.id)

    def post(self, message: Message) -> str:
        """Render and post a message with its marker."""
        forum, number = self._at(message)
        return forum.say(number, self._words(message), message.id)

    def update(self, message: Message, remote: str) -> None:
        """Render a message anew and put it in the place of what stands there."""
        forum, _ = self._at(message)
        forum.edit(remote, self._words(message), message.id)

    def _at(self, message: Message) -> tuple[Forum, int]:
        found = _PLACE.fullmatch(message.place)
        location = self._house.location(found[1]) if found else None
        if found is None or location is None:
            raise BadInput("That is no place of this workspace.", next="Nothing is to be done.", code="no_place")
        return self._house.forum(location), int(found[2])

    def _words(self, message: Message) -> str:
        what, _, about = message.purpose.partition(":")
        if what == "progress":
            return progress(*self._house.work.outcome(about))
        if what == "escalated":
            return escalated(about)
        code, _, number = about.partition(".")
        return notice(code, number)
