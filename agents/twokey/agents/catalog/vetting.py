"""What may be written into a property file, given that names and values come from databases nobody vouches for.

dbt gives property files three kinds of power, and this module takes each away from outside text:

- **Jinja.** dbt renders descriptions, names, meta and test arguments. In a description every Jinja delimiter is broken
  by a blank (``{{`` becomes ``{ {``, ``%}`` becomes ``% }``), so that no renderer, however often it runs, finds one.
  ``{% raw %}`` is not used: it protects from one rendering only, and a text can close it itself. Everywhere else a
  delimiter is refused, because a name or value with a blank in it would be another name or value.
- **Calls.** dbt evaluates any string argument of a test that looks like ``ref(...)``, ``source(...)``, ``var(...)``,
  ``env_var(...)`` or ``doc(...)`` even without braces (dbt-core, ``add_rendered_test_kwargs``). Such a string is
  refused, except a plain ``ref`` or ``source`` where a test expects a relation.
- **SQL.** Generic tests paste the column name and their arguments into SQL, and ``accepted_values`` does not escape
  quotes. A test is refused unless every part of it is an identifier, a number or a text that cannot leave its quotes.

Nothing here looks at the file; ``NotAllowed`` carries a stable code and a sentence that quotes no outside text.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast

NodeName: TypeAlias = str | tuple[str, str]
"""A model, seed or snapshot by its name; a source table as (source name, table name)."""
JsonLike: TypeAlias = "None | bool | int | float | str | Sequence[JsonLike] | Mapping[str, JsonLike]"

MAX_NAME: Final = 512
MAX_TEXT: Final = 16_384
MAX_VALUE_DEPTH: Final = 12
MAX_VALUE_SIZE: Final = 5_000

# properties of a test that dbt reads itself and does not hand to the macro
FRAMEWORK: Final = frozenset(
    {
        "alias",
        "column_name",
        "config",
        "database",
        "description",
        "enabled",
        "error_if",
        "fail_calc",
        "limit",
        "meta",
        "name",
        "schema",
        "severity",
        "store_failures",
        "store_failures_as",
        "tags",
        "test_name",
        "warn_if",
        "where",
    }
)
EXPRESSION: Final = "dbt_utils.expression_is_true"
"""A test that pastes its argument into SQL: a comparison with one other column is all that may stand there."""
_SETTABLE: Final = frozenset({"config", "description", "name"})
_RELATION_ARGUMENTS: Final = frozenset({"to", "compare_model"})

_JINJA: Final = re.compile(r"[{][{%#]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BREAK_OPEN: Final = re.compile(r"[{](?=[{%#])")
_BREAK_CLOSE: Final = re.compile(r"([}%#])(?=[}])")
_CALL: Final = re.compile(r"\s*(env_var|ref|var|source|doc)\s*\(", re.IGNORECASE)
_RELATION: Final = re.compile(
    r"\s*(?P<call>ref|source)\s*\(\s*(?P<q>['\"])(?P<a>[\w.$ -]+)(?P=q)"
    r"\s*(?:,\s*(?P<r>['\"])(?P<b>[\w.$ -]+)(?P=r)\s*)?\)\s*\Z"
)
_RELATION_PART: Final = re.compile(r"[\w.$ -]+\Z")
_IDENTIFIER: Final = re.compile(r"[\w$]+(?:\.[\w$]+)*\Z")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_COMPARISON: Final = re.compile(r"(?:<=|>=) [A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_DELIMITED: Final = re.compile(r"(?:\"[^\"\\{}\x00-\x1f]+\"|`[^`\\{}\x00-\x1f]+`|\[[^\[\]'\"\\{}\x00-\x1f]+\])\Z")
_DELIMITABLE: Final = re.compile(r"[^\"'`\[\]\\{}\x00-\x1f\x7f]+\Z")
_LITERAL: Final = re.compile(r"[^'\\\x00-\x1f\x7f]*\Z")
_WORDS: Final = re.compile(r"(?!.*--)[\w .,:%/+-]*\Z")
_TEST_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?\Z", re.ASCII)


class NotAllowed(Exception):  # noqa: N818 - an answer about one edit, turned into a Refusal by the editor
    """One part of an edit may not be written. ``code`` is stable; ``reason`` is a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def without_jinja(text: str) -> str:
    """Break every Jinja delimiter of a text by a blank. A text without any comes back unchanged."""
    return _BREAK_CLOSE.sub(r"\1 ", _BREAK_OPEN.sub("{ ", text))


