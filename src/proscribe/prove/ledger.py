"""The Merkle tree over the ledger's entries (RFC 6962, 2.1): root, inclusion and consistency proofs, their verifiers.

The leaf of an entry is its canonical bytes (RFC 8785). Leaf hash: SHA-256 of ``0x00`` and the leaf; node hash: SHA-256
of ``0x01``, the left and the right hash; root of the empty ledger: SHA-256 of nothing. Hashes are 32 bytes here and
lower-case hexadecimal in documents. A verifier answers False to anything malformed; it never raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from proscribe.documents import from_json, parse, to_bytes
from proscribe.errors import ProscribeError
from proscribe.prove.model import LedgerEntry, TreeHead
from proscribe.text import Text

if TYPE_CHECKING:
    import msgspec

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class NoSuchProof(ProscribeError):
    """A proof was asked for an entry or a size that the ledger does not have."""

    code = "prove.no-such-proof"


def leaf_hash(entry: LedgerEntry) -> bytes:
    """The leaf hash of an entry."""
    return leaf_hash_of(to_bytes(entry))


def read_entry(body: bytes, *, source: str = "") -> LedgerEntry:
    """An entry from the bytes it was stored as, in a tenth of the time that ``from_json`` takes.

    Raises InvalidDocument where they are no entry.
    """
    import msgspec

    try:
        return _decoder().decode(body)
    except msgspec.MsgspecError:
        return from_json(LedgerEntry, parse(body.decode("utf-8", "replace"), source=source), source=source)


@cache
def _decoder() -> msgspec.json.Decoder[LedgerEntry]:
    import msgspec

    return msgspec.json.Decoder(LedgerEntry)


def leaf_hash_of(leaf: bytes) -> bytes:
    """The leaf hash of an entry's canonical bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order, in O(log n) memory."""
    return bytes.fromhex(tree_head(leaf_hashes).root)


def tree_head(leaf_hashes: Iterable[bytes]) -> TreeHead:
    """Size and root of the ledger whose leaf hashes these are."""
    growing = Growing()
    for leaf in leaf_hashes:
        growing.add(leaf)
    return TreeHead(size=growing.size, root=growing.root().hex())


Node = tuple[int, int]
"""A complete subtree: its height (0: a leaf), and how many of that height stand to its left."""

Fetch = Callable[[Sequence[Node]], Mapping[Node, bytes]]
"""The hashes of complete subtrees, wherever they are kept. One call a proof: a database answers it in one query."""


def root_at(size: int, fetch: Fetch) -> bytes:
    """The root over the first ``size`` leaves."""
    return _range_roots([(0, size)], fetch)[0] if size else EMPTY_ROOT


