"""Looks for the usual mistakes of an installation on GitHub: every one that docs/github.md warns about.

Rules: each look really asks GitHub; nothing is written there, and no key, token or secret is shown. One failing look
does not stop the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from twokey.core.errors import EnvironmentFault, TwokeyError
from twokey.core.ports import Clock
from twokey.core.sections import GitHubSection
from twokey.tools.github.access import AppAccess
from twokey.tools.github.client import Memory
from twokey.tools.github.hub import GitHub
from twokey.tools.github.models import AppItself, Hook, read
from twokey.tools.github.objects import GitObjects
from twokey.tools.github.wire import Reply

PERMISSIONS: Final[Mapping[str, str]] = {
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""What the App needs."""
DEPLOYMENTS: Final[Mapping[str, str]] = {"deployments": "read"}
"""What it needs besides where telemetry reads deployments; the manifest asks for both."""
EVENTS: Final = ("issue_comment", "issues", "pull_request", "pull_request_review", "pull_request_review_comment")
"""What the App has to be told of; installations are told of always."""
WEBHOOK_PATH: Final = "/github/webhook"
SHORTEST_SECRET: Final = 16
SKEW_S: Final = 60
"""How far this machine's clock may be off, in seconds."""
_PAGE: Final = "Change it on the App's page (Settings, Developer settings, GitHub Apps)"

