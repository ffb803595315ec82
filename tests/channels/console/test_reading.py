"""Long changes, news of an open page, and what the pages tell about runs and the kill switch."""

import re

import pytest
from support.console import ADDRESS, Console, text_of
from support.workspace import ana

from twokey.agents.state import Progress
from twokey.channels.console.app import build
from twokey.channels.console.diffs import PIECE, rows_of
from twokey.channels.console.proposals import piece
from twokey.channels.console.site import Site
from twokey.channels.routes import Served
from twokey.channels.workspace import Workspace

LINES = 40_000


@pytest.fixture(scope="module")
def long() -> str:
    """A change of two megabytes in one file."""
    head = "diff --git a/models/long.sql b/models/long.sql\n--- a/models/long.sql\n+++ b/models/long.sql\n"
    body = "".join(f"+select {number} as a_column_with_a_long_name -- <b>{number}</b>\n" for number in range(LINES))
    return f"{head}@@ -0,0 +1,{LINES} @@\n{body}"


@pytest.mark.parametrize("view", ["unified", "split"])
def test_a_change_of_two_megabytes_is_read_in_pieces_and_none_of_it_is_left_out(console: Console, long: str, view: str):
    assert len(long) > 2_000_000
    total = len(rows_of(long))
    for begin in (0, PIECE * 7 + 3, total - 1):
        shown = piece(console.site, "p-000000000001", long, view, begin)
        assert len(shown) < 400_000
        assert shown.count("<tr") <= PIECE
        assert "<b>" not in shown
    further = re.search(r"begin=(\d+)", piece(console.site, "p-000000000001", long, view, 0))
    assert further
    assert int(further[1]) == PIECE
    last = piece(console.site, "p-000000000001", long, view, total - 1)
    assert f"&lt;b&gt;{LINES - 1}&lt;/b&gt;" in re.sub(r"</?span[^>]*>", "", last)
    assert "data-more" not in last


def test_a_further_piece_is_given_to_who_is_in(console: Console, proposal: str):
    assert "<table" in console.browser("sam").get(f"/p/{proposal}/diff?begin=0&view=split").text
    assert console.browser().get(f"/p/{proposal}/diff").status_code == 303
    assert console.browser("sam").get(f"/p/{proposal}/diff?begin=x").status_code == 400


def test_news_end_with_the_server_and_are_not_for_everybody(workspace: Workspace, console: Console, proposal: str):
    ending = Console(workspace)
    ending.site = Site(workspace, ending.clock, Served(ADDRESS, lambda: True))
    ending.app = build(ending.site)
    answer = ending.browser("sam").get(f"/p/{proposal}/news")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "retry: 1500\n\n"
    assert ending.site.streams == 0
    ending.site.streams = 60
    run = workspace.service.find(proposal).run
    assert ending.browser("sam").get(f"/runs/{run}/news").status_code == 503
    assert ending.browser("sam").get("/runs/r-000000000000/news").status_code == 404
    assert console.browser().get(f"/p/{proposal}/news").status_code == 303


def test_a_run_tells_its_plan_its_calls_and_what_came_of_it(console: Console, workspace: Workspace, proposal: str):
    run = workspace.service.find(proposal).run
    sam = console.browser("sam")
    said = text_of(sam.get(f"/runs/{run}").text)
    for wanted in ("Proposals", "Plan", "catalog", "reviewer", "query_warehouse", "The reviewer looked at"):
        assert wanted in said, wanted
    part = sam.get(f"/runs/{run}", **{"x-part": "yes"}).text
    assert "<html" not in part
    assert run in sam.get("/runs").text


def test_a_run_that_is_driven_here_says_how_far_it_is(console: Console, workspace: Workspace):
    browser = console.browser("ana")
    once = re.search(r'name="once" value="([^"]+)"', browser.get("/ask").text)
    assert once
    asked = browser.submit("/ask", {"text": "what is in the warehouse", "once": once[1]}).headers["location"]

    def stamp() -> str:
        return browser.get(asked).text.partition('data-stamp="')[2].partition('"')[0]

    before, run = stamp(), asked.rpartition("/")[2]
    workspace.board.tell(run, Progress(1, "profiled <b>orders</b>", 3, 5))
    assert stamp() != before
    page = browser.get(asked, **{"x-part": "yes"}).text
    assert '<progress max="5" value="3"' in page
    assert "profiled &lt;b&gt;orders&lt;/b&gt;" in page
    workspace.board.wipe(run)
    assert "<progress" not in browser.get(asked).text


def test_what_is_asked_twice_with_one_form_is_asked_once(console: Console, workspace: Workspace):
    browser = console.browser("ana")
    once = re.search(r'name="once" value="([^"]+)"', browser.get("/ask").text)
    assert once
    sent = {"text": "what is in the warehouse", "once": once[1]}
    first, second = browser.submit("/ask", sent), browser.submit("/ask", sent)
    assert first.headers["location"] == second.headers["location"]
    run = first.headers["location"].rpartition("/")[2]
    assert [each.id for each in workspace.service.runs(100)].count(run) == 1
    assert workspace.service.outcome(run).run.requester == ana(workspace).principal.name
    assert "what is in the warehouse" in text_of(browser.get("/ask").text)
    assert browser.submit("/ask", {"text": "x", "once": "short"}).status_code == 400
    assert browser.submit("/ask", {"text": "  ", "once": "a" * 43}).status_code == 400


def test_the_inbox_lists_and_filters(console: Console, proposal: str):
    sam, ana_there = console.browser("sam"), console.browser("ana")
    assert f'data-name="{proposal}"' in sam.get("/inbox").text
    assert "Nothing waits for you." in text_of(ana_there.get("/inbox").text)
    assert proposal in ana_there.get("/inbox?tool=open_pull_request&requester=ana").text
    assert f"/p/{proposal}" not in ana_there.get("/inbox?tool=update_ticket").text
    assert sam.get("/").headers["location"] == "/inbox"
