"""``search_tickets``: what a tracker says, page by page, and what is alike."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from twokey.core import canonical
from twokey.core.errors import BadInput, ToolRetry, TryLater, TwokeyError
from twokey.core.values import Resource
from twokey.tools.contract import Context, OutsideContract, Place, Places
from twokey.tools.local import search_tickets
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.read.tickets import SearchTickets, TicketsArgs, TicketsResult
from twokey.tools.read.tickets.indexing import opened
from twokey.tools.registry import Registry
from twokey.tools.tickets import Query, Ticket, Tickets
from twokey.tools.trackers import Trackers


def put(folder: Path, key: str, title: str, body: str = "", *, labels: str = "", created: int = 0) -> None:
    path = folder / f"{key}.md"
    path.write_text(
        f"---\nid: {key}\ntitle: '{title}'\nlabels: [{labels}]\ncreated_at: 2026-01-01T00:00:{created:02d}Z\n---\n{body}\n"
    )
    os.utime(path, (1_790_000_000 + created // 2, 1_790_000_000 + created // 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "tickets"
    found.mkdir()
    put(
        found,
        "F-1",
        "Nightly job fails with UniqueViolation",
        "scores_pkey is violated every night",
        labels="bug, data",
    )
    put(found, "F-2", "Dark mode please", "for the dashboard", labels="feature", created=1)
    put(found, "F-3", "How do I log in", "I cannot find the link", created=2)
    put(found, "F-4", "UniqueViolation again", "The nightly job: scores_pkey is violated", labels="bug", created=3)
    put(found, "F-5", "Like the other one", "same as F-3", created=4)
    return found


def read(location: Path, ask: dict[str, Any], tool: SearchTickets | None = None) -> TicketsResult:
    place = Place(Resource(kind="tickets", id="fern", granted_by="config"), str(location))
    args = TicketsArgs.model_validate({"tracker": "fern", "ask": ask})
    result = (tool or search_tickets()).call(args, Context(Places((place,)), 0))
    assert TicketsResult.model_validate(result.canonical()) == result
    canonical.encode(result.canonical())
    return result


def answer(location: Path, tool: SearchTickets | None = None, **ask: Any) -> Any:
    return read(location, ask, tool).answer


def test_a_ticket_is_given_with_its_comments(folder: Path) -> None:
    LocalTickets(folder).comment(LocalTickets(folder).named("F-1").number, "Seen.", "m-000000000001")
    got = answer(folder, kind="get", key="F-1")
    assert (got.shown.ticket.title, got.shown.cut) == ("Nightly job fails with UniqueViolation", False)
    assert [comment.body for comment in got.comments] == ["Seen."]
    with pytest.raises(ToolRetry):
        answer(folder, kind="get", key="F-9")


def test_long_texts_and_many_comments_are_cut_and_said_so(folder: Path) -> None:
    put(folder, "long", "Long", "x" * 30_000)
    (folder / "long.comments.jsonl").write_text("".join(f'{{"body": "{number}"}}\n' for number in range(130)))
    got = answer(folder, kind="get", key="long")
    assert (len(got.shown.ticket.body), got.shown.cut, got.more_comments) == (20_000, True, True)
    assert [comment.body for comment in got.comments] == [str(number) for number in range(30, 130)]


def test_a_list_goes_on_where_it_ended(folder: Path) -> None:
    seen: list[str] = []
    after: Any = None
    for _ in range(5):
        page = answer(folder, kind="list", state="all", most=2, after=after)
        seen += [shown.ticket.key for shown in page.tickets]
        after = page.next.canonical() if page.next else None
        if after is None:
            break
    assert seen == ["F-1", "F-2", "F-3", "F-4", "F-5"]
    assert [shown.ticket.key for shown in answer(folder, kind="list", labels=["bug"]).tickets] == ["F-1", "F-4"]
    changed = answer(folder, kind="get", key="F-3").shown.ticket.updated_at
    assert [shown.ticket.key for shown in answer(folder, kind="list", since=changed).tickets] == ["F-3", "F-4", "F-5"]


def test_a_list_goes_on_among_tickets_that_were_changed_at_once(folder: Path) -> None:
    for path in folder.iterdir():
        os.utime(path, (1_790_000_000, 1_790_000_000))
    seen: list[str] = []
    after: Any = None
    while len(seen) < 10:
        page = answer(folder, kind="list", most=1, after=after)
        seen += [shown.ticket.key for shown in page.tickets]
        if page.next is None:
            break
        after = page.next.canonical()
    assert seen == ["F-1", "F-2", "F-3", "F-4", "F-5"]


def test_history_holds_what_was_labelled(folder: Path) -> None:
    first = answer(folder, kind="history", most=2)
    assert [(past.key, past.labels) for past in first.tickets] == [("F-1", ("bug", "data")), ("F-2", ("feature",))]
    rest = answer(folder, kind="history", after=first.next.canonical())
    assert ([past.key for past in rest.tickets], rest.next) == (["F-4"], None)


def test_labels_are_counted(folder: Path) -> None:
    found = answer(folder, kind="labels")
    assert [(label.label, label.tickets) for label in found.labels] == [("bug", 2), ("data", 1), ("feature", 1)]
    assert (found.tickets, found.complete) == (5, True)


def test_similar_gives_earlier_tickets_with_passages_side_by_side(folder: Path) -> None:
    found = answer(folder, kind="similar", key="F-4")
    best = found.candidates[0]
    assert (best.key, best.created_at, best.named) == ("F-1", "2026-01-01T00:00:00Z", False)
    assert best.words > 300
    assert "F-5" not in [candidate.key for candidate in found.candidates]
    for match in best.passages:
        for key, passage in (("F-4", match.mine), ("F-1", match.theirs)):
            ticket = answer(folder, kind="get", key=key).shown.ticket
            whole = ticket.title if passage.where == "title" else ticket.body
            assert whole[passage.start : passage.end] == passage.text
    assert {match.mine.where for match in best.passages} == {"title", "body"}
    assert (found.indexed.tickets, found.indexed.complete) == (5, True)
    named = answer(folder, kind="similar", key="F-5").candidates[0]
    assert (named.key, named.named) == ("F-3", True)
    with pytest.raises(ToolRetry):
        answer(folder, kind="similar", key="F-9")


def test_a_search_finds_passages(folder: Path) -> None:
    found = answer(folder, kind="search", text="dark dashboard").found
    assert found[0].key == "F-2"
    assert {passage.text for passage in found[0].passages} <= {"Dark mode please", "for the dashboard"}


def test_an_index_on_disk_follows_the_tracker(folder: Path, tmp_path: Path) -> None:
    tool = SearchTickets(LocalTickets, tmp_path / "state" / "indexes")
    assert answer(folder, tool, kind="search", text="invoice").found == ()
    put(folder, "F-6", "Invoice is wrong", created=20)
    again = SearchTickets(LocalTickets, tmp_path / "state" / "indexes")
    assert [found.key for found in answer(folder, again, kind="search", text="invoice").found] == ["F-6"]
    put(folder, "F-6", "Receipt is wrong", created=22)
    assert answer(folder, again, kind="search", text="invoice").found == ()
    files = sorted((tmp_path / "state" / "indexes").iterdir())
    assert [(path.suffix, path.stat().st_mode & 0o777) for path in files] == [(".db", 0o600), (".lock", 0o600)]
    files[0].unlink()
    files[0].symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(TwokeyError) as caught:
        answer(folder, again, kind="search", text="invoice")
    assert caught.value.code == "index_broken"
    assert not (tmp_path / "elsewhere.db").exists()


def test_two_processes_do_not_keep_one_index_at_once(tmp_path: Path) -> None:
    with opened(tmp_path, "x"), pytest.raises(TryLater), opened(tmp_path, "x", wait_s=0.05):
        pass
    with opened(tmp_path, "x"), opened(tmp_path, "y", wait_s=0.05):
        pass


class Slow(LocalTickets):
    """A tracker of small pages."""

    def list(self, query: Query) -> Iterator[Sequence[Ticket]]:
        for page in super().list(query):
            for ticket in page:
                yield [ticket]


def test_what_a_call_does_not_get_to_the_next_one_goes_on_with(folder: Path, tmp_path: Path) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 10.0
        return now[0]

    tool = SearchTickets(Slow, tmp_path / "indexes", monotonic=clock)
    assert answer(folder, tool, kind="labels").complete is False
    sizes = [answer(folder, tool, kind="search", text="x").indexed for _ in range(6)]
    assert [indexed.tickets for indexed in sizes] == sorted(indexed.tickets for indexed in sizes)
    assert (sizes[0].complete, sizes[-1].complete, sizes[-1].tickets) == (False, True, 5)


def test_a_tracker_that_is_slow_to_say_what_changed_is_asked_less_often(folder: Path, tmp_path: Path) -> None:
    now, step = [100.0], [0.25]

    class Ticking(LocalTickets):
        def list(self, query: Query) -> Iterator[Sequence[Ticket]]:
            now[0] += step[0]
            return super().list(query)

    def found(text: str) -> int:
        return len(answer(folder, tool, kind="search", text=text).found)

    tool = SearchTickets(Ticking, tmp_path / "indexes", monotonic=lambda: now[0])
    assert found("invoice") == 0
    put(folder, "F-6", "Invoice is wrong", created=20)
    assert found("invoice") == 1  # a quick one is asked each time
    step[0] = 1.0
    assert found("receipt") == 0
    put(folder, "F-7", "Receipt is wrong", created=22)
    assert found("receipt") == 0  # it took a second: what was asked is good for ten
    now[0] += 10.0
    assert found("receipt") == 1
    for path in (tmp_path / "indexes").iterdir():
        path.unlink()
    assert found("receipt") == 1  # an index that is gone is made again


def test_only_a_tracker_of_the_run_is_read(folder: Path) -> None:
    args = TicketsArgs.model_validate({"tracker": str(folder), "ask": {"kind": "labels"}})
    with pytest.raises(OutsideContract):
        search_tickets().call(args, Context(Places(()), 0))


@pytest.mark.parametrize(
    "ask",
    [
        {"kind": "get", "key": "F-1"},
        {"kind": "list"},
        {"kind": "history"},
        {"kind": "labels"},
        {"kind": "search", "text": "UniqueViolation"},
        {"kind": "similar", "key": "F-4"},
    ],
)
def test_a_summary_holds_numbers_and_no_word_of_a_ticket(folder: Path, ask: dict[str, Any]) -> None:
    args = TicketsArgs.model_validate({"tracker": "fern", "ask": ask})
    text = search_tickets().summary(args, read(folder, ask))
    assert text.endswith("of the tracker.")
    assert not any(word in text for word in ("Unique", "F-1", "bug"))


def test_the_place_says_which_tracker_it_is(folder: Path) -> None:
    locations: list[str] = []

    def there(location: str) -> Tickets:
        locations.append(location)
        return LocalTickets(folder)

    trackers = Trackers(LocalTickets, there)
    assert isinstance(trackers.open(str(folder)), LocalTickets)
    trackers.open("https://github.example/acme/shop")
    assert locations == ["https://github.example/acme/shop"]
    for location, known in (("https://github.example/acme/shop", None), ("http://x/y", there), ("file:///etc", there)):
        with pytest.raises(BadInput):
            Trackers(LocalTickets, known).open(location)
    tool = trackers.through(Registry([search_tickets()])).reader("search_tickets")
    assert isinstance(tool, SearchTickets)
    place = Place(Resource(kind="tickets", id="fern", granted_by="config"), "https://github.example/acme/shop")
    args = TicketsArgs.model_validate({"tracker": "fern", "ask": {"kind": "labels"}})
    assert tool.call(args, Context(Places((place,)), 0)).tracker == "fern"
    assert len(locations) == 1, "a tracker is opened once"
