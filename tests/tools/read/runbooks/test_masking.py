"""Secrets in runbooks."""

import pytest

from twokey.tools.read.runbooks.masking import MASK, masked

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow" + "\nabc" * 3 + "\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("password: hunter22x", "hunter22x"),
        ('export DB_PASSWORD="correct-horse"', "correct-horse"),
        ("api_key = 0123456789abcdef", "0123456789abcdef"),
        ("curl -H 'Authorization: Bearer abcdefghijklmnop'", "abcdefghijklmnop"),
        ("use ghp_0123456789abcdefghijABCDEFGHIJ012345.", "ghp_0123456789"),
        ("postgresql://ops:s3cr3tpw@db/prod", "s3cr3tpw"),
        ("https://x.example/?sig=aB3dE5fG7hI9jK1lM3nO5", "aB3dE5fG7hI9jK1lM3nO5"),
        (KEY, "MIIEow"),
        (KEY[:60], "MIIEow"),
    ],
)
def test_secrets_are_masked_and_lines_stay(text: str, gone: str) -> None:
    shown = masked(f"before\n{text}\nafter")
    assert gone not in shown
    assert MASK in shown
    assert shown.count("\n") == text.count("\n") + 2 or text == KEY[:60]
    assert shown.startswith("before\n")


@pytest.mark.parametrize(
    "text",
    [
        "password: ${DB_PASSWORD}",
        "token: <ask the desk>",
        "Set `max_input_tokens` to 2048 and compare `model_bytes` in the registry.",
        "select date_trunc('day', t) from pg_stat_activity where state_change < now() - interval '10 minutes'",
        "see https://wiki.example/runbooks/inference-latency-is-high",
        "123e4567-e89b-12d3-a456-426614174000",
        "api_key=xxxxxxxxxxxx",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert masked(text) == text
