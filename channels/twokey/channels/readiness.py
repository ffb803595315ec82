"""Whether the controls that the workspace's profile demands were shown to hold, lately and under what is in force now.

Rules: a probe counts if its entry is included under a verified checkpoint, is not older than a day, was made by this
version of Twokey under the very policy and data that decide now, and every control that the profile in the settings
demands held. In production the database has to be encrypted now, whatever was shown. Whatever cannot be shown is not
so. Reading, refusing and withdrawing never ask.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from twokey.core.errors import CheckFailed, NotFound, Refused
from twokey.core.events import ControlsProbed
from twokey.core.ports import Clock, Revisions
from twokey.policies.controls import Profile, demanded, unmet
from twokey.tools.ledger import Ledger

DAY_US: Final = 24 * 3600 * 1_000_000
SKEW_US: Final = 60 * 1_000_000
CODE: Final = "controls_not_shown"
PROBED: Final = "controls.probed"


class Readiness:
    """Asks the log for the last probe."""

    def __init__(
        self,
        *,
        workspace: str,
        profile: Profile,
        encrypts: bool,
        ledger: Ledger,
        revisions: Callable[[], Revisions],
        clock: Clock,
    ) -> None:
        """``encrypts`` tells whether what the database holds of words and values is sealed."""
        self._encrypts = encrypts
        self._workspace = workspace
        self._profile: Profile = profile
        self._ledger = ledger
        self._revisions = revisions
        self._clock = clock

    def demand(self) -> None:
        """Go on only where the controls were shown to hold.

        Raises:
            Refused: they were not, and nothing may be written.

        """
        why = self.lacks()
        if why is not None:
            raise Refused(
                f"The profile {self._profile} writes nothing before its controls were shown to hold: {why}.",
                next="Run `twokey controls`.",
                code=CODE,
            )

    def lacks(self) -> str | None:
        """Say what is missing before anything may be written; nothing where nothing is."""
        if not demanded(self._profile):
            return None
        if self._profile == "production" and not self._encrypts:
            return "the database is not encrypted (store.encrypt)"
        with self._ledger.look() as connection:
            last = self._ledger.last(connection, self._workspace, PROBED)
        if last is None:
            return "they were never probed"
        try:
            entry = self._ledger.proven(last)
        except (CheckFailed, NotFound):
            return "the log does not bear out the last probe"
        event, now = entry.event, self._clock.now_us()
        if not isinstance(event, ControlsProbed) or event.workspace != self._workspace:
            return "the log does not bear out the last probe"
        if not now - DAY_US <= entry.time_us <= now + SKEW_US:
            return "the last probe is older than a day"
        held = self._revisions()
        if (event.policy_revision, event.data_revision, event.version) != (held.policy, held.data, version("twokey")):
            return "policy, data or Twokey have changed since the last probe"
        broken = unmet(self._profile, event.held)
        if broken:
            return "not so " + ", ".join(f"{control.number} ({control.title})" for control in broken)
        return None
