"""The rest of an assessment: the access map, what was hidden, exposure, publisher, what is carried over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proscribe.assess.facts import (
    Certificate,
    CollectedData,
    Disagreement,
    Host,
    LineageStep,
    MachO,
    PackageCount,
    PrivacyManifest,
    Run,
    SchemeResult,
    SigningFacts,
    VerifiedSigner,
)
from proscribe.assess.packs.model import PackHeader, SourceRow
from proscribe.assess.profile import EvidenceKind, PublisherMatch
from proscribe.assess.rate import judge as judging
from proscribe.assess.terms import Area, Extent, FactClass, Ladder, Rating, Scheme, SignatureState
from proscribe.text import Text

# ---- the access map ------------------------------------------------------------------------------------------------


def test_the_map_has_all_areas_in_order_whatever_was_found(world, make):
    for gathered in (make.app(), make.strong(), make.ipa()):
        assert [one.area for one in world.judge(gathered).access] == list(Area)


def test_a_row_says_who_does_it_how_and_who_must_agree(world, make):
    row = make.area(world.judge(make.strong()), Area.location)
    assert row.actors == ("the app", "Adkit")
    assert row.summary.en == (
        "Called in the code by the app and Adkit (4 pieces of evidence); the user is asked at run time."
    )
    assert row.summary.fr == (
        "Appelé dans le code par l'application et Adkit (4 éléments de preuve); "
        "l'utilisateur est consulté à l'exécution."
    )


def test_a_row_takes_the_best_that_counts(world, make):
    """Contacts called but not declared; the same area declared only would count at E1."""
    gathered = make.app(
        make.call(make.DEVICE_ID), make.call(make.SETTING, literal="android_id"), permissions=("READ_CONTACTS",)
    )
    assessment = world.judge(gathered)
    identifiers = make.area(assessment, Area.identifiers)
    assert (identifiers.counts, identifiers.ladder) == (False, Ladder.called)
    contacts = make.area(assessment, Area.contacts)
    assert (contacts.counts, contacts.ladder) == (True, Ladder.declared)
    assert contacts.summary.en == "Declared, no code found; the user is asked at run time."


@pytest.mark.parametrize(("extent", "words"), [(Extent.complete, "Nothing found."), (Extent.partial, "could be read")])
def test_an_empty_row_says_whether_everything_was_looked_at(world, make, extent, words):
    assessment = world.judge(make.app(runs=(Run(FactClass.dex, "dex", extent),)))
    assert words in make.area(assessment, Area.contacts).summary.en


def test_unknown_stands_in_the_summary(world, make):
    unread = make.app(make.call(make.LOCATE), disagreements=(Disagreement("permissions", (), ("x",)),))
    assert "not known whether" in make.area(world.judge(unread), Area.location).summary.en
    packs = make.packs(permissions=())
    unlisted = world.judge(make.app(make.call(make.LOCATE), permissions=("ACCESS_FINE_LOCATION",)), packs=packs)
    assert "who must agree is not known" in make.area(unlisted, Area.location).summary.en


def test_what_the_package_shows_as_a_whole_is_said_as_such(world, make):
    code = {"packages": (PackageCount("com.adkit", 3),), "packer_marks": ("packer.stub",)}
    assessment = world.judge(make.app(code=code))
    assert make.area(assessment, Area.supply_chain).summary.en == "Found in the package: Adkit."
    assert make.area(assessment, Area.hidden_code).summary.en == "Found in the package."


def test_long_lists_of_actors_are_cut(world, make):
    kits = tuple(make.sdk(f"kit{number}", f"org.kit{number}") for number in range(8))
    sites = [make.call(make.CLIP, f"org.kit{number}.A") for number in range(8)]
    assessment = world.judge(make.app(*sites), packs=make.packs(sdks=kits))
    assert "and 3 more (8 pieces" in make.area(assessment, Area.clipboard).summary.en
    assert "et 3 autres (8 éléments" in make.area(assessment, Area.clipboard).summary.fr


# ---- what could not be seen ----------------------------------------------------------------------------------------


def hidden(world, gathered):
    return [one.en for one in world.judge(gathered).hidden]


def test_nothing_hidden_is_nothing_said(world, make):
    assert hidden(world, make.app()) == []


def test_unread_parts_are_said_gravest_first_with_their_problem(world, make):
    runs = (
        Run(FactClass.dex, "dex", Extent.partial, 2, 3, "dex.truncated", "classes2.dex"),
        Run(FactClass.manifest, "axml", Extent.failed, problem="axml.bad"),
        Run(FactClass.native, "lief", Extent.complete, 3, 3),
    )
    assert hidden(world, make.app(runs=runs)) == [
        "The manifest: could not be read (axml: axml.bad).",
        "The code (dex): read in part, 2 of 3 (dex: dex.truncated classes2.dex).",
    ]


def test_packers_noise_disagreements_and_missing_splits_are_said(world, make):
    gathered = make.app(
        code={"packer_marks": ("packer.stub",), "encrypted_like": ("assets/a.bin",)},
        disagreements=(Disagreement("package", ("a",), ("b",)),),
        splits_required=True,
    )
    told = hidden(world, gathered)
    assert len(told) == 4
    for words, sentence in zip(("'package'", "packer.stub", "assets/a.bin", "splits"), told, strict=True):
        assert words in sentence


def test_fairplay_says_what_it_hides_and_what_not(world, make):
    assert "imports can be read, strings and call sites cannot" in hidden(world, make.ipa(encrypted=True))[0]


# ---- exposure ------------------------------------------------------------------------------------------------------


def hosts(*names):
    return {"hosts": tuple(Host(name, "classes.dex") for name in names)}


def test_three_facts_of_a_host_stay_apart(world, make):
    code = hosts("api.adkit.example", "unknown.shop.cn", "schemas.example", "10.0.0.1")
    exposure = world.judge(make.app(code=code)).exposure
    assert [(one.host, one.operator, one.country, one.tld_country, one.server_country) for one in exposure.hosts] == [
        ("api.adkit.example", "Adkit Ltd", "CN", "", ""),
        ("10.0.0.1", "", "", "", ""),
        ("unknown.shop.cn", "", "", "CN", ""),
    ]
    assert (exposure.hosts_total, exposure.unattributed_hosts) == (3, 2)
    # The name's ending makes nobody an operator.
    assert [(one.country, one.through) for one in exposure.countries] == [("CN", ("hosts: 1 of Adkit Ltd",))]


def test_a_host_of_several_members_is_one(world, make):
    code = {"hosts": (Host("a.adkit.example", "classes2.dex"), Host("a.adkit.example", "classes.dex"))}
    exposure = world.judge(make.app(code=code)).exposure
    assert exposure.hosts[0].members == ("classes.dex", "classes2.dex")
    assert exposure.hosts_total == 1


def test_vendors_of_sdks_with_a_service_expose_with_the_laws_of_their_country(world, make):
    packs = make.packs(
        sdks=(
            make.sdk("adkit", "com.adkit", operator="adkit"),
            make.sdk("adkit-pay", "com.adkit.pay", country="RU", operator="adkit"),
            make.sdk("drawing", "org.drawing", country="CZ"),
        )
    )
    names = ("com.adkit", "com.adkit.pay", "org.drawing")
    assessment = world.judge(make.app(code={"packages": tuple(PackageCount(one, 1) for one in names)}), packs=packs)
    exposure = assessment.exposure
    assert [one.country for one in exposure.countries] == ["CN", "RU"]
    assert exposure.countries[0].through == ("sdk: Adkit (Adkit Ltd)",)
    assert exposure.countries[0].laws == (Text("a law", "une loi"),)
    assert (exposure.countries[1].name.en, exposure.countries[1].laws) == ("RU", ())
    assert [(one.id, one.operator) for one in assessment.sdks] == [
        ("adkit", "adkit"),
        ("adkit-pay", "adkit"),
        ("drawing", ""),
    ]


def test_a_law_says_where_it_can_be_read(world, make):
    source = SourceRow("test", Text("Laws", "Lois"), "https://laws.example/", "2026", "CC0-1.0")
    header = PackHeader("jurisdictions", "2026.11.1", "CC0-1.0", Text("Laws", "Lois"), (source,))
    packs = replace(
        make.packs(sdks=(make.sdk("adkit", "com.adkit", operator="adkit"),)), headers={"jurisdictions": header}
    )
    gathered = make.app(code={"packages": (PackageCount("com.adkit", 1),)})
    assert world.judge(gathered, packs=packs).exposure.countries[0].sources == ("https://laws.example/",)


def match(relation, publisher="tencent"):
    return PublisherMatch(publisher, "", relation, Text("basis", "motif"))


@pytest.mark.parametrize(
    ("matches", "name", "way"),
    [
        ((match("signer"),), "Tencent", "publisher: Tencent"),
        ((match("identifier"),), "Tencent", "publisher by name only: Tencent"),
        ((match("lookalike"),), None, None),
        ((match("identifier", "kaspersky"), match("signer")), "Tencent", "publisher: Tencent"),
        ((match("signer", "nobody-knows"),), None, None),
    ],
)
def test_the_publisher_is_a_verified_signer_or_a_mere_name(world, make, monkeypatch, matches, name, way):
    monkeypatch.setattr(judging, "_matches", lambda *_: matches)
    exposure = world.judge(make.app()).exposure
    assert (exposure.publisher.name if exposure.publisher else None) == name
    assert [one.through for one in exposure.countries] == ([(way,)] if way else [])


def test_a_publisher_without_an_operator_row_has_the_catalogues_country(world, make, monkeypatch):
    monkeypatch.setattr(judging, "_matches", lambda *_: (match("signer", "kaspersky"),))
    publisher = world.judge(make.app()).exposure.publisher
    assert (publisher.name, publisher.country, publisher.source) == ("Kaspersky", "RU", "catalogue")


def test_a_vendor_whose_name_the_app_bears_is_its_publisher_by_name_only_with_its_owners(world, make):
    packs = make.packs(sdks=(make.sdk("adkit", "com.adkit", operator="adkit"),))
    assessment = world.judge(make.app(package="com.adkit.app"), packs=packs)
    assert [one.through for one in assessment.exposure.countries] == [
        ("publisher by name only: Adkit Ltd",),
        ("owner of Adkit Ltd: Holding AG",),
    ]


def test_exposure_never_changes_the_rating(world, make):
    plain = make.strong()
    code = replace(
        plain.code, **hosts("a.adkit.example"), packages=(*plain.code.packages, PackageCount("com.adkit.pay", 9))
    )
    exposed = world.judge(replace(plain, code=code))
    assert exposed.exposure.hosts_total == 1
    assert exposed.rating == world.judge(plain).rating


def test_a_privacy_manifest_of_a_framework_stands_with_its_sdk(world, make):
    member = "Payload/Shop.app/Frameworks/AdKit.framework/PrivacyInfo.xcprivacy"
    stated = PrivacyManifest(
        member,
        "3" * 64,
        True,
        ("ads.example",),
        (),
        (CollectedData("NSPrivacyCollectedDataTypeDeviceID", True, True, ()),),
    )
    sdk = world.judge(make.ipa(privacy=(stated,))).sdks[0]
    assert sdk.id == "adkit"
    assert [(one.kind, one.subject, one.detail) for one in sdk.evidence] == [
        (EvidenceKind.privacy_manifest, "NSPrivacyTracking", "true"),
        (EvidenceKind.privacy_manifest, "NSPrivacyTrackingDomains", "ads.example"),
        (EvidenceKind.privacy_manifest, "NSPrivacyCollectedDataTypes", "NSPrivacyCollectedDataTypeDeviceID"),
    ]


# ---- publisher -----------------------------------------------------------------------------------------------------


def signed(*certificates, verified=True, claimed=()):
    return SigningFacts(
        verified=verified,
        schemes=(SchemeResult(Scheme.v2, SignatureState.verified if verified else SignatureState.failed),),
        signers=tuple(
            VerifiedSigner(one, Scheme.v2, 24, lineage=(LineageStep("0" * 64), LineageStep(one)))
            for one in certificates
        ),
        certificates=tuple(Certificate(one, "CN=x", "CN=x", "1", "", "", "RSA 2048", one) for one in certificates),
        claimed=tuple(claimed),
    )


@pytest.mark.parametrize(
    ("signing", "verified", "claimed"),
    [
        ((), False, ()),
        ((signed("1" * 64),), True, ()),
        ((signed("1" * 64), signed("1" * 64)), True, ()),
        ((signed("1" * 64), signed("2" * 64)), False, ("1" * 64, "2" * 64)),  # a split of another signer
        ((signed("1" * 64), signed(verified=False, claimed=("3" * 64,))), False, ("1" * 64, "3" * 64)),
        ((signed(verified=False, claimed=("3" * 64,)),), False, ("3" * 64,)),
    ],
)
def test_only_what_every_part_verifies_is_a_signer(world, make, signing, verified, claimed):
    publisher = world.judge(replace(make.app(), signing=signing)).publisher
    assert (publisher.verified, publisher.claimed) == (verified, claimed)
    assert [one.certificate for one in publisher.signers] == (["1" * 64] if verified else [])
    assert len(publisher.lineage) == (2 if verified else 0)


@pytest.mark.parametrize(
    ("split", "told"),
    [
        (signed("1" * 64), []),
        (signed("2" * 64), ["signing.other-signer"]),
        (signed(verified=False), ["signing.split-not-verified"]),
    ],
)
def test_a_split_that_the_signer_of_the_base_did_not_sign_is_told(world, make, split, told):
    package = replace(make.app(), signing=(signed("1" * 64), replace(split, member="split.apk")))
    found = world.judge(package).anomalies
    assert [(one.code, one.member) for one in found] == [(code, "split.apk") for code in told]


def test_the_team_of_an_ios_app_is_named_and_not_verified(world, make):
    publisher = world.judge(make.ipa()).publisher
    assert (publisher.team_id, publisher.verified) == ("TEAM000001", False)


# ---- the document --------------------------------------------------------------------------------------------------


def test_facts_are_carried_over_as_they_are(world, make):
    gathered = make.strong()
    assessment = world.judge(gathered)
    assert (assessment.android, assessment.runs, assessment.package) == (
        gathered.android,
        gathered.runs,
        gathered.package,
    )
    assert (assessment.app_id, assessment.app_name, assessment.version, assessment.build) == (
        make.APP,
        "Shop",
        "1.0",
        "10",
    )
    assert assessment.packs == world.packs.references
    assert world.judge(make.ipa()).app_id == "com.example.shop"


def test_a_package_of_which_nothing_could_be_read_is_inconclusive(world, make):
    gathered = replace(make.app(runs=(Run(FactClass.manifest, "axml", Extent.failed),)), android=None)
    assessment = world.judge(gathered)
    assert (assessment.app_id, assessment.permissions, assessment.rating.rating) == ("", (), Rating.inconclusive)


def test_frameworks_encrypt_apart(world, make):
    binary = MachO("Payload/Shop.app/Frameworks/Own.framework/Own", "1" * 64, "arm64", encrypted=True)
    found = make.finding(world.judge(make.ipa(more=(binary,))), "PSB-I-HIDDEN-01@app")
    assert [one.member for one in found.evidence] == [binary.member]
