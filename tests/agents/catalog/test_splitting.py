"""One change into one for each owner."""

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from twokey.agents.catalog.owners import Owned
from twokey.agents.catalog.splitting import MOST_PARTS, split
from twokey.agents.catalog.written import Change, Written
from twokey.core.values import Finding


def finding(number: int) -> Finding:
    return Finding(
        id=f"f-{number}", subject="a", kind="describes", claim="a.", evidence=("e-000000000001",), confidence=90
    )


def change(lines: Mapping[str, int], needs: Iterable[tuple[str, str]] = ()) -> Change:
    """Give a change of files with so many lines, each about a table of its own."""
    written = tuple(
        Written(path, f"t-{path}", None, ("description",), (finding(number),))
        for number, path in enumerate(sorted(lines), 1)
    )
    return Change(
        files={path: "x\n" * count for path, count in lines.items()},
        used=tuple(each.findings[0] for each in written),
        documented=(*(each.table for each in written), "t-known"),
        new=tuple(each.table for each in written),
        left=(("t-left", "No."),),
        refused=(("t-a", "Not that."), ("t-b", "Not that."), ("t-known", "Not that.")),
        later=("t-later",),
        problems=("c: unreadable.",),
        written=written,
        needs=frozenset(needs),
    )


def owned(**names: str) -> dict[str, Owned]:
    return {path: Owned(tuple(each.split()), "CODEOWNERS", 99) for path, each in names.items()}


def divided(made: Change, owners: Mapping[str, Owned]) -> list[tuple[str | None, list[str]]]:
    return [(part.owner, sorted(part.change.files)) for part in split(made, owners, {})]


def test_each_owner_gets_one_part_the_largest_first():
    made = change({"a": 2, "b": 9, "c": 3})
    assert divided(made, owned(a="@x", b="@y", c="@x")) == [("@y", ["b"]), ("@x", ["a", "c"])]


def test_a_file_of_several_goes_to_the_one_with_most_lines():
    made = change({"a": 5, "b": 5, "c": 2})
    assert divided(made, owned(a="@x @y", b="@x @y", c="@y")) == [("@y", ["a", "b", "c"])]
    assert divided(made, owned(a="@x @y", b="@z @x", c="@z")) == [("@x", ["a", "b"]), ("@z", ["c"])]


def test_what_nobody_is_stated_to_own_is_a_part_of_its_own():
    made = change({"a": 5, "b": 1, "c": 1})
    guessed = owned(a="@x") | {"b": Owned(("Mia",), "history", 40)}
    assert divided(made, guessed) == [("@x", ["a"]), (None, ["b", "c"])]
    assert divided(made, {}) == [(None, ["a", "b", "c"])]


def test_files_that_need_one_another_stay_together():
    made = change({"a": 5, "b": 6, "c": 1}, needs=[("a", "b"), ("c", "gone")])
    assert divided(made, owned(a="@x", b="@y", c="@x")) == [("@y", ["a", "b"]), ("@x", ["c"])]
    chain = change({"a": 1, "b": 1, "c": 9}, needs=[("a", "b"), ("b", "c")])
    assert divided(chain, owned(a="@x", b="@y", c="@z")) == [("@z", ["a", "b", "c"])]


def test_a_part_tells_of_its_own_and_the_first_of_what_belongs_to_no_file():
    made = change({"a": 5, "b": 1})
    first, second = (part.change for part in split(made, owned(a="@x", b="@y"), {}))
    assert (first.documented, second.documented) == (("t-a", "t-known"), ("t-b",))
    assert (first.new, second.new) == (("t-a",), ("t-b",))
    assert [each.id for each in second.used] == ["f-2"]
    assert (first.left, first.later, first.problems) == (made.left, made.later, made.problems)
    assert (second.left, second.later, second.problems) == ((), (), ())
    assert first.refused == (("t-a", "Not that."), ("t-known", "Not that."))
    assert second.refused == (("t-b", "Not that."),)


def test_many_owners_make_a_bounded_number_of_parts():
    made = change({f"f{number:02}": 20 - number for number in range(20)})
    parts = divided(made, {path: Owned((f"@{path}",), "CODEOWNERS", 99) for path in made.files})
    assert len(parts) == MOST_PARTS
    assert parts[-1][0] is None
    assert sorted(path for _, paths in parts for path in paths) == sorted(made.files)


PATHS = st.sampled_from("abcdef")


@given(
    lines=st.dictionaries(PATHS, st.integers(1, 9), min_size=1),
    owners=st.dictionaries(PATHS, st.lists(st.sampled_from("xyz"), min_size=1, max_size=3)),
    needs=st.sets(st.tuples(PATHS, PATHS), max_size=4),
)
def test_every_file_is_in_one_part_and_needs_are_kept(
    lines: dict[str, int], owners: dict[str, list[str]], needs: set[tuple[str, str]]
):
    made = change(lines, needs)
    parts = split(made, {path: Owned(tuple(names), "CODEOWNERS", 99) for path, names in owners.items()}, {})
    where = {path: number for number, part in enumerate(parts) for path in part.change.files}
    assert sorted(path for part in parts for path in part.change.files) == sorted(lines)
    assert all(where[one] == where[other] for one, other in needs if one in where and other in where)
    assert len({part.owner for part in parts}) == len(parts)
