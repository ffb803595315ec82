"""Settings: what is unknown or does not fit is one sentence, and no variable changes who may do what."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from twokey.core import sections, settings
from twokey.core.errors import BadInput, EnvironmentFault, NotFound
from twokey.core.settings import FileDirectory, Settings
from twokey.core.telemetry_settings import TelemetrySection, TriggerSection
from twokey.core.values import Principal

WORKSPACE = '[workspace]\nid = "w-000000000000"\n'
KEY = "ed25519:" + "a" * 64
Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes twokey.toml; gives the workspace."""

    def _write(text: str | bytes) -> Path:
        (tmp_path / "twokey.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return _write


def fault(folder: Path, environment: dict[str, str] | None = None) -> str:
    """The sentence with which settings are refused."""
    with pytest.raises(BadInput) as caught:
        settings.load(folder, environment or {})
    assert caught.value.code == "bad_settings"
    assert caught.value.next
    return caught.value.message.replace(str(folder), "FOLDER")


def test_a_workspace_needs_nothing_but_its_id(write: Write):
    assert settings.load(write(WORKSPACE), {}).model_dump(mode="json") == snapshot(
        {
            "workspace": {"id": "w-000000000000", "demo": False},
            "store": {"url": "sqlite:///.twokey/twokey.db", "encrypt": False},
            "audit": {"witnesses": {}},
            "policy": {
                "engine": "embedded",
                "bundle": "policies",
                "deadline_ms": 100,
                "opa_path": "",
                "opa_sha256": None,
                "url": "http://127.0.0.1:8181",
                "ca_file": "",
                "token_env": "OPA_TOKEN",
                "signers": 0,
                "signer_groups": ["risk-owners"],
                "verification_key": "",
                "shadow": "",
            },
            "catalog": {"warehouse": "", "repository": ""},
            "triage": {
                "tickets": "",
                "asked_by": "",
                "kinds": ["bug", "feature", "question"],
                "priorities": {},
                "security": "security",
                "spam": "spam",
                "duplicate": "duplicate",
                "target": 90,
                "most": 25,
                "asked_for": [],
                "questions": {},
                "routing": "",
                "escalations": "",
            },
            "incident": {
                "telemetry": "",
                "tickets": "",
                "repository": "",
                "folder": "postmortems",
                "label": "incident",
                "runbooks": "",
                "deployments": {},
            },
            "operations": {"telemetry": "", "file": ""},
            "controls": {"owners": ["platform-owners", "risk-owners"], "break_glass_minutes": 60, "profile": "laptop"},
            "model": {
                "base_url": "",
                "name": "",
                "embeddings": "",
                "key_env": "OPENAI_API_KEY",
                "timeout_s": 30,
                "max_tokens": 1024,
                "price_in": 0,
                "price_out": 0,
            },
            "scorecard": {
                "minutes": {"open_pull_request": 45, "update_ticket": 5, "catalog_scan": 20, "incident": 60},
                "training": "",
            },
            "console": {
                "mode": "on",
                "url": "",
                "idle_minutes": 60,
                "session_hours": 12,
                "oidc_issuer": "",
                "oidc_client_id": "",
                "oidc_secret_env": None,
                "oidc_groups": [],
            },
            "tools": {"plugins": {}},
            "github": {
                "url": "https://github.com",
                "api": None,
                "app_id": None,
                "key_file": "",
                "token_env": None,
                "webhook_secret_envs": [],
                "replay_hours": 72,
                "ca_file": "",
                "timeout_s": 20,
            },
            "places": {},
            "principals": {},
            "schedules": {},
            "server": {"host": "127.0.0.1", "port": 8642, "body_days": 7},
            "slack": {
                "mode": "off",
                "team": "",
                "bot_token_env": "SLACK_BOT_TOKEN",
                "app_token_env": "SLACK_APP_TOKEN",
                "signing_secret_env": "SLACK_SIGNING_SECRET",
                "client_secret_env": "SLACK_CLIENT_SECRET",
                "client_id": "",
                "redirect_url": "",
                "teams": [],
                "approvals_channel": "",
                "escalation_channel": "",
                "thread_channels": [],
                "remind_minutes": 120,
                "escalate_minutes": 30,
                "api_url": "https://slack.com/api/",
                "hooks_url": "https://hooks.slack.com/",
            },
            "telemetry": {},
            "triggers": {},
        }
    )


def test_every_section_is_read(write: Write):
    text = f"""{WORKSPACE}demo = true
store.url = "postgresql+psycopg://u@h/d"
policy = {{engine = "opa-managed", opa_path = "/opt/opa", opa_sha256 = "{"0" * 64}"}}
catalog.warehouse = "shop"
model = {{base_url = "http://127.0.0.1:1/v1", name = "m"}}
tools.plugins.more = "{"1" * 64}"
places.shop = {{kind = "warehouse", location = "shop.db", environment = "production", password_env = "SHOP"}}
principals.ana = {{groups = ["analysts"], key = "{KEY}"}}
"""
    # Dotted keys belong to the table above them, so the table goes last.
    head, tail = text[: len(WORKSPACE) + 12], text[len(WORKSPACE) + 12 :]
    config = settings.load(write(tail + head), {})
    assert config.workspace.demo
    assert config.store.url == "postgresql+psycopg://u@h/d"
    assert (config.policy.engine, config.policy.opa_sha256) == ("opa-managed", "0" * 64)
    assert config.catalog.warehouse == "shop"
    assert config.model.name == "m"
    assert config.tools.plugins == {"more": "1" * 64}
    assert (config.places["shop"].environment, config.places["shop"].password_env) == ("production", "SHOP")
    assert config.principals["ana"].key == KEY


def test_settings_cannot_be_changed_while_running(write: Write):
    config = settings.load(write(WORKSPACE), {})
    with pytest.raises(ValueError, match="frozen"):
        config.workspace.demo = True  # pyright: ignore[reportAttributeAccessIssue] - that is what is refused


# -- the file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exists", [True, False])
def test_where_there_is_no_file_there_is_no_workspace(tmp_path: Path, exists: bool):
    folder = tmp_path if exists else tmp_path / "file" / "below"
    if not exists:
        (tmp_path / "file").write_text("")
    for read in (lambda: settings.load(folder, {}), FileDirectory(folder).all):
        with pytest.raises(NotFound, match=re.escape(f"There is no workspace at {folder}")) as caught:
            read()
        assert caught.value.code == "no_workspace"
        assert "twokey init" in caught.value.next


@pytest.mark.parametrize("text", [b"[workspace", b"\xff\xfe", b"a = \x1b[31m", b"a = 1\na = 2", b'a = "\x07"'])
def test_a_damaged_file_is_one_sentence(write: Write, text: bytes):
    sentence = fault(write(text))
    assert re.fullmatch(r"FOLDER/twokey.toml is damaged: .+\.", sentence)
    assert sentence.isprintable()


def test_a_file_nested_without_end_is_refused(write: Write):
    assert "is damaged: " in fault(write(b"a = " + b"[" * 20_000))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    (tmp_path / "twokey.toml").mkdir()
    assert fault(tmp_path) == "FOLDER/twokey.toml cannot be read: Is a directory."
    (tmp_path / "twokey.toml").rmdir()
    (tmp_path / "twokey.toml").symlink_to("twokey.toml")
    assert "cannot be read: Too many levels of symbolic links." in fault(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f'stor.url = "x"\n{WORKSPACE}',
            "twokey.toml has an unknown key 'stor'. Did you mean 'store'?",
        ),
        (
            f"{WORKSPACE}dmeo = true",
            "twokey.toml has an unknown key 'workspace.dmeo'. Did you mean 'demo'?",
        ),
        (
            f"{WORKSPACE}[policy]\ndeadline = 3",
            "twokey.toml has an unknown key 'policy.deadline'. Did you mean 'deadline_ms'?",
        ),
        (
            f'{WORKSPACE}[places.shop]\nkind = "warehouse"\nlocatoin = "x"',
            "twokey.toml has an unknown key 'places.shop.locatoin'. Did you mean 'location'?",
        ),
        (
            f'{WORKSPACE}[places.shop]\nkind = "warehouse"\nlocation = "x"\npasword_env = "X"',
            "twokey.toml has an unknown key 'places.shop.pasword_env'. Did you mean 'password_env'?",
        ),
        (
            f'{WORKSPACE}[principals.ana]\ngroup = ["x"]',
            "twokey.toml has an unknown key 'principals.ana.group'. Did you mean 'groups'?",
        ),
        (
            f'{WORKSPACE}[tools]\n"\\u001b[31m" = "x"',
            "twokey.toml has an unknown key 'tools.\\x1b[31m'. Known here: plugins.",
        ),
        (
            f'_env_prefix = "Q_"\n{WORKSPACE}',
            (
                "twokey.toml has an unknown key '_env_prefix'. Known here: audit, catalog, console, controls, github, incident, model, operations, places, policy, "
                "principals, schedules, scorecard, server, slack, store, telemetry, tools, triage, triggers, workspace."
            ),
        ),
    ],
)
def test_an_unknown_key_suggests_the_nearest_one(write: Write, text: str, expected: str):
    assert fault(write(text)) == expected


