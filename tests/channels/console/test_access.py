"""Attacks on the way in and on what a session may do: each is written as somebody would try it."""

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.console import ADDRESS, JSON, ORIGIN, Browser, Console, StillClock
from support.workspace import Place

from twokey.channels import wiring
from twokey.channels.console import guarding
from twokey.channels.passes import one_time_link, public_of
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput, Refused
from twokey.core.events import SessionClosed, SessionOpened
from twokey.core.values import GivenOrder, Order
from twokey.tools.sessions import name_of

PAGES = ("/inbox", "/ask", "/runs", "/freeze", "/p/abcdefghjkmn", "/runs/r-000000000000", "/p/abcdefghjkmn/news")
CHANGES = ("/ask", "/freeze", "/freeze/order", "/logout", "/p/abcdefghjkmn/answer", "/p/abcdefghjkmn/statement")


def code(answer: object) -> str:
    return str(answer.json()["error"]["code"])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def sam(console: Console) -> Browser:
    return console.browser("sam")


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_in_sees_no_page_and_is_led_to_the_door(console: Console, path: str):
    answer = console.browser().get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


@pytest.mark.parametrize("path", CHANGES)
def test_nothing_changes_without_a_session_or_its_token(console: Console, sam: Browser, path: str):
    assert console.browser().post(path, {}).status_code == 401
    answer = sam.post(path, {"turn": "on", "text": "x"}, csrf="0" * 64)
    assert (answer.status_code, code(answer)) == (409, "other_session")
    assert sam.get(path, **JSON).status_code in {200, 404, 405}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": ADDRESS, "sec-fetch-site": "cross-site"},
        {"origin": ADDRESS, "sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
def test_a_request_from_another_site_is_refused_whatever_it_carries(sam: Browser, headers: dict[str, str]):
    answer = sam.post("/freeze", {"turn": "on", "reason": ""}, **headers)
    assert answer.status_code == 403
    assert sam.client.post("/freeze", data={"csrf": sam.csrf, "turn": "on"}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "127.0.0.1:x", "[::1"]
)
def test_another_host_is_not_this_console(sam: Browser, host: str):
    assert sam.get("/inbox", host=host).status_code == 421


@pytest.mark.parametrize("path", ["/inbox", "/login", "/nowhere", "/assets/x/console.css"])
def test_every_answer_forbids_frames_foreign_scripts_and_guesses(sam: Browser, path: str):
    headers = sam.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/inbox", "/login", "/log", "/api/runs", "/nowhere", "/ask"])
def test_the_head_of_a_page_is_given_as_if_all_of_it_were_asked_for(sam: Browser, path: str):
    whole, head = sam.get(path), sam.client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-security-policy", "cache-control"):
        assert head.headers[name] == whole.headers[name]


def test_the_head_of_a_page_needs_what_the_page_needs(console: Console, sam: Browser, workspace: Workspace):
    """Who only asks for the head was shown nothing, is held to the same rules, and keeps no stream open."""
    assert console.browser().client.head("/inbox").status_code == 303
    assert sam.client.head("/inbox", headers={"host": "evil.example"}).status_code == 421
    assert sam.client.head("/freeze/order").status_code == 405
    name = workspace.service.waiting()[0].id
    shown = len(list(workspace.ledger.history(name, "card.shown")))
    assert sam.client.head(f"/p/{name[2:]}").status_code == 200
    assert len(list(workspace.ledger.history(name, "card.shown"))) == shown
    assert sam.client.head(f"/p/{name[2:]}/news").headers["content-type"].startswith("text/event-stream")
    assert console.site.streams == 0


