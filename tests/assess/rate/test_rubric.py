"""The rubric: each condition by its truth table, the order of rules, and faults that are named."""

from __future__ import annotations

import copy

import pytest
import yaml

from proscribe import documents
from proscribe.assess.errors import BrokenPack
from proscribe.assess.facts import Disagreement, Run
from proscribe.assess.packs.load import load_packs
from proscribe.assess.rate.rubric import (
    SEVERITY,
    SHIPPED,
    AreasAt,
    CapabilityAt,
    Condition,
    FactAt,
    Rubric,
    Rule,
    Rung,
    check_capabilities,
    load_rubric,
    reference,
)
from proscribe.assess.terms import Area, Extent, FactClass, Rating, SiteKind
from proscribe.errors import InvalidDocument
from proscribe.terms import Platform
from proscribe.text import Text

BASE = Rule("base", Text("base", "base (fr)"), Rating.limited, Condition(all=()))


def rubric_of(*conditions, inconclusive=()):
    """One rule of rising severity for each condition, after the base."""
    rules = [
        Rule(f"r{number}", Text("rule", "règle"), SEVERITY[min(number, 3)], when)
        for number, when in enumerate(conditions, start=1)
    ]
    return Rubric(
        id="test",
        version="1",
        title=Text("t", "t (fr)"),
        rules=(BASE, *rules),
        inconclusive=inconclusive,
        android_from=29,
    )


def fires(world, gathered, condition):
    return world.judge(gathered, rubric=rubric_of(condition)).rating.rule == "r1"


# ---- the shipped one -----------------------------------------------------------------------------------------------


def test_the_shipped_rubric_fits_the_shipped_packs():
    check_capabilities(load_rubric(), load_packs().capabilities.keys())


def test_the_reference_names_id_version_and_digest():
    rubric = load_rubric()
    assert (reference(rubric).id, reference(rubric).version) == (rubric.id, rubric.version)
    assert reference(rubric).digest == documents.digest(rubric)


STRONG = (
    ("PSB-A-INTERFACE-01", "accessibility", "EVENT"),
    ("PSB-A-KEYBOARD-01", "input_method", "KEYS"),
    ("PSB-A-NOTIFICATIONS-01", "notification_listener", "POSTED"),
    ("PSB-A-FILES-01", "all_files", "STORAGE"),
    ("PSB-A-NETWORK-01", "vpn", "VPN"),
    ("PSB-A-CONTROL-01", "device_admin", "ADMIN"),
)


def strong_app(make, kind, watch, *, called, loader=False):
    from proscribe.assess.facts import Component, SpecialAccess
    from proscribe.assess.terms import SpecialKind

    owner = "com.example.shop.lite.Service"
    access = SpecialAccess(
        SpecialKind(kind), owner, details=("canRetrieveWindowContent=true",), policies=("wipe-data",)
    )
    api = getattr(make, watch)
    site = make.callback(api, owner) if watch in {"EVENT", "KEYS", "POSTED"} else make.call(api)
    sites = ([site] if called else []) + ([make.call(make.LOADER)] if loader else [])
    return make.app(*sites, special=(access,), components=(Component("service", owner),))


@pytest.mark.parametrize(("capability", "kind", "watch"), STRONG)
def test_one_of_the_strongest_is_moderate_declared_considerable_called_pervasive_with_loaded_code(
    world, make, capability, kind, watch
):
    declared = world.judge(strong_app(make, kind, watch, called=False)).rating
    called = world.judge(strong_app(make, kind, watch, called=True)).rating
    loading = world.judge(strong_app(make, kind, watch, called=True, loader=True)).rating
    assert (declared.rating, declared.rule) == (Rating.moderate, "strong-declared")
    assert (called.rating, called.rule) == (Rating.considerable, "considerable-strong")
    assert (loading.rating, loading.rule) == (Rating.pervasive, "pervasive")
    assert any(one.startswith(capability) for one in loading.findings)
    assert any(one.startswith("PSB-A-CODE-01") for one in loading.findings)


