"""A learned model as bytes, and back.

Rules
- The form is JSON and plain arrays of numbers in a ZIP file (NumPy's ``npz``, without objects): reading one runs
  nothing, whatever its bytes say.
- What is not such a file, is larger than ``MAX_BYTES``, or does not fit together, is bad input; so is another version
  of the form, because its tokens meant something else. The next step is always to learn anew.
- Written and read again, a model gives the same answers, and is written as the same bytes.
"""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from twokey.agents.triage.confidence import Judged
from twokey.agents.triage.features import BLOCKS
from twokey.agents.triage.learned import Learned
from twokey.agents.triage.ridge import Weights
from twokey.agents.triage.space import Floats, Space
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.core.ports import Sealing

MAX_BYTES: Final = 64_000_000
MAX_UNPACKED: Final = 512_000_000
FORM: Final = 2
"""Version of the written form and of what its tokens mean."""
_NEXT: Final = "Remove the file: it is learned anew from the labelled tickets."
_STAMP: Final = (1980, 1, 1, 0, 0, 0)


def write(learned: Learned) -> bytes:
    """Write down what was learned."""
    head = {
        "form": FORM,
        "kinds": learned.kinds,
        "tickets": learned.tickets,
        "temperature": learned.temperature,
        "temperatures": dict(learned.temperatures),
        "left_out": [[each.confidence_permille, int(each.right)] for each in learned.left_out],
        "columns": {name: list(columns) for name, columns in learned.space.columns.items()},
        "projects": list(learned.weights.own),
    }
    arrays = {
        "rarity": learned.space.weights,
        "level": learned.weights.level,
        "shared": learned.weights.shared,
        **{f"own{index}": own for index, own in enumerate(learned.weights.own.values())},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("head.json", _STAMP), json.dumps(head, ensure_ascii=False).encode())
        for name, array in arrays.items():
            member = io.BytesIO()
            kept = array if name == "level" else array.astype(np.float32)
            np.save(member, kept, allow_pickle=False)
            packed.writestr(zipfile.ZipInfo(f"{name}.npy", _STAMP), member.getvalue())
    return file.getvalue()


def read(content: bytes) -> Learned:
    """Read what was written down.

    Raises:
        BadInput: this is no model of this version, or its parts do not fit together.

    """
    if len(content) > MAX_BYTES:
        raise BadInput(f"A learned model has at most {MAX_BYTES:,} bytes; this has {len(content):,}.", next=_NEXT)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _unpacked(packed)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, NotImplementedError, OSError) as error:
        raise BadInput("This is no learned model, or it is damaged.", next=_NEXT) from error


def kept(path: Path, seals: Sealing | None = None) -> Learned | None:
    """Read a model that was kept, sealed where something seals; None where there is none that can be used."""
    try:
        content = path.read_bytes()
        return read(content if seals is None else seals.open(_place(path), content))
    except (OSError, ValueError, EnvironmentFault, BadInput):
        return None


def _place(path: Path) -> bytes:
    return f"\0learned\0{path.name}".encode()


def keep(path: Path, learned: Learned, seals: Sealing | None = None) -> None:
    """Keep a model in a file that the user alone can read, whole or not at all; sealed where something seals.

    Raises:
        EnvironmentFault: the folder cannot be written.

    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.touch(mode=0o600)
        content = write(learned)
        fresh.write_bytes(content if seals is None else seals.seal(_place(path), content))
        fresh.replace(path)
    except OSError as error:
        raise EnvironmentFault(
            "What was learned from tickets cannot be kept: its folder cannot be written.",
            next="Free some space, or make the folder writable.",
        ) from error


def _unpacked(packed: zipfile.ZipFile) -> Learned:
    if sum(member.file_size for member in packed.infolist()) > MAX_UNPACKED:
        raise ValueError
    head = cast("dict[str, Any]", json.loads(packed.read("head.json")))
    if head["form"] != FORM:
        raise BadInput("The learned model is of another version of Twokey.", next=_NEXT)
    return _checked(head, packed)


def _checked(head: Mapping[str, Any], packed: zipfile.ZipFile) -> Learned:
    kinds = tuple(str(kind) for kind in head["kinds"])
    columns: dict[str, dict[str, int]] = {}
    width = 0
    for name in BLOCKS:
        tokens = [str(token) for token in head["columns"][name]]
        columns[name] = {token: width + index for index, token in enumerate(tokens)}
        width += len(tokens)
    temperature = float(head["temperature"])
    projects = [str(project) for project in head["projects"]]
    temperatures = {project: float(head["temperatures"][project]) for project in projects}
    if (
        not all(0 < each < 100 for each in (temperature, *temperatures.values()))
        or len(kinds) < 2
        or sum(map(len, columns.values())) != width
    ):
        raise ValueError
    shape = (width, len(kinds))
    return Learned(
        kinds=kinds,
        tickets=int(head["tickets"]),
        temperature=temperature,
        left_out=tuple(Judged(int(confidence), bool(right)) for confidence, right in head["left_out"]),
        space=Space(columns, _array(packed, "rarity", (width,))),
        weights=Weights(
            shared=_array(packed, "shared", shape),
            own={project: _array(packed, f"own{index}", shape) for index, project in enumerate(projects)},
            level=_array(packed, "level", (len(kinds),)),
        ),
        temperatures=temperatures,
    )


def _array(packed: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> Floats:
    array = np.load(io.BytesIO(packed.read(f"{name}.npy")), allow_pickle=False)
    if array.shape != shape or array.dtype.kind != "f" or not bool(np.isfinite(array).all()):
        raise ValueError
    return np.asarray(array, dtype=np.float64)
