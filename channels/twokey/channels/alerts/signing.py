"""Tells whether a delivery comes from whom the settings trust, before anything of it is read.

Rules: Alertmanager proves itself with ``Authorization: Bearer SECRET``; PagerDuty with ``X-PagerDuty-Signature``, which
holds one or more ``v1=`` HMAC-SHA256 over the bytes as they came. Comparisons take the same time whatever is given, and
every secret is tried. Several secrets may be in force while one is changed for another; an empty or short one is none.

Sources: ``http_config.authorization`` of Alertmanager's configuration; "Verifying signatures" of PagerDuty's webhooks.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from twokey.channels import shared_secrets
from twokey.core.errors import EnvironmentFault, NotAuthenticated
from twokey.tools.read.telemetry.paging import Kind

MOST_SIGNATURES: Final = 16


def secrets_of(names: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """Read the secrets from the variables called ``names``; raises ``EnvironmentFault`` where one holds none."""
    return shared_secrets.secrets_of(names, environment, _missing)


def _missing(name: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"The variable {name} holds no secret of at least {shared_secrets.SHORTEST} characters.",
        next=f"Set {name} to the secret that the sender of alerts has, or remove it from the trigger.",
        code="alerts_no_secret",
    )


def check(kind: Kind, secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes) -> None:
    """Refuse what does not prove where it is from. ``headers`` have small names.

    Raises:
        NotAuthenticated: it bears no secret or signature that is in force.

    """
    if kind == "alertmanager":
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise _refusal("no_secret")
        token = given.strip().encode("utf-8", "replace")
        good = sum(hmac.compare_digest(token, secret) for secret in secrets)
    else:
        signatures = headers.get("x-pagerduty-signature", "").split(",")[:MOST_SIGNATURES]
        tokens = [part.strip().removeprefix("v1=").encode() for part in signatures if part.strip().startswith("v1=")]
        if not tokens:
            raise _refusal("no_signature")
        mine = [hmac.new(secret, body, hashlib.sha256).hexdigest().encode() for secret in secrets]
        good = sum(hmac.compare_digest(token, digest) for token in tokens for digest in mine)
    if not good:
        raise _refusal("bad_secret" if kind == "alertmanager" else "bad_signature")


def _refusal(code: str) -> NotAuthenticated:
    return NotAuthenticated(
        "The delivery is not one of the sender that is set up here.",
        next="Give the sender the secret that this workspace has for the trigger.",
        code=code,
    )
