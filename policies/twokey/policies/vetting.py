"""Refuses Rego that could give another answer tomorrow, or reach outside.

Rules, checked on the text before any engine sees it: a module calls only the built-ins of ``SAFE`` and functions of the
bundle itself; no name of another built-in occurs at all, however it is written (``http.send``, ``http["send"]``); no
``with`` (it can put a built-in in the place of another), no string interpolation, no v0 syntax import. So no module
reads a clock, the network, the environment or randomness, or prints its input. The check is stricter than the
language: what it cannot read plainly, it refuses.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from twokey.core.errors import BadInput

SAFE: Final = frozenset(
    {
        "abs", "array.concat", "array.reverse", "array.slice", "ceil", "concat", "contains", "count", "endswith",
        "floor", "indexof", "intersection", "is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set",
        "is_string", "lower", "max", "min", "object.get", "object.keys", "object.union", "regex.match", "replace",
        "round", "sort", "split", "startswith", "substring", "sum", "to_number", "trim", "trim_left", "trim_prefix",
        "trim_right", "trim_space", "trim_suffix", "union", "upper",
    }
)  # fmt: skip
"""Built-ins that depend on their arguments only and on which OPA 1.20.2 and regorus agree."""

_NAMESPACES: Final = frozenset(
    {
        "base64", "base64url", "bits", "crypto", "glob", "graph", "graphql", "hex", "http", "internal", "io", "json",
        "net", "numbers", "opa", "providers", "rand", "rego", "semver", "strings", "test", "time", "units", "uri",
        "urlquery", "uuid", "yaml",
    }
)  # fmt: skip
_REFUSED: Final = frozenset(
    {
        "all", "and", "any", "assign", "cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set",
        "cast_string", "div", "eq", "equal", "format_int", "gt", "gte", "indexof_n", "lt", "lte", "minus", "mul", "neq",
        "or", "plus", "print", "product", "re_match", "rem", "set_diff", "sprintf", "trace", "type_name", "walk",
    }
)  # fmt: skip
"""Built-ins without a namespace that are not safe: a function of the bundle cannot take their names."""
_TOKEN: Final = re.compile(
    r'(?P<blank>[ \t\r\n]+|#[^\n]*)|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)'
    r"|(?P<number>[0-9][0-9.eE]*)|(?P<sign>[-+*/%&|<>=!:;,.(){}\[\]]+)",
    re.DOTALL,
)
_NO_CALL: Final = frozenset({"in", "if", "not", "set"})
"""Words of the language that may stand before a parenthesis; ``set()`` is the empty set."""


class UnsafeRego(BadInput):
    """A module of the bundle may not be used."""

    default_code = "unsafe_rego"


def vet(modules: Iterable[tuple[str, str]]) -> None:
    """Check all modules, given as (name, text), of one bundle.

    Raises:
        UnsafeRego: a module breaks one of the rules; the message names module and line.

    """
    _vet(tuple(modules))


@lru_cache(maxsize=4)  # a bundle that is opened again is as safe as it was; what is refused is read anew
def _vet(modules: tuple[tuple[str, str], ...]) -> None:
    read = [(name, _tokens(name, text)) for name, text in modules]
    own = {defined for _, tokens in read for defined in _defined(tokens)}
    for name, tokens in read:
        _vet_tokens(name, tokens, own)


_Tokens = list[tuple[str, str, int]]
"""Kind, text and line of each token; single characters for signs."""


def _tokens(name: str, text: str) -> _Tokens:
    found: _Tokens = []
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unsafe(name, line, "a character that has no place in plain Rego")
        kind, piece = str(match.lastgroup), match.group()
        if kind == "sign":
            found.extend((kind, sign, line) for sign in piece)
        elif kind != "blank":
            found.append((kind, piece, line))
        line += piece.count("\n")
        at = match.end()
    return found


def _defined(tokens: _Tokens) -> Iterable[str]:
    """Names of functions: outside of all braces, first in its line, and followed by a parenthesis."""
    depth = 0
    for at, (kind, text, line) in enumerate(tokens[:-1]):
        starts_line = at == 0 or tokens[at - 1][2] < line
        if kind == "name" and depth == 0 and starts_line and tokens[at + 1][1] == "(" and text not in SAFE | _REFUSED:
            yield text
        if kind == "sign":
            depth += (text in "{[(") - (text in "}])")


def _vet_tokens(name: str, tokens: _Tokens, own: set[str]) -> None:
    at = 0
    while at < len(tokens):
        kind, text, line = tokens[at]
        if kind == "name":
            reference, after = _reference(tokens, at)
            called = after < len(tokens) and tokens[after][1] == "(" and reference not in _NO_CALL
            _vet_reference(name, line, reference, own, called=called)
            at = after
            continue
        if text == "]" and at + 1 < len(tokens) and tokens[at + 1][1] == "(":
            raise _unsafe(name, line, "a call of something that is not plainly named")
        at += 1


def _vet_reference(name: str, line: int, reference: str, own: set[str], *, called: bool) -> None:
    if reference == "with":
        raise _unsafe(name, line, "`with`")
    if reference.startswith("future.keywords"):
        raise _unsafe(name, line, "an import of the old syntax")
    root = reference.split(".", 1)[0]
    if root in _NAMESPACES and reference != "rego.v1":
        raise _unsafe(name, line, f"the built-in {reference[:60]}")
    local = reference in own or (reference.startswith("data.twokey.") and reference.rsplit(".", 1)[1] in own)
    if called and reference not in SAFE and not local:
        raise _unsafe(name, line, f"a call of {reference[:60]}")


def _reference(tokens: _Tokens, at: int) -> tuple[str, int]:
    """Read ``a.b["c"]`` as ``a.b.c``; gives it and the index after it."""
    parts = [tokens[at][1]]
    at += 1
    while at + 1 < len(tokens):
        if tokens[at][1] == "." and tokens[at + 1][0] == "name":
            parts.append(tokens[at + 1][1])
            at += 2
        elif (
            tokens[at][1] == "["
            and tokens[at + 1][0] == "text"
            and tokens[at + 2 : at + 3]
            and tokens[at + 2][1] == "]"
        ):
            parts.append(tokens[at + 1][1][1:-1])
            at += 3
        else:
            break
    return ".".join(parts), at


def _unsafe(name: str, line: int, what: str) -> UnsafeRego:
    return UnsafeRego(
        f"The policy module {name} uses {what} in line {line}, which this bundle may not.",
        next="Decide from the input and the data alone; twokey.policies.vetting lists the built-ins that may be used.",
    )
