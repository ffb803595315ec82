import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from twokey.tools.git_paths import fault, quoted, same_on_a_case_blind_disk
from twokey.tools.plain_text import Body, BranchName, OwnBranch, Title


@pytest.mark.parametrize(
    "path",
    [
        "models/schema.yml",
        "a",
        ".github/workflows/ci.yml",
        "docs/größe der tabelle.md",
        ".gitignore",
        "x/.gitattributes",
        "git/x",
        "文档/表.yml",
        "a~b",
        "githost~1.md",
        "console.md",
    ],
)
def test_an_ordinary_path_may_be_named(path: str) -> None:
    assert fault(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a/./b",
        ".",
        "a//b",
        "a/",
        "a\\b",
        "C:/x",
        "c:x",
        "a\nb",
        "a\tb",
        "a\x00b",
        "a\x7fb",
        "a\u202eb",
        "a\u200bb",
        "a\ufeffb",
        "a\u3164b",
        "a\u00a0b",
        "a\u2003b",
        "a\u2800b",
        "\ud800",
        "a\u0301",  # not composed
        ".git",
        ".git/hooks/pre-commit",
        ".GIT/config",
        "sub/.Git/config",
        ".git./config",
        ".git /config",
        ".git. . /config",
        "git~1/config",
        "GIT~1/config",
        "GIT~2/config",
        "gi7eba~1/config",
        ".g\u200cit/config",
        ".gi\u200dt",
        ".git::$INDEX_ALLOCATION/config",
        "\uff0egit/config",  # a full-width stop folds to `.git`
        ".gitmodules",
        ".GITMODULES",
        "gitmod~1",
        "sub/.gitmodules ",
        "con",
        "x/NUL.yml",
        "com1.txt",
        "a ",
        " a",
        "a./b",
        "a:b",
        "a*b",
        'a"b',
        "a" * 401,
        "ü" * 101,
        "/".join("a" * 33),
    ],
)
def test_a_path_that_is_elsewhere_or_something_else_on_some_disk_is_refused(path: str) -> None:
    reason = fault(path)
    assert reason is not None
    assert len(path) < 4 or path not in reason


@given(st.text(max_size=30))
def test_no_path_gets_through_that_the_file_system_reads_otherwise(path: str) -> None:
    if fault(path) is None:
        names = path.split("/")
        assert not {"", ".", ".."} & set(names)
        assert ".git" not in {name.lower() for name in names}
        assert path.isprintable()


def test_a_path_is_quoted_as_git_quotes_it() -> None:
    assert quoted(b"models/a b.yml", "a/") == "a/models/a b.yml"
    assert quoted("größe".encode()) == r'"gr\303\266\303\237e"'
    assert quoted(b'a"\\\n\x1b', "b/") == r'"b/a\"\\\n\033"'


def test_names_that_are_one_file_on_a_case_blind_disk_are_the_same() -> None:
    assert same_on_a_case_blind_disk(b"Schema.YML") == same_on_a_case_blind_disk(b"schema.yml")
    assert same_on_a_case_blind_disk("é".encode()) == same_on_a_case_blind_disk("E\u0301".encode())
    assert same_on_a_case_blind_disk(b"\xff") != same_on_a_case_blind_disk(b"\xfe")


TITLE: TypeAdapter[str] = TypeAdapter(Title)
BODY: TypeAdapter[str] = TypeAdapter(Body)
BRANCH: TypeAdapter[str] = TypeAdapter(BranchName)
OWN: TypeAdapter[str] = TypeAdapter(OwnBranch)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (TITLE, "Tag what is personal (orders): größe 👍"),
        (BODY, "# Why\n\n\t- because\n\n👩\u200d💻"),
        (BODY, ""),
        (BRANCH, "main"),
        (BRANCH, "release/2026.11"),
        (OWN, "twokey/7f3a91"),
    ],
)
def test_plain_texts_and_names_pass(kind: TypeAdapter[str], text: str) -> None:
    assert kind.validate_python(text) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (TITLE, ""),
        (TITLE, " x"),
        (TITLE, "a\nTwokey-Digest: 00"),
        (TITLE, "a\x1b[2Jb"),
        (TITLE, "a\u202eb"),
        (TITLE, "a\u2028b"),
        (TITLE, "x" * 201),
        (BODY, "a\rb"),
        (BODY, "a\x00b"),
        (BODY, "a\u2066b"),
        (BODY, "a\u0085b"),
        (BODY, "x" * 60_001),
        (BRANCH, "-rf"),
        (BRANCH, "a..b"),
        (BRANCH, "a b"),
        (BRANCH, "a.lock"),
        (BRANCH, "../main"),
        (BRANCH, "a//b"),
        (BRANCH, "a@{1}"),
        (BRANCH, "a\x00b"),
        (BRANCH, "HEAD"),
        (BRANCH, "main\u202e"),
        (OWN, "main"),
        (OWN, "twokey/"),
        (OWN, "twokey/a/b"),
        (OWN, "twokey/../main"),
        (OWN, "twokey/a..b"),
        (OWN, "twokey/a.lock"),
        (OWN, "twokey/a."),
        (OWN, "twokey/A"),
        (OWN, "twokey/a\n"),
    ],
)
def test_texts_that_hide_something_and_names_that_lead_astray_are_refused(kind: TypeAdapter[str], text: str) -> None:
    with pytest.raises(ValidationError):
        kind.validate_python(text)
