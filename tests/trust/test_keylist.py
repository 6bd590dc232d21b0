"""Key lists: what makes one sound, and who may bring the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from proscribe.canonical import Digest
from proscribe.documents import digest
from proscribe.errors import InvalidDocument, UnreadableFile
from proscribe.text import Text
from proscribe.trust import errors
from proscribe.trust.draft import read_draft, revoked
from proscribe.trust.keylist import check_list, first, successor
from proscribe.trust.keys import write_pair
from proscribe.trust.model import KeyList, Rule, Scheme

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
SEATS = ("cio", "security", "legal")
RULES = (
    Rule(kinds=(KeyList.KIND, "proscribe.directive"), roles=SEATS, threshold=2),
    Rule(kinds=("proscribe.plan",), roles=SEATS, threshold=3, above=100),
)


def next_list(office, **changes):
    return office.keys(version=2, **changes)


class TestFirst:
    def test_its_digest_makes_it_trusted(self, office):
        keys = office.keys()
        assert first(office.signed(keys, "cio", "legal"), pin=digest(keys), at=office.now) == keys

    def test_another_one_is_not(self, office):
        keys = office.keys()
        with pytest.raises(errors.WrongPin) as caught:
            first(office.signed(keys, "cio", "legal"), pin=Digest("sha256:" + "0" * 64), at=office.now)
        assert caught.value.code == "trust.key-list-pin"
        assert digest(keys) in caught.value.what.en

    def test_its_own_seats_sign_it(self, office):
        keys = office.keys()
        with pytest.raises(errors.NotEnoughSignatures):
            first(office.signed(keys, "cio"), pin=digest(keys), at=office.now)

    def test_it_is_not_accepted_after_its_last_day(self, office):
        keys = office.keys()
        with pytest.raises(errors.KeyListExpired):
            first(office.signed(keys, "cio", "legal"), pin=digest(keys), at=keys.expires)

    def test_something_else_that_is_signed_is_no_key_list(self, office):
        from proscribe.directive.library import find

        with pytest.raises(InvalidDocument):
            first(office.signed(find("ca-tbs-2023-wechat-kaspersky")), pin=Digest("x"), at=office.now)


class TestSuccessor:
    def test_the_seats_of_the_present_list_name_the_next(self, office):
        new = office.pair_of("legal, next")
        keys = next_list(office, keys=(*office.keys().keys[:2], office.listed(new, "legal")))
        signed = office.signed(keys, "cio", "security")
        assert successor(office.keys(), signed, at=office.now) == keys

    def test_a_strangers_list_is_refused(self, office):
        """Signed by its own seats, all of them, and by none of ours."""
        seats = ("mallory-1", "mallory-2", "mallory-3")
        theirs = KeyList(
            organisation=office.keys().organisation,
            version=2,
            issued=office.now,
            expires=office.now + timedelta(days=1),
            keys=tuple(office.listed(office.pair_of(seat), seat, "cio") for seat in seats),
            rules=office.keys().rules,
        )
        with pytest.raises(errors.KeyListReplaced) as caught:
            successor(office.keys(), office.signed(theirs, *seats), at=office.now)
        assert caught.value.code == "trust.key-list-replaced"
        assert "0 of 2 seats" in caught.value.what.en

    def test_one_seat_of_ours_is_not_enough(self, office):
        """One seat, with friends: the new list is theirs, and one of the present seats signed it."""
        friend = office.listed(office.pair_of("friend"), "friend", "cio")
        keys = next_list(office, keys=(office.keys().keys[0], friend, *office.keys().keys[1:3]))
        with pytest.raises(errors.KeyListReplaced, match="1 of 2 seats"):
            successor(office.keys(), office.signed(keys, "cio", "friend"), at=office.now)

    def test_its_own_rule_counts_too(self, office):
        rules = (replace(office.rules()[0], threshold=3), *office.rules()[1:])
        keys = next_list(office, rules=rules)
        with pytest.raises(errors.NotEnoughSignatures, match="2 of 3"):
            successor(office.keys(), office.signed(keys, "cio", "legal"), at=office.now)
        assert successor(office.keys(), office.signed(keys, "cio", "legal", "security"), at=office.now) == keys

    def test_the_author_does_not_approve_it(self, office):
        with pytest.raises(errors.KeyListReplaced, match="prepared the document"):
            successor(office.keys(), office.signed(next_list(office), "cio", "legal", by="cio"), at=office.now)

    def test_an_older_list_is_refused(self, office):
        third = office.keys(version=3)
        for version in (1, 2, 3):
            with pytest.raises(errors.KeyListRolledBack) as caught:
                successor(third, office.signed(office.keys(version=version), "cio", "legal"), at=office.now)
        assert caught.value.code == "trust.key-list-rollback"

    def test_a_list_is_not_skipped(self, office):
        with pytest.raises(errors.KeyListSkipped) as caught:
            successor(office.keys(), office.signed(office.keys(version=3), "cio", "legal"), at=office.now)
        assert caught.value.code == "trust.key-list-skipped"

    def test_a_key_that_the_new_list_revokes_cannot_stand_for_it(self, office):
        keys = office.changed("legal", next_list(office), revoked_at=office.now)
        with pytest.raises(errors.KeyRevoked):
            successor(office.keys(), office.signed(keys, "cio", "legal"), at=office.now)

    def test_a_revocation_gets_through_even_if_a_rule_can_no_longer_be_met(self, office):
        keys = office.changed("legal", next_list(office), revoked_at=office.now)
        assert successor(office.keys(), office.signed(keys, "cio", "security"), at=office.now) == keys
        with pytest.raises(errors.InvalidKeyList, match="3 seats and 2 could sign"):
            check_list(keys)

    @pytest.mark.parametrize("change", ["dropped", "lifted", "later"])
    def test_a_revocation_is_not_taken_back(self, office, change):
        past = office.now - timedelta(days=2)
        present = office.changed("legal", revoked_at=past)
        keys = next_list(office)
        if change == "dropped":
            keys = replace(keys, keys=tuple(key for key in keys.keys if key.holder != "legal"))
        elif change == "later":
            keys = office.changed("legal", keys, revoked_at=past + timedelta(seconds=1))
        with pytest.raises(errors.RevocationTakenBack) as caught:
            successor(present, office.signed(keys, "cio", "security"), at=office.now)
        assert caught.value.code == "trust.revocation-taken-back"

    def test_a_revocation_may_move_to_an_earlier_moment(self, office):
        present = office.changed("legal", revoked_at=office.now - timedelta(days=2))
        keys = office.changed("legal", next_list(office), revoked_at=office.now - timedelta(days=9))
        assert successor(present, office.signed(keys, "cio", "security"), at=office.now) == keys

    def test_a_list_that_has_expired_can_still_name_its_successor(self, office):
        late = office.keys().expires + timedelta(days=1)
        keys = next_list(office, issued=late, expires=late + timedelta(days=90))
        assert successor(office.keys(), office.signed(keys, "cio", "legal"), at=late) == keys

    def test_keys_that_have_expired_cannot(self, office):
        """Old keys, stolen from a drawer years later, bring no new list."""
        late = office.now + timedelta(days=366)
        keys = next_list(office, issued=late, expires=late + timedelta(days=90))
        keys = replace(keys, keys=tuple(replace(key, valid_until=late + timedelta(days=90)) for key in keys.keys))
        with pytest.raises(errors.KeyListReplaced, match="expired"):
            successor(office.keys(), office.signed(keys, "cio", "legal"), at=late)


class TestSound:
    @pytest.mark.parametrize(
        ("fault", "change"),
        [
            ("versions begin with 1", {"version": 0}),
            ("expires before", {"expires": NOW}),
            ("no rule says who may sign its successor", {"rules": RULES[1:]}),
            ("asks for nothing", {"rules": (*RULES, Rule((), ("cio",), 1))}),
            ("asks for nothing", {"rules": (*RULES, Rule(("a",), ("cio",), 1, above=-1))}),
            ("two rules are for", {"rules": (*RULES, Rule(("proscribe.directive",), ("cio",), 1))}),
            ("the weaker one", {"rules": (*RULES, Rule(("proscribe.plan",), ("cio",), 1, above=500))}),
            ("the weaker one", {"rules": (*RULES, Rule(("proscribe.plan",), ("cio",), 1, quantum_safe=True))}),
            ("2 seats and 0 could sign", {"rules": (*RULES, Rule(("a",), ("cio", "legal"), 2, quantum_safe=True))}),
        ],
    )
    def test_a_list_at_odds_with_itself_is_refused(self, office, fault, change):
        with pytest.raises(errors.InvalidKeyList, match=fault) as caught:
            check_list(office.keys(**change))
        assert caught.value.code == "trust.key-list-invalid"

    @pytest.mark.parametrize(
        ("fault", "change"),
        [
            ("ends before it begins", {"valid_until": NOW.replace(year=2020)}),
            ("another than is said", {"id": "0" * 64}),
            ("another than is said", {"scheme": Scheme.ml_dsa_65}),
            ("3 seats and 2 could sign", {"revoked_at": NOW}),
        ],
    )
    def test_a_key_at_odds_with_itself_is_refused(self, office, fault, change):
        with pytest.raises(errors.InvalidKeyList, match=fault):
            check_list(office.changed("cio", **change))

    def test_a_key_is_listed_once_and_in_one_spelling(self, office):
        keys = office.keys()
        twice = replace(keys, keys=(*keys.keys, office.listed(office.pair_of("cio"), "cio-2", "cio")))
        with pytest.raises(errors.InvalidKeyList, match="listed twice"):
            check_list(twice)
        with pytest.raises(errors.InvalidKeyList, match="another than is said"):
            check_list(office.changed("cio", public=office.pair_of("cio").public + "\n"))

    def test_every_fault_is_named_at_once(self, office):
        with pytest.raises(errors.InvalidKeyList) as caught:
            check_list(office.keys(version=0, expires=office.now))
        assert "versions begin with 1; it expires before" in caught.value.what.en

    def test_seats_have_one_spelling(self, office):
        keys = office.keys()
        twin = office.listed(office.pair_of("twin"), "CIO", "cio")
        with pytest.raises(errors.InvalidSeat):
            check_list(replace(keys, keys=(*keys.keys, twin)))


class TestDraft:
    DRAFT = """
