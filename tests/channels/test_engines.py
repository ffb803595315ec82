"""The whole way with each policy engine, and what happens when the server of one dies on the way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support.bench import git, new_repository
from support.command import PATIENCE_S, warm
from support.halfway import in_the_middle, long_warehouse, to_its_end

from twokey.policies.engines.child import listening_port

pytestmark = pytest.mark.opa
TWOKEY = Path(sys.executable).with_name("twokey")


class Home:
    """A workspace for ana and sam, a repository and a small warehouse."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.repository = new_repository(folder / "repository")
        self.warehouse = folder / "tables"
        self.warehouse.mkdir()
        for number in range(6):
            rows = "\n".join(f"{row},user{row}@example.com" for row in range(50))
            (self.warehouse / f"people_{number}.csv").write_text(f"person_id,email\n{rows}\n", encoding="utf-8")
        self.environment = os.environ | {"TWOKEY_HOME": str(folder / "keys")}
        self.run("init", str(self.folder), "--principal", "ana:analysts,sam:platform-owners")

    def command(self, *words: str) -> list[str]:
        return [str(TWOKEY), *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        code, out, err = warm().run(self.command(*words), self.folder.parent, self.environment, PATIENCE_S)
        return subprocess.CompletedProcess(words, code, out, err)

    def ask(self, *words: str) -> tuple[int, Any]:
        done = self.run("-C", str(self.folder), "--json", *words)
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)

    def choose(self, text: str) -> None:
        path = self.folder / "twokey.toml"
        path.write_text(path.read_text(encoding="utf-8") + f"\n[policy]\n{text}\n", encoding="utf-8")

    def propose(self) -> tuple[int, Any]:
        words = ("catalog", "propose", str(self.warehouse), "--repo", str(self.repository), "--as", "ana")
        return self.ask(*words)

    def branches(self) -> list[str]:
        return git(self.repository, "for-each-ref", "--format=%(refname)", "refs/heads/twokey/").split()

    def decisions(self) -> list[str]:
        _, log = self.ask("audit", "show", "--limit", "10000")
        return [
            reason
            for entry in log["entries"]
            if entry["kind"] == "policy.decided"
            for reason in entry["event"]["reasons"]
        ]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@contextmanager
def server(opa: Path, folder: Path) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    """A real OPA server on a free loopback port, with the bundle of the workspace in ``folder``."""
    command = [opa, "run", "--server", "--addr", "127.0.0.1:0", "--log-level", "error", "--skip-version-check"]
    process = subprocess.Popen([*command, "--bundle", "policies"], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        port = listening_port(process.pid)
        while port is None:
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"opa ended with {process.wait(0.02)}")
            port = listening_port(process.pid)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_the_managed_opa_takes_every_decision_of_a_whole_change(home: Home, opa: Path, opa_sha256: str):
    home.choose(f'engine = "opa-managed"\nopa_path = "{opa}"\nopa_sha256 = "{opa_sha256}"\ndeadline_ms = 10000')
    code, result = home.propose()
    assert code == 0
    proposal = result["proposals"][0]["id"]
    assert home.ask("approvals", "approve", proposal, "--as", "sam")[1]["state"] == "done"
    assert len(home.branches()) == 1
    _, log = home.ask("audit", "show", "--limit", "10000")
    engines = {entry["event"]["engine"] for entry in log["entries"] if entry["kind"] == "policy.decided"}
    assert engines == {"opa-managed 1.20.2"}


def test_a_managed_opa_that_is_not_the_pinned_one_decides_nothing(home: Home, opa: Path):
    home.choose(f'engine = "opa-managed"\nopa_path = "{opa}"\nopa_sha256 = "{"0" * 64}"\ndeadline_ms = 10000')
    code, result = home.propose()
    assert (code, result["error"]["code"]) == (1, "engine_fault")
    assert home.branches() == []


def test_a_managed_opa_that_is_killed_on_the_way_denies_and_nothing_is_written(home: Home, opa: Path, opa_sha256: str):
    home.choose(f'engine = "opa-managed"\nopa_path = "{opa}"\nopa_sha256 = "{opa_sha256}"\ndeadline_ms = 10000')
    source = long_warehouse(home.folder.parent / "long.db")
    words = ("-C", str(home.folder), "catalog", "propose", str(source), "--repo", str(home.repository))
    process, reading = in_the_middle(home.command(*words, "--as", "ana"), source, home.folder, home.environment)
    killed = sum(kill(child) for child in descendants(process.pid))
    ended = to_its_end(process, reading)
    assert killed > 0
    assert ended.code != 0, "the next decision was none"
    assert "Traceback" not in ended.err
    assert home.branches() == []
    assert home.ask("audit", "verify")[0] == 0


def descendants(pid: int) -> list[int]:
    """Every process below ``pid`` that runs opa."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = status.read_text(encoding="ascii", errors="replace")
            parents[int(status.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return [child for child in found if runs_opa(child)]


def runs_opa(pid: int) -> bool:
    try:
        return b"--server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def kill(pid: int) -> int:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def test_an_opa_server_decides_and_its_death_is_a_recorded_refusal(home: Home, opa: Path):
    with server(opa, home.folder) as (process, address):
        home.choose(f'engine = "opa"\nurl = "{address}"\ndeadline_ms = 10000')
        code, result = home.propose()
        assert code == 0, result
        proposal = result["proposals"][0]["id"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        code, result = home.ask("approvals", "approve", proposal, "--as", "sam")
        assert (code, result["error"]["code"]) == (1, "engine_fault")
        assert home.branches() == []
        assert home.decisions()[-1] == "engine_fault"
        assert home.ask("approvals", "show", proposal)[1]["state"] == "awaiting_approval"
        code, result = home.propose()
        assert (code, result["error"]["code"]) == (1, "engine_fault")
    assert home.ask("audit", "verify")[0] == 0
