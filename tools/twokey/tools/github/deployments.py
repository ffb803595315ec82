"""Deployments of a repository on GitHub, as events of the service that they deploy.

Rules: what GitHub lists is read newest first, and no farther back than what is asked for; a deployment counts at the
moment at which its environment took it, as its statuses say, else when it was made. At most ``MOST`` deployments are
looked at with their statuses. Names, descriptions and environments are outside text and are cut; nothing is followed.
"""

from collections.abc import Callable, Iterator
from typing import Final

from twokey.core.errors import EnvironmentFault
from twokey.tools.github.client import PER_PAGE, Client
from twokey.tools.github.models import Account, Thin, read
from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.port import MAX_NAME, MAX_TEXT, Event, Interval
from twokey.tools.read.telemetry.times import moment

MOST: Final = 200
MOST_PAGES: Final = 20
EARLIER_S: Final = 24 * 3_600.0
"""How long before what is asked for a deployment may have been made that ended within it, in seconds."""
SHOWN: Final = 12
_ENDED: Final = frozenset({"success", "failure", "error"})


class Deployment(Thin):
    """One deployment as it was made."""

    id: int
    sha: str
    created_at: str
    ref: str = ""
    environment: str = ""
    description: str | None = None
    creator: Account | None = None


class Status(Thin):
    """What became of it."""

    state: str
    created_at: str


def from_github(client: Callable[[], Client], service: str, within: Interval, tally: Tally) -> Iterator[Event]:
    """Give what was deployed in ``within``, the latest first; what falls short goes to ``tally``.

    Raises:
        EnvironmentFault: GitHub is not reached, or refuses.

    """
    asked = client()
    path = f"/repos/{asked.repository}/deployments"
    left = MOST
    for page in _pages(asked, path, tally):
        for item in page:
            made = read(Deployment, item)
            at = moment(made.created_at)
            if at is None or at >= within.end:
                continue
            if at < within.start - EARLIER_S:
                return
            if not left:
                tally.too_much = MOST
                return
            left -= 1
            event = _event(made, at, _ended(asked, path, made), service)
            if event.time in within:
                yield event


def _pages(client: Client, path: str, tally: Tally) -> Iterator[list[object]]:
    pages = client.pages(path, most=MOST_PAGES)
    while True:
        try:
            page = next(pages, None)
        except EnvironmentFault as error:
            if error.code != "github_too_many":
                raise
            tally.too_much = MOST_PAGES * PER_PAGE
            return
        if page is None:
            return
        yield page


def _ended(client: Client, path: str, made: Deployment) -> tuple[str, float] | None:
    """Give how and when a deployment first ended; none where it did not yet."""
    listed = client.get(f"{path}/{made.id:d}/statuses", {"per_page": PER_PAGE}).json()
    found = [read(Status, item) for item in listed] if isinstance(listed, list) else []
    ends = [(at, one.state) for one in found if one.state in _ENDED and (at := moment(one.created_at)) is not None]
    return (min(ends)[1], min(ends)[0]) if ends else None


def _event(made: Deployment, at: float, ended: tuple[str, float] | None, service: str) -> Event:
    state, when = ended or ("not ended", at)
    words = [made.sha[:SHOWN], made.environment, made.description or made.ref, "" if state == "success" else state]
    text = " ".join(" ".join(words).split())
    actor = made.creator.login if made.creator is not None else ""
    return Event(when, "deploy", service, actor[:MAX_NAME], text[:MAX_TEXT])
