"""Every page in a real browser: nothing keeps people out, in light and dark; no text from outside acts anywhere."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page
from support import full_house, vectors

from twokey.channels.passes import one_time_link
from twokey.channels.serving import serving
from twokey.channels.workspace import Workspace
from twokey.core.entropy import SystemClock

AXE = Path(__file__).parents[1] / "support" / "axe" / "axe.min.js"
WAIT_MS = 120_000
pytestmark = pytest.mark.timeout(900)  # real browsers, every page, two colour schemes: long on a busy machine
PHONE = {"width": 390, "height": 844}
WATCH = """
window.fired = [];
for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = (...what) => { window.fired.push([name, String(what)]); };
document.addEventListener("securitypolicyviolation", (event) => window.fired.push(["policy", event.blockedURI + " " + event.sample]));
"""
LOOK = """() => ({
  fired: window.fired,
  acting: [...document.querySelectorAll("*")].flatMap((each) => [...each.attributes].filter((one) => one.name.startsWith("on") || /^\\s*(javascript|data|vbscript):/i.test(one.value) && ["href", "src", "action", "formaction", "xlink:href"].includes(one.name)).map((one) => each.tagName + " " + one.name)),
  foreign: [...document.querySelectorAll("main script, main iframe, main object, main embed, main svg, main math, main style, main link, main base, main meta, main video, main audio, main template")].map((each) => each.outerHTML.slice(0, 80)),
  outside: [...document.querySelectorAll("a[href], form[action], img[src], script[src], link[href]")].map((each) => each.href || each.action || each.src).filter((address) => !String(address).startsWith(location.origin)),
})"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        (folder / "home").mkdir()
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        yield stack.enter_context(full_house.opened(full_house.build(folder)))


@pytest.fixture(scope="module")
def made(workspace: Workspace) -> dict[str, str]:
    return full_house.fill(workspace, workspace.folder.parent / "sample" / "telemetry" / "inc-0412")


@pytest.fixture(scope="module")
def address(workspace: Workspace, made: dict[str, str]) -> Iterator[str]:
    assert made
    site = workspace.connected()["console"].app
    with serving((), workspace.rejections, host="127.0.0.1", port=0, site=site) as found:
        yield found


