"""One byte form for every value that is hashed or signed.

Rules (a subset of RFC 8785, JSON Canonicalization Scheme, on which orjson and RFC 8785 agree byte for byte):

- keys are ASCII strings, sorted; no white space; UTF-8;
- numbers are integers with a magnitude below 2**53; floats are refused, not rounded;
- strings hold Unicode scalar values only (a lone surrogate is refused);
- depth is at most 64 and one text at most 64 MiB, so that a hostile value costs an error and not the process;
- an error names the place by its keys and never shows a value.

``decode`` accepts canonical bytes only: whatever would encode differently (duplicate keys, blanks, other escapes)
is refused, so two different byte strings never carry the same value.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
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
    if not _is_plainly_canonical(value):
        _check(value)
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise NotCanonicalError(f"not JSON: {error}") from error
    if len(text) > MAX_BYTES:
        raise NotCanonicalError(f"{len(text)} bytes, more than the {MAX_BYTES} allowed")
    return text


def encode_plain(value: Json) -> bytes:
    """``encode`` of what holds plain maps, lists, strings, integers and floats only, none of them twice.

    Such is what pydantic dumps for JSON, and what was read from JSON: the text mostly shows that no walk is needed.

    Raises:
        NotCanonicalError: as ``encode``.

    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        return encode(value)  # the walk says where
    if len(text) > MAX_BYTES or not _shows_that_it_is(text):
        return encode(value)
    if b"null" in text and orjson.loads(text) != value:
        return encode(value)  # an infinite float, or none at all, is written as if there was nothing
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
    if _written_again(value, text) != text:
        raise NotCanonicalError("the text is JSON but not in canonical form")
    return value


def _written_again(value: Json, text: bytes) -> bytes:
    """Give what ``encode`` gives for the value of ``text``, without a walk where the text shows that none is needed."""
    if _shows_that_it_is(text):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
        except orjson.JSONEncodeError:
            pass  # an integer is too large: the walk says where
    return encode(value)


def digest(value: Json) -> str:
    """SHA-256 of the canonical bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(encode(value)).hexdigest()


def commitment(salt: str, value: Json) -> str:
    """Salted commitment to ``value``: SHA-256 over the canonical bytes of ``[salt, value]``.

    The salt (at least 32 hexadecimal digits of randomness) stays beside the value in the evidence store, so that the
    commitment in the log tells nothing about a value that could be guessed.
    """
    return digest([_salt(salt), value])


def digest_of_text(text: bytes) -> str:
    """``digest`` of the value whose canonical bytes are ``text``, which is not read again."""
    return hashlib.sha256(text).hexdigest()


def commitment_to_text(salt: str, text: bytes) -> str:
    """``commitment`` to the value whose canonical bytes are ``text``, which is not read again."""
    return digest_of_text(b"[" + encode(_salt(salt)) + b"," + text + b"]")


def _salt(text: str) -> str:
    if len(text) < 32:
        raise ValueError("a salt has at least 128 bits (32 hexadecimal digits)")
    return text


def _is_plainly_canonical(value: Json) -> bool:
    """Accept the usual value in one quick walk. What it does not accept is walked again, to say what is wrong where."""
    budget, stack = MAX_BYTES, [(cast("object", [value]), -1)]
    while stack and budget >= 0:
        node, depth = stack.pop()
        items = cast("Iterable[object]", node)
        if type(node) is dict:
            keys = cast("dict[str, object]", node)
            if not (_STRING.issuperset(map(type, keys)) and all(map(str.isascii, keys))):
                return False
            budget -= sum(map(len, keys)) + len(keys)
            items = keys.values()
        for item in items:
            kind = type(item)
            budget -= 2
            if kind is str:
                text = cast("str", item)
                if not text.isascii() and not _is_text(text):
                    return False
                budget -= len(text)
            elif kind is int:
                if not -MAX_INTEGER <= cast("int", item) <= MAX_INTEGER:
                    return False
            elif kind in _CONTAINERS:
                if depth >= MAX_DEPTH - 1:
                    return False
                stack.append((item, depth + 1))
            elif kind not in _WORDS:
                return False
    return budget >= 0


def _shows_that_it_is(text: bytes) -> bool:
    """Whether JSON text shows by itself that ``encode`` takes what it says, integers apart that are too large.

    Most does, and need not be walked: its keys are ASCII, it has no floats, and it is not too deep. Taking the
    innermost pairs of brackets away takes one level away.
    """
    if not text.isascii() and b":" in _AFTER_OTHER_LETTERS.findall(text):
        return False
    # where nothing is escaped, every other part between quotation marks is a text
    bare = _TEXTS.sub(b"", text) if b"\\" in text else b"".join(text.split(b'"')[::2])
    signs = bare.translate(_ONE_KIND, delete=_OF_INTEGERS)
    for word in _WORDS_OF_JSON:
        signs = signs.replace(word, b"")
    for _ in range(MAX_DEPTH):
        signs = signs.replace(b"[]", b"")
        if not signs:
            return True
    return False


_TEXTS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_AFTER_OTHER_LETTERS: Final = re.compile(rb'[\x80-\xff][^"\\]*+(?:\\.[^"\\]*+)*+"(:?)', re.DOTALL)
"""What stands behind a text with letters that are not ASCII, from the first of them on: a colon, if it is a key."""
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_OF_INTEGERS: Final = b"0123456789-,:"
_WORDS_OF_JSON: Final = (b"true", b"false", b"null")
_STRING: Final = frozenset({str})
_CONTAINERS: Final = frozenset({dict, list, tuple})
_WORDS: Final = frozenset({bool, type(None)})


class _Fault(Exception):  # noqa: N818 - becomes a NotCanonicalError once the place is known
    """A fault on its way out of the walk; every container it passes adds the step that leads to it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str] = []


