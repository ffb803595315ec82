"""Reads JSON that came from an engine or a file, without the liberties of ordinary parsers.

Rules: one key occurs once; no NaN, no infinity, no floats; UTF-8 without a byte order mark; bounded depth and size.
"""

import json
from typing import Any, Final, NoReturn

MAX_BYTES: Final = 4 * 1024 * 1024

MAX_DIGITS: Final = 20


def loads(text: bytes, *, limit: int = MAX_BYTES) -> Any:
    """Give the value of ``text``.

    Raises:
        ValueError: too long, no JSON, or JSON that the rules refuse. The message shows nothing of the text.

    """
    if len(text) > limit:
        raise ValueError(f"more than {limit} bytes")
    try:
        return json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at character {error.pos}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("an integer of too many digits")
    return int(text)


def _no_float(_text: str) -> NoReturn:
    raise ValueError("a number that is no integer")
