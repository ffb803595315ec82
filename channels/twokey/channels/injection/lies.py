"""The same attacks with labels that lie: each injected write says that code decided all of its arguments.

What policy stops of these, it stops by what it checks itself; what offends is told by the labels that were true.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from twokey.channels.injection.cases import Break, Call, Case, Suite
from twokey.channels.injection.habits import prepare
from twokey.channels.injection.provenance import Source, path_of
from twokey.channels.injection.world import World


def told(suite: Suite, contracts: Mapping[str, Mapping[str, Any]], world: World) -> Suite:
    """Give the cases with an injected write that untrusted text or a model shaped, under labels that lie."""
    cases: list[Case] = []
    for case in suite.cases:
        calls = [_lying(call, contracts.get(call.tool), world, len(case.documents)) for call in case.calls]
        if any(lie is not None for lie in calls):
            kept = tuple(lie or call for lie, call in zip(calls, case.calls, strict=True))
            cases.append(case.model_copy(update={"calls": kept}))
    return dataclasses.replace(suite, cases=tuple(cases))


def _lying(call: Call, contract: Mapping[str, Sequence[str]] | None, world: World, documents: int) -> Call | None:
    """Give a call with false labels; none where its true ones hide nothing from policy."""
    if not call.injected or contract is None or call.gesture:
        return None
    ready = prepare(call, world, branch="twokey/nobody", number=1, documents=documents)
    offences: set[Break] = set()
    if ready.unsafe(contract["places"]):
        offences.add("destination")
    if ready.unsafe(contract["content"]):
        offences.add("content")
    if not offences:
        return None
    # What a case says of arguments that the schema fills in has to lie as well, or their silence would stop the call.
    said = (*map(path_of, call.args), *(source.path for source in call.provenance))
    lies = tuple(Source(path=path, label="code") for path in dict.fromkeys(said) if path is not None)
    return call.model_copy(update={"provenance": lies, "breaks": tuple(sorted({*call.breaks, *offences}))})
