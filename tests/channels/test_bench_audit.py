"""The benchmark of the log: every figure that it promises, on a log that is written and verified for real."""

import pytest

from twokey.audit.verify import Report
from twokey.channels import bench_audit
from twokey.core.errors import CheckFailed


def test_every_figure_stands_beside_the_flush_of_the_same_run():
    found = bench_audit.audit(entries=5)
    assert set(found) >= {
        "fdatasync_per_s", "append_vs_fsync_1", "append_vs_fsync_64", "append_p99_vs_fsync_64", "verify_per_s", "rss_mb",
    }  # fmt: skip
    assert found["entries"] == 12, "five and one to begin with, twice"
    assert all(value > 0 for name, value in found.items() if name != "sqlite")


def test_a_log_that_does_not_verify_gives_no_figures(monkeypatch: pytest.MonkeyPatch):
    broken = Report(ok=False, size=0, root="", first_bad=3, reason="entry 3 was changed", rollback_checked=False)

    def verify(*_: object, **__: object) -> Report:
        return broken

    monkeypatch.setattr(bench_audit, "verify", verify)
    with pytest.raises(CheckFailed, match="entry 3 was changed"):
        bench_audit.audit(entries=1)
