"""Which exceptions of the policy data hold: those that somebody who owns the rule has signed.

Rules: an exception is signed over its canonical bytes and this workspace's id, with the key that the directory names
for its signer today; the signer is a member, today, of the group that owns the rule (``rule_owners`` in the data), and
no key stands for two names. One that has ended, is not signed or is signed by anybody else is passed over and reported.
Policy still decides what an exception lifts and for which calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from twokey.core.canonical import Json
from twokey.core.ports import Directory
from twokey.policies.calendar import PolicyException
from twokey.policies.facts import ROOT
from twokey.tools import identity
from twokey.tools.identity import Credential

_SIGNED: Final = ("name", "rule", "scope", "until", "zone", "why", "signer")


@dataclass(frozen=True, slots=True)
class Ignored:
    """An exception that does not hold, and why."""

    name: str
    rule: str
    why: str


def statement(workspace: str, exception: Mapping[str, Any]) -> Json:
    """Give what is signed for an exception, as it stands in the data."""
    return {
        "type": "twokey/exception/v1",
        "workspace": workspace,
        **{name: exception[name] for name in _SIGNED},
    }


def sign(credential: Credential, workspace: str, exception: Mapping[str, Any]) -> dict[str, Any]:
    """Give an exception with the signature of its signer; ``exception`` has all fields but ``signature``."""
    named = {**exception, "signer": credential.name}
    return {**named, "signature": credential.sign_json(statement(workspace, named))}


class Exceptions(Protocol):
    """Says which exceptions of the policy data hold."""

    def in_force(self, now_us: int) -> tuple[str, ...]:
        """Give the names of those that do."""
        ...


class Waivers:
    """Tells which exceptions hold now."""

    def __init__(self, data: Mapping[str, Any], directory: Directory, workspace: str) -> None:
        """Take the policy data (the document that a bundle gives), and who there is."""
        facts: Mapping[str, Any] = data.get(ROOT, {})
        self._listed: Sequence[PolicyException] = [
            PolicyException.model_validate(item) for item in facts.get("exceptions", ())
        ]
        self._owners: Mapping[str, str] = facts.get("rule_owners", {})
        self._directory = directory
        self._workspace = workspace

    def in_force(self, now_us: int) -> tuple[str, ...]:
        """Give the names of the exceptions that hold."""
        return tuple(sorted(item.name for item in self._listed if self._fault(item, now_us) is None))

    def ignored(self, now_us: int) -> list[Ignored]:
        """Give the exceptions that do not hold, with the reason."""
        found = ((item, self._fault(item, now_us)) for item in self._listed)
        return [Ignored(item.name, item.rule, why) for item, why in found if why is not None]

    def _fault(self, item: PolicyException, now_us: int) -> str | None:
        if now_us >= item.ends_us():
            return "it has ended"
        signer = self._directory.principal(item.signer)
        if signer is None or signer.key is None:
            return "its signer has no key in the directory"
        if self._owners.get(item.rule) not in signer.groups:
            return "its signer is not in the group that owns the rule"
        if any(other.key == signer.key and other.name != signer.name for other in self._directory.all()):
            return "the key of its signer stands for somebody else, too"
        if not identity.verify_json(signer.key, item.signature, statement(self._workspace, item.model_dump())):
            return "its signature is not good"
        return None
