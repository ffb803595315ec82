"""The splice editor: what it leaves alone, what it writes, what it refuses, and what outside text cannot do to it."""

import difflib
import json
import re
import string
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.effort import seconds
from support.property_files import NAMES, property_files

from twokey.agents.catalog import yaml_text, yaml_tree
from twokey.agents.catalog.documented import read
from twokey.agents.catalog.properties import (
    MAX_BYTES,
    AddColumn,
    AddDataType,
    AddMeta,
    AddNode,
    AddTags,
    AddTests,
    Column,
    Conventions,
    Edit,
    Edited,
    SetDescription,
    edit,
    relation,
    render_new,
)

# --- helpers --------------------------------------------------------------------------------------------------------

ORDERS = b"version: 2\nmodels:\n  - name: orders\n    columns:\n      - name: id\n"
SLOW = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])


def done(text: str | bytes, *edits: Edit, conventions: Conventions | None = None) -> str:
    """Make edits that must all succeed, and give the new text."""
    data = text.encode() if isinstance(text, str) else text
    edited = edit(data, edits, conventions=conventions or Conventions())
    assert [(refusal.code, refusal.reason) for refusal in edited.refused] == []
    assert edited.applied == edits
    again = edit(edited.text, edits, conventions=conventions or Conventions())
    assert again.text == edited.text
    return edited.text.decode()


def refused(text: str | bytes, one: Edit) -> str:
    """Make an edit that must be refused without a trace, and give the code."""
    data = text.encode() if isinstance(text, str) else text
    edited = edit(data, [one])
    assert edited.text == data
    (refusal,) = edited.refused
    assert refusal.edit == one
    assert refusal.reason.endswith(".")
    assert edited.applied == edited.unchanged == ()
    return refusal.code


def lost_lines(before: bytes, after: bytes) -> list[str]:
    """Give the lines of a file that are gone or changed after an edit."""
    old, new = before.decode().splitlines(), after.decode().splitlines()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    return [line for tag, a, b, _, _ in matcher.get_opcodes() if tag in {"replace", "delete"} for line in old[a:b]]


def column_of(text: bytes, name: str, node: str = "orders") -> dict[str, Any]:
    (model,) = [each for each in yaml.safe_load(text)["models"] if each["name"] == node]
    (column,) = [each for each in model["columns"] if each["name"] == name]
    return column


# --- what stays -----------------------------------------------------------------------------------------------------


@SLOW
@given(property_files())
def test_without_a_change_the_very_same_bytes_come_back(data: bytes) -> None:
    nothing = [SetDescription("nowhere", None, "x"), AddTags("orders", None, [])]
    assert edit(data, []).text == data
    assert edit(data, nothing).text == data


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a: [", b"\x00", b"- \t: x\n", b"a: 1\n---\nb: 2\n", b"plain"])
def test_a_file_that_cannot_be_edited_comes_back_as_it_was(data: bytes) -> None:
    assert edit(data, [SetDescription("orders", None, "x")]).text == data


# a line that an insertion may change: a list or mapping in flow style, or a description that was blank
FILLED = re.compile(r"[{\[]|description:\s*(''|null|~)?\s*(#.*)?$")

insertions = st.lists(
    st.one_of(
        st.builds(
            AddTests, st.sampled_from(["orders", "customers"]), st.sampled_from(NAMES), st.just(["unique", "not_null"])
        ),
        st.builds(AddMeta, st.just("orders"), st.sampled_from(NAMES), st.just({"sensitivity": "high"})),
        st.builds(AddTags, st.just("orders"), st.sampled_from(NAMES), st.just(["pii"])),
        st.builds(AddDataType, st.just(("raw", "events")), st.sampled_from(NAMES), st.just("bigint")),
        st.builds(AddColumn, st.just("orders"), st.just(Column("brand_new", "A column", "text", ["unique"]))),
        st.builds(SetDescription, st.just("customers"), st.sampled_from(NAMES), st.just("Words: and more")),
    ),
    max_size=8,
)


@SLOW
@given(property_files(), insertions)
def test_no_line_is_touched_beyond_the_edits(data: bytes, edits: list[Edit]) -> None:
    edited = edit(data, edits)
    lost = lost_lines(data, edited.text)
    assert [line for line in lost if not FILLED.search(line)] == []
    assert edited.text.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")
    assert edited.text.endswith(b"\n") == data.endswith(b"\n")
    if b"\r\n" in data:
        assert edited.text.count(b"\n") == edited.text.count(b"\r\n")


texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["yes", "a: b", "x #y", "two\nlines", "{{ x }}", "tail ", "null", "1e3", "0x1F", "- x", "\u202eevil"]
    ),
)
places = st.sampled_from(["orders", "customers", ("raw", "events")])
any_edits = st.lists(
    st.one_of(
        st.builds(SetDescription, places, st.one_of(st.none(), st.sampled_from(NAMES)), texts, replace=st.booleans()),
        st.builds(
            AddTests, places, st.sampled_from(NAMES), st.just(["unique", {"accepted_values": {"values": ["a", "b c"]}}])
        ),
        st.builds(AddMeta, places, st.sampled_from(NAMES), st.dictionaries(st.sampled_from(["owner", "level"]), texts)),
        st.builds(AddTags, places, st.sampled_from(NAMES), st.lists(texts, max_size=2)),
        st.builds(
            AddColumn, places, st.builds(Column, st.one_of(st.sampled_from(NAMES), texts), st.one_of(st.none(), texts))
        ),
        st.builds(AddNode, st.one_of(texts, st.tuples(st.sampled_from(["raw", "other"]), texts)), description=texts),
    ),
    max_size=6,
)


def ends_in_a_block(data: bytes) -> bool:
    """Tell whether the file may end inside a literal text without a line end, which no line can follow."""
    return not data.endswith(b"\n") and b"|" in data


@SLOW
@given(property_files(), any_edits)
def test_every_edit_is_applied_unchanged_or_refused_and_doing_it_twice_changes_nothing(
    data: bytes, edits: list[Edit]
) -> None:
    edited = edit(data, edits)
    outcomes = [*edited.applied, *edited.unchanged, *(refusal.edit for refusal in edited.refused)]
    assert sorted(map(repr, outcomes)) == sorted(map(repr, edits))
    yaml.safe_load(edited.text)
    assert ends_in_a_block(data) or not [each for each in edited.refused if each.code == "not_proven"]
    if not any(isinstance(each, SetDescription) and each.replace for each in edits):
        assert edit(edited.text, edited.applied).text == edited.text


