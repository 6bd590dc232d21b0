"""Findings: the rung, the declaration, who must agree and whose code it is, one fact at a time."""

from __future__ import annotations

import pytest

from proscribe.assess.facts import Component, NativeLibrary, NetworkSecurity, PackageCount, Run, UsesPermission
from proscribe.assess.profile import EvidenceKind
from proscribe.assess.rate.findings import SHOWN
from proscribe.assess.terms import ActorKind, Area, Declaration, Extent, FactClass, Grant, Ladder, SiteKind


def ids(assessment):
    return {one.id for one in assessment.findings}


# ---- the ladder ----------------------------------------------------------------------------------------------------


def test_nothing_gives_no_finding(world, make):
    assert world.judge(make.app()).findings == ()


def test_a_permission_alone_is_declared_and_says_that_no_code_was_found(world, make):
    found = make.finding(world.judge(make.app(permissions=("READ_CONTACTS",))), "PSB-A-CONTACTS-01@declaration")
    assert (found.ladder, found.declaration, found.grant) == (Ladder.declared, Declaration.declared, Grant.prompt)
    assert [one.en for one in found.counter] == ["Declared, no code found."]
    assert [one.kind for one in found.evidence] == [EvidenceKind.permission]


@pytest.mark.parametrize("extent", [Extent.partial, Extent.hidden, Extent.failed])
def test_no_code_found_is_not_said_of_code_that_was_not_read(world, make, extent):
    runs = (Run(FactClass.dex, "dex", extent),)
    found = make.finding(
        world.judge(make.app(permissions=("READ_CONTACTS",), runs=runs)), "PSB-A-CONTACTS-01@declaration"
    )
    assert "not read in full" in found.counter[0].en


def test_a_call_with_its_permission_is_called(world, make):
    assessment = world.judge(make.app(make.call(make.LOCATE), permissions=("ACCESS_FINE_LOCATION",)))
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert (found.ladder, found.declaration, found.grant) == (Ladder.called, Declaration.declared, Grant.prompt)
    assert found.counter == ()
    assert [one.kind for one in found.evidence] == [EvidenceKind.call, EvidenceKind.permission]
    assert found.evidence[0].offset == 4


def test_a_call_without_its_permission_does_not_count(world, make):
    assessment = world.judge(make.app(make.call(make.LOCATE)))
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert (found.ladder, found.declaration) == (Ladder.called, Declaration.not_declared)
    assert found.counter[0].en.startswith("Code present, not declared")
    assert not make.area(assessment, Area.location).counts


def test_a_reference_without_a_call_is_referenced(world, make):
    site = make.call(make.LOCATE, caller="", offset=-1, kind=SiteKind.reference)
    found = make.finding(
        world.judge(make.app(site, permissions=("ACCESS_FINE_LOCATION",))), "PSB-A-LOCATION-01@unattributed"
    )
    assert found.ladder is Ladder.referenced


def test_a_reference_says_nothing_new_beside_a_call(world, make):
    reference = make.call(make.LOCATE, caller="", offset=-1, kind=SiteKind.reference, member="classes2.dex")
    assessment = world.judge(make.app(make.call(make.LOCATE), reference, permissions=("ACCESS_FINE_LOCATION",)))
    assert ids(assessment) == {"PSB-A-LOCATION-01@app"}


def test_an_exact_string_is_only_a_reference(world, make):
    site = make.call("location_mode", kind=SiteKind.string, subject="location_mode")
    found = make.finding(world.judge(make.app(site, permissions=("ACCESS_FINE_LOCATION",))), "PSB-A-LOCATION-01@app")
    assert found.ladder is Ladder.referenced


@pytest.mark.parametrize(("caller", "offset", "rung"), [("com.example.shop.lite.M", 3, 3), ("", -1, 2)])
def test_a_content_uri_counts_as_called_where_code_loads_it(world, make, caller, offset, rung):
    site = make.call("content://sms", caller, offset, kind=SiteKind.string, subject="content://sms/inbox")
    assessment = world.judge(make.app(site, permissions=("READ_SMS",)))
    assert [one.ladder for one in assessment.findings] == [rung]


