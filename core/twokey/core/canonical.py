"""One byte form for every value that is hashed or signed.

Rules (a subset of RFC 8785, JSON Canonicalization Scheme, on which orjson and RFC 8785 agree byte for byte):

- keys are ASCII strings, sorted; no white space; UTF-8;
- numbers are integers with a magnitude below 2**53; floats are refused, not rounded;
- strings hold Unicode scalar values only (a lone surrogate is refused);
- depth is at most 64 and one text at most 64 MiB, so that a hostile value costs an error and not the process.

``decode`` accepts canonical bytes only: whatever would encode differently (duplicate keys, blanks, other escapes)
is refused, so two different byte strings never carry the same value.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast

import orjson

Json: TypeAlias = "None | bool | int | str | Sequence[Json] | Mapping[str, Json]"

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 64
MAX_BYTES: Final = 64 * 1024 * 1024


class NotCanonicalError(ValueError):
    """The value or text lies outside the canonical subset; the message says where and why."""


def encode(value: Json) -> bytes:
    """Give the canonical bytes of ``value``.

    Raises:
        NotCanonicalError: a float, a non-ASCII key, an integer out of range, a lone surrogate, too deep, too large.

    """
    _check(value, "$", 0)
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise NotCanonicalError(f"not JSON: {error}") from error
    if len(text) > MAX_BYTES:
        raise NotCanonicalError(f"{len(text)} bytes, more than the {MAX_BYTES} allowed")
    return text


def decode(text: bytes) -> Json:
    """Read canonical bytes back.

    Raises:
        NotCanonicalError: the text is not JSON or not in canonical form.

    """
    if len(text) > MAX_BYTES:
        raise NotCanonicalError(f"{len(text)} bytes, more than the {MAX_BYTES} allowed")
    try:
        value = cast("Json", orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise NotCanonicalError(f"not JSON: {error}") from error
    if encode(value) != text:
        raise NotCanonicalError("the text is JSON but not in canonical form")
    return value


def digest(value: Json) -> str:
    """SHA-256 of the canonical bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(encode(value)).hexdigest()


def commitment(salt: str, value: Json) -> str:
    """Salted commitment to ``value``: SHA-256 over the canonical bytes of ``[salt, value]``.

    The salt (at least 32 hexadecimal digits of randomness) stays beside the value in the evidence store, so that the
    commitment in the log tells nothing about a value that could be guessed.
    """
    if len(salt) < 32:
        raise ValueError("a salt has at least 128 bits (32 hexadecimal digits)")
    return digest([salt, value])


def _check(value: Json, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotCanonicalError(f"{where[:80]}: nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonicalError(f"{where[:80]}: integer {value} is not below 2**53")
    elif isinstance(value, dict):
        for key, item in cast("dict[object, Json]", value).items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonicalError(f"{where[:80]}: key {json.dumps(str(key))[:40]} is not an ASCII string")
            _check(item, f"{where}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("Sequence[Json]", value)):
            _check(item, f"{where}[{index}]", depth + 1)
    else:
        raise NotCanonicalError(f"{where[:80]}: {type(value).__name__} has no canonical form")


def _check_text(value: str, where: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonicalError(f"{where[:80]}: a lone surrogate is not text") from error
