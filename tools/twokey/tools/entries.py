"""Entries of the log as people name and list them.

Rules: a number is looked up in an index, so what it leads to is proven, and refused where it was logged under another
number; a list of entries is that index, to be shown and no authority.
"""

import re
from collections.abc import Iterable
from typing import Final

from twokey.audit.entry import Entry
from twokey.audit.proof import InclusionProof
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import BadInput, CheckFailed, NotFound
from twokey.core.values import ID_ALPHABET
from twokey.tools.ledger import Ledger

_NAME: Final = re.compile(rf"l-[{ID_ALPHABET}]{{12}}|[0-9]{{1,16}}")


def is_name(text: str) -> bool:
    """Tell whether a text names an entry: by its id, or by its number."""
    return _NAME.fullmatch(text) is not None


def prove(ledger: Ledger, name: str) -> InclusionProof:
    """Give the entry of that id or number with what shows an outsider that it is in the log.

    Raises:
        BadInput: that names no entry.
        NotFound: there is no such entry.
        CheckFailed: it is not what was logged there, or not covered by a signed checkpoint.

    """
    if not is_name(name):
        raise BadInput(f"{name[:40]!r} names no entry.", next="Give its id or its number: `twokey audit show`.")
    if not name.isdigit():
        return ledger.log.proof(name)
    number = int(name)
    found = ledger.log.entries(after=number - 1, limit=1) if number <= MAX_INTEGER else ()
    if not found or found[0].seq != number:
        raise NotFound(f"The log has no entry {number}.", next="`twokey audit show` lists them.")
    shown = ledger.log.proof(found[0].entry.id)
    if shown.index != number:
        raise CheckFailed(f"Entry {number} is not what was logged there.", next="Run `twokey audit verify`.")
    return shown


def about(ledger: Ledger, subjects: Iterable[str], *, after: int = -1, limit: int) -> list[tuple[int, Entry]]:
    """Give entries about several things with their numbers, in order, from the one after ``after``."""
    found = [
        (item.seq, item.entry) for subject in subjects for item in ledger.log.entries(subject, after=after, limit=limit)
    ]
    return sorted(found, key=lambda item: item[0])[:limit]
