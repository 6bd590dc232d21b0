"""Who the catalogue says it is: a verified signer, an identifier that proves nothing, or a look-alike."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.facts import LineageStep, VerifiedSigner
from proscribe.assess.intake.container import open_container
from proscribe.assess.profile import PublisherMatch
from proscribe.assess.signing import describe_step, identities_of, lineage_of, match_publisher, verify_apk
from proscribe.assess.signing.publisher import nearly_same
from proscribe.assess.terms import Scheme
from proscribe.catalogue import library
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import Confidence, Identifier, IdentifierType, Product, Publisher
from proscribe.terms import Platform

TELEGRAM = "49c1522548ebacd46ce322b6fd47f6092bb745d0f88082145caf35e14dcc38e1"
WECHAT_MD5 = "18c867f0717aa67b2ab7347505ba07ed"
STRANGER = "ab" * 32


def match(
    app_id: str,
    name: str = "",
    *,
    signers: Sequence[str] = (STRANGER,),
    platform: Platform = Platform.android,
    team: str = "",
    md5s: Sequence[str] = ("00" * 16,),
) -> list[PublisherMatch]:
    return list(match_publisher(signers, team, app_id, name, platform, library.load(), md5s))


def only(found: list[PublisherMatch]) -> tuple[str, str, str]:
    (one,) = found
    assert one.basis.en.endswith(".")
    assert one.basis.fr.endswith(".")
    return one.publisher, one.product, one.relation


def test_a_known_certificate_is_the_publisher() -> None:
    found = match("org.telegram.messenger", "Telegram", signers=[STRANGER, TELEGRAM])
    assert only(found) == ("telegram", "telegram/telegram", "signer")
    assert TELEGRAM[:16] in found[0].basis.en


def test_a_known_certificate_under_an_unknown_id() -> None:
    found = match("org.example.app", "Anything", signers=[TELEGRAM])
    assert only(found) == ("telegram", "", "signer")
    assert "none of its products" in found[0].basis.en


def test_an_id_whose_known_certificate_did_not_sign() -> None:
    assert only(match("org.telegram.messenger")) == ("telegram", "telegram/telegram", "lookalike")


def test_an_id_signed_by_another_publisher_of_the_catalogue() -> None:
    signer, lookalike = match("com.tencent.mm", "WeChat", signers=[TELEGRAM])
    assert (signer.publisher, signer.relation) == ("telegram", "signer")
    assert (lookalike.product, lookalike.relation) == ("tencent/wechat", "lookalike")
    assert "Telegram" in lookalike.basis.en


@pytest.mark.parametrize(
    ("md5", "lead"), [(WECHAT_MD5, "is the one known for it"), ("11" * 16, "is not the one known for it")]
)
def test_wechat_by_a_stranger_is_not_proven_either_way(md5: str, lead: str) -> None:
    """No source gives WeChat's SHA-256: the id alone says nothing, and MD5 is a lead."""
    found = match("com.tencent.mm", "WeChat", md5s=[md5])
    assert only(found) == ("tencent", "tencent/wechat", "identifier")
    assert "nothing shows that Tencent made it" in found[0].basis.en
    assert lead in found[0].basis.en
    assert "lead" in found[0].basis.en
    assert "piste" in found[0].basis.fr


def test_no_lead_without_an_md5() -> None:
    assert "MD5" not in match("com.tencent.mm", md5s=())[0].basis.en
    assert "MD5" not in match("com.tencent.wework")[0].basis.en


def test_an_id_on_a_file_that_nobody_signed() -> None:
    found = match("org.telegram.messenger", signers=())
    assert only(found) == ("telegram", "telegram/telegram", "identifier")
    assert "no signature" in found[0].basis.en


def test_an_id_under_a_publishers_prefix() -> None:
    found = match("com.kaspersky.something.new")
    assert only(found) == ("kaspersky", "", "identifier")
    assert "anyone" in found[0].basis.en


@pytest.mark.parametrize(
    ("app_id", "name"),
    [
        ("com.tencemt.mm", ""),  # one letter
        ("com.tecnent.mm", ""),  # two that changed places
        ("com.tenccent.mm", ""),  # one more
        ("com.tencent.rnm", ""),  # reads as the same
        ("com.Tencent.MM", ""),  # Android tells case apart, people do not
        ("org.example", "WeChat"),
        ("org.example", "微信"),
        ("org.example", "W3Chat"),
        ("org.example", "We\u0421hat"),  # a Cyrillic letter
        ("org.example", "WeeChat"),
        ("", "WeChat"),
    ],
)
def test_look_alikes(app_id: str, name: str) -> None:
    assert only(match(app_id, name)) == ("tencent", "tencent/wechat", "lookalike")


@pytest.mark.parametrize(
    ("app_id", "name"),
    [
        ("com.netease.nie.yosemite", "Yosemite"),
        ("org.example", "MeChat"),
        ("org.example", "WeChats"),
        ("com.tencent.mobileqqx", "Mail"),
        ("com.android.settings", "WeChat"),  # a protected app is nobody's imitation
        ("", ""),
    ],
)
def test_what_resembles_nothing(app_id: str, name: str) -> None:
    assert match(app_id, name) == []


