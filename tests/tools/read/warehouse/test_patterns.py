"""What single values look like."""

import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.tools.read.warehouse.patterns import (
    PATTERN_NAMES,
    contains_email,
    detect,
    examine,
    name_words,
    redact,
    shape,
    shorten,
    shortened,
)
from twokey.tools.read.warehouse.values import Patterns

EXAMPLES: Final = {
    "integer": ("0", "-12", "+7", "00123"),
    "number": ("1.5", "-0.25", ".5", "1e10", "2.", "12"),
    "boolean": ("true", "No", "Y", "0", "off"),
    "date": ("2026-02-28", "2024-02-29"),
    "datetime": (
        "2026-02-28T10:00",
        "2026-02-28 10:00:59.123456Z",
        "2026-02-28T23:59:60+01:00",
        "2026-02-28 10:00:00+00",
    ),
    "local_date": ("31/12/2025", "12/31/2025", "1.2.2026", "2026/02/28", "1/2/26", "28-02-2026 10:00"),
    "email": ("ana@example.com", "a.b+c@sub.example.co.uk", "ä@exämple.de", "x@xn--bcher-kva.xn--p1ai"),
    "embedded_email": ("write to ana@example.com today", "<ana@example.com>"),
    "phone": ("+49 30 1234567", "(555) 123-4567", "555-123-4567", "+1.555.123.4567 x12", "030/123 45 67"),
    "url": ("https://example.com/a?b=c", "www.example.com", "ftp://h/x", "https://example.com/@user"),
    "uuid": ("123e4567-e89b-12d3-a456-426614174000",),
    "ip": ("10.0.0.1", "255.255.255.255", "2001:db8::1", "::1"),
    "postal": ("12345", "12345-6789", "K1A 0B1", "SW1A 1AA", "1234 AB", "123-4567", "00-950", "123 45"),
    "country": ("DE", "US"),
    "currency": ("EUR", "USD"),
    "card": ("4111111111111111", "4111 1111 1111 1111", "3782-822463-10005"),
    "iban": ("DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"),
    "secret": (
        "ghp_0123456789abcdefghijABCDEFGHIJ",
        "sk_live_0123456789abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "postgresql://ana:pw@host/db",
        "0123456789abcdef0123456789abcdef",
        "aB3dE6gH9jK2mN5pQ8sT",
        "AbcdefghijKlmnopqrstuvWX2yz",
    ),
}
COUNTEREXAMPLES: Final = {
    "integer": ("", " ", "1.0", "1_000", "١٢"),
    "number": (".", "1,000", "nan", "inf", "1e", "--1"),
    "boolean": ("maybe", "2"),
    "date": ("2026-02-29", "2026-13-01", "20260228", "2026-2-28", "0000-01-01"),
    "datetime": ("2026-02-30T10:00", "2026-02-28T25:00", "2026-02-28", "2026-02-28T10"),
    "local_date": ("99/99/2025", "1/2/345", "2026-02-28", "1/2-2026", "31/31/2025"),
    "email": ("ana@", "@example.com", "ana@localhost", "a b@example.com", "ana@-x.com", "ana@x..com", "ana@x.c0m"),
    "embedded_email": ("@ana", "a@b", "@@@@", "ana @ example.com"),
    "phone": ("1234567890", "2026-02-28", "10.0.0.1", "1234.5678", "12-34", "12345-6789", "555 1", "+1234567890123456"),
    "url": ("example.com", "http://", "https:// x"),
    "uuid": ("123e4567e89b12d3a456426614174000",),
    "ip": ("256.0.0.1", "1.2.3", "1:2", "12:30:15", ":" * 60, "1.2.3.4444"),
    "postal": ("1", "ABCDE"),
    "country": ("de", "XX"),
    "currency": ("eur", "ABC"),
    "card": ("4111111111111112", "1111111111111111", "4444444444444444", "411111"),
    "iban": ("DE89370400440532013001", "XX82WEST12345698765432", "DEAA370400440532013000", "de89370400440532013000"),
    "secret": ("hello world", "internationalization-of-things", "123e4567-e89b-12d3-a456-426614174000"),
}


def test_each_pattern_has_a_counter_and_examples() -> None:
    assert set(PATTERN_NAMES) == set(Patterns.model_fields) == set(EXAMPLES) == set(COUNTEREXAMPLES)


