"""The report of a replay: whole, without anything that acts, whatever a resource is called."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from twokey.channels import plain
from twokey.channels.replay_report import Change, Report, approvals, markdown, summary
from twokey.core.errors import BadInput
from twokey.policies.bundle import BundleRevisions
from twokey.policies.replay import Outcome, Tally

REVISIONS = BundleRevisions("a" * 64, "b" * 64)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "x | y |\n| forged | row |",
    "[click](https://evil.example) `code` **bold** @everyone #1 www.evil.example",
    "</td></tr></table><h1>approved</h1>",
    "\u202egnp.exe\u202c \x1b[31mred\x07",
    "&lt;b&gt; {{7*7}} $(id) ${x}",
]


def change(resource: str) -> Change:
    return Change(
        entry="l-000000000001",
        time="2026-01-01T00:00:00Z",
        occasion="propose",
        tool="open_pull_request",
        resource=plain.line(f"repository {resource}", 200),
        requester="ana",
        kind="looser",
        change="deny -> require_approval",
        rules="+R15 write_needs_people",
    )


def tally() -> Tally:
    made = Tally()
    reasons = [{"code": "too_large", "message": "Big.", "rule": "R10"}]
    before = {"effect": "deny", "approvals": None, "reasons": reasons}
    after = {"effect": "require_approval", "approvals": None, "reasons": []}
    made.count("l-000000000001", Outcome("looser", before, after), same_policy=True)
    made.count_unkept()
    made.count_altered("l-000000000003")
    return made


class Seen(HTMLParser):
    """Tags, attributes and text of a page, as a browser takes them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def written(path: Path, *changes: Change) -> str:
    report = Report(path)
    for each in changes:
        report.add(each)
    report.finish(tally(), REVISIONS)
    report.close()
    return path.read_text(encoding="utf-8")


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_name_stays_text_in_html(tmp_path: Path, hostile: str):
    seen = Seen(written(tmp_path / "r.html", change(hostile)))
    usual = Seen(written(tmp_path / "u.html", change("dbt")))
    assert seen.tags == usual.tags
    assert seen.attributes == usual.attributes
    assert not {"script", "img", "a", "iframe", "link"} & set(seen.tags)
    shown = plain.line(f"repository {hostile}", 200)
    assert any(cell.strip() == shown for cell in seen.cells)
    assert not set("\u202e\x1b\x07") & set((tmp_path / "r.html").read_text(encoding="utf-8"))


def test_a_name_stays_text_in_markdown(tmp_path: Path, hostile: str):
    text = written(tmp_path / "r.md", change(hostile))
    usual = written(tmp_path / "u.md", change("dbt"))
    assert text.count("\n") == usual.count("\n"), "no row is forged"
    row = text.splitlines()[-1]
    bare = row.replace("\\\\", "").replace("\\|", "")
    assert bare.count("|") == usual.splitlines()[-1].count("|")
    assert "<" not in row
    for mark in ("`", "[", "@", "#", "*"):
        assert all(row[at - 1] == "\\" for at, letter in enumerate(row) if letter == mark), mark


def test_a_page_loads_nothing_and_follows_light_and_dark(tmp_path: Path):
    text = written(tmp_path / "r.html", change("dbt"))
    assert "default-src 'none'" in text
    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_report_in_markdown(tmp_path: Path):
    assert written(tmp_path / "r.md", change("dbt")) == snapshot("""\
# Policy replay

- 3 decisions are in the log; 1 were taken again on policy aaaaaaaaaaaa, data bbbbbbbbbbbb.
- 1 came out differently.
- Of 1 that were taken on this very bundle, 0 came out byte for byte.
- 1 did NOT; the first is log entry l-000000000001.
- The input of 1 was not kept, so they could not be taken again.
- 1 stored inputs are not what the log says, the first of log entry l-000000000003: treat the database as tampered with.

## What became of them

| kind | decisions | meaning |
| --- | --- | --- |
| looser | 1 | let through more than before |

## Changed, by effect

| before -> after | decisions |
| --- | --- |
| deny -&gt; require\\_approval | 1 |

## Changed, by rule

| rule | gives a reason now and did not | gave one and does not now |
| --- | --- | --- |
| R10 too\\_large | 0 | 1 |

## Every changed decision

| log entry | time | occasion | tool | resource | asked by | change | rules |
| --- | --- | --- | --- | --- | --- | --- | --- |
| l-000000000001 | 2026-01-01T00\\:00\\:00Z | propose | open\\_pull\\_request | repository dbt | ana | deny -&gt; require\\_approval | +R15 write\\_needs\\_people |
""")


def test_the_summary_says_what_could_not_be_taken_again():
    assert summary(tally(), REVISIONS) == snapshot(
        [
            "3 decisions are in the log; 1 were taken again on policy aaaaaaaaaaaa, data bbbbbbbbbbbb.",
            "1 came out differently.",
            "Of 1 that were taken on this very bundle, 0 came out byte for byte.",
            "1 did NOT; the first is log entry l-000000000001.",
            "The input of 1 was not kept, so they could not be taken again.",
            "1 stored inputs are not what the log says, the first of log entry l-000000000003: treat the database as tampered with.",
        ]
    )


def test_approvals_in_words():
    needed = {"all_of": [{"group": "risk-owners", "n": 2}], "exclude": ["ana"], "expires_s": 60}
    assert approvals(needed) == "2 of risk-owners, not ana, for 60 s, by key"
    assert approvals(needed | {"all_of": [], "exclude": []}) == "nobody, for 60 s, by key"
    assert approvals(None) == "nobody is asked"
    assert approvals(needed | {"auth": ["key", "slack"]}) == "2 of risk-owners, not ana, for 60 s, by key, slack"


def test_markdown_escapes_what_acts_and_nothing_else():
    assert markdown("plain words, 1-2 (x)") == "plain words, 1-2 (x)"
    assert markdown("a_b|c") == "a\\_b\\|c"


@pytest.mark.parametrize("name", ["r.txt", "r", "nowhere/r.html"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path: Path, name: str):
    with pytest.raises(BadInput):
        Report(tmp_path / name)


def test_a_report_that_was_not_finished_leaves_no_file(tmp_path: Path):
    report = Report(tmp_path / "r.html")
    report.add(change("dbt"))
    report.close()
    assert list(tmp_path.iterdir()) == []
