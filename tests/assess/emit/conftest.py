"""An assessment made by hand, as rich as a real one: every rung, every kind of actor, and words meant to deceive.

It is modelled on a real package with a second maker's browser inside (assess.md, section 0); digests are invented.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest

from proscribe.assess import facts, profile
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Evidence, EvidenceKind, Finding
from proscribe.assess.terms import (
    ActorKind,
    Area,
    Declaration,
    Extent,
    FactClass,
    Grant,
    Ladder,
    Rating,
    Scheme,
    SignatureState,
    SpecialKind,
)
from proscribe.canonical import Digest
from proscribe.terms import Platform
from proscribe.text import Text

HOSTILE = '<script>alert("1")</script>\u202egpj.exe\x1b[31m\u200b' + "Z" * 400


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


MANIFEST, DEX, DEX2 = "AndroidManifest.xml", "classes.dex", "classes2.dex"
CERTIFICATE = digest("certificate")
APP = profile.Actor(ActorKind.app, name="Yosemite")
TBS = profile.Actor(ActorKind.sdk, "tencent-tbs", "Tencent TBS (X5)", "Tencent", "CN", "tencent")
NOBODY = profile.Actor(ActorKind.unattributed)
DECLARED = profile.Actor(ActorKind.declaration)
CAUTION = Text(
    "Static: this does not show that the call runs.", "Analyse statique : ne montre pas que l'appel s'exécute."
)


def permission(name: str) -> Evidence:
    return Evidence(EvidenceKind.permission, MANIFEST, digest(MANIFEST), f"android.permission.{name}")


def call(subject: str, caller: str, offset: int, member: str = DEX, detail: str = "") -> Evidence:
    return Evidence(EvidenceKind.call, member, digest(member), subject, caller, offset, detail)


def special(subject: str, detail: str = "") -> Evidence:
    return Evidence(EvidenceKind.special_access, MANIFEST, digest(MANIFEST), subject, detail=detail)


def maps(*techniques: str, masvs: str = "MASVS-PRIVACY-1", maswe: str = "MASWE-0066") -> tuple[profile.Mapping, ...]:
    return (
        profile.Mapping("attack-mobile@20.0", techniques),
        profile.Mapping("masvs@2.1.0", (masvs,)),
        profile.Mapping("maswe@1.0.0", (maswe,)),
        profile.Mapping("niap-app-pp@1.4", ("FDP_DEC_EXT.1.2",)),
    )


ACTORS = {ActorKind.app: "app", ActorKind.unattributed: "unattributed", ActorKind.declaration: "declaration"}


def finding(
    capability: str,
    area: Area,
    title: Text,
    ladder: Ladder,
    grant: Grant,
    actor: profile.Actor,
    *evidence: Evidence,
    declaration: Declaration = Declaration.declared,
    technique: str = "T1636.003",
    **more: object,
) -> Finding:
    return Finding(
        id=f"{capability}@{ACTORS.get(actor.kind, actor.sdk)}",
        capability=capability,
        area=area,
        title=title,
        ladder=ladder,
        declaration=declaration,
        grant=grant,
        actor=actor,
        evidence=evidence,
        evidence_total=len(evidence),
        maps=maps(technique),
        caution=CAUTION,
        **more,  # type: ignore[arg-type]
    )


SCREEN = (
    "Landroid/media/projection/MediaProjection;->createVirtualDisplay(Ljava/lang/String;IIIILandroid/view/Surface;)V"
)
FINDINGS = (
    finding(
        "PSB-A-CONTACTS-01", Area.contacts, Text("Reads contacts", "Lit les contacts"), Ladder.declared, Grant.prompt,
        DECLARED, permission("READ_CONTACTS"),
        counter=(Text("declared, no code found", "déclaré, aucun code trouvé"),),
    ),
    finding(
        "PSB-A-RECORDS-02", Area.records, Text("Reads text messages", "Lit les messages texte"), Ladder.called,
        Grant.prompt, APP, permission("READ_SMS"),
        call("content://sms", "Lcom/netease/nie/yosemite/sms/Reader;->all()Ljava/util/List;", 12, detail="content://sms/inbox"),
        technique="T1636.004",
    ),
    finding(
        "PSB-A-LOCATION-01", Area.location, Text("Reads the location", "Lit la position"), Ladder.called, Grant.prompt,
        TBS, permission("ACCESS_FINE_LOCATION"),
        call("Landroid/location/LocationManager;->getLastKnownLocation(Ljava/lang/String;)Landroid/location/Location;",
             "Lcom/tencent/smtt/sdk/TbsLogReport;->a()V", 77, DEX2),
        technique="T1430",
    ),
    finding(
        "PSB-A-SENSORS-01", Area.sensors, Text("Records sound", "Enregistre le son"), Ladder.called, Grant.prompt, APP,
        permission("RECORD_AUDIO"),
        call("Landroid/media/AudioRecord;->startRecording()V", "Lcom/netease/nie/yosemite/rec/Sound;->run()V", 31),
        technique="T1429",
        released=profile.Release("Director, mobile security", "Confirmed by the engineers on 2 November."),
    ),
    finding(
        "PSB-A-FILES-01", Area.files, Text("Reads and writes shared files", "Lit et écrit les fichiers partagés"),
        Ladder.called, Grant.prompt, TBS, permission("WRITE_EXTERNAL_STORAGE"),
        call("Landroid/os/Environment;->getExternalStorageDirectory()Ljava/io/File;",
             "Lcom/tencent/smtt/utils/FileUtil;->b(Landroid/content/Context;)V", 9, DEX2),
        technique="T1533",
    ),
    finding(
        "PSB-A-SCREEN-02", Area.screen, Text("Captures the screen", "Capture l'écran"), Ladder.called, Grant.prompt,
        APP, call(SCREEN, "Lcom/netease/nie/yosemite/screen/Capture;->start()V", 42), technique="T1513",
    ),
    finding(
        "PSB-A-INTERFACE-01", Area.interface,
        Text("Reads every window and acts in the user's place (accessibility)",
             "Lit chaque fenêtre et agit à la place de l'utilisateur (accessibilité)"),
        Ladder.called, Grant.special_access, APP,
        special("com.netease.nie.yosemite.A11yService", "canRetrieveWindowContent=true"),
        call("Landroid/accessibilityservice/AccessibilityService;->getRootInActiveWindow()Landroid/view/accessibility/"
             "AccessibilityNodeInfo;", "Lcom/netease/nie/yosemite/A11yService;->dump()V", 6),
        technique="T1453",
    ),
    finding(
        "PSB-A-KEYBOARD-01", Area.keyboard, Text("Is a keyboard: sees all typing", "Clavier : voit la saisie"),
        Ladder.called, Grant.special_access, APP, special("com.netease.nie.yosemite.ime.YosemiteIme"),
        technique="T1417.001",
    ),
    finding(
        "PSB-A-CLIPBOARD-01", Area.clipboard, Text("Reads the clipboard", "Lit le presse-papiers"), Ladder.called,
        Grant.automatic, APP,
        call("Landroid/content/ClipboardManager;->getPrimaryClip()Landroid/content/ClipData;",
             "Lcom/netease/nie/yosemite/Clip;->get()V", 3),
        declaration=Declaration.not_needed, technique="T1414",
    ),
    finding(
        "PSB-A-APPS-02", Area.apps, Text("Lists installed apps", "Énumère les applications installées"),
        Ladder.referenced, Grant.automatic, NOBODY,
        Evidence(EvidenceKind.reference, DEX, digest(DEX), "Landroid/content/pm/PackageManager;->getInstalledPackages"),
        declaration=Declaration.not_declared, technique="T1418",
    ),
    finding(
        "PSB-A-IDENT-01", Area.identifiers, Text("Reads phone identifiers", "Lit les identifiants du téléphone"),
        Ladder.called, Grant.never, TBS, permission("READ_PRIVILEGED_PHONE_STATE"),
        call("Landroid/telephony/TelephonyManager;->getDeviceId()Ljava/lang/String;",
             "Lcom/tencent/smtt/sdk/stat/b;->imei()V", 18, DEX2),
        technique="T1426",
    ),
    finding(
        "PSB-A-NETWORK-03", Area.network,
        Text("Accepts any certificate in a web view", "Accepte tout certificat dans une vue Web"),
        Ladder.called, Grant.automatic, TBS,
        call("Landroid/webkit/SslErrorHandler;->proceed()V",
             "Lcom/tencent/smtt/sdk/SystemWebViewClient;->onReceivedSslError(Landroid/webkit/WebView;Landroid/webkit/"
             "SslErrorHandler;Landroid/net/http/SslError;)V", 5, DEX2),
        declaration=Declaration.not_needed, technique="T1638",
    ),
    finding(
        "PSB-A-CONTROL-02", Area.control, Text("Asks to install packages", "Demande d'installer des paquets"),
        Ladder.declared, Grant.special_access, DECLARED, permission("REQUEST_INSTALL_PACKAGES"), technique="T1407",
        suppressed=profile.Suppression(
            "The test bench installs its own helpers.", "A. Analyst, assessments", date(2027, 3, 31)
        ),
    ),
    finding(
        "PSB-A-CODE-01", Area.changeable_code, Text("Loads code at run time", "Charge du code à l'exécution"),
        Ladder.called, Grant.automatic, TBS,
        call("Ldalvik/system/DexClassLoader;-><init>(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/"
             "ClassLoader;)V", "Lcom/tencent/smtt/export/external/DexLoader;-><init>()V", 64, DEX2),
        call("Ldalvik/system/DexClassLoader;-><init>(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/"
             "ClassLoader;)V", "Lcom/tencent/smtt/sdk/l;->a()V", 21, DEX2, detail="/data/local/tmp/" + HOSTILE),
        declaration=Declaration.not_needed, technique="T1407",
    ),
    finding(
        "PSB-A-BACKGROUND-01", Area.background, Text("Starts with the phone", "Démarre avec le téléphone"),
        Ladder.observed, Grant.automatic, APP, permission("RECEIVE_BOOT_COMPLETED"),
        Evidence(EvidenceKind.observed, "", "", "started 4 s after boot", detail="2026-11-02T14:03:00Z"),
        technique="T1624.001",
    ),
    finding(
        "PSB-A-SUPPLY-01", Area.supply_chain, Text("Holds another maker's code", "Contient le code d'un autre éditeur"),
        Ladder.referenced, Grant.automatic, TBS,
        Evidence(EvidenceKind.class_prefix, DEX2, digest(DEX2), "com.tencent.smtt", detail="412"),
        declaration=Declaration.not_needed, technique="T1474.001",
    ),
)  # fmt: skip

SUMMARIES = {
    Ladder.none: Text("No sign in this package.", "Aucun signe dans ce paquet."),
    Ladder.declared: Text("Asked for; no code found.", "Demandé; aucun code trouvé."),
    Ladder.referenced: Text("The API is named in the code.", "L'API est nommée dans le code."),
    Ladder.called: Text("Code that does it was found.", "Du code qui le fait a été trouvé."),
    Ladder.observed: Text("Seen at run time.", "Observé à l'exécution."),
}
NAMES = {ActorKind.app: "the app", ActorKind.unattributed: "unattributed", ActorKind.declaration: "declaration"}


def area_access(area: Area, findings: tuple[Finding, ...]) -> profile.AreaAccess:
    mine = [one for one in findings if one.area is area]
    best = max(mine, key=lambda one: one.ladder) if mine else None
    counts = bool(best) and best.grant is not Grant.never and best.suppressed is None
    return profile.AreaAccess(
        area,
        best.ladder if best else Ladder.none,
        best.declaration if best else Declaration.not_declared,
        best.grant if best else Grant.unknown,
        tuple(one.id for one in mine),
        tuple(dict.fromkeys(one.actor.name if one.actor.sdk else NAMES[one.actor.kind] for one in mine)),
        counts,
        SUMMARIES[best.ladder if best else Ladder.none],
    )


def permissions() -> tuple[profile.PermissionView, ...]:
    asked = Text("The user is asked.", "L'utilisateur est sollicité.")
    never = Text("An app from a store can never hold it.", "Une application de boutique ne peut jamais l'obtenir.")
    unknown = Text("No pack knows it.", "Aucun ensemble de données ne la connaît.")
    rows = [(name, "dangerous", Grant.prompt, True, asked) for name in ("READ_CONTACTS", "READ_SMS", "RECORD_AUDIO")]
    rows += [
        ("READ_PRIVILEGED_PHONE_STATE", "signature|privileged", Grant.never, False, never),
        ("RECEIVE_BOOT_COMPLETED", "normal", Grant.automatic, True, Text("Given at once.", "Accordée d'emblée.")),
        ("x" * 200, "", Grant.unknown, False, unknown),
    ]
    return tuple(profile.PermissionView(f"android.permission.{name}", *rest) for name, *rest in rows)


def host(name: str, operator: str, country: str, tld: str = "") -> profile.HostView:
    return profile.HostView(name, ".".join(name.split(".")[-2:]), operator, country, tld, "", (DEX2,))


HOSTS = (
    *(host(f"{name}.qq.com", "tencent", "CN") for name in ("cfg.imtt", "debugtbs", "log.tbs", "mdc.html5", "soft.tbs")),
    host("yosemite.nie.netease.com", "netease", "CN"),
    host("schemas.example.ru", "", "", "RU"),
    host("fonts.gstatic.com", "alphabet", "US"),
)
EXPOSURE = profile.Exposure(
    publisher=profile.Operator("netease", "NetEase", "CN", since="1997", source="https://ir.netease.com"),
    countries=(
        profile.CountryExposure(
            "CN", Text("China", "Chine"), ("publisher: NetEase", "sdk: Tencent TBS (X5)", "hosts: 5 of tencent"),
            (Text("National Intelligence Law (2017), articles 7 and 14",
                  "Loi sur le renseignement national (2017), articles 7 et 14"),),
            ("https://www.npc.gov.cn",),
        ),
        profile.CountryExposure(
            "US", Text("United States", "États-Unis"), ("hosts: 1 of alphabet",),
            (Text("CLOUD Act (2018)", "CLOUD Act (2018)"),), ("https://www.congress.gov/bill/115th-congress/house-bill/4943",),
        ),
    ),
    hosts=HOSTS,
    hosts_total=len(HOSTS),
    unattributed_hosts=1,
)  # fmt: skip

ANDROID = facts.AndroidFacts(
    package="com.netease.nie.yosemite", version_name="3.3.1", version_code="331", label="Yosemite", min_sdk=21,
    target_sdk=28, permissions=(facts.UsesPermission("android.permission.READ_CONTACTS"),),
    special=(
        facts.SpecialAccess(SpecialKind.accessibility, "com.netease.nie.yosemite.A11yService",
                            "android.permission.BIND_ACCESSIBILITY_SERVICE", "res/xml/a11y.xml",
                            ("canRetrieveWindowContent=true",)),
    ),
    network=facts.NetworkSecurity(cleartext=True),
)  # fmt: skip

RUNS = (
    facts.Run(FactClass.container, "container", Extent.complete, 1204, 1204),
    facts.Run(FactClass.manifest, "apk-info 1.0.13", Extent.complete, 1, 1),
    facts.Run(FactClass.manifest, "axml", Extent.complete, 1, 1),
    facts.Run(FactClass.signature, "signature", Extent.complete, 2, 2),
    facts.Run(FactClass.dex, "dex", Extent.partial, 2, 3, "dex.checksum", "classes3.dex"),
    facts.Run(FactClass.native, "lief 0.17", Extent.hidden, 3, 4, "elf.encrypted", "lib/armeabi/libtbs.so"),
    facts.Run(FactClass.splits, "manifest", Extent.absent),
    facts.Run(FactClass.plist, "plist", Extent.not_applicable),
)


def assessment() -> Assessment:
    certificate = facts.Certificate(
        CERTIFICATE, "CN=NetEase, O=NIE, C=CN", "CN=NetEase, O=NIE, C=CN", "5a01", "2015-03-01T00:00:00Z",
        "2045-02-21T00:00:00Z", "RSA 2048", digest("key"),
    )  # fmt: skip
    lineage = (facts.LineageStep(digest("older"), ("installed_data",)), facts.LineageStep(CERTIFICATE, ()))
    because = (
        Text(
            "9 kinds of content are reached by code, and can be granted",
            "Du code atteint 9 types de contenu, et l'accès peut être accordé",
        ),
        Text(
            "Tencent TBS (X5) loads code at run time, which can change what the app does without an update",
            "Tencent TBS (X5) charge du code à l'exécution, ce qui peut changer l'application sans mise à jour",
        ),
    )
    return Assessment(
        platform=Platform.android,
        app_id="com.netease.nie.yosemite",
        app_name="Yosemite",
        version="3.3.1",
        build="331",
        package=profile.Package(
            profile.PackageFormat.apk, digest("apk"), 24_617_591, (profile.Part("", "base", digest("apk"), 24_617_591),)
        ),
        publisher=profile.Publisher(
            True, (facts.VerifiedSigner(CERTIFICATE, Scheme.v2, 24, None, lineage),), lineage, (certificate,),
            (digest("claimed"),),
            (facts.SchemeResult(Scheme.v1, SignatureState.verified),
             facts.SchemeResult(Scheme.v2, SignatureState.verified),
             facts.SchemeResult(Scheme.v3, SignatureState.absent)),
            (profile.PublisherMatch("netease", "yosemite", "signer",
                                    Text("a certificate of NetEase", "un certificat de NetEase")),),
        ),
        rating=profile.RatingResult(
            Rating.pervasive, "pervasive-1", because, ("PSB-A-INTERFACE-01@app", "PSB-A-CODE-01@tencent-tbs"),
            (Text("No code loaded at run time: considerable", "Aucun code chargé à l'exécution : considérable"),),
            Rating.pervasive,
        ),
        access=tuple(area_access(area, FINDINGS) for area in Area),
        findings=FINDINGS,
        permissions=permissions(),
        sdks=(
            profile.SdkPresence(
                "tencent-tbs", "Tencent TBS (X5)", "Tencent", "CN", Text("browser engine", "moteur Web"), 412, 37,
                (Evidence(EvidenceKind.class_prefix, DEX2, digest(DEX2), "com.tencent.smtt", detail="412"),
                 Evidence(EvidenceKind.native_library, "lib/armeabi/libtbs.so", digest("libtbs"), "libtbs.so")),
                "tencent",
            ),
            profile.SdkPresence(
                "example-json", "Example JSON", "Example", "", Text("parsing", "analyse de données"), 51, 0,
                (Evidence(EvidenceKind.class_prefix, DEX, digest(DEX), "org.example.json", detail="51"),),
            ),
        ),
        exposure=EXPOSURE,
        android=ANDROID,
        ios=None,
        code=profile.CodeSummary(
            (facts.DexFile(DEX, digest(DEX), 9_120_004, "035", 61_000, 9_000, 64_000, 8_100),
             facts.DexFile(DEX2, digest(DEX2), 6_990_400, "035", 48_000, 7_000, 57_000, 6_200),
             facts.DexFile("classes3.dex", digest("classes3.dex"), 100, problem="dex.checksum")),
            (facts.NativeLibrary("lib/armeabi/libtbs.so", digest("libtbs"), 99_000, "armeabi", ("libc.so",), (), 61),),
            1204, 402_117, ("packer.application-stub",), ("assets/tbs.dat",),
        ),
        runs=RUNS,
        anomalies=(
            facts.Anomaly("zip.duplicate-name", "assets/" + HOSTILE, "2"),
            facts.Anomaly("zip.data-after", "", "17 bytes"),
        ),
        hidden=(
            Text("One of 3 code files could not be read (classes3.dex).",
                 "Un des 3 fichiers de code n'a pas pu être lu (classes3.dex)."),
            Text("The code of one native library is encrypted.", "Le code d'une bibliothèque native est chiffré."),
        ),
        packs=tuple(
            profile.Reference(name, "2026.11.1", Digest("sha256:" + digest(name)))
            for name in ("permissions", "apis", "capabilities", "sdks", "hosts", "operators", "jurisdictions")
        ),
        rubric=profile.Reference("default", "2026.11.1", Digest("sha256:" + digest("rubric"))),
        review=profile.Reference("review", "", Digest("sha256:" + digest("review"))),
        observations=(profile.Reference("observations", "", Digest("sha256:" + digest("observations"))),),
        tools=(profile.Tool("proscribe", "0.1.0"), profile.Tool("apk-info", "1.0.13")),
    )  # fmt: skip


def inconclusive() -> Assessment:
    """Two parsers disagree, no signature holds, nothing is known of the code, and every name is hostile."""
    whole = assessment()
    hostile = Text(HOSTILE, HOSTILE)
    return replace(
        whole,
        app_id=HOSTILE,
        app_name=HOSTILE,
        version="",
        build="",
        publisher=replace(
            whole.publisher, verified=False, signers=(), lineage=(), certificates=(),
            schemes=(facts.SchemeResult(Scheme.v2, SignatureState.failed, "V2_SIG_DID_NOT_VERIFY", HOSTILE),),
            matches=(profile.PublisherMatch("netease", "yosemite", "lookalike", hostile),),
        ),
        rating=profile.RatingResult(Rating.inconclusive, "inconclusive-1", (hostile,), (), (), Rating.inconclusive),
        findings=(),
        access=tuple(area_access(area, ()) for area in Area),
        permissions=(),
        sdks=(),
        exposure=profile.Exposure(None, (), (), 0, 0),
        android=replace(
            ANDROID, disagreements=(facts.Disagreement("permissions", ("a.b." + HOSTILE,), ()),)
        ),
        hidden=(hostile,),
        anomalies=(),
        review=None,
        observations=(),
    )  # fmt: skip


def ios() -> Assessment:
    """An IPA whose code is encrypted by the store."""
    whole = assessment()
    camera = finding(
        "PSB-I-SENSORS-01", Area.sensors, Text("Uses the camera", "Utilise l'appareil photo"), Ladder.declared,
        Grant.prompt, DECLARED,
        Evidence(EvidenceKind.plist, "Payload/A.app/Info.plist", digest("plist"), "NSCameraUsageDescription"),
    )  # fmt: skip
    return replace(
        whole,
        platform=Platform.ios,
        app_id="com.example.a",
        package=profile.Package(profile.PackageFormat.ipa, digest("ipa"), 22_000_000, ()),
        publisher=profile.Publisher(False, (), (), (), (), (), (), "ABCDE12345"),
        rating=profile.RatingResult(Rating.limited, "limited-1", (), (), (), Rating.limited),
        findings=(camera,),
        access=tuple(area_access(area, (camera,)) for area in Area),
        permissions=(),
        sdks=(),
        android=None,
        ios=facts.IosFacts("com.example.a", "1.0", "7", "A", "15.0", "A", team_id="ABCDE12345"),
        code=profile.CodeSummary((), (), 0, 0, (), ()),
        anomalies=(),
        hidden=(Text("The store encrypted the code.", "La boutique a chiffré le code."),),
    )


ALL = {"rich": assessment, "inconclusive": inconclusive, "ios": ios}


@pytest.fixture(scope="session")
def rich() -> Assessment:
    return assessment()


@pytest.fixture(scope="session", params=sorted(ALL))
def any_assessment(request: pytest.FixtureRequest) -> Assessment:
    return ALL[request.param]()
