"""How the tests ask a warehouse: through the tool itself, as an agent would."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from twokey.core import canonical
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.read.warehouse import QueryArgs, QueryWarehouse
from twokey.tools.read.warehouse.sources import Bounds

Ask = Callable[..., Any]


@pytest.fixture
def ask() -> Ask:
    """Ask ``location`` and give the answer; fails where it is not canonical or its summary is too long."""

    def call(location: object, request: object, bounds: Bounds | None = None) -> Any:
        place = Place(Resource(kind="warehouse", id="w", granted_by="request"), str(location))
        tool = QueryWarehouse(bounds)
        args = QueryArgs.model_validate({"warehouse": "w", "ask": request})
        result = tool.call(args, Context(Places((place,)), now_us=0))
        text = canonical.encode(result.canonical()).decode()
        assert json.loads(text) == result.canonical()
        assert len(tool.summary(args, result)) <= 400
        return result.answer

    return call
