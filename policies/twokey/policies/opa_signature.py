"""OPA's bundle signature: ``.signatures.json``, a JSON Web Token (RFC 7515) over the hashes of the bundle's files.

Rules: the form is OPA's (docs, "Bundle Signature Format"), so ``opa build`` and ``opa run`` take what is signed here,
and what ``opa sign`` made is taken here; the one algorithm is ES256 (ECDSA, P-256, SHA-256), whatever a token says of
itself; every file is covered, and every file that is covered is there. JSON files are hashed by their value with sorted
keys, as OPA does, so only values that OPA and we write alike may be signed. The private key is a file that only its
owner can read; it is never overwritten. Names of files are those inside the folder: OPA names them from where it is
run, so it signs and verifies the same bundle from within the folder (``-b .``), or packed.
"""

import base64
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from twokey.core import canonical
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault
from twokey.policies import strict_json
from twokey.policies.bundle import SIGNATURES

ALGORITHM: Final = "ES256"
_HALF: Final = 32
_MAX_KEY_BYTES: Final = 16 * 1024
_ECDSA: Final = ec.ECDSA(hashes.SHA256())


def new_key(path: Path) -> Path:
    """Make a signing key at ``path``, and its public half beside it; gives the path of that.

    Raises:
        BadInput: one of the files is there already.
        EnvironmentFault: they cannot be written.

    """
    key = ec.generate_private_key(ec.SECP256R1())
    public = path.with_name(f"{path.name}.pub")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    shown = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for place, content, mode in ((path, pem, 0o600), (public, shown, 0o644)):
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise BadInput(
                f"{place} is there already.", next="A key is never overwritten; name another file."
            ) from None
        except OSError as error:
            raise EnvironmentFault(
                f"{place} cannot be written.", next="Check the folder and the free space."
            ) from error
    return public


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a signing key.

    Raises:
        BadInput: the file is missing, or holds no P-256 private key in PEM.
        EnvironmentFault: others can read it.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadInput(f"The signing key {path} cannot be read.", next="`twokey policy key FILE` makes one.") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
            raise EnvironmentFault(
                f"The signing key {path.name} can be read by others, or is no plain file of this account.",
                next=f"chmod 600 {path}, or make a new key if somebody may have read it.",
                code="key_exposed",
            )
        text = file.read(_MAX_KEY_BYTES)
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key(path) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _no_key(path)
    return key


def load_public(path: Path) -> ec.EllipticCurvePublicKey:
    """Read a verification key; raises ``BadInput`` where the file holds no P-256 public key in PEM."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes()[:_MAX_KEY_BYTES])
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _no_key(path)
    return key


def sign(files: Mapping[str, bytes], key: ec.EllipticCurvePrivateKey) -> bytes:
    """Give the content of ``.signatures.json`` for the files of a bundle, by name.

    Raises:
        BadInput: a JSON file cannot be read, or holds what OPA would write differently.

    """
    listed = [
        {"name": name, "hash": _hash(name, content), "algorithm": "SHA-256"}
        for name, content in sorted(files.items())
        if name != SIGNATURES
    ]
    signed = f"{_encode({'alg': ALGORITHM, 'typ': 'JWT'})}.{_encode({'files': listed})}"
    first, second = decode_dss_signature(key.sign(signed.encode(), _ECDSA))
    raw = first.to_bytes(_HALF, "big") + second.to_bytes(_HALF, "big")
    return json.dumps({"signatures": [f"{signed}.{_base64(raw)}"]}).encode()


def verify(files: Mapping[str, bytes], key: ec.EllipticCurvePublicKey) -> None:
    """Check ``.signatures.json`` among the files of a bundle.

    Raises:
        CheckFailed: there is none, it is not by this key, or a file was changed, added or removed since.

    """
    if SIGNATURES not in files:
        raise _not_signed("it has no .signatures.json")
    payload = _payload(files[SIGNATURES], key)
    listed = payload.get("files")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise _not_signed("the signature lists no files")
    signed = {str(item.get("name")).lstrip("/"): item for item in listed}
    present = {name for name in files if name != SIGNATURES}
    if len(signed) != len(listed) or set(signed) != present:
        raise _not_signed("files were added to it or removed from it since")
    for name, item in signed.items():
        if item.get("algorithm") != "SHA-256" or item.get("hash") != _hash(name, files[name]):
            raise _not_signed(f"{name} was changed since")


def _payload(text: bytes, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    try:
        tokens = strict_json.loads(text)["signatures"]
        (token,) = tokens
        head, body, signature = str(token).split(".")
        header, payload = strict_json.loads(_decode(head)), strict_json.loads(_decode(body))
        raw = _decode(signature)
        key.verify(_der(header["alg"], raw), f"{head}.{body}".encode(), _ECDSA)
        found: dict[str, Any] = {**payload}
    except InvalidSignature:
        raise _not_signed("the signature is not by policy.verification_key") from None
    except (ValueError, KeyError, TypeError) as error:
        raise _not_signed("its .signatures.json holds no one ES256 signature") from error
    return found


def _der(algorithm: object, raw: bytes) -> bytes:
    """Give a signature as ``cryptography`` takes it; raises ``ValueError`` where it is none of ES256."""
    if algorithm != ALGORITHM or len(raw) != 2 * _HALF:
        raise ValueError("not ES256")
    return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))


def _hash(name: str, content: bytes) -> str:
    """SHA-256 as OPA takes it: of a JSON file's value with sorted keys and no blanks, of any other file's bytes."""
    if not name.endswith((".json", ".manifest")):
        return hashlib.sha256(content).hexdigest()
    try:
        text = canonical.encode(strict_json.loads(content))
    except ValueError as error:
        raise BadInput(f"{name} of the bundle cannot be signed: {error}.", next=f"Correct {name}.") from error
    if any(mark in text for mark in (b"\\u00", "\u2028".encode(), "\u2029".encode())):
        raise BadInput(f"{name} holds control characters, which OPA writes differently.", next="Remove them.")
    return hashlib.sha256(text).hexdigest()


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _no_key(path: Path) -> BadInput:
    return BadInput(f"{path} holds no P-256 key in PEM.", next="`twokey policy key FILE` makes a pair.", code="no_key")


def _not_signed(why: str) -> CheckFailed:
    return CheckFailed(
        f"The policy bundle is not signed as this workspace demands: {why}.",
        next="Have it signed again with `twokey policy sign`; nothing is decided with it until then.",
        code="policy_signature",
    )
