"""What a tool promises: its schema digest follows meaning, and a run reaches its own places only."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, StringConstraints, create_model
from support.notes import KeyedNotes, Note, ReadArgs, ReadNotes

from twokey.core import canonical
from twokey.core.values import Resource, ResourceKind, Value
from twokey.tools.contract import (
    Marker,
    OutsideContract,
    Place,
    Places,
    ReadTool,
    _bare,  # pyright: ignore[reportPrivateUsage] - what a digest covers is shown best on schemas themselves
)


def digest(input_type: type[Value], **changes: Any) -> str:
    """The digest of a tool that takes this."""
    tool: type[ReadTool[Any, Any]] = type("Tool", (ReadNotes,), {"input_type": input_type, **changes})
    return tool.schema_digest()


class Plain(Value):
    text: Annotated[str, StringConstraints(max_length=10)]


def model(**fields: Any) -> type[Value]:
    return create_model("Plain", __base__=Value, **fields)


BASE = digest(Plain)


@pytest.mark.parametrize(
    "same",
    [
        model(text=(Annotated[str, StringConstraints(max_length=10), Field(description="What to say.")], ...)),
        model(text=(Annotated[str, StringConstraints(max_length=10), Field(title="Words")], ...)),
        model(text=(Annotated[str, StringConstraints(max_length=10), Field(examples=["a"])], ...)),
    ],
    ids=["description", "title", "examples"],
)
def test_wording_does_not_change_a_digest(same: type[Value]):
    assert digest(same) == BASE


@pytest.mark.parametrize(
    "other",
    [
        model(text=(Annotated[str, StringConstraints(max_length=11)], ...)),
        model(text=(Annotated[str, StringConstraints(max_length=10, min_length=1)], ...)),
        model(text=(Annotated[str, StringConstraints(max_length=10, pattern="^a")], ...)),
        model(text=(Annotated[str, StringConstraints(max_length=10)], "a")),
        model(text=(Annotated[str | None, StringConstraints(max_length=10)], ...)),
        model(text=(Literal["a"], ...)),
        model(word=(Annotated[str, StringConstraints(max_length=10)], ...)),
        model(text=(Annotated[str, StringConstraints(max_length=10)], ...), title=(str, ...)),
    ],
    ids=["longer", "shorter", "pattern", "default", "optional", "literal", "name", "one more"],
)
def test_a_changed_constraint_changes_the_digest(other: type[Value]):
    assert digest(other) != BASE


@pytest.mark.parametrize(
    "changes",
    [{"name": "other"}, {"version": "2"}, {"effect": "write"}, {"kind": "warehouse"}, {"output_type": Plain}],
    ids=lambda changes: next(iter(changes)),
)
def test_name_version_effect_kind_and_result_are_in_the_digest(changes: dict[str, Any]):
    assert digest(Plain, **changes) != BASE


def test_properties_and_definitions_called_like_prose_are_kept():
    without, with_title = model(text=(str, ...)), model(text=(str, ...), title=(str, ...))
    assert digest(without) != digest(with_title)
    assert digest(with_title) != digest(model(text=(str, ...), description=(str, ...)))
    assert digest(model(text=(str, ...), title=(int, ...))) != digest(with_title)
    inner = create_model("title", __base__=Value, text=(str, ...))
    longer = create_model("title", __base__=Value, text=(str, ...), more=(str, ...))
    assert digest(model(inner=(inner, ...))) != digest(model(inner=(longer, ...)))


def test_a_property_called_properties_does_not_turn_prose_into_names():
    noted = model(properties=(Annotated[str, Field(description="a")], ...))
    assert digest(noted) == digest(model(properties=(Annotated[str, Field(description="b")], ...)))


def test_data_in_a_schema_is_kept_whole():
    """A default that differs in a key called like prose is another default."""
    first = model(text=(dict[str, str], {"title": "a"}))
    assert digest(first) != digest(model(text=(dict[str, str], {"title": "b"})))
    assert digest(first) != digest(model(text=(dict[str, str], {})))


def test_patterns_of_keys_are_names():
    def keyed(pattern: str) -> type[Value]:
        return model(text=(dict[Annotated[str, StringConstraints(pattern=pattern)], int], ...))

    assert digest(keyed("title")) != digest(keyed("description"))


def test_numbers_that_canonical_json_does_not_hold_are_told_apart():
    def below(limit: object) -> str:
        return canonical.digest(_bare({"maximum": limit, "const": [limit], "default": {"a": limit}}))

    limits = [1, 1.0, 1.5, "1.5", "1.0", True, None, 2**53, 2.0**53, -(2**60)]
    assert len({below(limit) for limit in limits}) == len(limits)


def test_a_discriminator_maps_names():
    class First(Value):
        kind: Literal["title"] = "title"

    class Second(Value):
        kind: Literal["other"] = "other"

    schema = model(either=(Annotated[First | Second, Field(discriminator="kind")], ...)).model_json_schema()
    bare = _bare(schema)
    assert canonical.encode(bare).count(b'"title":"#/$defs/First"') == 1


class Shade(Enum):
    LIGHT = "light"


class Wide(BaseModel):
    """Many kinds of fields; what a plugin may bring."""

    numbers: tuple[int, float, Decimal] = (1, 2.5, Decimal("0.1"))
    shades: dict[str, Shade] = Field(default_factory=dict)
    inner: list["Wide"] = Field(default_factory=list)


def test_any_schema_that_pydantic_makes_has_a_digest():
    assert len(canonical.digest(_bare(Wide.model_json_schema()))) == 64


words = st.sampled_from(
    ["title", "description", "examples", "properties", "$defs", "mapping", "default", "const", "type", "a", "items"]
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)


@given(names=st.dictionaries(words, values, max_size=4), prose=st.text(max_size=5))
def test_prose_goes_and_names_stay(names: dict[str, Any], prose: str):
    schema = {"properties": names, "title": prose, "description": prose, "examples": [prose], "default": names}
    bare = _bare(schema)
    assert isinstance(bare, dict)
    assert set(bare) == {"properties", "default"}
    kept, default = bare["properties"], bare["default"]
    assert isinstance(kept, dict)
    assert isinstance(default, dict)
    assert set(kept) == set(default) == set(names)
    canonical.encode(bare)


# -- places -------------------------------------------------------------------------------------------------------


def place(kind: ResourceKind, name: str) -> Place:
    return Place(Resource(kind=kind, id=name, granted_by="config"), f"postgresql://u:secret@h/{name}")


def test_a_run_reaches_its_own_places_only():
    places = Places((place("warehouse", "a"), place("tickets", "b")))
    assert places.find("warehouse", "a").location.endswith("/a")
    for kind, name in (("warehouse", "b"), ("tickets", "a"), ("warehouse", ""), ("warehouse", "A")):
        with pytest.raises(OutsideContract) as caught:
            places.find(kind, name)  # pyright: ignore[reportArgumentType] - the pairs are literals above
        assert caught.value.code == "outside_contract"


def test_a_place_does_not_show_its_password():
    assert "secret" not in repr(place("warehouse", "a"))


def test_the_key_of_a_write_follows_its_digest_alone():
    def marker(digest: str, run: str = "r-000000000001") -> Marker:
        return Marker(proposal="p-000000000001", digest=digest, run=run, requester="ana", created_us=0)

    assert marker("0" * 64).key == marker("0" * 64, "r-000000000002").key
    assert marker("0" * 64).key != marker("1" * 64).key
    assert marker("0" * 64).key != "0" * 64


def test_a_tool_says_what_it_does():
    assert (ReadNotes.effect, KeyedNotes.effect) == ("read", "write")
    assert ReadNotes.output_type is Note
    assert ReadNotes.input_type is ReadArgs


class Nameless(ReadTool[Plain, Plain]):
    """A tool without an effect of its own reads."""

    name: ClassVar[str] = "nameless"


def test_a_tool_that_lacks_its_methods_cannot_be_made():
    with pytest.raises(TypeError):
        Nameless()  # pyright: ignore[reportAbstractUsage] - that is the point
