"""Looking only: the findings are the answer, and nothing is proposed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from support.command import account


def test_a_scan_tells_what_it_found_and_proposes_nothing(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE people (person_id INTEGER PRIMARY KEY, email TEXT)")
        rows = [(number, f"p{number}@example.com") for number in range(1, 61)]
        connection.executemany("INSERT INTO people VALUES (?, ?)", rows)
        connection.commit()
    twokey = account(tmp_path)
    shop = tmp_path / "shop.db"
    done = twokey("catalog", "scan", shop, "--as", "ana")
    assert done.code == 0
    assert "people.email is personal" in done.out
    assert "p1@example.com" not in done.out
    result = twokey.json("catalog", "scan", shop, "--as", "ana")
    assert (result["state"], result["proposals"]) == ("done", [])
    assert any(finding["kind"] == "sensitivity" for finding in result["findings"])
    assert twokey.json("runs", "show", result["run"])["findings"] == result["findings"]
    assert twokey.json("approvals", "list", "--all")["proposals"] == []
    # what is compared with is named by run or by day
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("DELETE FROM people WHERE person_id > 30")
        connection.commit()
    again = twokey("catalog", "scan", shop, "--baseline", result["run"], "--as", "ana")
    assert f"compared with what run {result['run']} read" in again.out
    assert again.code == 0
    refused = twokey.refused("catalog", "scan", shop, "--baseline", "lately", "--as", "ana", code=2)
    assert "baseline" in str(refused)
    twokey.refused("catalog", "scan", shop, "--baseline", "r-zzzzzzzzzzzz", "--as", "ana", code=2)