def test_a_team_is_apples_word_and_not_verified() -> None:
    found = match("com.tencent.xin", signers=(), platform=Platform.ios, team="5A4RE8SF68")
    assert only(found) == ("tencent", "tencent/wechat", "signer")
    assert "not verified" in found[0].basis.en
    # The team that is known is that of the Mac's program: another one on a phone proves nothing.
    assert only(match("com.Tencent.xin", signers=(), platform=Platform.ios, team="AAAAAAAAAA"))[2] == "identifier"
    assert only(match("com.tencent.xin", signers=(), platform=Platform.ios))[2] == "identifier"
    assert match("com.example", signers=(), platform=Platform.android, team="5A4RE8SF68") == []


def test_every_known_certificate_and_id_of_the_catalogue() -> None:
    for publisher in library.load().publishers:
        for product in publisher.products:
            for one in product.identifiers:
                if one.type is IdentifierType.android_cert_sha256:
                    found = match("org.example", signers=[one.value])
                    assert (found[0].publisher, found[0].relation) == (publisher.id, "signer")
                if one.type is IdentifierType.android_package:
                    assert {(m.publisher, m.product) for m in match(one.value)} >= {(publisher.id, product.id)}


def test_what_the_catalogue_doubts_is_said() -> None:
    doubted = [
        (product, one)
        for _, product in library.load().products()
        for one in product.identifiers
        if one.type is IdentifierType.ios_bundle_id and one.conflict
    ]
    assert doubted
    for product, one in doubted:
        found = [m for m in match(one.value, platform=Platform.ios, team="AAAAAAAAAA") if m.product == product.id]
        assert "contradict" in found[0].basis.en


def test_text_out_of_a_package_is_shown_safely() -> None:
    found = match("org.example", "WeChat\u202e")
    assert all("\u202e" not in one.basis.en and "\u202e" not in one.basis.fr for one in found)
    assert all(len(one.basis.en) < 800 for one in match("com.tencemt.mm" + "", "x" * 100_000))


@given(st.text("abcde", min_size=6, max_size=9), st.data())
def test_one_edit_inside_is_near(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 2))
    kind = data.draw(st.sampled_from(["change", "add", "drop", "swap"]))
    other = {
        "change": word[:at] + "x" + word[at + 1 :],
        "add": word[:at] + "x" + word[at:],
        "drop": word[:at] + word[at + 1 :],
        "swap": word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if at > 1 else word[0] + "x" + word[2:],
    }[kind]
    assert nearly_same(word, other) == (word != other)
    assert nearly_same(other, word) == (word != other)
    assert not nearly_same(word, "x" + word)
    assert not nearly_same(word, word + "x")
    assert not nearly_same(word, word[:at] + "xyz" + word[at:])


# ---- lineage ---------------------------------------------------------------------------------------------------------


def test_the_longest_lineage_is_shown() -> None:
    steps = (LineageStep("a", ("permission", "auth")), LineageStep("b"))
    signers = [VerifiedSigner("b", Scheme.v3, 28, None, steps), VerifiedSigner("a", Scheme.v2, 24, 27)]
    assert lineage_of(signers) == steps
    assert lineage_of(signers[1:]) == ()
    assert identities_of(signers) == ("b", "a")
    assert identities_of(signers[1:]) == ("a",)
    assert describe_step(steps[0]).en == "still granted to it: permissions between apps, authenticators"
    assert describe_step(steps[0]).fr.startswith("lui reste accordé\N{NO-BREAK SPACE}: ")
    assert describe_step(steps[1]).en == "nothing more is granted to it"


def test_a_rotated_key_is_still_the_publishers(
    build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]
) -> None:
    """The catalogue knows the old certificate alone: the proven passing on counts, a mere claim does not."""
    old, new = keys["rsa"], keys["ec"]
    identifier = Identifier(
        IdentifierType.android_cert_sha256, old.sha256, Platform.android, Confidence.high, sources=("test",)
    )
    package = Identifier(IdentifierType.android_package, "a.b", Platform.android, Confidence.high, sources=("test",))
    product = Product("maker/app", "App", "active", (identifier, package))
    catalogue = Catalogue((Publisher("maker", "Maker", "CA", (), (product,)),), (), (), ())
    apk = build.archive(members)
    for proof, relation in ((build.lineage([old, new]), "signer"), (None, "lookalike")):
        attributes = [(build.PROOF, proof)] if proof else []
        signer = build.signer(
            apk, new, sdk=(28, 0x7FFFFFFF), attributes=attributes, certificates=[new.certificate, old.certificate]
        )
        facts = verify_apk(open_container(build.with_block(apk, [(build.V3, build.block(signer))])), min_sdk=28)
        assert facts.verified
        found = match_publisher(identities_of(facts.signers), "", "a.b", "App", Platform.android, catalogue)
        assert [one.relation for one in found] == [relation]


def test_from_a_signed_package_to_its_publisher(
    build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]
) -> None:
    """End to end: what verification hands on is what matching takes."""
    apk = build.archive(members)
    signed = build.with_block(apk, [(build.V2, build.block(build.signer(apk, keys["ec"])))])
    facts = verify_apk(open_container(signed), min_sdk=24)
    by_digest = {certificate.sha256: certificate for certificate in facts.certificates}
    signers = [signer.certificate for signer in facts.signers]
    assert by_digest[signers[0]].md5 == hashlib.md5(keys["ec"].certificate).hexdigest()  # noqa: S324
    found = match("org.telegram.messenger", signers=signers, md5s=[by_digest[one].md5 for one in signers])
    assert only(found) == ("telegram", "telegram/telegram", "lookalike")
