"""What `bench policy` measures is what it says: data of that size, and decisions of both kinds."""

from collections import Counter

from twokey.channels.bench_policy import DATA_BYTES, as_lines, large_bundle, made_calls
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.policies.input import build


def test_the_data_is_that_large_and_every_call_is_decided_on_its_merits():
    held, calls = large_bundle(), list(made_calls(10))
    assert DATA_BYTES <= len(held.data) < DATA_BYTES + 200
    assert len({build(call).digest for call in calls}) == 10
    engine = Embedded(held, deadline_s=10.0)
    effects = Counter(Guard(engine).decide(call).effect for call in calls)
    engine.close()
    assert effects == {"allow": 5, "require_approval": 5}


def test_figures_are_lines():
    assert as_lines({"p50_ms": 0.5}) == ["p50_ms             0.5"]
