"""GitHub's official OpenAPI description: what each request and reply of the twin is held to, and how replies are filled.

The twin says what matters; whatever else the description demands of a reply is filled in with the least that it allows.
"""

import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

FILE = "openapi.api.github.com.v23.0.2.json.xz"
SERVER = "https://api.github.com"

WAIVED: Mapping[tuple[str, str], str] = {
    ("GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}"): (
        "the description calls `size` of a tree entry required nowhere and `url` everywhere; real listings of submodules "
        "have no url, so replies about trees with submodules are not held to it"
    ),
}
"""Paths whose replies are not held to the description, and why."""
BARE_LISTS: Mapping[tuple[str, str], str] = {
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"): (
        "GitHub takes a bare list of names, which PyGithub sends; the description knows lists of objects only"
    ),
}
"""Paths that take a bare list, whatever the description says of it."""
WAIVED_STATUS: Mapping[int, str] = {
    0: "an injected fault: no reply at all",
    401: "described for few paths only, and given by all",
    403: "a rate limit is described for few paths only, and given by all",
    404: "described for few paths only, and given by all",
    429: "a rate limit is described for no path",
    500: "an injected fault",
    502: "an injected fault",
    301: "described for few paths only",
    304: "a reply without a body",
}


@dataclass
class _Request:
    """A request as openapi-core wants it. Slashes inside one part of the path are escaped for it."""

    method: str
    path: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters
    host_url: str = SERVER


@dataclass
class _Response:
    status_code: int
    data: bytes | None
    content_type: str = "application/json"
    headers: dict[str, Any] = field(default_factory=dict[str, Any])


class Description:
    """The description, cut down to some paths, so that loading and looking up stay quick."""

    def __init__(self, file: Path, routes: Iterable[tuple[str, str]]) -> None:
        whole = json.loads(lzma.decompress(file.read_bytes()))
        wanted = set(routes)
        missing = [route for route in wanted if route[0].lower() not in whole["paths"].get(route[1], {})]
        assert not missing, f"GitHub has no such path: {missing}"
        paths: dict[str, Any] = {}
        for method, template in wanted:
            paths.setdefault(template, {})[method.lower()] = whole["paths"][template][method.lower()]
        self._document = {**whole, "paths": paths}
        _admit_null(self._document)
        self._api = OpenAPI.from_dict(self._document, config=Config(spec_validator_cls=cast("Any", None)))
        self.checked = 0
        self._fine: set[tuple[object, ...]] = set()

    def problems(
        self,
        method: str,
        template: str,
        params: Mapping[str, str],
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes | None,
        status: int,
        answer: bytes | None,
    ) -> list[str]:
        """Say what is wrong with a request (where it was taken) and its reply."""
        seen = (method, template, *params.values(), *query, body, status, answer)
        if seen in self._fine:  # the very same exchange again
            return []
        self.checked += 1
        path = template
        for name, value in params.items():
            path = path.replace(f"{{{name}}}", quote(value, safe="") or "-")
        request = _Request(
            method.lower(),
            path,
            "application/json" if body else "",
            body or None,
            RequestParameters(
                query=ImmutableMultiDict(list(query)),
                header=Headers(list(headers.items())),
                cookie=ImmutableMultiDict(),
            ),
        )
        found: list[str] = []
        bare = (method, template) in BARE_LISTS and (body or b"").lstrip().startswith(b"[")
        if status < 400 and not bare:
            found += _told("request", lambda: self._api.validate_request(cast("Any", request)))
        if status not in WAIVED_STATUS and (method, template) not in WAIVED:
            response = _Response(status, answer or None, "application/json" if answer else "")
            found += _told("reply", lambda: self._api.validate_response(cast("Any", request), cast("Any", response)))
        if not found:
            self._fine.add(seen)
        return [f"{method} {template} {status}: {problem}" for problem in found]

    def filled(self, schema: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Give ``value`` with whatever else ``schema`` demands."""
        return {**json.loads(self._skeleton(schema)), **value}

    @cache  # noqa: B019 - there is one description per session
    def _skeleton(self, schema: str) -> str:
        return json.dumps(self._least({"$ref": f"#/components/schemas/{schema}"}, 0))

    def _least(self, schema: Mapping[str, Any], depth: int) -> Any:
        schema = self._resolved(schema)
        for several in ("oneOf", "anyOf"):
            if several in schema:
                return self._least(schema[several][0], depth)
        if (schema.get("nullable") and depth) or depth > 8:
            return None
        if "allOf" in schema:
            merged: dict[str, Any] = {}
            for part in schema["allOf"]:
                merged |= self._least(part, depth)
            return merged
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        if kind == "string":
            return _TEXTS.get(str(schema.get("format")), "-")
        if kind in _LEAST:
            return json.loads(_LEAST[kind])
        properties = schema.get("properties", {})
        return {name: self._least(properties[name], depth + 1) for name in schema.get("required", ())}

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            at: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            schema = at
        return schema


_LEAST = {"array": "[]", "integer": "0", "number": "0", "boolean": "false"}
_TEXTS = {
    "date-time": "2026-01-01T00:00:00Z",
    "uri": "https://github.example/",
    "email": "a@example.org",
    "date": "2026-01-01",
}


def _admit_null(node: Any) -> None:
    """Let null be one of the values of what is nullable: the description says ``nullable`` and lists the others."""
    if isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("enum"), list) and None not in node["enum"]:
            node["enum"].append(None)
        for item in node.values():
            _admit_null(item)
    elif isinstance(node, list):
        for item in node:
            _admit_null(item)


def _told(what: str, check: Any) -> list[str]:
    try:
        check()
    except OpenAPIError as error:
        causes = getattr(error.__cause__, "schema_errors", ())
        shown = "; ".join(f"{'.'.join(map(str, item.path))}: {item.message[:160]}" for item in causes)
        return [f"{what}: {error.__class__.__name__} {shown or str(error.__cause__ or error)[:200]}"]
    return []


def load(data: Path, routes: Iterable[tuple[str, str]]) -> Description | None:
    """Load the description from the development data; ``None`` where it is absent."""
    file = data / "github" / FILE
    return Description(file, routes) if file.is_file() else None
