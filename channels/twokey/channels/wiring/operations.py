"""What the ops review of a workspace is compared with: the operations file that its settings name."""

from pathlib import Path
from typing import TYPE_CHECKING

from twokey.core.settings import Settings

if TYPE_CHECKING:
    from twokey.agents.incident.operations.book import Book


def book_of(folder: Path, config: Settings) -> "Book | None":
    """Read the operations file; ``None`` where the settings name none. Raises ``BadInput`` where it cannot be used."""
    if not config.operations.file:
        return None
    from twokey.agents.incident.operations import book  # noqa: PLC0415 - comes in where there is one

    return book.load(folder / config.operations.file)