def reference(content: Any, edits: Sequence[Edit]) -> Any:
    """Carry out edits on plain data, in the simplest way there is."""
    for each in edits:
        assert isinstance(each, SetDescription | AddTests)
        (node,) = [model for model in content["models"] if model["name"] == each.node]
        (column,) = [item for item in node["columns"] if item["name"] == each.column]
        if isinstance(each, SetDescription):
            column["description"] = each.text
        else:
            key = next((key for key in ("data_tests", "tests") if key in column), "unknown")
            found = column.get(key) or []
            column[key] = found + [test for test in each.tests if test not in found]
    return content


@SLOW
@given(
    property_files(),
    st.lists(
        st.one_of(
            st.builds(
                SetDescription,
                st.just("orders"),
                st.sampled_from(NAMES),
                st.sampled_from(["a: b", "two\nlines", "yes"]),
            ),
            st.builds(AddTests, st.just("orders"), st.sampled_from(NAMES), st.just(["unique", "not_null"])),
        ),
        max_size=5,
    ),
)
def test_the_new_content_is_the_old_content_plus_the_edits(data: bytes, edits: list[Edit]) -> None:
    edited = edit(data, edits)
    expected = reference(yaml.safe_load(data), edited.applied)
    found = yaml.safe_load(edited.text)
    for content in (expected, found):  # the name of a new key for tests follows the file; either is right here
        for column in (column for model in content["models"] for column in model.get("columns") or []):
            for key in ("tests", "data_tests"):
                if key in column:
                    column["unknown"] = column.pop(key)
    assert found == expected


# --- what is written ------------------------------------------------------------------------------------------------


def test_an_edit_reads_as_a_person_would_have_written_it() -> None:
    before = """\
version: 2

models:
  - name: orders  # one row an order
    columns:
      - name: id
        tests:
          - unique

      - name: status
        description: >-
          folded
          text

        # a comment
      - {name: kind, tests: [unique]}
      - name: note
        description:   # later
"""
    after = done(
        before,
        SetDescription("orders", None, "All orders: one row each"),
        SetDescription("orders", "id", "The key"),
        AddTests("orders", "id", ["not_null"]),
        SetDescription("orders", "status", "Where the order is", replace=True),
        AddTests("orders", "status", [{"accepted_values": {"values": ["open", "shut"]}}]),
        AddTests("orders", "kind", [{"relationships": {"to": relation("kinds"), "field": "id"}}]),
        SetDescription("orders", "note", "Free words"),
        AddColumn("orders", Column("total", "Sum", "numeric(10, 2)", ["not_null"], {"sensitivity": "low"}, ["money"])),
    )
    assert (
        after
        == """\
version: 2

models:
  - name: orders  # one row an order
    description: "All orders: one row each"
    columns:
      - name: id
        description: The key
        tests:
          - unique
          - not_null

      - name: status
        description: Where the order is
        tests:
          - accepted_values:
              arguments:
                values: [open, shut]

        # a comment
      - {name: kind, tests: [unique, {relationships: {arguments: {to: "ref('kinds')", field: id}}}]}
      - name: note
        description: Free words   # later

      - name: total
        description: Sum
        data_type: numeric(10, 2)
        meta:
          sensitivity: low
        tags: [money]
        tests:
          - not_null
"""
    )


def test_lists_without_indentation_windows_line_ends_and_a_missing_last_one_stay_so() -> None:
    before = "\ufeffsources:\r\n- name: raw\r\n  tables:\r\n  - name: t\r\n    columns:\r\n    - name: a # x"
    after = done(before, AddTests(("raw", "t"), "a", ["unique"]), AddColumn(("raw", "t"), Column("b", "'quoted'")))
    assert after == (
        before + "\r\n      data_tests:\r\n      - unique\r\n    - name: b\r\n      description: \"'quoted'\""
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("      - name: id\n        tests: []\n", "      - name: id\n        tests:\n          - unique\n"),
        (
            "      - name: id\n        tests: # none yet\n",
            "      - name: id\n        tests: # none yet\n          - unique\n",
        ),
        ("      - name: id\n        tests: null # x\n", "      - name: id\n        tests: # x\n          - unique\n"),
        (
            "      - name: id\n        tests: [ not_null, ]\n",
            "      - name: id\n        tests: [ not_null, unique, ]\n",
        ),
        (
            "      - name: id\n        tests: [\n          a  # x\n        ]\n",
            "      - name: id\n        tests: [\n          a, unique  # x\n        ]\n",
        ),
        ("      - {name: id, description}\n", "      - {name: id, description, tests: [unique]}\n"),
        ('      - {"name": "id"}\n', '      - {"name": "id", "tests": ["unique"]}\n'),
        ("      -   name: id\n\n\n", "      -   name: id\n          tests:\n            -   unique\n\n\n"),
        ("      -\n        name: id\n", "      -\n        name: id\n        tests:\n          - unique\n"),
        (
            "      - name: id\n        tests:\n        - a\n",
            "      - name: id\n        tests:\n        - a\n        - unique\n",
        ),
        (
            "      - name: id\n        tests: &here\n          # c\n          - a\n",
            "      - name: id\n        tests: &here\n          # c\n          - a\n          - unique\n",
        ),
        (
            "      - name: id\n        tests:\n          -   a\n",
            "      - name: id\n        tests:\n          -   a\n          -   unique\n",
        ),
        (
            "      - name: id\n        meta: {a: 1}\n",
            "      - name: id\n        meta: {a: 1}\n        tests:\n          - unique\n",
        ),
    ],
)
def test_a_test_goes_where_the_file_keeps_its_tests(before: str, after: str) -> None:
    head = "models:\n  - name: orders\n    columns:\n"
    assert (
        done(head + before, AddTests("orders", "id", ["unique"]), conventions=Conventions(tests_key="tests"))
        == head + after
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "{i}description: New"),
        ("{i}description:\n", "{i}description: New"),
        ("{i}description: ''\n", "{i}description: New"),
        ("{i}description: ~  # c\n", "{i}description: New  # c"),
        ('{i}description: "  "\n', '{i}description: "New"'),
        ("{i}description: |-\n{i}\n", "{i}description: New"),
    ],
)
def test_a_blank_description_is_filled(before: str, after: str) -> None:
    text = done(ORDERS.decode() + before.format(i=" " * 8), SetDescription("orders", "id", "New"))
    assert text.rstrip() == ORDERS.decode() + after.format(i=" " * 8)