def four_areas(make):
    """(site, permission) of five content areas at E3."""
    return [
        (make.call(make.LOCATE), "ACCESS_FINE_LOCATION"),
        (make.call(make.RECORD), "RECORD_AUDIO"),
        (make.call(make.DEVICE_ID), "READ_PHONE_STATE"),
        (make.call("content://sms", kind=SiteKind.string, subject="content://sms"), "READ_SMS"),
        (make.call(make.CONTACTS, kind=SiteKind.field), "READ_CONTACTS"),
    ]


@pytest.mark.parametrize(
    ("areas", "declared", "rating"),
    [
        (0, 0, Rating.limited),
        (1, 1, Rating.limited),
        (2, 2, Rating.moderate),
        (3, 3, Rating.moderate),
        (4, 4, Rating.considerable),
        (5, 5, Rating.considerable),
        (4, 3, Rating.moderate),  # the fourth is not declared, so it does not count
        (5, 1, Rating.limited),
        (0, 3, Rating.limited),
        (0, 4, Rating.moderate),  # four declared, none called
        (0, 5, Rating.moderate),
    ],
)
def test_content_areas_that_are_called_and_declared_make_the_rating(world, make, areas, declared, rating):
    pairs = four_areas(make)
    sites = [site for site, _ in pairs[:areas]]
    permissions = tuple(permission for _, permission in pairs[:declared])
    assert world.judge(make.app(*sites, permissions=permissions)).rating.rating is rating


def test_loaded_code_alone_is_not_pervasive(world, make):
    assert world.judge(make.app(make.call(make.LOADER))).rating.rating is Rating.limited


IMPORTS = [
    ("_OBJC_CLASS_$_CNContactStore", "NSContactsUsageDescription"),
    ("_OBJC_CLASS_$_AVAudioRecorder", "NSMicrophoneUsageDescription"),
    ("_OBJC_CLASS_$_CLLocationManager", "NSLocationWhenInUseUsageDescription"),
    ("_OBJC_CLASS_$_PHAsset", "NSPhotoLibraryUsageDescription"),
]


@pytest.mark.parametrize(
    ("imports", "declared", "calendar", "rating"),
    [
        (0, 0, False, Rating.limited),
        (1, 1, False, Rating.limited),
        (2, 2, False, Rating.moderate),
        (4, 4, False, Rating.moderate),
        (4, 4, True, Rating.considerable),
        (4, 3, True, Rating.moderate),
        (0, 4, False, Rating.moderate),
    ],
)
def test_ios_is_rated_by_imports_with_their_declaration(world, make, imports, declared, calendar, rating):
    gathered = make.ipa(
        imports=tuple(symbol for symbol, _ in IMPORTS[:imports]),
        libraries=("/System/EventKit.framework/EventKit",) if calendar else (),
        usage=(*(key for _, key in IMPORTS[:declared]), *(("NSCalendarsUsageDescription",) if calendar else ())),
    )
    assert world.judge(gathered).rating.rating is rating


def test_ios_vpn_is_moderate_signed_and_considerable_imported(world, make):
    assert world.judge(make.ipa(signed=("com.apple.vpn",))).rating.rule == "ios-strong-declared"
    imported = make.ipa(signed=("com.apple.vpn",), imports=("_OBJC_CLASS_$_NEVPNManager",))
    assert world.judge(imported).rating.rule == "ios-considerable-strong"


