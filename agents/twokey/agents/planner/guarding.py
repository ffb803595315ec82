"""Keeps a driver that lost its run from writing checkpoints of it.

Rules: before a checkpoint or a task's result is written, the driver's lease has to be good; reading is not held up.
Nothing else changes: what is stored, and how, is up to the saver behind it. (A process that is stopped for longer than
a lease between the check and the write can still leave a stale checkpoint; steps then repeat, and every change that a
step makes is fenced in its own transaction.)
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)


class GuardedSaver(BaseCheckpointSaver[str]):
    """A saver that asks before it writes."""

    def __init__(self, saver: BaseCheckpointSaver[str], check: Callable[[], None]) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver
        self._check = check

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint."""
        return self._saver.get_tuple(config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the saver's own word
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints."""
        return self._saver.list(config, filter=filter, before=before, limit=limit)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint; raises ``LeaseLost`` instead where the run is driven by somebody else."""
        self._check()
        return self._saver.put(config, checkpoint, metadata, new_versions)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Write a task's result; raises ``LeaseLost`` instead where the run is driven by somebody else."""
        self._check()
        self._saver.put_writes(config, writes, task_id, task_path)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Number the next version of a channel as the saver behind this one does."""
        return self._saver.get_next_version(current, channel)