organisation: {{en: Department of Lighthouses, fr: Ministère des Phares}}
version: 1
expires: 2027-11-02T00:00:00Z
keys:
  - {{holder: cio, roles: [cio], file: cio.pem.pub, storage: encrypted_file}}
  - {{holder: legal, roles: [legal], file: legal.pem.pub, storage: encrypted_file, valid_until: 2027-01-01T00:00:00Z}}
rules:
  - {{kinds: [proscribe.key-list, proscribe.directive], roles: [cio, legal], threshold: {threshold}}}
"""

    def write(self, office, folder, threshold=2):
        for seat in ("cio", "legal"):
            write_pair(office.pair_of(seat), folder / f"{seat}.pem", None, plain=True)
        (folder / "draft.yaml").write_text(self.DRAFT.format(threshold=threshold), encoding="utf-8")
        return folder / "draft.yaml"

    def test_a_draft_becomes_a_list(self, office, tmp_path):
        keys = read_draft(self.write(office, tmp_path), issued=office.now)
        assert [(key.holder, key.id) for key in keys.keys] == [
            (seat, office.pair_of(seat).id) for seat in ("cio", "legal")
        ]
        assert [key.valid_until.year for key in keys.keys] == [2027, 2027]
        assert keys.keys[0].valid_until == keys.expires
        assert first(office.signed(keys, "cio", "legal"), pin=digest(keys), at=office.now) == keys

    def test_a_draft_that_nobody_could_meet_is_refused(self, office, tmp_path):
        with pytest.raises(errors.InvalidKeyList, match="3 seats and 2 could sign"):
            read_draft(self.write(office, tmp_path, threshold=3), issued=office.now)

    def test_a_missing_draft(self, office, tmp_path):
        with pytest.raises(UnreadableFile):
            read_draft(tmp_path / "nothing.yaml", issued=office.now)

    def test_a_key_is_revoked_by_the_beginning_of_its_id(self, office):
        since = office.now - timedelta(hours=3)
        because = Text("stolen", "volée")
        keys = revoked(office.keys(), office.pair_of("legal").id[:12], since=since, because=because, issued=office.now)
        assert keys.version == 2
        found = {key.holder: (key.revoked_at, key.revoked_because) for key in keys.keys}
        assert found["legal"] == (since, because)
        assert found["cio"] == (None, None)

    @pytest.mark.parametrize("key", ["", "zz", "0" * 64])
    def test_a_key_that_is_not_one_is_not_guessed(self, office, key):
        with pytest.raises(errors.UnusableKey):
            revoked(office.keys(), key, since=office.now, because=Text("x", "x"), issued=office.now)