@pytest.mark.parametrize(
    ("of", "extent", "rule"),
    [
        (FactClass.manifest, Extent.failed, "manifest-unread"),
        (FactClass.manifest, Extent.partial, "manifest-unread"),
        (FactClass.container, Extent.failed, "manifest-unread"),
        (FactClass.dex, Extent.hidden, "code-unread"),
        (FactClass.dex, Extent.partial, "code-unread"),
        (FactClass.dex, Extent.failed, "code-unread"),
        (FactClass.splits, Extent.partial, "splits-missing"),
        (FactClass.dex, Extent.complete, None),
        (FactClass.dex, Extent.absent, None),
        (FactClass.splits, Extent.not_applicable, None),
        (FactClass.native, Extent.failed, None),
    ],
)
def test_a_package_that_was_read_too_poorly_gets_no_word(world, make, of, extent, rule):
    gathered = make.app(make.call(make.CLIP), runs=(Run(of, "reader", extent),))
    rating = world.judge(gathered).rating
    if rule is None:
        assert rating.rating is Rating.limited
        return
    assert (rating.rating, rating.rule) == (Rating.inconclusive, rule)
    assert "From what was read, the rules would have given 'limited' (rule base)." in [one.en for one in rating.because]


def test_two_parsers_that_disagree_make_it_inconclusive_and_are_named(world, make):
    gathered = make.app(disagreements=(Disagreement("permissions", ("a",), ()),))
    rating = world.judge(gathered).rating
    assert (rating.rating, rating.rule) == (Rating.inconclusive, "parsers-disagree")
    assert any("permissions" in one.en for one in rating.because)


def test_fairplay_hides_code_and_still_leaves_a_word(world, make):
    from proscribe.assess.terms import Extent

    gathered = make.ipa(encrypted=True)
    gathered = make.replace(gathered, runs=(Run(FactClass.macho, "lief", Extent.hidden),))
    assert world.judge(gathered).rating.rating is Rating.limited


# ---- conditions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ladder", "at_least", "areas", "grantable", "holds"),
    [
        ("E3", 1, (), True, True),
        ("E3", 2, (), True, False),
        ("E1", 2, (), True, True),
        ("E3", 2, (), False, True),  # counts what is not declared too
        ("E3", 1, (Area.contacts,), True, False),
        ("E3", 1, (Area.contacts,), False, True),
        ("E4", 1, (), False, False),
    ],
)
def test_areas_at(world, make, ladder, at_least, areas, grantable, holds):
    """Location called and declared, sensors declared only, contacts called and not declared."""
    gathered = make.app(
        make.call(make.LOCATE),
        make.call(make.CONTACTS, kind=SiteKind.field),
        permissions=("ACCESS_FINE_LOCATION", "RECORD_AUDIO"),
    )
    condition = Condition(areas_at=AreasAt(Rung(ladder), at_least, grantable, areas))
    assert fires(world, gathered, condition) is holds


@pytest.mark.parametrize(
    ("name", "ladder", "grantable", "holds"),
    [
        ("PSB-A-LOCATION-01", "E3", True, True),
        ("PSB-A-LOCATION-01", "E4", True, False),
        ("PSB-A-CONTACTS-01", "E3", True, False),
        ("PSB-A-CONTACTS-01", "E3", False, True),
        ("PSB-A-SENSORS-01", "E1", True, False),
    ],
)
def test_capability_at(world, make, name, ladder, grantable, holds):
    gathered = make.app(
        make.call(make.LOCATE), make.call(make.CONTACTS, kind=SiteKind.field), permissions=("ACCESS_FINE_LOCATION",)
    )
    condition = Condition(capability_at=CapabilityAt((name,), Rung(ladder), grantable))
    assert fires(world, gathered, condition) is holds


YES, NO = Condition(all=()), Condition(any=())


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (YES, True),
        (NO, False),
        (Condition(all=(YES, NO)), False),
        (Condition(all=(YES, YES)), True),
        (Condition(any=(NO, YES)), True),
        (Condition(any=(NO, NO)), False),
        (Condition(none=()), True),
        (Condition(none=(NO,)), True),
        (Condition(none=(NO, YES)), False),
        (Condition(rule="base"), True),
        (Condition(none=(Condition(rule="base"),)), False),
        (Condition(fact=FactAt(FactClass.dex, (Extent.complete,))), True),
        (Condition(fact=FactAt(FactClass.dex, (Extent.hidden,))), False),
        (Condition(fact=FactAt(FactClass.splits, (Extent.complete,))), False),
        (Condition(disagreement=True), False),
    ],
)
def test_connectives(world, make, condition, holds):
    assert fires(world, make.app(), condition) is holds


