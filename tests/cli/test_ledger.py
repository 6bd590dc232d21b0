"""``proscribe ledger`` as two parties type it: who keeps the ledger, and who holds its heads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result
from tests.service.conftest import START

import proscribe.store
from proscribe import documents
from proscribe.cli.root import root
from proscribe.clock import ManualClock, use_clock
from proscribe.errors import ProscribeError
from proscribe.prove.model import EntryKind, HeadProof, LedgerCheck, SignedTreeHead, WitnessedHead
from proscribe.service.installation import open_installation


class Desk:
    """A terminal at which somebody works with one home folder."""

    def __init__(self, home: Path, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock

    def type(self, *words: str, status: int | None = 0, language: str = "en") -> Result:
        self.clock.advance(minutes=1)
        environment = {"PROSCRIBE_HOME": str(self.home), "COLUMNS": "80"}
        result = CliRunner().invoke(root, ["--lang", language, *words], standalone_mode=False, env=environment)
        if result.exception is not None and not isinstance(result.exception, ProscribeError | click.ClickException):
            raise result.exception
        if status is not None:
            assert result.exception is None, result.exception
            assert (result.return_value or 0) == status, result.output
        return result

    def document(self, kind: type[Any], *words: str, status: int = 0) -> Any:
        found = json.loads(self.type(*words, "--json", status=status).stdout)
        jsonschema.validate(found, documents.json_schema(kind))
        return documents.from_json(kind, found)

    def work(self) -> None:
        """Something that the ledger records: two entries."""
        installation = open_installation(self.home, actor="tester")
        for number in range(2):
            installation.record(EntryKind.receipt, f"action-{number}", n=number, at=self.clock.now().isoformat())


@pytest.fixture
def clock() -> Iterator[ManualClock]:
    clock = ManualClock(START)
    with use_clock(clock):
        yield clock
    proscribe.store.close()


@pytest.fixture
def keeper(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return Desk(tmp_path / "department", clock)


@pytest.fixture
def authority(tmp_path: Path, clock: ManualClock) -> Desk:
    return Desk(tmp_path / "authority", clock)


def test_a_head_goes_out_and_its_successors_are_proven_to_whoever_holds_it(
    keeper: Desk, authority: Desk, tmp_path: Path
) -> None:
    first, later = tmp_path / "first.json", tmp_path / "later.json"
    keeper.work()
    shown = keeper.type("ledger", "head", "--out", str(first)).stdout
    held = documents.read(SignedTreeHead, first)
    assert f"Head: 2:{held.root}" in shown
    assert "First head of harbour." in authority.type("ledger", "witness", "harbour", str(first)).stdout
    keeper.work()
    shown = keeper.type("ledger", "prove", "--since", str(first), "--entry", "1", "--out", str(later)).stdout
    assert "begins with the 2 entries" in shown
    assert "Entry 1 is in it" in shown
    assert "Entries proven: 1." in authority.type("ledger", "verify", str(later)).stdout
    assert "follows the 2 entries known" in authority.type("ledger", "witness", "harbour", str(later)).stdout
    table = authority.type("ledger", "witness").stdout
    assert "harbour" in table
    assert held.log[:16] in table
    (kept,) = json.loads(authority.type("ledger", "witness", "--json").stdout)
    assert documents.from_json(WitnessedHead, kept).head.size == 5
    assert "Wrong: 0." in keeper.type("ledger", "check", "--head", str(first), "--head", str(later)).stdout
    assert "2 heads of others. Wrong: 0." in authority.type("ledger", "check").stdout


def test_a_ledger_begun_anew_is_found_by_who_holds_a_head(keeper: Desk, authority: Desk, tmp_path: Path) -> None:
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    keeper.work()
    keeper.type("ledger", "head", "--out", str(first))
    authority.type("ledger", "witness", "harbour", str(first))
    proscribe.store.close()
    for name in ("proscribe.sqlite3", "proscribe.sqlite3-wal", "proscribe.sqlite3-shm"):
        (keeper.home / name).unlink(missing_ok=True)
    (keeper.home / "heads" / "000000000002.json").unlink()  # the key alone is left: whoever did this could sign
    authority.type("ledger", "check")  # opens another folder, so that this one is made anew
    keeper.work()
    keeper.type("ledger", "head", "--out", str(again))
    said = authority.type("ledger", "witness", "harbour", str(again), status=1).stdout
    assert "WRONG  harbour: " in said
    assert "WRONG [ledger.forked]" in keeper.type("ledger", "check", "--head", str(first), status=1).stdout


def test_documents_are_what_their_schemas_say(keeper: Desk, tmp_path: Path) -> None:
    head = keeper.document(SignedTreeHead, "ledger", "head")
    keeper.work()
    path = tmp_path / "head.json"
    path.write_bytes(documents.to_bytes(head))
    proof = keeper.document(HeadProof, "ledger", "prove", "--since", str(path), "--entry", "2")
    assert (proof.since, proof.head.size, len(proof.entries)) == (head, 3, 1)
    assert keeper.document(LedgerCheck, "ledger", "check").ok
    (keeper.home / "heads" / "000000000003.json").unlink()
    found = keeper.document(LedgerCheck, "ledger", "check", status=1)
    assert [one.code for one in found.findings] == ["ledger.head-missing"]


def test_what_is_wrong_is_said_with_its_code_and_what_to_do(keeper: Desk) -> None:
    keeper.work()
    keeper.type("ledger", "head")
    (keeper.home / "heads" / "000000000002.json").write_text("{}")
    shown = keeper.type("ledger", "check", status=1).stdout.splitlines()
    assert shown[0].startswith("WRONG [ledger.head-damaged] ")
    assert shown[1].startswith("  → ")
    assert shown[-1].endswith("Wrong: 1.")
    french = keeper.type("ledger", "check", status=1, language="fr").stdout
    assert "ERREUR [ledger.head-damaged]" in french
    assert "Erreurs\N{NO-BREAK SPACE}: 1." in french


def test_a_ledger_of_which_nothing_was_signed_says_so(keeper: Desk) -> None:
    keeper.work()
    assert "Nothing was signed yet" in keeper.type("ledger", "check").stdout
    keeper.type("ledger", "head")
    assert "Nothing was signed yet" not in keeper.type("ledger", "check").stdout


def test_a_proof_that_does_not_hold_has_exit_status_1(keeper: Desk, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    keeper.work()
    keeper.type("ledger", "prove", "--entry", "0", "--out", str(path))
    path.write_bytes(path.read_bytes().replace(b'"n":0', b'"n":1'))
    assert (
        "WRONG  entry 0 is not in the ledger of this head"
        in keeper.type("ledger", "verify", str(path), status=1).stdout
    )
    path.write_bytes(path.read_bytes().replace(b'"size":2', b'"size":3'))
    assert "not signed" in keeper.type("ledger", "verify", str(path), status=1).stdout


def test_what_cannot_be_done_is_refused(keeper: Desk, tmp_path: Path) -> None:
    refused = keeper.type("ledger", "prove", "--entry", "9", status=None)
    assert isinstance(refused.exception, ProscribeError)
    assert refused.exception.code == "prove.no-such-proof"
    assert isinstance(keeper.type("ledger", "witness", "harbour", status=None).exception, click.UsageError)
    missing = keeper.type("ledger", "verify", str(tmp_path / "nothing.json"), status=None)
    assert isinstance(missing.exception, ProscribeError)
