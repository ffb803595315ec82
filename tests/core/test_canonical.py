"""Canonical JSON: one byte form per value, RFC 8785 inside the subset, an error outside it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from twokey.core import canonical
from twokey.core.canonical import NotCanonicalError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(max_codepoint=127), max_size=12)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


@given(VALUES)
def test_the_bytes_are_those_of_rfc_8785(value: Any):
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_decode_is_the_inverse_of_encode(value: Any):
    assert canonical.decode(canonical.encode(value)) == value


@given(st.dictionaries(KEYS, SCALARS, min_size=2), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, Any], random: Any):
    keys = list(value)
    random.shuffle(keys)
    assert canonical.encode({key: value[key] for key in keys}) == canonical.encode(value)


def test_the_published_vectors_inside_the_subset_agree_and_the_others_are_refused(data: Path):
    inside: list[str] = []
    for file in sorted((data / "audit/jcs/input").glob("*.json")):
        value = json.loads(file.read_bytes())
        expected = (data / "audit/jcs/output" / file.name).read_bytes()
        has_floats = re.search(r"\d\.\d|\dE\d", file.read_text("utf-8"))  # RFC 8785 writes 56.0 as 56
        has_other_keys = re.search(rb'[^\x00-\x7f]":', expected)
        if has_floats or has_other_keys:
            with pytest.raises(NotCanonicalError):
                canonical.encode(value)
        else:
            assert canonical.encode(value) == expected
            inside.append(file.stem)
    assert inside == ["arrays", "unicode"]


class Text(str):
    __slots__ = ()


class Pair(NamedTuple):
    """A sequence that orjson does not write."""

    a: int
    b: int


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "$: float has no canonical form"),
        (float("nan"), "$: float has no canonical form"),
        (2**53, "$: the integer is not below 2**53"),
        (-(2**53), "$: the integer is not below 2**53"),
        ({"a": [1, {"b": 2**60}]}, "$.a[1].b: the integer is not below 2**53"),
        ({"é": 1}, "$: a key is not an ASCII string"),
        ({1: 1}, "$: a key is not an ASCII string"),
        ({"a": {b"k": 1}}, "$.a: a key is not an ASCII string"),
        (["\ud800"], "$[0]: a lone surrogate is not text"),
        (b"bytes", "$: bytes has no canonical form"),
        ({"a": {1, 2}}, "$.a: set has no canonical form"),
        (Pair(1, 2), "not JSON: Type is not JSON serializable: Pair"),
        ({Text("a"): 1}, "not JSON: Dict key must be str"),
    ],
)
def test_what_lies_outside_the_subset_is_refused_by_its_place(value: Any, message: str):
    with pytest.raises(NotCanonicalError, match=f"^{re.escape(message)}"):
        canonical.encode(value)


@pytest.mark.parametrize("value", [{"café 4111111111111111": 1}, {"card": 41111111111111111}, ["secret\udcff"]])
def test_an_error_never_shows_a_value(value: Any):
    with pytest.raises(NotCanonicalError) as caught:
        canonical.encode(value)
    assert "4111" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_long_place_is_cut():
    with pytest.raises(NotCanonicalError) as caught:
        canonical.encode({"k" * 500: 2**53})
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    "text",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b'["\\u0041"]',
        b'["\\u00e9"]',
        b"[1.0]",
        b"[-0]",
        b"[1e2]",
        b"[9007199254740992]",
        b"[-9007199254740992]",
        b"[9999999999999999]",
        b"[10000000000000000]",
        b"[1700000000000000.5]",
        b"[18446744073709551616]",
        b'{"\xc3\xa9":1}',
        b'["\\ud800"]',
        b'["\xff"]',
        b"\xef\xbb\xbf[]",
        b"[] ",
        b"",
        b"[1,]",
        b"NaN",
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_bytes_that_are_not_canonical_are_refused(text: bytes):
    with pytest.raises(NotCanonicalError):
        canonical.decode(text)


@pytest.mark.parametrize("number", [10**15, 1_767_225_600_000_000, 9 * 10**15 - 1, 9 * 10**15, canonical.MAX_INTEGER])
def test_large_integers_come_back(number: int):
    for value in (number, -number):
        assert canonical.decode(b'{"at":%d}' % value) == {"at": value}


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def test_depth_is_bounded():
    assert canonical.decode(canonical.encode(_nested(canonical.MAX_DEPTH))) == _nested(canonical.MAX_DEPTH)
    with pytest.raises(NotCanonicalError, match="nested deeper than 64"):
        canonical.encode(_nested(canonical.MAX_DEPTH + 1))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NotCanonicalError, match="nested deeper than 64"):
        canonical.encode(endless)


def _mixed(depth: int) -> bytes:
    opened = b"".join((b'{"a":[1,', b"[", b'{"a":')[level % 3] for level in range(depth))
    closed = b"".join((b"]}", b"]", b"}")[level % 3] for level in reversed(range(depth)))
    return opened + b"0" + closed


ODD = st.recursive(
    SCALARS
    | st.floats(allow_nan=False)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from(['"', "\\", "[{", "1.5e3", "é"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.sampled_from('a"\\é]}'), max_size=4), inner),
    max_leaves=12,
)


@given(ODD, st.booleans(), st.booleans())
def test_only_what_would_be_encoded_so_is_decoded(value: Any, tight: bool, escaped: bool):
    text = json.dumps(value, separators=(",", ":") if tight else None, ensure_ascii=escaped, sort_keys=tight).encode()
    try:
        expected = canonical.encode(value) == text
    except NotCanonicalError:
        expected = False
    if expected:
        assert canonical.decode(text) == value
    else:
        with pytest.raises(NotCanonicalError):
            canonical.decode(text)


@pytest.mark.parametrize("depth", range(30, 50))
def test_brackets_of_both_kinds_are_counted_alike(depth: int):
    text = _mixed(depth)
    try:
        canonical.encode(json.loads(text))
    except NotCanonicalError:
        with pytest.raises(NotCanonicalError, match="nested deeper"):
            canonical.decode(text)
    else:
        assert canonical.decode(text) == json.loads(text)


def test_a_value_that_is_small_in_memory_and_huge_in_text_ends_early():
    bomb: Any = "x" * 1000
    for _ in range(30):
        bomb = [bomb] * 10
    with pytest.raises(NotCanonicalError, match="bytes of text"):
        canonical.encode(bomb)


def test_escapes_count_towards_the_size():
    with pytest.raises(NotCanonicalError, match="more than the"):
        canonical.encode("\x01" * (canonical.MAX_BYTES // 5))


def test_a_text_that_is_too_large_is_not_even_parsed():
    with pytest.raises(NotCanonicalError, match="more than the"):
        canonical.decode(b" " * (canonical.MAX_BYTES + 1))


def test_digest_is_the_sha_256_of_the_canonical_bytes():
    assert canonical.digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert canonical.digest({"b": 1, "a": [True, None]}) == canonical.digest({"a": (True, None), "b": 1})


def test_a_commitment_depends_on_salt_and_value():
    salt, other = "0" * 32, "1" * 32
    assert canonical.commitment(salt, "x") == canonical.digest([salt, "x"])
    assert (
        len({canonical.commitment(salt, "x"), canonical.commitment(other, "x"), canonical.commitment(salt, "y")}) == 3
    )
    with pytest.raises(ValueError, match="128 bits"):
        canonical.commitment("0" * 31, "x")


def test_canonical_bytes_have_the_digest_and_the_commitment_of_their_value():
    value: canonical.Json = {"b": ["é…", 1, None], "a": True}
    text, salt = canonical.encode(value), "0" * 32
    assert canonical.digest_of_text(text) == canonical.digest(value)
    assert canonical.commitment_to_text(salt, text) == canonical.commitment(salt, value)
    with pytest.raises(ValueError, match="128 bits"):
        canonical.commitment_to_text("0" * 31, text)


def test_a_lone_surrogate_beside_other_text_is_refused_with_its_place():
    with pytest.raises(NotCanonicalError, match=r"\$\.a\[1\]: a lone surrogate"):
        canonical.encode({"a": ["é", "\ud800"]})


PLAIN = st.recursive(
    SCALARS | st.floats() | st.integers(-(2**70), 2**70) | st.sampled_from(['"', "\\", "[{", "null", "é", "\ud800"]),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.text(st.sampled_from('a"\\é]}'), max_size=4), inner)
    ),
    max_leaves=12,
)


def _outcome(encode: Callable[[Any], bytes], value: Any) -> bytes | str:
    try:
        return encode(value)
    except NotCanonicalError as error:
        return str(error)


@given(PLAIN)
def test_plain_values_have_the_bytes_and_the_faults_of_any_others(value: Any):
    assert _outcome(canonical.encode_plain, value) == _outcome(canonical.encode, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), [None, float("nan")], {"a": [1e300]}])
def test_a_float_that_is_no_number_is_refused_and_not_written_as_nothing(value: Any):
    with pytest.raises(NotCanonicalError, match="float has no canonical form"):
        canonical.encode_plain(value)


def test_plain_values_are_bounded_in_depth_and_size():
    assert canonical.encode_plain(_nested(canonical.MAX_DEPTH)) == canonical.encode(_nested(canonical.MAX_DEPTH))
    with pytest.raises(NotCanonicalError, match="nested deeper than 64"):
        canonical.encode_plain(_nested(canonical.MAX_DEPTH + 1))
    with pytest.raises(NotCanonicalError, match="more than the"):
        canonical.encode_plain("\x01" * (canonical.MAX_BYTES // 5))
