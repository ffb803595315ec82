"""Where indexes of texts are kept, said without bringing in what it takes to make one."""

from dataclasses import dataclass
from pathlib import Path

from twokey.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where indexes are kept: a folder, and what seals them, if anything does."""

    folder: Path
    sealer: Sealer | None = None
