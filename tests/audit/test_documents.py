"""README and SPEC say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

from twokey.audit import entry, storage

FOLDER = Path(__file__).resolve().parents[2] / "audit"
README = (FOLDER / "README.md").read_text("utf-8")
SPEC = (FOLDER / "SPEC.md").read_text("utf-8")


def test_the_example_runs(tmp_path: Path):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", example], cwd=tmp_path, check=True)


def test_every_module_is_described():
    for module in (FOLDER / "twokey/audit").glob("*.py"):
        assert module.name == "__init__.py" or module.name in README


def test_every_table_and_column_is_specified():
    described = dict(re.findall(r"`(log_\w+)\(([^`]*)\)`", SPEC))
    assert set(described) == set(storage.TABLES.tables)
    for name, columns in described.items():
        named = [re.split(r"\W", column.strip())[0] for column in columns.split(",")]
        assert named == [column.name for column in storage.TABLES.tables[name].columns]


def test_limits_and_names_are_specified():
    for text in (f"{entry.MAX_BYTES:,} bytes", "twokey/entry/v1", "twokey/pending/v1", "twokey/log-key/v1/signing"):
        assert text in SPEC
    for role in ("gate", "agent"):
        assert f"twokey/log-key/v1/writer/{role}" in SPEC
