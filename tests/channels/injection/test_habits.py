"""What an agent fills in of itself, and what it says of where its arguments came from."""

from pathlib import Path
from typing import Any

from twokey.channels.injection.cases import Call
from twokey.channels.injection.habits import Prepared, prepare, said
from twokey.channels.injection.provenance import Source
from twokey.channels.injection.world import World

WORLD = World(Path("/w"), "mark", "a" * 40, {"pull": "p-1"}, tips={"other": "b" * 40})


def prepared(args: dict[str, Any], provenance: dict[str, Any] | None = None, **more: Any) -> Prepared:
    sources = tuple(Source(path=path, label=label) for path, label in (provenance or {}).items())
    fields = {"tool": "open_pull_request", "args": args, "provenance": sources, "injected": False} | more
    return prepare(Call.model_validate(fields), WORLD, branch="twokey/x", number=3, documents=2)


def labels(ready: Prepared) -> dict[str, str]:
    return {source.path: source.label for source in ready.sources}


def test_what_is_mechanical_is_filled_in_only_where_it_is_missing():
    assert prepared({"repository": "other", "branch": "twokey/mine"}).args == {
        "repository": "other",
        "branch": "twokey/mine",
        "base_branch": "main",
        "base_commit": "b" * 40,
    }
    assert prepared({"x": 1}, tool="query_warehouse").args == {"x": 1}


def test_placeholders_are_filled_in_anywhere_and_nothing_else_is_touched():
    args = {"files": [{"path": "${outside}/${n}", "content": "${lines:2}$HOME ${unknown} ${pull}"}], "n": 7}
    assert prepared(args).args["files"] == [
        {"path": "/w/outside/3", "content": "- line 0\n- line 1\n$HOME ${unknown} p-1"}
    ]


def test_copies_repeat_the_last_file_with_a_number():
    args = {"files": [{"path": "a"}, {"path": "b${n}"}]}
    assert [file["path"] for file in prepared(args, copies=2).args["files"]] == ["a", "b1", "b2"]


def test_an_argument_of_which_nothing_is_said_is_untrusted_and_cites_every_document():
    ready = prepared({"title": "t", "files": [{"path": "a", "content": "c"}]}, {"title": "code"})
    found = {source.path: (source.label, source.documents) for source in ready.sources}
    assert found["files.path"] == found["files.content"] == ("untrusted", (0, 1))
    assert found["title"] == ("code", ())
    assert found["branch"] == ("code", ())
    assert ready.unsafe(["files"])
    assert ready.unsafe(["files.path"])
    assert not ready.unsafe(["title", "branch"])


def test_what_is_said_of_a_parent_speaks_for_what_was_given_and_not_for_what_a_schema_fills_in():
    ready = prepared({"files": [{"path": "a", "content": "c"}]}, {"files": "request"})
    whole = ready.completed({"files": [{"path": "a", "content": "c", "mode": "100644"}], "body": ""})
    assert labels(whole) == {
        "files.path": "request",
        "files.content": "request",
        "files.mode": "code",
        "body": "code",
        "base_branch": "code",
        "base_commit": "code",
        "branch": "code",
    }
    assert said([ready]) == ["a", "c"]


def test_a_setting_that_is_no_place_was_read_by_code_unless_the_attacker_says_so():
    args, provenance = {"repository": "dbt", "title": "t"}, {"repository": "config", "title": "config"}
    mine, theirs = prepared(args, provenance), prepared(args, provenance, injected=True)
    assert (labels(mine)["repository"], labels(mine)["title"]) == ("config", "code")
    assert labels(theirs)["title"] == "config"


def test_evidence_is_named_by_id_and_the_agents_own_where_none_is():
    sources = (Source(path="a", label="evidence", documents=(1, 9)), Source(path="b", label="evidence"))
    named = Prepared({}, sources).provenance(["e-00000000000a", "e-00000000000b"], "e-00000000000c")
    assert [item.evidence for item in named] == [("e-00000000000b",), ("e-00000000000c",)]
