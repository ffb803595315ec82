"""The bundle's own tests notice what a slip of the pen could do to a rule."""

import random
from collections import Counter
from pathlib import Path

import pytest
from support.opa_socket import serving
from support.rego_mutants import Hunt, Mutant, mutants

import twokey.policies
from twokey.policies import bundle

FOLDER = Path(str(twokey.policies.__file__)).parent / "bundle"
SAMPLE = 8
LEAST = 0.95


def survivors(chosen: list[Mutant], folder: Path, opa: Path) -> tuple[list[str], int]:
    """Give the mutants that the tests do not notice, and how many there were that are Rego at all."""
    with serving(opa, folder, FOLDER) as server:
        hunt = Hunt(FOLDER, server)
        found = [hunt.notices(mutant) for mutant in chosen]
        assert hunt.noticing() == [], "the bundle itself does not pass its tests"
    alive = [str(mutant) for mutant, noticed in zip(chosen, found, strict=True) if noticed is False]
    return alive, sum(noticed is not None for noticed in found)


def test_a_mutant_differs_in_one_place() -> None:
    modules = dict(bundle.load().modules)
    made = mutants(modules.items())
    assert len({(mutant.module, mutant.text) for mutant in made}) > 400
    assert all(mutant.text != modules[mutant.module] for mutant in made)
    assert set(Counter(mutant.kind for mutant in made)) == {
        *("a rule dropped", "a condition dropped", "a condition turned round", "a comparison flipped"),
        *("a list widened", "a list narrowed", "an operation exchanged", "a constant changed"),
    }
    for mutant in random.Random(7).sample(made, 50):  # noqa: S311 - the same sample each time
        old, new = modules[mutant.module].splitlines(), mutant.text.splitlines()
        same = next(at for at, (one, other) in enumerate(zip(old, [*new, ""], strict=False)) if one != other)
        rest = len(new) - same - 1
        assert mutant.kind == "a rule dropped" or old[len(old) - rest :] == new[len(new) - rest :]


@pytest.mark.opa
@pytest.mark.timeout(900)
def test_a_sample_of_mutants_is_noticed(opa: Path, tmp_path: Path) -> None:
    made = [mutant for mutant in mutants(bundle.load().modules) if mutant.kind in {"a rule dropped", "a list widened"}]
    chosen = random.Random(11).sample(made, SAMPLE)  # noqa: S311 - the same sample each time
    alive, tried = survivors(chosen, tmp_path, opa)
    assert tried >= SAMPLE // 2
    assert len(alive) <= 1, alive


@pytest.mark.opa
@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_nearly_every_mutant_is_noticed(opa: Path, tmp_path: Path) -> None:
    alive, tried = survivors(mutants(bundle.load().modules), tmp_path, opa)
    assert tried > 300
    assert len(alive) <= (1 - LEAST) * tried, alive
