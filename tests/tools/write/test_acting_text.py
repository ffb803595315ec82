"""What a text does besides saying something is told from its characters, however it is written."""

from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.security_tickets import NEAR_MISSES, REPORTS

from twokey.tools.write import acting_text, pull_text, weakness_words
from twokey.tools.write.ticket_change import is_disguised

CALLS = "mentions_people"
LEADS = "links_elsewhere"
MARKS = "holds_markup"
ORDERS = "commands_bots"
HIDES = "hides_characters"


@pytest.mark.parametrize(
    ("text", "deeds"),
    [
        # A lone grave accent makes no code, and what stands after code is called, too.
        ("`@sam please look", {CALLS}),
        ("`x`@sam", {CALLS}),
        ("_@sam_", {CALLS}),
        ("\u00e9@sam", {CALLS}),
        ("\\@sam", {CALLS}),
        ("\ufe6bsam", {CALLS}),
        ("@s\u0430m", {CALLS}),
        ("@\u200bsam", {CALLS, HIDES}),
        ("write to sam@example.org", set[str]()),
        ("@ sam, @-x", set[str]()),
        ("https\\://evil.example", {LEADS}),
        ("//evil.example/x", {LEADS}),
        ("[x](//evil.example)", {LEADS}),
        ("http:\u200b//evil.example", {LEADS, HIDES}),
        ("evil\u3002example/x", {LEADS}),
        ("\u00e9vil.example/x", {LEADS}),
        ("\u0435vil.example/x", {LEADS}),
        ("evil.\u0440\u0444/x", {LEADS}),
        ("evil.xn--p1ai/x", {LEADS}),
        ("[::1]/x", {LEADS}),
        ("localhost:80/x", {LEADS}),
        ("javascript:alert(1)", {LEADS}),
        ("data:text/html,x", {LEADS}),
        ("![x]\\(evil)", {LEADS}),
        ("see other/repository#12", {LEADS}),
        ("see other/repository@0123456789", {LEADS}),
        ("metadata:x, feature-store/errors: 3, p99/p50, and/or, 3.2/3.3", set[str]()),
        ("&commat;sam", {MARKS}),
        ("\\<b>", {MARKS}),
        ("R&D; 5 < 6", set[str]()),
        ("/close", {ORDERS}),
        ("done\n  /assign sam", {ORDERS}),
        ("the disk /var/log is full\n/var/log too\n- /healthz is down", set[str]()),
        ("x\u3164y", {HIDES}),
        ("x\u2800y", {HIDES}),
        ("x\u034fy", {HIDES}),
        ("x\U000e0101y", {HIDES}),
        ("x\ufe0fy", {HIDES}),
        ("\u2600\ufe0f\ufe0f", {HIDES}),
        ("a \u260e\ufe0f and 1\ufe0f\u20e3", set[str]()),
        ("one\n\ttwo", set[str]()),
    ],
)
def test_what_acts_is_told(text: str, deeds: set[str]) -> None:
    assert set(acting_text.deeds(text)) == deeds


@given(st.text(max_size=40))
def test_any_text_is_read_and_each_deed_is_told_once(text: str) -> None:
    found = list(acting_text.deeds(text))
    assert len(found) == len(set(found))
    if acting_text.hides(text):
        assert HIDES in found


@pytest.mark.parametrize("name", ["approved\ufe0f", "app\u200broved", "approved\u3164"])
def test_a_name_that_hides_something_is_disguised(name: str) -> None:
    assert is_disguised(name)
    assert not is_disguised("approved")


def test_most_reports_of_weaknesses_are_told_by_a_single_sign_and_no_near_miss_is() -> None:
    """The second look; triage weighs the weak signs that the others have."""
    told = list(map(weakness_words.found, starmap("{}\n{}".format, REPORTS)))
    assert sum(told) >= 0.75 * len(told)
    assert not [title for title, body in NEAR_MISSES if weakness_words.found(f"{title}\n{body}")]


@pytest.mark.parametrize(
    "text",
    [
        "There is a way to log in without a password",
        "Auth bypass in login",
        "SQL-injection",
        "SQLi in search",
        "CVE 2024 1234",
        "Hard-coded admin password",
        "token printed in the logs",
        "secrets in git history",
        "Anyone can read other users' invoices",
        "IDOR in /invoices",
        "leaked the staging keys",
    ],
)
def test_a_report_is_told_however_it_is_put(text: str) -> None:
    assert weakness_words.found(text)


@pytest.mark.parametrize(
    ("title", "body", "labels"),
    [
        ("Document churn", "Adds 3 descriptions.\n\n<details>\n\n- `a.b`\n\n</details>", set[str]()),
        ("Document churn", "cc @sam", {"text_mentions_people"}),
        ("Document churn", "![x](https://evil.example/?q=secret)", {"text_links_elsewhere"}),
        ("Document churn", "/lgtm\n/approve", {"text_commands_bots"}),
        ("Fixes #12", "", {"text_closes_tickets"}),
        ("Docs", "This resolves: other/repository#7", {"text_closes_tickets", "text_links_elsewhere"}),
        ("Docs", "Closes GH-12", {"text_closes_tickets"}),
        ("Docs", "Close this pull request and delete its branch; 3 fixes of 12", set[str]()),
        ("Docs [skip ci]", "", {"text_skips_checks"}),
        ("Docs [ci skip]", "", {"text_skips_checks"}),
        ("Docs", "skip-checks: true", {"text_skips_checks"}),
        ("Do\u200bcs", "", {"hides_characters"}),
    ],
)
def test_what_the_text_of_a_pull_request_does_is_told(title: str, body: str, labels: set[str]) -> None:
    assert set(pull_text.labels(title, body)) == labels