def test_pages_hold_no_script_or_style_of_their_own(sam: Browser, proposal: str):
    for path in ("/inbox", "/ask", "/runs", "/freeze", f"/p/{proposal}", "/login"):
        page = sam.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:", page), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), path


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(console: Console):
    cookie = console.browser().enter(console.link("sam")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


def test_a_session_is_never_one_that_somebody_set_before(console: Console):
    """Fixation: whatever cookie a browser held when it came in, it holds a new one then."""
    browser = console.browser("ana")
    before = browser.client.cookies["twokey_session"]
    browser.key = Ed25519PrivateKey.generate()
    assert browser.enter(console.link("sam")).status_code == 200
    after = browser.client.cookies["twokey_session"]
    assert before.partition(".")[2] != after.partition(".")[2]
    old, new = console.browser(), console.browser()
    old.client.cookies.set("twokey_session", before)
    new.client.cookies.set("twokey_session", after)
    assert 'data-principal="ana"' in old.get("/inbox").text
    assert 'data-principal="sam"' in new.get("/inbox").text


def test_who_leaves_is_out_and_the_log_says_so(console: Console, workspace: Workspace):
    browser = console.browser("sam")
    cookie = browser.client.cookies["twokey_session"]
    assert browser.submit("/logout", {}).status_code == 303
    browser.client.cookies.set("twokey_session", cookie)
    assert browser.get("/inbox").status_code == 303
    closed = list(workspace.ledger.history("sam", "console.session_closed"))
    assert any(isinstance(event, SessionClosed) and event.code == "left" for event in closed)


@pytest.mark.parametrize(
    "tampered", ["", "x", "0" * 16 + "." + "a" * 43, "../../etc/passwd", "ff" * 8 + "." + "-" * 43]
)
def test_a_cookie_that_nobody_was_given_is_nobodys(console: Console, sam: Browser, tampered: str):
    browser = console.browser()
    name, _, secret = sam.client.cookies["twokey_session"].partition(".")
    for cookie in (tampered, f"{name}.{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}"):
        browser.client.cookies.set("twokey_session", cookie)
        assert browser.get("/inbox").status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/p/../../x",
        "javascript:alert(1)",
        "/%2f%2fevil.example",
        "/inbox\n//x",
    ],
)
def test_nobody_is_led_elsewhere(console: Console, workspace: Workspace, path: str):
    browser = console.browser()
    assert 'data-next="/inbox"' in browser.client.get("/login", params={"next": path}).text
    identity, credential = workspace.identify("sam", "cli")
    with pytest.raises(BadInput):
        one_time_link(workspace, identity, credential, clock=console.clock, address=ADDRESS, path=path)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../site.py",
        "/assets/%2e%2e/site.py",
        "/assets/0000000000000000/console.css",
        "/assets//etc/passwd",
        "/assets/..%5c..%5csite.py",
    ],
)
def test_only_files_that_have_a_name_are_served(sam: Browser, path: str):
    assert sam.get(path).status_code == 404


def test_a_file_is_served_under_its_hash_and_kept(console: Console, sam: Browser):
    answer = sam.get(console.site.assets["console.js"].path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


def test_what_is_too_large_or_no_form_is_refused(sam: Browser):
    assert sam.post("/ask", {"text": "x" * 70_000}).status_code == 400
    for kind, body in (
        ("text/plain", b"csrf=x"),
        ("application/json", b"[1]"),
        ("application/json", b'{"csrf": 1}'),
        ("application/json", b"\xff"),
        ("application/x-www-form-urlencoded", b"a=1&a=2"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
    ):
        answer = sam.client.post("/ask", content=body, headers=ORIGIN | JSON | {"content-type": kind})
        assert (answer.status_code, code(answer)) == (400, "bad_form"), body


def test_too_many_attempts_to_come_in_are_told_to_wait(workspace: Workspace):
    fresh = Console(workspace, StillClock())
    browser = fresh.browser()
    answers = [browser.offer("ed25519:" + "0" * 64).status_code for _ in range(guarding.ENTRIES + 1)]
    assert answers[:-1] == [409] * guarding.ENTRIES
    assert answers[-1] == 429


def test_only_the_key_behind_a_link_opens_it(console: Console):
    link = console.link("sam")
    browser, other = console.browser(), Ed25519PrivateKey.generate()
    assert code(browser.offer(public_of(other))) == "unknown_link"
    key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(link.partition("#")[2] + "="))
    offered = browser.offer(public_of(key)).json()
    text = offered["opening"].encode()
    forged = {
        "session": offered["session"],
        "signature": other.sign(text).hex(),
        "possession": browser.key.sign(text).hex(),
    }
    answer = browser.client.post("/login/open", json=forged, headers=ORIGIN | JSON)
    assert code(answer) == "not_proven"
    again = browser.client.post("/login/open", json=forged, headers=ORIGIN | JSON)
    assert code(again) == "offer_over"
    assert browser.enter(link).status_code == 200  # a failed attempt does not use the link up


def test_a_browser_cannot_put_somebody_elses_key_in_its_place(console: Console, sam: Browser):
    """Whoever opened a session with a key they do not hold could take its owner's answers for their own."""
    thief = console.browser()
    link = console.link("ana")
    key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(link.partition("#")[2] + "="))
    fields = {"pass_key": public_of(key), "key": public_of(sam.key)}
    offered = thief.client.post("/login/offer", json=fields, headers=ORIGIN | JSON).json()
    text = offered["opening"].encode()
    forged = {
        "session": offered["session"],
        "signature": key.sign(text).hex(),
        "possession": thief.key.sign(text).hex(),
    }
    assert code(thief.client.post("/login/open", json=forged, headers=ORIGIN | JSON)) == "not_proven"