@pytest.mark.parametrize("name", PATTERN_NAMES)
def test_a_pattern_knows_its_examples_and_nothing_else(name: str) -> None:
    assert [text for text in EXAMPLES[name] if name not in detect(text)] == []
    assert [text for text in COUNTEREXAMPLES[name] if name in detect(text)] == []


def test_long_texts_are_known_by_what_they_begin_with_or_contain() -> None:
    assert detect("https://example.com/" + "a" * 400) == ("url",)
    assert detect("x" * 400 + " ana@example.com") == ("embedded_email",)
    assert detect("eyJhbGciOiJIUzI1NiJ9." + "a" * 400) == ("secret",)
    assert detect("x" * 400) == ()


@pytest.mark.parametrize(
    "text",
    [
        "a@" * 100_000,
        "1" * 200_000,
        "a." * 100_000,
        "(" * 200_000,
        "-" * 200_000,
        "a@" + "a." * 100_000,
        "1 " * 100_000,
        "http://" + "a" * 200_000,
        "A" * 319,
        "a@" * 159,
        "1-" * 159,
        "(1" * 159,
        "aA1" * 106,
        "1:" * 159,
        "a-" * 159,
    ],
)  # fmt: skip - one list of hostile texts
def test_hostile_texts_cost_no_time(text: str) -> None:
    start = time.thread_time()
    detect(text)
    shape(text)
    redact(text)
    contains_email(text)
    assert time.thread_time() - start < 1


@given(st.text(max_size=400))
def test_any_text_is_taken(text: str) -> None:
    assert set(detect(text)) <= set(PATTERN_NAMES)
    assert len(shape(text)) <= 40
    assert all(character in " .,-_/:@+()#%'9Aa?+…" for character in shape(text))
    redact(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("AB-12", "AA-99"),
        ("Ünïcode ٣", "Aaaaaaa 9"),
        ("a" * 100, "a+"),
        ("1" * 7, "9999999"),
        ("<b>\n", "?a??"),
        ("漢" * 3, "aaa"),
        ("a1" * 50, "a9" * 19 + "a…"),
    ],
)
def test_a_shape_has_the_form_and_not_the_content(text: str, form: str) -> None:
    assert shape(text) == form


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        ("ana@example.com", "a…@e….com"),
        ("1ana@example.co.verylongtld", "…@e….…"),
        ("Main Street 5", "M… S… 9"),
        ("42", "99"),
        ("Jo", "…"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ", "…"),
        ("one two three four five six", "o… t… t… f… …"),
        ("", ""),
    ],
)
def test_a_redacted_text_is_a_trace(text: str, trace: str) -> None:
    assert redact(text) == trace


def test_names_are_split_at_signs_digits_and_case() -> None:
    assert name_words("custEmail_2") == ("cust", "email")
    assert name_words("EMailAddress") == ("e", "mail", "address")
    assert name_words("HTTPCode straße") == ("http", "code", "stra", "ß", "e")
    assert name_words("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "0" * 32,
        "0" * 28 + "e12" + "0",
        "12345678901234567890123456789e12",
        "d41d8cd98f00b204e9800998ecf8427e",
        "abcdefabcdefabcdefabcdefabcdefab",
        "gghhiijjkkllmmnnooppqqrrssttuuvv",
        "1234567890123456789012345ext1234",
        "https://ana:word@host.example/x",
        "ftp://host.example/some/where/else",
        "001.02.3.255",
        "1.2.3.256",
    ],
)
def test_many_texts_are_compared_as_each_one_is(text: str) -> None:
    found, _ = examine([(text, 3), ("x", 1)])
    assert {name for name, count in found.items() if count == 3} == set(detect(text))


_LONG_WORDS: Final = st.lists(
    st.text("0123456789abcdef", min_size=30, max_size=40) | st.text("0123456789abcdefgxé", min_size=32, max_size=34),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(_LONG_WORDS)
def test_long_words_are_compared_together_as_each_one_is(texts: list[str]) -> None:
    found, _ = examine([(text, 2) for text in texts])
    alone = [name for text in texts for name in detect(text)]
    assert found == {name: 2 * alone.count(name) for name in alone}


@given(st.lists(st.text("9aA_ -.@?", max_size=200)))
def test_masks_are_shortened_together_as_each_one_is(masks: list[str]) -> None:
    assert list(shortened(masks)) == [shorten(mask) for mask in masks]