def description(text: str) -> str:
    """Give a description as it may be written: Jinja broken, not blank, of bounded length.

    Raises:
        NotAllowed: ``empty``, ``too_long`` or ``not_text``.

    """
    if not text.strip():
        raise NotAllowed("empty", "The description is blank.")
    if len(text) > MAX_TEXT:
        raise NotAllowed("too_long", f"The description has more than {MAX_TEXT} characters.")
    _unicode(text, "description")
    return without_jinja(text)


def name(text: str, what: str) -> str:
    """Check a name that dbt renders (of a node, column, tag, data type, key).

    Raises:
        NotAllowed: ``empty``, ``too_long``, ``not_text`` or ``jinja``.

    """
    if not text.strip():
        raise NotAllowed("empty", f"The {what} is blank.")
    if len(text) > MAX_NAME:
        raise NotAllowed("too_long", f"The {what} has more than {MAX_NAME} characters.")
    _unicode(text, what)
    _no_jinja(text, what)
    return text


def _unicode(text: str, what: str) -> None:
    if _SURROGATE.search(text):
        raise NotAllowed("not_text", f"The {what} holds half of a surrogate pair, which is no character.")


def _no_jinja(text: str, what: str) -> None:
    if _JINJA.search(text):
        raise NotAllowed("jinja", f"The {what} holds a Jinja delimiter, which dbt would evaluate.")


def value(data: JsonLike, what: str) -> JsonLike:
    """Check JSON-like data that dbt renders (meta), and give it with lists and dicts of our own.

    Raises:
        NotAllowed: ``jinja``, ``too_long``, ``not_text``, ``not_json``.

    """
    return _value(data, what, 0, [MAX_VALUE_SIZE])


def _value(data: object, what: str, depth: int, left: list[int]) -> JsonLike:
    left[0] -= 1
    if depth > MAX_VALUE_DEPTH or left[0] < 0:
        raise NotAllowed("too_long", f"The {what} is nested too deeply or holds too many values.")
    if isinstance(data, str):
        if len(data) > MAX_TEXT:
            raise NotAllowed("too_long", f"The {what} holds a text of more than {MAX_TEXT} characters.")
        _unicode(data, what)
        _no_jinja(data, what)
        return data
    if isinstance(data, Mapping):
        made: dict[str, JsonLike] = {}
        for key, inner in cast("Mapping[object, object]", data).items():
            if not isinstance(key, str):
                raise NotAllowed("not_json", f"The {what} holds a key that is no text.")
            made[name(key, f"key in the {what}")] = _value(inner, what, depth + 1, left)
        return made
    if isinstance(data, Sequence) and not isinstance(data, bytes | bytearray):
        return [_value(item, what, depth + 1, left) for item in cast("Sequence[object]", data)]
    return _number(data, what)


def _number(data: object, what: str) -> bool | int | float | None:
    if data is None or isinstance(data, bool):
        return data
    if isinstance(data, int):
        if abs(data) >= 2**63:
            raise NotAllowed("too_long", f"The {what} holds an integer of more than 64 bits.")
        return data
    if isinstance(data, float) and math.isfinite(data):
        return data
    raise NotAllowed("not_json", f"The {what} holds a value that is not JSON.")


def column_in_sql(column: str, *, quoted: bool) -> None:
    """Check that dbt may paste a column name into the SQL of a test.

    Args:
        column: The name as the property file has it.
        quoted: The column says ``quote: true``, so that dbt puts the adapter's quotes around it.

    Raises:
        NotAllowed: ``unsafe_sql``.

    """
    if not (_IDENTIFIER.match(column) or _DELIMITED.match(column) or (quoted and _DELIMITABLE.match(column))):
        raise NotAllowed(
            "unsafe_sql", "The column name is no SQL identifier; dbt would paste it into the SQL of the test as it is."
        )


def loaded_at(column: str, *, is_date: bool) -> str:
    """Write the ``loaded_at_field`` of a source table, which dbt pastes into SQL: a column, or a date as a timestamp.

    Raises:
        NotAllowed: ``unsafe_sql`` where the name is no plain identifier.

    """
    if not _PLAIN_NAME.match(column):
        raise NotAllowed("unsafe_sql", "The column name is no plain SQL identifier; dbt would paste it as it is.")
    return f"cast({column} as timestamp)" if is_date else column


def relation(node: NodeName) -> str:
    """Write the ``to`` of a relationships test: ``ref('model')`` or ``source('source', 'table')``.

    Raises:
        NotAllowed: ``unsafe_sql`` where a name holds anything but letters, digits and ``_ . $ -`` or a blank.

    """
    parts = [node] if isinstance(node, str) else list(node)
    if not all(_RELATION_PART.match(part) for part in parts):
        raise NotAllowed("unsafe_sql", "A relation is named with characters that would leave its quotes.")
    return ("ref(" if isinstance(node, str) else "source(") + ", ".join(f"'{part}'" for part in parts) + ")"


