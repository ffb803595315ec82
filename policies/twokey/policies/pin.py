"""Fills the allow-list of the policy data: ``python -m twokey.policies.pin [--write] [DATA]``.

Reads a JSON list of ``[name, version, effect, schema digest]`` on standard input and prints the data document with
exactly these tools; with ``--write`` it replaces the file instead, in one step. Without DATA it starts from the data
that comes with Twokey.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from twokey.core.errors import TwokeyError
from twokey.policies import bundle, strict_json
from twokey.policies.facts import InvalidPolicyData, with_tools


def main(arguments: list[str] | None = None) -> None:
    """Run the command; exits with 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m twokey.policies.pin", description="Pin tools in the policy data.")
    parser.add_argument("data", metavar="DATA", nargs="?", type=Path, help="a data.json (default: Twokey's own)")
    parser.add_argument("--write", action="store_true", help="replace DATA instead of printing")
    chosen = parser.parse_args(arguments)
    if chosen.write and chosen.data is None:
        parser.error("--write needs DATA")
    try:
        text = render(with_tools(_document(chosen.data), tools(sys.stdin.buffer.read())))
    except TwokeyError as error:
        _fail(error)
    if chosen.write:
        fresh = chosen.data.with_name(f"{chosen.data.name}.new")
        fresh.write_text(text)
        fresh.replace(chosen.data)
    else:
        sys.stdout.write(text)


def tools(text: bytes) -> list[tuple[str, str, str, str]]:
    """Read the list of tools.

    Raises:
        InvalidPolicyData: it is no list of lists of four strings.

    """
    try:
        value: Any = strict_json.loads(text)
    except ValueError as error:
        raise InvalidPolicyData(f"The list of tools cannot be read: {error}.", next="Give it as JSON.") from error
    if not isinstance(value, list) or not all(_is_tool(item) for item in value):
        raise InvalidPolicyData(
            "The tools are no list of [name, version, effect, schema].", next="Give four strings for each tool."
        )
    return [(item[0], item[1], item[2], item[3]) for item in value]


def render(document: dict[str, Any]) -> str:
    """Give the document as text, two spaces deep, keys in their order."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _is_tool(item: object) -> bool:
    return isinstance(item, list) and len(item) == 4 and all(isinstance(part, str) for part in item)


def _document(path: Path | None) -> dict[str, Any]:
    if path is None:
        return bundle.load().document()
    try:
        value = strict_json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidPolicyData("The policy data cannot be read.", next="Name a data.json.") from error
    if not isinstance(value, dict):
        raise InvalidPolicyData("The policy data is no object.", next="Name a data.json.")
    return value


def _fail(error: TwokeyError) -> NoReturn:
    sys.stderr.write(f"{error.message}\n{error.next}\n")
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
