"""Reads what the rules of a bundle say of themselves: ``python -m twokey.policies.annotations [BUNDLE]``.

Rules: the annotations in the Rego (``# METADATA`` blocks, as OPA reads them) are the only source, so that reasons on
cards and the page about rules cannot tell different things; a block that is no YAML, names a rule twice, or says
another rule or code than the reason under it is refused. Prints the page ``docs/policy-rules.md`` in Markdown.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import yaml
from pydantic import StringConstraints, ValidationError

from twokey.core.errors import BadInput, TwokeyError
from twokey.core.values import Code, RuleId, Value
from twokey.policies import bundle

BEGINS: Final = "# METADATA"
_EFFECTS: Final[dict[str, Literal["deny", "allow", "card"]]] = {
    "deny": "deny",
    "default": "deny",
    "read_reasons": "allow",
    "write_reasons": "card",
}
_SAID: Final = {"deny": "denied", "allow": "allowed", "card": "on the card"}
_REASON: Final = re.compile(r'"code": "([^"]*)",\s*"message": "([^"]*)",\s*"rule": "([^"]*)"')
_HEAD: Final = """# The rules of the policy bundle

Made from the annotations in the Rego: `python -m twokey.policies.annotations > docs/policy-rules.md`. What a rule reads
from the data, and how a team edits that, is told in [policies](../policies/README.md).

| rule | code | effect | what it is about | what people read |
|---|---|---|---|---|
"""
_TAIL: Final = """
R00 (`engine_fault`) is Twokey's own: the engine gave no answer, or one that is no decision, and the call is denied.
Which rules a signed exception may lift for a time stands in the data (`waivable`).
"""


class BadAnnotation(BadInput):
    """What a rule says of itself cannot be used."""

    default_code = "policy_annotation"


class Rule(Value):
    """One rule of the bundle that gives a reason."""

    rule: RuleId
    code: Code
    effect: Literal["deny", "allow", "card"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    message: Annotated[str, StringConstraints(min_length=1, max_length=300)]


def rules(modules: Iterable[tuple[str, str]]) -> list[Rule]:
    """Give the rules of ``modules`` (name, text), by number.

    Raises:
        BadAnnotation: an annotation cannot be read, or says something else than the reason under it.

    """
    found = [rule for name, text in modules for rule in _of(name, text)]
    if len({rule.rule for rule in found}) != len(found):
        raise BadAnnotation("Two rules of the bundle have one number.", next="Give each rule a number of its own.")
    return sorted(found, key=lambda rule: rule.rule)


def page(found: Iterable[Rule]) -> str:
    """Give the page about the rules, in Markdown."""
    lines = [
        f"| {rule.rule} | `{rule.code}` | {_SAID[rule.effect]} | **{rule.title}.** {rule.description} |"
        f" {rule.message} |\n"
        for rule in found
    ]
    return "".join([_HEAD, *lines, _TAIL])


def main(arguments: list[str] | None = None) -> None:
    """Print the page; exits with 2 where the bundle cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m twokey.policies.annotations", description="Print the page about the rules of a bundle."
    )
    parser.add_argument("bundle", metavar="BUNDLE", nargs="?", type=Path, help="its folder (default: Twokey's own)")
    chosen = parser.parse_args(arguments)
    try:
        sys.stdout.write(page(rules(bundle.load(chosen.bundle).modules)))
    except TwokeyError as error:
        sys.stderr.write(f"{error.message}\n{error.next}\n")
        sys.exit(error.exit_code)


def _of(name: str, text: str) -> Iterator[Rule]:
    blocks = text.split(f"{BEGINS}\n")[1:]
    for number, block in enumerate(blocks, 1):
        lines = block.splitlines()
        last = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
        note = _yaml(name, number, "\n".join(line[2:] for line in lines[:last]))
        custom: Any = note.get("custom", {})
        if not isinstance(custom, dict) or "rule" not in custom:
            continue
        body = "\n".join(lines[last:])
        reason = _REASON.search(body)
        effect = _EFFECTS.get(body.split(maxsplit=1)[0] if body.strip() else "")
        said = cast("dict[str, Any]", custom)
        if reason is None or effect is None or (said["rule"], said.get("code")) != (reason.group(3), reason.group(1)):
            raise _bad(name, number, "does not say rule and code of the reason that stands under it")
        try:
            yield Rule(
                rule=reason.group(3),
                code=reason.group(1),
                effect=effect,
                title=note.get("title", ""),
                description=" ".join(str(note.get("description", "")).split()),
                message=reason.group(2),
            )
        except ValidationError as error:
            raise _bad(name, number, "lacks a title or a description") from error


def _yaml(name: str, number: int, text: str) -> dict[str, Any]:
    try:
        note: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _bad(name, number, "is no YAML") from error
    if not isinstance(note, dict):
        raise _bad(name, number, "is no YAML")
    return cast("dict[str, Any]", note)


def _bad(name: str, number: int, what: str) -> BadAnnotation:
    return BadAnnotation(f"Annotation {number} of the module {name} {what}.", next="Correct the block above the rule.")


if __name__ == "__main__":
    main()
