"""Deliveries prove where they are from before anything of them is read."""

from collections.abc import Callable

import pytest
from support.alert_scene import OLD_SECRET, SECRET, proof

from twokey.channels.alerts.intake import Intake
from twokey.channels.alerts.signing import check, secrets_of
from twokey.channels.routes import Delivery
from twokey.core.errors import EnvironmentFault, NotAuthenticated
from twokey.core.values import Channel

BODY = b'{"a": 1}'
SECRETS = (SECRET.encode(), OLD_SECRET.encode())


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_what_bears_a_secret_in_force_is_let_in(secret: str):
    check("alertmanager", SECRETS, proof("alerts", BODY, secret), BODY)
    check("pagerduty", SECRETS, proof("pager", BODY, secret), BODY)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "no_secret"),
        ({"authorization": ""}, "no_secret"),
        ({"authorization": "Bearer "}, "no_secret"),
        ({"authorization": f"Basic {SECRET}"}, "no_secret"),
        ({"authorization": SECRET}, "no_secret"),
        ({"authorization": "Bearer wrong"}, "bad_secret"),
        ({"authorization": f"Bearer {SECRET}x"}, "bad_secret"),
        ({"authorization": f"Bearer {SECRET}, Bearer {SECRET}"}, "bad_secret"),
        ({"authorization": "Bearer \ud800"}, "bad_secret"),
    ],
)
def test_an_alertmanager_without_the_secret_is_refused(headers: dict[str, str], code: str):
    with pytest.raises(NotAuthenticated) as caught:
        check("alertmanager", SECRETS, headers, BODY)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, BODY, "no_signature"),
        ({"authorization": f"Bearer {SECRET}"}, BODY, "no_signature"),
        ({"x-pagerduty-signature": "v0=" + "0" * 64}, BODY, "no_signature"),
        ({"x-pagerduty-signature": "v1=" + "0" * 64}, BODY, "bad_signature"),
        (proof("pager", BODY, "another secret that is not in force"), BODY, "bad_signature"),
        (proof("pager", BODY), b'{"a": 2}', "bad_signature"),
        (
            {
                "x-pagerduty-signature": ",".join(["v1=" + "0" * 64] * 50)
                + ","
                + proof("pager", BODY)["x-pagerduty-signature"]
            },
            BODY,
            "bad_signature",
        ),
    ],
)
def test_a_pagerduty_without_a_signature_over_these_bytes_is_refused(headers: dict[str, str], body: bytes, code: str):
    with pytest.raises(NotAuthenticated) as caught:
        check("pagerduty", SECRETS, headers, body)
    assert caught.value.code == code


@pytest.mark.parametrize("environment", [{}, {"S": ""}, {"S": "too short"}, {"S": "               x"}])
def test_an_empty_or_short_secret_is_none(environment: dict[str, str]):
    with pytest.raises(EnvironmentFault):
        secrets_of(("S",), environment)
    assert secrets_of(("S",), {"S": f" {SECRET} "}) == (SECRET.encode(),)


class Keeper:
    """Keeps what it gets, once."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, str, bytes]] = {}

    def take(self, channel: Channel, key: str, kind: str, body: bytes) -> str | None:
        if key in self.kept:
            return None
        self.kept[key] = channel, kind, body
        return "i-000000000001"


def test_nothing_is_kept_before_it_is_authenticated_and_everything_once():
    keeper = Keeper()
    secrets: Callable[[], tuple[bytes, ...]] = lambda: SECRETS  # noqa: E731
    intake, other = Intake(keeper, "a", "alertmanager", secrets), Intake(keeper, "b", "alertmanager", secrets)
    with pytest.raises(NotAuthenticated):
        intake.deliver(Delivery("/alerts/a", {}, BODY))
    assert keeper.kept == {}
    good = proof("alerts", BODY)
    assert intake.deliver(Delivery("/alerts/a", good, BODY)).body == b"Taken.\n"
    assert intake.deliver(Delivery("/alerts/a", good, BODY)).body == b"Known already.\n"
    assert other.deliver(Delivery("/alerts/b", good, BODY)).body == b"Taken.\n", "each trigger has its own"
    assert sorted(kind for _, kind, _ in keeper.kept.values()) == ["alertmanager.a", "alertmanager.b"]
