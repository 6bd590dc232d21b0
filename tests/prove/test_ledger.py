"""The ledger's tree against pymerkle (an independent implementation) and against tampering."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from proscribe.documents import from_json, to_bytes
from proscribe.errors import InvalidDocument
from proscribe.prove import ledger
from proscribe.prove.model import EntryKind, LedgerEntry

leaves = st.lists(st.binary(max_size=40), max_size=70)
some_leaves = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def hashes(data: list[bytes]) -> list[bytes]:
    return [ledger.leaf_hash_of(leaf) for leaf in data]


def oracle(data: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for leaf in data:
        tree.append_entry(leaf)
    return tree


@given(leaves)
def test_root_agrees_with_pymerkle(data: list[bytes]) -> None:
    ours = hashes(data)
    assert ledger.root_hash(iter(ours)) == oracle(data).get_root()
    assert ledger.Tree(ours).root() == oracle(data).get_root()
    assert ledger.tree_head(iter(ours)).size == len(data)


@given(some_leaves, st.data())
def test_inclusion_proofs_agree_with_pymerkle(data: list[bytes], draw: st.DataObject) -> None:
    size = draw.draw(st.integers(1, len(data)))
    index = draw.draw(st.integers(0, size - 1))
    ours = hashes(data)
    proof = ledger.Tree(ours).inclusion(index, size)
    theirs = oracle(data).prove_inclusion(index + 1, size)
    assert (ours[index], *proof) == tuple(theirs.path)
    assert ledger.verify_inclusion(ours[index], index, size, proof, oracle(data).get_root(size))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 255, 256, 257, 1023, 1024, 1025, 2048, 3001])
def test_long_trees_agree_with_pymerkle(size: int) -> None:
    dice = random.Random(size)
    data = [dice.randbytes(dice.randrange(60)) for _ in range(size)]
    ours, theirs = hashes(data), oracle(data)
    tree, growing = ledger.Tree(ours), ledger.Growing()
    nodes = [growing.add(leaf) for leaf in ours]
    assert tree.root() == growing.root() == theirs.get_root()
    assert [len(completed) for completed in nodes] == [len(ledger.left_siblings(at)) for at in range(size)]
    for _ in range(min(size, 25)):
        then = dice.randrange(1, size + 1)
        index, first = dice.randrange(then), dice.randrange(1, then + 1)
        path = tree.inclusion(index, then)
        assert (ours[index], *path) == tuple(theirs.prove_inclusion(index + 1, then).path)
        proof = tree.consistency(first, then)
        assert ledger.verify_consistency(first, then, theirs.get_root(first), theirs.get_root(then), proof)
        assert list(proof) == subproof(first, data[:then], True)


@given(some_leaves)
def test_the_nodes_an_entry_completes_are_those_the_tree_holds(data: list[bytes]) -> None:
    # What is stored beside entry n, lowest first, against roots that pymerkle computes over just those leaves.
    growing = ledger.Growing()
    for at, leaf in enumerate(hashes(data)):
        for height, node in enumerate(growing.add(leaf), start=1):
            first = at + 1 - (1 << height)
            assert first % (1 << height) == 0
            assert node == oracle(data[first : at + 1]).get_root()


def mth(data: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def subproof(m: int, data: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2, word for word."""
    if m == len(data):
        return [] if whole else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


@given(some_leaves, st.data())
def test_consistency_proofs_agree_with_the_rfc_and_with_the_roots_of_pymerkle(
    data: list[bytes], draw: st.DataObject
) -> None:
    # pymerkle lays its consistency path out in another way, so its roots are the oracle and the RFC's text the path's.
    second = draw.draw(st.integers(1, len(data)))
    first = draw.draw(st.integers(1, second))
    tree = oracle(data)
    proof = ledger.Tree(hashes(data)).consistency(first, second)
    assert list(proof) == subproof(first, data[:second], True)
    assert ledger.verify_consistency(first, second, tree.get_root(first), tree.get_root(second), proof)


