"""Whatever the front matter holds, a change sets the one value or refuses, and every other byte stays."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.core.errors import Refused
from twokey.tools.local_tickets.files import Unreadable
from twokey.tools.local_tickets.markdown import MarkdownTicket

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAMES = (
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=10).map(str.strip).filter(bool)
)
FRONTS = st.fixed_dictionaries(
    {
        "title": NAMES,
        "labels": st.lists(NAMES, max_size=4, unique=True),
        "note": TEXTS | st.none() | st.lists(TEXTS, max_size=3),
    }
)


def parsed(content: bytes) -> dict[str, Any]:
    return MarkdownTicket(content).record.fields


@settings(max_examples=60, deadline=None)
@given(
    front=FRONTS,
    flow=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    body=TEXTS,
    labels=st.lists(NAMES, max_size=3, unique=True),
)
def test_a_change_of_a_list_changes_the_list_alone(
    front: dict[str, Any],
    flow: bool,
    newline: str,
    body: str,
    labels: list[str],
) -> None:
    head = yaml.safe_dump(front, default_flow_style=None if flow else False, allow_unicode=True, width=60)
    before = f"---\n{head}---\n{body}".replace("\n", newline).encode()
    try:
        file = MarkdownTicket(before)
    except Unreadable:
        return  # a text that YAML folds into something else, or a body that is none
    try:
        after = file.setting("labels", tuple(labels))
    except Refused:
        return
    assert parsed(after) == parsed(before) | {"labels": tuple(labels)}
    assert after.endswith(body.replace("\n", newline).encode())
    start = before.index(b"labels:")
    assert after[:start] == before[:start]
    rest = before[before.index(b"note:") :]
    assert after.endswith(rest)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=80) | st.text(max_size=80).map(lambda text: f"---\n{text}\n---\n".encode()))
def test_any_bytes_are_a_ticket_or_none(content: bytes) -> None:
    reason, names = "", list[str]()
    try:
        names = [*MarkdownTicket(content).record.fields]
    except Unreadable as error:
        reason = error.reason
    assert reason in {"", "binary", "not_text", "malformed"}
    assert not (reason and names)


@pytest.mark.parametrize(
    ("front", "kept"),
    [("reason: done\n", ""), ("a: b\nreason: done  \nc: d\n", "a: b\nc: d\n")],
)
def test_a_line_is_taken_out_whole(front: str, kept: str) -> None:
    file = MarkdownTicket(f"---\ntitle: x\n{front}---\n".encode())
    assert file.without("reason") == f"---\ntitle: x\n{kept}---\n".encode()


@pytest.mark.parametrize("front", ["reason: done # why\n", "reason:\n- done\n", "reason: >\n  done\n  twice\n"])
def test_a_line_that_holds_more_is_not_taken_out(front: str) -> None:
    with pytest.raises(Refused):
        MarkdownTicket(f"---\ntitle: x\n{front}---\n".encode()).without("reason")
