"""Signed notes and checkpoints: C2SP ``signed-note`` and ``tlog-checkpoint`` with Ed25519.

Rules: reading is strict. A note is UTF-8 without control characters other than line breaks, base64 is in its one
canonical form, and every line has its place; anything else is refused before a signature is looked at. Signatures of
unknown keys are ignored, a bad signature of the known key refuses the whole note, and a note without the known key's
signature is refused. A checkpoint has exactly the three lines origin, size and root: Twokey writes no extension lines.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import BadInput, CheckFailed
from twokey.core.values import Checkpoint

ED25519: Final = b"\x01"
MAX_NOTE_BYTES: Final = 64 * 1024
MAX_SIGNATURES: Final = 32

_SIGNATURE_LINE: Final = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that checks notes: its name and public half."""

    name: str
    public: bytes
    """Ed25519 public key, 32 bytes."""

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(letter.isspace() or letter < " " for letter in self.name):
            raise _bad_key("its name is empty or holds a blank or a plus sign")
        if len(self.public) != 32:
            raise _bad_key("an Ed25519 key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256 over name, line break, signature type and public key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as the one-line text of ``signed-note``: name, key id and public key."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key from its one-line text.

        Raises:
            BadInput: it is no Ed25519 verifier key, or its id does not belong to it.

        """
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3:
            raise _bad_key("it is not NAME+ID+KEY")
        name, key_id, material = parts
        raw = unbase64(material)
        if raw is None or raw[:1] != ED25519:
            raise _bad_key("it is not an Ed25519 key in base64")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise _bad_key("its id does not belong to its name and key")
        return key

    def open(self, note: str) -> str:
        """Give the text of a note that this key signed.

        Raises:
            CheckFailed: it is no note, or not signed by this key.

        """
        text, signatures = split(note)
        mine = [signature for name, signature in signatures if name == self.name and signature[:4] == self.key_id]
        if not mine:
            raise _bad_note(f"it carries no signature of {self.name}")
        public = Ed25519PublicKey.from_public_bytes(self.public)
        for signature in mine:
            try:
                public.verify(signature[4:], text.encode())
            except InvalidSignature as error:
                raise _bad_note(f"the signature of {self.name} does not fit") from error
        return text

    def checkpoint(self, note: str) -> Checkpoint:
        """Read a checkpoint that this key signed; the key's name must be its origin.

        Raises:
            CheckFailed: it is no such checkpoint.

        """
        origin, size, root = parse_checkpoint(self.open(note))
        if origin != self.name:
            raise _bad_note("it is a checkpoint of another log")
        return Checkpoint(size=size, root=root.hex(), note=note)


class Signer:
    """A key that signs notes. Shows nothing of its private half."""

    def __init__(self, name: str, private: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier: Final = Verifier(name, public)

    def sign(self, text: str) -> str:
        """Give the note that carries ``text``, which must end in a line break."""
        if not text.endswith("\n") or _CONTROL.search(text):
            raise _bad_note("its text must end in a line break and hold no control characters")
        signature = base64.b64encode(self.verifier.key_id + self._private.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.verifier.name} {signature}\n"

    def checkpoint(self, size: int, root: bytes) -> Checkpoint:
        """Sign a tree head whose origin is the key's name."""
        note = self.sign(f"{self.verifier.name}\n{size}\n{base64.b64encode(root).decode()}\n")
        return Checkpoint(size=size, root=root.hex(), note=note)


def parse_checkpoint(text: str) -> tuple[str, int, bytes]:
    """Read origin, tree size and root hash from the text of a checkpoint.

    Raises:
        CheckFailed: it is no checkpoint of three lines.

    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise _bad_note("a checkpoint has the lines origin, size and root, and no others")
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > MAX_INTEGER:
        raise _bad_note("its size is not a number below 2**53 in plain decimal digits")
    root = unbase64(lines[2])
    if root is None or len(root) != 32:
        raise _bad_note("its root is not 32 bytes in base64")
    return lines[0], int(lines[1]), root


def split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Part a note into its text and its signatures (name, key id and signature bytes), none of them checked.

    Raises:
        CheckFailed: it is no note.

    """
    try:
        raw = note.encode()
    except UnicodeEncodeError as error:
        raise _bad_note("it is not UTF-8") from error
    if len(raw) > MAX_NOTE_BYTES or _CONTROL.search(note):
        raise _bad_note(f"it has more than {MAX_NOTE_BYTES} bytes or holds control characters")
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise _bad_note("it has no signature lines after a blank line")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _bad_note(f"it has more than {MAX_SIGNATURES} signatures")
    signatures: list[tuple[str, bytes]] = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        raw_signature = unbase64(match[2]) if match else None
        if match is None or raw_signature is None or len(raw_signature) < 5:
            raise _bad_note("a signature line is malformed")
        signatures.append((match[1], raw_signature))
    return text + "\n", signatures


def unbase64(text: str) -> bytes | None:
    """Read base64 in its one canonical form; nothing else."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def _bad_key(why: str) -> BadInput:
    return BadInput(
        f"This is not a verifier key: {why}.",
        next="Give the key's whole line (twokey/w-...+1a2b3c4d+AQ...), or the path of a file that holds it.",
    )


def _bad_note(why: str) -> CheckFailed:
    return CheckFailed(
        f"This checkpoint cannot be trusted: {why}.",
        next="Compare the verifier key and the checkpoint with the copies that were published.",
    )
