"""What signatures are worth. The first class is the table of the guide, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.directive.library import find
from proscribe.documents import digest
from proscribe.text import Text, set_language
from proscribe.trust import errors
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.model import KeyList, Rule, Scheme, Storage, Weight
from proscribe.trust.verify import rule_for, seats, verify

SEATS = ("cio", "security", "legal")
DIRECTIVE = find("ca-tbs-2023-wechat-kaspersky")


def refused(signed, keys, at, code, **more):
    """Verify, and be refused by exactly this error."""
    with pytest.raises(errors.SignatureRefused) as caught:
        verify(signed, keys, at=at, **more)
    assert caught.value.code == code
    return caught.value


class TestRefusals:
    def test_one_of_two(self, office):
        refusal = refused(office.signed(DIRECTIVE, "cio"), office.keys(), office.now, "trust.threshold")
        assert type(refusal) is errors.NotEnoughSignatures
        assert "1 of 2 seats" in refusal.what.en
        assert "1 siège sur 2" in refusal.what.fr
        assert refusal.verification.holders == ("cio",)

    def test_none_at_all(self, office):
        refusal = refused(office.signed(DIRECTIVE), office.keys(), office.now, "trust.threshold")
        assert "0 of 2 seats" in refusal.what.en
        assert "0 siège sur 2" in refusal.what.fr

    def test_wrong_role(self, office):
        signed = office.signed(DIRECTIVE, "cio", "auditor")
        refusal = refused(signed, office.keys(), office.now, "trust.wrong-role")
        assert "1 of 2 seats (auditor: has no role that may sign this)" in refusal.what.en

    def test_author_approves(self, office):
        signed = office.signed(DIRECTIVE, "cio", "security", by="security")
        refusal = refused(signed, office.keys(), office.now, "trust.author")
        assert "1 of 2 seats (security: prepared the document" in refusal.what.en

    def test_author_with_a_second_key(self, office):
        second = office.listed(office.pair_of("security, second key"), "security")
        keys = office.keys(keys=(*office.keys().keys, second))
        signed = office.signed(DIRECTIVE, "cio", "security, second key", by="security")
        refused(signed, keys, office.now, "trust.author")

    def test_expired_key(self, office):
        keys = office.changed("security", valid_until=office.now)
        refused(office.signed(DIRECTIVE, "cio", "security"), keys, office.now, "trust.key-expired")

    def test_key_not_yet_valid(self, office):
        keys = office.changed("security", valid_from=office.now + timedelta(seconds=1))
        refused(office.signed(DIRECTIVE, "cio", "security"), keys, office.now, "trust.key-not-yet-valid")

    def test_revoked_key(self, office):
        keys = office.changed("security", revoked_at=office.now)
        refused(office.signed(DIRECTIVE, "cio", "security"), keys, office.now, "trust.key-revoked")

    def test_unknown_key(self, office):
        refusal = refused(office.signed(DIRECTIVE, "cio", "stranger"), office.keys(), office.now, "trust.unknown-key")
        assert office.pair_of("stranger").id[:16] in refusal.what.en

    def test_signature_of_another_document(self, office):
        signed = office.signed(DIRECTIVE, "cio", "legal")
        other = office.signed(replace(DIRECTIVE, version=2), "cio", "legal")
        moved = replace(signed, envelope={**signed.envelope, "signatures": other.envelope["signatures"]})
        refusal = refused(moved, office.keys(), office.now, "trust.bad-signature")
        assert "0 of 2 seats" in refusal.what.en

    def test_signature_under_the_name_of_another_key(self, office):
        """A seat alone: it copies its own signature under a colleague's key id."""
        signed = office.signed(DIRECTIVE, "cio")
        own = signed.envelope["signatures"][0]
        copy = {"keyid": office.pair_of("legal").id, "sig": own["sig"]}
        forged = replace(signed, envelope={**signed.envelope, "signatures": [own, copy]})
        refused(forged, office.keys(), office.now, "trust.bad-signature")

    def test_expired_key_list(self, office):
        signed = office.signed(DIRECTIVE, "cio", "legal")
        keys = office.keys()
        refusal = refused(signed, keys, keys.expires, "trust.key-list-expired")
        assert "2 of 2 seats" in refusal.what.en
        assert verify(signed, keys, at=keys.expires - timedelta(seconds=1)).holders == ("cio", "legal")

    def test_no_rule_for_the_kind(self, office):
        keys = office.keys(rules=(Rule(kinds=(KeyList.KIND,), roles=("cio", "legal"), threshold=2),))
        refused(office.signed(DIRECTIVE, "cio", "legal"), keys, office.now, "trust.no-rule")

    def test_without_ml_dsa_where_it_is_asked(self, office):
        keys = office.keys(rules=tuple(replace(rule, quantum_safe=True) for rule in office.rules()))
        refusal = refused(office.signed(DIRECTIVE, "cio", "legal"), keys, office.now, "trust.not-quantum-safe")
        assert "0 of 2 seats" in refusal.what.en

    def test_every_reason_has_a_code_of_its_own(self):
        found = [errors.SignatureRefused]
        for one in found:
            found.extend(one.__subclasses__())
        assert len({one.code for one in found}) == len(found) == 12


