"""Whoever rewrites the ledger is found: each attack with its own code, on both databases."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.service.conftest import START
from tests.store.conftest import make_database, postgres_server

import proscribe.store
from proscribe.clock import ManualClock
from proscribe.documents import from_json, read, to_bytes, to_json
from proscribe.prove import faults
from proscribe.prove.heads import WrongLogKey, check_head, log_of, new_key, read_key, sign_head
from proscribe.prove.ledger import NoSuchProof, leaf_hash_of, node_hash
from proscribe.prove.model import EntryKind, HeadProof, LedgerCheck, SignedTreeHead, TreeHead
from proscribe.prove.witness import Contradiction, compare, proof_faults
from proscribe.service import ledgering
from proscribe.service.installation import Installation, open_installation

__all__ = ["postgres_server"]  # a fixture

_numbers = itertools.count()


class Office:
    """An installation with nothing to manage: a home folder, a ledger and a clock."""

    def __init__(self, home: Path, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock

    def open(self) -> Installation:
        return open_installation(self.home, actor="tester", clock=self.clock)

    def write(self, count: int, word: str = "entry") -> None:
        for number in range(count):
            self.open().record(EntryKind.receipt, f"{word}-{number}", n=number)

    def head(self, count: int = 0, word: str = "entry") -> SignedTreeHead:
        """A head an hour later, after some more entries."""
        self.write(count, word)
        self.clock.advance(hours=1)
        return ledgering.signed_head(self.open())

    def check(self, *given: SignedTreeHead) -> LedgerCheck:
        return ledgering.check(self.open(), given)

    def codes(self, *given: SignedTreeHead) -> list[str]:
        return [one.code for one in self.check(*given).findings]

    def tamper(self, *statements: tuple[str, list]) -> None:
        """What an administrator of the database can do."""
        from django.db import connection

        self.open()
        with connection.cursor() as cursor:
            for table in ("proscribe_ledger", "proscribe_ledger_node"):
                if connection.vendor == "postgresql":
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                else:
                    for name in ("update", "delete"):
                        cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{name}")
            for statement, parameters in statements:
                cursor.execute(statement, parameters)

    def put_back_to(self, size: int) -> None:
        """The database as a backup of that size had it; the home folder's files stay."""
        self.tamper(
            ('DELETE FROM proscribe_ledger WHERE "index" >= %s', [size]),
            ('DELETE FROM proscribe_ledger_node WHERE "index" >= %s', [size]),
            ("DELETE FROM proscribe_document WHERE kind = %s", [SignedTreeHead.KIND]),
        )

    def rewrite(self, index: int, *, upwards: bool) -> None:
        """Another entry in the place of one, with its leaf hash, and all nodes above it where ``upwards``."""
        rows = list(self.open().stores.ledger.rows())
        body = rows[index].body.replace(b"entry-", b"other-")
        leaf = leaf_hash_of(body)
        statements = [('UPDATE proscribe_ledger SET body = %s, leaf = %s WHERE "index" = %s', [body, leaf, index])]
        if upwards:
            known: dict[tuple[int, int], bytes] = {}
            for row in rows:
                node = leaf if row.index == index else row.leaf
                known[0, row.index] = node
                hashes = []
                for height in range(len(row.nodes)):
                    node = node_hash(known[height, (row.index >> height) - 1], node)
                    known[height + 1, row.index >> (height + 1)] = node
                    hashes.append(node)
                if hashes:
                    statements.append(
                        (
                            'UPDATE proscribe_ledger_node SET hashes = %s WHERE "index" = %s',
                            [b"".join(hashes), row.index],
                        )
                    )
        self.tamper(*statements)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def office(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        name = f"ledger_{os.getpid()}_{next(_numbers)}"
        monkeypatch.setenv("DATABASE_URL", make_database(server, name))
    else:
        monkeypatch.delenv("DATABASE_URL", raising=False)
    yield Office(tmp_path / "home", ManualClock(START))
    proscribe.store.close()


def heads(office: Office) -> list[Path]:
    return sorted((office.home / "heads").glob("*"))


# --- heads of our own ------------------------------------------------------------------------------------------------


def test_a_head_stands_in_the_ledger_among_the_documents_and_on_file(office: Office) -> None:
    signed = office.head(5)
    assert check_head(signed)
    assert (signed.size, signed.at) == (5, office.clock.now())
    installation = office.open()
    *_, record = installation.stores.ledger.entries()
    assert (record.index, record.entry) == (5, EntryKind.head)
    assert (record.body["event"], record.body["root"], record.body["log"]) == ("signed", signed.root, signed.log)
    assert installation.stores.documents.get(SignedTreeHead, record.body["digest"]) == signed
    (file,) = heads(office)
    assert read(SignedTreeHead, file) == signed
    for secret in (office.home / "ledger.key", file):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert office.check().ok


def test_a_head_is_signed_once_until_something_is_added(office: Office) -> None:
    first = office.head()
    assert (first.size, office.head()) == (0, first)
    second = office.head(3)
    assert second.size == 4  # the record of the first one counts
    assert office.head() == second
    assert len(heads(office)) == 2
    assert ledgering.newest_head(office.open()) == second


def test_a_head_that_was_rolled_back_was_never_signed(office: Office) -> None:
    office.write(2)
    installation = office.open()
    with pytest.raises(ZeroDivisionError), installation.atomic():  # noqa: PT012 (what is done before it fails)
        installation.record(EntryKind.receipt, "x")
        assert ledgering.signed_head(installation).size == 3
        assert ledgering.newest_head(installation) is not None
        assert heads(office) == []
        raise ZeroDivisionError
    assert ledgering.newest_head(installation) is None
    assert installation.stores.ledger.size() == 2
    assert heads(office) == []
    assert office.head().size == 2
    assert office.check().ok


def test_each_head_proves_that_it_goes_on_from_each_before(office: Office) -> None:
    signed = [office.head(count) for count in (0, 1, 2, 4, 3)]
    installation = office.open()
    for at, old in enumerate(signed):
        for new in signed[at:]:
            assert compare(old, new, ledgering.consistency(installation, old, new)) is None
    proof = ledgering.proof(installation, since=signed[1], entries=[0, 7])
    assert proof.head == signed[-1]
    assert list(proof_faults(from_json(HeadProof, to_json(proof)))) == []
    assert [one.entry["index"] for one in proof.entries] == [0, 7]
    with pytest.raises(NoSuchProof):
        ledgering.proof(installation, entries=[proof.head.size])


def test_heads_of_another_ledger_are_not_proven_from(office: Office) -> None:
    signed = office.head(4)
    office.write(3)
    key = ledgering.log_key(office.open())
    forged = sign_head(TreeHead(3, "ab" * 32), key, START)
    long = sign_head(TreeHead(99, "ab" * 32), key, START)
    with pytest.raises(faults.LedgerForked):
        ledgering.consistency(office.open(), forged)
    with pytest.raises(faults.LedgerTruncated):
        ledgering.consistency(office.open(), long)
    assert ledgering.recognise(office.open(), signed) is None
    assert "rewritten" in str(ledgering.recognise(office.open(), forged))


def test_a_head_lost_between_the_database_and_its_file_is_written_again(office: Office) -> None:
    signed = office.head(3)
    heads(office)[0].unlink()  # the power failed after the commit
    assert office.codes() == ["ledger.head-missing"]
    assert office.head() == signed
    assert office.check().ok


def test_another_key_is_another_log(office: Office) -> None:
    before = office.head(3)
    (office.home / "ledger.key").write_bytes(new_key())
    assert office.codes() == ["ledger.log-replaced"]
    with pytest.raises(faults.LogReplaced):
        ledgering.signed_head(office.open())
    assert office.codes(before) == ["ledger.log-replaced"] * 2
    (office.home / "heads").rename(office.home / "heads-of-the-old-log")  # on purpose, then
    after = office.head(1)
    assert office.check().ok
    assert compare(before, after) is not None


def test_a_key_that_is_none_is_refused_by_name(office: Office) -> None:
    office.head(1)
    (office.home / "ledger.key").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    with pytest.raises(WrongLogKey) as caught:
        ledgering.signed_head(office.open())
    assert caught.value.where.file.endswith("ledger.key")


# --- attacks ---------------------------------------------------------------------------------------------------------


def _row_changed(office: Office) -> None:
    office.tamper(('UPDATE proscribe_ledger SET body = %s WHERE "index" = %s', [b"{}", 4]))


def _leaf_changed(office: Office) -> None:
    office.tamper(('UPDATE proscribe_ledger SET leaf = %s WHERE "index" = %s', [bytes(32), 4]))


def _row_and_leaf_changed(office: Office) -> None:
    office.rewrite(4, upwards=False)


def _row_deleted(office: Office) -> None:
    office.tamper(('DELETE FROM proscribe_ledger WHERE "index" = %s', [4]))


def _first_rows_deleted(office: Office) -> None:
    office.tamper(('DELETE FROM proscribe_ledger WHERE "index" < %s', [2]))


def _node_changed(office: Office) -> None:
    nodes = list(office.open().stores.ledger.rows())[7].nodes
    forged = [nodes[0], bytes(32), *nodes[2:]]
    office.tamper(('UPDATE proscribe_ledger_node SET hashes = %s WHERE "index" = %s', [b"".join(forged), 7]))


def _node_deleted(office: Office) -> None:
    office.tamper(('DELETE FROM proscribe_ledger_node WHERE "index" = %s', [5]))


def _node_added(office: Office) -> None:
    office.tamper(("INSERT INTO proscribe_ledger_node VALUES (%s, %s)", [4, bytes(32)]))


def _rewritten_throughout(office: Office) -> None:
    office.rewrite(4, upwards=True)


def _rewritten_after_the_first_head(office: Office) -> None:
    office.rewrite(9, upwards=True)


def _put_back(office: Office) -> None:
    office.put_back_to(8)


def _put_back_to_the_size_of_the_newest_head(office: Office) -> None:
    office.put_back_to(13)


def _put_back_and_gone_on(office: Office) -> None:
    office.put_back_to(8)
    office.write(12, "entry-of-another-past")


def _put_back_to_the_newest_head_and_gone_on(office: Office) -> None:
    office.put_back_to(13)
    office.write(9, "entry-of-another-past")


def _cut_without_its_nodes(office: Office) -> None:
    office.tamper(
        ('DELETE FROM proscribe_ledger WHERE "index" >= %s', [9]),
        ("DELETE FROM proscribe_document WHERE kind = %s", [SignedTreeHead.KIND]),
    )


def _head_removed(office: Office) -> None:
    heads(office)[0].unlink()


def _heads_removed(office: Office) -> None:
    shutil.rmtree(office.home / "heads")


def _head_rewritten(office: Office) -> None:
    file = heads(office)[0]
    file.write_bytes(file.read_bytes().replace(b'"size":6', b'"size":7'))


def _head_emptied(office: Office) -> None:
    heads(office)[0].write_bytes(b"")


ATTACKS: list[tuple[Callable[[Office], None], list[str], str]] = [
    (_row_changed, ["ledger.row-changed"], "entry 4 was changed"),
    (_leaf_changed, ["ledger.row-changed", "ledger.row-changed"], "entry 4 was changed"),
    (_row_and_leaf_changed, ["ledger.row-changed"], "entries 4 to 5"),
    (_row_deleted, ["ledger.row-missing"], "entry 4 is missing"),
    (_first_rows_deleted, ["ledger.row-missing"], "entries 0 to 1 are missing"),
    (_node_changed, ["ledger.node-changed"], "over the entries 4 to 7"),
    (_node_deleted, ["ledger.node-changed"], "over the entries 4 to 5"),
    (_node_added, ["ledger.node-changed"], "over the entries 4 to 4"),
    (_rewritten_throughout, ["ledger.forked"], "the first 6 entries are not those signed"),
    (_rewritten_after_the_first_head, ["ledger.forked"], "the first 6 are as signed"),
    (_put_back, ["ledger.truncated"], "there were at least 14"),
    (_put_back_to_the_size_of_the_newest_head, ["ledger.truncated"], "there were at least 14"),
    (_put_back_and_gone_on, ["ledger.forked"], "the first 13 entries are not those signed"),
    (_put_back_to_the_newest_head_and_gone_on, ["ledger.forked"], "entry 13 is not the record"),
    (_cut_without_its_nodes, ["ledger.truncated", "ledger.truncated"], "the ledger to 8"),
    (_head_removed, ["ledger.head-missing"], "lacks the head of 6 entries"),
    (_heads_removed, ["ledger.head-missing", "ledger.head-missing"], "lacks the head of 6 entries"),
    (_head_rewritten, ["ledger.head-damaged"], "000000000006.json"),
    (_head_emptied, ["ledger.head-damaged"], "000000000006.json"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.__name__.strip("_") for attack, _, _ in ATTACKS])
def test_each_attack_is_found_and_named(office: Office, attack: tuple) -> None:
    office.head(6)
    signed = office.head(6)
    assert signed.size == 13
    office.write(3)
    assert office.check().ok
    act, codes, words = attack
    act(office)
    found = office.check()
    assert [one.code for one in found.findings] == codes
    assert words in found.findings[0].what.en
    assert all(one.remedy.en and one.remedy.fr for one in found.findings)


CONTRADICTING = [
    (_rewritten_throughout, faults.LedgerForked),
    (_put_back, faults.LedgerTruncated),
    (_put_back_to_the_size_of_the_newest_head, faults.LedgerTruncated),
    (_put_back_and_gone_on, faults.LedgerForked),
    (_put_back_to_the_newest_head_and_gone_on, faults.LedgerForked),
]


@pytest.mark.parametrize("attack", CONTRADICTING, ids=[attack.__name__.strip("_") for attack, _ in CONTRADICTING])
def test_nothing_is_signed_over_a_contradiction(office: Office, attack: tuple) -> None:
    office.head(6)
    office.head(6)
    office.write(3)
    act, refusal = attack
    act(office)
    before = office.open().stores.ledger.size()
    with pytest.raises(refusal) as caught:
        ledgering.signed_head(office.open())
    assert caught.value.code == refusal.code
    assert office.open().stores.ledger.size() == before
    assert len(heads(office)) == 2


def test_before_anything_is_signed_only_what_contradicts_itself_is_found(office: Office) -> None:
    office.write(9)
    _node_changed(office)
    (found,) = office.check().findings
    assert found.code == "ledger.node-changed"
    office.rewrite(4, upwards=True)
    assert office.check().ok  # which is why a head goes to somebody else


def test_without_a_head_over_them_entry_and_node_cannot_be_told_apart(office: Office) -> None:
    office.head(6)
    office.write(3)
    office.rewrite(8, upwards=False)
    (found,) = office.check().findings
    assert found.code == "ledger.node-changed"
    assert "or one of those entries" in found.what.en


def test_a_head_kept_elsewhere_finds_what_a_whole_home_folder_put_back_hides(office: Office) -> None:
    office.head(4)
    kept = office.head(4)
    office.put_back_to(6)
    heads(office)[-1].unlink()  # everything but what was given away
    assert office.check().ok
    office.write(7, "entry-of-another-past")
    assert office.codes(kept) == ["ledger.forked"]
    assert ledgering.recognise(office.open(), kept) is not None


def test_a_head_of_somebody_else_is_not_taken_for_ours(office: Office) -> None:
    office.head(2)
    other = sign_head(TreeHead(1, "ab" * 32), read_key(new_key()), START)
    assert office.codes(other) == ["ledger.log-replaced"]


# --- heads of others -------------------------------------------------------------------------------------------------


class Log:
    """Somebody else's ledger, with its own key, as a witness sees it."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.key = read_key(new_key())
        self.leaves: list[bytes] = []

    def head(self, count: int, word: bytes = b"") -> SignedTreeHead:
        from proscribe.prove.ledger import tree_head

        self.leaves += [leaf_hash_of(word + bytes([n])) for n in range(count)]
        self.clock.advance(minutes=1)
        return sign_head(tree_head(self.leaves), self.key, self.clock.now())

    def proof(self, first: int, second: int) -> tuple[str, ...]:
        from proscribe.prove.ledger import Tree

        return tuple(part.hex() for part in Tree(self.leaves).consistency(first, second))


def test_a_log_that_only_grows_is_witnessed_head_by_head(office: Office) -> None:
    log = Log(office.clock)
    first, second = log.head(3), log.head(4)
    began = ledgering.witness(office.open(), "harbour", first)
    assert (began.contradiction, began.before) == (None, None)
    unproven = ledgering.witness(office.open(), "harbour", second)
    assert unproven.contradiction is Contradiction.unproven
    assert ledgering.witnessed(office.open(), "harbour") == first
    assert ledgering.witness(office.open(), "harbour", second, log.proof(3, 7)).why is None
    size = office.open().stores.ledger.size()
    assert ledgering.witness(office.open(), "harbour", second).why is None  # again
    assert ledgering.witness(office.open(), "harbour", first).contradiction is Contradiction.back_in_time  # late
    assert office.open().stores.ledger.size() == size
    assert ledgering.witnessed(office.open(), "harbour") == second
    assert ledgering.witnessed(office.open(), "canal") is None
    assert [one.source for one in ledgering.known_logs(office.open())] == ["harbour"]


def test_a_log_that_forks_is_convicted_and_the_evidence_kept(office: Office) -> None:
    log = Log(office.clock)
    ledgering.witness(office.open(), "harbour", good := log.head(5))
    log.leaves[2] = bytes(32)
    bad = log.head(3)
    found = ledgering.witness(office.open(), "harbour", bad, log.proof(5, 8))
    assert found.contradiction is Contradiction.forked
    assert ledgering.witnessed(office.open(), "harbour") == good
    installation = office.open()
    *_, record = installation.stores.ledger.entries()
    assert (record.entry, record.body["event"], record.body["source"]) == (EntryKind.head, "contradicted", "harbour")
    kept = installation.stores.documents.get(ledgering.WitnessedHead, record.body["digest"])
    assert (kept.head, kept.contradiction) == (bad, "forked")
    assert office.check().witnessed_heads == 2
    assert office.check().ok


def test_a_head_without_a_good_signature_is_not_kept(office: Office) -> None:
    head = Log(office.clock).head(3)
    forged = SignedTreeHead(log=head.log, size=head.size + 1, root=head.root, at=head.at, signature=head.signature)
    assert ledgering.witness(office.open(), "harbour", forged).contradiction is Contradiction.not_signed
    assert ledgering.witnessed(office.open(), "harbour") is None
    assert office.open().stores.ledger.size() == 0


def test_one_log_witnessed_for_two_sources_is_kept_for_both(office: Office) -> None:
    head = office.head(2)  # our own, come back by way of the feed
    for source in ("harbour", "canal"):
        assert ledgering.witness(office.open(), source, head).why is None
    assert ledgering.witnessed(office.open(), "harbour") == head
    assert ledgering.newest_head(office.open()) == head
    assert office.check().ok


def test_a_witnessed_head_taken_out_of_the_store_is_missed(office: Office) -> None:
    ledgering.witness(office.open(), "harbour", Log(office.clock).head(3))
    office.tamper(("DELETE FROM proscribe_document WHERE kind = %s", [ledgering.WitnessedHead.KIND]))
    (found,) = office.check().findings
    assert found.code == "ledger.head-missing"
    assert "harbour" in found.what.en


def test_a_proof_from_another_head_than_the_one_known_accuses_nobody(office: Office) -> None:
    log = Log(office.clock)
    first, second, third = log.head(3), log.head(2), log.head(2)
    ledgering.witness(office.open(), "harbour", first)
    from_second = HeadProof(third, second, log.proof(5, 7))
    found = ledgering.witness_proof(office.open(), "harbour", from_second)
    assert found.contradiction is Contradiction.unproven
    from_first = HeadProof(third, first, log.proof(3, 7))
    assert ledgering.witness_proof(office.open(), "harbour", from_first).why is None


def test_the_log_is_named_by_its_key(office: Office) -> None:
    installation = office.open()
    assert ledgering.log_name(installation) == log_of(ledgering.log_key(installation))
    assert office.head(1).log == ledgering.log_name(installation)
    assert to_bytes(office.head()) + b"\n" == heads(office)[-1].read_bytes()
