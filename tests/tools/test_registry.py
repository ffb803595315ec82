"""Which tools there are: real distributions in a folder on the path, loaded by a process of its own."""

import base64
import hashlib
import json
import os
import py_compile
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from support.command import warm
from support.notes import KeyedNotes, ReadNotes

from twokey.core.errors import EnvironmentFault, NotFound
from twokey.tools.registry import Registry, _load, installed  # pyright: ignore[reportPrivateUsage] - for one odd entry

PROCESS = Path(__file__).resolve().parent.parent / "support" / "plugin_process.py"
BUILT_IN = {
    "close_pull_request",
    "open_pull_request",
    "query_telemetry",
    "query_warehouse",
    "read_catalog",
    "search_tickets",
} | {
    "restore_ticket",
    "search_runbooks",
    "update_ticket",
}
AS_THEY_ARE = "as they are"
SOURCE = """
from twokey.core.values import Value
from twokey.tools.contract import ReadTool

class Words(Value):
    text: str

class Greet(ReadTool[Words, Words]):
    name = "greet"
    version = "1"
    kind = "tickets"
    input_type = Words
    output_type = Words
    def place_name(self, args):
        return args.text
    def call(self, args, context):
        return args
    def summary(self, args, result):
        return ""
"""


def install(  # the parts of a distribution
    site: Path,
    *,
    name: str = "acme-tools",
    files: dict[str, str] | None = None,
    entry: str = "greet = acme_tools:Greet",
    record: bool = True,
    unlisted: tuple[str, ...] = (),
) -> Path:
    """Put a distribution into a folder as an installer does, with its list of files."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[twokey.tools]\n{entry}\n")
    (folder / "INSTALLER").write_text("test\n")
    listed = [folder / "METADATA", folder / "entry_points.txt", folder / "INSTALLER"]
    for path, content in ({"acme_tools/__init__.py": SOURCE} if files is None else files).items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(content)
        if path not in unlisted:
            listed.append(site / path)
    if record:
        lines = [f"{path.relative_to(site)},{hashed(path)},{path.stat().st_size}" for path in listed]
        (folder / "RECORD").write_text("\n".join([*lines, f"{folder.name}/RECORD,,"]) + "\n")
    return folder


def hashed(path: Path) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def load(*path: Path, pins: Any = AS_THEY_ARE) -> dict[str, Any]:
    """What a fresh process says of the tools it finds."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}
    code, out, err = warm().run([str(PROCESS), json.dumps(pins)], PROCESS.parent, environment, 60, script=PROCESS)
    assert code == 0, err
    return json.loads(out)


def fault(said: dict[str, Any], *ran: str) -> tuple[str, str]:
    assert said["ran"] == list(ran)
    return said["error"]["code"], said["error"]["message"]


# -- pins ---------------------------------------------------------------------------------------------------------


def test_without_plugins_there_are_the_built_in_tools():
    assert {tool.name for tool in installed({}).all()} == BUILT_IN


def test_what_reads_is_these_five():
    reading = [tool.name for tool in installed({}).all() if tool.effect == "read"]
    assert sorted(reading) == [
        "query_telemetry",
        "query_warehouse",
        "read_catalog",
        "search_runbooks",
        "search_tickets",
    ]


def test_a_plugin_that_is_not_pinned_is_refused_before_it_runs(tmp_path: Path):
    install(tmp_path)
    code, message = fault(load(tmp_path, pins={}))
    assert code == "plugin_not_pinned"
    assert message == "The plugin acme-tools brings the tool greet and is not pinned."


def test_a_pinned_plugin_brings_its_tool(tmp_path: Path):
    install(tmp_path)
    digest = load(tmp_path, pins={})["digests"]["acme-tools"]
    assert set(load(tmp_path, pins={"acme-tools": digest})["tools"]) == BUILT_IN | {"greet"}


@pytest.mark.parametrize("path", ["acme_tools/__init__.py", "acme_tools/data.txt", "acme_tools-1.0.dist-info/METADATA"])
def test_one_byte_changed_after_the_pin_is_refused(tmp_path: Path, path: str):
    install(tmp_path, files={"acme_tools/__init__.py": SOURCE, "acme_tools/data.txt": "a"})
    pins = load(tmp_path, pins={})["digests"]
    (tmp_path / path).write_text((tmp_path / path).read_text() + "\n")
    code, message = fault(load(tmp_path, pins=pins))
    assert code == "plugin_not_pinned"
    assert message.endswith("is not the one that was pinned.")