@pytest.mark.parametrize(
    "old",
    [
        "old",
        "'old'",
        '"old"',
        ">-\n          old\n          text",
        "|+\n          old\n\n",
        "old\n          text",
        "*d",
    ],
)
def test_a_description_is_replaced_whole_and_only_if_that_was_asked_for(old: str) -> None:
    before = f"anchors: [&d dd]\n{ORDERS.decode()}        description: {old}\n        # after\n        quote: true\n"
    assert refused(before, SetDescription("orders", "id", "New words")) == "exists"
    after = done(before, SetDescription("orders", "id", "New words", replace=True))
    quote = old[0] if old[0] in "'\"" else ""
    head = f"anchors: [&d dd]\n{ORDERS.decode()}"
    blank = "\n\n" if "+" in old else ""  # what stood below a text that kept it still stands there
    assert after == f"{head}        description: {quote}New words{quote}\n{blank}        # after\n        quote: true\n"


def test_a_text_of_several_lines_becomes_a_block_unless_a_comment_follows_it() -> None:
    assert done(ORDERS, SetDescription("orders", "id", "one\n\ntwo")).endswith(
        "description: |-\n          one\n\n          two\n"
    )
    commented = ORDERS + b"        description: # c\n"
    assert done(commented, SetDescription("orders", "id", "one\ntwo")).endswith('description: "one\\ntwo" # c\n')


@pytest.mark.parametrize(
    ("there", "written"),
    [
        ("        description: 'a b'\n", "description: 'it''s new'"),
        ('        description: "a b"\n', 'description: "it\'s new"'),
        ("        description: a b\n", "description: it's new"),
    ],
)
def test_descriptions_are_quoted_as_those_beside_them(there: str, written: str) -> None:
    before = ORDERS.decode() + there + "      - name: other\n"
    assert written in done(before, SetDescription("orders", "other", "it's new"))


def test_each_section_of_a_file_keeps_its_own_layout() -> None:
    before = """\
models:
    - name: orders
      columns:
          - name: id
            tests:
                - unique
sources:
- name: raw
  tables:
  - name: t
    columns:
    - name: a
"""
    after = done(
        before,
        AddColumn("orders", Column("b", tests=["unique"])),
        AddColumn(("raw", "t"), Column("b", tests=["unique"])),
    )
    assert "          - name: b\n            tests:\n                - unique\nsources" in after
    assert after.endswith("    - name: b\n      tests:\n      - unique\n")


def test_meta_and_tags_stand_where_the_column_or_file_has_them() -> None:
    config = "        config:\n          meta:\n            owner: x\n"
    assert done(ORDERS.decode() + config, AddMeta("orders", "id", {"level": 3})).endswith(
        config + "            level: 3\n"
    )
    other = "      - name: other\n"
    assert done(ORDERS.decode() + config + other, AddTags("orders", "other", ["pii"])).endswith(
        other + "        config:\n          tags: [pii]\n"
    )
    assert done(ORDERS, AddMeta("orders", "id", {"level": 3})).endswith("        meta:\n          level: 3\n")
    both = done(ORDERS, AddMeta("orders", None, {"level": 3}), AddTags("orders", None, ["a", "b c"]))
    assert '    config:\n      meta:\n        level: 3\n      tags: ["a", "b c"]\n    columns:\n' in both
    beside = Conventions(column_meta="config", node_meta="beside")
    assert "    tags: [pii]\n" in done(ORDERS, AddTags("orders", None, ["pii"]), conventions=beside)
    assert done(ORDERS, AddTags("orders", "id", ["pii"]), conventions=beside).endswith(
        "config:\n          tags: [pii]\n"
    )


def test_an_empty_config_takes_meta() -> None:
    before = ORDERS.decode() + "        config:  # later\n      - name: other\n        config: {tags: [t]}\n"
    after = done(before, AddTags("orders", "id", ["pii"]), AddMeta("orders", "other", {"a": 1}))
    assert "        config:  # later\n          tags: [pii]\n" in after
    assert after.endswith("config: {tags: [t], meta: {a: 1}}\n")


def test_tags_given_as_a_text_become_a_list() -> None:
    before = ORDERS.decode() + "        tags: 'pii'\n"
    assert done(before, AddTags("orders", "id", ["money"])).endswith("        tags: [pii, money]\n")
    assert edit(before.encode(), [AddTags("orders", "id", ["pii"])]).unchanged


def test_a_meta_value_is_replaced_only_if_that_was_asked_for() -> None:
    before = ORDERS.decode() + "        meta: {sensitivity: low, n: {a: 1}}\n"
    assert edit(before.encode(), [AddMeta("orders", "id", {"n": {"a": 1}, "sensitivity": "low"})]).unchanged
    assert refused(before, AddMeta("orders", "id", {"sensitivity": "high"})) == "exists"
    assert (
        refused(
            before,
            AddMeta("orders", "id", {"n": 2}),
        )
        == "exists"
    )
    assert refused(before, AddMeta("orders", "id", {"n": 2}, replace=True)) == "unexpected_shape"
    after = done(before, AddMeta("orders", "id", {"sensitivity": "high"}, replace=True))
    assert after.endswith("meta: {sensitivity: high, n: {a: 1}}\n")


@pytest.mark.parametrize(
    "value", [None, True, 7, -1, 1.5, 1e300, 1e-7, "x", "", [], {}, [1, ["a"]], {"a": {"b": []}}, [{"a": 1, "b": 2}]]
)
def test_any_json_value_of_meta_comes_back(value: Any) -> None:
    after = done(ORDERS, AddMeta("orders", "id", {"key": value}))
    assert column_of(after.encode(), "id")["meta"] == {"key": value}


@pytest.mark.parametrize(
    ("there", "added"),
    [
        ("- accepted_values: {values: [a, b]}", {"accepted_values": {"values": ["b", "a"]}}),
        (
            "- accepted_values: {arguments: {values: [a]}, config: {severity: warn}}",
            {"accepted_values": {"values": ["a"]}},
        ),
        ('- relationships: {to: ref( "x" ), field: id}', {"relationships": {"to": "ref('x')", "field": "id"}}),
        ("- unique: {config: {where: a > 1}}", "unique"),
        ("- {name: mine, test_name: unique}", "unique"),
        ("- dbt.unique", "unique"),
    ],
)
def test_a_test_that_is_there_in_another_spelling_is_not_added_again(there: str, added: Any) -> None:
    before = f"{ORDERS.decode()}        tests:\n          {there}\n"
    assert edit(before.encode(), [AddTests("orders", "id", [added])]).unchanged