@pytest.fixture(scope="module")
def page(chromium: Browser, workspace: Workspace, address: str) -> Iterator[Page]:
    """One page for all: without the site's own policy for content, so that nothing is saved by it alone."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True, reduced_motion="reduce")
    context.add_init_script(WATCH)
    context.set_default_timeout(WAIT_MS)
    opened = context.new_page()
    identity, credential = workspace.identify(full_house.people(workspace)[1], "cli")
    opened.goto(one_time_link(workspace, identity, credential, clock=SystemClock(), address=address))
    opened.wait_for_url(lambda at: "/login" not in at)
    yield opened
    context.close()


def shown(page: Page, name: str) -> None:
    """Keep a picture of the page where a folder for them is named."""
    folder = os.environ.get("CONSOLE_SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_nothing_keeps_anybody_out_of_any_page(page: Page, address: str, made: dict[str, str]):
    """axe-core finds nothing, on every page, in light and dark; and no page is wider than a phone."""
    script = AXE.read_text(encoding="utf-8")
    page.goto(f"{address}/policy/replay")
    page.get_by_role("button", name="Take them again").click()
    page.wait_for_selector("text=What became of them", timeout=WAIT_MS)
    found: list[str] = []
    for name, path in full_house.pages(made).items():
        page.goto(address + path)
        page.evaluate(script)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
            # What is dark differs from what is light in its colours alone.
            only = "" if scheme == "light" else "runOnly: ['color-contrast'], "
            result = page.evaluate(f"() => axe.run(document, {{ {only}resultTypes: ['violations'] }})")
            found += [
                f"{name} ({scheme}): {each['id']} at {each['nodes'][0]['html'][:120]}" for each in result["violations"]
            ]
        shown(page, f"{name}-dark")
        page.emulate_media(color_scheme="light")
        shown(page, name)
        page.set_viewport_size(PHONE)  # pyright: ignore[reportArgumentType]
        shown(page, f"{name}-phone")
        if page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth + 1"):
            found.append(f"{name}: wider than a phone")
        page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []


def test_what_belongs_together_is_approved_with_one_gesture_by_keyboard_alone(
    page: Page, address: str, workspace: Workspace, made: dict[str, str]
):
    """The browser signs each proposal of the batch; what it is asked to sign is held against the page first."""
    page.goto(f"{address}/inbox")
    page.get_by_role("link", name="together").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/batch?*")
    page.get_by_role("button", name="Approve all").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#outcome.good", timeout=WAIT_MS)
    assert page.locator("#together > li.counted").count() == page.locator("#together > li").count()
    proposals = [each.partition("=")[2] for each in made["batch"].split("&")]
    assert {workspace.service.find(each).state.value for each in proposals} <= {"approved", "awaiting_approval"}
    said = workspace.ledger.log.newest(kind="answer.given", limit=len(proposals))
    assert all('"auth":"key"' in each.entry.event.model_dump_json() for each in said)


def test_the_inbox_shows_what_comes_while_it_is_open(page: Page, address: str, workspace: Workspace):
    """Without being loaded anew, and with the focus where it was."""
    page.goto(f"{address}/inbox")
    page.evaluate("() => { window.untouched = true; }")
    links = page.locator("a.cover")
    before = links.count()
    links.first.focus()
    focused = page.evaluate("() => document.activeElement.getAttribute('href')")
    workspace.triage(full_house.asker(workspace), ["FERN-140"], None, lambda _: None)
    page.wait_for_function(f"() => document.querySelectorAll('a.cover').length > {before}", timeout=WAIT_MS)
    assert page.evaluate("() => window.untouched")
    assert page.evaluate("() => document.activeElement.getAttribute('href')") == focused


@pytest.mark.parametrize("lines", [2_500, pytest.param(45_000, marks=pytest.mark.soak)])
def test_a_long_change_is_scrolled_to_its_last_line(page: Page, address: str, workspace: Workspace, lines: int):
    """45,000 lines are more than two megabytes; what is not looked at yet is not in the page."""
    proposal, last = vectors.plant_change(workspace, lines)
    page.goto(f"{address}/p/{proposal[2:]}")
    pieces = page.locator("#pieces")
    first = pieces.locator("tr").count()
    assert first < lines
    end = pieces.get_by_text(last, exact=False)
    scroll = "() => { const all = document.getElementById('pieces'); all.scrollTop = all.scrollHeight; }"
    while True:
        seen = pieces.locator("table").count()  # counted first: the last piece may come between two looks
        if end.count():
            break
        page.evaluate(scroll)
        page.wait_for_function(f"() => document.querySelectorAll('#pieces table').length > {seen}", timeout=WAIT_MS)
    page.evaluate(scroll)
    assert pieces.locator("td.c.added").count() == lines
    assert end.is_visible()
    assert pieces.locator("p.more").count() == 0


def test_following_the_log_shows_what_is_new(page: Page, address: str, workspace: Workspace):
    page.goto(f"{address}/log")
    first = int(page.locator("#entries li").first.get_attribute("value") or "-1")
    page.get_by_role("button", name="Follow").click()
    workspace.identify(full_house.people(workspace)[0], "cli")
    page.wait_for_function(f"() => Number(document.querySelector('#entries li').value) > {first}")
    assert page.get_by_role("button", name="Stop following").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Stop following").click()


def test_a_post_mortem_prints_without_what_belongs_to_the_screen(page: Page, address: str, made: dict[str, str]):
    page.goto(f"{address}/incidents/{made['incident']}")
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible()
    assert page.locator("article.postmortem h1").is_visible()
    assert page.locator("figure img").count() >= 2
    assert page.evaluate("() => [...document.querySelectorAll('main img')].every((image) => image.alt)")
    page.emulate_media(media="screen")


def test_no_text_from_outside_acts_on_any_page(
    page: Page, address: str, workspace: Workspace, request: pytest.FixtureRequest
):
    """Every known vector through every field that shows outside text, with the browser's own policy switched off."""
    try:
        data: Path | None = request.getfixturevalue("data")
    except pytest.skip.Exception:
        data = None
    strings = vectors.vectors(data)
    planted = vectors.plant(workspace, strings)
    query = "".join(strings[:6])[:90]
    places = [
        "/inbox", "/ask", "/runs", "/log", "/catalog", "/tickets", "/incidents", "/policy", "/controls", "/scorecard",
        f"/p/{planted['proposal'][2:]}", f"/p/{planted['proposal'][2:]}?view=split", f"/runs/{planted['run']}",
        f"/incidents/{planted['run']}", f"/evidence/{planted['evidence']}", f"/log/change/{planted['run']}",
    ]  # fmt: skip
    asked = [
        ("/log", {"q": query}), ("/log", {"q": query, "kind": "run.ended"}), ("/log", {"kind": query[:60]}),
        ("/policy", {"rule": '"><x'}), ("/scorecard", {"quarter": "<svg>"}), ("/inbox", {"tool": query, "requester": query}),
    ]  # fmt: skip
    found: list[str] = []

    def look(path: str) -> None:
        seen: dict[str, Any] = page.evaluate(LOOK)
        found.extend(f"{path}: {key}: {json.dumps(value)[:300]}" for key, value in seen.items() if value)

    for path in places:
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == 200, path
        page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        look(path)
    for path, fields in asked:
        page.goto(f"{address}{path}?{urlencode(fields)}")
        look(f"{path}?{fields}")
    page.goto(f"{address}/%3Cscript%3Ealert(1)%3C/script%3E")
    look("an address that is not there")
    assert found == []
    text = page.goto(f"{address}/runs/{planted['run']}")
    assert text is not None
    assert "<script>alert(1)</script>" in page.inner_text("main")
