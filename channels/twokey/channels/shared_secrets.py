"""Reads the secrets that senders of deliveries prove themselves with.

Rules: a secret comes from a variable of the process and from nowhere else; one that is missing or short is none, and is
said, never passed over.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from twokey.core.errors import EnvironmentFault

SHORTEST: Final = 16
"""Characters that a secret has at least."""


def secrets_of(
    names: Sequence[str], environment: Mapping[str, str], missing: Callable[[str], EnvironmentFault]
) -> tuple[bytes, ...]:
    """Read the secrets from the variables called ``names``; ``missing`` says that one of them holds none.

    Raises:
        EnvironmentFault: a variable is not set, or its secret is too short to be one.

    """
    found: list[bytes] = []
    for name in names:
        secret = environment.get(name, "").strip()
        if len(secret) < SHORTEST:
            raise missing(name)
        found.append(secret.encode())
    return tuple(found)