class TestSeats:
    def test_two_seats_are_enough(self, office):
        found = verify(office.signed(DIRECTIVE, "cio", "legal"), office.keys(), at=office.now)
        assert found.holders == ("cio", "legal")
        assert (found.of, found.of_kind, found.prepared_by) == (digest(DIRECTIVE), "proscribe.directive", "analyst")
        assert (found.threshold, found.key_list, found.key_list_version) == (2, digest(office.keys()), 1)
        assert str(seats(found)) == "2 of 2 seats"

    def test_two_keys_of_one_holder_are_one_seat(self, office):
        second = office.listed(office.pair_of("cio, second key"), "cio")
        keys = office.keys(keys=(*office.keys().keys, second))
        refusal = refused(office.signed(DIRECTIVE, "cio", "cio, second key"), keys, office.now, "trust.threshold")
        assert {one.weight for one in refusal.verification.signatures} == {Weight.counted, Weight.same_seat}

    def test_the_better_kept_key_counts_for_the_seat(self, office):
        second = office.listed(office.pair_of("cio, second key"), "cio", storage=Storage.hardware)
        keys = office.keys(keys=(*office.keys().keys, second))
        found = verify(office.signed(DIRECTIVE, "cio", "cio, second key", "legal"), keys, at=office.now)
        counted = {one.holder: one.storage for one in found.signatures if one.weight is Weight.counted}
        assert counted == {"cio": Storage.hardware, "legal": Storage.encrypted_file}

    def test_a_wrong_signature_beside_enough_good_ones_is_passed_over(self, office):
        signed = office.signed(DIRECTIVE, "cio", "legal", "auditor", "stranger")
        found = verify(signed, office.keys(), at=office.now)
        weights = {one.weight for one in found.signatures}
        assert weights == {Weight.counted, Weight.wrong_role, Weight.unknown_key}

    def test_every_scheme_counts(self, office):
        pairs = {seat: office.pair_of(seat + " s", scheme) for seat, scheme in zip(SEATS, Scheme, strict=True)}
        keys = office.keys(keys=tuple(office.listed(pair, seat) for seat, pair in pairs.items()))
        for two in combinations(pairs, 2):
            signed = prepare(DIRECTIVE, by="analyst", at=office.now)
            for seat in two:
                signed = sign(signed, pairs[seat].signer())
            assert verify(signed, keys, at=office.now).holders == tuple(sorted(two))

    def test_ml_dsa_beside_the_first_key_makes_a_seat_quantum_safe(self, office):
        safe = {seat: office.pair_of(f"{seat} safe", Scheme.ml_dsa_65) for seat in ("cio", "legal")}
        keys = office.keys(
            keys=(*office.keys().keys, *(office.listed(pair, seat) for seat, pair in safe.items())),
            rules=tuple(replace(rule, quantum_safe=True, threshold=2) for rule in office.rules()),
        )
        signed = sign(office.signed(DIRECTIVE, "cio", "legal"), safe["cio"].signer())
        refused(signed, keys, office.now, "trust.not-quantum-safe")
        found = verify(sign(signed, safe["legal"].signer()), keys, at=office.now)
        assert {one.scheme for one in found.signatures if one.weight is Weight.counted} == {Scheme.ml_dsa_65}

    def test_the_words_are_in_both_languages(self, office):
        set_language("fr")
        refusal = refused(office.signed(DIRECTIVE, "cio", "auditor"), office.keys(), office.now, "trust.wrong-role")
        assert "1 siège sur 2 (auditor\u00a0: n'a aucun rôle" in str(refusal)