def same_relation(text: str) -> str:
    """Give the one spelling of a ``ref`` or ``source`` call, so that two can be compared; other text unchanged."""
    found = _RELATION.match(text)
    if not found:
        return text
    parts = [found["a"]] if found["b"] is None else [found["a"], found["b"]]
    return f"{found['call']}(" + ", ".join(f"'{part}'" for part in parts) + ")"


def generic_test(spec: JsonLike) -> tuple[str, dict[str, JsonLike], dict[str, JsonLike]]:
    """Check one generic test and give (name, arguments of the macro, properties that dbt reads itself).

    Args:
        spec: ``"not_null"``, ``{"accepted_values": {"values": [...]}}``, ``{"relationships": {"to": "ref('x')",
            "field": "id"}}`` or any other generic test in that form; ``arguments`` may hold the arguments.

    Raises:
        NotAllowed: ``test_form``, ``unsafe_sql``, ``evaluated``, or what ``value`` raises.

    """
    checked = value(spec, "test")
    if isinstance(checked, str):
        checked = {checked: None}
    if not isinstance(checked, dict) or len(checked) != 1:
        raise NotAllowed("test_form", "A test is a name, or one name with its arguments.")
    ((test_name, body),) = checked.items()
    if not _TEST_NAME.match(test_name):
        raise NotAllowed("test_form", "The name of a test is not a macro name.")
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise NotAllowed("test_form", "The arguments of a test are a mapping.")
    nested = body.get("arguments", {})
    if not isinstance(nested, dict):
        raise NotAllowed("test_form", "The arguments of a test are a mapping.")
    framework = {key: inner for key, inner in body.items() if key in FRAMEWORK}
    arguments = {key: inner for key, inner in body.items() if key not in FRAMEWORK and key != "arguments"} | nested
    if not framework.keys() <= _SETTABLE:
        raise NotAllowed("test_form", "Of a test's own properties only name, description and config can be set.")
    _arguments(test_name, arguments)
    for key, inner in framework.items():
        _words(inner if key != "description" else None)
    return test_name, arguments, framework


def _arguments(test_name: str, arguments: Mapping[str, JsonLike]) -> None:
    if test_name in {"not_null", "unique"} and arguments:
        raise NotAllowed("test_form", f"The test {test_name} takes no arguments.")
    if test_name == "accepted_values":
        _accepted_values(arguments)
        return
    if test_name == "relationships" and set(arguments) != {"to", "field"}:
        raise NotAllowed("test_form", "The test relationships takes the arguments to and field.")
    for key, inner in arguments.items():
        if key in _RELATION_ARGUMENTS:
            if not (isinstance(inner, str) and _RELATION.match(inner)):
                raise NotAllowed("evaluated", "A relation is given as ref('model') or source('source', 'table').")
        elif key == "field":
            if not isinstance(inner, str):
                raise NotAllowed("test_form", "The field of a relationships test is a column name.")
            column_in_sql(inner, quoted=False)
        elif test_name == EXPRESSION and isinstance(inner, str) and key == "expression" and _COMPARISON.match(inner):
            continue
        else:
            _words(inner)


def _accepted_values(arguments: Mapping[str, JsonLike]) -> None:
    values = arguments.get("values")
    if not arguments.keys() <= {"values", "quote"} or not isinstance(values, list) or not values:
        raise NotAllowed("test_form", "The test accepted_values takes a list of values, and quote.")
    bare = arguments.get("quote") is False
    if not isinstance(arguments.get("quote", True), bool):
        raise NotAllowed("test_form", "The quote of accepted_values is true or false.")
    for each in values:
        if isinstance(each, str):
            _not_a_call(each)
            if bare or not _LITERAL.match(each):
                raise NotAllowed(
                    "unsafe_sql", "A value holds a quote, backslash or control character; the test would run it as SQL."
                )
        elif isinstance(each, list | dict) or each is None:
            raise NotAllowed("test_form", "Accepted values are texts, numbers or booleans.")


def _not_a_call(text: str) -> None:
    if _CALL.match(text):
        raise NotAllowed("evaluated", "A text looks like a call such as env_var(...), which dbt would evaluate.")


def _words(data: JsonLike) -> None:
    """Allow only words, numbers and simple punctuation in arguments of tests whose SQL nobody has read."""
    if isinstance(data, str):
        _not_a_call(data)
        if not _WORDS.match(data):
            raise NotAllowed("unsafe_sql", "An argument of a test holds characters that could change its SQL.")
    elif isinstance(data, Mapping):
        for inner in data.values():
            _words(inner)
    elif isinstance(data, Sequence):
        for inner in data:
            _words(inner)
