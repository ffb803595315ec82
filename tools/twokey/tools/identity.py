"""Who somebody is, proven: credentials and signed answers.

Rules:
- a principal's credential is an Ed25519 key in a file that only its owner can read, outside the workspace; the
  directory holds the public half;
- ``assume`` gives an identity by key only to a process that holds that key, and by assertion only in a workspace whose
  log says, in its first entry, that it is a demo;
- an answer carries a signature over the exact statement; the gate verifies it when the button is pressed and again
  before the write, against the key the directory names then.
"""

import contextlib
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from twokey.core import canonical
from twokey.core.errors import BadInput, EnvironmentFault, NotAuthenticated
from twokey.core.values import Answer, Auth, Principal, Statement

PREFIX: Final = "ed25519:"


class Credential:
    """One principal's private key, in memory only as long as it is needed."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key

    def __repr__(self) -> str:
        """Show the name; never the key."""
        return f"Credential({self.name!r})"

    @property
    def public(self) -> str:
        """The public half, as the directory writes it: ``ed25519:`` and 64 hexadecimal digits."""
        return PREFIX + self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def secret(self) -> str:
        """The private half in hexadecimal, for the key ring's file and nothing else."""
        return self._key.private_bytes_raw().hex()

    def sign(self, statement: Statement) -> Answer:
        """Answer a card in this principal's name."""
        signature = self._key.sign(canonical.encode(statement.canonical()))
        return Answer(statement=statement, auth="key", key=fingerprint(self.public), signature=signature.hex())


def fingerprint(public: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a public key."""
    return hashlib.sha256(public.encode()).hexdigest()[:16]


def verify(answer: Answer, principal: Principal) -> bool:
    """Tell whether ``answer`` was signed with the key that the directory names for ``principal`` now."""
    if answer.auth != "key" or answer.signature is None or principal.key is None:
        return False
    if answer.statement.principal != principal.name or answer.key != fingerprint(principal.key):
        return False
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(principal.key.removeprefix(PREFIX)))
    try:
        key.verify(bytes.fromhex(answer.signature), canonical.encode(answer.statement.canonical()))
    except InvalidSignature:
        return False
    return True


class KeyRing:
    """The credential files of one workspace on this account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the credential of ``name`` lies."""
        return self.folder / f"{name}.key"

    def names(self) -> list[str]:
        """Whose credentials this account holds."""
        return sorted(path.stem for path in self.folder.glob("*.key")) if self.folder.is_dir() else []

    def create(self, name: str) -> Credential:
        """Make a new credential; raises ``BadInput`` if there is one."""
        credential = Credential(name, Ed25519PrivateKey.generate())
        self._write(self.path(name), credential)
        return credential

    def load(self, name: str) -> Credential:
        """Read a credential.

        Raises:
            NotAuthenticated: this account does not hold it.
            EnvironmentFault: the file can be read by others, or is damaged.

        """
        try:
            return _read(name, self.path(name))
        except FileNotFoundError:
            raise NotAuthenticated(
                f"This account holds no credential of {name}, so it cannot act as {name}.",
                next=f"Let {name} do it on their own account.",
                code="no_credential",
            ) from None

    def take(self, name: str, source: Path, principal: Principal) -> Credential:
        """Copy a credential file that was handed over into this ring, then remove the file.

        Raises:
            NotAuthenticated: it is not the key that the directory names for ``principal``.
            BadInput: the file is not there, or the ring holds a credential of that name.

        """
        try:
            credential = _read(name, source)
        except FileNotFoundError:
            raise BadInput(f"There is no file {source}.", next="Name the credential file you were given.") from None
        if credential.public != principal.key:
            raise NotAuthenticated(
                f"The file does not hold the credential that the directory names for {name}.",
                next="Ask who keeps twokey.toml which key is the right one.",
                code="wrong_key",
            )
        self._write(self.path(name), credential)
        wipe(source)
        return credential

    def give(self, name: str, destination: Path) -> None:
        """Move a credential out of this ring into a new file for its owner."""
        credential = self.load(name)
        self._write(destination, credential)
        wipe(self.path(name))

    def _write(self, path: Path, credential: Credential) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            raise BadInput(
                f"{path} is there already, and a credential is never overwritten.",
                next="Remove that file first if it is to be replaced.",
            ) from None
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(credential.secret() + "\n")
            file.flush()
            os.fsync(file.fileno())


def _read(name: str, path: Path) -> Credential:
    text = _read_private(path)
    try:
        return Credential(name, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip())))
    except ValueError as error:
        raise EnvironmentFault(
            f"The credential file of {name} is damaged.",
            next=f"Remove {path} and make a new one with `twokey login {name} --new`.",
            code="credential_damaged",
        ) from error


def _read_private(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        status = os.fstat(file.fileno())
        others = stat.S_IMODE(status.st_mode) & 0o077
        if others or status.st_uid not in {os.getuid(), 0}:
            raise EnvironmentFault(
                f"The credential file {path.name} can be read by others.",
                next=f"chmod 600 {path}, or make a new credential if somebody may have read it.",
                code="credential_exposed",
            )
        return file.read(1024)


def auth_of(credential: Credential | None) -> Auth:
    """Name how an identity was proven: by key, or only asserted."""
    return "key" if credential is not None else "asserted"


def wipe(path: Path) -> None:
    """Remove a credential file; a file that is not there is removed already."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
