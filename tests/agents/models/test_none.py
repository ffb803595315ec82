import pytest
from pydantic import BaseModel
from support.bench import Bench

from twokey.agents.models.none import NoModels
from twokey.agents.models.port import Models
from twokey.core.errors import EnvironmentFault


class Colour(BaseModel):
    name: str


def test_without_a_model_nothing_is_guessed(bench: Bench):
    models: Models = NoModels()
    assert not models.configured("small")
    assert not models.configured("large")
    with pytest.raises(EnvironmentFault) as fault:
        models.ask(bench.desk(), step=1, tier="small", instructions="x", material="y", answer=Colour)
    assert fault.value.code == "model_missing"
    assert "model.base_url" in fault.value.next
