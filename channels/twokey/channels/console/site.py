"""What every page of the console is made from: the workspace, the sessions, the templates and the files beside them.

Rules: a template escapes everything that is not marked as made here; what a template names and does not get is an
error; a file is served under the hash of its content, so it may be kept for ever, and only files that lie in the
package's folder have a name at all.
"""

import hashlib
import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from twokey.channels.console import showing
from twokey.channels.console.offers import Offers
from twokey.channels.console.reviewing import RuleTexts
from twokey.channels.console.sessions import Door, Visitor
from twokey.channels.overview.log import Verification
from twokey.channels.overview.replays import Replays
from twokey.channels.overview.rules import RuleBook
from twokey.channels.passes import new_secret
from twokey.channels.routes import Served
from twokey.channels.scorecard.keeping import Scores
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput
from twokey.core.ports import Clock

if TYPE_CHECKING:
    from twokey.channels.console.oidc import Provider

FOLDER: Final = Path(__file__).parent
PAGES: Final[list[tuple[str, str]]] = [
    ("inbox", "Inbox"),
    ("ask", "Ask"),
    ("runs", "Runs"),
    ("log", "Log"),
    ("catalog", "Catalog"),
    ("tickets", "Tickets"),
    ("incidents", "Incidents"),
    ("policy", "Policy"),
    ("controls", "Controls"),
    ("scorecard", "Scorecard"),
    ("freeze", "Kill switch"),
]
"""The pages in the navigation: first part of the path, and name."""
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the package that browsers get as it is."""

    name: str
    body: bytes
    media_type: str

    @property
    def path(self) -> str:
        """Where it is served: its content has one address."""
        return f"/assets/{hashlib.sha256(self.body).hexdigest()[:16]}/{self.name}"


def _assets() -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for path in sorted((FOLDER / "assets").iterdir()):
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        found[path.name] = Asset(path.name, path.read_bytes(), kind)
    return found


def _provider(workspace: Workspace, clock: Clock, public: str) -> "Provider | None":
    """Give the provider of identities that the settings name, if any; raises ``BadInput`` where its secret lacks."""
    section = workspace.config.console
    if not section.oidc_issuer:
        return None
    from twokey.channels.console.oidc import Provider  # noqa: PLC0415 - Authlib comes in where a provider is set up

    secret = "" if section.oidc_secret_env is None else os.environ.get(section.oidc_secret_env, "")
    if section.oidc_secret_env is not None and not secret:
        raise BadInput(
            f"The variable {section.oidc_secret_env}, which holds the provider's client secret, is not set.",
            next=f"Set {section.oidc_secret_env}, or remove console.oidc_secret_env for a public client.",
            code="oidc_secret",
        )
    return Provider(section, secret, clock, f"{public}/login/oidc/callback")


def _replays(workspace: Workspace, clock: Clock, served: Served) -> Replays:
    section = workspace.config.policy
    folders = {"workspace": section.bundle, **({"shadow": section.shadow} if section.shadow else {})}
    return Replays(
        workspace.ledger,
        {name: workspace.folder / folder for name, folder in folders.items()},
        workspace.batch_engine,
        clock,
        served.stopping,
    )


class Site:
    """The console of one workspace in one process."""

    def __init__(self, workspace: Workspace, clock: Clock, served: Served) -> None:
        self.workspace = workspace
        self.service = workspace.service
        self.clock = clock
        self.served = served
        self.door = Door(workspace, clock)
        self.offers = Offers(clock)
        self.verification = Verification(workspace.ledger, clock)
        self.scores = Scores(workspace, clock)
        self.rule_book = RuleBook(workspace.folder / workspace.config.policy.bundle)
        self.replays = _replays(workspace, clock, served)
        self.rules = RuleTexts(workspace.folder / workspace.config.policy.bundle)
        self.provider = _provider(workspace, clock, self.public)
        self.own_secret = new_secret()
        """Of this process alone: proves what it said itself."""
        self.streams = 0
        self.assets: Mapping[str, Asset] = _assets()
        self._by_path = {asset.path: asset for asset in self.assets.values()}
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(showing.FILTERS)
        known: dict[str, Any] = {
            "asset": self._asset_path,
            "demo": self.demo,
            "pages": PAGES,
            "provider": self.provider,
        }
        cast("dict[str, Any]", self._templates.globals).update(known)

    def _asset_path(self, name: str) -> str:
        return self.assets[name].path

    @property
    def demo(self) -> bool:
        """Whether identities are asserted here."""
        return self.workspace.config.workspace.demo

    @property
    def public(self) -> str:
        """The address at which people see the console."""
        return self.workspace.config.console.url or self.served.address

    def asset(self, path: str) -> Asset | None:
        """Give the file that is served at ``path``."""
        return self._by_path.get(path)

    def render(self, template: str, **values: Any) -> str:
        """Give a piece of a page."""
        return self._templates.get_template(template).render(**values)

    def page(
        self,
        request: Request,
        template: str,
        visitor: Visitor | None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Give a whole page. ``here`` is the first part of its path, by which the navigation knows where one is."""
        frozen = None if visitor is None else self.workspace.controls.stopped()[0]
        body = self.render(
            template,
            visitor=visitor,
            here=request.url.path.strip("/").partition("/")[0],
            frozen=frozen,
            now_us=self.clock.now_us(),
            **values,
        )
        return HTMLResponse(body, status, dict(headers or {}))


def site_of(request: Request) -> Site:
    """Give the site that answers a request."""
    site = request.app.state.site
    if not isinstance(site, Site):
        raise TypeError("the application was built without its site")
    return site
