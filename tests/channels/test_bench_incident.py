"""The benchmark of the incident job measures what it says."""

import pytest

from twokey.channels import bench_incident


def test_figures_stand_beside_floors_and_a_large_bundle_is_measured_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_incident, "SERVICES", 6)
    monkeypatch.setattr(bench_incident, "LINES", 200)
    monkeypatch.setattr(bench_incident, "REPEATS", 1)
    monkeypatch.setattr(bench_incident, "TOLD", 200)
    told: list[str] = []
    result = bench_incident.measure(services=8, lines=500, tell=told.append)
    assert told[:3] == ["writing 56 series and 500 lines", "200 lines written", "400 lines written"]
    assert len(told) == 4
    assert result["samples"] == 6 * 7 * 293
    for key in (
        "ms_per_case",
        "ms_per_case_with_calls",
        "floor_read_ms",
        "floor_csv_ms",
        "vs_read",
        "import_ms",
        "rss_mb",
    ):
        assert result[key] > 0, key
    assert (result["large"]["series"], result["large"]["lines"]) == (56, 500)
    assert result["large"]["rss_mb"] > 10