def test_a_uri_constant_that_code_reads_is_called(world, make):
    site = make.call(make.CONTACTS, kind=SiteKind.field, args=":Landroid/net/Uri;")
    found = make.finding(world.judge(make.app(site, permissions=("READ_CONTACTS",))), "PSB-A-CONTACTS-01@app")
    assert (found.ladder, found.evidence[0].kind) == (Ladder.called, EvidenceKind.field)


@pytest.mark.parametrize(("declared", "rung"), [(True, Ladder.called), (False, Ladder.referenced)])
def test_a_callback_is_called_only_in_a_class_that_the_manifest_names(world, make, declared, rung):
    components = (Component("service", "com.example.shop.lite.Eye"),) if declared else ()
    assessment = world.judge(
        make.app(
            make.callback(make.EVENT, "com.example.shop.lite.Eye"),
            special=(make.accessibility(),),
            components=components,
        )
    )
    assert make.finding(assessment, "PSB-A-INTERFACE-01@app").ladder is rung


@pytest.mark.parametrize(("literal", "there"), [("android_id", True), ("adb_enabled", False), ("", False)])
def test_a_row_with_an_argument_means_only_that_argument(world, make, literal, there):
    site = make.call(make.SETTING, literal=literal)
    assert ("PSB-A-IDENTIFIERS-01@app" in ids(world.judge(make.app(site)))) is there


@pytest.mark.parametrize(("args", "there"), [("(Ljava/lang/String;I)V", True), ("(I)V", False)])
def test_a_row_with_a_signature_means_only_that_overload(world, make, args, there):
    assert ("PSB-A-SCREEN-01@app" in ids(world.judge(make.app(make.call(make.PROJECT, args=args))))) is there


def test_one_place_is_one_item_however_many_rows_mean_it(world, make):
    packs = make.packs(apis=(*make.APIS, make.api("method", make.LOCATE, "PSB-A-LOCATION-01", "RECORD_AUDIO")))
    site = make.call(make.LOCATE)
    assessment = world.judge(make.app(site, site, permissions=("RECORD_AUDIO",)), packs=packs)
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert sum(one.kind is EvidenceKind.call for one in found.evidence) == 1
    assert found.declaration is Declaration.declared  # either row's permission will do


# ---- grants --------------------------------------------------------------------------------------------------------


def test_a_privileged_permission_never_counts(world, make):
    assessment = world.judge(make.app(make.call(make.DEVICE_ID), permissions=("READ_PRIVILEGED_PHONE_STATE",)))
    found = make.finding(assessment, "PSB-A-IDENTIFIERS-01@app")
    assert (found.declaration, found.grant) == (Declaration.declared, Grant.never)
    assert "signature|privileged" in found.counter[0].en
    view = assessment.permissions[0]
    assert (view.counted, view.grant) == (False, Grant.never)
    assert "can never hold it" in view.why.en
    assert not make.area(assessment, Area.identifiers).counts
    assert "can never hold it" in make.area(assessment, Area.identifiers).summary.en


def test_the_easier_of_two_permissions_decides(world, make):
    permissions = ("READ_PRIVILEGED_PHONE_STATE", "READ_PHONE_STATE")
    found = make.finding(
        world.judge(make.app(make.call(make.DEVICE_ID), permissions=permissions)), "PSB-A-IDENTIFIERS-01@app"
    )
    assert (found.grant, found.counter) == (Grant.prompt, ())


@pytest.mark.parametrize(
    ("max_sdk", "counted", "words"), [(28, False, "begins at 29"), (29, True, "up to API 29"), (None, True, "agrees")]
)
def test_a_permission_that_ends_before_the_supported_range_does_not_count(world, make, max_sdk, counted, words):
    asked = UsesPermission(make.ANDROID + "ACCESS_FINE_LOCATION", max_sdk=max_sdk)
    assessment = world.judge(make.app(make.call(make.LOCATE), permissions=(asked,)))
    assert assessment.permissions[0].counted is counted
    assert words in assessment.permissions[0].why.en
    assert make.area(assessment, Area.location).counts is counted


def test_the_least_limited_of_two_requests_decides(world, make):
    asked = [UsesPermission(make.ANDROID + "ACCESS_FINE_LOCATION", max_sdk=limit) for limit in (20, None)]
    assert world.judge(make.app(permissions=tuple(asked))).permissions[0].counted


