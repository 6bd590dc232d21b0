"""Signed tree heads against OpenSSL, and what a witness makes of two of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.canonical import canonical_bytes
from proscribe.documents import from_json, to_bytes, to_json
from proscribe.errors import InvalidDocument
from proscribe.prove.heads import WrongLogKey, check_head, log_of, new_key, read_key, sign_head, signed_bytes
from proscribe.prove.ledger import EMPTY_ROOT, Tree, leaf_hash_of
from proscribe.prove.model import EntryKind, HeadProof, LedgerEntry, ProvenEntry, SignedTreeHead, TreeHead
from proscribe.prove.witness import Contradiction, compare, contradiction, in_words, proof_faults, read_proof

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
KEY = read_key(new_key())
OTHER = read_key(new_key())
LEAVES = [leaf_hash_of(bytes([n])) for n in range(70)]
TREE = Tree(LEAVES)
FORK = Tree([*LEAVES[:10], leaf_hash_of(b"another"), *LEAVES[11:]])


def head(size: int, *, tree: Tree = TREE, key=KEY, hours: int | None = None) -> SignedTreeHead:
    at = NOW + timedelta(hours=size if hours is None else hours)
    return sign_head(TreeHead(size, tree.root(size).hex()), key, at)


def grown(first: int, second: int, *, tree: Tree = TREE) -> tuple[str, ...]:
    return tuple(part.hex() for part in tree.consistency(first, second))


def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    signed = head(7)
    (tmp_path / "key").write_bytes(new_key())
    made = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key", "-text", "-noout"], check=True, capture_output=True, text=True
    )
    assert made.stdout.startswith("ED25519 Private-Key:")
    # SubjectPublicKeyInfo of Ed25519 (RFC 8410): a fixed prefix and the 32 bytes that the head carries.
    (tmp_path / "log.der").write_bytes(bytes.fromhex("302a300506032b6570032100" + signed.log))
    body = {name: value for name, value in to_json(signed).items() if name != "signature"}
    (tmp_path / "body").write_bytes(canonical_bytes(body))
    (tmp_path / "signature").write_bytes(bytes.fromhex(signed.signature))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", tmp_path / "log.der", "-rawin"]
    command += ["-in", tmp_path / "body", "-sigfile", tmp_path / "signature"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    (tmp_path / "body").write_bytes(canonical_bytes({**body, "size": 8}))
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_a_key_of_openssl_signs(tmp_path: Path) -> None:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "key"], check=True)
    key = read_key((tmp_path / "key").read_bytes())
    signed = sign_head(TreeHead(1, TREE.root(1).hex()), key, NOW)
    assert signed.log == log_of(key)
    assert check_head(signed)


@pytest.mark.parametrize("algorithm", [["-algorithm", "rsa"], ["-algorithm", "ed25519", "-aes256", "-pass", "pass:x"]])
def test_another_kind_of_key_is_refused(tmp_path: Path, algorithm: list[str]) -> None:
    subprocess.run(["openssl", "genpkey", *algorithm, "-out", tmp_path / "key"], check=True, capture_output=True)
    with pytest.raises(WrongLogKey):
        read_key((tmp_path / "key").read_bytes())
    with pytest.raises(WrongLogKey) as caught:
        read_key(b"")
    assert caught.value.remedy.fr


def test_a_head_survives_its_file() -> None:
    signed = head(5)
    assert from_json(SignedTreeHead, to_json(signed)) == signed
    assert check_head(from_json(SignedTreeHead, to_json(signed)))
    assert signed_bytes(signed) in to_bytes(signed).replace(f'"signature":"{signed.signature}",'.encode(), b"")


@pytest.mark.parametrize(
    "change",
    [
        {"size": 8},
        {"size": -7},
        {"root": TREE.root(8).hex()},
        {"root": TREE.root(7).hex().upper()},
        {"root": ""},
        {"at": NOW},
        {"log": log_of(OTHER)},
        {"log": "00" * 32},
        {"log": "zz" * 32},
        {"signature": ""},
        {"signature": "00" * 64},
        {"signature": "é" * 128},
        {"size": 2**70},
    ],
)
def test_a_changed_head_is_nobodys(change: dict) -> None:
    assert check_head(head(7))
    assert not check_head(replace(head(7), **change))


def test_the_head_of_nothing_has_the_root_of_nothing() -> None:
    assert check_head(head(0))
    assert not check_head(sign_head(TreeHead(0, TREE.root(1).hex()), KEY, NOW))
    assert head(0).root == EMPTY_ROOT.hex()


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_ledger_that_only_grew_is_never_accused(first: int, second: int) -> None:
    first, second = sorted((first, second))
    proof = grown(first, second) if first else ()
    assert compare(head(first), head(second), proof) is None


@given(st.integers(1, 70), st.integers(1, 70), st.integers(11, 70), st.integers(11, 70))
def test_a_fork_is_never_excused(first: int, second: int, other: int, third: int) -> None:
    # Whatever sizes a forked log shows after the fork, and whatever proof of either branch it hands over.
    old, new = head(max(first, 11), hours=1), head(third, tree=FORK, hours=2)
    small, large = sorted((second, other))
    for proof in ((), grown(small, large), grown(small, large, tree=FORK)):
        assert contradiction(old, new, proof) in (
            Contradiction.forked,
            Contradiction.truncated,
            Contradiction.unproven,
        )
    before = head(10, hours=0)
    assert contradiction(before, new, grown(10, third, tree=FORK)) is None  # up to there they are one ledger


@pytest.mark.parametrize(
    ("old", "new", "proof", "expected"),
    [
        (lambda: head(20), lambda: head(20, tree=FORK, hours=30), (), Contradiction.forked),
        (lambda: head(20), lambda: head(20, tree=FORK, hours=3), (), Contradiction.forked),
        (lambda: head(20), lambda: head(30, tree=FORK), grown(20, 30, tree=FORK), Contradiction.forked),
        (lambda: head(20), lambda: head(30), ("zz",), Contradiction.forked),
        (lambda: head(20), lambda: head(30), grown(20, 31), Contradiction.forked),
        (lambda: head(20), lambda: head(15, hours=21), (), Contradiction.truncated),
        (lambda: head(20), lambda: head(30), (), Contradiction.unproven),
        (lambda: head(20), lambda: head(15), (), Contradiction.back_in_time),
        (lambda: head(20), lambda: head(15, hours=20), (), Contradiction.back_in_time),
        (lambda: head(20), lambda: head(30, hours=2), grown(20, 30), Contradiction.back_in_time),
        (lambda: head(20), lambda: head(30, key=OTHER), grown(20, 30), Contradiction.other_log),
        (lambda: head(20), lambda: replace(head(30), size=31), grown(20, 30), Contradiction.not_signed),
        (lambda: replace(head(20), at=NOW), lambda: head(30), grown(20, 30), Contradiction.not_signed),
        (lambda: head(20), lambda: head(20, hours=40), (), None),
    ],
)
def test_each_way_not_to_follow_has_its_name(
    old: Callable[[], SignedTreeHead],
    new: Callable[[], SignedTreeHead],
    proof: tuple[str, ...],
    expected: Contradiction | None,
) -> None:
    before, after = old(), new()
    assert contradiction(before, after, proof) is expected
    if expected is not None:
        said = compare(before, after, proof)
        assert said == in_words(expected, before, after)
        assert said.en != said.fr


def test_only_what_the_log_itself_signed_convicts_it() -> None:
    assert {one for one in Contradiction if one.convicts} == {Contradiction.forked, Contradiction.truncated}


def entries(count: int) -> list[LedgerEntry]:
    return [LedgerEntry(n, NOW, "role", EntryKind.freeze, "é", {"n": n}) for n in range(count)]


def proof_of(count: int, *indexes: int) -> HeadProof:
    written = entries(count)
    tree = Tree(leaf_hash_of(to_bytes(entry)) for entry in written)
    proven = [
        ProvenEntry(to_json(written[index]), tuple(part.hex() for part in tree.inclusion(index))) for index in indexes
    ]
    return HeadProof(sign_head(TreeHead(count, tree.root().hex()), KEY, NOW), entries=tuple(proven))


def test_entries_are_proven_with_their_own_bytes() -> None:
    proof = proof_of(9, 0, 4, 8)
    assert list(proof_faults(proof)) == []
    first, *_ = proof.entries
    for wrong in (
        replace(first, entry={**first.entry, "actor": "somebody else"}),
        replace(first, entry={**first.entry, "index": 1}),
        replace(first, entry={**first.entry, "index": True}),
        replace(first, entry={}),
        replace(first, entry={**first.entry, "body": {"n": 10**400}}),
        replace(first, path=first.path[:-1]),
        replace(first, path=("x", *first.path[1:])),
    ):
        assert len(list(proof_faults(replace(proof, entries=(wrong, *proof.entries[1:]))))) == 1


def test_a_proof_is_judged_by_head_growth_and_entries() -> None:
    good = HeadProof(head(30), head(20), grown(20, 30))
    assert list(proof_faults(good)) == []
    assert [str(one)[:9] for one in proof_faults(replace(good, consistency=()))] == ["unproven:"]
    assert [str(one)[:10] for one in proof_faults(replace(good, head=replace(good.head, size=31)))] == ["not signed"]


def test_a_file_holds_a_head_or_a_proof(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(to_bytes(head(5)))
    assert read_proof(path) == HeadProof(head(5))
    path.write_bytes(to_bytes(HeadProof(head(30), head(20), grown(20, 30))))
    assert read_proof(path).since == head(20)
    path.write_bytes(to_bytes(entries(1)[0]))
    with pytest.raises(InvalidDocument, match=r"not .proscribe\.tree-head"):
        read_proof(path)
    path.write_text('{"kind": "proscribe.head-proof", "schema": 1, "head": 3}')
    with pytest.raises(InvalidDocument, match="head-proof"):
        read_proof(path)