def test_arguments_of_tests_follow_the_file() -> None:
    values = {"accepted_values": {"values": ["a"]}}
    bare = ORDERS.decode() + "        tests:\n          - accepted_values:\n              values: [x]\n"
    assert done(bare, AddTests("orders", "id", [values])).endswith(
        "          - accepted_values:\n              values: [a]\n"
    )
    assert "arguments:" in done(ORDERS, AddTests("orders", "id", [values]))
    assert "arguments:" not in done(
        ORDERS, AddTests("orders", "id", [values]), conventions=Conventions(test_arguments=False)
    )
    long = {"accepted_values": {"values": [f"value number {n}" for n in range(9)]}}
    assert "                - value number 8\n" in done(ORDERS, AddTests("orders", "id", [long]))
    named = {"accepted_values": {"arguments": {"values": ["a"]}, "name": "few", "config": {"severity": "warn"}}}
    assert done(ORDERS, AddTests("orders", "id", [named])).endswith(
        "name: few\n              config:\n                severity: warn\n"
    )


def test_tables_and_sources_go_to_the_end_of_their_lists() -> None:
    before = "sources:\n  - name: raw\n    tables:\n      - name: a\n\n      - name: b\n\n# the end\n"
    after = done(
        before, AddNode(("raw", "c")), AddNode(("more", "d"), schema="m", database="db", source_description="D")
    )
    assert after == (
        "sources:\n  - name: raw\n    tables:\n      - name: a\n\n      - name: b\n\n      - name: c\n\n"
        "  - name: more\n"
        "    database: db\n    schema: m\n    description: D\n    tables:\n      - name: d\n\n# the end\n"
    )
    assert done("version: 2\n", AddNode("m"), AddNode("s", kind="seeds")) == (
        "version: 2\n\nmodels:\n  - name: m\n\nseeds:\n  - name: s\n"
    )


def test_later_edits_build_on_earlier_ones() -> None:
    after = done(
        b"",
        AddNode("m"),
        AddColumn("m", Column("a")),
        SetDescription("m", "a", "An a"),
        AddMeta("m", "a", {"x": {"y": "z"}}),
        AddTags("m", "a", ["t"]),
        AddTests("m", "a", ["unique"]),
        AddTests("m", "a", ["not_null"]),
        AddNode(("s", "t")),
        AddNode(("s", "u"), identifier="U1"),
    )
    assert yaml.safe_load(after) == {
        "models": [
            {
                "name": "m",
                "columns": [
                    {
                        "name": "a",
                        "description": "An a",
                        "meta": {"x": {"y": "z"}},
                        "tags": ["t"],
                        "data_tests": ["unique", "not_null"],
                    }
                ],
            }
        ],
        "sources": [{"name": "s", "tables": [{"name": "t"}, {"name": "u", "identifier": "U1"}]}],
    }


@pytest.mark.parametrize("before", ["", "# only a comment\n", "---\n", "--- # head\n", "{}\n", "\n\n"])
def test_a_file_without_content_takes_a_node(before: str) -> None:
    assert yaml.safe_load(done(before, AddNode("m"))) == {"models": [{"name": "m"}]}


def test_a_node_or_column_that_is_there_is_filled_not_doubled() -> None:
    after = done(
        ORDERS, AddNode("orders", description="All", columns=[Column("id", "Key", "int"), Column("n")], tags=["t"])
    )
    assert yaml.safe_load(after)["models"] == [
        {
            "name": "orders",
            "description": "All",
            "config": {"tags": ["t"]},
            "columns": [{"name": "id", "description": "Key", "data_type": "int"}, {"name": "n"}],
        }
    ]


def test_a_column_in_other_case_is_another_one_only_in_quotes() -> None:
    assert refused(ORDERS, AddColumn("orders", Column("ID"))) == "other_case"
    after = done(ORDERS, AddColumn("orders", Column("ID", quote=True)))
    assert after.endswith("      - name: ID\n        quote: true\n")
    assert edit(after.encode(), [AddColumn("orders", Column("ID", quote=True))]).unchanged
    unquoted = ORDERS.decode() + "        quote: false\n"
    assert refused(unquoted, AddColumn("orders", Column("id", quote=True))) == "exists"


# --- merge keys, anchors and aliases --------------------------------------------------------------------------------

SHARED = """\
models:
  - &base
    name: base
    columns: &columns
      - &id
        name: id
        tests: [unique]
  - name: copy
    columns: *columns
  - <<: *base
    name: merged
    description: own
  - name: column
    columns:
      - *id
      - <<: *id
        description: here
      - &lonely
        name: lonely
"""


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (SetDescription("base", None, "x"), "shared_anchor"),
        (SetDescription("base", "id", "x"), "shared_anchor"),
        (AddColumn("copy", Column("x")), "alias"),
        (SetDescription("copy", "id", "x"), "alias"),
        (SetDescription("merged", "id", "x"), "merge_key"),
        (AddColumn("merged", Column("x")), "merge_key"),
        (SetDescription("column", "id", "x"), "ambiguous"),
        (SetDescription("merged", None, "x"), "exists"),
    ],
)
def test_nothing_with_several_owners_is_edited(one: Edit, code: str) -> None:
    assert refused(SHARED, one) == code


def test_a_place_with_a_merge_key_or_an_unused_anchor_takes_a_key_of_its_own() -> None:
    after = done(
        SHARED,
        AddMeta("merged", None, {"a": 1}),
        SetDescription("column", "lonely", "x"),
        AddColumn("column", Column("z")),
    )
    assert after.endswith("        name: lonely\n        description: x\n      - name: z\n")
    assert "    description: own\n    config:\n      meta:\n        a: 1\n" in after


MERGED = """\
models:
  - &a
    name: a
    tests: [unique]
    meta: {x: 1, by: &who [ana, "no"]}
    config: {tags: t, meta: {z: null}}
    columns:
      - name: id
  - <<: *a
    name: b
"""


def test_what_a_merge_key_brings_is_written_out_where_a_place_needs_its_own() -> None:
    after = done(
        MERGED,
        AddTests("b", None, [{"dbt_utils.few": {"n": 1}}]),
        AddMeta("b", None, {"y": 1}),
        AddTags("b", None, ["u"]),
        SetDescription("b", None, "Its own"),
    )
    first, second = yaml.safe_load(after)["models"]
    assert first == yaml.safe_load(MERGED)["models"][0]
    assert second == {
        "name": "b",
        "description": "Its own",
        "columns": [{"name": "id"}],
        "tests": ["unique", {"dbt_utils.few": {"arguments": {"n": 1}}}],
        "meta": {"x": 1, "by": ["ana", "no"]},
        "config": {"tags": ["t", "u"], "meta": {"z": None, "y": 1}},
    }
    assert after.startswith(MERGED)
    assert edit(MERGED.encode(), [AddTags("b", None, ["t"]), AddMeta("b", None, {"z": None})]).text == MERGED.encode()


