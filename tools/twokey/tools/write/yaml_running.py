"""What a YAML file has run when somebody builds, tests or documents the project: templates and hooks.

Rules: a description is text until it holds a template, which is run with the rights of whoever builds (dbt renders
the strings of a property file); a hook is SQL that is run before or after. Links to documentation blocks
(``doc('name')``) run nothing. A file that cannot be read is told by others.
"""

import re
from collections import Counter
from typing import Final

from twokey.tools.write.yaml_nodes import MAX_DEPTH, MAX_NODES, Node, Unreadable, documents

_WORTH_A_LOOK: Final = re.compile(rb"\{[{%#]|hook|on[-_]?run|sql_?header|\\", re.IGNORECASE)
"""A backslash may write any of it in another way."""
_TEMPLATE: Final = re.compile(r"\{[{%#]")
_DOC: Final = re.compile(r"""\{\{-?\s*doc\(\s*(?:'[\w.]+'|"[\w.]+")(?:\s*,\s*(?:'[\w.]+'|"[\w.]+"))?\s*\)\s*-?\}\}""")
_HOOKS: Final = frozenset({"prehook", "posthook", "onrunstart", "onrunend", "sqlheader"})


def changes_what_runs(before: bytes, after: bytes) -> bool:
    """Tell whether two versions of a file have other things run."""
    if not (_WORTH_A_LOOK.search(before) or _WORTH_A_LOOK.search(after)):
        return False
    try:
        return running(before) != running(after)
    except Unreadable:
        return False


def running(text: bytes) -> Counter[tuple[str, str]]:
    """Give what a file has run, as the key that it stands under and its text, each with its count.

    Raises:
        Unreadable: no YAML, or more than the bounds allow.

    """
    found: Counter[tuple[str, str]] = Counter()
    budget = MAX_NODES
    waiting: list[tuple[Node, str, bool, int]] = [(document, "", False, 0) for document in documents(text)]
    while waiting:
        node, key, hook, depth = waiting.pop()
        budget -= 1
        if budget < 0 or depth > MAX_DEPTH:
            raise Unreadable
        if node.kind == "scalar":
            if hook or _TEMPLATE.search(_DOC.sub("", node.value)):
                found[key, node.value] += 1
        elif node.kind == "list":
            waiting.extend((item, key, hook, depth + 1) for item in node.children)
        else:
            for name, value in zip(node.children[::2], node.children[1::2], strict=True):
                plain = re.sub(r"[^a-z]", "", name.value.casefold())
                waiting.append((name, key, False, depth + 1))
                waiting.append((value, name.value, hook or plain in _HOOKS, depth + 1))
    return found
