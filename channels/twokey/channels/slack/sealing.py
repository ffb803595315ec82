"""Seals what must not stand in the database in the clear: the tokens of installed workspaces.

Rules: AES-256-GCM under a key that lies outside workspace and database, readable by this account only; what is sealed
names what it is for, so that one row's content does not open in the place of another's; a seal that does not hold is
an error and never an empty answer.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from twokey.core.errors import EnvironmentFault

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Seal:
    """Seals and opens under one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def at(cls, path: Path) -> "Seal":
        """Read the key at ``path``, and make it where there is none yet.

        Raises:
            EnvironmentFault: the file is no key, others can read it, or it cannot be written.

        """
        try:
            return cls(_read(path) if path.exists() else _create(path))
        except OSError as error:
            raise EnvironmentFault(
                f"The key for the tokens of Slack workspaces cannot be used: {error.strerror}.",
                next=f"Look at {path}.",
                code="slack_key",
            ) from error

    def seal(self, purpose: str, content: bytes) -> bytes:
        """Give ``content`` sealed for ``purpose``."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Give what was sealed for ``purpose``.

        Raises:
            EnvironmentFault: it was sealed with another key or for something else, or was changed.

        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            raise EnvironmentFault(
                "A sealed token does not open with this account's key.",
                next="Bring back the key file, or install the app in that workspace again.",
                code="slack_seal",
            ) from None


def _create(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # of two processes that make one, the first wins
    except FileExistsError:
        return _read(path)
    finally:
        temporary.unlink()
    return key


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise EnvironmentFault(f"Others than this account can read {path}.", next=f"chmod 600 {path}", code="slack_key")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise EnvironmentFault(
            f"{path} is no key of {KEY_BYTES} bytes.", next="Bring back the right file.", code="slack_key"
        )
    return key
