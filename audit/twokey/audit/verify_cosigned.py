"""Checks what witnesses signed: C2SP ``tlog-cosignature`` with Ed25519. Stands alone, like ``verify``.

Rules: a witness is known by its verifier key, which came from elsewhere; lines of other names or key ids are passed
over, and one of a known witness that does not fit counts as none. A cosignature stands for exactly the text of the
checkpoint it is under: size, root and log. Its time is the witness's word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from twokey.audit.verify import BadArgument, Report, parts_of_key, unbase64

COSIGNATURE: Final = b"\x04"
LATEST: Final = 253_402_300_799
"""The last second of the year 9999; a later time is no time."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The verifier key of a witness."""

    name: str
    key_id: bytes
    public: bytes
    """Ed25519 public key, 32 bytes."""

    @classmethod
    def parse(cls, vkey: str) -> "Witness":
        """Read ``NAME+ID+KEY``; raises ``BadArgument``."""
        found = parts_of_key(vkey, COSIGNATURE)
        if found is None:
            raise BadArgument("The witness's key is not an Ed25519 cosigner's verifier key (NAME+ID+KEY).")
        name, stated, key_id, public = found
        if not name or stated != key_id.hex():
            raise BadArgument("The id of the witness's key does not belong to its name and public key.")
        return cls(name, key_id, public)

    def time_of(self, note: str) -> int | None:
        """Give when this witness cosigned a note (seconds since 1970), the latest time it says; ``None`` if it did not.

        The note is a checkpoint whose form and own signature were checked before.
        """
        text, _, tail = note.rpartition("\n\n")
        times = [time for line in tail.split("\n") if (time := self.time_in(text + "\n", line)) is not None]
        return max(times, default=None)

    def time_in(self, text: str, line: str) -> int | None:
        """Give the time that one signature line says, if it is this witness's and fits ``text``."""
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = unbase64(encoded) or b""
        if mark != "\u2014" or name != self.name or raw[:4] != self.key_id or len(raw) != 4 + 8 + 64:
            return None
        time = int.from_bytes(raw[4:12], "big")
        if not 0 < time <= LATEST:
            return None
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(raw[12:], message(time, text))
        except InvalidSignature:
            return None
        return time


def message(time: int, text: str) -> bytes:
    """Give the bytes that a witness signs for the text of a checkpoint; ``time`` in seconds since 1970."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def witnessed(report: Report, note: str, witnesses: Sequence[str]) -> Report:
    """Hold the answer of a verification to what witnesses have signed, each given by its verifier key.

    ``note`` is the checkpoint that they were asked about, verified before.

    Raises:
        BadArgument: a key is none of a witness.

    """
    remarks = list(report.remarks)
    missing: list[str] = []
    for witness in [Witness.parse(vkey) for vkey in witnesses]:
        time = witness.time_of(note)
        if time is None:
            missing.append(witness.name)
        else:
            seen = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            remarks.append(f"{witness.name} cosigned the checkpoint of size {note.split(chr(10))[1]} at {seen}")
    if missing and report.ok:
        reason = f"the checkpoint carries no cosignature that fits of {', '.join(missing)}"
        return replace(report, ok=False, reason=reason, remarks=tuple(remarks))
    return replace(report, remarks=tuple(remarks))
