"""What people do about who they are elsewhere: see who asked to be them, confirm it, and undo it.

Rules: whoever confirms or unlinks is identified by their own credential; a confirmation names the external identity in
full, so that nobody confirms "the one that is waiting" while another has taken its place.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from twokey.channels.connected import Connected
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.core.ports import Clock
from twokey.core.values import ExternalId, GivenOrder, Identity, Order, provider_of
from twokey.tools.identity import Credential
from twokey.tools.link_book import Ask, Link
from twokey.tools.links import Links, Standing

_logger: Final = logging.getLogger("twokey.linking")
_EXTERNAL: Final[TypeAdapter[str]] = TypeAdapter(ExternalId)


class Linking:
    """Links of one workspace, for people."""

    def __init__(
        self,
        *,
        workspace: str,
        links: Links,
        clock: Clock,
        connected: Callable[[], Mapping[str, Connected]] = dict,
    ) -> None:
        """``connected`` gives the channels to the outside, by their names."""
        self._connected = connected
        self._workspace = workspace
        self.links = links
        self._clock = clock

    def listed(self) -> list[Standing]:
        """Give every link there is, by principal, and whether it is proven."""
        return self.links.listed()

    def asked(self, identity: Identity) -> list[Ask]:
        """Give the open asks to be this person, the latest first."""
        return self.links.asked(identity.principal.name)

    def called(self, asks: Iterable[Ask]) -> dict[str, str]:
        """Give how those who ask are called where they are, as far as that can be found out now. Names are no proof."""
        names: dict[str, str] = {}
        try:
            connected = self._connected()
            for ask in asks:
                made = connected.get(provider_of(ask.external))
                name = made.called(ask.external) if made is not None and made.called is not None else None
                if name is not None:
                    names[ask.external] = name
        except (EnvironmentFault, BadInput) as error:
            _logger.warning("not every name of who asks could be found out: %s", error.message)
        return names

    def confirm(self, identity: Identity, credential: Credential | None, external: str) -> Link:
        """Confirm that an external identity is this person; raises ``BadInput``, ``Refused``, ``CheckFailed``."""
        return self.links.confirm(self._given(identity, credential, "link", external), channel=identity.channel)

    def remove(self, identity: Identity, credential: Credential | None, external: str) -> str:
        """Unlink an external identity; gives whose it was. Raises ``BadInput``, ``Refused``."""
        return self.links.remove(self._given(identity, credential, "unlink", external), channel=identity.channel)

    def _given(self, identity: Identity, credential: Credential | None, order: str, external: str) -> GivenOrder:
        statement = Order.model_validate(
            {
                "workspace": self._workspace,
                "order": order,
                "principal": identity.principal.name,
                "at_us": self._clock.now_us(),
                "external": external_id(external),
            }
        )
        if credential is not None:
            return credential.order(statement)
        return GivenOrder(statement=statement, auth=identity.auth, external=identity.external)


def external_id(text: str) -> str:
    """Check that ``text`` names an external identity; raises ``BadInput``."""
    try:
        return _EXTERNAL.validate_python(text)
    except ValidationError:
        raise BadInput(
            f"{text[:60]!r} names no identity elsewhere.",
            next="Give it as `twokey link list` shows it: slack:TEAM/USER, github:NUMBER or oidc:DIGITS.",
            code="bad_external",
        ) from None
