"""Errors: every one has a code, a sentence, a next step, an exit code and a JSON form."""

import json
import re
from collections.abc import Iterator

import pytest

from twokey.core import errors, lifecycle
from twokey.core.errors import TwokeyError

EXIT_CODES = {
    "TwokeyError": 3,
    "Refused": 1,
    "CheckFailed": 1,
    "BadInput": 2,
    "NotFound": 2,
    "NotAuthenticated": 1,
    "LeaseLost": 1,
    "Halted": 1,
    "EnvironmentFault": 3,
    "EngineFault": 3,
    "TryLater": 3,
    "LogUnavailable": 3,
    "ToolRetry": 2,
}
"""DESIGN, section 6: 1 refused or failed check, 2 usage or bad input, 3 environment."""


def tree(root: type[TwokeyError]) -> Iterator[type[TwokeyError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


CORE = [kind for kind in tree(TwokeyError) if kind.__module__.startswith("twokey.core.")]
ids = [kind.__name__ for kind in CORE]


def test_the_tree_is_the_one_that_is_tested():
    assert {kind.__name__ for kind in CORE if kind.__module__ == errors.__name__} == set(EXIT_CODES)
    assert lifecycle.IllegalTransition in CORE


@pytest.mark.parametrize("kind", CORE, ids=ids)
def test_an_error_says_what_and_what_next(kind: type[TwokeyError]):
    error = kind("It broke.", next="Mend it.")
    assert (str(error), error.message, error.next) == ("It broke.", "It broke.", "Mend it.")
    assert error.code == kind.default_code
    assert re.fullmatch("[a-z][a-z_]+", error.code)
    assert json.loads(json.dumps(error.as_json())) == {
        "error": {"code": kind.default_code, "message": "It broke.", "next": "Mend it."}
    }


@pytest.mark.parametrize("kind", CORE, ids=ids)
def test_an_error_ends_the_command_with_its_code(kind: type[TwokeyError]):
    family = next(name.__name__ for name in kind.__mro__ if name.__name__ in EXIT_CODES)
    assert kind.exit_code == EXIT_CODES[family]


@pytest.mark.parametrize("kind", CORE, ids=ids)
def test_a_code_can_be_narrower_than_the_kind(kind: type[TwokeyError]):
    error = kind("It broke.", next="Mend it.", code="narrower")
    assert error.as_json()["error"]["code"] == "narrower"
    assert kind("It broke.", next="Mend it.").code == kind.default_code


@pytest.mark.parametrize("kind", CORE, ids=ids)
def test_an_error_without_a_next_step_cannot_be_made(kind: type[TwokeyError]):
    with pytest.raises(TypeError, match="next"):
        kind("It broke.")  # pyright: ignore[reportCallIssue] - that is what is refused


def test_codes_tell_the_kinds_apart():
    assert len({kind.default_code for kind in CORE}) == len(CORE)


def test_what_an_agent_may_correct_is_no_refusal():
    """An agent that could catch a refusal as a hint could try its way around the gate."""
    assert not issubclass(errors.ToolRetry, errors.Refused)
    assert not issubclass(errors.Refused, errors.ToolRetry)
