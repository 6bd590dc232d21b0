"""A small world for judgements: packs of a few rows, and facts of an app that tests change one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from proscribe.assess.facts import (
    AndroidFacts,
    CodeFacts,
    Component,
    DexFile,
    Entitlement,
    Host,
    IosFacts,
    MachO,
    PackageCount,
    Run,
    Site,
    SpecialAccess,
    UsageDescription,
    UsesPermission,
)
from proscribe.assess.gathered import Gathered
from proscribe.assess.model import Assessment
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import (
    PACKS,
    ApiKind,
    ApiRow,
    CapabilityRow,
    HostRow,
    JurisdictionRow,
    OperatorRow,
    PermissionRow,
    SdkRow,
)
from proscribe.assess.profile import Package, PackageFormat, Part, Reference
from proscribe.assess.rate.judge import judge
from proscribe.assess.rate.rubric import load_rubric
from proscribe.assess.terms import Area, Extent, FactClass, Grant, SiteKind, SpecialKind
from proscribe.canonical import Digest
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.library import load as load_catalogue
from proscribe.terms import Platform
from proscribe.text import Text

DEX = "d" * 64
MANIFEST = "a" * 64
XML = "c" * 64
APP = "com.example.shop.lite"
ANDROID = "android.permission."


def text(words: str) -> Text:
    return Text(words, f"{words} (fr)")


def capability(
    name: str, area: Area, declared_by: tuple[str, ...] = (), grant: Grant = Grant.prompt, *, needs: bool | None = None
) -> CapabilityRow:
    return CapabilityRow(
        id=name,
        platform="ios" if name.startswith("PSB-I") else "android",
        area=area,
        title=text(f"Can do {name}"),
        caution=text("static only"),
        grant=grant,
        needs_declaration=bool(declared_by) if needs is None else needs,
        declared_by=declared_by,
        maps=(("attack-mobile@20.0", ("T1000",)),),
        source="test",
        lower=text(f"A version without {name}."),
    )


CAPABILITIES = (
    capability("PSB-A-CONTACTS-01", Area.contacts, (f"permission:{ANDROID}READ_CONTACTS",)),
    capability("PSB-A-LOCATION-01", Area.location, (f"permission:{ANDROID}ACCESS_FINE_LOCATION",)),
    capability("PSB-A-SENSORS-01", Area.sensors, (f"permission:{ANDROID}RECORD_AUDIO",)),
    capability("PSB-A-RECORDS-01", Area.records, (f"permission:{ANDROID}READ_SMS",)),
    capability(
        "PSB-A-IDENTIFIERS-01",
        Area.identifiers,
        (f"permission:{ANDROID}READ_PHONE_STATE", f"permission:{ANDROID}READ_PRIVILEGED_PHONE_STATE"),
    ),
    capability("PSB-A-CLIPBOARD-01", Area.clipboard, grant=Grant.automatic),
    capability("PSB-A-APPS-01", Area.apps, ("query:all", "query:any"), Grant.automatic, needs=False),
    capability("PSB-A-SCREEN-01", Area.screen, grant=Grant.prompt),
    capability(
        "PSB-A-INTERFACE-01",
        Area.interface,
        ("special:accessibility:canRetrieveWindowContent=true",),
        Grant.special_access,
    ),
    capability("PSB-A-KEYBOARD-01", Area.keyboard, ("special:input_method",), Grant.special_access),
    capability("PSB-A-NOTIFICATIONS-01", Area.notifications, ("special:notification_listener",), Grant.special_access),
    capability("PSB-A-FILES-01", Area.files, ("special:all_files",), Grant.special_access),
    capability("PSB-A-FILES-02", Area.files, (f"permission:{ANDROID}READ_EXTERNAL_STORAGE",)),
    capability("PSB-A-NETWORK-01", Area.network, ("special:vpn",)),
    capability("PSB-A-NETWORK-02", Area.network, ("network:cleartext",), Grant.automatic, needs=False),
    capability("PSB-A-CONTROL-01", Area.control, ("special:device_admin:wipe-data",), Grant.administrator),
    capability("PSB-A-CODE-01", Area.changeable_code, grant=Grant.automatic),
    capability("PSB-A-HIDDEN-01", Area.hidden_code, ("code:packer", "code:encrypted"), Grant.automatic, needs=False),
    capability("PSB-A-HIDDEN-02", Area.hidden_code, ("code:reflection",), Grant.automatic, needs=False),
    capability(
        "PSB-A-BACKGROUND-01",
        Area.background,
        ("boot", "foreground:location", f"permission:{ANDROID}RECEIVE_BOOT_COMPLETED"),
        Grant.automatic,
    ),
    capability("PSB-A-SUPPLY-01", Area.supply_chain, ("sdk:any",), Grant.automatic, needs=False),
    capability("PSB-I-CONTACTS-01", Area.contacts, ("plist:NSContactsUsageDescription",)),
    capability("PSB-I-SENSORS-01", Area.sensors, ("plist:NSMicrophoneUsageDescription",)),
    capability(
        "PSB-I-LOCATION-01", Area.location, ("plist:NSLocationWhenInUseUsageDescription", "background:location")
    ),
    capability("PSB-I-RECORDS-01", Area.records, ("plist:NSCalendarsUsageDescription",)),
    capability("PSB-I-FILES-01", Area.files, ("plist:NSPhotoLibraryUsageDescription",)),
    capability("PSB-I-APPS-01", Area.apps, ("schemes:any",), Grant.automatic),
    capability("PSB-I-NETWORK-01", Area.network, ("entitlement:com.apple.vpn",)),
    capability("PSB-I-NETWORK-02", Area.network, ("ats:arbitrary",), Grant.automatic, needs=False),
    capability("PSB-I-NETWORK-06", Area.network, ("entitlement:com.apple.filter",), Grant.administrator),
    capability("PSB-I-KEYBOARD-01", Area.keyboard, ("keyboard:open_access",), Grant.special_access),
    capability("PSB-I-HIDDEN-01", Area.hidden_code, ("code:fairplay",), Grant.automatic, needs=False),
    capability("PSB-I-SUPPLY-01", Area.supply_chain, ("sdk:any",), Grant.automatic, needs=False),
)


def api(kind: ApiKind, watch: str, name: str, *permission: str, argument: str = "", signature: str = "") -> ApiRow:
    permissions = tuple(ANDROID + one for one in permission)
    return ApiRow(kind, watch, name, "test", permissions, argument, signature)


LOCATE = "Landroid/location/LocationManager;->getLastKnownLocation"
DEVICE_ID = "Landroid/telephony/TelephonyManager;->getDeviceId"
CLIP = "Landroid/content/ClipboardManager;->getPrimaryClip"
LOADER = "Ldalvik/system/DexClassLoader;-><init>"
EVENT = "Landroid/accessibilityservice/AccessibilityService;->onAccessibilityEvent"
KEYS = "Landroid/inputmethodservice/InputMethodService;->onCreateInputView"
POSTED = "Landroid/service/notification/NotificationListenerService;->onNotificationPosted"
RECORD = "Landroid/media/AudioRecord;->startRecording"
PROJECT = "Landroid/media/projection/MediaProjection;->createVirtualDisplay"
PACKAGES = "Landroid/content/pm/PackageManager;->getInstalledPackages"
SETTING = "Landroid/provider/Settings$Secure;->getString"
ADMIN = "Landroid/app/admin/DevicePolicyManager;->wipeData"
VPN = "Landroid/net/VpnService$Builder;->establish"
STORAGE = "Landroid/os/Environment;->isExternalStorageManager"
CONTACTS = "Landroid/provider/ContactsContract$Contacts;->CONTENT_URI"

APIS = (
    api(ApiKind.method, LOCATE, "PSB-A-LOCATION-01", "ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION"),
    api(ApiKind.method, DEVICE_ID, "PSB-A-IDENTIFIERS-01", "READ_PHONE_STATE", "READ_PRIVILEGED_PHONE_STATE"),
    api(ApiKind.method, CLIP, "PSB-A-CLIPBOARD-01"),
    api(ApiKind.method, LOADER, "PSB-A-CODE-01"),
    api(ApiKind.method, RECORD, "PSB-A-SENSORS-01", "RECORD_AUDIO"),
    api(ApiKind.method, PROJECT, "PSB-A-SCREEN-01", signature="(Ljava/lang/String;"),
    api(ApiKind.method, PACKAGES, "PSB-A-APPS-01"),
    api(ApiKind.method, SETTING, "PSB-A-IDENTIFIERS-01", argument="android_id"),
    api(ApiKind.method, ADMIN, "PSB-A-CONTROL-01"),
    api(ApiKind.method, VPN, "PSB-A-NETWORK-01"),
    api(ApiKind.method, STORAGE, "PSB-A-FILES-01"),
    api(ApiKind.field, CONTACTS, "PSB-A-CONTACTS-01", "READ_CONTACTS"),
    api(ApiKind.uri, "content://sms", "PSB-A-RECORDS-01", "READ_SMS"),
    api(ApiKind.string, "location_mode", "PSB-A-LOCATION-01"),
    api(ApiKind.callback, EVENT, "PSB-A-INTERFACE-01"),
    api(ApiKind.callback, KEYS, "PSB-A-KEYBOARD-01"),
    api(ApiKind.callback, POSTED, "PSB-A-NOTIFICATIONS-01"),
    api(ApiKind.native, "AAudioStream_requestStart", "PSB-A-SENSORS-01", "RECORD_AUDIO"),
    api(ApiKind.macho, "_OBJC_CLASS_$_CNContactStore", "PSB-I-CONTACTS-01"),
    api(ApiKind.macho, "_OBJC_CLASS_$_AVAudioRecorder", "PSB-I-SENSORS-01"),
    api(ApiKind.macho, "_OBJC_CLASS_$_CLLocationManager", "PSB-I-LOCATION-01"),
    api(ApiKind.macho, "_OBJC_CLASS_$_PHAsset", "PSB-I-FILES-01"),
    api(ApiKind.macho, "_OBJC_CLASS_$_NEVPNManager", "PSB-I-NETWORK-01"),
    api(ApiKind.library, "EventKit", "PSB-I-RECORDS-01"),
)

PERMISSIONS = (
    PermissionRow(f"{ANDROID}READ_CONTACTS", "dangerous", Grant.prompt, "test"),
    PermissionRow(f"{ANDROID}ACCESS_FINE_LOCATION", "dangerous", Grant.prompt, "test"),
    PermissionRow(f"{ANDROID}ACCESS_COARSE_LOCATION", "dangerous", Grant.prompt, "test"),
    PermissionRow(f"{ANDROID}RECORD_AUDIO", "dangerous", Grant.prompt, "test"),
    PermissionRow(f"{ANDROID}READ_SMS", "dangerous", Grant.prompt, "test"),
    PermissionRow(f"{ANDROID}READ_PHONE_STATE", "dangerous", Grant.prompt, "test"),
    PermissionRow(f"{ANDROID}READ_PRIVILEGED_PHONE_STATE", "signature|privileged", Grant.never, "test"),
    PermissionRow(f"{ANDROID}READ_EXTERNAL_STORAGE", "dangerous", Grant.prompt, "test", until=32),
    PermissionRow(f"{ANDROID}GET_TASKS", "normal", Grant.automatic, "test", until=21),
    PermissionRow(f"{ANDROID}RECEIVE_BOOT_COMPLETED", "normal", Grant.automatic, "test"),
    PermissionRow(f"{ANDROID}INTERNET", "normal", Grant.automatic, "test"),
)


def sdk(name: str, *prefixes: str, country: str = "CN", **more: Any) -> SdkRow:
    return SdkRow(
        id=name,
        name=name.title(),
        vendor=f"{name.title()} Ltd",
        country=country,
        purpose=text("ads"),
        category="ads",
        prefixes=prefixes,
        evidence_class="package",
        source="test",
        reviewed="2026-11-01",
        **more,
    )


SDKS = (
    sdk("adkit", "com.adkit", native=("libadkit.so",), components=("org.moved.AdkitPush",), frameworks=("AdKit",)),
    sdk("adkit-pay", "com.adkit.pay", country="RU"),
    sdk("maker", "com.example.ads", country="US"),
)

OPERATORS = (
    OperatorRow("adkit", "Adkit Ltd", "CN", "test", parent="holding", since="2020-01-01"),
    OperatorRow("holding", "Holding AG", "CH", "test"),
    OperatorRow("wechat-maker", "Tencent", "CN", "test", publisher="tencent"),
)

HOSTS = (
    HostRow("adkit.example", "adkit", "test", "ads"),
    HostRow("schemas.example", "", "test", "namespace"),
)

JURISDICTIONS = (
    JurisdictionRow("CN", Text("China", "Chine"), (Text("a law", "une loi"),), "test", tld="cn"),
    JurisdictionRow("CH", Text("Switzerland", "Suisse"), (), "test", tld="ch"),
)


@dataclass(frozen=True)
class World:
    """Packs, rubric, catalogue; ``judge`` with all of them."""

    packs: Packs
    rubric: Any
    library: Catalogue

    def judge(self, gathered: Gathered, **more: Any) -> Assessment:
        rubric = more.pop("rubric", self.rubric)
        packs = more.pop("packs", self.packs)
        return judge(gathered, packs, rubric, library=self.library, **more)


def make_packs(**changed: tuple[Any, ...]) -> Packs:
    rows = {
        "permissions": PERMISSIONS,
        "apis": APIS,
        "capabilities": CAPABILITIES,
        "sdks": SDKS,
        "hosts": HOSTS,
        "operators": OPERATORS,
        "jurisdictions": JURISDICTIONS,
    } | changed
    return Packs(
        headers={},
        references=tuple(Reference(name, "2026.11.1", Digest("sha256:" + "0" * 64)) for name in PACKS),
        permissions={one.name: one for one in rows["permissions"]},
        apis=rows["apis"],
        capabilities={one.id: one for one in rows["capabilities"]},
        sdks={one.id: one for one in rows["sdks"]},
        hosts={one.domain: one for one in rows["hosts"]},
        operators={one.id: one for one in rows["operators"]},
        jurisdictions={one.country: one for one in rows["jurisdictions"]},
    )


def call(watch: str, caller: str = "com.example.shop.lite.Main", offset: int = 4, **more: Any) -> Site:
    """A call site; ``args``: the overload."""
    arguments = more.pop("args", "()V")
    return Site(
        kind=more.pop("kind", SiteKind.call),
        member=more.pop("member", "classes.dex"),
        sha256=more.pop("sha256", DEX),
        subject=more.pop("subject", watch + arguments),
        watch=watch,
        caller=f"L{caller.replace('.', '/')};->m()V" if caller else "",
        offset=offset,
        literal=more.pop("literal", ""),
    )


def callback(watch: str, owner: str) -> Site:
    method = f"L{owner.replace('.', '/')};->{watch.partition('->')[2]}()V"
    return Site(SiteKind.callback, "classes.dex", DEX, method, watch, method)


def app(
    *sites: Site,
    permissions: tuple[str, ...] = (),
    special: tuple[SpecialAccess, ...] = (),
    components: tuple[Component, ...] = (),
    runs: tuple[Run, ...] | None = None,
    code: dict[str, Any] | None = None,
    **manifest: Any,
) -> Gathered:
    """An Android app. ``permissions`` without ``android.permission.`` where that is the prefix."""
    asked = tuple(
        one if isinstance(one, UsesPermission) else UsesPermission(one if "." in one else ANDROID + one)
        for one in permissions
    )
    facts = AndroidFacts(
        **{
            "package": APP,
            "version_name": "1.0",
            "version_code": "10",
            "label": "Shop",
            "min_sdk": 24,
            "target_sdk": 34,
            "permissions": asked,
            "special": special,
            "components": components,
        }
        | manifest
    )
    return Gathered(
        platform=Platform.android,
        package=Package(PackageFormat.apk, "e" * 64, 1000, (Part("", "base", "e" * 64, 1000),)),
        android=facts,
        ios=None,
        signing=(),
        code=CodeFacts(
            **{
                "dex": (DexFile("classes.dex", DEX, 100),),
                "sites": sites,
                "packages": (PackageCount(APP, 10),),
            }
            | (code or {})
        ),
        runs=runs
        if runs is not None
        else (
            Run(FactClass.manifest, "axml", Extent.complete, 1, 1),
            Run(FactClass.dex, "dex", Extent.complete, 1, 1),
        ),
        anomalies=(),
        digests={"AndroidManifest.xml": MANIFEST, "classes.dex": DEX, "res/xml/access.xml": XML},
        tools=(),
    )


def accessibility(component: str = "com.example.shop.lite.Eye", *details: str) -> SpecialAccess:
    details = details or ("canRetrieveWindowContent=true",)
    return SpecialAccess(
        SpecialKind.accessibility, component, ANDROID + "BIND_ACCESSIBILITY_SERVICE", "res/xml/access.xml", details
    )


def ipa(imports: tuple[str, ...] = (), libraries: tuple[str, ...] = (), **facts: Any) -> Gathered:
    """An iOS app with one binary."""
    root = "Payload/Shop.app"
    binary = MachO(
        f"{root}/Shop",
        "b" * 64,
        "arm64",
        encrypted=facts.pop("encrypted", False),
        imports=imports,
        libraries=libraries,
        identifier="com.example.shop",
    )
    usage = tuple(UsageDescription(key, "to shop", f"{root}/Info.plist") for key in facts.pop("usage", ()))
    entitlements = tuple(Entitlement(key, "true", "codesign-xml", f"{root}/Shop") for key in facts.pop("signed", ()))
    bundle = IosFacts(
        **{
            "bundle_id": "com.example.shop",
            "version": "1.0",
            "name": "Shop",
            "executable": "Shop",
            "usage": usage,
            "entitlements": entitlements,
            "binaries": (binary, *facts.pop("more", ())),
            "team_id": "TEAM000001",
        }
        | facts
    )
    return Gathered(
        platform=Platform.ios,
        package=Package(PackageFormat.ipa, "f" * 64, 1000, (Part("", "ipa", "f" * 64, 1000),)),
        android=None,
        ios=bundle,
        signing=(),
        code=CodeFacts(),
        runs=(Run(FactClass.plist, "plistlib", Extent.complete, 1, 1), Run(FactClass.macho, "lief", Extent.complete)),
        anomalies=(),
        digests={f"{root}/Info.plist": MANIFEST, f"{root}/Shop": "b" * 64},
        tools=(),
    )


@pytest.fixture(scope="session")
def world() -> World:
    return World(make_packs(), load_rubric(), load_catalogue())


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders of this file, for tests that cannot import it."""
    return SimpleNamespace(
        app=app,
        ipa=ipa,
        call=call,
        callback=callback,
        accessibility=accessibility,
        packs=make_packs,
        strong=strong,
        finding=finding,
        area=area,
        LOCATE=LOCATE,
        DEVICE_ID=DEVICE_ID,
        CLIP=CLIP,
        LOADER=LOADER,
        EVENT=EVENT,
        KEYS=KEYS,
        POSTED=POSTED,
        RECORD=RECORD,
        PROJECT=PROJECT,
        PACKAGES=PACKAGES,
        SETTING=SETTING,
        ADMIN=ADMIN,
        VPN=VPN,
        STORAGE=STORAGE,
        CONTACTS=CONTACTS,
        APP=APP,
        ANDROID=ANDROID,
        capability=capability,
        api=api,
        sdk=sdk,
        CAPABILITIES=CAPABILITIES,
        APIS=APIS,
        Host=Host,
        replace=replace,
    )


