"""Tells whether a delivery comes from the GitHub that is set up, before anything of it is read.

Rules: only ``X-Hub-Signature-256`` over the bytes as they came counts, compared in constant time; SHA-1 alone is
refused. Several secrets may be in force while one is changed for another; an empty or short one is none. The body is
bounded, and is JSON by its content type. Headers are not signed: neither the name of an event nor the id of a delivery
is proof of anything.

Source: "Validating webhook deliveries" of GitHub's documentation.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final

from twokey.channels import shared_secrets
from twokey.core.errors import EnvironmentFault, NotAuthenticated

MAX_BODY: Final = 4 * 1024 * 1024
"""GitHub may send 25 MB, which only pushes that nothing follows from come near: so much is not held for a stranger."""
_SIGNATURE: Final = re.compile(r"sha256=([0-9a-f]{64})")


def secrets_of(names: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """Read the secrets from the variables called ``names``; raises ``EnvironmentFault`` where one holds none."""
    return shared_secrets.secrets_of(names, environment, _missing)


def _missing(name: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"The variable {name} holds no webhook secret of at least {shared_secrets.SHORTEST} characters.",
        next=f"Set {name} to the secret that the App's page has, or remove it from github.webhook_secret_envs.",
        code="github_no_secret",
    )


class Verifier:
    """Holds deliveries to the secrets in force."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Refuse what is not from GitHub. ``headers`` have small names.

        Raises:
            NotAuthenticated: it is not signed with a secret in force, is too large, or is no JSON by its own word.

        """
        if len(body) > MAX_BODY:
            raise _refusal("body_too_large")
        given = _SIGNATURE.fullmatch(headers.get("x-hub-signature-256", ""))
        if given is None:
            raise _refusal("no_signature")
        mine = [hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in self._secrets]
        # every secret is tried, so that time tells nothing about which one is in force
        if not sum(hmac.compare_digest(given[1], digest) for digest in mine):
            raise _refusal("bad_signature")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _refusal("not_json")


def _refusal(code: str) -> NotAuthenticated:
    return NotAuthenticated(
        "The delivery is not one of the GitHub that is set up here.",
        next="Set the App's webhook to the content type application/json and to the secret that this workspace has.",
        code=code,
    )
