"""The side of a witness: somebody else's key, which signs a log's checkpoints only as long as they continue each other.

Rules (C2SP ``tlog-witness`` and ``tlog-cosignature``, Ed25519):

- A checkpoint is cosigned only if it is signed by a log that this witness was told to look after, and a consistency
  proof leads to it from the largest one that the witness has cosigned. Two roots of one size are never cosigned, nor a
  smaller size.
- What was cosigned is on the disk before the signature leaves. Whoever cosigns holds the state against every other
  process and reads it anew.
- The state proves itself: each checkpoint in it carries the witness's own cosignature. One that is missing or does not
  verify ends all cosigning; a witness that forgot what it signed would contradict itself.
- Nothing that was sent is repeated in an answer, and nothing but a log's own signature makes it worth a line of ours.
"""

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from twokey.audit import merkle
from twokey.audit.disk import Folder, Steps, disk_fault
from twokey.audit.keys import read_private, write_private
from twokey.audit.merkle import BadProof
from twokey.audit.note import Verifier, split, unbase64
from twokey.audit.verify_cosigned import COSIGNATURE, LATEST, Witness, message
from twokey.core import canonical
from twokey.core.canonical import MAX_INTEGER, NotCanonicalError
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, Refused
from twokey.core.ports import Clock

STATE_VERSION: Final = "twokey/witness-state/v1"
MAX_STATE_BYTES: Final = 16 * 1024 * 1024
MAX_PROOF: Final = 63
WAIT_S: Final = 10.0
"""How long to wait for another process that cosigns with the same state, in seconds."""

_KEY: Final = re.compile(r"twokey/witness-key/v1 ([!-*,-~]{1,200}) ([0-9a-f]{64})\n")
_NAME: Final = re.compile(r"[!-*,-~]{1,200}")
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,15})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")

_logger: Final = logging.getLogger("twokey.witness")


class Declined(Refused):
    """The witness does not cosign. ``status`` is the HTTP status of ``tlog-witness``."""

    default_code = "not_cosigned"

    def __init__(self, status: int, why: str, *, next: str, size: int | None = None) -> None:  # noqa: A002 - as in the base
        """``size`` is the size that was cosigned last, where the request began at another one (409)."""
        super().__init__(f"The witness does not cosign: {why}.", next=next)
        self.status = status
        self.size = size


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint of any log, as its text says it; nothing of it is proven."""

    origin: str
    size: int
    root: bytes
    text: str


class WitnessKey:
    """The private key of a witness. Shows nothing of it."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        raw = COSIGNATURE + public
        key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        self.vkey: Final = f"{name}+{key_id.hex()}+{base64.b64encode(raw).decode()}"
        self.verifier: Final = Witness(name, key_id, public)

    @classmethod
    def create(cls, path: Path, name: str) -> Self:
        """Make a new key and the empty state that goes with it.

        Raises:
            BadInput: the name cannot be one, or there is a key or a state already.
            LogUnavailable: the file cannot be written.

        """
        if not _NAME.fullmatch(name):
            raise BadInput(
                "A witness's name has 1 to 200 ASCII letters, digits and signs, without blanks and plus signs.",
                next="Name it after where it is, such as witness.example.com/twokey.",
            )
        seed = secrets.token_bytes(32)
        # The state comes first: a key without one is of no use, and says so. A killed process may have left one.
        empty, state = _encoded({}).decode("ascii"), state_path(path)
        if not state.exists() or read_private(state) != empty:
            write_private(state, empty)
        write_private(path, f"twokey/witness-key/v1 {name} {seed.hex()}\n")
        return cls(name, seed)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a witness's key file; raises ``LogUnavailable`` or ``BadInput`` where it cannot be used."""
        match = _KEY.fullmatch(read_private(path))
        if match is None:
            raise BadInput(
                f"{path.name} is not a witness's key file.", next="Make one with `twokey audit witness new`."
            )
        return cls(match[1], bytes.fromhex(match[2]))

    def cosign(self, text: str, time: int) -> str:
        """Give the signature line for the text of a checkpoint, without line break; ``time`` in seconds since 1970."""
        raw = self.verifier.key_id + time.to_bytes(8, "big") + self._private.sign(message(time, text))
        return f"\u2014 {self.verifier.name} {base64.b64encode(raw).decode()}"


