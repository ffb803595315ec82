"""One GitHub, put together: forge, tickets and account of one workspace.

Rules: it is put together from the settings and nothing else; keys and tokens stay inside; who Twokey is there is asked
of GitHub once, as an account's number or an App's name, which nobody else can have.
"""

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from requests.auth import AuthBase

from twokey.core.errors import EnvironmentFault
from twokey.core.ports import Clock
from twokey.core.sections import GitHubSection
from twokey.tools.github.access import Access, AppAccess, access_of
from twokey.tools.github.client import BRIEF_S, TRIES, Client
from twokey.tools.github.forge import GitHubForge
from twokey.tools.github.forum import GitHubForum
from twokey.tools.github.issues import GitHubTickets
from twokey.tools.github.limits import later, wait_of
from twokey.tools.github.models import Account, AppItself, read
from twokey.tools.github.wire import Cut, Reply, Wire

_LOGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}(\[bot\])?")


class GitHub:
    """The GitHub of a workspace; threads may share it."""

    def __init__(
        self,
        section: GitHubSection,
        workspace: Path,
        *,
        clock: Clock,
        pause: Callable[[float], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.url: Final = section.url
        self.wire: Final = Wire(
            section.api_url,
            timeout_s=section.timeout_s,
            ca_file=Path(section.ca_file) if section.ca_file else None,
        )
        self.access: Final[Access] = access_of(section, self.wire, clock, workspace, environment)
        self.forge: Final = GitHubForge(section.url, self.wire, lambda: self.access, mine=self.mine, pause=pause)
        self._pause = pause
        self._lock = threading.Lock()
        self._me: int | str | None = None

    def client(self, location: str) -> Client:
        """Give what asks about the repository at ``location`` (``URL/OWNER/REPO``)."""
        return self.forge.client(location)

    def tickets(self, location: str) -> GitHubTickets:
        """Give the issues of the repository at ``location``."""
        return GitHubTickets(self.client(location), self.mine)

    def forum(self, location: str) -> GitHubForum:
        """Give what is said in the repository at ``location``; whoever asks it does not wait long for rate limits."""
        return GitHubForum(self.forge.client(location, BRIEF_S), self.mine)

    def login(self, location: str, number: int) -> str | None:
        """Give how the account ``number`` is called today, asked with the rights for a repository; ``None`` if gone.

        Raises:
            EnvironmentFault: GitHub is not reached, or does not say it.

        """
        reply = self.forge.client(location, BRIEF_S).get(f"/user/{number:d}", fine=(404,))
        found = read(Account, reply.json()) if reply.status == 200 else None
        return found.login if found is not None and found.id == number and _LOGIN.fullmatch(found.login) else None

    def mine(self, account: Account | None) -> bool:
        """Tell whether Twokey writes as ``account``.

        Raises:
            TryLater: GitHub asks to wait.
            EnvironmentFault: GitHub does not say who Twokey is.

        """
        if account is None:
            return False
        me = self.me()
        return account.id == me if isinstance(me, int) else (account.login == me and account.type == "Bot")

    def me(self) -> int | str:
        """Give the number of the account that Twokey writes as, or the name that belongs to its App alone."""
        with self._lock:
            if self._me is None:
                self._me = self._asked()
            return self._me

    def _asked(self) -> int | str:
        if isinstance(self.access, AppAccess):
            app = read(AppItself, _fine(self._patiently("/app", self.access.app())))
            return f"{app.slug}[bot]"
        return read(Account, _fine(self._patiently("/user", self.access.auth("")))).id

    def _patiently(self, path: str, auth: AuthBase) -> Reply:
        """Read, and try again where the connection was cut: a write may hang on the answer."""
        for tries in range(1, TRIES):
            try:
                return self.wire.exchange("GET", path, auth)
            except Cut:
                self._pause(0.25 * 2**tries)
        return self.wire.exchange("GET", path, auth)

    def close(self) -> None:
        """Close the connections."""
        self.wire.close()


def _fine(reply: Reply) -> object:
    wait = wait_of(reply)
    if wait is not None:
        raise later(wait)
    if reply.status != 200:
        raise EnvironmentFault(
            "GitHub does not say whom the credential belongs to.",
            next="Check it with `twokey doctor`.",
            code="github_auth",
        )
    return reply.json()