@pytest.mark.parametrize(("min_sdk", "counted"), [(24, True), (33, False)])
def test_a_permission_that_android_dropped_counts_only_where_a_phone_still_grants_it(world, make, min_sdk, counted):
    assessment = world.judge(make.app(permissions=("READ_EXTERNAL_STORAGE",), min_sdk=min_sdk))
    assert assessment.permissions[0].counted is counted
    assert make.area(assessment, Area.files).counts is counted


def test_a_permission_gone_from_every_supported_android_is_not_counted(world, make):
    view = world.judge(make.app(permissions=("GET_TASKS",))).permissions[0]
    assert (view.counted, "Gone after Android API 21" in view.why.en) == (False, True)


def test_a_permission_that_no_pack_knows_is_shown_as_unknown(world, make):
    view = world.judge(make.app(permissions=("com.vendor.permission.PUSH",))).permissions[0]
    assert (view.grant, view.counted, view.protection) == (Grant.unknown, False, "")


def test_a_permission_that_the_app_defines_opens_nothing(world, make):
    from proscribe.assess.facts import DefinedPermission

    name = "com.example.shop.lite.INTERNAL"
    view = world.judge(make.app(permissions=(name,), defines=(DefinedPermission(name, "signature"),))).permissions[0]
    assert (view.grant, view.counted, view.protection) == (Grant.automatic, False, "signature")


def test_a_permission_opens_no_more_than_the_capability_is_granted_for(world, make):
    """A start at boot needs nobody's consent; a capability that asks the user still asks."""
    row = make.capability("PSB-A-SENSORS-09", Area.sensors, (f"permission:{make.ANDROID}RECEIVE_BOOT_COMPLETED",))
    packs = make.packs(capabilities=(*make.CAPABILITIES, row))
    assessment = world.judge(make.app(permissions=("RECEIVE_BOOT_COMPLETED",)), packs=packs)
    assert make.finding(assessment, "PSB-A-SENSORS-09@declaration").grant is Grant.prompt


def test_a_capability_that_no_store_app_can_have_says_so(world, make):
    row = make.capability("PSB-A-CONTROL-09", Area.control, grant=Grant.never)
    packs = make.packs(
        capabilities=(*make.CAPABILITIES, row), apis=(*make.APIS, make.api("method", "Lx;->su", "PSB-A-CONTROL-09"))
    )
    found = make.finding(world.judge(make.app(make.call("Lx;->su")), packs=packs), "PSB-A-CONTROL-09@app")
    assert (found.declaration, found.grant) == (Declaration.not_needed, Grant.never)
    assert "can never have this access" in found.counter[0].en


def test_places_whose_permission_is_missing_do_not_raise_those_that_work(world, make):
    """E3 by an undeclared way beside E2 by a declared one: the finding stands at E2."""
    packs = make.packs(apis=(*make.APIS, make.api("method", "Lx;->locate", "PSB-A-LOCATION-01", "READ_SMS")))
    fine = make.call("location_mode", kind=SiteKind.string, subject="location_mode")
    assessment = world.judge(
        make.app(fine, make.call("Lx;->locate"), permissions=("ACCESS_FINE_LOCATION",)), packs=packs
    )
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert (found.ladder, found.declaration) == (Ladder.referenced, Declaration.declared)
    assert "1 place in the code needs" in found.counter[0].en
    assert found.evidence[0].subject == "location_mode"


@pytest.mark.parametrize(
    "faulty",
    [
        {"runs": (Run(FactClass.manifest, "axml", Extent.failed),)},
        {"disagreements": "permissions"},
    ],
)
def test_with_an_unread_manifest_nothing_is_said_to_be_undeclared(world, make, faulty):
    from proscribe.assess.facts import Disagreement

    if "disagreements" in faulty:
        faulty = {"disagreements": (Disagreement("permissions", (), ("x",)),)}
    assessment = world.judge(make.app(make.call(make.LOCATE), make.call(make.CLIP), **faulty))
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert (found.declaration, found.grant) == (Declaration.unknown, Grant.unknown)
    assert "is not known" in found.counter[0].en
    assert make.finding(assessment, "PSB-A-CLIPBOARD-01@app").declaration is Declaration.not_needed