def test_a_link_is_ordered_by_whom_it_lets_in(workspace: Workspace, console: Console):
    """Ana signs a link for sam, and an order that is something else: neither is a link."""
    _, ana = workspace.identify("ana", "cli")
    assert ana is not None
    now = console.clock.now_us()
    key = public_of(Ed25519PrivateKey.generate())
    for fields in (
        {"order": "console_pass", "principal": "sam", "words": name_of(key), "until_us": now + 1},
        {"order": "freeze_on", "principal": "ana", "words": name_of(key), "until_us": now + 1},
        {"order": "console_pass", "principal": "ana", "words": None, "until_us": now + 1},
        {"order": "console_pass", "principal": "ana", "words": name_of(key), "until_us": None},
        {"order": "console_pass", "principal": "nobody", "words": name_of(key), "until_us": now + 1},
    ):
        order = Order.model_validate({"workspace": workspace.config.workspace.id, "at_us": now, **fields})
        with pytest.raises(Refused):
            workspace.sessions.give(ana.order(order))
    asserted = Order(
        workspace=workspace.config.workspace.id,
        order="console_pass",
        principal="sam",
        at_us=now,
        until_us=now + 1,
        words=name_of(key),
    )
    with pytest.raises(Refused):
        workspace.sessions.give(GivenOrder(statement=asserted, auth="asserted"))


def test_links_and_sessions_end_by_themselves(tmp_path: Path, sqlite_url: str):
    clock = StillClock()
    place = Place(tmp_path, sqlite_url)
    with wiring.opened(place.folder, clock=clock) as workspace:
        console = Console(workspace, clock)
        link = console.link("sam")
        clock.advance(16 * 60)
        assert code(console.browser().enter(link)) == "link_expired"

        idle, busy = console.browser("sam"), console.browser("sam")
        for _ in range(3):
            clock.advance(40 * 60)
            assert busy.get("/inbox").status_code == 200
        assert idle.get("/inbox").status_code == 200  # nobody saw it before; its time begins with this
        clock.advance(61 * 60)
        assert idle.get("/inbox").status_code == 303
        assert busy.get("/inbox").status_code == 303

        long = console.browser("sam")
        for _ in range(13):
            clock.advance(55 * 60)
            long.get("/inbox")
        clock.advance(10 * 60)
        assert long.get("/inbox").status_code == 303


def test_who_is_taken_off_the_directory_or_gets_another_key_is_out(tmp_path: Path, sqlite_url: str):
    place = Place(tmp_path, sqlite_url)
    settings = place.folder / "twokey.toml"
    with place.opened() as workspace:
        console = Console(workspace)
        sam = console.browser("sam")
        assert sam.get("/inbox").status_code == 200
        text = settings.read_text(encoding="utf-8")
        principal = workspace.directory.principal("sam")
        assert principal is not None
        settings.write_text(text.replace(str(principal.key), "ed25519:" + "ab" * 32), encoding="utf-8")
        assert sam.get("/inbox").status_code == 303
        settings.write_text(text.replace("[principals.sam]", "[principals.eve]"), encoding="utf-8")
        assert sam.get("/inbox").status_code == 303


def test_a_session_that_the_log_does_not_prove_is_none(console: Console, workspace: Workspace):
    """Somebody with the database puts a row there: without its entry it lets nobody in."""
    browser = console.browser("sam")
    session = browser.client.cookies["twokey_session"].partition(".")[0]
    opened = workspace.sessions.find(session)
    assert isinstance(opened, SessionOpened)
    with workspace.ledger.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE inbox SET code = 'l-000000000000' WHERE key = 'session:{session}'")
    assert browser.get("/inbox").status_code == 303