SCHEDULE = '[principals.ana]\ngroups = ["x"]\n[schedules.nightly]\nask = "scan"\ncron = "{every}"\nasked_by = "{who}"'


def test_triage_asks_in_the_name_of_a_principal(write: Write):
    people = WORKSPACE + '[principals.ana]\ngroups = ["x"]\n[triage]\nasked_by = "{who}"'
    assert settings.load(write(people.format(who="ana")), {}).triage.asked_by == "ana"
    assert "triage asks in the name of 'eve', who is no principal" in fault(write(people.format(who="eve")))


def test_a_schedule_asks_in_the_name_of_a_principal_at_times_that_there_are(write: Write):
    found = settings.load(write(WORKSPACE + SCHEDULE.format(every="0 6 * * 1-5", who="ana")), {})
    assert found.schedules["nightly"].asked_by == "ana"
    assert "who is no principal" in fault(write(WORKSPACE + SCHEDULE.format(every="0 6 * * 1-5", who="eve")))
    for never in ("0 6 * *", "0 25 * * *", "daily"):
        assert "write a cron expression" in fault(write(WORKSPACE + SCHEDULE.format(every=never, who="ana")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "twokey.toml lacks 'workspace'."),
        ("[workspace]", "twokey.toml lacks 'workspace.id'."),
        (
            "workspace = 5",
            "twokey.toml: 'workspace' does not fit: It should be a table.",
        ),
        (
            '[workspace]\nid = "../../elsewhere"',
            "twokey.toml: 'workspace.id' does not fit: String should match pattern '^w-[0-9a-hjkmnp-tv-z]{12}$'.",
        ),
        (
            f"{WORKSPACE}[model]\ntimeout_s = 1.5",
            (
                "twokey.toml: 'model.timeout_s' does not fit: Input should be a valid integer, got a number with a "
                "fractional part."
            ),
        ),
        (
            f"{WORKSPACE}[policy]\ndeadline_ms = 9",
            "twokey.toml: 'policy.deadline_ms' does not fit: Input should be greater than or equal to 10.",
        ),
        (
            f'{WORKSPACE}[policy]\ntoken_env = "a secret"',
            "twokey.toml: 'policy.token_env' does not fit: String should match pattern '^[A-Z][A-Z0-9_]{0,63}$'.",
        ),
        (
            f'{WORKSPACE}[policy]\nengine = "none"',
            "twokey.toml: 'policy.engine' does not fit: Input should be 'embedded', 'opa-managed' or 'opa'.",
        ),
        (
            f'{WORKSPACE}[places.""]\nkind = "warehouse"\nlocation = "x"',
            "twokey.toml: 'places.' does not fit: String should have at least 1 character.",
        ),
        (
            f'{WORKSPACE}[places.shop]\nkind = "warehouse"\nlocation = "x"\nenvironment = "Production!"',
            (
                "twokey.toml: 'places.shop.environment' does not fit: String should match pattern "
                "'^[a-z][a-z0-9_]{0,63}$'."
            ),
        ),
        (
            f'{WORKSPACE}[principals.ana]\ngroups = "analysts"',
            "twokey.toml: 'principals.ana.groups' does not fit: Input should be a valid tuple.",
        ),
        (
            f'{WORKSPACE}[principals."Ana Ng"]',
            "twokey.toml: 'principals.Ana Ng' does not fit: String should match pattern '^[a-z][a-z0-9_-]{0,39}$'.",
        ),
        (
            f'{WORKSPACE}[principals]\nana = {{key = "{KEY}"}}\nsam = {{key = "{KEY}"}}',
            "twokey.toml: 'principals' does not fit: ana and sam have the same key.",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_and_not_shown(write: Write, text: str, expected: str):
    assert fault(write(text)) == expected


# -- variables ------------------------------------------------------------------------------------------------------


def test_a_variable_overrides_the_file(write: Write):
    folder = write(f"""{WORKSPACE}
[store]
url = "sqlite:///a.db"
[model]
name = "kept"
timeout_s = 5
""")
    environment = {
        "TWOKEY_STORE__URL": "sqlite:///b.db",
        "TWOKEY_MODEL__TIMEOUT_S": "7",
        "PATH": "/bin",
        "STORE__URL": "sqlite:///c.db",
    }
    config = settings.load(folder, environment)
    assert config.store.url == "sqlite:///b.db"
    assert (config.model.name, config.model.timeout_s) == ("kept", 7)
    assert settings.load(folder, {}).store.url == "sqlite:///a.db"


def test_the_variables_of_the_process_are_the_default(write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWOKEY_STORE__URL", "sqlite:///b.db")
    folder = write(WORKSPACE)
    assert settings.load(folder).store.url == "sqlite:///b.db"
    assert settings.load(folder, {}).store.url == "sqlite:///.twokey/twokey.db"


def test_variables_that_are_no_settings_are_left_alone(write: Write):
    names = ("TWOKEY_HOME", "TWOKEY_WORKSPACE", "TWOKEY_AS", "TWOKEY_TEST_DATA", "TWOKEY_OPA")
    assert settings.load(write(WORKSPACE), dict.fromkeys(names, "x")) == settings.load(write(WORKSPACE), {})


@pytest.mark.parametrize(
    "name",
    [
        "TWOKEY_WORKSPACE__DEMO",
        "TWOKEY_WORKSPACE__ID",
        "TWOKEY_PRINCIPALS",
        "TWOKEY_PRINCIPALS__MALLORY",
        "TWOKEY_PRINCIPALS__ANA__GROUPS",
        "TWOKEY_TOOLS__PLUGINS",
        "TWOKEY_TOOLS",
        "TWOKEY_POLICY__ENGINE",
        "TWOKEY_POLICY__URL",
        "TWOKEY_PLACES__SHOP__LOCATION",
        # Other spellings, which a library that folds case would take for the same variable.
        "twokey_workspace__demo",
        "twokey_principals",
        "Twokey_Principals__Ana__Groups",
        "TWO\u212aEY_PRINCIPALS",  # a Kelvin sign, which is a small k when folded
    ],
)
def test_no_variable_changes_who_may_do_what(write: Write, name: str):
    folder = write(f'{WORKSPACE}[principals.ana]\ngroups = ["analysts"]')
    sentence = fault(folder, {name: '{"mallory": {"groups": ["platform-owners"]}}'})
    assert "which only twokey.toml may set" in sentence
    assert "mallory" not in sentence


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "TWOKEY_STORE__ULR",
            "The variable 'TWOKEY_STORE__ULR' sets nothing that Twokey knows. Did you mean 'TWOKEY_STORE__URL'?",
        ),
        (
            "TWOKEY_STORE",
            "The variable 'TWOKEY_STORE' sets nothing that Twokey knows. Did you mean 'TWOKEY_STORE__URL'?",
        ),
        (
            "TWOKEY_STORE__",
            "The variable 'TWOKEY_STORE__' sets nothing that Twokey knows. Did you mean 'TWOKEY_STORE__URL'?",
        ),
        (
            "TWOKEY_STORE__URL__MORE",
            "The variable 'TWOKEY_STORE__URL__MORE' sets nothing that Twokey knows. Did you mean 'TWOKEY_STORE__URL'?",
        ),
        (
            "twokey_store__url",
            "The variable 'twokey_store__url' sets nothing that Twokey knows. Did you mean 'TWOKEY_STORE__URL'?",
        ),
    ],
)
def test_an_unknown_variable_suggests_the_nearest_one(write: Write, name: str, expected: str):
    assert fault(write(WORKSPACE), {name: "1"}) == expected


