"""Diffs as rows: nothing is lost, nothing acts, and colour changes no text."""

from hypothesis import given
from hypothesis import strategies as st

from twokey.channels import plain
from twokey.channels.console.diffs import coloured, pairs_of, rows_of

DIFF = """diff --git a/models/churn/schema.yml b/models/churn/schema.yml
index 0000000000000000000000000000000000000001..0000000000000000000000000000000000000002 100644
--- a/models/churn/schema.yml
+++ b/models/churn/schema.yml
@@ -1,4 +1,5 @@
 models:
-  - name: churn
-    description: old
+  - name: churn
+    description: "the <b>new</b> one"
+    tags: [personal]
     columns:
\\ No newline at end of file
"""


def test_every_line_is_in_a_row_with_its_numbers():
    rows = rows_of(DIFF)
    assert [(row.kind, row.old, row.new) for row in rows] == [
        ("file", None, None),
        ("note", None, None),
        ("note", None, None),
        ("note", None, None),
        ("hunk", None, None),
        ("same", 1, 1),
        ("removed", 2, None),
        ("removed", 3, None),
        ("added", None, 2),
        ("added", None, 3),
        ("added", None, 4),
        ("same", 4, 5),
        ("note", None, None),
    ]


def test_what_was_removed_stands_beside_what_took_its_place():
    pairs = [pair for pair in pairs_of(rows_of(DIFF)) if not pair.whole]
    assert [(pair.left and pair.left.text, pair.right and pair.right.text) for pair in pairs] == [
        ("models:", "models:"),
        ("  - name: churn", "  - name: churn"),
        ("    description: old", '    description: "the <b>new</b> one"'),
        (None, "    tags: [personal]"),
        ("    columns:", "    columns:"),
    ]


def test_the_language_has_its_colours():
    colours = {part.colour for row in coloured(rows_of(DIFF)) for part in row.parts}
    assert {"nt", "s", "w"} <= colours


def test_an_unknown_language_and_a_very_long_line_have_none():
    long = DIFF.replace("old", "x" * 3000)
    assert all(not part.colour for row in coloured(rows_of(DIFF.replace(".yml", ".zzz"))) for part in row.parts)
    assert [row.text for row in coloured(rows_of(long))] == [row.text for row in rows_of(long)]


@given(
    st.lists(st.tuples(st.sampled_from([" ", "+", "-", "\\", ""]), st.text(st.characters(codec="utf-8"), max_size=40)))
)
def test_colour_and_columns_lose_nothing(lines: list[tuple[str, str]]):
    body = "".join(f"{mark}{text}\n".replace("\r", "r") for mark, text in lines)
    diff = DIFF.partition("@@")[0] + "@@ -1,9 +1,9 @@\n" + body
    rows = rows_of(diff)
    shown = plain.block(diff)

    assert [row.text for row in coloured(rows)] == [row.text for row in rows]
    assert all(row.text in shown for row in rows)
    seen = [
        row for pair in pairs_of(rows) for row in {id(side): side for side in (pair.left, pair.right) if side}.values()
    ]
    assert sorted(map(repr, seen)) == sorted(map(repr, rows))


def test_an_empty_diff_has_no_rows():
    assert rows_of("") == []
