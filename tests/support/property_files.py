"""Generated property files, in the styles people write them in, and in those that nobody should."""

from dataclasses import dataclass

from hypothesis import strategies as st

NAMES = ("id", "status", "amount", "created_at", "note", "email", "kind", "total", "country", "url")


@dataclass(frozen=True)
class Layout:
    """How one generated file is laid out."""

    dash: int
    gap: int
    step: int
    blank: bool
    comments: bool
    newline: str
    final: bool
    mark: bool
    start: str
    tests: str
    quote: str


layouts = st.builds(
    Layout,
    dash=st.sampled_from([0, 2, 4]),
    gap=st.sampled_from([2, 2, 4]),
    step=st.sampled_from([2, 4]),
    blank=st.booleans(),
    comments=st.booleans(),
    newline=st.sampled_from(["\n", "\n", "\r\n"]),
    final=st.booleans(),
    mark=st.sampled_from([False, False, True]),
    start=st.sampled_from(["", "---\n", "# a head\n\n", "%YAML 1.1\n---\n"]),
    tests=st.sampled_from(["tests", "data_tests"]),
    quote=st.sampled_from(["", '"', "'"]),
)

_DESCRIPTIONS = (
    "{q}plain words{q}",
    "''",
    "",
    "{q}{{{{ doc(x) }}}}{q}",
    ">-\n{i}folded\n{i}words",
    "|\n{i}literal\n\n{i}words",
    "|+\n{i}kept\n\n",
    "plain over\n{i}two lines",
    '"escaped \\u00e9 \\" quote"',
    "'it''s # no comment'",
    "null",
    "~",
)
_TESTS = (
    "",
    "[unique]",
    "[ unique , not_null ]",
    "[]",
    "\n{d}- unique",
    "\n{d}- accepted_values:\n{d}    values: [a, b]",
)


@st.composite
def columns(draw: st.DrawFn, layout: Layout, indent: int) -> list[str]:
    """Lines of a list of columns whose dashes stand at ``indent``."""
    lines: list[str] = []
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    for number, name in enumerate(names):
        if number and layout.blank:
            lines.append("")
        if layout.comments and draw(st.booleans()):
            lines.append(" " * draw(st.integers(0, 8)) + f"# about {name}: x")
        if draw(st.sampled_from([False, False, False, True])):
            lines.append(" " * indent + "-" + " " * (layout.gap - 1) + f"{{name: {name}, description: 'in flow'}}")
            continue
        inner = indent + layout.gap
        lines.append(" " * indent + "-" + " " * (layout.gap - 1) + f"name: {name}")
        if layout.comments and draw(st.booleans()):
            lines[-1] += "   # trailing"
        if draw(st.booleans()):
            text = draw(st.sampled_from(_DESCRIPTIONS))
            text = text.format(q=layout.quote or '"', i=" " * (inner + layout.step))
            lines += f"{' ' * inner}description: {text}".split("\n")
        if draw(st.booleans()):
            text = draw(st.sampled_from(_TESTS)).format(d=" " * (inner + layout.dash))
            lines += f"{' ' * inner}{layout.tests}: {text}".split("\n")
        if draw(st.booleans()):
            lines += [" " * inner + "meta:", " " * (inner + layout.step) + "owner: somebody"]
    return lines


@st.composite
def property_files(draw: st.DrawFn) -> bytes:
    """A whole file with models and perhaps sources."""
    layout = draw(layouts)
    lines = [*layout.start.split("\n")[:-1], "version: 2", ""]
    for section, names in (("models", ("orders", "customers")), ("sources", ("raw",))):
        if section == "sources" and draw(st.booleans()):
            continue
        lines.append(f"{section}:")
        for name in names:
            if layout.blank:
                lines.append("")
            dash = layout.dash
            lines.append(" " * dash + "-" + " " * (layout.gap - 1) + f"name: {name}")
            inner = dash + layout.gap
            if section == "sources":
                lines.append(" " * inner + "tables:")
                dash = inner + layout.dash
                lines.append(" " * dash + "-" + " " * (layout.gap - 1) + "name: events")
                inner = dash + layout.gap
            if draw(st.integers(0, 5)):
                lines.append(" " * inner + "columns:")
                lines += draw(columns(layout, inner + layout.dash))
            if layout.comments:
                lines.append(" " * inner + "# the end of it")
    text = layout.newline.join(lines) + layout.newline * layout.final
    return (("\ufeff" if layout.mark else "") + text).encode()


# --- whatever YAML allows -------------------------------------------------------------------------------------------

