"""Encrypts what the database holds of words and values, so that a copy of it is worth nothing without the key's file.

Rules
- AES-256-GCM (NIST SP 800-38D) under a random nonce for each value. What is sealed names its table, column and row as
  associated data: a value that was moved to another place does not open, and counts as a row that was changed.
- The keys lie in a file of this account's, outside workspace and database. Several of them open, the newest one seals;
  each sealed value names its key. The file is looked at again before each value is sealed, so a new key counts at once
  in processes that run already.
- Without the key a sealed value is an error that says so, never an empty or a wrong answer. A value that was stored
  before is read as it lies there: what it is held against (digests, commitments, the log) is always over plain bytes.
- Lengths, ids, codes, states, times and who asked stay readable: what lists are ordered and found by is no secret here.
"""

import base64
import binascii
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Connection, Engine

from twokey.core import private_files
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.core.private_files import UnusableFileError

OPTION: Final = "twokey_sealer"
"""Execution option of an engine that holds its ``Sealer``."""

MARK: Final = b"\xffTK"
"""What bytes begin with that are not stored as they are. No JSON, no text and no zlib stream begins so."""
SEALED: Final = MARK + b"\x01"
ESCAPED: Final = MARK + b"\x00"
"""What is put before bytes that begin with the mark by themselves, where nothing is sealed."""
TEXT_SEALED: Final = "twokey-sealed/1 "
TEXT_ESCAPED: Final = "twokey-sealed/0 "
_TEXT_MARK: Final = "twokey-sealed/"
_SALT_ENDS: Final = b"\n"

KEY_BYTES: Final = 32
NAME_BYTES: Final = 8
NONCE_BYTES: Final = 12
HEADER_BYTES: Final = len(SEALED) + NAME_BYTES
MOST_KEYS: Final = 32
"""Keys in one file: old ones that nothing is sealed with any more can be dropped."""

_LINE: Final = re.compile(r"twokey/store-key/v1 twokey/(w-[0-9a-z]{12}) ([0-9a-f]{64})")
_MAX_FILE: Final = 128 * MOST_KEYS


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``name`` is derived from it, and says nothing about it."""

    name: bytes
    cipher: AESGCM

    @classmethod
    def of(cls, secret: bytes) -> "Key":
        """Give the key of 32 secret bytes."""
        return cls(hashlib.sha256(b"twokey/store-key-name/v1\n" + secret).digest()[:NAME_BYTES], AESGCM(secret))


class KeyFile:
    """The keys of one workspace's database, as their file holds them."""

    def __init__(self, path: Path, workspace: str) -> None:
        """Read the file.

        Raises:
            EnvironmentFault: it is missing, not private, damaged, or another workspace's.

        """
        self.path: Final = path
        self._workspace = workspace
        self._seen = _look(path)
        self._keys = _read(path, workspace)

    def newest(self) -> Key:
        """Give the key that seals, as the file says now; raises like the constructor."""
        seen = _look(self.path)
        if seen != self._seen:
            self._keys, self._seen = _read(self.path, self._workspace), seen
        return next(reversed(self._keys.values()))

    def named(self, name: bytes) -> Key | None:
        """Give the key of that name, if the file holds it; raises like the constructor."""
        if name not in self._keys:
            self.newest()  # it may have been added a moment ago
        return self._keys.get(name)

    def names(self) -> tuple[bytes, ...]:
        """Give the names of the keys, the oldest first."""
        self.newest()
        return tuple(self._keys)


def add_key(path: Path, workspace: str) -> int:
    """Make a new key, from the operating system's random source, the newest of the file; gives how many there are.

    The file is made where there is none.

    Raises:
        EnvironmentFault: the file cannot be used, see ``KeyFile``, or cannot be written.
        BadInput: it holds as many keys as it may.

    """
    with _alone(path):
        lines = _lines(path, workspace) if os.path.lexists(path) else []
        if len(lines) >= MOST_KEYS:
            raise BadInput(
                f"The key file {path.name} holds {MOST_KEYS} keys, and no more.",
                next="Seal everything with the newest key (`twokey store seal`), then `twokey store drop-keys`.",
            )
        _write(path, workspace, [*lines, secrets.token_bytes(KEY_BYTES)])
        return len(lines) + 1


def drop_keys(path: Path, workspace: str, keep: frozenset[bytes]) -> int:
    """Remove every key but the newest and those named in ``keep``; gives how many went; raises like ``KeyFile``."""
    with _alone(path):
        lines = _lines(path, workspace)
        kept = [line for line in lines[:-1] if Key.of(line).name in keep]
        if len(kept) + 1 < len(lines):
            _write(path, workspace, [*kept, lines[-1]])
        return len(lines) - len(kept) - 1


class Sealer:
    """Seals and opens values of one workspace."""

    def __init__(self, keys: KeyFile, *, seals: bool) -> None:
        """Without ``seals`` it only opens what was sealed before."""
        self.keys: Final = keys
        self.seals: Final = seals

    def seal(self, place: bytes, plain: bytes) -> bytes:
        """Give ``plain`` sealed for ``place``; raises ``EnvironmentFault`` where the key's file cannot be used."""
        key, nonce = self.keys.newest(), os.urandom(NONCE_BYTES)
        head = SEALED + key.name
        return head + nonce + key.cipher.encrypt(nonce, plain, head + place)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """Give what was sealed for ``place``.

        Raises:
            EnvironmentFault: the file does not hold the key it was sealed with.
            ValueError: it was changed, cut off, or sealed for another place.

        """
        head, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
        if len(head) < HEADER_BYTES or not head.startswith(SEALED):
            raise ValueError("the value is not as it was sealed")
        key = self.keys.named(head[len(SEALED) :])
        if key is None:
            raise EnvironmentFault(
                f"The database holds values that were encrypted with a key that {self.keys.path.name} does not hold.",
                next=f"Bring back the {self.keys.path.name} that belongs to this workspace.",
                code="store_key_unknown",
            )
        try:
            return key.cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + place)
        except (InvalidTag, ValueError) as error:
            raise ValueError("the value is not as it was sealed") from error


