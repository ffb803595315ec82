"""The demo serves its console until it is stopped, and prints links that let people in."""

import http.client
import re
from pathlib import Path

from support.command import PATIENCE_S, Command


def test_the_demo_serves_its_console_and_ends_on_sigterm(tmp_path: Path):
    twokey = Command(home=tmp_path / "home", folder=tmp_path)
    process = twokey.start("demo", "--dir", str(tmp_path / "demo"), "--port", "0")
    assert process.stdout is not None
    told: list[str] = []
    try:
        for line in process.stdout:
            told.append(line)
            if line.startswith("Ctrl-C"):
                break
        links = re.findall(r"http://127\.0\.0\.1:(\d+)/login\?next=(/\S*)#[A-Za-z0-9_-]{43}", "".join(told))
        assert [path for _, path in links[1:]] == ["/inbox", "/inbox"]
        assert links[0][1].startswith("/p/")
        waiting = re.findall(r"proposal (p-\w+) is awaiting_approval", "".join(told))
        assert len(set(waiting)) == 7, "two of the catalog, three of tickets, an incident's ticket and its post-mortem"
        connection = http.client.HTTPConnection("127.0.0.1", int(links[0][0]), timeout=PATIENCE_S)
        connection.request("GET", "/inbox")
        assert connection.getresponse().headers["location"] == "/login?next=/inbox"
        connection.close()
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
