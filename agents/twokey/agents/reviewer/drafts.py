"""Whether every statement that a draft adds is backed by a supported finding.

Rules:
- what counts is the difference to the files that the run has read; a draft takes nothing away;
- a table or column may be named if the evidence has it; a description, type, sensitivity mark, key, relationship or
  list of values stands only where a supported finding of that kind says the same of the same subject;
- values of a list also stand in the evidence themselves; a test carries no argument that is not accounted for;
- besides property files only the one known form of a test for a key of several columns may be added;
- anything else, and anything that cannot be read, is a problem.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, cast

from twokey.agents.catalog.phrases import lead
from twokey.agents.catalog.yaml_tree import Unreadable
from twokey.agents.reviewer import further
from twokey.agents.reviewer.claims import scope
from twokey.agents.reviewer.scopes import Content, Words, words
from twokey.agents.reviewer.statements import Node, Statement, loaded, state
from twokey.core.canonical import Json
from twokey.core.values import Finding

PROBLEM: Final = "unbacked_claim"
TOOL: Final = "open_pull_request"

_LEVELS: Final[Mapping[str, frozenset[str]]] = {
    "personal": frozenset({"pii", "personal", "sensitive", "confidential", "restricted", "high"}),
    "financial": frozenset({"financial", "confidential", "restricted", "internal", "sensitive", "medium"}),
    "operational": frozenset({"operational", "internal", "none", "public", "low"}),
    "public": frozenset({"public", "none", "operational", "internal", "low"}),
}
"""Marks that may stand for what a finding of kind ``sensitivity`` says: a closed list, whatever a repository's ways."""
_SOURCE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")
_KIND_OF_DATA: Final = re.compile(r"[a-z][a-z_]{0,39}")
_EVIDENCE_ID: Final = re.compile(r"\be-[0-9a-z]{12}\b")
_RELATION: Final = re.compile(r"(?:ref\('([^'\\{}]+)'\)|source\('([^'\\{}]+)', ?'([^'\\{}]+)'\))")
_COLUMN: Final = r"(?:[A-Za-z_]\w*|\{\{ adapter\.quote\('[A-Za-z_]\w*'\) \}\})"
_KEY_TEST: Final = re.compile(
    rf"(?:-- [\w ,:.]*\n)?select\n(?P<selected>(?: {{4}}{_COLUMN},\n)+) {{4}}count\(\*\) as occurrences\n"
    rf"from \{{\{{ (?P<relation>{_RELATION.pattern}) \}}\}}\n"
    rf"group by\n(?P<grouped>(?: {{4}}{_COLUMN},?\n)+)having count\(\*\) > 1\n"
)
_IDENTIFIER: Final = re.compile(r"(?:adapter\.quote\(')?([A-Za-z_]\w*)")
_SHOWN: Final = re.compile(r"[^\w./ -]")


@dataclass(frozen=True)
class Backing:
    """Supported findings and the evidence, as a draft may use them."""

    findings: tuple[Finding, ...]
    contents: Mapping[str, Content]
    files: Mapping[str, str]
    """Files of the repository as the run has read them: path -> text."""
    commit: str | None = None
    nodes: tuple[Node, ...] = field(default=())

    def table(self, names: Iterable[str]) -> bool:
        """Tell whether the evidence has a table of one of these names."""
        return any(content.named(words(name)) for name in names for content in self.contents.values())

    def column(self, names: Iterable[str], column: str) -> bool:
        """Tell whether the evidence has the column in a table of one of these names."""
        key = (tuple(names), column)
        if key not in self._columns:
            self._columns[key] = any(
                content.named((*words(name), *words(column))) for name in key[0] for content in self.contents.values()
            )
        return self._columns[key]

    def find(self, kind: str, names: Iterable[str], column: str | None, *phrases: Words) -> Finding | None:
        """Give a supported finding of a kind about a table or column whose claim holds all ``phrases``."""
        for name in names:
            wanted = (*words(name), *(words(column) if column is not None else ()))
            for subject in (wanted, *((*schema, *wanted) for schema in self._schemas)):
                for finding in self._by_subject.get((kind, subject), ()):
                    said = f" {' '.join(words(finding.claim))} "
                    if wanted and all(phrase and f" {' '.join(phrase)} " in said for phrase in phrases):
                        return finding
        return None

    @cached_property
    def _columns(self) -> dict[tuple[tuple[str, ...], str], bool]:
        """What ``column`` found: a draft says several things of each."""
        return {}

    @cached_property
    def _schemas(self) -> frozenset[Words]:
        return frozenset(schema for content in self.contents.values() for schema in content.schemas if schema)

    @cached_property
    def _by_subject(self) -> Mapping[tuple[str, Words], list[Finding]]:
        found: dict[tuple[str, Words], list[Finding]] = {}
        for finding in self.findings:
            found.setdefault((finding.kind, words(finding.subject)), []).append(finding)
        return found


