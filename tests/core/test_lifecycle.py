"""The lifecycle, held against DESIGN section 3's table, which is written out here a second time by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from twokey.core import lifecycle
from twokey.core.errors import Refused
from twokey.core.lifecycle import IllegalTransition, State

TABLE = """
proposed           denied awaiting_approval superseded
awaiting_approval  approved refused expired superseded denied withdrawn
approved           executing awaiting_approval expired superseded denied withdrawn
executing          done failed unknown
unknown            done failed
done               reverted
"""
ALLOWED = {line.split()[0]: set(line.split()[1:]) for line in TABLE.strip().splitlines()}
FINAL = {"denied", "refused", "expired", "withdrawn", "superseded", "failed", "reverted"}
STATES = sorted({*ALLOWED, *FINAL})
states = st.sampled_from(STATES)


def test_the_states_are_those_of_the_table():
    assert sorted(state.value for state in State) == STATES
    assert set().union(*ALLOWED.values()) | {"proposed"} == set(STATES)


@settings(deadline=None)  # a shared machine may stall
@given(current=states, wanted=states)
def test_a_step_exists_exactly_where_the_table_has_it(current: str, wanted: str):
    if wanted in ALLOWED.get(current, set()):
        assert lifecycle.step(State(current), State(wanted)) is State(wanted)
        return
    with pytest.raises(IllegalTransition) as caught:
        lifecycle.step(State(current), State(wanted))
    assert caught.value.message == f"A proposal that is {current} cannot become {wanted}."
    assert caught.value.code == "illegal_transition"
    assert isinstance(caught.value, Refused)


def test_the_whole_table_is_compared():
    """Every pair, so that the property above cannot miss a rare one."""
    steps = {
        (current, wanted)
        for current in STATES
        for wanted in STATES
        if State(wanted) in lifecycle.TRANSITIONS[State(current)]
    }
    assert steps == {(current, wanted) for current, followers in ALLOWED.items() for wanted in followers}


def test_nothing_can_happen_any_more_to_what_is_not_open():
    assert {state.value for state in lifecycle.OPEN} == set(STATES) - FINAL - {"done"}


def test_the_table_cannot_be_changed_while_running():
    with pytest.raises(TypeError):
        lifecycle.TRANSITIONS[State.DENIED] = frozenset({State.APPROVED})  # pyright: ignore[reportIndexIssue] - refused


class Life(RuleBasedStateMachine):
    """Any order of wishes, granted or not."""

    def __init__(self) -> None:
        super().__init__()
        self.path = [State.PROPOSED]

    @rule(wanted=states)
    def wish(self, wanted: str) -> None:
        try:
            self.path.append(lifecycle.step(self.path[-1], State(wanted)))
        except IllegalTransition:
            assert wanted not in ALLOWED.get(self.path[-1].value, set())

    @invariant()
    def a_write_was_approved_just_before(self) -> None:
        for place, state in enumerate(self.path):
            if state is State.EXECUTING:
                assert self.path[place - 1] is State.APPROVED
            if state is State.APPROVED:
                assert self.path[place - 1] is State.AWAITING_APPROVAL

    @invariant()
    def a_write_is_started_once(self) -> None:
        assert self.path.count(State.EXECUTING) <= 1

    @invariant()
    def a_final_state_is_the_last(self) -> None:
        assert not any(state.value in FINAL for state in self.path[:-1])

    @invariant()
    def what_was_started_cannot_be_called_off(self) -> None:
        if State.EXECUTING in self.path:
            after = {state.value for state in self.path[self.path.index(State.EXECUTING) + 1 :]}
            assert after <= {"done", "failed", "unknown", "reverted"}


TestLife = Life.TestCase
TestLife.settings = settings(deadline=None)