def test_a_variable_near_to_nothing_names_those_that_are_known(write: Write):
    sentence = fault(write(WORKSPACE), {"TWOKEY_": "1"})
    assert sentence.startswith("The variable 'TWOKEY_' sets nothing that Twokey knows. ")
    sentence = fault(write(WORKSPACE), {"TWOKEY_\x1b[31m" + "x" * 80: "1"})
    assert "'TWOKEY_\\x1b[31mxxx" in sentence
    assert "Known here: TWOKEY_CATALOG__REPOSITORY, TWOKEY_CATALOG__WAREHOUSE, TWOKEY_MODEL__BASE_URL, " in sentence
    assert "TWOKEY_WORKSPACE" not in sentence


def test_a_variable_makes_no_place(write: Write):
    """Places are what runs may touch without the request naming it."""
    environment = {"TWOKEY_PLACES__ELSEWHERE__KIND": "warehouse", "TWOKEY_PLACES__ELSEWHERE__LOCATION": "/"}
    for text in (WORKSPACE, f"{WORKSPACE}[places.Else-Where]", f"places = 5\n{WORKSPACE}"):
        assert "which only twokey.toml may set" in fault(write(text), environment)


def test_a_value_that_does_not_fit_names_its_variable(write: Write):
    sentence = fault(write(WORKSPACE), {"TWOKEY_MODEL__TIMEOUT_S": "soon"})
    assert sentence.startswith("The variable TWOKEY_MODEL__TIMEOUT_S: 'model.timeout_s' does not fit: ")
    assert "soon" not in sentence