def test_a_file_more_or_less_is_another_plugin(tmp_path: Path):
    install(tmp_path / "a")
    install(tmp_path / "b", files={"acme_tools/__init__.py": SOURCE, "acme_tools/more.py": ""})
    assert load(tmp_path / "a", pins={})["digests"] != load(tmp_path / "b", pins={})["digests"]


def test_what_an_installer_writes_beside_a_plugin_does_not_change_it(tmp_path: Path):
    folder = install(tmp_path)
    pins = load(tmp_path, pins={})["digests"]
    (folder / "INSTALLER").write_text("another\n")
    cached = tmp_path / "acme_tools" / "__pycache__" / "__init__.pyc"
    py_compile.compile(str(tmp_path / "acme_tools" / "__init__.py"), cfile=str(cached))
    with (folder / "RECORD").open("a") as file:
        file.write("acme_tools/__pycache__/__init__.pyc,,\n")
    assert "greet" in load(tmp_path, pins=pins)["tools"]


def test_byte_code_that_a_plugin_brings_along_is_covered_by_its_pin(tmp_path: Path):
    """Python runs it in place of the source, so it is part of what was reviewed."""
    folder = install(tmp_path)
    pins = load(tmp_path, pins={})["digests"]
    evil = tmp_path / "evil_source.py"
    evil.write_text(SOURCE.replace('"greet"', '"steal"'))
    tag = sys.implementation.cache_tag
    cached = tmp_path / "acme_tools" / "__pycache__" / f"__init__.{tag}.pyc"
    py_compile.compile(str(evil), cfile=str(cached), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    evil.unlink()
    with (folder / "RECORD").open("a") as file:
        file.write(f"{cached.relative_to(tmp_path)},{hashed(cached)},{cached.stat().st_size}\n")
    assert fault(load(tmp_path, pins=pins))[0] == "plugin_not_pinned"


# -- what would run is what the pin covers ------------------------------------------------------------------------


def test_a_plugin_without_a_list_of_its_files_is_refused(tmp_path: Path):
    """Nothing would show what it consists of, and every such plugin would have one digest."""
    install(tmp_path, record=False)
    said = load(tmp_path)
    assert said["digests"] == {"acme-tools": "plugin_broken"}
    assert fault(said)[0] == "plugin_broken"


def test_an_editable_plugin_is_refused(tmp_path: Path):
    """Its list names the pointer to the code and not the code."""
    site, code = tmp_path / "site", tmp_path / "code"
    install(site, files={"acme_tools.pth": str(code)})
    (code / "acme_tools").mkdir(parents=True)
    (code / "acme_tools" / "__init__.py").write_text(SOURCE)
    code_, message = fault(load(site, code))
    assert (code_, "editable" in message) == ("plugin_broken", True)


@pytest.mark.parametrize("shadow", ["acme_tools/__init__.py", "acme_tools.py"])
def test_a_folder_earlier_on_the_path_does_not_stand_in_for_a_plugin(tmp_path: Path, shadow: str):
    install(tmp_path / "site")
    path = tmp_path / "first" / shadow
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    assert fault(load(tmp_path / "first", tmp_path / "site"))[0] == "plugin_broken"


@pytest.mark.parametrize("unlisted", ["acme_tools/__init__.py", "acme_tools/inner.py"])
def test_a_module_that_the_plugin_does_not_list_is_not_imported(tmp_path: Path, unlisted: str):
    files = {"acme_tools/__init__.py": "", "acme_tools/inner.py": SOURCE}
    install(tmp_path, files=files, entry="greet = acme_tools.inner:Greet", unlisted=(unlisted,))
    assert fault(load(tmp_path))[0] == "plugin_broken"


def test_a_plugin_in_a_namespace_package_works(tmp_path: Path):
    files = {"acme/tools/__init__.py": "", "acme/tools/inner.py": SOURCE}
    install(tmp_path, files=files, entry="greet = acme.tools.inner:Greet")
    assert "greet" in load(tmp_path)["tools"]


def test_a_plugin_whose_module_is_nowhere_is_refused(tmp_path: Path):
    install(tmp_path, entry="greet = acme_tools.missing:Greet")
    assert fault(load(tmp_path))[0] == "plugin_broken"


def test_a_namespace_alone_is_no_plugin(tmp_path: Path):
    install(tmp_path, files={"acme/tools.py": SOURCE}, entry="greet = acme:Greet")
    assert fault(load(tmp_path))[0] == "plugin_broken"


def test_a_listed_file_that_is_gone_is_one_sentence(tmp_path: Path):
    install(tmp_path, files={"acme_tools/__init__.py": SOURCE, "acme_tools/data.txt": "a"})
    (tmp_path / "acme_tools" / "data.txt").unlink()
    said = load(tmp_path)
    assert said["digests"] == {"acme-tools": "plugin_broken"}
    assert fault(said)[0] == "plugin_broken"


# -- names that are not theirs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        "greet = acme_tools:Greet",
        "greet = twokey.tools.absent:Greet",
        "greet = twokey.tools:Greet",
        "greet = twokey.toolsmith:Greet",
        "greet = twokey.core.values:Value",
    ],
)
def test_a_distribution_that_calls_itself_twokey_brings_nothing(tmp_path: Path, entry: str):
    install(tmp_path, name="twokey", entry=entry)
    code, message = fault(load(tmp_path))
    assert code == "plugin_not_pinned"
    assert "calls itself twokey" in message


