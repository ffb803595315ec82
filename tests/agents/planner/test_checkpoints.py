"""Sealed checkpoints: what comes back is what was kept, under the key that kept it, or it is refused. Both databases."""

from collections.abc import Callable
from itertools import count
from typing import Any

import ormsgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, empty_checkpoint
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from support.checkpoints import KEY, Kept, Small, kept_at, small_graph

from twokey.agents.planner.checkpoints import MAX_BYTES, NO_TASK, SEAL, SealedSaver
from twokey.core.errors import CheckFailed, Refused


@pytest.fixture
def kept(database_url: str) -> Kept:
    return kept_at(database_url)


def at(thread: str, **more: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": "", **more}}


def pause(kept: Kept, thread: str = "one") -> str:
    """Bring a run to its pause; gives the interrupt's id."""
    with kept.sealed() as saver:
        output = small_graph(saver).invoke({"count": 1}, at(thread), durability="sync", version="v2")
    (waiting,) = output.interrupts
    return waiting.id


def latest(kept: Kept, thread: str = "one", key: bytes = KEY) -> CheckpointTuple:
    with kept.sealed(key) as saver:
        found = saver.get_tuple(at(thread))
    assert found is not None
    return found


def refused(kept: Kept, thread: str = "one", key: bytes = KEY) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        latest(kept, thread, key)
    assert caught.value.code == "checkpoint_tampered"
    assert caught.value.exit_code == 1
    return caught.value


def test_a_run_pauses_and_goes_on_over_sealed_rows(kept: Kept):
    waiting = pause(kept)
    found = latest(kept)
    assert SEAL not in found.metadata
    assert found.checkpoint["channel_values"]["items"] == ["a", "b"]
    assert found.checkpoint["channel_values"]["table"] == {"a": True, "b": [1, None]}
    assert [(channel, value[0].id) for _, channel, value in found.pending_writes or ()] == [("__interrupt__", waiting)]
    with kept.sealed() as saver:
        resume: Any = Command(resume={waiting: "yes"})
        output = small_graph(saver).invoke(resume, at("one"), durability="sync", version="v2")
        assert output.value == {"count": 2, "word": "yes", "items": ["a", "b"], "table": {"a": True, "b": [1, None]}}
        history = list(saver.list(at("one")))
    assert [found.metadata.get("step") for found in history] == [2, 1, 0, -1]
    assert history[0].parent_config == at("one", checkpoint_id=history[1].checkpoint["id"])


def test_another_key_opens_nothing(kept: Kept):
    pause(kept)
    error = refused(kept, key=bytes(32))
    assert "Traceback" not in error.message
    assert "run one" in error.message
    with kept.sealed(bytes(32)) as saver, pytest.raises(CheckFailed) as caught:
        list(saver.list(at("one")))
    assert caught.value.code == "checkpoint_tampered"


def test_what_another_program_kept_is_refused(kept: Kept):
    with kept.raw() as saver:
        small_graph(saver).invoke({"count": 1}, at("one"), durability="sync")
    refused(kept)


# -- rows of checkpoints ------------------------------------------------------------------------------------------

ROW = "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"


def newest(kept: Kept, thread: str = "one") -> str:
    return str(kept.run("SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?", thread)[0][0])


def oldest(kept: Kept, thread: str = "one") -> str:
    return str(kept.run("SELECT min(checkpoint_id) FROM checkpoints WHERE thread_id = ?", thread)[0][0])


def copied(kept: Kept, source: str, checkpoint: str, thread: str, identifier: str) -> None:
    """Copy a row of a checkpoint to another place."""
    kept.run(
        f"INSERT INTO checkpoints ({ROW}) SELECT ?, checkpoint_ns, ?, parent_checkpoint_id, type, checkpoint, metadata "
        "FROM checkpoints WHERE thread_id = ? AND checkpoint_id = ?",
        thread,
        identifier,
        source,
        checkpoint,
    )


def rewritten(kept: Kept, change: Callable[[Any], None]) -> None:
    """Read the newest checkpoint with the library's saver, change it, and put it back under its old seal."""
    with kept.raw() as saver:
        found = saver.get_tuple(at("one"))
        assert found is not None
        change(found)
        parent = found.parent_config or at("one")
        saver.put(parent, found.checkpoint, found.metadata, found.checkpoint["channel_versions"])


def another_value(found: CheckpointTuple) -> None:
    found.checkpoint["channel_values"]["count"] = 7


def another_channel(found: CheckpointTuple) -> None:
    found.checkpoint["channel_values"]["approved"] = True


def another_branch(found: CheckpointTuple) -> None:
    found.checkpoint["versions_seen"]["ask"] = dict(found.checkpoint["channel_versions"])


def another_time(found: CheckpointTuple) -> None:
    found.checkpoint["ts"] = "2026-01-01T00:00:00+00:00"


def another_step(found: CheckpointTuple) -> None:
    found.metadata["step"] = 5


def more_metadata(found: Any) -> None:
    found.metadata["by"] = "sam"


@pytest.mark.parametrize(
    "change", [another_value, another_channel, another_branch, another_time, another_step, more_metadata]
)
def test_an_edited_checkpoint_is_refused(kept: Kept, change: Callable[[Any], None]):
    pause(kept)
    rewritten(kept, change)
    refused(kept)


def test_an_edited_parent_is_refused(kept: Kept):
    pause(kept)
    kept.run("UPDATE checkpoints SET parent_checkpoint_id = ? WHERE checkpoint_id = ?", oldest(kept), newest(kept))
    refused(kept)


def test_a_checkpoint_without_a_seal_is_refused(kept: Kept):
    pause(kept)
    empty: Any = b"{}" if kept.sqlite else "{}"
    kept.run("UPDATE checkpoints SET metadata = ? WHERE checkpoint_id = ?", empty, newest(kept))
    refused(kept)


def test_a_checkpoint_of_another_run_is_refused(kept: Kept):
    pause(kept)
    pause(kept, "two")
    copied(kept, "two", newest(kept, "two"), "one", newest(kept, "two"))
    refused(kept)
    latest(kept, "two")


def test_a_checkpoint_under_a_newer_id_is_refused(kept: Kept):
    pause(kept)
    copied(kept, "one", oldest(kept), "one", f"2{newest(kept)[1:]}")
    refused(kept)


def test_a_checkpoint_in_another_namespace_is_refused(kept: Kept):
    pause(kept)
    kept.run("UPDATE checkpoints SET checkpoint_ns = 'sub' WHERE checkpoint_id = ?", newest(kept))
    with kept.sealed() as saver, pytest.raises(CheckFailed) as caught:
        saver.get_tuple({"configurable": {"thread_id": "one", "checkpoint_ns": "sub"}})
    assert caught.value.code == "checkpoint_tampered"


@pytest.mark.postgresql
def test_an_edited_or_exchanged_blob_is_refused(postgresql_url: str):
    kept = kept_at(postgresql_url)
    pause(kept)
    kept.run("UPDATE checkpoint_blobs SET blob = ? WHERE channel = 'items'", ormsgpack.packb(["a", "b", "c"]))
    refused(kept)
    kept.run("UPDATE checkpoint_blobs SET blob = ? WHERE channel = 'items'", ormsgpack.packb(["a", "b"]))
    latest(kept)
    kept.run("DELETE FROM checkpoint_blobs WHERE channel = 'table'")
    refused(kept)


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x93\x01", ormsgpack.packb([1]), ormsgpack.packb({"v": 4})])
def test_bytes_that_mean_nothing_are_refused(tmp_path: Any, junk: bytes):
    kept = Kept(str(tmp_path / "checkpoints.db"))
    pause(kept)
    kept.run("UPDATE checkpoints SET checkpoint = ?", junk)
    refused(kept)


@pytest.mark.parametrize(
    ("column", "junk"),
    [
        ("checkpoint", "text"),
        ("checkpoint", 5),
        ("type", "pickle"),
        ("type", None),
        ("metadata", b"{"),
        ("metadata", None),
    ],
)
def test_columns_of_another_type_are_refused(tmp_path: Any, column: str, junk: Any):
    kept = Kept(str(tmp_path / "checkpoints.db"))
    pause(kept)
    kept.run(f"UPDATE checkpoints SET {column} = ?", junk)
    refused(kept)


# -- rows of pending writes ---------------------------------------------------------------------------------------


def test_an_edited_write_is_refused(kept: Kept):
    pause(kept)
    ((value,),) = kept.run(f"SELECT {kept.value} FROM {kept.writes}")
    for changed in (bytes(value).replace(b'"index":-3', b'"index":-4'), bytes(value)[:-9] + b'00000000"}', b"", b"[]"):
        kept.run(f"UPDATE {kept.writes} SET {kept.value} = ?", changed)
        refused(kept)
    kept.run(f"UPDATE {kept.writes} SET {kept.value} = ?", value)
    latest(kept)


@pytest.mark.parametrize("column", ["task_id", "channel", "type"])
def test_a_write_of_another_task_channel_or_type_is_refused(kept: Kept, column: str):
    pause(kept)
    kept.run(
        f"UPDATE {kept.writes} SET {column} = ?", {"channel": "__resume__", "type": "msgpack"}.get(column, NO_TASK)
    )
    refused(kept)


def test_a_write_of_another_run_or_checkpoint_is_refused(kept: Kept):
    pause(kept)
    pause(kept, "two")
    kept.run(f"DELETE FROM {kept.writes} WHERE thread_id = 'one'")
    kept.run(f"UPDATE {kept.writes} SET thread_id = 'one', checkpoint_id = ?", newest(kept))
    refused(kept)
    kept.run(f"UPDATE {kept.writes} SET thread_id = 'two', checkpoint_id = ?", oldest(kept, "two"))
    with kept.sealed() as saver, pytest.raises(CheckFailed):
        saver.get_tuple(at("two", checkpoint_id=oldest(kept, "two")))


def test_an_added_write_is_refused(kept: Kept):
    """The one that would matter most: an answer to the pause, from somebody who has the database and not the key."""
    pause(kept)
    (task,) = {write[0] for write in latest(kept).pending_writes or ()}
    with kept.raw() as saver:
        saver.put_writes(at("one", checkpoint_id=newest(kept)), [("__resume__", ["yes"])], task)
    refused(kept)


def test_a_write_that_is_there_twice_is_refused(kept: Kept):
    pause(kept)
    rest = f"checkpoint_id, task_id, channel, type, {kept.value}"
    kept.run(
        f"INSERT INTO {kept.writes} (thread_id, checkpoint_ns, idx, {rest}) "
        f"SELECT thread_id, checkpoint_ns, 3, {rest} FROM {kept.writes}"
    )
    refused(kept)


# -- what is kept -------------------------------------------------------------------------------------------------


def put(saver: SealedSaver, values: dict[str, Any], thread: str = "one") -> RunnableConfig:
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = values
    checkpoint["channel_versions"] = {name: saver.get_next_version(None, None) for name in values}
    return saver.put(at(thread), checkpoint, {"source": "loop", "step": 0}, checkpoint["channel_versions"])


THREADS = count()

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_:0", max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(values=st.dictionaries(st.text("abc", min_size=1, max_size=4), plain, max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_plain_value_comes_back_under_its_seal(kept: Kept, values: dict[str, Any]):
    """Databases reorder keys, split values and write numbers in their own way; the seal holds all the same."""
    # A thread of its own: hypothesis seeds the random numbers that make versions unique.
    with kept.sealed() as saver:
        found = saver.get_tuple(put(saver, values, thread=f"t-{next(THREADS)}"))
    assert found is not None
    assert found.checkpoint["channel_values"] == values


def test_a_checkpoint_that_grew_too_large_is_not_kept(kept: Kept):
    with kept.sealed() as saver:
        put(saver, {"text": "x" * (MAX_BYTES - 1000)})
        before = saver.get_tuple(at("one"))
        with pytest.raises(CheckFailed) as caught:
            put(saver, {"text": "x" * MAX_BYTES})
        assert caught.value.code == "checkpoint_too_large"
        assert saver.get_tuple(at("one")) == before


def test_a_write_that_grew_too_large_is_not_kept(kept: Kept):
    pause(kept)
    with kept.sealed() as saver:
        where = at("one", checkpoint_id=newest(kept))
        for channel in ("__resume__", "items"):
            with pytest.raises(CheckFailed) as caught:
                saver.put_writes(where, [(channel, "x" * MAX_BYTES)], "task")
            assert caught.value.code == "checkpoint_too_large"
    assert len(latest(kept).pending_writes or ()) == 1


def test_a_step_cannot_smuggle_content_into_the_state(kept: Kept):
    def hoard(state: Small) -> Small:
        del state
        return {"word": "x" * MAX_BYTES}

    graph: StateGraph[Small, None, Small, Small] = StateGraph(Small)
    graph.add_node("hoard", hoard)
    graph.add_edge(START, "hoard")
    with kept.sealed() as saver, pytest.raises(CheckFailed) as caught:
        graph.compile(checkpointer=saver).invoke({"count": 1}, at("one"), durability="sync")
    assert caught.value.code == "checkpoint_too_large"


@pytest.mark.parametrize("value", [1.5, {"a": {1}}, b"bytes", {1: "a"}, object(), 2**60])
def test_what_is_not_plain_is_not_kept(tmp_path: Any, value: Any):
    kept = Kept(str(tmp_path / "checkpoints.db"))
    with kept.sealed() as saver, pytest.raises(CheckFailed) as caught:
        put(saver, {"value": value})
    assert caught.value.code == "checkpoint_not_plain"


@pytest.mark.parametrize(
    ("error", "left"),
    [(ValueError("4,981 of p1@example.com"), "ValueError"), (Refused("No.", next="Ask.", code="denied"), "denied")],
)
def test_of_an_error_only_its_code_is_kept(kept: Kept, error: Exception, left: str):
    def fail(state: Small) -> Small:
        del state
        raise error

    graph: StateGraph[Small, None, Small, Small] = StateGraph(Small)
    graph.add_node("fail", fail)
    graph.add_edge(START, "fail")
    with kept.sealed() as saver:
        with pytest.raises(type(error)):
            graph.compile(checkpointer=saver).invoke({"count": 1}, at("one"), durability="sync")
        found = saver.get_tuple(at("one"))
    assert found is not None
    assert [write[1:] for write in found.pending_writes or ()] == [("__error__", left)]
    ((value,),) = kept.run(f"SELECT {kept.value} FROM {kept.writes}")
    assert b"p1@" not in bytes(value)
    assert b"p1@".hex().encode() not in bytes(value)


def test_what_came_with_an_invocation_is_kept_and_what_a_step_wrote_is_not(kept: Kept):
    pause(kept)
    with kept.sealed() as saver:
        where = at("one", checkpoint_id=newest(kept))
        saver.put_writes(where, [("word", "a"), ("count", 3)], NO_TASK)
        saver.put_writes(where, [("word", "a")], "task")
    writes = latest(kept).pending_writes or []
    assert [write for write in writes if write[1] in {"word", "count"}] == [
        (NO_TASK, "word", "a"),
        (NO_TASK, "count", 3),
    ]
    kept.run(f"UPDATE {kept.writes} SET idx = 9 WHERE channel = 'word'")  # another order
    refused(kept)


def test_a_thread_is_removed_whole(kept: Kept):
    pause(kept)
    pause(kept, "two")
    with kept.sealed() as saver:
        saver.delete_thread("one")
        assert saver.get_tuple(at("one")) is None
        assert list(saver.list(at("one"))) == []
    assert {thread for (thread,) in kept.run(f"SELECT thread_id FROM {kept.writes}")} == {"two"}
    latest(kept, "two")


def test_no_type_is_ever_allowed(kept: Kept):
    with kept.sealed() as saver:
        assert saver.with_allowlist({("os", "mkdir")}) is saver


def test_a_key_has_32_bytes(kept: Kept):
    with kept.raw() as saver, pytest.raises(ValueError, match="32 bytes"):
        SealedSaver(saver, b"short")