Level = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found."""

    name: str
    level: Level
    text: str
    next: str = ""


def examine(
    section: GitHubSection,
    hub: Callable[[], GitHub],
    clock: Clock,
    places: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    deployments: bool = False,
) -> Iterator[Found]:
    """Give what every look finds.

    ``places`` are the repositories of the settings that lie elsewhere, with names; ``deployments`` says whether
    telemetry reads what is deployed from one of them.
    """
    yield from _secrets(section, environment)
    try:
        there = hub()
    except TwokeyError as error:
        yield Found("github", "FAIL", error.message, error.next)
        return
    if isinstance(there.access, AppAccess):
        needed = {**PERMISSIONS, **(DEPLOYMENTS if deployments else {})}
        yield from _app(there, there.access, clock, needed, listens=bool(section.webhook_secret_envs))
    else:
        yield from _tried("github", lambda: _token(there))
    if not places:
        yield Found(
            "github repositories",
            "warn",
            "no repository of the settings lies on GitHub",
            f'Add a place: [places.NAME] kind = "repository", location = "{section.url}/OWNER/REPO".',
        )
    for name, location in sorted(places.items()):
        yield from _tried(f"repository {name}", lambda location=location: _repository(there, location))


def _secrets(section: GitHubSection, environment: Mapping[str, str]) -> Iterator[Found]:
    names: Sequence[str] = section.webhook_secret_envs
    if not names:
        yield Found(
            "github webhook",
            "warn",
            "no secret is set up, so comments and merges on GitHub are not heard; pull requests can be opened",
            "Set github.webhook_secret_envs to the variable that holds the App's webhook secret.",
        )
    for name in names:
        if len(environment.get(name, "").strip()) < SHORTEST_SECRET:
            yield Found(
                "github webhook",
                "FAIL",
                f"the variable {name} holds no secret of at least {SHORTEST_SECRET} characters",
                f"Set {name} to the webhook secret of the App.",
            )
    if len(names) > 1:
        yield Found(
            "github webhook",
            "warn",
            f"{len(names)} secrets are in force at once",
            "Remove the old one once GitHub signs with the new.",
        )


def _app(
    there: GitHub, access: AppAccess, clock: Clock, needed: Mapping[str, str], *, listens: bool
) -> Iterator[Found]:
    """Look at the App itself: who it is, what it may do, and where its deliveries go."""
    try:
        reply = there.wire.exchange("GET", "/app", access.app())
        yield from _clock(reply, clock)
        app = read(AppItself, _json(reply))
    except TwokeyError as error:
        yield Found("github", "FAIL", error.message, error.next)
        return
    yield Found("github", "ok", f"writes as the App {app.slug[:60]}")
    missing = [f"{name}: {level}" for name, level in needed.items() if not _allows(app.permissions, name, level)]
    if missing:
        yield Found("github permissions", "FAIL", f"the App lacks {', '.join(missing)}", f"{_PAGE}, then accept it.")
    more = sorted(name for name, level in app.permissions.items() if name not in PERMISSIONS and level != "read")
    if more:
        yield Found(
            "github permissions", "warn", f"the App may write more than it needs: {', '.join(more)}", f"{_PAGE}."
        )
    if listens:
        unheard = [name for name in EVENTS if name not in app.events]
        if unheard:
            yield Found("github events", "FAIL", f"the App is not told of {', '.join(unheard)}", f"{_PAGE}.")
        yield from _hook(there, access)


def _hook(there: GitHub, access: AppAccess) -> Iterator[Found]:
    try:
        hook = read(Hook, _json(there.wire.exchange("GET", "/app/hook/config", access.app())))
    except TwokeyError as error:
        yield Found("github webhook", "FAIL", error.message, error.next)
        return
    url = hook.url or ""
    wrong = [
        text
        for bad, text in (
            (not url.endswith(WEBHOOK_PATH), f"its address does not end in {WEBHOOK_PATH}"),
            (not url.startswith("https://"), "its address is not https"),
            (hook.content_type != "json", "its content type is not application/json"),
            (str(hook.insecure_ssl) not in {"0", "None"}, "the certificate of its address is not checked"),
            (not hook.secret, "it has no secret"),
        )
        if bad
    ]
    if wrong:
        yield Found("github webhook", "FAIL", f"the App's webhook is wrong: {'; '.join(wrong)}", f"{_PAGE}, Webhook.")
    else:
        yield Found("github webhook", "ok", f"deliveries go to an address that ends in {WEBHOOK_PATH}, signed")


def _token(there: GitHub) -> Found:
    there.me()
    return Found("github", "ok", "the token is accepted")


def _repository(there: GitHub, location: str) -> Found:
    client = there.client(location)
    objects = GitObjects(client, Memory(0))
    found = objects.repository()
    name = f"repository {client.repository}"
    if found.archived:
        return Found(name, "FAIL", "it is archived, so nothing can be written", "Name another, or unarchive it.")
    if found.full_name.lower() != client.repository.lower():
        return Found(name, "FAIL", "it was renamed or moved", "Write its new address in twokey.toml.")
    if found.permissions and not found.permissions.get("push"):
        return Found(
            name,
            "FAIL",
            "the credential may read it but not write",
            "Give the App `contents: write` and accept it where it is installed; or renew the token with write access.",
        )
    base = objects.describe()
    return Found(name, "ok", f"reachable and writable; pull requests go to {base.branch[:60]}")


def _clock(reply: Reply, clock: Clock) -> Iterator[Found]:
    try:
        there = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except ValueError:
        return
    off = clock.now_us() / 1_000_000 - there
    if abs(off) > SKEW_S:
        yield Found(
            "github clock",
            "FAIL",
            f"this machine's clock is {abs(off):,.0f} s {'ahead of' if off > 0 else 'behind'} GitHub's",
            "Set it right (NTP): GitHub refuses an App whose proofs are dated wrongly.",
        )


def _tried(name: str, look: Callable[[], Found]) -> Iterator[Found]:
    try:
        yield look()
    except TwokeyError as error:
        yield Found(name, "FAIL", error.message, error.next)


def _allows(has: Mapping[str, str], name: str, level: str) -> bool:
    given = has.get(name)
    return given in {"write", "admin"} or (level == "read" and given == "read")


def _json(reply: Reply) -> Any:
    if reply.status != 200:
        raise EnvironmentFault(
            "GitHub does not accept the App's key.",
            next="Check github.app_id and github.key_file, and that this machine's clock is right.",
            code="github_auth",
        )
    return reply.json()
