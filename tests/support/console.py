"""The web console in this process, and browsers without a screen: they hold keys and sign like the page's scripts."""

import base64
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from twokey.channels.console.app import build
from twokey.channels.console.site import Site
from twokey.channels.passes import one_time_link, public_of
from twokey.channels.routes import Served
from twokey.channels.workspace import Workspace
from twokey.core.entropy import SystemClock
from twokey.core.ports import Clock

ADDRESS = "http://127.0.0.1:8642"
ORIGIN = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
JSON = {"accept": "application/json"}


class StillClock:
    """A clock that stands still until told to move (port ``Clock``)."""

    def __init__(self, start_us: int = 1_800_000_000_000_000) -> None:
        self.time_us = start_us

    def now_us(self) -> int:
        return self.time_us

    def advance(self, seconds: float) -> None:
        self.time_us += int(seconds * 1_000_000)


class Browser:
    """A browser of somebody: cookies, the link's key while coming in, and a key of its own from then on."""

    def __init__(self, app: Any) -> None:
        self.client = TestClient(app, base_url=ADDRESS, follow_redirects=False)
        self.key = Ed25519PrivateKey.generate()

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def post(self, path: str, fields: Mapping[str, str], *, csrf: str | None = None, **headers: str) -> Any:
        """Send what a script of the page would: JSON, with the token of the session where there is one."""
        sent = {"csrf": self.csrf if csrf is None else csrf, **fields}
        return self.client.post(path, json=sent, headers=ORIGIN | JSON | headers)

    def submit(self, path: str, fields: Mapping[str, str], **headers: str) -> Any:
        """Send what a form would."""
        return self.client.post(path, data={"csrf": self.csrf, **fields}, headers=ORIGIN | headers)

    @property
    def csrf(self) -> str:
        found = re.search(r'data-csrf="([0-9a-f]{64})"', self.get("/login").text)
        return found[1] if found else ""

    def enter(self, link: str) -> Any:
        """Open a one-time link as its page does; gives the last answer."""
        link_key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(link.partition("#")[2] + "="))
        path = link.partition("?next=")[2].partition("#")[0]
        offered = self.offer(public_of(link_key))
        if offered.status_code != 200:
            return offered
        text = offered.json()["opening"].encode()
        fields = {
            "session": offered.json()["session"],
            "signature": link_key.sign(text).hex(),
            "possession": self.key.sign(text).hex(),
            "next": path,
        }
        return self.client.post("/login/open", json=fields, headers=ORIGIN | JSON)

    def answer(self, proposal: str, action: str, *, reason: str = "", typed: str = "", seen: str | None = None) -> Any:
        """Answer the card that the page shows, as its script does; gives the last answer of the console."""
        page = self.get(f"/p/{proposal}").text
        carried = re.search(r'data-seen="([^"]+)"', page) if seen is None else None
        fields = {"action": action, "reason": reason, "typed": typed, "seen": seen or (carried[1] if carried else "")}
        if 'data-signs="no"' not in page:
            asked = self.post(f"/p/{proposal}/statement", fields)
            if asked.status_code != 200:
                return asked
            text = asked.json()["statement"]
            fields |= {"statement": text, "signature": self.key.sign(text.encode()).hex()}
        return self.post(f"/p/{proposal}/answer", fields)

    def offer(self, pass_key: str) -> Any:
        fields = {"pass_key": pass_key, "key": public_of(self.key)}
        return self.client.post("/login/offer", json=fields, headers=ORIGIN | JSON)


class Console:
    """The console of an opened workspace."""

    def __init__(self, workspace: Workspace, clock: Clock | None = None) -> None:
        self.workspace = workspace
        self.clock = clock or SystemClock()
        self.site = Site(workspace, self.clock, Served(ADDRESS, lambda: False))
        self.app = build(self.site)

    def browser(self, name: str | None = None) -> Browser:
        """Give a browser; with a name, one in which that person has come in."""
        made = Browser(self.app)
        if name is not None:
            answer = made.enter(self.link(name))
            assert answer.status_code == 200, answer.text
        return made

    def link(self, name: str, path: str = "/inbox") -> str:
        identity, credential = self.workspace.identify(name, "cli")
        return one_time_link(self.workspace, identity, credential, clock=self.clock, address=ADDRESS, path=path)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(page: str) -> str:
    """What a page says, without its markup, on one line."""
    reader = _Text()
    reader.feed(page)
    return " ".join(" ".join(reader.parts).split())
