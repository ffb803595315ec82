"""What shows an outsider that one entry is in the log: C2SP ``tlog-proof``, with the entry beside it.

Rules: a proof is text that needs nothing of the workspace but the log's verifier key; reading one is strict, and
``check`` gives the entry's place only where the hashes lead from exactly these bytes to a root that the key signed.
A proof says that an entry is in the log, never that another one is not.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

from twokey.audit import merkle
from twokey.audit.merkle import BadProof
from twokey.audit.note import Verifier
from twokey.core.errors import CheckFailed
from twokey.core.values import Checkpoint

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63
"""Hashes of a proof at most: as many as a tree of 2**63 leaves needs."""
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,15})")
_HASH: Final = re.compile(r"[A-Za-z0-9+/]{43}=")


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """One entry, its place, and the way from it to a signed root."""

    index: int
    body: bytes
    """The canonical bytes of the entry."""
    hashes: tuple[bytes, ...]
    """Lowest first."""
    checkpoint: Checkpoint
    verifier: Verifier

    @property
    def text(self) -> str:
        """The proof as text; the leaf it is for is the SHA-256 of 0x00 and ``body``."""
        hashes = "".join(f"{base64.b64encode(value).decode()}\n" for value in self.hashes)
        return f"{FIRST_LINE}\nindex {self.index}\n{hashes}\n{self.checkpoint.note}"

    def as_json(self) -> dict[str, object]:
        """Give everything an outsider needs, in one object."""
        return {
            "type": "twokey/proof/v1",
            "entry": self.body.decode("utf-8"),
            "proof": self.text,
            "key": self.verifier.vkey,
        }


def check(text: str, body: bytes, verifier: Verifier) -> int:
    """Check a proof for the bytes of an entry; gives the entry's number in the log.

    Raises:
        CheckFailed: it is no proof, its checkpoint is not signed by the key, or it is the proof of something else.

    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    hashes = lines[2:]
    if not blank or lines[0] != FIRST_LINE or index is None or len(hashes) > MAX_HASHES:
        raise _refused("it is no inclusion proof")
    if not all(_HASH.fullmatch(line) and base64.b64encode(base64.b64decode(line)).decode() == line for line in hashes):
        raise _refused("one of its hashes is none")
    checkpoint = verifier.checkpoint(note)
    try:
        merkle.check_inclusion(
            leaf=merkle.leaf_hash(body),
            index=int(index[1]),
            size=checkpoint.size,
            root=bytes.fromhex(checkpoint.root),
            proof=[base64.b64decode(line) for line in hashes],
        )
    except BadProof as error:
        raise _refused(str(error)) from error
    return int(index[1])


def _refused(why: str) -> CheckFailed:
    return CheckFailed(
        f"This does not prove that the entry is in the log: {why}.",
        next="Ask for the proof again, and compare the verifier key with the copy that was published.",
    )