def problems(draft: Mapping[str, Any], backing: Backing, dropped: Iterable[Finding]) -> list[str]:
    """Say what a draft states without backing: one line each, beginning with ``unbacked_claim``."""
    if draft.get("tool") != TOOL:
        return [_problem("", "tool")]
    args = cast("Mapping[str, Any]", draft["args"])
    found = list(_words_of(draft, args, backing, dropped))
    if backing.commit is not None and args.get("base_commit") != backing.commit:
        found.append(_problem("", "base_commit"))
    parsed: dict[str, tuple[frozenset[Statement], frozenset[Statement]]] = {}
    for file in cast("Sequence[Mapping[str, Any]]", args["files"]):
        path, content = str(file["path"]), file.get("content")
        if not isinstance(content, str):
            found.append(_problem(path, "deleted"))
        elif path.endswith((".yml", ".yaml")):
            try:
                parsed[path] = (state(backing.files.get(path, "").encode()), state(content.encode()))
            except (Unreadable, UnicodeEncodeError):
                found.append(_problem(path, "unreadable"))
        elif path in backing.files or not (_is_key_test(path, content, backing) or _is_order(path, content, backing)):
            found.append(_problem(path, "file"))
    known = backing.nodes + tuple(each.node for _, after in parsed.values() for each in after if each.node is not None)
    for path, (before, after) in parsed.items():
        checker = _Checker(backing, known)
        found.extend(_problem(path, f"removed {_said(each)}") for each in sorted(before - after, key=repr))
        found.extend(
            _problem(path, _said(each)) for each in sorted(after - before, key=repr) if not checker.backed(each)
        )
    return found


def _words_of(
    draft: Mapping[str, Any], args: Mapping[str, Any], backing: Backing, dropped: Iterable[Finding]
) -> Iterator[str]:
    """Check what people read first: no claim that was dropped, no evidence that is not there."""
    text = "\n".join(str(part) for part in (args.get("title", ""), args.get("body", ""), draft.get("why", "")))
    shown = f" {' '.join(words(text))} "
    for finding in dropped:
        claim = words(lead(finding.claim))
        if claim and f" {' '.join(claim)} " in shown:
            yield _problem("", f"text {finding.id}")
    cited = {*_EVIDENCE_ID.findall(text), *_EVIDENCE_ID.findall(str(draft.get("provenance", "")))}
    for evidence in sorted(cited - backing.contents.keys()):
        yield _problem("", f"evidence {evidence}")


def _is_key_test(path: str, content: str, backing: Backing) -> bool:
    match = _KEY_TEST.fullmatch(content) if path.endswith(".sql") else None
    if match is None:
        return False
    selected, grouped = (_IDENTIFIER.findall(match[group]) for group in ("selected", "grouped"))
    names = _target(match["relation"], backing.nodes)
    return selected == grouped and bool(
        backing.find("primary_key", names, None, *(words(column) for column in selected))
    )


def _is_order(path: str, content: str, backing: Backing) -> bool:
    """Tell whether a file tests the order of two dates, as a finding says it."""
    match = further.ORDER.fullmatch(content) if path.endswith(".sql") else None
    if match is None:
        return False
    first, second, names = match["first"], match["second"], _target(match["relation"], backing.nodes)
    return backing.find("date_order", names, first, ("later", "than", *words(second))) is not None


def _target(relation: str, nodes: Iterable[Node]) -> tuple[str, ...]:
    """Give what the table that ``ref`` or ``source`` names may be called in the warehouse."""
    match = _RELATION.fullmatch(relation.strip())
    if match is None:
        return ()
    model, source, table = match.groups()
    name = model or table
    more = (each.names for each in nodes if each.source == (source or "") and each.names and each.names[0] == name)
    return tuple(dict.fromkeys((name, *(other for names in more for other in names))))