def test_a_name_that_only_looks_like_twokey_needs_a_pin(tmp_path: Path):
    install(tmp_path, name="TwoKey")
    assert fault(load(tmp_path, pins={}))[0] == "plugin_not_pinned"


def test_a_module_put_under_twokeys_own_name_is_not_twokeys(tmp_path: Path):
    files = {"twokey/tools/__init__.py": "", "twokey/tools/acme.py": SOURCE}
    install(tmp_path, name="twokey", files=files, entry="greet = twokey.tools.acme:Greet")
    # Twokey itself is imported from its own folder, as it is where it was installed first.
    environment = str(Path(installed.__code__.co_filename).parents[2])
    assert fault(load(Path(environment), tmp_path))[0] == "plugin_not_pinned"


@pytest.mark.parametrize("name", ["open_pull_request", "read_catalog"])
def test_a_plugin_does_not_replace_a_built_in_tool(tmp_path: Path, name: str):
    install(tmp_path, files={"acme_tools/__init__.py": SOURCE.replace('"greet"', f'"{name}"')})
    said = load(tmp_path)
    assert (said["error"]["code"], said["error"]["message"]) == (
        "tool_twice",
        f"Two installed tools are called {name}.",
    )


def test_two_plugins_with_one_tool_are_refused(tmp_path: Path):
    install(tmp_path)
    install(tmp_path, name="acme-more", files={"acme_more.py": SOURCE}, entry="greet = acme_more:Greet")
    assert load(tmp_path)["error"]["code"] == "tool_twice"


def test_an_entry_point_of_no_distribution_is_refused():
    with pytest.raises(EnvironmentFault) as caught:
        _load(EntryPoint("greet", "acme_tools:Greet", "twokey.tools"), {})
    assert caught.value.code == "plugin_broken"


# -- plugins that do not work -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError"),
        ("raise ValueError('password hunter2')", "ValueError"),
        ("def (", "SyntaxError"),
        ("pass", "AttributeError"),
        ("Greet = 7", "TypeError"),
        ("class Greet:\n    def __init__(self): raise KeyError('hunter2')", "KeyError"),
        ("Greet = dict", "is no tool"),
        (SOURCE.replace('"greet"', '"Greet Me"'), "does not fit the contract"),
        (SOURCE.replace('    name = "greet"\n', ""), "does not fit the contract"),
        (SOURCE.replace('"tickets"', '"mail"'), "does not fit the contract"),
        (SOURCE.replace("    input_type = Words\n", "    input_type = int\n"), "does not fit the contract"),
        (SOURCE.replace('version = "1"', 'version = "1"\n    effect = "write"'), "something else than it says"),
    ],
)
def test_a_plugin_that_does_not_work_is_one_sentence_without_its_words(tmp_path: Path, source: str, words: str):
    install(tmp_path, files={"acme_tools/__init__.py": source})
    said = load(tmp_path)
    assert said["error"]["code"] == "plugin_broken"
    assert words in said["error"]["message"]
    assert "hunter2" not in json.dumps(said)


# -- the registry itself ------------------------------------------------------------------------------------------


def test_tools_are_found_by_name_and_effect():
    reader, writer = ReadNotes(), KeyedNotes()
    registry = Registry([writer, reader])
    assert registry.all() == (reader, writer)
    assert registry.reader("read_note") is reader
    assert registry.writer("write_note") is writer
    for missing in (lambda: registry.reader("write_note"), lambda: registry.writer("read_note")):
        with pytest.raises(NotFound):
            missing()
    with pytest.raises(NotFound) as caught:
        registry.writer("x" * 1000)
    assert len(caught.value.message) < 100


def test_one_name_is_given_once():
    with pytest.raises(EnvironmentFault) as caught:
        Registry([ReadNotes(), ReadNotes()])
    assert caught.value.code == "tool_twice"
