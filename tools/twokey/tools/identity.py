"""Who somebody is, proven: credentials and signed answers.

Rules:
- a principal's credential is an Ed25519 key in a file that only its owner can read, outside the workspace; the
  directory holds the public half;
- a credential file is never overwritten, and is removed from one place only once it lies safely in the other: whatever
  fails in between, the key is not lost, and doing it again finishes it;
- an answer carries a signature over the exact statement; the gate verifies it when the button is pressed and again
  before the write, against the key the directory names then.
"""

import contextlib
import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import BadInput, EnvironmentFault, NotAuthenticated
from twokey.core.private_files import sync_folder
from twokey.core.values import Answer, Auth, GivenOrder, Order, Principal, Statement

PREFIX: Final = "ed25519:"
SUFFIX: Final = ".key"
MAX_FILE_BYTES: Final = 1024
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")


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
        return Answer(
            statement=statement, auth="key", key=fingerprint(self.public), signature=self._signature(statement)
        )

    def order(self, order: Order) -> GivenOrder:
        """Give an order in this principal's name."""
        return GivenOrder(statement=order, auth="key", key=fingerprint(self.public), signature=self._signature(order))

    def sign_json(self, value: Json) -> str:
        """Sign the canonical bytes of something that is no statement; it has to say its ``type`` itself."""
        return self._key.sign(canonical.encode(value)).hex()

    def _signature(self, value: Statement | Order) -> str:
        return self.sign_json(value.canonical())


def fingerprint(public: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a public key."""
    return hashlib.sha256(public.encode()).hexdigest()[:16]


def verify(answer: Answer | GivenOrder, principal: Principal) -> bool:
    """Tell whether ``answer`` was signed with the key that the directory names for ``principal`` now."""
    if answer.auth != "key" or answer.signature is None or principal.key is None:
        return False
    if answer.statement.principal != principal.name or answer.key != fingerprint(principal.key):
        return False
    return verify_json(principal.key, answer.signature, answer.statement.canonical())


def verify_json(public: str, signature: str, value: Json) -> bool:
    """Tell whether ``signature`` (hexadecimal) is of the canonical bytes of ``value``, by the holder of ``public``."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.removeprefix(PREFIX)))
    try:
        key.verify(bytes.fromhex(signature), canonical.encode(value))
    except InvalidSignature:
        return False
    return True


class KeyRing:
    """The credential files of one workspace on this account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the credential of ``name`` lies; raises ``BadInput`` where that is no name of a principal."""
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name[:60]!r} is no name of a person.", next="Use small letters, digits, - and _.")
        return self.folder / f"{name}{SUFFIX}"

    def names(self) -> list[str]:
        """Whose credentials this account holds."""
        found = self.folder.glob(f"*{SUFFIX}") if self.folder.is_dir() else ()
        return sorted(path.stem for path in found if _NAME.fullmatch(path.stem))

    def create(self, name: str) -> Credential:
        """Make a new credential; raises ``BadInput`` if there is one, ``EnvironmentFault`` if it cannot be kept."""
        credential = Credential(name, Ed25519PrivateKey.generate())
        _write(self.path(name), credential)
        return credential

    def load(self, name: str) -> Credential:
        """Read a credential.

        Raises:
            NotAuthenticated: this account does not hold it.
            EnvironmentFault: the file can be read by others, or is damaged.

        """
        path = self.path(name)
        try:
            return _read(name, path)
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
            EnvironmentFault: a file can be read by others, is damaged, or cannot be read, written or removed.

        """
        path = self.path(name)
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
        _move(credential, source, path)
        return credential

    def give(self, name: str, destination: Path) -> None:
        """Move a credential out of this ring into a new file for its owner.

        Raises:
            NotAuthenticated: this account does not hold it.
            BadInput: there is another file of that name.
            EnvironmentFault: a file cannot be read, written or removed.

        """
        _move(self.load(name), self.path(name), destination)


def _move(credential: Credential, source: Path, destination: Path) -> None:
    """Move a credential file. One that was moved half-way before, by a process that died, is moved to its end."""
    if source.name == destination.name and destination.parent.is_dir() and source.parent.samefile(destination.parent):
        return
    if not _holds(destination, credential):
        _write(destination, credential)
    _remove(source, kept=destination)


def _holds(path: Path, credential: Credential) -> bool:
    """Tell whether a file holds this very credential already."""
    try:
        return _read(credential.name, path).public == credential.public
    except (FileNotFoundError, EnvironmentFault):
        return False


def _write(path: Path, credential: Credential) -> None:
    """Create a credential file that survives a power loss; what is there already is never touched."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(path) from error
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise BadInput(
            f"{path} is there already, and a credential is never overwritten.",
            next="Remove that file first if it is to be replaced.",
        ) from None
    except OSError as error:
        raise _not_written(path) from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(credential.secret() + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        wipe(path)
        raise _not_written(path) from error


def _not_written(path: Path) -> EnvironmentFault:
    return EnvironmentFault(
        f"The credential file {path} cannot be written.",
        next="Check the folder, its permissions and the free space; no credential was lost.",
        code="credential_not_written",
    )


def _remove(path: Path, *, kept: Path) -> None:
    """Remove one of two copies of a credential; ``kept`` is safe on disk already."""
    try:
        wipe(path)
        sync_folder(path.parent)
    except OSError as error:
        raise EnvironmentFault(
            f"The credential is in {kept} now, and {path} could not be removed: there are two copies.",
            next=f"Remove {path}.",
            code="credential_twice",
        ) from error


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
    try:
        # Without O_NONBLOCK a named pipe put in the file's place would hold this process for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise EnvironmentFault(
            f"The credential file {path.name} cannot be read: it is a link, or not this account's.",
            next=f"Look at {path}: a credential is a plain file of its owner with the permissions 600.",
            code="credential_unreadable",
        ) from error
    try:
        status = os.fstat(descriptor)
        others = stat.S_IMODE(status.st_mode) & 0o077
        if others or status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
            raise EnvironmentFault(
                f"The credential file {path.name} can be read by others, or is no plain file of this account.",
                next=f"chmod 600 {path}, or make a new credential if somebody may have read it.",
                code="credential_exposed",
            )
        return os.read(descriptor, MAX_FILE_BYTES).decode("ascii", errors="replace")
    finally:
        os.close(descriptor)


def auth_of(credential: Credential | None) -> Auth:
    """Name how an identity was proven: by key, or only asserted."""
    return "key" if credential is not None else "asserted"


def wipe(path: Path) -> None:
    """Remove a credential file; a file that is not there is removed already."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