@pytest.mark.parametrize(
    ("brought", "code"),
    [
        ("tests: [!mine unique]", "tagged"),
        ("tests: [{[a, b]: c}]", "complex_key"),
        ("tests: {a: b}", "unexpected_shape"),
        ("tests: [" + "x, " * 200 + "y]", "merge_key"),
    ],
)
def test_what_a_merge_key_brings_and_cannot_be_written_again_is_not_extended(brought: str, code: str) -> None:
    text = f"models:\n  - &a\n    name: a\n    {brought}\n  - <<: *a\n    name: b\n"
    assert refused(text, AddTests("b", None, ["few"])) == code


def test_columns_that_a_merge_key_brings_are_shared_on_purpose() -> None:
    assert refused(MERGED, AddColumn("b", Column("x"))) == "merge_key"
    assert refused(MERGED, SetDescription("b", "id", "x")) == "merge_key"


ALIASED = """\
models:
  - name: a
    columns:
      - &key
        name: id
        tests: [unique]
  - name: b
    columns:
      - *key  # the same
      - name: other
  - name: c
    columns: [{name: x}, *key]
"""


def test_an_item_that_is_an_alias_takes_keys_of_its_own_beside_a_merge_key() -> None:
    after = done(
        ALIASED,
        SetDescription("b", "id", "Here"),
        AddTests("b", "id", ["not_null"]),
        SetDescription("c", "id", "There"),
    )
    assert (
        after
        == """\
models:
  - name: a
    columns:
      - &key
        name: id
        tests: [unique]
  - name: b
    columns:
      - <<: *key  # the same
        description: Here
        tests:
          - unique
          - not_null
      - name: other
  - name: c
    columns: [{name: x}, {<<: *key, description: There}]
"""
    )
    assert refused(ALIASED, SetDescription("a", "id", "x")) == "shared_anchor"
    assert edit(ALIASED.encode(), [AddTests("b", "id", ["unique"])]).unchanged


def test_a_refused_edit_of_an_alias_leaves_no_merge_key_behind() -> None:
    edits = [AddTests("b", "id", ["not allowed"]), SetDescription("b", "other", "x")]
    edited = edit(ALIASED.encode(), edits)
    assert edited.applied == (edits[1],)
    assert b"<<" not in edited.text


def test_new_items_in_flow_style_stand_as_those_before_them() -> None:
    text = """\
{
  "models": [
    {"name": "a", "columns": [
      {"name": "id"},
      {
        "name": "x"
      }
    ]}
  ]
}
"""
    after = done(text, AddColumn("a", Column("y", "Words")), SetDescription("a", "x", "More"))
    assert (
        after
        == """\
{
  "models": [
    {"name": "a", "columns": [
      {"name": "id"},
      {
        "name": "x",
        "description": "More"
      },
      {"name": "y", "description": "Words"}
    ]}
  ]
}
"""
    )
    commented = "models:\n  - name: a\n    tags: [\n      x, # first\n      y # last\n    ]\n"
    assert "      y, z # last\n" in done(commented, AddTags("a", None, ["z"]))


def test_another_key_that_stands_twice_does_not_matter() -> None:
    text = with_columns("      - name: id\n        meta: {a: 1}\n        meta: {b: 1}\n")
    assert done(text, SetDescription("orders", "id", "x")).count("description: x") == 1
    assert refused(text, AddMeta("orders", "id", {"c": 1})) == "duplicate_key"


def test_a_text_that_is_tagged_as_text_gives_way_with_its_tag() -> None:
    text = with_columns("      - name: id\n        description: !!str 12\n")
    assert "description: x\n" in done(text, SetDescription("orders", "id", "x", replace=True))


# --- what is refused ------------------------------------------------------------------------------------------------


def with_columns(text: str) -> str:
    return "models:\n  - name: orders\n    columns:\n" + text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (with_columns("      - name: id\n        description: ''\n        description: ''\n"), "duplicate_key"),
        (with_columns("      - ? name\n        : id\n"), "complex_key"),
        (with_columns("      - name: id\n        [a, b]: x\n"), "complex_key"),
        (with_columns("      - !!map {name: id}\n"), "flow_style"),
        (with_columns("      - name: id\n        description: &mine\n"), "anchored"),
        (with_columns("      - name: id\n        description: !!null\n"), "tagged"),
        (with_columns("      - name: id\n        description: | # c\n"), "comment_in_value"),
        (with_columns("      - name: id\n        description: [x]\n"), "unexpected_shape"),
        (with_columns("      - name: id\n      - name: id\n"), "ambiguous"),
        (with_columns("      - name: other\n"), "not_found"),
        ("models: {}\n", "not_found"),
        ("models:\n  - name: orders\n    columns: x\n", "unexpected_shape"),
        ("models:\n  - name: orders\nmodels:\n  - name: orders\n    columns: [{name: id}]\n", "duplicate_key"),
        ("models:\n  - name: orders\nseeds:\n  - name: orders\n", "ambiguous"),
        ("- name: orders\n", "not_properties"),
        ("a: b\n---\nc: d\n", "several_documents"),
        ("a: [\n", "not_yaml"),
        ("a: *b\n", "not_yaml"),
        ("a: \x07\n", "not_yaml"),
        ("a: b\rc: d\r", "line_breaks"),
        ("a: " + "[" * 70 + "]" * 70, "nesting"),
        ("a: &a [*a]\n", "not_yaml"),
        (
            "b0: &b0 [x]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "expansion",
        ),
        ("b0: &b0 [x]\n" + "".join(f"b{n}: &b{n} [*b{n - 1}]\n" for n in range(1, 80)), "nesting"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, code: str) -> None:
    assert refused(text, SetDescription("orders", "id", "x")) == code


@pytest.mark.parametrize(
    "text", [with_columns("      -\tname: id\n"), "models:\n\t- name: orders\n", "models:\t- name: x\n"]
)
def test_a_tab_in_the_indentation_is_refused(text: str) -> None:
    assert refused(text, SetDescription("orders", "id", "x")) == "not_yaml"


def test_bytes_that_are_no_utf_8_and_files_beyond_the_bound_are_refused() -> None:
    one = SetDescription("orders", "id", "x")
    assert refused(ORDERS + b"# \xe9\n", one) == "not_utf8"
    assert refused(ORDERS.decode().encode("utf-16"), one) == "not_utf8"
    assert refused(ORDERS + b"#" * MAX_BYTES, one) == "too_large"
    assert refused(ORDERS + b"#" * (MAX_BYTES - len(ORDERS)), one) == "not_proven"


