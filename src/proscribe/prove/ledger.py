"""The Merkle tree over the ledger's entries (RFC 6962, 2.1): root, inclusion and consistency proofs, their verifiers.

The leaf of an entry is its canonical bytes (RFC 8785). Leaf hash: SHA-256 of ``0x00`` and the leaf; node hash: SHA-256
of ``0x01``, the left and the right hash; root of the empty ledger: SHA-256 of nothing. Hashes are 32 bytes here and
lower-case hexadecimal in documents. A verifier answers False to anything malformed; it never raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from proscribe.documents import to_bytes
from proscribe.errors import ProscribeError
from proscribe.prove.model import LedgerEntry, TreeHead
from proscribe.text import Text

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class NoSuchProof(ProscribeError):
    """A proof was asked for an entry or a size that the ledger does not have."""

    code = "prove.no-such-proof"


def leaf_hash(entry: LedgerEntry) -> bytes:
    """The leaf hash of an entry."""
    return leaf_hash_of(to_bytes(entry))


def leaf_hash_of(leaf: bytes) -> bytes:
    """The leaf hash of an entry's canonical bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order, in O(log n) memory."""
    return _fold(leaf_hashes)[1]


def tree_head(leaf_hashes: Iterable[bytes]) -> TreeHead:
    """Size and root of the ledger whose leaf hashes these are."""
    size, root = _fold(leaf_hashes)
    return TreeHead(size=size, root=root.hex())


def _fold(leaf_hashes: Iterable[bytes]) -> tuple[int, bytes]:
    # One hash for every set bit of the size, largest subtree first: adding a leaf merges as binary addition carries.
    peaks: list[bytes] = []
    size = 0
    for leaf in leaf_hashes:
        node = leaf
        carry = size
        while carry & 1:
            node = node_hash(peaks.pop(), node)
            carry >>= 1
        peaks.append(node)
        size += 1
    if not peaks:
        return 0, EMPTY_ROOT
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return size, root


class Tree:
    """All complete subtrees of a ledger held in memory (64 bytes an entry), so that each proof costs O(log² n)."""

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        level = list(leaf_hashes)
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            self._levels.append(level)

    def root(self, size: int | None = None) -> bytes:
        """The root as it was when the ledger had ``size`` entries (None: now). Raises NoSuchProof."""
        size = self._checked_size(size)
        return self._range_root(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The audit path of entry ``index`` in the ledger of ``size`` entries, leaf to root. Raises NoSuchProof."""
        size = self._checked_size(size)
        if not 0 <= index < size:
            raise _no_proof(
                Text(
                    f"no entry {index}: the ledger has {size}", f"aucune entrée {index} : le registre en compte {size}"
                )
            )
        start, end = 0, size
        path: list[bytes] = []
        while end - start > 1:
            middle = start + _left_width(end - start)
            if index < middle:
                path.append(self._range_root(middle, end))
                end = middle
            else:
                path.append(self._range_root(start, middle))
                start = middle
        return tuple(reversed(path))

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Proof that the ledger of ``second`` entries begins with that of ``first``. Raises NoSuchProof."""
        second = self._checked_size(second)
        if not 0 < first <= second:
            raise _no_proof(
                Text(
                    f"a consistency proof from {first} to {second} entries does not exist",
                    f"il n'existe pas de preuve de cohérence de la taille {first} à la taille {second}",
                )
            )
        start, end, whole = 0, second, True
        path: list[bytes] = []
        while end != first:
            middle = start + _left_width(end - start)
            if first <= middle:
                path.append(self._range_root(middle, end))
                end = middle
            else:
                path.append(self._range_root(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range_root(start, end))
        return tuple(reversed(path))

    def _checked_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise _no_proof(
                Text(
                    f"the ledger has {self.size} entries, not {size}",
                    f"le registre compte {self.size} entrées et non {size}",
                )
            )
        return size

    def _range_root(self, start: int, end: int) -> bytes:
        """Root of a range that starts on a boundary of its own left subtree, as all ranges of RFC 6962 do."""
        width = end - start
        if width & (width - 1) == 0:
            height = width.bit_length() - 1
            return self._levels[height][start >> height]
        middle = start + _left_width(width)
        return node_hash(self._range_root(start, middle), self._range_root(middle, end))


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int, size: int | None = None) -> tuple[bytes, ...]:
    """The audit path of one entry. For many proofs over one ledger keep a :class:`Tree`. Raises NoSuchProof."""
    return Tree(leaf_hashes).inclusion(index, size)


def consistency_proof(leaf_hashes: Sequence[bytes], first: int, second: int | None = None) -> tuple[bytes, ...]:
    """Proof that the ledger of ``second`` entries (None: all) begins with that of ``first``. Raises NoSuchProof."""
    return Tree(leaf_hashes).consistency(first, second)


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
