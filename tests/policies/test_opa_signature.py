"""OPA's bundle signature, held against the real opa in both directions, and attacked."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault
from twokey.policies import bundle as bundles
from twokey.policies import opa_signature
from twokey.policies.bundle import SIGNATURES, Bundle

Signed = tuple[Path, ec.EllipticCurvePublicKey]


def opa_build(opa: Path, folder: Path, public: Path) -> subprocess.CompletedProcess[str]:
    # OPA names files from where it is run, so the folder itself is the place.
    arguments = ["build", "--bundle", ".", "--output", str(folder.with_suffix(".tar.gz"))]
    verification = ["--verification-key", str(public), "--signing-alg", "ES256"]
    return subprocess.run(
        [str(opa), *arguments, *verification], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def key(tmp_path: Path) -> Path:
    opa_signature.new_key(tmp_path / "key.pem")
    return tmp_path / "key.pem"


@pytest.fixture
def public(key: Path) -> Path:
    return key.with_name("key.pem.pub")


@pytest.fixture
def folder(tmp_path: Path, bundle: Bundle) -> Path:
    """A bundle with a test, unsigned, and with text beyond ASCII in its data."""
    document = bundle.document()
    document["twokey_data"]["owners"].append(
        {"kind": "repository", "id": 'd\u00e9p\u00f4t "\\/<&>\u20ac', "group": "ml-owners"}
    )
    made = tmp_path / "policies"
    bundle.with_data(document).write(made)
    (made / "twokey" / "own_test.rego").write_text("package twokey.own\n\ntest_one if 1 == 1\n")
    return made


@pytest.fixture
def signed(folder: Path, key: Path, public: Path) -> Signed:
    text = opa_signature.sign(bundles.files_of(folder), opa_signature.load_key(key))
    (folder / SIGNATURES).write_bytes(text)
    return folder, opa_signature.load_public(public)


def test_what_is_signed_here_verifies_here_and_loads(signed: Signed):
    folder, public = signed
    opa_signature.verify(bundles.files_of(folder), public)
    assert bundles.load(folder).modules


@pytest.mark.opa
def test_the_real_opa_takes_what_is_signed_here_and_not_when_it_was_changed(opa: Path, signed: Signed, public: Path):
    folder, _ = signed
    done = opa_build(opa, folder, public)
    assert done.returncode == 0, done.stderr
    data = folder / "data.json"
    data.write_text(data.read_text().replace('"lines":10000', '"lines":10001'))
    assert opa_build(opa, folder, public).returncode != 0


@pytest.mark.opa
def test_what_the_real_opa_signs_is_taken_here(opa: Path, folder: Path, key: Path, public: Path):
    arguments = ["sign", "--bundle", ".", "--signing-key", str(key), "--signing-alg", "ES256"]
    subprocess.run([str(opa), *arguments], cwd=folder, check=True)
    opa_signature.verify(bundles.files_of(folder), opa_signature.load_public(public))


def change(folder: Path) -> None:
    (folder / "twokey" / "decision.rego").write_text("package twokey\n")


def grow(folder: Path) -> None:
    (folder / "twokey" / "more.rego").write_text("package twokey\n")


def shrink(folder: Path) -> None:
    (folder / "twokey" / "own_test.rego").unlink()


def unsign(folder: Path) -> None:
    (folder / SIGNATURES).unlink()


def spoil(folder: Path) -> None:
    (folder / SIGNATURES).write_text("{}")


def empty(folder: Path) -> None:
    (folder / SIGNATURES).write_text('{"signatures":[]}')


def double(folder: Path) -> None:
    held = json.loads((folder / SIGNATURES).read_text())
    (folder / SIGNATURES).write_text(json.dumps({"signatures": held["signatures"] * 2}))


def forge(header: dict[str, str], payload: object = None, signature: bytes | None = None) -> Callable[[Path], None]:
    def encode(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def work(folder: Path) -> None:
        head, body, end = json.loads((folder / SIGNATURES).read_text())["signatures"][0].split(".")
        head = encode(header) if header else head
        body = encode(payload) if payload is not None else body
        end = base64.urlsafe_b64encode(signature).rstrip(b"=").decode() if signature is not None else end
        (folder / SIGNATURES).write_text(json.dumps({"signatures": [f"{head}.{body}.{end}"]}))

    return work


@pytest.mark.parametrize(
    "harm",
    [
        change,
        grow,
        shrink,
        unsign,
        spoil,
        empty,
        double,
        forge({"alg": "none"}, signature=b""),
        forge({"alg": "HS256"}),
        forge({}, {"files": []}),
        forge({}, signature=bytes(64)),
        forge({}, signature=bytes(63)),
    ],
)
def test_what_was_changed_since_is_refused(signed: Signed, harm: Callable[[Path], None]):
    folder, public = signed
    harm(folder)
    with pytest.raises(CheckFailed) as caught:
        opa_signature.verify(bundles.files_of(folder), public)
    assert caught.value.code == "policy_signature"


@pytest.mark.parametrize("files", [None, {}, [1], [{"name": "x"}] * 2])
def test_a_signed_list_that_is_no_list_of_these_files_is_refused(
    signed: Signed, key: Path, files: object, monkeypatch: pytest.MonkeyPatch
):
    folder, public = signed
    real = json.dumps

    def lie(value: object, **more: object) -> str:
        changed = {"files": files} if isinstance(value, dict) and "files" in value else value
        return real(changed, **more)  # pyright: ignore[reportArgumentType] - passed on

    monkeypatch.setattr(json, "dumps", lie)
    text = opa_signature.sign(bundles.files_of(folder), opa_signature.load_key(key))
    monkeypatch.undo()
    (folder / SIGNATURES).write_bytes(text)
    with pytest.raises(CheckFailed):
        opa_signature.verify(bundles.files_of(folder), public)


def test_the_signature_of_another_key_is_refused(signed: Signed, tmp_path: Path):
    other = opa_signature.load_public(opa_signature.new_key(tmp_path / "other.pem"))
    with pytest.raises(CheckFailed, match="not by"):
        opa_signature.verify(bundles.files_of(signed[0]), other)


@pytest.mark.parametrize("content", [b"{", b'{"a":1.5}', b'{"a":"\\u0007"}', '{"a":"\u2028"}'.encode()])
def test_json_that_opa_writes_differently_is_not_signed(key: Path, content: bytes):
    with pytest.raises(BadInput):
        opa_signature.sign({"data.json": content}, opa_signature.load_key(key))


def test_a_key_is_for_its_owner_alone_and_never_overwritten(key: Path, tmp_path: Path):
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    with pytest.raises(BadInput):
        opa_signature.new_key(key)
    assert key.read_bytes() == before
    with pytest.raises(EnvironmentFault):
        opa_signature.new_key(tmp_path / "nowhere" / "key.pem")
    key.chmod(0o640)
    with pytest.raises(EnvironmentFault):
        opa_signature.load_key(key)


def test_what_is_no_key_is_said(tmp_path: Path):
    other = tmp_path / "other.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    edwards = ed25519.Ed25519PrivateKey.generate()
    for content in (b"", edwards.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)):
        other.write_bytes(content)
        other.chmod(0o600)
        with pytest.raises(BadInput):
            opa_signature.load_key(other)
    for content in (b"", edwards.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)):
        other.write_bytes(content)
        with pytest.raises(BadInput):
            opa_signature.load_public(other)
    for load in (opa_signature.load_key, opa_signature.load_public):
        with pytest.raises(BadInput):
            load(tmp_path / "nowhere")
