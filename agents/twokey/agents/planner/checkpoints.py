"""Seals what LangGraph keeps of a run, and refuses what does not bear its seal.

Storage is the library's own saver; this one stands before it and promises:

- every checkpoint and every pending write carries an HMAC-SHA256 (RFC 2104) over where it belongs (thread, namespace,
  checkpoint, parent; for a write also task, channel and index) and all it says, so a row that was edited, added, or
  copied from another place is refused with ``checkpoint_tampered`` before the graph sees any of it;
- the seal is over a canonical form of the values and not over a database's bytes, because savers split, reorder and
  inline what they are given; a value that has no such form (anything but plain JSON without floats) is not kept;
- a checkpoint or a write above ``MAX_BYTES`` is refused: the state of a run is ids and counters, never content;
- of a step that failed only the code of its error is kept, since an error's text may quote what was read;
- what a finished step wrote is stored once, in the checkpoint that follows. Until then a crash repeats the step, which
  every step of the planner allows; a pause is stored at once. So no step is ever half recorded.

What a seal cannot show is that newer rows were removed: an older checkpoint of a run is as genuine as its latest. That
does no harm, because the graph has no authority: a run that was set back reads again, finds the proposal that it made
before, and asks the desk where that stands. Nothing is written twice and no approval is asked for again.
"""

import hmac
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import ERROR

from twokey.core import canonical
from twokey.core.canonical import Json, NotCanonicalError
from twokey.core.errors import CheckFailed, TwokeyError

MAX_BYTES: Final = 64 * 1024
"""How large a checkpoint or a write may be in its canonical form, in bytes; the planner's have about 2,000."""

KEY_BYTES: Final = 32

SEAL: Final = "twokey_seal"
"""The key of a checkpoint's metadata that holds its seal."""

NO_TASK: Final = "00000000-0000-0000-0000-000000000000"
"""The task under which LangGraph stores what came with an invocation and not from a step."""

_UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, NotImplementedError, RecursionError)
"""What savers and serialisers raise at rows that they did not write."""


def serializer() -> JsonPlusSerializer:
    """Give the serialiser of checkpoints: plain values only; a row that names a class is not brought to life."""
    return JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)