def inclusion_at(index: int, size: int, fetch: Fetch) -> tuple[bytes, ...]:
    """The audit path of leaf ``index`` among the first ``size``, leaf to root. Raises NoSuchProof."""
    if not 0 <= index < size:
        raise _no_proof(
            Text(f"no entry {index}: the ledger has {size}", f"aucune entrée {index} : le registre en compte {size}")
        )
    start, end = 0, size
    siblings: list[_Range] = []
    while end - start > 1:
        middle = start + _left_width(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return tuple(_range_roots(siblings[::-1], fetch))


def consistency_at(first: int, second: int, fetch: Fetch) -> tuple[bytes, ...]:
    """Proof that the first ``second`` leaves begin with the first ``first``. Raises NoSuchProof."""
    if not 0 < first <= second:
        raise _no_proof(
            Text(
                f"a consistency proof from {first} to {second} entries does not exist",
                f"il n'existe pas de preuve de cohérence de la taille {first} à la taille {second}",
            )
        )
    start, end, whole = 0, second, True
    parts: list[_Range] = []
    while end != first:
        middle = start + _left_width(end - start)
        if first <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((start, middle))
            start, whole = middle, False
    if not whole:
        parts.append((start, end))
    return tuple(_range_roots(parts[::-1], fetch))


def checked_size(size: int | None, whole: int) -> int:
    """``size``, or all of the ledger where it is None. Raises NoSuchProof where the ledger never had that size."""
    if size is None:
        return whole
    if not 0 <= size <= whole:
        raise _no_proof(
            Text(f"the ledger has {whole} entries, not {size}", f"le registre compte {whole} entrées et non {size}")
        )
    return size


_Range = tuple[int, int]


def _range_roots(ranges: Sequence[_Range], fetch: Fetch) -> list[bytes]:
    """Roots of ranges that start on a boundary of their own left subtree, as all ranges of RFC 6962 do."""
    parts = [_subtrees(start, end) for start, end in ranges]
    hashes = fetch([node for nodes in parts for node in nodes])
    return [joined([hashes[node] for node in nodes]) for nodes in parts]


def _subtrees(start: int, end: int) -> list[Node]:
    nodes = []
    while start < end:
        height = (end - start).bit_length() - 1
        nodes.append((height, start >> height))
        start += 1 << height
    return nodes


def joined(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees that stand side by side, largest first."""
    *lefts, root = peaks
    for left in reversed(lefts):
        root = node_hash(left, root)
    return root


def left_siblings(index: int) -> tuple[Node, ...]:
    """The subtrees that grow together when leaf ``index`` is added, lowest first: addition carries its ones."""
    carries = (index ^ (index + 1)).bit_length() - 1
    return tuple((height, (index >> height) - 1) for height in range(carries))


class Growing:
    """A tree that leaves are added to, in O(log n) memory: one hash for every set bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # largest subtree first

    def add(self, leaf: bytes) -> tuple[bytes, ...]:
        """Add a leaf hash; the inner nodes that this completes, lowest first."""
        completed = []
        node = leaf
        for _ in left_siblings(self.size):
            node = node_hash(self._peaks.pop(), node)
            completed.append(node)
        self._peaks.append(node)
        self.size += 1
        return tuple(completed)

    def root(self) -> bytes:
        """The root over what was added."""
        return joined(self._peaks) if self._peaks else EMPTY_ROOT


class Tree:
    """All complete subtrees of a ledger held in memory (64 bytes an entry), for many proofs without a database."""

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        level = list(leaf_hashes)
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            self._levels.append(level)

    def root(self, size: int | None = None) -> bytes:
        """The root as it was when the ledger had ``size`` entries (None: now). Raises NoSuchProof."""
        return root_at(checked_size(size, self.size), self._fetch)

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The audit path of entry ``index`` in the ledger of ``size`` entries, leaf to root. Raises NoSuchProof."""
        return inclusion_at(index, checked_size(size, self.size), self._fetch)

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Proof that the ledger of ``second`` entries begins with that of ``first``. Raises NoSuchProof."""
        return consistency_at(first, checked_size(second, self.size), self._fetch)

    def _fetch(self, wanted: Sequence[Node]) -> dict[Node, bytes]:
        return {(height, position): self._levels[height][position] for height, position in wanted}


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``leaf`` (a leaf hash) is entry ``index`` of the ledger with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed((leaf, root, *proof)):
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the ledger of ``second`` entries begins with that of ``first`` (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second or not _well_formed((first_root, second_root, *proof)):
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)  # a complete subtree stands for itself
    if not path:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position >>= 1
        last >>= 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and older == first_root and newer == second_root


def _well_formed(hashes: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in hashes)


def _left_width(width: int) -> int:
    """The largest power of two smaller than ``width`` (at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _no_proof(what: Text) -> NoSuchProof:
    return NoSuchProof(
        what,
        remedy=Text(
            "Ask for an entry and a size that the ledger has; entries are numbered from 0.",
            "Demandez une entrée et une taille que le registre comprend; les entrées sont numérotées à partir de 0.",
        ),
    )
