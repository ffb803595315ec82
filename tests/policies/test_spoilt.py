"""What is missing from the data or from a call, or has another form, never lets more through, whatever the engine.

OPA takes a look-up out of a negation (``not x in data.a.b`` has no value where ``data.a.b`` has none), and regorus does
not: no rule may rest on either. What is spoilt here never passes the checks that Twokey makes of data and calls; the
rules stand by themselves all the same.
"""

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import regorus

import twokey.policies
from twokey.core import canonical
from twokey.policies.bundle import ENTRY_POINT

FOLDER = Path(str(twokey.policies.__file__)).parent / "bundle" / "twokey"
SWEEP = Path(__file__).parent / "rego" / "spoilt.rego"
FEW = ["mentioned place", "unlisted label"]
NAMED = {"may_name", "risk_of_label", "risk_of_environment", "risk_of_class", "index", "scope", "args"}
"""Below these keys stand names that a team chooses, and what is worked out; to take one out is an edit."""
CHANGES = ("remove", "null", "form")
RANK = {"allow": 0, "require_approval": 1, "deny": 2}
DENY: dict[str, Any] = {"effect": "deny", "approvals": None}
"""What Twokey makes of a fault of the engine."""
Way = tuple[str | int, ...]


def evaluated(opa: Path, rule: str, names: list[str], folder: Path) -> Any:
    """Give the value of a rule of the sweep, by OPA."""
    (folder / "input.json").write_text(json.dumps({"names": names}))
    files = [argument for path in sorted([*FOLDER.glob("*.rego"), SWEEP]) for argument in ("--data", str(path))]
    query = f"data.twokey.spoilt.{rule}"
    done = subprocess.run(
        [opa, "eval", "--format", "raw", "--fail", "--input", str(folder / "input.json"), *files, query],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def calls(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return evaluated(opa, "calls", [], tmp_path_factory.mktemp("calls"))


@pytest.fixture(scope="module")
def facts(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return evaluated(opa, "facts", [], tmp_path_factory.mktemp("facts"))


@pytest.mark.opa
@pytest.mark.parametrize("rule", ["data_loosened", "call_loosened"])
@pytest.mark.parametrize(
    "names", [FEW, pytest.param([], id="all", marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_opa_lets_nothing_more_through(
    opa: Path, calls: dict[str, dict[str, Any]], tmp_path: Path, rule: str, names: list[str]
) -> None:
    chosen = names or sorted(calls)
    assert set(evaluated(opa, "answers", chosen, tmp_path)) == set(chosen)
    assert evaluated(opa, rule, chosen, tmp_path) == []


@pytest.mark.opa
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(CHANGES[:1], id="few"),
        pytest.param(CHANGES, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_regorus_lets_nothing_more_through(
    calls: dict[str, dict[str, Any]], facts: dict[str, Any], changes: tuple[str, ...]
) -> None:
    engine = loaded()
    whole = with_data(engine, facts)
    chosen = FEW[:1] if len(changes) == 1 else sorted(calls)
    before = {name: answer(whole, calls[name]) for name in chosen}
    worse = [
        (name, way)
        for way in ways(facts)
        for known in spoilt(facts, way, changes)
        for spoilt_data in [with_data(engine, known)]
        for name in chosen
        if loosened(before[name], answer(spoilt_data, calls[name]))
    ]
    worse += [
        (name, way)
        for name in chosen
        for way in ways(calls[name])
        for call in spoilt(calls[name], way, changes)
        if loosened(before[name], answer(whole, call))
    ]
    assert worse == []


def loaded() -> Any:
    engine = regorus.Engine()  # pyright: ignore[reportAttributeAccessIssue] - the extension module has no types
    for path in sorted(FOLDER.glob("*.rego")):
        if not path.name.endswith("_test.rego"):
            engine.add_policy(path.name, path.read_text())
    engine.set_input_json("{}")
    engine.eval_rule_as_json(ENTRY_POINT)  # what it works out about the rules then comes with each copy
    return engine


def with_data(engine: Any, known: dict[str, Any]) -> Any:
    made = engine.clone()
    made.add_data_json(json.dumps({"twokey_data": known}))
    return made


def answer(engine: Any, call: dict[str, Any]) -> dict[str, Any]:
    """Give the answer to a call; a fault denies."""
    mine = engine.clone()
    mine.set_input_json(json.dumps(call))
    try:
        return json.loads(mine.eval_rule_as_json(ENTRY_POINT))
    except RuntimeError:
        return DENY


def ways(document: dict[str, Any]) -> Iterator[Way]:
    """Give the way to every key of every object in a document."""

    def below(value: Any, way: Way) -> Iterator[Way]:
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, part in inside:
            if isinstance(step, str):
                yield (*way, step)
            if step not in NAMED:
                yield from below(part, (*way, step))

    return below(document, ())


def spoilt(document: dict[str, Any], way: Way, changes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Give the document without a part, and with a part of another form."""
    *rest, last = way
    for change in changes:
        made = copy.deepcopy(document)
        parent: Any = made
        for step in rest:
            parent = parent[step]
        was = parent.pop(last)
        if change != "remove":
            parent[last] = None if change == "null" else 7 if isinstance(was, str) else "x"
        yield made


def loosened(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Tell whether an answer lets more through than the one before."""
    if after["effect"] != "require_approval" or before["effect"] != "require_approval":
        return RANK[after["effect"]] < RANK[before["effect"]]
    old, new = before["approvals"], after["approvals"]
    asked = {quorum["group"]: quorum["n"] for quorum in new["all_of"]}
    if not all(isinstance(group, str) for group in asked):
        return False  # no decision for Twokey
    return not (
        all(asked.get(quorum["group"], 0) >= quorum["n"] for quorum in old["all_of"])
        and set(new["exclude"]) >= set(old["exclude"])
        and set(new["auth"]) <= set(old["auth"])
        and new["expires_s"] <= old["expires_s"]
        and canonical.encode(new.get("batch")) in {b"null", canonical.encode(old.get("batch"))}
    )
