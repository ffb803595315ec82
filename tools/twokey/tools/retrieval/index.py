"""An index of texts on disk (SQLite, FTS5): put in one by one, found again by words or by likeness to another.

Rules: memory does not grow with the number of texts. What was put in is there after a crash, up to the last ``commit``;
whoever goes on after it puts in what is missing, since a text that is there in the same version is passed over. What is
asked for is never an expression of the database: terms are looked up by their hashes.

A search has two stages. The first takes candidates by BM25 over title, words and signs (k1 1.2, b .75; Robertson and
Zaragoza, 2009), in the database. The second compares each candidate in four spaces: words, words of the title, runs of
characters, signs. What each space says is made comparable by its mean and deviation over the candidates (z-scores) and
summed; words and characters, which see the whole text, count fully, as do titles; signs, and nearness in time, count
half; a text that the other names by its key is two deviations ahead; likeness of meaning, where somebody makes vectors
of texts (``meaning``), counts fully. None of these weights was fitted.
"""

import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from twokey.core.errors import EnvironmentFault
from twokey.tools.retrieval.meaning import MOST_COMPARED, Embeddings, cosines, handed_over, packed
from twokey.tools.retrieval.spaces import BUCKETS, Space, Vector, of_runs, of_terms, unpacked
from twokey.tools.retrieval.words import MAX_TITLE, TITLE_COUNTS, Terms, plain, signs, terms_of, top, words

