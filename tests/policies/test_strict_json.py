import pytest

from twokey.policies import strict_json


def test_plain_json_is_read() -> None:
    assert strict_json.loads(b'{"a": [1, true, null, "\\u00e9"]}') == {"a": [1, True, None, "é"]}


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"1.0",
        b"1e3",
        b'{"a": ',
        b"",
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b"[" * 200_000,
        b"9" * 10_000,
        b" " * (strict_json.MAX_BYTES + 1),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_liberties_are_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^.{3,120}$") as refusal:
        strict_json.loads(text)
    assert not isinstance(refusal.value, UnicodeDecodeError)


def test_the_limit_is_the_callers() -> None:
    assert strict_json.loads(b"[1]", limit=3) == [1]
    with pytest.raises(ValueError, match="more than 2 bytes"):
        strict_json.loads(b"[1]", limit=2)