def test_with_an_unread_manifest_a_declaration_is_not_certain_either(world, make):
    from proscribe.assess.facts import Disagreement

    gathered = make.app(permissions=("READ_CONTACTS",), disagreements=(Disagreement("permissions", (), ("x",)),))
    assessment = world.judge(gathered)
    found = make.finding(assessment, "PSB-A-CONTACTS-01@declaration")
    assert found.declaration is Declaration.unknown
    assert not make.area(assessment, Area.contacts).counts


# ---- what declares -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"query_packages": ("com.bank",)}, {"PSB-A-APPS-01"}),
        ({"target_sdk": 29}, {"PSB-A-APPS-01"}),
        ({"target_sdk": 30}, set()),
        ({"target_sdk": None, "min_sdk": 21}, {"PSB-A-APPS-01"}),
        ({"target_sdk": None, "min_sdk": None}, {"PSB-A-APPS-01"}),
        ({"target_sdk": None, "min_sdk": 30}, set()),
        ({"network": NetworkSecurity(cleartext=True)}, {"PSB-A-NETWORK-02"}),
        ({"network": NetworkSecurity(cleartext=False)}, set()),
        ({"network": NetworkSecurity(cleartext=None)}, set()),
        ({"components": (Component("service", "x.Y", foreground_types=("location",)),)}, {"PSB-A-BACKGROUND-01"}),
        (
            {"components": (Component("receiver", "x.Y", actions=("android.intent.action.BOOT_COMPLETED",)),)},
            {"PSB-A-BACKGROUND-01"},
        ),
        ({"components": (Component("receiver", "x.Y", actions=("android.intent.action.VIEW",)),)}, set()),
        ({"code": {"packer_marks": ("packer.application-stub",)}}, {"PSB-A-HIDDEN-01"}),
        ({"code": {"encrypted_like": ("assets/a.bin",)}}, {"PSB-A-HIDDEN-01"}),
        ({"code": {"reflection": 41, "code_units": 20_000}}, {"PSB-A-HIDDEN-02"}),
        ({"code": {"reflection": 40, "code_units": 20_000}}, set()),
        ({"code": {"reflection": 0, "code_units": 0}}, set()),
    ],
)
def test_each_token_is_met_by_its_fact_alone(world, make, facts, expected):
    assert {one.capability for one in world.judge(make.app(**facts)).findings} == expected


def test_a_special_access_is_declared_only_with_the_detail_it_takes(world, make):
    with_it = world.judge(make.app(special=(make.accessibility(),)))
    without = world.judge(make.app(special=(make.accessibility("x.Y", "canRetrieveWindowContent=false"),)))
    assert make.finding(with_it, "PSB-A-INTERFACE-01@declaration").evidence[0].member == "res/xml/access.xml"
    assert without.findings == ()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"usage": ("NSContactsUsageDescription",)}, {"PSB-I-CONTACTS-01"}),
        ({"background_modes": ("location",)}, {"PSB-I-LOCATION-01"}),
        ({"background_modes": ("audio",)}, set()),
        ({"queried_schemes": ("bank",)}, {"PSB-I-APPS-01"}),
        ({"arbitrary_loads": True}, {"PSB-I-NETWORK-02"}),
        ({"arbitrary_loads_in": ("web",)}, set()),
        ({"signed": ("com.apple.vpn",)}, {"PSB-I-NETWORK-01"}),
        ({"open_access_keyboards": ("com.example.shop.kb",)}, {"PSB-I-KEYBOARD-01"}),
        ({"encrypted": True}, {"PSB-I-HIDDEN-01"}),
    ],
)
def test_each_token_of_ios_is_met_by_its_fact_alone(world, make, facts, expected):
    assert {one.capability for one in world.judge(make.ipa(**facts)).findings} == expected


def test_an_entitlement_that_is_switched_off_declares_nothing(world, make):
    from proscribe.assess.facts import Entitlement

    off = Entitlement("com.apple.vpn", "false", "codesign-xml", "Payload/Shop.app/Shop")
    assert world.judge(make.ipa(entitlements=(off,))).findings == ()


