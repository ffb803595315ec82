"""Parts of a run that not everybody may read: which findings, and which tickets of its evidence."""

from typing import Any

import pytest

from twokey.core.values import Finding
from twokey.tools.withholding import Withheld

SECRET = {"number": 21, "key": "21", "title": "A quiet title", "body": "All is well.", "labels": []}
WEAK = {"number": 22, "key": "22", "title": "XSS", "body": "A vulnerability.", "labels": []}
LABELLED = {"number": 23, "key": "23", "title": "Nothing", "body": "", "labels": ["security"]}
PLAIN = {"number": 2, "key": "2", "title": "It crashes", "body": "An exception.", "labels": ["bug"]}
SOME = Withheld(nothing=False, subjects=frozenset({"#21"}))
ALL = Withheld(nothing=True)


def page(*tickets: Any) -> dict[str, Any]:
    return {"tracker": "desk", "answer": {"kind": "page", "tickets": list(tickets), "since": None}}


def test_private_tickets_are_left_out_without_a_gap():
    whole = page(PLAIN, SECRET, WEAK, LABELLED)
    assert SOME.without(whole) == page(PLAIN)
    assert SOME.without(page(SECRET)) == page()
    assert ALL.without(whole) == whole
    kept = Withheld(nothing=False, kept=frozenset({"#22"}))
    assert kept.without(page(PLAIN, WEAK, LABELLED)) == page(PLAIN, WEAK)


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "get", "shown": {"ticket": SECRET, "cut": False}, "comments": [{"body": "leaks"}]},
        {"kind": "similar", "key": "21", "candidates": [PLAIN]},
    ],
)
def test_an_answer_about_one_private_ticket_is_not_there(answer: dict[str, Any]):
    assert SOME.without({"tracker": "desk", "answer": answer}) is None
    assert ALL.without({"answer": answer}) == {"answer": answer}


def test_what_is_found_beside_others_is_judged_by_itself():
    found = {"key": "9", "title": "Alike", "passages": [{"theirs": {"text": "the leaked tokens"}}]}
    similar = {"kind": "similar", "key": "2", "candidates": [found, PLAIN], "version": "1"}
    assert SOME.without(similar) == similar | {"candidates": [PLAIN]}
    listed = {"kind": "list", "tickets": [{"ticket": SECRET, "cut": False}, {"ticket": PLAIN, "cut": True}]}
    assert SOME.without(listed) == listed | {"tickets": [{"ticket": PLAIN, "cut": True}]}
    assert SOME.without({"values": [None, 1, "x"], "none": None}) == {"values": [None, 1, "x"], "none": None}


def test_findings_and_words_about_them_are_left_out():
    def finding(subject: str) -> Finding:
        return Finding(id="f-1", subject=subject, kind="ticket_kind", claim="x", evidence=(), confidence=1)

    repeats = finding("#5").model_copy(update={"claim": "#5 may repeat #21."})
    assert [each.subject for each in SOME.findings([finding("#21"), finding("#2"), repeats])] == ["#2"]
    assert SOME.words("Look at #21 and #2.") == ""
    assert SOME.words("Look at ticket 21.") == ""
    assert SOME.words("Look at 211 and v21a.") == "Look at 211 and v21a."
    assert ALL.words("Look at #21.") == "Look at #21."
    assert Withheld(nothing=False, subjects=frozenset({"OPS-21"})).words("sort ops-21") == ""
