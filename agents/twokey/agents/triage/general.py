"""The general reader: what a team without labelled tickets of its own starts with.

Rules
- It is learned, on the machine that uses it, from texts that were written for this purpose and are shipped beside this
  module (``general.toml``): combinations of titles and bodies by a fixed draw, so that everybody gets the same reader.
  Nobody's tickets are in it.
- Learning takes a second or two; with a folder to keep it in, it is learned once per version of the texts and read from
  there later. A file there that is damaged or of another version is learned anew and replaced.
- How sure it is comes from those texts, which are cast in one mould, and not from a team's tickets. So its scores are
  flattened (``DOUBT``), it speaks only of what it is still sure of then (``SPEAKS_FROM``), and only in the language it
  knows, until people have answered enough of its proposals.
"""

import hashlib
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from twokey.agents.triage import written
from twokey.agents.triage.learned import Learned, Sorted
from twokey.agents.triage.values import TicketText
from twokey.core.errors import EnvironmentFault

EACH: Final = 90
"""Tickets per kind."""
SPEAKS_FROM: Final = 800
"""Permille from which on the general reader stands by a kind."""
DOUBT: Final = 2.5
"""Factor on the temperature that its own texts suggest."""
LANGUAGES: Final = frozenset({"en", "und"})
_WITHOUT_BODY: Final = 0.15
_DIGITS: Final = 10


def texts() -> bytes:
    """Give the shipped texts."""
    return resources.files("twokey.agents.triage").joinpath("general.toml").read_bytes()


def tickets(content: bytes) -> list[Sorted]:
    """Make tickets of texts, always the same ones."""
    held: dict[str, Any] = tomllib.loads(content.decode())
    chance = random.Random(0)  # noqa: S311 - a draw that everybody repeats
    slots = {name: held[name] for name in ("thing", "part", "job", "who")}
    result: list[Sorted] = []
    for kind, forms in sorted(held["kind"].items()):
        once = {(text.title, text.body): text for text in (_ticket(forms, slots, chance) for _ in range(EACH))}
        result += [Sorted(text, kind) for text in once.values()]
    return result


def _ticket(
    forms: Mapping[str, Sequence[str]], slots: Mapping[str, Sequence[str]], chance: random.Random
) -> TicketText:
    filled = {name: chance.choice(values) for name, values in sorted(slots.items())}
    filled |= {"number": str(chance.randrange(11, 60)), "digit": str(chance.randrange(1, _DIGITS))}
    title, body = chance.choice(forms["title"]), chance.choice(forms["body"])
    if chance.random() < _WITHOUT_BODY:
        body = ""
    return TicketText(title=_filled(title, filled), body=_filled(body, filled))


def _filled(form: str, filled: Mapping[str, str]) -> str:
    for name, value in filled.items():
        form = form.replace("{" + name + "}", value)
    return form


def model(keep_in: Path | None = None) -> Learned:
    """Give the general model, kept in a folder if there is one.

    Raises:
        EnvironmentFault: the folder cannot be written.

    """
    content = texts()
    version = hashlib.sha256(content + str(written.FORM).encode()).hexdigest()[:12]
    path = keep_in / f"triage-general-{version}.model" if keep_in is not None else None
    kept = written.kept(path) if path is not None else None
    if kept is not None:
        return kept
    learned = Learned.fit(tickets(content))
    if learned is None:
        raise EnvironmentFault("The texts of the general reader are damaged.", next="Install Twokey again.")
    learned = replace(learned, temperature=learned.temperature * DOUBT)
    if path is not None:
        written.keep(path, learned)
    return learned
