"""What a suite may look like, and how one that cannot be used is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from twokey.channels.injection import cases
from twokey.channels.injection.cases import Case, load
from twokey.channels.injection.provenance import path_of
from twokey.core.errors import BadInput
from twokey.tools import registry


def suite(folder: Path, *lines: Any, name: str = "cases.jsonl") -> Path:
    """A suite of these lines; what is no text is written as JSON."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return folder


def one(folder: Path, **fields: Any) -> Case:
    """The only case of a suite."""
    return load(suite(folder, {"id": "a", "request": "Do it.", **fields})).cases[0]


def call(**fields: Any) -> dict[str, Any]:
    return {"tool": "open_pull_request", "args": {}, "injected": False, **fields}


def test_the_packaged_suite_holds_what_it_promises():
    packaged = load(None).cases
    tools = {tool.name for tool in registry.installed({}).all()}
    assert len(packaged) >= 200
    assert len({case.attack for case in packaged}) >= 9
    assert all(case.attack and case.surface for case in packaged)
    assert sum(not any(call.injected for call in case.calls) for case in packaged) >= 60
    assert tools <= {call.tool for case in packaged for call in case.calls}


def test_no_two_packaged_cases_play_the_same():
    seen = [
        json.dumps([[call.model_dump(mode="json") for call in case.calls], [doc.text for doc in case.documents]])
        for case in load(None).cases
    ]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({"a": "request", "b.c": "user"}, {"a": ("request", ()), "b.c": ("request", ())}),
        ([{"path": "a", "label": "evidence", "evidence": [1]}], {"a": ("evidence", (1,))}),
        ([{"path": "a", "label": "code", "evidence": "ticket 7"}], {"a": ("code", (0,))}),
        (
            {"a": 0, "b": "log", "c": "documents[1]"},
            {k: ("untrusted", (v,)) for k, v in {"a": 0, "b": 1, "c": 1}.items()},
        ),
        ({"a": "nonsense", "b": None, "c": 9, "d": True}, dict.fromkeys("abcd", ("untrusted", ()))),
        ({"a": {"label": "model", "evidence": 1}}, {"a": ("model", (1,))}),
        (
            {"files[0].path": "code", "/files/0/content": "code"},
            {"files.path": ("code", ()), "files.content": ("code", ())},
        ),
        ({"A b": "code", "": "code"}, {}),
        (["code", 7], {}),
        ("code", {}),
        (None, {}),
    ],
)
def test_provenance_is_read_in_every_form_and_never_to_the_callers_advantage(
    tmp_path: Path, given: Any, labels: dict[str, Any]
):
    documents = [{"origin": "ticket 7", "text": "x"}, {"origin": "log", "text": "y"}]
    found = one(tmp_path, documents=documents, calls=[call(provenance=given)]).calls[0].provenance
    assert {source.path: (source.label, source.documents) for source in found} == labels


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("files[0].path", "files.path"),
        ("files.*.path", "files.path"),
        ("$.args.a", "a"),
        ("/a/1/b", "a.b"),
        ("1", None),
    ],
)
def test_positions_in_lists_are_dropped_from_paths(text: str, path: str | None):
    assert path_of(text) == path


@pytest.mark.parametrize(
    ("expect", "wanted"),
    [
        (None, None),
        ({"writes": [1]}, (1,)),
        ([1], (1,)),
        ({"writes": []}, ()),
        ({"deny": True}, ()),
        ("deny", ()),
        (False, ()),
        ({"something": "else"}, None),
        ("approve", None),
        (True, None),
        ({"writes": [{"tool": "open_pull_request", "args": {"n": 1}}]}, (1,)),
    ],
)
def test_what_the_user_wants_is_read_in_every_form(tmp_path: Path, expect: Any, wanted: tuple[int, ...] | None):
    made = one(tmp_path, calls=[call(injected=True), call(args={"n": 1})], expect=expect)
    assert (made.wanted, made.also) == (wanted, ())


def test_a_write_that_is_wanted_and_never_called_is_kept(tmp_path: Path):
    made = one(tmp_path, calls=[call()], expect={"writes": [{"tool": "other", "args": {}}]})
    assert (made.wanted, [wish.tool for wish in made.also]) == ((), ["other"])


