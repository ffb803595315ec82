"""Tickets in a folder: read by page, written to without touching anything else, and nothing beyond the folder."""

import itertools
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from twokey.core.errors import TwokeyError
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.local_tickets.files import Files
from twokey.tools.local_tickets.folder import AT_A_TIME
from twokey.tools.local_tickets.index import MANY, Index
from twokey.tools.local_tickets.records import number_of
from twokey.tools.tickets import Query, Ticket, Tickets

MARK = "m-000000000001"
PLAIN = """---
id: FERN-1
title: Orders are late
author: ana
created_at: '2026-11-02T08:00:00Z'
labels:
- bug
- orders
assignee: sam
state: open
---

Since Monday orders come in late.
"""


class Clock:
    def now_us(self) -> int:
        return 1_800_000_000_000_000


def put(folder: Path, name: str, content: str | bytes, at: int = 1_790_000_000) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (at, at))
    return path


def simple(key: str, title: str = "A ticket", *, body: str = "text", state: str = "open") -> str:
    return f"---\nid: {key}\ntitle: {title}\nstate: {state}\n---\n{body}\n"


def opened(folder: Path, wait_s: float = 60.0) -> LocalTickets:
    return LocalTickets(folder, clock=Clock(), wait_s=wait_s)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    return caught.value.code


def everything(tickets: Tickets, query: Query | None = None) -> list[Ticket]:
    return [ticket for page in tickets.list(query or Query(state="all")) for ticket in page]


def keys(tickets: Tickets, query: Query | None = None) -> list[str]:
    return [ticket.key for ticket in everything(tickets, query)]


def test_a_markdown_ticket_is_read_with_what_belongs_to_it(tmp_path: Path) -> None:
    put(tmp_path, "FERN-1.md", PLAIN)
    ticket = opened(tmp_path).named("FERN-1")
    assert ticket == Ticket(
        number=number_of("FERN-1"),
        key="FERN-1",
        title="Orders are late",
        body="Since Monday orders come in late.",
        state="open",
        author="ana",
        author_id="",
        labels=("bug", "orders"),
        assignees=("sam",),
        created_at="2026-11-02T08:00:00.000000Z",
        updated_at="2026-09-21T14:13:20.000000Z",
        version=ticket.version,
    )
    assert opened(tmp_path).get(ticket.number) == opened(tmp_path).named("fern-1") == ticket


def test_rows_of_jsonl_and_csv_are_tickets_that_are_only_read(tmp_path: Path) -> None:
    put(
        tmp_path,
        "old.jsonl",
        json.dumps({"id": "OLD-1", "title": "One", "body": "a\nb", "labels": ["bug"], "created_at": "2026-01-01",
                    "comments": [{"author": "sam", "body": "yes"}, "no"]})
        + '\n\n{"id": 7, "title": "Two", "updated_at": "2026-03-01T00:00:00Z"}\n',
    )  # fmt: skip
    put(
        tmp_path,
        "more.csv",
        'id,title,body,labels,created_at\r\n12,"Three, four","a ""b""\r\nc",bug;data,2026-02-01\r\n',
    )
    there = opened(tmp_path)
    assert keys(there) == ["OLD-1", "12", "7"]
    one, three, two = everything(there)
    assert (one.title, one.body, one.labels, one.comments) == ("One", "a\nb", ("bug",), 1)
    assert (three.number, three.title, three.body, three.labels) == (12, "Three, four", 'a "b"\r\nc', ("bug", "data"))
    assert (two.number, two.state, two.body) == (7, "open", "")
    assert [(found.author, found.body) for page in there.comments(one.number) for found in page] == [("sam", "yes")]
    for write in (
        lambda: there.label(7, add=("bug",)),
        lambda: there.assign(12, add=("ana",)),
        lambda: there.comment(7, "hello", MARK),
        lambda: there.strike(7, MARK, "no"),
        lambda: there.move(7, "closed"),
    ):
        assert refused(write) == "read_only_tickets"


def test_rows_are_told_apart_whatever_their_cells_hold(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.csv",
        'id,title,body\n1,5" disk,"a\nb, ""c"",\n"\n\n2,"x, ""y""",ok\n3,too,many,cells\n4,"not closed\n5,swallowed,x\n',
    )
    there = opened(tmp_path)
    assert [(ticket.key, ticket.title, ticket.body) for ticket in everything(there)] == [
        ("1", '5" disk', 'a\nb, "c",\n'),
        ("2", 'x, "y"', "ok"),
    ]
    assert [(found.name, found.reason) for found in there.unread()] == [
        ("a.csv:7", "malformed"),
        ("a.csv:8", "malformed"),
    ]