def _check(value: Json) -> None:
    try:
        _charge(value, 0, MAX_BYTES)
    except _Fault as fault:
        # Named by its keys, never by a value: errors are shown and logged.
        place = ("$" + "".join(reversed(fault.steps)))[:80]
        raise NotCanonicalError(f"{place}: {fault.reason}") from fault


def _charge(value: Json, depth: int, budget: int) -> int:
    """Take from ``budget`` what ``value`` needs at least, in bytes.

    The charge ends the walk of a value that is small in memory and huge in text (YAML aliases make such values).
    """
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value)
        budget -= len(value)
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise _Fault("the integer is not below 2**53")
    elif depth >= MAX_DEPTH:
        raise _Fault(f"nested deeper than {MAX_DEPTH}")
    elif isinstance(value, dict):
        budget = _charge_map(cast("dict[object, Json]", value), depth + 1, budget)
    elif isinstance(value, list | tuple):
        budget = _charge_list(cast("Sequence[Json]", value), depth + 1, budget)
    else:
        raise _Fault(f"{type(value).__name__} has no canonical form")
    if budget < 0:
        raise _Fault(f"more than {MAX_BYTES} bytes of text")
    return budget - 2


def _charge_map(value: dict[object, Json], depth: int, budget: int) -> int:
    for key, item in value.items():
        if not isinstance(key, str) or not key.isascii():
            raise _Fault("a key is not an ASCII string")
        try:
            budget = _charge(item, depth, budget - len(key))
        except _Fault as fault:
            fault.steps.append(f".{key}")
            raise
    return budget


def _charge_list(value: Sequence[Json], depth: int, budget: int) -> int:
    for index, item in enumerate(value):
        try:
            budget = _charge(item, depth, budget)
        except _Fault as fault:
            fault.steps.append(f"[{index}]")
            raise
    return budget


def _check_text(value: str) -> None:
    if not _is_text(value):
        raise _Fault("a lone surrogate is not text")


def _is_text(value: str) -> bool:
    """Whether there is no lone surrogate in it."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
