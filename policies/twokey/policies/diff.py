"""What differs between two bundles, in the words of their annotations and of their data.

Rules: a rule with a METADATA block is known by the rule id it states, else by its title; it counts as changed where
its block or anything up to the next block differs, comments included. Text of a module outside all blocks belongs to
the module. Data is compared key by key; in lists what was added and what was removed is named. What is shown of a
bundle is cut to one line each.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, cast

import yaml

from twokey.policies import facts
from twokey.policies.bundle import Bundle

MAX_SHOWN: Final = 120
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class RuleText:
    """One annotated rule: what it says of itself, and its text."""

    key: str
    module: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was ``added``, ``removed`` or ``changed``."""

    what: str
    """``rule``, ``module`` or ``data``."""
    change: str
    name: str
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        """Give it as plain data."""
        return {"what": self.what, "change": self.change, "name": self.name, "detail": self.detail}

    def sentence(self) -> str:
        """Say it in words."""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.what} {self.name} was {self.change}{detail}"


def diff(old: Bundle, new: Bundle) -> list[Difference]:
    """Give every difference from ``old`` to ``new``: modules first, then rules, then data."""
    found = list(_modules(old, new))
    before, after = rules(old), rules(new)
    for key in sorted({*before, *after}):
        if key not in before:
            found.append(Difference("rule", "added", key, after[key].title))
        elif key not in after:
            found.append(Difference("rule", "removed", key, before[key].title))
        elif before[key].text != after[key].text:
            found.append(Difference("rule", "changed", key, after[key].title))
    found += _data("", _given(old), _given(new))
    return found


def rules(bundle: Bundle) -> dict[str, RuleText]:
    """Give the annotated rules of a bundle, by rule id and code or title."""
    found: dict[str, RuleText] = {}
    for name, text in bundle.modules:
        for block in _blocks(text)[1:]:
            rule = _rule(name, block)
            found[rule.key if rule.key not in found else f"{rule.key} ({name})"] = rule
    return found


def _modules(old: Bundle, new: Bundle) -> Iterator[Difference]:
    before, after = dict(old.modules), dict(new.modules)
    for name in sorted({*before, *after}):
        if name not in before:
            yield Difference("module", "added", name)
        elif name not in after:
            yield Difference("module", "removed", name)
        elif _blocks(before[name])[0] != _blocks(after[name])[0]:
            yield Difference("module", "changed", name, "outside of its annotated rules")


def _blocks(text: str) -> list[str]:
    """Give what stands before the first METADATA line, then each block up to the next such line."""
    return [block.strip() for block in re.split(r"^(?=# METADATA\s*$)", text, flags=re.MULTILINE)]


def _rule(module: str, block: str) -> RuleText:
    lines = takewhile(lambda line: line.startswith("#"), block.splitlines()[1:])
    comment = [line.removeprefix("#").removeprefix(" ") for line in lines]
    try:
        stated = yaml.safe_load("\n".join(comment))
    except yaml.YAMLError:
        stated = None
    fields = cast("dict[str, Any]", stated if isinstance(stated, dict) else {})
    custom = fields.get("custom")
    known = cast("dict[str, Any]", custom if isinstance(custom, dict) else {})
    title = _line(str(fields.get("title", "without a title")))
    key = " ".join(str(known[name]) for name in ("rule", "code") if name in known) or f"{module} {title}"
    return RuleText(_line(key), module, title, block)


def _given(bundle: Bundle) -> dict[str, Any]:
    """Give the data without what is worked out from the rest of it."""
    document = bundle.document()
    document[facts.ROOT].pop(facts.INDEX, None)
    return document


def _data(where: str, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _data(f"{where}.{key}" if where else key, old.get(key, _MISSING), new.get(key, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        gone = [item for item in old if item not in new]
        come = [item for item in new if item not in old]
        detail = [*(f"- {_value(item)}" for item in gone), *(f"+ {_value(item)}" for item in come)]
        yield Difference("data", "changed", where, "; ".join(detail) or "in another order")
    elif old is _MISSING:
        yield Difference("data", "added", where, _value(new))
    elif new is _MISSING:
        yield Difference("data", "removed", where, _value(old))
    else:
        yield Difference("data", "changed", where, f"{_value(old)} -> {_value(new)}")


def _value(value: Any) -> str:
    return _line(json.dumps(value, sort_keys=True))


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_SHOWN else flat[:MAX_SHOWN] + "..."
