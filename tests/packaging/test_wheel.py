"""What users install: the wheel, alone in an empty environment, does the main job."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        UV,
        "build",
        "--quiet",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "-o",
        folder,
        ROOT,
    ]
    subprocess.run(command, check=True, timeout=1200)
    (built,) = folder.glob("twokey-*.whl")
    return built


def test_the_wheel_carries_every_portion_the_bundle_and_the_migrations(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    for portion in ("core", "store", "audit", "policies", "tools", "agents", "channels"):
        assert f"twokey/{portion}/py.typed" in names
    assert "twokey/__init__.py" not in names
    assert any(name.startswith("twokey/policies/bundle/") and name.endswith(".rego") for name in names)
    assert any(name.startswith("twokey/store/migrations/versions/") for name in names)
    assert any(name.startswith("twokey/audit/migrations/versions/") for name in names)
    assert any(name.startswith("twokey/channels/injection/suite/") and name.endswith(".jsonl") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "twokey/tests"))]


@pytest.fixture
def beside_the_cache() -> Iterator[Path]:
    """A folder on the disk where packages are kept, so that they are linked and not copied into memory."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=ROOT / ".cache") as folder:
        yield Path(folder)


def share_compiled(ours: Path, environment: Path) -> None:
    """Give what was installed what these packages were compiled to here; Python uses it where the source is the same."""
    (theirs,) = (environment / "lib").glob("python3*/site-packages")
    for compiled in ours.rglob("__pycache__"):
        beside = theirs / compiled.relative_to(ours)
        if beside.parent.is_dir() and not beside.exists():
            shutil.copytree(compiled, beside, copy_function=os.link)


@pytest.mark.timeout(3600)
def test_the_wheel_runs_the_demo_in_an_empty_environment(wheel: Path, tmp_path: Path, beside_the_cache: Path):
    environment = beside_the_cache / "environment"
    python = environment / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True, timeout=600)
    install = [UV, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True, timeout=1200)
    share_compiled(Path(sysconfig.get_path("purelib")), environment)
    subprocess.run([*install, "--no-deps", wheel], check=True, timeout=600)
    home = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TWOKEY_HOME": str(tmp_path / "keys")}
    done = subprocess.run(
        [environment / "bin" / "twokey", "demo", "--once", "--json", "--dir", tmp_path / "demo"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=home,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["state"] == "done"
    assert result["audit"]["ok"]