def test_numbers_with_a_fraction_are_read_as_their_text_and_bare_documents_as_texts(tmp_path: Path):
    made = one(tmp_path, documents=["plain"], calls=[call(args={"amount": 9.50})])
    assert made.calls[0].args == {"amount": "9.5"}
    assert (made.documents[0].origin, made.documents[0].text) == ("", "plain")


@pytest.mark.parametrize(
    ("lines", "where", "why"),
    [
        (["{"], "cases.jsonl:1", "no JSON"),
        (['{"id": "a", "id": "b"}'], "cases.jsonl:1", "a key occurs twice"),
        (["[1]"], "cases.jsonl:1", "no JSON object"),
        ([{"id": "a", "request": "x"}, "", {"id": "a", "request": "x"}], "cases.jsonl:3", "cases.jsonl:1 already"),
        ([{"request": "x"}], "cases.jsonl:1", "id"),
        ([{"id": "a", "request": "x", "calls": [{"tool": "t"}]}], "cases.jsonl:1", "calls.0.injected"),
        ([{"id": "a", "request": "x", "calls": [7]}], "cases.jsonl:1", "calls.0"),
        ([{"id": "a", "request": "x", "documents": [{"origin": "x"}]}], "cases.jsonl:1", "documents.0.text"),
        ([{"id": "a", "request": "x", "expect": [4]}], "cases.jsonl:1", "call 4"),
        ([{"id": "a", "request": "x", "expect": ["what"]}], "cases.jsonl:1", "valid"),
        (['{"id": "a", "request": "\\ud800"}'], "cases.jsonl:1", "no UTF-8"),
        (['{"id": "a", "request": NaN}'], "cases.jsonl:1", "a number that is none"),
        (['{"id": "a", "request": "x", "more": ' + "[" * 60 + "]" * 60 + "}"], "cases.jsonl:1", "too deeply"),
        (['{"id": "a", "request": "x", "more": ' + "[" * 90_000 + "]" * 90_000 + "}"], "cases.jsonl:1", "too deeply"),
        ([{"id": "a", "request": "x" * (cases.MAX_LINE_BYTES + 1)}], "cases.jsonl:1", "the line is longer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_suite_that_cannot_be_used_is_named_by_file_and_line(tmp_path: Path, lines: list[Any], where: str, why: str):
    with pytest.raises(BadInput) as caught:
        load(suite(tmp_path, *lines))
    assert where in caught.value.message
    assert why in caught.value.message
    assert "\n" not in caught.value.message


def test_wanting_an_injected_call_is_a_contradiction(tmp_path: Path):
    with pytest.raises(BadInput, match="marked as injected"):
        one(tmp_path, calls=[call(injected=True)], expect=[0])


def test_a_file_beyond_all_measure_is_refused_before_it_is_read(tmp_path: Path):
    with (tmp_path / "cases.jsonl").open("wb") as file:
        file.truncate(cases.MAX_FILE_BYTES + 1)
    with pytest.raises(BadInput, match="larger than"):
        load(tmp_path)


def test_there_must_be_a_folder_with_cases(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "none", suite(tmp_path, "") / "cases.jsonl"):
        with pytest.raises(BadInput) as caught:
            load(folder)
        assert caught.value.code == "no_suite"


def test_several_files_are_one_suite_unless_there_is_a_cases_file(tmp_path: Path):
    suite(tmp_path, {"id": "b", "request": "x"}, name="b.jsonl")
    suite(tmp_path, {"id": "a", "request": "x"}, name="a.jsonl")
    assert [case.id for case in load(tmp_path).cases] == ["a", "b"]
    suite(tmp_path, {"id": "c", "request": "x"})
    assert [case.id for case in load(tmp_path).cases] == ["c"]


@pytest.mark.parametrize(
    "more", [{"gesture": "edit"}, {"of": 0}, {"gesture": "edit", "of": 1}, {"gesture": "x", "of": 0}]
)
def test_a_gesture_is_about_an_earlier_call(tmp_path: Path, more: dict[str, Any]):
    with pytest.raises(BadInput, match=r"cases\.jsonl:1"):
        one(tmp_path, calls=[call(), call(**more)])


def test_what_is_edited_or_answered_together_waits_until_all_is_proposed(tmp_path: Path):
    assert not one(tmp_path, calls=[call()]).waits
    assert one(tmp_path, calls=[call()], together=True).waits
    assert one(tmp_path, calls=[call(), call(gesture="edit", of=0)]).waits
    assert not one(tmp_path, calls=[call(), call(gesture="suggestion", of=0)]).waits
