"""``search_runbooks``: read-only answers about a folder of Markdown. See ``tool`` for the rules."""

from twokey.tools.read.runbooks.tool import SearchRunbooks
from twokey.tools.read.runbooks.values import (
    Document,
    DocumentsRequest,
    DocumentsResult,
    Fact,
    FoundSection,
    RunbooksArgs,
    RunbooksResult,
    Searched,
    SearchRequest,
    SearchResult,
    Unread,
)

__all__ = [
    "Document",
    "DocumentsRequest",
    "DocumentsResult",
    "Fact",
    "FoundSection",
    "RunbooksArgs",
    "RunbooksResult",
    "SearchRequest",
    "SearchResult",
    "SearchRunbooks",
    "Searched",
    "Unread",
]