@dataclass(frozen=True)
class _Checker:
    backing: Backing
    nodes: tuple[Node, ...]

    def backed(self, each: Statement) -> bool:
        node = each.node
        if node is None or each.kind == "other":
            return False
        if each.kind == "source":
            return self._source(each, node)
        if each.column is not None and not self.backing.column(node.names, each.column):
            return False
        match each.kind:
            case "node":
                return self.backing.table(node.names)
            case "column" | "quote":
                return True
            case "description":
                return self._description(each, node)
            case "data_type":
                return self._find("data_type", each, words(each.value))
            case "meta":
                return self._meta(each)
            case "tag":
                return self._mark(each, loaded(each.value))
            case "test" | "freshness":
                return self._test(each, node) if each.kind == "test" else further.freshness(self._find, each)

    def _find(self, kind: str, each: Statement, *phrases: Words) -> bool:
        names = each.node.names if each.node else ()
        return self.backing.find(kind, names, each.column, *phrases) is not None

    def _description(self, each: Statement, node: Node) -> bool:
        """A description is the claim's own text, character for character: words alone could hide markup."""
        found = self.backing.find("describes", node.names, each.column, words(each.value))
        return found is not None and " ".join(each.value.split()) in " ".join(found.claim.split())

    def _source(self, each: Statement, node: Node) -> bool:
        if each.key == "schema":
            return each.value == "main" or any(
                words(each.value) in content.schemas for content in self.backing.contents.values()
            )
        return _SOURCE_NAME.fullmatch(node.source) is not None

    def _meta(self, each: Statement) -> bool:
        value = loaded(each.value)
        if each.key == "sensitivity":
            return self._mark(each, value)
        if each.key == "unit" and isinstance(value, str):
            return bool(words(value)) and self._find("unit", each, ("is", *words(value.replace("_", " "))))
        if each.key == "personal_data" and isinstance(value, str) and _KIND_OF_DATA.fullmatch(value):
            return self._find("sensitivity", each, ("is", "personal"))
        return False

    def _mark(self, each: Statement, value: object) -> bool:
        return isinstance(value, str) and any(
            value in marks and self._find("sensitivity", each, ("is", level)) for level, marks in _LEVELS.items()
        )

    def _test(self, each: Statement, node: Node) -> bool:
        given = loaded(each.value)
        arguments, config = given["arguments"], given["config"]
        if config not in ({}, {"severity": "warn"}):
            return False
        if each.key in {"not_null", "unique"}:
            if arguments or each.column is None:
                return False
            return self._key(node, each.column, each.key) or self._find(further.SIMPLE[each.key], each)
        if each.key == "relationships":
            return self._relationship(each, arguments)
        if each.key == "accepted_values":
            return self._values(each, node, arguments)
        return not config and further.of_package(self._find, each, arguments)

    def _key(self, node: Node, column: str, test: str) -> bool:
        found = self.backing.find("primary_key", node.names, None, words(column))
        # Of a key of several columns none is unique by itself.
        return found is not None and (test == "not_null" or not _MANY.search(found.claim))

    def _relationship(self, each: Statement, arguments: Mapping[str, Any]) -> bool:
        to, column = arguments.get("to"), arguments.get("field")
        if set(arguments) != {"to", "field"} or not isinstance(to, str) or not isinstance(column, str):
            return False
        return any(
            self._find("relationship", each, ("to", *words(name), *words(column))) for name in _target(to, self.nodes)
        )

    def _values(self, each: Statement, node: Node, arguments: Mapping[str, Any]) -> bool:
        values = arguments.get("values")
        rest = {key: value for key, value in arguments.items() if key != "values"}
        if not isinstance(values, list) or not values or rest not in ({}, {"quote": False}):
            return False
        listed = cast("list[object]", values)
        phrases = [words(str(value)) for value in listed]
        finding = self.backing.find("accepted_values", node.names, each.column, *phrases)
        if finding is None:
            return False
        seen = scope(finding.subject, [self.backing.contents[cited] for cited in finding.evidence])
        return seen is not None and all(
            not isinstance(value, bool) and isinstance(value, str | int) and str(value) in seen.texts
            for value in listed
        )


_MANY: Final = re.compile(r"\b(?:are declared|together)\b")


def _said(each: Statement) -> str:
    name = each.node.names[0] if each.node and each.node.names else each.node.source if each.node else ""
    where = f"{name}.{each.column}" if each.column is not None else name
    return f"{each.kind} {each.key} {where}".replace("  ", " ")


def _problem(path: str, what: str) -> str:
    """One line in plain characters: paths and names are outside text."""
    return " ".join(f"{PROBLEM} {_SHOWN.sub('?', path)} {_SHOWN.sub('?', what)}".split())[:300]


def read_files(evidence: Iterable[Json]) -> tuple[dict[str, str], str | None]:
    """Give the files of a repository that the run has read, and their commit; of several readings the last."""
    files: dict[str, str] = {}
    commit: str | None = None
    for content in evidence:
        listed = content.get("files") if isinstance(content, Mapping) else None
        if not isinstance(content, Mapping) or not isinstance(listed, Sequence) or isinstance(listed, str):
            continue
        for file in listed:
            if isinstance(file, Mapping) and isinstance(file.get("path"), str) and isinstance(file.get("text"), str):
                files[str(file["path"])] = str(file["text"])
        commit = str(content["commit"]) if isinstance(content.get("commit"), str) else commit
    return files, commit