def test_imports_of_ios_are_references(world, make):
    assessment = world.judge(
        make.ipa(
            imports=("_OBJC_CLASS_$_CNContactStore",),
            libraries=("/System/Library/Frameworks/EventKit.framework/EventKit",),
            usage=("NSContactsUsageDescription",),
        )
    )
    found = make.finding(assessment, "PSB-I-CONTACTS-01@app")
    assert (found.ladder, found.declaration) == (Ladder.referenced, Declaration.declared)
    assert found.evidence[0].detail == "arm64"
    assert make.finding(assessment, "PSB-I-RECORDS-01@app").declaration is Declaration.not_declared


# ---- actors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "actor"),
    [
        ("com.example.shop.lite.Main", "app"),
        ("com.example.shop.lite.deep.Main", "app"),
        ("com.example.core.Main", "app"),  # beside it, under the maker's own part
        ("com.exampleother.Main", "unattributed"),
        ("com.adkit.Main", "adkit"),
        ("com.adkit.core.Main", "adkit"),
        ("com.adkit.pay.Main", "adkit-pay"),  # the longest prefix
        ("com.adkitten.Main", "unattributed"),  # at dots only
        ("com.example.ads.Main", "maker"),  # a catalogued SDK of the app's own maker
        ("a.b.Main", "unattributed"),
        ("Main", "unattributed"),
    ],
)
def test_code_is_whose_package_it_is(world, make, caller, actor):
    assessment = world.judge(make.app(make.call(make.CLIP, caller)))
    assert f"PSB-A-CLIPBOARD-01@{actor}" in ids(assessment)


@pytest.mark.parametrize(
    ("package", "caller", "actor"),
    [
        ("com.adkit.app", "com.adkit.app.Main", "app"),  # the maker of the SDK has an app
        ("com.adkit.app", "com.adkit.core.Main", "app"),  # a tie is the app's
        ("com.adkit.app", "com.adkit.pay.Main", "adkit-pay"),
        ("com.adkit.pay", "com.adkit.pay.Main", "app"),
        ("io.github.alice.app", "io.github.alice.lib.Main", "app"),
        ("io.github.alice.app", "io.github.bob.lib.Main", "unattributed"),
        ("ca.gc.agency.app", "ca.gc.agency.lib.Main", "app"),
        ("uk.co.shop.app", "uk.co.other.Main", "unattributed"),
        ("single", "single.Main", "app"),
    ],
)
def test_what_an_app_claims_follows_its_name(world, make, package, caller, actor):
    assessment = world.judge(make.app(make.call(make.CLIP, caller), package=package))
    assert f"PSB-A-CLIPBOARD-01@{actor}" in ids(assessment)


def test_a_string_that_names_an_sdk_makes_nobody_an_actor(world, make):
    site = make.call(make.CLIP, "a.b.C", literal="com.adkit.core")
    text = make.call("location_mode", "a.b.C", kind=SiteKind.string, subject="location_mode", literal="com.adkit")
    assessment = world.judge(make.app(site, text))
    assert {one.actor.kind for one in assessment.findings} == {ActorKind.unattributed}
    assert assessment.sdks == ()


def test_a_native_import_is_of_the_sdk_that_ships_the_library(world, make):
    for member, actor in (("lib/arm64-v8a/libadkit.so", "adkit"), ("lib/arm64-v8a/libx.so", "unattributed")):
        site = make.call(
            "AAudioStream_requestStart",
            caller="",
            offset=-1,
            kind=SiteKind.native_import,
            member=member,
            subject="AAudioStream_requestStart",
        )
        assert f"PSB-A-SENSORS-01@{actor}" in ids(world.judge(make.app(site, permissions=("RECORD_AUDIO",))))


def test_sdks_are_present_by_classes_components_and_libraries(world, make):
    def present(**code):
        components = code.pop("components", ())
        return {one.id: one for one in world.judge(make.app(components=components, code=code)).sdks}

    assert present(packages=(PackageCount("com.adkit", 2), PackageCount("com.adkit.pay.x", 5)))["adkit"].classes == 2
    assert present(native=(NativeLibrary("lib/x/libadkit.so", "b" * 64, 9),))["adkit"].classes == 0
    assert set(present(components=(Component("service", "org.moved.AdkitPush"),))) == {"adkit"}
    assert set(present(components=(Component("service", "com.adkit.pay.Till"),))) == {"adkit-pay"}
    assert present(packages=(PackageCount("com.example.core", 2),)) == {}


