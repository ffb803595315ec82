"""One-time links to the console, and tokens for programs: made where somebody's credential is.

Rules: a link is made for whoever proved who they are, by their own signed order; the key in it stands behind the ``#``,
which browsers keep to themselves, and nowhere else; a link leads to the console's own address and to a path of it. A
token is a session like a browser's whose key was thrown away: it reads and asks below ``/api``, and can answer nothing.
"""

import base64
import hashlib
import re
import secrets
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twokey.channels.workspace import Workspace
from twokey.core import canonical
from twokey.core.errors import BadInput
from twokey.core.events import SessionOpened
from twokey.core.ports import Clock
from twokey.core.settings import Settings
from twokey.core.values import GivenOrder, Identity, Order
from twokey.tools.identity import Credential, fingerprint
from twokey.tools.sessions import PASS_US, name_of, opening

PATH: Final = re.compile(r"/(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)?")
"""A path of the console that somebody may be led to: no host, no dots, no second slash at the beginning."""


def one_time_link(
    workspace: Workspace,
    identity: Identity,
    credential: Credential | None,
    *,
    clock: Clock,
    address: str,
    path: str = "/inbox",
) -> str:
    """Make a link that lets one browser in as ``identity``, once, within a quarter of an hour.

    Raises:
        BadInput: the path is none of the console's.
        Refused: the credential is not the one that the directory names.

    """
    if not PATH.fullmatch(path):
        raise BadInput("That is no page of the console.", next="Name a path such as /inbox.", code="bad_path")
    key = Ed25519PrivateKey.generate()
    seed = key.private_bytes_raw()
    workspace.sessions.give(_ordered(workspace, identity, credential, key, clock.now_us()))
    carried = base64.urlsafe_b64encode(seed).rstrip(b"=").decode("ascii")
    return f"{address}/login?next={path}#{carried}"


def _ordered(
    workspace: Workspace, identity: Identity, credential: Credential | None, key: Ed25519PrivateKey, now: int
) -> GivenOrder:
    """Have somebody order that whoever holds ``key`` is let in as them, once."""
    order = Order(
        workspace=workspace.config.workspace.id,
        order="console_pass",
        principal=identity.principal.name,
        at_us=now,
        until_us=now + PASS_US,
        words=name_of(public_of(key)),
    )
    return credential.order(order) if credential is not None else GivenOrder(statement=order, auth=identity.auth)


def program_token(
    workspace: Workspace, identity: Identity, credential: Credential | None, *, clock: Clock
) -> tuple[str, int]:
    """Open a session for a program of ``identity``; gives its token, and until when it is good at most (microseconds).

    Raises:
        Refused: the credential is not the one that the directory names.

    """
    link, own, secret, now = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), new_secret(), clock.now_us()
    given = _ordered(workspace, identity, credential, link, now)
    workspace.sessions.give(given)
    offered = SessionOpened(
        principal=identity.principal.name,
        auth=identity.auth,
        session=fingerprint(public_of(own)),
        secret=digest_of(secret),
        at_us=now,
        until_us=now + workspace.config.console.session_hours * 3_600_000_000,
        order=given,
        pass_key=public_of(link),
        key=public_of(own),
    )
    text = canonical.encode(opening(offered, workspace.config.workspace.id))
    proofs = {"signature": link.sign(text).hex(), "possession": own.sign(text).hex()}
    workspace.sessions.open(SessionOpened.model_validate(offered.model_dump() | proofs))
    return f"{offered.session}.{secret}", offered.until_us


def new_secret() -> str:
    """Give a fresh secret for a session: 256 bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Give what the log holds of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def public_of(key: Ed25519PrivateKey) -> str:
    """Give the public half as the directory writes keys."""
    return f"ed25519:{key.public_key().public_bytes_raw().hex()}"


def console_address(config: Settings, *, port: int | None = None) -> str:
    """Give the address at which people see the console, as the settings have it."""
    if config.console.url:
        return config.console.url
    return reached_at(_http(config.server.host, config.server.port if port is None else port))


def page_of(config: Settings, proposal: str) -> str:
    """Give the page of a proposal at the address where people see the console."""
    return f"{console_address(config)}/p/{proposal.removeprefix('p-')}"


def public_page(config: Settings, proposal: str) -> str | None:
    """Give the same for cards that are read elsewhere; none where the settings name no address that holds there."""
    return page_of(config, proposal) if config.console.mode == "on" and config.console.url else None


def reached_at(address: str) -> str:
    """Give the address at which this machine reaches what listens at ``address``, which may be every address."""
    parts = urlsplit(address)
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens everywhere is reached here
    host = str(parts.hostname)
    return _http(everywhere.get(host, host), int(parts.port or 0))


def _http(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
