"""How well columns are classified: ``twokey eval classify --tables DIR --truth CSV``.

Rules
- The tables are read, profiled and judged by the product's own code, one table after the other, without their
  relationships to each other. The labels are read afterwards, for scoring only.
- A column that could not be judged counts as ``other``. Labels for a table or column that is not there are bad input.
- Personal is what has a personal class; the level (``pii``, financial, operational, public) is scored apart, where the
  labels have one.

Formulas: F1 is the harmonic mean of precision and recall; macro F1 the mean over classes with at least 10 true columns,
``other`` left out; micro F1 is over all columns whose true or told class is not ``other``. The expected calibration
error is that of Guo et al. 2017 (arXiv 1706.04599), over ten bins of equal width of the class's confidence.
"""

import csv
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from twokey.agents.catalog import reading, sensitivity
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.judgement import PERSONAL_CLASSES, Class, Judgement, Level
from twokey.agents.catalog.looking import alone
from twokey.agents.catalog.named import about_people
from twokey.core.errors import BadInput
from twokey.tools.read.warehouse import ProfileResult, SchemaRequest

LEAST_TRUE: Final = 10
"""True columns that a class needs to count in the macro F1."""
BINS: Final = 10
_CLASSES: Final[tuple[str, ...]] = get_args(Class)
_LEVELS: Final[tuple[str, ...]] = get_args(Level)
_NEEDED: Final = frozenset({"table", "column_index", "column", "class", "pii"})
_NEXT: Final = "Give a CSV with table, column_index, column, semantic_type, class, pii and, if known, sensitivity."

Place = tuple[str, int]
"""File of a table, and index of a column in it."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is true of one column. ``level`` is empty where nobody said."""

    column_class: str
    pii: bool
    level: str


def evaluate(tables: Path, truth: Path) -> dict[str, Any]:
    """Judge every column of the tables in the folder, and score those that have a label.

    Gives ``pii`` {precision, recall, f1}, ``class_macro_f1``, ``class_micro_f1``, ``per_class`` {CLASS: {p, r, f1, n}},
    ``sensitivity_macro_f1`` and ``per_level`` (where labels have levels), ``ece`` (all 0 to 1), ``columns`` and
    ``fields_per_s`` (profile and judgement of all columns, reading the files included).

    Raises:
        BadInput: a folder or file is not there, cannot be read, or the labels do not fit the tables.

    """
    labels = labels_of(truth)
    judged, seconds = judge_all(tables)
    by_file = {place[0] for place in judged}
    for file, index in labels:
        if file not in by_file:
            raise BadInput(f"The labels name a table that is not in the folder: {file[:80]!r}.", next=_NEXT)
        if (file, index) not in judged:
            raise BadInput(f"The labels name column {index} of {file[:80]!r}, which has fewer columns.", next=_NEXT)
    pairs = [(label, judged[place]) for place, label in labels.items()]
    return score(pairs) | {"columns": len(pairs), "fields_per_s": round(len(judged) / max(seconds, 1e-6), 1)}


def score(pairs: Sequence[tuple[Label, Judgement]]) -> dict[str, Any]:
    """Score judgements against labels; see ``evaluate``."""
    told = [judgement.column_class for _, judgement in pairs]
    true = [label.column_class for label, _ in pairs]
    per_class = {name: _figures(true, told, name) for name in _CLASSES if name in true or name in told}
    counted = [figures["f1"] for name, figures in per_class.items() if name != "other" and figures["n"] >= LEAST_TRUE]
    personal = _rates((label.pii, judgement.column_class in PERSONAL_CLASSES) for label, judgement in pairs)
    hits = sum(one == other != "other" for one, other in zip(true, told, strict=True))
    claimed, existing = sum(name != "other" for name in told), sum(name != "other" for name in true)
    result: dict[str, Any] = {
        "pii": personal,
        "class_macro_f1": _mean(counted),
        "class_micro_f1": round(2 * hits / (claimed + existing), 4) if hits else 0.0,
        "per_class": per_class,
        "ece": _calibration(
            (judgement.class_confidence, label.column_class == judgement.column_class) for label, judgement in pairs
        ),
    }
    leveled = [(label.level, judgement.level) for label, judgement in pairs if label.level]
    if leveled:
        levels = [one for one, _ in leveled], [other for _, other in leveled]
        per_level = {name: _figures(*levels, name) for name in _LEVELS if name in levels[0]}
        result["sensitivity_macro_f1"] = _mean([figures["f1"] for figures in per_level.values()])
        result["per_level"] = per_level
    return result


