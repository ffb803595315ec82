"""The words in which a column is judged: levels, kinds, classes, and one column's judgement.

Levels follow what access rules are usually written on. ``pii`` covers personal data in the sense of GDPR Art. 4(1) as
far as a single column shows it, and credentials, which deserve no less.
"""

from dataclasses import dataclass
from typing import Final, Literal

from twokey.agents.catalog.facts import Profile
from twokey.agents.catalog.vocabulary import Kind

Level = Literal["public", "operational", "financial", "pii"]
Class = Literal[
    "PERSON_NAME", "EMAIL", "PHONE", "STREET_ADDRESS", "GENDER", "DEMOGRAPHIC", "POSTAL_CODE", "COORDINATE", "CITY",
    "STATE", "COUNTRY", "URL", "CURRENCY", "ID_NUMBER", "COMPANY", "other",
]  # fmt: skip
"""What the values of a column are, whoever they belong to."""
PERSONAL_CLASSES: Final[frozenset[Class]] = frozenset(
    {"PERSON_NAME", "EMAIL", "PHONE", "STREET_ADDRESS", "GENDER", "DEMOGRAPHIC", "ID_NUMBER"}
)

_PERSONAL: Final[tuple[Kind, ...]] = (
    "person_name",
    "email",
    "phone",
    "street_address",
    "birth_date",
    "age",
    "gender",
    "demographic",
    "id_number",
    "user_name",
    "network_address",
    "device",
    "health",
    "credential",
    "location",
)
PERSONAL: Final = frozenset(_PERSONAL)
FINANCIAL: Final[frozenset[Kind]] = frozenset({"card_number", "bank_account", "amount", "pay"})
PLACES: Final[frozenset[Kind]] = frozenset({"city", "state", "country", "postal_code", "coordinate"})

MOST: Final = 0.5
"""Share of values that makes a pattern what the column holds."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one column holds and how sensitive it is. Confidences in percent; ``doubt`` asks a person to look.

    ``kind`` and ``level`` are told by names as well, because a column that is empty today may be filled tomorrow;
    ``column_class`` is told of values that were seen, and is ``other`` without them.
    """

    level: Level
    kind: Kind
    confidence: int
    reasons: tuple[str, ...]
    doubt: bool = False
    column_class: Class = "other"
    class_confidence: int = 0
    semantic_type: str = "other"
    """The kind, and where a kind has parts the part (``person_name.first``)."""
    evidence: tuple[str, ...] = ()
    """What name, values, neighbours and distribution say, one sentence each; no value and no outside name."""


WORDS_FOR: Final[dict[Kind, str]] = {
    "person_name": "name of a person",
    "email": "e-mail address",
    "phone": "telephone number",
    "street_address": "street address",
    "birth_date": "birth",
    "age": "age of a person",
    "gender": "gender",
    "demographic": "origin, belief or family",
    "id_number": "number of an official document",
    "user_name": "user name",
    "network_address": "network address",
    "device": "device of a person",
    "health": "health",
    "credential": "password, key or token",
    "location": "position of a person",
}


def share_of(profile: Profile, *patterns: str) -> str:
    """Say how many values fit one of the patterns, in words with the counts of the profile."""
    count = max(profile.patterns.get(pattern, 0) for pattern in patterns)
    return f"{count:,} of {profile.checked:,} values"