@pytest.mark.parametrize(
    ("text", "one", "code"),
    [
        ("tests: x", AddTests("orders", "id", ["unique"]), "unexpected_shape"),
        ("tests: {a: b}", AddTests("orders", "id", ["unique"]), "unexpected_shape"),
        ("tests: !!seq [a]", AddTests("orders", "id", ["unique"]), "flow_style"),
        ("meta: x", AddMeta("orders", "id", {"a": 1}), "unexpected_shape"),
        ("meta: [x]", AddMeta("orders", "id", {"a": 1}), "unexpected_shape"),
        ("meta: &m", AddMeta("orders", "id", {"a": 1}), "anchored"),
        ("tags: 1", AddTags("orders", "id", ["a"]), "unexpected_shape"),
        ("tags: {a: b}", AddTags("orders", "id", ["a"]), "unexpected_shape"),
        ("data_type: int", AddDataType("orders", "id", "text"), "exists"),
        ("description: x", AddColumn("orders", Column("id", "y", tests=["unique"])), "exists"),
        ("description: x", AddNode("orders", columns=[Column("new"), Column("id", "y")]), "exists"),
        ("quote: true", AddNode("orders", columns=[Column("new"), Column("NEW")]), "ambiguous"),
        ("quote: true", AddNode("ORDERS"), "other_case"),
    ],
)
def test_an_edit_that_does_not_fit_leaves_no_half_of_it(text: str, one: Edit, code: str) -> None:
    assert refused(f"{ORDERS.decode()}        {text}\n", one) == code


def test_a_source_of_another_schema_or_case_is_not_extended() -> None:
    text = "sources:\n  - {name: raw, schema: landing, database: db, tables: [{name: t}]}\n"
    text += "  - name: x\n    schema: '{{ var(1) }}'\n"
    assert refused(text, AddNode(("raw", "u"), schema="other")) == "other_schema"
    assert refused(text, AddNode(("raw", "u"), database="other")) == "other_schema"
    assert refused(text, AddNode(("raw", "t"), schema="other")) == "other_schema"
    assert refused(text, AddNode(("RAW", "u"), schema="landing")) == "other_case"
    assert refused(text, AddNode(("raw", "T"), schema="landing")) == "other_case"
    done(text, AddNode(("raw", "u"), schema="LANDING", database="db"), AddNode(("x", "y"), schema="s"))
    twice = "sources:\n  - name: raw\n  - name: raw\n"
    assert refused(twice, AddNode(("raw", "u"))) == "ambiguous"


def test_what_cannot_be_proven_is_refused_alone_and_the_rest_is_done() -> None:
    text = ORDERS + b"      - name: last\n        description: |\n          a text without a line end"
    edits: list[Edit] = [
        SetDescription("orders", "id", "Fine"),
        AddTests("orders", "last", ["unique"]),
        SetDescription("orders", None, "Fine too"),
    ]
    edited = edit(text, edits)
    assert [refusal.code for refusal in edited.refused] == ["not_proven"]
    assert edited.applied == (edits[0], edits[2])
    assert edited.text.endswith(b"a text without a line end")


# --- what outside text cannot do ------------------------------------------------------------------------------------