def judge_all(folder: Path, clock: Callable[[], float] = time.perf_counter) -> tuple[Mapping[Place, Judgement], float]:
    """Judge every column of the data files in a folder, by file and index; and the seconds that took.

    Raises:
        BadInput: there is no such folder, or it holds no data files.

    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {str(folder)[-120:]!r}.", next="Give a folder of CSV or Parquet files.")
    started = clock()
    ask = alone(str(folder))
    schema = reading.schema_of(ask(SchemaRequest())[0])
    files = {path.name: path.name for path in folder.iterdir()} | {
        _stem(path.name): path.name for path in folder.iterdir()
    }
    judged: dict[Place, Judgement] = {}
    warehouse = reading.warehouse_of(schema)
    profiles: dict[str, ProfileResult] = {}
    readable = [(key, info) for key, info in reading.names_of(schema).items() if not info.problem and info.columns]
    for found in reading.profiles(ask, readable):
        # a table that cannot be profiled is judged by its names, as in a scan
        profiles.update({read.table: read.profile for read in found if read.profile is not None})
    for table in reading.with_profiles(warehouse, profiles).tables:
        for index, judgement in enumerate(_judged(table)):
            judged[files.get(table.name, table.name), index] = judgement
    return judged, clock() - started


def _judged(table: Table) -> list[Judgement]:
    people = about_people(table)
    return [sensitivity.judge(table, column, people=people) for column in table.columns]


def _stem(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[0] or name


def labels_of(path: Path) -> Mapping[Place, Label]:
    """Read the labels.

    Raises:
        BadInput: the file cannot be read, lacks a column, names an unknown class or level, or labels a column twice.

    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = _NEEDED - set(reader.fieldnames or ())
            if missing:
                raise BadInput(f"The labels lack the column {min(missing)}.", next=_NEXT)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"The labels cannot be read: {getattr(error, 'strerror', None) or 'it is no CSV in UTF-8'}.", next=_NEXT
        ) from error
    labels: dict[Place, Label] = {}
    for number, row in enumerate(rows, 2):
        place, label = _label(number, row)
        if place in labels:
            raise BadInput(f"Line {number} of the labels labels a column for the second time.", next=_NEXT)
        labels[place] = label
    if not labels:
        raise BadInput("The labels are empty.", next=_NEXT)
    return labels


def _label(number: int, row: Mapping[str, str | None]) -> tuple[Place, Label]:
    index, name = row["column_index"] or "", row["class"] or ""
    level = (row.get("sensitivity") or "").lower()
    if not index.isdecimal() or name not in _CLASSES or row["pii"] not in {"0", "1"}:
        raise BadInput(f"Line {number} of the labels has no index, an unknown class, or no 0 or 1 for pii.", next=_NEXT)
    if level and level not in _LEVELS:
        raise BadInput(f"Line {number} of the labels names an unknown sensitivity.", next=_NEXT)
    return (row["table"] or "", int(index)), Label(name, row["pii"] == "1", level)


def _figures(true: Sequence[str], told: Sequence[str], name: str) -> dict[str, Any]:
    rates = _rates((one == name, other == name) for one, other in zip(true, told, strict=True))
    return {"p": rates["precision"], "r": rates["recall"], "f1": rates["f1"], "n": sum(one == name for one in true)}


def _rates(pairs: Iterable[tuple[bool, bool]]) -> dict[str, float]:
    listed = list(pairs)
    hits = sum(one and other for one, other in listed)
    true, told = sum(one for one, _ in listed), sum(other for _, other in listed)
    return {
        "precision": round(hits / told, 4) if told else 0.0,
        "recall": round(hits / true, 4) if true else 0.0,
        "f1": round(2 * hits / (told + true), 4) if hits else 0.0,
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _calibration(pairs: Iterable[tuple[int, bool]]) -> float:
    bins: dict[int, list[tuple[int, bool]]] = {}
    total = 0
    for confidence, right in pairs:
        bins.setdefault(min(BINS - 1, confidence * BINS // 100), []).append((confidence, right))
        total += 1
    gaps = sum(abs(sum(sure / 100 - right for sure, right in held)) for held in bins.values())
    return round(gaps / total, 4) if total else 0.0


def as_lines(result: Mapping[str, Any]) -> list[str]:
    """Write a result for a reader."""
    personal = result["pii"]
    lines = [
        f"personal      P {personal['precision']:.3f}  R {personal['recall']:.3f}  F1 {personal['f1']:.3f}",
        f"classes       macro F1 {result['class_macro_f1']:.3f}  micro F1 {result['class_micro_f1']:.3f}",
    ]
    if "sensitivity_macro_f1" in result:
        lines.append(f"sensitivity   macro F1 {result['sensitivity_macro_f1']:.3f}")
    lines.append(
        f"calibration   error {result['ece']:.3f}   {result['columns']:,} columns, {result['fields_per_s']:,} a second"
    )
    for kind in ("per_class", "per_level"):
        for name, figures in result.get(kind, {}).items():
            lines.append(
                f"  {name:<15} P {figures['p']:.3f}  R {figures['r']:.3f}  F1 {figures['f1']:.3f}  of {figures['n']}"
            )
    return lines
