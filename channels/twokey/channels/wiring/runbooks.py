"""Puts the tool for runbooks in front of this workspace's repositories, its index and its model."""

from typing import TYPE_CHECKING

from twokey.tools.forges import Forges
from twokey.tools.read.runbooks import SearchRunbooks
from twokey.tools.registry import Registry

if TYPE_CHECKING:
    from twokey.tools.retrieval.meaning import Embeddings
    from twokey.tools.retrieval.shelf import Shelf


def with_runbooks(tools: Registry, forges: Forges, indexes: "Shelf", embeddings: "Embeddings | None") -> Registry:
    """Give ``tools`` with Twokey's own tool for runbooks put in front of these; plugins stay as they are."""
    return Registry(
        SearchRunbooks(forges.open, indexes, embeddings=embeddings) if type(tool) is SearchRunbooks else tool
        for tool in tools.all()
    )
