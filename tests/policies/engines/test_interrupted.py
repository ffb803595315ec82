"""A question that is interrupted leaves no answer that the next one could take for its own."""

import pytest

from twokey.core.errors import EngineFault
from twokey.policies.engines.client import Address, DecisionClient


class Interrupted:
    """A lane whose caller is interrupted while it waits."""

    closed = False

    def ask(self, document: object, seconds: float) -> object:
        raise KeyboardInterrupt(document, seconds)

    def busy(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def test_an_interrupted_question_gives_up_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    client = DecisionClient(Address("127.0.0.1", 9, secure=False), revision="x", deadline_s=60)
    lane = Interrupted()
    monkeypatch.setattr(client, "_lane", lane)
    with pytest.raises(KeyboardInterrupt):
        client.decide(b"{}")
    assert lane.closed
    with pytest.raises(EngineFault):
        client.decide(b"{}")  # over a connection of its own, to where nobody listens
    client.close()