def test_the_last_rule_that_fires_gives_the_rating(world, make):
    assert world.judge(make.app(), rubric=rubric_of(YES, NO, YES)).rating.rule == "r3"
    assert world.judge(make.app(), rubric=rubric_of(YES, YES, NO)).rating.rule == "r2"


def test_a_rule_of_another_platform_does_not_fire(world, make):
    rule = Rule("ios", Text("t", "t (fr)"), Rating.pervasive, YES, Platform.ios)
    rubric = make.replace(rubric_of(), rules=(BASE, rule))
    assert world.judge(make.app(), rubric=rubric).rating.rule == "base"
    assert world.judge(make.ipa(), rubric=rubric).rating.rule == "ios"


def test_a_rule_builds_on_an_earlier_one_and_repeats_its_reasons(world, make):
    location = Condition(capability_at=CapabilityAt(("PSB-A-LOCATION-01",), Rung.E3))
    rubric = rubric_of(location, Condition(rule="r1"))
    rating = world.judge(make.app(make.call(make.LOCATE), permissions=("ACCESS_FINE_LOCATION",)), rubric=rubric).rating
    assert rating.rule == "r2"
    assert rating.findings == ("PSB-A-LOCATION-01@app",)
    assert "PSB-A-LOCATION-01" in rating.because[-1].en


# ---- what would lower it -------------------------------------------------------------------------------------------


def test_what_would_lower_is_true(world, make):
    """Taking the named capability away does lower the rating, and its own words say how."""
    gathered = make.strong()
    rating = world.judge(gathered).rating
    capability, sdk = [one.en for one in rating.would_lower]
    assert capability.startswith("Without 'Can do PSB-A-CODE-01' (PSB-A-CODE-01), access would be rated considerable.")
    assert capability.endswith("A version without PSB-A-CODE-01.")
    assert sdk == "Without the SDK Adkit, access would be rated considerable."
    kept = tuple(one for one in gathered.code.sites if one.watch != make.LOADER)
    after = make.replace(gathered, code=make.replace(gathered.code, sites=kept))
    assert world.judge(after).rating.rating is Rating.considerable


def test_what_lowers_only_together_is_a_smallest_set(world, make):
    pairs = four_areas(make)
    gathered = make.app(*(site for site, _ in pairs), permissions=tuple(one for _, one in pairs))
    rating = world.judge(gathered).rating
    assert rating.rating is Rating.considerable  # five areas: no one of them is needed
    assert len(rating.would_lower) == 1
    assert rating.would_lower[0].en == (
        "No single change lowers it. For example, without any access to all of these, access would be rated "
        "moderate: contacts and records (calls, texts, calendar, accounts). A version without PSB-A-CONTACTS-01. "
        "A version without PSB-A-RECORDS-01."
    )


def test_an_area_of_two_capabilities_is_named_as_a_whole(world, make):
    sites = (make.call(make.STORAGE), make.call("Lx;->f"), make.call(make.CLIP))
    packs = make.packs(apis=(*make.APIS, make.api("method", "Lx;->f", "PSB-A-FILES-02", "READ_EXTERNAL_STORAGE")))
    from proscribe.assess.facts import SpecialAccess
    from proscribe.assess.terms import SpecialKind

    rubric = rubric_of(Condition(areas_at=AreasAt(Rung.E3, 2)))
    gathered = make.app(*sites, permissions=("READ_EXTERNAL_STORAGE",), special=(SpecialAccess(SpecialKind.all_files),))
    told = [one.en for one in world.judge(gathered, packs=packs, rubric=rubric).rating.would_lower]
    assert "Without any access to the area 'photos and files', access would be rated limited." in told


