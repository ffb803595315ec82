"""One-time links and addresses, and the pages that are told about elsewhere."""

import json
import re
from pathlib import Path

import pytest
from support.command import account
from support.console import Console

from twokey.channels import passes
from twokey.channels.slack.posting import document_of
from twokey.channels.workspace import Workspace
from twokey.core.sections import ConsoleSection, ServerSection, WorkspaceSection
from twokey.core.settings import Settings


def config(console: ConsoleSection | None = None, host: str = "127.0.0.1") -> Settings:
    return Settings(
        workspace=WorkspaceSection(id="w-000000000000"),
        console=console or ConsoleSection(),
        server=ServerSection(host=host, port=8642),
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8642"),
        ("0.0.0.0", "http://127.0.0.1:8642"),  # noqa: S104 - nothing is bound here
        ("::", "http://[::1]:8642"),
        ("::1", "http://[::1]:8642"),
        ("ops.example", "http://ops.example:8642"),
    ],
)
def test_where_it_listens_is_where_this_machine_reaches_it(host: str, expected: str):
    assert passes.console_address(config(host=host)) == expected


def test_the_address_of_the_settings_is_where_people_see_it():
    made = config(ConsoleSection(url="https://twokey.example"))
    assert passes.console_address(made, port=9) == "https://twokey.example"
    assert passes.public_page(made, "p-000000000001") == "https://twokey.example/p/000000000001"
    assert passes.public_page(config(), "p-000000000001") is None
    assert passes.public_page(config(ConsoleSection(url="https://twokey.example", mode="off")), "p-0") is None


def test_a_card_in_slack_leads_to_the_console(workspace: Workspace, proposal: str):
    before = repr(document_of(workspace, f"card:p-{proposal}", 0))
    assert "twokey.example" not in before
    own = workspace.config
    try:
        workspace.config = own.model_copy(update={"console": ConsoleSection(url="https://twokey.example")})
        assert f"https://twokey.example/p/{proposal}" in repr(document_of(workspace, f"card:p-{proposal}", 0))
    finally:
        workspace.config = own


def test_the_command_prints_a_link_that_works_once(tmp_path: Path):
    twokey = account(tmp_path)
    made = twokey.ok("login", "sam", "--link", "--page", "/runs", "--port", "9000", "--json").json
    assert re.fullmatch(r"http://127\.0\.0\.1:9000/login\?next=/runs#[A-Za-z0-9_-]{43}", made["link"])
    assert twokey.refused("login", "sam", "--link", "--new", code=2).startswith("--link and --token go with none")
    assert "no page" in twokey.refused("login", "sam", "--link", "--page", "//evil.example", code=2)
    given = twokey.ok("login", "sam", "--token", "--json").json
    assert re.fullmatch(r"[0-9a-f]{16}\.[A-Za-z0-9_-]{43}", given["token"])
    shown = twokey.ok("audit", "show").out
    assert "console.pass_given" in shown
    assert given["token"].partition(".")[2] not in shown
    assert made["link"].partition("#")[2] not in shown
    assert json.loads(twokey.ok("audit", "verify", "--json").out)["ok"]


def test_https_makes_cookies_for_tls_only_and_takes_its_host_alone(workspace: Workspace):
    own = workspace.config
    try:
        workspace.config = own.model_copy(update={"console": ConsoleSection(url="https://twokey.example")})
        console = Console(workspace)
        browser = console.browser()
        browser.client.base_url = "https://twokey.example"
        headers = {"origin": "https://twokey.example", "sec-fetch-site": "same-origin"}
        answer = browser.client.post("/login/offer", json={}, headers=headers)
        assert answer.status_code == 400
        assert (
            browser.client.post("/login/offer", json={}, headers={"origin": "http://twokey.example"}).status_code == 403
        )
        assert browser.client.get("/login", headers={"host": "other.example"}).status_code == 421
    finally:
        workspace.config = own


def test_a_program_reads_and_asks_with_a_token_and_can_do_nothing_else(console: Console, workspace: Workspace):
    identity, credential = workspace.identify("ana", "cli")
    token, until = passes.program_token(workspace, identity, credential, clock=console.clock)
    assert until > console.clock.now_us()
    program = console.browser().client
    shown = {"authorization": f"Bearer {token}"}
    assert program.get("/api/runs", headers=shown).status_code == 200
    asked = program.post("/api/requests", json={"text": "what is in the warehouse"}, headers=shown)
    assert asked.status_code == 202
    assert program.get(f"/api/runs/{asked.json()['run']}", headers=shown).json()["run"]["requester"] == "ana"
    assert program.get("/inbox", headers=shown).status_code == 303, "pages are for browsers"
    for path in ("/logout", "/freeze", "/ask", "/policy/replay"):
        assert program.post(path, json={"turn": "on", "text": "x"}, headers=shown).status_code == 403, path
    assert (
        token
        not in workspace.ledger.log.newest(kind="console.session_opened", limit=1)[0].entry.event.model_dump_json()
    )
    opened = workspace.sessions.find(token.partition(".")[0])
    assert opened is not None
    workspace.sessions.close(opened, "left")
    assert program.get("/api/runs", headers=shown).status_code == 401


def test_only_a_token_lets_a_program_in_and_beside_it_no_cookie_counts(console: Console):
    """A page of another site can send a browser's cookie, and never this header; a wrong one is nobody."""
    sam = console.browser("sam")
    for shown in ("Bearer", "Bearer x", f"Basic {'x' * 60}", f"Bearer {'0' * 16}.{'a' * 43}", ""):
        headers = {"authorization": shown}
        assert sam.client.get("/api/runs", headers=headers).status_code == 401, shown
        asked = sam.client.post("/api/requests", json={"text": "x", "csrf": sam.csrf}, headers=headers)
        assert asked.status_code == 401, shown
    assert sam.client.post("/api/requests", json={"text": "x", "csrf": sam.csrf}).status_code == 403
    assert (
        sam.client.post(
            "/freeze", json={"turn": "on", "csrf": sam.csrf}, headers={"authorization": "Bearer x"}
        ).status_code
        == 403
    )
    assert sam.get("/inbox", authorization="Bearer x").status_code == 200, "pages look at cookies alone"