_BLANKS = ["", "", "", "  ", "\t"]
_COMMENTS = ["", "", "", " # why", "\t# tab", "  #", " # {{ x }} : - ["]
_WORDS = [
    "plain",
    "'it''s'",
    '"a \\"b\\" \\u00e9"',
    "null",
    "~",
    "12",
    "1e3",
    "yes",
    "!!str 7",
    "!odd x",
    "2026-01-02",
    "ü—漢",
    "a: b".replace(": ", ":"),
    "'{{ doc(\"x\") }}'",
    '"# no comment"',
    "x#y",
    "''",
    '"tab\there"',
]
_FLOWS = ["[]", "[ ]", "{}", "[a, 'b c']", "[a, b,]", "{a: 1, b: [c]}", "{ a : 1 }", "[{x: y}, [z]]", '{"k": "v"}']


@st.composite
def _value(draw: st.DrawFn, indent: int, depth: int, names: list[str]) -> list[str]:
    """Lines of a value; the first goes behind its key or dash."""
    kind = draw(st.sampled_from(["word", "word", "word", "flow", "text", "block", "list", "alias", "none"]))
    inner = indent + draw(st.sampled_from([1, 2, 4]))
    if kind == "alias" and names:
        return [f"*{draw(st.sampled_from(names))}" + draw(st.sampled_from(_COMMENTS))]
    if kind == "flow":
        return [draw(st.sampled_from(_FLOWS)) + draw(st.sampled_from(_COMMENTS))]
    if kind == "text":
        head = draw(st.sampled_from(["|", "|-", "|+", ">", ">-", ">+"]))
        body = draw(
            st.lists(st.sampled_from(["words", "", "  more", "# no comment", "- x: y"]), min_size=1, max_size=4)
        )
        return [head, *(f"{' ' * inner}{line}" if line else "" for line in ["first", *body])]
    if kind in {"block", "list"} and depth:
        anchor = f"&n{len(names)}" if draw(st.integers(0, 4)) == 0 else ""
        lines = draw(_block(inner, depth - 1, names) if kind == "block" else _list(inner, depth - 1, names))
        if anchor:
            names.append(anchor[1:])
        return [anchor + draw(st.sampled_from(_COMMENTS)), *lines]
    if kind == "none":
        return [draw(st.sampled_from(_COMMENTS))]
    return [draw(st.sampled_from(_WORDS)) + draw(st.sampled_from(_COMMENTS))]


@st.composite
def _block(draw: st.DrawFn, indent: int, depth: int, names: list[str]) -> list[str]:
    lines: list[str] = []
    for key in draw(st.lists(st.sampled_from(["meta", "config", "x", "'q'", '"d"', "owner"]), min_size=1, unique=True)):
        lines += _beneath(
            draw, " " * indent + key + draw(st.sampled_from([":", ":", " :"])), draw(_value(indent, depth, names))
        )
    return lines


@st.composite
def _list(draw: st.DrawFn, indent: int, depth: int, names: list[str]) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        lines += _beneath(draw, " " * indent + "-", draw(_value(indent, depth, names)))
    return lines


def _beneath(draw: st.DrawFn, head: str, value: list[str]) -> list[str]:
    first = head + (" " + value[0] if value[0] else "")
    return [
        first.rstrip(" ") + (draw(st.sampled_from(_BLANKS)) if "|" not in first and ">" not in first else ""),
        *value[1:],
    ]


@st.composite
def wild_files(draw: st.DrawFn) -> bytes:
    """A property file whose nodes and columns hold whatever YAML allows. Not every one of them parses."""
    names: list[str] = []
    lines = ["version: 2", *draw(_block(0, 1, names)), "models:"]
    dash = draw(st.sampled_from([0, 2, 4]))
    for name in ("orders", "customers")[: draw(st.integers(1, 2))]:
        lines += [f"{' ' * dash}- name: {name}", *draw(_block(dash + 2, 2, names)), f"{' ' * (dash + 2)}columns:"]
        inner = dash + 2 + draw(st.sampled_from([0, 2]))
        for column in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
            anchor = f"&c{len(names)} " if draw(st.integers(0, 5)) == 0 else ""
            lines.append(
                f"{' ' * inner}- {anchor}{draw(st.sampled_from(['name: ', 'name:   ', chr(34) + 'name' + chr(34) + ': ']))}{column}"
            )
            keys = draw(
                st.lists(
                    st.sampled_from(["description", "tests", "data_tests", "meta", "tags", "<<"]),
                    max_size=3,
                    unique=True,
                )
            )
            for key in keys:
                lines += _beneath(draw, f"{' ' * (inner + 2)}{key}:", draw(_value(inner + 2, 1, names)))
            if anchor:
                names.append(anchor[1:-1])
            if draw(st.integers(0, 3)) == 0:
                lines.append(draw(st.sampled_from(["", "# between", "      # indented"])))
            if names and draw(st.integers(0, 6)) == 0:
                lines.append(f"{' ' * inner}- *{draw(st.sampled_from(names))}")
    newline: str = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = newline.join(lines) + draw(st.sampled_from(["", newline, newline * 3]))
    return (draw(st.sampled_from(["", "", "\ufeff"])) + text).encode()