def test_a_variable_does_not_hide_a_file_that_is_wrong(write: Write):
    sentence = fault(write(f"store = 5\n{WORKSPACE}"), {"TWOKEY_STORE__URL": "sqlite:///a.db"})
    assert sentence.startswith("twokey.toml: 'store' does not fit: ")


def test_every_key_has_a_line_in_the_documentation():
    documented = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        model = {
            "places": sections.PlaceSection,
            "principals": sections.PrincipalSection,
            "schedules": sections.ScheduleSection,
            "telemetry": TelemetrySection,
            "triggers": TriggerSection,
        }.get(name)
        table = f"{name}.NAME" if model is not None else name
        model = model or field.annotation
        assert isinstance(model, type)
        for key in model.model_fields:
            assert f"`{table}.{key}" in documented, f"{table}.{key}"


# -- the directory --------------------------------------------------------------------------------------------------


def test_the_directory_gives_people_by_name(write: Write):
    folder = write(f'[principals]\nsam = {{groups = ["owners"], key = "{KEY}"}}\nana = {{}}\n{WORKSPACE}')
    directory = FileDirectory(folder)
    sam = Principal(name="sam", groups=("owners",), key=KEY)
    assert directory.all() == (Principal(name="ana"), sam)
    assert directory.principal("sam") == sam
    assert directory.principal("SAM") is None


