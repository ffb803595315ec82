"""A second verifier, slow and small, from audit/SPEC.md and the RFCs alone: nothing but ``hashlib`` and ``json``.

It shares no line with ``twokey.audit``; Ed25519 is RFC 8032, section 5.1, written out.
"""

import base64
import hashlib
import json
from typing import Any

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
Q = 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int, int, int]


def _add(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(number: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _point(raw: bytes) -> Point:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        raise ValueError("not on the curve")
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is an Ed25519 signature of ``text``."""
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(r + public + text).digest(), "little") % Q
    left, right = _times(s, BASE), _add(_point(r), _times(h, _point(public)))
    return not (left[0] * right[2] - right[0] * left[2]) % P and not (left[1] * right[2] - right[1] * left[2]) % P


def tree(leaves: list[bytes]) -> bytes:
    """Merkle Tree Hash, RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + tree(leaves[:half]) + tree(leaves[half:])).digest()


def good(log: dict[str, Any], vkey: str) -> bool:
    """Whether every entry of a log (in the form of audit/vectors/log.json) is covered by checkpoints of the key."""
    name, vkey_id, material = vkey.split("+", 2)
    public = base64.b64decode(material)[1:]
    bodies = [row["body"].encode() for row in log["entries"]]
    ids: list[str] = []
    for place, row in enumerate(log["entries"]):
        entry = json.loads(row["body"])
        ids.append(entry["id"])
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        leaf = hashlib.sha256(b"\x00" + bodies[place]).hexdigest()
        known = sorted(entry) == ["event", "id", "time_us", "v", "workspace"] and entry["v"] == "twokey/entry/v1"
        fits = (row["seq"], row["id"], row["kind"], row["leaf_hash"]) == (
            place,
            entry["id"],
            entry["event"]["kind"],
            leaf,
        )
        if not known or not fits or canonical != row["body"] or "twokey/" + entry["workspace"] != name:
            return False
    for row in log["checkpoints"]:
        text, _, line = row["note"].rpartition("\n\n")
        raw = base64.b64decode(line.split(" ")[2])
        key_id, signature = raw[:4], raw[4:]
        if line != f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n" or key_id.hex() != vkey_id:
            return False
        if text != f"{name}\n{row['size']}\n{base64.b64encode(bytes.fromhex(row['root'])).decode()}":
            return False
        if not signed(public, text.encode() + b"\n", signature):
            return False
        if row["size"] > len(bodies) or tree(bodies[: row["size"]]).hex() != row["root"]:
            return False
    return bool(log["checkpoints"]) and log["checkpoints"][-1]["size"] == len(bodies) and len(set(ids)) == len(ids)