def test_nothing_lowers_the_lowest(world, make):
    assert world.judge(make.app(make.call(make.CLIP))).rating.would_lower == ()


# ---- faults of the file --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return yaml.safe_load(SHIPPED.read_text("utf-8"))


def broken(tmp_path, body):
    path = tmp_path / "rubric.yaml"
    path.write_text(yaml.safe_dump(body), "utf-8")
    return path


FAULTS = [
    ("rules.1.id", lambda body: body["rules"][1].update(id="base")),
    ("rules.2.id", lambda body: body["rules"][2].update(id="")),
    ("inconclusive.0.id", lambda body: body["inconclusive"][0].update(id="base")),
    ("rules.0.when", lambda body: body["rules"].pop(0)),
    ("rules.0.when", lambda body: body["rules"][0].update(platform="ios")),
    ("rules.0.when", lambda body: body.update(rules=[])),
    ("rules.1.rating", lambda body: body["rules"][1].update(rating="inconclusive")),
    ("rules.3.rating", lambda body: body["rules"][3].update(rating="limited")),
    ("rules.1.when", lambda body: body["rules"][1].update(when={})),
    ("rules.1.when", lambda body: body["rules"][1]["when"].update(rule="base")),
    ("rules.1.when.any.0.areas_at.at_least", lambda body: _areas(body).update(at_least=0)),
    ("rules.1.when.any.0.areas_at.at_least", lambda body: _areas(body).update(at_least=14)),
    ("rules.1.when.any.0.areas_at.at_least", lambda body: _areas(body).update(areas=["contacts"])),
    ("rules.1.when.rule", lambda body: body["rules"][1].update(when={"rule": "pervasive"})),
    ("rules.1.when.rule", lambda body: body["rules"][1].update(when={"rule": "some-areas"})),
    ("rules.1.when.disagreement", lambda body: body["rules"][1].update(when={"disagreement": False})),
]


def _areas(body):
    return body["rules"][1]["when"]["any"][0]["areas_at"]


@pytest.mark.parametrize(("field", "spoil"), FAULTS, ids=[f"{number}-{one[0]}" for number, one in enumerate(FAULTS)])
def test_a_fault_names_file_field_and_remedy(tmp_path, shipped, field, spoil):
    body = copy.deepcopy(shipped)
    spoil(body)
    path = broken(tmp_path, body)
    with pytest.raises(BrokenPack) as caught:
        load_rubric(path)
    assert (caught.value.where.file, caught.value.where.field) == (str(path), field)
    assert caught.value.remedy.en
    assert caught.value.remedy.fr


@pytest.mark.parametrize(
    ("field", "spoil"),
    [
        ("rulez", lambda body: body.update(rulez=[])),
        ("rules.1.raiting", lambda body: body["rules"][1].update(raiting="moderate")),
        ("rules.1.when.any.0.areas_at.ladder", lambda body: _areas(body).update(ladder="E5")),
        ("rules.1.when.any.0.areas_at.areas.0", lambda body: _areas(body).update(areas=["soul"])),
        ("rules.1.rating", lambda body: body["rules"][1].update(rating="bad")),
    ],
)
def test_what_does_not_fit_the_schema_names_its_field(tmp_path, shipped, field, spoil):
    body = copy.deepcopy(shipped)
    spoil(body)
    with pytest.raises(InvalidDocument) as caught:
        load_rubric(broken(tmp_path, body))
    assert field in caught.value.where.field


def test_a_capability_that_no_pack_has_is_named(world, make, tmp_path, shipped):
    body = copy.deepcopy(shipped)
    body["rules"][2]["when"]["capability_at"]["any_of"] = ["PSB-A-NOTHING-01"]
    with pytest.raises(BrokenPack) as caught:
        world.judge(make.app(), rubric=load_rubric(broken(tmp_path, body)))
    assert "PSB-A-NOTHING-01" in caught.value.what.en
    assert caught.value.where.field == "rules.2.when.capability_at.any_of"
