"""Events: what the log can hold. No field takes free text, so none can carry a secret or a customer's value."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from twokey.core import canonical, events
from twokey.core.events import EVENT, Event

KINDS: tuple[type[BaseModel], ...] = get_args(get_args(Event)[0])
PLANTED = (
    "alice@example.com",
    "a text with spaces",
    "https://example.com/?q=1",
    "/home/alice/secret.txt",
    "main.customers.email",
    "SELECT 1",
    "línea",
    "line\nbreak",
    "name\n",
    "<b>bold</b>",
    "\u202egnp.exe",
    "x" * 200,
    "",
)


def string_schemas(model: type[BaseModel]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place of ``model`` that takes a string, with its JSON schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def walk(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if "$ref" in node:
            yield from walk(definitions[node["$ref"].removeprefix("#/$defs/")], path)
        for name, child in node.get("properties", {}).items():
            yield from walk(child, f"{path}.{name}")
        for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
            for child in node.get(word, []):
                yield from walk(child, path)
        if isinstance(node.get("items"), dict):
            yield from walk(node["items"], f"{path}[]")
        assert "additionalProperties" not in node or node["additionalProperties"] is False, f"{path} is an open map"
        if node.get("type") == "string":
            yield path, node
        elif not {"type", "$ref", "anyOf", "oneOf", "allOf", "const", "enum"} & set(node):
            yield path, node  # a field of any type

    yield from walk(schema, model.__name__)


STRINGS = [(path, node) for model in KINDS for path, node in string_schemas(model)]


def test_the_introspection_sees_every_kind_and_nested_fields():
    assert {path.split(".")[0] for path, _ in STRINGS} == {model.__name__ for model in KINDS}
    assert "AnswerGiven.answer.statement.principal" in dict(STRINGS)
    assert "RunPlanned.agents[]" in dict(STRINGS)


@pytest.mark.parametrize(("path", "node"), STRINGS, ids=[path for path, _ in STRINGS])
def test_no_string_of_an_event_takes_free_text(path: str, node: dict[str, Any]):
    if "const" in node or "enum" in node:
        return
    pattern = node.get("pattern")
    assert pattern is not None, f"{path} takes any text"
    accepts: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    for text in PLANTED:
        if text == "main.customers.email" and path.endswith(".version"):
            continue  # a version has dots; it comes from code, never from input
        with pytest.raises(ValidationError):
            accepts.validate_python(text)


def _one_line(text: str) -> bool:
    return "\n" not in text  # in Python, unlike in pydantic, `$` matches before a last line break


@cache
def _text(pattern: str) -> st.SearchStrategy[str]:
    """Texts of a form. Most forms occur in many fields, and taking one apart takes long."""
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True).filter(_one_line)


@cache
def _strategy(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Valid values of ``model``, made from its own JSON schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def build(node: dict[str, Any]) -> st.SearchStrategy[Any]:
        if "$ref" in node:
            return build(definitions[node["$ref"].removeprefix("#/$defs/")])
        if "const" in node:
            return st.just(node["const"])
        if "enum" in node:
            return st.sampled_from(node["enum"])
        if "anyOf" in node:
            return st.one_of([build(child) for child in node["anyOf"]])
        match node["type"]:
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer":
                return st.integers(node["minimum"], node["maximum"])
            case "string":
                return _text(str(node["pattern"]))
            case "array":
                return st.lists(build(node["items"]), max_size=3)
            case _:
                return st.fixed_dictionaries({name: build(child) for name, child in node["properties"].items()})

    return build(schema)


def _valid(document: dict[str, Any]) -> dict[str, Any]:
    """Let the proof of an answer or order fit its kind of authentication."""
    for name in ("answer", "order"):
        proof = document.get(name)
        if isinstance(proof, dict):
            signed = proof["auth"] == "key"
            proof["key"] = "0" * 16 if signed else None
            proof["signature"] = "0" * 128 if signed else None
            elsewhere = {"slack": "slack:T1/U1", "github": "github:1", "oidc": f"oidc:{'0' * 32}"}
            proof["external"] = elsewhere.get(proof["auth"])
            if proof["statement"].get("batch", "") is None:
                del proof["statement"]["batch"]  # a statement about one card says nothing of batches
            if "order" in proof["statement"]:
                linking = proof["statement"]["order"] in {"link", "unlink"}
                proof["statement"]["external"] = "github:2" if linking else None
    batch = document.get("batch")
    if isinstance(batch, dict):  # it holds several cards, each once
        batch["items"] = [{"proposal": f"p-00000000000{n}", "digest": "0" * 64, "decision": "1" * 64} for n in (1, 2)]
    return document


EVENTS = st.one_of([_strategy(model) for model in KINDS]).map(_valid)


@given(EVENTS)
def test_an_event_survives_its_canonical_bytes(document: dict[str, Any]):
    event = EVENT.validate_python(document)
    again = EVENT.validate_python(canonical.decode(canonical.encode(event.canonical())))
    assert again == event
    assert event.canonical() == canonical.decode(canonical.encode(document))


@pytest.mark.parametrize("model", KINDS, ids=lambda model: str(model.__name__))
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_the_subject_is_the_proposal_else_the_run_else_the_kinds_own(model: type[BaseModel], data: st.DataObject):
    """Kind by kind: one that is drawn rarely is still looked at each time."""
    document = data.draw(_strategy(model).map(_valid))
    subject = events.subject(EVENT.validate_python(document))
    if document["kind"] == "answer.given":
        assert subject == document["answer"]["statement"]["proposal"]
    elif document["kind"] == "click.rejected":
        assert subject == (document["proposal"] or "-")
    elif document["kind"] in {
        "identity.used",
        "credential.created",
        "runs.pruned",
        "identity.link_asked",
        "identity.linked",
        "identity.unlinked",
        "console.pass_given",
        "console.session_opened",
        "console.session_closed",
    }:
        assert subject == document["principal"]
    elif document["kind"] in {
        "workspace.created",
        "freeze.changed",
        "order.rejected",
        "policy.enforced",
        "policy.shadow_begun",
        "controls.probed",
        "identity.link_rejected",
        "channel.rejected",
        "delivery.failed",
    }:
        assert subject == document["workspace"]
    else:
        assert subject == (document.get("proposal") or document["run"])


@pytest.mark.parametrize("model", KINDS, ids=lambda model: str(model.__name__))
def test_kinds_are_unique_and_unknown_fields_refused(model: type[BaseModel]):
    kind = model.model_fields["kind"].default
    assert [other.model_fields["kind"].default for other in KINDS].count(kind) == 1
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"kind": kind, "comment": "a text with spaces"})
    assert ("comment",) in {error["loc"] for error in caught.value.errors() if error["type"] == "extra_forbidden"}


@pytest.mark.parametrize("document", [{"kind": "note.added", "text": "x"}, {}, {"kind": None}, []])
def test_unknown_kinds_are_refused(document: object):
    with pytest.raises(ValidationError):
        EVENT.validate_python(document)
