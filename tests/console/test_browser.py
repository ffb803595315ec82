"""The console in a real browser: the whole way by keyboard, races, expiry and restarts while a page is open."""

import re
from typing import Any

import pytest
from support.house import House, People

pytestmark = pytest.mark.timeout(900)  # real browsers and a real server: long on a busy machine

MINUTE_US = 60_000_000
FOCUSED = "() => (document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || '').trim()"


def tab_to(page: Any, wanted: str, *, most: int = 80) -> None:
    """Press Tab until what is called so has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if re.search(wanted, page.evaluate(FOCUSED)):
            return
    raise AssertionError(f"nothing called {wanted!r} can be reached with the keyboard")


def test_ask_watch_look_approve_and_verify_by_keyboard_alone(house: House, people: People):
    with house.served():
        ana = people.come_in("ana", "/ask")
        ana.keyboard.type("document the tables and tag what is personal")
        ana.keyboard.press("Control+Enter")
        ana.wait_for_url("**/runs/*")
        ana.wait_for_selector("text=Waits for approval")
        tab_to(ana, r"^[0-9a-z]{6} open pull request")
        ana.keyboard.press("Enter")
        ana.wait_for_url("**/p/*")
        assert ana.locator("text=others answer").count() == 1
        name = ana.url.rpartition("/")[2]

        sam = people.come_in("sam", "/inbox")
        tab_to(sam, r"open pull request")
        sam.keyboard.press("Enter")
        sam.wait_for_url(f"**/p/{name}")
        tab_to(sam, r"^Side by side$")
        sam.keyboard.press("Enter")
        sam.wait_for_url("**view=split*")
        assert sam.locator("table.diff.split .added").count() > 0
        tab_to(sam, r"^Approve [0-9a-f]{4} [0-9a-f]{4}$")
        sam.keyboard.press("Enter")
        sam.wait_for_selector("text=Receipt")

        ana.wait_for_selector("text=Receipt")
    assert house.workspace.service.find(name).state.value == "done"
    assert house.workspace.ledger.log.verify().ok


def test_of_two_browsers_one_approval_counts_and_the_other_is_told(house: House, people: People):
    name = house.proposed()
    with house.served():
        sam, pat = people.come_in("sam", f"/p/{name}"), people.come_in("pat", f"/p/{name}")
        for page in (sam, pat):
            page.fill("#reason", "seen")  # with words in it, a page is not loaded anew under the reader
        for page in (sam, pat):
            page.click("button.primary", no_wait_after=True)
        for page in (sam, pat):
            page.wait_for_selector("text=/Receipt|already|Meanwhile/")
        anew = sam.context.new_page()  # the others may be loading themselves anew at this moment
        anew.goto(f"{house.address}/p/{name}")
        anew.wait_for_selector("text=Receipt")
    approved = [answer.principal for answer in house.workspace.service.card(name, None).answers]
    assert len(approved) == 1


def test_a_card_that_expires_while_its_page_is_open_says_so(house: House, people: People):
    house.clock.ahead_us = -(24 * 60 - 20) * MINUTE_US  # it was asked so long ago that twenty minutes are left
    name = house.proposed()
    house.clock.ahead_us = 0
    with house.served():
        page = people.come_in("sam", f"/p/{name}")
        page.wait_for_selector("button.primary")
        house.clock.ahead_us = 30 * MINUTE_US
        try:
            page.wait_for_selector("h2:has-text('Expired')")
            assert page.locator("button.primary").count() == 0
        finally:
            house.clock.ahead_us = 0
    assert house.workspace.service.find(name).state.value == "expired"


def test_a_page_outlives_a_restart_of_the_server(house: House, people: People):
    name = house.proposed()
    with house.served():
        page = people.come_in("sam", f"/p/{name}")
        page.wait_for_selector("button.primary")
    page.click("button.primary")
    page.wait_for_selector("#outcome:not(:empty)")
    with house.served():
        page.click("button.primary")
        page.wait_for_selector("text=Receipt")
    assert house.workspace.service.find(name).state.value == "done"
