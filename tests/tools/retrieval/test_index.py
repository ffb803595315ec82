"""What is put into an index is found again, by likeness and by words, whatever it holds."""

import sqlite3
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from twokey.core.errors import EnvironmentFault
from twokey.tools.retrieval.index import Found, Index, Text
from twokey.tools.retrieval.passages import matches, spans
from twokey.tools.retrieval.spaces import EMPTY, Space, of_runs, of_terms, unpacked
from twokey.tools.retrieval.words import MAX_FRAMES, signs, terms_of, without_deep_frames, words

TRACE = """Traceback (most recent call last):
  File "/app/scorer/batch.py", line 88, in write
psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "scores_pkey"
"""
TEXTS = (
    ("Scores of yesterday shown twice", "The list shows 40 accounts twice, with two different scores."),
    ("Add seats to the list of accounts", "I want to see how many seats an account has."),
    ("Nightly job fails", TRACE),
    ("How do I run the features on my laptop?", "`dbt build` says it cannot find profile `fernhill`."),
    ("batch-scorer: OOMKilled at batch 17", "Batch 17 has four times the rows of the others."),
    ("Dashboard is slow", "Opening the dashboard takes a minute since Monday."),
)


def text(number: int, title: str, body: str = "", *, version: str = "1") -> Text:
    return Text(number, f"T-{number}", version, 1_000_000 + number * 3_600, title, body)


def filled(path: Path | str = ":memory:") -> Index:
    index = Index(path)
    for number, (title, body) in enumerate(TEXTS, 1):
        assert index.put(text(number, title, body))
    return index


def numbers(found: object) -> list[int]:
    return [item.number for item in found if isinstance(item, Found)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Accounts appear two times with other scores", "Same accounts, two scores in the list", 1),
        ("Scorer broke tonight", "psycopg.errors.UniqueViolation in scores_pkey, see batch.py", 3),
        ("scorer gets OOM-killed", "batch 17 again", 5),
        ("The dashbord is so sloow", "a minute to open since Monday", 6),
    ],
)
def test_an_earlier_text_of_the_same_thing_comes_first(title: str, body: str, expected: int) -> None:
    assert numbers(filled().similar(text(99, title, body), 5))[0] == expected


def test_only_earlier_texts_are_candidates() -> None:
    index = filled()
    assert numbers(index.similar(text(3, "Nightly job fails", TRACE), 9)) == [
        number for number in numbers(index.similar(text(99, "Nightly job fails", TRACE), 9)) if number < 3
    ]
    assert index.similar(text(1, *TEXTS[0]), 9) == []
    assert index.similar(text(0, *TEXTS[0]), 9) == []


def test_a_text_that_is_named_by_its_key_is_a_candidate_without_a_word_in_common() -> None:
    index = filled()
    found = index.similar(text(99, "Happens once more", "see T-6"), 3)
    assert (found[0].number, found[0].named) == (6, True)
    assert not any(item.named for item in found[1:])
    index.put(Text(200, "200", "1", 5, "Ganz anders", "völlig"))
    assert [item.key for item in index.similar(text(99, "x", "as in #200"), 3)] == ["200"]
    assert index.similar(text(99, "x", "as in 200 and T-99"), 3) == []


def test_a_free_search_finds_by_words_and_is_no_expression() -> None:
    index = filled()
    assert numbers(index.search("accounts with seats", 2))[0] == 2
    for query in ('" OR 1', "title: *", "NEAR(a b)", "seats) OR (", "\x00", "", "  ", "---", "🦊", "a" * 50_000):
        assert len(index.search(query, 3)) <= 3


def test_what_nearly_all_texts_have_is_looked_for_where_there_is_little_else_alone() -> None:
    index = Index(common=20)
    rare = "alder birch cedar dogwood elder fir gorse hazel"
    for number in range(1, 41):
        assert index.put(text(number, f"Report {number}", f"It fails today. {rare if number == 7 else ''}"))
    assert numbers(index.search(f"it fails today {rare}", 50)) == [7]
    assert len(numbers(index.search("it fails today alder birch", 50))) == 40


def test_a_text_is_put_in_once_per_version_and_taken_out_whole() -> None:
    index, bare = filled(), Index()
    assert not index.put(text(1, *TEXTS[0]))
    assert len(index) == len(TEXTS)
    assert index.put(text(1, "Something else", "entirely different", version="2"))
    assert (len(index), index.has(1, "2"), index.has(1, "1")) == (len(TEXTS), True, False)
    assert 1 not in numbers(index.search("yesterday", 9))
    assert numbers(index.search("entirely different", 9)) == [1]
    for number, _ in [*index.versions()]:
        index.drop(number)
    index.drop(77)
    assert len(index) == 0
    for name in ("words", "title", "runs", "signs"):
        assert np.array_equal(index._spaces[name].frequencies, bare._spaces[name].frequencies)  # pyright: ignore[reportPrivateUsage] - what is left of a text


