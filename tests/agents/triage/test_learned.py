"""What is learned, how it is kept, and what a reader makes of it."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.labelled_tickets import THINGS, tickets

from twokey.agents.triage import general, kinds, written
from twokey.agents.triage.features import bags_of
from twokey.agents.triage.learned import LEAST, Learned, Sorted
from twokey.agents.triage.reader import GENERAL, TicketReader
from twokey.agents.triage.space import place
from twokey.agents.triage.taught import NOTHING
from twokey.agents.triage.teaching import Teacher, teach
from twokey.agents.triage.values import Outcome, Past, TicketText
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.store.sealing import KeyFile, Sealer, add_key

LABELS = {"bug": "type: bug", "feature": "enhancement", "question": "question"}


@pytest.fixture(scope="module")
def listed() -> list[Sorted]:
    return tickets("fern") + tickets("moss", offset=20)


@pytest.fixture(scope="module")
def learned(listed: list[Sorted]) -> Learned:
    fit = Learned.fit(listed)
    assert fit is not None
    return fit


@pytest.fixture(scope="module")
def cold() -> Learned:
    return general.model()


@pytest.fixture(scope="module")
def past(listed: list[Sorted]) -> list[Past]:
    return [
        Past(text=each.text, labels=(LABELS[each.kind], "area/exports" if "export" in each.text.title else "area/rest"))
        for each in listed
    ]


NEW = TicketText(
    title="Label queue crashes with a TypeError", body="It stopped working, see\n\n```\nTypeError\n```", project="fern"
)


def told(learned: Learned, text: TicketText) -> list[float]:
    return learned.tell(place(learned.space, [bags_of(text)]), [text.project])[0].tolist()


def test_a_model_is_written_and_read_without_a_change(learned: Learned) -> None:
    content = written.write(learned)
    again = written.read(content)
    assert written.write(again) == content
    assert told(again, NEW) == told(learned, NEW)
    assert (again.kinds, again.tickets, again.left_out) == (("bug", "feature", "question"), 195, learned.left_out)
    assert set(again.weights.own) == {"fern", "moss"}
    other = NEW.model_copy(update={"project": "unknown"})
    assert told(again, other) == told(learned, other)


def spoilt(content: bytes, name: str, member: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(file, "w") as target:
        for each in source.namelist():
            target.writestr(each, member if each == name else source.read(each))
    return file.getvalue()


def array(values: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values), allow_pickle=True)
    return file.getvalue()


def test_what_is_no_model_is_bad_input(learned: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written.write(learned)
    head = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("head.json"))
    level = np.asarray(learned.weights.level)
    for bad in (
        b"",
        b"PK\x03\x04 nonsense",
        content[: len(content) // 2],
        spoilt(content, "head.json", b"[]"),
        spoilt(content, "head.json", b"not json"),
        spoilt(content, "head.json", json.dumps({**head, "form": 0}).encode()),
        spoilt(content, "head.json", json.dumps({**head, "temperature": -1}).encode()),
        spoilt(content, "head.json", json.dumps({**head, "columns": {}}).encode()),
        spoilt(content, "level.npy", array([float("nan")] * 3)),
        spoilt(content, "level.npy", array([1.0])),
        spoilt(content, "level.npy", array([{"an": "object"}] * len(level))),
    ):
        with pytest.raises(BadInput):
            written.read(bad)
    monkeypatch.setattr(written, "MAX_BYTES", 10)
    with pytest.raises(BadInput, match="at most 10 bytes"):
        written.read(content)


def test_a_bomb_is_not_unpacked(learned: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MAX_UNPACKED", 1_000)
    with pytest.raises(BadInput, match="damaged"):
        written.read(written.write(learned))


def test_too_little_is_not_learned() -> None:
    assert Learned.fit([]) is None
    assert Learned.fit(tickets()[:2]) is None
    few = [Sorted(TicketText(title=f"only {number}"), "bug") for number in range(LEAST + 1)]
    assert Learned.fit(few) is None, "one kind is none"


def test_a_ticket_that_stands_there_often_is_learned_once() -> None:
    repeated = tickets()[:9] * 30
    fit = Learned.fit(repeated + tickets()[9:40])
    assert fit is not None
    assert fit.tickets == 40


def test_left_out_is_what_learning_without_a_ticket_says() -> None:
    some = tickets()[:40]
    full = Learned.fit(some)
    assert full is not None
    without = Learned.fit(some[1:])
    assert without is not None
    best = max(told(without, some[0].text))
    assert full.left_out[0].right == (without.kinds[told(without, some[0].text).index(best)] == some[0].kind)
    # columns and temperature are found with the ticket in one case and without it in the other
    assert abs(full.left_out[0].confidence_permille / 1_000 - best) < 0.25


def test_a_reader_gives_kinds_with_reasons_that_quote_what_is_there(learned: Learned) -> None:
    understood = TicketReader.of_kinds(learned).understand([NEW])[0]
    assert understood.kind == understood.kinds[0]
    assert understood.kind is not None
    assert (understood.kind.value, understood.kind.confidence_permille > 800) == ("bug", True)
    assert understood.kind.reasons[0].startswith('Earlier tickets of this kind say "')
    assert sum(each.confidence_permille for each in understood.kinds) <= 1_000
    assert [item.code for item in understood.missing] == ["expected", "version"]


def test_the_same_ticket_gets_the_same_answer_whatever_stands_beside_it(learned: Learned) -> None:
    reader = TicketReader.of_kinds(learned)
    many = [TicketText(title=f"{thing} {number}", project="fern") for number in range(20) for thing in THINGS]
    assert reader.understand([*many, NEW])[-1] == reader.understand([NEW])[0]
    assert reader.understand([]) == []


@pytest.mark.parametrize("body", ["", "\x00" * 5_000, "12 34\n\n![](x.png)", "    \n\n"])
def test_a_ticket_without_words_has_no_kind(learned: Learned, body: str) -> None:
    understood = TicketReader.of_kinds(learned).understand([TicketText(title="#12", body=body)])[0]
    assert (understood.kind, understood.kinds, understood.priority, understood.area) == (None, (), None, None)
    assert [item.code for item in understood.missing] == ["description"]


def test_without_enough_evidence_a_reader_abstains_and_still_says_what_it_thinks(learned: Learned) -> None:
    shy = TicketReader.of_kinds(replace(learned, left_out=learned.left_out[:5]))
    understood = shy.understand([NEW])[0]
    assert understood.kind is None
    assert understood.kinds[0].value == "bug"


def test_what_people_answer_counts_more_than_what_a_model_thinks_of_itself(past: list[Past]) -> None:
    taught = teach(past)
    refused = [Outcome(value="type: bug", confidence_permille=990, right=False, at=5 + n) for n in range(70)]
    assert TicketReader.by(taught, outcomes=refused, now=100).understand([NEW])[0].kind is None
    few = refused[:6]
    braked = TicketReader.by(taught, outcomes=few, now=100)
    assert braked.understand([NEW])[0].kind is None, "six refusals of one kind are enough to stop proposing it"
    wish = TicketText(title="Add a filter to the price feed", body="So that we see ours first.", project="fern")
    assert braked.understand([wish])[0].kind is not None, "other kinds go on"
    approved = [Outcome(value="type: bug", confidence_permille=700 + n, right=True, at=5 + n) for n in range(70)]
    assert TicketReader.by(taught, outcomes=approved, now=100).understand([NEW])[0].kind is not None


def test_a_team_is_taught_by_its_own_labels(past: list[Past]) -> None:
    taught = teach(past)
    assert set(taught.kind_labels) == {"type: bug", "enhancement", "question"}
    assert taught.area_labels == ("area/exports", "area/rest")
    understood = TicketReader.by(taught).understand([NEW, NEW.model_copy(update={"title": "Exports: crash"})])
    assert [each.kind.value for each in understood if each.kind] == ["type: bug", "type: bug"]
    assert understood[1].area is not None
    assert understood[1].area.value == "area/exports"


def test_what_was_learned_is_kept_and_learned_anew_when_the_past_changes(past: list[Past], tmp_path: Path) -> None:
    first = teach(past[:90], keep_in=tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert len(kept) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    second = teach(past[:90], keep_in=tmp_path)
    assert first.kinds is not None
    assert second.kinds is not None
    assert written.write(first.kinds) == written.write(second.kinds)
    teach(past[:91], keep_in=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} & {name for name in kept if "kinds" in name} == set()
    next(tmp_path.glob("triage-kinds-*")).write_bytes(b"damaged")
    assert teach(past[:91], keep_in=tmp_path).kinds is not None


def test_a_folder_that_cannot_be_written_is_said(past: list[Past], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="cannot be kept"):
        teach(past[:90], keep_in=tmp_path / "file" / "below")


def test_the_general_reader_speaks_where_a_team_has_taught_nothing(cold: Learned) -> None:
    bug, wish, other = TicketReader.by(NOTHING, cold).understand([
        NEW,
        TicketText(title="Add a dark mode", body="It would be nice to have, so that it is readable at night."),
        TicketText(title="Der Export bricht ab", body="Seit gestern ist der Export leer und wir wissen nicht, was das ist."),
    ])  # fmt: skip
    assert bug.kind is not None
    assert (bug.kind.value, bug.kind.reasons[-1]) == ("bug", GENERAL)
    assert wish.kind is not None
    assert wish.kind.value == "feature"
    assert (other.kind, other.language) == (None, "de"), "it knows English alone"


def test_the_general_reader_speaks_in_the_labels_of_the_team(cold: Learned) -> None:
    named = replace(NOTHING, kind_labels=("Defect", "Wish", "kind/question"))
    understood = TicketReader.by(named, cold).understand([
        TicketText(title="[ALERT] load_orders failed in production", body="FIRING since 10 minutes, all requests fail."),
        TicketText(title="Please give me read access to the orders", body="My manager agreed, read only."),
    ])  # fmt: skip
    assert [each.kinds[0].value for each in understood] == ["Defect", "kind/question"]
    assert {each.value for each in understood[0].kinds} == {"Defect", "Wish", "kind/question"}


def test_the_general_reader_is_the_same_for_everybody_and_kept(cold: Learned, tmp_path: Path) -> None:
    kept = general.model(tmp_path)
    assert written.write(kept) == written.write(cold)
    path = next(tmp_path.iterdir())
    assert written.write(general.model(tmp_path)) == written.write(cold)
    path.write_bytes(b"damaged")
    assert written.write(general.model(tmp_path)) == written.write(cold)
    assert path.read_bytes() == written.write(cold)
    shipped = general.tickets(general.texts())
    assert len({(each.text.title, each.text.body) for each in shipped}) == len(shipped) > 400
    assert {each.kind for each in shipped} == set(kinds.FAMILIES)


def test_a_teacher_gives_what_there_is(past: list[Past], tmp_path: Path) -> None:
    assert Teacher(tmp_path)(past, frozenset()).renamed is None
    beginning = Teacher(tmp_path)([], frozenset({"bug", "question"}))
    assert beginning.renamed is not None
    assert beginning.renamed["incident"] == "bug"
    with pytest.raises(ValueError, match="nothing to read by"):
        TicketReader.by(NOTHING)


def test_what_a_teacher_keeps_of_tickets_is_sealed_where_something_seals(past: list[Past], tmp_path: Path) -> None:
    add_key(tmp_path / "store.key", "w-000000000000")
    sealer = Sealer(KeyFile(tmp_path / "store.key", "w-000000000000"), seals=True)
    state = tmp_path / "state"
    Teacher(state)(past, frozenset())
    plain = {path: path.read_bytes() for path in state.glob("*.model")}
    assert plain
    Teacher(state, seals=sealer)(past, frozenset())
    sealed = list(state.glob("*.sealed"))
    assert len(sealed) == len(plain)
    assert list(state.glob("*.model")) == [], "what lay there unsealed is gone"
    assert not any(b"head.json" in path.read_bytes() for path in sealed)
    assert sorted(sealer.open(f"\0learned\0{path.name}".encode(), path.read_bytes()) for path in sealed) == sorted(
        plain.values()
    )
    before = {path: path.stat().st_ino for path in sealed}
    Teacher(state, seals=sealer)(past, frozenset())
    assert {path: path.stat().st_ino for path in sealed} == before
    for path in sealed:
        path.write_bytes(path.read_bytes()[:-1])
    Teacher(state, seals=sealer)(past, frozenset())
    assert all(path.stat().st_ino != before[path] for path in sealed), "what does not open is learned anew"


@pytest.mark.parametrize(
    ("label", "family"),
    [
        ("Type: Bug", "bug"),
        ("kind/feature-request", "feature"),
        ("t: docs", "docs"),
        ("Enhancement", "feature"),
        ("console", None),
        ("", None),
        ("type:", None),
    ],
)
def test_labels_that_say_a_kind_are_known(label: str, family: str | None) -> None:
    assert kinds.family(label) == family


def test_kinds_and_areas_are_told_apart() -> None:
    assert kinds.kind_of(["bug", "console"]) == "bug"
    assert kinds.kind_of(["bug", "question"]) is None
    assert kinds.kind_of(["DEFECTIVE", "bug"], ["Defective"]) == "Defective"
    assert kinds.areas_of(["bug", "console", "defective"], ["Defective"]) == ("console",)
    assert kinds.label_for("docs", ["question", "enhancement"]) == "enhancement"
    assert kinds.label_for("feature", ["question"]) == "feature"
