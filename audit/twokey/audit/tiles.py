"""The files of a tree in the layout of C2SP ``tlog-tiles``: names, widths, contents. Pure functions.

Rules: a tile is 256 consecutive hashes of one level, a bundle the entries under one tile of level 0; only the last of a
level may be narrower, and then its name says how wide it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.audit import merkle
from twokey.audit.merkle import HASH_BYTES, BadProof, Node

HEIGHT: Final = 8
"""Levels of the tree that one tile spans."""
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = -1
"""Stands for the level of a bundle of entries, whose tile is that of level 0."""
MAX_ENTRY_BYTES: Final = 65_535
MAX_BUNDLE_BYTES: Final = WIDTH * (2 + MAX_ENTRY_BYTES)
MAX_TILE_BYTES: Final = WIDTH * HASH_BYTES
TOP: Final = "tile"
DEEPEST: Final = 8
"""Folders below each other at most: no log has so many entries that there are more."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One file: the hashes of a tile, or at the level ``ENTRIES`` a bundle of entries."""

    level: int
    index: int
    width: int
    """How many hashes or entries it holds, from 1 to 256."""

    @property
    def path(self) -> str:
        """Name below the folder of the log, as in ``tile/0/x001/067.p/5``."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{TOP}/{level}/{'/'.join(reversed(groups))}{part}"

    @property
    def most_bytes(self) -> int:
        """How long the file is at most."""
        return self.width * (2 + MAX_ENTRY_BYTES if self.level == ENTRIES else HASH_BYTES)

    @property
    def first(self) -> int:
        """Number of the first entry under it."""
        return self.index * WIDTH << max(self.level, 0) * HEIGHT


def tiles(level: int, size: int) -> Iterator[Tile]:
    """Name the files of one level of a tree of ``size`` leaves, first to last."""
    count = size >> max(level, 0) * HEIGHT
    for index in range(count // WIDTH):
        yield Tile(level, index, WIDTH)
    if count % WIDTH:
        yield Tile(level, count // WIDTH, count % WIDTH)


def levels(size: int) -> int:
    """How many levels of tiles a tree of ``size`` leaves has."""
    return (size.bit_length() - 1) // HEIGHT + 1


def subtree(hashes: Sequence[bytes]) -> bytes:
    """Give the root over a number of hashes that is a power of two."""
    while len(hashes) > 1:
        hashes = [merkle.node_hash(hashes[place], hashes[place + 1]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def hashes_of(content: bytes) -> list[bytes]:
    """Part the bytes of a tile into its hashes."""
    return [content[place : place + HASH_BYTES] for place in range(0, len(content), HASH_BYTES)]


def bundle(bodies: Iterable[bytes]) -> bytes:
    """Give the bytes of a bundle: each entry behind its length, two bytes, the higher one first."""
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def entries_of(content: bytes) -> list[bytes] | None:
    """Part the bytes of a bundle into its entries; gives ``None`` where the lengths do not add up."""
    bodies: list[bytes] = []
    place = 0
    while place < len(content):
        begin = place + 2
        place = begin + int.from_bytes(content[place:begin], "big")
        bodies.append(content[begin:place])
    return bodies if place == len(content) else None


def fetch(size: int, read: Callable[[Tile], bytes]) -> merkle.Fetch:
    """Give a reader of the hashes of perfect subtrees out of tiles; ``read`` gives a tile's bytes.

    The reader raises ``BadProof`` where a tile does not have the length that its name says.
    """

    def find(nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        kept: dict[Tile, list[bytes]] = {}
        return {node: _node(node, kept) for node in nodes}

    def _node(node: Node, kept: dict[Tile, list[bytes]]) -> bytes:
        level, inside = node[0] // HEIGHT, node[0] % HEIGHT
        first = node[1] << inside
        index = first // WIDTH
        tile = Tile(level, index, min(WIDTH, (size >> level * HEIGHT) - index * WIDTH))
        if tile not in kept:
            content = read(tile)
            if len(content) != tile.most_bytes:
                raise BadProof(f"the file {tile.path} does not hold {tile.width} hashes")
            kept[tile] = hashes_of(content)
        place = first % WIDTH
        return subtree(kept[tile][place : place + (1 << inside)])

    return find
