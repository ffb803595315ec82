"""One exchange with one GitHub API host: github3.py's session, without its liberties.

Rules: only the configured host is spoken to, over TLS (plain HTTP reaches this machine only); a redirect is never
followed, because it would carry the token along; proxies, ``.netrc`` and other habits of the environment play no part;
the API version is pinned, so that a new one changes nothing by itself; an answer is bounded in size and time; no token,
address or text of an answer reaches an error.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

import requests
from github3.session import GitHubSession
from requests.auth import AuthBase

from twokey.core.errors import BadInput, EnvironmentFault

API_VERSION: Final = "2022-11-28"
JSON: Final = "application/vnd.github+json"
RAW: Final = "application/vnd.github.raw+json"
MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of an answer that are read at most. The longest that GitHub gives for what is asked here is 7 MB."""
_CHUNK: Final = 64 * 1024
_CONNECT_S: Final = 5
_UNREACHABLE_NEXT: Final = "Check the network and github.api; `twokey doctor` tries it once and says what is wrong."


class Cut(EnvironmentFault):
    """The exchange did not end: whether GitHub did what it was asked is not known."""

    default_code = "github_unreachable"


@dataclass(frozen=True, slots=True)
class Reply:
    """What GitHub said. ``headers`` have small names."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def json(self) -> Any:
        """Read the body.

        Raises:
            EnvironmentFault: it is no JSON.

        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise EnvironmentFault(
                "GitHub answered with something that is no JSON.",
                next="Check that github.api leads to a GitHub and not to a page in between.",
                code="github_answer",
            ) from None


class _Session(GitHubSession):
    """github3.py's session, which asks nothing of its surroundings and follows nobody."""

    def __init__(self, timeout_s: int, ca_file: Path | None) -> None:
        super().__init__(default_connect_timeout=_CONNECT_S, default_read_timeout=timeout_s)
        self.trust_env = False
        if ca_file is not None:
            self.verify = str(ca_file)
        self.headers.update({"User-Agent": "twokey", "X-GitHub-Api-Version": API_VERSION, "Accept-Encoding": "gzip"})


class Wire:
    """Speaks to the API at ``api`` (``https://HOST[/PATH]``); threads may share it."""

    def __init__(self, api: str, *, timeout_s: int = 20, ca_file: Path | None = None) -> None:
        self.api: Final = api
        self._timeout_s = timeout_s
        if ca_file is not None and not ca_file.is_file():
            raise BadInput(
                "The file github.ca_file does not exist.",
                next="Name a PEM file, or remove the key.",
                code="bad_settings",
            )
        self._session = _Session(timeout_s, ca_file)

    def exchange(
        self,
        method: str,
        path: str,
        auth: AuthBase,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        accept: str = JSON,
        etag: str | None = None,
    ) -> Reply:
        """Send one request and read the whole answer.

        Raises:
            Cut: no answer, or only the beginning of one.
            EnvironmentFault: the answer is too long, or leads elsewhere.

        """
        headers = {"Accept": accept} | ({"If-None-Match": etag} if etag else {})
        query = f"?{urlencode(params)}" if params else ""
        try:
            with self._session.request(
                method,
                f"{self.api}{path}{query}",
                data=None if body is None else json.dumps(body).encode(),
                headers=headers,
                auth=auth,
                allow_redirects=False,
                stream=True,
            ) as response:
                return Reply(
                    response.status_code,
                    self._read(response),
                    {name.lower(): value for name, value in response.headers.items()},
                )
        except requests.exceptions.SSLError as error:
            raise Cut(
                "The connection to GitHub is not secure: its certificate is not one that is trusted here.",
                next="Name the authority's PEM file in github.ca_file, or find out who answers in GitHub's place.",
                code="github_certificate",
            ) from error
        except requests.RequestException as error:
            raise Cut(
                "GitHub cannot be reached, or stopped in the middle of its answer.", next=_UNREACHABLE_NEXT
            ) from error

    def _read(self, response: requests.Response) -> bytes:
        end = time.monotonic() + 3 * self._timeout_s
        parts: list[bytes] = []
        size = 0
        for chunk in cast("Any", response.iter_content(_CHUNK)):
            size += len(chunk)
            if size > MAX_ANSWER:
                raise EnvironmentFault(
                    "GitHub's answer is longer than what is read here.", next="Ask for less.", code="github_answer"
                )
            if time.monotonic() > end:
                raise Cut("GitHub's answer did not end in time.", next=_UNREACHABLE_NEXT)
            parts.append(chunk)
        return b"".join(parts)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def segment(text: str) -> str:
    """Give ``text`` as one part of a path, whatever it holds."""
    return quote(text, safe="")
