"""A real Prometheus and a real Alertmanager, as Debian ships them, for tests that talk to one."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from support.ports import free_port

PATIENCE_S = 240
"""How long a server may take to begin or to end on a busy machine."""


def program(name: str) -> str:
    """Find a program; a machine without it skips the test, except in CI, which installs it."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed (Debian: prometheus, prometheus-alertmanager)")
    return found


def backfill(folder: Path, samples: Sequence[tuple[str, float, float]]) -> Path:
    """Write samples (series, seconds, value) as blocks of a Prometheus; gives its data folder.

    A series is written as Prometheus writes it: ``name{label="value"}``.
    """
    text, data = folder / "samples.om", folder / "data"
    families: dict[str, list[str]] = {}
    for series, at, value in sorted(samples):
        name = re.split(r"[{ ]", series)[0]
        families.setdefault(name, []).append(f"{series} {value} {at:.3f}")
    lines = [line for name, own in families.items() for line in (f"# TYPE {name} gauge", *own)]
    text.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    subprocess.run(
        [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    return data


@contextmanager
def running(command: Sequence[str], ready: str, log: Path) -> Generator[None]:
    """Run a server until the block ends; returns when ``ready`` answers."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            _wait(process, ready, log)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _wait(process: "subprocess.Popen[bytes]", ready: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"it ended: {log.read_text(encoding='utf-8')[-800:]}")
        with contextlib.suppress(requests.RequestException):
            if requests.get(ready, timeout=60).status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail(f"it is not ready: {log.read_text(encoding='utf-8')[-800:]}")


@contextmanager
def prometheus(
    folder: Path, data: Path, config: str = "scrape_configs: []\n", port: int | None = None
) -> Generator[str]:
    """Run a Prometheus on ``data``; gives its address."""
    port = port or free_port()
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=50y",
        "--rules.alert.resend-delay=1s",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, f"http://127.0.0.1:{port}/-/ready", folder / "prometheus.log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def alertmanager(folder: Path, port: int, config: str) -> Generator[str]:
    """Run an Alertmanager on ``port``; gives its address."""
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, f"http://127.0.0.1:{port}/-/ready", folder / "alertmanager.log"):
        yield f"http://127.0.0.1:{port}"
