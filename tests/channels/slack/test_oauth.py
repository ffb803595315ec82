"""A workspace installs the app only where the settings name it, and only in the browser in which it began."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from support.workspace import PEOPLE
from twins.slack.server import Twin

from twokey.channels import creation, wiring
from twokey.channels.routes import Delivery, Reply
from twokey.channels.slack.doctoring import SCOPES
from twokey.channels.slack.installations import SealedInstallations, SealedStates
from twokey.channels.slack.oauth import INSTALL_PATH, REDIRECT_PATH, Installing
from twokey.channels.slack.sealing import Seal
from twokey.channels.slack.web import Endpoint
from twokey.core.entropy import SystemClock
from twokey.core.sections import SlackSection
from twokey.tools.ledger import Ledger

SECTION = SlackSection(
    mode="http", client_id="11.22", redirect_url="https://testserver/slack/oauth_redirect", teams=("THOME",)
)


pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk uses it


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tmp_path_factory.mktemp("oauth") / "w"
        creation.create(folder, PEOPLE)
        with wiring.opened_ledger(folder) as opened:
            yield opened


@pytest.fixture
def site(twin: Twin, ledger: Ledger) -> Iterator[tuple[TestClient, SealedInstallations]]:
    seal = Seal(b"k" * 32)
    kept = SealedInstallations(ledger, seal, SECTION.teams, SystemClock())
    pages = Installing(
        SECTION,
        client_secret=twin.api.client_secret,
        installations=kept,
        states=SealedStates(seal, SystemClock()),
        client=Endpoint(twin.api_url).asynchronous(None),
    )

    def served(endpoint: Callable[[Delivery], Reply]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            given = endpoint(Delivery(request.url.path, dict(request.headers), b"", request.url.query))
            return Response(given.body, given.status, dict(given.headers), given.media_type)

        return answer

    app = Starlette(routes=[Route(INSTALL_PATH, served(pages.begin)), Route(REDIRECT_PATH, served(pages.end))])
    with TestClient(app, base_url="https://testserver", follow_redirects=False) as client:
        yield client, kept
    for team in kept.teams():
        kept.forget(team)


def code(twin: Twin, team: str, token: str) -> str:
    """A code that Slack would send somebody back with."""
    name = f"code-{twin.world.number()}"
    granted: dict[str, Any] = {
        "app_id": "A1",
        "access_token": token,
        "token_type": "bot",
        "scope": ",".join(sorted(SCOPES)),
        "bot_user_id": f"UBOT{team}",
        "team": {"id": team, "name": team},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": "UANA"},
    }
    twin.world.codes[name] = granted
    return name


def begun(client: TestClient) -> str:
    """Begin an installation; gives its state."""
    answer = client.get(INSTALL_PATH + "?team=TEVIL&state=mine")
    assert answer.status_code == 302
    address = urlsplit(answer.headers["location"])
    query = parse_qs(address.query)
    assert (address.scheme, address.netloc, address.path) == ("https", "slack.com", "/oauth/v2/authorize")
    assert set(query["scope"][0].split(",")) == SCOPES
    assert "team" not in query
    assert "HttpOnly" in answer.headers["set-cookie"]
    return query["state"][0]


def test_a_workspace_of_the_settings_installs_the_app(twin: Twin, site: tuple[TestClient, SealedInstallations]) -> None:
    client, kept = site
    state = begun(client)
    answer = client.get(REDIRECT_PATH, params={"state": state, "code": code(twin, "THOME", "xoxb-home")})
    assert (answer.status_code, "works for this workspace" in answer.text) == (200, True)
    bot = kept.find("THOME")
    assert bot is not None
    assert (bot.bot_token, bot.bot_user_id, bot.bot_id) == ("xoxb-home", "UBOTTHOME", "BTHOME")


def test_nobody_else_does(twin: Twin, site: tuple[TestClient, SealedInstallations]) -> None:
    client, kept = site
    state = begun(client)
    far = client.get(REDIRECT_PATH, params={"state": state, "code": code(twin, "TOTHER", "xoxb-other")})
    assert (far.status_code, far.text) == (400, "This workspace is not among those that may install the app here.\n")
    good = code(twin, "THOME", "xoxb-home")
    forged = client.get(REDIRECT_PATH, params={"state": "ff" * 40, "code": good})
    assert forged.status_code == 400
    made_up = client.get(REDIRECT_PATH, params={"state": state, "code": "no-such-code"})
    assert made_up.status_code == 400
    denied = client.get(REDIRECT_PATH, params={"error": "access_denied"})
    assert denied.text == "You did not install the app.\n"
    client.cookies.clear()
    elsewhere = client.get(REDIRECT_PATH, params={"state": state, "code": good})
    assert "browser" in elsewhere.text
    script = client.get(REDIRECT_PATH, params={"error": "<script>alert(1)</script>"})
    assert "script" not in script.text
    assert kept.teams() == []
