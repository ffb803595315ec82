"""The engine ``opa``: an OPA server that somebody else runs.

Rules: address and token come from the caller; the server has to hold the bundle of this workspace, which each answer
proves by its revision (``twokey.policies.engines.client``). Twokey never uploads a policy or data.
"""

from pathlib import Path
from typing import Final

from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.engines.client import DecisionClient, address

DEADLINE_S: Final = 1.0


class Server:
    """Port ``PolicyEngine`` over an external OPA."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        url: str,
        token: str | None = None,
        ca_file: Path | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """``url`` is ``https://HOST[:PORT]``, or plain HTTP on loopback; ``ca_file`` a PEM file to trust instead.

        Raises:
            BadInput: the address cannot be used.

        """
        self._bundle = bundle
        self._client = DecisionClient(
            address(url), revision=bundle.revision, deadline_s=deadline_s, token=token, ca_file=ca_file
        )
        self._name = "opa"

    @property
    def name(self) -> str:
        """``opa``, with the server's version once it has answered."""
        return self._name

    def revisions(self) -> BundleRevisions:
        """Digests of the bundle that every answer was checked against."""
        return self._bundle.revisions

    def evaluate(self, document: bytes) -> object:
        """Ask the server. Raises ``EngineFault`` on any fault, another bundle included."""
        taken = self._client.decide(document)
        self._name = f"opa {taken.version}"
        return taken.result

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