def strong() -> Gathered:
    """An app of pervasive access: five areas at E3, accessibility, and code loaded by an SDK."""
    return app(
        call(LOCATE),
        call(LOCATE, "com.adkit.core.Where", 8),
        call(DEVICE_ID),
        call(CLIP),
        call(RECORD),
        call(LOADER, "com.adkit.Loader", 12, literal="/data/x.jar"),
        call("content://sms", kind=SiteKind.string, subject="content://sms/inbox"),
        callback(EVENT, "com.example.shop.lite.Eye"),
        permissions=("ACCESS_FINE_LOCATION", "READ_PHONE_STATE", "RECORD_AUDIO", "READ_SMS", "READ_CONTACTS"),
        special=(accessibility(),),
        components=(Component("service", "com.example.shop.lite.Eye", actions=("bind",)),),
        code={"packages": (PackageCount(APP, 10), PackageCount("com.adkit", 3), PackageCount("com.adkit.core", 4))},
    )


def finding(assessment: Assessment, name: str) -> Any:
    """The finding of that id."""
    return {one.id: one for one in assessment.findings}[name]


def area(assessment: Assessment, which: Area) -> Any:
    """A row of the access map."""
    return next(one for one in assessment.access if one.area is which)


Builder = Callable[..., Gathered]