HOSTILE = [
    "yes", "No", "on", "OFF", "y", "n", "true", "null", "Null", "~", "", " ", "1e3", "1_000", "0x1F", "0o17",
    "017", "1:30", "2024-01-01", "2024-01-01T00:00:00Z", ".inf", ".nan", "-", "--- a", "...", "? a", "- a",
    "a: b", "a:", ":a", "a #b", "#a", " a", "a ", "\ta", "a\tb", "a\nb", "a\n", "\na", "\n  a", "a\n\n",
    "a\n b", "a\n# b", "a\n---\nb", "a\r\nb", "a\rb", "'", '"', "''", '"a"', "\\", "\\n", "a\\", "[a]",
    "{a}", "a, b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "=", "<<", "\x00", "\x07", "\x1b[31m", "\x7f",
    "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\u202etxt.exe", "\u2066x", "é", "名前", "😀", "👩\u200d💻",
    "\U0010ffff", "\ue000", "a" * 5000, "<script>", "x" * 200 + ": y", "nan",
    "http://x/a#b", "Infinity", "!!python/name:os",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("flow", [False, True])
def test_a_hostile_text_comes_back_as_the_same_text(text: str, flow: bool) -> None:
    before = b"models: [{name: orders, columns: [{name: id}]}]\n" if flow else ORDERS
    edits: list[Edit] = [
        SetDescription("orders", "id", text),
        AddDataType("orders", "id", text),
        AddTags("orders", "id", [text]),
        AddMeta("orders", "id", {"key": text}),
        AddColumn("orders", Column(text)),
    ]
    edited = edit(before, edits)
    column = column_of(edited.text, "id")
    assert column["meta"] == {"key": text}
    if text.strip():
        assert column["description"] == text
    if text.strip() and len(text) <= 512:
        assert (column["data_type"], column["tags"], column_of(edited.text, text)) == (text, [text], {"name": text})
    assert yaml.load(edited.text, Loader=yaml.SafeLoader) == yaml.load(edited.text, Loader=yaml.CSafeLoader)
    written = edited.text.decode()
    assert not [char for char in written if not (char.isprintable() or char == "\n")]


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_whatever_stays_plain_is_read_as_that_text(text: str) -> None:
    if yaml_text.plain_is_safe(text):
        assert yaml.safe_load(f"- {text}\n- a: {text}\n") == [text, {"a": text}]
        assert text[0] not in string.digits + string.punctuation.replace("_", "")


def test_a_text_without_end_is_refused() -> None:
    assert refused(ORDERS, SetDescription("orders", "id", "x" * 20_000)) == "too_long"


def test_half_a_surrogate_pair_is_refused() -> None:
    assert refused(ORDERS, SetDescription("orders", "id", "a\ud800")) == "not_text"
    assert refused(ORDERS, AddColumn("orders", Column("a\udfff"))) == "not_text"
    assert refused(ORDERS, AddMeta("orders", "id", {"a": "\ud800"})) == "not_text"


@pytest.mark.parametrize(
    "text", ["{{ env_var('X') }}", "{% raw %}{{ a }}{% endraw %}", "{# c #}", "{{{{", "a{%%}b", "{{% x %}}"]
)
def test_jinja_in_a_description_is_broken_and_elsewhere_refused(text: str) -> None:
    after = done(ORDERS, SetDescription("orders", "id", text))
    for delimiter in ("{{", "{%", "{#", "}}", "%}", "#}"):
        assert delimiter not in after
    assert column_of(after.encode(), "id")["description"].replace(" ", "") == text.replace(" ", "")
    for one in (
        AddColumn("orders", Column(text)),
        AddNode(text),
        AddNode(("raw", text)),
        AddNode((text, "t")),
        AddNode(("raw", "t"), schema=text),
        AddNode(("raw", "t"), identifier=text),
        AddDataType("orders", "id", text),
        AddTags("orders", "id", [text]),
        AddMeta("orders", "id", {text: 1}),
        AddMeta("orders", "id", {"a": [{"b": text}]}),
        AddTests("orders", "id", [{"accepted_values": {"values": [text]}}]),
    ):
        assert refused(ORDERS, one) == "jinja"


@pytest.mark.parametrize(
    "call", ["env_var('DBT_PASSWORD')", " ref('x')", "source('a', 'b')", "var('x')", "doc('x')", "ENV_VAR ('X')"]
)
def test_a_value_that_dbt_would_call_is_refused(call: str) -> None:
    assert refused(ORDERS, AddTests("orders", "id", [{"accepted_values": {"values": ["a", call]}}])) == "evaluated"
    assert refused(ORDERS, AddTests("orders", "id", [{"dbt_utils.x": {"a": {"b": [call]}}}])) == "evaluated"


@pytest.mark.parametrize(
    "to",
    ["customers", "env_var('X')", "ref(env_var('X'))", "ref('a') ~ var('b')", "ref('a', 'b', 'c')", "ref('a'b')", 3],
)
def test_a_relation_is_a_plain_ref_or_source(to: Any) -> None:
    assert refused(ORDERS, AddTests("orders", "id", [{"relationships": {"to": to, "field": "id"}}])) == "evaluated"


@pytest.mark.parametrize("value", ["a' or 1=1 --", "it's", "a\\", "a\nb", "\x00"])
def test_a_value_cannot_leave_its_quotes_in_the_sql_of_a_test(value: str) -> None:
    assert refused(ORDERS, AddTests("orders", "id", [{"accepted_values": {"values": [value]}}])) == "unsafe_sql"


def test_unquoted_values_are_numbers() -> None:
    assert (
        refused(ORDERS, AddTests("orders", "id", [{"accepted_values": {"values": ["1 or 1"], "quote": False}}]))
        == "unsafe_sql"
    )
    done(ORDERS, AddTests("orders", "id", [{"accepted_values": {"values": [1, 2.5, True], "quote": False}}]))
    done(ORDERS, AddTests("orders", "id", [{"dbt_utils.unique_combination": {"columns": ["a", "b"]}}]))


@pytest.mark.parametrize("name", ["id) or 1=1 --", "a b", 'x" or 1=1 --', "a;b", "", "a-b", "'a'", '"a" or "b"'])
def test_a_column_name_is_not_pasted_into_the_sql_of_a_test(name: str) -> None:
    before = done(ORDERS, AddColumn("orders", Column(name))) if name else ORDERS
    assert refused(before, AddTests("orders", name, ["not_null"])) == ("unsafe_sql" if name else "not_found")
    assert refused(ORDERS, AddColumn("orders", Column(name, tests=["not_null"]))) == ("unsafe_sql" if name else "empty")


@pytest.mark.parametrize(
    ("name", "quote"), [("a b", True), ('"First Name"', False), ("`x`", False), ("a.b$c", False), ("größe", False)]
)
def test_a_name_that_is_safe_in_sql_takes_a_test(name: str, quote: bool) -> None:
    after = done(ORDERS, AddColumn("orders", Column(name, quote=quote, tests=["not_null"])))
    done(after, AddTests("orders", name, ["unique"]))


@pytest.mark.parametrize("name", ['a" or 1=1 --', "a`b", "a]b", "a\\b", "a\nb"])
def test_quotes_of_the_adapter_do_not_help_a_name_that_leaves_them(name: str) -> None:
    assert refused(ORDERS, AddColumn("orders", Column(name, quote=True, tests=["not_null"]))) == "unsafe_sql"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (7, "test_form"),
        ({}, "test_form"),
        ({"a": 1}, "test_form"),
        ({"unique": None, "not_null": None}, "test_form"),
        ("un ique", "test_form"),
        ({"unique": {"arguments": [1]}}, "test_form"),
        ({"unique": {"x": 1}}, "test_form"),
        ({"unique": {"where": "1=1"}}, "test_form"),
        ({"unique": {"config": {"where": "1=1; drop table x"}}}, "unsafe_sql"),
        ({"accepted_values": {"values": []}}, "test_form"),
        ({"accepted_values": {"values": ["a"], "x": 1}}, "test_form"),
        ({"accepted_values": {"values": ["a"], "quote": "no"}}, "test_form"),
        ({"accepted_values": {"values": [["a"]]}}, "test_form"),
        ({"relationships": {"to": "ref('a')"}}, "test_form"),
        ({"relationships": {"to": "ref('a')", "field": 1}}, "test_form"),
        ({"relationships": {"to": "ref('a')", "field": "id) --"}}, "unsafe_sql"),
        ({"dbt_utils.expression_is_true": {"expression": "a = (select 1)"}}, "unsafe_sql"),
        ({"dbt_utils.few": {"a": "b -- c"}}, "unsafe_sql"),
        ({"x": {"a": object()}}, "not_json"),
    ],
)
def test_a_test_of_another_form_is_refused(spec: Any, code: str) -> None:
    assert refused(ORDERS, AddTests("orders", "id", [spec])) == code


def test_a_relation_with_a_quote_in_its_name_is_not_written() -> None:
    assert relation("a") == "ref('a')"
    assert relation(("s", "t")) == "source('s', 't')"
    with pytest.raises(Exception, match="leave its quotes"):
        relation("a', 'b")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "not_json"),
        (float("inf"), "not_json"),
        (b"x", "not_json"),
        ({1: 2}, "not_json"),
        (2**63, "too_long"),
        ("x" * 20_000, "too_long"),
        ([0] * 6_000, "too_long"),
        ({"x" * 600: 1}, "too_long"),
        ({" ": 1}, "empty"),
    ],
)
def test_meta_that_is_no_bounded_json_is_refused(value: Any, code: str) -> None:
    assert refused(ORDERS, AddMeta("orders", "id", {"a": value})) == code


def test_a_value_nested_without_end_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert refused(ORDERS, AddMeta("orders", "id", {"a": loop})) == "too_long"


# --- whole files and dbt's own schemas ------------------------------------------------------------------------------