class TestRules:
    def test_more_devices_need_more_seats(self, office):
        keys = office.keys(
            rules=(
                *office.rules(),
                Rule(kinds=("proscribe.plan",), roles=("cio", "legal"), threshold=1, above=10),
            )
        )
        assert rule_for(keys, "proscribe.plan", 10) is None
        assert rule_for(keys, "proscribe.plan", 11).threshold == 1
        assert rule_for(keys, "proscribe.plan", 100).threshold == 1
        assert rule_for(keys, "proscribe.plan", 101).threshold == 3
        assert rule_for(keys, "proscribe.notice", 5) is None

    def test_where_the_count_is_not_known_the_strictest_applies(self, office):
        assert rule_for(office.keys(), "proscribe.plan").threshold == 3
        refused(office.signed(DIRECTIVE), office.keys(), office.now, "trust.threshold")

    def test_a_list_with_a_rule_that_asks_for_nothing_is_no_list(self, office):
        rules = (Rule(kinds=("proscribe.directive",), roles=("cio",), threshold=0), *office.rules()[1:])
        with pytest.raises(errors.InvalidKeyList):
            verify(office.signed(DIRECTIVE), office.keys(rules=rules), at=office.now)

    def test_a_list_that_lies_about_a_key_is_no_list(self, office):
        """With the store or the wire in hand: put one's own public key under a colleague's key id."""
        keys = office.changed("legal", public=office.pair_of("stranger").public)
        with pytest.raises(errors.InvalidKeyList, match="another than is said"):
            verify(office.signed(DIRECTIVE, "cio"), keys, at=office.now)


# --- no combination of valid signatures below the threshold passes

KEYS = [
    ("cio", "cio", None),
    ("cio", "cio, second key", None),
    ("security", "security", None),
    ("legal", "legal", None),
    ("legal", "legal, retired", {"valid_until": timedelta(0)}),
    ("security", "security, next", {"valid_from": timedelta(seconds=1)}),
    ("cio", "cio, stolen", {"revoked_at": timedelta(days=-1)}),
    ("auditor", "auditor", None),
    (None, "stranger", None),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    chosen=st.sets(st.integers(0, len(KEYS) - 1)),
    threshold=st.integers(1, 4),
    author=st.sampled_from(["analyst", "cio", "security", "legal", "auditor"]),
)
def test_no_combination_below_the_threshold_passes(office, chosen, threshold, author):
    lines = []
    for holder, name, change in KEYS:
        if holder is not None:
            moments = {field: office.now + delta for field, delta in (change or {}).items()}
            lines.append(office.listed(office.pair_of(name), holder, **moments))
    rule = Rule(kinds=("proscribe.directive",), roles=("cio", "security", "legal"), threshold=threshold)
    keys = KeyList(
        organisation=Text("a", "a"),
        version=1,
        issued=office.now,
        expires=office.now + timedelta(days=1),
        keys=tuple(lines),
        rules=(rule,),
    )
    signed = office.signed(DIRECTIVE, *(KEYS[one][1] for one in sorted(chosen)), by=author)
    # Counted by hand: distinct seats with the role, a key in order, and no hand in the document.
    good = {
        KEYS[one][0]
        for one in chosen
        if KEYS[one][2] is None and KEYS[one][0] in ("cio", "security", "legal") and KEYS[one][0] != author
    }
    if len(good) >= threshold:
        assert set(verify(signed, keys, at=office.now).holders) == good
    else:
        with pytest.raises(errors.NotEnoughSignatures) as caught:
            verify(signed, keys, at=office.now)
        assert set(caught.value.verification.holders) == good
        assert f"{len(good)} of {threshold} seat" in caught.value.what.en
