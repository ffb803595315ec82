"""Proves to GitHub who is asking: a token, or an App whose tokens are renewed before they run out.

Rules: an App's token is asked for one repository at a time and opens that one only, so what leaks opens little; it is
kept in this process alone and renewed five minutes before its end; a private key that others can read, or that lies in
the workspace, is refused; neither key nor token is shown by any ``repr`` or error.
"""

import os
import stat
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github3.apps import create_token
from github3.session import TokenAuth
from requests import PreparedRequest
from requests.auth import AuthBase

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.core.ports import Clock
from twokey.core.sections import GitHubSection
from twokey.tools.github.limits import later, wait_of
from twokey.tools.github.models import Installation, InstallationToken, read
from twokey.tools.github.wire import Reply, Wire, segment

_EARLY_US: Final = 5 * 60 * 1_000_000
_JWT_S: Final = 540
"""GitHub takes ten minutes at most; the rest is for clocks that differ."""
_MAX_KEY_BYTES: Final = 64 * 1024


class Access(Protocol):
    """Gives what proves who is asking about a repository (``OWNER/REPO``)."""

    def auth(self, repository: str) -> AuthBase:
        """Give the proof, a fresh one where the last is about to run out."""
        ...

    def refused(self, repository: str) -> bool:
        """Take note that GitHub did not accept the proof; tells whether asking again with a new one makes sense."""
        ...


class Bearer(AuthBase):
    """Puts one token into one header. It shows nothing of it."""

    def __init__(self, token: str) -> None:
        self._auth = TokenAuth(token)
        self._auth.header_format_str = "Bearer {}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return self._auth(request)

    def __repr__(self) -> str:
        return "Bearer(...)"


class TokenAccess:
    """A token that somebody made and put into a variable."""

    def __init__(self, token: str) -> None:
        self._auth = Bearer(token)

    def auth(self, repository: str) -> AuthBase:
        """Give the token, whatever the repository."""
        del repository
        return self._auth

    def refused(self, repository: str) -> bool:
        """There is no other."""
        del repository
        return False


class AppAccess:
    """A GitHub App, installed where the repositories are."""

    def __init__(self, wire: Wire, app_id: int, key: bytes, clock: Clock) -> None:
        self._wire = wire
        self._app_id = app_id
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Bearer, int]] = {}

    def auth(self, repository: str) -> AuthBase:
        """Give the token of the installation that covers ``repository``.

        Raises:
            TryLater: GitHub asks to wait.
            EnvironmentFault: the key is none, the App is not installed there, or GitHub is not reached.

        """
        with self._lock:
            held = self._held.get(repository)
            if held is None or held[1] - _EARLY_US <= self._clock.now_us():
                held = self._held[repository] = self._renewed(repository)
            return held[0]

    def refused(self, repository: str) -> bool:
        """Forget the token: it may have been revoked."""
        with self._lock:
            return self._held.pop(repository, None) is not None

    def app(self) -> AuthBase:
        """Give what proves to be the App itself."""
        if not _is_rsa(self._key):
            raise EnvironmentFault(
                "The private key of the GitHub App cannot be used.",
                next="Download a new one from the App's page and name it in github.key_file.",
                code="github_key",
            )
        return Bearer(str(create_token(self._key, str(self._app_id), _JWT_S)))

    def _renewed(self, repository: str) -> tuple[Bearer, int]:
        proof = self.app()
        owner, name = repository.split("/")
        found = self._wire.exchange("GET", f"/repos/{segment(owner)}/{segment(name)}/installation", proof)
        installation = read(Installation, self._checked(found, 200))
        reply = self._wire.exchange(
            "POST", f"/app/installations/{installation.id}/access_tokens", proof, body={"repositories": [name]}
        )
        token = read(InstallationToken, self._checked(reply, 201))
        return Bearer(token.token), int(datetime.fromisoformat(token.expires_at).timestamp() * 1_000_000)

    def _checked(self, reply: Reply, wanted: int) -> Any:
        if reply.status == wanted:
            return reply.json()
        if reply.status == 401:
            raise EnvironmentFault(
                "GitHub does not accept the App's key.",
                next="Check github.app_id and github.key_file, and that this machine's clock is right.",
                code="github_auth",
            )
        wait = wait_of(reply)
        if wait is not None:
            raise later(wait)
        if reply.status in {403, 404, 422}:
            raise EnvironmentFault(
                "The GitHub App is not installed for that repository, or was suspended there.",
                next="Install it on the repository (the App's page, Install App).",
                code="github_not_installed",
            )
        raise EnvironmentFault(
            f"GitHub gave the App no token (status {reply.status}).", next="Try again later.", code="github_unreachable"
        )


def _is_rsa(key: bytes) -> bool:
    try:
        return isinstance(load_pem_private_key(key, password=None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def access_of(
    section: GitHubSection,
    wire: Wire,
    clock: Clock,
    workspace: Path,
    environment: Mapping[str, str] | None = None,
) -> Access:
    """Give the access that the settings name; ``environment`` stands for the variables of the process.

    Raises:
        BadInput: neither App nor token is set up, a variable is empty, or the key is not kept as it should be.

    """
    if section.app_id is not None:
        return AppAccess(wire, section.app_id, private_key(section.key_file, workspace), clock)
    if section.token_env is None:
        raise BadInput(
            "GitHub is not set up: there is neither an App nor a token.",
            next="Set github.app_id and github.key_file, or github.token_env (docs/github.md).",
            code="github_not_set_up",
        )
    token = (os.environ if environment is None else environment).get(section.token_env, "").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise BadInput(
            f"The variable {section.token_env}, which holds the GitHub token, is not set or holds no token.",
            next=f"Set {section.token_env}.",
            code="github_no_token",
        )
    return TokenAccess(token)


def private_key(path: str, workspace: Path) -> bytes:
    """Read an App's private key, if it is kept as a key should be.

    Raises:
        BadInput: it is not there, lies in the workspace, or others may read it.

    """
    file = Path(path)
    why = ""
    if not file.is_absolute() or file.resolve().is_relative_to(workspace.resolve()):
        why = "is not an absolute path outside the workspace"
    else:
        try:
            status = file.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_KEY_BYTES:
                why = "is no key file"
            elif status.st_mode & 0o077 or status.st_uid not in {os.geteuid(), 0}:
                why = "may be read or changed by other accounts"
            else:
                return file.read_bytes()
        except OSError:
            why = "cannot be read"
    raise BadInput(
        f"The private key in github.key_file {why}.",
        next="Keep it outside the workspace, with `chmod 600`.",
        code="github_key_kept_badly",
    )
