"""What a tool promises: its contract.

Rules:
- a tool is named, versioned, and described by a schema digest; policy's allow-list pins that digest, and a tool whose
  digest is not listed does not exist for the agents;
- arguments and results are frozen values; what does not fit the schema never reaches the tool;
- a tool reaches only places that ``Context.places`` resolves; an address in an argument is data, not a destination;
- a write tool renders everything first: preview, resulting content, target version, rollback. ``render`` reads only.
  ``apply`` is called by the executor alone, with the rendered change that a person approved.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar, cast

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import Refused
from twokey.core.values import (
    Code,
    ContentHash,
    Effect,
    FieldCount,
    FileChange,
    Proposal,
    Resource,
    ResourceKind,
    RollbackPlan,
    Target,
    Value,
)

Guarantee = Literal["keyed", "reconcilable", "neither"]
"""``keyed``: the target takes an idempotency key, so applying twice is applying once. ``reconcilable``: the effect can
be looked up by a marker derived from the digest. ``neither``: after a crash the outcome cannot be known."""

In = TypeVar("In", bound=Value)
Out = TypeVar("Out", bound=Value)


class OutsideContract(Refused):
    """A tool was asked to touch something its contract or this run does not allow."""

    default_code = "outside_contract"


@dataclass(frozen=True, slots=True)
class Place:
    """One thing a run may touch: what policy sees, and where it really is (possibly with credentials; never logged)."""

    resource: Resource
    location: str

    def __repr__(self) -> str:
        """Leave the location out: it may carry a password."""
        return f"Place({self.resource.kind} {self.resource.id!r})"


@dataclass(frozen=True, slots=True)
class Places:
    """The allow-list of one run: what the workspace's settings and the request itself named, and nothing else."""

    items: tuple[Place, ...] = ()
    names: frozenset[str] = frozenset()
    """Names besides those of places that the settings let a write use: labels, people."""

    def find(self, kind: ResourceKind, name: str) -> Place:
        """Give the place called ``name``.

        Raises:
            OutsideContract: this run may not touch it.

        """
        for place in self.items:
            if place.resource.kind == kind and place.resource.id == name:
                return place
        raise OutsideContract(
            f"This run may not touch the {kind} it asked for.",
            next="Name it in the request, or list it in twokey.toml.",
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds a tool keeps by itself. Seconds, rows, bytes."""

    timeout_s: int = 60
    max_rows: int = 10_000
    max_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool gets besides its arguments."""

    places: Places
    now_us: int


class Contract(ABC, Generic[In, Out]):
    """The named, versioned part of a tool. Subclass it; say the class variables; give ``resource``."""

    name: ClassVar[str]
    version: ClassVar[str]
    effect: ClassVar[Effect]
    kind: ClassVar[ResourceKind]
    limits: ClassVar[Limits] = Limits()

    input_type: type[In]
    output_type: type[Out]

    @classmethod
    def schema_digest(cls) -> str:
        """SHA-256 over name, version, effect, kind, and the JSON Schemas of input and output without their prose."""
        return _digest_of(cls)

    @abstractmethod
    def place_name(self, args: In) -> str:
        """Give the name of the place that a call with ``args`` touches."""


@cache
def _digest_of(tool: Any) -> str:
    """Work a schema digest out once per process: every call and every proposal names it."""
    return canonical.digest(
        {
            "type": "twokey/tool/v1",
            "name": tool.name,
            "version": tool.version,
            "effect": tool.effect,
            "kind": tool.kind,
            "input": _bare(tool.input_type.model_json_schema()),
            "output": _bare(tool.output_type.model_json_schema()),
        }
    )


_PROSE: Final = frozenset({"title", "description", "examples"})
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "mapping"})
"""Keywords (JSON Schema 2020-12; ``mapping`` is OpenAPI's) whose value maps names to schemas."""
_DATA: Final = frozenset({"default", "const", "enum"})
"""Keywords whose value is data: nothing in it is a keyword."""


def _bare(schema: Mapping[str, Any]) -> Json:
    """Drop prose from a JSON Schema, so that a digest follows meaning and not wording.

    Names that a schema gives (of properties, definitions, patterns) and data in it are no keywords: they are kept
    whatever they are. Numbers that canonical JSON does not hold are kept as ``[type, text]``.
    """
    return {
        key: _names(item) if key in _NAMED else _exact(item) if key in _DATA else _part(item)
        for key, item in schema.items()
        if key not in _PROSE
    }


def _part(node: object) -> Json:
    """Give what stands under a keyword: a schema, several, or a plain value."""
    if isinstance(node, Mapping):
        return _bare(cast("Mapping[str, Any]", node))
    if isinstance(node, list | tuple):
        return [_part(item) for item in cast("list[object]", node)]
    return _exact(node)


