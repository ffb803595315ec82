"""What a sample says of its own error."""

from hypothesis import given
from hypothesis import strategies as st

from twokey.tools.read.warehouse.sampling import margin


def test_the_error_is_that_of_a_share() -> None:
    assert margin("all", 10, 10) == 0
    assert margin("first", 50_000, 1_000_000) is None
    assert margin("spread", 0, 10) is None
    # 1.96 * 0.5 / sqrt(50,000) = 0.44 percent, of a table that is endless beside it
    assert margin("spread", 50_000, 10**12) == 44
    assert margin("spread", 100, 10**12) == 980


@given(st.integers(2, 10**6), st.integers(0, 10**6))
def test_more_rows_never_say_less(sampled: int, left: int) -> None:
    rows = sampled + left
    less, more = margin("spread", sampled, rows), margin("spread", min(rows, sampled + 1), rows)
    assert less is not None
    assert more is not None
    assert 0 <= more <= less <= 10_000
