"""Understands the question what breaks if a table or column changes.

Rules: the question has a fixed form, so that nothing else is taken for it; the name in it is a filter like any other,
compared with what is known and never run.
"""

import re
from typing import Final

from twokey.agents.planner.meaning import Known, Understood

_WORD: Final = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_NAME: Final = rf"(?:the )?(?:column |table |field |model )?[`'\"]?({_WORD}(?:\.{_WORD}){{0,3}})[`'\"]?"
_CHANGES: Final = r"(?:changes?|(?:is|are) (?:changed|renamed|removed|dropped|deleted)|goes away|disappears?)"
_ASKS: Final = r"(?:breaks|would break|is affected|would be affected|happens)"
_ASKED: Final = (
    re.compile(rf"\s*what {_ASKS} (?:if|when) {_NAME} {_CHANGES}\s*\??\s*", re.IGNORECASE),
    re.compile(rf"\s*what depends on {_NAME}\s*\??\s*", re.IGNORECASE),
)


def understand_impact(text: str, known: Known) -> Understood | str | None:
    """Read the question; gives the code of a problem where no repository is known, and none where it is another one."""
    match = next((found for form in _ASKED if (found := form.fullmatch(text)) is not None), None)
    if match is None:
        return None
    if known.repository is None:
        return "which_repository" if known.repositories else "no_repository"
    return Understood("catalog_impact", known.warehouse or "", known.repository, (match[1],), "all")