def place(column: Column[Any], row: str) -> bytes:
    """Name the place of a value: its table, column and the key of its row."""
    return f"\0{column.table.name}.{column.name}\0{row}".encode()


def sealer_of(connection: Connection) -> Sealer | None:
    """Give the sealer of the engine that a connection belongs to, if it has one."""
    found = connection.get_execution_options().get(OPTION)
    return found if isinstance(found, Sealer) else None


def sealer_in(engine: Engine) -> Sealer | None:
    """Give the sealer that an engine was opened with, if it has one."""
    found = engine.get_execution_options().get(OPTION)
    return found if isinstance(found, Sealer) else None


def seals(connection: Connection) -> bool:
    """Tell whether what is stored through a connection is sealed."""
    sealer = sealer_of(connection)
    return sealer is not None and sealer.seals


def closed(connection: Connection, column: Column[Any], row: str, plain: bytes) -> bytes:
    """Give what to store in ``column`` of the row with the key ``row`` for ``plain``."""
    sealer = sealer_of(connection)
    if sealer is not None and sealer.seals:
        return sealer.seal(place(column, row), plain)
    return ESCAPED + plain if plain.startswith(MARK) else plain


def opened(connection: Connection, column: Column[Any], row: str, stored: object) -> object:
    """Give what ``column`` holds in the row with the key ``row``; what is no bytes comes back as it is.

    Raises:
        EnvironmentFault: it is sealed, and there is no key for it.
        ValueError: it is not as it was sealed.

    """
    if not isinstance(stored, bytes) or not stored.startswith(MARK):
        return stored
    if stored.startswith(ESCAPED):
        return stored[len(ESCAPED) :]
    sealer = sealer_of(connection)
    if sealer is None:
        raise no_key()
    return sealer.open(place(column, row), stored)


def closed_text(connection: Connection, column: Column[Any], row: str, plain: str) -> str:
    """Give what to store for a text; an empty one stays empty."""
    sealer = sealer_of(connection)
    if plain and sealer is not None and sealer.seals:
        return TEXT_SEALED + base64.b64encode(sealer.seal(place(column, row), plain.encode())).decode()
    return TEXT_ESCAPED + plain if plain.startswith(_TEXT_MARK) else plain


def opened_text(connection: Connection, column: Column[Any], row: str, stored: object) -> object:
    """Give the text that ``column`` holds; what is no text comes back as it is; raises like ``opened``."""
    if not isinstance(stored, str) or not stored.startswith(_TEXT_MARK):
        return stored
    if stored.startswith(TEXT_ESCAPED):
        return stored[len(TEXT_ESCAPED) :]
    try:
        sealed = base64.b64decode(stored.removeprefix(TEXT_SEALED), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the text is not as it was sealed") from error
    sealer = sealer_of(connection)
    if sealer is None:
        raise no_key()
    return sealer.open(place(column, row), sealed).decode()


def text_head(name: bytes) -> str:
    """Give what a text begins with that was sealed with the key of that name."""
    return TEXT_SEALED + base64.b64encode(SEALED + name).decode()  # twelve bytes: no bit of what follows is in it


def salted(salt: str, plain: bytes) -> bytes:
    """Give a value with its salt before it, to be sealed together: beside the log a salt lets values be guessed."""
    return salt.encode() + _SALT_ENDS + plain


def unsalted(opened: bytes) -> tuple[str, bytes]:
    """Give salt and value again; raises ``ValueError``."""
    salt, _, plain = opened.partition(_SALT_ENDS)
    return salt.decode(), plain


def no_key() -> EnvironmentFault:
    """Say that the database is sealed and this account has no key."""
    return EnvironmentFault(
        "The database holds encrypted values, and this account has no key for them.",
        next="Bring back the store.key that belongs to this workspace.",
        code="store_key_missing",
    )


def _look(path: Path) -> tuple[int, int, int]:
    try:
        status = path.lstat()
    except OSError:
        raise EnvironmentFault(
            f"The key file {path.name} of the database is missing.",
            next="Bring it back. Where this workspace never had one, make it with `twokey store new-key`.",
            code="store_key_missing",
        ) from None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path, workspace: str) -> dict[bytes, Key]:
    return {key.name: key for key in map(Key.of, _lines(path, workspace))}


def _lines(path: Path, workspace: str) -> list[bytes]:
    try:
        text = private_files.read_private(path, _MAX_FILE)
    except UnusableFileError as error:
        raise _unusable(path, str(error)) from error
    found = [_LINE.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    keys = [bytes.fromhex(match[2]) for match in found if match is not None and match[1] == workspace]
    if not text.endswith("\n") or len(keys) != len(found) or len(set(keys)) != len(keys):
        raise _unusable(path, "it is damaged, or the file of another workspace")
    return keys


def _write(path: Path, workspace: str, keys: list[bytes]) -> None:
    text = "".join(f"twokey/store-key/v1 twokey/{workspace} {key.hex()}\n" for key in keys)
    try:
        private_files.write_private(path, text, replace=True)
    except UnusableFileError as error:
        raise _unusable(path, str(error)) from error


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Let one process at a time change the file; the others wait."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path, "its folder cannot be opened") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _unusable(path: Path, why: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"The key file {path.name} of the database cannot be used: {why}.",
        next="Check the path, the owner and the permissions (chmod 600) of the file.",
        code="store_key_unusable",
    )