def _names(node: object) -> Json:
    """Give a map from names to what they name; anything else as it is."""
    if not isinstance(node, Mapping):
        return _part(node)
    return {name: _part(item) for name, item in cast("Mapping[str, object]", node).items()}


def _exact(node: object) -> Json:
    """Give a value with nothing left out."""
    if isinstance(node, Mapping):
        return {key: _exact(item) for key, item in cast("Mapping[str, object]", node).items()}
    if isinstance(node, list | tuple):
        return [_exact(item) for item in cast("list[object]", node)]
    if isinstance(node, float) or (isinstance(node, int) and abs(node) > canonical.MAX_INTEGER):
        return [type(node).__name__, repr(node)]
    return cast("Json", node)


class ReadTool(Contract[In, Out]):
    """A tool that only looks. ``call`` leaves nothing behind in what it reads."""

    effect: ClassVar[Effect] = "read"

    @abstractmethod
    def call(self, args: In, context: Context) -> Out:
        """Read.

        Raises:
            ToolRetry: the arguments were understood but cannot be used; the agent may correct them.
            TwokeyError: anything else; the run stops.

        """

    def listed(self, content: Json) -> Json:
        """Give what of a result the resource lists by itself, and nobody who merely writes into it: by default all."""
        return content

    @abstractmethod
    def summary(self, args: In, result: Out) -> str:
        """Say in at most 400 characters what was read; no cell values, no credentials."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A write, fully worked out, before anybody is asked. Rendering the same arguments again gives the same bytes."""

    preview: str
    """What a person reads: for a pull request the unified diff and the text."""
    content: tuple[ContentHash, ...]
    """Hashes of what will exist afterwards."""
    target: Target
    files: tuple[FileChange, ...]
    labels: tuple[Code, ...]
    rollback: RollbackPlan
    fields: tuple[FieldCount, ...] = ()
    """Sensitive fields that the write marks, unmarks or carries, by kind."""

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        """Give what a proposal holds of its rendering: what was reviewed."""
        return cls(
            preview=proposal.preview,
            content=proposal.content,
            target=proposal.target,
            files=proposal.files,
            labels=proposal.labels,
            rollback=proposal.rollback,
            fields=proposal.fields,
        )


@dataclass(frozen=True, slots=True)
class Marker:
    """How a write is recognised later: the proposal it belongs to and the key derived from its digest."""

    proposal: str
    digest: str
    run: str
    requester: str
    created_us: int

    @classmethod
    def of(cls, proposal: Proposal, digest: str) -> Self:
        """Give the marker of a proposal that has this digest."""
        return cls(
            proposal=proposal.id,
            digest=digest,
            run=proposal.run,
            requester=proposal.requester,
            created_us=proposal.created_us,
        )

    @property
    def key(self) -> str:
        """Idempotency key: SHA-256 over the proposal digest with its own label."""
        return canonical.digest({"type": "twokey/idempotency/v1", "digest": self.digest})


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Out]):
    """What reconciliation saw. ``written`` carries the result; ``absent`` is no proof that nothing was written.

    ``partly``: some of it is there and nothing else is in the way; a keyed tool that applies again completes it.
    """

    seen: Literal["written", "absent", "partly", "different"]
    result: Out | None = None


@dataclass(frozen=True, slots=True)
class Reverse:
    """The call that undoes a write, worked out against the target as it is now."""

    tool: str
    args: dict[str, Any]
    why: str
    """A sentence for the people who are asked to approve it."""


class WriteTool(Contract[In, Out]):
    """A tool that changes something. Each method but ``apply`` only reads."""

    effect: ClassVar[Effect] = "write"
    guarantee: ClassVar[Guarantee]
    only_undoes: ClassVar[bool] = False
    """True for a tool that is proposed from another one's rollback plan and never by an agent."""

    def once(self, args: In) -> str:
        """Name what one step of a run changes at most once with this tool; by default it calls the tool once."""
        del args
        return ""

    @abstractmethod
    def render(self, args: In, context: Context) -> Rendered:
        """Work the write out against the target as it is now. Deterministic for an unchanged target."""

    @abstractmethod
    def apply(self, args: In, rendered: Rendered, marker: Marker, context: Context) -> Out:
        """Write exactly what was rendered. Called by the executor only, after intent."""

    @abstractmethod
    def reconcile(self, args: In, rendered: Rendered, marker: Marker, context: Context) -> Outcome[Out]:
        """Look whether the write of ``marker`` is there, and whether it is what was rendered."""

    @abstractmethod
    def reverse(self, args: In, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """Give the call that undoes the write of ``marker``, as the target stands now.

        Raises:
            Refused: there is nothing to undo, or it cannot be undone without losing what others did since.

        """

    def rebase(self, args: In, context: Context) -> In | None:
        """Give arguments that mean the same change on top of the target as it is now.

        ``None`` where the target has moved in a way that touches the change: then it has to be asked for again.
        """
        del args, context
        return None
