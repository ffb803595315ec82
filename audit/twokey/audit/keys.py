"""The log's keys and the files they lie in.

Rules: a key file is created once, whole, readable by its owner only, and never overwritten; one that others can read or
that belongs to somebody else is refused. The log key's file holds a random seed, from which the signing key, the
writers' MAC keys and the key that seals the stored state of runs are derived (HKDF-SHA256, RFC 5869), so that a process
can be given the right to write without the right to sign. What a writer may record is fixed by its role: an agent's
process can record what agents do, and can neither answer a card nor state an intent. No key shows itself in a
representation or an error.
"""

import hmac
import re
import secrets
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from twokey.audit.note import Signer, Verifier
from twokey.core import private_files
from twokey.core.errors import BadInput, LogUnavailable
from twokey.core.events import Event
from twokey.core.private_files import UnusableFileError

Role: TypeAlias = Literal["gate", "agent"]

AGENT_KINDS: Final = frozenset(
    {
        "run.planned",
        "run.ended",
        "step.started",
        "step.ended",
        "tool.called",
        "tool.returned",
        "model.called",
        "review.ended",
        "policy.decided",
    }
)
"""What a process that runs agents may record; of ``policy.decided`` only decisions on reads."""

MAX_FILE_BYTES: Final = 4096

_LOG_KEY: Final = re.compile(r"twokey/log-key/v1 (twokey/w-[0-9a-z]{12}) ([0-9a-f]{64})\n")
_WRITER_KEY: Final = re.compile(r"twokey/writer-key/v1 (gate|agent) (\S{1,300}) ([0-9a-f]{64})\n")


def may_write(role: Role, event: Event) -> bool:
    """Tell whether a writer of ``role`` may record ``event``."""
    if role == "gate":
        return True
    return event.kind in AGENT_KINDS and (event.kind != "policy.decided" or event.effect == "read")


def mac(key: bytes, role: str, body: bytes) -> bytes:
    """Authenticate one pending entry: HMAC-SHA256 over ``twokey/pending/v1``, the role and the entry's bytes."""
    return hmac.digest(key, b"twokey/pending/v1\n" + role.encode() + b"\n" + body, "sha256")


def same_mac(one: bytes, other: bytes) -> bool:
    """Compare two MACs in constant time."""
    return hmac.compare_digest(one, other)


class WriterKey:
    """The right to put entries before the sequencer, in one role."""

    def __init__(self, role: Role, verifier: Verifier, key: bytes, path: Path | None = None) -> None:
        self.role: Final[Role] = role
        self.verifier: Final = verifier
        self.path: Final = path
        self._key = key

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a writer key file; raises ``LogUnavailable`` where it is missing, exposed or malformed."""
        match = _WRITER_KEY.fullmatch(read_private(path))
        if match is None:
            raise _unusable(path, "it is not a writer key file")
        role: Role = "gate" if match[1] == "gate" else "agent"
        return cls(role, Verifier.parse(match[2]), bytes.fromhex(match[3]), path)

    def save(self, path: Path) -> None:
        """Write the key into a new file; raises ``BadInput`` where it exists."""
        write_private(path, f"twokey/writer-key/v1 {self.role} {self.verifier.vkey} {self._key.hex()}\n")

    def mac(self, body: bytes) -> bytes:
        """Authenticate one entry as written by this writer."""
        return mac(self._key, self.role, body)


class LogKey:
    """The right to sign checkpoints of one workspace's log."""

    def __init__(self, workspace: str, seed: bytes, path: Path | None = None) -> None:
        name = f"twokey/{workspace}"
        self._seed = seed
        self.path: Final = path
        self.signer: Final = Signer(name, self._derive("signing"))
        self.verifier: Final = self.signer.verifier

    @classmethod
    def create(cls, path: Path, workspace: str) -> Self:
        """Make a new key from the operating system's random source and keep it at ``path``.

        Raises:
            BadInput: there is a file already.
            LogUnavailable: the file cannot be written.

        """
        key = cls(workspace, secrets.token_bytes(32), path)
        write_private(path, f"twokey/log-key/v1 {key.verifier.name} {key._seed.hex()}\n")
        return key

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a log key file; raises ``LogUnavailable`` where it is missing, exposed or malformed."""
        match = _LOG_KEY.fullmatch(read_private(path))
        if match is None:
            raise _unusable(path, "it is not a log key file")
        return cls(match[1].removeprefix("twokey/"), bytes.fromhex(match[2]), path)

    def writer(self, role: Role) -> WriterKey:
        """Give the writer key of ``role``."""
        return WriterKey(role, self.verifier, self._derive(f"writer/{role}"), self.path)

    def checkpoint_key(self) -> bytes:
        """Give the key that seals the stored state of runs, 32 bytes."""
        return self._derive("checkpoints")

    def _derive(self, purpose: str) -> bytes:
        info = f"twokey/log-key/v1/{purpose}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._seed)


def load_verifier(key: str) -> Verifier:
    """Read a verifier key given as its one line, or as the path of a file that holds the line.

    Raises:
        BadInput: it is neither.

    """
    if "+" in key and not Path(key).is_file():
        return Verifier.parse(key)
    try:
        with Path(key).open("rb") as file:
            line = file.read(MAX_FILE_BYTES)
        return Verifier.parse(line.decode())
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "The verifier key's file cannot be read.", next="Give the key's line itself, or the path of its file."
        ) from error


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner may read; gives the descriptor.

    Raises:
        OSError: it cannot be opened.
        LogUnavailable: it is no plain file, belongs to somebody else, or others can read or write it.

    """
    try:
        return private_files.open_private(path, flags)
    except UnusableFileError as error:
        raise _unusable(path, str(error)) from error


def read_private(path: Path) -> str:
    """Read a key file; raises ``LogUnavailable`` where it is missing, exposed or a link."""
    try:
        return private_files.read_private(path, MAX_FILE_BYTES)
    except UnusableFileError as error:
        raise _unusable(path, str(error)) from error


def write_private(path: Path, text: str) -> None:
    """Create ``path`` with its whole content or not at all; an existing file is never touched.

    Raises:
        BadInput: there is a file already.
        LogUnavailable: it cannot be written.

    """
    try:
        private_files.write_private(path, text)
    except FileExistsError as error:
        raise BadInput(
            f"There is a key file already: {path.name}.",
            next="Keep it, or move it away if you mean to start a new log.",
        ) from error
    except UnusableFileError as error:
        raise _unusable(path, str(error)) from error


def _unusable(path: Path, why: str) -> LogUnavailable:
    return LogUnavailable(
        f"The key file {path.name} of the audit log cannot be used: {why}.",
        next="Check the path, the owner and the permissions (chmod 600) of the file.",
    )
