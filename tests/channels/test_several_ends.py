"""How a run ended that proposed more than one thing."""

import pytest

from twokey.channels.service import SEVERAL_ENDS, ended_as
from twokey.core.lifecycle import State


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.DONE], "done"),
        ([State.DONE, State.DONE], "done"),
        ([State.SUPERSEDED, State.REFUSED], "refused"),
        ([State.SUPERSEDED], "superseded"),
        ([State.DONE, State.REFUSED], SEVERAL_ENDS),
    ],
)
def test_one_code_says_how_all_of_its_proposals_ended(states: list[State], code: str):
    assert ended_as(states) == code