def test_a_change_of_the_file_counts_at_once(write: Write):
    directory = FileDirectory(write(f'{WORKSPACE}[principals.sam]\ngroups = ["owners"]'))
    assert directory.principal("sam") == Principal(name="sam", groups=("owners",))
    write(f"{WORKSPACE}[principals.sam]\ngroups = []")
    assert directory.principal("sam") == Principal(name="sam")
    write(WORKSPACE)
    assert directory.principal("sam") is None
    assert directory.all() == ()


def test_the_directory_asks_no_variable(write: Write, monkeypatch: pytest.MonkeyPatch):
    folder = write(f"{WORKSPACE}[principals.ana]")
    for name in ("TWOKEY_PRINCIPALS", "twokey_principals"):
        monkeypatch.setenv(name, '{"mallory": {"groups": ["owners"]}}')
    monkeypatch.setenv("TWOKEY_PRINCIPALS__ANA__GROUPS", '["owners"]')
    assert FileDirectory(folder).all() == (Principal(name="ana"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "principals = 5",
            "twokey.toml: 'principals' does not fit: It should be a table.",
        ),
        (
            "principals.ana = 5",
            "twokey.toml: 'principals.ana' does not fit: It should be a table.",
        ),
        (
            "principals.ana.grups = []",
            "twokey.toml has an unknown key 'principals.ana.grups'. Did you mean 'groups'?",
        ),
        (
            "principals.ANA = {}",
            "twokey.toml: 'principals.ANA' does not fit: String should match pattern '^[a-z][a-z0-9_-]{0,39}$'.",
        ),
        (
            f"principals = {{ana = {{key = '{KEY}'}}, sam = {{key = '{KEY}'}}}}",
            "twokey.toml: 'principals' does not fit: ana and sam have the same key.",
        ),
    ],
)
def test_people_who_do_not_fit_are_refused(write: Write, text: str, expected: str):
    """A directory that cannot be read has nobody in it: an error, never an empty or half a list."""
    directory = FileDirectory(write(text))
    for ask in (directory.all, lambda: directory.principal("ana")):
        with pytest.raises(BadInput) as caught:
            ask()
        assert (caught.value.message, caught.value.code) == (expected, "bad_settings")


# -- the folder of keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TWOKEY_HOME": "/keys", "XDG_CONFIG_HOME": "/xdg"}, "/keys/w-1"),
        ({"XDG_CONFIG_HOME": "/xdg"}, "/xdg/twokey/w-1"),
        ({"TWOKEY_HOME": "", "XDG_CONFIG_HOME": ""}, "/home/ana/.config/twokey/w-1"),
        ({"XDG_CONFIG_HOME": "relative/paths/are/ignored"}, "/home/ana/.config/twokey/w-1"),
        ({}, "/home/ana/.config/twokey/w-1"),
    ],
)
def test_keys_lie_in_the_account(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str):
    monkeypatch.setenv("HOME", "/home/ana")
    assert settings.home("w-1", environment) == Path(expected)


