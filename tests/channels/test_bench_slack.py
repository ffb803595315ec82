"""The measurement of acknowledgements measures what it says."""

import asyncio

import pytest

from twokey.channels import bench_slack


def test_asteady_rate_is_kept_whether_or_not_what_came_before_is_answered() -> None:
    begun: list[int] = []

    async def act(number: int) -> str | None:
        begun.append(number)
        await asyncio.sleep(0.5 if number == 0 else 0)
        if number == 3:
            raise OSError
        return None if number == 2 else f"n{number}"

    load = asyncio.run(bench_slack.steady(1, act))
    assert begun == list(range(bench_slack.PER_S))
    assert load.failed == 2
    assert len(load.took_ms) == len(load.acknowledged) == bench_slack.PER_S - 2
    assert max(load.took_ms) >= 500


@pytest.mark.soak
def test_nothing_that_is_acknowledged_is_lost() -> None:
    found = bench_slack.measure(quick=True)
    assert found["lost"] == 0
    assert found["commands"] == 300
    assert found["acknowledged_in_all"] > 300
    assert found["ack_p99_ms"] >= found["ack_p50_ms"] > 0
