import json
import subprocess
from pathlib import Path

import pytest

from twokey.policies.vetting import SAFE, UnsafeRego, vet

HEAD = "package twokey\n\n"


def _vet(body: str) -> None:
    vet([("twokey/x.rego", HEAD + body)])


@pytest.mark.parametrize(
    "body",
    [
        "a if count(input.b) > 0",
        "f(x) := y if y := x + 1\n\na := f(1)",
        "a if f(1)\n\nf(_) if true",
        "a if data.twokey.f(1)\n\nf(_) if true",
        "a := set()\n\nb if not (1 == 2)\n\nc if (1 in [1])",
        '# http.send({})\na := `http.send`\n\nb := "time.now_ns() \\" print(x)"',
        'a := input["http"].send\n\nb := input.time.rand',
        "import rego.v1\n\na := 1.5",
        "a := array.concat([1], [2])[0]",
    ],
)
def test_plain_rego_passes(body: str) -> None:
    _vet(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('a := http.send({"url": "https://e.example"})', "the built-in http.send"),
        ('a := http["send"]({"url": "x"})', "the built-in http.send"),
        ("a := http . send ({})", "the built-in http.send"),
        ("a := time.now_ns()", "time.now_ns"),
        ("a := rand.intn(`x`, 5)", "rand.intn"),
        ("a := opa.runtime()", "opa.runtime"),
        ("a := net.lookup_ip_addr(`e.example`)", "net.lookup_ip_addr"),
        ("a := uuid.rfc4122(`x`)", "uuid.rfc4122"),
        ("a if print(input)", "a call of print"),
        ("a if {\n\tprint(input)\n}", "a call of print"),
        ("a if\nprint(input)", "a call of print"),
        ("a if trace(`x`)", "a call of trace"),
        ("a if walk(input, x)", "a call of walk"),
        ("a := count([1]) with count as http.send", "`with`"),
        ("a := data.twokey.b with input as {}", "`with`"),
        ("a := data.other.f(1)", "a call of data.other.f"),
        ("a := rego.metadata.rule()", "rego.metadata.rule"),
        ("import future.keywords.in", "old syntax"),
        ("import input.x as time\n\na := time.y", "the built-in time"),
        ('a := $"{input.x}"', "no place in plain Rego"),
        ("a := 'x'", "no place in plain Rego"),
        ('a := "unended', "no place in plain Rego"),
        ("a := [1][0](1)", "not plainly named"),
        ("a := input.f[0](1)", "not plainly named"),
        ("\u0430 := 1", "no place in plain Rego"),
    ],
)
def test_what_reaches_outside_or_hides_is_refused(body: str, said: str) -> None:
    with pytest.raises(UnsafeRego) as refusal:
        _vet(body)
    assert said in refusal.value.message
    assert refusal.value.code == "unsafe_rego"


def test_the_message_names_module_and_line() -> None:
    with pytest.raises(UnsafeRego, match=r"twokey/x\.rego uses .* in line 5"):
        _vet("a := `\n`\n\tb := time.now_ns()")


def test_a_function_of_another_module_of_the_bundle_may_be_called() -> None:
    vet([("twokey/a.rego", HEAD + "a if f(1)"), ("twokey/b.rego", HEAD + "f(_) if true")])


@pytest.mark.opa
def test_every_other_built_in_of_opa_is_refused(opa: Path) -> None:
    output = subprocess.run([opa, "capabilities", "--current"], capture_output=True, check=True).stdout
    names = {str(builtin["name"]) for builtin in json.loads(output)["builtins"]}
    assert names >= SAFE
    for name in sorted(names - SAFE):
        with pytest.raises(UnsafeRego):
            _vet(f"a := {name}(input)")
        with pytest.raises(UnsafeRego):
            _vet(f"{name}(x) := x\n\na := {name}(input)")
