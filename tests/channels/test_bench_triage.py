"""The benchmark of triage measures what it says."""

import pytest

from twokey.channels import bench_triage


def test_figures_stand_beside_a_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_triage, "QUICK", 40)
    monkeypatch.setattr(bench_triage, "LEARNED_FROM", 120)
    result = bench_triage.measure(quick=True)
    assert (result["tickets"], result["learn_from"] > 60, result["characters"] > 300) == (40, True, True)
    for key in ("docs_per_s", "docs_per_s_by_the_clock", "tfidf_docs_per_s", "vs_tfidf", "import_ms", "later_start_ms"):
        assert result[key] > 0, key