def test_present_is_not_active(world, make):
    idle = world.judge(make.app(code={"packages": (PackageCount("com.adkit", 2),)}))
    busy = world.judge(
        make.app(make.call(make.CLIP, "com.adkit.A"), code={"packages": (PackageCount("com.adkit", 2),)})
    )
    assert [one.sites for one in idle.sdks] == [0]
    assert [one.sites for one in busy.sdks] == [1]
    assert "does not show that it runs" in make.finding(idle, "PSB-A-SUPPLY-01@adkit").counter[0].en


def test_the_framework_of_a_binary_is_its_actor(world, make):
    from proscribe.assess.facts import MachO

    symbol = "_OBJC_CLASS_$_CNContactStore"
    more = tuple(
        MachO(
            f"Payload/Shop.app/Frameworks/{name}", "1" * 64, "arm64", encrypted=False, imports=(symbol,), identifier=i
        )
        for name, i in (
            ("AdKit.framework/AdKit", "com.adkit"),
            ("Own.framework/Own", "com.example.own"),
            ("Else.framework/Else", "org.else"),
            ("libswift.dylib", ""),
        )
    )
    assessment = world.judge(make.ipa(more=more))
    by_actor = {one.actor.sdk or one.actor.kind.value: one.evidence_total for one in assessment.findings}
    assert by_actor == {"adkit": 1, "app": 1, "unattributed": 2}
    assert [one.id for one in assessment.sdks] == ["adkit"]


# ---- evidence ------------------------------------------------------------------------------------------------------


def test_evidence_is_capped_and_counted_with_room_for_declarations(world, make):
    sites = [make.call(make.LOCATE, offset=number) for number in range(100)]
    sites.append(make.call("location_mode", kind=SiteKind.string, subject="location_mode"))
    found = make.finding(world.judge(make.app(*sites, permissions=("ACCESS_FINE_LOCATION",))), "PSB-A-LOCATION-01@app")
    assert (len(found.evidence), found.evidence_total) == (SHOWN, 102)
    assert found.evidence[-1].kind is EvidenceKind.permission
    assert [one.offset for one in found.evidence[:3]] == [0, 1, 2]


def test_every_api_is_shown_before_any_twice(world, make):
    packs = make.packs(apis=(*make.APIS, make.api("method", "Lz;->locate", "PSB-A-LOCATION-01")))
    sites = [make.call(make.LOCATE, offset=number) for number in range(60)] + [make.call("Lz;->locate")]
    found = make.finding(
        world.judge(make.app(*sites, permissions=("ACCESS_FINE_LOCATION",)), packs=packs), "PSB-A-LOCATION-01@app"
    )
    assert {one.subject for one in found.evidence[:2]} == {make.LOCATE + "()V", "Lz;->locate()V"}


def test_many_declarations_leave_room_for_places_in_code(world, make):
    sites = [make.call(make.PACKAGES, offset=number) for number in range(60)]
    found = make.finding(
        world.judge(make.app(*sites, query_packages=tuple(f"com.p{number}" for number in range(300)))),
        "PSB-A-APPS-01@app",
    )
    kinds = [one.kind for one in found.evidence]
    assert (kinds.count(EvidenceKind.call), kinds.count(EvidenceKind.query)) == (32, 8)
    assert found.evidence_total == 360


def test_findings_carry_maps_caution_and_stable_ids(world, make):
    found = world.judge(make.app(make.call(make.CLIP))).findings[0]
    assert found.id == f"{found.capability}@app"
    assert found.maps[0].framework == "attack-mobile@20.0"
    assert found.caution.en == "static only"


@pytest.mark.parametrize(
    ("caller", "there"),
    [
        ("androidx.core.Compat", False),
        ("androidx.core.Compat$1", False),
        ("androidx.core.CompatExtra", True),
        ("androidx.wrap.deep.Any", False),
        ("com.example.shop.lite.Main", True),
    ],
)
def test_a_row_leaves_out_callers_that_merely_hand_the_call_on(world, make, caller, there):
    row = make.replace(
        make.api("method", "Lx;->read", "PSB-A-CLIPBOARD-01"), unless=("androidx.core.Compat", "androidx.wrap")
    )
    packs = make.packs(apis=(*make.APIS, row))
    assert bool(world.judge(make.app(make.call("Lx;->read", caller)), packs=packs).findings) is there
