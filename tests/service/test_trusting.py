"""Key lists and signed documents in an installation, and what an attacker with its database can do."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.trust.conftest import NOW as START
from tests.trust.conftest import SEATS, listed, pair_of

from proscribe.canonical import Digest
from proscribe.clock import ManualClock
from proscribe.directive.library import find, target_set
from proscribe.documents import Document, digest, to_bytes
from proscribe.errors import ProscribeError
from proscribe.plan.model import Verb
from proscribe.plan.orders import StandingOrder
from proscribe.prove.model import EntryKind
from proscribe.service import trusting
from proscribe.service.installation import Installation, open_installation
from proscribe.store.errors import NotStored, StoreDamaged
from proscribe.text import Text
from proscribe.trust import errors
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.model import KeyList, Registration, Rule, SignedDocument, Verification

DIRECTIVE = find("ca-tbs-2023-wechat-kaspersky")


def key_list(version: int = 1, seats: tuple[str, ...] = SEATS, **changes: object) -> KeyList:
    keys = KeyList(
        organisation=Text("Department of Lighthouses", "Ministère des Phares"),
        version=version,
        issued=START,
        expires=START + timedelta(days=180),
        keys=tuple(listed(pair_of(seat), seat, "approver") for seat in seats),
        rules=(
            Rule(
                kinds=(KeyList.KIND, "proscribe.directive", "proscribe.target-set", StandingOrder.KIND),
                roles=("approver",),
                threshold=2,
            ),
            Rule(kinds=("proscribe.plan",), roles=("approver",), threshold=2, above=100),
            Rule(kinds=("proscribe.plan",), roles=("approver",), threshold=3, above=1000),
        ),
    )
    return replace(keys, **changes)  # type: ignore[arg-type]


def revoking(keys: KeyList, seat: str, since: datetime) -> KeyList:
    changed = tuple(replace(key, revoked_at=since) if key.holder == seat else key for key in keys.keys)
    return replace(keys, version=keys.version + 1, keys=changed)


@dataclass
class Desk:
    """An installation and the seats that sign for it."""

    home: Path
    clock: ManualClock

    @property
    def installation(self) -> Installation:
        return open_installation(self.home, actor="tester", clock=self.clock)

    def signed(self, document: Document, *seats: str, by: str = "analyst") -> SignedDocument:
        result = prepare(document, by=by, at=self.clock.now())
        for seat in seats:
            result = sign(result, pair_of(seat).signer())
        return result

    def install(self, keys: KeyList, *seats: str, pinned: bool = False) -> KeyList:
        signed = self.signed(keys, *(seats or ("cio", "security")))
        return trusting.install(self.installation, signed, pin=digest(keys) if pinned else None)

    def register(self, document: Document, *seats: str, **more: object) -> Verification:
        return trusting.register(self.installation, self.signed(document, *(seats or ("cio", "security"))), **more)

    def require(self, document: Document, **more: object) -> Verification | None:
        return trusting.require(self.installation, digest(document), document.KIND, **more)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir()
    return Desk(home, ManualClock(START))


@pytest.fixture
def trusted(desk: Desk) -> Desk:
    desk.install(key_list(), pinned=True)
    return desk


def refused(call, *arguments, **more) -> ProscribeError:
    with pytest.raises(ProscribeError) as caught:
        call(*arguments, **more)
    return caught.value


class TestKeyLists:
    def test_without_one_nothing_is_asked_for(self, desk):
        assert trusting.key_list(desk.installation) is None
        assert desk.require(DIRECTIVE) is None
        assert refused(desk.register, DIRECTIVE).code == "trust.no-key-list"

    def test_the_first_needs_its_digest(self, desk):
        assert refused(desk.install, key_list()).code == "trust.no-key-list"
        signed = desk.signed(key_list(), "cio", "security")
        other = Digest("sha256:" + "0" * 64)
        assert refused(trusting.install, desk.installation, signed, pin=other).code == "trust.key-list-pin"
        assert trusting.key_list(desk.installation) is None

    def test_it_is_kept_and_in_the_ledger(self, trusted):
        assert trusting.key_list(trusted.installation) == key_list()
        entry = list(trusted.installation.stores.ledger.entries())[-1]
        assert (entry.entry, entry.subject, entry.body["digest"]) == (EntryKind.key_list, "own", digest(key_list()))
        assert entry.body["by"] == "pin"
        assert stat.S_IMODE((trusted.home / trusting.FILE).stat().st_mode) == 0o600

    def test_again_changes_nothing(self, trusted):
        size = trusted.installation.stores.ledger.size()
        assert trusted.install(key_list()) == key_list()
        assert trusted.installation.stores.ledger.size() == size

    def test_its_successor_follows(self, trusted):
        trusted.install(key_list(2))
        assert trusting.key_list(trusted.installation) == key_list(2)
        assert trusting.key_lists(trusted.installation) == (key_list(1), key_list(2))

    def test_an_older_list_is_refused(self, trusted):
        trusted.install(key_list(2))
        old = key_list(1, expires=START + timedelta(days=30))
        assert refused(trusted.install, old).code == "trust.key-list-rollback"
        assert refused(trusted.install, old, pinned=True).code == "trust.key-list-rollback"
        assert refused(trusted.install, key_list(1)).code == "trust.key-list-rollback"

    def test_a_strangers_list_is_refused(self, trusted):
        strangers = key_list(2, ("mallory-1", "mallory-2"), rules=key_list().rules[:1])
        assert refused(trusted.install, strangers, "mallory-1", "mallory-2").code == "trust.key-list-replaced"
        assert trusting.key_list(trusted.installation) == key_list()

    def test_a_new_beginning_by_its_digest(self, trusted):
        """All keys lost: the operator vouches for the list, and the ledger says so."""
        fresh = key_list(5, ("chair", "deputy"), rules=key_list().rules[:1])
        signed = trusted.signed(fresh, "chair", "deputy")
        trusting.install(trusted.installation, signed, pin=digest(fresh))
        assert trusting.key_list(trusted.installation) == fresh
        assert list(trusted.installation.stores.ledger.entries())[-1].body["by"] == "pin"

    def test_issuers_are_kept_apart(self, trusted):
        theirs = key_list(1, ("authority-1", "authority-2"), rules=key_list().rules[:1])
        signed = trusted.signed(theirs, "authority-1", "authority-2")
        trusting.install(trusted.installation, signed, pin=digest(theirs), issuer="authority")
        assert trusting.key_list(trusted.installation) == key_list()
        assert trusting.key_list(trusted.installation, issuer="authority") == theirs
        document = trusted.signed(DIRECTIVE, "authority-1", "authority-2")
        assert refused(trusting.register, trusted.installation, document).code == "trust.unknown-key"
        trusting.register(trusted.installation, document, issuer="authority")
        assert refused(trusted.require, DIRECTIVE).code == "trust.not-signed"
        assert trusted.require(DIRECTIVE, issuer="authority").holders == ("authority-1", "authority-2")

    def test_the_numbers_of_another_issuer_do_not_end_ours(self, trusted):
        theirs = key_list(1, ("partner-1", "partner-2"), rules=key_list().rules[:1])
        signed = trusted.signed(theirs, "partner-1", "partner-2")
        trusting.install(trusted.installation, signed, pin=digest(theirs), issuer="partner")
        flood = trusted.signed(replace(DIRECTIVE, version=999), "partner-1", "partner-2")
        trusting.register(trusted.installation, flood, issuer="partner")
        assert trusted.register(DIRECTIVE).holders == ("cio", "security")


class TestRegister:
    def test_a_signed_directive_is_found_again(self, trusted):
        assert refused(trusted.require, DIRECTIVE).code == "trust.not-signed"
        found = trusted.register(DIRECTIVE)
        assert trusted.require(DIRECTIVE).holders == found.holders == ("cio", "security")
        assert trusting.verification_of(trusted.installation, digest(DIRECTIVE)).at == START
        entry = list(trusted.installation.stores.ledger.entries())[-1]
        assert entry.entry is EntryKind.signature
        assert (entry.body["digest"], entry.body["seats"]) == (digest(DIRECTIVE), ["cio", "security"])

    def test_again_records_nothing(self, trusted):
        signed = trusted.signed(DIRECTIVE, "cio", "security")
        first = trusting.register(trusted.installation, signed)
        size = trusted.installation.stores.ledger.size()
        trusted.clock.advance(days=1)
        assert trusting.register(trusted.installation, signed) == first
        assert trusted.installation.stores.ledger.size() == size

    def test_a_third_seat_may_sign_later(self, trusted):
        first = trusted.signed(DIRECTIVE, "cio", "security")
        trusting.register(trusted.installation, first)
        trusted.clock.advance(days=1)
        trusting.register(trusted.installation, sign(first, pair_of("legal").signer()))
        assert trusted.require(DIRECTIVE).holders == ("cio", "legal", "security")
        trusted.clock.advance(days=1)
        assert trusting.register(trusted.installation, first).at == START

    def test_too_few_is_refused_and_leaves_nothing(self, trusted):
        size = trusted.installation.stores.ledger.size()
        assert refused(trusted.register, DIRECTIVE, "cio").code == "trust.threshold"
        assert trusted.installation.stores.ledger.size() == size
        assert trusting.verification_of(trusted.installation, digest(DIRECTIVE)) is None

    def test_what_is_registered_is_not_adopted(self, trusted):
        from proscribe.directive.model import Directive

        trusted.register(DIRECTIVE)
        documents = trusted.installation.stores.documents
        assert documents.get(Directive, digest(DIRECTIVE)) == DIRECTIVE
        assert documents.latest(Directive, subject=DIRECTIVE.id) is None

    def test_checking_records_nothing(self, trusted):
        size = trusted.installation.stores.ledger.size()
        signed = trusted.signed(DIRECTIVE, "cio", "security")
        assert trusting.check(trusted.installation, signed).holders == ("cio", "security")
        assert trusted.installation.stores.ledger.size() == size

    def test_what_no_rule_covers_is_not_asked_for(self, trusted):
        assert trusting.require(trusted.installation, digest(DIRECTIVE), "proscribe.notice") is None

    def test_a_document_of_another_kind_does_not_stand_in(self, trusted):
        trusted.register(DIRECTIVE)
        found = refused(trusting.require, trusted.installation, digest(DIRECTIVE), "proscribe.target-set")
        assert found.code == "trust.not-signed"

    def test_an_expired_list_stops_what_must_be_signed(self, trusted):
        trusted.register(DIRECTIVE)
        trusted.clock.advance(days=180)
        assert refused(trusted.require, DIRECTIVE).code == "trust.key-list-expired"
        assert refused(trusted.register, replace(DIRECTIVE, version=2)).code == "trust.key-list-expired"
        renewed = key_list(2, issued=trusted.clock.now(), expires=trusted.clock.now() + timedelta(days=180))
        trusted.install(renewed)
        assert trusted.require(DIRECTIVE).holders == ("cio", "security")


class TestReplay:
    def test_an_older_directive(self, trusted):
        old = trusted.signed(DIRECTIVE, "cio", "security")
        trusting.register(trusted.installation, old)
        trusted.register(replace(DIRECTIVE, version=DIRECTIVE.version + 1))
        trusted.clock.advance(days=1)
        # The very envelope that was recorded is nothing new; another of that version would be.
        assert trusting.register(trusted.installation, old).at == START
        older = replace(DIRECTIVE, confidence=DIRECTIVE.confidence, title=Text("Older", "Antérieure"))
        found = refused(trusted.register, older)
        assert found.code == "trust.replayed"
        assert "2026-11-02" in found.what.en

    def test_an_older_directive_that_was_never_seen_here(self, trusted):
        trusted.register(replace(DIRECTIVE, version=3))
        assert refused(trusted.register, replace(DIRECTIVE, version=2)).code == "trust.replayed"
        assert trusting.verification_of(trusted.installation, digest(replace(DIRECTIVE, version=2))) is None

    def test_two_of_one_version(self, trusted):
        trusted.register(DIRECTIVE)
        assert refused(trusted.register, replace(DIRECTIVE, title=Text("x", "y"))).code == "trust.replayed"

    def test_an_older_target_set(self, trusted):
        new = target_set(DIRECTIVE, now=START)
        trusted.register(new)
        old = replace(new, resolved_at=new.resolved_at - timedelta(days=1))
        assert refused(trusted.register, old).code == "trust.replayed"
        trusted.register(replace(new, resolved_at=new.resolved_at + timedelta(days=1)))

    def test_an_older_standing_order(self, trusted):
        order = StandingOrder(
            id="nightly",
            version=2,
            directives=("*",),
            sources=("here",),
            verbs=(Verb.block_install,),
            most_devices=10,
            starts=START.date(),
            until=START.date() + timedelta(days=30),
            issued_by="cio",
            withdrawn=True,
        )
        trusted.register(order)
        assert refused(trusted.register, replace(order, version=1, withdrawn=False)).code == "trust.replayed"


class TestRevocation:
    def test_what_was_signed_after_the_theft_counts_no_more(self, trusted):
        trusted.register(DIRECTIVE, "cio", "legal")
        trusted.clock.advance(days=2)
        trusted.install(revoking(key_list(), "legal", START))
        found = refused(trusted.require, DIRECTIVE)
        assert found.code == "trust.not-signed"
        assert "1 of 2 seats (legal: the key was revoked)" in found.what.en
        assert trusting.verification_of(trusted.installation, digest(DIRECTIVE)) is None

    def test_what_was_recorded_before_it_stays(self, trusted):
        trusted.register(DIRECTIVE, "cio", "legal")
        trusted.clock.advance(days=2)
        trusted.install(revoking(key_list(), "legal", START + timedelta(seconds=1)))
        assert trusted.require(DIRECTIVE).holders == ("cio", "legal")
        assert refused(trusted.register, replace(DIRECTIVE, version=9), "cio", "legal").code == "trust.key-revoked"

    def test_signed_again_by_others_it_counts_again(self, trusted):
        trusted.register(DIRECTIVE, "cio", "legal")
        trusted.install(revoking(key_list(), "legal", START))
        trusted.register(DIRECTIVE, "cio", "security")
        assert trusted.require(DIRECTIVE).holders == ("cio", "security")

    def test_a_key_that_was_only_replaced_keeps_its_past(self, trusted):
        trusted.register(DIRECTIVE, "cio", "legal")
        trusted.clock.advance(days=1)
        trusted.install(key_list(2, ("cio", "security", "counsel"), rules=key_list().rules[:1]))
        assert trusted.require(DIRECTIVE).holders == ("cio", "legal")
        assert refused(trusted.register, replace(DIRECTIVE, version=9), "cio", "legal").code == "trust.unknown-key"


class TestMoreDevices:
    def test_more_devices_than_when_it_was_signed(self, trusted):
        document = target_set(DIRECTIVE, now=START)
        keys = key_list(
            2,
            rules=(
                Rule(kinds=(KeyList.KIND,), roles=("approver",), threshold=2),
                Rule(kinds=("proscribe.target-set",), roles=("approver",), threshold=1),
                Rule(kinds=("proscribe.target-set",), roles=("approver",), threshold=2, above=100),
            ),
        )
        trusted.install(keys)
        trusted.register(document, "cio", affected=100)
        assert trusted.require(document, affected=100).holders == ("cio",)
        found = refused(trusted.require, document, affected=101)
        assert found.code == "trust.not-signed"
        assert "1 of 2 seats" in found.what.en
        assert refused(trusted.require, document).code == "trust.not-signed"  # not known: the strictest


class TestWithTheDatabase:
    """An attacker who can write to the database, and not to the home folder."""

    def test_a_key_list_slipped_in(self, trusted):
        mine = key_list(2, ("mallory-1", "mallory-2"), rules=key_list().rules[:1])
        trusted.installation.stores.documents.put(mine, subject="key-list:own", at=START)
        assert trusting.key_list(trusted.installation) == key_list()

    def test_a_key_list_slipped_in_where_there_is_none(self, desk):
        desk.installation.stores.documents.put(key_list(), subject="key-list:own", at=START)
        assert refused(trusting.key_list, desk.installation).code == "trust.key-list-unpinned"
        assert refused(desk.require, DIRECTIVE).code == "trust.key-list-unpinned"
        desk.install(key_list(), pinned=True)
        assert trusting.key_list(desk.installation) == key_list()

    def test_a_key_list_taken_away(self, trusted):
        from proscribe.store.models import DocumentRow

        DocumentRow.objects.filter(digest=digest(key_list())).delete()
        assert refused(trusted.require, DIRECTIVE).code == "trust.key-list-unpinned"
        assert refused(trusted.install, key_list(2)).code == "trust.key-list-unpinned"
        trusted.install(key_list(), pinned=True)  # the way back: the operator has its digest
        assert trusting.key_list(trusted.installation) == key_list()
        assert trusting.key_lists(trusted.installation) == (key_list(),)

    def test_a_key_list_changed(self, trusted):
        from proscribe.store.models import DocumentRow

        body = to_bytes(replace(key_list(), rules=(replace(key_list().rules[0], threshold=1),)))
        DocumentRow.objects.filter(digest=digest(key_list())).update(body=body)
        with pytest.raises(StoreDamaged):
            trusted.require(DIRECTIVE)

    def test_a_verification_made_up(self, trusted):
        """One signature, and a verification that says two."""
        signed = trusted.signed(DIRECTIVE, "cio")
        claimed = trusting.register(trusted.installation, trusted.signed(replace(DIRECTIVE, id="x"), "cio", "legal"))
        forged = replace(claimed, of=digest(DIRECTIVE), envelope=digest(signed))
        documents = trusted.installation.stores.documents
        documents.put(signed, subject=signed.of, at=START)
        documents.put(forged, subject=f"proscribe.directive:{DIRECTIVE.id}", at=START)
        found = refused(trusted.require, DIRECTIVE)
        assert found.code == "trust.not-signed"
        assert "1 of 2 seats" in found.what.en

    def test_a_moment_made_up(self, trusted):
        """Old keys, found years later: the signatures are good, and so they were at that time."""
        from proscribe.trust.verify import verify

        trusted.clock.advance(days=400)
        late = trusted.clock.now()
        fresh = key_list(2, ("a", "b"), issued=late, expires=late + timedelta(days=90), rules=key_list().rules[:1])
        fresh = replace(fresh, keys=tuple(replace(key, valid_until=late + timedelta(days=90)) for key in fresh.keys))
        trusted.install(fresh, "a", "b", pinned=True)
        signed = trusted.signed(DIRECTIVE, "cio", "security")
        assert refused(trusting.register, trusted.installation, signed).code == "trust.unknown-key"
        forged = verify(signed, key_list(), at=START)
        documents = trusted.installation.stores.documents
        documents.put(signed, subject=signed.of, at=START)
        documents.put(forged, subject=f"proscribe.directive:{DIRECTIVE.id}", at=START)
        assert "ledger does not say" in refused(trusted.require, DIRECTIVE).what.en
        # With an entry of the ledger made up as well, at the end, where alone one can be added unnoticed:
        body = {"verification": digest(forged)}
        entry = trusted.installation.stores.ledger.append(EntryKind.signature, DIRECTIVE.id, "x", body, START)
        where = Registration(verification=digest(forged), entry=entry.index)
        documents.put(where, subject=where.verification, at=START)
        assert "ledger does not say" in refused(trusted.require, DIRECTIVE).what.en
        assert trusting.verification_of(trusted.installation, digest(DIRECTIVE)) is None

    def test_an_envelope_under_another_name(self, trusted):
        signed = trusted.signed(DIRECTIVE, "cio", "security")
        other = digest(replace(DIRECTIVE, version=7))
        trusted.installation.stores.documents.put(replace(signed, of=other), subject=other, at=START)
        with pytest.raises(errors.InvalidEnvelope):
            trusting.require(trusted.installation, other, "proscribe.directive")

    def test_the_file_of_the_home_folder_damaged(self, trusted):
        (trusted.home / trusting.FILE).write_text("{", encoding="utf-8")
        assert refused(trusted.require, DIRECTIVE).code == "trust.key-list-unpinned"

    def test_the_file_of_the_home_folder_lost(self, trusted):
        (trusted.home / trusting.FILE).unlink()
        assert refused(trusted.require, DIRECTIVE).code == "trust.key-list-unpinned"
        with pytest.raises(NotStored):
            trusted.installation.stores.documents.get(KeyList, Digest("sha256:" + "0" * 64))

    def test_the_file_names_lists_by_digest_only(self, trusted):
        found = json.loads((trusted.home / trusting.FILE).read_text(encoding="utf-8"))
        assert found == {"own": [digest(key_list())]}