class WitnessDesk:
    """A witness at work, with the logs that it looks after. Several threads and processes may share one state."""

    def __init__(
        self,
        key: WitnessKey,
        state: Path,
        logs: Sequence[Verifier],
        clock: Clock,
        *,
        wait_s: float = WAIT_S,
        steps: Steps | None = None,
    ) -> None:
        self.key: Final = key
        self._state = state
        self._logs: Final[Mapping[str, Verifier]] = {log.name: log for log in logs}
        self._clock = clock
        self._wait_s = wait_s
        self._steps = steps

    @property
    def origins(self) -> list[str]:
        """The logs that this witness looks after."""
        return list(self._logs)

    def notes(self) -> dict[str, str]:
        """Give what was cosigned last, by origin: the checkpoint with the log's and the witness's signature.

        Raises:
            CheckFailed: the state is missing or not what this witness wrote.
            EnvironmentFault: it cannot be read.

        """
        with self._opened() as folder:
            return self._read(folder)

    def size(self, origin: str) -> int:
        """Give the size that was cosigned last, 0 where there is none; raises like ``notes``."""
        note = self.notes().get(origin)
        return 0 if note is None else head_of(note).size

    def add(self, old: int, proof: Sequence[bytes], note: str) -> str:
        """Cosign a checkpoint that continues the one of size ``old``; gives the signature line, with its line break.

        Raises:
            Declined: the request or the log is not as it should be.
            CheckFailed: the state is missing or not what this witness wrote.
            EnvironmentFault: the state cannot be read or written.

        """
        head, signature = self._signed(note)
        if old > head.size:
            raise Declined(400, "the old size lies above that of the checkpoint", next=_ASK_AGAIN)
        with self._opened() as folder:
            folder.lock(self._wait_s, _busy())
            notes = self._read(folder)
            last = head_of(notes[head.origin]) if head.origin in notes else None
            self._check(old, proof, head, last)
            time = self._clock.now_us() // 1_000_000
            if not 0 < time <= LATEST:
                raise EnvironmentFault("This machine's clock shows no time.", next="Set the clock.", code="clock")
            line = self.key.cosign(head.text, time)
            notes[head.origin] = f"{head.text}\n{signature}\n{line}\n"
            folder.write(self._state.name, _encoded(notes), 0o600)
            folder.settle()
        return f"{line}\n"

    def _signed(self, note: str) -> tuple[Head, str]:
        """Read a checkpoint that a log signed which this witness looks after; gives it and the log's signature line."""
        head = head_of(note)
        log = self._logs.get(head.origin)
        if log is None:
            raise Declined(
                404, "it does not know this log", next="Have the witness's owner add the log's verifier key."
            )
        try:
            log.open(note)
        except CheckFailed as error:
            raise Declined(
                403, "the log's signature is missing or does not fit", next="Check the log's key."
            ) from error
        mine = [raw for name, raw in split(note)[1] if name == log.name and raw[:4] == log.key_id]
        return head, f"\u2014 {log.name} {base64.b64encode(mine[0]).decode()}"

    def _check(self, old: int, proof: Sequence[bytes], head: Head, last: Head | None) -> None:
        size = last.size if last is not None else 0
        if old != size:
            raise Declined(409, f"it has cosigned size {size} of this log", next=_ASK_AGAIN, size=size)
        if _is_proven(proof, head, last):
            return
        if last is not None and last.size == head.size and last.root != head.root:
            _logger.error(
                "The log %s signed two trees of size %d: %s and %s. Keep both notes: it forked.",
                head.origin,
                size,
                last.root.hex(),
                head.root.hex(),
            )
        raise Declined(422, "the checkpoint is not proven to continue the one that it cosigned", next=_FORKED)

    def _read(self, folder: Folder) -> dict[str, str]:
        content = folder.read(self._state.name, MAX_STATE_BYTES)
        if content is None:
            raise _bad_state("it is missing")
        try:
            held = cast("dict[str, object]", canonical.decode(content))
            listed = held["notes"] if held["v"] == STATE_VERSION else None
            notes = {head_of(note).origin: note for note in map(str, cast("list[object]", listed))}
        except (NotCanonicalError, Declined, KeyError, TypeError) as error:
            raise _bad_state("it is damaged") from error
        if any(self.key.verifier.time_of(note) is None for note in notes.values()):
            raise _bad_state("it holds what this witness did not cosign")
        return notes

    @contextmanager
    def _opened(self) -> Generator[Folder]:
        try:
            with Folder(self._state.parent, self._steps) as folder:
                yield folder
        except OSError as error:
            raise disk_fault(error) from error