VERSION: Final = "1"
CANDIDATES: Final = 150
BY_SIGNS: Final = 50
MAX_TERMS: Final = 48
MAX_SIGNS: Final = 24
COMMON: Final = 5_000
ENOUGH_RARE: Final = 8
"""A term that more texts than ``COMMON`` have is not looked for where there are so many rarer ones, so that the time
that a search takes does not grow with the number of texts."""
MAX_KEYS: Final = 200
KEPT_BODY: Final = 20_000
SPACES: Final = ("words", "title", "runs", "signs")
WEIGHTS: Final = {"words": 1.0, "title": 1.0, "runs": 1.0, "signs": 0.5, "time": 0.5, "named": 2.0, "meaning": 1.0}
_LEAST_DEVIATION: Final = 0.02
"""A space in which all candidates are alike to the third digit says nothing."""
_FEW: Final = 10
_DAY_S: Final = 86_400
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE texts (
    n INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, key TEXT NOT NULL, version TEXT NOT NULL,
    made INTEGER NOT NULL
);
CREATE TABLE contents (
    n INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
    words BLOB NOT NULL, titled BLOB NOT NULL, runs BLOB NOT NULL, signs BLOB NOT NULL
);
CREATE TABLE meanings (n INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX texts_by_time ON texts (made, number);
CREATE INDEX texts_by_key ON texts (key);
CREATE VIRTUAL TABLE lexicon USING fts5 (title, words, signs, content='', tokenize='ascii');
"""


@dataclass(frozen=True, slots=True)
class Text:
    """What is indexed. ``made`` is in seconds since 1970."""

    number: int
    key: str
    version: str
    made: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was found. ``score`` orders; ``likeness`` says how alike it is in each space, from 0 to 1."""

    number: int
    key: str
    title: str
    body: str
    made: int
    score: float
    likeness: dict[str, float]
    named: bool = False
    """What it was compared with names it by its key."""
    lead: float = 0.0
    """How far it is ahead of the field, in standard deviations of the candidates' scores."""


class Index:
    """One index; not for two threads at once. ``path`` is a file, or ``:memory:``."""

    def __init__(
        self,
        path: Path | str = ":memory:",
        embeddings: Embeddings | None = None,
        *,
        common: int = COMMON,
        image: bytes | None = None,
    ) -> None:
        """``image`` is what an index in memory begins with: what ``image()`` gave of an earlier one."""
        self._common = common
        self._embeddings = embeddings
        self.meaning: Literal["off", "used", "unreachable"] = "off"
        """Whether likeness of meaning was compared in the last search."""
        self._base = _opened(str(path), image)
        self._spaces = {name: Space(self._frequencies(name)) for name in SPACES}
        self._texts: int = self._base.execute("SELECT count(*) FROM texts").fetchone()[0]

    def __len__(self) -> int:
        """Give the number of texts."""
        return self._texts

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._base.close()

    @property
    def changes(self) -> int:
        """How many rows were changed since the index was opened."""
        return self._base.total_changes

    def image(self) -> bytes:
        """Give the whole index as bytes; what was not committed is no part of it."""
        self._base.rollback()
        return self._base.serialize()

    def versions(self) -> Iterator[tuple[int, str]]:
        """Give number and version of every text."""
        yield from self._base.execute("SELECT number, version FROM texts")

    def has(self, number: int, version: str) -> bool:
        """Tell whether a text is there in this version."""
        found = self._base.execute("SELECT version FROM texts WHERE number = ?", (number,)).fetchone()
        return found is not None and found[0] == version

    def put(self, text: Text) -> bool:
        """Put a text in, in the place of what is there under its number; ``False`` where it is there already."""
        if self.has(text.number, text.version):
            return False
        self.drop(text.number)
        title, body = _storable(text.title[:MAX_TITLE]), _storable(text.body[:KEPT_BODY])
        terms = terms_of(title, body)
        vectors = _vectors(terms)
        cursor = self._base.execute(
            "INSERT INTO texts (number, key, version, made) VALUES (?, ?, ?, ?)",
            (text.number, text.key, text.version, text.made),
        )
        self._base.execute(
            "INSERT INTO contents (n, title, body, words, titled, runs, signs) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (cursor.lastrowid, title, body, *(vectors[name].packed() for name in SPACES)),
        )
        self._base.execute(
            "INSERT INTO lexicon (rowid, title, words, signs) VALUES (?, ?, ?, ?)", (cursor.lastrowid, *_columns(terms))
        )
        self._count(vectors, 1)
        return True

    def drop(self, number: int) -> None:
        """Take a text out; one that is not there is fine."""
        row = self._base.execute(
            "SELECT n, title, body FROM texts JOIN contents USING (n) WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            return
        terms = terms_of(row[1], row[2])
        self._base.execute(
            "INSERT INTO lexicon (lexicon, rowid, title, words, signs) VALUES ('delete', ?, ?, ?, ?)",
            (row[0], *_columns(terms)),
        )
        for table in ("texts", "contents", "meanings"):
            self._base.execute(f"DELETE FROM {table} WHERE n = ?", (row[0],))  # noqa: S608 - one of three names
        self._count(_vectors(terms), -1)

    def note(self, name: str) -> str:
        """Give what was noted under ``name`` by whoever keeps the index; empty where nothing was."""
        row = self._base.execute("SELECT value FROM meta WHERE name = ?", (f"note:{name}",)).fetchone()
        return "" if row is None else str(row[0])

    def set_note(self, name: str, value: str) -> None:
        """Note something; it is kept with the next ``commit``."""
        self._base.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"note:{name}", value))

    def rarity(self, term: str) -> float:
        """Weigh a term: more the rarer it is, and 0 where ten texts or more, and a third of all, have it."""
        buckets = np.array([_hash(term) % BUCKETS], np.uint32)
        spaces = (self._spaces["words"], self._spaces["signs"])
        common = max(int(space.frequencies[buckets][0]) for space in spaces)
        telling = common < _FEW or 3 * common <= self._texts
        return float(np.log((1 + self._texts) / (1 + common))) if telling else 0.0

    def commit(self) -> None:
        """Bring what was put in to the disk."""
        for name, space in self._spaces.items():
            self._base.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, zlib.compress(space.frequencies.tobytes(), 1))
            )
        self._base.commit()

    def similar(self, text: Text, limit: int) -> Sequence[Found]:
        """Give texts made before ``text`` that are like it, the likest first."""
        terms = terms_of(text.title, text.body[:KEPT_BODY])
        return self._ranked(terms, handed_over(text.title, text.body), limit, (text.made, text.number))

    def search(self, query: str, limit: int) -> Sequence[Found]:
        """Give texts that speak of what ``query`` says, the best first."""
        query = plain(query[:KEPT_BODY])
        counted = Counter(words(query))
        terms = Terms(title=counted, words=counted, signs=Counter(signs(query)), runs=" ".join(query.lower().split()))
        return self._ranked(terms, handed_over(query, ""), limit, None)

    def _ranked(self, terms: Terms, asked: str, limit: int, before: tuple[int, int] | None) -> Sequence[Found]:
        self.meaning = "off"
        rows = self._candidates(terms, before)
        if not rows:
            return []
        vectors = _vectors(terms)
        alike: dict[str, NDArray[Any]] = {
            name: self._spaces[name].likeness(vectors[name], [unpacked(row[at]) for row in rows], self._texts)
            for at, name in enumerate(SPACES, 5)
        }
        score = sum((WEIGHTS[name] * _standard(values) for name, values in alike.items()), np.zeros(len(rows)))
        if before is not None:
            days = np.array([max(0, before[0] - row[4]) for row in rows]) / _DAY_S
            score += WEIGHTS["time"] * _standard(-np.log1p(days))
        names = _keys(terms)
        named = np.array([row[1] in names for row in rows])
        score += WEIGHTS["named"] * named
        if self._embeddings is not None:
            alike["meaning"], more = self._compared(self._embeddings, asked, rows, score)
            score += more
        deviation = max(float(score.std()), 1e-9)
        order = np.lexsort((np.array([row[0] for row in rows]), -score))[: max(limit, 0)]
        return [
            Found(
                *rows[at][:4],
                made=rows[at][4],
                score=float(score[at]),
                likeness={name: float(values[at]) for name, values in alike.items()},
                named=bool(named[at]),
                lead=float(score[at] - score.mean()) / deviation,
            )
            for at in order
        ]

    def _compared(
        self, embeddings: Embeddings, asked: str, rows: Sequence[Any], score: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Compare the meaning of the likest candidates; gives cosines, and what they add to the scores."""
        chosen = np.argsort(-score, kind="stable")[:MOST_COMPARED].tolist()
        found, more = np.zeros(len(rows)), np.zeros(len(rows))
        try:
            mine, theirs = self._meanings(embeddings, asked, [rows[at] for at in chosen])
        except EnvironmentFault:
            self.meaning = "unreachable"  # said in the answer; what is found without it is right, too
            return found, more
        self.meaning = "used"
        values = cosines(mine, theirs)
        found[chosen] = values
        standard = _standard(values)
        more[:] = standard.min()  # who was not compared is not ahead of who was
        more[chosen] = WEIGHTS["meaning"] * standard
        return found, more

    def _meanings(self, embeddings: Embeddings, asked: str, rows: Sequence[Any]) -> tuple[bytes, list[bytes]]:
        """Give the vector of what is asked and of rows; missing ones are made, and kept with the next commit."""
        known: dict[int, bytes] = {}
        for row in rows:
            there = self._base.execute("SELECT model, vector FROM meanings WHERE n = ?", (row[9],)).fetchone()
            if there is not None and there[0] == embeddings.name:
                known[row[9]] = there[1]
        missing = [row for row in rows if row[9] not in known]
        made = embeddings.vectors([asked, *(handed_over(row[2], row[3]) for row in missing)])
        for row, vector in zip(missing, made[1:], strict=True):
            known[row[9]] = packed(vector)
            self._base.execute(
                "INSERT OR REPLACE INTO meanings VALUES (?, ?, ?)", (row[9], embeddings.name, known[row[9]])
            )
        return packed(made[0]), [known[row[9]] for row in rows]

    def _candidates(self, terms: Terms, before: tuple[int, int] | None) -> list[Any]:
        made, number = before or (1 << 62, 0)
        numbers: dict[int, None] = {}
        heavy = self._heaviest("words", terms.words, MAX_TERMS)
        rare = self._heaviest("signs", terms.signs, MAX_SIGNS)
        for match, most in (
            (_either("title words", heavy) + (" OR " if heavy and rare else "") + _either("signs", rare), CANDIDATES),
            (_either("signs", rare), BY_SIGNS),
        ):
            if match:
                found = self._base.execute(
                    "SELECT texts.n FROM lexicon JOIN texts ON texts.n = lexicon.rowid WHERE lexicon MATCH ?"
                    " AND (texts.made, texts.number) < (?, ?) ORDER BY bm25(lexicon, 3.0, 1.0, 1.0) LIMIT ?",
                    (match, made, number, most),
                )
                numbers.update(dict.fromkeys(row[0] for row in found))
        keys = sorted(_keys(terms))
        marks = ",".join("?" * len(keys))
        found = self._base.execute(
            f"SELECT n FROM texts WHERE key IN ({marks}) AND (made, number) < (?, ?)",  # noqa: S608 - question marks only
            [*keys, made, number],
        )
        numbers.update(dict.fromkeys(row[0] for row in found))
        marks = ",".join("?" * len(numbers))
        columns = "number, key, title, body, made, words, titled, runs, signs, n"
        return self._base.execute(
            f"SELECT {columns} FROM texts JOIN contents USING (n) WHERE n IN ({marks}) ORDER BY n",  # noqa: S608 - question marks only
            [*numbers],
        ).fetchall()

    def _heaviest(self, name: str, counts: Counter[str], most: int) -> list[str]:
        """Give the terms that tell most: often here, rarely elsewhere, and somewhere at all."""
        if not counts:
            return []
        space = self._spaces[name]
        buckets = np.fromiter((_hash(term) % len(space.frequencies) for term in counts), np.uint32, len(counts))
        frequencies = space.frequencies[buckets]
        seen = frequencies > 0
        rare = seen & (frequencies <= self._common)
        if rare.sum() >= ENOUGH_RARE:
            seen = rare
        weights = (1 + np.log(np.fromiter(counts.values(), np.float32))) * space.rarity(buckets, self._texts) * seen
        known = Counter({term: count for (term, count), there in zip(counts.items(), seen, strict=True) if there})
        return top(known, weights[seen].tolist(), most)

    def _count(self, vectors: dict[str, Vector], by: int) -> None:
        for name, vector in vectors.items():
            self._spaces[name].count(vector, by)
        self._texts += by

    def _frequencies(self, name: str) -> "NDArray[np.int32] | None":
        row = self._base.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else np.frombuffer(zlib.decompress(row[0]), np.int32).copy()


def _opened(path: str, image: bytes | None = None) -> sqlite3.Connection:
    try:
        base = sqlite3.connect(path)
        if image is not None:
            base.deserialize(image)
        base.execute("PRAGMA secure_delete = ON")  # what is taken out is overwritten in the file
        there = base.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if there is not None:
            row = base.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
            if row is not None and row[0] == VERSION:
                return base
            for name in ("lexicon", "texts", "contents", "meanings", "meta"):
                base.execute(f"DROP TABLE IF EXISTS {name}")
        base.executescript(_TABLES)
        base.execute("INSERT INTO meta VALUES ('version', ?)", (VERSION,))
        base.commit()
    except sqlite3.Error as error:
        raise EnvironmentFault(
            f"The index of texts cannot be used: {type(error).__name__}.",
            next="Delete the file; it is made again from the texts.",
            code="index_broken",
        ) from error
    return base


def _vectors(terms: Terms) -> dict[str, Vector]:
    return {
        "words": of_terms(terms.words),
        "title": of_terms(terms.title),
        "runs": of_runs(terms.runs),
        "signs": of_terms(terms.signs),
    }


def _keys(terms: Terms) -> frozenset[str]:
    """Give what may be the key of another text: ``FERN-131``, or ``131`` where it is written ``#131``."""
    found = [sign.removeprefix("#") for sign in terms.signs if sign.startswith("#") or "-" in sign]
    return frozenset(sorted(found)[:MAX_KEYS])


def _columns(terms: Terms) -> tuple[str, str, str]:
    """Give what the database indexes: hashes of terms, each as often as it occurs."""
    body = terms.words - Counter({word: TITLE_COUNTS * count for word, count in terms.title.items()})
    return tuple(" ".join(_name(term) for term in part.elements()) for part in (terms.title, body, terms.signs))  # type: ignore[return-value]


def _either(columns: str, terms: Sequence[str]) -> str:
    return f"{{{columns}}} : ({' OR '.join(_name(term) for term in terms)})" if terms else ""


def _hash(term: str) -> int:
    return zlib.crc32(term.encode("utf-8", "replace"))


def _name(term: str) -> str:
    return f"t{_hash(term):08x}"


def _standard(values: NDArray[Any]) -> NDArray[Any]:
    return (values - values.mean()) / max(float(values.std()), _LEAST_DEVIATION)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
