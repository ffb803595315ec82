"""The doctor finds every mistake that the guide warns about, by asking GitHub."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import FixedClock
from twins.github.fixtures import FULL_NAME, LOCATION, URL, Stand, stand
from twins.github.server import Fault
from twins.github.world import App

from twokey.channels.creation import create
from twokey.channels.doctor import examine as doctor
from twokey.core.entropy import SystemClock
from twokey.core.ports import Clock
from twokey.core.sections import GitHubSection
from twokey.tools.github import health
from twokey.tools.github.health import Found
from twokey.tools.github.hub import GitHub

ROOT = Path(__file__).resolve().parents[3]
GOOD_HOOK = {
    "url": "https://twokey.example/github/webhook",
    "content_type": "json",
    "insecure_ssl": "0",
    "secret": "********",
}
ENVIRONMENT = {"HUB_SECRET": "long enough to be a secret"}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("github")) as stood:
        yield stood


@pytest.fixture(scope="module")
def app(there: Stand) -> App:
    made, _ = there.world.app("twokey-ops", FULL_NAME)
    return made


class Case:
    """A healthy installation, with one thing changed."""

    def __init__(self, there: Stand, app: App, folder: Path) -> None:
        self.there, self.app, self.folder = there, app, folder
        app.permissions = dict(health.PERMISSIONS)
        app.events = list(health.EVENTS)
        app.hook = dict(GOOD_HOOK)
        self.key = folder / "app.pem"
        self.key.write_bytes(app.pem())
        self.key.chmod(0o600)
        self.workspace = folder / "w"
        self.places = {"dbt": LOCATION}
        self.environment: dict[str, str] = dict(ENVIRONMENT)
        self.clock: Clock = SystemClock()
        self.section: dict[str, Any] = {
            "url": URL,
            "api": there.twin.api,
            "app_id": app.id,
            "key_file": str(self.key),
            "webhook_secret_envs": ["HUB_SECRET"],
        }

    def look(self, *, deployments: bool = False) -> list[Found]:
        section = GitHubSection.model_validate(self.section)

        def hub() -> GitHub:
            return GitHub(
                section, self.workspace, clock=SystemClock(), pause=lambda _: None, environment=self.environment
            )

        return list(health.examine(section, hub, self.clock, self.places, self.environment, deployments=deployments))

    def problems(self) -> list[str]:
        return [f"{found.level} {found.name}: {found.text}" for found in self.look() if found.level != "ok"]


@pytest.fixture
def case(there: Stand, app: App, tmp_path: Path) -> Iterator[Case]:
    made = Case(there, app, tmp_path)
    yield made
    there.twin.faults = []


def test_a_healthy_installation_is_well(case: Case) -> None:
    assert [(found.name, found.level) for found in case.look()] == [
        ("github", "ok"),
        ("github webhook", "ok"),
        (f"repository {FULL_NAME}", "ok"),
    ]


def no_secret(case: Case) -> None:
    case.environment = {}


def no_webhook(case: Case) -> None:
    case.section["webhook_secret_envs"] = []


def two_secrets(case: Case) -> None:
    case.section["webhook_secret_envs"] = ["HUB_SECRET", "HUB_OLD"]
    case.environment["HUB_OLD"] = "long enough to be one, too"


def open_key(case: Case) -> None:
    case.key.chmod(0o644)


def wrong_key(case: Case) -> None:
    other, _ = case.there.world.app("other", FULL_NAME)
    case.key.write_bytes(other.pem())


def no_key(case: Case) -> None:
    case.key.write_bytes(b"not a key")


def few_permissions(case: Case) -> None:
    case.app.permissions = {"contents": "read", "metadata": "read"}


def many_permissions(case: Case) -> None:
    case.app.permissions["administration"] = "write"


def few_events(case: Case) -> None:
    case.app.events = ["issue_comment"]


def form_hook(case: Case) -> None:
    case.app.hook |= {"content_type": "form", "insecure_ssl": "1", "url": "http://x.example/hook"}
    del case.app.hook["secret"]


def not_installed(case: Case) -> None:
    case.places["other"] = f"{URL}/acme/other"


def elsewhere(case: Case) -> None:
    case.places["other"] = "https://git.example/acme/other"


def no_places(case: Case) -> None:
    case.places = {}


def slow_clock(case: Case) -> None:
    case.clock = FixedClock(int((case.there.world.now() - 530) * 1_000_000))


def archived(case: Case) -> None:
    case.there.twin.faults = [
        Fault("tamper", "GET", "/repos/acme/dbt", skip=1, change=lambda v: {**v, "archived": True})
    ]


def renamed(case: Case) -> None:
    case.there.twin.faults = [
        Fault("tamper", "GET", "/repos/acme/dbt", skip=1, change=lambda v: {**v, "full_name": "acme/new"})
    ]


def read_only_token(case: Case) -> None:
    del case.section["app_id"], case.section["key_file"]
    case.section["token_env"] = "HUB_TOKEN"
    case.environment["HUB_TOKEN"] = case.there.world.token("reader", FULL_NAME, permissions={"contents": "read", "metadata": "read"})  # fmt: skip


def dead_token(case: Case) -> None:
    read_only_token(case)
    case.environment["HUB_TOKEN"] = "ghp_gone"


def broken_hook(case: Case) -> None:
    case.there.twin.faults = [Fault("500", "GET", "/app/hook")]


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (no_secret, "FAIL github webhook: the variable HUB_SECRET holds no secret"),
        (no_webhook, "warn github webhook: no secret is set up"),
        (two_secrets, "warn github webhook: 2 secrets are in force"),
        (open_key, "FAIL github: The private key in github.key_file may be read or changed by other accounts"),
        (wrong_key, "FAIL github: GitHub does not accept the App's key"),
        (no_key, "FAIL github: The private key of the GitHub App cannot be used"),
        (few_permissions, "FAIL github permissions: the App lacks contents: write, issues: write, pull_requests: write"),
        (many_permissions, "warn github permissions: the App may write more than it needs: administration"),
        (few_events, "FAIL github events: the App is not told of issues, pull_request, pull_request_review"),
        (form_hook, "FAIL github webhook: the App's webhook is wrong: its address does not end in /github/webhook; its address is not https; its content type is not application/json; the certificate of its address is not checked; it has no secret"),
        (broken_hook, "FAIL github webhook: GitHub does not accept"),
        (not_installed, "FAIL repository other: The GitHub App is not installed for that repository"),
        (elsewhere, "FAIL repository other: That is no repository of the GitHub"),
        (no_places, "warn github repositories: no repository of the settings lies on GitHub"),
        (slow_clock, "FAIL github clock: this machine's clock is 5"),
        (archived, f"FAIL repository {FULL_NAME}: it is archived"),
        (renamed, f"FAIL repository {FULL_NAME}: it was renamed"),
        (read_only_token, f"FAIL repository {FULL_NAME}: the credential may read it but not write"),
        (dead_token, "FAIL github: GitHub does not say whom the credential belongs to"),
    ],
)  # fmt: skip
def test_each_mistake_is_found(case: Case, mistake: Callable[[Case], None], said: str) -> None:
    mistake(case)
    found = case.problems()
    assert any(text.startswith(said) for text in found), found


def test_the_doctor_says_what_the_look_at_github_found(there: Stand, tmp_path: Path) -> None:
    made = create(tmp_path / "w", [("ana", ("analysts",)), ("sam", ("platform-owners",))])
    with (made.folder / "twokey.toml").open("a") as settings:
        settings.write(
            f'\n[github]\nurl = "{URL}"\napi = "{there.twin.api}"\ntoken_env = "HUB_TOKEN_THAT_IS_NOT_SET"\n'
            f'[places.dbt]\nkind = "repository"\nlocation = "{LOCATION}"\n'
        )
    found = [check for check in doctor(made.folder) if check.name.startswith("github")]
    assert [(check.name, check.level) for check in found] == [("github webhook", "warn"), ("github", "FAIL")]
    assert "HUB_TOKEN_THAT_IS_NOT_SET" in found[1].text


def test_deployments_are_asked_for_where_telemetry_reads_them(there: Stand, app: App, tmp_path: Path) -> None:
    case = Case(there, app, tmp_path)
    assert case.look() == case.look(deployments=False)
    assert [item.text for item in case.look(deployments=True) if item.level == "FAIL"] == [
        "the App lacks deployments: read"
    ]
    app.permissions = dict(health.PERMISSIONS) | dict(health.DEPLOYMENTS)
    assert [item.text for item in case.look(deployments=True) if item.level == "FAIL"] == []


def test_the_manifest_asks_for_what_is_needed_and_for_nothing_more() -> None:
    manifest = json.loads((ROOT / "deploy" / "github" / "app-manifest.json").read_text(encoding="utf-8"))
    assert manifest["default_permissions"] == dict(health.PERMISSIONS) | dict(health.DEPLOYMENTS)
    assert manifest["default_events"] == list(health.EVENTS)
    assert manifest["hook_attributes"]["url"].endswith(health.WEBHOOK_PATH)
    assert manifest["public"] is False


def test_the_guide_names_every_mistake_and_each_has_its_look() -> None:
    guide = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
    for name in (
        *health.PERMISSIONS,
        *health.EVENTS,
        health.WEBHOOK_PATH,
        "application/json",
        "chmod 600",
        "twokey doctor",
    ):
        assert name in guide, name
