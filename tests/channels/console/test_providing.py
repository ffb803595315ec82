"""Coming in by way of a provider: who is linked is in, and no lie of a provider or a browser makes anybody somebody."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey
from support.console import ADDRESS, JSON, ORIGIN, Browser, Console, text_of
from support.workspace import PEOPLE
from twins.oidc import CLIENT, SECRET, Twin, provider

from twokey.channels import creation, wiring
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with provider() as made:
        yield made


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, twin: Twin) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("provided")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "home").mkdir()
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        section = {"oidc_issuer": twin.issuer, "oidc_client_id": CLIENT, "oidc_secret_env": "OIDC_SECRET"}
        creation.create(folder / "w", PEOPLE, store=f"sqlite:///{folder / 'w.db'}", sections={"console": section})
        _only_ops(folder / "w" / "twokey.toml")
        with wiring.opened(folder / "w") as opened:
            yield opened


@pytest.fixture
def console(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Fresh for each test: only so many may try to come in within a minute."""
    monkeypatch.setenv("OIDC_SECRET", SECRET)
    return Console(workspace)


def _only_ops(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[console]\n", '[console]\noidc_groups = ["ops"]\n'), encoding="utf-8")


@pytest.fixture(autouse=True)
def _honest(twin: Twin) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    twin.wrong, twin.algorithm, twin.says_issuer, twin.published = {}, "ES256", twin.issuer, twin.key


def agreed(address: str) -> str:
    """Go to the provider as a browser does, and give where it sends one."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=60)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        return str(connection.getresponse().headers["location"])
    finally:
        connection.close()


def come_in(browser: Browser, path: str = "/runs") -> Any:
    begun = browser.get(f"/login/oidc?next={path}")
    assert begun.status_code == 303
    return browser.get(agreed(begun.headers["location"]).removeprefix(ADDRESS))


def code(answer: Any) -> str:
    found = re.search(r"Code ([a-z_]+)", text_of(answer.text))
    return found[1] if found else answer.text


def test_a_stranger_is_nobody_until_somebody_confirms_it_with_their_own_key(console: Console):
    browser = console.browser()
    page = come_in(browser)
    assert "nobody here yet" in text_of(page.text)
    external = re.search(r"oidc:[0-9a-f]{32}", page.text)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert external
    assert ticket
    forged = browser.client.post(
        "/login/oidc/ask", data={"ticket": f"oidc:{'0' * 32}.{'0' * 64}", "name": "sam"}, headers=ORIGIN
    )
    assert code(forged) == "bad_form"
    answers = [
        text_of(browser.client.post("/login/oidc/ask", data={"ticket": ticket[1], "name": name}, headers=ORIGIN).text)
        for name in ("nobody", "sam")
    ]
    assert answers[0] == answers[1]  # who is called what is told to no stranger
    assert browser.get("/inbox").status_code == 303

    linking = console.workspace.linking
    sam, credential = console.workspace.identify("sam", "cli")
    linking.confirm(sam, credential, external[0])
    entered = come_in(console.browser())
    assert (entered.status_code, entered.headers["location"]) == (303, "/runs")

    browser = console.browser()
    come_in(browser)
    page = browser.get("/inbox")
    assert 'data-principal="sam"' in page.text
    linking.remove(sam, credential, external[0])
    assert browser.get("/inbox").status_code == 303  # the session ends with the link


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"iss": "http://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"iat": 4_000_000_000},
    ],
)
def test_a_token_that_is_not_for_this_login_is_nobodys(console: Console, twin: Twin, wrong: dict[str, Any]):
    twin.wrong = wrong
    answer = come_in(console.browser())
    assert (answer.status_code, code(answer)) == (401, "oidc_token")


def test_a_token_that_the_provider_did_not_sign_is_nobodys(console: Console, twin: Twin):
    twin.published = ECKey.generate_key("P-256", {"kid": "one"})
    assert code(come_in(console.browser())) == "oidc_token"
    twin.published, twin.algorithm = twin.key, "none"
    assert code(come_in(console.browser())) == "oidc_token"


def test_who_is_in_none_of_the_groups_stays_outside(console: Console, twin: Twin):
    for groups in (["guests"], "ops", None):
        twin.wrong = {"groups": groups}
        assert code(come_in(console.browser())) == "oidc_groups"


def test_a_login_is_of_one_browser_and_used_once(console: Console):
    mine, other = console.browser(), console.browser()
    where = agreed(mine.get("/login/oidc").headers["location"]).removeprefix(ADDRESS)
    other.get("/login/oidc")
    assert code(other.get(where)) == "oidc_browser"
    assert code(mine.get(where)) == "oidc_state"
    assert code(mine.get("/login/oidc/callback")) == "oidc_state"
    where = agreed(mine.get("/login/oidc").headers["location"]).removeprefix(ADDRESS)
    assert code(mine.get(re.sub(r"code=[^&]+", "code=guessed", where))) == "oidc_code"
    where = agreed(mine.get("/login/oidc").headers["location"]).removeprefix(ADDRESS)
    assert code(mine.get(re.sub(r"iss=[^&]+", "iss=http://evil.example", where))) == "oidc_issuer"


def test_a_provider_that_is_another_one_is_not_used(console: Console, twin: Twin):
    twin.says_issuer = "http://evil.example"
    answer = console.browser().get("/login/oidc", **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "oidc_provider")


def test_nobody_is_led_elsewhere_by_way_of_the_provider(console: Console):
    begun = console.browser().get("/login/oidc?next=//evil.example")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{ADDRESS}/login/oidc/callback"]
    assert asked["code_challenge_method"] == ["S256"]


def test_the_door_names_the_provider(console: Console, twin: Twin):
    assert urlsplit(twin.issuer).netloc in text_of(console.browser().get("/login").text)


def test_a_console_without_the_clients_secret_says_which_variable_lacks(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OIDC_SECRET", raising=False)
    with pytest.raises(BadInput, match="OIDC_SECRET"):
        Console(workspace)
