"""Who is at the keyboard: from a name and a credential to an identity.

Rules: a name alone proves nothing; without a credential there is an identity only in a demo workspace, and it is marked
as asserted; every use of an identity, and every failed attempt of a known person, is in the log.
"""

from twokey.core.errors import BadInput, NotAuthenticated
from twokey.core.events import IdentityUsed
from twokey.core.ports import Directory, Recorder
from twokey.core.values import Channel, Identity, Principal
from twokey.tools.authority import Rules
from twokey.tools.identity import Credential, KeyRing


class People:
    """Proves identities for one workspace on this account."""

    def __init__(self, *, directory: Directory, ring: KeyRing, rules: Rules, recorder: Recorder) -> None:
        self._directory = directory
        self._ring = ring
        self._rules = rules
        self._recorder = recorder

    def identify(self, name: str | None, channel: Channel) -> tuple[Identity, Credential | None]:
        """Prove an identity; the credential comes with it where there is one.

        Raises:
            BadInput: no name was given and it does not follow from the credentials on this account.
            NotAuthenticated: nobody is called so, or this account cannot prove to be them.

        """
        chosen = name or self._only_one()
        principal = self._directory.principal(chosen)
        if principal is None:
            raise NotAuthenticated(
                f"The directory of this workspace knows nobody called {chosen[:40]!r}.",
                next="Use a name from twokey.toml, or ask who keeps it to add you.",
                code="unknown_principal",
            )
        if self._rules.demo:
            self._note(principal, channel, accepted=True, code="asserted")
            return Identity(principal=principal, auth="asserted", channel=channel), None
        try:
            credential = self._ring.load(principal.name)
        except NotAuthenticated:
            self._note(principal, channel, accepted=False, code="no_credential")
            raise
        if credential.public != principal.key:
            self._note(principal, channel, accepted=False, code="wrong_key")
            raise NotAuthenticated(
                f"The credential of {principal.name} on this account is not the one that the directory names.",
                next=f"Take over the right one with `twokey login {principal.name} --take FILE`.",
                code="wrong_key",
            )
        self._note(principal, channel, accepted=True, code="by_key")
        return Identity(principal=principal, auth="key", channel=channel), credential

    def viewer(self, name: str | None, channel: Channel) -> Identity | None:
        """Prove an identity for somebody who only looks; None where nobody says who they are."""
        if name is None and (self._rules.demo or len(self._held()) != 1):
            return None
        return self.identify(name, channel)[0]

    def _held(self) -> list[str]:
        return [name for name in self._ring.names() if self._directory.principal(name) is not None]

    def _only_one(self) -> str:
        held = [] if self._rules.demo else self._held()
        if len(held) == 1:
            return held[0]
        names = ", ".join(principal.name for principal in self._directory.all())
        raise BadInput("It is not clear who is asking.", next=f"Say it with --as NAME (this workspace knows: {names}).")

    def _note(self, principal: Principal, channel: Channel, *, accepted: bool, code: str) -> None:
        auth = "asserted" if code == "asserted" else "key"
        self._recorder.record(
            IdentityUsed(principal=principal.name, auth=auth, channel=channel, accepted=accepted, code=code)
        )
