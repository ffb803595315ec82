"""Tickets are read by name, or page by page so that one can go on after any pause; what is anybody's text is told."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from twokey.core.canonical import Json
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.read.ticket_pages import MAX_BODY, PAGE, PageRequest, TicketsRead
from twokey.tools.read.tickets import SearchTickets, TicketsArgs, TicketsResult

CONTEXT = Context(Places((Place(Resource(kind="tickets", id="desk", granted_by="config"), "x"),)), 0)


def desk(folder: Path, count: int, *, same_time: bool = False, body: str = "words") -> SearchTickets:
    lines = [
        f'{{"id": "{n}", "title": "t{n}", "body": "{body}", "labels": ["l{n % 3}"], "assignee": "sam", "state": "open",'
        f' "author": "jo", "created_at": "2026-01-01T00:00:00Z",'
        f' "updated_at": "2026-01-01T00:{0 if same_time else n // 60:02d}:{0 if same_time else n % 60:02d}Z"}}'
        for n in range(1, count + 1)
    ]
    (folder / "all.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SearchTickets(lambda _: LocalTickets(folder))


def read(tool: SearchTickets, **args: Any) -> TicketsRead:
    page = whole(tool, **args).answer
    assert isinstance(page, TicketsRead)
    return page


def whole(tool: SearchTickets, **args: Any) -> TicketsResult:
    return tool.call(TicketsArgs.model_validate({"tracker": "desk", "ask": {"kind": "page", **args}}), CONTEXT)


@pytest.mark.parametrize("same_time", [False, True])
def test_pages_give_every_ticket_once(tmp_path: Path, same_time: bool) -> None:
    tool, found, args = desk(tmp_path, 2 * PAGE + 50, same_time=same_time), [0], dict[str, Any]()
    for _ in range(4):
        page = read(tool, **args)
        found += [ticket.number for ticket in page.tickets]
        args = {"since": page.since, "passed": list(page.passed)}
        if page.since is None:
            break
    assert sorted(found) == list(range(2 * PAGE + 51))


def test_a_page_is_bounded_in_text(tmp_path: Path) -> None:
    tool = desk(tmp_path, PAGE, body="x" * (MAX_BODY + 1))
    page = read(tool)
    assert 0 < len(page.tickets) < PAGE
    assert page.tickets[0].cut
    assert len(page.tickets[0].body) == MAX_BODY
    assert page.since is not None


def test_tickets_are_read_by_key_or_number(tmp_path: Path) -> None:
    tool = desk(tmp_path, 3)
    page = read(tool, keys=["2", "9"], numbers=[1, 8, 2])
    assert [ticket.key for ticket in page.tickets] == ["2", "1"]
    assert page.absent == ("9", "8")
    args = TicketsArgs(tracker="desk", ask=PageRequest())
    assert tool.summary(args, TicketsResult(tracker="desk", answer=page)) == "2 tickets of the tracker."
    with pytest.raises(ValidationError):
        PageRequest.model_validate({"keys": ["1"], "since": "2026-01-01T00:00:00Z"})


def flat(value: Json) -> set[str]:
    if isinstance(value, list):
        return {text for item in value for text in flat(item)}
    return {str(value)}


def test_what_anybody_wrote_is_not_listed_by_the_tracker(tmp_path: Path) -> None:
    tool = desk(tmp_path, 1, body="mallory")
    known = flat(tool.listed(whole(tool).canonical()))
    assert known == {"1", "l1", "sam"}
    search = SearchTickets(lambda _: LocalTickets(tmp_path))
    for ask in ({"kind": "list"}, {"kind": "get", "key": "1"}, {"kind": "labels"}):
        args = search.input_type.model_validate({"tracker": "desk", "ask": ask})
        known = flat(search.listed(search.call(args, CONTEXT).canonical()))
        assert known & {"l1"}
        assert not known & {"mallory", "jo", "t1"}