def test_the_folder_of_keys_comes_from_the_process_by_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWOKEY_HOME", "/keys")
    assert settings.home("w-1") == Path("/keys/w-1")


@pytest.mark.parametrize("value", ["keys", "./keys", "~/keys"])
def test_a_relative_folder_of_keys_is_refused(value: str):
    """Else the keys would lie in whatever folder the process stands in, such as the workspace."""
    with pytest.raises(BadInput, match="TWOKEY_HOME is no absolute path"):
        settings.home("w-1", {"TWOKEY_HOME": value})


def test_an_account_without_a_home_folder_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch):
    """As in a container that runs under a number that nobody has."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    with pytest.raises(EnvironmentFault, match="no home folder") as caught:
        settings.home("w-1", {})
    assert "TWOKEY_HOME" in caught.value.next


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('url = "http://github.example"', "https://HOST"),
        ('url = "https://user@github.example"', "https://HOST"),
        ('api = "http://github.example"', "plain HTTP reaches this machine only"),
        ('api = "http://127.0.0.1.evil.example"', "plain HTTP reaches this machine only"),
        ('app_id = 7\nkey_file = "/k"\ntoken_env = "T"', "not both"),
        ("app_id = 7", "goes with a key_file"),
    ],
)
def test_a_github_section_says_what_it_needs(write: Write, line: str, why: str):
    assert why in fault(write(f'[workspace]\nid = "w-000000000000"\n[github]\n{line}\n'))


def test_where_programs_ask_github_follows_from_where_people_see_it():
    assert sections.GitHubSection().api_url == "https://api.github.com"
    assert sections.GitHubSection(url="https://git.example").api_url == "https://git.example/api/v3"
    assert sections.GitHubSection(api="http://127.0.0.1:8000").api_url == "http://127.0.0.1:8000"
    assert not sections.GitHubSection().used
    assert sections.GitHubSection(token_env="T").used


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('url = "http://twokey.example"', "https://HOST"),
        ('url = "https://twokey.example/path"', "https://HOST"),
        ('oidc_issuer = "http://login.example"', "https://HOST"),
        ('oidc_issuer = "https://login.example"', "go together"),
        ('oidc_client_id = "twokey"', "go together"),
    ],
)
def test_a_console_section_says_what_it_needs(write: Write, line: str, why: str):
    assert why in fault(write(f'[workspace]\nid = "w-000000000000"\n[console]\n{line}\n'))


def test_a_console_is_seen_at_an_address_and_may_have_a_provider():
    made = sections.ConsoleSection(url="https://twokey.example:8443")
    assert made.url == "https://twokey.example:8443"
    assert sections.ConsoleSection(oidc_issuer="http://127.0.0.1:9/realm", oidc_client_id="twokey").oidc_issuer


@pytest.mark.parametrize("name", ["TWOKEY_STORE__ENCRYPT", "twokey_store__encrypt", "Twokey_Store__Encrypt"])
def test_a_variable_does_not_have_values_written_in_the_clear(write: Write, name: str):
    folder = write(f"{WORKSPACE}\n[store]\nencrypt = true\n")
    assert settings.load(folder, {}).store.encrypt
    told = f"The variable {name!r} would change a key that only twokey.toml may set."
    assert fault(folder, {name: "false"}) == told


WITNESS = '[audit.witnesses.lea]\nurl = "{url}"\nkey = "lea.example/witness+00000000+AAAA"\n'


@pytest.mark.parametrize("url", ["https://lea.example/log/", "http://127.0.0.1:8641", "http://localhost:8641/w/"])
def test_a_witness_is_asked_over_https_or_on_this_machine(write: Write, url: str):
    found = settings.load(write(WORKSPACE + WITNESS.format(url=url)), {})
    assert found.audit.witnesses["lea"].url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://lea.example/",
        "https://sam:secret@lea.example/",
        "https://lea.example/?q=1",
        "http://127.0.0.1.lea.example/",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_witness_is_asked_anywhere_else(write: Write, url: str):
    told = fault(write(WORKSPACE + WITNESS.format(url=url)))
    assert "audit.witnesses.lea.url" in told
    assert "https://HOST/PATH" in told
    assert "secret" not in told