def whole_file(*, column_meta: bool) -> list[AddNode]:
    meta: dict[str, Any] = {"sensitivity": "high"} if column_meta else {}
    columns = [
        Column("id", "The key", "bigint", ["not_null", "unique"], meta, ["pii"] if column_meta else []),
        Column("kind", "yes", "text", [{"accepted_values": {"values": ["a", "b c", "no"]}}]),
        Column("other_id", None, None, [{"relationships": {"to": relation(("raw", "others")), "field": "id"}}]),
        Column("First Name", "Quoted", quote=True, tests=["not_null"]),
        Column("\u202e{weird}\n", "😀 {{ x }}\nsecond"),
    ]
    return [
        AddNode(
            ("raw", "events"), description="Events", columns=columns, schema="landing", identifier="E1", tags=["t"]
        ),
        AddNode(("raw", "others"), meta={"owner": "x"}, database="db"),
        AddNode("orders", description="Orders", columns=columns, tests=[{"dbt_utils.few": {"n": 1}}], meta={"o": 1}),
        AddNode("countries", kind="seeds", columns=columns[:1], meta={"o": 1}),
        AddNode("history", kind="snapshots", columns=columns[:1], tags=["t"]),
    ]


@pytest.mark.parametrize(
    ("schema", "conventions", "column_meta"),
    [
        ("dbt_yml_files-latest.json", Conventions(), True),
        ("dbt_yml_files-latest-fusion.json", Conventions(column_meta="config"), True),
        ("dbt_yml_files-latest.json", Conventions(column_meta="config"), False),
        ("dbt_yml_files-latest-fusion.json", Conventions(), False),
    ],
)
def test_a_new_file_fits_the_schema_of_dbt(
    data: Path, schema: str, conventions: Conventions, column_meta: bool
) -> None:
    nodes = whole_file(column_meta=column_meta)
    edited = render_new(nodes, conventions=conventions)
    assert edited.refused == ()
    jsonschema.validate(yaml.safe_load(edited.text), json.loads((data / "schemas" / schema).read_text()))
    assert {each.node for each in read(edited.text)} == {node.node for node in nodes}


def test_a_new_file_reads_well() -> None:
    edited = render_new(
        [
            AddNode(("raw", "t"), schema="main", columns=[Column("id", "d", tests=["not_null"]), Column("x")]),
            AddNode("m", meta={"o": 1}),
            AddNode("m2"),
        ]
    )
    assert (
        edited.text.decode()
        == """\
version: 2

sources:
  - name: raw
    schema: main
    tables:
      - name: t
        columns:
          - name: id
            description: d
            data_tests:
              - not_null
          - name: x

models:
  - name: m
    config:
      meta:
        o: 1

  - name: m2
"""
    )


def test_a_new_file_without_a_node_is_empty() -> None:
    assert render_new([AddNode("{{ x }}")]).text == b""
    assert render_new([]) == Edited(b"")


# --- the proof ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meant", "found"),
    [
        ("a: b", ""),
        ("a: b", "a: c"),
        ("a: b", "a: 'b'"),
        ("a: b", "a: [b]"),
        ("a: 1", "a: !!str 1"),
        ("a: &x b", "a: b"),
        ("a: &x b\nc: *x", "a: &x b\nc: b"),
        ("a: &x b\nd: &y b\nc: *x", "a: &x b\nd: &y b\nc: *y"),
        ("a: [b]", "a: [b, c]"),
        ("a: [b]", "a: {b: c}"),
        ("a: {b: c}", "a: [b]"),
        ("a: {b: c, d: e}", "a: {d: e, b: c}"),
        ("a: {b: c}", "a: {b: c, d: e}"),
        ("a: !x {b: c}", "a: {b: c}"),
    ],
)
def test_any_difference_of_content_is_seen(meant: str, found: str) -> None:
    expected, other = yaml_tree.parse(meant.encode()).root, yaml_tree.parse(found.encode()).root
    assert expected is not None
    assert yaml_tree.same(expected, expected)
    assert not yaml_tree.same(expected, other)


# --- size -----------------------------------------------------------------------------------------------------------


def test_a_table_of_two_thousand_columns_is_edited_in_seconds() -> None:
    names = [f"column_{number}" for number in range(2000)]
    text = "models:\n  - name: orders\n    columns:\n" + "".join(f"      - name: {name}\n" for name in names)
    edits: list[Edit] = []
    for name in names:
        edits += [
            SetDescription("orders", name, "words"),
            AddTests("orders", name, ["not_null"]),
            AddMeta("orders", name, {"a": 1}),
        ]
        edits.append(AddColumn("orders", Column(f"new_{name}", "words", tests=["unique"])))
    started = time.process_time()
    edited = edit(text.encode(), edits)
    assert time.process_time() - started < seconds(10)
    assert len(edited.applied) == 8000


def test_a_chain_of_merge_keys_does_not_exhaust_the_stack() -> None:
    text = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 500))
    assert refused(text + "models: []\n", AddNode("m")) == "nesting"


def test_reading_stops_at_the_bound_of_depth() -> None:
    with pytest.raises(yaml_tree.Unreadable) as caught:
        yaml_tree.parse(b"[" * 1_000_000)
    assert caught.value.code == "nesting"


ORDERED = b"""models:
  - name: m
    columns:
      # keys first
      - name: b
        data_tests: [unique, not_null]

      # what it costs
      - name: d
        description: |+
          Cost.

      - name: f
        data_tests: [not_null]  # by hand
"""


def added(name: str, after: str | None) -> AddColumn:
    return AddColumn("m", Column(name), after)


def test_a_column_goes_where_it_belongs():
    edits = [added("a", ""), added("c", "b"), added("c2", "c"), added("e", "d"), added("g", "f"), added("h", "gone")]
    result = edit(ORDERED, edits)
    assert (result.refused, len(result.applied)) == ((), 6)
    names = re.findall(r"- name: (\S+)", result.text.decode())
    assert names == ["m", "a", "b", "c", "c2", "d", "e", "f", "g", "h"]
    lines = result.text.decode().splitlines()
    assert [line for line in ORDERED.decode().splitlines() if line not in lines] == []
    assert lines[lines.index("      # what it costs") + 1] == "      - name: d"


def test_a_short_list_makes_way_where_a_test_needs_lines_of_its_own():
    test = {"relationships": {"to": "ref('x')", "field": "id"}}
    result = edit(ORDERED, [AddTests("m", "b", [test]), AddTests("m", "f", [test])])
    text = result.text.decode()
    assert "        data_tests:\n          - unique\n          - not_null\n          - relationships:\n" in text
    assert "        data_tests: [not_null, {relationships:" in text  # a comment follows, so the line stays
    assert len(result.applied) == 2