def state_path(key: Path) -> Path:
    """Give the file of what the witness with this key file has cosigned."""
    return key.with_name(f"{key.name}.state")


def head_of(note: str) -> Head:
    """Read the text of a checkpoint of any log; extension lines may follow. Nothing of it is proven.

    Raises:
        Declined: it is no checkpoint.

    """
    try:
        text, _ = split(note)
    except CheckFailed as error:
        raise Declined(400, "this is no signed note", next=_ASK_AGAIN) from error
    lines = text[:-1].split("\n")
    root = unbase64(lines[2]) if len(lines) > 2 else None
    if root is None or len(root) != merkle.HASH_BYTES or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise Declined(400, "this is no checkpoint", next=_ASK_AGAIN)
    if int(lines[1]) > MAX_INTEGER:
        raise Declined(400, "its size is no number below 2**53", next=_ASK_AGAIN)
    return Head(lines[0], int(lines[1]), root, text)


def parse_request(body: bytes) -> tuple[int, list[bytes], str]:
    """Read the body of ``add-checkpoint``: old size, consistency proof and checkpoint.

    Raises:
        Declined: it is none.

    """
    try:
        head, blank, note = body.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise Declined(400, "the request is not UTF-8", next=_ASK_AGAIN) from error
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    proof = [unbase64(line) for line in lines[: MAX_PROOF + 1]]
    hashes = [value for value in proof if value is not None and len(value) == merkle.HASH_BYTES]
    if not blank or old is None or len(hashes) != len(lines) or len(lines) > MAX_PROOF:
        raise Declined(400, "this is no request for a cosignature", next=_ASK_AGAIN)
    return int(old[1]), hashes, note


def request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Give the body of ``add-checkpoint``."""
    hashes = "".join(f"{base64.b64encode(value).decode()}\n" for value in proof)
    return f"old {old}\n{hashes}\n{note}".encode()


def _is_proven(proof: Sequence[bytes], head: Head, last: Head | None) -> bool:
    """Tell whether a checkpoint is proven to continue the last one; every tree continues the empty one."""
    if head.size == 0 and head.root != merkle.EMPTY_ROOT:
        return False
    if last is None or last.size == 0:
        return not proof
    try:
        merkle.check_consistency(old=last.size, old_root=last.root, size=head.size, root=head.root, proof=proof)
    except BadProof:
        return False
    return True


def _encoded(notes: Mapping[str, str]) -> bytes:
    return canonical.encode({"notes": [notes[origin] for origin in sorted(notes)], "v": STATE_VERSION})


_ASK_AGAIN: Final = "Ask again as C2SP tlog-witness describes it."
_FORKED: Final = (
    "Compare the log with the checkpoint that the witness holds: either the proof is wrong, or the log was rewritten."
)


def _busy() -> EnvironmentFault:
    return EnvironmentFault(
        "Another process cosigns with this witness's state and does not finish.",
        next="See what that process is doing, then try again.",
        code="witness_busy",
    )


def _bad_state(why: str) -> CheckFailed:
    return CheckFailed(
        f"The state of this witness cannot be used: {why}. It would not know what it has signed.",
        next="Put back the newest copy if it is sure that nothing was signed since; else make a new witness with a new "
        "key, and have the logs use that one.",
    )
