"""Tables with known wrong cells that were written before anyone looked at how the detectors work.

Twenty kinds in the manner of those that the literature on error detection uses, each soiled in several ways at once, and
nine tables whose oddities are all right. ``FIRST_HALF`` was in view while detectors were changed; the rest was not.
"""

import random
from hashlib import sha256
from typing import Final

from support.dirty_tables import Table
from support.unseen import asked, business, controls, people, places, published, things

_MODULES: Final = (asked, business, people, places, published, things)
KINDS: Final = {name: kind for module in _MODULES for name, kind in module.KINDS.items()}
CONTROLS: Final = controls.CONTROLS
_BY_HASH: Final = sorted(KINDS, key=lambda name: sha256(name.encode()).hexdigest())
FIRST_HALF: Final = tuple(sorted(_BY_HASH[: len(KINDS) // 2]))
SECOND_HALF: Final = tuple(sorted(_BY_HASH[len(KINDS) // 2 :]))


def clean(name: str, seed: int = 1) -> Table:
    """Give a table of a kind, or a control, without any fault."""
    rng = random.Random(f"unseen/{name}/{seed}")  # noqa: S311 - repeatable, no secret
    return CONTROLS[name](rng) if name in CONTROLS else KINDS[name].make(rng)


def soiled(name: str, seed: int = 1) -> Table:
    """Give the same table with the faults that are usual in its kind."""
    table = clean(name, seed)
    KINDS[name].soil(random.Random(f"unseen/{name}/{seed}/faults"), table)  # noqa: S311 - repeatable, no secret
    return table