def test_a_row_over_the_bound_is_passed_over(tmp_path: Path) -> None:
    long = "x" * (4 * 1024 * 1024)
    put(
        tmp_path,
        "a.jsonl",
        f'{{"id": 1, "title": "{long}{long}"}}\n{{"id": 2, "title": "Two"}}\n{{"id": 3, "title": "{long}"}}',
    )
    put(tmp_path, "b.csv", f'id,title\n4,"a\n{long}\n"\n5,Five\n')
    there = opened(tmp_path)
    assert {*keys(there)} == {"2", "5"}
    reasons = {found.name: found.reason for found in there.unread()}
    assert reasons["a.jsonl:1"] == reasons["a.jsonl:3"] == reasons["b.csv:2"] == "too_large"


def test_rows_with_values_that_are_none_are_named(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.jsonl",
        "".join(
            json.dumps({"id": at, "title": "x"} | more) + "\n"
            for at, more in enumerate(
                (
                    {"labels": 7},
                    {"labels": [[]]},
                    {"title": ["x"]},
                    {"created_at": "soon"},
                    {"state": "half"},
                    {"id": ""},
                ),
                1,
            )
        ),
    )
    put(tmp_path, "b.csv", "id,title,title\n1,x,y\n")
    put(tmp_path, "c.csv", "")
    there = opened(tmp_path)
    assert keys(there) == []
    assert {found.name for found in there.unread()} == {*(f"a.jsonl:{at}" for at in range(1, 7)), "b.csv:1"}


