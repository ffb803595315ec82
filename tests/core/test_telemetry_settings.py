"""Settings of telemetry: an address leads where it says, a trigger has a secret, and names fit together."""

from collections.abc import Callable
from pathlib import Path

import pytest

from twokey.core import settings
from twokey.core.errors import BadInput

WORKSPACE = '[workspace]\nid = "w-000000000000"\n[principals.sam]\n[places.code]\nkind = "repository"\nlocation = "."\n'
PROMETHEUS = '[telemetry.prod]\nprometheus = "{url}"\nqueries = {{ latency = "x" }}\n'
TRIGGER = '[triggers.pager]\nkind = "pagerduty"\nsecret_envs = ["S"]\ntelemetry = "prod"\nasked_by = "{who}"\n'

Load = Callable[[str], settings.Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads settings with something added."""

    def _load(text: str) -> settings.Settings:
        (tmp_path / "twokey.toml").write_text(WORKSPACE + text, encoding="utf-8")
        return settings.load(tmp_path, {})

    return _load


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://metrics.example", "https://metrics.example"),
        ("https://metrics.example:9090/prometheus/", "https://metrics.example:9090/prometheus"),
        ("http://127.0.0.1:9090", "http://127.0.0.1:9090"),
        ("http://[::1]:9090", "http://[::1]:9090"),
    ],
)
def test_an_address_is_a_host_and_a_path(load: Load, url: str, kept: str):
    assert load(PROMETHEUS.format(url=url)).telemetry["prod"].prometheus == kept


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@metrics.example",
        "https://metrics.example?x=1",
        "https://metrics.example#x",
        "ftp://metrics.example",
        "file:///etc/passwd",
        "http://metrics.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example/",
        "https://metrics.example/a b",
    ],
)
def test_an_address_that_leads_elsewhere_is_refused(load: Load, url: str):
    with pytest.raises(BadInput, match="prod"):
        load(PROMETHEUS.format(url=url))


def test_plain_http_to_other_machines_takes_a_word(load: Load):
    text = PROMETHEUS.format(url="http://metrics.example") + "insecure = true\n"
    assert load(text).telemetry["prod"].insecure


@pytest.mark.parametrize(
    "text",
    [
        '[telemetry.prod]\nprometheus = "https://metrics.example"\n',
        '[telemetry.prod]\nqueries = { latency = "x" }\n',
        '[telemetry.prod]\nloki = "https://logs.example"\n',
        '[telemetry.code]\nlogs = { web = "web.log" }\n',
        '[telemetry.prod]\ndeployments = { nowhere = "web" }\n',
        '[telemetry.prod]\n[places.db]\nkind = "warehouse"\nlocation = "x"\n[telemetry.two]\ndeployments = { db = "w" }\n',
        '[incident]\ndeployments = { nowhere = "web" }\n',
        "[telemetry.prod]\nservice_labels = []\n",
        '[telemetry.prod]\nlogs = { web = "/var/**/x.log" }\n',
        '[telemetry.prod]\ntraces = ["../x.json"]\n',
        '[telemetry.prod]\ntopology = ["/"]\n',
    ],
)
def test_a_source_that_does_not_fit_is_refused(load: Load, text: str):
    with pytest.raises(BadInput) as caught:
        load(text)
    assert caught.value.code == "bad_settings"


def test_a_source_and_a_trigger_that_fit_are_taken(load: Load):
    text = '[telemetry.prod]\nloki = "https://logs.example"\nloki_query = "{app=~\\".+\\"}"\ndeployments = { code = "web" }\n'
    found = load(text + TRIGGER.format(who="sam"))
    assert found.triggers["pager"].telemetry == "prod"
    assert found.telemetry["prod"].deployments == {"code": "web"}
    assert found.deployed_from() == {"code": "web"}
    assert load(text + '[incident]\ndeployments = { code = "api" }\n').deployed_from() == {"code": "api"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[telemetry.prod]\n" + TRIGGER.format(who="mallory"), "mallory"),
        (TRIGGER.format(who="sam"), "prod"),
        ("[telemetry.prod]\n" + TRIGGER.format(who="sam").replace('["S"]', "[]"), "secret_envs"),
    ],
)
def test_a_trigger_that_does_not_fit_is_refused(load: Load, text: str, why: str):
    with pytest.raises(BadInput, match=why):
        load(text)


def test_no_variable_sets_where_telemetry_is_or_who_asks(tmp_path: Path):
    (tmp_path / "twokey.toml").write_text(WORKSPACE, encoding="utf-8")
    for name in ("TWOKEY_TELEMETRY__PROD", "TWOKEY_TRIGGERS__PAGER"):
        with pytest.raises(BadInput, match=r"only twokey\.toml may set"):
            settings.load(tmp_path, {name: "x"})