@pytest.mark.parametrize(
    "body",
    ["", "\x00\x01", "x" * 1_000_000, "\u202e\u2066abc", "\ud800 lone", "дом " * 300, "漢字かな交じり文" * 200, "🦊" * 500, "<b>&amp;" * 99,
     "at a.b.C(" * 9_000, "\n" * 100_000, "a.b" * 60_000, "A-" * 60_000],
)  # fmt: skip
def test_any_text_is_taken_and_taken_out_again(body: str) -> None:
    index = filled()
    index.put(text(50, body[:100], body))
    index.similar(text(99, body[:100], body), 5)
    index.drop(50)
    before = filled()
    for name in ("words", "title", "runs", "signs"):
        assert np.array_equal(index._spaces[name].frequencies, before._spaces[name].frequencies)  # pyright: ignore[reportPrivateUsage] - as above


def test_texts_in_other_scripts_are_found() -> None:
    index = filled()
    index.put(text(20, "Дашборд открывается минуту", "\u0441 понедельника медленно"))
    index.put(text(21, "ダッシュボードが遅いです", "月曜日から一分かかります"))
    assert numbers(index.similar(text(99, "дашборд очень медленно", "открывается больше минуты"), 1)) == [20]
    assert numbers(index.similar(text(99, "ダッシュボードが遅い", "開くのに一分"), 1)) == [21]


def test_an_index_goes_on_where_it_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    index = filled(path)
    index.set_note("cursor", "7")
    index.commit()
    asked = text(99, "Nightly job fails again", TRACE)
    expected = index.similar(asked, 5)
    index.put(text(60, "not committed"))
    index.close()
    again = Index(path)
    assert (len(again), again.note("cursor"), again.note("other")) == (len(TEXTS), "7", "")
    assert again.similar(asked, 5) == expected
    again.close()


def test_an_index_of_another_version_is_made_again_and_a_broken_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    index = filled(path)
    index.commit()
    index.close()
    base = sqlite3.connect(path)
    base.execute("UPDATE meta SET value = '0' WHERE name = 'version'")
    base.commit()
    base.close()
    again = Index(path)
    assert len(again) == 0
    again.close()
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(EnvironmentFault) as caught:
        Index(path)
    assert caught.value.code == "index_broken"


def test_a_term_that_everybody_uses_weighs_nothing() -> None:
    index = filled()
    assert index.rarity("batch") > 0
    for number in range(100, 140):
        index.put(text(number, "batch"))
    assert index.rarity("batch") == 0
    assert index.rarity("never") > index.rarity("fernhill") > 0


def test_words_are_cut_at_their_endings_and_names_at_their_parts() -> None:
    assert [*words("Failing jobs, NullPointerException in v9.4.20")] == [
        "fail", "job", "nullpointerexception", "null", "pointer", "exception", "9.4.20",
    ]  # fmt: skip


def test_signs_are_what_programs_write() -> None:
    found = {
        *signs(
            "NullPointerException at org.acme.Jobs.run(Jobs.java:8), CVE-2023-2976, E1234, fs.s3a.key and read/write"
        )
    }
    assert {"NullPointerException", "org.acme.Jobs.run", "run", "CVE-2023-2976", "E1234", "fs.s3a.key"} <= found
    assert "read/write" not in found


def test_a_stack_trace_counts_by_its_first_frames() -> None:
    trace = "Error: x\n" + "".join(f"    at a.b.C{number}(C.java:{number})\n" for number in range(80)) + "after"
    kept = without_deep_frames(trace).split("\n")
    assert (len(kept), kept[0], kept[-1]) == (MAX_FRAMES + 2, "Error: x", "after")


def test_likeness_is_a_cosine() -> None:
    space = Space()
    one, other = of_terms(Counter("aab")), of_terms(Counter("cd"))
    assert space.likeness(one, [one, other, EMPTY], 3).tolist() == pytest.approx([1, 0, 0])
    assert space.likeness(EMPTY, [one], 3).tolist() == [0]
    assert of_runs("ab") == EMPTY
    assert unpacked(one.packed()).buckets.tolist() == one.buckets.tolist()
    assert terms_of("T", "b").title == Counter({})


def test_passages_show_where_two_texts_say_the_same() -> None:
    mine = "Good morning.\nThe nightly job died with UniqueViolation. Please help!\nThanks"
    theirs = "Hello\nSince Monday: UniqueViolation in the nightly job.\nRegards"
    found = matches(mine, theirs, lambda term: 0.0 if term in {"good", "the"} else 1.0)
    assert len(found) == 1
    left, right = found[0].mine, found[0].theirs
    assert mine[left.start : left.end] == left.text == "The nightly job died with UniqueViolation."
    assert theirs[right.start : right.end] == right.text == "Since Monday: UniqueViolation in the nightly job."
    assert "uniqueviolation" in found[0].shared
    assert matches("a b", "c d", lambda _: 1.0) == ()
    assert all(len(span.text) <= 300 for span in spans("x" * 1_000))
