"""``eval duplicates``: only earlier reports are seen, and what is found is counted right."""

from pathlib import Path

import pytest

from twokey.agents.triage.evaluate_duplicates import as_lines, evaluate
from twokey.core.errors import TwokeyError

REPORTS = """id,created_at,title,body
5,2026-01-05T00:00:00Z,Importer stops at row 1000,"It stops, always at row 1000."
1,2026-01-01T00:00:00Z,Importer stops after 1000 rows,the importer stops at row 1000
2,2026-01-02T00:00:00Z,Dark mode,please
3,2026-01-03T00:00:00Z,Login fails with E1234,E1234 on login
4,2026-01-04T00:00:00Z,E1234,cannot log in: E1234
6,nonsense,Broken,row
"""


def files(folder: Path, reports: str, pairs: str) -> tuple[Path, Path]:
    (folder / "reports.csv").write_text(reports)
    (folder / "pairs.csv").write_text(pairs)
    return folder / "reports.csv", folder / "pairs.csv"


def test_reports_are_looked_up_among_the_earlier_ones(tmp_path: Path) -> None:
    result = evaluate(*files(tmp_path, REPORTS, "id,duplicate_of\n5,1\n4,3\n2,5\n5,1\n1,nobody\n"))
    assert result["recall_at"] == {"1": 0.5, "5": 0.5, "10": 0.5}
    assert (result["queries"], result["reports"], result["unread"], result["without_earlier"]) == (4, 5, 1, 2)
    assert result["mean_reciprocal_rank"] == 0.5
    assert as_lines(result)[0] == "recall@1   0.500"


def test_a_report_with_two_originals_counts_by_what_is_found(tmp_path: Path) -> None:
    result = evaluate(*files(tmp_path, REPORTS, "id,duplicate_of\n4,3\n4,nobody\n"))
    assert result["recall_at"]["10"] == 0.5


@pytest.mark.parametrize(
    ("reports", "pairs", "code"),
    [
        ("a,b\n1,2\n", "id,duplicate_of\n1,2\n", "bad_reports"),
        (REPORTS, "id,original\n1,2\n", "bad_pairs"),
        (REPORTS, "id,duplicate_of\n77,1\n", "bad_pairs"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path: Path, reports: str, pairs: str, code: str) -> None:
    with pytest.raises(TwokeyError) as caught:
        evaluate(*files(tmp_path, reports, pairs))
    assert caught.value.code == code


def test_files_that_are_missing_or_no_text_are_refused(tmp_path: Path) -> None:
    reports, pairs = files(tmp_path, REPORTS, "id,duplicate_of\n4,3\n")
    for wrong in ((tmp_path / "no", pairs), (reports, tmp_path / "no")):
        with pytest.raises(TwokeyError) as caught:
            evaluate(*wrong)
        assert caught.value.exit_code == 2
    pairs.write_bytes(b"id,duplicate_of\n\xff,3\n")
    with pytest.raises(TwokeyError) as caught:
        evaluate(reports, pairs)
    assert caught.value.code == "bad_pairs"