def test_halves_of_characters_are_no_text(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", '{"id": 1, "title": "a \\ud800 b", "body": "\\ud83e\\udd8a", "author": "\\udfff"}\n')
    put(tmp_path, "2.md", simple("2"))
    put(tmp_path, "2.comments.jsonl", '{"body": "\\ud800"}\n')
    there = opened(tmp_path)
    assert (there.get(1).title, there.get(1).body, there.get(1).author) == ("a ? b", "\U0001f98a", "?")
    assert [found.body for page in there.comments(2) for found in page] == ["?"]


def test_a_row_with_a_long_cell_is_read_whole(tmp_path: Path) -> None:
    body = 'He said "no", twice.\n' * 20_000
    quoted = body.replace('"', '""')
    put(tmp_path, "long.csv", f'id,title,body,note\n1,Long,"{quoted}",\n2,Short,x,y\n3,Broken,"{quoted}"x,\n4,Last,,\n')
    there = opened(tmp_path)
    assert keys(there) == ["1", "2", "4"]
    assert there.get(1).body == body
    assert [(found.name, found.reason) for found in there.unread()] == [("long.csv:20004", "malformed")]


def test_listing_goes_by_time_of_change_and_by_page(tmp_path: Path) -> None:
    for number in range(250):
        put(
            tmp_path,
            f"{number + 1}.md",
            simple(str(number + 1), state="closed" if number % 2 else "open"),
            1_700_000_000 - number,
        )
    there = opened(tmp_path)
    pages = [[ticket.number for ticket in page] for page in there.list(Query(state="all"))]
    assert [len(page) for page in pages] == [*[AT_A_TIME] * 12, 10]
    assert [number for page in pages for number in page] == [*range(250, 0, -1)]
    assert [number.number for number in everything(there, Query(state="closed"))] == [*range(250, 0, -2)]
    since = there.get(3).updated_at
    assert keys(there, Query(state="all", since=since)) == ["3", "2", "1"]
    assert refused(lambda: there.named("251")) == refused(lambda: there.get(251)) == "no_ticket"


def test_a_page_is_bounded_in_characters_too(tmp_path: Path) -> None:
    for number in range(1, 7):
        put(tmp_path, f"{number}.md", simple(str(number), body="x" * 3_000_000))
    assert [len(page) for page in opened(tmp_path).list(Query())] == [3, 3]


def test_only_a_page_of_files_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    for number in range(1, 202):
        put(tmp_path, f"{number}.md", simple(str(number)), 1_700_000_000 + number)
    pages = opened(tmp_path).list(Query())
    assert len(next(pages)) == AT_A_TIME
    (tmp_path / "150.md").unlink()
    assert [len(page) for page in pages] == [AT_A_TIME] * 9, "a ticket that went away meanwhile is passed over"


def test_a_ticket_that_changes_while_a_list_is_given_comes_once_at_its_new_place(tmp_path: Path) -> None:
    for number in range(1, 61):
        put(tmp_path, f"{number}.md", simple(str(number)), 1_700_000_000 + number)
    there = opened(tmp_path)
    pages = there.list(Query())
    given = [ticket.number for ticket in next(pages)]
    # 5 was given and 2 is before what is asked for from now on: both, and 40, which was not given yet, come at the end
    for at, number in enumerate((40, 2, 5)):
        put(tmp_path, f"{number}.md", simple(str(number), "Again"), 1_700_000_500 + at)
    given += [ticket.number for page in pages for ticket in page]
    assert given == [*range(1, 40), *range(41, 61), 40, 2, 5]


def test_where_tickets_never_stop_changing_a_list_ends_all_the_same(tmp_path: Path) -> None:
    for number in range(1, 4):
        put(tmp_path, f"{number}.md", simple(str(number)), 1_700_000_000 + number)

    class Restless(Files):
        moves = 0

        def read(self, name: str, most: int) -> bytes:
            if name == "2.md":
                Restless.moves += 1
                os.utime(tmp_path / name, (1_700_000_100 + Restless.moves, 1_700_000_100 + Restless.moves))
            return super().read(name, most)

    there = LocalTickets(tmp_path, files=Restless(tmp_path))
    assert [ticket.number for page in there.list(Query()) for ticket in page] == [1, 3, 2]


def test_of_many_tickets_a_list_rests_for_a_while_on_what_the_folder_showed(tmp_path: Path) -> None:
    lines = [f'{{"id": "R-{n}", "title": "t", "created_at": "2026-01-01T00:00:00Z"}}' for n in range(MANY)]
    put(tmp_path, "rows.jsonl", "\n".join(lines))
    clock = itertools.count()  # looking takes a second: what it gives is good for the next ten
    index = Index(Files(tmp_path), lambda: float(next(clock)))
    assert len(index.in_order(None)) == MANY
    put(tmp_path, "1.md", simple("1"))
    assert len(index.in_order(None)) == MANY
    assert index.number("1") is not None, "what is asked for by name and not known is looked for"
    put(tmp_path, "2.md", simple("2"))
    assert len(index.in_order(None)) == MANY + 1
    index.outdated()
    assert len(index.in_order(None)) == MANY + 2
    put(tmp_path, "3.md", simple("3"))
    assert len(index.in_order(None)) == MANY + 2
    for _ in range(10):
        next(clock)
    assert len(index.in_order(None)) == MANY + 3


def test_labels_are_a_filter_and_a_phrase_is_found(tmp_path: Path) -> None:
    put(tmp_path, "FERN-1.md", PLAIN, 1_700_000_000)
    put(tmp_path, "FERN-2.md", simple("FERN-2", "Other", body="since\nMONDAY  orders"), 1_700_000_001)
    put(tmp_path, "FERN-3.md", simple("FERN-3", "since monday orders fail"), 1_600_000_000)
    there = opened(tmp_path)
    assert keys(there, Query(labels=("orders", "bug"))) == ["FERN-1"]
    assert [found.key for found in there.search("Since Monday  orders", 10)] == ["FERN-3", "FERN-2", "FERN-1"]
    assert [found.key for found in there.search("since monday", 1)] == ["FERN-3"]
    assert there.search(" \n", 5) == []


def test_what_is_no_ticket_is_listed_and_stops_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text(simple("secret"))
    folder = tmp_path / "tickets"
    folder.mkdir()
    put(folder, "good.md", simple("good"))
    (folder / "link.md").symlink_to(outside)
    (folder / "link.csv").symlink_to(outside)
    (folder / "folder.md").mkdir()
    os.mkfifo(folder / "pipe.md")
    put(folder, "big.md", b"x" * (4 * 1024 * 1024 + 1))
    put(folder, "binary.md", b"---\nid: binary\ntitle: x\n---\n\0")
    put(folder, "latin.md", b"---\nid: latin\ntitle: \xe4\n---\n")
    put(folder, "README.md", "# No ticket\n")
    put(folder, "other.md", simple("another"))
    put(folder, "unsafe name.md", simple("unsafe name"))
    put(folder, "gone.comments.jsonl", "{}\n")
    put(
        folder, "rows.jsonl", '{"id": "good", "title": "again"}\n[]\n{"title": "no id"}\n{"id":"../x","title":"t"}\n{\n'
    )
    put(folder, "rows.csv", "a,b\n1,2\n")
    put(folder, "empty.md", b"")
    put(folder, ".hidden.md", simple("hidden"))
    put(folder, "notes.txt", "no ticket")
    (folder / os.fsdecode(b"\xff.md")).write_text(simple("x"))
    there = opened(folder)
    assert keys(there) == ["good"]
    assert {found.name: found.reason for found in there.unread()} == {
        '"\\377.md"': "unsafe_name",
        "README.md": "malformed",
        "big.md": "too_large",
        "binary.md": "binary",
        "empty.md": "malformed",
        "folder.md": "no_file",
        "gone.comments.jsonl": "orphan",
        "latin.md": "not_text",
        "link.csv": "symlink",
        "link.md": "symlink",
        "other.md": "wrong_id",
        "pipe.md": "no_file",
        "rows.csv:1": "malformed",
        "rows.jsonl:1": "twice",
        "rows.jsonl:2": "malformed",
        "rows.jsonl:3": "malformed",
        "rows.jsonl:4": "malformed",
        "rows.jsonl:5": "malformed",
        "unsafe name.md": "unsafe_name",
    }
    for key in ("link", "../secret", "tickets/good", "", ".hidden", "good\n", "README"):
        assert refused(lambda key=key: there.named(key)) == "no_ticket"
    put(folder, "README.md", simple("README"))
    assert "README" in keys(there)
    assert "README.md" not in {found.name for found in there.unread()}


@pytest.mark.parametrize(
    "front",
    [
        "title: &a x\nlabels: *a",
        "title: !!str x",
        "title: x\ntitle: y",
        "<<: {a: b}\ntitle: x",
        "title: {a: b}",
        "title: [[x]]",
        "- title",
        "title: x\n? [a]\n: b",
        "title: x\nstate: maybe",
        "title: x\ncreated_at: soon",
        "title: ''",
        "labels: [bug]",
        "title: x\nbad\x07: y",
        "title: " + "[" * 5_000,
        "title: x\n--- \ntitle: y",
        f"title: x\nlabels: [{', '.join('abcdefghij' + str(n) for n in range(101))}]",
        f"title: x\nlong: {'y' * 70_000}",
    ],
)
def test_front_matter_is_names_and_texts_and_nothing_else(tmp_path: Path, front: str) -> None:
    put(tmp_path, "a.md", f"---\n{front}\n---\n")
    there = opened(tmp_path)
    found = everything(there)
    assert [ticket.title for ticket in found] == (["x"] if "\n--- \n" in front else [])
    assert [unread.reason for unread in there.unread()] == ([] if found else ["malformed"])


def test_texts_stay_texts_whatever_yaml_would_make_of_them(tmp_path: Path) -> None:
    put(
        tmp_path,
        "7.md",
        "\ufeff---\r\nid: 7\r\ntitle: 2026-01-01\r\nlabels: [yes, 1.0, 'null']\r\nassignee: ~\r\n...\r\nx\r\n",
    )
    ticket = opened(tmp_path).get(7)
    assert (ticket.title, ticket.labels, ticket.assignees, ticket.body) == (
        "2026-01-01",
        ("yes", "1.0", "null"),
        (),
        "x",
    )


def test_a_write_changes_the_one_value_and_no_other_byte(tmp_path: Path) -> None:
    path = put(tmp_path, "FERN-1.md", PLAIN)
    path.chmod(0o640)
    there, number = opened(tmp_path), number_of("FERN-1")
    for _ in range(2):
        assert there.label(number, add=("p1", "a: b"), remove=("orders",)).labels == ("bug", "p1", "a: b")
    assert path.read_text() == PLAIN.replace("- orders\n", '- p1\n- "a: b"\n')
    there.label(number, add=("orders",), remove=("p1", "a: b"))
    for _ in range(2):
        assert there.assign(number, add=("ana",), remove=("sam",)).assignees == ("ana",)
    assert path.read_text() == PLAIN.replace("assignee: sam", "assignee: ana")
    assert there.assign(number, add=("sam",)).assignees == ("ana", "sam")
    assert there.assign(number, remove=("ana",)).assignees == ("sam",)
    assert path.read_text() == PLAIN
    for _ in range(2):
        closed = there.move(number, "closed", "not_planned")
        assert (closed.state, closed.reason) == ("closed", "not_planned")
    assert path.read_text() == PLAIN.replace("state: open\n", "state: closed\nreason: not_planned\n")
    assert there.move(number, "open").reason == ""
    assert path.read_text() == PLAIN
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["FERN-1.md"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("labels: []  # none yet\n", "labels: [new]  # none yet\n"),
        ("labels: [a,   b]\n", "labels: [a, b, new]\n"),
        (
            "labels:\n    - a\n    - b\n\n# about the state\n",
            "labels:\n    - a\n    - b\n    - new\n\n# about the state\n",
        ),
        ("labels:\n", "labels: [new]\n"),
        ("label: a\n", "label: [a, new]\n"),
        ("labels: a, b\n", "labels: [a, b, new]\n"),
        ("", "labels: [new]\n"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lists_keep_the_way_they_are_written(tmp_path: Path, before: str, after: str, newline: str) -> None:
    def whole(labels: str) -> bytes:
        return f"---\ntitle: Ünï\n{labels if labels != after or before else ''}---\nbody --- \n---\n".replace(
            "\n", newline
        ).encode()

    path = put(tmp_path, "1.md", whole(before))
    assert "new" in opened(tmp_path).label(1, add=("new",)).labels
    assert path.read_bytes() == f"---\ntitle: Ünï\n{after}---\nbody --- \n---\n".replace("\n", newline).encode()


def test_what_cannot_be_changed_without_loss_is_not_changed(tmp_path: Path) -> None:
    path = put(tmp_path, "1.md", "---\ntitle: x\nlabels:\n- a # why\n- b\n---\n")
    before = path.read_bytes()
    assert refused(lambda: opened(tmp_path).label(1, add=("c",))) == "cannot_edit"
    assert refused(lambda: opened(tmp_path).label(1, add=("\ufeff",))) == "bad_name"
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", " a", "a\nb", "a,b", "x" * 101, "a\u202eb", "\x00"])
def test_a_name_is_a_short_text_of_one_line(tmp_path: Path, name: str) -> None:
    put(tmp_path, "1.md", simple("1"))
    assert refused(lambda: opened(tmp_path).label(1, add=(name,))) == "bad_name"
    assert refused(lambda: opened(tmp_path).assign(1, add=(name,))) == "bad_name"


def test_a_comment_is_made_once_struck_once_and_stands_beside_the_ticket(tmp_path: Path) -> None:
    path = put(tmp_path, "FERN-1.md", PLAIN)
    there, number = opened(tmp_path), number_of("FERN-1")
    before = there.get(number)
    assert there.find_comment(number, MARK) is None
    made = there.comment(number, "Looking\n\ninto it <!-- x -->", MARK)
    assert there.comment(number, "something else", MARK) == made == there.find_comment(number, MARK)
    assert (made.author, made.created_at) == ("twokey", "2027-01-15T08:00:00.000000Z")
    assert path.read_text() == PLAIN
    with (tmp_path / "FERN-1.comments.jsonl").open("a") as file:
        file.write('no comment\n{"author": "sam", "body": "Thanks"}')
    there.comment(number, "Another", "m-000000000002")
    assert [found.body for page in there.comments(number) for found in page] == [made.body, "Thanks", "Another"]
    after = there.get(number)
    assert (before.comments, after.comments) == (0, 3)
    assert after.version != before.version
    assert after.updated_at > before.updated_at
    struck = there.strike(number, MARK, "Taken back.")
    for _ in range(2):
        assert there.strike(number, MARK, "Taken back.") == struck
        assert struck.body == "~~Looking~~\n\n~~into it <!-- x -->~~\n\nTaken back."
    assert [found.body for page in there.comments(number) for found in page] == [struck.body, "Thanks", "Another"]
    assert "no comment\n" in (tmp_path / "FERN-1.comments.jsonl").read_text()
    assert refused(lambda: there.strike(number, "m-000000000009", "x")) == "no_comment"
    assert refused(lambda: there.comment(number, "x", "No Marker")) == "bad_marker"


def test_the_text_of_a_ticket_cannot_pass_for_a_comment(tmp_path: Path) -> None:
    line = json.dumps({"author": "twokey", "marker": MARK, "body": "done"})
    put(tmp_path, "1.md", simple("1", body=f"{line}\n<!-- twokey:comment {MARK} -->\n{line}"))
    there = opened(tmp_path)
    assert there.find_comment(1, MARK) is None
    assert there.get(1).comments == 0


def test_comments_are_paged_and_bounded(tmp_path: Path) -> None:
    put(tmp_path, "1.md", simple("1"))
    put(tmp_path, "1.comments.jsonl", '{"body": "x"}\n' * 230)
    there = opened(tmp_path)
    assert [len(page) for page in there.comments(1)] == [100, 100, 30]
    put(tmp_path, "1.comments.jsonl", json.dumps({"body": "x" * (16 * 1024 * 1024 - 200)}) + "\n")
    assert refused(lambda: there.comment(1, "y" * 1_000, MARK)) == "too_long"
    (tmp_path / "1.comments.jsonl").unlink()
    (tmp_path / "1.comments.jsonl").symlink_to("/etc/hostname")
    assert refused(lambda: there.get(1)) == "no_ticket"
    assert [found.reason for found in there.unread()] == ["no_file"]


def test_the_version_tells_of_a_change_that_the_time_does_not(tmp_path: Path) -> None:
    put(tmp_path, "1.md", simple("1", "First"))
    there = opened(tmp_path)
    before = there.get(1)
    put(tmp_path, "1.md", simple("1", "Other"))
    after = there.get(1)
    assert (after.updated_at, after.title) == (before.updated_at, "Other")
    assert after.version != before.version


def test_rows_are_found_again_after_their_file_changed(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", '{"id": 1, "title": "One"}\n{"id": 2, "title": "Two"}\n')
    there = opened(tmp_path)
    assert there.get(2).title == "Two"
    put(tmp_path, "a.jsonl", '{"id": 3, "title": "Three!"}\n{"id": 2, "title": "Two, changed"}\n', 1_790_000_001)
    assert there.get(2).title == "Two, changed"
    assert refused(lambda: there.get(1)) == "no_ticket"
    (tmp_path / "a.jsonl").unlink()
    assert refused(lambda: there.get(2)) == "no_ticket"


def test_two_writers_do_not_write_at_once(tmp_path: Path) -> None:
    put(tmp_path, "1.md", simple("1"))
    with Files(tmp_path).alone():
        assert refused(lambda: opened(tmp_path, wait_s=0.05).label(1, add=("a",))) == "tickets_busy"
    names = [f"l{number}" for number in range(12)]

    def put_on(name: str) -> None:
        opened(tmp_path).label(1, add=(name,))

    threads = [threading.Thread(target=put_on, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(opened(tmp_path).get(1).labels) == sorted(names)


def test_a_file_that_an_editor_saved_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = put(tmp_path, "1.md", simple("1"))
    files = Files(tmp_path)
    with files.alone():
        before = files.read("1.md", 1_000)
        path.write_text("edited")
        assert refused(lambda: files.replace("1.md", before, b"ours", 1_000)) == "ticket_changed"
        assert refused(lambda: files.replace("1.md", None, b"ours", 1_000)) == "ticket_changed"
        path.write_text("x" * 2_000)
        assert refused(lambda: files.replace("1.md", before, b"ours", 1_000)) == "ticket_changed"
        path.unlink()
        assert refused(lambda: files.replace("1.md", before, b"ours", 1_000)) == "tickets_not_writable"
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refused(lambda: everything(opened(tmp_path / "none"))) == "no_tickets"
    put(tmp_path, "file", "x")
    assert refused(lambda: everything(opened(tmp_path / "file"))) == "no_tickets"


def test_what_is_left_of_a_write_that_was_cut_off_does_no_harm(tmp_path: Path) -> None:
    path = put(tmp_path, "1.md", simple("1"))
    put(tmp_path, ".1.md.twokey", "half")
    there = opened(tmp_path)
    assert keys(there) == ["1"]
    there.label(1, add=("a",))
    assert re.search(r"^labels: \[a\]$", path.read_text(), re.MULTILINE)
    assert [*tmp_path.iterdir()] == [path]
