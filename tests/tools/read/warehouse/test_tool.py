"""The tool's contract."""

import pytest
from pydantic import ValidationError

from twokey.core.values import Resource
from twokey.tools.contract import Context, OutsideContract, Place, Places
from twokey.tools.read.warehouse import KeyCheck, QueryArgs, QueryWarehouse, SchemaRequest, SelectRequest, TableName


def test_a_warehouse_that_was_not_granted_is_out_of_reach() -> None:
    place = Place(Resource(kind="warehouse", id="shop", granted_by="config"), "/nowhere.db")
    for name in ("other", "/nowhere.db", "shop "):
        with pytest.raises(OutsideContract):
            QueryWarehouse().call(QueryArgs(warehouse=name, ask=SchemaRequest()), Context(Places((place,)), now_us=0))


def test_the_place_of_a_call_is_its_warehouse() -> None:
    assert QueryWarehouse().place_name(QueryArgs(warehouse="shop", ask=SchemaRequest())) == "shop"


def test_the_schema_digest_does_not_depend_on_the_process() -> None:
    assert QueryWarehouse.schema_digest() == QueryWarehouse().schema_digest()
    assert len(QueryWarehouse.schema_digest()) == 64


def test_arguments_that_do_not_fit_never_reach_the_tool() -> None:
    table = TableName(name="t")
    with pytest.raises(ValidationError, match="as many child columns as parent columns"):
        KeyCheck(child=table, child_columns=("a", "b"), parent=table, parent_columns=("a",))
    with pytest.raises(ValidationError):
        QueryArgs.model_validate({"warehouse": "w", "ask": {"op": "drop"}})
    with pytest.raises(ValidationError):
        QueryArgs.model_validate({"warehouse": "w", "ask": {"op": "schema", "url": "sqlite:///x"}})
    with pytest.raises(ValidationError):
        SelectRequest(sql="SELECT 1", max_rows=10**9)
