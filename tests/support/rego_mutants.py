"""Small wrongs in a Rego bundle, one at a time: what a slip of the pen could do to a rule.

Rules: a mutant differs from the bundle in one place; only modules that are no tests are changed; annotations and
comments are left alone. Kinds: a rule dropped, a condition dropped, a condition turned round, a comparison flipped, a
list of constants widened or narrowed, a set operation or an aggregate exchanged, a constant of an answer changed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.opa_socket import Socket

OK, BAD = 200, 400
_PACKAGE = re.compile(r"^package (\S+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)
_FLIPS = {
    "==": ("!=",),
    "!=": ("==",),
    "<=": ("<", ">="),
    ">=": (">", "<="),
    "<": ("<=", ">"),
    ">": (">=", "<"),
}
_COMPARISON = re.compile(r"(?<![:<>=!])(==|!=|<=|>=|<|>)(?!=)")
_SET = re.compile(r'\{("[a-z_.]+"(?:, "[a-z_.]+")*)\}')
_SWAPS = (("max(", "min("), ("min(", "max("), (" | ", " & "), (" & ", " | "), ("true", "false"), (" + ", " - "))
_ANSWER = re.compile(r'"(?:rule|code|effect)": "([A-Za-z0-9_]+)"')
_NUMBER = re.compile(r"(?<![\w\"])([0-9]+)(?![\w\"])")


@dataclass(frozen=True)
class Mutant:
    """One wrong: the module that holds it, what kind it is, where, and the module's text with it."""

    module: str
    kind: str
    line: int
    was: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.kind}: {self.was.strip()}"


def mutants(modules: Iterable[tuple[str, str]]) -> list[Mutant]:
    """Give every mutant of ``modules`` (name, text)."""
    return [
        Mutant(name, kind, line + 1, text.splitlines()[line], mutated)
        for name, text in modules
        for kind, line, mutated in _of(text.splitlines(keepends=True))
    ]


class Hunt:
    """Looks for mutants that a bundle's own tests do not notice, in one OPA server that holds the bundle.

    Rules: a test notices a mutant where its answer is not ``true``, or where it has none; a mutant that the server does
    not compile is no Rego. Tests that noticed mutants of the same module lately are asked first, so that most mutants
    cost one or two tests. Only one mutant is looked at a time.
    """

    def __init__(self, bundle: Path, server: Socket) -> None:
        """Hold the bundle against ``server``, an OPA that has loaded it."""
        self._server = server
        self._modules = {path.relative_to(bundle).as_posix(): path.read_text() for path in bundle.rglob("*.rego")}
        self._lately: dict[str, list[str]] = {}
        self.tests = sorted(
            f"data.{package}.{test}"
            for text in self._modules.values()
            for package in _PACKAGE.findall(text)
            for test in dict.fromkeys(_TEST.findall(text))
        )

    def noticing(self) -> list[str]:
        """Give the tests that fail on the bundle as it is."""
        return [test for test in self.tests if self._fails(test)]

    def notices(self, mutant: Mutant) -> bool | None:
        """Tell whether the tests notice a mutant; none where it is no Rego at all."""
        if not self._put(mutant.module, mutant.text):
            return None
        try:
            lately = self._lately.setdefault(mutant.module, [])
            for test in dict.fromkeys((*lately, *self.tests)):
                if self._fails(test):
                    self._lately[mutant.module] = [test, *(other for other in lately if other != test)]
                    return True
            return False
        finally:
            assert self._put(mutant.module, self._modules[mutant.module])

    def _put(self, name: str, text: str) -> bool:
        status = self._server.put(f"/v1/policies/{name}", text)
        assert status in {OK, BAD}, status
        return status == OK

    def _fails(self, test: str) -> bool:
        return self._server.ask(test) is not True


def _of(lines: list[str]) -> Iterator[tuple[str, int, str]]:
    for first, last in _rules(lines):
        yield "a rule dropped", first, "".join([*lines[:first], *lines[last + 1 :]])
        for at in range(first, last + 1):
            for kind, other in _line(lines, at, first):
                yield kind, at, "".join([*lines[:at], other, *lines[at + 1 :]])


def _rules(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Give first and last line of each rule: it begins at the margin and ends where its brackets close."""
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].startswith(("#", "package ", "import ")):
            at += 1
            continue
        first, depth = at, 0
        while True:
            bare = re.sub(r'"[^"]*"|`[^`]*`', "", lines[at])
            depth += sum(bare.count(sign) for sign in "{[(") - sum(bare.count(sign) for sign in "}])")
            at += 1
            if depth == 0:
                break
        yield first, at - 1


def _line(lines: list[str], at: int, first: int) -> Iterator[tuple[str, str]]:
    line = lines[at]
    if line.lstrip().startswith("#"):
        return
    condition = line.startswith("\t") and not line.rstrip().endswith(("{", "[", "(", ",", "}", "]")) and at > first
    body = line.strip()
    if condition and not lines[at].lstrip().startswith(("some ", '"')) and _siblings(lines, at):
        yield "a condition dropped", ""
    if condition and body.startswith("not "):
        yield "a condition turned round", line.replace("not ", "", 1)
    if " if not " in line:
        yield "a condition turned round", line.replace(" if not ", " if ", 1)
    yield from _replaced(line)


def _replaced(line: str) -> Iterator[tuple[str, str]]:
    """Give what becomes of a line where one thing in it is another."""
    for match in _COMPARISON.finditer(line):
        for other in _FLIPS[match.group()]:
            yield "a comparison flipped", line[: match.start()] + other + line[match.end() :]
    for match in _SET.finditer(line):
        names = match.group(1).split(", ")
        for number in range(len(names)):
            rest = [*names[:number], *names[number + 1 :]]
            text = "{" + ", ".join(rest) + "}" if rest else "set()"
            yield "a list narrowed", line[: match.start()] + text + line[match.end() :]
        wider = "{" + ", ".join([*names, '"somebody"']) + "}"
        yield "a list widened", line[: match.start()] + wider + line[match.end() :]
    for here, there in _SWAPS:
        if here in line and not (here == " | " and " | some" in line):
            yield "an operation exchanged", line.replace(here, there, 1)
    for match in _ANSWER.finditer(line):
        yield "a constant changed", line[: match.start(1)] + "other" + line[match.end(1) :]
    for match in _NUMBER.finditer(re.sub(r'"[^"]*"|`[^`]*`', lambda text: "\0" * len(text.group()), line)):
        yield "a constant changed", line[: match.start()] + str(int(match.group()) + 1) + line[match.end() :]


def _siblings(lines: list[str], at: int) -> bool:
    """Tell whether a body still says something without this line."""
    before, after = lines[at - 1].rstrip(), lines[at + 1].strip() if at + 1 < len(lines) else "}"
    return not (before.endswith("{") and after.startswith("}"))