@given(some_leaves, st.data())
def test_a_proof_of_something_else_is_refused(data: list[bytes], draw: st.DataObject) -> None:
    ours = hashes(data)
    tree = ledger.Tree(ours)
    index = draw.draw(st.integers(0, len(data) - 1))
    proof, root = tree.inclusion(index), tree.root()
    leaf = ours[index]
    assert not ledger.verify_inclusion(ledger.leaf_hash_of(leaf), index, len(data), proof, root)
    assert not ledger.verify_inclusion(leaf, index, len(data), (*proof, root), root)
    assert not ledger.verify_inclusion(leaf, index, len(data), proof, ledger.EMPTY_ROOT)
    for at in range(len(proof)):
        changed = list(proof)
        changed[at] = hashlib.sha256(changed[at]).digest()
        assert not ledger.verify_inclusion(leaf, index, len(data), changed, root)
        assert not ledger.verify_inclusion(leaf, index, len(data), proof[:at], root)


@given(some_leaves, st.data())
def test_a_rewritten_past_is_inconsistent(data: list[bytes], draw: st.DataObject) -> None:
    first = draw.draw(st.integers(1, len(data)))
    at = draw.draw(st.integers(0, first - 1))
    ours = hashes(data)
    before = ledger.Tree(ours).root(first)
    ours[at] = ledger.leaf_hash_of(b"rewritten" + ours[at])
    after = ledger.Tree(ours)
    proof = after.consistency(first)
    assert not ledger.verify_consistency(first, len(ours), before, after.root(), proof)


@given(
    st.integers(-2, 80),
    st.integers(-2, 80),
    st.lists(st.binary(min_size=31, max_size=33), max_size=8),
    st.binary(min_size=32, max_size=32),
)
def test_verifiers_answer_no_to_nonsense(first: int, second: int, proof: list[bytes], root: bytes) -> None:
    other = hashlib.sha256(root).digest()
    assert not ledger.verify_inclusion(other, first, second, proof, root)
    assert not ledger.verify_consistency(first, second, root, other, proof)


def test_test_vectors_of_certificate_transparency() -> None:
    # The eight leaves and roots of the reference implementation's tests (google/certificate-transparency).
    data = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
    assert ledger.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tree = ledger.Tree(hashes(data))
    assert tree.root(1).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root(2).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert tree.root(3).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, 4), (2, 2)])
def test_no_inclusion_proof_outside_the_ledger(index: int, size: int) -> None:
    with pytest.raises(ledger.NoSuchProof) as caught:
        ledger.Tree(hashes([b"a", b"b", b"c"])).inclusion(index, size)
    assert caught.value.remedy.fr


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (2, 4), (2, -1)])
def test_no_consistency_proof_outside_the_ledger(first: int, second: int) -> None:
    with pytest.raises(ledger.NoSuchProof):
        ledger.Tree(hashes([b"a", b"b", b"c"])).consistency(first, second)


def test_a_leaf_is_the_canonical_bytes_of_its_entry() -> None:
    entry = LedgerEntry(
        index=0,
        at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
        actor="mobility administrator",
        entry=EntryKind.freeze,
        subject="",
        body={"b": 1, "a": "é"},
    )
    data = to_bytes(entry)
    assert data.index(b'"a"') < data.index(b'"b"')
    assert ledger.leaf_hash(entry) == hashlib.sha256(b"\x00" + data).digest()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(EntryKind), st.text(max_size=9), st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_an_entry_reads_from_its_bytes_as_the_codec_reads_it(kind: EntryKind, subject: str, body: dict) -> None:
    entry = LedgerEntry(7, datetime(2026, 11, 2, 9, 0, 1, tzinfo=UTC), "role", kind, subject, body)
    data = to_bytes(entry)
    assert ledger.read_entry(data) == from_json(LedgerEntry, json.loads(data))
    assert to_bytes(ledger.read_entry(data)) == data


@pytest.mark.parametrize("data", [b"", b"{}", b"[1", b"\xff", b'{"kind":"proscribe.ledger-entry","schema":1}'])
def test_what_is_no_entry_is_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(InvalidDocument) as caught:
        ledger.read_entry(data, source="ledger entry 7")
    assert caught.value.where.file == "ledger entry 7"
