"""Credentials on this account: make one, take one over, hand one out.

Rules: a private key moves from file to file and is never printed; what is taken over must be the key that the directory
names for that person; a demo workspace has no credentials.
"""

from pathlib import Path
from typing import Any

from twokey.core import settings
from twokey.core.errors import BadInput, NotAuthenticated, NotFound
from twokey.core.settings import FileDirectory
from twokey.core.values import Principal
from twokey.tools.identity import Credential, KeyRing


def manage(
    folder: Path, name: str | None, *, new: bool, take: Path | None, give: Path | None
) -> tuple[list[str], dict[str, Any]]:
    """Do what ``twokey login`` was asked; gives lines for people and a value for programs.

    Raises:
        NotFound: there is no such person in the directory.
        BadInput: the options do not go together, or a file is in the way.
        NotAuthenticated: the key is not the one the directory names.

    """
    config = settings.load(folder)
    if config.workspace.demo:
        raise BadInput(
            "A demo workspace has no credentials: identities are asserted there with --as.",
            next="Make a real one with `twokey init`.",
        )
    ring = KeyRing(settings.home(config.workspace.id) / "keys")
    if name is None:
        held = ring.names()
        lines = [f"{item}  {ring.path(item)}" for item in held] or ["This account holds no credential."]
        return lines, {"held": held}
    if sum((new, take is not None, give is not None)) > 1:
        raise BadInput("Only one of --new, --take and --give can be done at a time.", next="See `twokey login --help`.")
    if new:
        return _new(ring, name)
    principal = FileDirectory(folder).principal(name)
    if principal is None:
        raise NotFound(
            f"The directory of this workspace knows nobody called {name[:40]!r}.",
            next="Ask who keeps twokey.toml to add them.",
        )
    if take is not None:
        credential = ring.take(name, take, principal)
        return [f"{name}: credential taken over to {ring.path(name)}"], {"held": ring.names(), "key": credential.public}
    credential = _matching(ring.load(name), principal)
    if give is not None:
        ring.give(name, give)
        return [f"{name}: credential moved to {give}; this account no longer holds it"], {"held": ring.names()}
    return [f"{name}: this account holds the credential that the directory names"], {
        "held": ring.names(),
        "key": credential.public,
    }


def _new(ring: KeyRing, name: str) -> tuple[list[str], dict[str, Any]]:
    try:
        Principal(name=name)
    except ValueError:
        raise BadInput(f"{name[:60]!r} is no name of a person.", next="Use small letters, digits, - and _.") from None
    credential = ring.create(name)
    lines = [
        f"{name}: new credential in {ring.path(name)}",
        "Send this to who keeps twokey.toml; it is the public half. They add the groups:",
        f"[principals.{name}]",
        f'key = "{credential.public}"',
        "groups = []",
    ]
    return lines, {"held": ring.names(), "key": credential.public}


def _matching(credential: Credential, principal: Principal) -> Credential:
    if credential.public != principal.key:
        wrong = f"The credential of {principal.name} on this account is not the one that the directory names."
        raise NotAuthenticated(
            wrong, next=f"Take over the right one with `twokey login {principal.name} --take FILE`.", code="wrong_key"
        )
    return credential