class SealedSaver(BaseCheckpointSaver[str]):
    """A saver that seals what it gives to ``kept`` and checks what comes back."""

    def __init__(self, kept: BaseCheckpointSaver[str], key: bytes) -> None:
        """``key`` has 32 bytes and lies outside the database of ``kept``."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key of a seal has {KEY_BYTES} bytes")
        super().__init__(serde=kept.serde)
        self._kept = kept
        self._key = key

    # -- keeping ----------------------------------------------------------------------------------------------

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint under its seal.

        Raises:
            CheckFailed: it is larger than ``MAX_BYTES``, or holds what is not plain.

        """
        described = cast("dict[str, Any]", get_serializable_checkpoint_metadata(config, metadata))
        where = _where(config, checkpoint["id"])
        try:
            body = _checkpoint_form(where, _parent(config), checkpoint, described)
        except NotCanonicalError as error:
            raise CheckFailed(
                f"Run {where['thread']} was to keep something in its state that is not plain JSON.",
                next="Start the request again; report it if it happens twice.",
                code="checkpoint_not_plain",
            ) from error
        _small(where, body)
        sealed = cast("CheckpointMetadata", {**described, SEAL: self._seal("checkpoint", body)})
        return self._kept.put(config, checkpoint, sealed, new_versions)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a pause needs, each write under its seal.

        Raises:
            CheckFailed: one is larger than ``MAX_BYTES``.

        """
        where = _where(config, str(_place(config)["checkpoint_id"]))
        sealed = [
            (channel, self._closed(where, task_id, channel, WRITES_IDX_MAP.get(channel, index), value))
            for index, (channel, value) in enumerate(writes)
        ]
        kept = [write for write in sealed if task_id == NO_TASK or write[0] in WRITES_IDX_MAP]
        if kept:
            self._kept.put_writes(config, kept, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Remove all that is kept of one run."""
        self._kept.delete_thread(thread_id)

    # -- reading ----------------------------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint with its pending writes.

        Raises:
            CheckFailed: one of the rows does not bear its seal (``checkpoint_tampered``).

        """
        with _reading(config):
            found = self._kept.get_tuple(config)
            return None if found is None else self._opened(found)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the library's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Read checkpoints, newest first; raises ``CheckFailed`` as ``get_tuple`` does."""
        with _reading(config):
            stored = [*self._kept.list(config, filter=filter, before=before, limit=limit)]
            found = [self._opened(each) for each in stored]
        yield from found

    # -- what the library asks of a saver ---------------------------------------------------------------------

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Count versions as the saver that keeps them does."""
        return self._kept.get_next_version(current, channel)

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> "SealedSaver":
        """Allow no further types: the state is plain."""
        del extra_allowlist
        return self

    # -- seals ------------------------------------------------------------------------------------------------

    def _seal(self, kind: str, body: bytes) -> str:
        return hmac.digest(self._key, f"twokey/{kind}-seal/v1\n".encode() + body, "sha256").hex()

    def _holds(self, kind: str, body: bytes, seal: object) -> bool:
        return isinstance(seal, str) and hmac.compare_digest(self._seal(kind, body).encode(), seal.encode())

    def _opened(self, found: CheckpointTuple) -> CheckpointTuple:
        metadata = cast("dict[str, Any]", dict(found.metadata))
        seal = metadata.pop(SEAL, None)
        where = _where(found.config, str(_place(found.config)["checkpoint_id"]))
        parent = None if found.parent_config is None else _parent(found.parent_config)
        if not self._holds("checkpoint", _checkpoint_form(where, parent, found.checkpoint, metadata), seal):
            raise ValueError("the checkpoint does not bear its seal")
        writes = None if found.pending_writes is None else self._opened_writes(where, found.pending_writes)
        return found._replace(metadata=cast("CheckpointMetadata", metadata), pending_writes=writes)

    def _closed(self, where: dict[str, str], task: str, channel: str, index: int, value: Any) -> bytes:
        kind, data = self.serde.dumps_typed(_error_code(value) if channel == ERROR else value)
        said = {"index": index, "type": kind, "value": data.hex()}
        body = _small(where, _write_form(where, task, channel, said))
        return canonical.encode({**said, "seal": self._seal("write", body)})

    def _opened_writes(self, where: dict[str, str], stored: Sequence[PendingWrite]) -> "list[PendingWrite]":
        """Open the writes of one checkpoint; each index of a task occurs once, in order."""
        opened: list[PendingWrite] = []
        last: dict[str, int] = {}
        for task, channel, value in stored:
            said = dict(cast("dict[str, Any]", canonical.decode(value)))
            seal, index = said.pop("seal"), said["index"]
            if not self._holds("write", _write_form(where, task, channel, said), seal):
                raise ValueError("the write does not bear its seal")
            if index <= last.get(task, index - 1):
                raise ValueError("the write is there twice")
            last[task] = index
            opened.append((task, channel, self.serde.loads_typed((said["type"], bytes.fromhex(said["value"])))))
        return opened


def _place(config: RunnableConfig) -> dict[str, Any]:
    return config.get("configurable", {})


def _where(config: RunnableConfig, checkpoint: str) -> dict[str, str]:
    place = _place(config)
    return {"thread": str(place["thread_id"]), "namespace": str(place.get("checkpoint_ns", "")), "id": checkpoint}


def _parent(config: RunnableConfig) -> str | None:
    """Give the id of the checkpoint that a configuration names: the parent of one that is put with it."""
    return _place(config).get("checkpoint_id") or None


def _checkpoint_form(
    where: dict[str, str], parent: str | None, checkpoint: Checkpoint, metadata: dict[str, Any]
) -> bytes:
    form: dict[str, Json] = {
        **where,
        "parent": parent,
        "checkpoint": cast("dict[str, Json]", checkpoint),
        "metadata": metadata,
    }
    return canonical.encode(form)


def _write_form(where: dict[str, str], task: str, channel: str, said: dict[str, Any]) -> bytes:
    return canonical.encode({**where, "task": task, "channel": channel, "said": said})


def _small(where: dict[str, str], body: bytes) -> bytes:
    if len(body) > MAX_BYTES:
        raise CheckFailed(
            f"Run {where['thread']} was to keep {len(body):,} bytes in its state; {MAX_BYTES:,} are allowed.",
            next="Ask for less at once; report it if a small request does this.",
            code="checkpoint_too_large",
        )
    return body


def _error_code(error: object) -> str:
    return error.code if isinstance(error, TwokeyError) else type(error).__name__


@contextmanager
def _reading(config: RunnableConfig | None) -> Generator[None]:
    try:
        yield
    except _UNREADABLE as error:
        run = str(_place(config or {}).get("thread_id", ""))
        raise CheckFailed(
            f"The stored state of run {run} is not as Twokey left it: something else has changed it.",
            next="Ask again; what the run proposed can still be decided. Treat the database as tampered with.",
            code="checkpoint_tampered",
        ) from error
