import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

import twokey.policies
from twokey.policies import bundle as bundles
from twokey.policies.bundle import InvalidBundle
from twokey.policies.facts import InvalidPolicyData
from twokey.policies.vetting import UnsafeRego

PACKAGED = Path(str(twokey.policies.__file__)).parent / "bundle"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of our own bundle to tamper with."""
    return Path(shutil.copytree(PACKAGED, tmp_path / "bundle"))


def test_the_bundle_of_the_package_is_loaded_without_its_tests(folder: Path) -> None:
    packaged = bundles.load()
    assert packaged == bundles.load(folder)
    names = [name for name, _ in packaged.modules]
    assert names == sorted(names)
    assert "twokey/decision.rego" in names
    assert not [name for name in names if name.endswith("_test.rego")]


def test_revisions_follow_meaning(folder: Path) -> None:
    before = bundles.load(folder)
    document = json.loads((folder / "data.json").read_text())
    (folder / "data.json").write_text(json.dumps(document, indent=7, sort_keys=True))
    (folder / "twokey" / "decision_test.rego").write_text("package twokey.tests\n")
    assert bundles.load(folder).revisions == before.revisions
    document["twokey_data"]["limits"]["files"] = 1
    (folder / "data.json").write_text(json.dumps(document))
    other_data = bundles.load(folder)
    assert other_data.revisions.policy == before.revisions.policy
    assert other_data.revisions.data != before.revisions.data
    (folder / "twokey" / "extra.rego").write_text("package twokey\n\nextra := 1\n")
    assert bundles.load(folder).revisions.policy != before.revisions.policy


def test_the_data_revision_is_the_digest_of_the_bytes_engines_get() -> None:
    packaged = bundles.load()
    assert packaged.revisions.data == hashlib.sha256(packaged.data).hexdigest()
    assert packaged.revision == f"twokey-{packaged.revisions.policy}-{packaged.revisions.data}"


def test_other_data_is_checked_and_changes_one_revision() -> None:
    packaged = bundles.load()
    document = packaged.document()
    document["twokey_data"]["limits"]["files"] = 1
    other = packaged.with_data(document)
    assert other.modules == packaged.modules
    assert other.revisions.data != packaged.revisions.data
    with pytest.raises(InvalidPolicyData):
        packaged.with_data({"twokey_data": {}})


def test_a_written_bundle_loads_as_the_same(tmp_path: Path) -> None:
    packaged = bundles.load()
    packaged.write(tmp_path / "out")
    manifest = tmp_path / "out" / ".manifest"
    assert json.loads(manifest.read_text())["revision"] == packaged.revision
    assert bundles.load(tmp_path / "out") == packaged
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "out").rglob("*")} == {0}
    with pytest.raises(FileExistsError):
        packaged.write(tmp_path / "out")


def test_a_link_is_refused_wherever_it_stands(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.rego"
    outside.write_text("package twokey\n")
    for name in ("twokey/linked.rego", "twokey/linked_test.rego", "linked.rego"):
        (folder / name).symlink_to(outside)
        with pytest.raises(InvalidBundle, match="is a link or cannot be read"):
            bundles.load(folder)
        (folder / name).unlink()
    (folder / "more").symlink_to(tmp_path)
    with pytest.raises(InvalidBundle, match="has no place"):
        bundles.load(folder)
    (folder / "more").unlink()
    shutil.move(folder / "data.json", tmp_path / "data.json")
    (folder / "data.json").symlink_to(tmp_path / "data.json")
    with pytest.raises(InvalidBundle, match=r"data\.json is a link"):
        bundles.load(folder)


def test_a_special_file_is_refused_without_waiting_for_it(folder: Path) -> None:
    os.mkfifo(folder / "twokey" / "pipe.rego")
    with pytest.raises(InvalidBundle, match="is no regular file"):
        bundles.load(folder)


@pytest.mark.parametrize("name", ["data.yaml", "twokey/data.yml", "a b.rego", "policy.wasm", ".hidden", "x\u001b.rego"])
def test_other_files_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    with pytest.raises(InvalidBundle, match="has no place in a policy bundle") as refusal:
        bundles.load(folder)
    assert refusal.value.message.isascii()


def test_data_below_the_root_is_refused(folder: Path) -> None:
    (folder / "twokey" / "data.json").write_text("{}")
    with pytest.raises(InvalidBundle, match="has no place"):
        bundles.load(folder)


def test_sizes_are_bounded(folder: Path) -> None:
    large = folder / "twokey" / "large.rego"
    large.write_text("#" * (bundles.MAX_FILE_BYTES + 1))
    with pytest.raises(InvalidBundle, match="larger than"):
        bundles.load(folder)
    large.unlink()
    for number in range(bundles.MAX_FILES):
        (folder / f"m{number}.rego").write_text("package twokey\n")
    with pytest.raises(InvalidBundle, match="more than 200 files"):
        bundles.load(folder)


def test_depth_is_bounded(folder: Path) -> None:
    deep = folder.joinpath(*"abcdefghi")
    deep.mkdir(parents=True)
    with pytest.raises(InvalidBundle, match="lies too deep"):
        bundles.load(folder)


def test_a_missing_folder_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match="cannot be read"):
        bundles.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (".manifest", b"", "missing or cannot be read"),
        (".manifest", b"[]", "no JSON object"),
        (".manifest", b"{}", "has to say rego_version 1"),
        (".manifest", b'{"roots": ["", "twokey"], "rego_version": 1}', "has to say rego_version 1"),
        (".manifest", b'{"roots": ["twokey", "twokey_data"], "rego_version": 0}', "has to say rego_version 1"),
        ("data.json", b'{"twokey_data": {}, "twokey_data": {}}', "a key occurs twice"),
        ("twokey/tools.rego", b"package twokey\xff", "is not UTF-8"),
    ],
)
def test_broken_files_are_refused(folder: Path, name: str, text: bytes, said: str) -> None:
    (folder / name).write_bytes(text)
    with pytest.raises(InvalidBundle) as refusal:
        bundles.load(folder)
    assert said in refusal.value.message


def test_a_bundle_has_rules(folder: Path) -> None:
    shutil.rmtree(folder / "twokey")
    with pytest.raises(InvalidBundle, match="no Rego module"):
        bundles.load(folder)


def test_modules_are_vetted(folder: Path) -> None:
    (folder / "twokey" / "clock.rego").write_text("package twokey\n\nnow := time.now_ns()\n")
    with pytest.raises(UnsafeRego, match=r"twokey/clock\.rego"):
        bundles.load(folder)


def test_the_order_of_roots_does_not_matter(folder: Path) -> None:
    (folder / ".manifest").write_text('{"roots": ["twokey_data", "twokey"], "rego_version": 1}')
    assert bundles.load(folder) == bundles.load()


def test_a_stamp_tells_another_folder_without_reading_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    bundles.load().write(folder)
    before = bundles.stamp(folder)
    assert bundles.stamp(folder) == before
    assert len(before) == len(bundles.files_of(folder))
    data = folder / "data.json"
    kept = data.read_bytes()
    data.write_bytes(kept.replace(b'"files":200', b'"files":201'))
    assert len(data.read_bytes()) == len(kept)
    assert bundles.stamp(folder) != before
    fresh = tmp_path / "fresh"
    fresh.write_bytes(kept)
    fresh.replace(data)
    assert bundles.stamp(folder) != before, "the same bytes in another file"
    data.unlink()
    assert len(bundles.stamp(folder)) == len(before) - 1


def test_the_stamp_of_what_is_no_bundle_is_empty(tmp_path: Path) -> None:
    assert bundles.stamp(tmp_path / "nowhere") == ()
    (tmp_path / "notes.txt").write_text("x")
    assert bundles.stamp(tmp_path) == ()
    assert bundles.stamp_of(tmp_path / "nowhere") == (str(tmp_path / "nowhere"), 0, 0, 0, 0)
    assert bundles.stamp_of(tmp_path / "notes.txt")[2] == 1
