"""The Rego toolchain's own checks of the bundle, by the pinned OPA."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import twokey.policies
from twokey.policies import bundle
from twokey.policies.vetting import SAFE

FOLDER = Path(str(twokey.policies.__file__)).parent / "bundle"

pytestmark = pytest.mark.opa


def _run(opa: Path, *arguments: str) -> str:
    done = subprocess.run([opa, *arguments], capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_bundle_is_formatted(opa: Path) -> None:
    assert _run(opa, "fmt", "--list", "bundle") == ""


def test_the_bundle_passes_strict_checks_with_the_safe_built_ins_alone(opa: Path, tmp_path: Path) -> None:
    capabilities = json.loads(_run(opa, "capabilities", "--current"))
    operators = {"assign", "eq", "equal", "gt", "gte", "lt", "lte", "neq", "minus", "plus", "mul", "div", "rem"}
    words = {"internal.member_2", "internal.member_3", "and", "or"}
    allowed = SAFE | operators | words
    capabilities["builtins"] = [item for item in capabilities["builtins"] if item["name"] in allowed]
    capabilities["allow_net"] = []
    path = tmp_path / "capabilities.json"
    path.write_text(json.dumps(capabilities))
    bundle.load().write(tmp_path / "written")
    _run(opa, "check", "--strict", "--capabilities", str(path), "--bundle", str(tmp_path / "written"))
    _run(opa, "check", "--strict", "--bundle", "bundle")


@pytest.mark.timeout(900)
def test_the_rego_tests_pass_and_cover_every_rule(opa: Path) -> None:
    report = json.loads(
        _run(opa, "test", "--coverage", "--threshold", "100", "--timeout", "120s", "--bundle", "bundle")
    )
    assert report["coverage"] == 100
    covered = {Path(name).name for name, file in report["files"].items() if file.get("coverage") == 100}
    assert covered >= {path.name for path in FOLDER.rglob("*.rego") if not path.name.endswith("_test.rego")}


def test_every_reason_is_annotated_with_its_rule_and_code(opa: Path) -> None:
    inspected = json.loads(_run(opa, "inspect", "--annotations", "--format", "json", "bundle"))
    annotated: dict[str, str] = {}
    for entry in inspected["annotations"]:
        note: dict[str, Any] = entry["annotations"]
        assert note["title"]
        assert note["description"]
        custom = note.get("custom", {})
        if "rule" in custom:
            assert custom["rule"] not in annotated
            annotated[custom["rule"]] = custom["code"]
    text = "".join(module for _, module in bundle.load().modules)
    written = re.findall(r'"code": "([a-z_]+)",\s*"message": "[^"]{1,200}",\s*"rule": "(R[0-9]{2})"', text)
    assert {rule: code for code, rule in written} == annotated
    assert len(written) == len(annotated)
    assert "R00" not in annotated
